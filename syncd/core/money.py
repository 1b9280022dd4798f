"""Amounts as whole numbers of a currency's smallest unit: added and shared without a float anywhere.

Pure. ISO 4217 gives most currencies two digits; those with none or three are listed.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, Final

_NONE: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE: Final = "BHD IQD JOD KWD LYD OMR TND"
MOST: Final = 10**17
"""An amount beyond this is none: it would not fit the ledger's numbers."""


def digits(currency: str) -> int:
    """How many digits stand behind the point."""
    return 0 if currency in _NONE.split() else 3 if currency in _THREE.split() else 2


def smallest(amount: Any, currency: str) -> int | None:
    """An amount as a system gives it (number or text) in smallest units; None if it is none."""
    try:
        exact = Decimal(str(amount)).scaleb(digits(currency))
        if not exact.is_finite() or abs(exact) > MOST:
            return None
        return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))
    except InvalidOperation:
        return None


def plain(amount: int, currency: str) -> str:
    """`1234.50`: for people and tables, without the currency's name."""
    behind = digits(currency)
    whole, rest = divmod(abs(amount), 10**behind)
    sign = "-" if amount < 0 else ""
    return f"{sign}{whole}.{rest:0{behind}d}" if behind else f"{sign}{whole}"


def convert(amount: int, currency: str, rate: Fraction, into: str) -> int:
    """An amount in another currency's smallest units; `rate`: what one of it is worth there. Rounded once, half to even."""
    exact = Fraction(amount, 10 ** digits(currency)) * rate * Fraction(10 ** digits(into))
    return round(exact)
