"""The objects of the sandbox's org, as tables of fields. To add an object, write a table and name it here.

What it does not do: behaviour. That a Lead converts is told in `conversion.py`.
"""

from __future__ import annotations

from connectors.salesforce.sandbox.fields import ObjectType
from connectors.salesforce.sandbox.objects_org import GROUP, LEAD_STATUS, OPPORTUNITY_STAGE, ORGANIZATION, USER
from connectors.salesforce.sandbox.objects_people import ACCOUNT, CONTACT, LEAD, LEAD_STATUSES
from connectors.salesforce.sandbox.objects_sales import (
    CAMPAIGN,
    CAMPAIGN_MEMBER,
    CONTACT_ROLE,
    LEAD_HISTORY,
    OPPORTUNITY,
    STAGES,
    TASK,
)

__all__ = ["LEAD_STATUSES", "OBJECTS", "STAGES"]

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
