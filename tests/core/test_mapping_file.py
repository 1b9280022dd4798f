"""Mapping files: what they mean, and how every mistake is told: file, line, column, what is wrong, how to mend it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sketch import FUNNEL, HEAD, field_of, mapping_of, problems_of, text_of

from syncd.core.compile import check_together, compile_mapping
from syncd.core.model import SIDES

ROOT = Path(__file__).parents[2]
IT = '[fields.it]\nmarketing = "it"\ncrm = "It__c"\n'


# ---------------------------------------------------------------- meaning


def test_left_out_parts_have_safe_meanings() -> None:
    """No create gate: nothing is created. No scope: all take part. A difference that nobody ruled on waits."""
    mapping = mapping_of(IT)
    field = mapping.field("it")

    assert mapping.create == {"marketing": None, "crm": None}
    assert mapping.scope == {"marketing": None, "crm": None}
    assert mapping.gone == {"marketing": "unlink", "crm": "unlink"}
    assert (field.type, field.flow, field.clash, field.meet, field.blank, field.other) == (
        "text",
        "both",
        "hold",
        "fill",
        "keep",
        "keep",
    )


@pytest.mark.parametrize(
    ("flow", "writable"), [("both", {"marketing", "crm"}), ("to_crm", {"crm"}), ("to_marketing", {"marketing"})]
)
def test_flow_says_which_sides_are_written(flow: str, writable: set[str]) -> None:
    """A one-way field never writes its source."""
    field = field_of(f'marketing = "it"\ncrm = "It__c"\nflow = "{flow}"')

    assert {side for side in SIDES if field.writable(side)} == writable


@pytest.mark.parametrize(
    ("flow", "side", "source", "written"),
    [("both", "crm", "z", "B"), ("to_crm", "crm", "z", "B"), ("to_marketing", "marketing", "Z", "b")],
)
def test_a_plain_spare_word_is_the_targets(flow: str, side: Any, source: str, written: str) -> None:
    """`other = "B"`: the CRM's word, or marketing's where only marketing is written."""
    word = "b" if flow == "to_marketing" else "B"
    field = field_of(
        f'marketing = "it"\ncrm = "It__c"\nvalues = {{ a = "A", b = "B" }}\nflow = "{flow}"\nother = "{word}"'
    )

    assert field.render(side, source, None) == written


def test_a_reference_is_a_field_that_follows_another_mapping() -> None:
    """It is read and written like any field; expressions do not see it."""
    mapping = mapping_of(
        '[fields.company]\nmarketing = "associations.companies"\ncrm = { Contact = "AccountId" }\nlink = "companies"\n'
        'refers = { crm = "Account" }'
    )
    (field,) = mapping.references

    assert field.reference is not None
    assert (field.reference.mapping, field.reference.many, field.reference.required) == ("companies", False, False)
    assert field.reference.refers == {"marketing": (), "crm": ("Account",)}
    assert field.reference.place == "m.toml:10:8"
    assert "AccountId" in mapping.attributes("crm", "Contact")
    assert "company" not in mapping.context("crm", "Contact", {"AccountId": "001"})


def test_a_default_can_use_other_fields_and_is_given_in_the_targets_words() -> None:
    """`on_create` speaks marketing's words; the CRM gets its own."""
    mapping = mapping_of(
        '[fields.kind]\nmarketing = "k"\ncrm = "K__c"\nvalues = { a = "Alpha", b = "Beta" }\non_create = \'email == "" ? "a" : "b"\''
    )
    field = mapping.field("kind")

    assert field.on_create({"email": "x"}, "crm") == "Beta"
    assert field.on_create({"email": "x"}, "marketing") == "b"
    assert field.on_create({}, "crm") is None


# ---------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("part", "place", "what", "mend"),
    [
        (IT + 'flo = "both"', "10:1", "'flo' is not a key that is known here", "did you mean 'flow'?"),
        (IT + 'flow = "to_crn"', "10:8", "'flow' must be one of: both, to_crm, to_marketing", "did you mean 'to_crm'?"),
        ('[fields.it]\ncrm = "It__c"', "7:2", "'marketing' is missing in [fields.it]", "add: marketing"),
        ('[fields.it]\nmarketing = 3\ncrm = "It__c"', "8:13", "'marketing' must be text or must be a table", "put it in quotes"),
        (IT + "truncate = 0", "10:12", "'truncate' should be greater than or equal to 1", ""),
        (IT + "values = { no = false }", "10:17", "'no' must be text", "put it in quotes"),
        (IT + 'scale = 2', "10:9", "'scale' does not go with type \"text\"", 'type = "number" takes it'),
        (IT + 'values = { a = "A" }\ntype = "number"', "10:10", "'values' does not go with type \"number\"", '"choice"'),
        (IT + 'clash = "stricter"', "10:9", "'stricter' is for consent", 'type = "bool"'),
        (IT + 'type = "phone"\nregion = "XX"', "11:10", "there is no country 'XX'", "two capital letters"),
        (IT + 'type = "owner"\non_create = \'"kim@example.com"\'', "11:13", "'on_create' does not go with type \"owner\"", "remove 'on_create'"),
        (IT + 'other = "Other"', "10:9", "'other' can name a value only beside 'values'", "keep or hold"),
        (IT + 'type = "email"\nother = "hold"', "11:9", "always has a counterpart", "remove"),
        (IT + 'type = "bool"\nunset = false\nblank = "clear"', "12:9", "nothing to clear", ""),
        (IT + 'type = "reference"', "7:2", "a reference needs the mapping", "link"),
        ('[fields.it]\nmarketing = "it"\ncrm = { Laed = "It__c" }', "9:9", "'Laed' is no form", "did you mean 'Lead'?"),
        ('[fields.it]\nmarketing = "it"\ncrm = { Lead = 3 }', "9:16", "'Lead' must be text", "put it in quotes"),
        (IT + 'flow = "to_crm"\ntruncate = 1', "7:2", "of marketing is written as a blank", "give it a value"),
        ('[fields.it]\nmarketing = "it"\ncrm = {}', "9:7", "no form is named", "Lead"),
        ('[fields.in]\nmarketing = "it"\ncrm = "It__c"', "7:2", "'in' has a meaning of its own", "rename"),
        ('[fields.qualified]\nmarketing = "it"\ncrm = "It__c"', "7:2", "'qualified' has a meaning of its own", "rename"),
        ('[fields.It]\nmarketing = "it"\ncrm = "It__c"', "7:2", "must be", ""),
        (IT + 'other = { marketing = "Othr" }\nvalues = { Other = "Other" }', "10:9", "'Othr' is written to marketing but not listed", "'Other'"),
        (IT + "on_create = 'nothing'", "10:14", "there is no field 'nothing'", "quotes inside the quotes"),
        (IT + "on_create = '3'", "10:14", "gives a number, but text is needed", ""),
        (IT + "flow = 'to_marketing'\non_create = { crm = '\"x\"' }", "11:21", "never writes crm", "flow"),
        (IT + "values = { a = 'A' }\non_create = '\"b\"'", "11:13", "'values' does not list it", ""),
        (IT + "type = 'email'\non_create = '\"nobody\"'", "11:13", "not an e-mail address", ""),
        ("[scope]\nmarketing = 'emial != \"\"'", "8:14", "there is no field 'emial'", "did you mean 'email'?"),
        ("[scope]\ncrm = '''\nemail != \"\" &&\n  emial != \"\"'''", "10:3", "there is no field 'emial'", "did you mean 'email'?"),
        ("[create]\ncrm = 'email > 3'", "8:14", "'>' does not go with text and a number", "quotes"),
        ("[create]\ncrm = 'qualified'", "8:7", "there is no usable funnel.toml", "mappings/funnel.toml"),
        ("[update]\ncrm = 'email'", "8:8", "gives text, but true or false is needed", ""),
        ("[gone]\ncrm = 'delete'", "8:7", "'crm' must be one of: unlink, archive, ignore", ""),
        ("[scop]\nmarketing = 'true'", "7:2", "'scop' is not a key that is known here", "did you mean 'scope'?"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place_and_how_to_mend_it(part: str, place: str, what: str, mend: str) -> None:
    """An admin without a programmer's eye finds the place and knows what to write."""
    problems = problems_of(part)

    assert [f"{problem.line}:{problem.column}" for problem in problems] == [place]
    assert what in problems[0].what
    assert mend in problems[0].mend
    assert problems[0].file == "m.toml"


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    """Shape, types, names and expressions together: nobody mends one to learn of the next."""
    problems = problems_of(
        "[scope]\nmarketing = 'emial != \"\"'",
        "[create]\ncrm = 'it > \"a\"'",
        '[fields.it]\nmarketing = "it"\ncrm = "It__c"\ntype = "number"\ncolour = "red"',
        '[fields.that]\nmarketing = "that"\ncrm = "That__c"\ntype = "text"\nscale = 2',
        "[scop]\nx = 1",
    )

    assert [problem.line for problem in problems] == sorted(problem.line for problem in problems)
    assert len(problems) == 4  # the broken field's type is not known, so its gate is not blamed
    assert {problem.what.split("'")[1] for problem in problems} == {"emial", "colour", "scale", "scop"}


@pytest.mark.parametrize(
    ("head", "place", "what"),
    [
        (HEAD.replace('by = ["email"]', 'by = ["emial"]'), "5:7", "there is no field 'emial'"),
        (HEAD.replace('by = ["email"]', "by = []"), "5:6", "'by' must not be empty"),
        (HEAD.replace('object = "contacts"', 'objekt = "contacts"'), "2:1", "'object' is missing"),
        (HEAD.replace('becomes = "Contact"', 'becomes = "Lead"'), "3:59", "becomes another object than it is"),
        (HEAD.replace('mapping = "people"', 'mapping = "../people"'), "1:11", "must be"),
        (HEAD.replace('mapping = "people"', 'mapping = "people"\nmapping = "x"'), "2:1", "stands here a second time"),
        (HEAD.replace('mapping = "people"', "mapping = people"), "1:11", "this is not TOML"),
        ('kind = "flow"\n' + HEAD, "1:8", "must be one of"),
        (HEAD.replace("hubspot", "salesforce").replace("contacts", "Contact"), "3:7", "both sides are the same object"),
    ],
)
def test_a_wrong_head_is_told_with_its_place(head: str, place: str, what: str) -> None:
    """The frame of a file is checked like its fields."""
    problems = problems_of(head=head)

    assert (place, True) in [(f"{problem.line}:{problem.column}", what in problem.what) for problem in problems], (
        problems
    )


def test_records_are_matched_only_by_what_can_be_looked_up_exactly() -> None:
    """A phone number has many spellings: a look-up would miss, and a second person would be made."""
    head = HEAD.replace('["email"]', '["email", "tel", "half"]')
    problems = problems_of(
        '[fields.tel]\nmarketing = "phone"\ncrm = "Phone"\ntype = "phone"',
        '[fields.half]\nmarketing = "half"\ncrm = { Lead = "Half__c" }',
        head=head,
    )

    assert [problem.line for problem in problems] == [5, 5]
    assert "a look-up is exact" in problems[0].what
    assert "no attribute on Contact" in problems[1].what


def test_a_mistake_in_the_funnels_rule_is_told_in_the_funnels_file() -> None:
    """The rule is checked against the types of the mapping that uses it."""
    parts = ("[create]\ncrm = 'qualified'", IT.replace("[fields.it]", "[fields.score]"))
    problems = problems_of(*parts, funnel=FUNNEL)

    assert [(problem.file, problem.line, problem.column) for problem in problems] == [("funnel.toml", 2, 15)]
    assert "text and a number" in problems[0].what
    assert "m.toml uses 'qualified'" in problems[0].what


def test_a_mapping_that_does_not_say_qualified_does_not_care_about_the_funnel() -> None:
    """A mapping of companies has no score; the funnel is none of its business."""
    assert mapping_of("[create]\ncrm = 'email != \"\"'", funnel=FUNNEL).create["crm"] is not None


@given(text=st.text(alphabet="[]{}=.\"'\n ,#abcfieldsmarketing123", max_size=80))
@settings(max_examples=200, deadline=None)
def test_no_text_makes_the_compiler_raise(text: str) -> None:
    """A half-written file is a list of problems: the last valid version stays in force."""
    mapping, problems = compile_mapping(text, "m.toml", None)

    assert mapping is None
    assert problems


@given(cut=st.integers(0, 700), end=st.integers(0, 60))
@settings(max_examples=100, deadline=None)
def test_no_damage_to_a_good_file_makes_the_compiler_raise(cut: int, end: int) -> None:
    """A file that is read while it is being saved is refused, or right."""
    text = text_of(IT + 'type = "number"', "[scope]\nmarketing = 'email != \"\"'")
    mapping, problems = compile_mapping(text[:cut] + text[cut + end :], "m.toml", None)

    assert (mapping is None) == bool(problems)


# ---------------------------------------------------------------- several together


def test_an_attribute_has_one_writer() -> None:
    """Two fields that write the same attribute would overwrite each other for ever."""
    problems = problems_of(IT, IT.replace("[fields.it]", "[fields.it2]").replace('"it"', '"it2"'))

    assert len(problems) == 1
    assert "Lead.It__c is written by 'people.it' (m.toml:7:2) as well" in problems[0].what
    assert problems[0].line == 11


def test_one_attribute_may_feed_two_fields() -> None:
    """Reading is free: an opt-out that we write may be read again under another name."""
    there = IT + 'flow = "to_crm"'
    back = '[fields.seen]\nmarketing = "seen"\ncrm = "It__c"\nflow = "to_marketing"'

    assert mapping_of(there, back).field("seen")


def test_one_way_fields_make_no_circle() -> None:
    """it → It__c → seen → Seen__c → it: a value would run round for ever, and creep if it is bent."""
    problems = problems_of(
        IT + 'flow = "to_crm"',
        '[fields.back]\nmarketing = "it"\ncrm = "It__c"\nflow = "to_marketing"',
    )

    assert len(problems) == 1
    assert "lead a value back to where it came from: people.it → people.back → people.it" in problems[0].what
    assert 'flow = "both"' in problems[0].mend


def test_two_mappings_do_not_write_the_same_attribute_nor_share_a_name() -> None:
    """What holds within a file holds between files."""
    first = mapping_of(IT, file="a.toml")
    second = mapping_of(IT, file="b.toml", head=HEAD.replace('mapping = "people"', 'mapping = "others"'))
    third = mapping_of(file="c.toml", head=HEAD.replace('"hubspot"', '"marketo"').replace('"salesforce"', '"nimble"'))

    assert {problem.file for problem in check_together([first, second])} == {"b.toml"}
    assert ["is called 'people' too" in problem.what for problem in check_together([first, third])] == [True]
    assert check_together([second, third]) == []


# ---------------------------------------------------------------- words that mean the same


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('values = { a = ["A", "X"], b = ["B", "X"] }', "'X' would mean both"),
        ('values = { a = ["A", "X"], b = "X" }', "cannot have a meaning of its own"),
        ('type = "choices"\nvalues = { a = ["A", "X"] }', "each has one counterpart"),
        ("values = { a = [] }", "must not be empty"),
    ],
)
def test_a_list_of_words_that_could_not_come_back_is_refused(lines: str, said: str) -> None:
    """Each word of the CRM means one of marketing's: a second meaning would be lost on the way back."""
    found = problems_of(IT + lines + "\n")

    assert any(said in problem.what for problem in found), found


def test_a_list_of_words_settles_on_the_first() -> None:
    """What is written is the first listed; the others are read."""
    field = field_of('marketing = "it"\ncrm = "It__c"\nvalues = { a = ["A", "X"], b = "B" }\n')

    assert field.render("crm", "a", None) == "A"
    assert field.render("crm", "a", "X") == "X"
    assert field.render("marketing", "X", None) == "a"
    assert field.targets["crm"] == ("A", "B")
