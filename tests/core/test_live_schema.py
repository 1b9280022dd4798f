"""A mapping against the live schema of its two sides, and the schemas that editors read."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sketch import EMAIL, mapping_of

from syncd.connector import Attribute, Schema
from syncd.core import funnel, mappingfile
from syncd.core.compile import check_schema
from syncd.core.toml import parse

ROOT = Path(__file__).parents[2]
IT = '[fields.it]\nmarketing = "it"\ncrm = "It__c"\n'


# ---------------------------------------------------------------- live schema

SAID = """
[fields.it]
marketing = "funnel.outcome"
crm = "It__c"
type = "choice"
flow = "to_crm"
"""


def lead(**changed: Attribute | None) -> Schema:
    attributes = {
        "Email": Attribute("Email", "text", length=80),
        "It__c": Attribute("It__c", "text", length=255),
        "Syncd_Key__c": Attribute("Syncd_Key__c", "text", length=255, unique=True),
        "Id": Attribute("Id", "reference", creatable=False, updatable=False),
    }
    for name, attribute in changed.items():
        if attribute is None:
            del attributes[name]
        else:
            attributes[name] = attribute
    return Schema("Lead", attributes)


def live(part: str, schema: Schema, *gates: str) -> list[str]:
    mapping = mapping_of(*gates, part)
    return [
        f"{problem.what} — {problem.mend}"
        for problem in check_schema(mapping, "crm", "Lead", schema, key="Syncd_Key__c")
    ]


def test_a_mapping_that_fits_its_live_schema_has_no_problem() -> None:
    """The check says nothing where nothing is wrong."""
    assert live(IT, lead()) == []


@pytest.mark.parametrize(
    ("part", "schema", "said"),
    [
        (IT, lead(It__c=None, It2__c=Attribute("It2__c", "text")), "no attribute 'It__c' that the sync user can see — did you mean 'It2__c'?"),
        (IT, lead(It__c=None), "that the sync user can see — create it there as a text, and give the sync user access to it"),
        (IT + "[fields.that]\nmarketing = 'that'\ncrm = 'It2__c'", lead(It__c=None, It2__c=Attribute("It2__c", "text")), "see — create it there as a text"),
        (IT.replace("It__c", "Syncd_It__c"), lead(It__c=None), "see — create it there as a text"),
        (IT + 'type = "datetime"', lead(It__c=None), "create it there as a date and time"),
        (IT + 'values = { a = "A", b = "Be" }', lead(It__c=None), "create it there as one of a list (A, Be), and give"),
        (IT + 'flow = "to_marketing"', lead(It__c=None), "see — create it there, or give the sync user access to it, or take the field out of the file"),
        (IT + 'values = { a = "A", b = "B", c = "C" }', lead(It__c=Attribute("It__c", "choice", restricted=True, options=("A",))), "does not offer 'B', 'C' — add it there, or change `values`; offered: A"),
        (SAID, lead(It__c=None), "create it there as one of a list (handoff, nurture, watch, disqualify), and give"),
        (SAID, lead(It__c=Attribute("It__c", "choice", restricted=True, options=("handoff", "watch", "Disqualify"))), "does not offer 'nurture', 'disqualify' — add it there"),
        (IT, lead(It__c=Attribute("It__c", "text", updatable=False)), 'Lead.It__c is read-only — flow = "to_marketing"'),
        (IT, lead(It__c=Attribute("It__c", "number")), "Lead.It__c holds a number, and 'it' is of type \"text\" — type = \"number\""),
        (IT, lead(It__c=Attribute("It__c", "choice", restricted=True, options=("A",))), "only takes listed values"),
        (IT + 'values = { a = "A", b = "Be" }', lead(It__c=Attribute("It__c", "choice", restricted=True, options=("A", "B"))), "does not offer 'Be' — did you mean 'B'?"),
        (IT + 'values = { a = "A" }', lead(It__c=Attribute("It__c", "choice", length=40)), None),
        (IT + 'values = { a = "ABC" }', lead(It__c=Attribute("It__c", "text", length=2)), "'ABC' is longer"),
        (IT + 'flow = "to_crm"', lead(It__c=Attribute("It__c", "text", length=40)), "holds 40 characters, and longer texts would be refused — truncate = 40"),
        (IT + 'flow = "to_crm"\ntruncate = 50', lead(It__c=Attribute("It__c", "text", length=40)), "fewer than truncate = 50"),
        (IT + 'flow = "to_crm"\ntruncate = 40', lead(It__c=Attribute("It__c", "text", length=40)), None),
        (IT + 'flow = "to_marketing"', lead(It__c=Attribute("It__c", "text", length=40, updatable=False)), None),
        (IT + 'blank = "clear"', lead(It__c=Attribute("It__c", "text", required=True)), "is required, so it cannot be emptied"),
        (IT + 'type = "bool"', lead(It__c=Attribute("It__c", "choice", options=("true", "false"))), None),
        (IT, lead(Syncd_Key__c=None), "has no attribute 'Syncd_Key__c' on Lead: a create that is cut off may be made twice — create a text field"),
        (IT, lead(Syncd_Key__c=Attribute("Syncd_Key__c", "text")), "does not insist on unique values"),
        (IT.replace("It__c", "Syncd_Key__c"), lead(), "holds syncd's own key"),
    ],
)  # fmt: skip
def test_what_the_live_system_would_refuse_is_said_before_anything_is_sent(
    part: str, schema: Schema, said: str | None
) -> None:
    """Schema changes break loudly, with the field's place and what to change."""
    problems = live(part, schema)

    assert [said in problem for problem in problems] == [True] if said else problems == []


CREATES = "[create]\ncrm = 'true'"


@pytest.mark.parametrize(
    ("part", "gate", "required", "said"),
    [
        (IT, CREATES, "Company", "a create needs Lead.Company, and no field of the mapping writes it"),
        (IT + "flow = 'to_marketing'", CREATES, "It__c", "no field of the mapping writes it"),
        (IT, CREATES, "It__c", "a create needs Lead.It__c, and 'it' may be blank — on_create"),
        (IT + "on_create = '\"x\"'", CREATES, "It__c", None),
        (IT, "", "It__c", None),
        (IT, "[create]\ncrm = 'it != \"\"'", "It__c", None),
        (IT, CREATES + '\n[scope]\nmarketing = \'it != "" && email != ""\'', "It__c", None),
        (IT, CREATES + '\n[scope]\nmarketing = \'it != "" || email != ""\'', "It__c", "may be blank"),
        (IT, CREATES + "\n[scope]\ncrm = 'it != \"\"'", "It__c", "may be blank"),
    ],
)
def test_every_create_has_what_the_crm_requires(part: str, gate: str, required: str, said: str | None) -> None:
    """A required attribute is written, and never blank: by a default, or by a gate that keeps blanks out."""
    problems = live(part, lead(**{required: Attribute(required, "text", length=255, required=True)}), gate)

    assert [said in problem for problem in problems] == [True] if said else problems == []


def test_a_mapping_that_only_pairs_may_name_what_cannot_be_written() -> None:
    """It creates nothing and its update gate is closed for good: nothing of it is ever sent."""
    fixed = lead(It__c=Attribute("It__c", "text", creatable=False, updatable=False))
    closed = "[update]\ncrm = 'false'\n"

    assert live(IT, fixed) != []
    assert live(IT, fixed, closed) == []
    assert live(IT, fixed, closed, CREATES) != []


def test_a_reference_that_a_create_waits_for_is_never_blank() -> None:
    """Without `required` it may be, and the CRM would refuse the create."""
    part = '[fields.it]\nmarketing = "it"\ncrm = "It__c"\nlink = "companies"\n'
    schema = lead(It__c=Attribute("It__c", "reference", required=True))

    assert any("may be blank" in said for said in live(part, schema, CREATES))
    assert live(f"{part}required = true\n", schema, CREATES) == []


def test_of_attributes_that_say_the_same_one_is_enough() -> None:
    """Required, and written under another name; by a field that may be blank it is not."""
    joined = lead(
        Stage=Attribute("Stage", "text", required=True, instead=("It__c",)),
        It__c=Attribute("It__c", "text", length=255),
    )
    assert live(IT, joined, CREATES + "\n[scope]\nmarketing = 'it != \"\"'") == []
    (said,) = live(IT, joined, CREATES)
    assert "a create needs" in said
    assert "'it' may be blank" in said
    alone = lead(Stage=Attribute("Stage", "text", required=True), It__c=Attribute("It__c", "text", length=255))
    assert any("no field of the mapping writes it" in said for said in live(IT, alone, CREATES))


def test_a_later_form_is_never_created_so_it_requires_nothing() -> None:
    """Creates make a Lead; a Contact comes of converting one."""
    contact = Schema("Contact", {**lead().attributes, "LastName": Attribute("LastName", "text", required=True)})

    assert check_schema(mapping_of(IT, CREATES), "crm", "Contact", contact) == []
    assert check_schema(mapping_of(IT, CREATES), "crm", "Lead", contact) != []


# ---------------------------------------------------------------- places and schemas


def test_places_are_counted_in_characters_and_found_in_every_kind_of_table() -> None:
    """Wide characters, dotted keys, arrays, nested tables: an editor jumps to the right place."""
    text = (
        '"é" = { "a b" = "ü", x = 1 }\n[t]\na.b = [1, { c = 2 }]\n[[r]]\nk = 1\n[[r]]\nk = """\nlong"""\n[r.s]\nz = 1\n'
    )
    document, problems = parse(text, "f.toml")

    assert problems == []
    assert document is not None
    assert document.where(("é", "a b")) == (1, 17)
    assert document.where(("é", "x")) == (1, 26)
    assert document.where(("t", "a", "b", 1, "c")) == (3, 17)
    assert document.where(("r", 1, "k")) == (7, 5)
    assert document.inside(("r", 1, "k"), 1, 3) == (8, 3)
    assert document.where(("r", 1, "s", "z")) == (10, 5)
    assert document.where(("t", "missing")) == (2, 2)
    assert document.where(("nowhere",)) == (0, 0)


@pytest.mark.parametrize(("name", "schema"), [("mapping", mappingfile.schema()), ("funnel", funnel.schema())])
def test_the_schemas_for_editors_are_current(name: str, schema: dict[str, Any]) -> None:
    """`make schemas` was run after the last change."""
    assert json.loads((ROOT / f"schemas/{name}.json").read_text()) == schema


def test_every_key_of_a_mapping_file_is_explained_to_the_editor() -> None:
    """Who hovers over a key reads what it does."""
    for part in (mappingfile.FieldPart, mappingfile.MappingFile, mappingfile.EndPart, mappingfile.ScopePart):
        assert [name for name, info in part.model_fields.items() if not info.description] == []


def test_nothing_in_a_compiled_mapping_can_be_changed() -> None:
    """It is shared by threads and cycles."""
    mapping = mapping_of(IT)

    with pytest.raises(AttributeError):
        mapping.name = "other"  # type: ignore[misc]
    assert replace(mapping, name="other").name == "other"
    assert EMAIL in mapping.text
