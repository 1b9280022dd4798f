"""The shape of funnel.toml: every key, with the sentence that an editor shows for it.

Promise: what this refuses is refused with a place; what it accepts has the right shape. What expressions and names mean
is checked in `funnel`. `schemas/funnel.json` is generated from it.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field

from syncd.core.mappingfile import Expression, FieldName, Name, Part

MAX_STAGES: Final = 50
"""Most stages in one funnel."""
MAX_CONDITIONS: Final = 200
"""Most conditions of fit, and of interest."""
MAX_SEGMENTS: Final = 50
MAX_HOLIDAYS: Final = 1_000
MAX_CURRENCIES: Final = 200

Days = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Span = Annotated[str, Field(pattern=r"^\d{2}:\d{2}-\d{2}:\d{2}$")]
Lasting = Annotated[str, Field(pattern=r"^\d{1,6}(?:\.\d{1,3})?[mhdw]$")]
"""`30m`, `4h`, `10d`, `2w`."""
Period = Literal["week", "month", "quarter", "year"]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
ShortOfs = list[Literal["nurture", "watch", "disqualify"]]
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]
Rate = Annotated[float, Field(gt=0, le=1_000_000_000, strict=False)]
Fraction = Annotated[float, Field(ge=0, le=1, strict=False)]


class PointsPart(Part):
    """One condition, and what it is worth."""

    when: Expression = Field(description="An expression over the fields of the people. Unknown is not true: no points.")
    points: int = Field(ge=-1_000, le=1_000, description="What it adds; negative takes away.")


class ScalePart(Part):
    """Points, and how many are enough."""

    at_least: int = Field(description="From so many points on it is there.")
    points: dict[FieldName, PointsPart] = Field(
        min_length=1, max_length=MAX_CONDITIONS, description="The conditions, by a name that reports show."
    )


class QualifiedPart(Part):
    """When a lead is handed to sales: one rule (`when`), or fit and interest in points."""

    when: Expression | None = Field(None, description="The short form: an expression over the mapping's field names.")
    fit: ScalePart | None = Field(None, description="Who they are.")
    interest: ScalePart | None = Field(None, description="What they did.")
    disqualified: Expression | None = Field(
        None, description="Who is never handed over, whatever their points. Where it is unknown, nobody is either."
    )
    since: FieldName | None = Field(
        None, description="The field (date or datetime) with the moment of qualification. Left out: the record's stamp."
    )


class StagePart(Part):
    """One step from stranger to customer."""

    owner: Literal["marketing", "sales"] = Field(description="Whose job it is to move people on from here.")
    title: str = Field("", max_length=60, description="What people call it, on pages. Left out: the name.")
    means: str = Field("", max_length=500, description="What both departments mean by it.")
    since: FieldName | None = Field(
        None, description="The field (date or datetime) that tells when it was entered. Left out: the record's stamp."
    )


class PeoplePart(Part):
    """Where the people of the funnel are described."""

    mapping: Name = Field("people", description="The mapping of the people.")
    stage: FieldName = Field("stage", description="The field whose values are the stages.")
    source: FieldName | None = Field(None, description="The field with the source they came from.")
    campaign: FieldName | None = Field(None, description="The field with the campaign that brought them.")
    owner: FieldName | None = Field(None, description="The field with whoever works them, of type owner.")
    came: FieldName | None = Field(
        None, description="The field (date or datetime) that tells when they came. Left out: when syncd first saw them."
    )


class HandoffPart(Part):
    """What sales' record says about a hand-off."""

    accepted: Expression | None = Field(None, description="When sales took it on. A conversion always means so.")
    rejected: Expression | None = Field(
        None, description="When sales gave it back. Left out: when its stage is one that marketing owns."
    )
    reason: FieldName | None = Field(None, description="The field with the reason of a rejection.")
    paused: Expression | None = Field(None, description="While the follow-up clock stands still.")


class RecyclePart(Part):
    """When somebody whom sales gave back may be handed over again."""

    after: Lasting = Field("30d", description="So long after the rejection.")
    reasons: dict[str, Lasting | Literal["never"]] = Field(
        default_factory=dict, description="For single reasons, by their value: another time, or never."
    )
    signal: FieldName | None = Field(
        None,
        description="The field (date or datetime) with their newest sign of interest: it must be newer than the rejection.",
    )
    enough: Literal["both", "either"] = Field(
        "both", description="With 'signal': the time and the sign, or one of them. Never stays never."
    )
    when: Expression | None = Field(None, description="What must be true besides.")


class NurturePart(Part):
    """Who is put into a list of marketing's system."""

    outcomes: ShortOfs = Field(
        default=["nurture"], min_length=1, description="Whoever is judged so is in it, nobody else."
    )
    list: str = Field(
        min_length=1, max_length=200, description="The static list, by name. It is made if it is not there."
    )


class MarketingOwesPart(Part):
    """What marketing owes in each period."""

    qualified: Count | None = Field(None, description="So many qualified leads.")
    by_source: dict[str, Count] = Field(default_factory=dict, description="Of each source so many.")
    by_segment: dict[Name, Count] = Field(default_factory=dict, description="Of each segment so many.")


class SpeedPart(Part):
    """How fast, and how often, sales owes to follow up."""

    first_touch: Lasting | None = Field(None, description="The first touch within so much working time.")
    attempts: int | None = Field(None, ge=1, le=100, description="So many attempts, unless there is an answer.")
    within: Lasting | None = Field(None, description="The attempts within so much time, around the clock.")


class SalesOwesPart(SpeedPart):
    """What sales owes to each lead."""

    calendar: Name | None = Field(None, description="Whose working time: [calendars.NAME]. Left out: around the clock.")
    warn: Fraction = Field(0.75, description="Due soon from this part of the time on.")
    activities: list[Name] = Field(
        default_factory=list, description='The watches that count as touches. Left out: all that mean "activity".'
    )
    segments: dict[Name, SpeedPart] = Field(default_factory=dict, description="Other speeds for single segments.")


class AgreementPart(Part):
    """The service-level agreement of both departments."""

    period: Period = Field("month", description="What marketing's numbers are counted by.")
    zone: str = Field("UTC", description="The time zone whose midnights bound days and periods.")
    marketing: MarketingOwesPart = Field(
        default_factory=lambda: MarketingOwesPart.model_validate({}), description="What marketing owes."
    )
    sales: SalesOwesPart = Field(
        default_factory=lambda: SalesOwesPart.model_validate({}), description="What sales owes."
    )


class CalendarPart(Part):
    """Working time."""

    zone: str = Field(description="The time zone: Europe/Berlin.")
    week: dict[Days, Span | list[Span]] = Field(description='Hours by day: mon = "09:00-17:00", or a list of spans.')
    holidays: list[str] = Field(default_factory=list, max_length=MAX_HOLIDAYS, description="Days off: 2026-12-25.")


class TouchPart(Part):
    """Which of a watch's fields name source and campaign of a touch."""

    source: FieldName | None = Field(None, description="Left out: the person's own source.")
    campaign: FieldName | None = Field(None, description="Left out: the person's own campaign.")


class CreditPart(Part):
    """Who gets credit for revenue."""

    model: Literal["first", "last", "linear", "position"] = Field("first", description="The model that counts.")
    window: Lasting = Field("90d", description="How long before the deal was won a touch still counts.")
    first: Fraction = Field(0.4, description="Of position: the part of the first touch.")
    last: Fraction = Field(0.4, description="Of position: the part of the last touch.")
    touches: dict[Name, TouchPart] = Field(
        default_factory=dict,
        description='The watches whose events count. Left out: all that mean "touch" or "response".',
    )


class RevenuePart(Part):
    """Which deals are won, and how much they are."""

    mapping: Name = Field("deals", description="The mapping of the deals.")
    people: FieldName = Field("contacts", description="The reference to the people who count as influence.")
    amount: FieldName = Field("amount", description="The amount.")
    currency: FieldName | None = Field(None, description="The field with the currency. Left out: the goal's currency.")
    closed: FieldName = Field("close_date", description="The day (or moment) on which it was closed.")
    lost_reason: FieldName | None = Field(None, description="Why it was lost.")
    won: Expression = Field(description="When a deal of sales is won: an expression over the deals' fields.")
    lost: Expression | None = Field(None, description="When it is lost.")


class GoalPart(Part):
    """What both departments want to reach."""

    revenue: Count = Field(description="In whole units of the currency.")
    currency: Currency = Field("EUR", description="Three capital letters.")
    period: Period = Field("quarter", description="In each of these.")
    look_back: Lasting = Field("365d", description="Average deal and conversion rate are those of so long until now.")
    rates: dict[Currency, Rate] = Field(
        default_factory=dict,
        max_length=MAX_CURRENCIES,
        description="What one of another currency counts for in the goal's. One without a rate is not counted, and said.",
    )


class FunnelFile(Part):
    """The funnel file: what both departments agreed."""

    model_config = ConfigDict(
        title="A syncd funnel", json_schema_extra={"$schema": "https://json-schema.org/draft/2020-12/schema"}
    )

    qualified: QualifiedPart = Field(description="When a lead is handed to sales.")
    stages: dict[FieldName, StagePart] = Field(
        default_factory=dict, max_length=MAX_STAGES, description="The steps, in order, by the value of the stage field."
    )
    people: PeoplePart = Field(
        default_factory=lambda: PeoplePart.model_validate({}), description="Where the people are described."
    )
    handoff: HandoffPart = Field(
        default_factory=lambda: HandoffPart.model_validate({}), description="What sales' record says about a hand-off."
    )
    recycle: RecyclePart = Field(
        default_factory=lambda: RecyclePart.model_validate({}), description="When a rejected lead may qualify again."
    )
    nurture: NurturePart | None = Field(None, description="The list of those who are to be nurtured. Left out: none.")
    segments: dict[Name, Expression] = Field(
        default_factory=dict, max_length=MAX_SEGMENTS, description="Segments by rule; the first that is true counts."
    )
    agreement: AgreementPart = Field(
        default_factory=lambda: AgreementPart.model_validate({}), description="The service-level agreement."
    )
    calendars: dict[Name, CalendarPart] = Field(default_factory=dict, description="Working time, by name.")
    credit: CreditPart = Field(
        default_factory=lambda: CreditPart.model_validate({}), description="Who gets credit for revenue."
    )
    revenue: RevenuePart | None = Field(None, description="Which deals are won. Left out: revenue is unknown.")
    goal: GoalPart | None = Field(None, description="The revenue goal. Left out: there is none.")


def schema() -> dict[str, Any]:
    """The JSON Schema of a funnel file, for editors."""
    return FunnelFile.model_json_schema()
