"""What the funnel says of a person, as if it were an attribute of the person's record: `funnel.outcome`, `clock.due`.

A mapping of the funnel's people names it in the place of an attribute, on either side, one way: a clock may be told to
both sides. Promise: pure arithmetic over where somebody stands; values are the definition's own words, moments and
counts, and nothing else of the person. It moves nothing by itself: a value that turns with time turns when the
standing's clock does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from syncd.core.funnel import Funnel
from syncd.core.mapping import FUNNEL_SAYS
from syncd.core.mapping import Mapping as Compiled
from syncd.core.problem import Problem
from syncd.core.qualify import OUTCOMES
from syncd.core.standing import CLOCKS, Standing
from syncd.core.together import at_place
from syncd.core.toml import did_you_mean

_WORDS: Final = frozenset({"text", "choice"})


def _moment(at_ms: int | None) -> str | None:
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms // 1000, UTC).isoformat().replace("+00:00", "Z")


def _stage(funnel: Funnel, now: Standing) -> str | None:
    return funnel.stages[now.reached].name if 0 <= now.reached < len(funnel.stages) else None


def _handed(_: Funnel, now: Standing) -> str | None:
    """The answer of sales is told in the place of "delivered"."""
    return "accepted" if now.state == "delivered" and now.accepted_ms is not None else now.state


Derive = Callable[[Funnel, Standing], Any]
_ALL: Final[Mapping[str, tuple[str, Derive]]] = {
    "funnel.outcome": ("choice", lambda _, now: now.outcome),
    "funnel.reason": ("text", lambda _, now: now.why or None),
    "funnel.stage": ("choice", _stage),
    "funnel.segment": ("choice", lambda _, now: now.segment),
    "funnel.fit": ("number", lambda _, now: now.fit),
    "funnel.interest": ("number", lambda _, now: now.interest),
    "funnel.handoff": ("choice", _handed),
    "funnel.handoff_reason": ("text", lambda _, now: now.reason or None),
    "funnel.qualified": ("datetime", lambda _, now: _moment(now.qualified_ms)),
    "funnel.delivered": ("datetime", lambda _, now: _moment(now.delivered_ms)),
    "funnel.accepted": ("datetime", lambda _, now: _moment(now.accepted_ms)),
    "funnel.rejected": ("datetime", lambda _, now: _moment(now.rejected_ms)),
    "clock.state": ("choice", lambda _, now: now.clock),
    "clock.start": ("datetime", lambda _, now: _moment(now.started_ms) if now.clock is not None else None),
    "clock.due": ("datetime", lambda _, now: _moment(now.due_ms)),
    "clock.first_touch": ("datetime", lambda _, now: _moment(now.touched_ms)),
    "clock.attempts": ("number", lambda _, now: now.attempts if now.clock is not None else None),
    "clock.sync_s": ("number", lambda _, now: now.sync_s),
    "clock.routing_s": ("number", lambda _, now: now.routing_s),
    "clock.rep_s": ("number", lambda _, now: now.rep_s),
}
"""Name -> type, and what it is. Blank where there is nothing to say."""

CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "funnel.outcome": OUTCOMES,
    "funnel.handoff": ("waiting", "delivered", "accepted", "rejected", "blocked", "out_of_scope"),
    "clock.state": CLOCKS,
}
"""What these may say: an attribute that takes only listed values has to list them."""

NAMES: Final = tuple(_ALL)
OUTCOME: Final = "funnel.outcome"
HANDED: Final = "funnel.handoff"
NURTURE_LIST: Final = "nurture_list"
"""What a change of the nurture list is called in plans: it is no field of a mapping."""


def derive(funnel: Funnel, names: frozenset[str], now: Standing) -> dict[str, Any]:
    """The values of these names, as a system would say them: text, numbers, moments in ISO 8601, None for blank."""
    return {name: _ALL[name][1](funnel, now) for name in names if name in _ALL}


def named_in(mapping: Compiled) -> frozenset[str]:
    """The derived attributes that a mapping uses, on either side."""
    return frozenset(
        f"{of}.{name}" for field in mapping.fields for of, name in field.rolled.values() if of in FUNNEL_SAYS
    )


def check_derived(funnel: Funnel | None, mappings: Mapping[str, Compiled]) -> Iterator[Problem]:
    """What is wrong with the use of derived attributes: no funnel, another mapping than its people's, no such name,
    another type."""
    for mapping in mappings.values():
        for field in mapping.fields:
            for of, last in field.rolled.values():
                if of not in FUNNEL_SAYS:
                    continue
                name = f"{of}.{last}"
                known = _ALL.get(name)
                if known is None:
                    yield at_place(field.place, f"there is no '{name}'", did_you_mean(name, _ALL) or ", ".join(_ALL))
                elif funnel is None:
                    yield at_place(field.place, f"'{name}' is told by the funnel, and there is none", "add funnel.toml")
                elif mapping.name != funnel.about.mapping:
                    said = f"'{name}' is told of the people of '{funnel.about.mapping}', and of nobody else"
                    yield at_place(field.place, said, f"move the field to the mapping '{funnel.about.mapping}'")
                elif field.type != known[0] and not {field.type, known[0]} <= _WORDS:
                    said = f"'{name}' gives {known[0]}, and '{field.name}' is of type \"{field.type}\""
                    yield at_place(field.place, said, f'type = "{known[0]}"')
