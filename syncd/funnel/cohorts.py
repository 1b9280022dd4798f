"""The funnel: of the people who came in a period, how many got how far, how long it took, and cohort by cohort.

Promise: a number reads sums only. A person counts on the day they came, so that a cohort is complete: whoever came in
March and bought in May is a customer of March's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, get_args

from syncd.core.agreement import Period, PeriodKind
from syncd.funnel.figures import DIMENSIONS, Reader, reader_of, shown, within

if TYPE_CHECKING:
    from syncd.files import Files
    from syncd.ledger import Ledger

COHORTS: tuple[PeriodKind, ...] = get_args(PeriodKind)

Sums = Mapping[tuple[str, str], tuple[int, int]]


def funnel(ledger: Ledger, files: Files, now: float, **filters: str) -> dict[str, Any]:
    """Stages by people. Filters: since, until (days they came), by, cohort, and one of source, campaign, segment, owner."""
    reader = reader_of(ledger, files, now, filters)
    period = reader.period()
    by = filters.get("by") if filters.get("by") in DIMENSIONS else None
    cohort = next((kind for kind in COHORTS if kind == filters.get("cohort")), None)
    stages = reader.funnel.stages if reader.funnel else ()
    named = [stage.name for stage in stages]

    def rows(span: Period, by: str | None) -> list[dict[str, Any]]:
        reached, stays = reader.sums("reached", span, by), reader.sums("stay", span, by)
        names = sorted({name for _, name in reached}) or ([] if by else [""])
        return [_passed(reader, span, by, name, named, reached, stays) for name in names]

    spans = within(reader, period, cohort, "reached") if cohort else [period] if by else []
    return {
        "period": shown(period),
        "by": by,
        "cohort": cohort,
        "stages": [{"stage": one.name, "owner": one.owner, "means": one.means} for one in stages],
        "rows": [{"cohort": span.name if cohort else None, **row} for span in spans for row in rows(span, by)],
        "total": {"cohort": None, **rows(period, None)[0]},
    }


def _passed(
    reader: Reader,
    period: Period,
    by: str | None,
    name: str,
    stages: list[str],
    reached: Sums,
    stays: Sums,
) -> dict[str, Any]:
    """One line of the funnel."""
    counts = [reached.get((stage, name), (0, 0))[0] for stage in stages]
    where = {by: name} if by else {}
    known = reader.answerable
    means = [stays.get((stage, name), (0, 0)) for stage in stages]
    return {
        "name": name or None,
        "reached": [reader.figure(count, "people", period, reached=at, **where) for at, count in enumerate(counts)],
        "rates": [
            None if at == 0 or not counts[at - 1] or not known else count / counts[at - 1]
            for at, count in enumerate(counts)
        ],
        "days": [None if not n or not known else seconds / n / 86_400 for n, seconds in means],
    }
