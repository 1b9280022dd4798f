"""What people did: tasks, events, and the history of Leads. Contract section 15."""

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

_ARCHIVED = system("IsArchived", "Archived", "boolean", defaulted=True, default=False)


def _hung(children: str) -> tuple[Field, Field]:
    """Whom and what an activity is about."""
    who = lookup("WhoId", "Name ID", "Who", "Contact", "Lead", children=children)
    return who, lookup("WhatId", "Related To ID", "What", "Account", "Campaign", "Opportunity", children=children)


TASK = ObjectType(
    "Task",
    "Task",
    "Tasks",
    "00T",
    (
        ID,
        DELETED,
        *_hung("Tasks"),
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
            ("Task", "Email", "Call", "ListEmail", "LinkedIn", "Cadence"),
            defaulted=True,
            default="Task",
            updateable=False,
        ),
        area("Description", "Description", 32000),
        number("CallDurationInSeconds", "Call Duration", "int", 8),
        system("IsClosed", "Closed", "boolean", defaulted=True, default=False),
        read_only("CompletedDateTime", "Completed Date", "datetime"),
        _ARCHIVED,
        owner("Group", "User"),
        *STAMPS,
    ),
)


EVENT = ObjectType(
    "Event",
    "Event",
    "Events",
    "00U",
    (
        ID,
        DELETED,
        *_hung("Events"),
        text("Subject", "Subject", 255),
        text("Location", "Location", 255),
        Field("StartDateTime", "Start Date Time", "datetime", nillable=False),
        Field("EndDateTime", "End Date Time", "datetime"),
        number("DurationInMinutes", "Duration", "int", 8),
        read_only("ActivityDate", "Due Date Only", "date"),
        flag("IsAllDayEvent", "All-Day Event"),
        pick("EventSubtype", "Event Subtype", ("Event",), defaulted=True, default="Event", updateable=False),
        area("Description", "Description", 32000),
        _ARCHIVED,
        owner("User"),
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
