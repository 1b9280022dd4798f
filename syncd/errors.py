"""Errors, classed by what to do next. Trouble with one record is an outcome, never one of these.

    SyncdError
    ├── ConfigError        stop and edit a file                     exit 2
    ├── PersonNeeded       a person must act                        exit 3
    │   ├── AccessError    token, permission: hold that side
    │   ├── WrongAccount   the system is not the account the ledger knows
    │   ├── LeaseHeld      another process holds the sending lease
    │   └── LedgerError    the ledger cannot be used as it is
    ├── Transient          back off and try again                   exit 1
    │   ├── QuotaExhausted wait until a named time
    │   └── Doubt          a write left and no answer came
    ├── LedgerFull         no room to write an intent: no call      exit 1
    ├── CursorLost         the feed's place is gone: sweep again    (handled by poll)
    └── Fault              our own fault                            exit 70

Every message says what happened and to what, and `remedy` says what to do. No person's value and no secret ever
stands in either.
"""

from __future__ import annotations

import errno

from syncd.core.problem import Problem

EXIT_OK = 0
EXIT_TRANSIENT = 1
EXIT_CONFIG = 2
EXIT_PERSON = 3
EXIT_FAULT = 70


class SyncdError(Exception):
    """The root. `remedy` tells a person what to do; `exit_code` is what a command ends with."""

    exit_code = EXIT_FAULT

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n  {self.remedy}" if self.remedy else self.message


class ConfigError(SyncdError):
    """A file must be edited. Carries every problem found, not only the first."""

    exit_code = EXIT_CONFIG

    def __init__(self, problems: list[Problem] | Problem | str, *, remedy: str = "") -> None:
        if isinstance(problems, str):
            problems = [Problem("", 0, 0, problems)]
        elif isinstance(problems, Problem):
            problems = [problems]
        self.problems = problems
        super().__init__("\n".join(map(str, problems)), remedy=remedy)


class PersonNeeded(SyncdError):
    """Nothing to retry: a person must act first."""

    exit_code = EXIT_PERSON


class AccessError(PersonNeeded):
    """The system refuses our credentials or a permission. Hold this side; the other goes on reading."""


class WrongAccount(PersonNeeded):
    """The credentials lead to another account than the one this ledger was filled from."""


class LeaseHeld(PersonNeeded):
    """Another process holds the sending lease of this ledger."""


class LedgerError(PersonNeeded):
    """The ledger cannot be used: damaged, from a newer syncd, or not ours to read."""


class Transient(SyncdError):
    """It may work later with nothing changed. `after_s`: the least wait the system asked for, in seconds."""

    exit_code = EXIT_TRANSIENT

    def __init__(self, message: str, *, remedy: str = "", after_s: float = 0.0) -> None:
        super().__init__(message, remedy=remedy)
        self.after_s = after_s


class QuotaExhausted(Transient):
    """A budget of calls is used up: the vendor's, or our own share of it. Nothing was sent."""


class LedgerFull(SyncdError):
    """The ledger could not be written (disk full). Nothing was sent that is not on disk. It may work later, and no system is
    to blame: not Transient, so that nobody takes it for trouble of the system that was just asked."""

    exit_code = EXIT_TRANSIENT


def no_room(error: BaseException) -> bool:
    """Whether the disk, or our share of it, is full: that passes, and nobody has to start syncd again."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


class Doubt(Transient):
    """A request that may change something left, and no answer came that says whether it was applied."""


class CursorLost(SyncdError):
    """The system no longer knows the cursor; the object has to be read from the start."""


class Fault(SyncdError):
    """A bug of ours. Says what was impossible."""
