"""What a deed answers, and how it is followed while it goes on: the words between a command, the daemon and a deed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from syncd.errors import EXIT_OK
from syncd.session import Session

Facts = dict[str, Any]


@dataclass(frozen=True)
class Watch:
    """How a deed is followed from outside."""

    tell: Callable[[Facts], None] = lambda progress: None
    stop: Callable[[], bool] = lambda: False


@dataclass(frozen=True)
class Answer:
    """What became of a deed. `said`: a sentence for people, where the facts alone say too little."""

    facts: Facts
    exit_code: int = EXIT_OK
    said: str = ""


Deed = Callable[[Session, Facts, Watch], Answer]
