"""A campaign member's lead or contact as one reference: read, described, looked up by and written."""

from __future__ import annotations

from salesforce_shop import Shop

from syncd.connector import Effect

WHO = "LeadOrContactId"


def test_one_reference_is_told_wherever_records_are_read(shop: Shop) -> None:
    """The feed, fetch and find tell the same, and nothing that was not asked for."""
    campaign, lead, contact = shop.make("Campaign", Name="Guide"), shop.make("Lead"), shop.make("Contact")
    first = shop.make("CampaignMember", CampaignId=campaign, LeadId=lead)
    second = shop.make("CampaignMember", CampaignId=campaign, ContactId=contact)

    told, _ = shop.poll("CampaignMember", [WHO, "Status"], None)
    assert told[first].attributes == {WHO: lead, "Status": "Sent"}
    assert told[second].attributes == {WHO: contact, "Status": "Sent"}
    assert shop.fetch("CampaignMember", [WHO], first)[first].attributes == {WHO: lead}
    assert shop.fetch("CampaignMember", [WHO, "ContactId"], first)[first].attributes == {WHO: lead, "ContactId": None}
    found = list(shop.connector.find("CampaignMember", [WHO], WHO, [contact, lead, "701000000000001AAA"]))
    assert {(hit.value, hit.record.key) for hit in found} == {(lead, first), (contact, second)}


def test_a_converted_member_is_its_contact(shop: Shop) -> None:
    """The org keeps the lead beside it; the later form counts."""
    campaign, lead = shop.make("Campaign", Name="Guide"), shop.make("Lead")
    member = shop.make("CampaignMember", CampaignId=campaign, LeadId=lead)
    contact = shop.act("convert", key=lead)["contact"]

    assert shop.fetch("CampaignMember", [WHO], member)[member].attributes == {WHO: contact}


def test_it_is_described_where_both_can_be_seen(shop: Shop) -> None:
    """It can be given when a member is made, and never changed; it says whom it leads to."""
    told = shop.connector.describe("CampaignMember").attributes[WHO]
    assert (told.type, told.refers, told.creatable, told.updatable) == ("reference", ("Lead", "Contact"), True, False)

    shop.act("field", object="CampaignMember", field="LeadId", set={"hidden": True})
    assert WHO not in shop.connector.describe("CampaignMember").attributes
    campaign, contact = shop.make("Campaign", Name="Guide"), shop.make("Contact")
    member = shop.make("CampaignMember", CampaignId=campaign, ContactId=contact)
    assert shop.fetch("CampaignMember", [WHO, "Status"], member)[member].attributes == {"Status": "Sent"}


def test_it_is_written_to_the_field_for_its_kind(shop: Shop) -> None:
    """The key tells which; a key of another kind is refused by name, and stops no other."""
    campaign, lead, contact = shop.make("Campaign", Name="Guide"), shop.make("Lead"), shop.make("Contact")
    one, two, bad = shop.write(
        "CampaignMember",
        Effect("a", "create", None, {"CampaignId": campaign, WHO: lead}),
        Effect("b", "create", None, {"CampaignId": campaign, WHO: contact}),
        Effect("c", "create", None, {"CampaignId": campaign, WHO: campaign}),
    )

    assert (one.kind, two.kind, bad.kind, bad.culprits) == ("sent", "sent", "refused", (WHO,))
    rows = shop.raw("CampaignMember")
    assert (rows[one.key or ""]["LeadId"], rows[two.key or ""]["ContactId"]) == (lead, contact)
    moved = shop.update("CampaignMember", one.key or "", **{WHO: contact})
    assert (moved.kind, moved.culprits) == ("refused", (WHO,))
