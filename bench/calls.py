"""Calls at the vendors, part by part, beside the formula: N creates each way, N edits each way, and rest.

The formula is what the vendors' own limits make of N records: page and batch sizes of their documentation. A poll that
finds nothing is one call per object and side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from bench.alone import people_alone
from bench.figure import Figure
from bench.stage import Stage, Witness, qualified, staged
from connectors.hubspot.sandbox import populate as fill_portal
from connectors.salesforce.sandbox import populate as fill_org

MOST_RATIO = 1.1
Parts = Mapping[str, int]
"""Calls by part of the work."""


def measure(each_way: int, folder: Path) -> list[Figure]:
    with staged(folder, lag="20s") as stage:
        fill_portal(stage.marketing.app, qualified(1, each_way, "buyers"))
        fill_org(stage.crm.app, qualified(2, each_way, "callers"))
        judged = Judged()
        cycles = _creates(stage, each_way)
        judged.phase("creates each way", stage, _formula_of_creates(each_way, cycles))
        for side, formula in (("marketing", _formula_of_marketing_edits), ("crm", _formula_of_crm_edits)):
            _edit(stage, side, each_way)
            cycles, sent = stage.until_quiet()
            assert sent == each_way, f"{sent} writes for {each_way} edits"
            judged.phase(f"edits in {side}", stage, formula(each_way, cycles))
        stage.once()
        judged.phase("a cycle at rest", stage, ({"feed": 1}, {"feed": 2}))
    return [*judged.figures(), *_of_the_told(each_way, folder / "told")]


def _of_the_told(each_way: int, folder: Path) -> list[Figure]:
    """The same creates, and everybody's outcome, hand-off and follow-up clock told to both departments: calls in all."""
    with staged(folder, lag="20s", mappings=people_alone(folder / "mappings")) as stage:
        fill_portal(stage.marketing.app, qualified(1, each_way, "buyers"))
        fill_org(stage.crm.app, qualified(2, each_way, "callers"))
        cycles, sent = stage.until_quiet()
        note = f"{sent:,} writes in {cycles} cycles"
        return [
            Figure("calls", f"creates each way, all told: {name}", sum(vendor.take().values()), "calls", note=note)
            for name, vendor in (("HubSpot", stage.marketing), ("Salesforce", stage.crm))
        ]


class Judged:
    """Counts beside formulas, phase by phase, and their sums."""

    def __init__(self, part: str = "calls") -> None:
        self._part = part
        self._figures: list[Figure] = []
        self._counted = self._formula = 0

    def phase(self, name: str, stage: Stage, formulas: tuple[Parts, Parts]) -> None:
        """Takes what both vendors counted since the last phase."""
        for label, vendor, formula in (
            ("HubSpot", stage.marketing, formulas[0]),
            ("Salesforce", stage.crm, formulas[1]),
        ):
            told, counted = dict(vendor.told), vendor.take()
            self._sum(f"{name}: {label}", counted, formula, told)

    def _sum(self, name: str, counted: Counter[str], formula: Parts, told: Mapping[str, int]) -> None:
        parts = [
            part
            for part in ("identity", "feed", "look", "find", "write", "confirm")
            if counted[part] or formula.get(part)
        ]
        note = ", ".join(f"{part} {counted[part]:,}/{formula.get(part, 0):,}" for part in parts)
        total, expected = sum(counted.values()), sum(formula.values())
        self._counted += total
        self._formula += expected
        self._figures.append(Figure(self._part, name, total, "calls", note=f"formula {expected:,}: {note}"))

    def figures(self) -> list[Figure]:
        note = f"{self._counted:,} counted, {self._formula:,} by the formula"
        ratio = Figure(self._part, "counted, of the formula", self._counted / self._formula, most=MOST_RATIO, note=note)
        return [ratio, *self._figures]


# ---------------------------------------------------------------- what happens


def _creates(stage: Stage, each_way: int) -> int:
    cycles, sent = stage.until_quiet()
    assert sent >= 2 * each_way, f"{sent} creates"
    assert len(stage.live("contacts")) == len(stage.live("Lead")) == 2 * each_way
    return cycles


def _edit(stage: Stage, side: str, count: int) -> None:
    """A person edits the job title of so many records of one side, a hundredth of a second apart."""
    vendor: Witness = stage.marketing if side == "marketing" else stage.crm
    object_, field = ("contacts", "jobtitle") if side == "marketing" else ("Lead", "Title")
    for number, key in enumerate(list(stage.live(object_))[:count]):
        stage.clock.advance(10)
        vendor.act({"do": "edit", "object": object_, "key": key, "values": {field: f"Head of {side} {number}"}})
    stage.clock.advance(1000)


# ---------------------------------------------------------------- the formula


def _calls(records: int, batch: int) -> int:
    return -(-records // batch)


def _formula_of_creates(n: int, cycles: int) -> tuple[Parts, Parts]:
    """First reading, N creates each way, and the created ones seen again in the next feed, which confirms them. HubSpot
    gives each contact that an API makes an analytics source: N updates that the mapping carries to Salesforce."""
    rest = cycles - 3
    marketing = {
        "identity": 4,  # the account, its properties, its owners: active and archived
        "feed": 1 + _calls(n, 100) + _calls(n, 200) + _calls(n, 100) + 1 + rest,
        "find": 2 * _calls(n, 100),  # by key, by e-mail
        "write": _calls(n, 100),
    }
    crm = {
        "identity": 5,  # login, organisation, users, the two objects
        # leads and contacts; each is asked for its newest stamp before the first reading
        "feed": (1 + _calls(n, 2000) + 2) + (_calls(n, 2000) + 1) + (_calls(n, 2000) + 1) + 2 * rest,
        "find": 4 * _calls(n, 1000),  # by key and by e-mail, as lead and as contact
        "write": _calls(n, 200) + _calls(n, 25),
    }
    return marketing, crm


def _formula_of_marketing_edits(n: int, cycles: int) -> tuple[Parts, Parts]:
    """N edits in HubSpot, written to Salesforce under a condition, seen again in the next feed."""
    marketing = {"feed": _calls(n, 200) + _calls(n, 100) + cycles - 1}
    crm = {"write": _calls(n, 25), "feed": _calls(n, 2000) + 2 * cycles - 1}
    return marketing, crm


def _formula_of_crm_edits(n: int, cycles: int) -> tuple[Parts, Parts]:
    """N edits in Salesforce. HubSpot has no condition, so each record is looked at before it is written, and its history
    after: only that shows an edit of somebody else that our write covered. Its feed shows ids and stamps again."""
    marketing = {
        "look": _calls(n, 100),
        "write": _calls(n, 100),
        "confirm": _calls(n, 50),
        "feed": _calls(n, 200) + cycles - 1,
    }
    return marketing, {"feed": _calls(n, 2000) + 2 * cycles - 1}
