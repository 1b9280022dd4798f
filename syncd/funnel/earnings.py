"""What was won and lost, who gets credit for it under each model, and what each campaign brought.

Promise: under every model the shares and what is not attributed add up to what the CRM says was won, to the cent; each
report says the difference, which is nought. What cannot be known is None. Currencies are never added up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from syncd.core.agreement import Period
from syncd.core.credit import MODELS
from syncd.core.sale import BETWEEN
from syncd.funnel.figures import Figure, Reader, reader_of, shown

if TYPE_CHECKING:
    from syncd.files import Files
    from syncd.ledger import Ledger

Sums = Mapping[tuple[str, str], tuple[int, int]]
"""(n, amount) by (currency, name)."""

YEAR_DAYS = 365
"""What a campaign is looked at over, where no days are named."""


def revenue(ledger: Ledger, files: Files, now: float, **filters: str) -> dict[str, Any]:
    """What was won, and who gets credit for it under each model. Filters: since, until, model (which one leads)."""
    reader = _reader(ledger, files, now, filters)
    period, model = reader.period(), model_of(reader, filters)
    won = _won(reader, period)
    credit = {one: reader.sums(f"credit:{one}", period, "pair") for one in (*MODELS, "assist")}
    causes = reader.sums("cause", period, "cause")
    names = sorted({key for of in credit.values() for key in of}, key=lambda key: (-_of(credit[model], key)[1], key))
    return {
        "period": shown(period),
        "model": model,
        "models": list(MODELS),
        "won": won_in(reader, period),
        "deals": reader.figure(sum(n for n, _ in won.values()) if reader.sells else None, "deals", period, state="won"),
        "rows": [_row(reader, period, key, model, credit) for key in names],
        "unattributed": [
            {
                "cause": cause,
                "amount": reader.money(amount, currency, period, state="won", cause=cause),
                "deals": reader.figure(n, "deals", period, state="won", cause=cause, currency=currency),
            }
            for (currency, cause), (n, amount) in sorted(causes.items())
        ],
        "sums": [
            {
                "model": one,
                "won": reader.money(amount, currency, period, state="won"),
                "credited": {"value": _total(credit[one], currency), "currency": currency, "records": None},
                "unattributed": {"value": _total(causes, currency), "currency": currency, "records": None},
                "difference": amount - _total(credit[one], currency) - _total(causes, currency),
            }
            for currency, (_, amount) in sorted(won.items())
            for one in MODELS
        ],
        "difference": [
            {"value": amount - _total(credit[model], currency) - _total(causes, currency), "currency": currency}
            for currency, (_, amount) in sorted(won.items())
        ],
        "undated": _undated(reader),
        "lost": [
            {
                "reason": reason or None,
                "deals": reader.figure(n, "deals", period, state="lost", reason=reason, currency=currency),
                "amount": reader.money(amount, currency, period, state="lost", reason=reason),
            }
            for (currency, reason), (n, amount) in sorted(reader.sums("lost", period, "reason").items())
        ],
    }


def won_in(reader: Reader, period: Period) -> list[Figure]:
    """What was won in a period, by currency."""
    if not reader.sells:
        return [{"value": None, "currency": None, "records": None}]
    won = sorted(_won(reader, period).items())
    return [reader.money(amount, currency, period, state="won") for currency, (_, amount) in won]


def _won(reader: Reader, period: Period) -> dict[str, tuple[int, int]]:
    return {currency: pair for (currency, _), pair in reader.sums("won", period, "").items()}


def _row(
    reader: Reader, period: Period, key: tuple[str, str], model: str, credit: Mapping[str, Sums]
) -> dict[str, Any]:
    """One source and campaign: what it gets in one currency under each model, and where it helped."""
    currency, name = key
    source, _, campaign = name.partition(BETWEEN)
    where = {"state": "won", "source": source, "campaign": campaign}

    def touches(of: str) -> Figure:
        return reader.figure(
            _of(credit[of], key)[0], "deals", period, **where, currency=currency, credit=of, part="touches"
        )

    amounts: dict[str, Figure] = {
        one: reader.money(_of(credit[one], key)[1], currency, period, **where, credit=one) for one in MODELS
    }
    return {
        "source": source or None,
        "campaign": campaign or None,
        "currency": currency,
        "amount": amounts[model],
        "amounts": amounts,
        "touches": touches(model),
        "assists": touches("assist"),
    }


def _of(sums: Sums, key: tuple[str, str]) -> tuple[int, int]:
    return sums.get(key, (0, 0))


def _total(sums: Sums, currency: str) -> int:
    return sum(amount for (of, _), (_, amount) in sums.items() if of == currency)


def _undated(reader: Reader) -> list[Figure]:
    """Deals that are won and say no day: they are in no period."""
    return [
        {"currency": currency, **reader.figure(n, "deals", None, state="won", currency=currency, closed=0)}
        for (currency, _), (n, _) in sorted(reader.undated("won").items())
    ]


def _reader(ledger: Ledger, files: Files, now: float, filters: Mapping[str, str]) -> Reader:
    """Deals are not broken down by people: of the filters only the days are theirs."""
    return reader_of(ledger, files, now, {name: filters[name] for name in ("since", "until") if name in filters})


def model_of(reader: Reader, filters: Mapping[str, str]) -> str:
    """The model that leads: the one asked for, else the agreed one."""
    asked = filters.get("model")
    return asked if asked in MODELS else reader.funnel.credit.rule.model if reader.funnel else MODELS[0]


def campaigns(ledger: Ledger, files: Files, now: float, **filters: str) -> dict[str, Any]:
    """What each campaign brought. Filters: since, until, model; without days the last 12 months, because what a campaign
    sows in one month is won in another."""
    reader = _reader(ledger, files, now, filters)
    period, model = reader.period(), model_of(reader, filters)
    if not {"since", "until"} & filters.keys():
        period = Period("", reader.today - timedelta(days=YEAR_DAYS - 1), reader.today + timedelta(days=1))
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
        credited = {"state": "won", "campaign": name}
        return {
            "campaign": name or None,
            "people": reader.figure(
                _of(counts["reached"], (first, name))[0], "people", period, reached=0, campaign=name
            ),
            "qualified": reader.figure(
                _of(counts["qualified"], ("", name))[0], "people", period, qualifies=1, **people
            ),
            "rejected": reader.figure(
                _of(counts["state"], ("rejected", name))[0], "people", period, state="rejected", **people
            ),
            "calls": reader.figure(sum(calls.values()), "people", period, qualifies=1, part="calls", **people),
            "wasted_calls": reader.figure(
                calls.get("rejected", 0), "people", period, state="rejected", part="calls", **people
            ),
            "assists": reader.figure(
                assists.get(name, 0), "deals", period, credit="assist", part="touches", **credited
            ),
            "won": [
                reader.money(amount, currency, period, credit=model, **credited)
                for currency, amount in sorted(won.get(name, {}).items())
            ],
        }

    return {"period": shown(period), "model": model, "rows": [row(name) for name in names]}
