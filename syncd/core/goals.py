"""The goal arithmetic: from a revenue goal to the leads it takes, and whether the pace is enough.

Pure. Unknown stays unknown: without a won deal there is no average, without a closed one no rate, and nothing is made
up in their place. Amounts are whole numbers of the smallest unit of one currency.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import msgspec


class Sofar(msgspec.Struct, frozen=True):
    """What a period brought until now."""

    revenue: int
    average: Fraction | None
    """Of a won deal; from this period, or a longer one that both departments trust more."""
    rate: Fraction | None
    """The part of handed-off leads that become customers."""


class Goal(msgspec.Struct, frozen=True):
    """What it takes. None: it cannot be known yet."""

    goal: int
    customers_needed: int | None
    leads_needed: int | None
    expected: int
    """Revenue that an even pace would have brought by now."""
    forecast: int | None
    """Revenue at the end of the period, if the pace stays."""
    customers_missing: int | None
    leads_missing: int | None


def reckon(goal: int, sofar: Sofar, elapsed: Fraction) -> Goal:
    """The arithmetic at a moment at which `elapsed` of the period (0 to 1) is over.

    Customers are counted on the whole goal, and what is missing on the revenue that is not there yet.
    """
    elapsed = min(max(elapsed, Fraction(0)), Fraction(1))
    customers = _needed(Fraction(goal), sofar.average)
    missing = _needed(Fraction(max(0, goal - sofar.revenue)), sofar.average)
    leads = None if customers is None else _needed(Fraction(customers), sofar.rate)
    open_leads = None if missing is None else _needed(Fraction(missing), sofar.rate)
    forecast = int(Fraction(sofar.revenue) / elapsed) if elapsed else None
    return Goal(goal, customers, leads, int(goal * elapsed), forecast, missing, open_leads)


def _needed(amount: Fraction, each: Fraction | None) -> int | None:
    return ceil(amount / each) if each else None
