"""Answers that no honest server gives: a vendor's own answer, with one thing in it made wrong.

Promise: what it does is told by a seed alone, and each kind of wrong is one function, so that a failure names it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from syncd.sandbox.chassis import Response

Place = tuple[Any, Any]
"""A container in a decoded answer, and the name or index of something in it."""

NASTY: tuple[Any, ...] = (
    None, True, 0, -1, 7, 2**63, 2**70, 1.5, 1e308, "", " ", "0", "-1", "²", "٣", "9" * 400, "9" * 5000, "abc", "..",
    "../../oauth/token", "/etc/passwd", "http://203.0.113.7/x", "//203.0.113.7/x", "a\r\nX-Evil: 1", "\x00", "\x1b[2J",
    "\u202e", "\ud800", "%2e%2e%2f", "';DROP TABLE link;--", "=HYPERLINK(1)", "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999Z", "2026-13-45", "99999999999999999999", "A" * 200_000, [], {}, [[]], {"a": {"b": {}}},
    [None], ["x"], {"id": "1"}, {"next": {"after": "0"}},
)  # fmt: skip


def places(said: Any) -> Iterator[Place]:
    """Everything in an answer that could be something else."""
    if isinstance(said, dict):
        for name in said:
            yield said, name
            yield from places(said[name])
    elif isinstance(said, list):
        for at in range(len(said)):
            yield said, at
            yield from places(said[at])


def replaced(chance: random.Random, said: Any) -> Any:
    """A value is another."""
    found = list(places(said))
    if found:
        holder, at = chance.choice(found)
        holder[at] = chance.choice(NASTY)
    return said


def left_out(chance: random.Random, said: Any) -> Any:
    """Something is not there."""
    found = list(places(said))
    if found:
        holder, at = chance.choice(found)
        del holder[at]
    return said


def repeated(chance: random.Random, said: Any) -> Any:
    """A list says the same twice, or in another order."""
    found = [holder[at] for holder, at in places(said) if isinstance(holder[at], list) and holder[at]]
    if found:
        one = chance.choice(found)
        one.extend(one[: chance.randrange(1, len(one) + 1)])
        chance.shuffle(one)
    return said


def swapped(chance: random.Random, said: Any) -> Any:
    """Two values stand in each other's place."""
    found = list(places(said))
    if len(found) > 1:
        (one, a), (two, b) = chance.sample(found, 2)
        # One that holds the other would make a circle.
        if not isinstance(one[a], dict | list) and not isinstance(two[b], dict | list):
            one[a], two[b] = two[b], one[a]
    return said


def lied_about_more(chance: random.Random, said: Any) -> Any:
    """There is more, says the page, and leads somewhere."""
    if isinstance(said, dict):
        said.update(
            chance.choice(
                [
                    {"paging": {"next": {"after": chance.choice(["1", "../x", "A" * 100_000, "\x00", ""])}}},
                    {"total": 2**40},
                    {"hasMore": True, "offset": 0},
                    {
                        "done": False,
                        "nextRecordsUrl": chance.choice(["//203.0.113.7/x", "/services/data/v66.0/query/é-1"]),
                    },
                    {"done": False},
                    {"done": False, "nextRecordsUrl": "/services/data/v66.0/query/" + "0" * 100_000},
                ]
            )
        )
    return said


TREES: tuple[Callable[[random.Random, Any], Any], ...] = (replaced, left_out, repeated, swapped, lied_about_more)

BODIES: dict[str, bytes] = {
    "nothing": b"",
    "blanks": b"   ",
    "null": b"null",
    "a number": b"7",
    "a text": b'"ok"',
    "an empty list": b"[]",
    "an empty object": b"{}",
    "a list of lists": b"[[[]]]",
    "beyond double": b'{"results": [], "total": 1e999}',
    "not a number": b'{"results": [], "total": NaN}',
    "twice the same name": b'{"results": [], "results": [{"id": "1"}], "records": [], "records": 7, "done": true}',
    "deep lists": b"[" * 50_000 + b"]" * 50_000,
    "deep objects": b'{"results":' * 50_000 + b"1" + b"}" * 50_000,
    "deep in a field nobody asked for": b'{"results": [], "records": [], "done": true, "x": '
    + b"[" * 50_000
    + b"]" * 50_000
    + b"}",
    "no UTF-8": b'{"results": [{"id": "\xff\xfe"}]}',
    "a lone surrogate": b'{"results": [{"id": "\\ud800"}]}',
    "cut off": b'{"results": [{"id": "1", "prop',
    "a web page": b"<html><body>Log in</body></html>",
}


def bent(seed: int, response: Response) -> Response:
    """The answer with something wrong in it."""
    chance = random.Random(seed)
    body, kind = response.encoded()
    roll = chance.random()
    if roll < 0.15:
        name = chance.choice(sorted(BODIES))
        return Response(response.status, BODIES[name], {"content-type": kind or "application/json"})
    try:
        said = json.loads(body)
    except ValueError:
        return response
    for _ in range(chance.choice([1, 1, 2, 5])):
        said = chance.choice(TREES)(chance, said)
    status = chance.choice([response.status] * 9 + [200, 201, 204, 207, 400, 403, 404, 409, 500])
    data = json.dumps(said).encode()
    return Response(
        status, data, {"content-type": chance.choice(["application/json"] * 9 + ["text/html", "image/png", ""])}
    )
