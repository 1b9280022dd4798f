"""Events and references in the ledger: kept once, found from the other end, and cheap to count."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from syncd.connector import Record
from syncd.ledger import Ledger
from syncd.ledger.events import Row, once


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with_tables = Ledger.open(tmp_path / "ledger.db")
    yield with_tables
    with_tables.close()


def row(key: str, at_ms: int, *refs: tuple[str, str], slot: int = 0, **values: object) -> Row:
    return Row(key, slot, at_ms, refs, dict(values))


def test_an_event_is_kept_once_however_often_it_is_told(ledger: Ledger) -> None:
    """A batch that is repeated after a kill writes nothing, and counts nothing twice."""
    rows = [row("t1", 10, ("people", "p1")), row("t2", 20)]

    assert ledger.events.keep("tasks", "crm", 1, rows) == 2
    assert ledger.events.keep("tasks", "crm", 1, rows) == 0
    told = ledger.events.told("tasks")
    assert (told.events, told.first_ms, told.last_ms) == (2, 10, 20)


def test_an_event_that_moved_hangs_on_its_new_record_only(ledger: Ledger) -> None:
    """A task that is given to another person has not happened to the first one."""
    ledger.events.keep("tasks", "crm", 1, [row("t1", 10, ("people", "p1"), done=False)])
    ledger.events.keep("tasks", "crm", 1, [row("t1", 30, ("people", "p2"), done=True)])

    assert ledger.events.of_records("people", "crm", ["p1"]) == []
    (event,) = ledger.events.of_records("people", "crm", ["p2"])
    assert (event.at_ms, event.values, event.refs) == (30, {"done": True}, (("people", "p2"),))
    assert ledger.events.told("tasks").events == 1


def test_the_same_key_on_the_other_side_is_another_record(ledger: Ledger) -> None:
    """Keys of two systems may be the same text."""
    ledger.events.keep("touches", "marketing", 2, [row("101", 5, ("people", "101"))])

    assert ledger.events.of_records("people", "crm", ["101"]) == []
    assert len(ledger.events.of_records("people", "marketing", ["101"])) == 1


def test_what_a_merged_record_handed_on_is_told_once(ledger: Ledger) -> None:
    """The survivor repeats the history of who was merged into it; two calls in one second stay two, and so do two people."""
    forms = [row(key, 10, ("people", key), slot=10) for key in ("p1", "p2", "p3")]
    ledger.events.keep("forms", "crm", 1, [*forms, row("p1", 20, ("people", "p1"), slot=20)])
    ledger.events.keep("tasks", "crm", 2, [row(key, 10, ("people", "p1")) for key in ("t1", "t2")])
    whose = {"p1": {(1, "p1")}, "p2": {(1, "p1")}, "p3": {(1, "p3")}}

    events = ledger.events.of_records("people", "crm", sorted(whose))
    told = [(event.watch, event.at_ms, sorted(records)) for event, records in once(events, "people", whose)]

    first, other = [(1, "p1")], [(1, "p3")]
    assert told == [
        ("forms", 10, first), ("forms", 10, other), ("tasks", 10, first), ("tasks", 10, first), ("forms", 20, first)
    ]  # fmt: skip


def test_slots_keep_each_change_of_a_record_and_gone_drops_them(ledger: Ledger) -> None:
    """A record that changes leaves one event for each change; the newest one tells what was seen last."""
    for at_ms, stage in ((10, "open"), (20, "won")):
        ledger.events.keep("stage", "crm", 1, [row("d1", at_ms, ("deals", "d1"), slot=at_ms, stage=stage)])

    assert ledger.events.last_values("stage", 1, ["d1", "d2"]) == {"d1": {"stage": "won"}}
    assert [event.values["stage"] for event in ledger.events.of_records("deals", "crm", ["d1"])] == ["open", "won"]
    assert ledger.events.keep("stage", "crm", 1, [], gone=["d1"]) == 2
    assert ledger.events.told("stage").events == 0
    assert ledger.events.of_records("deals", "crm", ["d1"]) == []


def test_events_of_a_time_are_paged_without_a_gap(ledger: Ledger) -> None:
    """Several events of one moment stand on both sides of a page's end."""
    ledger.events.keep("tasks", "crm", 1, [row(f"t{n}", 10 + n // 3) for n in range(9)])

    seen, after = [], (-1, 0)
    while page := ledger.events.between("tasks", 10, 12, after, 2):
        seen += [event.key for event in page]
        after = (page[-1].at_ms, page[-1].id)

    assert sorted(seen) == [f"t{n}" for n in range(6)]


def test_a_watch_can_be_forgotten(ledger: Ledger) -> None:
    """Its events go, on all their records, and nobody else's."""
    ledger.events.keep("tasks", "crm", 1, [row("t1", 10, ("people", "p1"))])
    ledger.events.keep("calls", "crm", 1, [row("t1", 11, ("people", "p1"))])
    ledger.events.forget("tasks")

    assert [event.watch for event in ledger.events.of_records("people", "crm", ["p1"])] == ["calls"]
    assert (ledger.events.told("tasks").events, ledger.events.told("calls").events) == (0, 1)


def test_references_are_found_from_the_other_end(ledger: Ledger) -> None:
    """`keep` tells whom a change concerns: those who are pointed to now, and those who were until then."""
    assert ledger.refers.keep(1, "who", {"d1": ["p1", "p2"], "d2": ["p1"]}) == {"p1", "p2"}
    assert ledger.refers.keep(1, "who", {"d1": ["p3", "p2"]}) == {"p1", "p2", "p3"}

    assert ledger.refers.pointing_to(1, "who", ["p1", "p2", "p3", "p4"]) == {"p1": ["d2"], "p2": ["d1"], "p3": ["d1"]}
    assert ledger.refers.pointing_to(1, "what", ["p1"]) == {}
    assert ledger.refers.pointing_to(2, "who", ["p1"]) == {}


def test_what_a_record_swallowed_is_found_by_its_key(ledger: Ledger) -> None:
    """The history of a merged or converted record goes on under the one that it became."""
    lead, contact = ledger.facts.object_id("sf", "Lead"), ledger.facts.object_id("sf", "Contact")
    ledger.facts.keep(lead, [Record("L1", 5, {"Email": "a"}, "converted", ("Contact", "C1"))])

    assert ledger.facts.swallowed(contact, ["C1", "C2"]) == {"C1": [(lead, "L1")]}


def test_a_revision_that_stands_in_a_mark_is_never_given_out_again(tmp_path: Path) -> None:
    """Facts that are rolled back leave their revisions in the process's count, and a mark may be set there: after a
    restart, what is new must be above it, or nobody would ever decide on it."""
    ledger = Ledger.open(tmp_path / "ledger.db")
    object_ = ledger.facts.object_id("sf", "Lead")
    with suppress(KeyboardInterrupt), ledger.transaction():
        ledger.facts.keep(object_, [Record("L1", 5, {"Email": "a"})])
        raise KeyboardInterrupt
    ledger.books.set_decided("people", object_, ledger.facts.revision())
    ledger.close()

    ledger = Ledger.open(tmp_path / "ledger.db")
    ledger.facts.keep(object_, [Record("L1", 5, {"Email": "a"})])

    assert [fact.key for fact in ledger.facts.moved(object_, ledger.books.decided("people", object_), 10)] == ["L1"]
    ledger.close()
