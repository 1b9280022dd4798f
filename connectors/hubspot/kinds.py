"""The objects of HubSpot that can be synced, as data: what differs between them is here and nowhere else.

Promise: a further standard object is one more line. It asks the account nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from syncd.connector import Attribute, ObjectTraits
from syncd.errors import Fault

ASSOCIATED = "associations."
"""What the names of all references begin with."""


@dataclass(frozen=True, slots=True)
class Reference:
    """An attribute made of associations (contract section 8): with what the record is associated, by key."""

    name: str
    to: str
    """The object at the other end."""
    default: int
    """The type id of an association without label, seen from here."""
    one: int | None = None
    """The type id of the label that at most one has (the primary, the parent): the attribute is that one's key.
    None: the attribute is the list of all."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One object. `modified` is the property that changes with every edit (contract section 5): asking contacts for
    the other objects' name of it gives stale answers without an error."""

    name: str
    modified: str = "hs_lastmodifieddate"
    has_emails: bool = False
    """Found by primary and additional e-mail addresses; both count for uniqueness."""
    merges: bool = False
    references: tuple[Reference, ...] = ()
    staged: tuple[str, str] | None = None
    """The properties of pipeline and stage, which belong together."""

    @property
    def stage(self) -> str:
        """The attribute of pipeline and stage in one, `default/closedwon`; "" where there is none."""
        return ".".join(self.staged) if self.staged else ""

    def reference(self, name: str) -> Reference | None:
        """The reference of that name."""
        return next((one for one in self.references if one.name == name), None)


def _of_activity(contact: int, company: int, deal: int) -> tuple[Reference, ...]:
    """What an activity hangs on."""
    return (
        Reference(ASSOCIATED + "contacts", "contacts", contact),
        Reference(ASSOCIATED + "companies", "companies", company),
        Reference(ASSOCIATED + "deals", "deals", deal),
    )


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "contacts",
            modified="lastmodifieddate",
            has_emails=True,
            merges=True,
            references=(
                Reference("associations.companies", "companies", 279, one=1),
                Reference("associations.companies.all", "companies", 279),
                Reference("associations.deals", "deals", 4),
            ),
        ),
        Kind(
            "companies",
            merges=True,
            references=(
                Reference("associations.contacts", "contacts", 280),
                Reference("associations.deals", "deals", 342),
                Reference("associations.companies.parent", "companies", 450, one=14),
            ),
        ),
        Kind(
            "deals",
            merges=True,
            references=(
                Reference("associations.companies", "companies", 341, one=5),
                Reference("associations.companies.all", "companies", 341),
                Reference("associations.contacts", "contacts", 3),
            ),
            staged=("pipeline", "dealstage"),
        ),
        Kind("tasks", references=_of_activity(204, 192, 216)),
        Kind("calls", references=_of_activity(194, 182, 206)),
        Kind("meetings", references=_of_activity(200, 188, 212)),
        Kind("notes", references=_of_activity(202, 190, 214)),
    )
}

OWNERS = "owners"

OWNER_TRAITS = ObjectTraits(feed="sweep", deletions="reconcile", create_batch=1, update_batch=1, archive_batch=1)

OWNER_ATTRIBUTES: Mapping[str, Attribute] = {
    one.name: replace(one, creatable=False, updatable=False)
    for one in (
        Attribute("id", "text", "Owner id"),
        Attribute("email", "text", "E-mail"),
        Attribute("active", "bool", "May be given records"),
        Attribute("firstName", "text", "First name"),
        Attribute("lastName", "text", "Last name"),
        Attribute("type", "text", "Person or queue"),
    )
}


def kind_of(object: str) -> Kind:
    """The object's line. Raises Fault for one that this connector does not offer."""
    if object not in KINDS:
        raise Fault(f"the HubSpot connector has no object {object!r}; it has {', '.join((*KINDS, OWNERS))}")
    return KINDS[object]


class ObjectsTraits(Mapping[str, ObjectTraits]):
    """The traits of all objects. Whether an object has syncd's key is asked when its traits are first looked at."""

    def __init__(self, key: Callable[[str], str | None]) -> None:
        self._key = key

    def __getitem__(self, object: str) -> ObjectTraits:
        if object == OWNERS:
            return OWNER_TRAITS
        if object not in KINDS:
            raise KeyError(object)
        return ObjectTraits(
            feed="since",
            deletions="tombstone",
            merges=KINDS[object].merges,
            history=True,
            answers_values=True,
            key=self._key(object),
            unstamped=(ASSOCIATED,),
        )

    def __contains__(self, object: object) -> bool:
        return object in KINDS or object == OWNERS

    def __iter__(self) -> Iterator[str]:
        return iter((*KINDS, OWNERS))

    def __len__(self) -> int:
        return len(KINDS) + 1
