"""From the properties of a request to the values that will be stored, or the reason why not.

Promise: nothing is changed here. A refusal names every property that is wrong, and a value that HubSpot swallows in
silence is left out in silence (contract sections 3, 4.3, 7, 14, 17.3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.hubspot.sandbox import errors
from connectors.hubspot.sandbox.errors import PropertyError, Rejection
from connectors.hubspot.sandbox.portal import PORTAL_ID, Portal, Table
from connectors.hubspot.sandbox.records import Record, Source
from connectors.hubspot.sandbox.schema import stages
from connectors.hubspot.sandbox.values import BENDS, Invalid, as_text, bent, iso, written
from syncd.sandbox.faults import Fault


@dataclass
class Caller:
    """Who writes, and by which rules."""

    source: Source
    new: bool = True
    """2026-09 or later: its stricter and its more lenient rules (section 1.4)."""
    human: bool = False
    """A person in the UI: may move a stage back."""
    automation: bool = False
    """May write read-only values: HubSpot itself does."""
    faults: list[Fault] = field(default_factory=list)


@dataclass
class Prepared:
    """A write that will be accepted. `named`: the properties of the request, for the answer."""

    values: dict[str, str | None]
    named: list[str]
    warnings: list[dict[str, Any]]


class Conflict(Rejection):
    """409: another record has that value. `existing` is its id, which a batch's answer gives in a place of its own."""

    def __init__(self, existing: str | None, status: int = 409) -> None:
        super().__init__(status, errors.contact_exists(existing))
        self.existing = existing


Reserved = set[tuple[str, str]]
"""Unique values that earlier inputs of the same batch will take."""


def prepare(
    portal: Portal,
    table: Table,
    record: Record | None,
    properties: Any,
    caller: Caller,
    reserved: Reserved | None = None,
) -> Prepared:
    """Checks a create (`record` None) or an update. Rejection, or its kind Conflict, when it is refused whole."""
    if not isinstance(properties, Mapping):
        raise errors.validation("Invalid input JSON on line 1, column 1: properties must be an object")
    contact = table.kind.email is not None
    if not properties and (record is not None or not contact or portal.switches.empty_contact == "reject"):
        raise errors.validation("No properties found to update, please provide at least one.")
    prepared = Prepared({}, list(properties), [])
    wrong: list[PropertyError] = []
    for name, raw in properties.items():
        problem = _one(portal, table, record, name, raw, caller, prepared)
        if problem is not None:
            wrong.append(problem)
    if record is None:
        _complete(portal, table, prepared, caller, wrong)
    wrong += _conditional(portal, table, record, prepared, caller)
    wrong += _pipeline(portal, table, record, prepared)
    wrong += _unique(portal, table, record, prepared, reserved)
    if wrong:
        body = errors.properties_invalid(wrong, portal.switches.property_error_shape, PORTAL_ID)
        status = 400
        if portal.switches.unique_conflict_status == 409 and all(
            one.code == "CONFLICTING_UNIQUE_VALUE" for one in wrong
        ):
            status = 409
        raise Rejection(status, body)
    _email(portal, table, record, prepared, reserved)
    return prepared


def reserve(table: Table, prepared: Prepared, reserved: Reserved) -> None:
    """Notes the unique values that a prepared write will take."""
    for name, value in prepared.values.items():
        if value and (name == table.kind.email or name in table.unique):
            reserved.add((name, value.lower()))


def _one(
    portal: Portal, table: Table, record: Record | None, name: str, raw: Any, caller: Caller, prepared: Prepared
) -> PropertyError | None:
    definition = table.definitions.get(name)
    if definition is None or definition["archived"]:
        return PropertyError(name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
    if definition["modificationMetadata"]["readOnlyValue"] and not caller.automation:
        kind = "calculated" if definition["calculated"] else "read only"
        return PropertyError(name, "READ_ONLY_VALUE", f'"{name}" is a {kind} property; its value cannot be set.')
    if raw is None and not caller.human:
        if portal.switches.json_null == "ignore":
            return None
        if portal.switches.json_null == "reject":
            return PropertyError(name, "INVALID_STRING", f"The value of {name} must not be null")
    if raw is None or raw == "":
        prepared.values[name] = None
        return None
    old = record.values.get(name) if record else None
    try:
        value = written(definition, as_text(raw), old, portal.switches, caller.new)
    except Invalid as invalid:
        return PropertyError(name, invalid.code, invalid.message)
    if name == "hubspot_owner_id" and portal.switches.owner_check and not portal.owners.active(value.text):
        return PropertyError(name, "INVALID_OWNER_ID", f"{value.text} is not a valid owner id")
    if value.warning:
        prepared.warnings.append(value.warning)
    text = _bend(portal, table, name, value.text, caller)
    if not _swallowed(table, record, name, text, caller):
        prepared.values[name] = text or None
    return None


def _bend(portal: Portal, table: Table, name: str, text: str, caller: Caller) -> str:
    how = portal.switches.bend.get(table.kind.name, {}).get(name)
    for fault in caller.faults:
        if fault.kind == "bend" and fault.options.get("property") in (None, name):
            how = fault.options.get("how", how)
    if how is None or how.partition(":")[0] not in BENDS:
        return text
    return bent(text, how)


def _swallowed(table: Table, record: Record | None, name: str, text: str, caller: Caller) -> bool:
    """Whether the write is accepted and ignored: a stage set back by the API, or a fault that asks for it."""
    for fault in caller.faults:
        if fault.kind == "swallow" and name in fault.options.get("properties", [name]):
            return True
    if name != table.kind.stage or not table.kind.forward_only or caller.human or caller.automation:
        return False
    now = record.values.get(name) if record else None
    order = stages(table.kind, table.definitions)
    return now in order and text in order and order.index(text) < order.index(now)


def _complete(portal: Portal, table: Table, prepared: Prepared, caller: Caller, wrong: list[PropertyError]) -> None:
    """What a create needs or is given by default."""
    kind, given, pipelines = table.kind, prepared.values, table.pipelines
    if pipelines.property and not given.get(pipelines.property):
        owner = (
            pipelines.of_stage(given.get(kind.stage or "") or "")
            if portal.switches.stage_of_other == "follow"
            else None
        )
        given[pipelines.property] = (owner or pipelines.all[0]).id
    if kind.default_stage and kind.stage and not given.get(kind.stage):
        given[kind.stage] = portal.switches.default_lifecyclestage or None
    missing = [name for name in kind.required if not given.get(name)]
    if kind.required_any and not any(given.get(name) for name in kind.required_any):
        missing = list(kind.required_any)
    if missing and not wrong:
        message = f"Error creating {kind.label}. Some required properties were not set."
        raise errors.validation(message, context={"properties": missing})
    if caller.new and not caller.human and not caller.automation:
        wrong.extend(
            PropertyError(name, "MISSING_REQUIRED_PROPERTY", f"A value for {name} must be provided")
            for name in portal.switches.required_at_create.get(kind.name, [])
            if not given.get(name)
        )


def _conditional(
    portal: Portal, table: Table, record: Record | None, prepared: Prepared, caller: Caller
) -> list[PropertyError]:
    """The account's conditional rules; only 2026-09 and later enforce them on the API."""
    if not caller.new or caller.human or caller.automation:
        return []
    after = {**(record.values if record else {}), **prepared.values}
    return [
        PropertyError(
            rule["requires"],
            "MISSING_CONDITIONAL_REQUIRED_PROPERTY",
            f"{rule['requires']} is required because of a conditional property rule based on [{rule['property']}]",
        )
        for rule in portal.switches.conditional_required
        if rule["object"] == table.kind.name
        and rule["property"] in prepared.values
        and after.get(rule["property"]) == rule["value"]
        and not after.get(rule["requires"])
    ]


def _pipeline(portal: Portal, table: Table, record: Record | None, prepared: Prepared) -> list[PropertyError]:
    """Pipelines and stages must exist, and a stage must be one of the pipeline that the record will be in (7, 11)."""
    name, stage_name, given = table.pipelines.property, table.kind.stage, prepared.values
    if name is None or stage_name is None or not (given.get(name) or given.get(stage_name)):
        return []
    if given.get(name) and table.pipelines.get(given[name]) is None:
        return [_no_option(name, given[name], [one.id for one in table.pipelines.all])]
    after = {**(record.values if record else {}), **given}
    stage = after.get(stage_name) or ""
    owner = table.pipelines.of_stage(stage)
    if owner is None:
        return [_no_option(stage_name, stage, table.pipelines.stage_ids())]
    how = portal.switches.stage_of_other
    if owner.id == after.get(name) or how == "accept":
        return []
    if how == "follow":
        if given.get(stage_name):
            given[name] = owner.id
        else:
            moved = table.pipelines.get(after.get(name))
            given[stage_name] = moved.stages[0].id if moved and moved.stages else None
        return []
    pipeline = table.pipelines.get(after.get(name))
    return [_no_option(stage_name, stage, [one.id for one in pipeline.stages] if pipeline else [])]


def _no_option(name: str, value: str | None, allowed: Sequence[str]) -> PropertyError:
    return PropertyError(name, "INVALID_OPTION", f"{value} was not one of the allowed options: [{', '.join(allowed)}]")


def _unique(
    portal: Portal, table: Table, record: Record | None, prepared: Prepared, reserved: Reserved | None
) -> list[PropertyError]:
    """Values of custom unique properties that others hold; case does not tell them apart."""
    wrong = []
    for name, holders in table.unique.items():
        value = (prepared.values.get(name) or "").lower()
        if not value:
            continue
        holder = holders.get(value)
        taken = holder is not None and (record is None or table.resolve(holder) != record.id)
        if taken or (name, value) in (reserved or ()):
            message = f"A unique value for {name} is already used by another {table.kind.singular}"
            wrong.append(PropertyError(name, "CONFLICTING_UNIQUE_VALUE", message))
    return wrong


def _email(portal: Portal, table: Table, record: Record | None, prepared: Prepared, reserved: Reserved | None) -> None:
    """E-mail is unique over primary and additional addresses of all contacts."""
    email = prepared.values.get(table.kind.email or "")
    if not email:
        return
    holder = table.emails.get(email)
    if holder is not None:
        owns = record is not None and table.resolve(holder) == record.id
        if owns and record is not None and email != record.values.get("email"):
            if portal.switches.own_additional_email == "conflict":
                raise Conflict(holder, portal.switches.email_taken_on_update)
            others = [one for one in record.emails() if one != email]
            prepared.values["hs_additional_emails"] = ";".join(others) or None
        elif not owns:
            raise Conflict(holder, 409 if record is None else portal.switches.email_taken_on_update)
    if reserved is not None and ("email", email) in reserved:
        raise Conflict(None)
    if holder is None and email in table.forgotten and portal.switches.gdpr_blocks_email:
        message = f"Email address {email} has been blocklisted by a privacy deletion"
        wrong = PropertyError("email", "GDPR_BLOCKLISTED", message)
        raise Rejection(400, errors.properties_invalid([wrong], portal.switches.property_error_shape, PORTAL_ID))


def close_date(portal: Portal, table: Table, record: Record | None, prepared: Prepared) -> None:
    """Entering a closed deal stage sets the close date by itself, unless the request says one."""
    stage = table.pipelines.stage(prepared.values.get("dealstage") or "")
    if table.kind.name != "deals" or not portal.switches.deal_close_sets_closedate or "closedate" in prepared.values:
        return
    if stage is not None and stage.closed and (record is None or record.values.get("dealstage") != stage.id):
        prepared.values["closedate"] = iso(portal.clock.now_ms())
