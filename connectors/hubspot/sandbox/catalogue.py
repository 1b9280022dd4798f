"""Which properties a fresh portal has, one line each (contract sections 7, 10, 13, 14).

Promise: data only. Contacts and companies carry, beside HubSpot's own, the custom properties that the demo's mappings
write: the key of syncd, and what became of a person's or a company's deals in the CRM.
"""

from __future__ import annotations

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
CURRENCIES = ("EUR", "USD", "GBP", "SEK", "CHF")
"""The account's currencies, its own one first."""
_FORECAST = (("OMIT", "Not forecasted"), ("PIPELINE", "Pipeline"), ("BEST_CASE", "Best case"), ("COMMIT", "Commit"))
_INDUSTRIES = (
    "ACCOUNTING APPAREL_FASHION AUTOMOTIVE BANKING BIOTECHNOLOGY BUILDING_MATERIALS CHEMICALS COMPUTER_SOFTWARE "
    "CONSTRUCTION EDUCATION_MANAGEMENT ELECTRICAL_ELECTRONIC_MANUFACTURING FOOD_PRODUCTION HOSPITAL_HEALTH_CARE "
    "HOSPITALITY INDUSTRIAL_AUTOMATION INFORMATION_TECHNOLOGY_AND_SERVICES INSURANCE INTERNET LOGISTICS_AND_SUPPLY_CHAIN "
    "MACHINERY MANAGEMENT_CONSULTING MECHANICAL_OR_INDUSTRIAL_ENGINEERING MEDICAL_DEVICES OIL_ENERGY PHARMACEUTICALS "
    "REAL_ESTATE RETAIL TELECOMMUNICATIONS TRANSPORTATION_TRUCKING_RAILROAD UTILITIES WHOLESALE"
)
_LEAD_SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
_HANDED = ("waiting", "delivered", "accepted", "rejected", "blocked", "out_of_scope")
_CLOCKS = ("on_track", "due_soon", "breached", "met", "met_late", "paused")
_REJECTIONS = ("no_budget", "no_need", "bad_timing", "wrong_contact", "unreachable")

_OUTCOME = """crm_opportunity_stage string text k
crm_last_outcome enumeration select k
crm_won_amount number number k
crm_lost_reason string text k
"""
"""What the CRM tells people and companies of their deals."""
_LOOP = """syncd_outcome enumeration select k
syncd_outcome_reason string text k
syncd_handoff enumeration select k
syncd_handoff_reason string text k
syncd_qualified_at datetime date k
syncd_follow_up enumeration select k
syncd_follow_up_due datetime date k
syncd_first_touch_at datetime date k
"""
"""What the funnel says of people: judged, handed over, followed up."""
# name, type, fieldType, flags: r read-only value, c calculated, u unique value, x external options, k a customer's own
EVERYWHERE = """
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
TABLES = {
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
first_conversion_date datetime date r
first_conversion_event_name string text r
recent_conversion_date datetime date r
recent_conversion_event_name string text r
num_unique_conversion_events number number r
hs_email_last_click_date datetime date r
hs_email_last_open_date datetime date r
hs_email_last_email_name string text r
hs_analytics_first_timestamp datetime date r
hs_analytics_first_url string text r
hs_analytics_last_timestamp datetime date r
hs_analytics_last_url string text r
hs_analytics_num_page_views number number r
hs_latest_source_data_1 string text r
hs_latest_source_data_2 string text r
hs_latest_source_timestamp datetime date r
hs_analytics_first_touch_converting_campaign string text r
hs_analytics_last_touch_converting_campaign string text r
"""
    + _OUTCOME
    + _LOOP,
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
industry enumeration select
type enumeration select
annualrevenue number number
numberofemployees number number
lifecyclestage enumeration radio
hs_lead_status enumeration radio
hs_additional_domains enumeration checkbox rx
hs_parent_company_id number number rcx
num_associated_contacts number number rc
num_associated_deals number number rc
hs_analytics_source enumeration select r
hs_v2_date_entered_current_stage datetime calculation_read_time rc
crm_type enumeration select k
"""
    + _OUTCOME,
    "deals": """
createdate datetime date r
hs_lastmodifieddate datetime date r
dealname string text
amount number number
amount_in_home_currency number calculation_equation rc
deal_currency_code enumeration select
closedate datetime date
dealstage enumeration radio x
pipeline enumeration select x
dealtype enumeration radio
description string textarea
closed_lost_reason string textarea
closed_won_reason string textarea
hs_manual_forecast_category enumeration select
hs_forecast_amount number calculation_equation rc
hs_analytics_source enumeration select r
hs_analytics_source_data_1 string text r
hs_analytics_source_data_2 string text r
lead_source enumeration select k
days_to_close number calculation_equation rc
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
OPTIONS: dict[str, tuple[tuple[str, str], ...]] = {
    "lifecyclestage": LIFECYCLE,
    "hs_lead_status": tuple((name, name.replace("_", " ").capitalize()) for name in _LEAD_STATUS.split()),
    "hs_analytics_source": tuple((name, name.replace("_", " ").title()) for name in _SOURCES.split()),
    "hs_latest_source": tuple((name, name.replace("_", " ").title()) for name in _SOURCES.split()),
    "lead_source": tuple((name, name) for name in _LEAD_SOURCES),
    "industry": tuple((name, name.replace("_", " ").title()) for name in _INDUSTRIES.split()),
    "type": tuple((name, name.capitalize()) for name in ("PROSPECT", "PARTNER", "RESELLER", "VENDOR", "OTHER")),
    "dealtype": (("newbusiness", "New Business"), ("existingbusiness", "Existing Business")),
    "deal_currency_code": tuple((name, name) for name in CURRENCIES),
    "hs_manual_forecast_category": (*_FORECAST, ("CLOSED", "Closed won")),
    "crm_type": tuple((name, name) for name in ("Prospect", "Customer", "Partner")),
    "crm_last_outcome": tuple((name, name.capitalize()) for name in ("won", "lost", "open")),
    "crm_rating": tuple((name, name) for name in ("Hot", "Warm", "Cold")),
    "syncd_outcome": tuple((name, name.capitalize()) for name in ("handoff", "nurture", "watch", "disqualify")),
    "syncd_handoff": tuple((name, name.replace("_", " ").capitalize()) for name in _HANDED),
    "syncd_follow_up": tuple((name, name.replace("_", " ").capitalize()) for name in _CLOCKS),
    "crm_rejection_reason": tuple((name, name.replace("_", " ").capitalize()) for name in _REJECTIONS),
}
