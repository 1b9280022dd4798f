"""The main job over real HTTP: people flow both ways between the two sandboxes, by the shipped mapping.

Each test ends with the judge: both vendors' own state agrees, nobody stands twice, and the next cycle writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from judge import assert_settled, quiet
from stage import World, writes

from syncd.sandbox.chassis import Request

# ---------------------------------------------------------------- creating


def test_only_a_qualified_contact_is_handed_to_sales(world: World) -> None:
    """The gate of funnel.toml: stage and score and consent; an unknown score is not a high one."""
    world.contact("hot@example.com", firstname="Hot", country="Germany", phone="+49 30 1234567", company="Acme GmbH")
    world.contact("cold@example.com", hubspotscore=10)
    world.contact("unknown@example.com", hubspotscore=None)
    world.contact("early@example.com", lifecyclestage="subscriber")
    world.contact("out@example.com", hs_email_optout="true")
    world.contact("crmout@example.com", crm_email_optout="true")
    world.contact(None, firstname="No", lastname="Address")
    quiet(world)

    assert [row["Email"] for row in world.live("Lead").values()] == ["hot@example.com"]
    (lead,) = world.live("Lead").values()
    assert (lead["Company"], lead["Country"], lead["Marketing_Score__c"]) == ("Acme GmbH", "Germany", 80)
    assert_settled(world)


def test_every_lead_and_contact_of_sales_arrives_in_marketing(world: World) -> None:
    """Both forms, under their own attribute names; somebody without an address is left alone."""
    world.person("Lead", "lea@example.com", Status="Working - Contacted", Rating="Hot", Country="France", City="Lyon")
    world.person("Contact", "con@example.com", MailingCountry="Spain", MailingCity="Madrid", Title="CTO")
    world.person("Lead", None, FirstName="Nobody")
    quiet(world)

    contacts = {row["email"]: row for row in world.live("contacts").values()}
    assert sorted(contacts) == ["con@example.com", "lea@example.com"]
    assert contacts["lea@example.com"]["crm_rating"] == "Hot"
    assert contacts["con@example.com"]["country"] == "Spain"
    assert_settled(world)


def test_what_the_crm_requires_is_given_on_create_and_never_comes_back(world: World) -> None:
    """A contact without last name and company: the placeholder stands in the CRM only."""
    contact = world.contact("solo@example.com", lastname="", firstname="Solo")
    quiet(world)

    (lead,) = world.live("Lead").values()
    assert (lead["LastName"], lead["Company"]) == ("[not given]", "[not given]")
    assert not world.hs(contact).get("lastname")
    assert not world.hs(contact).get("company")


def test_somebody_known_to_both_is_linked_and_not_created(world: World) -> None:
    """The same address in other letters; blanks are filled, differences go by the field's rule, losers are kept."""
    contact = world.contact("ada@example.com", firstname="Ada", lastname="Lovelace", city="London")
    lead = world.person("Lead", "ADA@Example.com ", LastName="King", Phone="+49 30 1234567")
    quiet(world)

    assert len(world.live("Lead")) == len(world.live("contacts")) == 1
    assert world.hs(contact)["lastname"] == "King"
    assert world.hs(contact)["phone"] == "+49 30 1234567"
    assert world.sf("Lead", lead)["City"] == "London"
    assert ("last_name", "Lovelace") in world.lost()
    assert_settled(world)


def test_both_sides_create_the_same_person_in_one_cycle(world: World) -> None:
    """H112: one link, no crossed duplicates."""
    world.linked("first@example.com")
    world.contact("both@example.com", firstname="Bo")
    world.person("Lead", "both@example.com", FirstName="Bo")
    quiet(world)

    assert len(world.live("Lead")) == len(world.live("contacts")) == 2
    assert_settled(world)


def test_a_person_who_appears_in_the_crm_between_read_and_write_is_not_doubled(world: World) -> None:
    """The look just before a create: sales typed them in while we decided."""
    world.contact("late@example.com", firstname="Late")

    typed = on_find(world, lambda: world.person("Lead", "late@example.com", FirstName="Late"))
    quiet(world)

    assert typed
    assert len(world.live("Lead")) == 1
    assert_settled(world)


def on_find(world: World, do: Callable[[], object]) -> list[bool]:
    """Something happens right before the first look by e-mail in Salesforce; the list is not empty once it did."""
    done: list[bool] = []

    def before(request: Request) -> None:
        query = (request.first("q") or "") + request.body.decode()
        if not done and "Email IN" in query.replace("%20", " "):
            done.append(True)
            do()

    world.salesforce.app.before = before
    return done


# ---------------------------------------------------------------- updating


def test_edits_on_both_sides_reach_the_other_in_the_next_cycle(world: World) -> None:
    """Different fields of one person, both ways, and nothing else is written."""
    contact, lead = world.linked(firstname="Ada", phone="+49 30 1234567")
    world.edit_contact(contact, phone="+49 30 7654321", city="Berlin", country="Germany")
    world.edit_person("Lead", lead, LastName="King", Title="Countess", Rating="Warm")
    world.once()

    assert world.sf("Lead", lead)["Phone"] == "+49 30 7654321"
    assert (world.hs(contact)["lastname"], world.hs(contact)["jobtitle"]) == ("King", "Countess")
    quiet(world)
    assert_settled(world)


def test_a_clash_goes_by_the_field_s_rule_and_the_loser_is_kept(world: World) -> None:
    """Both edited the last name: sales' word stands, marketing's can be restored."""
    contact, lead = world.linked()
    world.edit_contact(contact, lastname="Marketing")
    world.edit_person("Lead", lead, LastName="Sales")
    quiet(world)

    assert world.hs(contact)["lastname"] == world.sf("Lead", lead)["LastName"] == "Sales"
    assert world.lost() == [("last_name", "Marketing")]
    assert_settled(world)


def test_the_same_edit_on_both_sides_is_no_conflict(world: World) -> None:
    """The false conflict costs nothing."""
    contact, lead = world.linked()
    world.edit_contact(contact, lastname="King")
    world.edit_person("Lead", lead, LastName="King")
    assert writes(world.once()) == 0
    assert world.lost() == []
    quiet(world)


def test_an_emptied_field_stays_where_the_rule_keeps_blanks_and_crosses_where_it_clears(world: World) -> None:
    """blank = keep for the city, clear for the rejection reason."""
    contact, lead = world.linked(city="Berlin")
    world.edit_person("Lead", lead, Status="Closed - Not Converted", Rejection_Reason__c="No budget")
    quiet(world)
    assert world.hs(contact)["crm_rejection_reason"] == "no_budget"

    world.edit_person("Lead", lead, Rejection_Reason__c=None, City=None)
    quiet(world)
    assert not world.hs(contact).get("crm_rejection_reason")
    assert world.hs(contact)["city"] == "Berlin"
    assert_settled(world, but=[("ada@example.com", "city")])


def test_a_rejected_lead_goes_back_over_a_lifecycle_that_only_moves_forward(world: World) -> None:
    """Closed - Not Converted is `lead` again: HubSpot ignores the step back, so the stage is cleared first."""
    contact, lead = world.linked(lifecyclestage="salesqualifiedlead")
    world.edit_person("Lead", lead, Status="Closed - Not Converted", Rejection_Reason__c="Bad timing")
    quiet(world)

    assert world.hs(contact)["lifecyclestage"] == "lead"
    assert world.hs(contact)["crm_rejection_reason"] == "bad_timing"
    assert ("ignored", "stage") not in world.issues()
    assert_settled(world)


def test_a_rejection_beside_another_edit_is_not_forgotten(world: World) -> None:
    """The second step of a backward move survives that the record is decided anew in between."""
    contact, lead = world.linked(lifecyclestage="salesqualifiedlead")
    world.edit_person("Lead", lead, Status="Closed - Not Converted")
    world.once()
    world.edit_contact(contact, city="Berlin")
    world.edit_person("Lead", lead, Title="CTO")
    quiet(world)

    assert world.hs(contact)["lifecyclestage"] == "lead"
    assert_settled(world)


def test_a_finer_stage_is_not_coarsened_by_another_edit(world: World) -> None:
    """opportunity and salesqualifiedlead are one word to sales."""
    contact, lead = world.linked()
    world.edit_contact(contact, lifecyclestage="opportunity")
    quiet(world)
    assert world.sf("Lead", lead)["Status"] == "Working - Contacted"
    world.edit_person("Lead", lead, Title="CTO")
    quiet(world)
    assert world.hs(contact)["lifecyclestage"] == "opportunity"
    assert_settled(world)


def test_score_and_origin_flow_to_the_crm_only(world: World) -> None:
    """An edit against the flow stands where it was made until marketing's value moves again."""
    contact, lead = world.linked()
    world.hubspot.act("calculate", "contacts", contact, values={"hubspotscore": "91"})
    quiet(world)
    assert world.sf("Lead", lead)["Marketing_Score__c"] == 91

    world.edit_person("Lead", lead, Marketing_Score__c=5)
    quiet(world)
    assert world.hs(contact)["hubspotscore"] == "91"
    world.hubspot.act("calculate", "contacts", contact, values={"hubspotscore": "95"})
    quiet(world)
    assert world.sf("Lead", lead)["Marketing_Score__c"] == 95
    assert_settled(world)


def test_an_opt_out_crosses_both_ways_and_never_turns_back(world: World) -> None:
    """Consent only becomes stricter: opting in again on one side opts nobody in on the other."""
    contact, lead = world.linked("one@example.com")
    other, person = world.linked("two@example.com")
    world.hubspot.act("calculate", "contacts", contact, values={"hs_email_optout": "true"})
    world.edit_person("Lead", person, HasOptedOutOfEmail=True)
    quiet(world)
    assert world.sf("Lead", lead)["HasOptedOutOfEmail"] is True
    assert world.hs(contact)["crm_email_optout"] == "true"
    assert world.hs(other)["crm_email_optout"] == "true"

    world.hubspot.act("calculate", "contacts", contact, values={"hs_email_optout": "false"})
    world.edit_contact(other, crm_email_optout="false")
    quiet(world)
    assert world.sf("Lead", lead)["HasOptedOutOfEmail"] is True
    assert world.sf("Lead", person)["HasOptedOutOfEmail"] is True

    world.edit_person("Lead", lead, HasOptedOutOfEmail=False)
    quiet(world)
    assert world.hs(contact)["crm_email_optout"] == "true"


def test_owners_are_matched_by_address_and_leavers_and_queues_change_nothing(world: World) -> None:
    """An owner whom the other side cannot give records to leaves the other side alone."""
    contact, lead = world.linked()
    world.edit_contact(contact, hubspot_owner_id="42")
    quiet(world)
    users = {row["Email"]: key for key, row in world.salesforce.records("User").items()}
    assert world.sf("Lead", lead)["OwnerId"] == users["rep2@acme.example"]

    (queue,) = [key for key, row in world.salesforce.records("Group").items() if row["Name"] == "Inbound Leads"]
    world.edit_person("Lead", lead, OwnerId=queue)
    quiet(world)
    assert world.hs(contact)["hubspot_owner_id"] == "42"

    world.edit_person("Lead", lead, OwnerId=users["rep3@acme.example"])
    quiet(world)
    assert world.hs(contact)["hubspot_owner_id"] == "43"

    world.hubspot.act("owner", "contacts", "45", active=False)
    world.pass_time(86_400)
    world.edit_person("Lead", lead, OwnerId=users["rep4@acme.example"])
    quiet(world)
    assert world.hs(contact)["hubspot_owner_id"] == "43"
    assert_settled(world)


def test_countries_are_the_same_in_other_words_and_unknown_ones_stay(world: World) -> None:
    """USA and United States are one country; nobody's spelling is rewritten, and no unknown word crosses."""
    contact, lead = world.linked(country="USA")
    assert world.sf("Lead", lead)["Country"] == "United States"
    assert world.hs(contact)["country"] == "USA"
    world.edit_contact(contact, country="Elbonia")
    quiet(world)
    assert world.sf("Lead", lead)["Country"] == "United States"
    assert_settled(world, but=[("ada@example.com", "country")])


# ---------------------------------------------------------------- silence


def test_at_rest_a_cycle_writes_nothing_and_asks_each_object_once(world: World) -> None:
    """The price of idling: one feed call per object and side, and what a fresh connection asks to know itself."""
    world.linked("one@example.com", phone="+49 30 1234567", country="USA", firstname=" Ada ")
    world.person("Lead", "two@example.com", LeadSource="Fair", Status="Closed - Not Converted")
    world.person("Contact", "three@example.com")
    quiet(world)
    world.pass_time(60)
    quiet(world)
    before = world.requests()
    tally = world.once()
    asked = {path: count for path, count in (world.requests() - before).items() if "oauth" not in path}

    assert writes(tally) == 0
    assert tally.moved == 0
    assert asked == {
        "POST /crm/objects/2026-09/contacts/search": 1,
        "GET /services/data/v67.0/queryAll": 2,
        "GET /account-info/2026-09/details": 1,
        "GET /crm/properties/2026-09/contacts": 1,
        "GET /services/data/v67.0/query": 1,
    }


def test_ten_thousand_touches_without_a_change_write_nothing(world: World) -> None:
    """H059: stamps move, values do not."""
    contact, lead = world.linked(city="Berlin")
    for _ in range(5):
        world.pass_time(1)
        world.hubspot.act("touch", "contacts", contact)
        world.salesforce.act("touch", "Lead", lead)
        tally = world.once()
        assert (writes(tally), tally.moved) == (0, 0)
