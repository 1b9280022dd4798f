"""Opportunities, who plays which role in them, and their stages. Contract section 15."""

from __future__ import annotations

from connectors.salesforce.sandbox.field_makers import (
    DELETED,
    ID,
    STAMPS,
    area,
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
from connectors.salesforce.sandbox.objects_people import SOURCES

STAGES: tuple[tuple[str, int, bool, bool, str], ...] = (
    ("Prospecting", 10, False, False, "Pipeline"),
    ("Qualification", 10, False, False, "Pipeline"),
    ("Needs Analysis", 20, False, False, "Pipeline"),
    ("Value Proposition", 50, False, False, "Pipeline"),
    ("Id. Decision Makers", 60, False, False, "Pipeline"),
    ("Perception Analysis", 70, False, False, "Best Case"),
    ("Proposal/Price Quote", 75, False, False, "Best Case"),
    ("Negotiation/Review", 90, False, False, "Commit"),
    ("Closed Won", 100, True, True, "Closed"),
    ("Closed Lost", 0, True, False, "Omitted"),
)
"""Name, probability, closed, won, forecast category by its name."""
FORECASTS = {
    "Omitted": "Omitted",
    "Pipeline": "Pipeline",
    "Best Case": "BestCase",
    "Most Likely": "MostLikely",
    "Commit": "Forecast",
    "Closed": "Closed",
}
"""ForecastCategoryName to ForecastCategory."""
LOSS_REASONS = ("Price", "Competitor", "No decision", "Timing")
WIN_REASONS = ("Price", "Product", "Service", "Relationship")
PIPELINES = ("New Business", "Renewals")
"""Also the names of the record types, whose developer names have underscores."""

_FORECAST = tuple(FORECASTS.values())


OPPORTUNITY = ObjectType(
    "Opportunity",
    "Opportunity",
    "Opportunities",
    "006",
    (
        ID,
        DELETED,
        lookup("AccountId", "Account ID", "Account", "Account", children="Opportunities"),
        lookup("RecordTypeId", "Record Type ID", "RecordType", "RecordType", defaulted=True),
        text("Name", "Name", 120, nillable=False, name_field=True),
        area("Description", "Description", 32000),
        pick("StageName", "Stage", tuple(stage[0] for stage in STAGES), nillable=False),
        number("Amount", "Amount", "currency", 18, 2),
        number("Probability", "Probability (%)", "percent", 3, 0, defaulted=True),
        read_only("ExpectedRevenue", "Expected Amount", "currency", precision=18, scale=2, formula="expected_revenue"),
        Field("CloseDate", "Close Date", "date", nillable=False),
        pick(
            "Type", "Opportunity Type", ("New Customer", "Existing Customer - Upgrade", "Existing Customer - Renewal")
        ),
        pick("LeadSource", "Lead Source", SOURCES),
        system("IsClosed", "Closed", "boolean", defaulted=True, default=False),
        system("IsWon", "Won", "boolean", defaulted=True, default=False),
        read_only("ForecastCategory", "Forecast Category", "picklist", length=40, values=_FORECAST),
        pick("ForecastCategoryName", "Forecast Category", tuple(FORECASTS), length=40, restricted=True, defaulted=True),
        lookup("CampaignId", "Campaign ID", "Campaign", "Campaign", children="Opportunities"),
        currency_code(),
        owner("User"),
        *STAMPS,
        read_only("LastActivityDate", "Last Activity", "date"),
        read_only("LastStageChangeDate", "Last Stage Change Date", "datetime"),
        lookup("ContactId", "Contact ID", "Contact", "Contact", updateable=False),
        text("Syncd_Key__c", "Syncd Key", 255, external_id=True, unique=True),
        text("Primary_Source__c", "Primary Source", 40),
        pick("Loss_Reason__c", "Loss Reason", LOSS_REASONS, restricted=True),
        pick("Win_Reason__c", "Win Reason", WIN_REASONS, restricted=True),
        pick("Pipeline__c", "Pipeline", PIPELINES, restricted=True, defaulted=True, default=PIPELINES[0]),
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


OPPORTUNITY_HISTORY = ObjectType(
    "OpportunityHistory",
    "Opportunity History",
    "Opportunity History",
    "008",
    (
        ID,
        DELETED,
        read_only(
            "OpportunityId",
            "Opportunity ID",
            "reference",
            length=18,
            refers=("Opportunity",),
            relationship="Opportunity",
            children="OpportunityHistories",
        ),
        read_only("CreatedById", "Created By ID", "reference", length=18, refers=("User",), relationship="CreatedBy"),
        system("CreatedDate", "Created Date", "datetime"),
        read_only("StageName", "Stage", "picklist", length=255),
        read_only("Amount", "Amount", "currency", precision=18, scale=2),
        read_only("ExpectedRevenue", "Expected Revenue", "currency", precision=18, scale=2),
        read_only("CloseDate", "Close Date", "date"),
        read_only("Probability", "Probability (%)", "percent", precision=3),
        read_only("ForecastCategory", "To ForecastCategory", "picklist", length=40),
        read_only("PrevAmount", "From Amount", "currency", precision=18, scale=2),
        read_only("PrevCloseDate", "From Close Date", "date"),
    ),
    createable=False,
    updateable=False,
    deletable=False,
)
