"""Merging two records (contract section 6).

Promise: both old ids lead to the result for ever, through any number of further merges; nothing of the loser is kept
but what the contract says. It cannot be undone.
"""

from __future__ import annotations

from connectors.hubspot.sandbox.errors import Rejection, error
from connectors.hubspot.sandbox.portal import Portal, Table
from connectors.hubspot.sandbox.records import Record, Source, Version
from connectors.hubspot.sandbox.schema import stages
from connectors.hubspot.sandbox.values import iso

MAX_IDENTITIES = 250


def merge(portal: Portal, table: Table, primary: Record, other: Record, source: Source) -> Record:
    """Merges `other` into `primary`; returns the survivor, which has a new id unless the switches say otherwise."""
    merged = [*primary.merged, *other.merged, primary.id, other.id]
    if len(merged) > MAX_IDENTITIES:
        raise Rejection(400, error("Cannot have more than 250 identities on a profile", "VALIDATION_ERROR"))
    now_ms = portal.clock.now_ms()
    how = portal.switches.merge_id if table.kind.merge == "new" else portal.switches.deals_merge_id
    new_id = how == "new"
    values = _values(table, primary, other)
    for gone in (primary, other):
        portal.drop(table, gone)
    if new_id:
        survivor_id = str(table.next_id)
        table.next_id += 1
    else:
        survivor_id = primary.id
        merged.remove(primary.id)
    values["hs_object_id"] = survivor_id
    values["hs_merged_object_ids"] = ";".join(merged)
    if table.kind.email is not None:
        values["hs_calculated_merged_vids"] = ";".join(f"{one}:{now_ms}" for one in merged)
    survivor = Record(
        id=survivor_id,
        kind=table.kind,
        created_ms=min(primary.created_ms, other.created_ms),
        modified_ms=now_ms,
        values=values,
        first=dict(primary.first),
        origin=primary.origin,
        changes={name: list(versions) for name, versions in primary.changes.items()},
        merged=merged,
    )
    values[table.kind.created] = iso(survivor.created_ms)
    for name, value in values.items():
        if primary.values.get(name) != value:
            survivor.changes.setdefault(name, []).append(Version(value, now_ms, source))
    for old in merged:
        table.merged[old] = survivor_id
    portal.adopt(table, survivor)
    _cite(portal, table, survivor, primary, other)
    portal.associations.move(table.kind.name, [primary.id, other.id], survivor_id)
    portal.lists.move(table.kind.type_id, [primary.id, other.id], survivor_id)
    return survivor


def _values(table: Table, primary: Record, other: Record) -> dict[str, str]:
    """The primary's values, gaps filled from the other; addresses add up and the furthest stage is kept."""
    values = {**other.values, **primary.values}
    if table.kind.domain is not None:
        more = [
            one.values.get(name, "")
            for one in (primary, other)
            for name in (table.kind.domain, "hs_additional_domains")
        ]
        domains = list(dict.fromkeys(each for held in more for each in held.split(";") if each))
        if len(domains) > 1:
            values["hs_additional_domains"] = ";".join(one for one in domains if one != values.get(table.kind.domain))
    if table.kind.email is None:
        return values
    emails = list(dict.fromkeys([*primary.emails(), *other.emails()]))
    if emails:
        values[table.kind.email] = emails[0]
    if len(emails) > 1:
        values["hs_additional_emails"] = ";".join(emails[1:])
    if table.kind.forward_only and table.kind.stage:
        order = stages(table.kind, table.definitions)
        reached = [one for one in (primary.values.get(table.kind.stage), other.values.get(table.kind.stage)) if one]
        if reached:
            values[table.kind.stage] = max(reached, key=order.index)
    return values


def _cite(portal: Portal, table: Table, survivor: Record, primary: Record, other: Record) -> None:
    """A later conflict may name the id that an address had before the merge."""
    if portal.switches.conflict_cites == "merged_away":
        for gone in (primary, other):
            for email in gone.emails():
                if table.emails.get(email) == survivor.id:
                    table.emails[email] = gone.id
