"""What a deal of sales came to: won or lost, how much, and who gets credit for it under each model.

Promise: pure; of a won deal the shares of each model, or the one unattributed part with its cause, add up to its amount
exactly. What is no readable amount is a cause of its own, never nought in silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from syncd.core.credit import MODELS, Touch, attribute
from syncd.core.funnel import Funnel
from syncd.core.standing import Cell

BETWEEN = "\x1f"
"""Stands between source and campaign in a cell's name."""


class Deal(msgspec.Struct, frozen=True):
    """What sales' record says. `touches` None: nobody hangs on it."""

    state: str
    """won, lost or open"""
    closed_ms: int | None = None
    closed: int = 0
    """The day, as an ordinal; 0: unknown."""
    amount: int | None = None
    currency: str = ""
    reason: str = ""
    touches: Sequence[Touch] | None = None


class Sale(msgspec.Struct, frozen=True):
    """A deal, settled."""

    state: str
    closed: int = 0
    amount: int | None = None
    currency: str = ""
    reason: str = ""
    cause: str | None = None
    shares: dict[str, list[tuple[str, str, int]]] = {}
    """By model: source, campaign, amount."""
    cells: tuple[Cell, ...] = ()


def settle_sale(funnel: Funnel, deal: Deal) -> Sale:
    """The deal with its shares under every model, and the cells that it counts in."""
    if deal.state == "open":
        return Sale("open", 0, deal.amount, deal.currency)
    sale = Sale(deal.state, deal.closed, deal.amount, deal.currency, deal.reason)
    if deal.state == "won":
        sale = _credited(funnel, deal, sale)
    return msgspec.structs.replace(sale, cells=tuple(_cells(deal, sale)))


def _credited(funnel: Funnel, deal: Deal, sale: Sale) -> Sale:
    if deal.amount is None or deal.closed_ms is None:
        return msgspec.structs.replace(sale, cause="no_amount" if deal.amount is None else "no_close_date")
    shares: dict[str, list[tuple[str, str, int]]] = {}
    cause = None
    for model in MODELS:
        rule = msgspec.structs.replace(funnel.credit.rule, model=model)
        found = attribute(deal.amount, deal.closed_ms, deal.touches, rule)
        cause = found.cause
        shares[model] = [(touch.source, touch.campaign, part) for touch, part in found.parts]
        shares["assist"] = [(touch.source, touch.campaign, 0) for touch in found.assists]
    return msgspec.structs.replace(sale, cause=cause, shares={} if cause else shares)


def _cells(deal: Deal, sale: Sale) -> Iterator[Cell]:
    amount = sale.amount or 0
    if sale.state == "lost":
        yield "lost", sale.closed, sale.currency, "reason", sale.reason, 1, amount
        return
    yield "won", sale.closed, sale.currency, "", "", 1, amount
    if sale.cause is not None:
        yield "cause", sale.closed, sale.currency, "cause", sale.cause, 1, amount
    for model, parts in sale.shares.items():
        for source, campaign, part in parts:
            yield f"credit:{model}", sale.closed, sale.currency, "pair", f"{source}{BETWEEN}{campaign}", 1, part
