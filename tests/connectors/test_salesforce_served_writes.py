"""Writes to Salesforce against the Salesforce-style sandbox: a real server, real faults, a virtual clock."""

from __future__ import annotations

from typing import Any

import pytest
from salesforce_served import Org, make

from syncd.connector import Effect


def _change(key: str, expect_ms: int | None = None, **attributes: Any) -> Effect:
    return Effect(f"u-{key}", "update", key, attributes, expect_ms=expect_ms)


def test_a_create_carries_its_key_and_a_second_one_finds_the_first(org: Org) -> None:
    """Design 3: the unique key makes a create at-most-once; the refusal names the record that has it."""
    made, refused = org.write(make("a", Rating="Hot"), make("b", Status="Nonsense"))
    assert made.kind == "sent"
    assert made.key is not None
    assert org.raw(made.key)["Syncd_Key__c"] == "hubspot:1:a"
    assert org.raw(made.key)["OwnerId"] == org.connector.identify().writer, "no assignment rule took it"
    assert (refused.kind, refused.culprits) == ("refused", ("Status",))
    assert "Nonsense" not in refused.message
    (again,) = org.write(make("a"))
    assert (again.kind, again.code, again.existing) == ("refused", "DUPLICATE_VALUE", made.key)
    (found,) = org.connector.find("Lead", [], "Syncd_Key__c", ["hubspot:1:a"])
    assert found.record.key == made.key


def test_values_arrive_as_they_were_meant(org: Org) -> None:
    """Contract 14: numbers, truth, blanks, and text that looks like a reference."""
    values = {"Marketing_Score__c": 42, "HasOptedOutOfEmail": True, "Phone": None, "City": "@{e0.id} 'x' \\ é"}
    (made,) = org.write(make("a", **values))
    assert made.key is not None
    raw = org.raw(made.key)
    assert {name: raw[name] for name in values} == values
    stamp_ms = org.fetch(made.key)[made.key].stamp_ms
    org.advance(5)
    (outcome,) = org.write(_change(made.key, stamp_ms, City="@{e0.x}", HasOptedOutOfEmail=False))
    assert outcome.kind == "sent"
    assert (org.raw(made.key)["City"], org.raw(made.key)["HasOptedOutOfEmail"]) == ("@{e0.x}", False)


@pytest.mark.parametrize("honoured", [True, False])
def test_a_record_that_a_person_changed_meanwhile_is_not_overwritten(org: Org, honoured: bool) -> None:
    """H005: 412 where the org honours conditions in composite calls, a look where it does not."""
    org.server.control.switches(composite_preconditions=honoured)
    touched, calm = org.lead("Touched"), org.lead("Calm")
    before = org.fetch(touched, calm)
    org.advance(10)
    org.act("edit", object="Lead", key=touched, values={"City": "Ghent"})
    org.advance(10)
    outcomes = org.write(
        _change(touched, before[touched].stamp_ms, City="Oslo"), _change(calm, before[calm].stamp_ms, City="Oslo")
    )
    assert [outcome.kind for outcome in outcomes] == ["moved", "sent"]
    assert [org.raw(key)["City"] for key in (touched, calm)] == ["Ghent", "Oslo"]
    assert org.connector.traits.objects["Lead"].precondition is honoured


@pytest.mark.parametrize("compared", ["SystemModstamp", "LastModifiedDate"])
def test_a_condition_passes_on_an_untouched_record_whatever_it_compares(org: Org, compared: str) -> None:
    """Unverified what the vendor compares: both positions must let an honest write through."""
    org.server.control.switches(precondition_field=compared)
    key = org.lead("Calm")
    org.advance(10)
    org.act("touch", object="Lead", key=key)
    org.advance(10)
    stamp_ms = org.fetch(key)[key].stamp_ms
    assert org.write(_change(key, stamp_ms, City="Oslo"))[0].kind == "sent"


@pytest.mark.parametrize("conditional", [True, False])
def test_records_that_went_away_are_gone_with_the_reason(org: Org, conditional: bool) -> None:
    """H128, H129: deleted, purged, merged and converted, by composite and by collections."""
    keys = [org.lead(name) for name in ("Deleted", "Purged", "Merged", "Converted", "Winner", "Live")]
    stamps = {key: record.stamp_ms for key, record in org.fetch(*keys).items()}
    deleted, purged, merged, converted, winner, live = keys
    org.act("delete", object="Lead", keys=[deleted, purged])
    org.act("purge", object="Lead", key=purged)
    org.act("merge", object="Lead", key=winner, losers=[merged])
    org.act("convert", key=converted)
    org.advance(10)
    effects = [
        _change(key, stamps[key] + 60_000 if conditional else None, City="Oslo")
        for key in (deleted, purged, merged, converted, live)
    ]
    outcomes = org.write(*effects)
    assert [outcome.kind for outcome in outcomes] == ["gone"] * 4 + ["sent"]
    assert outcomes[0].code == "ENTITY_IS_DELETED"
    assert outcomes[3].code == "CANNOT_UPDATE_CONVERTED_LEAD"


@pytest.mark.parametrize("conditional", [True, False])
def test_locks_and_rules_hit_their_record_only(org: Org, conditional: bool) -> None:
    """H008: a lock passes, a rule does not; the others of the batch are done."""
    rule = {"object": "Lead", "error_when": "City = 'Nowhere'", "message": "No such place", "field": "City"}
    org.server.control.switches(validation_rules=[rule])
    keys = [org.lead(f"Lead{n}") for n in range(4)]
    stamps = {key: record.stamp_ms for key, record in org.fetch(*keys).items()}
    org.write(_change(keys[3], stamps[keys[3]], Phone="1"))  # the probe is over
    org.faults("lock_row", records=[1], times=1, path="composite")
    org.advance(10)
    cities = ["Oslo", "Nowhere", "Ghent"]
    effects = [
        _change(key, stamps[key] if conditional else None, City=city)
        for key, city in zip(keys[:3], cities, strict=True)
    ]
    locked, ruled, done = org.write(*effects)
    assert (locked.kind, locked.code, locked.again) == ("refused", "UNABLE_TO_LOCK_ROW", True)
    assert (ruled.kind, ruled.again, ruled.culprits) == ("refused", False, ("City",))
    assert done.kind == "sent"


@pytest.mark.parametrize("kind", ["reset_after", "truncate", "unknown_exception", "garbage"])
@pytest.mark.parametrize("op", ["create", "update", "guarded", "archive"])
def test_a_write_whose_answer_is_lost_is_doubtful_and_was_sent_once(org: Org, kind: str, op: str) -> None:
    """H001-H003, H015, H024: applied and not answered; nobody repeats it below the engine."""
    key = org.lead("There")
    stamp_ms = org.fetch(key)[key].stamp_ms
    org.write(_change(key, stamp_ms, Phone="1"))
    org.advance(10)
    stamp_ms = org.fetch(key)[key].stamp_ms
    effect = {
        "create": make("a"),
        "update": _change(key, City="Oslo"),
        "guarded": _change(key, stamp_ms, City="Oslo"),
        "archive": Effect("d", "archive", key, {}),
    }[op]
    method = {"create": "POST", "update": "PATCH", "guarded": "POST", "archive": "DELETE"}[op]
    org.faults(kind, method=method, path="/composite", times=5)
    before = len(org.calls("/composite"))
    (outcome,) = org.write(effect)
    assert outcome.kind == "doubtful"
    assert len(org.calls("/composite")) - before == 1


def test_a_create_in_doubt_is_found_by_its_key(org: Org) -> None:
    """D.3, P1: the key tells whether it arrived; sending it again is refused, never doubled."""
    org.faults("reset_after", method="POST", path="/composite/sobjects$", times=1)
    (outcome,) = org.write(make("a"))
    assert outcome.kind == "doubtful"
    (found,) = org.connector.find("Lead", [], "Syncd_Key__c", ["hubspot:1:a"])
    (again,) = org.write(make("a"))
    assert again.existing == found.record.key


def test_missing_results_are_doubtful_and_no_others(org: Org) -> None:
    """H011: a collections answer that is too short."""
    org.faults("missing_results", count=2, times=1, path="/composite/sobjects$")
    outcomes = org.write(*[make(f"n{n}") for n in range(5)])
    assert [outcome.kind for outcome in outcomes] == ["sent"] * 3 + ["doubtful"] * 2


def test_a_wrong_type_refuses_its_record_only(org: Org) -> None:
    """A value of the wrong JSON type fails the whole call on some orgs; it is sought and found."""
    outcomes = org.write(*[make(f"n{n}", Marketing_Score__c="many" if n == 3 else 1) for n in range(6)])
    assert [outcome.kind for outcome in outcomes] == ["sent"] * 3 + ["refused"] + ["sent"] * 2
    assert len(org.server.control.records("Lead")) == 5


@pytest.mark.parametrize("rule", ["alert", "block"])
def test_a_duplicate_rule_is_a_refusal(org: Org, rule: str) -> None:
    """H146: never forced through, whatever kind of rule it is."""
    key = org.lead("Ada", Email="ada@x.test")
    org.server.control.switches(duplicate_rule=rule)
    (outcome,) = org.write(make("a", Email="ada@x.test"))
    assert (outcome.kind, outcome.code, outcome.again) == ("refused", "DUPLICATES_DETECTED", False)
    assert outcome.existing in (None, key), "in collections the match may be missing"
    assert org.keys() == {key}


def test_archive_moves_into_the_bin_and_says_what_was_there(org: Org) -> None:
    """H019: already deleted is gone, which is what was wanted; changed meanwhile is moved."""
    first, second, third = org.lead("One"), org.lead("Two"), org.lead("Three")
    stamps = {key: record.stamp_ms for key, record in org.fetch(first, second, third).items()}
    org.advance(10)
    org.act("delete", object="Lead", key=second)
    org.act("edit", object="Lead", key=third, values={"City": "Ghent"})
    effects = [Effect(key, "archive", key, {}, expect_ms=stamps[key]) for key in (first, second, third)]
    assert [outcome.kind for outcome in org.write(*effects)] == ["sent", "gone", "moved"]
    assert org.raw(first)["IsDeleted"] is True
    assert org.raw(third)["IsDeleted"] is False
