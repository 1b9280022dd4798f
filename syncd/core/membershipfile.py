"""The shape of a membership's file: every key, with the sentence that an editor shows for it.

Promise: what this refuses is refused with a place; what it accepts has the right shape, and nothing more is checked
here. `schemas/membership.json` is generated from it. What it comes to is ordinary mappings: `membership`.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field

from syncd.core.mappingfile import MAX_ROLLUPS, Attribute, Expression, FieldName, Name, Part, RollupPart

MOST_CAMPAIGNS: Final = 10_000
"""Most pairs of a list and a campaign that one file names."""
MOST_STATUSES: Final = 100
"""Most statuses in the map."""
MOST_WATCHES: Final = 20
"""Most watches that tell answers."""

Word = Annotated[str, Field(min_length=1, max_length=255)]


class NamedPart(Part):
    """The object that lists, or campaigns, are themselves."""

    object: Attribute = Field(description="The object as the system calls it: lists, Campaign.")
    name: Attribute = Field(description="The attribute with its name.")


class MemberPart(Part):
    """Marketing's side: one record for each person in each list."""

    system: Name = Field(description="The system's name in syncd.toml: [systems.NAME].")
    object: Attribute = Field(description="The object whose records are memberships: list_memberships.")
    list: Attribute = Field(description="Its attribute that says which list: a reference where `lists` is given.")
    list_name: Attribute | None = Field(
        None, description="Its attribute with the list's name: lists that are not in [campaigns] take no part then."
    )
    person: Attribute = Field(description="Its attribute that says who.")
    status: Attribute | None = Field(None, description="Its attribute with how far they are, where there is one.")
    since: Attribute | None = Field(None, description="Its attribute with the time they came in, where there is one.")
    lists: NamedPart | None = Field(None, description="The lists themselves: they are paired with campaigns by name.")


class CampaignMemberPart(Part):
    """The CRM's side: one record for each person in each campaign."""

    system: Name = Field(description="The system's name in syncd.toml: [systems.NAME].")
    object: Attribute = Field(description="The object whose records are members: CampaignMember.")
    campaign: Attribute = Field(description="Its attribute that says which campaign.")
    person: Attribute = Field(description="Its attribute that says who.")
    status: Attribute | None = Field(None, description="Its attribute with how far they are.")
    responded: Attribute | None = Field(None, description="Its attribute with when they answered, read for roll-ups.")
    campaigns: NamedPart | None = Field(None, description="The campaigns themselves; given where `lists` is.")


class AnswerPart(Part):
    """What a watch sees that is an answer to a campaign: a form sent, a link clicked."""

    field: FieldName = Field(description="The watch's field that says which: a form's name.")
    lists: dict[Word, list[Word]] = Field(
        default_factory=dict,
        max_length=MOST_CAMPAIGNS,
        description="list = what that field holds, or ends in, for its campaign. A list that is not named here has its"
        " own name there.",
    )


class MembershipFile(Part):
    """A membership: who is in a list of marketing's becomes a member of a campaign of the CRM's."""

    model_config = ConfigDict(
        title="A syncd membership", json_schema_extra={"$schema": "https://json-schema.org/draft/2020-12/schema"}
    )

    name: Name = Field(description="The membership's name.")
    kind: Literal["membership"] = Field(description="This file is a membership.")
    marketing: MemberPart = Field(description="Marketing's side.")
    crm: CampaignMemberPart = Field(description="The CRM's side.")
    person: Name = Field(description="The mapping whose links tell who a person is on the other side.")
    campaigns: dict[Word, Word] = Field(
        default_factory=dict,
        max_length=MOST_CAMPAIGNS,
        description="list = campaign: by their names where `lists` is given, else the value of `list` = the campaign's"
        " key. Left out, with `lists`: those of equal name.",
    )
    when: Expression | None = Field(
        None, description="Which memberships cross: a rule over list_name, status, since. Left out: all."
    )
    joined: Word | None = Field(None, description="The status of a new member, where marketing's side has none.")
    answered: Word | None = Field(None, description="The status of a member who answered, as [answers] say.")
    answers: dict[Name, AnswerPart] = Field(
        default_factory=dict,
        max_length=MOST_WATCHES,
        description="By watch: what a person did that answers a campaign. From `joined` to `answered`, and never back.",
    )
    status: dict[Word, Word] | None = Field(
        None, max_length=MOST_STATUSES, description="marketing's status = the CRM's, in order, from first to last."
    )
    backward: bool = Field(False, description="May a status go back? Left out: only forward, in the map's order.")
    response: bool = Field(
        False, description="Does the CRM's status flow back to marketing's side? It needs a status that can be written."
    )
    removed: Literal["keep", "archive"] = Field(
        "keep", description="Somebody left the list: keep the member, or remove it from the campaign too."
    )
    rollups: dict[FieldName, RollupPart] = Field(
        default_factory=dict,
        max_length=MAX_ROLLUPS,
        description="As in a mapping: what memberships come to for a person.",
    )


def schema() -> dict[str, Any]:
    """The JSON Schema of a membership's file, for editors."""
    return MembershipFile.model_json_schema()
