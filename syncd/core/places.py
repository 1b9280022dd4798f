"""Phone numbers, countries and web domains: values that need the world's tables or rules to compare.

Promise: two ways to write the same number, or the same country, compare as one; what the tables do not know stays
comparable by its digits (phone) or is `Unmapped` (country). Nothing is guessed, and no fuzzy look-up is made.
The tables are imported and built when the first value needs them, so that a command that syncs nothing stays quick.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any, Final, Literal

from syncd.core.domains import domain_of
from syncd.core.model import Bad, Canonical, Neutral, Unmapped
from syncd.core.values import Kind, clean, itself, plain_text, seen

PHONE_CACHE_ENTRIES: Final = 65_536
"""Numbers remembered per field: reading one costs as much as the rest of a changed record."""
MAX_PHONE_CHARS: Final = 250

_FORMS = re.compile(r"[\s().\-/\u00a0\u2010-\u2015]+")


def phone(region: str | None = None) -> Kind:
    """A phone number: compared in E.164 (with its extension) where it is valid, else by its digits.

    `region` is the country that numbers without a + are read in. What is written is the number as the other side has
    it, so that nobody's way of writing numbers is forced on the other system.
    """

    @functools.lru_cache(maxsize=PHONE_CACHE_ENTRIES)
    def parsed(value: str) -> str:
        import phonenumbers

        try:
            number = phonenumbers.parse(value, region)
        except phonenumbers.NumberParseException:
            return _digits(value)
        if not phonenumbers.is_valid_number(number):
            return _digits(value)
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        return f"{e164};ext={number.extension}" if number.extension else e164

    def read(raw: Any) -> Canonical:
        value = plain_text(raw)
        if not isinstance(value, str):
            return value
        if len(value) > MAX_PHONE_CHARS:
            return Bad("it is too long for a phone number")
        value = seen(value)
        return parsed(value) if value else None

    def write(value: str, raw: Any) -> Neutral:
        return seen(str(plain_text(raw)))

    return Kind("phone", "text", read, write, itself, "")


def _digits(value: str) -> str:
    """A number that the tables do not know, without the marks people set between digits."""
    return _FORMS.sub("", value).casefold() or value


def domain() -> Kind:
    """A web domain: however the address of a site is written, it compares, and is written, as its plain domain."""

    def read(raw: Any) -> Canonical:
        value = plain_text(raw)
        if not isinstance(value, str):
            return value
        value = clean(seen(value).lower())
        return domain_of(value) if value else None

    return Kind("domain", "text", read, itself, itself, "")


# ---------------------------------------------------------------- countries


_ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "AE": ("UAE", "Emirates"),
    "BN": ("Brunei",),
    "BO": ("Bolivia",),
    "CD": ("DR Congo", "DRC", "Democratic Republic of the Congo", "Congo-Kinshasa"),
    "CG": ("Republic of the Congo", "Congo-Brazzaville"),
    "CI": ("Ivory Coast", "Cote d'Ivoire"),
    "CV": ("Cape Verde",),
    "CZ": ("Czech Republic",),
    "FK": ("Falkland Islands",),
    "FM": ("Micronesia",),
    "GB": ("UK", "U.K.", "Great Britain", "Britain", "England", "Scotland", "Wales", "Northern Ireland"),
    "HK": ("Hong Kong SAR", "Hongkong"),
    "IR": ("Iran",),
    "KP": ("North Korea",),
    "KR": ("South Korea", "Korea"),
    "LA": ("Laos",),
    "MD": ("Moldova",),
    "MK": ("Macedonia",),
    "MM": ("Burma",),
    "MO": ("Macau",),
    "NL": ("Holland", "The Netherlands"),
    "PH": ("The Philippines",),
    "PS": ("Palestine",),
    "RU": ("Russia",),
    "SY": ("Syria",),
    "SZ": ("Swaziland",),
    "TL": ("East Timor",),
    "TR": ("Turkey", "Turkiye"),
    "TW": ("Taiwan",),
    "TZ": ("Tanzania",),
    "US": ("USA", "U.S.A.", "U.S.", "United States of America", "The United States", "America"),
    "VA": ("Vatican", "Vatican City"),
    "VE": ("Venezuela",),
    "VG": ("British Virgin Islands",),
    "VI": ("US Virgin Islands", "U.S. Virgin Islands"),
    "VN": ("Vietnam", "Viet Nam"),
}
"""What people write, beside the names of the standard."""

_SPOKEN: Final[Mapping[str, str]] = {
    "BN": "Brunei",
    "BO": "Bolivia",
    "CD": "DR Congo",
    "CG": "Republic of the Congo",
    "CI": "Ivory Coast",
    "CV": "Cape Verde",
    "FK": "Falkland Islands",
    "FM": "Micronesia",
    "IR": "Iran",
    "KP": "North Korea",
    "KR": "South Korea",
    "LA": "Laos",
    "MD": "Moldova",
    "PS": "Palestine",
    "RU": "Russia",
    "SY": "Syria",
    "TR": "Turkey",
    "TW": "Taiwan",
    "TZ": "Tanzania",
    "VA": "Vatican City",
    "VE": "Venezuela",
    "VG": "British Virgin Islands",
    "VI": "US Virgin Islands",
    "VN": "Vietnam",
}
"""Names to write, where the standard's own is not what people and picklists say."""


@functools.cache
def _tables() -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """(any name in lower case -> alpha-2, alpha-2 -> name, alpha-2 -> alpha-3)."""
    import pycountry

    known: dict[str, str] = {}
    names: dict[str, str] = {}
    alpha3: dict[str, str] = {}
    for country in pycountry.countries:
        code = country.alpha_2
        common = getattr(country, "common_name", country.name)
        official = getattr(country, "official_name", country.name)
        names[code] = _SPOKEN.get(code, common)
        alpha3[code] = country.alpha_3
        for name in (code, country.alpha_3, country.name, common, official, names[code], *_ALIASES.get(code, ())):
            known.setdefault(clean(name).casefold(), code)
    return known, names, alpha3


def country(form: Literal["name", "alpha2", "alpha3"] = "name") -> Kind:
    """A country: compared by its two-letter code, written on this side as `form`."""

    def read(raw: Any) -> Canonical:
        value = plain_text(raw)
        if not isinstance(value, str):
            return value
        code = _tables()[0].get(value.casefold())
        return Unmapped(raw) if code is None else code

    def write(value: str, raw: Any) -> Neutral:
        _, names, alpha3 = _tables()
        return {"name": names, "alpha3": alpha3}.get(form, {}).get(value, value)

    return Kind("country", "text", read, write, itself, "")


def is_region(code: str) -> bool:
    """Is this a country by its two letters, in capitals?"""
    return code.isupper() and code in _tables()[2]
