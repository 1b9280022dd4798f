"""Marketing's own things: forms and campaigns; and the traces that people leave on their contact (contract section 13).

Promise: a trace is a change like any other (stamp, history, index), with the source that HubSpot gives it. Nobody else
may write what it sets.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from connectors.hubspot.sandbox.records import Record, Source
from connectors.hubspot.sandbox.values import iso
from syncd.sandbox.business import CAMPAIGNS

SEED_MS = 1_704_067_200_000
_NAMES = uuid.UUID("5f6d3a52-5a0b-4f0e-9a53-0d6a7a6b7c10")

Json = dict[str, Any]
Trace = tuple[dict[str, str | None], Source]
"""What somebody left on their contact, and who HubSpot says wrote it."""


@dataclass
class Form:
    """One form of the account."""

    id: str
    name: str
    created_ms: int

    def to_json(self) -> Json:
        """As the API shows it: whole enough for HubSpot's own client."""
        email = {"objectTypeId": "0-1", "name": "email", "label": "Email", "required": True, "hidden": False}
        validation = {"blockedEmailDomains": [], "useDefaultBlockList": False}
        field: Json = {**email, "fieldType": "email", "validation": validation}
        return {
            "id": self.id,
            "name": self.name,
            "formType": "hubspot",
            "createdAt": iso(self.created_ms),
            "updatedAt": iso(self.created_ms),
            "archived": False,
            "fieldGroups": [{"groupType": "default_group", "richTextType": "text", "fields": [field]}],
            "configuration": {
                "language": "en",
                "cloneable": True,
                "editable": True,
                "archivable": True,
                "recaptchaEnabled": False,
                "notifyContactOwner": False,
                "notifyRecipients": [],
                "createNewContactForNewEmail": True,
                "prePopulateKnownValues": True,
                "allowLinkToResetKnownValues": False,
                "lifecycleStages": [],
                "postSubmitAction": {"type": "thank_you", "value": "Thank you"},
            },
            "displayOptions": {
                "renderRawHtml": False,
                "theme": "default_style",
                "submitButtonText": "Submit",
                "style": {
                    "fontFamily": "sans-serif",
                    "backgroundWidth": "100%",
                    "labelTextColor": "#33475b",
                    "labelTextSize": "14px",
                    "helpTextColor": "#7C98B6",
                    "helpTextSize": "11px",
                    "legalConsentTextColor": "#33475b",
                    "legalConsentTextSize": "14px",
                    "submitColor": "#ff7a59",
                    "submitAlignment": "left",
                    "submitFontColor": "#ffffff",
                    "submitSize": "12px",
                },
            },
            "legalConsentOptions": {"type": "none"},
        }


@dataclass
class Campaign:
    """One campaign; its properties are texts."""

    id: str
    properties: dict[str, str]
    created_ms: int
    updated_ms: int

    def to_json(self, names: list[str]) -> Json:
        """As the API shows it: only the properties that were asked for."""
        return {
            "id": self.id,
            "properties": {name: self.properties[name] for name in names if name in self.properties},
            "createdAt": iso(self.created_ms),
            "updatedAt": iso(self.updated_ms),
        }


class Marketing:
    """The account's forms and campaigns: one of each for the two offers of the demo."""

    def __init__(self) -> None:
        self.forms = {one.id: one for one in (Form(_guid("form", name), name, SEED_MS) for name in CAMPAIGNS)}
        self.campaigns: dict[str, Campaign] = {}
        for name in CAMPAIGNS:
            self.campaign({"hs_name": name, "hs_campaign_status": "active"}, SEED_MS)

    def form(self, name: str, now_ms: int) -> Form:
        """The form of that name or id; made, where there is none."""
        for one in self.forms.values():
            if name in (one.id, one.name):
                return one
        made = Form(_guid("form", name), name, now_ms)
        self.forms[made.id] = made
        return made

    def campaign(self, properties: dict[str, str], now_ms: int) -> Campaign:
        """A new campaign. `hs_name` names it."""
        made = Campaign(_guid("campaign", properties["hs_name"]), dict(properties), now_ms, now_ms)
        self.campaigns[made.id] = made
        return made


def _guid(kind: str, name: str) -> str:
    return str(uuid.uuid5(_NAMES, f"{kind}:{name}"))


# ---------------------------------------------------------------- traces


def submitted(record: Record, form: Form, page: str, source: str, now_ms: int) -> Trace:
    """What a form submission leaves: the conversion properties, and a visit. `page`: where the form stood."""
    stamp, held = iso(now_ms), record.values
    event = f"{page}: {form.name}" if page else form.name
    earlier = {version.value for version in record.versions("recent_conversion_event_name")}
    changes: dict[str, str | None] = {
        "recent_conversion_date": stamp,
        "recent_conversion_event_name": event,
        "num_conversion_events": str(int(held.get("num_conversion_events", "0")) + 1),
        "num_unique_conversion_events": str(
            int(held.get("num_unique_conversion_events", "0")) + (event not in earlier)
        ),
        **_visit(record, page, source, now_ms),
    }
    if "first_conversion_date" not in held:
        changes |= {"first_conversion_date": stamp, "first_conversion_event_name": event}
    return changes, Source("FORM", form.id, form.name, None)


def clicked(record: Record, email: str, now_ms: int) -> Trace:
    """What a click in a marketing e-mail leaves: it was opened too, and the visitor came by e-mail."""
    stamp = iso(now_ms)
    changes: dict[str, str | None] = {
        "hs_email_last_click_date": stamp,
        "hs_email_last_open_date": stamp,
        "hs_email_last_email_name": email or None,
        **_visit(record, "", "EMAIL_MARKETING", now_ms),
    }
    return changes, Source("EMAIL", "email:1", email or "Marketing email", None)


def viewed(record: Record, page: str, source: str, now_ms: int) -> Trace:
    """What a page view leaves."""
    return _visit(record, page, source, now_ms), Source("ANALYTICS", "analytics", "Analytics", None)


def _visit(record: Record, page: str, source: str, now_ms: int) -> dict[str, str | None]:
    stamp, held = iso(now_ms), record.values
    changes: dict[str, str | None] = {
        "hs_analytics_last_timestamp": stamp,
        "hs_analytics_num_page_views": str(int(held.get("hs_analytics_num_page_views", "0")) + 1),
    }
    if "hs_analytics_first_timestamp" not in held:
        changes["hs_analytics_first_timestamp"] = stamp
    if page:
        changes["hs_analytics_last_url"] = page
        if "hs_analytics_first_url" not in held:
            changes["hs_analytics_first_url"] = page
    if source:
        changes |= {"hs_latest_source": source, "hs_latest_source_timestamp": stamp}
    return changes
