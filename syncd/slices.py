"""Work that takes long, done in slices: backfills and comparisons. A command does them in one go; the daemon lets its
cycles in between.

Promise: it can be stopped after every slice and begun again by the same words; what it has done is kept, or is done
again without harm. It does not know who calls it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from syncd.answer import Answer, Deed, Facts, Watch
from syncd.cycle import prepare, read
from syncd.errors import EXIT_PERSON, EXIT_TRANSIENT
from syncd.run import Bench, Run
from syncd.session import Session


class Sliced(Protocol):
    """One piece of long work. `reached`: how far it is, for whoever watches."""

    names: list[str]
    """The mappings it is about."""
    reached: Facts

    def begin(self, run: Run) -> None:
        """Makes it ready under a run. Raises what keeps it from beginning."""

    def step(self) -> bool:
        """One slice. False: finished, or stopped."""

    def answer(self) -> Answer:
        """What became of it, once it is over."""


Maker = Callable[[Session, Facts, Callable[[], bool]], Sliced]


def in_one_go(kind: str) -> Deed:
    """The deed that does a kind of long work from beginning to end."""

    def deed(session: Session, doc: Facts, watch: Watch) -> Answer:
        work = SLICED[kind](session, doc, watch.stop)
        with session.run(kind, work.names, stop=watch.stop) as run:
            work.begin(run)
            while work.step():
                watch.tell(work.reached)
            watch.tell(work.reached)
        return work.answer()

    return deed


def read_first(session: Session, run: Run, names: Sequence[str]) -> list[Bench]:
    """The mappings laid out, their feeds read. Raises what a system in trouble raised: what follows must be current."""
    benches = prepare(run, session.files.mappings, names)
    read(run, benches)
    for bench in benches:
        for system in bench.systems.values():
            if system.failure is not None:
                raise system.failure
    return benches


# ---------------------------------------------------------------- backfill


@dataclass
class Backfilling:
    """A backfill. doc: mapping, side, since, where, field, dry_run."""

    session: Session
    doc: Facts
    stop: Callable[[], bool]
    reached: Facts = field(default_factory=dict)
    names: list[str] = field(init=False)
    _run: Run | None = None
    _polled: int = 0
    """Records that the feeds brought first: they are not the chosen ones."""
    _steps: Iterator[Any] = field(default_factory=lambda: iter(()))

    def __post_init__(self) -> None:
        self.names = [self.session.files.mapping(str(self.doc["mapping"])).name]

    def begin(self, run: Run) -> None:
        """Finds the unfinished backfill of the same choice, or starts one."""
        from syncd import backfill

        chosen = {name: self.doc.get(name) for name in ("side", "since", "where", "field")}
        choice = msgspec.convert({**chosen, "dry_run": bool(self.doc.get("dry_run"))}, backfill.Choice)
        (bench,) = read_first(self.session, run, self.names)
        self._run = run
        self._polled = sum(run.tally(self.names[0]).read.values())
        self._steps = backfill.steps(run, bench, backfill.start(run, bench.mapping, choice))

    def step(self) -> bool:
        """One slice."""
        progress = next(self._steps, None)
        if progress is None:
            return False
        tally = self._run.tally(self.names[0]) if self._run else None
        self.reached = {
            "phase": progress.phase,
            "done": progress.done,
            "total": progress.total,
            "sent": progress.sent,
            "held": progress.held,
            "finished": progress.finished,
            "chosen": sum(tally.read.values()) - self._polled if tally else 0,
        }
        return not progress.finished

    def answer(self) -> Answer:
        """Exit 1 where it was stopped, 3 where what it would write is held."""
        facts = {"mapping": self.names[0], **self.reached}
        if not self.reached.get("finished"):
            return Answer(facts, EXIT_TRANSIENT, "Stopped; the same command goes on where it was.")
        if self.reached.get("held"):
            said = f"Its effects are held: look at them with `syncd plan {self.names[0]}`."
            return Answer(facts, EXIT_PERSON, said)
        return Answer(facts)


# ---------------------------------------------------------------- parity


@dataclass
class Comparing:
    """A comparison of both sides. doc: mapping (None: all), sample (None: every link)."""

    session: Session
    doc: Facts
    stop: Callable[[], bool]
    reached: Facts = field(default_factory=dict)
    names: list[str] = field(init=False)
    _figures: dict[str, Any] = field(default_factory=dict)
    _steps: Iterator[Facts] = field(default_factory=lambda: iter(()))
    _finished: bool = False

    def __post_init__(self) -> None:
        files, mapping = self.session.files, self.doc.get("mapping")
        self.names = list(files.mappings.by_name) if mapping is None else [files.mapping(str(mapping)).name]

    def begin(self, run: Run) -> None:
        """Reads the feeds, so that what they told since is not taken for drift."""
        self._steps = self._each(run, read_first(self.session, run, self.names))

    def _each(self, run: Run, benches: Sequence[Bench]) -> Iterator[Facts]:
        from syncd import parity

        sample = self.doc.get("sample")
        for bench in benches:
            for figure in parity.steps(run, bench, sample):
                total = figure.links if sample is None else min(sample, figure.links)
                yield {"phase": bench.mapping.name, "done": figure.compared, "total": total, "sent": 0}
                if self.stop():
                    return
            self._figures[bench.mapping.name] = figure.as_json()
        self._finished = True

    def step(self) -> bool:
        """One slice."""
        reached = next(self._steps, None)
        if reached is None:
            return False
        self.reached = reached
        return True

    def answer(self) -> Answer:
        """Exit 3 where something drifts, 1 where it was stopped."""
        drift = sum(figure["drift"] for figure in self._figures.values())
        facts = {"finished": self._finished, "drift": drift, "mappings": self._figures}
        if not self._finished:
            return Answer(facts, EXIT_TRANSIENT, "Stopped before it was through: there is no figure.")
        return Answer(facts, EXIT_PERSON if drift else 0)


SLICED: Mapping[str, Maker] = {"backfill": Backfilling, "parity": Comparing}
"""By the kind of request."""
