"""Events: what syncd tells its operators on standard error, one line each, as names and values and never as prose.

Promise: no event can hold a secret, a terminal code, a second line or an object that was not meant to be printed;
and no trouble with the stream ever stops the work: such events are counted, and the count is told when it heals.
It keeps no state of the process: whoever wants to speak is handed the `Events` that `open_events` made.

People's values do not belong in events. That is the caller's duty (names of fields, keys and counts are enough);
e-mail addresses and unknown objects are masked here all the same.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import Enum
from pathlib import PurePath
from typing import Any, Literal, TextIO, cast

import orjson
import structlog
from structlog.typing import EventDict, FilteringBoundLogger

from syncd.core.problem import Problem
from syncd.errors import SyncdError
from syncd.secrets import Secret, names_a_secret

Events = FilteringBoundLogger
"""`events.info("cycle.done", mapping="people", moved=3)`; `events.bind(run=7)` gives one that says so every time."""

Level = Literal["debug", "info", "warning", "error"]

MOST_TEXT = 2_000
"""Characters of one value."""
MOST_ITEMS = 100
"""Entries of one list or table."""
MOST_DEPTH = 4
MOST_FRAMES = 20

_NOT_IN_ADDRESS = r"\s@<>\"'=,;:()"
# Begins only where a word begins: linear in the text, whatever the text is.
_ADDRESS = re.compile(rf"(?<![^{_NOT_IN_ADDRESS}])[^{_NOT_IN_ADDRESS}]+@[^{_NOT_IN_ADDRESS}]+")
_MASK = "***"


def open_events(
    stream: TextIO, *, now: Callable[[], float], terminal: bool | None = None, level: Level = "info"
) -> Events:
    """Events on `stream`: plain lines on a terminal, JSON elsewhere. `now`: seconds since the epoch."""
    plain = stream.isatty() if terminal is None else terminal

    def stamp(_: Any, __: str, event: EventDict) -> EventDict:
        at = datetime.fromtimestamp(now(), UTC)
        return {"at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"), **event}

    logger = structlog.wrap_logger(
        _Sink(stream),
        processors=[structlog.processors.add_log_level, _without_exception, _masked, stamp, _plain if plain else _json],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        context_class=dict,
        cache_logger_on_first_use=True,
    )
    return cast(Events, logger.bind())


def printable(text: str) -> str:
    """The text with every control, direction and otherwise invisible character written as an escape."""
    return text if text.isprintable() else "".join(char if char.isprintable() else _escape(char) for char in text)


def harmless(name: str, value: Any, depth: int = 0) -> Any:
    """A value as an event may show it: plain data, bounded, secrets and e-mail addresses masked by type and shape."""
    if isinstance(value, Secret) or (names_a_secret(name) and value is not None):
        return _MASK
    if value is None or isinstance(value, bool | float) or (isinstance(value, int) and not isinstance(value, Enum)):
        return value
    if isinstance(value, Enum):
        return harmless(name, value.value, depth)
    if isinstance(value, str):
        text = value if len(value) <= MOST_TEXT else value[:MOST_TEXT] + "…"
        return printable(_ADDRESS.sub(_MASK, text))
    if isinstance(value, SyncdError | Problem | PurePath):
        return harmless(name, str(value), depth)
    if isinstance(value, BaseException):
        return type(value).__qualname__  # its text may quote a record
    if depth >= MOST_DEPTH:
        return "…"
    if isinstance(value, Mapping):
        pairs = list(value.items())[:MOST_ITEMS]
        return {printable(str(key)): harmless(str(key), item, depth + 1) for key, item in pairs}
    if isinstance(value, list | tuple | set | frozenset):
        return [harmless(name, item, depth + 1) for item in list(value)[:MOST_ITEMS]]
    return f"<{type(value).__qualname__}>"


def _escape(char: str) -> str:
    return char.encode("unicode_escape", "surrogatepass").decode()


def _masked(_: Any, __: str, event: EventDict) -> EventDict:
    return {printable(name): harmless(name, value) for name, value in event.items()}


def _without_exception(_: Any, __: str, event: EventDict) -> EventDict:
    """`exception(...)` tells where, and never with which values."""
    told = event.pop("exc_info", None)
    if not told:
        return event
    error = told if isinstance(told, BaseException) else sys.exc_info()[1]
    if error is None:
        return event
    frames = traceback.extract_tb(error.__traceback__)[-MOST_FRAMES:]
    trace = [f"{os.path.basename(frame.filename)}:{frame.lineno} in {frame.name}" for frame in frames]
    return {**event, "error": error, "kind": type(error).__qualname__, "trace": trace}


def _json(_: Any, __: str, event: EventDict) -> str:
    return orjson.dumps(event, default=lambda value: f"<{type(value).__qualname__}>").decode()


def _plain(_: Any, __: str, event: EventDict) -> str:
    at, level, name = event.pop("at"), event.pop("level"), event.pop("event")
    pairs = (f"{key}={_word(value)}" for key, value in event.items())
    return " ".join((at[11:19], f"{level:<7}", f"{name:<24}", *pairs)).rstrip()


def _word(value: Any) -> str:
    if isinstance(value, str) and value and not re.search(r"[\s\"=]", value):
        return value
    return _json(None, "", value)


class _Sink:
    """Writes lines and survives the stream: a full disk or a closed pipe costs events, not the daemon."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._lost = 0

    def msg(self, line: str) -> None:
        with self._lock:
            try:
                if self._lost:
                    self._stream.write(f'{{"level":"warning","event":"events.lost","count":{self._lost}}}\n')
                self._stream.write(line + "\n")
                self._stream.flush()
                self._lost = 0
            except (OSError, ValueError):  # ValueError: the stream is closed
                self._lost += 1

    debug = info = warning = error = critical = exception = fatal = warn = msg
