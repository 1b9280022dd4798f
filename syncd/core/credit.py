"""Who gets credit for revenue: amounts shared among the touches that led to it, to the cent.

Pure. Amounts are whole numbers of the smallest unit of one currency. Whatever the model, the shares of a deal add up to
its amount exactly, or nothing of it is attributed and the cause is named: that is how the parts equal the CRM's
closed-won.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

import msgspec

Model = Literal["first", "last", "linear", "position"]
"""first, last    all to the first, or the last, touch within the window
linear           the same to each
position         a part to the first, a part to the last, the rest to those between"""
MODELS: tuple[Model, ...] = ("first", "last", "linear", "position")

Cause = Literal["no_contact", "no_touch", "outside_window"]
"""Why nothing is attributed: nobody hangs on the deal, nobody of them was ever touched, or all of it too long ago."""


class Touch(msgspec.Struct, frozen=True, gc=False, order=True):
    """Something of marketing's that reached somebody."""

    at_ms: int
    event: int
    """Its number in the ledger, which also orders touches of the same moment."""
    source: str = ""
    campaign: str = ""


class Shares(msgspec.Struct, frozen=True):
    """One deal's amount, shared. Either the parts add up to it, or `cause` says why there are none."""

    parts: list[tuple[Touch, int]]
    assists: list[Touch]
    """Every touch in the window but the last one: they helped, whoever gets the credit."""
    cause: Cause | None = None


class Rule(msgspec.Struct, frozen=True):
    """The credit model that both departments agreed on."""

    model: Model = "first"
    window_ms: int = 90 * 86_400_000
    """How long before the deal was won a touch still counts."""
    first: Fraction = Fraction(2, 5)
    last: Fraction = Fraction(2, 5)
    """Of `position`."""


def attribute(amount: int, won_ms: int, touches: Sequence[Touch] | None, rule: Rule) -> Shares:
    """Shares a deal's amount among the touches of its people. `touches` None: nobody hangs on the deal."""
    if touches is None:
        return Shares([], [], "no_contact")
    before = sorted(touch for touch in touches if touch.at_ms <= won_ms)
    if not before:
        return Shares([], [], "no_touch")
    counted = [touch for touch in before if touch.at_ms >= won_ms - rule.window_ms]
    if not counted:
        return Shares([], [], "outside_window")
    parts = zip(counted, share(amount, weights(len(counted), rule)), strict=True)
    return Shares([(touch, part) for touch, part in parts if part], counted[:-1])


def weights(n: int, rule: Rule) -> list[Fraction]:
    """What part each of n touches in order of time gets; they add up to one."""
    if rule.model == "first":
        return [Fraction(1), *[Fraction(0)] * (n - 1)]
    if rule.model == "last":
        return [*[Fraction(0)] * (n - 1), Fraction(1)]
    if rule.model == "linear" or n == 1:
        return [Fraction(1, n)] * n
    rest = 1 - rule.first - rule.last
    if n == 2:
        # Nobody stands between: the two keep their proportion.
        both = rule.first + rule.last
        return [rule.first / both, rule.last / both] if both else [Fraction(1, 2)] * 2
    return [rule.first, *[rest / (n - 2)] * (n - 2), rule.last]


def share(amount: int, parts: Sequence[Fraction]) -> list[int]:
    """Whole numbers in these proportions that add up to the amount: what rounding leaves goes to the largest remains,
    the earlier one first."""
    exact = [amount * part for part in parts]
    whole = [int(one // 1) for one in exact]
    left = amount - sum(whole)
    order = sorted(range(len(parts)), key=lambda at: (whole[at] - exact[at], at))
    for at in order[:left]:
        whole[at] += 1
    return whole
