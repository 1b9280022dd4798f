"""The objects of HubSpot that can be synced, as data: what differs between them is here and nowhere else.

Promise: a further standard object is one more line. It asks the account nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from syncd.connector import ObjectTraits
from syncd.errors import Fault

ASSOCIATED = "associations."
"""What the names of all references begin with."""
LISTED = "list."
"""What the names begin with that stand for static lists: `list.Nurture`."""


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
    also: Mapping[str, str] = field(default_factory=dict)
    """By an attribute that records are looked up by, another one with further values of it, apart by `;`."""
    bare: str = ""
    """The property with web domains, which stand there without a scheme (contract section 3, from memory): a whole
    address is not searched for, and one that stands there all the same is met by the feed."""
    merges: bool = False
    references: tuple[Reference, ...] = ()
    staged: tuple[str, str] | None = None
    """The properties of pipeline and stage, which belong together."""
    moves_along: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By attribute, what HubSpot sets by itself with it, unless the same write says it (contract section 7, Deals)."""

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
            bare="domain",
            merges=True,
            also={"domain": "hs_additional_domains"},
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
            moves_along={"dealstage": ("closedate",), "pipeline.dealstage": ("closedate",)},
        ),
        Kind("tasks", references=_of_activity(204, 192, 216)),
        Kind("calls", references=_of_activity(194, 182, 206)),
        Kind("meetings", references=_of_activity(200, 188, 212)),
        Kind("notes", references=_of_activity(202, 190, 214)),
    )
}


def kind_of(object: str) -> Kind:
    """The object's line. Raises Fault for one that this connector does not offer."""
    if object not in KINDS:
        raise Fault(f"the HubSpot connector has no object {object!r}; it has {', '.join(KINDS)}")
    return KINDS[object]


class ObjectsTraits(Mapping[str, ObjectTraits]):
    """The traits of all objects. Whether an object has syncd's key is asked when its traits are first looked at."""

    def __init__(self, key: Callable[[str], str | None], listed: Mapping[str, ObjectTraits]) -> None:
        """`listed`: the traits of the objects that are only listed."""
        self._key = key
        self._listed = listed

    def __getitem__(self, object: str) -> ObjectTraits:
        if object in self._listed:
            return self._listed[object]
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
            moves_along=KINDS[object].moves_along,
            lists=LISTED if object == "contacts" else "",
        )

    def __contains__(self, object: object) -> bool:
        return object in KINDS or object in self._listed

    def __iter__(self) -> Iterator[str]:
        return iter((*KINDS, *self._listed))

    def __len__(self) -> int:
        return len(KINDS) + len(self._listed)
