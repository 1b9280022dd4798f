"""The demo, start to end: a company in two systems, a first plan, the release, people at work, and quiet again.

Promise: it ends by itself, says what was done and what it cost, and says "converged" only if the judge found nothing.
"""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from syncd.cycle import cycle, plan_only
from syncd.demo import judge
from syncd.demo.company import Cast, populate
from syncd.demo.stage import VENDORS, Stage
from syncd.demo.story import Story
from syncd.demo.totals import totals
from syncd.demo.trade import Trade
from syncd.files import Files, read_files
from syncd.holding import release
from syncd.run import Run
from syncd.session import Session
from syncd.view import plan as planview
from syncd.view.records import conflicts, issues

MOST_CYCLES = 40
"""A company that is not quiet after so many cycles never will be."""
PAUSE_S = 0.35
"""Between two cycles: more than the vendors' lag, less than anybody's patience."""
SWEPT_S = 2.5
"""Longer than the sweeps' interval (`stage.SWEEP`): what no feed tells has been looked for by then."""
QUIET_CYCLES = 2
"""So many cycles in a row without a write, and nothing waiting: quiet."""


@dataclass
class Totals:
    """What all cycles did together."""

    cycles: int = 0
    writes: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)
    """By mapping and side: how many of each operation."""
    outcomes: Counter[str] = field(default_factory=Counter)
    held: int = 0

    def add(self, run: Run) -> int:
        """Takes a run's tallies; returns how many writes it made."""
        self.cycles += 1
        made = 0
        for name, tally in run.tallies.items():
            of_mapping = self.writes.setdefault(name, {"marketing": Counter(), "crm": Counter()})
            for side, counts in tally.writes.items():
                of_mapping[side].update(counts)
                made += sum(counts.values())
            self.outcomes.update(tally.outcomes)
            self.held += tally.held
        return made

    def side(self, side: str) -> Counter[str]:
        """What was written on that side, of all objects."""
        return sum((counts[side] for counts in self.writes.values()), Counter())


@dataclass
class Scene:
    """A stage, a session on it, and what happened so far. `say` gets a line for people."""

    stage: Stage
    session: Session
    cast: Cast
    say: Callable[[str], None]
    totals: Totals = field(default_factory=Totals)
    pause_s: float = PAUSE_S

    @property
    def names(self) -> list[str]:
        """The mappings and watches."""
        return self.session.files.named(None)

    @property
    def pairing(self) -> list[str]:
        """The mappings alone: those that pair records and write."""
        return [name for name in self.names if name in self.session.files.mappings.by_name]

    def first_plan(self) -> dict[str, int]:
        """Polls and plans; returns what would be written, by operation and side."""
        with self.session.run("plan", self.names) as run:
            plan_only(run, self.session.files.mappings, self.names)
        counts: Counter[str] = Counter()
        for effect in planview.effects(self.session.ledger, self.pairing):
            counts[f"{effect['op']} on {effect['side']}"] += 1
        return dict(counts)

    def release(self) -> int:
        """A person looked at the first plan and lets it go."""
        with self.session.run("approve", []) as run:
            return sum(release(run, name) for name in self.pairing)

    def cycle(self) -> int:
        """One cycle; returns how many writes it made."""
        with self.session.run("demo", self.names) as run:
            cycle(run, self.session.files.mappings, self.names)
        return self.totals.add(run)

    def until_quiet(self) -> bool:
        """Cycles until nothing is written any more and nothing waits, sweeps included; False if that never comes."""
        quiet, began_s = 0, time.monotonic()
        for _ in range(MOST_CYCLES):
            made = self.cycle()
            waiting = self.session.ledger.intents.total((*planview.STATES, "sent", "answered"))
            if made:
                self.say(f"  cycle {self.totals.cycles}: {made} writes")
            quiet = 0 if made or waiting else quiet + 1
            if quiet >= QUIET_CYCLES and time.monotonic() - began_s > SWEPT_S:
                return True
            self.session.clock.sleep(self.pause_s)
        return False

    def result(self, seconds: float, quiet: bool) -> dict[str, Any]:
        """What `demo --once --json` prints. `quiet`: nothing was left to write."""
        ledger = self.session.ledger
        found = judge.differences(self.cast)
        held = sum(ledger.intents.held(name) is not None for name in self.pairing)
        report = totals(ledger, self.session.files)
        return {
            "converged": quiet and not found and not held,
            "differences": [str(one) for one in found],
            "people": {
                "marketing": len(self.cast.contacts()),
                "crm": {object_: len(self.cast.rows(object_)) for object_ in ("Lead", "Contact")},
            },
            "links": sum(ledger.links.count(name) for name in self.pairing),
            "writes": {side: dict(self.totals.side(side)) for side in ("marketing", "crm")},
            "events": {
                watch: ledger.events.told(watch).events for watch in sorted(set(self.names) - set(self.pairing))
            },
            "objects": {name: self.of_mapping(name) for name in self.pairing},
            "outcomes": dict(self.totals.outcomes),
            "calls": {name: system.calls() for name, system in self.session.systems.items()},
            "held": held,
            "issues": len(issues(ledger, 10_000)),
            "conflicts": len(conflicts(ledger, 10_000)),
            "handoff": report["handoff"],
            "report": report,
            "cycles": self.totals.cycles,
            "seconds": round(seconds, 1),
        }

    def of_mapping(self, name: str) -> dict[str, Any]:
        """What there is of a mapping's objects on each side, its links, and what was written."""
        mapping = self.session.files.mappings.by_name[name]
        live = {
            "marketing": {form: len(self.cast.hubs(form)) for form in mapping.marketing.forms},
            "crm": {form: len(self.cast.rows(form)) for form in mapping.crm.forms},
        }
        written = self.totals.writes.get(name, {})
        return {
            "live": live,
            "links": self.session.ledger.links.count(name),
            "writes": {side: dict(written.get(side, {})) for side in live},
        }


@contextmanager
def opened(
    count: int,
    seed: int,
    mappings: Path,
    say: Callable[[str], None],
    folder: Path | None = None,
    *,
    past: int = 0,
    beside: Callable[[Files], AbstractContextManager[object]] = lambda files: nullcontext(),
) -> Iterator[Scene]:
    """Sandboxes up and peopled, a folder with settings and the shipped mappings, and a session on it. `beside`: what
    goes on as long as it is open, from before anybody is there."""
    place = folder or Path(tempfile.mkdtemp(prefix="syncd-demo-"))
    try:
        with Stage.open(dict.fromkeys(VENDORS, 0), seed) as stage:
            stage.hurry()
            shutil.copytree(mappings, place / "mappings", dirs_exist_ok=True)
            files = read_files(stage.write_config(place, "demo"), {})
            with Session.hold(files, "demo") as session, beside(files):
                where = populate(stage, count, seed, past=past)
                _introduce(where, say)
                yield Scene(stage, session, Cast(stage), say)
    finally:
        if folder is None:
            shutil.rmtree(place, ignore_errors=True)


def _introduce(where: dict[str, int], say: Callable[[str], None]) -> None:
    """Who is there."""
    say(
        f"A company: {where['marketing']} people only in marketing, {where['sales']} only in sales,"
        f" {where['both']} in both, with differences."
    )
    if where["past"]:
        say(
            f"And a year behind it: {where['past']} more people, who asked for a guide and whom sales called, or did not."
        )


def begin(scene: Scene) -> None:
    """The first plan, its release, and cycles until both systems say the same."""
    counts = scene.first_plan()
    scene.say(
        "The first plan, which nobody has seen before, is held: " + ", ".join(f"{n} {op}" for op, n in counts.items())
    )
    scene.say(f"Somebody looks at it and releases {scene.release()} effects.")
    scene.until_quiet()


def play(scene: Scene, seed: int) -> dict[str, Any]:
    """The whole story; returns its result."""
    began_s = time.monotonic()
    begin(scene)
    scene.say("Quiet. Now people work:")
    trade = Trade(scene.cast, random.Random(seed + 1))
    for deed in (*Story(scene.cast, random.Random(seed)).chapters(), *trade.first()):
        scene.say(f"  {deed}")
    scene.until_quiet()
    scene.say("Quiet. And then:")
    for deed in trade.second():
        scene.say(f"  {deed}")
    quiet = scene.until_quiet()
    return scene.result(time.monotonic() - began_s, quiet)
