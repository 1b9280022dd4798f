"""People who look real, by seed: the living company that the sandboxes and the demo are filled from.

Promise: `people(seed, count)` gives the same people for the same seed, each with an address of its own, and a longer
run begins with the shorter one. Nobody in it exists: domains end in `.example`, companies are made up.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from mimesis import Address, Locale
from mimesis import Person as Names

REPS = tuple(f"rep{number}@acme.example" for number in range(1, 7))
"""The sales people of the demo company: owners in every sandbox, matched by these addresses."""
REP_NAMES = (
    ("Amara", "Okafor"),
    ("Jonas", "Lindqvist"),
    ("Sofia", "Marchetti"),
    ("Daniel", "Weber"),
    ("Priya", "Raman"),
    ("Lucas", "Moreau"),
)
"""First and last names that belong to `REPS`."""
LEFT_REP = "left@acme.example"
"""One who has left: known in every sandbox, and inactive."""
LEFT_REP_NAME = ("Ingrid", "Holm")


@dataclass(frozen=True, slots=True)
class Person:
    """One person as both vendors' apps are told of them. `country` is the English name; `score` is 0 to 100."""

    first: str
    last: str
    email: str
    phone: str
    mobile: str
    country: str
    city: str
    title: str
    company: str
    source: str
    opted_out: bool
    score: int
    stage: str


@dataclass(frozen=True, slots=True)
class _Country:
    name: str
    locale: Locale
    weight: int
    phone: str
    mobile: str
    forms: tuple[str, ...]


# Number ranges that carriers keep for fiction, where the country has such a range. `#` is a digit.
_COUNTRIES = (
    _Country("United States", Locale.EN, 30, "+1 212-555-01##", "+1 415-555-01##", ("Inc.", "LLC", "Group")),
    _Country("United Kingdom", Locale.EN_GB, 15, "+44 20 7946 0###", "+44 7700 900###", ("Ltd", "plc", "Partners")),
    _Country("Germany", Locale.DE, 20, "+49 30 23125 ###", "+49 171 39200##", ("GmbH", "AG", "& Söhne KG")),
    _Country("France", Locale.FR, 10, "+33 1 99 00 ## ##", "+33 6 39 98 ## ##", ("SARL", "SA", "et Fils")),
    _Country("Netherlands", Locale.NL, 8, "+31 20 123 4###", "+31 6 1234 5###", ("B.V.", "Groep")),
    _Country("Spain", Locale.ES, 7, "+34 912 345 ###", "+34 612 345 ###", ("S.L.", "S.A.")),
    _Country("Italy", Locale.IT, 6, "+39 06 1234 5###", "+39 347 123 4###", ("S.r.l.", "S.p.A.")),
    _Country("Sweden", Locale.SV, 4, "+46 8 465 004 ##", "+46 70 174 06 ##", ("AB",)),
)
_TITLES = (
    "Chief Executive Officer",
    "Chief Financial Officer",
    "Chief Marketing Officer",
    "Head of Sales",
    "Head of Procurement",
    "Marketing Manager",
    "Sales Manager",
    "Operations Manager",
    "IT Manager",
    "Product Manager",
    "Purchasing Manager",
    "Office Manager",
    "Plant Manager",
    "Account Executive",
    "Software Engineer",
    "Quality Engineer",
    "Controller",
    "Consultant",
    "Research Associate",
    "Assistant",
)
_SOURCES = (("Web", 50), ("Phone Inquiry", 10), ("Partner Referral", 15), ("Purchased List", 10), ("Other", 15))
_STAGES = (
    ("subscriber", 15),
    ("lead", 40),
    ("marketingqualifiedlead", 20),
    ("salesqualifiedlead", 10),
    ("opportunity", 8),
    ("customer", 7),
)


def people(seed: int, count: int) -> Iterator[Person]:
    """The first `count` people of that seed."""
    chance = random.Random(seed)
    sources = {
        country.name: (Names(country.locale, seed=seed * 31 + at), Address(country.locale, seed=seed * 37 + at))
        for at, country in enumerate(_COUNTRIES)
    }
    taken: set[str] = set()
    for _ in range(count):
        country = chance.choices(_COUNTRIES, [one.weight for one in _COUNTRIES])[0]
        yield _person(country, *sources[country.name], chance, taken)


def _person(country: _Country, names: Names, places: Address, chance: random.Random, taken: set[str]) -> Person:
    first, last = names.first_name(), names.last_name()
    company = f"{names.last_name()} {chance.choice(country.forms)}"
    return Person(
        first=first,
        last=last,
        email=_email(first, last, company, taken),
        phone=_number(country.phone, chance),
        mobile=_number(country.mobile, chance) if chance.random() < 0.6 else "",
        country=country.name,
        city=places.city(),
        title=chance.choice(_TITLES),
        company=company,
        source=_weighted(_SOURCES, chance),
        opted_out=chance.random() < 0.04,
        score=min(100, int(chance.expovariate(1 / 30))),
        stage=_weighted(_STAGES, chance),
    )


def _email(first: str, last: str, company: str, taken: set[str]) -> str:
    base = f"{_plain(first)}.{_plain(last)}"
    domain = f"{_plain(company)}.example"
    email, again = f"{base}@{domain}", 1
    while email in taken:
        again += 1
        email = f"{base}{again}@{domain}"
    taken.add(email)
    return email


def _plain(text: str) -> str:
    """ASCII letters, digits and single hyphens, lower-case; `x` for what has none of them."""
    folded = text.replace("ß", "ss").replace("ø", "o").replace("æ", "ae").replace("&", " ")
    ascii_text = unicodedata.normalize("NFKD", folded).encode("ascii", "ignore").decode().lower()
    kept = "".join(char if char.isalnum() else " " for char in ascii_text.replace(".", "").replace("'", ""))
    return "-".join(kept.split()) or "x"


def _number(pattern: str, chance: random.Random) -> str:
    return "".join(str(chance.randrange(10)) if char == "#" else char for char in pattern)


def _weighted(choices: tuple[tuple[str, int], ...], chance: random.Random) -> str:
    return chance.choices([value for value, _ in choices], [weight for _, weight in choices])[0]
