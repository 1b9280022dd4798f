"""What kinds of record the portal holds, and how each behaves (contract sections 1.3, 3, 4.3, 6, 7).

Promise: data only. Endpoints never ask for an object by name: whatever differs between contacts and deals is a field
of `ObjectType`. (What HubSpot computes for one object alone is in `derived`.)
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ObjectType:
    """One kind of record. `modified` and `created` name its stamp properties."""

    name: str
    type_id: str
    singular: str
    created: str
    modified: str
    defaults: tuple[str, ...]
    scope: str
    email: str | None = None
    """The property that is unique over primary and additional addresses."""
    domain: str | None = None
    """The property by which contacts are associated automatically."""
    stage: str | None = None
    forward_only: bool = False
    default_stage: bool = False
    """An API create without a stage gets the account's default."""
    merge: str | None = None
    """None: cannot be merged; new: the result has a new id; primary: it is said to keep the primary's."""
    required: tuple[str, ...] = ()
    required_any: tuple[str, ...] = ()
    needs: str | None = None
    """A create must associate the record with one of these."""
    keyed: tuple[str, ...] = ()
    """Properties that the search index has look-up tables for: nothing but speed."""
    searched: tuple[str, ...] = ()
    """Properties that a search's `query` looks at."""

    @property
    def label(self) -> str:
        """As messages of batches spell it."""
        return self.singular.upper()


def _plain(name: str, type_id: str, singular: str, scope: str, **more: object) -> ObjectType:
    stamps = ("hs_createdate", "hs_lastmodifieddate", "hs_object_id")
    return ObjectType(name, type_id, singular, stamps[0], stamps[1], stamps, scope, **more)  # type: ignore[arg-type]


OBJECT_TYPES: tuple[ObjectType, ...] = (
    ObjectType(
        name="contacts",
        type_id="0-1",
        singular="contact",
        created="createdate",
        modified="lastmodifieddate",
        defaults=("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"),
        scope="contacts",
        email="email",
        stage="lifecyclestage",
        forward_only=True,
        default_stage=True,
        merge="new",
        searched=("email", "firstname", "lastname", "phone", "company", "hs_additional_emails"),
    ),
    ObjectType(
        name="companies",
        type_id="0-2",
        singular="company",
        created="createdate",
        modified="hs_lastmodifieddate",
        defaults=("createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"),
        scope="companies",
        domain="domain",
        stage="lifecyclestage",
        forward_only=True,
        default_stage=True,
        merge="new",
        required_any=("name", "domain"),
        keyed=("domain", "hs_additional_domains", "name"),
        searched=("name", "domain", "website", "phone"),
    ),
    ObjectType(
        name="deals",
        type_id="0-3",
        singular="deal",
        created="createdate",
        modified="hs_lastmodifieddate",
        defaults=(
            "amount",
            "closedate",
            "createdate",
            "dealname",
            "dealstage",
            "hs_lastmodifieddate",
            "hs_object_id",
            "pipeline",
        ),
        scope="deals",
        stage="dealstage",
        merge="primary",
        required=("dealname", "dealstage"),
        keyed=("dealname",),
        searched=("dealname", "pipeline", "dealstage"),
    ),
    ObjectType(
        name="tickets",
        type_id="0-5",
        singular="ticket",
        created="createdate",
        modified="hs_lastmodifieddate",
        defaults=("content", "createdate", "hs_lastmodifieddate", "hs_object_id", "hs_pipeline", "hs_pipeline_stage"),
        scope="tickets",
        stage="hs_pipeline_stage",
        merge="primary",
        required=("hs_pipeline_stage",),
        searched=("subject", "content"),
    ),
    _plain("leads", "0-136", "lead", "leads", stage="hs_pipeline_stage", required=("hs_lead_name",), needs="contacts"),
    _plain("notes", "0-46", "note", "contacts", required=("hs_timestamp",), searched=("hs_note_body",)),
    _plain("tasks", "0-27", "task", "contacts", required=("hs_timestamp",), searched=("hs_task_subject",)),
    _plain("calls", "0-48", "call", "contacts", required=("hs_timestamp",), searched=("hs_call_title",)),
    _plain("meetings", "0-47", "meeting", "contacts", required=("hs_timestamp",), searched=("hs_meeting_title",)),
    _plain("emails", "0-49", "email", "contacts", required=("hs_timestamp", "hs_email_direction")),
)


ASSOCIATION_TYPES: tuple[tuple[str, str, int, int, str | None], ...] = (
    # from, to, type id there, type id back, label; a label makes it an extra beside the pair's unlabelled default
    ("contacts", "contacts", 449, 449, None),
    ("contacts", "companies", 279, 280, None),
    ("contacts", "companies", 1, 2, "Primary"),
    ("contacts", "deals", 4, 3, None),
    ("contacts", "leads", 609, 608, None),
    ("contacts", "leads", 579, 578, "Primary"),
    ("contacts", "notes", 201, 202, None),
    ("contacts", "tasks", 203, 204, None),
    ("contacts", "calls", 193, 194, None),
    ("contacts", "meetings", 199, 200, None),
    ("contacts", "emails", 197, 198, None),
    ("companies", "companies", 450, 450, None),
    ("companies", "companies", 13, 14, "Child Company"),
    ("companies", "deals", 342, 341, None),
    ("companies", "deals", 6, 5, "Primary"),
    ("companies", "leads", 611, 610, None),
    ("companies", "notes", 189, 190, None),
    ("companies", "tasks", 191, 192, None),
    ("companies", "calls", 181, 182, None),
    ("companies", "meetings", 187, 188, None),
    ("companies", "emails", 185, 186, None),
    ("deals", "deals", 451, 451, None),
    ("deals", "leads", 1038, 1037, None),
    ("deals", "leads", 583, 582, "Primary"),
    ("deals", "notes", 213, 214, None),
    ("deals", "tasks", 215, 216, None),
    ("deals", "calls", 205, 206, None),
    ("deals", "meetings", 211, 212, None),
    ("deals", "emails", 209, 210, None),
    ("leads", "notes", 854, 855, None),
    ("leads", "tasks", 646, 647, None),
    ("leads", "calls", 596, 597, None),
    ("leads", "meetings", 600, 601, None),
)
