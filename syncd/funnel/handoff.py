"""The hand-off ledger: everybody who ever met the definition of qualified, and the one state that they are in.

Promise: qualified = delivered + waiting + blocked + rejected + out of scope, to the record; the sum is checked whenever
something of it changed, over rows and sums that are counted apart, and a mismatch is an issue.
"""

from __future__ import annotations

from syncd.core.standing import STATES
from syncd.funnel.gathering import Scope
from syncd.ledger.sums import EVER
from syncd.run import Run

ISSUE = "handoff_sum"


def check_sum(run: Run, scope: Scope) -> None:
    """Holds three counts against each other that are kept apart: the sums by day, those by month, and what triggers
    tallied row by row. It costs the same few rows however many people there are. A mismatch is an issue."""
    sums = run.ledger.loop.sums
    tallied = {state: n for state, n in sums.tallied().items() if n}
    rows, said = sum(tallied.values()), ""
    for months in (True, False):
        counted = sum(n for n, _ in sums.of("qualified", 0, EVER, months=months).values())
        states: dict[str, int] = {}
        for (what, _), (n, _) in sums.of("state", 0, EVER, months=months).items():
            state = what.partition(":")[0]
            states[state] = states.get(state, 0) + n
        parts = sum(states.get(state, 0) for state in STATES)
        if not (rows == counted == parts and states == tallied):
            said = f"{rows} people met the definition, {counted} are counted, and the states add up to {parts}"
            run.event("handoff_sum_failed", rows=rows, counted=counted, parts=parts)
    with run.ledger.transaction():
        if not said:
            run.ledger.inbox.close_issues(run.now(), kind=ISSUE, mapping=scope.people.name)
            return
        remedy = "Report it with the output of `syncd handoff --json`; `syncd ledger verify` looks at the file."
        run.ledger.inbox.raise_issue(ISSUE, scope.people.name, said, remedy, run.now())
