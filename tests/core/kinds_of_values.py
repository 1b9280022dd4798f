"""Every type of value, with its options, by a name that reads well in a test's id."""

from __future__ import annotations

from syncd.core import places, values
from syncd.core.values import Kind

KINDS: dict[str, Kind] = {
    "text": values.text(),
    "text cut to 10": values.text(10),
    "email": values.email(),
    "phone": places.phone(),
    "phone in Germany": places.phone("DE"),
    "country": places.country(),
    "country by code": places.country("alpha3"),
    "number": values.number(),
    "number with 2 decimals": values.number(2),
    "bool": values.truth(),
    "bool, blank is false": values.truth(False),
    "date": values.day(),
    "datetime": values.moment(),
    "choice": values.choice(),
    "choices": values.choices(),
}
