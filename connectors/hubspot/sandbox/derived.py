"""What HubSpot sets by itself when a record is created or changed (contract sections 7, 13 and 14).

Promise: pure: given the state, it names the values that follow. It never overrides what was written in the same
request, except values that nobody can write.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from connectors.hubspot.sandbox.values import iso, to_ms

if TYPE_CHECKING:
    from connectors.hubspot.sandbox.portal import Table
    from connectors.hubspot.sandbox.records import Record, Source

DAY_MS = 86_400_000
RATES = {"USD": Decimal("0.9"), "GBP": Decimal("1.2"), "SEK": Decimal("0.09"), "CHF": Decimal("1.05")}
"""Units of the account's own currency, EUR, for one of another."""
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
    for name, value in {**_computed(table, values), **_entered(table, values, now_ms)}.items():
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
    follow.update(_computed(table, {name: value for name, value in after.items() if value}))
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


def _computed(table: Table, values: dict[str, str]) -> dict[str, str | None]:
    if table.kind.name == "contacts":
        found: dict[str, str | None] = {"hs_email_domain": values.get("email", "").partition("@")[2] or None}
        for phone, searchable in _PHONES.items():
            digits = "".join(char for char in values.get(phone, "") if char.isdigit())
            found[searchable] = digits[-10:] or None
        return found
    if table.kind.name == "deals":
        return _deal(table, values)
    return {}


def _deal(table: Table, values: dict[str, str]) -> dict[str, str | None]:
    stage = table.pipelines.stage(values.get("dealstage", ""))
    if stage is None:
        return {}
    closed, probability = stage.closed, stage.metadata.get("probability", "0.0")
    won = closed and float(probability) > 0
    amount = Decimal(values.get("amount") or 0)
    home = amount * RATES.get(values.get("deal_currency_code", ""), Decimal(1))
    return {
        "hs_is_closed": "true" if closed else "false",
        "hs_is_closed_won": "true" if won else "false",
        "hs_is_closed_lost": "true" if closed and not won else "false",
        "hs_deal_stage_probability": probability,
        "hs_closed_amount": _plain(amount if won else Decimal(0)),
        "hs_projected_amount": _plain(amount * Decimal(probability)),
        "hs_forecast_amount": _plain(amount * Decimal(probability)),
        "amount_in_home_currency": _plain(home) if values.get("amount") else None,
        "days_to_close": _days(values),
    }


def _days(values: dict[str, str]) -> str | None:
    """Whole days from the deal's making to its close date; None while it has none."""
    made, closes = to_ms(values.get("createdate", "")), to_ms(values.get("closedate", ""))
    return None if made is None or closes is None else str(max(0, (closes - made) // DAY_MS))


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
