"""A scripted org with a described Lead, and a condition that it honours."""

from __future__ import annotations

from typing import Any

from salesforce_scripted import Asked, Scripted

STAMP = "2026-11-21T10:00:00.000+0000"
DESCRIBE = {
    "fields": [
        {"name": "Id", "type": "id", "nillable": False, "defaultedOnCreate": True, "length": 18},
        {"name": "LastName", "type": "string", "length": 80, "createable": True, "updateable": True, "nillable": False},
        {
            "name": "Status",
            "type": "picklist",
            "createable": True,
            "updateable": True,
            "nillable": False,
            "defaultedOnCreate": True,
            "restrictedPicklist": True,
            "picklistValues": [{"value": "Open", "active": True}, {"value": "Old", "active": False}],
        },
        {"name": "Score__c", "type": "double", "calculated": True, "label": "Score"},
        {
            "name": "Syncd_Key__c",
            "type": "string",
            "externalId": True,
            "unique": True,
            "createable": True,
            "updateable": True,
        },
    ]
}


def described() -> Scripted:
    """An org that honours conditions and has the key field."""
    scripted = Scripted()
    scripted.on("GET", "/describe", DESCRIBE)
    scripted.on("POST", "/composite$", probe_or(lambda part: (204, None)))
    return scripted


def probe_or(answer: Any, probe: int = 412) -> Any:
    """A composite endpoint that answers the probe with `probe` and each other part by `answer`."""

    def say(asked: Asked) -> dict[str, Any]:
        parts = []
        for part in asked.body["compositeRequest"]:
            status, body = (probe, None) if part["method"] == "GET" else answer(part)
            parts.append({"body": body, "httpStatusCode": status, "referenceId": part["referenceId"]})
        return {"compositeResponse": parts[::-1]}  # never to be matched by position

    return say
