"""What is particular about each Salesforce object, as rows: a new object is a new row, not new code.

It holds no field lists (the mapping names the attributes) and asks nothing. Source: contract section 15.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from syncd.connector import ObjectTraits

READ_BATCH = 2000
"""Ids of one retrieve."""
FIND_BATCH = 1000
"""Values of one IN list."""
COLLECTION = 200
"""Records of one collections call."""
COMPOSITE = 25
"""Sub-requests of one composite call."""
COMPOSITE_QUERIES = 5
"""Queries among them."""
GRAIN_MS = 1000
"""Stamps are whole seconds."""


@dataclass(frozen=True, slots=True)
class ChildList:
    """A list of references that an object has through rows of another, `object`: `parent` is their field with the id of
    whom they hang on, `item` the one with whom they lead to, `path` its relationship's name, `refers` that object."""

    object: str
    parent: str
    item: str
    path: str
    refers: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class OneOf:
    """A reference that stands in one of several fields, by the kind of record it leads to. `kinds`: the beginning of an
    id, the object it means, and the field for it; the later form of a record last."""

    label: str
    kinds: tuple[tuple[str, str, str], ...]

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(name for _, _, name in self.kinds)

    @property
    def refers(self) -> tuple[str, ...]:
        return tuple(object_ for _, object_, _ in self.kinds)

    def field_for(self, key: str) -> str | None:
        """The field for a record with this id; None: it is of none of the objects."""
        return next((name for prefix, _, name in self.kinds if key.startswith(prefix)), None)


@dataclass(frozen=True, slots=True)
class Shape:
    """One object. `becomes`: (object, the field with its id) that a converted record lives on as."""

    deletable: bool = True
    mergeable: bool = False
    becomes: tuple[str, str] | None = None
    keyed: bool = True
    """May hold syncd's own key."""
    stamp: str = "SystemModstamp"
    """The time of the last change. Rows of histories are never changed: theirs is when they were made."""
    archived: bool = False
    """Old ones are found by queryAll only."""
    makes: Mapping[str, str] = field(default_factory=dict)
    """What a conversion makes of it: object -> the field with its id."""
    lists: Mapping[str, ChildList] = field(default_factory=dict)
    """Attributes that are lists of references."""
    either: Mapping[str, OneOf] = field(default_factory=dict)
    """References that stand in one of several fields."""
    stage: str = ""
    """The field with the stage, where records go through stages of a pipeline."""
    once: tuple[tuple[str, ...], ...] = ()
    """Lists of fields whose values together no two records share, and by which the one that is in the way is found."""


_HISTORY = Shape(deletable=False, keyed=False, stamp="CreatedDate")

SHAPES: dict[str, Shape] = {
    "Lead": Shape(
        mergeable=True,
        becomes=("Contact", "ConvertedContactId"),
        makes={
            "Contact": "ConvertedContactId",
            "Account": "ConvertedAccountId",
            "Opportunity": "ConvertedOpportunityId",
        },
    ),
    "Contact": Shape(mergeable=True),
    "Account": Shape(mergeable=True),
    "Opportunity": Shape(
        stage="StageName",
        lists={
            "OpportunityContactRoles.ContactId": ChildList(
                "OpportunityContactRole", "OpportunityId", "ContactId", "Contact", "Contact", "Contact Roles"
            )
        },
    ),
    "OpportunityContactRole": Shape(keyed=False),
    "OpportunityHistory": _HISTORY,
    "LeadHistory": _HISTORY,
    "Campaign": Shape(),
    "CampaignMember": Shape(
        once=(("CampaignId", "LeadId"), ("CampaignId", "ContactId")),
        either={
            "LeadOrContactId": OneOf("Lead or contact", (("00Q", "Lead", "LeadId"), ("003", "Contact", "ContactId")))
        },
    ),
    "CampaignMemberStatus": Shape(keyed=False),
    "Task": Shape(keyed=False, archived=True),
    "Event": Shape(keyed=False, archived=True),
    "User": Shape(deletable=False, keyed=False),
    "Group": Shape(deletable=False, keyed=False),
}
"""Standard objects that are known to behave so."""

_CUSTOM = Shape()


def shape_of(object: str) -> Shape:
    """The object's row; a custom object's if there is none."""
    return SHAPES.get(object, _CUSTOM)


def traits_of(shape: Shape, *, key: str | None, precondition: bool) -> ObjectTraits:
    """The traits of an object, given what is known of the account."""
    return ObjectTraits(
        feed="since",
        deletions="feed" if shape.deletable else "reconcile",
        merges=shape.mergeable,
        precondition=precondition,
        key=key if shape.keyed else None,
        forms=(shape.becomes[0],) if shape.becomes else (),
        conversions=shape.makes,
        unstamped=tuple(shape.lists),  # the feed tells of rows that change; not of those that are removed for good
        grain_ms=GRAIN_MS,
        read_batch=READ_BATCH,
        find_batch=FIND_BATCH,
        create_batch=COLLECTION,
        update_batch=COMPOSITE if precondition else COLLECTION,
        archive_batch=COLLECTION,
    )
