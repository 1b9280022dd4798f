"""The objects of the sandbox's org, as tables of fields. To add an object, write a table and name it here.

What it does not do: behaviour. That a Lead converts is told in `conversion.py`, what a save entails elsewhere in
`consequences.py`.
"""

from __future__ import annotations

from connectors.salesforce.sandbox.fields import ObjectType
from connectors.salesforce.sandbox.objects_activities import EVENT, LEAD_HISTORY, TASK
from connectors.salesforce.sandbox.objects_campaigns import (
    CAMPAIGN,
    CAMPAIGN_MEMBER,
    CAMPAIGN_MEMBER_STATUS,
    MEMBER_STATUSES,
)
from connectors.salesforce.sandbox.objects_deals import (
    CONTACT_ROLE,
    FORECASTS,
    OPPORTUNITY,
    OPPORTUNITY_HISTORY,
    PIPELINES,
    STAGES,
)
from connectors.salesforce.sandbox.objects_org import (
    CURRENCY_TYPE,
    GROUP,
    LEAD_STATUS,
    OPPORTUNITY_STAGE,
    ORGANIZATION,
    RECORD_TYPE,
    USER,
)
from connectors.salesforce.sandbox.objects_people import ACCOUNT, CONTACT, LEAD, LEAD_STATUSES

__all__ = ["FORECASTS", "LEAD_STATUSES", "MEMBER_STATUSES", "OBJECTS", "PIPELINES", "STAGES"]

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
    CAMPAIGN_MEMBER_STATUS,
    TASK,
    EVENT,
    CONTACT_ROLE,
    LEAD_HISTORY,
    OPPORTUNITY_HISTORY,
    RECORD_TYPE,
    CURRENCY_TYPE,
)
