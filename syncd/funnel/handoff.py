"""The hand-off ledger: everybody who ever met the definition of qualified, and the one state that they are in.

Promise: qualified = delivered + waiting + blocked + rejected + out of scope, to the record; the sum is checked whenever
something of it changed, over rows and sums that are counted apart, and a mismatch is an issue.
"""

from __future__ import annotations

from syncd.core.standing import STATES
from syncd.funnel.gathering import Scope
from syncd.run import Run

ISSUE = "handoff_sum"
EVER = 1 << 40
"""A day after all days."""


def check_sum(run: Run, scope: Scope) -> None:
    """Counts the hand-offs twice; a mismatch is an issue."""
    loop = run.ledger.loop
    rows = loop.qualified()
    counted = sum(n for n, _ in loop.sums("qualified", 0, EVER).values())
    states = {what.partition(":")[0]: 0 for what, _ in loop.sums("state", 0, EVER)}
    for (what, _), (n, _) in loop.sums("state", 0, EVER).items():
        states[what.partition(":")[0]] += n
    parts = sum(states.get(state, 0) for state in STATES)
    erased = any(run.ledger.erasure.keys(object_) for object_ in scope.objects(scope.people, "marketing"))
    forgotten = max(0, counted - rows) if erased else 0
    with run.ledger.transaction():
        if rows + forgotten == counted == parts == sum(states.values()):
            run.ledger.inbox.close_issues(run.now(), kind=ISSUE, mapping=scope.people.name)
            return
        said = f"{rows} people met the definition, {counted} are counted, and the states add up to {parts}"
        remedy = "Report it with the output of `syncd handoff --json`; `syncd ledger verify` looks at the file."
        run.ledger.inbox.raise_issue(ISSUE, scope.people.name, said, remedy, run.now())
        run.event("handoff_sum_failed", rows=rows, counted=counted, parts=parts)
