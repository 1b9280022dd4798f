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

    def associations(self, start: str, end: str, *rest: str) -> str:
        """`/crm/associations/2026-09/contacts/companies/batch/read`."""
        area = "/crm/v4/associations" if self.version == "v3" else f"/crm/associations/{self.version}"
        return "/".join((area, segment(start), segment(end), *rest))

    def pipelines(self, object: str) -> str:
        return f"{self._crm('pipelines')}/{segment(object)}"

    def lists(self, *rest: str) -> str:
        """`/crm/lists/2026-09/17/memberships`."""
        return "/".join((self._crm("lists"), *map(segment, rest)))

    @property
    def forms(self) -> str:
        """There is no dated path."""
        return "/marketing/v3/forms"

    @property
    def campaigns(self) -> str:
        return f"/marketing/{'v3/campaigns' if self.version == 'v3' else 'campaigns/' + self.version}"

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
