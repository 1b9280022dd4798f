"""What becomes of a record beside edits: deleted, restored, purged, merged, touched.

Promise: soft deletes lie in the recycle bin with their stamp; merge losers point to their winner and say nothing else.
Conversion has a file of its own. Contract sections 5.3 and 16.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.salesforce.sandbox.checks import check_unique
from connectors.salesforce.sandbox.errors import Refusal, gone
from connectors.salesforce.sandbox.fields import ObjectType
from connectors.salesforce.sandbox.org import Org
from connectors.salesforce.sandbox.saving import Actor, check_writable, commit, stamp, update, writable_row
from connectors.salesforce.sandbox.store import Row

_CASCADES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "Account": (("Contact", "AccountId"), ("Opportunity", "AccountId")),
    "Campaign": (("CampaignMember", "CampaignId"), ("CampaignMemberStatus", "CampaignId")),
    "Contact": (("CampaignMember", "ContactId"),),
    "Lead": (("CampaignMember", "LeadId"),),
    "Opportunity": (("OpportunityContactRole", "OpportunityId"),),
}
"""What is deleted with a record. A contact's roles stay, and point to a deleted contact (contract section 15)."""
_HANGING: Mapping[str, tuple[tuple[str, str], ...]] = {
    "Campaign": (("CampaignMember", "CampaignId"), ("CampaignMemberStatus", "CampaignId")),
    "Contact": (("OpportunityContactRole", "ContactId"),),
    "Opportunity": (("OpportunityContactRole", "OpportunityId"),),
}
"""What is removed for good with a record."""
_NOT_REPARENTED = ("MasterRecordId", "ConvertedAccountId", "ConvertedContactId", "ConvertedOpportunityId")
MAX_LOSERS = 2


def delete(org: Org, actor: Actor, kind: ObjectType, key: str) -> None:
    """Moves a record, and what hangs on it, to the recycle bin. Refusal."""
    row = writable_row(org, actor, kind, key)
    check_writable(org, actor, kind, "delete", kind.deletable)
    _bin(org, actor, kind.name, row)
    for child, child_row in _dependants(org, kind.name, key):
        if not child_row.get("IsDeleted"):
            delete(org, Actor(actor.user, api=False), org.whole(child), child_row["Id"])


def _bin(org: Org, actor: Actor, object_name: str, row: Row, **more: Any) -> None:
    now_s = org.now_s()
    gone_row = {**row, **more, "IsDeleted": True, "SystemModstamp": now_s}
    commit(org, actor, object_name, gone_row)

    def expire(at_ms: int) -> None:
        held = org.table(object_name).rows.get(row["Id"])
        if held is not None and held.get("IsDeleted") and held["SystemModstamp"] == now_s:
            purge(org, object_name, row["Id"])

    org.agenda.at(org.clock.now_ms() + org.switches.bin_days * 86_400_000, expire)


def _dependants(org: Org, object_name: str, key: str) -> Iterator[tuple[str, Row]]:
    for child, field in _CASCADES.get(object_name, ()):
        table = org.table(child)
        for child_key in list(table.find(field, key)):
            if field != "LeadId" or "ContactId" not in table.rows[child_key]:  # a converted Lead's went over
                yield child, table.rows[child_key]


def restore(org: Org, object_name: str, key: str) -> None:
    """Takes a record, and what was deleted with it, out of the recycle bin. Refusal."""
    row = org.table(object_name).rows.get(key)
    if row is None or not row.get("IsDeleted"):
        raise Refusal.one("UNDELETE_FAILED", "Entity is not in the recycle bin", 400, ())
    kind = org.whole(object_name)
    live = {name: value for name, value in row.items() if name != "MasterRecordId"} | {"IsDeleted": False}
    check_unique(org, kind, live, {field.name: live.get(field.name) for field in kind.uniques})
    deleted_s = row["SystemModstamp"]
    if org.switches.undelete_moves_stamp:
        live["SystemModstamp"] = org.now_s()
    org.store.put(object_name, live)
    for child, child_row in _dependants(org, object_name, key):
        if child_row.get("IsDeleted") and child_row["SystemModstamp"] == deleted_s:
            restore(org, child, child_row["Id"])


def purge(org: Org, object_name: str, key: str) -> None:
    """Removes a record for good, from the recycle bin or hard. Refusal when there is no such record."""
    row = org.table(object_name).rows.get(key)
    if row is None:
        raise gone(key)
    stamp_s = row["SystemModstamp"] if row.get("IsDeleted") else org.now_s()
    for child, child_row in list(_purged_along(org, object_name, key)):
        org.store.drop(child, child_row["Id"])
        org.purged.append((child, child_row["Id"], stamp_s))
    org.store.drop(object_name, key)
    org.hidden.discard(key)
    org.purged.append((object_name, key, stamp_s))


def _purged_along(org: Org, object_name: str, key: str) -> Iterator[tuple[str, Row]]:
    """Rows that are nothing without a record: the roles of an opportunity and of a contact, members of a campaign."""
    for child, field in _HANGING.get(object_name, ()):
        table = org.table(child)
        for child_key in list(table.find(field, key)):
            yield child, table.rows[child_key]


def empty_bin(org: Org) -> int:
    """Purges all that is deleted; the delete log begins anew. Returns how many."""
    doomed = [
        (name, key)
        for name, table in org.store.tables.items()
        for key, row in table.rows.items()
        if row.get("IsDeleted")
    ]
    for name, key in doomed:
        if key in org.table(name).rows:  # else it went along with another
            purge(org, name, key)
    org.bin_emptied_s = org.now_s()
    return len(doomed)


def touch(org: Org, object_name: str, keys: Sequence[str]) -> None:
    """Moves SystemModstamp and nothing else, as back-end jobs and administrators' actions do, often for all rows."""
    rows, now_s = org.table(object_name).rows, org.now_s()
    org.store.put_many(object_name, [{**rows[key], "SystemModstamp": now_s} for key in keys])


def merge(
    org: Org, actor: Actor, kind: ObjectType, winner: str, losers: Sequence[str], values: Mapping[str, Any], fill: bool
) -> None:
    """Merges up to two losers into the winner, at once. `fill`: its blanks are filled from the losers. Refusal."""
    actor = Actor(actor.user, api=False)
    if not kind.mergeable or not 1 <= len(losers) <= MAX_LOSERS or winner in losers:
        raise Refusal.one("INVALID_MERGE_RECORD", "a merge takes one winner and one or two others", 400, ())
    if any(row.get("IsConverted") for row in (writable_row(org, actor, kind, key) for key in (winner, *losers))):
        raise Refusal.one("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", 400, ())
    filled = _filled(org, kind, winner, losers) if fill else {}
    for loser in losers:
        _bin(org, actor, kind.name, org.table(kind.name).rows[loser], MasterRecordId=winner)
        _reparent(org, actor, kind.name, loser, winner)
    row = {**org.table(kind.name).rows[winner], **filled}
    org.store.put(kind.name, row)
    update(org, actor, kind, winner, dict(values))


def _filled(org: Org, kind: ObjectType, winner: str, losers: Sequence[str]) -> Row:
    rows = org.table(kind.name).rows
    names = [field.name for field in kind.fields if field.updateable and field.name not in rows[winner]]
    filled: Row = {}
    for loser in losers:
        filled = {name: rows[loser][name] for name in names if name in rows[loser]} | filled
    return filled


def _is_member(org: Org, row: Row, person: str) -> bool:
    """Whether the winner of a merge is in the loser's campaign already: nobody is twice in one."""
    table = org.table("CampaignMember")
    others = (table.rows[key] for key in table.find(person, row[person]))
    return any(one["CampaignId"] == row["CampaignId"] and not one.get("IsDeleted") for one in others)


def archive(org: Org, object_name: str, keys: Sequence[str] | None = None) -> list[str]:
    """The nightly job: what is older than the switch `archive_days` (or the given rows) leaves `query` for `queryAll`;
    its SystemModstamp moves. Returns the ids. Ages: contract section 15, unverified."""
    before_s = org.now_s() - org.switches.archive_days * 86_400
    rows = org.table(object_name).rows
    due = [key for key, row in rows.items() if _is_over(row, before_s)] if keys is None else list(keys)
    due = [key for key in due if not rows[key].get("IsArchived") and not rows[key].get("IsDeleted")]
    org.store.put_many(object_name, [{**rows[key], "IsArchived": True, "SystemModstamp": org.now_s()} for key in due])
    return due


def _is_over(row: Row, before_s: int) -> bool:
    """Whether an event ended, or a task was closed, before a moment."""
    over_s = row.get("EndDateTime") or row.get("CompletedDateTime")
    return over_s is not None and over_s < before_s


def _reparent(org: Org, actor: Actor, object_name: str, loser: str, winner: str) -> None:
    for child, field in org.catalogue.children_of(object_name):
        table = org.table(child)
        if field.name in _NOT_REPARENTED or not table.indexes(field.name):
            continue
        for key in list(table.find(field.name, loser)):
            row = {**table.rows[key], field.name: winner}
            if child == "CampaignMember" and _is_member(org, row, field.name):
                _bin(org, actor, child, table.rows[key])
                continue
            if org.switches.reparent_moves_stamp:
                stamp(org, row, actor.user)
            org.store.put(child, row)
