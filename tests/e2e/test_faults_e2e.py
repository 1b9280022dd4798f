"""Every kind of trouble at every kind of call: after it heals the pair converges, and meanwhile nothing is pretended.

Each kind strikes the first request of every kind of call (feed, read, find, create, update, login) of one vendor in
turn; then one vendor is down altogether for some cycles. The vendors' unverified habits are tried in both positions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from judge import assert_settled
from stage import LATE_S, World, writes
from story import Story, story

from connectors.hubspot.sandbox import populate as populate_hubspot
from connectors.salesforce.sandbox import populate as populate_salesforce
from syncd.cycle import prepare, read
from syncd.sandbox.chassis import Request
from syncd.sandbox.company import people

CALLS = {
    "hubspot": {
        "feed": {"path": "/contacts/search$"},
        "read": {"path": "/contacts/batch/read$"},
        "find": {"path": "/contacts/batch/read$", "nth": 3},
        "history": {"path": "/contacts/batch/read$", "nth": 5},
        "create": {"path": "/contacts/batch/create$"},
        "update": {"path": "/contacts/batch/update$"},
        "identify": {"path": "/account-info/"},
        "describe": {"path": "/properties/"},
    },
    "salesforce": {
        "feed": {"path": "/queryAll"},
        "find": {"path": "/query/?$"},
        "create": {"path": "/composite/sobjects$"},
        "probe": {"path": "/composite$"},
        "update": {"path": "/composite$", "nth": 2},
        "login": {"path": "/oauth2/token"},
    },
}
WRITES = {"hubspot": ("create", "update"), "salesforce": ("create", "update")}
GENERIC: dict[str, dict[str, Any]] = {
    "500": {"kind": "status", "status": 500, "body": {"message": "oops"}},
    "502 html": {"kind": "status", "status": 502, "html": "<html>Bad gateway</html>"},
    "503": {"kind": "status", "status": 503, "body": {}},
    "503 after the deed": {"kind": "status", "status": 503, "body": {}, "applied": True},
    "reset before": {"kind": "reset_before"},
    "reset after": {"kind": "reset_after"},
    "lands late": {"kind": "late", "late_ms": 15_000},
    "truncated": {"kind": "truncate"},
    "garbage": {"kind": "garbage"},
    "garbage after the deed": {"kind": "garbage", "applied": True},
    "redirect": {"kind": "redirect", "location": "http://127.0.0.1:9/elsewhere"},
    "429": {"kind": "status", "status": 429, "body": {"category": "RATE_LIMITS"}},
    "429 with a time": {"kind": "status", "status": 429, "body": {}, "headers": {"Retry-After": "1"}},
    "429 with nonsense": {"kind": "status", "status": 429, "body": {}, "headers": {"Retry-After": "-7"}},
    "empty answer": {"kind": "status", "status": 200, "body": {}},
}
VENDOR: dict[str, dict[str, dict[str, Any]]] = {
    "hubspot": {
        "expired token": {"kind": "expire_token"},
        "rate limit": {"kind": "rate_limit"},
        "search limit": {"kind": "rate_limit", "policy": "SECONDLY"},
        "limit with a time": {"kind": "rate_limit", "retry_after_s": 1},
        "locked": {"kind": "locked"},
        "moving": {"kind": "moving", "retry_after_s": 1},
        "partial batch": {"kind": "partial_batch"},
        "short answer": {"kind": "short_answer"},
    },
    "salesforce": {
        "expired token": {"kind": "expire_token"},
        "concurrent limit": {"kind": "concurrent_limit"},
        "maintenance": {"kind": "maintenance"},
        "unavailable": {"kind": "server_unavailable"},
        "edge trouble": {"kind": "edge_trouble"},
        "unknown after the deed": {"kind": "unknown_exception"},
        "unknown before": {"kind": "unknown_exception", "applied": False},
        "lock row": {"kind": "lock_row", "every": 1},
        "missing results": {"kind": "missing_results"},
        "query timeout": {"kind": "query_timeout"},
    },
}
EVERY = [(side, name, rule) for side in CALLS for name, rule in {**GENERIC, **VENDOR[side]}.items()]
ONLY: dict[str, tuple[str, ...]] = {
    "partial batch": WRITES["hubspot"],
    "short answer": WRITES["hubspot"],
    "lock row": WRITES["salesforce"],
    "missing results": ("create",),
    "query timeout": ("feed", "find"),
}
"""Kinds that make sense at some calls only."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with story(tmp_path_factory.mktemp("faults")) as one:
        yield one


def heal(told: Story) -> None:
    """No more trouble: it converges, everything is right, and a last cycle writes nothing."""
    world = told.world
    for side in (world.hubspot, world.salesforce):
        side.app.faults.clear()
    world.pass_time(LATE_S + 10)
    world.until_quiet(most=14)
    world.pass_time(LATE_S + 10)
    assert writes(world.once()) == 0
    told.check()


@pytest.mark.parametrize(("side", "name", "rule"), EVERY, ids=[f"{side}: {name}" for side, name, _ in EVERY])
def test_each_trouble_at_each_kind_of_call_is_survived(told: Story, side: str, name: str, rule: dict[str, Any]) -> None:
    """H001 to H043: whatever strikes, wherever, once."""
    told.begin()
    vendor = getattr(told.world, side)
    rules = [
        vendor.app.faults.add({**rule, "times": 1, **where})
        for call, where in CALLS[side].items()
        if call in ONLY.get(name, CALLS[side])
    ]
    for _ in range(len(rules) + 4):
        told.world.try_once()
    heal(told)
    missed = [rule.path for rule in rules if not rule.struck]
    assert not missed, f"never struck at {missed}"


LASTING: dict[str, dict[str, dict[str, Any]]] = {
    "hubspot": {
        "down": GENERIC["503"],
        "unreachable": GENERIC["reset before"],
        "a web page": GENERIC["garbage"],
        "used up": {"kind": "rate_limit", "policy": "DAILY"},
    },
    "salesforce": {
        "down": GENERIC["503"],
        "unreachable": GENERIC["reset before"],
        "a web page": GENERIC["garbage"],
        "used up": {"kind": "daily_limit"},
        "maintenance": {"kind": "maintenance"},
        "no session helps": {"kind": "permanent_401"},
    },
}
DOWN = [(side, name, rule) for side in LASTING for name, rule in LASTING[side].items()]


@pytest.mark.parametrize(("side", "name", "rule"), DOWN, ids=[f"{side}: {name}" for side, name, _ in DOWN])
def test_a_side_that_cannot_be_read_never_counts_as_unchanged(
    told: Story, side: str, name: str, rule: dict[str, Any]
) -> None:
    """I17: while one side is away nothing is decided, nothing is written, and the run says why."""
    told.begin()
    world = told.world
    getattr(world, side).app.faults.add(rule)
    moved = {key: dict(row) for key, row in {**world.live("contacts"), **world.live("Lead")}.items()}
    for _ in range(3):
        tally = world.try_once()
        if tally is not None:
            assert side in tally.skipped
            assert writes(tally) == 0
    still = {key: dict(row) for key, row in {**world.live("contacts"), **world.live("Lead")}.items()}
    assert {key: row.get("lastname") for key, row in still.items()} == {
        key: row.get("lastname") for key, row in moved.items()
    }
    assert len(still) == len(moved)
    heal(told)


def test_writes_alone_are_refused_for_a_while_and_nothing_is_dropped(told: Story) -> None:
    """H042: maintenance where reads work; what was planned waits."""
    told.begin()
    world = told.world
    world.salesforce.switch(read_only=True)
    for _ in range(3):
        world.try_once()
    world.salesforce.switch(read_only=False)
    heal(told)


def test_an_answer_slower_than_our_patience_may_still_have_done_it(told: Story) -> None:
    """H014: the time-out is ours, the deed is theirs."""
    told.begin()
    world = told.world
    world.configure(timeout="150ms")
    try:
        for side, calls in CALLS.items():
            for call in WRITES[side]:
                getattr(world, side).fault("slow", delay_ms=300, times=1, **calls[call])
        for _ in range(3):
            world.try_once()
    finally:
        world.configure()
    heal(told)


def test_a_token_that_dies_at_every_second_call_is_renewed(told: Story) -> None:
    """H035: once a call, never a loop."""
    told.begin()
    told.world.salesforce.fault("expire_token", probability=0.5, path="/services/data")
    for _ in range(6):
        told.world.try_once()
    heal(told)


# ---------------------------------------------------------------- late landings over a person's newer edit


def test_a_late_update_never_covers_a_newer_edit_in_the_crm(world: World) -> None:
    """H005 where the vendor honours a condition: refused with 412, and the newer edit stands on both sides."""
    contact, lead = world.linked(city="Berlin")
    world.edit_contact(contact, city="Paris")
    world.pass_time(2)
    world.salesforce.fault("late", late_ms=30_000, times=1, **CALLS["salesforce"]["update"])
    world.once()
    world.edit_person("Lead", lead, City="Rome")
    for _ in range(12):
        world.once()

    assert world.sf("Lead", lead)["City"] == world.hs(contact)["city"] == "Rome"
    assert ("city", "Paris") in world.lost()
    assert_settled(world)


@pytest.mark.parametrize("conditions", [True, False], ids=["conditions honoured", "conditions ignored"])
@pytest.mark.parametrize("after_s", [1, 25])
def test_a_late_update_that_covers_a_newer_edit_in_marketing_is_found_in_the_history(
    world: World, conditions: bool, after_s: int
) -> None:
    """H005 where there is no condition: the history shows what was covered; it is kept and can be restored."""
    world.salesforce.switch(composite_preconditions=conditions)
    contact, lead = world.linked(city="Berlin")
    world.edit_person("Lead", lead, City="Paris")
    world.pass_time(2)
    world.hubspot.fault("late", late_ms=30_000, times=1, **CALLS["hubspot"]["update"])
    world.once()
    world.pass_time(after_s)
    world.edit_contact(contact, city="Rome")
    for _ in range(14):
        world.once()

    assert world.sf("Lead", lead)["City"] == world.hs(contact)["city"]
    assert world.hs(contact)["city"] == "Rome" or ("city", "Rome") in world.lost()
    assert_settled(world)


def test_a_late_create_in_either_vendor_makes_nobody_twice(world: World) -> None:
    """H003: it lands after its repetition, or after somebody else typed the person in."""
    world.linked("first@example.com")
    for side, calls in CALLS.items():
        getattr(world, side).fault("late", late_ms=35_000, times=2, **calls["create"])
    world.contact("new@example.com", firstname="New")
    world.person("Lead", "sue@example.com", FirstName="Sue")
    for _ in range(14):
        world.once()
    assert len(world.live("Lead")) == len(world.live("contacts")) == 3
    assert_settled(world)


@pytest.mark.parametrize("how", ["deleted", "merged"])
def test_what_was_made_without_an_answer_and_put_away_since_is_not_made_again(world: World, how: str) -> None:
    """The lead was there for a moment, and a person decided about it before we knew."""
    world.linked("first@example.com")
    world.salesforce.fault("reset_after", times=1, **CALLS["salesforce"]["create"])
    contact = world.contact("ada@example.com", firstname="Ada")
    world.pass_time(1)
    world.once()
    (lead,) = [key for key, row in world.live("Lead").items() if row["Email"] == "ada@example.com"]
    if how == "deleted":
        world.salesforce.act("delete", "Lead", lead)
    else:
        winner = world.person("Lead", "someone@example.com", LastName="Winner")
        world.salesforce.act("merge", "Lead", winner, losers=[lead])
    world.until_quiet(most=12)
    world.edit_contact(contact, city="Berlin")
    world.until_quiet(most=12)

    assert len(world.salesforce.records("Lead")) == (2 if how == "deleted" else 3)
    assert len(world.live("Lead")) == (1 if how == "deleted" else 2)


# ---------------------------------------------------------------- cursors: lag, late commits, equal stamps


def test_an_index_that_lags_by_minutes_delays_and_loses_nothing(told: Story) -> None:
    """H006, H047: as long as it lags less than the overlap. Nobody is created because the index does not know them."""
    told.begin()
    world = told.world
    world.configure(overlap="300s")
    try:
        world.hubspot.switch(search_lag_ms=240_000)
        for _ in range(3):
            world.once()
        world.contact("slow@example.com", firstname="Slow")
        world.person("Lead", "slow@example.com", FirstName="Slow")
        for _ in range(30):
            world.once()
        world.hubspot.switch(search_lag_ms=200)
        world.until_quiet(most=14)
    finally:
        world.configure()
    for rows, name in ((world.live("contacts"), "email"), (world.live("Lead"), "Email")):
        assert [row[name] for row in rows.values()].count("slow@example.com") == 1
    assert_settled(world)


@pytest.mark.parametrize("after_s", [1, 4])
def test_a_transaction_that_commits_after_its_stamp_is_still_read(world: World, after_s: int) -> None:
    """H048: within the overlap, rows that appear below the mark are found."""
    contact, lead = world.linked(city="Berlin")
    other, person = world.linked("bob@example.com")
    world.salesforce.act("edit", "Lead", lead, values={"City": "Paris"}, commit_after_s=after_s)
    world.salesforce.act("edit", "Lead", person, values={"City": "Rome"})
    world.time.now_s += 0.2
    world.once()
    for _ in range(4):
        world.once()
    assert world.hs(contact)["city"] == "Paris"
    assert world.hs(other)["city"] == "Rome"
    assert_settled(world)


def test_edits_that_share_a_stamp_with_one_already_read_are_read(world: World) -> None:
    """H044: two edits in one second and in one millisecond, with a cycle between them."""
    contact, lead = world.linked(city="Berlin", jobtitle="CTO")
    for side, object, key, first, second in (
        (world.salesforce, "Lead", lead, {"City": "Paris"}, {"City": "Rome"}),
        (world.hubspot, "contacts", contact, {"jobtitle": "CEO"}, {"jobtitle": "CFO"}),
    ):
        world.pass_time(30)
        side.app.clock.freeze()
        side.act("edit", object, key, values=first)
        world.once()
        side.act("edit", object, key, values=second)
        side.app.clock.thaw()
        world.until_quiet()
    assert world.hs(contact)["city"] == "Rome"
    assert world.sf("Lead", lead)["Title"] == "CFO"
    assert_settled(world)


def test_a_bulk_edit_of_twelve_thousand_with_one_stamp_is_read_completely(world: World) -> None:
    """H046: past the 10,000 results that a search gives, on both sides."""
    crowd = list(people(3, 12_000))
    keys = populate_hubspot(world.hubspot.app.app, crowd)
    populate_salesforce(world.salesforce.app.app, crowd[:3_000])
    run, mappings = world.run()
    read(run, prepare(run, mappings, None))
    world.pass_time(60)
    for side in (world.hubspot, world.salesforce):
        side.app.clock.freeze()
    for key in keys:
        world.hubspot.act("edit", "contacts", key, values={"city": "Atlantis"})
    world.salesforce.act("edit", "Lead", values={"City": "Atlantis"}, all=True)
    for side in (world.hubspot, world.salesforce):
        side.app.clock.thaw()
    world.pass_time(30)
    run, mappings = world.run()
    read(run, prepare(run, mappings, None))

    facts = world.ledger.facts
    for system, object, name, count in (("hubspot", "contacts", "city", 12_000), ("salesforce", "Lead", "City", 3_000)):
        said = [values[name] for _, values in facts.live_values(facts.object_id(system, object))]
        assert (len(said), set(said)) == (count, {"Atlantis"})


# ---------------------------------------------------------------- what nobody could verify, both ways

SWITCHES: list[tuple[str, dict[str, Any]]] = [
    ("salesforce", {"composite_preconditions": False}),
    ("salesforce", {"precondition_field": "LastModifiedDate"}),
    ("salesforce", {"body_of_412": True}),
    ("salesforce", {"trim_text": False, "blank_to_null": False}),
    ("salesforce", {"lower_email": True}),
    ("salesforce", {"locator_live": False, "random_pages": False, "shuffle_ties": False}),
    ("salesforce", {"duplicate_rule": "alert"}),
    ("salesforce", {"assignment_rules": False}),
    ("salesforce", {"touch_after_s": 1}),
    ("hubspot", {"noop_bumps": False, "noop_adds_history": False}),
    ("hubspot", {"recalculation_ms": 0}),
    ("hubspot", {"recalculation_ms": 5000}),
    ("hubspot", {"multi_status": "207", "trace_on_update": "never"}),
    ("hubspot", {"trace_on_update": "always"}),
    ("hubspot", {"patch_answer": "full"}),
    ("hubspot", {"json_null": "ignore", "cleared_reads_as": "empty"}),
    ("hubspot", {"trim_strings": True}),
    ("hubspot", {"contacts_hs_lastmodifieddate": "absent"}),
    ("hubspot", {"search_beyond_reach": "empty"}),
    ("hubspot", {"history_contacts": 2}),
]


@pytest.mark.parametrize(
    ("side", "positions"), SWITCHES, ids=[f"{side}: {', '.join(positions)}" for side, positions in SWITCHES]
)
def test_whatever_the_vendor_really_does_the_story_ends_well(told: Story, side: str, positions: dict[str, Any]) -> None:
    """Each unverified fact in its other position."""
    told.begin()
    vendor = getattr(told.world, side)
    known = vendor.app.switch({})
    vendor.switch(**{name: value for name, value in positions.items() if name in known})
    heal(told)


def test_custom_fields_that_a_conversion_carries_over_are_no_edit(world: World) -> None:
    """`convert_mapping` on: the score is on the new Contact already, and nothing needs to be written but the key."""
    world.salesforce.switch(
        convert_mapping={"Marketing_Score__c": "Marketing_Score__c", "Syncd_Key__c": "Syncd_Key__c"}
    )
    contact, lead = world.linked()
    made = world.salesforce.act("convert", "Lead", lead)["contact"]
    world.until_quiet()
    assert world.sf("Contact", made)["Marketing_Score__c"] == 80
    assert world.hs(contact)["email"] == "ada@example.com"
    assert_settled(world)


def test_a_person_at_work_all_the_time_is_not_overrun(world: World) -> None:
    """H100 over and over: an edit before each of our writes; when they stop, the last word stands everywhere."""
    contact, lead = world.linked(city="Berlin")
    count = 0

    def types(request: Request) -> None:
        nonlocal count
        if request.path.endswith("/composite") and b"PATCH" in request.body and count < 5:
            count += 1
            world.edit_person("Lead", lead, City=f"City {count}")

    world.salesforce.app.before = types
    world.edit_contact(contact, city="Paris")
    world.until_quiet(most=14)
    assert count
    assert world.sf("Lead", lead)["City"] == world.hs(contact)["city"] == f"City {count}"
    assert ("city", "Paris") in world.lost()
    assert_settled(world)
