"""Who is whom over real HTTP: people who are converted, merged, deleted, doubled, or change their address.

Each test ends with the judge: both vendors' own state agrees, nobody stands twice, and the next cycle writes nothing.
"""

from __future__ import annotations

import pytest
from judge import assert_nobody_twice, assert_settled, pairs, quiet
from stage import World, writes

from syncd.sandbox.chassis import Request


def test_a_converted_lead_goes_on_as_its_contact(world: World) -> None:
    """The link follows; the fields flow under the Contact's names; nothing is created twice."""
    contact, lead = world.linked(phone="+49 30 1234567", country="Germany", company="Acme")
    made = world.salesforce.act("convert", "Lead", lead, opportunity="Big deal")
    quiet(world)
    person = made["contact"]
    assert world.sf("Contact", person)["Syncd_Key__c"] == f"hubspot:4242001:contacts:{contact}"
    assert world.sf("Contact", person)["Marketing_Score__c"] == 80

    world.edit_contact(contact, phone="+49 30 7654321", country="France")
    world.edit_person("Contact", person, Title="CTO")
    quiet(world)
    assert world.sf("Contact", person)["MailingCountry"] == "France"
    assert len(world.live("contacts")) == 1
    assert world.live("Lead") == {}
    assert_settled(world)


def test_an_edit_that_meets_a_conversion_is_not_overridden_by_values_nobody_touched(world: World) -> None:
    """Marketing edits the city, sales converts: what the conversion carried over unchanged is no edit of sales."""
    contact, lead = world.linked(city="Berlin", phone="+49 30 1234567")
    world.edit_contact(contact, city="Paris")
    person = world.salesforce.act("convert", "Lead", lead)["contact"]
    quiet(world)

    assert world.sf("Contact", person)["MailingCity"] == "Paris"
    assert world.hs(contact)["city"] == "Paris"
    assert_settled(world)


def test_a_conversion_between_read_and_write_loses_nothing(world: World) -> None:
    """The update meets a record that became another: refused by the CRM, decided again, written to the Contact."""
    contact, lead = world.linked(city="Berlin")
    world.edit_contact(contact, city="Paris")
    done: list[str] = []

    def converts(request: Request) -> None:
        if not done and request.method == "POST" and b"PATCH" in request.body and lead.encode() in request.body:
            done.append(world.salesforce.act("convert", "Lead", lead)["contact"])

    world.salesforce.app.before = converts
    quiet(world)

    assert done
    assert world.sf("Contact", done[0])["MailingCity"] == world.hs(contact)["city"] == "Paris"
    assert len(world.live("contacts")) == 1
    assert_settled(world)


def test_a_lead_converted_into_a_contact_that_is_linked_already_is_an_issue(world: World) -> None:
    """Two marketing people would end on one Contact: a person decides, nothing is lost or doubled."""
    world.person("Contact", "boss@example.com", LastName="Boss")
    quiet(world)
    (boss,) = world.live("Contact")
    _, lead = world.linked("assistant@example.com")
    world.salesforce.act("convert", "Lead", lead, contact=boss)
    quiet(world)

    assert "merged_into_linked" in {kind for kind, _ in world.issues()}
    assert len(world.live("contacts")) == 2
    assert len(world.live("Contact")) == 1


@pytest.mark.parametrize("merge_id", ["new", "primary"])
def test_contacts_merged_in_marketing_keep_the_link(world: World, merge_id: str) -> None:
    """Whether or not the survivor gets a new id; nothing is created, and no issue is raised for it."""
    world.hubspot.switch(merge_id=merge_id)
    contact, lead = world.linked()
    twin = world.contact("ada.work@example.com", hubspotscore=10, city="Berlin")
    world.once()
    survivor = world.hubspot.act("merge", "contacts", contact, **{"with": twin})["key"]
    world.pass_time(7 * 3600)
    quiet(world)

    assert world.issues() == []
    world.edit_person("Lead", lead, LastName="King")
    world.edit_contact(survivor, jobtitle="CTO")
    quiet(world)
    assert world.hs(survivor)["lastname"] == "King"
    assert (len(world.live("contacts")), len(world.live("Lead"))) == (1, 1)
    assert_settled(world)


def test_two_linked_contacts_merged_leave_two_leads_and_one_issue(world: World) -> None:
    """Two links on one record: a person decides which lead it is; nothing is created or deleted."""
    one, _ = world.linked("one@example.com")
    two, _ = world.linked("two@example.com")
    world.hubspot.act("merge", "contacts", one, **{"with": two})
    world.pass_time(7 * 3600)
    quiet(world)

    assert [kind for kind, _ in world.issues()] == ["merged_into_linked"]
    assert (len(world.live("contacts")), len(world.live("Lead"))) == (1, 2)


def test_leads_merged_in_the_crm_keep_the_link(world: World) -> None:
    """The linked lead loses the merge: its link follows to the winner."""
    contact, lead = world.linked()
    winner = world.person("Lead", "ada@example.com", LastName="Winner")
    world.salesforce.act("merge", "Lead", winner, losers=[lead])
    quiet(world)

    assert world.hs(contact)["lastname"] == "Winner"
    assert (len(world.live("contacts")), len(world.live("Lead"))) == (1, 1)
    world.edit_contact(contact, jobtitle="CTO")
    quiet(world)
    assert world.sf("Lead", winner)["Title"] == "CTO"
    assert world.issues() == []
    assert_settled(world)


@pytest.mark.parametrize("by", ["edit", "nothing"])
def test_a_deleted_lead_stays_deleted_and_a_restored_one_goes_on(world: World, by: str) -> None:
    """gone = unlink: neither brought back nor deleted across; restored, it flows again, edited or not."""
    contact, lead = world.linked()
    world.salesforce.act("delete", "Lead", lead)
    quiet(world)
    world.edit_contact(contact, city="Berlin")
    quiet(world)
    assert world.live("Lead") == {}
    assert len(world.live("contacts")) == 1

    world.salesforce.act("restore", "Lead", lead)
    if by == "edit":
        world.edit_person("Lead", lead, Title="CTO")
    world.pass_time(7 * 3600)
    quiet(world)
    assert world.sf("Lead", lead)["City"] == "Berlin"
    assert_settled(world)


@pytest.mark.parametrize("deleted", ["lead", "contact"])
def test_who_was_deleted_stays_deleted_for_a_ledger_that_never_knew(world: World, deleted: str) -> None:
    """Lost or restored, a ledger learns from the keys on the records who was there: a deleted lead carries the contact's,
    and a lead names the contact that it was made from."""
    contact, lead = world.linked()
    world.close()
    for file in world.folder.glob("ledger.db*"):
        file.unlink()
    if deleted == "lead":
        world.salesforce.act("delete", "Lead", lead)
    else:
        world.hubspot.act("delete", "contacts", contact)
    world.restart()
    world.until_quiet()
    assert len(world.live("Lead")) + len(world.live("contacts")) == 1
    assert world.issues() == [("partner_gone", None)]


def test_a_deleted_contact_stays_deleted_and_a_restored_one_goes_on(world: World) -> None:
    """No feed tells of it: the sweep finds it, or the look before a write."""
    contact, lead = world.linked()
    world.hubspot.act("delete", "contacts", contact)
    world.edit_person("Lead", lead, City="Berlin")
    quiet(world)
    world.pass_time(7 * 3600)
    quiet(world)
    assert world.live("contacts") == {}
    assert len(world.live("Lead")) == 1

    world.hubspot.act("restore", "contacts", contact)
    world.pass_time(7 * 3600)
    quiet(world)
    assert world.hs(contact)["city"] == "Berlin"
    assert_settled(world)


def test_a_purged_lead_is_not_created_again(world: World) -> None:
    """Deleted for good: the next edit in marketing does not bring them back."""
    contact, lead = world.linked()
    world.salesforce.act("delete", "Lead", lead)
    world.once()
    world.salesforce.act("purge", "Lead", lead)
    world.edit_contact(contact, city="Berlin")
    world.pass_time(7 * 3600)
    quiet(world)
    assert world.live("Lead") == {}


def test_a_record_out_of_sight_is_neither_gone_nor_created_again(world: World) -> None:
    """H063: sharing rules took them from our sight on either side; nothing is deleted, created or blanked."""
    contact, lead = world.linked("one@example.com", city="Berlin")
    other, person = world.linked("two@example.com", city="Berlin")
    world.salesforce.act("hide", "Lead", lead)
    world.hubspot.act("hide", "contacts", other)
    world.pass_time(7 * 3600)
    for _ in range(4):
        world.once()
    assert (len(world.live("contacts")), len(world.live("Lead"))) == (2, 2)

    world.salesforce.act("show", "Lead", lead)
    world.hubspot.act("show", "contacts", other)
    world.edit_contact(contact, city="Paris")
    world.edit_person("Lead", person, City="Rome")
    quiet(world)
    assert world.sf("Lead", lead)["City"] == "Paris"
    assert world.hs(other)["city"] == "Rome"
    assert_settled(world)


@pytest.mark.parametrize("end", ["purge", "hide"])
def test_an_idle_lead_that_no_feed_tells_the_end_of_is_told_all_the_same(world: World, end: str) -> None:
    """Purged at once, or hidden: one call looks for all linked leads, the next sweep looks again, a person is asked;
    nobody is deleted, created or blanked."""
    settings = world.folder / "syncd.toml"
    sweep = 'sweep = { sight = "60s", deletions = "90s" }\nflow '
    settings.write_text(settings.read_text().replace("flow ", sweep))
    contact, lead = world.linked("one@example.com", city="Berlin")
    world.linked("two@example.com", city="Berlin")
    world.until_quiet()
    world.salesforce.act(end, "Lead", lead)
    before = world.requests()
    world.pass_time(60)
    world.once()
    assert sum(n for call, n in (world.requests() - before).items() if call.endswith("/composite/sobjects/Lead")) == 1
    assert world.issues() == []
    for _ in range(2):
        world.pass_time(90)
        world.once()

    assert world.issues() == [("not_shown", None)]
    assert len(world.live("contacts")) == 2
    if end == "hide":
        world.salesforce.act("show", "Lead", lead)
        world.edit_contact(contact, city="Paris")
        world.pass_time(90)
        quiet(world)
        assert world.issues() == []
        assert world.sf("Lead", lead)["City"] == "Paris"
        assert_settled(world)


def test_of_a_lead_and_a_contact_with_one_address_the_contact_is_the_partner(world: World) -> None:
    """Precedence of forms; the Lead takes no part, and no third record appears."""
    world.contact("ada@example.com", firstname="Ada")
    lead = world.person("Lead", "ada@example.com", LastName="Old")
    person = world.person("Contact", "ada@example.com", LastName="Lovelace")
    quiet(world)

    assert pairs(world) == [(next(iter(world.live("contacts"))), "Contact", person)]
    assert world.sf("Lead", lead)["LastName"] == "Old"
    assert world.issues() == []
    assert len(world.live("contacts")) == 1
    assert_settled(world)


@pytest.mark.parametrize("form", ["Lead", "Contact"])
def test_duplicates_in_the_crm_are_an_issue_and_nothing_is_created(world: World, form: str) -> None:
    """Two records with the address: never the first one found."""
    world.contact("ada@example.com", firstname="Ada")
    for name in ("One", "Two"):
        world.person(form, "ada@example.com", LastName=name)
    quiet(world)

    assert {kind for kind, _ in world.issues()} == {"ambiguous"}
    assert len(world.live("contacts")) == 1
    assert len(world.live(form)) == 2
    assert_nobody_twice(world, twins=["ada@example.com"])

    gone = next(iter(world.live(form)))
    world.salesforce.act("delete", form, gone)
    quiet(world)
    assert world.issues() == []
    assert_settled(world)


def test_duplicates_in_the_crm_alone_do_not_become_two_contacts(world: World) -> None:
    """HubSpot allows an address once: twins of the CRM wait for a person."""
    for name in ("One", "Two"):
        world.person("Lead", "twin@example.com", LastName=name)
    quiet(world)

    assert len(world.live("contacts")) <= 1
    assert {kind for kind, _ in world.issues()} == {"ambiguous"}


def test_a_secondary_address_of_a_contact_is_theirs(world: World) -> None:
    """HubSpot knows them by another of their addresses: no second contact, and never an endless refusal."""
    one = world.contact("ada@example.com", hubspotscore=10)
    two = world.contact("ada.work@example.com", hubspotscore=10)
    world.hubspot.act("merge", "contacts", one, **{"with": two})
    world.person("Lead", "ada.work@example.com", LastName="Lovelace")
    tallies = world.until_quiet()
    assert sum(map(writes, tallies)) < 6
    quiet(world)

    assert len(world.live("contacts")) == 1
    assert len(world.live("Lead")) == 1


def test_an_address_that_changes_takes_the_link_along(world: World) -> None:
    """H117: the link goes by ids, not by the address; the new address belongs to nobody else."""
    contact, lead = world.linked()
    world.edit_contact(contact, email="ada.king@example.com")
    quiet(world)
    assert world.sf("Lead", lead)["Email"] == "ada.king@example.com"
    assert (len(world.live("contacts")), len(world.live("Lead"))) == (1, 1)
    assert_settled(world)


def test_an_address_that_belongs_to_somebody_else_is_refused_and_told(world: World) -> None:
    """Sales writes an address that another contact holds: HubSpot refuses it, a person decides, all else flows."""
    _, lead = world.linked("one@example.com")
    world.contact("two@example.com", hubspotscore=10)
    world.edit_person("Lead", lead, Email="two@example.com", City="Berlin")
    quiet(world)

    assert {kind for kind, _ in world.issues()} & {"exists_already", "refused", "ambiguous"}
    assert {row["email"] for row in world.live("contacts").values()} == {"one@example.com", "two@example.com"}
    (contact,) = [key for key, row in world.live("contacts").items() if row["email"] == "one@example.com"]
    assert world.hs(contact)["city"] == "Berlin"


def test_existing_contacts_of_the_crm_that_never_were_leads_meet_their_match(world: World) -> None:
    """A Contact and a contact, known on both sides from before syncd: linked, nothing created."""
    contact = world.contact("old@example.com", jobtitle="CTO")
    person = world.person("Contact", "old@example.com", Phone="+49 30 1234567")
    quiet(world)

    assert world.live("Lead") == {}
    assert world.sf("Contact", person)["Title"] == "CTO"
    assert world.hs(contact)["phone"] == "+49 30 1234567"
    assert_settled(world)
