"""HubSpot's paths in one place (contract section 1.3).

Promise: the version is written once, and whatever stands in a key stays one segment of a path.
"""

from __future__ import annotations

from dataclasses import dataclass

from syncd.http import segment


@dataclass(frozen=True, slots=True)
class Paths:
    """The date-based paths of one version, such as "2026-09"."""

    version: str

    def objects(self, object: str, *rest: str) -> str:
        """`/crm/objects/2026-09/contacts/batch/read`."""
        return "/".join((f"/crm/objects/{self.version}", segment(object), *map(segment, rest)))

    def properties(self, object: str) -> str:
        return f"/crm/properties/{self.version}/{segment(object)}"

    @property
    def owners(self) -> str:
        return f"/crm/owners/{self.version}"

    @property
    def details(self) -> str:
        return f"/account-info/{self.version}/details"

    def oauth(self, what: str) -> str:
        return f"/oauth/{self.version}/{what}"
