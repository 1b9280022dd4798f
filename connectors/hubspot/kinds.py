"""The objects of HubSpot that can be synced, as data: what differs between them is here and nowhere else.

Promise: a further standard object is one more line. It asks the account nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from syncd.connector import Attribute, ObjectTraits
from syncd.errors import Fault


@dataclass(frozen=True, slots=True)
class Kind:
    """One object. `modified` is the property that changes with every edit (contract section 5): asking contacts for
    the other objects' name of it gives stale answers without an error."""

    name: str
    modified: str = "hs_lastmodifieddate"
    has_emails: bool = False
    """Found by primary and additional e-mail addresses; both count for uniqueness."""


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("contacts", modified="lastmodifieddate", has_emails=True),
        Kind("companies"),
        Kind("deals"),
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
            merges=True,
            history=True,
            answers_values=True,
            key=self._key(object),
        )

    def __contains__(self, object: object) -> bool:
        return object in KINDS or object == OWNERS

    def __iter__(self) -> Iterator[str]:
        return iter((*KINDS, OWNERS))

    def __len__(self) -> int:
        return len(KINDS) + 1
