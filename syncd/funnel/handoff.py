"""The sums that must hold: everybody who ever qualified is in one state, and credit and causes are what was won.

Promise: qualified = delivered + waiting + blocked + rejected + out of scope, to the record; under every model what is
credited and what is not attributed make up what was won, to the cent. Both are checked in every cycle, over sums that are
kept apart, and a mismatch is an issue.
"""

from __future__ import annotations

from syncd.core.credit import MODELS
from syncd.core.standing import STATES
from syncd.funnel.gathering import Scope
from syncd.ledger.sums import EVER
from syncd.run import Run

ISSUE = "handoff_sum"
REVENUE = "revenue_sum"


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
    _tell(run, ISSUE, scope.people.name, said, "syncd handoff --json")


def check_revenue(run: Run, scope: Scope) -> None:
    """Holds what was won against what is credited and what has a cause, in each currency and under each model; and
    against the deals' own rows."""
    if scope.deals is None:
        return
    sums = run.ledger.loop.sums
    won, causes = sums.amounts("won", ""), sums.amounts("cause", "cause")
    wrong = []
    sold = sums.sold()
    if any(sold.get(currency, 0) != won.get(currency, 0) for currency in sold.keys() | won.keys()):
        wrong.append("the deals' own rows")
    for model in MODELS:
        credited = sums.amounts(f"credit:{model}", "pair")
        every = {*won, *causes, *credited}
        if any(credited.get(one, 0) + causes.get(one, 0) != won.get(one, 0) for one in every):
            wrong.append(f"the model {model}")
    if wrong:
        run.event("revenue_sum_failed", by=wrong)
    said = f"what was won is not what it is made of, by {', '.join(wrong)}" if wrong else ""
    _tell(run, REVENUE, scope.deals.name, said, "syncd report revenue --json")


def _tell(run: Run, kind: str, mapping: str, said: str, command: str) -> None:
    """An issue for what is wrong; where nothing is, the one that stands is closed, and else nothing is written."""
    inbox = run.ledger.inbox
    if said:
        remedy = f"Report it with the output of `{command}`; `syncd ledger verify` looks at the file."
        inbox.raise_issue(kind, mapping, said, remedy, run.now())
    elif inbox.issues(kind=kind, mapping=mapping, limit=1):
        inbox.close_issues(run.now(), kind=kind, mapping=mapping)
