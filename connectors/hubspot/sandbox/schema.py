"""Property definitions of every object, as the properties API shows them (contract section 10).

Promise: one table of definitions per object, in wire shape, that the API and a person may change; writability is
`modificationMetadata.readOnlyValue` and nothing else. Keys that begin with `_` are the sandbox's own and never shown.
"""

from __future__ import annotations

from typing import Any

from connectors.hubspot.sandbox.objects import OBJECT_TYPES, PIPELINES, ObjectType
from connectors.hubspot.sandbox.values import iso

Definition = dict[str, Any]

LIFECYCLE = (
    ("subscriber", "Subscriber"),
    ("lead", "Lead"),
    ("marketingqualifiedlead", "Marketing Qualified Lead"),
    ("salesqualifiedlead", "Sales Qualified Lead"),
    ("opportunity", "Opportunity"),
    ("customer", "Customer"),
    ("evangelist", "Evangelist"),
    ("other", "Other"),
)
_LEAD_STATUS = "NEW OPEN IN_PROGRESS OPEN_DEAL UNQUALIFIED ATTEMPTED_TO_CONTACT CONNECTED BAD_TIMING"
_SOURCES = "ORGANIC_SEARCH PAID_SEARCH EMAIL_MARKETING SOCIAL_MEDIA REFERRALS OTHER_CAMPAIGNS DIRECT_TRAFFIC OFFLINE PAID_SOCIAL"
_LEAD_SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
_REJECTIONS = ("no_budget", "no_need", "bad_timing", "wrong_contact", "unreachable")

# name, type, fieldType, flags: r read-only value, c calculated, u unique value, x external options, k a customer's own
_EVERYWHERE = """
hs_object_id number number r
hs_object_source enumeration select r
hs_object_source_id string text r
hs_object_source_label enumeration select r
hs_object_source_detail_1 string text r
hs_merged_object_ids enumeration checkbox rc
hs_all_owner_ids enumeration checkbox rcx
hs_user_ids_of_all_owners enumeration checkbox rcx
hubspot_owner_id enumeration select x
hubspot_owner_assigneddate datetime date r
syncd_key string text uk
"""
_TABLES = {
    "contacts": """
createdate datetime date r
lastmodifieddate datetime date r
email string text
firstname string text
lastname string text
company string text
phone string phonenumber
mobilephone string phonenumber
website string text
address string text
city string text
state string text
zip string text
country string text
jobtitle string text
industry string text
salutation string text
date_of_birth string text
annualrevenue string text
closedate datetime date
message string textarea
hs_pipeline enumeration select x
lifecyclestage enumeration radio
hs_lead_status enumeration radio
hs_additional_emails enumeration checkbox rx
hs_calculated_merged_vids enumeration text rcx
hs_email_domain string text rc
hs_email_optout bool booleancheckbox r
hs_is_unworked bool calculation_equation rc
hs_analytics_source enumeration select
hs_analytics_source_data_1 string text r
hs_analytics_source_data_2 string text r
hs_latest_source enumeration select r
hs_searchable_calculated_phone_number string calculation_equation rc
hs_searchable_calculated_mobile_number string calculation_equation rc
hubspotscore number number rc
num_conversion_events number number r
num_associated_deals number number rc
associatedcompanyid number number rx
hs_v2_date_entered_current_stage datetime calculation_read_time rc
lead_source enumeration select k
crm_rating enumeration select k
crm_rejection_reason enumeration select k
crm_email_optout bool booleancheckbox k
""",
    "companies": """
createdate datetime date r
hs_lastmodifieddate datetime date r
name string text
domain string text
website string text
description string textarea
phone string phonenumber
address string text
city string text
state string text
zip string text
country string text
industry string text
type string text
annualrevenue number number
numberofemployees number number
lifecyclestage enumeration radio
hs_lead_status enumeration radio
hs_additional_domains enumeration checkbox rx
hs_parent_company_id number number rcx
num_associated_contacts number number rc
num_associated_deals number number rc
hs_v2_date_entered_current_stage datetime calculation_read_time rc
""",
    "deals": """
createdate datetime date r
hs_lastmodifieddate datetime date r
dealname string text
amount number number
amount_in_home_currency number calculation_equation rc
deal_currency_code enumeration select x
closedate datetime date
dealstage enumeration radio x
pipeline enumeration select x
dealtype enumeration radio x
description string textarea
hs_is_closed bool calculation_equation rc
hs_is_closed_won bool calculation_equation rc
hs_is_closed_lost bool calculation_equation rc
hs_deal_stage_probability number number rc
hs_closed_amount number number rc
hs_projected_amount number number rc
hs_v2_date_entered_current_stage datetime calculation_read_time rc
""",
    "tickets": """
createdate datetime date r
hs_lastmodifieddate datetime date r
subject string text
content string textarea
hs_pipeline enumeration select x
hs_pipeline_stage enumeration select x
hs_ticket_priority enumeration select x
""",
    "leads": """
hs_createdate datetime date r
hs_lastmodifieddate datetime date r
hs_lead_name string text
hs_lead_type enumeration select x
hs_lead_label enumeration select x
hs_pipeline enumeration select x
hs_pipeline_stage enumeration select x
""",
    "notes": """
hs_createdate datetime date r
hs_lastmodifieddate datetime date r
hs_timestamp datetime date
hs_note_body string html
hs_attachment_ids enumeration checkbox x
""",
    "tasks": """
hs_createdate datetime date r
hs_lastmodifieddate datetime date r
hs_timestamp datetime date
hs_task_subject string text
hs_task_body string html
hs_task_status enumeration select x
hs_task_priority enumeration select x
hs_task_type enumeration select x
""",
    "calls": """
hs_createdate datetime date r
hs_lastmodifieddate datetime date r
hs_timestamp datetime date
hs_call_title string text
hs_call_body string html
hs_call_direction enumeration select x
hs_call_duration number number
hs_call_status enumeration select x
""",
    "meetings": """
hs_createdate datetime date r
hs_lastmodifieddate datetime date r
hs_timestamp datetime date
hs_meeting_title string text
hs_meeting_body string html
hs_meeting_start_time datetime date
hs_meeting_end_time datetime date
""",
    "emails": """
hs_createdate datetime date r
hs_lastmodifieddate datetime date r
hs_timestamp datetime date
hs_email_direction enumeration select x
hs_email_subject string text
hs_email_html string html
""",
}
_OPTIONS: dict[str, tuple[tuple[str, str], ...]] = {
    "lifecyclestage": LIFECYCLE,
    "hs_lead_status": tuple((name, name.replace("_", " ").capitalize()) for name in _LEAD_STATUS.split()),
    "hs_analytics_source": tuple((name, name.replace("_", " ").title()) for name in _SOURCES.split()),
    "hs_latest_source": tuple((name, name.replace("_", " ").title()) for name in _SOURCES.split()),
    "lead_source": tuple((name, name) for name in _LEAD_SOURCES),
    "crm_rating": tuple((name, name) for name in ("Hot", "Warm", "Cold")),
    "crm_rejection_reason": tuple((name, name.replace("_", " ").capitalize()) for name in _REJECTIONS),
}
_TRUTHS = (("true", "Yes"), ("false", "No"))
_STAGE_STAMPS = (
    ("hs_v2_date_entered_", "datetime"),
    ("hs_v2_date_exited_", "datetime"),
    ("hs_v2_latest_time_in_", "number"),
    ("hs_v2_cumulative_time_in_", "number"),
)


def definition(name: str, kind: str, field_type: str, *, flags: str = "", **more: Any) -> Definition:
    """A whole definition from its few facts; `more` overrides wire keys."""
    own, read_only = "k" in flags, "r" in flags
    made: Definition = {
        "name": name,
        "label": name.removeprefix("hs_").replace("_", " ").capitalize(),
        "type": kind,
        "fieldType": field_type,
        "groupName": "information",
        "description": "",
        "options": [],
        "displayOrder": -1,
        "calculated": "c" in flags,
        "externalOptions": "x" in flags,
        "hasUniqueValue": "u" in flags,
        "hidden": False,
        "hubspotDefined": not own,
        "formField": not read_only,
        "archived": False,
        "dataSensitivity": "non_sensitive",
        "referencedObjectType": "OWNER" if name == "hubspot_owner_id" else None,
        "modificationMetadata": {
            "archivable": own,
            "readOnlyDefinition": not own,
            "readOnlyValue": read_only,
            "readOnlyOptions": not own,
        },
        "createdAt": iso(1_577_836_800_000),
        "updatedAt": iso(1_577_836_800_000),
        "createdUserId": None,
        "updatedUserId": None,
    }
    made.update(more)
    return made


def options(pairs: tuple[tuple[str, str], ...]) -> list[dict[str, Any]]:
    """Options from (value, label) pairs."""
    return [
        {"label": label, "value": value, "displayOrder": at, "hidden": False, "description": ""}
        for at, (value, label) in enumerate(pairs)
    ]


def standard(kind: ObjectType) -> dict[str, Definition]:
    """The definitions that a fresh portal has for that object, the project's custom ones included."""
    table: dict[str, Definition] = {}
    for line in (_TABLES.get(kind.name, "") + _EVERYWHERE).split("\n"):
        if not line:
            continue
        name, value_type, field_type, flags = [*line.split(), ""][:4]
        made = definition(name, value_type, field_type, flags=flags)
        if name in _OPTIONS:
            made["options"] = options(_OPTIONS[name])
            made["modificationMetadata"]["readOnlyOptions"] = False
        elif value_type == "bool":
            made["options"] = options(_TRUTHS)
        table[name] = made
    if kind.name == "contacts":
        # Some accounts have it; it is not maintained there, and filtering on it misses changes.
        table["hs_lastmodifieddate"] = definition("hs_lastmodifieddate", "datetime", "date", flags="r")
    for stage in stages(kind, table):
        for prefix, value_type in _STAGE_STAMPS:
            name = prefix + stage
            table[name] = definition(name, value_type, "calculation_read_time", flags="rc")
        if kind.stage == "lifecyclestage":
            name = f"hs_lifecyclestage_{stage}_date"
            table[name] = definition(name, "datetime", "date", flags="r")
    return table


def stages(kind: ObjectType, table: dict[str, Definition]) -> list[str]:
    """The values of the object's stage property, in their order."""
    if kind.stage is None:
        return []
    if kind.name in PIPELINES:
        return [stage[0] for pipeline in PIPELINES[kind.name] for stage in pipeline["stages"]]  # type: ignore[attr-defined]
    return [option["value"] for option in table[kind.stage]["options"]]


def all_standard() -> dict[str, dict[str, Definition]]:
    """Every object's definitions, by object name."""
    return {kind.name: standard(kind) for kind in OBJECT_TYPES}
