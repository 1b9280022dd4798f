"""Every number of a report by a name that people can type: `won.EUR`, `rows.Web, Choosing a maker.amounts.first`.

Promise: within one report a name means one figure; whoever has a number before them can open it. It reads no ledger.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

LABELS = ("cohort", "source", "campaign", "name", "by", "cause", "reason", "model", "currency")
"""What tells the rows of a list apart, in this order."""
NAMELESS = {"source": "unknown", "campaign": "none", "name": "unknown", "reason": "no reason"}


def figures_of(facts: Any, path: str = "", stages: tuple[str, ...] = ()) -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, figure) of every number that can be opened."""
    if isinstance(facts, dict):
        if set(facts) >= {"value", "records"}:
            if facts["records"] is not None:
                yield path, facts
            return
        stages = tuple(one["stage"] for one in facts.get("stages", ()) if isinstance(one, dict)) or stages
        for name, part in facts.items():
            if isinstance(part, dict | list):
                yield from figures_of(part, f"{path}.{name}" if path else name, stages)
    elif isinstance(facts, list):
        seen: dict[str, int] = {}
        for at, part in enumerate(facts):
            label = stages[at] if path.endswith("reached") and at < len(stages) else _label(part, at)
            seen[label] = seen.get(label, 0) + 1
            again = f" {seen[label]}" if seen[label] > 1 else ""
            yield from figures_of(part, f"{path}.{label}{again}", stages)


def _label(part: Any, at: int) -> str:
    if not isinstance(part, dict):
        return str(at)
    known = [
        str(part[name] or NAMELESS.get(name, ""))
        for name in LABELS
        if name in part and (isinstance(part[name], str) or (part[name] is None and name in NAMELESS))
    ]
    amount = part.get("amount")
    if isinstance(amount, dict) and "currency" not in part:
        known.append(str(amount.get("currency") or ""))
    return ", ".join(one for one in known if one) or str(at)
