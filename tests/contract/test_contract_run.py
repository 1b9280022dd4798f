"""The suite as `syncd check --contract` runs it: what it touches, what it skips, what it shows."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from memory_bench import LEAD, MemoryBench, world

from connectors.memory import MemoryConnector, Store
from syncd.connector import Attribute, ObjectTraits, Schema
from syncd.contract import RULES, Bench, OwnHands, Subject, Verdict, run
from syncd.contract.rule import judge, rule
from syncd.contract.trial import Trial, meaning
from syncd.errors import AccessError, Fault


def peopled() -> Store:
    """A store in which five people's records stand."""
    store = world()
    for count in range(5):
        store.create("Lead", {"LastName": f"Person {count}", "Email": f"person.{count}@example.com"})
    return store


def test_a_read_only_run_changes_nothing() -> None:
    """Rule: on an account that is not declared a test account, not one record is made or touched."""
    store = peopled()
    before = {key: (item.stamp_ms, dict(item.values)) for key, item in store.items["Lead"].items()}

    verdicts = list(run(MemoryConnector(store), MemoryBench(store), read_only=True, subjects=[LEAD]))

    assert {verdict.kind for verdict in verdicts} == {"kept", "skipped"}
    assert all(verdict.rule.read_only for verdict in verdicts)
    assert before == {key: (item.stamp_ms, dict(item.values)) for key, item in store.items["Lead"].items()}
    assert not any(call.method == "write" for call in store.calls)


def test_a_read_only_run_needs_no_bench_and_no_subject() -> None:
    """Rule: a live account can be checked with nothing but its connector."""
    store = peopled()

    verdicts = [each for each in run(MemoryConnector(store), Bench(), read_only=True) if each.object == "Lead"]

    assert Counter(verdict.kind for verdict in verdicts)["kept"] >= 10
    assert not [str(verdict) for verdict in verdicts if verdict.kind not in ("kept", "skipped")]


def test_an_empty_object_is_skipped_and_not_praised() -> None:
    """Rule: a rule that saw no record says so."""
    verdicts = list(run(MemoryConnector(world()), Bench(), read_only=True, subjects=[LEAD]))

    assert any(verdict.why == "there is no live record to look at" for verdict in verdicts)


def test_a_test_account_is_tested_by_its_own_connector() -> None:
    """Rule: on a live test account the connector stands in for a person, and takes its records away again."""
    store = peopled()
    connector = MemoryConnector(store)
    subject = Subject.guess(connector.describe("Lead"), connector.traits.objects["Lead"])
    before = store.keys("Lead")
    # A history or a last writer cannot tell us from a person where we are the person.
    fitting = [each for each in RULES if each.name not in ("history-names-the-writer", "ours-is-never-said-of-others")]

    verdicts = list(run(connector, OwnHands(connector), read_only=False, subjects=[subject], rules=fitting))

    assert [str(verdict) for verdict in verdicts if verdict.kind not in ("kept", "skipped")] == []
    assert Counter(verdict.kind for verdict in verdicts)["kept"] > 40
    assert store.keys("Lead") == before


def test_rules_leave_nothing_behind() -> None:
    """Rule: whatever a rule makes, through the bench or the connector, is removed."""
    store = peopled()
    before = store.keys("Lead")

    list(run(MemoryConnector(store), MemoryBench(store), read_only=False, subjects=[LEAD]))

    assert store.keys("Lead") == before
    assert store.keys("Contact") == []


def test_what_is_missing_is_named() -> None:
    """Rule: a skipped rule says which trait, attribute or ability is missing."""
    bare = replace(LEAD, email=None)
    whys = {each.why for each in run(MemoryConnector(world(history=False)), Bench(), read_only=False, subjects=[bare])}

    assert "the object does not claim: history" in whys
    assert "the object does not have: an e-mail attribute" in whys
    assert "the bench cannot: create" in whys


def test_trouble_is_neither_kept_nor_broken() -> None:
    """Rule: an account that is out of reach says nothing about the connector."""
    store = peopled()
    store.fault("transient", times=None)

    verdicts = list(run(MemoryConnector(store), Bench(), read_only=True, subjects=[LEAD]))

    assert "untested" in {verdict.kind for verdict in verdicts}
    assert "broken" not in {verdict.kind for verdict in verdicts}


@pytest.mark.parametrize(
    ("raised", "kind", "why"),
    [
        (KeyError("jane@example.com"), "broken", "raised KeyError"),
        (Fault("it cannot be"), "broken", "raised Fault: it cannot be"),
        (AccessError("no permission"), "untested", "AccessError: no permission"),
        (RuntimeError("jane@example.com"), "broken", "raised RuntimeError"),
    ],
)
def test_a_crash_is_told_without_its_values(raised: Exception, kind: str, why: str) -> None:
    """Rule: a verdict never shows a person's value, not even that of a crash."""

    @rule()
    def a_rule_that_crashes(trial: Trial) -> None:
        """It crashes."""
        raise raised

    store = world()
    verdict = judge(a_rule_that_crashes, Trial(MemoryConnector(store), MemoryBench(store), LEAD, str))

    assert (verdict.kind, verdict.why.startswith(why)) == (kind, True)
    assert "jane" not in str(verdict)


def test_a_verdict_reads_as_a_line() -> None:
    """Rule: verdicts are printed as they are."""
    verdict = Verdict(RULES[0], "Lead", "broken", "it is not")

    assert str(verdict) == "Lead: identify-is-stable: broken: it is not"


def test_a_subject_is_picked_from_a_description() -> None:
    """Rule: only plain, free texts are played with; what a create needs is given."""
    schema = Schema(
        "Lead",
        {
            each.name: each
            for each in (
                Attribute("Email", "text"),
                Attribute("Id", "text", creatable=False, updatable=False),
                Attribute("Key", "text", unique=True),
                Attribute("City", "text", length=40),
                Attribute("Short", "text", length=10),
                Attribute("Company", "text", length=255),
                Attribute("Status", "choice", required=True, options=("Open", "Closed")),
            )
        },
    )
    traits = ObjectTraits(feed="since", deletions="feed", key="Key")

    subject = Subject.guess(schema, traits)

    assert (subject.text, subject.second, subject.email) == ("City", "Company", "Email")
    assert Subject.guess(schema, traits, prefer=["Company"]).text == "Company"
    assert subject.base == {"Status": "Open"}


def test_an_object_without_plain_texts_has_no_subject() -> None:
    """Rule: the suite says what it cannot test instead of writing anywhere."""
    with pytest.raises(ValueError, match="Task has no two plain text attributes"):
        Subject.guess(Schema("Task", {}), ObjectTraits(feed="since", deletions="feed"))


@pytest.mark.parametrize(
    ("type_", "one", "two"),
    [
        ("number", 12, "12.00"),
        ("bool", True, "true"),
        ("choices", ["a", "b"], "b;a"),
        ("date", "2026-11-21", "2026-11-21T00:00:00Z"),
        ("datetime", "2026-11-21T10:00:00Z", 1_795_255_200_000),
        ("datetime", "2026-11-21T10:00:00.000+0000", "2026-11-21T11:00:00+01:00"),
        ("text", "a", "a"),
        ("text", None, None),
    ],
)
def test_values_are_compared_by_what_they_mean(type_: str, one: object, two: object) -> None:
    """Rule: how a value is spelt on the wire is the vendor's matter."""
    attribute = Attribute("A", type_)  # type: ignore[arg-type]

    assert meaning(attribute, one) == meaning(attribute, two)


@pytest.mark.parametrize(("type_", "value"), [("number", "many"), ("bool", "perhaps"), ("date", "soon"), ("text", 5)])
def test_a_value_of_another_type_is_told(type_: str, value: object) -> None:
    """Rule: a described type is a promise about the values."""
    with pytest.raises(ValueError, match=f"A is described as {type_}"):
        meaning(Attribute("A", type_), value)  # type: ignore[arg-type]
