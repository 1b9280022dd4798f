"""The Salesforce sandbox: login, sessions, envelope, limits, faults of whole requests. Contract sections 1 to 3, 11."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from salesforce_org import CLIENT, NOW_MS, Api, Reply

from connectors.salesforce.sandbox import create
from syncd.sandbox.chassis import serve
from syncd.sandbox.wire import Request

TOKEN = "/services/oauth2/token"
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_pem(key: rsa.RSAPrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def error(reply: Reply) -> tuple[int, str, str]:
    return reply.status, reply.body["error"], reply.body["error_description"]


# ---------------------------------------------------------------- tokens


def test_client_credentials_give_a_token_that_works(org: Api) -> None:
    """issued_at is text of milliseconds; there is no expires_in; the token begins with the 15-character org id."""
    reply = org.form(TOKEN, grant_type="client_credentials", **CLIENT)
    assert reply.status == 200
    assert "expires_in" not in reply.body
    assert "refresh_token" not in reply.body
    assert reply.body["issued_at"] == str(NOW_MS)
    assert reply.body["token_type"] == "Bearer"
    assert reply.body["access_token"].startswith("00D5g000004SYNC!")
    assert reply.body["instance_url"] == "http://acme.test"
    org.token = reply.body["access_token"]
    assert org.call("GET", "limits").status == 200


def test_the_secret_may_come_as_basic_authorization(org: Api) -> None:
    """Section 2.1."""
    basic = base64.b64encode(b"sandbox-client:sandbox-secret").decode()
    assert org.form(TOKEN, {"authorization": f"Basic {basic}"}, grant_type="client_credentials").status == 200


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"grant_type": "password", **CLIENT}, ("unsupported_grant_type", "grant type not supported")),
        (
            {"grant_type": "client_credentials", **CLIENT, "client_id": "x"},
            ("invalid_client_id", "client identifier invalid"),
        ),
        (
            {"grant_type": "client_credentials", **CLIENT, "client_secret": "x"},
            ("invalid_client", "invalid client credentials"),
        ),
        (
            {"grant_type": "refresh_token", **CLIENT, "refresh_token": "x"},
            ("invalid_grant", "expired access/refresh token"),
        ),
        ({"grant_type": JWT_GRANT, "assertion": "x.y.z"}, ("invalid_grant", "invalid assertion")),
    ],
)
def test_refused_logins_say_why(org: Api, fields: dict[str, str], expected: tuple[str, str]) -> None:
    """400 with error and error_description; passwords are refused whatever they are."""
    assert error(org.form(TOKEN, **fields)) == (400, *expected)


def test_client_credentials_need_the_my_domain_host(org: Api) -> None:
    """At login.salesforce.com they are refused; the switch makes this host that one."""
    org.app.switch({"login_host": "login"})
    assert org.form(TOKEN, grant_type="client_credentials", **CLIENT).status == 400
    org.app.switch({"login_host": "my_domain"})
    assert org.form(TOKEN, {"host": "login.acme.test"}, grant_type="client_credentials", **CLIENT).status == 400


def test_too_many_logins_are_refused(org: Api) -> None:
    """Reuse tokens."""
    org.app.switch({"logins_per_hour": 2})
    assert [org.form(TOKEN, grant_type="client_credentials", **CLIENT).status for _ in range(3)] == [200, 200, 400]
    org.advance(3601)
    assert org.form(TOKEN, grant_type="client_credentials", **CLIENT).status == 200


def test_refresh_tokens_rotate_where_the_org_says_so(org: Api) -> None:
    """Without rotation the answer names none; with it, the old one dies."""
    fields = {"grant_type": "refresh_token", **CLIENT, "refresh_token": "sandbox-refresh"}
    assert "refresh_token" not in org.form(TOKEN, **fields).body
    org.app.switch({"rotate_refresh_token": True})
    fresh = org.form(TOKEN, **fields).body["refresh_token"]
    assert error(org.form(TOKEN, **fields))[1] == "invalid_grant"
    assert org.form(TOKEN, **{**fields, "refresh_token": fresh}).status == 200
    assert org.act("revoke", token="refresh") == {"revoked": 1}


CLAIMS: dict[str, Any] = {
    "iss": "sandbox-client",
    "sub": "integration@acme.example",
    "aud": "https://login.salesforce.com",
    "exp": NOW_MS // 1000 + 180,
}


@pytest.mark.parametrize(
    ("claims", "description"),
    [
        ({}, None),
        ({"exp": str(CLAIMS["exp"])}, None),
        ({"aud": "http://acme.test"}, None),
        ({"aud": "https://elsewhere.example"}, "Audience validation failed"),
        ({"exp": NOW_MS // 1000 - 1}, "expired authorization code"),
        ({"exp": NOW_MS // 1000 + 3600}, "expired authorization code"),
        ({"iss": "x"}, "client identifier invalid"),
        ({"sub": "stranger@acme.example"}, "user hasn't approved this consumer"),
    ],
)
def test_jwt_claims_are_checked(
    org: Api, key: rsa.RSAPrivateKey, claims: dict[str, Any], description: str | None
) -> None:
    """Issuer, subject, audience, and an expiry a few minutes ahead, by the sandbox's own clock."""
    org.app.switch({"jwt_public_key": public_pem(key)})
    reply = org.form(TOKEN, grant_type=JWT_GRANT, assertion=jwt.encode({**CLAIMS, **claims}, key, algorithm="RS256"))
    assert reply.status == (400 if description else 200)
    assert reply.body.get("error_description") == description


def test_jwt_signatures_are_verified(org: Api, key: rsa.RSAPrivateKey) -> None:
    """RS256 with the registered key only: not another key, not another algorithm, not before a key is registered."""
    good = jwt.encode(CLAIMS, key, algorithm="RS256")
    other = jwt.encode(CLAIMS, rsa.generate_private_key(public_exponent=65537, key_size=2048), algorithm="RS256")
    assert error(org.form(TOKEN, grant_type=JWT_GRANT, assertion=good))[1] == "invalid_grant"
    org.app.switch({"jwt_public_key": public_pem(key)})
    assert org.form(TOKEN, grant_type=JWT_GRANT, assertion=good).status == 200
    for forged in (other, jwt.encode(CLAIMS, "x" * 32, algorithm="HS256"), good[:-6] + "AAAAAA"):
        assert error(org.form(TOKEN, grant_type=JWT_GRANT, assertion=forged))[2] == "invalid assertion"
    org.app.switch({"jwt_accept_any": True})
    assert org.form(TOKEN, grant_type=JWT_GRANT, assertion=other).status == 200


def test_a_deactivated_integration_user_cannot_log_in(org: Api) -> None:
    """Stop, do not retry; living sessions end."""
    org.act(
        "edit", object="User", key=org.app.org.cast.integration, values={"IsActive": False}, by="admin@acme.example"
    )
    assert org.form(TOKEN, grant_type="client_credentials", **CLIENT).status == 400
    assert org.call("GET", "limits").codes == ["INVALID_SESSION_ID"]


# ---------------------------------------------------------------- sessions


def test_sessions_expire_by_inactivity(org: Api) -> None:
    """Calls keep them alive; after two idle hours 401 with a JSON list and WWW-Authenticate."""
    for _ in range(3):
        org.advance(7000)
        assert org.call("GET", "limits").status == 200
    org.advance(7201)
    reply = org.call("GET", "limits")
    assert (reply.status, reply.body) == (
        401,
        [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}],
    )
    assert reply.headers["WWW-Authenticate"] == "Token"


@pytest.mark.parametrize("shared", [True, False])
def test_revoking_one_token_may_end_the_others(shared: bool) -> None:
    """Unverified: tokens of one client may share a session."""
    org = Api(shared_sessions=shared)
    one, two = (org.form(TOKEN, grant_type="client_credentials", **CLIENT).body["access_token"] for _ in range(2))
    assert org.form("/services/oauth2/revoke", token=one).status == 200
    org.token = two
    assert org.call("GET", "limits").status == (401 if shared else 200)
    org.token = one
    assert org.call("GET", "limits").status == 401


def test_identity_and_userinfo(org: Api) -> None:
    """A bad token there is 403 with plain text. No address leads to the real vendor."""
    info = org.call("GET", "/services/oauth2/userinfo").body
    assert (info["organization_id"], info["preferred_username"]) == ("00D5g000004SYNCEA4", "integration@acme.example")
    assert info["sub"].startswith("http://acme.test/id/")
    identity = org.call("GET", info["sub"].removeprefix("http://acme.test")).body
    assert identity["user_id"] == info["user_id"] == org.app.org.cast.integration
    org.token = "stale"
    reply = org.call("GET", "/services/oauth2/userinfo")
    assert (reply.status, reply.body) == (403, "Bad_OAuth_Token")


def test_expiry_on_request_and_the_401_that_no_login_mends(org: Api) -> None:
    """Same code, two messages."""
    org.fault("permanent_401", times=1)
    assert org.call("GET", "limits").message == "This session is not valid for use with the REST API"
    assert org.call("GET", "limits").status == 200
    org.fault("expire_token", times=1)
    assert org.call("GET", "limits").message == "Session expired or invalid"
    assert org.call("GET", "limits").status == 401, "the token is dead, not only the request"


# ---------------------------------------------------------------- versions and envelope


def test_versions_need_no_login_and_old_ones_are_gone(org: Api) -> None:
    """410 for what was retired, 404 for what never was."""
    org.token = ""
    listed = org.call("GET", "/services/data/").body
    assert {"label": "Summer '26", "url": "/services/data/v67.0", "version": "67.0"} in listed
    assert org.call("GET", "/services/data/v30.0/limits").status == 410
    assert org.call("GET", "/services/data/v99.0/limits").status == 404
    assert org.call("GET", "/services/data/v67.0/").status == 401
    org.token = Api().token


def test_a_long_uri_is_refused(org: Api) -> None:
    """414 above 16,384 bytes, as HTML; 431 with the headers."""
    assert org.call("GET", f"query?q={'x' * 16_384}").status == 414
    assert org.call("GET", "limits", x_long="x" * 16_384).status == 431


def test_trailing_slashes_are_fine(org: Api) -> None:
    """A well-known client sends them."""
    key = org.make()
    for path in ("", "limits/", "query/?q=SELECT+Id+FROM+Lead", "sobjects/", "sobjects/Lead/", f"sobjects/Lead/{key}/"):
        assert org.call("GET", path).status == 200


@pytest.mark.parametrize("works", [True, False])
def test_the_method_override_is_a_switch(works: bool) -> None:
    """Unverified."""
    org = Api(method_override=works)
    key = org.make()
    assert org.call("POST", f"sobjects/Lead/{key}?_HttpMethod=PATCH", {"Phone": "1"}).status == (204 if works else 405)


def test_gzip_both_ways_and_pretty_printing(org: Api) -> None:
    """Compressed when asked; a compressed body is read; X-PrettyPrint indents."""
    body = gzip.compress(json.dumps({"LastName": "L", "Company": "C"}).encode())
    assert (
        org.call("POST", "sobjects/Lead", body, content_type="application/json", content_encoding="gzip").status == 201
    )
    bad = org.call("POST", "sobjects/Lead", b"{}", content_type="application/json", content_encoding="gzip")
    assert bad.status == 400
    request = Request("GET", "/services/data/v67.0/limits", headers={"authorization": f"Bearer {org.token}"})
    request.headers |= {"accept-encoding": "gzip, deflate", "x-prettyprint": "1"}
    answer = org.app.handle(request)
    assert answer.gzip
    assert b'\n  "DailyApiRequests"' in answer.encoded()[0]


# ---------------------------------------------------------------- limits


def test_every_answer_tells_the_use_and_the_cap_is_hard(org: Api) -> None:
    """Rolling 24 hours, other integrations included; 403 with no Retry-After; failed calls count, too."""
    org.app.switch({"daily_limit": 10, "session_life_s": 10**9})
    assert org.act("usage", calls=7)["used"] == 7
    assert org.call("GET", "limits").headers["Sforce-Limit-Info"] == "api-usage=8/10"
    assert org.call("GET", "nothing").headers["Sforce-Limit-Info"] == "api-usage=9/10"
    assert org.call("GET", "limits").status == 200
    reply = org.call("GET", "limits")
    assert (reply.status, reply.codes, reply.message) == (
        403,
        ["REQUEST_LIMIT_EXCEEDED"],
        "TotalRequests Limit exceeded.",
    )
    assert reply.headers["Sforce-Limit-Info"] == "api-usage=10/10"
    assert "Retry-After" not in reply.headers
    org.advance(86_401)
    assert org.call("GET", "limits").headers["Sforce-Limit-Info"] == "api-usage=8/10"
    org.app.switch({"per_app_limit": 250})
    told = "api-usage=9/10; per-app-api-usage=2/250(appName=syncd)"
    assert org.call("GET", "limits").headers["Sforce-Limit-Info"] == told


def test_the_limits_resource_may_be_stale(org: Api) -> None:
    """Up to five minutes; the header is exact."""
    first = org.call("GET", "limits").body["DailyApiRequests"]
    assert (first["Max"], first["Remaining"]) == (100_000, 99_999)
    org.call("GET", "sobjects")
    assert org.call("GET", "limits").body["DailyApiRequests"] == first
    org.advance(301)
    assert org.call("GET", "limits").body["DailyApiRequests"]["Remaining"] == 99_996


@pytest.mark.parametrize(
    ("kind", "status", "code", "message"),
    [
        ("daily_limit", 403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
        ("concurrent_limit", 403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded."),
        ("server_unavailable", 503, "SERVER_UNAVAILABLE", "server too busy"),
        ("query_timeout", 400, "QUERY_TIMEOUT", "Your query request was running for too long."),
    ],
)
def test_faults_of_whole_requests(org: Api, kind: str, status: int, code: str, message: str) -> None:
    """With the vendor's words; the next request goes through."""
    org.fault(kind, path="/query", times=1)
    reply = org.query("SELECT Id FROM Lead")
    assert (reply.status, reply.codes, reply.message) == (status, [code], message)
    assert org.query("SELECT Id FROM Lead").status == 200


def test_maintenance_speaks_html_and_edge_trouble_nothing(org: Api) -> None:
    """503 with a page, 420 with none; nothing is applied."""
    org.fault("maintenance", method="POST", times=1)
    reply = org.call("POST", "sobjects/Lead", {"LastName": "L", "Company": "C"})
    assert (reply.status, reply.body[:6]) == (503, "<html>")
    org.fault("edge_trouble", times=1)
    assert org.call("GET", "limits").status == 420
    assert org.state() == {}


def test_read_only_lets_reads_through(org: Api) -> None:
    """Maintenance of the writing side: record by record in collections."""
    key = org.make()
    org.app.switch({"read_only": True})
    code = "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE"
    assert org.call("GET", f"sobjects/Lead/{key}").status == 200
    for reply in (
        org.patch(key, Phone="1"),
        org.call("POST", "sobjects/Lead", {"LastName": "L", "Company": "C"}),
        org.call("DELETE", f"sobjects/Lead/{key}"),
    ):
        assert (reply.status, reply.codes) == (503, [code])
    record = {"attributes": {"type": "Lead"}, "id": key, "Phone": "1"}
    result = org.call("PATCH", "composite/sobjects", {"records": [record]})
    assert (result.status, result.body[0]["errors"][0]["statusCode"]) == (200, code)
    assert org.act("edit", object="Lead", key=key, values={"Phone": "1"})["keys"] == [key]


def test_locators_can_be_lost_or_lead_elsewhere() -> None:
    """A next page that is refused, and one whose address names another host."""
    org = Api(page_rows=1)
    for _ in range(3):
        org.make()
    org.fault("invalid_locator", times=1, path=r"/query/0r8")
    url = org.query("SELECT Id FROM Lead").body["nextRecordsUrl"]
    assert org.call("GET", url).codes == ["INVALID_QUERY_LOCATOR"]
    assert org.call("GET", url).status == 200
    org.fault("foreign_next", times=1, host="http://127.0.0.2:9")
    assert org.query("SELECT Id FROM Lead").body["nextRecordsUrl"].startswith("http://127.0.0.2:9/services/data")
    assert org.act("end_cursors")["ended"] == 2


def test_over_a_socket_it_is_a_real_server() -> None:
    """Token, compressed page, dropped connection after the deed, the log without secrets."""
    with serve(create(seed=1)) as server, requests.Session() as session:
        session.trust_env = False
        granted = session.post(server.url + TOKEN, data={"grant_type": "client_credentials", **CLIENT}).json()
        session.headers["Authorization"] = f"Bearer {granted['access_token']}"
        base = granted["instance_url"] + "/services/data/v67.0"
        answer = session.get(f"{base}/sobjects/Lead/describe")
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
        server.control.faults(kind="reset_after", path="/sobjects/Lead", times=1)
        with pytest.raises(requests.ConnectionError):
            session.post(f"{base}/sobjects/Lead", json={"LastName": "L", "Company": "C"})
        assert len(server.control.records("Lead")) == 1
        log = server.control.log(answers=True)
        assert log[-1]["fault"] == "reset_after"
        assert log[-1]["actor"] == "integration@acme.example"
        soap = f"<Envelope><Header><s:sessionId>{granted['access_token']}</s:sessionId></Header><Body/></Envelope>"
        session.post(f"{server.url}/services/Soap/u/67.0", data=soap, headers={"Content-Type": "text/xml"})
        text = json.dumps(server.control.log(answers=True))
        assert "sessionId" in text
        assert "sandbox-secret" not in text
        assert granted["access_token"] not in text
