"""The org itself: users, queues, statuses, stages. Nobody writes these over the API. Contract section 15."""

from __future__ import annotations

from connectors.salesforce.sandbox.field_makers import ID, STAMPS, flag, lookup, pick, read_only, system, text
from connectors.salesforce.sandbox.fields import Field, ObjectType

USER = ObjectType(
    "User",
    "User",
    "Users",
    "005",
    (
        ID,
        text("Username", "Username", 80, nillable=False, unique=True, id_lookup=True),
        text("LastName", "Last Name", 80, nillable=False),
        text("FirstName", "First Name", 40),
        read_only("Name", "Full Name", length=121, nillable=False, name_field=True),
        Field("Email", "Email", "email", 128, nillable=False),
        Field("Phone", "Phone", "phone", 40),
        text("Title", "Title", 80),
        text("Alias", "Alias", 8, nillable=False),
        flag("IsActive", "Active"),
        pick("UserType", "User Type", ("Standard", "AutomatedProcess"), createable=False, updateable=False),
        text("TimeZoneSidKey", "Time Zone", 40, nillable=False),
        lookup("ManagerId", "Manager ID", "Manager", "User"),
        *STAMPS,
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
        ID,
        text("Name", "Name", 40, nillable=False, name_field=True),
        text("DeveloperName", "Developer Name", 80),
        pick("Type", "Type", ("Regular", "Queue", "Role"), nillable=False, updateable=False),
        Field("Email", "Email", "email", 255),
        *STAMPS,
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
        ID,
        read_only("MasterLabel", "Master Label", length=255, nillable=False),
        read_only("ApiName", "API Name", length=255, nillable=False),
        read_only("SortOrder", "Sort Order", "int", precision=9),
        system("IsDefault", "Is Default", "boolean", default=False),
        system("IsConverted", "Is Converted", "boolean", default=False),
        *STAMPS,
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
        ID,
        read_only("MasterLabel", "Master Label", length=255, nillable=False),
        read_only("ApiName", "API Name", length=255, nillable=False),
        read_only("SortOrder", "Sort Order", "int", precision=9),
        system("IsActive", "Is Active", "boolean", default=False),
        system("IsClosed", "Closed", "boolean", default=False),
        system("IsWon", "Won", "boolean", default=False),
        read_only("DefaultProbability", "Probability (%)", "percent", precision=3),
        read_only("ForecastCategoryName", "Forecast Category", "picklist", length=40),
        *STAMPS,
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
        ID,
        read_only("Name", "Name", length=80, nillable=False, name_field=True),
        system("IsSandbox", "Is Sandbox", "boolean", default=False),
        read_only("InstanceName", "Instance Name", length=5),
        read_only("OrganizationType", "Edition", "picklist", length=40),
        read_only("TimeZoneSidKey", "Time Zone", "picklist", length=40),
        read_only("DefaultLocaleSidKey", "Locale", "picklist", length=40),
        read_only("LanguageLocaleKey", "Language", "picklist", length=40),
        read_only("TrialExpirationDate", "Trial Expiration Date", "datetime"),
        *STAMPS,
    ),
    createable=False,
    updateable=False,
    deletable=False,
    replicateable=False,
)


RECORD_TYPE = ObjectType(
    "RecordType",
    "Record Type",
    "Record Types",
    "012",
    (
        ID,
        read_only("Name", "Name", length=80, nillable=False, name_field=True),
        read_only("DeveloperName", "Record Type Name", length=80, nillable=False),
        read_only("SobjectType", "Object Type Name", "picklist", length=40, nillable=False),
        system("IsActive", "Active", "boolean", default=True),
        *STAMPS,
    ),
    createable=False,
    updateable=False,
    deletable=False,
    replicateable=False,
)


CURRENCY_TYPE = ObjectType(
    "CurrencyType",
    "Currency Type",
    "Currency Types",
    "01L",
    (
        ID,
        read_only("IsoCode", "Currency ISO Code", "picklist", length=3, nillable=False),
        read_only("ConversionRate", "Conversion Rate", "double", precision=18, scale=6),
        read_only("DecimalPlaces", "Decimal Places", "int", precision=2),
        system("IsActive", "Active", "boolean", default=True),
        system("IsCorporate", "Corporate Currency", "boolean", default=False),
        *STAMPS,
    ),
    createable=False,
    updateable=False,
    deletable=False,
    replicateable=False,
)
