"""The pipelines of one object and their stages (contract section 11).

Promise: a stage id belongs to one pipeline; ids of what is added later are numbers. Nothing here knows a record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

FIRST_ID = 7101
"""Custom pipelines and stages have numbers for ids."""
EPOCH = "1970-01-01T00:00:00Z"


class Standard(NamedTuple):
    """A pipeline that a fresh portal has. Stages: id, label, metadata."""

    id: str
    label: str
    stages: tuple[tuple[str, str, Mapping[str, str]], ...]


def _deal(probability: str, closed: bool = False) -> Mapping[str, str]:
    """A deal stage's metadata: texts, as HubSpot tells them."""
    return {"isClosed": "true" if closed else "false", "probability": probability}


STANDARD: Mapping[str, tuple[Standard, ...]] = {
    "deals": (
        Standard(
            "default",
            "Sales Pipeline",
            (
                ("appointmentscheduled", "Appointment Scheduled", _deal("0.2")),
                ("qualifiedtobuy", "Qualified To Buy", _deal("0.4")),
                ("presentationscheduled", "Presentation Scheduled", _deal("0.6")),
                ("decisionmakerboughtin", "Decision Maker Bought-In", _deal("0.8")),
                ("contractsent", "Contract Sent", _deal("0.9")),
                ("closedwon", "Closed Won", _deal("1.0", closed=True)),
                ("closedlost", "Closed Lost", _deal("0.0", closed=True)),
            ),
        ),
        Standard(
            "7001",
            "Renewals",
            (
                ("70011", "Open", _deal("0.5")),
                ("70012", "Negotiation", _deal("0.7")),
                ("70013", "Won", _deal("1.0", closed=True)),
                ("70014", "Lost", _deal("0.0", closed=True)),
            ),
        ),
    ),
    "tickets": (
        Standard(
            "0",
            "Support Pipeline",
            (
                ("1", "New", {"ticketState": "OPEN"}),
                ("2", "Waiting on contact", {"ticketState": "OPEN"}),
                ("3", "Waiting on us", {"ticketState": "OPEN"}),
                ("4", "Closed", {"ticketState": "CLOSED"}),
            ),
        ),
    ),
    "leads": (
        Standard(
            "lead-pipeline-id",
            "Lead pipeline",
            (
                ("new-stage-id", "New", {"leadState": "NEW"}),
                ("attempting-stage-id", "Attempting", {"leadState": "IN_PROGRESS"}),
                ("connected-stage-id", "Connected", {"leadState": "IN_PROGRESS"}),
                ("qualified-stage-id", "Qualified", {"leadState": "QUALIFIED"}),
                ("unqualified-stage-id", "Disqualified", {"leadState": "UNQUALIFIED"}),
            ),
        ),
    ),
}

PROPERTY = {"deals": "pipeline", "tickets": "hs_pipeline", "leads": "hs_pipeline"}
"""The property that holds a record's pipeline."""


@dataclass
class Stage:
    """One stage. `metadata` holds texts only."""

    id: str
    label: str
    metadata: dict[str, str]
    order: int
    created: str = EPOCH
    updated: str = EPOCH

    @property
    def closed(self) -> bool:
        return self.metadata.get("isClosed") == "true"

    def to_json(self) -> dict[str, Any]:
        """As the API shows it."""
        return {
            "id": self.id,
            "label": self.label,
            "displayOrder": self.order,
            "metadata": dict(self.metadata),
            "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
            "createdAt": self.created,
            "updatedAt": self.updated,
            "archived": False,
        }


@dataclass
class Pipeline:
    """One pipeline with its stages in their order."""

    id: str
    label: str
    order: int
    stages: list[Stage] = field(default_factory=list)
    created: str = EPOCH
    updated: str = EPOCH

    def to_json(self) -> dict[str, Any]:
        """As the API shows it."""
        return {
            "id": self.id,
            "label": self.label,
            "displayOrder": self.order,
            "stages": [stage.to_json() for stage in self.stages],
            "createdAt": self.created,
            "updatedAt": self.updated,
            "archived": False,
        }


class Pipelines:
    """All pipelines of one object, in their order."""

    def __init__(self, object_name: str) -> None:
        self.property = PROPERTY.get(object_name)
        self.all = [
            Pipeline(
                one.id,
                one.label,
                at,
                [Stage(key, label, dict(metadata), place) for place, (key, label, metadata) in enumerate(one.stages)],
            )
            for at, one in enumerate(STANDARD.get(object_name, ()))
        ]
        self._next_id = FIRST_ID

    def get(self, pipeline_id: str | None) -> Pipeline | None:
        """The pipeline with that id."""
        return next((one for one in self.all if one.id == pipeline_id), None)

    def of_stage(self, stage_id: str) -> Pipeline | None:
        """The pipeline that has that stage."""
        return next((one for one in self.all if any(stage.id == stage_id for stage in one.stages)), None)

    def stage(self, stage_id: str) -> Stage | None:
        """The stage with that id."""
        return next((stage for one in self.all for stage in one.stages if stage.id == stage_id), None)

    def stage_ids(self) -> list[str]:
        """Every stage of every pipeline."""
        return [stage.id for one in self.all for stage in one.stages]

    def new_id(self) -> str:
        """A number that no pipeline or stage has."""
        self._next_id += 1
        return str(self._next_id - 1)
