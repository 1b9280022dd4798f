"""Lead, Contact and Account: standard fields as describe gives them, custom ones of the demo world. Section 15."""

from __future__ import annotations

from connectors.salesforce.sandbox.field_makers import (
    DELETED,
    ID,
    STAMPS,
    address,
    area,
    flag,
    lookup,
    master,
    name_parts,
    number,
    ours,
    owner,
    pick,
    reach,
    read_only,
    system,
    text,
)
from connectors.salesforce.sandbox.fields import Field, ObjectType

LEAD_STATUSES = ("Open - Not Contacted", "Working - Contacted", "Closed - Converted", "Closed - Not Converted")
SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
RATINGS = ("Hot", "Warm", "Cold")
REASONS = ("No budget", "No need", "Bad timing", "Wrong contact", "Unreachable")
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

LEAD = ObjectType(
    "Lead",
    "Lead",
    "Leads",
    "00Q",
    (
        ID,
        DELETED,
        master("Lead"),
        *name_parts(),
        text("Title", "Title", 128),
        text("Company", "Company", 255, nillable=False),
        *address("", ""),
        *reach(),
        Field("Website", "Website", "url", 255),
        area("Description", "Description", 32000),
        pick("LeadSource", "Lead Source", SOURCES),
        pick(
            "Status",
            "Status",
            LEAD_STATUSES,
            nillable=False,
            defaulted=True,
            default=LEAD_STATUSES[0],
            restricted=True,
        ),
        pick("Industry", "Industry", INDUSTRIES),
        pick("Rating", "Rating", RATINGS),
        number("AnnualRevenue", "Annual Revenue", "currency", 18, 0),
        number("NumberOfEmployees", "Employees", "int", 8),
        owner("Group", "User"),
        system("IsConverted", "Converted", "boolean", defaulted=True, default=False),
        read_only("ConvertedDate", "Converted Date", "date"),
        read_only(
            "ConvertedAccountId",
            "Converted Account ID",
            "reference",
            length=18,
            refers=("Account",),
            relationship="ConvertedAccount",
        ),
        read_only(
            "ConvertedContactId",
            "Converted Contact ID",
            "reference",
            length=18,
            refers=("Contact",),
            relationship="ConvertedContact",
        ),
        read_only(
            "ConvertedOpportunityId",
            "Converted Opportunity ID",
            "reference",
            length=18,
            refers=("Opportunity",),
            relationship="ConvertedOpportunity",
        ),
        flag("IsUnreadByOwner", "Unread By Owner"),
        *STAMPS,
        read_only("LastActivityDate", "Last Activity", "date"),
        *ours(),
        pick("Rejection_Reason__c", "Rejection Reason", REASONS, restricted=True),
    ),
    mergeable=True,
)


CONTACT = ObjectType(
    "Contact",
    "Contact",
    "Contacts",
    "003",
    (
        ID,
        DELETED,
        master("Contact"),
        lookup("AccountId", "Account ID", "Account", "Account", children="Contacts"),
        *name_parts(),
        *address("Mailing", "Mailing"),
        *reach(),
        text("Title", "Title", 128),
        text("Department", "Department", 80),
        lookup("ReportsToId", "Reports To ID", "ReportsTo", "Contact"),
        pick("LeadSource", "Lead Source", SOURCES),
        Field("Birthdate", "Birthdate", "date"),
        area("Description", "Contact Description", 32000),
        owner("User"),
        *STAMPS,
        read_only("LastActivityDate", "Last Activity", "date"),
        *ours(),
    ),
    mergeable=True,
)


ACCOUNT = ObjectType(
    "Account",
    "Account",
    "Accounts",
    "001",
    (
        ID,
        DELETED,
        master("Account"),
        text("Name", "Account Name", 255, nillable=False, name_field=True),
        pick("Type", "Account Type", ("Prospect", "Customer - Direct", "Customer - Channel", "Partner", "Other")),
        lookup("ParentId", "Parent Account ID", "Parent", "Account", children="ChildAccounts"),
        *address("Billing", "Billing"),
        Field("Phone", "Account Phone", "phone", 40),
        Field("Website", "Website", "url", 255),
        pick("Industry", "Industry", INDUSTRIES),
        number("AnnualRevenue", "Annual Revenue", "currency", 18, 0),
        number("NumberOfEmployees", "Employees", "int", 8),
        area("Description", "Account Description", 32000),
        owner("User"),
        *STAMPS,
        read_only("LastActivityDate", "Last Activity", "date"),
        text("Syncd_Key__c", "Syncd Key", 255, external_id=True, unique=True),
        text("Erp_Number__c", "ERP Number", 40, external_id=True),
    ),
    mergeable=True,
)
