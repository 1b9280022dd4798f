"""The shape of a mapping file: every key, with the sentence that an editor shows for it.

Promise: what this refuses is refused with a place; what it accepts has the right shape, and nothing more is checked
here: names, types and round trips are `compile`'s and `proof`'s. `schemas/mapping.json` is generated from it.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

MAX_FIELDS: Final = 1_000
"""Most fields in one mapping."""
MAX_ROLLUPS: Final = 100
"""Most roll-ups in one mapping."""
MAX_VALUES: Final = 10_000
"""Most entries in one value map."""

Name = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,64}$")]
FieldName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Attribute = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[A-Za-z0-9_.\-]+$")]
Expression = Annotated[str, Field(min_length=1, max_length=2_000)]
Types = Literal[
    "text",
    "email",
    "domain",
    "phone",
    "country",
    "number",
    "bool",
    "date",
    "datetime",
    "choice",
    "choices",
    "owner",
    "reference",
]
CountryForm = Literal["name", "alpha2", "alpha3"]


class Part(BaseModel):
    """A table of the file: strict, and no key may be unknown."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class EndPart(Part):
    """One side: which object of which system."""

    system: Name = Field(description="The system's name in syncd.toml: [systems.NAME].")
    object: Attribute = Field(description="The object as the system calls it: contacts, Lead.")
    becomes: Attribute | None = Field(
        None, description="The object that a record turns into: a Lead becomes a Contact."
    )


class MatchPart(Part):
    """How a record of one side is recognised on the other."""

    by: list[FieldName | Annotated[list[FieldName], Field(min_length=1)]] = Field(
        min_length=1,
        description="Rules, tried in this order: a field's name, or a list of names that must all agree.",
    )
    several: Literal["hold"] = Field("hold", description="When several records match: wait for a person.")


class ScopePart(Part):
    """Which records take part at all."""

    marketing: Expression | None = Field(None, description="A rule for marketing's records. Left out: all.")
    crm: Expression | None = Field(None, description="A rule for the CRM's records. Left out: all.")
    left: Literal["keep", "unlink"] = Field(
        "keep", description="A linked record that leaves the scope: keep the link and stop writing, or unlink."
    )


class GatesPart(Part):
    """A rule for each side that is written to."""

    marketing: Expression | None = Field(None, description="When to write on marketing's side, seen from the CRM's.")
    crm: Expression | None = Field(None, description="When to write on the CRM's side, seen from marketing's.")


class PromotePart(Part):
    """A rule for the CRM's side."""

    crm: Expression | None = Field(
        None,
        description="When sales' record may enter a stage that sales owns, seen from marketing's. Left out: always.",
    )


class GonePart(Part):
    """What happens to the partner when the record on that side is gone."""

    marketing: Literal["unlink", "archive", "ignore"] = Field("unlink", description="Marketing's record is gone.")
    crm: Literal["unlink", "archive", "ignore"] = Field("unlink", description="The CRM's record is gone.")


class SidesPart(Part):
    """A text for each side."""

    marketing: str | None = Field(None, min_length=1)
    crm: str | None = Field(None, min_length=1)


class FormsPart(Part):
    """A country's form on each side."""

    marketing: CountryForm = "name"
    crm: CountryForm = "name"


Names = Attribute | list[Attribute] | dict[str, Attribute | list[Attribute]]


class AlsoPart(Part):
    """Attributes that hold further values of a field."""

    marketing: Names = Field([], description="On marketing's side.")
    crm: Names = Field([], description="On the CRM's side: an attribute, several, or those of each form.")


class RefersPart(Part):
    """The object, or objects, that a reference points to on each side."""

    marketing: Attribute | list[Attribute] | None = None
    crm: Attribute | list[Attribute] | None = None


class FieldPart(Part):
    """One field: the same thing under two names."""

    marketing: Attribute | dict[str, Attribute] = Field(description="Marketing's attribute.")
    crm: Attribute | dict[str, Attribute] = Field(
        description="The CRM's attribute, or one for each form: { Lead = ..., Contact = ... }."
    )
    also: AlsoPart | None = Field(
        None,
        description="Attributes with further values to match by (second e-mail addresses), read and never written.",
    )
    type: Types | None = Field(
        None, description="How values are read and compared. Default: text, or choice with values."
    )
    flow: Literal["both", "to_crm", "to_marketing", "none"] = Field(
        "both", description="Which way values travel. none: only matched by and seen by rules, never written."
    )
    clash: Literal["marketing", "crm", "newer", "hold", "stricter"] = Field(
        "hold", description="Both sides changed, differently: who wins. stricter (only bool): true wins, always."
    )
    meet: Literal["fill", "marketing", "crm", "hold"] = Field(
        "fill", description="First meeting, nothing agreed yet: fill blanks (differences: clash), or one side wins."
    )
    blank: Literal["keep", "clear"] = Field("keep", description="May a value that was emptied empty the other side?")
    values: dict[str, str | Annotated[list[str], Field(min_length=1)]] | None = Field(
        None,
        max_length=MAX_VALUES,
        description="marketing's value = the CRM's value. Several may mean the same. A list: all of these mean it, and the"
        " first one is written.",
    )
    other: str | SidesPart = Field(
        "keep", description="A value that is not in the map: keep (leave the other side alone), hold, or a value."
    )
    backward: Literal["ignore", "clear_then_set"] = Field(
        "ignore", description="A stage that the vendor lets only forward: leave it, or clear it before setting it back."
    )
    on_create: Expression | SidesPart | None = Field(
        None, description="An expression: the value to create with when there is none. Text in quotes within quotes."
    )
    truncate: Annotated[int, Field(ge=1, le=131_072)] | None = Field(
        None, description="Cut text to so many characters. Only one way: a cut text must not come back."
    )
    region: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = Field(
        None, description="The country (two letters) that phone numbers without a + are in."
    )
    as_: CountryForm | FormsPart | None = Field(
        None, alias="as", description="How a country is written: name, alpha2, alpha3."
    )
    scale: Annotated[int, Field(ge=0, le=18)] | None = Field(None, description="Round numbers to so many decimals.")
    grain: Literal["1ms", "1s", "1m"] | None = Field(
        None, description="Compare points in time at this grain. Default: 1s."
    )
    zone: SidesPart | None = Field(
        None,
        description="A date that one side keeps as a point in time: the time zone whose calendar counts there, such as"
        ' { marketing = "Europe/Berlin" }.',
    )
    unknown: str | None = Field(
        None,
        description="An owner whom the other side does not know, or who is no longer active there: keep (leave the other"
        " side alone), issue (wait for a person), or the e-mail address of who stands in.",
    )
    unset: bool | None = Field(None, description="What a blank truth means: a checkbox that nobody touched.")
    once: bool = Field(False, description="Write it when a record is created, and never again.")
    steps: Literal["any", "forward", "ask"] | None = Field(
        None,
        description="forward: never write a value over one that is listed after it in 'values'; ask: such a step back waits"
        " for a person. Default: any.",
    )
    history: bool | None = Field(None, description="Keep each change of this choice, on both sides, with its time.")
    link: Name | None = Field(None, description="The mapping whose links this reference follows.")
    many: bool | None = Field(None, description="A list of references, compared as a set: all contacts of a deal.")
    required: bool | None = Field(
        None, description="A create waits until there is something linked to refer to. Default: it goes without."
    )
    refers: RefersPart | None = Field(
        None,
        description="The objects that it may point to, where that is not every form of the other mapping: "
        '{ crm = "Contact" }.',
    )


class RollupPart(Part):
    """What this mapping's records come to for the records that they point to."""

    over: FieldName = Field(description="The reference field: a roll-up is made for each record that it points to.")
    take: Literal["latest", "first", "sum", "count"] = Field(
        description="latest, first: the value of the record that is newest or oldest; sum; count: how many."
    )
    of: FieldName | None = Field(None, description="The field whose value is taken, or added up.")
    by: FieldName | None = Field(None, description="latest, first: the date or time that orders the records.")
    currency: FieldName | None = Field(
        None, description="sum: the field with the currency. Amounts of several currencies are not added: unknown."
    )
    when: Expression | None = Field(None, description="Which records count: a rule over the fields. Left out: all.")


class MappingFile(Part):
    """A mapping file: pairs two objects."""

    model_config = ConfigDict(
        title="A syncd mapping", json_schema_extra={"$schema": "https://json-schema.org/draft/2020-12/schema"}
    )

    mapping: Name = Field(description="The mapping's name.")
    kind: Literal["mapping"] = Field(
        "mapping", description="What the file is: a mapping, or watch, or membership (schemas of their own)."
    )
    marketing: EndPart = Field(description="Marketing's side.")
    crm: EndPart = Field(description="The CRM's side.")
    match: MatchPart = Field(description="How a record of one side is recognised on the other.")
    scope: ScopePart = Field(
        default_factory=lambda: ScopePart.model_validate({}), description="Which records take part at all."
    )
    create: GatesPart = Field(
        default_factory=lambda: GatesPart.model_validate({}),
        description="When to create a partner on that side. Left out: never.",
    )
    promote: PromotePart = Field(
        default_factory=lambda: PromotePart.model_validate({}),
        description="When sales' record may be moved into one of the funnel's stages that sales owns, from outside them.",
    )
    update: GatesPart = Field(
        default_factory=lambda: GatesPart.model_validate({}),
        description="When to update the partner on that side. Left out: always.",
    )
    gone: GonePart = Field(
        default_factory=lambda: GonePart.model_validate({}),
        description="What follows when the record on that side is gone.",
    )
    rollups: dict[FieldName, RollupPart] = Field(
        default_factory=dict,
        max_length=MAX_ROLLUPS,
        description="What these records come to for those they point to; another mapping uses it as MAPPING.NAME.",
    )
    fields: dict[FieldName, FieldPart] = Field(min_length=1, max_length=MAX_FIELDS, description="The fields.")


def schema() -> dict[str, Any]:
    """The JSON Schema of a mapping file, for editors."""
    return MappingFile.model_json_schema()
