"""The objects of the sandbox's org, as tables of fields. To add an object, add a table.

Standard names, lengths and flags as describe gives them (contract sections 10 and 15); the custom fields are those of
the shared demo world. What it does not do: behaviour. That a Lead converts is told in `lifecycle.py`.
"""

from __future__ import annotations

from typing import Any

from connectors.salesforce.sandbox.fields import Field, ObjectType

LEAD_STATUSES = ("Open - Not Contacted", "Working - Contacted", "Closed - Converted", "Closed - Not Converted")
SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
RATINGS = ("Hot", "Warm", "Cold")
REASONS = ("No budget", "No need", "Bad timing", "Wrong contact", "Unreachable")
SALUTATIONS = ("Mr.", "Ms.", "Mrs.", "Dr.", "Prof.", "Mx.")
INDUSTRIES = (
    "Banking",
    "Biotechnology",
    "Chemicals",
    "Consulting",
    "Education",
    "Electronics",
    "Manufacturing",
    "Other",
)
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


def _text(name: str, label: str, length: int, **more: Any) -> Field:
    return Field(name, label, "string", length, **more)


def _area(name: str, label: str, length: int, **more: Any) -> Field:
    short = length <= 255
    return Field(name, label, "textarea", length, filterable=short, sortable=short, **more)


def _pick(name: str, label: str, values: tuple[str, ...], **more: Any) -> Field:
    return Field(name, label, "picklist", more.pop("length", 255), values=values, **more)


def _bool(name: str, label: str, **more: Any) -> Field:
    return Field(name, label, "boolean", nillable=False, defaulted=True, default=False, **more)


def _number(name: str, label: str, kind: str = "double", precision: int = 18, scale: int = 0, **more: Any) -> Field:
    return Field(name, label, kind, precision=precision, scale=scale, **more)


def _ref(name: str, label: str, relationship: str | None, *refers: str, **more: Any) -> Field:
    return Field(name, label, "reference", 18, refers=refers, relationship=relationship, **more)


def _system(name: str, label: str, kind: str, **more: Any) -> Field:
    """Set by the server only."""
    more.setdefault("nillable", False)
    return Field(name, label, kind, createable=False, updateable=False, **more)


def _read_only(name: str, label: str, kind: str = "string", **more: Any) -> Field:
    return Field(name, label, kind, createable=False, updateable=False, **more)


_ID = _system("Id", "Record ID", "id", length=18, defaulted=True, id_lookup=True)
_STAMPS = (
    _system("CreatedDate", "Created Date", "datetime", defaulted=True),
    _system("CreatedById", "Created By ID", "reference", length=18, refers=("User",), relationship="CreatedBy"),
    _system("LastModifiedDate", "Last Modified Date", "datetime", defaulted=True),
    _system(
        "LastModifiedById",
        "Last Modified By ID",
        "reference",
        length=18,
        refers=("User",),
        relationship="LastModifiedBy",
    ),
    _system("SystemModstamp", "System Modstamp", "datetime", defaulted=True),
)
_DELETED = _system("IsDeleted", "Deleted", "boolean", defaulted=True, default=False)


def _master(object_name: str) -> Field:
    return _read_only(
        "MasterRecordId", "Master Record ID", "reference", length=18, refers=(object_name,), relationship="MasterRecord"
    )


def _owner(*refers: str) -> Field:
    return _ref("OwnerId", "Owner ID", "Owner", *refers, nillable=False, defaulted=True)


def _name_parts() -> tuple[Field, ...]:
    return (
        _text("LastName", "Last Name", 80, nillable=False, compound="Name"),
        _text("FirstName", "First Name", 40, compound="Name"),
        _pick("Salutation", "Salutation", SALUTATIONS, length=40, compound="Name"),
        _read_only("Name", "Full Name", length=121, nillable=False, name_field=True),
    )


def _address(prefix: str, label: str) -> tuple[Field, ...]:
    compound = f"{prefix}Address" if prefix else "Address"
    part = f"{label} " if label else ""
    return (
        _area(f"{prefix}Street", f"{part}Street", 255, compound=compound),
        _text(f"{prefix}City", f"{part}City", 40, compound=compound),
        _text(f"{prefix}State", f"{part}State/Province", 80, compound=compound),
        _text(f"{prefix}PostalCode", f"{part}Zip/Postal Code", 20, compound=compound),
        _text(f"{prefix}Country", f"{part}Country", 80, compound=compound),
        _read_only(compound, f"{part}Address", "address", filterable=False, sortable=False),
    )


def _reach() -> tuple[Field, ...]:
    return (
        Field("Phone", "Business Phone", "phone", 40),
        Field("MobilePhone", "Mobile Phone", "phone", 40),
        Field("Email", "Email", "email", 80, id_lookup=True),
        _bool("HasOptedOutOfEmail", "Email Opt Out"),
        _bool("DoNotCall", "Do Not Call"),
        _text("EmailBouncedReason", "Email Bounced Reason", 255, createable=False),
        Field("EmailBouncedDate", "Email Bounced Date", "datetime", createable=False),
    )


def _ours() -> tuple[Field, ...]:
    """The custom fields of the demo world, on Lead and Contact alike."""
    return (
        _text("Syncd_Key__c", "Syncd Key", 255, external_id=True, unique=True),
        _number("Marketing_Score__c", "Marketing Score"),
        _text("Original_Source__c", "Original Source", 40),
        _read_only("Age_Days__c", "Age in Days", "double", precision=18, formula="age_days"),
        _read_only("Score_Band__c", "Score Band", length=1300, formula="score_band"),
    )


LEAD = ObjectType(
    "Lead",
    "Lead",
    "Leads",
    "00Q",
    (
        _ID,
        _DELETED,
        _master("Lead"),
        *_name_parts(),
        _text("Title", "Title", 128),
        _text("Company", "Company", 255, nillable=False),
        *_address("", ""),
        *_reach(),
        Field("Website", "Website", "url", 255),
        _area("Description", "Description", 32000),
        _pick("LeadSource", "Lead Source", SOURCES),
        _pick(
            "Status",
            "Status",
            LEAD_STATUSES,
            nillable=False,
            defaulted=True,
            default=LEAD_STATUSES[0],
            restricted=True,
        ),
        _pick("Industry", "Industry", INDUSTRIES),
        _pick("Rating", "Rating", RATINGS),
        _number("AnnualRevenue", "Annual Revenue", "currency", 18, 0),
        _number("NumberOfEmployees", "Employees", "int", 8),
        _owner("Group", "User"),
        _system("IsConverted", "Converted", "boolean", defaulted=True, default=False),
        _read_only("ConvertedDate", "Converted Date", "date"),
        _read_only(
            "ConvertedAccountId",
            "Converted Account ID",
            "reference",
            length=18,
            refers=("Account",),
            relationship="ConvertedAccount",
        ),
        _read_only(
            "ConvertedContactId",
            "Converted Contact ID",
            "reference",
            length=18,
            refers=("Contact",),
            relationship="ConvertedContact",
        ),
        _read_only(
            "ConvertedOpportunityId",
            "Converted Opportunity ID",
            "reference",
            length=18,
            refers=("Opportunity",),
            relationship="ConvertedOpportunity",
        ),
        _bool("IsUnreadByOwner", "Unread By Owner"),
        *_STAMPS,
        _read_only("LastActivityDate", "Last Activity", "date"),
        *_ours(),
        _pick("Rejection_Reason__c", "Rejection Reason", REASONS, restricted=True),
    ),
    mergeable=True,
)

CONTACT = ObjectType(
    "Contact",
    "Contact",
    "Contacts",
    "003",
    (
        _ID,
        _DELETED,
        _master("Contact"),
        _ref("AccountId", "Account ID", "Account", "Account", children="Contacts"),
        *_name_parts(),
        *_address("Mailing", "Mailing"),
        *_reach(),
        _text("Title", "Title", 128),
        _text("Department", "Department", 80),
        _ref("ReportsToId", "Reports To ID", "ReportsTo", "Contact"),
        _pick("LeadSource", "Lead Source", SOURCES),
        Field("Birthdate", "Birthdate", "date"),
        _area("Description", "Contact Description", 32000),
        _owner("User"),
        *_STAMPS,
        _read_only("LastActivityDate", "Last Activity", "date"),
        *_ours(),
    ),
    mergeable=True,
)

ACCOUNT = ObjectType(
    "Account",
    "Account",
    "Accounts",
    "001",
    (
        _ID,
        _DELETED,
        _master("Account"),
        _text("Name", "Account Name", 255, nillable=False, name_field=True),
        _pick("Type", "Account Type", ("Prospect", "Customer - Direct", "Customer - Channel", "Partner", "Other")),
        _ref("ParentId", "Parent Account ID", "Parent", "Account", children="ChildAccounts"),
        *_address("Billing", "Billing"),
        Field("Phone", "Account Phone", "phone", 40),
        Field("Website", "Website", "url", 255),
        _pick("Industry", "Industry", INDUSTRIES),
        _number("AnnualRevenue", "Annual Revenue", "currency", 18, 0),
        _number("NumberOfEmployees", "Employees", "int", 8),
        _area("Description", "Account Description", 32000),
        _owner("User"),
        *_STAMPS,
        _read_only("LastActivityDate", "Last Activity", "date"),
        _text("Syncd_Key__c", "Syncd Key", 255, external_id=True, unique=True),
        _text("Erp_Number__c", "ERP Number", 40, external_id=True),
    ),
    mergeable=True,
)

OPPORTUNITY = ObjectType(
    "Opportunity",
    "Opportunity",
    "Opportunities",
    "006",
    (
        _ID,
        _DELETED,
        _ref("AccountId", "Account ID", "Account", "Account", children="Opportunities"),
        _text("Name", "Name", 120, nillable=False, name_field=True),
        _area("Description", "Description", 32000),
        _pick("StageName", "Stage", tuple(stage[0] for stage in STAGES), nillable=False),
        _number("Amount", "Amount", "currency", 18, 2),
        _number("Probability", "Probability (%)", "percent", 3, 0, defaulted=True),
        Field("CloseDate", "Close Date", "date", nillable=False),
        _pick(
            "Type", "Opportunity Type", ("New Customer", "Existing Customer - Upgrade", "Existing Customer - Renewal")
        ),
        _pick("LeadSource", "Lead Source", SOURCES),
        _system("IsClosed", "Closed", "boolean", defaulted=True, default=False),
        _system("IsWon", "Won", "boolean", defaulted=True, default=False),
        _read_only("ForecastCategory", "Forecast Category", "picklist", length=40),
        _owner("User"),
        *_STAMPS,
        _ref("ContactId", "Contact ID", "Contact", "Contact", updateable=False),
        _text("Syncd_Key__c", "Syncd Key", 255, external_id=True, unique=True),
    ),
)

USER = ObjectType(
    "User",
    "User",
    "Users",
    "005",
    (
        _ID,
        _text("Username", "Username", 80, nillable=False, unique=True, id_lookup=True),
        _text("LastName", "Last Name", 80, nillable=False),
        _text("FirstName", "First Name", 40),
        _read_only("Name", "Full Name", length=121, nillable=False, name_field=True),
        Field("Email", "Email", "email", 128, nillable=False),
        Field("Phone", "Phone", "phone", 40),
        _text("Title", "Title", 80),
        _text("Alias", "Alias", 8, nillable=False),
        _bool("IsActive", "Active"),
        _pick("UserType", "User Type", ("Standard", "AutomatedProcess"), createable=False, updateable=False),
        _text("TimeZoneSidKey", "Time Zone", 40, nillable=False),
        _ref("ManagerId", "Manager ID", "Manager", "User"),
        *_STAMPS,
    ),
    createable=False,
    updateable=False,
    deletable=False,
)

GROUP = ObjectType(
    "Group",
    "Group",
    "Groups",
    "00G",
    (
        _ID,
        _text("Name", "Name", 40, nillable=False, name_field=True),
        _text("DeveloperName", "Developer Name", 80),
        _pick("Type", "Type", ("Regular", "Queue", "Role"), nillable=False, updateable=False),
        Field("Email", "Email", "email", 255),
        *_STAMPS,
    ),
    createable=False,
    updateable=False,
    deletable=False,
)

LEAD_STATUS = ObjectType(
    "LeadStatus",
    "Lead Status Value",
    "Lead Status Values",
    "01J",
    (
        _ID,
        _read_only("MasterLabel", "Master Label", length=255, nillable=False),
        _read_only("ApiName", "API Name", length=255, nillable=False),
        _read_only("SortOrder", "Sort Order", "int", precision=9),
        _system("IsDefault", "Is Default", "boolean", default=False),
        _system("IsConverted", "Is Converted", "boolean", default=False),
        *_STAMPS,
    ),
    createable=False,
    updateable=False,
    deletable=False,
    replicateable=False,
)

OPPORTUNITY_STAGE = ObjectType(
    "OpportunityStage",
    "Opportunity Stage",
    "Opportunity Stages",
    "01j",
    (
        _ID,
        _read_only("MasterLabel", "Master Label", length=255, nillable=False),
        _read_only("ApiName", "API Name", length=255, nillable=False),
        _read_only("SortOrder", "Sort Order", "int", precision=9),
        _system("IsActive", "Is Active", "boolean", default=False),
        _system("IsClosed", "Closed", "boolean", default=False),
        _system("IsWon", "Won", "boolean", default=False),
        _read_only("DefaultProbability", "Probability (%)", "percent", precision=3),
        _read_only("ForecastCategoryName", "Forecast Category", "picklist", length=40),
        *_STAMPS,
    ),
    createable=False,
    updateable=False,
    deletable=False,
    replicateable=False,
)

ORGANIZATION = ObjectType(
    "Organization",
    "Organization",
    "Organizations",
    "00D",
    (
        _ID,
        _read_only("Name", "Name", length=80, nillable=False, name_field=True),
        _system("IsSandbox", "Is Sandbox", "boolean", default=False),
        _read_only("InstanceName", "Instance Name", length=5),
        _read_only("OrganizationType", "Edition", "picklist", length=40),
        _read_only("TimeZoneSidKey", "Time Zone", "picklist", length=40),
        _read_only("DefaultLocaleSidKey", "Locale", "picklist", length=40),
        _read_only("LanguageLocaleKey", "Language", "picklist", length=40),
        _read_only("TrialExpirationDate", "Trial Expiration Date", "datetime"),
        *_STAMPS,
    ),
    createable=False,
    updateable=False,
    deletable=False,
    replicateable=False,
)

CAMPAIGN = ObjectType(
    "Campaign",
    "Campaign",
    "Campaigns",
    "701",
    (
        _ID,
        _DELETED,
        _text("Name", "Name", 80, nillable=False, name_field=True),
        _pick("Type", "Type", ("Conference", "Webinar", "Trade Show", "Email", "Advertisement", "Other")),
        _pick("Status", "Status", ("Planned", "In Progress", "Completed", "Aborted")),
        Field("StartDate", "Start Date", "date"),
        Field("EndDate", "End Date", "date"),
        _bool("IsActive", "Active"),
        _number("BudgetedCost", "Budgeted Cost", "currency", 18, 0),
        _owner("User"),
        *_STAMPS,
        _text("Syncd_Key__c", "Syncd Key", 255, external_id=True, unique=True),
    ),
)

CAMPAIGN_MEMBER = ObjectType(
    "CampaignMember",
    "Campaign Member",
    "Campaign Members",
    "00v",
    (
        _ID,
        _DELETED,
        _ref(
            "CampaignId",
            "Campaign ID",
            "Campaign",
            "Campaign",
            nillable=False,
            updateable=False,
            children="CampaignMembers",
        ),
        _ref("LeadId", "Lead ID", "Lead", "Lead", updateable=False, children="CampaignMembers"),
        _ref("ContactId", "Contact ID", "Contact", "Contact", updateable=False, children="CampaignMembers"),
        _pick("Status", "Status", ("Sent", "Responded"), defaulted=True, default="Sent"),
        _system("HasResponded", "Responded", "boolean", defaulted=True, default=False),
        _read_only("FirstRespondedDate", "First Responded Date", "date"),
        *_STAMPS,
    ),
)

TASK = ObjectType(
    "Task",
    "Task",
    "Tasks",
    "00T",
    (
        _ID,
        _DELETED,
        _ref("WhoId", "Name ID", "Who", "Contact", "Lead", children="Tasks"),
        _ref("WhatId", "Related To ID", "What", "Account", "Campaign", "Opportunity", children="Tasks"),
        _text("Subject", "Subject", 255),
        Field("ActivityDate", "Due Date Only", "date"),
        _pick(
            "Status",
            "Status",
            ("Not Started", "In Progress", "Completed", "Waiting on someone else", "Deferred"),
            nillable=False,
            defaulted=True,
            default="Not Started",
        ),
        _pick("Priority", "Priority", ("High", "Normal", "Low"), nillable=False, defaulted=True, default="Normal"),
        _pick(
            "TaskSubtype",
            "Task Subtype",
            ("Task", "Email", "Call", "ListEmail"),
            defaulted=True,
            default="Task",
            updateable=False,
        ),
        _area("Description", "Description", 32000),
        _number("CallDurationInSeconds", "Call Duration", "int", 8),
        _system("IsClosed", "Closed", "boolean", defaulted=True, default=False),
        _read_only("CompletedDateTime", "Completed Date", "datetime"),
        _owner("Group", "User"),
        *_STAMPS,
    ),
)

CONTACT_ROLE = ObjectType(
    "OpportunityContactRole",
    "Opportunity Contact Role",
    "Opportunity Contact Roles",
    "00K",
    (
        _ID,
        _DELETED,
        _ref(
            "OpportunityId",
            "Opportunity ID",
            "Opportunity",
            "Opportunity",
            nillable=False,
            updateable=False,
            children="OpportunityContactRoles",
        ),
        _ref("ContactId", "Contact ID", "Contact", "Contact", nillable=False, children="OpportunityContactRoles"),
        _pick("Role", "Role", ("Decision Maker", "Economic Buyer", "Evaluator", "Influencer", "Other")),
        _bool("IsPrimary", "Primary"),
        *_STAMPS,
    ),
)

LEAD_HISTORY = ObjectType(
    "LeadHistory",
    "Lead History",
    "Lead History",
    "017",
    (
        _ID,
        _DELETED,
        _read_only(
            "LeadId", "Lead ID", "reference", length=18, refers=("Lead",), relationship="Lead", children="Histories"
        ),
        _read_only("CreatedById", "Created By ID", "reference", length=18, refers=("User",), relationship="CreatedBy"),
        _system("CreatedDate", "Created Date", "datetime"),
        _read_only("Field", "Changed Field", "picklist", length=255),
        _read_only("DataType", "Datatype", "picklist", length=40),
        _read_only("OldValue", "Old Value", length=255, filterable=False, sortable=False),
        _read_only("NewValue", "New Value", length=255, filterable=False, sortable=False),
    ),
    createable=False,
    updateable=False,
    deletable=False,
)

OBJECTS: tuple[ObjectType, ...] = (
    LEAD,
    CONTACT,
    ACCOUNT,
    OPPORTUNITY,
    USER,
    GROUP,
    LEAD_STATUS,
    OPPORTUNITY_STAGE,
    ORGANIZATION,
    CAMPAIGN,
    CAMPAIGN_MEMBER,
    TASK,
    CONTACT_ROLE,
    LEAD_HISTORY,
)
