"""The Salesforce connector against the Salesforce-style sandbox: a real server, real faults, a virtual clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from connectors.salesforce import Salesforce, Settings, connect
from connectors.salesforce.sandbox import create, populate
from connectors.salesforce.shapes import shape_of
from syncd.budget import Budget
from syncd.connector import Context, Effect, Outcome, Page, Record
from syncd.errors import AccessError, QuotaExhausted, Transient
from syncd.http import BadAnswer, Http, Timing
from syncd.sandbox.chassis import Server, serve
from syncd.sandbox.company import people

ATTRIBUTES = ["LastName", "Email", "Company", "City", "Marketing_Score__c"]
OURS = "integration@acme.example"


@dataclass
class Org:
    """The sandbox and a connector to it, on one virtual clock; ours is an hour ahead of the server's."""

    server: Server
    skew_s: float = 3600.0

    def __post_init__(self) -> None:
        self.act = self.server.control.act
        self._slept_s = 0.0
        self.connector = self.connect()

    def now(self) -> float:
        return self.server.app.clock.now_ms() / 1000 + self.skew_s

    def connect(self, **settings: Any) -> Salesforce:
        """One more connector."""
        timing = Timing(timeout_s=10.0, retry_s=0.01, retry_max_s=0.05, lag_s=30.0, overlap_s=120.0, tries=3)
        budget = Budget(now=self.now)

        def sleep(seconds: float) -> None:
            self._slept_s += seconds

        def open_http(**given: Any) -> Http:
            return Http(
                timing=timing,
                budget=budget,
                now=lambda: time.monotonic() + self._slept_s,
                sleep=sleep,
                random=lambda: 0.5,
                **given,
            )

        context = Context("crm", open_http, timing, secret=lambda ref, name: str(ref), now=self.now)
        given = {"login_url": self.server.url, "client_id": "sandbox-client", "client_secret": "sandbox-secret"}
        return connect(Settings.model_validate(given | settings), context)

    def advance(self, seconds: float) -> None:
        self.server.control.advance(seconds)

    def faults(self, kind: str, **rule: Any) -> None:
        self.server.control.faults(kind=kind, **rule)

    def keys(self) -> set[str]:
        """Every lead there is."""
        return set(self.server.app.org.table("Lead").rows)

    def lead(self, name: str, **values: Any) -> str:
        """A lead that a person makes."""
        done = self.act("create", object="Lead", values={"LastName": name, "Company": "Acme", **values})
        return str(done["key"])

    def calls(self, path: str = "/services/data") -> list[dict[str, Any]]:
        return [entry for entry in self.server.control.log() if path in entry["path"]]

    def read(self, cursor: str | None = None, attributes: list[str] = ATTRIBUTES) -> tuple[dict[str, Record], str]:
        """Everything the feed tells, last word per record, and where to go on."""
        pages: list[Page] = list(self.connector.changes("Lead", attributes, cursor, lambda keys: {}))
        assert pages[-1].done
        return {record.key: record for page in pages for record in page.records}, pages[-1].cursor

    def fetch(self, *keys: str, object: str = "Lead") -> dict[str, Record]:
        return {record.key: record for record in self.connector.fetch(object, ["LastName", "Email"], list(keys))}

    def write(self, *effects: Effect, object: str = "Lead") -> list[Outcome]:
        """Outcomes in the order of the effects."""
        by_ref = {outcome.ref: outcome for outcome in self.connector.write(object, effects)}
        assert set(by_ref) == {effect.ref for effect in effects}
        return [by_ref[effect.ref] for effect in effects]

    def raw(self, key: str, object: str = "Lead") -> dict[str, Any]:
        """The record as it is in the org."""
        return self.server.control.records(object)[key]


@pytest.fixture
def org() -> Iterator[Org]:
    with serve(create(seed=11)) as server:
        yield Org(server)


def _make(ref: str, name: str = "New", **attributes: Any) -> Effect:
    return Effect(ref, "create", None, {"LastName": name, "Company": "Acme"} | attributes, unique=f"hubspot:1:{ref}")


def _change(key: str, expect_ms: int | None = None, **attributes: Any) -> Effect:
    return Effect(f"u-{key}", "update", key, attributes, expect_ms=expect_ms)


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


# ---------------------------------------------------------------- the feed


def test_a_first_walk_reads_everything_once_and_an_idle_poll_is_one_call(org: Org) -> None:
    """Pages of up to 2,000, ended by `done` only; afterwards one call a poll, without a row once the overlap is over."""
    populate(org.server.app, people(3, 5000))
    told, cursor = org.read()
    assert told.keys() == org.keys()
    assert len(org.calls("/query")) >= 4
    for _ in range(4):
        org.advance(60)
        before = len(org.calls())
        told, cursor = org.read(cursor)
        assert len(org.calls()) - before == 1
    assert told == {}


def test_a_killed_walk_goes_on_from_its_page(org: Org) -> None:
    """H050, H051: the kept cursor names the next page; the pages before are not asked for again."""
    populate(org.server.app, people(3, 4500))
    walk = org.connector.changes("Lead", ATTRIBUTES, None, lambda keys: {})
    first = next(walk)
    walk.close()
    before = len(org.calls())
    rest, _ = org.read(first.cursor)
    assert {record.key for record in first.records} | rest.keys() == org.keys()
    assert {record.key for record in first.records}.isdisjoint(rest)
    assert "/query/" in org.calls()[before]["path"]


def test_a_locator_that_the_server_forgot_costs_no_record(org: Org) -> None:
    """H054: INVALID_QUERY_LOCATOR in the middle, by a fault and by a restart of the server's cursors."""
    populate(org.server.app, people(3, 4500))
    org.faults("invalid_locator", path="/query/", nth=2)
    told, _ = org.read()
    assert told.keys() == org.keys()
    walk = org.connector.changes("Lead", ATTRIBUTES, None, lambda keys: {})
    first = next(walk)
    walk.close()
    org.act("end_cursors")
    rest, _ = org.read(first.cursor)
    assert {record.key for record in first.records} | rest.keys() == org.keys()


def test_a_mass_update_of_25000_in_one_second_is_told_and_then_over(org: Org) -> None:
    """H045, H046, H095: thirteen pages of one stamp, records edited meanwhile, and then peace."""
    populate(org.server.app, people(3, 25_000))
    _, cursor = org.read(attributes=["City"])
    org.advance(600)
    _, cursor = org.read(cursor, ["City"])
    org.server.control.clock(freeze=True)
    org.act("edit", object="Lead", where="IsConverted = false", values={"City": "Ghent"})
    org.server.control.clock(thaw=True)
    org.advance(1)
    told, cursor = org.read(cursor, ["City"])
    assert len(told) == 25_000
    assert len({record.stamp_ms for record in told.values()}) == 1
    late = org.lead("Late", City="Oslo")
    counts = []
    for _ in range(7):
        org.advance(75)
        told, cursor = org.read(cursor, ["City"])
        counts.append(len(told))
        late = "" if late in told else late
    assert late == ""
    assert sum(count > 1 for count in counts) <= 3, "read again only while something may still commit late"
    assert counts[-1] == 0


def test_a_long_transaction_is_found_within_the_overlap(org: Org) -> None:
    """H048: visible 90 s after its stamp, when the cursor had passed it long ago."""
    org.lead("First")
    _, cursor = org.read()
    org.advance(30)
    slow = org.act("create", object="Lead", values={"LastName": "Slow", "Company": "A"}, commit_after_s=90)["key"]
    org.advance(10)
    fast = org.lead("Fast")
    told, cursor = org.read(cursor)
    assert fast in told
    assert slow not in told
    org.advance(85)
    told, _ = org.read(cursor)
    assert slow in told


def test_deletions_merges_and_conversions_come_with_the_feed(org: Org) -> None:
    """H124, H129, H132: gone, merged and converted, each with where it went; the Contact of a conversion too."""
    gone, loser, winner, lead = (org.lead(name, Email=f"{name}@x.test") for name in ("Gone", "Lost", "Won", "Deal"))
    _, cursor = org.read()
    org.advance(5)
    org.act("delete", object="Lead", key=gone)
    org.act("merge", object="Lead", key=winner, losers=[loser])
    contact = org.act("convert", key=lead)["contact"]
    told, _ = org.read(cursor)
    assert (told[gone].state, told[gone].into) == ("gone", None)
    assert (told[loser].state, told[loser].into) == ("merged", ("Lead", winner))
    assert (told[lead].state, told[lead].into) == ("converted", ("Contact", contact))
    assert told[winner].state == "live"
    fetched = org.fetch(gone, loser, lead)
    assert {key: record.state for key, record in fetched.items()} == {
        gone: "gone",
        loser: "merged",
        lead: "converted",
        winner: "live",
    }
    assert org.fetch(contact, object="Contact")[contact].attributes["LastName"] == "Deal"
    org.act("purge", object="Lead", key=gone)
    assert org.fetch(gone) == {}, "what leaves no trace is no evidence"
    (found,) = org.connector.find("Lead", [], "Email", ["deal@X.test"])
    assert found.record.state == "converted"
    assert not list(org.connector.find("Lead", [], "Email", ["Lost@x.test"])), "merged away is not found"


def test_our_own_writes_are_told_as_ours(org: Org) -> None:
    """H074: the record's last writer, as far as Salesforce tells."""
    (made,) = org.write(_make("a"))
    by_a_person = org.lead("Other")
    told, _ = org.read()
    assert made.key is not None
    assert (told[made.key].ours, told[by_a_person].ours) == (True, False)


# ---------------------------------------------------------------- writes


def test_a_create_carries_its_key_and_a_second_one_finds_the_first(org: Org) -> None:
    """Design 3: the unique key makes a create at-most-once; the refusal names the record that has it."""
    made, refused = org.write(_make("a", Rating="Hot"), _make("b", Status="Nonsense"))
    assert made.kind == "sent"
    assert made.key is not None
    assert org.raw(made.key)["Syncd_Key__c"] == "hubspot:1:a"
    assert org.raw(made.key)["OwnerId"] == org.connector.identify().writer, "no assignment rule took it"
    assert (refused.kind, refused.culprits) == ("refused", ("Status",))
    assert "Nonsense" not in refused.message
    (again,) = org.write(_make("a"))
    assert (again.kind, again.code, again.existing) == ("refused", "DUPLICATE_VALUE", made.key)
    (found,) = org.connector.find("Lead", [], "Syncd_Key__c", ["hubspot:1:a"])
    assert found.record.key == made.key


def test_values_arrive_as_they_were_meant(org: Org) -> None:
    """Contract 14: numbers, truth, blanks, and text that looks like a reference."""
    values = {"Marketing_Score__c": 42, "HasOptedOutOfEmail": True, "Phone": None, "City": "@{e0.id} 'x' \\ é"}
    (made,) = org.write(_make("a", **values))
    assert made.key is not None
    raw = org.raw(made.key)
    assert {name: raw[name] for name in values} == values
    stamp_ms = org.fetch(made.key)[made.key].stamp_ms
    org.advance(5)
    (outcome,) = org.write(_change(made.key, stamp_ms, City="@{e0.x}", HasOptedOutOfEmail=False))
    assert outcome.kind == "sent"
    assert (org.raw(made.key)["City"], org.raw(made.key)["HasOptedOutOfEmail"]) == ("@{e0.x}", False)


@pytest.mark.parametrize("honoured", [True, False])
def test_a_record_that_a_person_changed_meanwhile_is_not_overwritten(org: Org, honoured: bool) -> None:
    """H005: 412 where the org honours conditions in composite calls, a look where it does not."""
    org.server.control.switches(composite_preconditions=honoured)
    touched, calm = org.lead("Touched"), org.lead("Calm")
    before = org.fetch(touched, calm)
    org.advance(10)
    org.act("edit", object="Lead", key=touched, values={"City": "Ghent"})
    org.advance(10)
    outcomes = org.write(
        _change(touched, before[touched].stamp_ms, City="Oslo"), _change(calm, before[calm].stamp_ms, City="Oslo")
    )
    assert [outcome.kind for outcome in outcomes] == ["moved", "sent"]
    assert [org.raw(key)["City"] for key in (touched, calm)] == ["Ghent", "Oslo"]
    assert org.connector.traits.objects["Lead"].precondition is honoured


@pytest.mark.parametrize("compared", ["SystemModstamp", "LastModifiedDate"])
def test_a_condition_passes_on_an_untouched_record_whatever_it_compares(org: Org, compared: str) -> None:
    """Unverified what the vendor compares: both positions must let an honest write through."""
    org.server.control.switches(precondition_field=compared)
    key = org.lead("Calm")
    org.advance(10)
    org.act("touch", object="Lead", key=key)
    org.advance(10)
    stamp_ms = org.fetch(key)[key].stamp_ms
    assert org.write(_change(key, stamp_ms, City="Oslo"))[0].kind == "sent"


@pytest.mark.parametrize("conditional", [True, False])
def test_records_that_went_away_are_gone_with_the_reason(org: Org, conditional: bool) -> None:
    """H128, H129: deleted, purged, merged and converted, by composite and by collections."""
    keys = [org.lead(name) for name in ("Deleted", "Purged", "Merged", "Converted", "Winner", "Live")]
    stamps = {key: record.stamp_ms for key, record in org.fetch(*keys).items()}
    deleted, purged, merged, converted, winner, live = keys
    org.act("delete", object="Lead", keys=[deleted, purged])
    org.act("purge", object="Lead", key=purged)
    org.act("merge", object="Lead", key=winner, losers=[merged])
    org.act("convert", key=converted)
    org.advance(10)
    effects = [
        _change(key, stamps[key] + 60_000 if conditional else None, City="Oslo")
        for key in (deleted, purged, merged, converted, live)
    ]
    outcomes = org.write(*effects)
    assert [outcome.kind for outcome in outcomes] == ["gone"] * 4 + ["sent"]
    assert outcomes[0].code == "ENTITY_IS_DELETED"
    assert outcomes[3].code == "CANNOT_UPDATE_CONVERTED_LEAD"


@pytest.mark.parametrize("conditional", [True, False])
def test_locks_and_rules_hit_their_record_only(org: Org, conditional: bool) -> None:
    """H008: a lock passes, a rule does not; the others of the batch are done."""
    rule = {"object": "Lead", "error_when": "City = 'Nowhere'", "message": "No such place", "field": "City"}
    org.server.control.switches(validation_rules=[rule])
    keys = [org.lead(f"Lead{n}") for n in range(4)]
    stamps = {key: record.stamp_ms for key, record in org.fetch(*keys).items()}
    org.write(_change(keys[3], stamps[keys[3]], Phone="1"))  # the probe is over
    org.faults("lock_row", records=[1], times=1, path="composite")
    org.advance(10)
    cities = ["Oslo", "Nowhere", "Ghent"]
    effects = [
        _change(key, stamps[key] if conditional else None, City=city)
        for key, city in zip(keys[:3], cities, strict=True)
    ]
    locked, ruled, done = org.write(*effects)
    assert (locked.kind, locked.code, locked.again) == ("refused", "UNABLE_TO_LOCK_ROW", True)
    assert (ruled.kind, ruled.again, ruled.culprits) == ("refused", False, ("City",))
    assert done.kind == "sent"


@pytest.mark.parametrize("kind", ["reset_after", "truncate", "unknown_exception", "garbage"])
@pytest.mark.parametrize("op", ["create", "update", "guarded", "archive"])
def test_a_write_whose_answer_is_lost_is_doubtful_and_was_sent_once(org: Org, kind: str, op: str) -> None:
    """H001-H003, H015, H024: applied and not answered; nobody repeats it below the engine."""
    key = org.lead("There")
    stamp_ms = org.fetch(key)[key].stamp_ms
    org.write(_change(key, stamp_ms, Phone="1"))
    org.advance(10)
    stamp_ms = org.fetch(key)[key].stamp_ms
    effect = {
        "create": _make("a"),
        "update": _change(key, City="Oslo"),
        "guarded": _change(key, stamp_ms, City="Oslo"),
        "archive": Effect("d", "archive", key, {}),
    }[op]
    method = {"create": "POST", "update": "PATCH", "guarded": "POST", "archive": "DELETE"}[op]
    org.faults(kind, method=method, path="/composite", times=5)
    before = len(org.calls("/composite"))
    (outcome,) = org.write(effect)
    assert outcome.kind == "doubtful"
    assert len(org.calls("/composite")) - before == 1


def test_a_create_in_doubt_is_found_by_its_key(org: Org) -> None:
    """D.3, P1: the key tells whether it arrived; sending it again is refused, never doubled."""
    org.faults("reset_after", method="POST", path="/composite/sobjects$", times=1)
    (outcome,) = org.write(_make("a"))
    assert outcome.kind == "doubtful"
    (found,) = org.connector.find("Lead", [], "Syncd_Key__c", ["hubspot:1:a"])
    (again,) = org.write(_make("a"))
    assert again.existing == found.record.key


def test_missing_results_are_doubtful_and_no_others(org: Org) -> None:
    """H011: a collections answer that is too short."""
    org.faults("missing_results", count=2, times=1, path="/composite/sobjects$")
    outcomes = org.write(*[_make(f"n{n}") for n in range(5)])
    assert [outcome.kind for outcome in outcomes] == ["sent"] * 3 + ["doubtful"] * 2


def test_a_wrong_type_refuses_its_record_only(org: Org) -> None:
    """A value of the wrong JSON type fails the whole call on some orgs; it is sought and found."""
    outcomes = org.write(*[_make(f"n{n}", Marketing_Score__c="many" if n == 3 else 1) for n in range(6)])
    assert [outcome.kind for outcome in outcomes] == ["sent"] * 3 + ["refused"] + ["sent"] * 2
    assert len(org.server.control.records("Lead")) == 5


@pytest.mark.parametrize("rule", ["alert", "block"])
def test_a_duplicate_rule_is_a_refusal(org: Org, rule: str) -> None:
    """H146: never forced through, whatever kind of rule it is."""
    key = org.lead("Ada", Email="ada@x.test")
    org.server.control.switches(duplicate_rule=rule)
    (outcome,) = org.write(_make("a", Email="ada@x.test"))
    assert (outcome.kind, outcome.code, outcome.again) == ("refused", "DUPLICATES_DETECTED", False)
    assert outcome.existing in (None, key), "in collections the match may be missing"
    assert org.keys() == {key}


def test_archive_moves_into_the_bin_and_says_what_was_there(org: Org) -> None:
    """H019: already deleted is gone, which is what was wanted; changed meanwhile is moved."""
    first, second, third = org.lead("One"), org.lead("Two"), org.lead("Three")
    stamps = {key: record.stamp_ms for key, record in org.fetch(first, second, third).items()}
    org.advance(10)
    org.act("delete", object="Lead", key=second)
    org.act("edit", object="Lead", key=third, values={"City": "Ghent"})
    effects = [Effect(key, "archive", key, {}, expect_ms=stamps[key]) for key in (first, second, third)]
    assert [outcome.kind for outcome in org.write(*effects)] == ["sent", "gone", "moved"]
    assert org.raw(first)["IsDeleted"] is True
    assert org.raw(third)["IsDeleted"] is False


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
