"""Safe mode: a ledger that forgot something sends nothing until a person has looked.

A ledger that was restored from a backup, or lost and begun anew, does not know what was written since. Both sides are
read, links are rebuilt from the keys on the records and from the match rules, and what both sides agree on settles;
whatever would be written waits as a held plan, whatever the limits or `--yes` say. `syncd approve` ends it, mapping by
mapping.
"""

from __future__ import annotations

from collections.abc import Iterable

from syncd.ledger import Ledger
from syncd.ledger.journal import Note

KIND = "safe_mode"
"""The kind of its issue."""


def enter(ledger: Ledger, mappings: Iterable[str], why: str, now: float, *, replan: bool = True) -> None:
    """Nothing of these mappings is sent from here on, and nothing that an older plan allowed. `replan`: what is planned
    comes from another time, and is decided anew."""
    names = sorted({*mappings})
    with ledger.transaction():
        ledger.epoch.enter_safe(names, why)
        for name in names:
            if replan:
                ledger.intents.drop_unsent(name)
                ledger.books.forget_decided(name)
            ledger.inbox.raise_issue(
                KIND,
                name,
                f"safe mode: {why}; nothing is sent",
                f"Look at what would be written: `syncd plan {name}`. Let it go on: `syncd approve {name}`.",
                now,
            )
        ledger.journal.write([Note(KIND, f"safe mode: {why}", name) for name in names], now, None)


def leave(ledger: Ledger, mapping: str, now: float) -> None:
    """A person has looked at the plan and released it."""
    ledger.epoch.leave_safe(mapping)
    ledger.inbox.close_issues(now, kind=KIND, mapping=mapping)
