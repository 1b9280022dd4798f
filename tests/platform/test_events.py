"""Events on standard error: one line each, and never what must not be told."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from enum import Enum
from typing import Any

import pytest

from syncd.errors import Transient
from syncd.events import Events, open_events
from syncd.secrets import Secret

AT = 1_795_300_000.25


def opened(stream: io.TextIOBase, *, terminal: bool = False, **given: Any) -> Events:
    return open_events(stream, now=lambda: AT, terminal=terminal, **given)  # type: ignore[arg-type]


def told(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_of_names_and_values() -> None:
    """What a log collector reads: time in UTC, level, name, and every value under its own name."""
    stream = io.StringIO()
    opened(stream).bind(run=7).info("cycle.done", mapping="people", moved=3, held=False, lag_s=1.5)
    assert told(stream) == [
        {
            "at": "2026-11-21T22:26:40.250Z",
            "level": "info",
            "event": "cycle.done",
            "run": 7,
            "mapping": "people",
            "moved": 3,
            "held": False,
            "lag_s": 1.5,
        }
    ]


def test_on_a_terminal_the_same_is_plain_text() -> None:
    """A person reads it: no braces, quotes only where a value would run into the next."""
    stream = io.StringIO()
    opened(stream, terminal=True).warning("system.held", system="hubspot", why="quota used up", after_s=60)
    words = stream.getvalue().split()
    assert words[:3] == ["22:26:40", "warning", "system.held"]
    assert stream.getvalue().endswith('system=hubspot why="quota used up" after_s=60\n')


@pytest.mark.parametrize("terminal", [False, True])
def test_no_value_can_forge_a_line_or_move_the_cursor(terminal: bool) -> None:
    """Newlines, escape codes, direction overrides and lone surrogates are written as escapes, in names as in values."""
    stream = io.StringIO()
    evil = 'x\n{"event":"forged"}\r\x1b]0;t\x07\u202e\x9b31m\ud800'
    opened(stream, terminal=terminal).info("a", value=evil, inside={evil: [evil]}, **{"na\nme": 1})
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert text.removesuffix("\n").isprintable()


def test_a_secret_is_masked_by_type_and_by_name() -> None:
    """Deep in a table, under any name; and under the name of a secret, of any type."""
    stream = io.StringIO()
    opened(stream).info("x", a=Secret("canary"), b=[{"c": Secret("canary")}], client_secret="canary", t={"token": 5})
    assert "canary" not in stream.getvalue()
    assert told(stream)[0]["t"] == {"token": "***"}
    assert told(stream)[0]["client_secret"] == "***"


def test_objects_tell_their_type_and_nothing_else() -> None:
    """A record in an event is a mistake that must not cost a person's privacy; nor may a mail address in a text."""

    @dataclass
    class Record:
        phone: str

    class Side(Enum):
        CRM = "crm"

    stream = io.StringIO()
    opened(stream).info(
        "x", record=Record("+4912345"), side=Side.CRM, text="duplicate of ada@example.com, merged", n=b"x"
    )
    assert "+4912345" not in stream.getvalue()
    assert "example" not in stream.getvalue()
    event = told(stream)[0]
    assert event["record"].endswith("Record>")
    assert (event["side"], event["n"], event["text"]) == ("crm", "<bytes>", "duplicate of ***, merged")


def test_an_exception_tells_kind_and_place_but_not_its_words() -> None:
    """The text of a stranger's exception may quote a record; our own errors promise not to."""
    stream = io.StringIO()
    events = opened(stream)
    try:
        raise KeyError("ada, +4912345")
    except KeyError:
        events.exception("cycle.failed", mapping="people")
    events.error("system.down", error=Transient("hubspot gave no answer", remedy="wait"))
    failed, down = told(stream)
    assert (failed["error"], failed["kind"]) == ("KeyError", "KeyError")
    assert failed["trace"][-1].startswith("test_events.py:")
    assert "4912345" not in stream.getvalue()
    assert "hubspot gave no answer" in down["error"]


def test_an_event_is_bounded() -> None:
    """A value that is too long, too wide or too deep is cut, whatever it is."""
    stream = io.StringIO()
    deep: list[Any] = []
    deep.append(deep)
    opened(stream).info("x", long="y" * 100_000, wide=list(range(10_000)), deep=deep)
    assert len(stream.getvalue()) < 5_000


def test_events_below_the_level_cost_and_say_nothing() -> None:
    """`info` is the usual level: debug is for asking."""
    stream = io.StringIO()
    opened(stream).debug("x")
    opened(stream, level="debug").debug("y")
    assert [event["event"] for event in told(stream)] == ["y"]


def test_a_full_disk_costs_events_and_not_the_daemon() -> None:
    """What could not be written is counted, and the count is told as soon as there is room."""

    class Disk(io.StringIO):
        full = False

        def write(self, text: str) -> int:
            if self.full:
                raise OSError(28, "No space left on device")
            return super().write(text)

    disk = Disk()
    events = opened(disk)
    disk.full = True
    events.info("lost.1")
    events.info("lost.2")
    disk.full = False
    events.info("kept")
    assert [(event["event"], event.get("count")) for event in told(disk)] == [("events.lost", 2), ("kept", None)]
    disk.close()
    events.info("into a closed stream")
