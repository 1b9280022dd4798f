"""A rule, what it needs, and what became of it.

Its one promise: a rule is judged on every object that has what it needs, and skipped everywhere else with the name of
what is missing. It holds no rule itself.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from syncd.contract.trial import Broken, Lacking, Trial
from syncd.errors import PersonNeeded, SyncdError, Transient

TRAITS: Mapping[str, Callable[[Trial], bool]] = {
    "feed told deletions": lambda trial: trial.traits.deletions == "feed",
    "tombstones": lambda trial: trial.traits.deletions == "tombstone",
    "reconciled deletions": lambda trial: trial.traits.deletions == "reconcile",
    "a feed that is no sweep": lambda trial: trial.traits.feed != "sweep",
    "merges": lambda trial: trial.traits.merges,
    "a precondition": lambda trial: trial.traits.precondition,
    "no precondition": lambda trial: not trial.traits.precondition,
    "history": lambda trial: trial.traits.history,
    "answered values": lambda trial: trial.traits.answers_values,
    "a key attribute": lambda trial: trial.traits.key is not None,
    "a later form": lambda trial: bool(trial.traits.forms),
    "an attribute that no feed tells": lambda trial: any(
        pointer is not None and trial.traits.moves_no_stamp(pointer.attribute)
        for pointer in (trial.subject.reference, trial.subject.references)
    ),
}
"""What an object may claim, by the words in which a rule asks for it."""

FITS: Mapping[str, Callable[[Trial], bool]] = {
    "an e-mail attribute": lambda trial: trial.subject.email is not None,
    "a list of choices": lambda trial: trial.subject.choices is not None,
    "an attribute that sets another": lambda trial: trial.subject.along is not None,
    "a restricted attribute": lambda trial: trial.subject.restricted is not None,
    "an attribute that only moves forward": lambda trial: trial.subject.forward is not None,
    "a reference": lambda trial: trial.subject.reference is not None,
    "a list of references": lambda trial: trial.subject.references is not None,
    "a reference or a list of them": lambda trial: bool(trial.subject.reference or trial.subject.references),
    "sample values": lambda trial: bool(trial.subject.samples),
}
"""What a subject may offer. Every other need is an ability of the bench: the name of its method."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that every connector must keep, and how to find out."""

    name: str
    sentence: str
    check: Callable[[Trial], None]
    needs: tuple[str, ...]
    read_only: bool
    """It makes nothing and changes nothing: safe on any account."""

    def lacks(self, trial: Trial) -> str:
        """The first need that is not met, in words; empty if all are."""
        for need in self.needs:
            if need in TRAITS:
                if not TRAITS[need](trial):
                    return f"the object does not claim: {need}"
            elif need in FITS:
                if not FITS[need](trial):
                    return f"the object does not have: {need}"
            elif not trial.bench.can(need):
                return f"the bench cannot: {need}"
        return ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one rule on one object.

    kept       as it should be
    broken     `why` says how
    skipped    `why` says what is missing: a trait, an attribute, or an ability of the bench
    untested   the system was in trouble; `why` says which
    """

    rule: Rule
    object: str
    kind: Literal["kept", "broken", "skipped", "untested"]
    why: str = ""

    def __str__(self) -> str:
        return f"{self.object}: {self.rule.name}: {self.kind}" + (f": {self.why}" if self.why else "")


def rule(*needs: str, read_only: bool = False) -> Callable[[Callable[[Trial], None]], Rule]:
    """Makes a rule of a function: its name with dashes, its docstring as the sentence."""

    def make(check: Callable[[Trial], None]) -> Rule:
        sentence = " ".join((inspect.getdoc(check) or "").split())
        return Rule(check.__name__.replace("_", "-"), sentence, check, needs, read_only)

    return make


def judge(each: Rule, trial: Trial) -> Verdict:
    """Runs one rule on one object and cleans up after it."""
    try:
        missing = each.lacks(trial)
        if missing:
            return Verdict(each, trial.object, "skipped", missing)
        each.check(trial)
    except Lacking as lacking:
        return Verdict(each, trial.object, "skipped", str(lacking))
    except Broken as broken:
        return Verdict(each, trial.object, "broken", str(broken))
    except (Transient, PersonNeeded) as trouble:
        return Verdict(each, trial.object, "untested", f"{type(trouble).__name__}: {trouble.message}")
    except SyncdError as trouble:
        return Verdict(each, trial.object, "broken", f"raised {type(trouble).__name__}: {trouble.message}")
    except Exception as crash:  # a connector may crash in any way, and a value must not show
        return Verdict(each, trial.object, "broken", f"raised {type(crash).__name__} {_where(crash)}")
    finally:
        trial.clean()
    return Verdict(each, trial.object, "kept")


def _where(crash: Exception) -> str:
    """The innermost place, by name: a crash's own text may show a person's value."""
    trace, place = crash.__traceback__, ""
    while trace is not None:
        code = trace.tb_frame.f_code
        place = f"in {code.co_qualname} ({code.co_filename.rpartition('/')[2]}, line {trace.tb_lineno})"
        trace = trace.tb_next
    return place
