"""HubSpot's own Python client, pointed at the sandbox: an independent reader of what it answers.

The client was generated from the vendor's specification and validates nothing we wrote, so a shape that it cannot
read is our mistake. It speaks v3 and v4 only. `client.api_request` is never used: it ignores `host`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.hubspot.sandbox import create, populate
from syncd.sandbox.chassis import Server, serve
from syncd.sandbox.company import people

hubspot = pytest.importorskip("hubspot")
contacts = pytest.importorskip("hubspot.crm.contacts")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    app = create(seed=1)
    populate(app, people(3, 130))
    app.switch({"limits": "off"})
    with serve(app) as running:
        yield running


@pytest.fixture
def client(server: Server) -> Any:
    return hubspot.HubSpot(access_token="sandbox-hubspot-token", host=server.url)


def create_one(client: Any, **properties: str) -> Any:
    made = contacts.SimplePublicObjectInputForCreate(properties=properties, associations=[])
    return client.crm.contacts.basic_api.create(made)


def test_a_contact_lives_and_dies_through_the_official_client(client: Any) -> None:
    """Create, read with history, update and archive, in the client's own types."""
    api = client.crm.contacts.basic_api
    made = create_one(client, email="official@example.test", firstname="Olga")
    change = contacts.SimplePublicObjectInput(properties={"firstname": "Inga"})
    updated = api.update(contact_id=made.id, simple_public_object_input=change)
    read = api.get_by_id(made.id, properties=["firstname", "city"], properties_with_history=["firstname"])
    api.archive(made.id)

    assert made.properties["lifecyclestage"] == "lead"
    assert updated.properties["firstname"] == "Inga"
    assert (read.properties["firstname"], read.properties["city"]) == ("Inga", None)
    assert isinstance(read.updated_at, dt.datetime)
    assert [one.value for one in read.properties_with_history["firstname"]] == ["Inga", "Olga"]
    assert api.get_by_id(made.id, archived=True).archived is True
    with pytest.raises(contacts.ApiException) as gone:
        api.get_by_id(made.id)
    assert gone.value.status == 404


def test_the_official_client_reads_our_conflicts(client: Any) -> None:
    """409 with the id in its text."""
    made = create_one(client, email="twice@example.test")
    with pytest.raises(contacts.ApiException) as conflict:
        create_one(client, email="Twice@example.test")

    assert conflict.value.status == 409
    assert f"Existing ID: {made.id}" in conflict.value.body


def test_the_official_client_pages_through_every_contact(client: Any) -> None:
    """`get_all` follows `after` to the end; the page shape is right or it would stop or loop."""
    found = client.crm.contacts.get_all(properties=["email"])

    assert len({one.id for one in found}) == len(found) >= 130
    assert all(one.properties["hs_object_id"] == one.id for one in found)


def test_the_official_client_reads_batches_with_errors_inside(client: Any) -> None:
    """200 and 207 become two types of the client; the error's context is lists of text."""
    api = client.crm.contacts.batch_api
    keys = [one.id for one in client.crm.contacts.basic_api.get_page(limit=3).results]
    asked = contacts.BatchReadInputSimplePublicObjectId(
        inputs=[{"id": key} for key in [*keys, "999"]], properties=["email"], properties_with_history=[]
    )
    answer = api.read(batch_read_input_simple_public_object_id=asked)
    sent = contacts.BatchInputSimplePublicObjectBatchInput(
        inputs=[{"id": key, "properties": {"city": "Oslo"}, "objectWriteTraceId": key} for key in keys]
    )
    updated = api.update(batch_input_simple_public_object_batch_input=sent)

    assert type(answer).__name__ == "BatchResponseSimplePublicObjectWithErrors"
    assert {one.id for one in answer.results} == set(keys)
    assert answer.errors[0].context["ids"] == ["999"]
    assert {one.properties["city"] for one in updated.results} == {"Oslo"}


def test_the_official_client_creates_and_upserts_in_batches(client: Any) -> None:
    """Partial success names the trace; an upsert tells whether it created."""
    api = client.crm.contacts.batch_api
    made = contacts.BatchInputSimplePublicObjectBatchInputForCreate(
        inputs=[
            {"properties": {"email": "b1@example.test"}, "associations": [], "objectWriteTraceId": "one"},
            {"properties": {"email": "not an address"}, "associations": [], "objectWriteTraceId": "two"},
        ]
    )
    created = api.create(batch_input_simple_public_object_batch_input_for_create=made)
    wanted = contacts.BatchInputSimplePublicObjectBatchInputUpsert(
        inputs=[{"id": "K-official", "idProperty": "syncd_key", "properties": {"email": "b2@example.test"}}]
    )
    upserts = [api.upsert(batch_input_simple_public_object_batch_input_upsert=wanted).results[0] for _ in range(2)]

    assert [one.properties["email"] for one in created.results] == ["b1@example.test"]
    assert created.errors[0].context["objectWriteTraceId"] == ["two"]
    assert [one.new for one in upserts] == [True, False]
    assert upserts[0].id == upserts[1].id


def test_the_official_client_searches_the_lagging_index(server: Server, client: Any) -> None:
    """The search answer is readable, and lags."""
    made = create_one(client, email="lagging@example.test")
    query = contacts.PublicObjectSearchRequest(
        filter_groups=[{"filters": [{"propertyName": "email", "operator": "EQ", "value": "lagging@example.test"}]}],
        sorts=["-createdate"],
        properties=["email"],
        limit=10,
        after="0",
    )
    early = client.crm.contacts.search_api.do_search(public_object_search_request=query)
    server.control.advance(6)
    late = client.crm.contacts.search_api.do_search(public_object_search_request=query)

    assert early.total == 0
    assert [one.id for one in late.results] == [made.id]


def test_the_official_client_merges_and_reads_properties_owners_and_associations(server: Server, client: Any) -> None:
    """The rest of what a sync asks for, in the client's own types."""
    first, second = (create_one(client, email=f"m{number}@example.test") for number in (1, 2))
    merge = contacts.PublicMergeInput(primary_object_id=first.id, object_id_to_merge=second.id)
    survivor = client.crm.contacts.basic_api.merge(public_merge_input=merge)
    company = server.control.act("create", object="companies", values={"name": "Acme"})["key"]
    server.control.act("associate", object="contacts", key=survivor.id, to_object="companies", to_key=company)
    found = client.crm.associations.v4.basic_api.get_page("contacts", survivor.id, "companies")
    properties = {one.name: one for one in client.crm.properties.core_api.get_all("contacts").results}
    owners = client.crm.owners.owners_api.get_page(limit=100)

    assert survivor.id not in (first.id, second.id)
    assert client.crm.contacts.basic_api.get_by_id(first.id).id == survivor.id
    assert [str(one.to_object_id) for one in found.results] == [company]
    assert properties["syncd_key"].has_unique_value is True
    assert properties["hubspotscore"].modification_metadata.read_only_value is True
    assert [one.archived for one in owners.results] == [False] * len(owners.results)


def test_the_official_client_refreshes_a_token_and_uses_it(server: Server) -> None:
    """OAuth's token endpoint is readable."""
    api = hubspot.HubSpot(host=server.url).oauth.tokens_api
    granted = api.create(
        grant_type="refresh_token",
        client_id="sandbox-client",
        client_secret="sandbox-secret",
        refresh_token="sandbox-refresh",
    )
    page = hubspot.HubSpot(access_token=granted.access_token, host=server.url).crm.contacts.basic_api.get_page(limit=1)

    assert granted.expires_in == 1800
    assert len(page.results) == 1
