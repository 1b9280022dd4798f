"""A membership's file, turned into ordinary mappings: lists with campaigns, and members with members.

Promise: there is no second engine. A member is recognised by whom it points to (the person and the campaign, both by the
links of other mappings), is created once both are linked, and its status follows rules that any field may have. What is
wrong in the file is told at its place in the file.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pydantic

from syncd.core.compile import compile_document
from syncd.core.funnel import Funnel
from syncd.core.mapping import Answers
from syncd.core.mapping import Mapping as Compiled
from syncd.core.membershipfile import MembershipFile
from syncd.core.problem import Problem
from syncd.core.toml import Document, Path, Spot, did_you_mean, problems

LISTS: Final = "-lists"
"""What the mapping of lists with campaigns is called, behind the membership's own name."""

ANSWERS: Final = "-answers"
"""Behind the membership's own name: what stands in the place of an attribute with who answered."""

_PLACES: Final[Mapping[Path, Path]] = {
    ("mapping",): ("name",),
    ("create", "crm"): ("when",),
    ("fields", "person"): ("person",),
    ("fields", "person", "marketing"): ("marketing", "person"),
    ("fields", "person", "crm"): ("crm", "person"),
    ("fields", "person", "link"): ("person",),
    ("fields", "campaign"): ("crm", "campaign"),
    ("fields", "campaign", "marketing"): ("marketing", "list"),
    ("fields", "campaign", "values"): ("campaigns",),
    ("fields", "name"): ("campaigns",),
    ("fields", "name", "values"): ("campaigns",),
    ("fields", "list_name"): ("marketing", "list_name"),
    ("fields", "status"): ("crm", "status"),
    ("fields", "status", "marketing"): ("marketing", "status"),
    ("fields", "status", "values"): ("status",),
    ("fields", "status", "on_create"): ("joined",),
    ("fields", "since"): ("marketing", "since"),
    ("fields", "responded"): ("crm", "responded"),
}
"""Where the parts of the made mappings come from."""


def compile_membership(
    document: Document, text: str, funnel: Funnel | None, others: frozenset[str]
) -> tuple[list[Compiled], list[Problem]]:
    """The mappings that a membership comes to, members last, or every problem of its file."""
    try:
        shape = MembershipFile.model_validate(document.data)
    except pydantic.ValidationError as error:
        return [], problems(error, document, document.file, MembershipFile)
    if found := [*_check(document, shape)]:
        return [], found
    made: list[Compiled] = []
    for data in ([_lists(shape)] if shape.marketing.lists else []) + [_members(shape)]:
        mapping, told = compile_document(_placed(document, data), text, funnel, others | {shape.name + ANSWERS})
        found += told
        if mapping is not None and mapping.name == shape.name and shape.answers:
            mapping = dataclasses.replace(mapping, answers=_answers(document, shape))
        made += [mapping] if mapping is not None else []
    return ([], sorted(set(found), key=lambda one: (one.line, one.column))) if found else (made, [])


def _check(document: Document, shape: MembershipFile) -> Iterator[Problem]:
    marketing, crm = shape.marketing, shape.crm
    if (marketing.lists is None) != (crm.campaigns is None):
        side, key = ("crm", "campaigns") if marketing.lists else ("marketing", "lists")
        said = "lists and campaigns are paired by name, or neither of them is named"
        yield document.problem((side,), said, f"add '{key}' to [{side}], or remove the other one")
    if marketing.lists is None and not shape.campaigns:
        mend = "write [campaigns], or name 'lists' and 'campaigns' for those of equal name"
        yield document.problem(("name",), "no list is paired with a campaign", mend)
    if marketing.lists is not None and len(set(shape.campaigns.values())) < len(shape.campaigns):
        yield document.problem(("campaigns",), "two lists share a campaign", "by name, each list has its own campaign")
    if shape.status is not None and (marketing.status is None or crm.status is None):
        side = "marketing" if marketing.status is None else "crm"
        yield document.problem(("status",), f"there is a map of statuses, and {side} has no status", "name it there")
    if marketing.status is not None and shape.status is None:
        yield document.problem(("marketing", "status"), "statuses need a map", "write [status], in order")
    if shape.joined is not None and crm.status is None:
        yield document.problem(("joined",), "the CRM's side has no status", "add 'status' to [crm]")
    yield from _check_answers(document, shape)
    if shape.response and marketing.status is None:
        yield document.problem(
            ("response",), "marketing's side has no status to be told", "add 'status' to [marketing]"
        )


def _check_answers(document: Document, shape: MembershipFile) -> Iterator[Problem]:
    if (shape.answered is None) == bool(shape.answers):
        path, said = (("answers",), "no status is named for who answered") if shape.answers else (("answered",), "")
        said = said or "nothing says who answered"
        yield document.problem(path, said, "write both: answered = STATUS, and [answers.WATCH] with its 'field'")
    elif shape.answers and shape.joined is None:
        yield document.problem(("answered",), "there is no status that it comes after", "write 'joined' too")
    elif shape.answers and shape.marketing.status is not None:
        said = "marketing's side has a status of its own"
        yield document.problem(("answers",), said, "take 'status' out of [marketing], or remove [answers]")
    elif shape.answers and shape.marketing.lists is not None and shape.marketing.list_name is None:
        said = "which list a member is in is not known by name"
        yield document.problem(("answers",), said, "add 'list_name' to [marketing]")
    for watch, part in shape.answers.items():
        for name in part.lists.keys() - (shape.campaigns or part.lists).keys():
            mend = did_you_mean(name, shape.campaigns) or "name a list of [campaigns]"
            yield document.problem(("answers", watch, "lists", name), f"'{name}' takes no part here", mend, key=True)


def _answers(document: Document, shape: MembershipFile) -> Answers:
    line, column = document.where_key(("answers",))
    return Answers(
        f"{shape.name}{ANSWERS}.status",
        "person",
        "campaign" if shape.marketing.list_name is None else "list_name",
        {
            watch: (part.field, {name.casefold(): tuple(words) for name, words in part.lists.items()})
            for watch, part in shape.answers.items()
        },
        f"{document.file}:{line}:{column}",
    )


# ---------------------------------------------------------------- the mappings


def _lists(shape: MembershipFile) -> dict[str, Any]:
    """Lists with campaigns, by name. It writes nothing: who calls what how is nobody's business but theirs."""
    lists, campaigns = shape.marketing.lists, shape.crm.campaigns
    assert lists is not None
    assert campaigns is not None
    name: dict[str, Any] = {"marketing": lists.name, "crm": campaigns.name, "flow": "none"}
    return {
        "mapping": shape.name + LISTS,
        "marketing": {"system": shape.marketing.system, "object": lists.object},
        "crm": {"system": shape.crm.system, "object": campaigns.object},
        "match": {"by": ["name"]},
        "fields": {"name": name | ({"values": dict(shape.campaigns)} if shape.campaigns else {})},
    }


def _members(shape: MembershipFile) -> dict[str, Any]:
    marketing, crm = shape.marketing, shape.crm
    own: dict[str, Any] = {"flow": "to_crm", "clash": "marketing", "once": True}
    campaign = {"marketing": marketing.list, "crm": crm.campaign, **own}
    if marketing.lists is None:
        campaign |= {"values": dict(shape.campaigns)}
    else:
        campaign |= {"link": shape.name + LISTS, "required": True}
    fields: dict[str, Any] = {
        "person": {"marketing": marketing.person, "crm": crm.person, "link": shape.person, "required": True, **own},
        "campaign": campaign,
    }
    if crm.status is not None:
        fields["status"] = _status(shape)
    if marketing.list_name is not None:
        fields["list_name"] = {"marketing": marketing.list_name, "crm": {}, "flow": "none"}
    if marketing.since is not None:
        fields["since"] = {"marketing": marketing.since, "crm": {}, "type": "datetime", "flow": "none"}
    if crm.responded is not None:
        fields["responded"] = {"marketing": {}, "crm": crm.responded, "type": "date", "flow": "none"}
    made: dict[str, Any] = {
        "mapping": shape.name,
        "marketing": {"system": marketing.system, "object": marketing.object},
        "crm": {"system": crm.system, "object": crm.object},
        "match": {"by": [["person", "campaign"]]},
        "create": {"crm": shape.when or "true"},
        "gone": {"marketing": "archive" if shape.removed == "archive" else "unlink"},
        "fields": fields,
    }
    if (scope := _scope(shape)) is not None:
        made["scope"] = {"marketing": scope}
    if shape.rollups:
        made["rollups"] = {name: part.model_dump(exclude_none=True) for name, part in shape.rollups.items()}
    return made


def _scope(shape: MembershipFile) -> str | None:
    """Lists that nobody paired with a campaign take no part: their members would wait for ever."""
    if not shape.campaigns:
        return None
    names = ", ".join(f'"{_quoted(name)}"' for name in shape.campaigns)
    if shape.marketing.lists is None:
        return f"campaign in [{names}]"
    return None if shape.marketing.list_name is None else f"list_name in [{names}]"


def _quoted(name: str) -> str:
    return name.replace("\\", "\\\\").replace('"', '\\"')


def _status(shape: MembershipFile) -> dict[str, Any]:
    field: dict[str, Any] = {"crm": shape.crm.status, "marketing": shape.marketing.status or {}, "clash": "crm"}
    field["flow"] = "both" if shape.response else "to_crm"
    if shape.answers and shape.joined is not None and shape.answered is not None:
        field |= {"marketing": f"{shape.name}{ANSWERS}.status", "type": "choice", "steps": "forward"}
        field |= {"values": {Answers.NO: shape.joined, Answers.YES: shape.answered}}
    if shape.status is not None:
        field |= {"values": dict(shape.status), "type": "choice"}
        field |= {} if shape.backward else {"steps": "forward"}
    if shape.joined is not None:
        field["on_create"] = {"crm": f'"{Answers.NO if shape.answers else _quoted(shape.joined)}"'}
    return field


def _placed(document: Document, data: dict[str, Any]) -> Document:
    """The made mapping, with the places in the file that its parts come from."""
    spots: dict[Path, Spot] = dict(document.spots)
    for made, written in _PLACES.items():
        for path, spot in document.spots.items():
            if path[: len(written)] == written:
                spots[(*made, *path[len(written) :])] = spot
    return Document(document.file, data, spots)
