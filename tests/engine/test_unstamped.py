"""What no feed tells, over two systems in memory: associations change without a stamp, and are read again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kin import Kin, family, make_kin

from connectors.memory import MemoryConnector
from syncd.connector import Record


@pytest.fixture
def kin(tmp_path: Path) -> Kin:
    return make_kin(tmp_path)


def test_a_change_of_associations_alone_is_noticed_at_its_interval(kin: Kin) -> None:
    """It moves no stamp, so no feed tells it: it is read again, and nothing but it, when the interval is over."""
    _, person, _ = family(kin)
    second = kin.mk.create("companies", {"name": "Difference Engines"}, by="ann")
    kin.settle()
    contact = kin.across("people", "contacts", person)
    before = kin.sf.values("Contact", contact)["AccountId"]
    kin.mk.edit("contacts", person, {"associations.companies": second}, by="ann")
    kin.mk.calls.clear()
    kin.settle()
    assert kin.sf.values("Contact", contact)["AccountId"] == before
    assert [call.method for call in kin.mk.calls if call.method == "fetch"] == []

    kin.pass_time(3600)
    kin.settle()
    assert kin.sf.values("Contact", contact)["AccountId"] == kin.across("companies", "companies", second)
    told = [facts["object"] for name, facts in kin.events if name == "reread"]
    assert sorted(set(told)) == ["contacts", "deals"]


def test_reading_references_again_leaves_everything_else_as_it_was(kin: Kin) -> None:
    """Only what was read moves; the stamp, the other values and those that did not change stay."""
    _, person, _ = family(kin)
    second = kin.mk.create("companies", {"name": "Difference Engines"}, by="ann")
    kin.settle()
    number = kin.ledger.facts.object_id("mk", "contacts")
    fact = kin.ledger.facts.get(number, person)
    kin.mk.recalculate("contacts", person, "name", "nobody told us")
    kin.pass_time(3600)
    kin.settle()
    assert kin.ledger.facts.get(number, person) == fact

    kin.mk.edit("contacts", person, {"associations.companies": second}, by="ann")
    kin.pass_time(3600)
    kin.settle()
    after = kin.ledger.facts.get(number, person)
    assert fact is not None
    assert after is not None
    assert (after.stamp_ms, after.attributes) == (fact.stamp_ms, {**fact.attributes, "associations.companies": second})


def test_a_record_that_is_gone_has_not_lost_its_company(kin: Kin) -> None:
    """Read alone, the references of an archived record look empty: it is looked at whole before that is believed."""
    _, _, deal = family(kin)
    kin.settle()
    opportunity = kin.across("deals", "deals", deal)
    employer = kin.sf.values("Opportunity", opportunity)["AccountId"]
    kin.mk.delete("deals", deal, by="ann")
    whole = MemoryConnector.fetch

    def fetch(self: Any, object: str, names: Any, keys: Any, *, history: bool = False) -> Iterator[Record]:
        if object == "deals" and all(name.startswith("associations.") for name in names):
            return iter([Record(key, 0, dict.fromkeys(names)) for key in keys])
        return whole(self, object, names, keys, history=history)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MemoryConnector, "fetch", fetch)
        kin.pass_time(3600)
        kin.settle()

    assert employer is not None
    assert kin.sf.values("Opportunity", opportunity)["AccountId"] == employer


def test_the_calls_of_sweeps_are_counted_apart(kin: Kin) -> None:
    """`syncd status` shows what the day's sweeps cost, within what the day cost."""

    class Calls:
        calls = 7

    system = kin.run().systems["mk"]
    system.https.append(Calls)
    with system.sweeping():
        Calls.calls += 3
    assert (system.calls(), system.swept) == (10, 3)

    books = kin.ledger.books
    books.add_calls("mk", "2026-11-22", "all", 7)
    books.add_calls("mk", "2026-11-22", "sweep", 3)
    assert (books.calls("mk", "2026-11-22"), books.calls("mk", "2026-11-22", "sweep")) == (10, 3)
