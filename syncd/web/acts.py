"""What people ask for from a page, and what became of it.

Promise: an act goes the way that a command's goes (`request.carry_out`): done here if the sending lease is free, else by
the daemon; one after the other, each with who asked. A page that is closed meanwhile loses nothing.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from syncd.answer import Answer
from syncd.errors import SyncdError
from syncd.web import words

KEPT = 200
"""Acts that are remembered."""
MOST_WAITING = 20
"""Acts that may wait for their turn."""


@dataclass(frozen=True)
class Act:
    """One act. `said`: what became of it, for people."""

    id: int
    kind: str
    words: str
    user: str
    asked_at: float
    state: Literal["going", "done", "part", "failed"] = "going"
    """part: it ended, and something is left to do."""
    said: str = ""
    remedy: str = ""


CarryOut = Callable[[str, dict[str, Any]], Answer]
"""Does a deed, or has it done: (kind, doc) -> answer. Raises what the deed raises."""


def became(answer: Answer) -> str:
    """What a deed came to, in sentences: its own words, or what its facts hold; then what it did not get done."""
    facts = {**answer.facts, **answer.facts.get("report", {})}
    tallies = {name: one for name, one in facts.get("mappings", {}).items() if "writes" in one}
    parts = [answer.said] if answer.said else []
    if not parts and tallies:
        written = sum(n for one in tallies.values() for ops in one["writes"].values() for n in ops.values())
        parts.append(f"It is done: {words.plural(written, 'write')}.")
    if not parts and "drift" in facts:
        drift = facts["drift"]
        parts.append(f"{words.plural(drift, 'value')} drifted." if drift else "It is done: nothing drifted.")
    parts += [f"{name}: {trouble}." for name, trouble in facts.get("trouble", {}).items()]
    held = [name for name, one in tallies.items() if one.get("held")]
    parts += [f"Held, until somebody releases it: the plan of {', '.join(held)}."] if held else []
    return " ".join(parts) or "It is done."


class Acts:
    """Begin them with `begin`; look at them with `find`."""

    def __init__(self, carry_out: CarryOut, event: Callable[..., None]) -> None:
        self._carry_out, self._event = carry_out, event
        self._acts: OrderedDict[int, Act] = OrderedDict()
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._last = 0
        self.ended = 0
        """How many came to an end."""

    def begin(self, kind: str, doc: dict[str, Any], words: str, user: str, now: float) -> Act:
        """Starts it in a thread of its own. SyncdError when too many wait."""
        with self._lock:
            if sum(act.state == "going" for act in self._acts.values()) >= MOST_WAITING:
                raise SyncdError("Too much waits to be done already.", remedy="Try again in a minute.")
            self._last += 1
            act = self._acts[self._last] = Act(self._last, kind, words, user, now)
            while len(self._acts) > KEPT:
                self._acts.popitem(last=False)
        self._event("dashboard_act", act=kind, user=user)
        threading.Thread(target=self._do, args=(act, doc), name=f"act-{act.id}", daemon=True).start()
        return act

    def find(self, id: int) -> Act | None:
        """An act by its number."""
        with self._lock:
            return self._acts.get(id)

    def _do(self, act: Act, doc: dict[str, Any]) -> None:
        try:
            with self._turn:
                answer = self._carry_out(act.kind, doc)
            ended = replace(act, state="part" if answer.exit_code else "done", said=became(answer))
        except SyncdError as error:
            ended = replace(act, state="failed", said=error.message, remedy=error.remedy)
        except Exception as bug:
            self._event("dashboard_act_failed", act=act.kind, exc_info=bug)
            ended = replace(act, state="failed", said=f"Our own fault: {type(bug).__name__}.", remedy="Report it.")
        with self._lock:
            self._acts[act.id] = ended
            self.ended += 1
