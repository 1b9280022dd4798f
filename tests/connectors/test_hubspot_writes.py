"""Writing to HubSpot, against the sandbox: one outcome an effect, doubt where nobody knows, never twice."""

from __future__ import annotations

from typing import Any

import pytest
from hubspot_account import Portal, one, update

from connectors.hubspot.connector import HubSpot
from syncd.connector import Effect, Outcome
from syncd.errors import QuotaExhausted, Transient


def test_what_was_written_is_answered_as_stored(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: the first sight comes with the answer; blank, truth, numbers and choices take HubSpot's form."""
    (made,) = portal.people(1)
    effect = update(made, city=None, firstname="Ada", crm_email_optout=True, crm_rating="Hot")
    outcome = one(hubspot.write("contacts", [effect]))

    assert (outcome.kind, outcome.key) == ("sent", made)
    assert outcome.attributes == {"city": None, "firstname": "Ada", "crm_email_optout": "true", "crm_rating": "Hot"}
    assert outcome.stamp_ms == portal.control.records("contacts")[made]["modified_ms"]
    assert portal.value(made, "city") is None


def test_a_batch_of_creates_is_matched_by_trace(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: answers come in any order; each effect gets its own (H010)."""
    effects = [Effect(f"r{n}", "create", None, {"email": f"new{n}@example.test"}, unique=f"key-{n}") for n in range(60)]
    outcomes: list[Outcome] = []
    calls = portal.calls(lambda: outcomes.extend(hubspot.write("contacts", effects)))

    assert calls[-1] == ("POST", "create", 201)
    assert [outcome.ref for outcome in outcomes] == [effect.ref for effect in effects]
    state = portal.control.records("contacts")
    for effect, outcome in zip(effects, outcomes, strict=True):
        assert outcome.kind == "sent"
        assert state[str(outcome.key)]["values"]["email"] == effect.attributes["email"]
        assert state[str(outcome.key)]["values"]["syncd_key"] == effect.unique


def test_one_bad_create_does_not_keep_the_others_back(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: with trace ids the good ones are written and the bad ones named (H008)."""
    (taken,) = portal.people(1)
    effects = [
        Effect("good", "create", None, {"email": "good@example.test"}),
        Effect("twin", "create", None, {"email": "person0@example.test"}),
        Effect("wrong", "create", None, {"email": "other@example.test", "crm_rating": "Tepid"}),
    ]
    outcomes = {outcome.ref: outcome for outcome in hubspot.write("contacts", effects)}

    assert outcomes["good"].kind == "sent"
    assert (outcomes["twin"].kind, outcomes["twin"].existing, outcomes["twin"].code) == ("refused", taken, "CONFLICT")
    assert (outcomes["wrong"].kind, outcomes["wrong"].culprits) == ("refused", ("crm_rating",))
    assert outcomes["wrong"].code == "INVALID_OPTION"
    assert "Tepid" not in repr(outcomes)


@pytest.mark.parametrize("trace_on_update", ["always", "old_versions", "never"])
@pytest.mark.parametrize("shape", ["both", "text", "structured"])
def test_one_bad_update_does_not_keep_the_others_back(portal: Portal, trace_on_update: str, shape: str) -> None:
    """Rule: a batch refused as a whole is divided until who is to blame stands alone (section 4.6)."""
    portal.control.switches(trace_on_update=trace_on_update, property_error_shape=shape)
    hubspot = portal.connector()
    made = portal.people(40)
    effects = [update(key, f"r{n}", city="New", crm_rating="Tepid" if n == 17 else "Hot") for n, key in enumerate(made)]
    outcomes = {outcome.ref: outcome for outcome in hubspot.write("contacts", effects)}

    assert len(outcomes) == 40
    assert outcomes["r17"].kind == "refused"
    assert outcomes["r17"].culprits == ("crm_rating",)
    assert [ref for ref, outcome in outcomes.items() if outcome.kind == "sent"] == [
        effect.ref for effect in effects if effect.ref != "r17" and effect.ref in outcomes
    ] or len([o for o in outcomes.values() if o.kind == "sent"]) == 39
    assert {portal.value(key, "city") for n, key in enumerate(made[15:20]) if n != 2} == {"New"}
    assert portal.value(made[17], "city") == "Old Town"


def test_a_property_that_is_gone_costs_two_calls_not_two_hundred(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: what no value can mend is not searched for by halves (section 21.10)."""
    hubspot.describe("contacts")
    made = portal.people(40)
    effects = [update(key, f"r{n}", **({"gone_away": "x"} if n % 2 else {"city": "y"})) for n, key in enumerate(made)]
    outcomes: list[Outcome] = []
    calls = portal.calls(lambda: outcomes.extend(hubspot.write("contacts", effects)))

    assert len(calls) == 2
    assert sorted(outcome.kind for outcome in outcomes) == ["refused"] * 20 + ["sent"] * 20
    assert {outcome.culprits for outcome in outcomes if outcome.kind == "refused"} == {("gone_away",)}


def test_a_taken_address_names_who_holds_it(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: the record in the way is told, also where a batch hides it, and for our own key (section 17.5)."""
    first, second = portal.people(2)
    outcome = one(hubspot.write("contacts", [update(second, email="PERSON0@example.test")]))
    assert (outcome.kind, outcome.existing) == ("refused", first)

    hubspot.write("contacts", [Effect("k", "update", first, {}, unique="key-1")])
    outcome = one(hubspot.write("contacts", [Effect("k", "update", second, {"city": "x"}, unique="key-1")]))
    assert (outcome.kind, outcome.existing, outcome.culprits) == ("refused", first, ("syncd_key",))


def test_an_update_of_a_merged_or_archived_record_is_gone(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: silently dropped is looked into; gone is told on evidence (section 4.6, H126)."""
    live, left, right, archived, missing = portal.people(5, email="")
    portal.control.act("merge", object="contacts", key=left, **{"with": right})
    portal.control.act("delete", object="contacts", key=archived)
    effects = [update(key, f"r{n}", city="New") for n, key in enumerate((live, left, archived, "999999999"))]
    outcomes = {outcome.ref: outcome for outcome in hubspot.write("contacts", effects)}

    assert {ref: outcome.kind for ref, outcome in outcomes.items()} == {
        "r0": "sent",
        "r1": "gone",
        "r2": "gone",
        "r3": "gone",
    }
    assert outcomes["r1"].code == "DROPPED"
    assert missing


@pytest.mark.parametrize("op", ["create", "update"])
def test_an_answer_that_is_too_short_leaves_doubt(portal: Portal, hubspot: HubSpot, op: Any) -> None:
    """Rule: what an answer does not speak of is unknown, not done and not refused (H011)."""
    hubspot.describe("contacts")
    made = portal.people(4)
    portal.control.faults(kind="short_answer", path="/batch/(create|update)", times=1, indexes=[1, 2])
    effects = [
        Effect(f"r{n}", op, key if op == "update" else None, {"firstname": f"Short {n}", "email": f"s{n}@example.test"})
        for n, key in enumerate(made)
    ]

    outcomes = list(hubspot.write("contacts", effects))
    assert sorted(outcome.kind for outcome in outcomes) == ["doubtful", "doubtful", "sent", "sent"]
    assert len({outcome.ref for outcome in outcomes}) == 4


def test_a_part_of_a_batch_that_failed_inside_hubspot_is_doubtful(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: an internal error says nothing about what was done."""
    hubspot.describe("contacts")
    portal.control.faults(kind="partial_batch", path="/batch/create", times=1, indexes=[0])
    effects = [Effect(f"r{n}", "create", None, {"email": f"x{n}@example.test"}) for n in range(3)]

    assert [outcome.kind for outcome in hubspot.write("contacts", effects)] == ["doubtful", "sent", "sent"]


UNKNOWN_FATES: dict[str, dict[str, Any]] = {
    "applied, then silence": {"kind": "reset_after"},
    "silence": {"kind": "reset_before"},
    "half an answer": {"kind": "truncate"},
    "a web page": {"kind": "garbage", "applied": True},
    "502 after the deed": {"kind": "status", "status": 502, "applied": True, "html": "<h1>Bad gateway</h1>"},
    "500": {"kind": "status", "status": 500},
    "524": {"kind": "status", "status": 524, "applied": True},
}


@pytest.mark.parametrize("op", ["create", "update", "archive"])
@pytest.mark.parametrize("fault", UNKNOWN_FATES.values(), ids=UNKNOWN_FATES.keys())
def test_a_write_without_a_whole_answer_is_doubtful_and_sent_once(
    portal: Portal, hubspot: HubSpot, fault: dict[str, Any], op: Any
) -> None:
    """Rule: every effect of the call is doubtful, and nothing is sent again (H002, H014, H015, H024)."""
    if op == "archive" and fault["kind"] == "truncate":
        pytest.skip("half of an answer without a body is the whole of it")
    hubspot.describe("contacts")
    made = portal.people(3)
    portal.control.faults(path="/batch/(create|update|archive)", times=1, **fault)
    effects = [
        Effect(f"r{n}", op, None if op == "create" else key, {"email": f"new{n}@example.test"})
        for n, key in enumerate(made)
    ]
    outcomes: list[Outcome] = []
    calls = portal.calls(lambda: outcomes.extend(hubspot.write("contacts", effects)))

    assert {outcome.kind for outcome in outcomes} == {"doubtful"}
    assert [outcome.ref for outcome in outcomes] == ["r0", "r1", "r2"]
    assert len(calls) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "rate_limit", "policy": "TEN_SECONDLY_ROLLING"},
        {"kind": "rate_limit", "policy": "TEN_SECONDLY_ROLLING", "retry_after_s": 1},
        {"kind": "locked"},
        {"kind": "moving"},
    ],
)
def test_a_write_that_was_not_carried_out_is_sent_again(
    portal: Portal, hubspot: HubSpot, fault: dict[str, Any]
) -> None:
    """Rule: 423, 429 and 477 say that nothing was done; waiting is all there is to it (section 17.2)."""
    (made,) = portal.people(1)
    portal.control.faults(path="/batch/update", times=2, **fault)

    calls = portal.calls(lambda: [o.kind == "sent" for o in hubspot.write("contacts", [update(made, city="New")])])
    assert [status for _, name, status in calls if name == "update"][-1] == 200
    assert len([name for _, name, _ in calls if name == "update"]) == 3


def test_a_write_that_never_left_raises_and_leaves_no_doubt(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: raising from `write` means that nothing at all was carried out."""
    hubspot.describe("contacts")
    portal.control.faults(kind="locked", path="/batch/update")
    with pytest.raises(Transient):
        hubspot.write("contacts", [update("1", city="New")])

    portal.control.clear_faults()
    portal.control.faults(kind="rate_limit", policy="DAILY")
    with pytest.raises(QuotaExhausted):
        hubspot.write("contacts", [update("1", city="New")])


def test_when_the_second_part_of_a_write_cannot_leave_the_first_part_counts(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: outcomes that are known are never thrown away with an exception."""
    hubspot.describe("contacts")
    (made,) = portal.people(1)
    portal.control.faults(kind="locked", path="/batch/update", nth=2, times=9)
    effects = [update(made, "r1", city="First"), update(made, "r2", city="Second")]

    first, second = hubspot.write("contacts", effects)
    assert (first.ref, first.kind) == ("r1", "sent")
    assert (second.ref, second.kind, second.again) == ("r2", "refused", True)


def test_two_effects_on_one_record_go_in_two_batches(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: the same id twice in a batch is refused by HubSpot (H012)."""
    (made,) = portal.people(1)
    effects = [update(made, "r1", city="First"), update(made, "r2", city="Second")]

    assert [outcome.kind for outcome in hubspot.write("contacts", effects)] == ["sent", "sent"]
    assert portal.value(made, "city") == "Second"


def test_a_stage_set_back_is_seen_in_the_answer(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: accepted and ignored is visible at once (H087, section 14)."""
    (made,) = portal.people(1, lifecyclestage="customer")
    outcome = one(hubspot.write("contacts", [update(made, lifecyclestage="lead")]))

    assert outcome.kind == "sent"
    assert (outcome.attributes or {}).get("lifecyclestage", "customer") == "customer"
    assert portal.value(made, "lifecyclestage") == "customer"


def test_a_stage_goes_back_when_it_is_cleared_first(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: two requests, in order, for those that need it; the others go once (section 14)."""
    hubspot.describe("contacts")
    back, plain = portal.people(2, lifecyclestage="customer", email="")
    effects = [
        Effect("r1", "update", back, {"lifecyclestage": "lead"}, clear_first=("lifecyclestage",)),
        update(plain, "r2", city="New"),
    ]
    outcomes: list[Outcome] = []
    calls = portal.calls(lambda: outcomes.extend(hubspot.write("contacts", effects)))

    assert [(outcome.ref, outcome.kind) for outcome in outcomes] == [("r1", "sent"), ("r2", "sent")]
    assert portal.value(back, "lifecyclestage") == "lead"
    assert [name for _, name, _ in calls] == ["update", "update"]


def test_doubt_about_the_clearing_stops_the_setting(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: the second step is not taken before the first is known (D.4, 16)."""
    hubspot.describe("contacts")
    (made,) = portal.people(1, lifecyclestage="customer")
    portal.control.faults(kind="reset_after", path="/batch/update", times=1)
    effect = Effect("r1", "update", made, {"lifecyclestage": "lead"}, clear_first=("lifecyclestage",))
    outcomes: list[Outcome] = []
    calls = portal.calls(lambda: outcomes.extend(hubspot.write("contacts", [effect])))

    assert one(outcomes).kind == "doubtful"
    assert len(calls) == 1


def test_a_setting_that_fails_after_the_clearing_is_no_clean_refusal(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: where half was done and half could not leave, only a look can tell."""
    hubspot.describe("contacts")
    (made,) = portal.people(1, lifecyclestage="customer")
    portal.control.faults(kind="locked", path="/batch/update", nth=2, times=9)
    effect = Effect("r1", "update", made, {"lifecyclestage": "lead"}, clear_first=("lifecyclestage",))

    assert one(hubspot.write("contacts", [effect])).kind == "doubtful"
    assert portal.value(made, "lifecyclestage") is None


def test_archiving_is_answered_for_each(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: 204 without a body is an answer; a record that is gone already is no trouble (H019)."""
    made = portal.people(2)
    for archive_unknown, expected in ((204, {"sent"}), (207, {"gone"})):
        portal.control.switches(archive_unknown=archive_unknown)
        effects = [Effect("r1", "archive", made.pop(), {})]
        assert [outcome.kind for outcome in hubspot.write("contacts", effects)] == ["sent"]
        missing = [Effect("r2", "archive", "999999999", {})]
        assert {outcome.kind for outcome in hubspot.write("contacts", missing)} == expected


def test_owners_cannot_be_written(hubspot: HubSpot) -> None:
    """Rule: refused for each, without a call."""
    assert one(hubspot.write("owners", [update("1", email="x")])).kind == "refused"


def test_a_number_that_is_none_is_refused_and_the_rest_is_sent(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: what cannot be said in JSON stops one effect, not the batch."""
    first, second = portal.people(2)
    effects = [update(first, "r1", city=float("nan")), update(second, "r2", city="New")]

    assert {o.ref: o.kind for o in hubspot.write("contacts", effects)} == {"r1": "refused", "r2": "sent"}
