"""What a save entails elsewhere: history rows, the one primary role, a new campaign's statuses, the last activity.

Promise: these are the server's own doing: no rule of the org stops them, nobody's LastModifiedDate moves, and
SystemModstamp moves where the record itself changed. Contract sections 5.1 and 15.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from connectors.salesforce.sandbox.history import track_lead, track_opportunity
from connectors.salesforce.sandbox.instants import day_of
from connectors.salesforce.sandbox.objects import MEMBER_STATUSES
from connectors.salesforce.sandbox.org import Org
from connectors.salesforce.sandbox.store import Row

Follow = Callable[[Org, str, Row | None, Row], None]
"""(the org, who saved, the row before: None for a new one, the row after)."""


def _only_one_primary(org: Org, user: str, old: Row | None, new: Row) -> None:
    if not new.get("IsPrimary"):
        return
    table = org.table("OpportunityContactRole")
    for key in list(table.find("OpportunityId", new["OpportunityId"])):
        row = table.rows[key]
        if key != new["Id"] and row.get("IsPrimary") and not row.get("IsDeleted"):
            org.store.put(table.name, {**row, "IsPrimary": False, "SystemModstamp": org.now_s()})


def _statuses(org: Org, user: str, old: Row | None, new: Row) -> None:
    """A new campaign has the usual statuses for its members."""
    if old is not None:
        return
    stamp_s = new["SystemModstamp"]
    stamps = {"CreatedDate": stamp_s, "LastModifiedDate": stamp_s, "SystemModstamp": stamp_s}
    by = {"CreatedById": user, "LastModifiedById": user, "IsDeleted": False}
    for place, (label, responded, default) in enumerate(MEMBER_STATUSES, 1):
        row = {"CampaignId": new["Id"], "Label": label, "SortOrder": place}
        flags = {"HasResponded": responded, "IsDefault": default}
        org.store.put("CampaignMemberStatus", {"Id": org.mint.new("01Y"), **row, **flags, **stamps, **by})


def _last_activity(org: Org, user: str, old: Row | None, new: Row) -> None:
    """An activity that is over is the last of whom and what it was about, if no later one was."""
    day = new.get("ActivityDate")
    over = new.get("IsClosed", day is not None and day <= day_of(org.now_s()))
    if not over:
        return
    day = day or day_of(org.now_s())
    contact = org.row(new.get("WhoId")) or {}
    for key in (new.get("WhoId"), new.get("WhatId"), contact.get("AccountId")):
        row = org.row(key)
        name = org.catalogue.object_of(key) if key else None
        if row is None or name is None or row.get("IsDeleted") or "LastActivityDate" not in org.whole(name).by_name:
            continue
        if row.get("LastActivityDate", "") < day:
            stamp_s = max(row["SystemModstamp"], new["SystemModstamp"])
            org.store.put(name, {**row, "LastActivityDate": day, "SystemModstamp": stamp_s})


_FOLLOW: Mapping[str, Follow] = {
    "Lead": track_lead,
    "Opportunity": track_opportunity,
    "OpportunityContactRole": _only_one_primary,
    "Campaign": _statuses,
    "Task": _last_activity,
    "Event": _last_activity,
}


def follow(org: Org, user: str, object_name: str, old: Row | None, new: Row) -> None:
    """Does what a save of this row entails; called when it is committed."""
    if (step := _FOLLOW.get(object_name)) is not None:
        step(org, user, old, new)
