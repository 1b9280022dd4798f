"""How the Salesforce connector logs in, and what it does when the login, or a token, is refused."""

from __future__ import annotations

import threading
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import ValidationError
from salesforce_scripted import LOGIN, ORG, TOKEN, USER, Asked, Say, Scripted, lead, page, refusal

from connectors.salesforce import Settings
from connectors.salesforce.auth import REFUSED_REST_S
from syncd.errors import AccessError, ConfigError, Transient
from syncd.http import BadAnswer

ORGANIZATION = {
    "done": True,
    "records": [{"Id": ORG, "Name": "Acme", "IsSandbox": False, "TimeZoneSidKey": "Europe/Berlin"}],
}
EXPIRED = Say(refusal("INVALID_SESSION_ID", "Session expired or invalid"), 401)


def _idle(scripted: Scripted) -> None:
    scripted.on("GET", "/query", page(lead(1, Email="a@b.c")))


def _logins(scripted: Scripted) -> list[Asked]:
    return [asked for asked in scripted.asked if "oauth2" in asked.path]


# ---------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"login_url": "https://login.salesforce.com"}, "My Domain"),
        ({"login_url": "https://test.salesforce.com"}, "My Domain"),
        ({"login_url": "http://acme.my.salesforce.com"}, "https"),
        ({"login_url": "https://x:y@acme.my.salesforce.com"}, "host only"),
        ({"login_url": "https://acme.my.salesforce.com/services"}, "host only"),
        ({"login_url": "acme.my.salesforce.com"}, "whole address"),
        ({"client_secret": None}, "client_secret"),
        ({"flow": "jwt_bearer"}, "username and private_key"),
        ({"flow": "refresh_token"}, "refresh_token"),
        ({"flow": "password"}, "client_credentials"),
        ({"version": "67"}, "pattern"),
        ({"key": "Key; DROP"}, "pattern"),
        ({"instance_suffixes": ["com"]}, "domain"),
        ({"unknown": 1}, "Extra"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_with_the_reason(settings: dict[str, Any], says: str) -> None:
    """A file's mistake is told before anything is sent, client credentials at the shared host among them."""
    good = {"login_url": LOGIN, "client_id": {"env": "ID"}, "client_secret": {"env": "SECRET"}}
    Settings.model_validate(good)
    with pytest.raises(ValidationError, match=says):
        Settings.model_validate(good | settings)


def test_no_secret_stands_in_any_repr() -> None:
    """X06: an exception with locals in it shows nothing."""
    scripted = Scripted()
    _idle(scripted)
    connector = scripted.connect({"client_secret": "hush-hush"})
    list(connector.changes("Lead", ["Email"], None, lambda keys: {}))
    shown = " ".join(repr(each) for each in (connector, connector._login, connector._org, connector._login.session()))
    shown += repr(Settings(login_url=LOGIN, client_id="the-id", client_secret="hush-hush"))
    assert "hush-hush" not in shown
    assert str(TOKEN["access_token"]) not in shown


# ---------------------------------------------------------------- the flows


def test_client_credentials_ask_with_id_and_secret_in_the_body() -> None:
    """X05: never in the address; and nothing is asked for before it is needed."""
    scripted = Scripted()
    _idle(scripted)
    connector = scripted.connect()
    assert scripted.asked == []
    list(connector.changes("Lead", ["Email"], None, lambda keys: {}))
    (login,) = _logins(scripted)
    assert login.body == {
        "grant_type": "client_credentials",
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
    }
    assert login.query == {}
    assert "Authorization" not in login.headers


def test_a_jwt_assertion_is_signed_short_lived_and_for_the_right_audience() -> None:
    """Contract 2.1: RS256, minutes ahead, aud by production or sandbox."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    scripted = Scripted()
    _idle(scripted)
    settings = {"flow": "jwt_bearer", "username": "syncd@acme.test", "private_key": {"file": pem}}
    for login_url, audience in [
        ("https://login.salesforce.com", "https://login.salesforce.com"),
        ("https://test.salesforce.com", "https://test.salesforce.com"),
        ("https://acme--uat.sandbox.my.salesforce.com", "https://test.salesforce.com"),
    ]:
        list(scripted.connect(settings | {"login_url": login_url}).find("Lead", [], "Email", ["a@b.c"]))
        form = _logins(scripted)[-1].body
        claims = jwt.decode(form["assertion"], private.public_key(), algorithms=["RS256"], audience=audience)
        assert (claims["iss"], claims["sub"]) == ("sandbox-client", "syncd@acme.test")
        assert "client_secret" not in form


def test_a_key_that_is_none_is_a_mistake_in_the_file_and_is_not_quoted() -> None:
    """The key's text must not come out with the error."""
    scripted = Scripted()
    settings = {"flow": "jwt_bearer", "username": "u", "private_key": {"file": "-----BEGIN hush"}}
    with pytest.raises(ConfigError, match="PEM") as caught:
        scripted.connect(settings).identify()
    assert "hush" not in str(caught.value)


def test_a_rotated_refresh_token_is_kept_before_it_is_used() -> None:
    """H037: with rotation the old token dies at once; a crash in between must find the new one kept."""
    scripted = Scripted()
    scripted.on("POST", "oauth2", TOKEN | {"refresh_token": "second"})
    scripted.on("GET", "/query", EXPIRED, page(lead(1)))
    connector = scripted.connect({"flow": "refresh_token", "refresh_token": {"env": "first"}})
    list(connector.find("Lead", [], "Id", ["x"]))
    assert [login.body["refresh_token"] for login in _logins(scripted)] == ["first", "second"]
    assert scripted.saved == [("refresh_token", "second")]


# ---------------------------------------------------------------- where we are sent


@pytest.mark.parametrize("instance", ["https://evil.example.org", "http://acme.my.salesforce.com", "", "//evil.org"])
def test_a_login_answer_that_sends_us_elsewhere_is_not_followed(instance: str) -> None:
    """X03: no request, and so no token, ever reaches a host that is not an org's."""
    scripted = Scripted()
    scripted.on("POST", "oauth2", TOKEN | {"instance_url": instance})
    with pytest.raises(AccessError, match="not followed"):
        scripted.connect().identify()
    assert {asked.host for asked in scripted.asked} == {"acme.my.salesforce.com"}


def test_an_org_that_moved_is_followed_inside_its_domain() -> None:
    """H041: each token answer says anew where the org is."""
    scripted = Scripted()
    moved = TOKEN | {"instance_url": "https://acme-new.my.salesforce.com", "access_token": "second"}
    scripted.on("POST", "oauth2", TOKEN, moved)
    scripted.on("GET", "/query", page(), EXPIRED, page())
    connector = scripted.connect()
    for _ in range(3):
        list(connector.find("Lead", [], "Id", ["x"]))
    hosts = [(asked.host, asked.headers["Authorization"]) for asked in scripted.calls()]
    assert hosts[0] == ("acme.my.salesforce.com", f"Bearer {TOKEN['access_token']}")
    assert hosts[-1] == ("acme-new.my.salesforce.com", "Bearer second")


def test_a_next_page_on_another_host_is_not_followed() -> None:
    """X02: nextRecordsUrl is taken as an address on this very org or not at all."""
    for url in ("https://evil.org/services/data/v67.0/query/0r8x-2000", "//evil.org/x", "/services/data/v67.0/limits"):
        scripted = Scripted()
        scripted.on("GET", "/query", page(lead(1, Email="x"), following=url))
        with pytest.raises(BadAnswer):
            list(scripted.connect().changes("Lead", ["Email"], None, lambda keys: {}))
        assert {asked.host for asked in scripted.asked} == {"acme.my.salesforce.com"}
        assert not scripted.calls("limits")


def test_a_page_that_is_not_the_last_and_names_no_next_is_an_error() -> None:
    """The end is only what `done` says (contract section 20, no. 1)."""
    scripted = Scripted()
    scripted.on("GET", "/query", {"done": False, "records": [lead(1, Email="x")]})
    with pytest.raises(BadAnswer):
        list(scripted.connect().changes("Lead", ["Email"], None, lambda keys: {}))


# ---------------------------------------------------------------- expiry


def test_an_expired_session_is_renewed_once_and_the_call_repeated() -> None:
    """H035: the same request again with a fresh token; nobody above notices."""
    scripted = Scripted()
    scripted.on("POST", "oauth2", TOKEN, TOKEN | {"access_token": "second"})
    scripted.on("GET", "/query", page(), EXPIRED, page(lead(1)))
    connector = scripted.connect()
    list(connector.find("Lead", [], "Id", ["x"]))
    assert len(list(connector.find("Lead", ["Id"], "Id", [lead(1)["Id"]]))) == 1
    assert len(_logins(scripted)) == 2
    assert scripted.calls()[-1].headers["Authorization"] == "Bearer second"


def test_eight_threads_with_a_dead_token_cause_one_login() -> None:
    """H038: one flight for all who saw the same stale token."""
    scripted = Scripted()
    barrier = threading.Barrier(8, timeout=5)

    def answer(asked: Asked) -> Say:
        if asked.headers["Authorization"] != "Bearer second":
            if len(scripted.calls()) > 1:
                barrier.wait()  # all eight have left before the first is refused
            return EXPIRED if len(scripted.calls()) > 1 else Say(page())
        return Say(page(lead(1)))

    scripted.on("POST", "oauth2", TOKEN, TOKEN | {"access_token": "second"})
    scripted.on("GET", "/query", answer)
    connector = scripted.connect()
    list(connector.find("Lead", [], "Id", ["x"]))
    found: list[int] = []

    def work() -> None:
        found.append(len(list(connector.find("Lead", ["Id"], "Id", [lead(1)["Id"]]))))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert found == [1] * 8
    assert len(_logins(scripted)) == 2


def test_a_token_that_was_renewed_already_is_not_renewed_again() -> None:
    """Two clients share one login while an org moves: who comes with an older token takes the newer one."""
    scripted = Scripted()
    login = scripted.connect()._login
    stale = login.header() or "none yet"
    login.session()
    login.refresh(stale)
    assert len(_logins(scripted)) == 1
    login.refresh(login.header())
    assert len(_logins(scripted)) == 2


def test_a_session_that_a_new_token_does_not_mend_is_for_a_person() -> None:
    """H036, contract 2.2: one refresh, then AccessError; two messages with the same code are permanent at once."""
    scripted = Scripted()
    scripted.on("GET", "/query", EXPIRED)
    with pytest.raises(AccessError):
        list(scripted.connect().find("Lead", [], "Id", ["x"]))
    assert len(_logins(scripted)) == 2
    scripted = Scripted()
    permanent = refusal("INVALID_SESSION_ID", "This session is not valid for use with the REST API")
    scripted.on("GET", "/query", Say(permanent, 401))
    with pytest.raises(AccessError) as caught:
        list(scripted.connect().find("Lead", [], "Id", ["x"]))
    assert "api" in caught.value.remedy
    assert len(_logins(scripted)) == 1


@pytest.mark.parametrize(
    ("error", "description", "remedy"),
    [
        ("invalid_grant", "authentication failure", "client_id"),
        ("invalid_grant", "expired access/refresh token", "Authorise"),
        ("invalid_grant", "user hasn't approved this consumer", "pre-authorise"),
        ("invalid_grant", "no client credentials user enabled", "run-as"),
        ("invalid_client_id", "client identifier invalid", "minutes"),
        ("invalid_client", "invalid client credentials", "client_secret"),
        ("invalid_app_access", "user is not admin approved to access this app", "permission set"),
        ("unsupported_grant_type", "grant type not supported", "Enable"),
    ],
)
def test_a_refused_login_says_what_to_do_and_is_not_hammered(error: str, description: str, remedy: str) -> None:
    """Contract 2.1: repeated failures lock the user; it is tried again only after a rest."""
    scripted = Scripted()
    scripted.on("POST", "oauth2", {"error": error, "error_description": description}, status=400)
    connector = scripted.connect()
    for _ in range(5):
        with pytest.raises(AccessError, match=error) as caught:
            connector.identify()
        scripted.clock += 60
    assert remedy in caught.value.remedy
    assert len(_logins(scripted)) == 1
    scripted.clock += REFUSED_REST_S
    scripted.on("POST", "oauth2", TOKEN)
    scripted.on("GET", "/query", ORGANIZATION)
    assert connector.identify().id == ORG, "an administrator mended it: no restart is needed"


def test_a_crowd_at_the_login_is_waited_out() -> None:
    """Too many logins is no refusal of ours."""
    scripted = Scripted()
    scripted.on("POST", "oauth2", {"error": "login_rate_exceeded"}, status=400)
    with pytest.raises(Transient) as caught:
        scripted.connect().identify()
    assert caught.value.after_s > 0


@pytest.mark.parametrize(
    "answer", [Say(b"<html>", 200), Say({"access_token": "x"}, 200), Say(b"", 503), Say(lost=True)]
)
def test_a_login_that_makes_no_sense_is_tried_later(answer: Say) -> None:
    """H043: a web page is neither a token nor a refusal."""
    scripted = Scripted()
    scripted.on("POST", "oauth2", answer)
    with pytest.raises(Transient):
        scripted.connect().identify()


# ---------------------------------------------------------------- who we are


def test_the_account_is_the_org_and_the_writer_the_user_of_the_token() -> None:
    """H140: the org's id is pinned; its name and time zone come from one query."""
    scripted = Scripted()
    scripted.on("GET", "/query", ORGANIZATION)
    account = scripted.connect().identify()
    assert (account.id, account.name, account.kind) == (ORG, "Acme", "production")
    assert (account.writer, account.time_zone) == (USER, "Europe/Berlin")
    assert len(scripted.calls()) == 1


def test_an_account_is_known_even_where_the_organization_cannot_be_read() -> None:
    """A minimal integration user may not see the object Organization; the token says enough."""
    scripted = Scripted()
    scripted.on("GET", "/query", refusal("INVALID_TYPE", "sObject type 'Organization' is not supported"), status=400)
    account = scripted.connect().identify()
    assert (account.id, account.writer, account.time_zone) == (ORG, USER, "UTC")


def test_short_ids_in_the_identity_are_made_long() -> None:
    """H121 in the login answer."""
    scripted = Scripted()
    scripted.on("POST", "oauth2", TOKEN | {"id": f"https://login.salesforce.com/id/{ORG[:15]}/{USER[:15]}"})
    scripted.on("GET", "/query", ORGANIZATION)
    account = scripted.connect().identify()
    assert (account.id, account.writer) == (ORG, USER)
