"""The Salesforce connector against the Salesforce-style sandbox: who it speaks to, sessions, hosts and limits."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from salesforce_served import Org

from connectors.salesforce.sandbox import populate
from connectors.salesforce.shapes import shape_of
from syncd.errors import AccessError, QuotaExhausted, Transient
from syncd.http import BadAnswer
from syncd.sandbox.company import people

OURS = "integration@acme.example"


# ---------------------------------------------------------------- who and what


def test_the_org_says_who_it_is(org: Org) -> None:
    """The account is the org of the token; loopback makes it a test account."""
    account = org.connector.identify()
    users = org.server.control.records("User")
    assert (account.id, account.kind, account.time_zone) == ("00D5g000004SYNCEA4", "test", "Europe/Berlin")
    assert users[account.writer]["Username"] == OURS


def test_the_schema_is_the_orgs(org: Org) -> None:
    """Describe-driven: required, restricted, calculated and unique are what the org says."""
    schema = org.connector.describe("Lead").attributes
    assert [name for name, each in schema.items() if each.required] == ["LastName", "Company"]
    assert schema["Status"].restricted
    assert schema["LeadSource"].options[0] == "Web"
    assert not schema["LeadSource"].restricted
    assert (schema["Email"].type, schema["OwnerId"].type, schema["HasOptedOutOfEmail"].type) == (
        "text",
        "reference",
        "bool",
    )
    assert schema["Syncd_Key__c"].unique
    assert org.connector.traits.objects["Lead"].key == "Syncd_Key__c"


def test_every_object_of_the_traits_can_be_described_walked_and_fetched(org: Org) -> None:
    """A row of `shapes.py` claims system fields; an object that lacks one would refuse every query."""
    lead = org.lead("Deal", Email="deal@x.test")
    made = org.act("convert", key=lead, opportunity="Big deal")
    org.act("create", object="Campaign", values={"Name": "Fair"})
    org.act("add_member", campaign="Fair", who=made["contact"])
    org.act("log_task", who=made["contact"])
    org.act("log_event", who=made["contact"])
    for name in org.connector.traits.objects:
        assert shape_of(name).stamp in org.connector.describe(name).attributes
        pages = list(org.connector.changes(name, [], None, lambda keys: {}))
        keys = [record.key for page in pages for record in page.records]
        assert {record.key for record in org.connector.fetch(name, [], keys)} == set(keys)
        assert keys, name
    assert made["opportunity"]


def test_owners_are_found_by_their_addresses(org: Org) -> None:
    """The directory that the traits name can be read like any object, inactive people included."""
    owners = org.connector.traits.owners
    assert owners is not None
    pages = org.connector.changes(owners.object, [owners.email, owners.active], None, lambda keys: {})
    people_by_mail = {record.attributes["Email"]: record for page in pages for record in page.records}
    assert people_by_mail[OURS].attributes["IsActive"] is True
    assert False in {record.attributes["IsActive"] for record in people_by_mail.values()}
    (found,) = org.connector.find(owners.object, [owners.active], owners.email, [OURS.upper()])
    assert found.record.key == org.connector.identify().writer


# ---------------------------------------------------------------- sessions, hosts, limits


def test_eight_threads_survive_the_end_of_a_session_with_one_login(org: Org) -> None:
    """H038: the token dies under eight threads; one login serves them all."""
    keys = [org.lead(f"Lead{n}") for n in range(8)]
    org.fetch(keys[0])
    org.act("revoke", token="access")
    logins = len(org.calls("/oauth2/token"))
    barrier = threading.Barrier(8, timeout=10)
    told: list[str] = []

    def work(key: str) -> None:
        barrier.wait()
        told.extend(org.fetch(key))

    threads = [threading.Thread(target=work, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(told) == sorted(keys)
    assert len(org.calls("/oauth2/token")) - logins == 1


def test_an_idle_session_is_renewed_and_a_permanent_refusal_is_not(org: Org) -> None:
    """Contract 2.2: inactivity ends a session; two messages with the same code are for a person."""
    org.read()
    org.advance(3 * 3600)
    org.read()
    assert len(org.calls("/oauth2/token")) == 2
    org.faults("permanent_401", times=5)
    with pytest.raises(AccessError):
        org.read()
    assert len(org.calls("/oauth2/token")) == 2


def test_a_token_that_leads_to_another_host_is_refused(org: Org) -> None:
    """X03: nothing is sent there."""
    org.server.control.switches(instance_url="https://evil.example.org")
    with pytest.raises(AccessError):
        org.connect().identify()


def test_a_next_page_on_another_host_is_refused(org: Org) -> None:
    """X02: the walk ends with an error, the cursor stays."""
    populate(org.server.app, people(3, 2500))
    org.faults("foreign_next", host="evil.example.org", path="/query", nth=2)
    with pytest.raises(BadAnswer):
        org.read()
    assert len(org.read()[0]) == 2500


@pytest.mark.parametrize(
    ("settings", "switches"),
    [
        ({"flow": "refresh_token", "refresh_token": "sandbox-refresh"}, {}),
        ({"flow": "refresh_token", "refresh_token": "sandbox-refresh"}, {"rotate_refresh_token": True}),
    ],
)
def test_the_refresh_token_flow_works_with_and_without_rotation(
    org: Org, settings: dict[str, Any], switches: dict[str, Any]
) -> None:
    """H037: twice in a row, so that a rotated token is really the one used next."""
    org.server.control.switches(**switches)
    org.connector = org.connect(**settings)
    for _ in range(3):
        assert org.connector.identify().id == "00D5g000004SYNCEA4"
        org.act("revoke", token="access")


def test_a_jwt_is_accepted(org: Org) -> None:
    """The assertion is what the sandbox's checks want: issuer, subject, audience, life."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    org.server.control.switches(jwt_public_key=public.decode())
    connector = org.connect(flow="jwt_bearer", username=OURS, private_key=pem.decode())
    assert connector.identify().writer == org.connector.identify().writer


def test_the_days_end_stops_us_and_a_crowd_only_slows_us(org: Org) -> None:
    """Contract 11: the same code, two messages."""
    org.faults("concurrent_limit", times=1)
    org.read()
    org.faults("daily_limit", times=1)
    with pytest.raises(QuotaExhausted):
        org.read()


def test_what_others_used_of_the_day_is_seen_and_kept_clear_of(org: Org) -> None:
    """H029: the last fifth of the org's day is never ours."""
    org.server.control.switches(daily_limit=1000, used_elsewhere=700)
    _, cursor = org.read()
    org.server.control.switches(used_elsewhere=850)
    org.read(cursor)
    with pytest.raises(QuotaExhausted):
        org.read(cursor)


@pytest.mark.parametrize("kind", ["maintenance", "server_unavailable", "edge_trouble", "reset_before", "truncate"])
def test_passing_trouble_of_a_read_is_waited_out(org: Org, kind: str) -> None:
    """Reads are repeated; only trouble that lasts is told, as passing."""
    key = org.lead("There")
    org.fetch(key)
    org.faults(kind, times=2, path="/services/data")
    assert key in org.fetch(key)
    org.server.control.clear_faults()
    org.faults(kind, times=50, path="/services/data")
    with pytest.raises(Transient):
        org.fetch(key)


def test_a_field_taken_from_us_is_absent_and_comes_back(org: Org) -> None:
    """H040: hidden by field-level security it is unknown, not blank; the feed goes on."""
    key = org.lead("There", City="Oslo")
    org.act("field", object="Lead", field="City", set={"hidden": True})
    told, cursor = org.read()
    assert "City" not in told[key].attributes
    assert told[key].attributes["LastName"] == "There"
    org.act("field", object="Lead", field="City", set={"hidden": False})
    org.advance(4000)
    org.act("edit", object="Lead", key=key, values={"City": "Ghent"})
    told, _ = org.read(cursor)
    assert told[key].attributes["City"] == "Ghent"


def test_find_is_exact_for_what_people_type(org: Org) -> None:
    """X16: quotes, backslashes, percent signs and line breaks are values, not query."""
    names = ["O'Brien", "Back\\slash", "100%", "under_score", 'say "hi"', "Zoë", "x' OR LastName != '"]
    keys = {name: org.lead(name) for name in names}
    found = {each.value: each.record.key for each in org.connector.find("Lead", ["LastName"], "LastName", names)}
    assert found == keys


def test_find_asks_for_thousands_in_few_calls(org: Org) -> None:
    """A thousand values a query, five queries a call, one or two pages each."""
    populate(org.server.app, people(3, 3000))
    mails = [row["Email"] for row in org.server.app.org.table("Lead").rows.values() if row["Email"]]
    before = len(org.calls())
    found = list(org.connector.find("Lead", [], "Email", [mail.upper() for mail in mails]))
    assert len({each.record.key for each in found}) == len(mails)
    assert len(org.calls()) - before <= 4
