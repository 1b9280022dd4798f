"""Commands that only look: status, links, issues, conflicts, journal, why. They always work, and change nothing."""

from __future__ import annotations

import dataclasses
import errno
import sqlite3
import time

import pytest

from syncd.ledger import Lease
from tests.cli.shop import Shop


@pytest.fixture
def synced(shop: Shop) -> Shop:
    """One person on both sides, at rest."""
    shop.lead(Title="Countess", Phone="+15550100")
    shop.ok("once", "--yes")
    shop.ok("once")
    return shop


def test_status_has_its_documented_shape_and_says_healthy(synced: Shop) -> None:
    """Health, and per system and mapping the counts that monitoring reads."""
    facts = synced.ok("status")

    assert facts["healthy"] is True, facts["reasons"]
    assert facts["reasons"] == []
    assert set(facts["systems"]["mk"]) >= {
        "account",
        "last_read",
        "lag_s",
        "calls_today",
        "sweep_calls_today",
        "budget_left",
        "forecast",
    }
    assert set(facts["mappings"]["people"]) >= {"links", "moved", "issues", "conflicts", "held", "last_cycle"}
    assert facts["mappings"]["people"]["links"] == 1
    assert facts["ledger"]["holder"] is None
    assert 0 <= facts["systems"]["sf"]["lag_s"] < 60


def test_status_names_what_is_unwell(synced: Shop) -> None:
    """A system in trouble and a held plan are reasons, in words."""
    synced.mk.fault("access", method="changes", times=None)
    synced.run("once")

    facts = synced.ok("status")

    assert facts["healthy"] is False
    assert any("mk" in reason and "refuses the credentials" in reason for reason in facts["reasons"])
    assert any("Take the fault away." in reason for reason in facts["reasons"]), "what to do stands with it"
    assert "unwell" in synced.run("status").out


def test_status_names_a_held_plan(shop: Shop) -> None:
    """Nothing crosses while a plan is held: nobody should have to find that out by chance."""
    shop.lead()
    shop.run("once")

    assert any("held" in reason for reason in shop.ok("status")["reasons"])


def test_a_full_disk_is_a_reason_and_nothing_is_sent(synced: Shop) -> None:
    """Below min_free: no intent, no call; exit 1, and it works again once there is room."""
    synced.edit(synced.config, '"1KiB"', '"9000000GB"')
    synced.sf.edit("Lead", synced.sf.keys("Lead")[0], {"Title": "Duchess"})

    done = synced.run("once")

    assert done.code == 1
    assert "free beside the ledger" in done.err
    assert any("disk full" in reason for reason in synced.ok("status")["reasons"])
    assert synced.only_contact()["jobtitle"] == "Countess"
    synced.edit(synced.config, '"9000000GB"', '"1KiB"')
    synced.ok("once")
    assert synced.only_contact()["jobtitle"] == "Duchess"


def test_who_looks_is_answered_where_not_one_byte_is_free(synced: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lease cannot be noted then: that is no reason to say nothing."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.pwrite", full)

    assert synced.ok("status")["ledger"]["holder"] is None


def test_without_a_ledger_looking_says_what_to_do(shop: Shop) -> None:
    """Nothing was synced yet: exit 3 and the command that begins; no file is made by looking."""
    done = shop.run("status")

    assert done.code == 3
    assert "syncd once" in done.err
    assert not (shop.folder / "ledger.db").exists()


def test_links_show_both_records_and_how_they_were_linked(synced: Shop) -> None:
    """Who is linked to whom."""
    (link,) = synced.ok("links", "people")

    assert link["marketing"]["object"] == "contacts"
    assert link["crm"]["object"] == "Lead"
    assert link["how"] == "created from crm"
    assert synced.run("links", "nobody").code == 2
    assert "contacts" in synced.run("links").out


def test_issues_have_their_documented_shape(shop: Shop) -> None:
    """An ambiguous match lists its candidates and says what to do."""
    shop.contact()
    first, second = shop.lead(), shop.lead()
    shop.ok("once", "--yes")

    issues = shop.ok("issues")

    assert {"id", "kind", "mapping", "records", "field", "reason", "remedy", "since"} <= set(issues[0])
    about = next(one for one in issues if one["records"][0]["object"] == "contacts")
    assert about["kind"] == "ambiguous"
    assert {record["key"] for record in about["records"][1:]} == {first, second}
    assert f"resolve {about['id']} --pick" in shop.run("issues").out


def test_candidates_tell_all_that_a_pick_needs(shop: Shop) -> None:
    """Which record, by which rule, and whether it is free: an issue is resolved from its listing, and nobody's values
    are in it."""
    shop.contact()
    shop.lead()
    shop.ok("once", "--yes")
    shop.lead(LastName="Byron")
    shop.run("once")

    (taken,) = shop.ok("issues")
    (held,) = taken["candidates"]
    assert (held["system"], held["object"], held["rule"], held["pickable"]) == ("mk", "contacts", "email", False)
    assert held["linked"]["object"] == "Lead"
    assert f"candidates: mk contacts {held['key']} (linked with sf Lead" in shop.run("issues").out

    shop.mk.create("contacts", {"email": "eve@example.test", "lastname": "Eve"})
    for _ in range(2):
        shop.lead(Email="eve@example.test")
    shop.run("once")
    asked = next(one for one in shop.ok("issues") if one["id"] != taken["id"])
    assert {(one["rule"], one["linked"], one["pickable"]) for one in asked["candidates"]} == {("email", None, True)}
    told = shop.run("issues").out
    assert "matched by email" in told
    assert "@" not in told
    assert asked["remedy"] in told
    assert f"syncd issues resolve {asked['id']} --pick" in asked["remedy"]
    pick = asked["candidates"][0]["key"]
    shop.run("issues", "resolve", str(asked["id"]), "--pick", pick)
    assert pick in {link["crm"]["key"] for link in shop.ok("links")}


def test_an_issue_about_a_whole_object_names_no_record(shop: Shop) -> None:
    """A changed schema is nobody's: the object is named, no key is made up, and the file is named once."""
    shop.lead()
    shop.ok("once", "--yes")
    kind = shop.sf.kinds["Lead"]
    shorter = dataclasses.replace(kind.attributes["Status"], options=("Open", "Nurturing"))
    shop.sf.kinds["Lead"] = kind.having(attributes={**kind.attributes, "Status": shorter})
    shop.edit(
        shop.config,
        f'store = "{shop.folder.name}-sf"',
        f'sweep = {{ schema = "1ms" }}\nstore = "{shop.folder.name}-sf"',
    )
    shop.run("once")

    told = shop.run("issues").out
    (issue,) = shop.ok("issues")
    assert issue["records"] == [{"system": "sf", "object": "Lead", "key": None}]
    assert "object: sf Lead\n" in told
    assert "None" not in told
    assert len(issue["reason"].splitlines()) > 2
    assert told.count("people.toml") == 1
    assert f"syncd issues retry {issue['id']}" in told


def test_conflicts_have_their_documented_shape(synced: Shop) -> None:
    """Both edited: one wins by the field's rule, the other is kept."""
    (lead,), (contact,) = synced.sf.keys("Lead"), synced.mk.keys("contacts")
    synced.sf.edit("Lead", lead, {"LastName": "King"})
    synced.mk.edit("contacts", contact, {"lastname": "Byron"})
    synced.ok("once")
    synced.ok("once")

    (conflict,) = synced.ok("conflicts")

    assert {"id", "mapping", "field", "system", "object", "key", "kept", "lost", "at", "by"} <= set(conflict)
    assert (conflict["kept"], conflict["lost"]) == ("King", "Byron")
    assert "Byron" in synced.run("conflicts").out


def test_the_journal_is_shown_and_its_chain_is_proved(synced: Shop) -> None:
    """Every decision is told in order; one changed entry breaks the chain, with exit 3."""
    entries = synced.ok("journal")
    assert [one["seq"] for one in entries] == sorted(one["seq"] for one in entries)
    assert {"decide", "sent"} <= {one["kind"] for one in entries}
    assert synced.ok("journal", "verify")["holds"] is True

    with sqlite3.connect(synced.folder / "ledger.db") as database:
        database.execute("UPDATE journal SET said = 'nothing happened' WHERE seq = 2")
    done = synced.run("journal", "verify", "--json")

    assert done.code == 3
    assert done.json["broken_at"] == 2


def test_why_explains_a_field_with_its_rule(synced: Shop) -> None:
    """Base, both values, verdict, policy, the rule's file and line, mapping version and history."""
    (contact,) = synced.mk.keys("contacts")

    facts = synced.ok("why", "mk", "contacts", contact, "title")

    (people,) = facts["mappings"]
    title = people["fields"]["title"]
    assert (title["marketing"], title["crm"]) == ("Countess", "Countess")
    assert title["base"] == {"marketing": "Countess", "crm": "Countess"}
    assert title["verdict"] == "agree"
    assert title["policy"]["clash"] == "hold"
    assert "people.toml:" in title["rule"]
    assert people["version"] == 1
    assert any(one["kind"] == "decide" for one in facts["history"])
    assert "people.toml:" in synced.run("why", "mk", "contacts", contact).out


def test_why_tells_what_keeps_a_record_from_crossing(shop: Shop) -> None:
    """A contact that is not qualified is not created in the CRM, and the rule that says so is named."""
    contact = shop.contact(score=10)
    shop.ok("once", "--yes")

    facts = shop.ok("why", "mk", "contacts", contact)

    gate = facts["mappings"][0]["gates"]["create"]
    assert gate["passes"] is False
    assert gate["rule"] == "qualified"
    assert "may be created on the other side: no" in shop.run("why", "mk", "contacts", contact).out


def test_why_refuses_what_it_cannot_know_with_a_hint(synced: Shop) -> None:
    """An unknown system, object, field or key is a mistake in the command: exit 2."""
    for arguments in (
        ("nk", "contacts", "1"),
        ("mk", "contact", "1"),
        ("mk", "contacts", "nobody"),
        ("mk", "contacts", synced.mk.keys("contacts")[0], "titel"),
    ):
        done = synced.run("why", *arguments)
        assert done.code == 2, arguments
        assert "\n" in done.err.strip() or "did you mean" in done.err or "there are" in done.err


def test_control_characters_in_values_never_reach_the_terminal(shop: Shop) -> None:
    """A name that would clear the screen is shown as text, in tables and in JSON."""
    lead = shop.lead(LastName="\x1b[2JLove\x9blace")
    shop.run("once")

    shown, told = shop.run("why", "sf", "Lead", lead).out, shop.run("why", "sf", "Lead", lead, "--json").out

    for text in (shown, told):
        assert "\x1b" not in text
        assert "\x9b" not in text
    assert "\\x1b[2J" in shown


def test_looking_works_beside_a_process_that_holds_the_lease(synced: Shop) -> None:
    """Reading needs no lease: a daemon at work never locks people out."""
    lease = Lease.take(synced.folder / "ledger.db", what="run")
    try:
        holder = synced.ok("status")["ledger"]["holder"]
        assert "`syncd run`" in holder
        for command in (("links",), ("issues",), ("conflicts",), ("journal",), ("plan",)):
            assert synced.run(*command).code == 0, command
    finally:
        lease.release()


def test_looking_costs_no_call(synced: Shop) -> None:
    """status, links, issues, conflicts, journal and why ask no system."""
    before = len(synced.mk.calls) + len(synced.sf.calls)

    for command in (("status",), ("links",), ("issues",), ("conflicts",), ("journal",)):
        synced.run(*command)
    synced.run("why", "mk", "contacts", synced.mk.keys("contacts")[0])

    assert len(synced.mk.calls) + len(synced.sf.calls) == before


def test_a_status_of_long_ago_says_that_nobody_syncs(synced: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last cycle is hours old and no daemon runs: unwell."""
    later = time.time() + 7200
    monkeypatch.setattr(time, "time", lambda: later)

    reasons = synced.ok("status")["reasons"]

    assert any("no daemon runs" in reason for reason in reasons)
