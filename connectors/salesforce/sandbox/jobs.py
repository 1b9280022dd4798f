"""Bulk jobs as the org keeps them: state, files, results. What runs them stands in `ingest.py`, `query_jobs.py`.

Promise: states move on the virtual clock only; a job is found for seven days. Contract section 9.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar

from connectors.salesforce.sandbox.bulk_csv import Sheet
from connectors.salesforce.sandbox.call import Call, Strikes
from connectors.salesforce.sandbox.errors import Refusal, not_found
from connectors.salesforce.sandbox.fields import ObjectType
from connectors.salesforce.sandbox.ids import normalise
from connectors.salesforce.sandbox.instants import rest_time
from connectors.salesforce.sandbox.org import Org
from connectors.salesforce.sandbox.saving import Actor
from connectors.salesforce.sandbox.soql.columns import Selected
from connectors.salesforce.sandbox.store import Row

KEPT_DAYS = 7
CLOSED = ("JobComplete", "Aborted", "Failed")


@dataclass
class Job:
    """What both kinds of job have in common."""

    id: str
    kind: ObjectType
    operation: str
    version: str
    actor: Actor
    created_ms: int
    delimiter: str = "COMMA"
    line_ending: str = "LF"
    state: str = "Open"
    moved_ms: int = 0
    error: str = ""

    def shown(self) -> dict[str, Any]:
        """The job as every answer about it shows it."""
        return {
            "id": self.id,
            "operation": self.operation,
            "object": self.kind.name,
            "createdById": self.actor.user,
            "createdDate": rest_time(self.created_ms // 1000),
            "systemModstamp": rest_time(self.moved_ms // 1000),
            "state": self.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.version),
            "lineEnding": self.line_ending,
            "columnDelimiter": self.delimiter,
        }


@dataclass
class IngestJob(Job):
    """A job that writes."""

    external: str = ""
    assign: bool = False
    upload: bytes | None = None
    sheet: Sheet | None = None
    taken: int = 0
    """Rows of the sheet that were processed."""
    done: list[tuple[str, bool, list[str]]] = field(default_factory=list)
    failed: list[tuple[str, str, list[str]]] = field(default_factory=list)
    strikes: Strikes = field(default_factory=Strikes)


@dataclass
class QueryJob(Job):
    """A job that reads."""

    text: str = ""
    columns: list[Selected] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)


AnyJob = TypeVar("AnyJob", bound=Job)


class Jobs:
    """All bulk jobs of the org."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._jobs: dict[str, Job] = {}

    def new_id(self) -> str:
        """An id for a job."""
        return self._org.mint.new("750")

    def keep(self, job: Job) -> None:
        """Adds a job."""
        job.moved_ms = job.created_ms
        self._jobs[job.id] = job

    def find(self, kind: type[AnyJob], text: str) -> AnyJob:
        """A job by id. Refused: 404."""
        job = self._jobs.get(normalise(text) or "")
        horizon = self._org.clock.now_ms() - KEPT_DAYS * 86_400_000
        if not isinstance(job, kind) or job.created_ms < horizon:
            raise not_found()
        return job

    def all(self, kind: type[AnyJob]) -> list[AnyJob]:
        """Jobs of a kind, oldest first."""
        return [job for job in self._jobs.values() if isinstance(job, kind)]

    def drop(self, job: Job) -> None:
        """Deletes a job that is closed. Refused: it is not."""
        if job.state not in CLOSED:
            raise bad_state(f"Job must be closed before it is deleted; it is {job.state}")
        del self._jobs[job.id]

    def move(self, job: Job, state: str, at_ms: int) -> None:
        """Moves a job to a state."""
        job.state, job.moved_ms = state, at_ms


def bad_state(message: str) -> Refusal:
    """400 for what a job's state does not allow."""
    return Refusal.one("INVALIDJOBSTATE", message)


def settings(call: Call, body: dict[str, Any]) -> tuple[str, str]:
    """(delimiter, line ending) of a new job. Refused: unknown names."""
    delimiter = body.get("columnDelimiter", "COMMA")
    line_ending = body.get("lineEnding", "LF")
    known = delimiter in ("BACKQUOTE", "CARET", "COMMA", "PIPE", "SEMICOLON", "TAB") and line_ending in ("LF", "CRLF")
    if not known or body.get("contentType", "CSV") != "CSV":
        raise Refusal.one("INVALIDJOB", "Unsupported contentType, columnDelimiter or lineEnding")
    return delimiter, line_ending
