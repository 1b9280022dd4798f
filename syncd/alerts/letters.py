"""What alerts say: one message for all that a receiver does not know yet, as text and as JSON.

Promise: it names records by system, object and key. The owner of a record is named only where `persons` allows it, and
no other value of anybody's is known here. It sends nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from syncd.ledger import Ledger
from syncd.ledger.alerts import Alert
from syncd.view.moment import iso

FOLLOW_UP = "follow_up"
RECOVERED = ("met", "met_late", "over")
_CLOCKS = {
    "due_soon": "Follow-up due soon",
    "breached": "Follow-up overdue",
    "met": "Followed up in time after all",
    "met_late": "Followed up, late",
}


@dataclass(frozen=True)
class Letter:
    """A message, in every form that a receiver may want. `id` is the same when it is sent again."""

    id: str
    subject: str
    text: str
    doc: dict[str, Any] = field(default_factory=dict)
    html: str | None = None


def letter(ledger: Ledger, alerts: Sequence[Alert], link: str | None, *, persons: bool) -> Letter:
    """One message about these."""
    told = [_told(ledger, alert, link, persons=persons) for alert in alerts]
    id_ = _id([str(alert.id) for alert in alerts])
    lines = [
        one["text"] + (f" {one['record']['link']}" if one["record"] and one["record"]["link"] else "") for one in told
    ]
    subject = f"syncd: {told[0]['text']}" if len(told) == 1 else f"syncd: {len(told)} alerts"
    return Letter(id_, subject, "\n".join(lines) + "\n", {"message": id_, "test": False, "alerts": told})


def trial(at: float) -> Letter:
    """A message that only shows that messages arrive."""
    text = "This is a test: syncd can reach you."
    alert = {
        "id": 0, "event": "test", "state": "test", "before": None, "recovered": False, "at": iso(at), "text": text,
        "record": None,
    }  # fmt: skip
    id_ = _id(["test", str(at)])
    return Letter(id_, "syncd: test", text + "\n", {"message": id_, "test": True, "alerts": [alert]})


def of_week(week: str, digest: dict[str, Any]) -> Letter:
    """The digest of a week."""
    id_ = _id(["digest", week])
    return Letter(id_, f"syncd: week {week}", digest["text"], {"message": id_, "week": week}, digest["html"])


def _id(parts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:20]


def _told(ledger: Ledger, alert: Alert, link: str | None, *, persons: bool) -> dict[str, Any]:
    said = alert.said
    record = None
    if alert.object:
        system, name = ledger.facts.name_of(alert.object)
        path = "/".join(quote(part, safe="") for part in (system, name, alert.key))
        record = {
            "system": system,
            "object": name,
            "key": alert.key,
            "link": f"{link}/records/{path}" if link else None,
        }
    told = {
        "id": alert.id,
        "event": alert.kind,
        "state": said.get("state"),
        "before": said.get("before"),
        "recovered": said.get("state") in RECOVERED,
        "at": iso(alert.at),
        "record": record,
    }
    if alert.kind == FOLLOW_UP:
        told |= {"due_at": iso(_seconds(said.get("due_ms"))), "segment": said.get("segment")}
        if persons:
            told["owner"] = said.get("owner") or None
    else:
        told["about"] = said.get("about")
    return {**told, "text": _sentence(told, said)}


def _sentence(told: dict[str, Any], said: dict[str, Any]) -> str:
    if told["event"] != FOLLOW_UP:
        return str(said.get("text", ""))
    record = told["record"]
    text = _CLOCKS.get(str(told["state"]), "Follow-up")
    text += f": {record['system']} {record['object']} {record['key']}" if record else ""
    if told["due_at"]:
        text += f", due {str(told['due_at'])[:16].replace('T', ' ')} UTC"
    return text + (f", owner {told['owner']}" if told.get("owner") else "") + "."


def _seconds(at_ms: Any) -> float | None:
    return at_ms / 1000 if isinstance(at_ms, int) else None
