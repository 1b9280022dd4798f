"""Lives for a ledger that nobody lived: how people came, qualified, were handed over, called, won or given back.

A life is a kind and the day it began; everybody of one life has the same moments, told to the very functions that a
cycle settles people with. So a million people cost some ten thousand settlings, and stand where a cycle would put them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from syncd.core.standing import Said, Standing, settle
from syncd.funnel.gathering import Scope, replace_said
from syncd.ledger.facts import Fact

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
CONTACTS, LEADS, SALES_CONTACTS = 1, 2, 3
"""Object numbers in the synthetic ledger."""


@dataclass(frozen=True)
class Kind:
    """How somebody's life went. Hours count from the morning on which they came."""

    name: str
    part: int
    """Of a thousand people."""
    stage: str
    score: int
    linked_h: float | None = None
    """Since when there is a partner in sales; None: there is none."""
    qualified_h: float | None = None
    crm: str = ""
    """Sales' status; `Contact`: converted."""
    reason: str = ""
    calls_h: tuple[float, ...] = ()
    gone: bool = False
    cooled: bool = False
    """Met the definition, and does not any more."""
    blocked: str = ""


OPEN, WORKING, CLOSED = "Open - Not Contacted", "Working - Contacted", "Closed - Not Converted"
_MQL, _SQL = "marketingqualifiedlead", "salesqualifiedlead"
_HANDED: dict[str, Any] = {"qualified_h": 75.0, "linked_h": 75.25}
KINDS = (
    Kind("asked to hear from us", 300, "subscriber", 5),
    Kind("known", 110, "lead", 20),
    Kind("known on both sides", 110, "lead", 20, linked_h=30),
    Kind("interest without fit", 120, "lead", 70),
    Kind("fit without interest", 110, _MQL, 30, linked_h=30),
    Kind("called in time", 40, _MQL, 80, crm=OPEN, calls_h=(76, 100, 124), **_HANDED),
    Kind("called late", 20, _MQL, 80, crm=OPEN, calls_h=(150,), **_HANDED),
    Kind("never called", 20, _MQL, 80, crm=OPEN, **_HANDED),
    Kind("worked on", 50, _SQL, 80, crm=WORKING, calls_h=(77, 90, 101, 130, 160), **_HANDED),
    *(
        Kind(f"given back: {reason}", 8, "lead", 80, crm=CLOSED, reason=reason, calls_h=(78, 102), **_HANDED)
        for reason in ("No budget", "No need", "Bad timing", "Wrong contact", "Unreachable")
    ),
    Kind("with a deal", 30, "opportunity", 90, crm="Contact", calls_h=(76, 100), **_HANDED),
    Kind("customer", 25, "customer", 95, crm="Contact", calls_h=(76, 100, 150), **_HANDED),
    Kind("waiting", 5, _MQL, 80, qualified_h=75),
    Kind("blocked", 8, _MQL, 80, qualified_h=75, blocked="ambiguous"),
    Kind("cooled down", 7, _MQL, 80, qualified_h=75, cooled=True),
    Kind("gone", 5, _MQL, 80, qualified_h=75, gone=True),
)
DEALS_OF = {"with a deal": ("open", "lost"), "customer": ("won", "won")}


@dataclass(frozen=True)
class Life:
    """One life: what both records say but for names, and where such a person stands."""

    kind: Kind
    came_ms: int
    stamp_ms: int
    marketing: Mapping[str, Any]
    crm: Mapping[str, Any]
    crm_ms: int
    linked_ms: int | None
    calls_ms: tuple[int, ...]
    standing: Standing


def lived(scope: Scope, kind: Kind, day: int, title: str, now_ms: int) -> Life:
    """The life of somebody who came on that day, as it stands now. Who came lately has not got further than that."""
    came_ms = (day - datetime(1970, 1, 1).toordinal()) * DAY_MS + 9 * HOUR_MS

    def moment(hours: float | None) -> int | None:
        at_ms = None if hours is None else came_ms + round(hours * HOUR_MS)
        return at_ms if at_ms is not None and at_ms <= now_ms else None

    qualified, linked = moment(kind.qualified_h), moment(kind.linked_h)
    late = kind.qualified_h is not None and qualified is None
    if late:
        kind = _before(kind)
    stamp_ms = qualified or came_ms
    calls = tuple(at for hours in kind.calls_h if (at := moment(hours)) is not None)
    crm_ms = (calls[-1] if calls else linked or 0) + HOUR_MS // 2 if linked else 0
    crm_ms = min(crm_ms, now_ms)
    marketing = {
        "lifecyclestage": kind.stage,
        "hubspotscore": kind.score,
        "createdate": iso(came_ms),
        "jobtitle": title,
        "hs_email_optout": None,
        "crm_email_optout": None,
    }
    crm: dict[str, Any] = {}
    if linked is not None:
        crm = {"HasOptedOutOfEmail": False}
        if kind.crm != "Contact":
            crm |= {"Status": kind.crm or OPEN, "Rejection_Reason__c": kind.reason or None}
    final = _said(scope, kind, marketing, crm, stamp_ms, crm_ms, linked, calls)
    standing = None
    if qualified is not None:
        first = {**marketing, "lifecyclestage": _MQL, "hubspotscore": 80}
        met = _said(scope, kind, first, {}, qualified, 0, None, ())
        standing = settle(scope.funnel, msgspec.structs.replace(met, live=True), None, qualified + 60_000, 1)
        if linked is not None:
            fresh = {"HasOptedOutOfEmail": False, "Status": OPEN, "Rejection_Reason__c": None}
            handed = _said(scope, kind, first, fresh, qualified, linked, linked, (), form="Lead")
            standing = settle(scope.funnel, handed, standing, linked + 60_000, 1)
    if kind.cooled:
        marketing = {**marketing, "hubspotscore": 10}
        final = _said(scope, kind, marketing, crm, stamp_ms, crm_ms, linked, calls)
    if linked is not None and crm_ms:
        standing = settle(scope.funnel, final, standing, crm_ms + 60_000, 1)
    standing = settle(scope.funnel, final, standing, now_ms, 1)
    return Life(kind, came_ms, stamp_ms, marketing, crm, crm_ms, linked, calls, standing)


def _before(kind: Kind) -> Kind:
    """The same person before anything came of it."""
    return Kind(kind.name, kind.part, "lead", 20)


def _said(
    scope: Scope,
    kind: Kind,
    marketing: Mapping[str, Any],
    crm: Mapping[str, Any],
    stamp_ms: int,
    crm_ms: int,
    linked_ms: int | None,
    calls: tuple[int, ...],
    form: str = "",
) -> Said:
    """What a cycle would gather of these two records."""
    known = {"email": "a@b.example", "lead_source": None, "first_conversion_event_name": None}
    fact = Fact(CONTACTS, "1", 1, stamp_ms, "gone" if kind.gone else "live", None, False, {**known, **marketing})
    said = scope._alone("contacts", fact, kind.blocked)
    if linked_ms is None:
        return said
    handed = kind.qualified_h is not None
    said = replace_said(said, linked_ms=linked_ms, handed=handed, touches=calls)
    form = form or ("Contact" if kind.crm == "Contact" else "Lead")
    theirs = Fact(LEADS, "1", 1, crm_ms, "live", None, False, {**crm, "OwnerId": owner_key(0)})
    return scope._beside(said, form, theirs)


def iso(at_ms: int) -> str:
    """A moment as HubSpot writes it."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def owner_key(n: int) -> str:
    """Sales' key of a user."""
    return f"005{n:015d}"


def owner_email(n: int) -> str:
    """Whom both systems know a user by."""
    return f"rep{n:03d}@widgets.example"
