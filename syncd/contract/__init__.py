"""The rules that every connector must keep, executable.

A connector is trusted by the engine to the letter: a feed that skips one record loses a person's edit for good, and a
write that is repeated makes a person twice. So the interface in `syncd.connector` comes with this suite. It is run by
the tests on every connector against its sandbox, and by `syncd check --contract` on a live account: read-only rules
only, unless the account is declared a test account; then the other rules make and remove records of their own.

    for verdict in run(connector, Bench(), read_only=True):
        print(verdict)

What a rule needs (a trait, an attribute, an ability of the bench) is part of it; where it is missing, the rule is
skipped and the verdict says why. Every rule has a saboteur in the tests: a broken connector that it catches.

It repairs nothing and logs nothing, and a verdict never shows a person's value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count

from syncd.connector import Connector
from syncd.contract import account, changing, once, reading, referring, writing
from syncd.contract.bench import Bench, OwnHands, Pointer, Subject
from syncd.contract.rule import Rule, Verdict, judge
from syncd.contract.trial import Broken, Trial

RULES: tuple[Rule, ...] = (
    *account.RULES,
    *reading.RULES,
    *changing.RULES,
    *writing.RULES,
    *referring.RULES,
    *once.RULES,
)
"""Every rule, in the order in which they are run."""


def run(
    connector: Connector,
    bench: Bench,
    *,
    read_only: bool,
    subjects: Sequence[Subject] = (),
    token: str = "contract",
    rules: Sequence[Rule] = RULES,
) -> Iterator[Verdict]:
    """Judges the connector by each rule on each subject, one after the other, as the verdicts are taken.

    `read_only`: only rules that change nothing. `subjects`: what to test on; none given = one for each object that
    the connector claims, picked from its description. `token`: letters and digits that no earlier run on this
    account used; values that must be new are made from it. Raises what `describe` raises when subjects are picked.
    """
    numbers = count(1)
    may_make = bench.can("create") and not read_only
    for subject in subjects or _picked(connector):
        for rule in rules:
            if rule.read_only or not read_only:
                trial = Trial(connector, bench, subject, lambda: f"{token}{next(numbers):04d}", may_make)
                yield judge(rule, trial)


def _picked(connector: Connector) -> list[Subject]:
    return [Subject.guess(connector.describe(name), traits) for name, traits in connector.traits.objects.items()]


__all__ = ["RULES", "Bench", "Broken", "OwnHands", "Pointer", "Rule", "Subject", "Trial", "Verdict", "run"]
