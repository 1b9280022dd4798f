"""People who look real, by seed: the living company that the sandboxes and the demo are filled from.

Promise: `people(seed, count)` gives the same people for the same seed, each with an address of its own, and a longer
run begins with the shorter one. Nobody in it exists: domains end in `.example`, companies are made up. The companies
themselves, and what is bought and sold, are in `business`.
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

    @property
    def domain(self) -> str:
        """Of the company: people of one company share it."""
        return self.email.rsplit("@", 1)[1]


@dataclass(frozen=True, slots=True)
class Country:
    """A country as the demo's people live in it: number ranges (`#` is a digit), legal forms of companies."""

    name: str
    locale: Locale
    weight: int
    phone: str
    mobile: str
    forms: tuple[str, ...]
    currency: str


# Number ranges that carriers keep for fiction, where the country has such a range. `#` is a digit.
COUNTRIES = (
    Country("United States", Locale.EN, 30, "+1 212-555-01##", "+1 415-555-01##", ("Inc.", "LLC", "Group"), "USD"),
    Country(
        "United Kingdom", Locale.EN_GB, 15, "+44 20 7946 0###", "+44 7700 900###", ("Ltd", "plc", "Partners"), "GBP"
    ),
    Country("Germany", Locale.DE, 20, "+49 30 23125 ###", "+49 171 39200##", ("GmbH", "AG", "& Söhne KG"), "EUR"),
    Country("France", Locale.FR, 10, "+33 1 99 00 ## ##", "+33 6 39 98 ## ##", ("SARL", "SA", "et Fils"), "EUR"),
    Country("Netherlands", Locale.NL, 8, "+31 20 123 4###", "+31 6 1234 5###", ("B.V.", "Groep"), "EUR"),
    Country("Spain", Locale.ES, 7, "+34 912 345 ###", "+34 612 345 ###", ("S.L.", "S.A."), "EUR"),
    Country("Italy", Locale.IT, 6, "+39 06 1234 5###", "+39 347 123 4###", ("S.r.l.", "S.p.A."), "EUR"),
    Country("Sweden", Locale.SV, 4, "+46 8 465 004 ##", "+46 70 174 06 ##", ("AB",), "SEK"),
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


def people(seed: int, count: int, colleagues: int = 1) -> Iterator[Person]:
    """The first `count` people of that seed. `colleagues`: so many in a row work at the same company."""
    chance = random.Random(seed)
    sources = {
        country.name: (Names(country.locale, seed=seed * 31 + at), Address(country.locale, seed=seed * 37 + at))
        for at, country in enumerate(COUNTRIES)
    }
    taken: set[str] = set()
    employer: Person | None = None
    for place in range(count):
        if employer is None or place % colleagues == 0:
            country, employer = chance.choices(COUNTRIES, [one.weight for one in COUNTRIES])[0], None
        employer = _person(country, *sources[country.name], chance, taken, employer)
        yield employer


def _person(
    country: Country, names: Names, places: Address, chance: random.Random, taken: set[str], colleague: Person | None
) -> Person:
    first, last = names.first_name(), names.last_name()
    company = colleague.company if colleague else f"{names.last_name()} {chance.choice(country.forms)}"
    return Person(
        first=first,
        last=last,
        email=_email(first, last, company, taken),
        phone=number(country.phone, chance),
        mobile=number(country.mobile, chance) if chance.random() < 0.6 else "",
        country=country.name,
        city=places.city(),
        title=chance.choice(_TITLES),
        company=company,
        source=weighted(_SOURCES, chance),
        opted_out=chance.random() < 0.04,
        score=min(100, int(chance.expovariate(1 / 30))),
        stage=weighted(_STAGES, chance),
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


def number(pattern: str, chance: random.Random) -> str:
    """A number of that pattern: every `#` a digit."""
    return "".join(str(chance.randrange(10)) if char == "#" else char for char in pattern)


def weighted(choices: tuple[tuple[str, int], ...], chance: random.Random) -> str:
    """One of the choices, each as likely as its weight."""
    return chance.choices([value for value, _ in choices], [weight for _, weight in choices])[0]
