"""One connected account: the `[systems.NAME]` table of syncd.toml, as far as it is the same for every connector.

Promise: what no connector is asked about is checked here: calls, sweeps and waits. The rest of the table is the
connector's own and stays as written. It opens nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from syncd.table import Table, wait
from syncd.units import Duration, Period, Share

if TYPE_CHECKING:
    from syncd.pace import Timing


class Budget(Table):
    """`budget`: how many calls are ours."""

    per_day: int | None = Field(
        default=None, ge=1, description="Calls a day that syncd may use; left out: the vendor's own limit."
    )
    urgent: Share = Field(default=0.1, description="The last part of `per_day`, kept for hand-offs and opt-outs.")
    reserve: Share = Field(default=0.2, description="The part of the vendor's daily limit that is never touched.")


class Sweep(Table):
    """`sweep`: how often to look for what no change feed tells."""

    deletions: Period = wait("6h", "Records that are gone.")
    sight: Period = wait(
        "1d", "Linked records that were removed for good, or hidden, where the feed tells only of deletes."
    )
    associations: Period = wait("1h", "Links between records, where the feed does not show them.")
    owners: Period = wait("1h", "The people who can own records.")
    schema_: Period = wait("1h", "What objects look like: attributes, types, choices, permissions.", alias="schema")
    parity: Period = wait("7d", "Everything: both sides are compared in full.")


class Waits(Table):
    """`timing`: every wait in dealing with one system."""

    timeout: Period = wait("30s", "The longest a call may take.")
    retry: Duration = wait("500ms", "The first pause before a second try.")
    retry_max: Duration = wait("5m", "The longest pause between two tries.")
    late: Duration = wait("5m", "How long an unanswered write may still land.")
    lag: Duration = wait("30s", "How long a read may lag behind a write.")
    overlap: Duration = wait("2m", "How far back a cursor looks again.")
    tries: int = Field(default=5, ge=1, le=100, description="Tries of a call before the cycle gives up on the system.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.retry > self.retry_max:
            raise ValueError("'retry' is the first pause and cannot be longer than 'retry_max'")
        return self

    def for_http(self) -> Timing:
        """The same waits as the HTTP client takes them."""
        from syncd.pace import Timing

        return Timing(
            timeout_s=self.timeout,
            retry_s=self.retry,
            retry_max_s=self.retry_max,
            late_s=self.late,
            lag_s=self.lag,
            overlap_s=self.overlap,
            tries=self.tries,
        )


class System(BaseModel):
    """`[systems.NAME]`: one connected account. What is not named here belongs to the connector and is checked by it."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    connector: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")] = Field(
        description='The module that speaks to this kind of system, such as "connectors.hubspot".'
    )
    test_account: bool = Field(
        False, description="This account may be written to by `syncd check --contract`: it is for tests only."
    )
    budget: Budget = Budget()
    sweep: Sweep = Sweep()
    timing: Waits = Waits()

    @property
    def own(self) -> dict[str, Any]:
        """The connector's own settings, as written."""
        return dict(self.model_extra or {})

    def __repr__(self) -> str:
        # The connector's keys may hold what was never meant to be shown.
        return f"System(connector={self.connector!r}, own={sorted(self.model_extra or {})})"

    __str__ = __repr__
