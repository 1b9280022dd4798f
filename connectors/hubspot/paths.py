"""HubSpot's paths in one place (contract section 1.3).

Promise: the version is written once, and whatever stands in a key stays one segment of a path.
"""

from __future__ import annotations

from dataclasses import dataclass

from syncd.http import segment


@dataclass(frozen=True, slots=True)
class Paths:
    """The paths of one version: date-based, such as "2026-09", or the old ones, "v3"."""

    version: str

    def objects(self, object: str, *rest: str) -> str:
        """`/crm/objects/2026-09/contacts/batch/read`."""
        return "/".join((self._crm("objects"), segment(object), *map(segment, rest)))

    def properties(self, object: str) -> str:
        return f"{self._crm('properties')}/{segment(object)}"

    @property
    def owners(self) -> str:
        return self._crm("owners")

    @property
    def details(self) -> str:
        return f"/account-info/{self.version}/details"

    def oauth(self, what: str) -> str:
        return f"/oauth/{self.version}/{what}"

    def _crm(self, area: str) -> str:
        """The version came before the area once, and comes behind it now."""
        return f"/crm/v3/{area}" if self.version == "v3" else f"/crm/{area}/{self.version}"
