"""What sales people do all day: tasks, meetings, roles, campaigns, stages.

    {"do": "log_task",      "who", "what", "values": {"Subject": ..., "Status": "Completed"}}        -> {"key", ...}
    {"do": "complete_task", "key" | "keys"}
    {"do": "log_event",     "who", "what", "values": {"StartDateTime": ...}}    by default it begins now
    {"do": "archive",       "object": "Task" | "Event", "key" | "keys"}    without a key: whatever is old enough
    {"do": "add_role",      "opportunity", "contact", "role": "Evaluator", "primary": false}
    {"do": "drop_role",     "opportunity", "contact"}
    {"do": "add_member",    "campaign", "who", "status": "Sent"}
    {"do": "respond",       "campaign", "who", "status": "Responded"}           makes the member, if need be
    {"do": "add_status",    "campaign", "label", "responded": false, "default": false}
    {"do": "set_stage",     "key" | "keys", "stage", "values": {"Loss_Reason__c": ...}}
    {"do": "deactivate_user" | "activate_user", "user": e-mail, name or id}

`who` is the id of a Lead or Contact, `what` that of an Account, Opportunity or Campaign; both may be left out. A
campaign may be given by name. Promise: each is an ordinary save, so all rules of the org hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connectors.salesforce.sandbox import lifecycle
from connectors.salesforce.sandbox.ids import normalise
from connectors.salesforce.sandbox.instants import rest_time
from connectors.salesforce.sandbox.named import Action, actor_of, keys_of, told, values_of
from connectors.salesforce.sandbox.rules import owner_named
from connectors.salesforce.sandbox.saving import create, update
from connectors.salesforce.sandbox.site import Site
from syncd.sandbox.wire import Refused


def _make(site: Site, action: Action, object_name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in values.items() if value is not None}
    return told(site, [create(site.org, actor_of(site.org, action), site.org.whole(object_name), kept)])


def _change(site: Site, action: Action, object_name: str, keys: list[str], values: Mapping[str, Any]) -> dict[str, Any]:
    for key in keys:
        update(site.org, actor_of(site.org, action), site.org.whole(object_name), key, values)
    return told(site, keys)


def _log_task(site: Site, action: Action) -> dict[str, Any]:
    hung = {"WhoId": action.get("who"), "WhatId": action.get("what"), "Subject": "Call"}
    return _make(site, action, "Task", hung | values_of(site, action))


def _complete_task(site: Site, action: Action) -> dict[str, Any]:
    keys = keys_of(site, {**action, "object": "Task"})
    return _change(site, action, "Task", keys, {"Status": "Completed"})


def _log_event(site: Site, action: Action) -> dict[str, Any]:
    begins = {"StartDateTime": rest_time(site.org.now_s()), "Subject": "Meeting"}
    hung = {"WhoId": action.get("who"), "WhatId": action.get("what")}
    return _make(site, action, "Event", begins | hung | values_of(site, action))


def _archive(site: Site, action: Action) -> dict[str, Any]:
    name = str(action.get("object"))
    if name not in ("Task", "Event"):
        raise Refused("only tasks and events are archived")
    named = any(word in action for word in ("key", "keys", "all", "where"))
    return told(site, lifecycle.archive(site.org, name, keys_of(site, action) if named else None))


def _add_role(site: Site, action: Action) -> dict[str, Any]:
    values = {"OpportunityId": action.get("opportunity"), "ContactId": action.get("contact")}
    more = {"Role": action.get("role"), "IsPrimary": bool(action.get("primary"))}
    return _make(site, action, "OpportunityContactRole", values | more)


def _drop_role(site: Site, action: Action) -> dict[str, Any]:
    org = site.org
    table, contact = org.table("OpportunityContactRole"), normalise(action.get("contact"))
    keys = [
        key
        for key in list(table.find("OpportunityId", normalise(action.get("opportunity"))))
        if table.rows[key]["ContactId"] == contact and not table.rows[key].get("IsDeleted")
    ]
    if not keys:
        raise Refused("the contact plays no role in that opportunity")
    for key in keys:
        lifecycle.delete(org, actor_of(org, action), org.whole(table.name), key)
    return told(site, keys)


def _campaign(site: Site, action: Action) -> str:
    named = str(action.get("campaign", ""))
    for key, row in site.org.table("Campaign").rows.items():
        if not row.get("IsDeleted") and named in (key, key[:15], row["Name"]):
            return key
    raise Refused("there is no such campaign")


def _add_member(site: Site, action: Action) -> dict[str, Any]:
    who = normalise(action.get("who")) or ""
    person = "LeadId" if site.org.catalogue.object_of(who) == "Lead" else "ContactId"
    values = {"CampaignId": _campaign(site, action), person: who, "Status": action.get("status")}
    return _make(site, action, "CampaignMember", values)


def _respond(site: Site, action: Action) -> dict[str, Any]:
    status, campaign = str(action.get("status", "Responded")), _campaign(site, action)
    table, who = site.org.table("CampaignMember"), normalise(action.get("who"))
    held = [key for person in ("LeadId", "ContactId") for key in table.find(person, who)]
    for key in dict.fromkeys(held):
        if table.rows[key]["CampaignId"] == campaign and not table.rows[key].get("IsDeleted"):
            return _change(site, action, "CampaignMember", [key], {"Status": status})
    return _add_member(site, {**action, "status": status})


def _add_status(site: Site, action: Action) -> dict[str, Any]:
    values = {"CampaignId": _campaign(site, action), "Label": str(action.get("label", ""))}
    flags = {"HasResponded": bool(action.get("responded")), "IsDefault": bool(action.get("default"))}
    return _make(site, action, "CampaignMemberStatus", values | flags)


def _set_stage(site: Site, action: Action) -> dict[str, Any]:
    keys = keys_of(site, {**action, "object": "Opportunity"})
    return _change(
        site, action, "Opportunity", keys, {**values_of(site, action), "StageName": str(action.get("stage", ""))}
    )


def _set_active(active: bool) -> Callable[[Site, Action], dict[str, Any]]:
    def doer(site: Site, action: Action) -> dict[str, Any]:
        key = owner_named(site.org, str(action.get("user", "")))
        return _change(site, {**action, "by": "admin@acme.example"}, "User", [key], {"IsActive": active})

    return doer


ACTS: Mapping[str, Callable[[Site, Action], dict[str, Any]]] = {
    "log_task": _log_task,
    "complete_task": _complete_task,
    "log_event": _log_event,
    "archive": _archive,
    "add_role": _add_role,
    "drop_role": _drop_role,
    "add_member": _add_member,
    "respond": _respond,
    "add_status": _add_status,
    "set_stage": _set_stage,
    "deactivate_user": _set_active(False),
    "activate_user": _set_active(True),
}
