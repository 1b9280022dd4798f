"""Records that vanish: told apart by evidence, and what follows by the mapping's rule, and never unasked."""

from __future__ import annotations

from pathlib import Path

import pytest
from world import LIMITS, MAPPING, World, make, writes

from syncd import gone, parity
from syncd.core.guard import Limit
from syncd.cycle import prepare
from syncd.ruling import retry

ARCHIVE = MAPPING.replace('crm = "unlink"', 'crm = "archive"').replace('marketing = "unlink"', 'marketing = "archive"')
IGNORE = MAPPING.replace('crm = "unlink"', 'crm = "ignore"')
LEFT = MAPPING.replace("crm = 'email != \"\"'", 'crm = \'email != ""\'\nleft = "unlink"')
GUARDED = {**LIMITS, "gone": Limit(per_cycle=2, per_day=1000, share=0.2)}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make(tmp_path)


def linked(world: World, email: str = "ada@x.test") -> tuple[str, str]:
    contact = world.mk.create(
        "contacts", {"email": email, "lastname": "Ada", "score": 80, "lifecyclestage": "mql"}, by="ann"
    )
    world.until_quiet()
    (lead,) = [key for key in world.sf.keys("Lead") if world.sf.values("Lead", key)["Email"] == email]
    return contact, lead


def asked_to_delete(world: World) -> tuple[str, str]:
    """A linked pair whose lead was deleted, under `archive`: the contact waits for a person."""
    world.mapping_text = ARCHIVE
    contact, lead = linked(world)
    world.sf.delete("Lead", lead, by="rep")
    world.until_quiet()
    return contact, lead


def kinds(world: World) -> list[str]:
    return [issue.kind for issue in world.ledger.inbox.issues()]


def approve(world: World) -> int:
    return gone.approve(world.run(), "people")


def test_what_is_only_looked_at_is_no_edit(world: World) -> None:
    """A form that they sent, or a stamp of the system's own, moved since: the lead is deleted, and nobody is asked."""
    rating = MAPPING[MAPPING.index("[fields.rating]") : MAPPING.index("[fields.opt_out]")]
    looked_at = '[fields.seen]\nmarketing = "crm_rating"\ncrm = {}\nflow = "none"\n'
    world.mapping_text = MAPPING.replace(rating, looked_at)
    contact, lead = linked(world)
    world.mk.edit("contacts", contact, {"crm_rating": "Hot"}, by="ann")
    world.until_quiet()
    world.sf.delete("Lead", lead, by="rep")
    world.until_quiet()

    assert kinds(world) == []


# ---------------------------------------------------------------- archive


def test_a_delete_is_never_sent_before_a_person_approved_it(world: World) -> None:
    """Not by --yes either: it waits on its own, and is sent once after approval."""
    contact, _ = asked_to_delete(world)
    assert world.mk.keys("contacts") == [contact]
    assert kinds(world) == ["deletes_wait"]

    assert approve(world) == 1
    world.until_quiet()
    assert world.mk.keys("contacts") == []
    assert [write.op for write in world.mk.writes] == ["archive"]
    world.pass_time(7 * 3600)
    world.until_quiet()
    assert (kinds(world), world.contacts(), world.leads()) == ([], [], [])


def test_a_declined_delete_leaves_the_partner_alone_for_good(world: World) -> None:
    """It stays, is not asked about again, and nobody is recreated for it."""
    contact, lead = asked_to_delete(world)
    assert gone.decline(world.run(), "people") == 1
    world.mk.edit("contacts", contact, {"phone": "111111"}, by="ann")
    world.until_quiet()
    assert (len(world.contacts()), world.leads(), kinds(world)) == (1, [], [])

    world.sf.restore("Lead", lead, by="rep")
    world.until_quiet()
    assert world.only_lead()["Phone"] == "111111", "what comes back goes on"


def test_a_restored_record_takes_its_delete_back(world: World) -> None:
    """What is there again needs no delete across."""
    contact, lead = asked_to_delete(world)
    world.sf.restore("Lead", lead, by="rep")
    world.mk.edit("contacts", contact, {"phone": "111111"}, by="ann")
    world.until_quiet()

    assert approve(world) == 0
    assert (len(world.contacts()), world.only_lead()["Phone"], kinds(world)) == (1, "111111", [])


def test_an_edit_goes_before_a_delete_that_waits(world: World) -> None:
    """Both are kept, and a person is told."""
    contact, _ = asked_to_delete(world)
    world.mk.edit("contacts", contact, {"lastname": "King"}, by="ann")
    world.until_quiet()

    assert kinds(world) == ["deleted_and_edited"]
    assert approve(world) == 0
    assert len(world.contacts()) == 1


def test_an_edit_between_approval_and_delete_stops_it(world: World) -> None:
    """It is looked at right before it is sent: approved was another state of the record."""
    contact, _ = asked_to_delete(world)
    approve(world)
    world.mk.manners("contacts").lag_ms = 600_000
    world.mk.edit("contacts", contact, {"lastname": "King"}, by="ann")
    world.once()
    world.until_quiet()

    assert world.mk.keys("contacts") == [contact]
    assert kinds(world) == ["deleted_and_edited"]


@pytest.mark.parametrize("fault", ["doubtful_before", "doubtful_after", "late"])
@pytest.mark.parametrize("lost", ["contacts", "Lead"])
def test_a_delete_without_an_answer_happens_once(world: World, fault: str, lost: str) -> None:
    """Doubt is resolved by looking, in both kinds of systems."""
    world.mapping_text = ARCHIVE
    contact, lead = linked(world)
    (world.sf.delete("Lead", lead, by="rep") if lost == "Lead" else world.mk.delete("contacts", contact, by="ann"))
    world.pass_time(7 * 3600)
    world.until_quiet()
    approve(world)
    (world.mk if lost == "Lead" else world.sf).fault(fault, op="archive")
    for _ in range(12):
        world.once()

    assert (world.contacts(), world.leads(), kinds(world)) == ([], [], [])
    assert sum(write.op == "archive" for write in [*world.mk.writes, *world.sf.writes]) == 1
    assert world.ledger.intents.total(("planned", "held", "asked", "ready", "sent", "answered")) == 0


# ---------------------------------------------------------------- the other rules


def test_an_ignored_delete_changes_nothing_and_a_restore_goes_on(world: World) -> None:
    """The link waits as if nothing had happened."""
    world.mapping_text = IGNORE
    contact, lead = linked(world)
    world.sf.delete("Lead", lead, by="rep")
    world.mk.edit("contacts", contact, {"phone": "111111"}, by="ann")
    world.until_quiet()
    assert (world.leads(), kinds(world)) == ([], [])

    world.sf.restore("Lead", lead, by="rep")
    world.until_quiet()
    assert world.only_lead()["Phone"] == "111111"


def test_our_own_write_on_its_way_is_no_edit_against_a_delete(world: World) -> None:
    """Deleted right after we wrote across: the difference is ours, so there is nothing to ask."""
    contact, _ = linked(world)
    world.mk.edit("contacts", contact, {"phone": "111111"}, by="ann")
    world.sf.manners("Lead").lag_ms = 90_000
    world.once()
    world.mk.delete("contacts", contact, by="ann")
    world.pass_time(7 * 3600)
    world.until_quiet()

    assert world.only_lead()["Phone"] == "111111"
    assert kinds(world) == []


def test_a_record_that_left_the_scope_frees_its_partner_and_finds_it_again(world: World) -> None:
    """left = unlink: writing stops; back in scope, the link goes on."""
    world.mapping_text = LEFT
    contact, lead = linked(world)
    world.sf.edit("Lead", lead, {"Email": None}, by="rep")
    world.until_quiet()
    world.mk.edit("contacts", contact, {"phone": "111111"}, by="ann")
    world.until_quiet()
    assert [link.state for link in world.ledger.links.page("people", 0, 10)] == ["left"]
    assert world.only_lead()["Phone"] is None

    world.sf.edit("Lead", lead, {"Email": "ada@x.test"}, by="rep")
    world.until_quiet()
    assert [link.state for link in world.ledger.links.page("people", 0, 10)] == ["live"]
    assert world.only_lead()["Phone"] == "111111"
    assert len(world.contacts()) == 1


def test_what_is_not_shown_is_not_gone(world: World) -> None:
    """Permission lost: nothing is concluded, the ledger knows since when, and sight goes on where it was."""
    contact, lead = linked(world)
    world.mk.hide("contacts", contact)
    world.pass_time(7 * 3600)
    world.until_quiet()
    object_ = world.ledger.facts.object_id("mk", "contacts")
    assert world.ledger.unseen.since(object_, contact) is not None
    assert [link.state for link in world.ledger.links.page("people", 0, 10)] == ["live"]

    world.mk.show("contacts", contact)
    world.pass_time(7 * 3600)
    world.until_quiet()
    assert world.ledger.unseen.since(object_, contact) is None
    assert world.sf.keys("Lead") == [lead]


# ---------------------------------------------------------------- too much at once


def crowd(world: World, n: int = 6, who: str = "p") -> list[str]:
    for at in range(n):
        world.mk.create("contacts", {"email": f"{who}{at}@x.test", "lastname": "P", "score": 80}, by="ann")
    world.until_quiet()
    return world.sf.keys("Lead")


def guarded(world: World) -> int:
    return writes(world.once(limits=GUARDED))


def test_a_mass_of_deletes_is_held_with_its_counts(world: World) -> None:
    """Nothing follows from it, for those either that were deleted before or after; one issue says how many of how many."""
    leads = crowd(world)
    guarded(world)
    for lead in leads[:4]:
        world.sf.delete("Lead", lead, by="script")
    guarded(world)

    (issue,) = world.ledger.inbox.issues()
    assert issue.kind == "disappeared"
    assert "4 of 6 linked records of sf Lead vanished (66.7%): 4 were deleted" in issue.reason
    assert {link.state for link in world.ledger.links.page("people", 0, 10)} == {"live"}

    guarded(world)
    for lead in leads[:4]:
        world.sf.restore("Lead", lead, by="script")
    guarded(world)
    assert kinds(world) == []
    assert {link.state for link in world.ledger.links.page("people", 0, 10)} == {"live"}


def test_a_mass_of_deletes_that_was_meant_goes_on_by_a_persons_word(world: World) -> None:
    """`issues retry`: the links rest, as for single ones, and the next ones count anew."""
    leads = crowd(world)
    guarded(world)
    for lead in leads[:4]:
        world.sf.delete("Lead", lead, by="script")
    guarded(world)
    (issue,) = world.ledger.inbox.issues()
    run = world.run()
    (bench,) = prepare(run, world.mappings(), None)
    retry(run, bench, issue)
    guarded(world)
    guarded(world)

    states = [link.state for link in world.ledger.links.page("people", 0, 10)]
    assert sorted(states) == ["live"] * 2 + ["unlinked"] * 4
    assert (kinds(world), len(world.contacts())) == ([], 6)


def test_a_few_that_are_never_shown_again_do_not_add_up(world: World) -> None:
    """Purged one by one over the year: each is told, and an old story after a day. Many at once wait for a person's
    word, and are one question."""
    crowd(world)
    guarded(world)
    contacts = world.mk.keys("contacts")
    for contact in contacts[:4]:
        world.mk.purge("contacts", contact)
        world.pass_time(86_400)
        guarded(world)
        guarded(world)
    assert set(kinds(world)) == {"not_shown"}

    crowd(world, who="q")
    for contact in world.mk.keys("contacts")[-4:]:
        world.mk.hide("contacts", contact)
    world.pass_time(86_400 * 3)
    guarded(world)
    world.pass_time(86_400 * 3)
    guarded(world)
    (issue,) = world.ledger.inbox.issues(kind="disappeared")
    run = world.run()
    (bench,) = prepare(run, world.mappings(), None)
    retry(run, bench, issue)
    guarded(world)
    assert set(kinds(world)) == {"not_shown"}


def test_a_side_that_is_emptied_from_our_sight_is_told_and_nothing_follows(world: World) -> None:
    """All of one side is not shown any more: an access accident, not six decisions."""
    crowd(world)
    guarded(world)
    for contact in world.mk.keys("contacts"):
        world.mk.hide("contacts", contact)
    world.pass_time(7 * 3600)
    guarded(world)
    guarded(world)
    (issue,) = world.ledger.inbox.issues()
    assert "6 of 6 linked records of mk contacts vanished (100.0%): 6 are not shown" in issue.reason

    for contact in world.mk.keys("contacts"):
        world.mk.show("contacts", contact)
    world.pass_time(7 * 3600)
    guarded(world)
    assert guarded(world) == 0
    assert kinds(world) == []


@pytest.mark.parametrize("end", ["shown again", "gone for good"])
def test_a_record_that_is_never_answered_again_is_told_and_a_person_says_what_it_is(world: World, end: str) -> None:
    """Purged, or hidden: by evidence neither. Told once a second look is due; shown again, it ends by itself; a person who
    says that it is gone lets [gone] decide, and nothing is made anew."""
    contact, lead = linked(world)
    world.mk.hide("contacts", contact)
    world.pass_time(6 * 3600)
    world.once()
    assert kinds(world) == []
    world.pass_time(6 * 3600)
    world.once()
    (issue,) = world.ledger.inbox.issues()
    assert (issue.kind, issue.key) == ("not_shown", contact)
    assert "mk does not answer for this contacts any more" in issue.reason
    world.pass_time(30 * 3600)
    world.once()
    assert [one.id for one in world.ledger.inbox.issues()] == [issue.id], "still, and once"

    if end == "shown again":
        world.mk.show("contacts", contact)
        world.pass_time(6 * 3600)
        world.once()
        world.once()
        assert (kinds(world), state(world)) == ([], "live")
        return
    run = world.run()
    (bench,) = prepare(run, world.mappings(), None)
    retry(run, bench, issue)
    world.until_quiet()
    world.pass_time(30 * 3600)
    world.once()
    assert (kinds(world), state(world)) == ([], "unlinked")
    assert (world.sf.keys("Lead"), len(world.contacts())) == ([lead], 1)


def test_a_hidden_record_of_a_system_whose_feed_tells_of_deletes_is_told_and_ends_too(world: World) -> None:
    """Such a system is not walked through: what a comparison missed is looked for again at each sweep."""
    _, lead = linked(world)
    world.sf.hide("Lead", lead)
    run = world.run()
    (bench,) = prepare(run, world.mappings(), None)
    assert list(parity.steps(run, bench, None))
    world.pass_time(6 * 3600 + 60)
    world.once()
    assert [(one.kind, one.key) for one in world.ledger.inbox.issues()] == [("not_shown", lead)]

    world.sf.show("Lead", lead)
    world.pass_time(6 * 3600 + 60)
    world.once()
    world.once()
    assert (kinds(world), state(world)) == ([], "live")


def state(world: World) -> str:
    (link,) = world.ledger.links.page("people", 0, 10)
    return link.state


@pytest.mark.parametrize("end", ["purged", "hidden"])
def test_an_idle_record_that_is_purged_or_hidden_is_told_without_any_write(world: World, end: str) -> None:
    """Its feed tells of deletes only: once a day all linked records are looked for by key, and once it was missed by a
    second look a person is asked. Nothing is concluded, nothing is made anew."""
    _, lead = linked(world)
    _, other_lead = linked(world, "eve@x.test")
    if end == "purged":
        world.sf.purge("Lead", lead)
        # Between two polls the bin was emptied: no feed ever said a word.
        assert world.sf.items["Lead"].pop(lead)
    else:
        world.sf.hide("Lead", lead)
    for hour in range(0, 30, 6):
        world.once()
        assert kinds(world) == [], hour
        world.pass_time(6 * 3600)
    world.once()

    (issue,) = world.ledger.inbox.issues()
    assert (issue.kind, issue.key) == ("not_shown", lead)
    assert sorted(link.state for link in world.ledger.links.page("people", 0, 9)) == ["live", "live"]
    assert (len(world.contacts()), other_lead in world.sf.keys("Lead")) == (2, True)
    if end == "hidden":
        world.sf.show("Lead", lead)
        world.pass_time(6 * 3600)
        world.once()
        world.once()
        assert kinds(world) == []


def test_looking_for_everybody_costs_a_call_for_a_batch_of_linked_records_a_day(world: World) -> None:
    """Three linked leads, two a call: two calls a day, no attribute asked; who is linked to nobody costs none."""
    kind = world.sf.kinds["Lead"]
    world.sf.kinds["Lead"] = kind.having(read_batch=2)
    for name in ("ada", "eve", "zoe"):
        linked(world, f"{name}@x.test")
    world.sf.create("Lead", {"LastName": "Nobody"}, by="rep")
    world.until_quiet()

    def looked(hours: int) -> list[int]:
        before = len(world.sf.calls)
        for _ in range(hours):
            world.pass_time(3600)
            world.once()
        return [call.count for call in world.sf.calls[before:] if call.method == "fetch"]

    assert looked(23) == []
    assert sorted(looked(24)) == [1, 2]
    assert sorted(looked(24)) == [1, 2]
