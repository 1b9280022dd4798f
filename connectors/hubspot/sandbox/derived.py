"""What HubSpot sets by itself when a record is created or changed (contract sections 7, 13 and 14).

Promise: pure: given the state, it names the values that follow. It never overrides what was written in the same
request, except values that nobody can write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.hubspot.sandbox.objects import PIPELINE_PROPERTY, PIPELINES
from connectors.hubspot.sandbox.values import iso, to_ms

if TYPE_CHECKING:
    from connectors.hubspot.sandbox.portal import Table
    from connectors.hubspot.sandbox.records import Record, Source

_PHONES = {
    "phone": "hs_searchable_calculated_phone_number",
    "mobilephone": "hs_searchable_calculated_mobile_number",
}


def at_creation(table: Table, values: dict[str, str], source: Source, now_ms: int) -> dict[str, str]:
    """Values that a new record has beside those that were given."""
    kind = table.kind
    label = {"INTEGRATION": "Integration", "CRM_UI": "CRM UI"}.get(source.type, source.type.title())
    added = {"hs_object_source": source.type, "hs_object_source_id": source.id, "hs_object_source_label": label}
    if kind.email is not None:
        added.update(hs_is_unworked="true", hs_pipeline="contacts-lifecycle-pipeline")
        if "hs_analytics_source" not in values:
            added.update(hs_analytics_source="OFFLINE", hs_latest_source="OFFLINE")
            added.update(hs_analytics_source_data_1=source.type, hs_analytics_source_data_2=source.id)
    for name, value in {**_computed(kind.name, values), **_entered(table, values, now_ms)}.items():
        if value:
            added[name] = value
    return added


def after_change(table: Table, record: Record, moved: dict[str, str | None], now_ms: int) -> dict[str, str | None]:
    """Values that follow from a change; None clears."""
    if not moved:
        return {}
    after = {**record.values, **{name: value or "" for name, value in moved.items()}}
    follow: dict[str, str | None] = {}
    if "hs_analytics_source" in moved:
        follow.update(hs_analytics_source_data_1=None, hs_analytics_source_data_2=None)
    stage = table.kind.stage
    if stage is not None and stage in moved:
        follow.update(_left(record, stage, now_ms))
        follow.update(_entered(table, after, now_ms))
    follow.update(_computed(table.kind.name, {name: value for name, value in after.items() if value}))
    return {name: value for name, value in follow.items() if name not in moved and record.values.get(name) != value}


def _entered(table: Table, values: dict[str, str], now_ms: int) -> dict[str, str | None]:
    stage = values.get(table.kind.stage or "")
    if not stage:
        return {}
    stamp = iso(now_ms)
    entered: dict[str, str | None] = {f"hs_v2_date_entered_{stage}": stamp, "hs_v2_date_entered_current_stage": stamp}
    if table.kind.stage == "lifecyclestage":
        entered[f"hs_lifecyclestage_{stage}_date"] = stamp
    return entered


def _left(record: Record, property_name: str, now_ms: int) -> dict[str, str | None]:
    stage = record.values.get(property_name)
    if not stage:
        return {}
    since_ms = to_ms(record.values.get(f"hs_v2_date_entered_{stage}", "")) or now_ms
    before = int(record.values.get(f"hs_v2_cumulative_time_in_{stage}", "0"))
    return {
        f"hs_v2_date_exited_{stage}": iso(now_ms),
        f"hs_v2_latest_time_in_{stage}": str(now_ms - since_ms),
        f"hs_v2_cumulative_time_in_{stage}": str(before + now_ms - since_ms),
        "hs_v2_date_entered_current_stage": None,
    }


def _computed(object_name: str, values: dict[str, str]) -> dict[str, str | None]:
    if object_name == "contacts":
        found: dict[str, str | None] = {"hs_email_domain": values.get("email", "").partition("@")[2] or None}
        for phone, searchable in _PHONES.items():
            digits = "".join(char for char in values.get(phone, "") if char.isdigit())
            found[searchable] = digits[-10:] or None
        return found
    if object_name == "deals":
        return _deal(values)
    return {}


def _deal(values: dict[str, str]) -> dict[str, str | None]:
    stages = {stage[0]: stage[2] for pipeline in PIPELINES["deals"] for stage in pipeline["stages"]}  # type: ignore[attr-defined]
    facts = stages.get(values.get("dealstage", ""))
    if facts is None:
        return {}
    closed, probability = facts["isClosed"] == "true", facts["probability"]
    won = closed and float(probability) > 0
    amount = float(values.get("amount") or 0)
    return {
        "hs_is_closed": "true" if closed else "false",
        "hs_is_closed_won": "true" if won else "false",
        "hs_is_closed_lost": "true" if closed and not won else "false",
        "hs_deal_stage_probability": probability,
        "hs_closed_amount": f"{amount:g}" if won else "0",
        "hs_projected_amount": f"{amount * float(probability):g}",
        "amount_in_home_currency": values.get("amount"),
    }


def pipeline_of(object_name: str, stage: str) -> str | None:
    """The pipeline that has that stage; None when none has."""
    for pipeline in PIPELINES.get(object_name, []):
        if any(one[0] == stage for one in pipeline["stages"]):  # type: ignore[attr-defined]
            return str(pipeline["id"])
    return None


def default_pipeline(object_name: str) -> tuple[str, str] | None:
    """(property, value) of the object's default pipeline."""
    name = PIPELINE_PROPERTY.get(object_name)
    return (name, str(PIPELINES[object_name][0]["id"])) if name else None
