"""Facts to HTML: the templates of this package, every value escaped, and the words of `words` as filters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, tzinfo
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from syncd.web import phrases, words
from syncd.web.table import Cell

STATIC = {
    "style.css": "text/css",
    "charts.css": "text/css",
    "script.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
"""What browsers fetch beside the pages: all of it from this package."""


_ZONE: ContextVar[tzinfo] = ContextVar("zone", default=UTC)
"""Whose wall clock the page shows: the agreement's."""


@contextmanager
def in_zone(zone: tzinfo) -> Iterator[None]:
    """Moments are written by that zone's wall clock meanwhile."""
    token = _ZONE.set(zone)
    try:
        yield
    finally:
        _ZONE.reset(token)


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates, compiled once. A name that a page does not give is an error, never an empty place."""
    made = Environment(
        loader=PackageLoader("syncd.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "number": words.number,
        "money": words.money,
        "share": words.share,
        "duration": words.duration,
        "worked": words.worked,
        "rough": words.rough,
        "moment": moment,
        "period": words.period,
        "during": words.during,
        "spoken": words.spoken,
        "kind": phrases.kind,
        "shown": words.shown,
        "cell": cell_text,
        "prose": prose,
        "holder": holder,
        "segment": lambda text: quote(str(text), safe=""),
    }
    made.globals |= {"plural": words.plural, "asset": asset, "query": query, "record_link": record_link}
    return made


def page(template: str, zone: tzinfo = UTC, **facts: Any) -> str:
    """A whole page, by that zone's wall clock."""
    with in_zone(zone):
        return environment().get_template(template).render(facts)


def moment(value: Any) -> Markup | str:
    """A moment as its own element: the page's wall clock to read, the exact instant for machines and for who points."""
    found = words.at(value)
    if found is None:
        return words.moment(value)
    exact = found.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Markup('<time datetime="{0}" title="{0}">{1}</time>').format(
        exact, words.moment(found.timestamp(), _ZONE.get())
    )


def prose(text: str) -> Markup:
    """A sentence of ours: what stands between backticks is to be typed, or a place in a file."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def holder(text: str) -> Markup:
    """Who holds the sending lease, as a sentence."""
    who, since = phrases.holder(text)
    return Markup("{0}, since {1}.").format(who, moment(since)) if since else Markup("{0}.").format(who)


def cell_text(cell: Cell, kind: str = "text") -> Markup | str:
    """What people see of a cell."""
    if cell.text is not None:
        return cell.text
    value = cell.value
    if value is None:
        return words.UNKNOWN
    if kind == "time":
        return moment(value)
    return words.number(value) if isinstance(value, int | float) and not isinstance(value, bool) else words.shown(value)


def asset(name: str) -> str:
    """A static file's address; it changes with the file, so that browsers may keep it."""
    return f"/static/{name}?{_digest(name)}"


@lru_cache(maxsize=16)
def static(name: str) -> bytes:
    """The content of a static file."""
    return (files("syncd.web") / "static" / name).read_bytes()


@lru_cache(maxsize=16)
def _digest(name: str) -> str:
    return sha256(static(name)).hexdigest()[:12]


def query(given: dict[str, str], **other: Any) -> str:
    """The filters in the address, with some of them changed; empty and None ones left out."""
    merged = {name: value for name, value in {**given, **other}.items() if value not in (None, "")}
    return "?" + urlencode(merged) if merged else "?"


def record_link(system: str, object: str, key: str | None) -> str | None:
    """Where a record's story is told."""
    if not (system and object and key):
        return None
    return "/records/" + "/".join(quote(str(part), safe="") for part in (system, object, key))
