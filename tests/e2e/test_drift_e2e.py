"""Somebody changes the schema of a real-looking account: over the real connectors, both ways round."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stage import World, world, writes


@pytest.fixture
def earth(tmp_path: Path) -> Iterator[World]:
    """Both vendors, nobody in them."""
    with world(tmp_path / "world") as made:
        yield made


def fields(earth: World) -> list[str | None]:
    """The fields that an issue about a schema is about."""
    return [issue.field for issue in earth.ledger.inbox.issues(kind="schema")]


def test_a_deleted_property_holds_its_field_and_comes_back(earth: World) -> None:
    """HubSpot ignores a property that it does not know: nothing is blanked in the CRM by that, and the rest goes on."""
    contact, lead = earth.linked(jobtitle="Countess", phone="+49 30 901820")
    earth.hubspot.act("property", "contacts", change="archive", name="jobtitle")
    earth.pass_time(3700)
    earth.edit_contact(contact, phone="+49 30 901821")
    earth.until_quiet()

    assert fields(earth) == ["job_title"]
    assert earth.sf("Lead", lead)["Title"] == "Countess"
    assert earth.sf("Lead", lead)["Phone"] == "+49 30 901821"

    earth.salesforce.act("edit", "Lead", lead, values={"Title": "Baroness"})
    again = {"name": "jobtitle", "label": "Job title", "type": "string", "fieldType": "text"}
    earth.hubspot.act("property", "contacts", change="define", definition={**again, "groupName": "contactinformation"})
    earth.pass_time(3700)
    earth.until_quiet()
    assert fields(earth) == []
    assert earth.hs(contact)["jobtitle"] == "Baroness"
    assert writes(earth.once()) == 0


def test_a_deleted_field_is_noticed_by_the_first_read_that_fails(earth: World) -> None:
    """Salesforce refuses the whole query for one field: it is asked without it, in the same cycle, and told."""
    contact, lead = earth.linked(jobtitle="Countess")
    earth.salesforce.act("drop_field", "Lead", field="Title")
    earth.edit_person("Lead", lead, Phone="+49 30 901822")
    earth.once()

    assert fields(earth) == ["job_title"]
    assert earth.hs(contact)["jobtitle"] == "Countess"
    earth.until_quiet()
    assert earth.hs(contact)["phone"] == "+49 30 901822"


def test_a_renamed_field_is_told_with_its_new_name(earth: World) -> None:
    """What to write, and where."""
    earth.linked(jobtitle="Countess")
    earth.salesforce.act("rename_field", "Lead", field="Title", to="Title__c")
    earth.pass_time(3700)
    earth.until_quiet()

    (issue,) = earth.ledger.inbox.issues(kind="schema")
    assert "write 'Title__c' here" in issue.reason
    assert "people.toml:" in issue.reason


def test_a_newly_required_field_holds_creates(earth: World) -> None:
    """One issue, no refusals; updates go on."""
    contact, lead = earth.linked()
    earth.salesforce.act("field", "Lead", field="Region__c", set={"label": "Region", "length": 20, "nillable": False})
    earth.pass_time(3700)
    for n in range(3):
        earth.contact(f"new{n}@example.com")
    earth.edit_contact(contact, phone="+49 30 901823")
    earth.until_quiet()

    assert len(earth.live("Lead")) == 1
    assert earth.sf("Lead", lead)["Phone"] == "+49 30 901823"
    (issue,) = earth.ledger.inbox.issues()
    assert "a create needs Lead.Region__c" in issue.reason
