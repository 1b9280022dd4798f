"""What hangs on people: opportunities, campaigns, tasks, histories. Contract section 15."""

from __future__ import annotations

from connectors.salesforce.sandbox.field_makers import (
    DELETED,
    ID,
    STAMPS,
    area,
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
from connectors.salesforce.sandbox.objects_people import SOURCES

STAGES: tuple[tuple[str, int, bool, bool, str], ...] = (
    ("Prospecting", 10, False, False, "Pipeline"),
    ("Qualification", 10, False, False, "Pipeline"),
    ("Needs Analysis", 20, False, False, "Pipeline"),
    ("Proposal/Price Quote", 75, False, False, "Pipeline"),
    ("Negotiation/Review", 90, False, False, "Pipeline"),
    ("Closed Won", 100, True, True, "Closed"),
    ("Closed Lost", 0, True, False, "Omitted"),
)
"""Name, probability, closed, won, forecast category."""


OPPORTUNITY = ObjectType(
    "Opportunity",
    "Opportunity",
    "Opportunities",
    "006",
    (
        ID,
        DELETED,
        lookup("AccountId", "Account ID", "Account", "Account", children="Opportunities"),
        text("Name", "Name", 120, nillable=False, name_field=True),
        area("Description", "Description", 32000),
        pick("StageName", "Stage", tuple(stage[0] for stage in STAGES), nillable=False),
        number("Amount", "Amount", "currency", 18, 2),
        number("Probability", "Probability (%)", "percent", 3, 0, defaulted=True),
        Field("CloseDate", "Close Date", "date", nillable=False),
        pick(
            "Type", "Opportunity Type", ("New Customer", "Existing Customer - Upgrade", "Existing Customer - Renewal")
        ),
        pick("LeadSource", "Lead Source", SOURCES),
        system("IsClosed", "Closed", "boolean", defaulted=True, default=False),
        system("IsWon", "Won", "boolean", defaulted=True, default=False),
        read_only("ForecastCategory", "Forecast Category", "picklist", length=40),
        owner("User"),
        *STAMPS,
        lookup("ContactId", "Contact ID", "Contact", "Contact", updateable=False),
        text("Syncd_Key__c", "Syncd Key", 255, external_id=True, unique=True),
    ),
)


CONTACT_ROLE = ObjectType(
    "OpportunityContactRole",
    "Opportunity Contact Role",
    "Opportunity Contact Roles",
    "00K",
    (
        ID,
        DELETED,
        lookup(
            "OpportunityId",
            "Opportunity ID",
            "Opportunity",
            "Opportunity",
            nillable=False,
            updateable=False,
            children="OpportunityContactRoles",
        ),
        lookup("ContactId", "Contact ID", "Contact", "Contact", nillable=False, children="OpportunityContactRoles"),
        pick("Role", "Role", ("Decision Maker", "Economic Buyer", "Evaluator", "Influencer", "Other")),
        flag("IsPrimary", "Primary"),
        *STAMPS,
    ),
)


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
        owner("User"),
        *STAMPS,
        text("Syncd_Key__c", "Syncd Key", 255, external_id=True, unique=True),
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
        pick("Status", "Status", ("Sent", "Responded"), defaulted=True, default="Sent"),
        system("HasResponded", "Responded", "boolean", defaulted=True, default=False),
        read_only("FirstRespondedDate", "First Responded Date", "date"),
        *STAMPS,
    ),
)


TASK = ObjectType(
    "Task",
    "Task",
    "Tasks",
    "00T",
    (
        ID,
        DELETED,
        lookup("WhoId", "Name ID", "Who", "Contact", "Lead", children="Tasks"),
        lookup("WhatId", "Related To ID", "What", "Account", "Campaign", "Opportunity", children="Tasks"),
        text("Subject", "Subject", 255),
        Field("ActivityDate", "Due Date Only", "date"),
        pick(
            "Status",
            "Status",
            ("Not Started", "In Progress", "Completed", "Waiting on someone else", "Deferred"),
            nillable=False,
            defaulted=True,
            default="Not Started",
        ),
        pick("Priority", "Priority", ("High", "Normal", "Low"), nillable=False, defaulted=True, default="Normal"),
        pick(
            "TaskSubtype",
            "Task Subtype",
            ("Task", "Email", "Call", "ListEmail"),
            defaulted=True,
            default="Task",
            updateable=False,
        ),
        area("Description", "Description", 32000),
        number("CallDurationInSeconds", "Call Duration", "int", 8),
        system("IsClosed", "Closed", "boolean", defaulted=True, default=False),
        read_only("CompletedDateTime", "Completed Date", "datetime"),
        owner("Group", "User"),
        *STAMPS,
    ),
)


LEAD_HISTORY = ObjectType(
    "LeadHistory",
    "Lead History",
    "Lead History",
    "017",
    (
        ID,
        DELETED,
        read_only(
            "LeadId", "Lead ID", "reference", length=18, refers=("Lead",), relationship="Lead", children="Histories"
        ),
        read_only("CreatedById", "Created By ID", "reference", length=18, refers=("User",), relationship="CreatedBy"),
        system("CreatedDate", "Created Date", "datetime"),
        read_only("Field", "Changed Field", "picklist", length=255),
        read_only("DataType", "Datatype", "picklist", length=40),
        read_only("OldValue", "Old Value", length=255, filterable=False, sortable=False),
        read_only("NewValue", "New Value", length=255, filterable=False, sortable=False),
    ),
    createable=False,
    updateable=False,
    deletable=False,
)
