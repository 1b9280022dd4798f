"""HubSpot's own Python client on companies, deals, associations, pipelines, lists and forms of the sandbox.

As for contacts: a shape that the client cannot read is our mistake.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.hubspot.sandbox import create
from syncd.sandbox.chassis import Server, serve

hubspot = pytest.importorskip("hubspot")
associations = pytest.importorskip("hubspot.crm.associations.v4")
companies = pytest.importorskip("hubspot.crm.companies")
contacts = pytest.importorskip("hubspot.crm.contacts")
deals = pytest.importorskip("hubspot.crm.deals")
lists = pytest.importorskip("hubspot.crm.lists")
pipelines = pytest.importorskip("hubspot.crm.pipelines")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    app = create(seed=1)
    app.switch({"limits": "off"})
    with serve(app) as running:
        yield running


@pytest.fixture(scope="module")
def client(server: Server) -> Any:
    return hubspot.HubSpot(access_token="sandbox-hubspot-token", host=server.url)


def company(client: Any, **properties: str) -> str:
    made = companies.SimplePublicObjectInputForCreate(properties={"name": "Acme", **properties}, associations=[])
    return str(client.crm.companies.basic_api.create(made).id)


def contact(client: Any) -> str:
    made = contacts.SimplePublicObjectInputForCreate(properties={"lastname": "Okafor"}, associations=[])
    return str(client.crm.contacts.basic_api.create(made).id)


def deal(client: Any, **properties: str) -> str:
    values = {"dealname": "Big", "dealstage": "qualifiedtobuy", **properties}
    made = deals.SimplePublicObjectInputForCreate(properties=values, associations=[])
    return str(client.crm.deals.basic_api.create(made).id)


def test_a_company_lives_and_merges_through_the_official_client(client: Any) -> None:
    """Create, read, merge: the third id answers for both."""
    first, second = company(client, domain="acme.example"), company(client, domain="other.example")
    merge = companies.PublicMergeInput(primary_object_id=first, object_id_to_merge=second)
    survivor = client.crm.companies.basic_api.merge(merge)
    read = client.crm.companies.basic_api.get_by_id(second, properties=["hs_additional_domains"])

    assert survivor.id not in (first, second)
    assert (read.id, read.properties["hs_additional_domains"]) == (survivor.id, "other.example")


def test_a_deal_moves_and_says_what_that_means(client: Any) -> None:
    """Stage and pipeline together; the computed properties are read back."""
    key = deal(client, amount="10")
    change = deals.SimplePublicObjectInput(properties={"pipeline": "7001", "dealstage": "70013"})
    client.crm.deals.basic_api.update(deal_id=key, simple_public_object_input=change)
    read = client.crm.deals.basic_api.get_by_id(key, properties=["hs_is_closed_won", "closedate"])

    assert read.properties["hs_is_closed_won"] == "true"
    assert read.properties["closedate"] is not None
    with pytest.raises(deals.ApiException) as refused:
        deal(client, dealstage="nowhere")
    assert refused.value.status == 400


def test_associations_are_made_read_and_removed(client: Any) -> None:
    """v4: default, labelled, batches of reading and creating; the primary implies the default."""
    person, firm, job = contact(client), company(client), deal(client)
    api = client.crm.associations.v4
    api.basic_api.create_default("contacts", person, "deals", job)
    spec = associations.AssociationSpec(association_category="HUBSPOT_DEFINED", association_type_id=1)
    api.basic_api.create("contacts", person, "companies", firm, [spec])
    asked = associations.BatchInputPublicFetchAssociationsBatchRequest(
        inputs=[associations.PublicFetchAssociationsBatchRequest(id=person)]
    )
    batch = api.batch_api.get_page("contacts", "companies", asked)
    page = api.basic_api.get_page("contacts", person, "deals")

    assert [one.to_object_id for one in page.results] == [job]
    assert {each.type_id for each in batch.results[0].to[0].association_types} == {1, 279}
    api.basic_api.archive("contacts", person, "deals", job)
    assert api.basic_api.get_page("contacts", person, "deals").results == []


def test_pipelines_are_read_and_grow(client: Any) -> None:
    """Stages with metadata of texts; a new one by the client."""
    api = client.crm.pipelines
    found = api.pipelines_api.get_all("deals").results
    stage = pipelines.PipelineStageInput(label="Signed", display_order=9, metadata={"probability": "0.95"})
    made = api.pipeline_stages_api.create("deals", "7001", stage)

    assert [one.id for one in found] == ["default", "7001"]
    assert found[0].stages[0].metadata["probability"] == "0.2"
    assert isinstance(made.created_at, dt.datetime)
    api.pipeline_stages_api.archive("deals", "7001", made.id)


def test_lists_are_made_filled_and_searched(client: Any) -> None:
    """Create, add, members, reverse look-up, search, remove."""
    person = contact(client)
    request = lists.ListCreateRequest(name="General guide", object_type_id="0-1", processing_type="MANUAL")
    key = client.crm.lists.lists_api.create(request).list.list_id
    api = client.crm.lists.memberships_api
    added = api.add(key, [person])
    page = api.get_page(key)
    of_record = api.get_lists("0-1", person)
    found = client.crm.lists.lists_api.do_search(lists.ListSearchRequest(query="guide", additional_properties=[]))
    changed = api.add_and_remove(
        key, lists.MembershipChangeRequest(record_ids_to_add=[], record_ids_to_remove=[person])
    )

    assert added.records_ids_added == [person]
    assert [one.record_id for one in page.results] == [person]
    assert [one.list_id for one in of_record.results] == [key]
    assert [one.name for one in found.lists] == ["General guide"]
    assert changed.record_ids_removed == [person]


def test_forms_are_read(client: Any) -> None:
    """Whole enough for the client's models."""
    found = client.marketing.forms.forms_api.get_page()

    assert {one.name for one in found.results} >= {"General guide", "Choosing a maker"}
