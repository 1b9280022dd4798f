"""The org's schema as it is now: the tables of `objects.py` plus what administrators changed since.

Promise: `seen` is what the API user may see (field-level security applied), `whole` is everything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields as dataclass_fields
from dataclasses import replace
from typing import Any

from connectors.salesforce.sandbox.fields import Field, ObjectType
from syncd.sandbox.wire import Refused

_FIELD_KEYS = frozenset(one.name for one in dataclass_fields(Field))
_TUPLES = ("values", "inactive", "refers")


class Catalogue:
    """Objects by name. `changed_s` is when the schema last changed, for If-Modified-Since."""

    def __init__(self, objects: Iterable[ObjectType], now_s: int) -> None:
        self._whole = {one.name: one for one in objects}
        self._seen: dict[str, ObjectType] = {}
        self._lower = {name.lower(): name for name in self._whole}
        self._prefixes = {one.prefix: one.name for one in self._whole.values()}
        self.changed_s: dict[str, int] = dict.fromkeys(self._whole, now_s)

    def names(self) -> list[str]:
        """Object names in order."""
        return list(self._whole)

    def whole(self, name: str) -> ObjectType:
        """An object with every field; KeyError when there is none of that name."""
        return self._whole[name]

    def seen(self, name: str) -> ObjectType | None:
        """An object as the API user sees it, by exact name; None when it does not exist for them."""
        if name not in self._whole:
            return None
        if name not in self._seen:
            whole = self._whole[name]
            visible = tuple(field for field in whole.fields if not field.hidden)
            self._seen[name] = whole if len(visible) == len(whole.fields) else replace(whole, fields=visible)
        return self._seen[name]

    def seen_in_query(self, name: str) -> ObjectType | None:
        """The same by a name whose case does not matter."""
        return self.seen(self._lower.get(name.lower(), name))

    def object_of(self, key: str) -> str | None:
        """The object that an id belongs to, by its prefix."""
        return self._prefixes.get(key[:3])

    def children_of(self, name: str) -> list[tuple[str, Field]]:
        """(child object, its reference field) for every lookup that may point at the object."""
        return [(child.name, field) for child in self._whole.values() for field in child.fields if name in field.refers]

    def edit(self, object_name: str, field_name: str, changes: dict[str, Any], now_s: int) -> Field:
        """Changes a field, or adds it when it is new. Refused for a key that no field has."""
        if unknown := sorted(set(changes) - _FIELD_KEYS):
            raise Refused(f"a field has no {', '.join(unknown)}; it has {', '.join(sorted(_FIELD_KEYS))}")
        cleaned: dict[str, Any] = {key: tuple(value) if key in _TUPLES else value for key, value in changes.items()}
        whole = self._object(object_name)
        old = whole.by_name.get(field_name)
        fresh: dict[str, Any] = {"name": field_name, "label": field_name, **cleaned}
        new = replace(old, **cleaned) if old else Field(**fresh)
        rest = tuple(new if one.name == field_name else one for one in whole.fields)
        self._replace(replace(whole, fields=rest if old else (*rest, new)), now_s)
        return new

    def rename(self, object_name: str, old: str, new: str, now_s: int) -> None:
        """Gives a field another name. Refused when it is taken."""
        whole = self._object(object_name)
        if new in whole.by_name or not new:
            raise Refused(f"{object_name} cannot name a field {new!r}")
        fields = tuple(replace(one, name=new) if one.name == old else one for one in whole.fields)
        self._replace(replace(whole, fields=fields), now_s)

    def drop(self, object_name: str, field_name: str, now_s: int) -> None:
        """Deletes a field."""
        whole = self._object(object_name)
        if field_name not in whole.by_name:
            raise Refused(f"{object_name} has no field {field_name}")
        self._replace(replace(whole, fields=tuple(one for one in whole.fields if one.name != field_name)), now_s)

    def _object(self, name: str) -> ObjectType:
        if name not in self._whole:
            raise Refused(f"there is no object {name}; there are {', '.join(self._whole)}")
        return self._whole[name]

    def _replace(self, whole: ObjectType, now_s: int) -> None:
        self._whole[whole.name] = whole
        self._seen.pop(whole.name, None)
        self.changed_s[whole.name] = now_s
