"""What can go wrong, on request: one-time faults, and the standing manners of a feed.

Its one promise: nothing goes wrong unless a test asked for it, and each fault says how often it strikes.
It does not strike by itself: the store asks `Faults.take` at each call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from syncd.errors import AccessError, CursorLost, QuotaExhausted, SyncdError, Transient

if TYPE_CHECKING:
    from connectors.memory.store import Store
    from syncd.connector import Effect

FaultKind = Literal[
    "doubtful_before",  # no answer came, and nothing was applied
    "doubtful_after",  # no answer came, and it was applied
    "late",  # no answer came, and it is applied when the clock has moved by `late_ms`
    "refused",  # refused with `code`, `culprits`, `again`; the rest of the batch goes on
    "moved",  # refused as moved
    "gone",  # refused as gone
    "ignored",  # answered as sent, nothing applied
    "meanwhile",  # `run(store, effect)` happens just before the effect: a person between our look and our write
    "transient",  # the call raises Transient (`after_s`) before anything is done
    "quota",  # the call raises QuotaExhausted
    "access",  # the call raises AccessError
    "cursor_lost",  # `changes` raises CursorLost
]
RAISING = ("transient", "quota", "access", "cursor_lost")


@dataclass(slots=True)
class Fault:
    """One rule: what goes wrong, for which calls (None = any), and how often."""

    kind: FaultKind
    method: str | None = None
    object: str | None = None
    key: str | None = None
    ref: str | None = None
    op: str | None = None
    after: int = 0
    """How many matching calls pass unharmed first."""
    times: int | None = 1
    """How many are struck then; None = all."""
    late_ms: int = 60_000
    after_s: float = 0.0
    code: str = "REFUSED"
    message: str = "refused on request"
    culprits: tuple[str, ...] = ()
    again: bool = False
    run: Callable[[Store, Effect], Any] | None = None

    def fits(self, method: str, object: str | None, effect: Effect | None) -> bool:
        """Whether this fault is about such a call, or such an effect."""
        if (effect is None) != (self.kind in RAISING):
            return False
        wanted: list[tuple[str | None, str | None]] = [(self.method, method), (self.object, object)]
        if effect is not None:
            wanted += [(self.key, effect.key), (self.ref, effect.ref), (self.op, effect.op)]
        return all(want is None or want == given for want, given in wanted)

    def error(self) -> SyncdError:
        """The error that a raising fault stands for."""
        match self.kind:
            case "quota":
                return QuotaExhausted("the store's budget is used up", after_s=self.after_s)
            case "access":
                return AccessError("the store refuses the credentials", remedy="Take the fault away.")
            case "cursor_lost":
                return CursorLost("the store no longer knows this place in its feed")
            case _:
                return Transient("the store is out of reach for a moment", after_s=self.after_s)


@dataclass(slots=True)
class Manners:
    """How an object's feed behaves for as long as this stands."""

    page: int = 100
    """Records in a page at most."""
    repeats: bool = False
    """Each page also repeats a record of the page before."""
    unordered: bool = False
    """Records stand in a page in no order."""
    empty_pages: bool = False
    """An empty page comes before each page that holds something."""
    lag_ms: int = 0
    """How long the feed stays silent about a change: the index behind it lags."""
    find_lags: bool = False
    """Look-ups by value go through that same index."""
    skips_held: bool = False
    """Records whose stamp is already held are left out, as where reading the values costs a call."""
    answers_unordered: bool = False
    """A write answers its effects in another order than they were given."""


@dataclass(slots=True)
class Faults:
    """The faults that stand, in the order in which they were asked for."""

    standing: list[Fault] = field(default_factory=list)

    def take(self, method: str, object: str | None, effect: Effect | None = None) -> Fault | None:
        """The first fault that strikes this call, spent by one; None if nothing goes wrong."""
        for fault in self.standing:
            if not fault.fits(method, object, effect):
                continue
            if fault.after > 0:
                fault.after -= 1
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self.standing.remove(fault)
            return fault
        return None

    def strike(self, method: str, object: str | None = None) -> None:
        """Raises the error of the first raising fault that fits this call."""
        fault = self.take(method, object)
        if fault is not None:
            raise fault.error()
