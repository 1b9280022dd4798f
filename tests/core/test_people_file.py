"""The shipped mapping of people, compiled: what it says, field by field."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from syncd.core.compile import compile_mapping
from syncd.core.funnel import compile_funnel
from syncd.core.mapping import Mapping
from syncd.core.model import Owners, Unmapped

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def people() -> Mapping:
    agreed, problems = compile_funnel((ROOT / "mappings/funnel.toml").read_text(), "mappings/funnel.toml", None)
    assert problems == []
    mapping, problems = compile_mapping((ROOT / "mappings/people.toml").read_text(), "mappings/people.toml", agreed)
    assert mapping is not None, "\n".join(map(str, problems))
    return mapping


def test_the_shipped_mapping_compiles_and_is_known_by_its_digest(people: Mapping) -> None:
    """What users start from is right, and a version is named by the hash of its text."""
    assert people.name == "people"
    assert people.digest == hashlib.sha256((ROOT / "mappings/people.toml").read_bytes()).hexdigest()
    assert people.end("crm").forms == ("Lead", "Contact")
    assert [rule.name for rule in people.match] == ["email"]


def test_a_form_without_an_attribute_is_unasked(people: Mapping) -> None:
    """A Contact has no Status: the field is not asked for there, which is not the same as blank."""
    stage = people.field("stage")

    assert stage.attribute("crm", "Lead") == "Status"
    assert stage.attribute("crm", "Contact") is None
    assert {"Status", "Company", "Rating"} <= set(people.attributes("crm", "Lead"))
    assert not {"Status", "Company", "Rating"} & set(people.attributes("crm", "Contact"))
    assert "MailingCountry" in people.attributes("crm", "Contact")
    assert list(people.attributes("crm", "Lead")) == sorted(set(people.attributes("crm", "Lead")))


QUALIFIED = {
    "email": "ada@example.com",
    "lifecyclestage": "marketingqualifiedlead",
    "hubspotscore": "64",
    "num_conversion_events": "1",
    "hs_email_optout": None,
    "crm_email_optout": "",
}


@pytest.mark.parametrize(
    ("changed", "met"),
    [
        ({}, True),
        ({"hubspotscore": "49.9"}, False),
        ({"hubspotscore": "49.9", "num_conversion_events": "2"}, True),
        ({"lifecyclestage": "lead"}, False),
        ({"lifecyclestage": "customer"}, False),
        ({"hs_email_optout": "true"}, False),
        ({"crm_email_optout": "true"}, False),
        ({"hubspotscore": ""}, None),
        ({"hubspotscore": "a lot"}, None),
    ],
)
def test_only_a_qualified_lead_is_created_in_the_crm(
    people: Mapping, changed: dict[str, Any], met: bool | None
) -> None:
    """Unknown is not true; an opt-out box that nobody touched is no opt-out."""
    gate = people.create["crm"]
    assert gate is not None
    found = gate.holds(people.context("marketing", "contacts", {**QUALIFIED, **changed}))

    assert found is met if met is not None else found not in (True, False)


def test_a_missing_attribute_is_not_a_blank_one(people: Mapping) -> None:
    """Unreadable is unknown: a record is not created because a property could not be read."""
    gate = people.create["crm"]
    assert gate is not None
    without = {name: value for name, value in QUALIFIED.items() if name != "crm_email_optout"}

    assert gate.holds(people.context("marketing", "contacts", without)) not in (True, False)
    assert "score" not in people.context("marketing", "contacts", {"hubspotscore": "", "email": ""})
    assert people.context("marketing", "contacts", {"hubspotscore": "", "email": ""}) == {"email": ""}
    assert gate.names == {"stage", "score", "forms", "opt_out", "crm_opt_out"}
    assert gate.place == "mappings/people.toml:27:13"


def test_a_created_lead_has_a_status_that_agrees_with_its_stage(people: Mapping) -> None:
    """Every stage that qualifies has a word of the CRM's, so that a new lead does not begin with a difference."""
    stage = people.field("stage")
    for word in ("marketingqualifiedlead", "salesqualifiedlead"):
        written = stage.render("crm", word, None)
        assert isinstance(written, str)
        assert stage.canonical("crm", written) == stage.canonical("marketing", word)


def test_a_lead_that_sales_gives_back_returns_to_nurturing(people: Mapping) -> None:
    """Closed without conversion is `lead` again, by clearing first, because HubSpot ignores a step back."""
    stage = people.field("stage")

    assert stage.render("marketing", "Closed - Not Converted", "salesqualifiedlead") == "lead"
    assert stage.backward == "clear_then_set"
    assert isinstance(stage.render("marketing", "Closed - Converted", "opportunity"), Unmapped)


def test_a_default_is_given_only_where_it_is_needed(people: Mapping) -> None:
    """Salesforce needs a company; HubSpot does not, and gets no "[not given]"."""
    company = people.field("company_name")

    assert company.on_create({}, "crm") == company.on_create({}) == "[not given]"
    assert company.on_create({}, "marketing") is None
    assert people.field("city").on_create({}) is None


def test_owners_are_bound_by_email(people: Mapping) -> None:
    """Before the directories are known every owner is unmapped; afterwards the address decides."""
    kim = {"kim@example.com": "7"}
    bound = people.bind(
        {
            "marketing": Owners({"7": "kim@example.com"}, kim),
            "crm": Owners({"005": "KIM@example.com"}, {"kim@example.com": "005"}),
        }
    )

    assert isinstance(people.field("owner").canonical("crm", "005"), Unmapped)
    assert bound.field("owner").render("crm", "7", None) == "005"
    assert bound.field("owner").canonical("crm", "005") == "kim@example.com"
    assert bound.digest == people.digest
