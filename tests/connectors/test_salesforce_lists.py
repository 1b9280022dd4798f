"""The contacts of an opportunity, through its roles: read, noticed and written."""

from __future__ import annotations

import pytest
from salesforce_shop import ROLES, Shop

from syncd.connector import Effect
from syncd.errors import CursorLost

ASKED = ["Name", ROLES]


def roles(shop: Shop, deal: str) -> dict[str, tuple[str | None, bool]]:
    """Contact -> (role, primary), of the live roles."""
    return {
        row["ContactId"]: (row["Role"], row["IsPrimary"])
        for row in shop.live("OpportunityContactRole")
        if row["OpportunityId"] == deal
    }


# ---------------------------------------------------------------- reading


def test_the_list_is_described_and_read_wherever_records_are(shop: Shop) -> None:
    """Sorted keys without repeats, None where there are none; the feed, fetch and find tell the same."""
    one, two = shop.contacts(2)
    deal, bare = shop.make("Opportunity", Syncd_Key__c="k"), shop.make("Opportunity")
    for contact in (two, one, two):
        shop.act("add_role", opportunity=deal, contact=contact)

    schema = shop.connector.describe("Opportunity").attributes
    assert (schema[ROLES].type, schema[ROLES].refers) == ("references", ("Contact",))
    assert (schema["AccountId"].type, schema["AccountId"].refers) == ("reference", ("Account",))
    told, _ = shop.poll("Opportunity", ASKED, None)
    assert {key: record.attributes[ROLES] for key, record in told.items()} == {deal: [one, two], bare: None}
    assert shop.fetch("Opportunity", [ROLES], deal)[deal].attributes == {ROLES: [one, two]}
    (found,) = shop.connector.find("Opportunity", ASKED, "Syncd_Key__c", ["K"])
    assert found.record.attributes[ROLES] == [one, two]


def test_roles_of_deleted_contacts_are_not_in_the_list_and_stay(shop: Shop) -> None:
    """A role may point to a deleted contact; when the list is written it is left alone."""
    one, two = shop.contacts(2)
    deal = shop.make("Opportunity")
    for contact in (one, two):
        shop.act("add_role", opportunity=deal, contact=contact)
    shop.act("delete", object="Contact", key=one)

    assert shop.fetch("Opportunity", [ROLES], deal)[deal].attributes[ROLES] == [two]
    assert shop.update("Opportunity", deal, **{ROLES: None}).kind == "sent"
    assert set(roles(shop, deal)) == {one}


def test_a_list_that_may_not_be_seen_is_absent_not_blank(shop: Shop) -> None:
    """Unasked is not empty: otherwise every role would look removed. The feed goes on without it."""
    (one,) = shop.contacts(1)
    deal = shop.make("Opportunity")
    shop.act("add_role", opportunity=deal, contact=one)
    _, cursor = shop.poll("Opportunity", ASKED, None)
    shop.act("field", object="OpportunityContactRole", field="ContactId", set={"createable": False})
    assert not shop.connector.describe("Opportunity").attributes[ROLES].updatable
    shop.act("field", object="OpportunityContactRole", field="OpportunityId", set={"hidden": True})

    assert ROLES not in shop.connector.describe("Opportunity").attributes
    assert shop.fetch("Opportunity", ASKED, deal)[deal].attributes == {"Name": "Deal"}
    shop.act("edit", object="Opportunity", key=deal, values={"Name": "New"})
    told, _ = shop.poll("Opportunity", ASKED, cursor)
    assert told[deal].attributes == {"Name": "New"}
    outcome = shop.update("Opportunity", deal, **{ROLES: []})
    assert (outcome.kind, outcome.code, outcome.culprits) == ("refused", "LIST_NOT_VISIBLE", (ROLES,))
    assert set(roles(shop, deal)) == {one}


# ---------------------------------------------------------------- the feed


def test_a_role_that_comes_goes_or_leads_elsewhere_shows_in_the_feed(shop: Shop) -> None:
    """No stamp of the opportunity moves, so its own feed would stay silent."""
    one, two = shop.contacts(2)
    deal, other = shop.make("Opportunity"), shop.make("Opportunity")
    told, cursor = shop.poll("Opportunity", ASKED, None)
    stamp_ms = told[deal].stamp_ms
    for _ in range(2):
        shop.advance(600)
        _, cursor = shop.poll("Opportunity", ASKED, cursor)
    seen: list[object] = []
    for do, contact in (("add_role", one), ("add_role", two), ("drop_role", one)):
        shop.act(do, opportunity=deal, contact=contact)
        told, cursor = shop.poll("Opportunity", ASKED, cursor)
        seen.append(told[deal].attributes[ROLES])
        assert told[deal].stamp_ms == stamp_ms
        assert other not in told
        shop.advance(300)

    assert seen == [[one], [one, two], [two]]
    shop.act("edit", object="OpportunityContactRole", where=f"ContactId = '{two}'", values={"ContactId": one})
    assert shop.poll("Opportunity", ASKED, cursor)[0][deal].attributes[ROLES] == [one]


def test_a_poll_at_rest_is_one_call(shop: Shop) -> None:
    """Idle cost: both feeds are asked in one call; without the list in a mapping it is one query as ever."""
    (one,) = shop.contacts(1)
    deal = shop.make("Opportunity")
    shop.act("add_role", opportunity=deal, contact=one)
    _, cursor = shop.poll("Opportunity", ASKED, None)
    for _ in range(3):
        shop.advance(600)
        _, cursor = shop.poll("Opportunity", ASKED, cursor)
    before = len(shop.calls())
    told, cursor = shop.poll("Opportunity", ASKED, cursor)
    assert (told, len(shop.calls()) - before) == ({}, 1)

    _, plain = shop.poll("Opportunity", ["Name"], cursor)
    before = len(shop.calls())
    shop.poll("Opportunity", ["Name"], plain)
    assert shop.calls()[before]["path"].endswith("/query") or shop.calls()[before]["path"].endswith("/queryAll")
    assert len(shop.calls()) - before == 1


def test_what_commits_late_while_feeds_are_asked_together_is_not_missed(shop: Shop) -> None:
    """The overlap holds for both feeds, whichever call their lists came with."""
    one, two = shop.contacts(2)
    deal = shop.make("Opportunity")
    shop.act("add_role", opportunity=deal, contact=one)
    _, cursor = shop.poll("Opportunity", ASKED, None)
    shop.advance(600)
    _, cursor = shop.poll("Opportunity", ASKED, cursor)
    shop.act("add_role", opportunity=deal, contact=two, commit_after_s=60)
    shop.act("edit", object="Opportunity", key=deal, values={"Name": "New"}, commit_after_s=60)
    for _ in range(4):
        shop.advance(25)
        told, cursor = shop.poll("Opportunity", ASKED, cursor)
        if told:
            break
    assert told[deal].attributes == {"Name": "New", ROLES: [one, two]}


def test_a_cursor_from_before_the_list_goes_on(shop: Shop) -> None:
    """A mapping that begins to ask for the list, or stops, reads nothing from the start."""
    (one,) = shop.contacts(1)
    deal = shop.make("Opportunity")
    _, cursor = shop.poll("Opportunity", ["Name"], None)
    shop.advance(600)
    told, cursor = shop.poll("Opportunity", ["Name"], cursor)
    shop.advance(600)
    told, cursor = shop.poll("Opportunity", ASKED, cursor)
    assert told == {}
    shop.act("add_role", opportunity=deal, contact=one)
    told, cursor = shop.poll("Opportunity", ASKED, cursor)
    assert told[deal].attributes[ROLES] == [one]
    shop.poll("Opportunity", ["Name"], cursor)
    with pytest.raises(CursorLost):
        shop.poll("Opportunity", ASKED, '{"own": 1}')


# ---------------------------------------------------------------- writing


def test_a_list_is_written_by_what_differs(shop: Shop) -> None:
    """What stays keeps its role and its primary mark; nothing is deleted and made again."""
    one, two, three = shop.contacts(3)
    deal = shop.make("Opportunity")
    shop.act("add_role", opportunity=deal, contact=one, role="Evaluator", primary=True)
    shop.act("add_role", opportunity=deal, contact=two)
    before = {row["ContactId"]: row["Id"] for row in shop.live("OpportunityContactRole")}

    outcome = shop.update("Opportunity", deal, Name="New", **{ROLES: [one[:15], three]})

    assert (outcome.kind, outcome.key, outcome.code) == ("sent", deal, "")
    assert roles(shop, deal) == {one: ("Evaluator", True), three: (None, False)}
    assert {row["ContactId"]: row["Id"] for row in shop.live("OpportunityContactRole")}[one] == before[one]
    assert shop.raw("Opportunity")[deal]["Name"] == "New"


def test_creates_carry_their_lists(shop: Shop) -> None:
    """Several at once, each its own."""
    one, two = shop.contacts(2)
    base = {"Name": "D", "StageName": "Prospecting", "CloseDate": "2027-01-31"}
    lists = ([one, two], None, [two])
    effects = [Effect(str(n), "create", None, {**base, ROLES: each}, unique=f"k{n}") for n, each in enumerate(lists)]
    before = len(shop.calls())
    outcomes = shop.write("Opportunity", *effects)

    assert [outcome.kind for outcome in outcomes] == ["sent"] * 3
    assert [set(roles(shop, str(outcome.key))) for outcome in outcomes] == [{one, two}, set(), {two}]
    assert len(shop.calls()) - before == 4, "describe, records, roles that are there, roles"


def test_a_list_alone_is_written_after_a_look(shop: Shop) -> None:
    """A role moves no stamp and carries no condition: a record that moved, or is gone, gets none."""
    (one,) = shop.contacts(1)
    deal, doomed = shop.make("Opportunity"), shop.make("Opportunity")
    stamp_ms = shop.fetch("Opportunity", [], deal)[deal].stamp_ms
    shop.advance(60)
    shop.act("edit", object="Opportunity", key=deal, values={"Name": "New"})
    shop.act("delete", object="Opportunity", key=doomed)

    assert shop.update("Opportunity", deal, expect_ms=stamp_ms, **{ROLES: [one]}).kind == "moved"
    assert shop.update("Opportunity", doomed, **{ROLES: [one]}).kind == "gone"
    assert shop.update("Opportunity", deal, expect_ms=stamp_ms, Name="N", **{ROLES: [one]}).kind == "moved"
    assert shop.live("OpportunityContactRole") == []
    now_ms = shop.fetch("Opportunity", [], deal)[deal].stamp_ms
    assert shop.update("Opportunity", deal, expect_ms=now_ms, **{ROLES: [one]}).kind == "sent"


def test_a_contact_that_cannot_be_linked_is_named_and_stops_no_other(shop: Shop) -> None:
    """Refused where nothing was done; doubtful, and decided again, where the record was."""
    one, dead = shop.contacts(2)
    deal, other = shop.make("Opportunity"), shop.make("Opportunity")
    shop.act("delete", object="Contact", key=dead)
    alone, fine, both = shop.write(
        "Opportunity",
        Effect("a", "update", deal, {ROLES: [dead]}),
        Effect("b", "update", other, {ROLES: [one]}),
        Effect("c", "update", shop.make("Opportunity"), {"Name": "N", ROLES: [dead]}),
    )
    assert (alone.kind, alone.culprits, alone.key) == ("refused", (ROLES,), deal)
    assert (fine.kind, both.kind) == ("sent", "doubtful")
    bad = shop.update("Opportunity", deal, **{ROLES: ["nobody"]})
    assert (bad.kind, bad.culprits, bad.code) == ("refused", (ROLES,), "MALFORMED_ID")
    assert "nobody" not in bad.message


def test_a_lost_answer_about_roles_is_doubtful(shop: Shop) -> None:
    """Never repeated: the look that follows shows what became of it."""
    (one,) = shop.contacts(1)
    deal = shop.make("Opportunity")
    shop.server.control.faults(kind="reset_after", times=1, method="POST", path="/composite/sobjects$")
    assert shop.update("Opportunity", deal, **{ROLES: [one]}).kind == "doubtful"
    assert set(roles(shop, deal)) == {one}
    assert shop.update("Opportunity", deal, **{ROLES: [one]}).kind == "sent"
    assert len(shop.live("OpportunityContactRole")) == 1


@pytest.mark.parametrize("alone", [True, False])
def test_a_locked_role_may_be_tried_again(shop: Shop, alone: bool) -> None:
    """Refused by circumstance where nothing else was done; looked at again where the record was written."""
    one, two = shop.contacts(2)
    deal = shop.make("Opportunity")
    shop.server.control.faults(kind="lock_row", times=1, method="POST", path="/composite/sobjects$")
    outcome = shop.update("Opportunity", deal, **({} if alone else {"Name": "N"}), **{ROLES: [one]})
    assert (outcome.kind, outcome.again, outcome.culprits) == ("refused" if alone else "doubtful", True, (ROLES,))
    shop.server.control.faults(kind="lock_row", times=1, method="POST", path="/composite/sobjects$", records=[2])
    outcome = shop.update("Opportunity", deal, **{ROLES: [one, two]})
    assert outcome.kind == "doubtful", "one of two roles was made"
    assert shop.update("Opportunity", deal, **{ROLES: [one, two]}).kind == "sent"


def test_calls_that_fail_before_anything_is_written_are_told_apart(shop: Shop) -> None:
    """The look at the roles fails: the record alone is written; too fast for the roles: likewise, and again."""
    (one,) = shop.contacts(1)
    deal = shop.make("Opportunity")
    shop.fetch("Opportunity", [ROLES], deal)
    shop.server.control.faults(kind="query_timeout", times=10, path="/queryAll")
    outcome = shop.update("Opportunity", deal, Name="N", **{ROLES: [one]})
    assert (outcome.kind, roles(shop, deal)) == ("doubtful", {})
    assert shop.raw("Opportunity")[deal]["Name"] == "N"
    shop.server.control.clear_faults()
    shop.server.control.faults(kind="concurrent_limit", times=50, method="POST", path="/composite/sobjects$")
    outcome = shop.update("Opportunity", deal, **{ROLES: [one]})
    assert (outcome.kind, outcome.again) == ("refused", True)
    shop.server.control.clear_faults()
    assert shop.update("Opportunity", deal, **{ROLES: [one]}).kind == "sent"


def test_what_no_feed_tells_is_swept(shop: Shop) -> None:
    """A contact removed for good takes its roles along and leaves no trace: a fetch of the list alone shows it."""
    one, two = shop.contacts(2)
    deal = shop.make("Opportunity")
    for contact in (one, two):
        shop.act("add_role", opportunity=deal, contact=contact)
    assert shop.connector.traits.objects["Opportunity"].moves_no_stamp(ROLES)
    shop.act("purge", object="Contact", key=one)
    before = len(shop.calls())
    assert shop.fetch("Opportunity", [ROLES], deal)[deal].attributes == {ROLES: [two]}
    assert len(shop.calls()) - before == 2


def test_long_lists_come_in_pages(shop: Shop) -> None:
    """Roles may outnumber the rows of a page, in every read."""
    shop.server.app.site.cursors._size = lambda asked: 3  # type: ignore[method-assign]
    contacts = shop.contacts(8)
    deals = sorted(shop.make("Opportunity") for _ in range(2))
    for deal in deals:
        for contact in contacts:
            shop.act("add_role", opportunity=deal, contact=contact)
    told, cursor = shop.poll("Opportunity", [ROLES], None)
    assert {key: record.attributes[ROLES] for key, record in told.items()} == dict.fromkeys(deals, contacts)
    shop.advance(600)
    shop.act("edit", object="OpportunityContactRole", all=True, values={"Role": "Evaluator"})
    told, _ = shop.poll("Opportunity", [ROLES], cursor)
    assert {key: record.attributes[ROLES] for key, record in told.items()} == dict.fromkeys(deals, contacts)
