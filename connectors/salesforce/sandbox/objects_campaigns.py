"""Campaigns, the statuses that each has for its members, and the members. Contract section 15."""

from __future__ import annotations

from connectors.salesforce.sandbox.field_makers import (
    DELETED,
    ID,
    STAMPS,
    currency_code,
    flag,
    lookup,
    number,
    owner,
    pick,
    read_only,
    system,
    text,
)
from connectors.salesforce.sandbox.fields import Field, ObjectType

MEMBER_STATUSES: tuple[tuple[str, bool, bool], ...] = (("Sent", False, True), ("Responded", True, False))
"""Label, has responded, is default: what a new campaign begins with."""


CAMPAIGN = ObjectType(
    "Campaign",
    "Campaign",
    "Campaigns",
    "701",
    (
        ID,
        DELETED,
        text("Name", "Name", 80, nillable=False, name_field=True),
        pick("Type", "Type", ("Conference", "Webinar", "Trade Show", "Email", "Advertisement", "Other")),
        pick("Status", "Status", ("Planned", "In Progress", "Completed", "Aborted")),
        Field("StartDate", "Start Date", "date"),
        Field("EndDate", "End Date", "date"),
        flag("IsActive", "Active"),
        number("BudgetedCost", "Budgeted Cost", "currency", 18, 0),
        lookup("ParentId", "Parent Campaign ID", "Parent", "Campaign", children="ChildCampaigns"),
        currency_code(),
        owner("User"),
        *STAMPS,
        text("Syncd_Key__c", "Syncd Key", 255, external_id=True, unique=True),
    ),
)


CAMPAIGN_MEMBER_STATUS = ObjectType(
    "CampaignMemberStatus",
    "Campaign Member Status",
    "Campaign Member Statuses",
    "01Y",
    (
        ID,
        DELETED,
        lookup(
            "CampaignId",
            "Campaign ID",
            "Campaign",
            "Campaign",
            nillable=False,
            updateable=False,
            children="CampaignMemberStatuses",
        ),
        text("Label", "Label", 765, nillable=False),
        number("SortOrder", "Sort Order", "int", 9),
        flag("IsDefault", "Is Default"),
        flag("HasResponded", "Responded"),
        *STAMPS,
    ),
)


CAMPAIGN_MEMBER = ObjectType(
    "CampaignMember",
    "Campaign Member",
    "Campaign Members",
    "00v",
    (
        ID,
        DELETED,
        lookup(
            "CampaignId",
            "Campaign ID",
            "Campaign",
            "Campaign",
            nillable=False,
            updateable=False,
            children="CampaignMembers",
        ),
        lookup("LeadId", "Lead ID", "Lead", "Lead", updateable=False, children="CampaignMembers"),
        lookup("ContactId", "Contact ID", "Contact", "Contact", updateable=False, children="CampaignMembers"),
        pick("Status", "Status", tuple(status[0] for status in MEMBER_STATUSES), defaulted=True),
        system("HasResponded", "Responded", "boolean", defaulted=True, default=False),
        read_only("FirstRespondedDate", "First Responded Date", "date"),
        *STAMPS,
        text("Syncd_Key__c", "Syncd Key", 255, external_id=True, unique=True),
    ),
)
