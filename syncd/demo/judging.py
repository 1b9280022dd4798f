"""What the judges share: a difference, and how values of two systems are compared without the engine's help.

Promise: everything here is written anew, on purpose: a mistake in the engine must not excuse itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from syncd.demo.company import Cast

Owners = tuple[dict[str, str], dict[str, str]]
"""Address of everybody who may own records, by id, in marketing and in sales."""


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it should be. The keys are those of its record in marketing and in sales: nobody's
    values are shown."""

    what: str
    marketing: str | None = None
    sales: str | None = None

    def __str__(self) -> str:
        return f"{self.what} (in marketing {self.marketing}, in sales {self.sales})"


def owners(cast: Cast) -> Owners:
    """Who may own records now."""
    hubspot = cast.hubspot.state("owners")["owners"].values()
    return (
        {str(one["id"]): plain(one["email"]) for one in hubspot if not one.get("archived")},
        {key: plain(row.get("Email")) for key, row in cast.rows("User").items() if row.get("IsActive")},
    )


def owner_differs(known: Owners, values: dict[str, Any], row: dict[str, Any]) -> bool:
    """Whether two records belong to two people; a queue, or somebody who left, says nothing."""
    ours, theirs = known[0].get(str(values.get("hubspot_owner_id"))), known[1].get(str(row.get("OwnerId")))
    return bool(ours and theirs and ours != theirs)


def plain(text: Any) -> str:
    """Without outer spaces and capitals."""
    return str(text or "").strip().lower()


def same_text(one: Any, other: Any) -> bool:
    """What a create had to put into a required blank is no difference."""
    a, b = " ".join(str(one or "").split()), " ".join(str(other or "").split())
    return a == b or (not a and b == "[not given]")


def digits(text: Any) -> str:
    """The digits alone."""
    return re.sub(r"\D", "", str(text or ""))
