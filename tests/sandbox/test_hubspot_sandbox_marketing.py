"""The HubSpot sandbox's pipelines, lists, forms, campaigns and the traces that people leave."""

from __future__ import annotations

from typing import Any

import pytest
from portal_calls import Portal, body, codes

from syncd.sandbox.chassis import Refused

LISTS = "/crm/lists/2026-09"
DEALS = "/crm/objects/2026-09/deals"
PIPELINES = "/crm/pipelines/2026-09/deals"


def deal(portal: Portal, **values: str) -> str:
    values = {"dealname": "Deal", "dealstage": "qualifiedtobuy", **values}
    return str(portal.app.act({"do": "create", "object": "deals", "values": values})["key"])


def shown(portal: Portal, key: str, *names: str) -> dict[str, Any]:
    found: dict[str, Any] = body(portal.get(f"{DEALS}/{key}?properties={','.join(names)}"))["properties"]
    return found


# ---------------------------------------------------------------- pipelines and deals


def test_a_stage_belongs_to_its_pipeline(portal: Portal) -> None:
    """Section 7, 11: both belong together; whether the pipeline follows is a switch."""
    key = deal(portal)
    url = f"{DEALS}/{key}"

    assert codes(portal.call("PATCH", url, {"properties": {"dealstage": "70012"}})) == ["INVALID_OPTION"]
    assert codes(portal.call("PATCH", url, {"properties": {"pipeline": "7001"}})) == ["INVALID_OPTION"]
    assert codes(portal.call("PATCH", url, {"properties": {"pipeline": "9", "dealstage": "70012"}})) == [
        "INVALID_OPTION"
    ]
    assert portal.call("PATCH", url, {"properties": {"pipeline": "7001", "dealstage": "70012"}}).status == 200
    portal.app.switch({"stage_of_other": "follow"})
    assert portal.call("PATCH", url, {"properties": {"dealstage": "closedwon"}}).status == 200
    assert shown(portal, key, "pipeline")["pipeline"] == "default"
    assert portal.call("PATCH", url, {"properties": {"pipeline": "7001"}}).status == 200
    assert shown(portal, key, "dealstage")["dealstage"] == "70011"
    portal.app.switch({"stage_of_other": "accept"})
    assert portal.call("PATCH", url, {"properties": {"dealstage": "closedwon"}}).status == 200
    assert shown(portal, key, "pipeline")["pipeline"] == "7001"


def test_a_deal_computes_what_its_stage_and_amount_mean(portal: Portal) -> None:
    """Section 7: closed, won, lost, probability, the amount at home; a closed stage sets the close date."""
    key = deal(portal, pipeline="7001", dealstage="70011", amount="1000.50", deal_currency_code="USD")
    before = shown(portal, key, "hs_is_closed", "hs_projected_amount", "amount_in_home_currency", "closedate")
    portal.app.act({"do": "edit", "object": "deals", "key": key, "values": {"dealstage": "70013"}})
    after = shown(portal, key, "hs_is_closed_won", "hs_is_closed_lost", "hs_closed_amount", "closedate")

    assert (before["hs_is_closed"], before["closedate"]) == ("false", None)
    assert (before["hs_projected_amount"], before["amount_in_home_currency"]) == ("500.25", "900.45")
    assert (after["hs_is_closed_won"], after["hs_is_closed_lost"]) == ("true", "false")
    assert after["hs_closed_amount"] == "1000.5"
    assert after["closedate"].startswith("2026-11-21")


def test_pipelines_can_be_added_to_and_checked_before_they_shrink(portal: Portal) -> None:
    """Section 11: new ids are numbers; a stage in use is refused only when the request asks; else records dangle."""
    made = body(portal.post(PIPELINES, {"label": "Partners", "stages": [_stage("Open", 0.5), _stage("Won", 1)]}))
    first, won = made["stages"]
    assert made["id"].isdigit()
    assert (first["metadata"]["isClosed"], won["metadata"]["isClosed"]) == ("false", "true")
    key = deal(portal, pipeline=made["id"], dealstage=first["id"])
    stage = f"{PIPELINES}/{made['id']}/stages/{first['id']}"

    refused = portal.call("DELETE", f"{stage}?validateReferencesBeforeDelete=true")
    assert body(refused)["subCategory"] == "PipelineError.STAGE_ID_IN_USE"
    assert body(refused)["context"] == {"stageIds": [first["id"]], "objectIds": [key]}
    assert portal.call("PATCH", stage, {"label": "Begun"}).status == 200
    assert body(portal.get(stage))["label"] == "Begun"
    assert portal.call("DELETE", stage).status == 204
    assert shown(portal, key, "dealstage")["dealstage"] == first["id"]
    assert portal.get(stage).status == 404
    assert portal.post(PIPELINES, {"stages": []}).status == 400


def _stage(label: str, probability: float) -> dict[str, Any]:
    return {"label": label, "displayOrder": 0, "metadata": {"probability": probability}}


@pytest.mark.parametrize(("switch", "stages"), [("on", ["opportunity", "customer"]), ("off", ["lead", "lead"])])
def test_a_deal_takes_its_people_along(portal: Portal, switch: str, stages: list[str]) -> None:
    """Section 14: made an opportunity when the deal comes, a customer when it is won, a moment later; never back."""
    portal.app.switch({"lifecycle_follows_deals": switch})
    contact, key = portal.contact(email="a@x.test", lifecyclestage="lead"), deal(portal)
    portal.app.act({"do": "associate", "object": "deals", "key": key, "to_object": "contacts", "to_key": contact})
    seen = []
    for stage in ("contractsent", "closedwon", "closedlost"):
        portal.app.act({"do": "edit", "object": "deals", "key": key, "values": {"dealstage": stage}})
        portal.advance(2)
        seen.append(portal.read(contact, "lifecyclestage")["lifecyclestage"])

    assert seen == [*stages, stages[-1]]


# ---------------------------------------------------------------- associations


@pytest.mark.parametrize(("batch_labels", "left"), [("replace", [279]), ("add", [1, 36, 279])])
def test_a_batch_replaces_a_pairs_labels_unless_it_is_switched(
    portal: Portal, batch_labels: str, left: list[int]
) -> None:
    """Section 8: send all that you want to keep."""
    portal.app.switch({"batch_labels": batch_labels})
    contact, firm = portal.contact(email="a@example.test"), _company(portal)
    ends = {"object": "contacts", "to_object": "companies", "key": contact, "to_key": firm}
    portal.app.act({"do": "associate", **ends})
    portal.app.act({"do": "label", "label": "Billing", **ends})
    kind = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}
    pair = {"from": {"id": contact}, "to": {"id": firm}, "types": [kind]}
    portal.post("/crm/associations/2026-09/contacts/companies/batch/create", {"inputs": [pair]})

    assert _types(portal, contact) == left


def test_a_company_may_be_the_primary_of_many(portal: Portal) -> None:
    """Section 8: one primary company for each contact; never one contact for each company."""
    firm, first, second = _company(portal), portal.contact(email="a@x.test"), portal.contact(email="b@x.test")
    for contact in (first, second):
        portal.app.act(
            {"do": "associate", "object": "companies", "key": firm, "to_object": "contacts", "to_key": contact}
        )

    assert (_types(portal, first), _types(portal, second)) == ([1, 279], [1, 279])


@pytest.mark.parametrize(("switch", "types"), [(False, [279]), (True, [1, 279])])
def test_the_first_company_may_become_the_primary_by_itself(portal: Portal, switch: bool, types: list[int]) -> None:
    """Nobody verified it."""
    portal.app.switch({"first_becomes_primary": switch, "associations_per_record": 1})
    contact, firm = portal.contact(email="a@x.test"), _company(portal)
    url = f"/crm/objects/2026-09/contacts/{contact}/associations/default/companies"

    assert portal.call("PUT", f"{url}/{firm}").status == 200
    assert _types(portal, contact) == types
    assert body(portal.call("PUT", f"{url}/{_company(portal)}"))["subCategory"].endswith("LIMIT_EXCEEDED")


def test_what_an_archived_record_is_associated_with_is_a_switch(portal: Portal) -> None:
    """An archived record looks as if it had lost its associations; it gets them back when it is restored."""
    contact, firm = portal.contact(email="a@x.test"), _company(portal)
    ends = {"object": "contacts", "key": contact}
    portal.app.act({"do": "associate", "to_object": "companies", "to_key": firm, **ends})
    portal.app.act({"do": "delete", **ends})
    url, asked = "/crm/associations/2026-09/contacts/companies/batch/read", {"inputs": [{"id": contact}]}

    assert body(portal.post(url, asked))["results"] == []
    portal.app.switch({"archived_associations": "kept"})
    assert len(body(portal.post(url, asked))["results"]) == 1


def _company(portal: Portal, **values: str) -> str:
    return str(portal.app.act({"do": "create", "object": "companies", "values": {"name": "Acme", **values}})["key"])


def _types(portal: Portal, contact: str) -> list[int]:
    (row,) = [
        row
        for row in portal.app.state(None)["associations"]
        if (row["from"], row["from_id"], row["to"]) == ("contacts", contact, "companies")
    ]
    found: list[int] = row["types"]
    return found


# ---------------------------------------------------------------- lists


def new_list(portal: Portal, name: str = "General guide", kind: str = "MANUAL") -> str:
    asked = {"name": name, "objectTypeId": "0-1", "processingType": kind}
    return str(body(portal.post(LISTS, asked))["list"]["listId"])


def test_members_come_and_go_and_the_missing_are_named(portal: Portal) -> None:
    """Section 12: arrays of ids; the answer's spelling is HubSpot's."""
    key, first, second = new_list(portal), portal.contact(email="a@x.test"), portal.contact(email="b@x.test")
    added = portal.call("PUT", f"{LISTS}/{key}/memberships/add", [first, second, "99"])
    both = portal.call(
        "PUT",
        f"{LISTS}/{key}/memberships/add-and-remove",
        {"recordIdsToAdd": [second], "recordIdsToRemove": [first]},
    )

    assert body(added) == {"recordsIdsAdded": [first, second], "recordIdsRemoved": [], "recordIdsMissing": ["99"]}
    assert body(both) == {"recordsIdsAdded": [], "recordIdsRemoved": [first], "recordIdsMissing": []}
    assert [one["recordId"] for one in body(portal.get(f"{LISTS}/{key}/memberships"))["results"]] == [second]
    found = body(portal.get(f"{LISTS}/records/0-1/{second}/memberships"))["results"]
    assert [one["listId"] for one in found] == [key]


def test_members_are_paged_by_id_and_leave_with_their_record(portal: Portal) -> None:
    """250 a page at most; who is archived is not shown, who was merged is in under the new id."""
    key = new_list(portal)
    people = [portal.contact(email=f"p{n}@x.test") for n in range(4)]
    portal.app.act({"do": "list_add", "list": "General guide", "keys": people})
    portal.app.act({"do": "delete", "object": "contacts", "key": people[0]})
    page = body(portal.get(f"{LISTS}/{key}/memberships?limit=2"))
    rest = body(portal.get(f"{LISTS}/{key}/memberships?limit=2&after={page['paging']['next']['after']}"))

    assert [one["recordId"] for one in page["results"]] == people[1:3]
    assert [one["recordId"] for one in rest["results"]] == people[3:]
    assert "paging" not in rest
    assert portal.get(f"{LISTS}/{key}/memberships?limit=251").status == 400
    survivor = portal.app.act({"do": "merge", "object": "contacts", "key": people[1], "with": people[2]})["key"]
    left = [one["recordId"] for one in body(portal.get(f"{LISTS}/{key}/memberships"))["results"]]
    assert sorted(left) == sorted([people[3], survivor])


def test_lists_are_searched_by_name_and_tell_their_size(portal: Portal) -> None:
    """Section 12: offset paging; `additionalProperties` only where asked for, and by switch."""
    for name in ("Choosing a maker", "General guide", "Guides of old"):
        new_list(portal, name)
    portal.app.act({"do": "list_add", "list": "General guide", "key": portal.contact(email="a@x.test")})
    asked = {"query": "guide", "count": 1, "additionalProperties": ["hs_list_size"]}
    page = body(portal.post(f"{LISTS}/search", asked))
    rest = body(portal.post(f"{LISTS}/search", {**asked, "offset": page["offset"]}))

    assert (page["total"], page["hasMore"], rest["hasMore"]) == (2, True, False)
    assert page["lists"][0]["additionalProperties"] == {"hs_list_size": "1"}
    assert rest["lists"][0]["name"] == "Guides of old"
    portal.app.switch({"lists_tell_members": False})
    assert body(portal.post(f"{LISTS}/search", asked))["lists"][0]["additionalProperties"] == {}


def test_dynamic_lists_fill_themselves(portal: Portal) -> None:
    """Section 12: only MANUAL and SNAPSHOT take changes; names are unique; deleted lists can be restored."""
    key, contact = new_list(portal, "Dynamic", "DYNAMIC"), portal.contact(email="a@x.test")

    assert portal.call("PUT", f"{LISTS}/{key}/memberships/add", [contact]).status == 400
    assert portal.app.act({"do": "list_add", "list": key, "key": contact}) == {"key": key, "changed": 1}
    assert portal.post(LISTS, {"name": "dynamic", "objectTypeId": "0-1", "processingType": "MANUAL"}).status == 400
    assert portal.call("DELETE", f"{LISTS}/{key}").status == 204
    assert portal.get(f"{LISTS}/{key}").status == 404
    assert portal.call("PUT", f"{LISTS}/{key}/restore").status == 204
    assert body(portal.get(f"{LISTS}/{key}"))["list"]["size"] == 1
    with pytest.raises(Refused):
        portal.app.act({"do": "list_remove", "list": "nowhere", "key": contact})


# ---------------------------------------------------------------- forms, clicks, views, campaigns


def test_a_submitted_form_leaves_conversions_and_a_history(portal: Portal) -> None:
    """Section 13: first and recent, counted; the history keeps every submission with its form as the source."""
    key = portal.app.act({"do": "submit_form", "form": "General guide", "email": "New@x.test", "list": "Guides"})["key"]
    portal.advance(60)
    again = {"do": "submit_form", "form": "Choosing a maker", "key": key, "page": "Makers", "source": "REFERRALS"}
    portal.app.act({**again, "values": {"city": "Bonn"}})
    names = ("email", "city", "num_conversion_events", "num_unique_conversion_events", "hs_latest_source")
    found = portal.read(key, *names, "first_conversion_event_name", "recent_conversion_event_name")
    history = portal.app.act({"do": "history", "object": "contacts", "key": key, "property": names[2]})["history"]

    assert (found["email"], found["city"]) == ("new@x.test", "Bonn")
    assert (found["num_conversion_events"], found["num_unique_conversion_events"]) == ("2", "2")
    assert found["first_conversion_event_name"] == "General guide"
    assert found["recent_conversion_event_name"] == "Makers: Choosing a maker"
    assert found["hs_latest_source"] == "REFERRALS"
    assert [one["sourceType"] for one in history["num_conversion_events"]] == ["FORM", "FORM"]
    assert portal.app.state(None)["lists"]["17"]["members"].keys() == {key}


def test_clicks_and_views_leave_their_times(portal: Portal) -> None:
    """Section 13: on the contact, set by HubSpot alone."""
    key = portal.contact(email="a@x.test")
    portal.app.act({"do": "view", "key": key, "page": "https://acme.example/makers"})
    portal.app.act({"do": "click", "key": key, "email_name": "Spring"})
    names = ("hs_email_last_click_date", "hs_email_last_open_date", "hs_analytics_num_page_views")
    found = portal.read(key, *names, "hs_analytics_first_url", "hs_latest_source")

    assert found["hs_email_last_click_date"] == found["hs_email_last_open_date"] is not None
    assert found["hs_analytics_num_page_views"] == "2"
    assert found["hs_analytics_first_url"] == "https://acme.example/makers"
    assert found["hs_latest_source"] == "EMAIL_MARKETING"
    assert portal.patch(key, hs_email_last_click_date="2026-01-01").status == 400
    with pytest.raises(Refused):
        portal.app.act({"do": "view", "key": "99"})


def test_forms_and_campaigns_can_be_read_and_paged(portal: Portal) -> None:
    """Section 13: GUIDs as ids; a campaign shows the properties that are asked for."""
    portal.app.act({"do": "campaign", "values": {"hs_name": "Fair"}})
    forms = body(portal.get("/marketing/v3/forms?limit=1"))
    page = body(portal.get("/marketing/campaigns/2026-09?limit=2&properties=hs_name"))
    rest = body(portal.get(f"/marketing/campaigns/2026-09?properties=hs_name&after={page['paging']['next']['after']}"))
    names = {one["properties"]["hs_name"] for one in (*page["results"], *rest["results"])}

    assert names == {"General guide", "Choosing a maker", "Fair"}
    assert page["total"] == 3
    assert len(forms["results"]) == 1
    assert forms["paging"]["next"]["after"]
    assert portal.get(f"/marketing/v3/forms/{forms['results'][0]['id']}").status == 200
    assert portal.call("POST", "/marketing/v3/forms", {}).status == 405
    assert portal.get("/marketing/campaigns/2026-09/nowhere").status == 404


def test_lists_forms_and_campaigns_need_their_scopes(portal: Portal) -> None:
    """Section 2.4."""
    portal.app.switch({"missing_scopes": ["crm.lists.read", "forms", "marketing.campaigns.read"]})

    paths = (f"{LISTS}/17", "/marketing/v3/forms", "/marketing/campaigns/2026-09")
    assert [portal.get(path).status for path in paths] == [403, 403, 403]
