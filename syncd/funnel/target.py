"""How far the goal is: from revenue to customers to leads, with pace and forecast; and what marketing owes.

Promise: pure reading of the sums. Deals in another currency count by the agreed rate; where there is none they are not
counted, and told beside. What cannot be known is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from syncd.core.agreement import Period, Target, period_of
from syncd.core.goals import Sofar, reckon
from syncd.core.money import convert
from syncd.funnel.figures import Figure, Reader, elapsed, reader_of, shown, total, within

if TYPE_CHECKING:
    from syncd.files import Files
    from syncd.ledger import Ledger


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
    won, past = _won(reader, period), _won(reader, back)
    _, amount = _counted(won, target)
    past_deals, past_amount = _counted(past, target)
    handed = sum(n for (what, _), (n, _) in reader.sums("state", back).items() if what in ("delivered", "rejected"))
    customers = sum(n for n, _ in past.values())
    average = Fraction(past_amount, past_deals) if past_deals and reader.sells else None
    rate = Fraction(customers, handed) if handed and customers and reader.sells else None
    part = elapsed(reader, period)
    leads = total(reader.sums("qualified", period))
    goal = reckon(target.revenue if target else 0, Sofar(amount, average, rate), part)
    known = target is not None and reader.sells
    foreign = [code for code in won if code != currency]

    def money(value: int | None) -> Figure:
        return {"value": value if known else None, "currency": currency or None, "records": None}

    # Of several currencies each opens by itself, in `parts`.
    said = money(amount) if foreign else reader.money(amount if known else None, currency, period, state="won")
    return {
        "period": shown(period),
        "currency": currency or None,
        "goal": {"value": target.revenue if target else None, "currency": currency or None, "records": None},
        "won": {**said, "currency": currency or None},
        "parts": _parts(reader, period, won, target) if known else [],
        "expected": money(goal.expected),
        "forecast": money(goal.forecast),
        "average": money(None if average is None else round(average)),
        "averaged": reader.figure(customers if known else None, "deals", back, state="won"),
        "rate": None if rate is None else float(rate),
        "rated": reader.figure(handed if known else None, "people", back, handed=1, day="qualified"),
        "customers_needed": goal.customers_needed if known else None,
        "leads_needed": goal.leads_needed if known else None,
        "customers_missing": goal.customers_missing if known else None,
        "leads_missing": goal.leads_missing if known else None,
        "elapsed": float(part),
        "leads": reader.figure(leads, "people", period, qualifies=1, day="qualified"),
        "leads_expected": None if goal.leads_needed is None or not known else int(goal.leads_needed * part),
        "quota": _owed(reader, period),
    }


def _won(reader: Reader, period: Period) -> dict[str, tuple[int, int]]:
    """(deals, amount) by currency."""
    return {currency: pair for (currency, _), pair in reader.sums("won", period, "").items()}


def _counted(won: Mapping[str, tuple[int, int]], target: Target | None) -> tuple[int, int]:
    """(deals, amount) in the goal's currency, of those currencies that have a rate."""
    deals = amount = 0
    for currency, (n, units) in won.items():
        worth = None if target is None else _worth(units, currency, target)
        if worth is not None:
            deals, amount = deals + n, amount + worth
    return deals, amount


def _worth(amount: int, currency: str, target: Target) -> int | None:
    if currency == target.currency:
        return amount
    rate = target.rates.get(currency)
    return None if rate is None else convert(amount, currency, rate, target.currency)


def _parts(
    reader: Reader, period: Period, won: Mapping[str, tuple[int, int]], target: Target | None
) -> list[dict[str, Any]]:
    """What each currency adds to what was won; `counts` None: it has no rate, and is not counted."""
    if target is None:
        return []
    return [
        {
            "won": reader.money(amount, currency, period, state="won"),
            "rate": 1.0 if currency == target.currency else _float(target.rates.get(currency)),
            "counts": {"value": _worth(amount, currency, target), "currency": target.currency, "records": None},
        }
        for currency, (_, amount) in sorted(won.items())
    ]


def _float(rate: Fraction | None) -> float | None:
    return None if rate is None else float(rate)


def _owed(reader: Reader, goal: Period) -> dict[str, Any]:
    """Marketing's side of the agreement, in the newest of its periods that began within the goal's."""
    whole = Reader(reader.ledger, reader.funnel, reader.now_ms, {})
    kind = reader.funnel.agreement.period if reader.funnel else "month"
    return _owed_in(whole, period_of(min(reader.today, max(goal.since, goal.until - timedelta(days=1))), kind))


def marketing(ledger: Ledger, files: Files, now: float, **filters: str) -> list[dict[str, Any]]:
    """What marketing owed and brought, in each period of the agreement. Filters: since, until; a period that they cut is
    left whole, for what is owed is owed in the whole."""
    whole = reader_of(ledger, files, now, {})
    if whole.funnel is None:
        return []
    kind = whole.funnel.agreement.period
    days = reader_of(
        ledger, files, now, {name: filters[name] for name in ("since", "until") if name in filters}
    ).period()
    periods = dict.fromkeys(period_of(one.since, kind) for one in within(whole, days, kind, "qualified"))
    return [_owed_in(whole, period) for period in periods]


def _owed_in(whole: Reader, period: Period) -> dict[str, Any]:
    """The quota of a period, in all and by what it is broken down."""
    rows = []
    for by in ("source", "segment"):
        owed = {} if whole.funnel is None else getattr(whole.funnel.agreement, f"by_{by}")
        done = {name: n for (_, name), (n, _) in whole.sums("qualified", period, by).items()} if owed else {}
        rows += [
            {
                "by": by,
                "name": name,
                "owed": n,
                "kept": _kept(whole, period, n, done.get(name, 0)),
                "qualified": whole.figure(
                    done.get(name, 0), "people", period, qualifies=1, day="qualified", **{by: name}
                ),
            }
            for name, n in owed.items()
        ]
    return {"period": shown(period), **quota(whole, period), "by": rows}


def _kept(reader: Reader, period: Period, owed: int | None, done: int) -> bool | None:
    """Did marketing bring what it owed? None: nothing was owed, or the period is not over and it may still."""
    if owed is None or not reader.answerable:
        return None
    return True if done >= owed else False if period.until <= reader.today else None


def quota(reader: Reader, period: Period) -> dict[str, Any]:
    """Qualified leads against what marketing owes."""
    owed = reader.funnel.agreement.qualified if reader.funnel else None
    done = total(reader.sums("qualified", period))
    part = elapsed(reader, period)
    return {
        "owed": owed,
        "qualified": reader.figure(done, "people", period, qualifies=1, day="qualified"),
        "expected": None if owed is None else int(owed * part),
        "kept": _kept(reader, period, owed, done),
    }
