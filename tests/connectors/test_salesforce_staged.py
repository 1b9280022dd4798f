"""Pipeline and stage of an opportunity as one attribute: read, described and written."""

from __future__ import annotations

from salesforce_shop import ROLES, Shop

from syncd.connector import Effect

STAGE = "Pipeline__c.StageName"


def test_both_are_one_wherever_records_are_read(shop: Shop) -> None:
    """The feed, fetch and find tell the same, and nothing that was not asked for."""
    deal = shop.make("Opportunity", Pipeline__c="Renewals", StageName="Closed Won", Syncd_Key__c="k")

    told, _ = shop.poll("Opportunity", ["Name", STAGE, ROLES], None)
    assert told[deal].attributes == {"Name": "Deal", STAGE: "Renewals/Closed Won", ROLES: None}
    assert shop.fetch("Opportunity", [STAGE], deal)[deal].attributes == {STAGE: "Renewals/Closed Won"}
    (found,) = shop.connector.find("Opportunity", [STAGE, "StageName"], "Syncd_Key__c", ["k"])
    assert found.record.attributes == {STAGE: "Renewals/Closed Won", "StageName": "Closed Won"}


def test_it_is_described_with_all_its_options_where_both_can_be_seen(shop: Shop) -> None:
    """check --online proves a stage map against it."""
    told = shop.connector.describe("Opportunity").attributes[STAGE]
    assert told.type == "choice"
    assert {"New Business/Prospecting", "Renewals/Closed Lost"} <= set(told.options)

    shop.act("field", object="Opportunity", field="Pipeline__c", set={"hidden": True})
    assert STAGE not in shop.connector.describe("Opportunity").attributes
    deal = shop.make("Opportunity")
    assert shop.fetch("Opportunity", ["Name", STAGE], deal)[deal].attributes == {"Name": "Deal"}


def test_a_stage_is_required_in_one_of_its_two_ways(shop: Shop) -> None:
    """A create without any is refused, and the refusal names it; check --online asks for either."""
    told = shop.connector.describe("Opportunity").attributes
    assert (told["StageName"].required, told["StageName"].instead) == (True, (STAGE,))
    assert not told[STAGE].required
    (refused,) = shop.write("Opportunity", Effect("a", "create", None, {"Name": "N", "CloseDate": "2027-01-31"}))
    assert (refused.kind, refused.culprits, refused.code) == ("refused", ("StageName",), "REQUIRED_FIELD_MISSING")


def test_it_is_written_as_two_fields_and_refused_as_one(shop: Shop) -> None:
    """A stage without its pipeline is no stage; what the org refuses of either is said of both."""
    deal = shop.make("Opportunity")

    assert shop.update("Opportunity", deal, **{STAGE: "Renewals/Negotiation/Review"}).kind == "sent"
    row = shop.raw("Opportunity")[deal]
    assert (row["Pipeline__c"], row["StageName"]) == ("Renewals", "Negotiation/Review")

    refused = shop.update("Opportunity", deal, **{STAGE: "Closed Won"})
    assert (refused.kind, refused.culprits) == ("refused", (STAGE,))
    unknown = shop.update("Opportunity", deal, **{STAGE: "No Such/Closed Won"})
    assert (unknown.kind, unknown.culprits) == ("refused", (STAGE,))
    made, bad = shop.write(
        "Opportunity",
        Effect("a", "create", None, {"Name": "N", "CloseDate": "2027-01-31", STAGE: "Renewals/Closed Lost"}),
        Effect("b", "create", None, {"Name": "N", "CloseDate": "2027-01-31", STAGE: None}),
    )
    assert (made.kind, bad.kind) == ("sent", "refused")
    assert shop.raw("Opportunity")[made.key or ""]["IsClosed"] is True


def test_without_a_field_for_the_pipeline_there_is_no_such_attribute(shop: Shop) -> None:
    """`pipeline = ""`: stages stand alone."""
    plain = shop.connect(pipeline="")

    assert [name for name in plain.describe("Opportunity").attributes if name.endswith(".StageName")] == []
