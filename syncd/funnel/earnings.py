"""What was won, who gets credit for it, and how far the goal is.

Promise: the shares of a model and what is not attributed add up to what was won, to the cent; each report says the
difference, which is nought. What cannot be known is None.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from syncd.core.agreement import Period
from syncd.core.credit import MODELS
from syncd.core.goals import Sofar, reckon
from syncd.core.sale import BETWEEN
from syncd.funnel.figures import Figure, Reader, elapsed, reader_of, shown, total

if TYPE_CHECKING:
    from syncd.files import Files
    from syncd.ledger import Ledger


def revenue(ledger: Ledger, files: Files, now: float, **filters: str) -> dict[str, Any]:
    """What was won, by who gets credit for it. Filters: since, until, model."""
    reader = reader_of(ledger, files, now, {name: filters[name] for name in ("since", "until") if name in filters})
    period = reader.period()
    model = _model(reader, filters)
    sold = reader.known and reader.funnel is not None and reader.funnel.sales is not None
    won = {what: pair for (what, _), pair in reader.sums("won", period, "").items()}
    credit, causes = reader.sums(f"credit:{model}", period, "pair"), reader.sums("cause", period, "cause")
    assists = reader.sums("credit:assist", period, "pair")
    spread: dict[str, int] = defaultdict(int)
    for (currency, _), (_, amount) in [*credit.items(), *causes.items()]:
        spread[currency] += amount
    pairs = sorted({*credit, *assists}, key=lambda key: (-credit.get(key, (0, 0))[1], key))
    return {
        "period": shown(period),
        "model": model,
        "models": list(MODELS),
        "won": [reader.money(amount, currency, period, state="won") for currency, (_, amount) in sorted(won.items())]
        if sold
        else [{"value": None, "currency": None, "records": None}],
        "deals": reader.figure(sum(n for n, _ in won.values()) if sold else None, "deals", period, state="won"),
        "rows": [
            {
                "source": name.partition(BETWEEN)[0] or None,
                "campaign": name.partition(BETWEEN)[2] or None,
                "amount": reader.money(credit.get((currency, name), (0, 0))[1], currency, period, state="won"),
                "touches": credit.get((currency, name), (0, 0))[0],
                "assists": assists.get((currency, name), (0, 0))[0],
            }
            for currency, name in pairs
        ],
        "unattributed": [
            {
                "cause": cause,
                "amount": reader.money(amount, currency, period, state="won", cause=cause),
                "deals": reader.figure(n, "deals", period, state="won", cause=cause, currency=currency),
            }
            for (currency, cause), (n, amount) in sorted(causes.items())
        ],
        "difference": [
            {"value": amount - spread[currency], "currency": currency} for currency, (_, amount) in sorted(won.items())
        ],
        "lost": [
            {
                "reason": reason or None,
                "deals": reader.figure(n, "deals", period, state="lost", reason=reason, currency=currency),
                "amount": reader.money(amount, currency, period, state="lost", reason=reason),
            }
            for (currency, reason), (n, amount) in sorted(reader.sums("lost", period, "reason").items())
        ],
    }


def _model(reader: Reader, filters: Mapping[str, str]) -> str:
    asked = filters.get("model")
    return asked if asked in MODELS else reader.funnel.credit.rule.model if reader.funnel else MODELS[0]


def campaigns(ledger: Ledger, files: Files, now: float, **filters: str) -> dict[str, Any]:
    """What each campaign brought. Filters: since, until, model."""
    reader = reader_of(ledger, files, now, {name: filters[name] for name in ("since", "until") if name in filters})
    period, model = reader.period(), _model(reader, filters)
    first = reader.funnel.stages[0].name if reader.funnel and reader.funnel.stages else ""
    counts = {name: reader.sums(name, period, "campaign") for name in ("reached", "qualified", "state", "calls")}
    won: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for (currency, pair), (_, amount) in reader.sums(f"credit:{model}", period, "pair").items():
        won[pair.partition(BETWEEN)[2]][currency] += amount
    assists: dict[str, int] = defaultdict(int)
    for (_, pair), (n, _) in reader.sums("credit:assist", period, "pair").items():
        assists[pair.partition(BETWEEN)[2]] += n
    names = sorted({name for of in counts.values() for _, name in of} | set(won) | set(assists))

    def row(name: str) -> dict[str, Any]:
        calls = {what: amount for (what, of), (_, amount) in counts["calls"].items() if of == name}
        people = {"campaign": name, "day": "qualified"}
        return {
            "campaign": name or None,
            "people": reader.figure(
                counts["reached"].get((first, name), (0, 0))[0], "people", period, reached=0, campaign=name
            ),
            "qualified": reader.figure(
                counts["qualified"].get(("", name), (0, 0))[0], "people", period, qualifies=1, **people
            ),
            "rejected": reader.figure(
                counts["state"].get(("rejected", name), (0, 0))[0], "people", period, state="rejected", **people
            ),
            "calls": reader.figure(sum(calls.values()), "people", period, qualifies=1, **people),
            "wasted_calls": reader.figure(calls.get("rejected", 0), "people", period, state="rejected", **people),
            "assists": {"value": assists.get(name, 0), "records": None},
            "won": [
                reader.money(amount, currency, period, state="won")
                for currency, amount in sorted(won.get(name, {}).items())
            ],
        }

    return {"period": shown(period), "model": model, "rows": [row(name) for name in names]}


def goals(ledger: Ledger, files: Files, now: float, **filters: str) -> dict[str, Any]:
    """From the revenue goal to the leads it takes. Filter: since (the period that day is in)."""
    reader = reader_of(ledger, files, now, {"since": filters["since"]} if "since" in filters else {})
    target = reader.funnel.target if reader.funnel else None
    period = reader.period(target.period if target else None)
    currency = target.currency if target else ""
    back = Period(
        "",
        reader.today - timedelta(days=(target.look_back_ms // 86_400_000) if target else 0),
        reader.today + timedelta(1),
    )
    won = {what: pair for (what, _), pair in reader.sums("won", period, "").items()}
    past = {what: pair for (what, _), pair in reader.sums("won", back, "").items()}.get(currency, (0, 0))
    handed = sum(n for (what, _), (n, _) in reader.sums("state", back).items() if what in ("delivered", "rejected"))
    leads = total(reader.sums("qualified", period))
    count, amount = won.get(currency, (0, 0))
    sold = reader.known and reader.funnel is not None and reader.funnel.sales is not None
    average = Fraction(past[1], past[0]) if past[0] and sold else None
    rate = Fraction(past[0], handed) if handed and past[0] and sold else None
    part = elapsed(reader, period)
    goal = reckon(target.revenue if target else 0, Sofar(amount, count, average, rate, leads), part)
    known = target is not None and sold

    def money(value: int | None) -> Figure:
        return {"value": value if known else None, "currency": currency or None, "records": None}

    return {
        "period": shown(period),
        "currency": currency or None,
        "goal": {"value": target.revenue if target else None, "currency": currency or None, "records": None},
        "won": reader.money(amount if known else None, currency, period, state="won"),
        "expected": money(goal.expected),
        "forecast": money(goal.forecast),
        "average": money(None if average is None else round(average)),
        "rate": None if rate is None else float(rate),
        "customers_needed": goal.customers_needed if known else None,
        "leads_needed": goal.leads_needed if known else None,
        "customers_missing": goal.customers_missing if known else None,
        "leads_missing": goal.leads_missing if known else None,
        "elapsed": float(part),
        "quota": _owed(reader),
    }


def _owed(reader: Reader) -> dict[str, Any]:
    """Marketing's side of the agreement, in its own period."""
    whole = Reader(reader.ledger, reader.funnel, reader.now_ms, {})
    period = whole.period()
    whole_quota = quota(whole, period)
    rows = []
    for by in ("source", "segment"):
        owed = {} if reader.funnel is None else getattr(reader.funnel.agreement, f"by_{by}")
        done = {name: n for (_, name), (n, _) in whole.sums("qualified", period, by).items()}
        rows += [
            {
                "by": by,
                "name": name,
                "owed": n,
                "qualified": whole.figure(
                    done.get(name, 0), "people", period, qualifies=1, day="qualified", **{by: name}
                ),
            }
            for name, n in owed.items()
        ]
    return {"period": shown(period), **whole_quota, "by": rows}


def quota(reader: Reader, period: Period) -> dict[str, Any]:
    """Qualified leads against what marketing owes."""
    owed = reader.funnel.agreement.qualified if reader.funnel else None
    done = total(reader.sums("qualified", period))
    part = elapsed(reader, period)
    return {
        "owed": owed,
        "qualified": reader.figure(done, "people", period, qualifies=1, day="qualified"),
        "expected": None if owed is None else int(owed * part),
    }
