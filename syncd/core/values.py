"""How a raw value of each type reads, compares and is written.

Promise: reading is total and idempotent (what we write reads as what we read), so that a value which one side bends in
a known way (trims, re-orders, re-formats) still compares as the same. Nothing is guessed: a value that does not read
is `Bad`, one without counterpart is `Unmapped`. Phone numbers and countries live in `places`, value maps in
`choicemap`.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any, Final

from syncd.core import expr
from syncd.core.mapping import Codec
from syncd.core.model import UNSEEN, Bad, Canonical, Neutral, Unmapped

MAX_TEXT_CHARS: Final = 131_072
"""Longest text that is compared or written."""
MAX_DIGITS: Final = 18
"""Most digits before, and after, the decimal point (a Salesforce number holds 18)."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of value, with its options fixed.

    `read` turns any raw value into its canonical form; `write` turns a good canonical value, with the raw value it came
    from, into what is written; `see` turns it into what an expression sees.
    """

    name: str
    cel: expr.Kind
    read: Callable[[Any], Canonical]
    write: Callable[[Any, Any], Neutral | Bad]
    see: Callable[[Any], Any]
    blank_seen: Any = UNSEEN
    exact: Callable[[Any], Canonical] | None = None
    """Reads what an expression sees, where that is finer than what compares: before rounding and cutting."""


def codec(here: Kind, across: Kind) -> Codec:
    """The codec of one side without a value map. `across` reads what comes from the other side."""
    read, write, see, blank_seen, source_read = here.read, here.write, here.see, here.blank_seen, across.read
    exact = here.exact or read

    def render(source: Any, current: Any) -> Neutral | Unmapped | Bad:
        wanted = source_read(source)
        if wanted is None or isinstance(wanted, (Unmapped, Bad)):
            return wanted
        if current is not None and read(current) == wanted:
            return current  # type: ignore[no-any-return]
        return write(wanted, source)

    def context(raw: Any) -> Any:
        value = exact(raw)
        if value is None:
            return blank_seen
        return UNSEEN if isinstance(value, (Unmapped, Bad)) else see(value)

    return Codec(read, render, context)


def itself(value: Any, raw: Any = None) -> Any:
    """Writes or shows the canonical value as it is."""
    return value


# ---------------------------------------------------------------- text


_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def clean(raw: str) -> str:
    """Trimmed, NFC, line ends as \\n, without control characters: how text compares and is written."""
    text = raw.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", _CONTROL.sub("", text)).strip()


def plain_text(raw: Any) -> str | Bad | None:
    """Any raw value as clean text; None for blank."""
    if raw is None or raw == "":
        return None
    if not isinstance(raw, str):
        if isinstance(raw, bool):
            return "true" if raw else "false"
        if isinstance(raw, (int, float, Decimal)):
            number = _decimal(raw)
            return number if isinstance(number, Bad) else _plain(number)
        return Bad("it is a list or a table, not text")
    if len(raw) > MAX_TEXT_CHARS:
        return Bad(f"it is longer than {MAX_TEXT_CHARS:,} characters")
    if raw.isascii() and raw.isprintable():
        return raw.strip() or None  # most text: there is nothing to be cleaned
    if _SURROGATE.search(raw):
        return Bad("it holds half a character (a lone surrogate)")
    return clean(raw) or None


def text(truncate: int | None = None) -> Kind:
    """Text. With `truncate`, the same text cut to that many UTF-16 units, the stricter of the ways to count."""
    if truncate is None:
        return Kind("text", "text", plain_text, itself, itself, "")
    limit = truncate

    def read(raw: Any) -> Canonical:
        value = plain_text(raw)
        return cut(value, limit) if isinstance(value, str) else value

    return Kind("text", "text", read, itself, itself, "", plain_text)


def cut(value: str, units: int) -> str:
    """The longest beginning of `value` that has at most `units` UTF-16 units and does not break a character from its
    marks."""
    if len(value.encode("utf-16-le")) <= 2 * units:
        return value
    room, end = units, 0
    for end, character in enumerate(value):  # noqa: B007 - the index where the room ran out
        room -= 2 if ord(character) > 0xFFFF else 1
        if room < 0:
            break
    fits = end
    while end > 0 and (_joins(value[end]) or value[end - 1] == "\u200d"):
        end -= 1
    # One character made of many parts may not fit at all: then as many parts as do.
    return value[: end or fits].strip()


def _joins(character: str) -> bool:
    return unicodedata.combining(character) != 0 or character == "\u200d" or "\ufe00" <= character <= "\ufe0f"


_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
HIDDEN: Final = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069]")
"""Invisible characters that copying from a page or an address book brings along."""


def seen(value: str) -> str:
    """Clean text without its invisible characters. What stood apart through one of them may be one character now."""
    return clean(HIDDEN.sub("", value)) if HIDDEN.search(value) else value


def email() -> Kind:
    """An e-mail address: compared without case and without invisible characters."""

    def read(raw: Any) -> Canonical:
        value = plain_text(raw)
        if not isinstance(value, str):
            return value
        value = value.lower() if value.isascii() else clean(seen(value).lower())
        if not value:
            return None
        return value if _EMAIL.fullmatch(value) else Bad("it is not an e-mail address")

    return Kind("email", "text", read, itself, itself, "")


# ---------------------------------------------------------------- numbers and truth


_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_EXACT: Final = Context(prec=80)
_TOO_LONG: Final = Bad(f"it has more than {MAX_DIGITS} digits on one side of the point")
_NOT_FINITE: Final = Bad("it is not a finite number")


def _decimal(raw: Any) -> Decimal | Bad:
    if isinstance(raw, float):
        if not math.isfinite(raw):
            return _NOT_FINITE
        raw = repr(raw)
    elif isinstance(raw, Decimal):
        if not raw.is_finite():
            return _NOT_FINITE
        raw = str(raw)
    elif isinstance(raw, int) and not isinstance(raw, bool):
        return Decimal(raw) if abs(raw) < 10**MAX_DIGITS else _TOO_LONG
    if not isinstance(raw, str):
        return Bad("it is not a number")
    if len(raw) > 64 or not _NUMBER.fullmatch(raw):
        return Bad("it is not a number (digits with a decimal point, no thousands sign)")
    number = Decimal(raw)
    if not number:
        return Decimal(0)
    exponent = number.normalize(_EXACT).as_tuple().exponent
    return number if number.adjusted() < MAX_DIGITS and int(exponent) >= -MAX_DIGITS else _TOO_LONG


def _plain(number: Decimal) -> str:
    said = format(number, "f")
    return said.rstrip("0").rstrip(".") if "." in said else said


def number(scale: int | None = None) -> Kind:
    """A number, compared exactly; with `scale`, rounded half up to that many decimals on both sides. An expression
    sees it before it is rounded: 49.9 is not 50."""
    step = None if scale is None else Decimal(1).scaleb(-scale)

    def exact(raw: Any) -> Decimal | Bad | None:
        if raw is None:
            return None
        if isinstance(raw, str) and not (raw := raw.strip()):
            return None
        return _decimal(raw)

    def read(raw: Any) -> Canonical:
        value = exact(raw)
        if value is None or isinstance(value, Bad) or step is None:
            return value
        return value.quantize(step, ROUND_HALF_UP, _EXACT) or Decimal(0)

    def write(value: Decimal, raw: Any) -> Neutral | Bad:
        if value == value.to_integral_value():
            return int(value)
        near = float(value)
        # A binary fraction that does not read back as the same number would drift on every round trip.
        return near if Decimal(repr(near)) == value else Bad("it has more digits than a number can carry unchanged")

    return Kind("number", "number", read, write, float, exact=exact)


_TRUTH: Final = {"true": True, "false": False, "1": True, "0": False}


def truth(unset: bool | None = None) -> Kind:
    """True or false, by a strict table. `unset`: what a blank means (a checkbox that nobody has touched)."""

    def read(raw: Any) -> Canonical:
        if raw is None:
            return unset
        if isinstance(raw, bool):
            return raw
        if isinstance(raw, int):
            return bool(raw) if raw in (0, 1) else Bad("it is neither true nor false")
        if isinstance(raw, str):
            word = raw.strip().lower()
            if not word:
                return unset
            if word in _TRUTH:
                return _TRUTH[word]
        return Bad("it is neither true nor false")

    return Kind("bool", "truth", read, itself, itself)


# ---------------------------------------------------------------- dates


_DIGITS = re.compile(r"-?[0-9]{1,15}")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NO_DATE: Final = Bad("it is not a date (YYYY-MM-DD)")


def _epoch_ms(raw: Any) -> int | None:
    if isinstance(raw, bool):
        return None
    if isinstance(raw, int):
        return raw
    if isinstance(raw, float) and raw.is_integer():
        return int(raw)
    if isinstance(raw, str) and _DIGITS.fullmatch(raw):
        return int(raw)
    return None


def _moment(raw: Any) -> datetime | Bad:
    stamp_ms = _epoch_ms(raw)
    try:
        if stamp_ms is not None:
            return _EPOCH + timedelta(milliseconds=stamp_ms)
        if isinstance(raw, str) and raw[:4].isdecimal() and raw[4:5] == "-":
            return datetime.fromisoformat(raw)
    except (ValueError, OverflowError):
        pass
    return Bad("it is not a point in time")


def day() -> Kind:
    """A calendar date. No time zone passes through: a moment counts only if it is midnight UTC, and is that day."""

    def read(raw: Any) -> Canonical:
        if raw is None or (isinstance(raw, str) and not (raw := raw.strip())):
            return None
        if isinstance(raw, str) and _ISO_DATE.fullmatch(raw):
            try:
                return _in_range(date.fromisoformat(raw))
            except ValueError:
                return _NO_DATE
        moment = _moment(raw)
        if isinstance(moment, Bad):
            return _NO_DATE
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        if (moment - _EPOCH) % timedelta(days=1) or moment.utcoffset():
            return Bad("it is a moment within a day, not a date")
        return _in_range(moment.date())

    def see(value: str) -> datetime:
        return datetime.fromisoformat(value).replace(tzinfo=UTC)

    return Kind("date", "moment", read, itself, see)


def _in_range(value: date) -> str | Bad:
    return value.isoformat() if value.year >= 1700 else Bad("its year is before 1700")


def moment(grain_ms: int = 1000) -> Kind:
    """A point in time, compared in UTC at `grain_ms` (Salesforce keeps whole seconds)."""

    def read(raw: Any) -> Canonical:
        if raw is None or (isinstance(raw, str) and not (raw := raw.strip())):
            return None
        stamp_ms = _epoch_ms(raw)
        if stamp_ms is not None and stamp_ms < 100_000_000_000:
            return Bad("it looks like seconds, where milliseconds since 1970 are meant")
        value = _moment(raw)
        if isinstance(value, Bad):
            return value
        if value.tzinfo is None:
            return Bad("it has no time zone")
        try:
            since_ms = (value - _EPOCH) // timedelta(milliseconds=1)
        except OverflowError:
            return Bad("it is not a point in time")
        return since_ms - since_ms % grain_ms if value.year >= 1700 else Bad("its year is before 1700")

    def see(value: int) -> datetime:
        return _EPOCH + timedelta(milliseconds=value)

    def write(value: int, raw: Any) -> Neutral:
        said = see(value).isoformat(timespec="milliseconds" if value % 1000 else "seconds")
        return said.replace("+00:00", "Z")

    return Kind("datetime", "moment", read, write, see)


# ---------------------------------------------------------------- choices


def choice() -> Kind:
    """One value of a list, by its internal name."""
    return Kind("choice", "text", plain_text, itself, itself, "")


def choices() -> Kind:
    """Several values of a list, `a;b`: a set, in a stable order. A value may not hold a semicolon."""

    def read(raw: Any) -> Canonical:
        if raw is None:
            return None
        parts = raw if isinstance(raw, (list, tuple)) else plain_text(raw)
        if isinstance(parts, Bad) or parts is None:
            return parts
        words = [plain_text(part) for part in (parts.split(";") if isinstance(parts, str) else parts)]
        bad = next((word for word in words if isinstance(word, Bad)), None)
        if bad is not None:
            return bad
        chosen = {word for word in words if isinstance(word, str)}
        if any(";" in word for word in chosen):
            return Bad("one of its choices holds a semicolon")
        return tuple(sorted(chosen)) or None

    def write(value: tuple[str, ...], raw: Any) -> Neutral:
        return list(value)

    return Kind("choices", "texts", read, write, list, ())
