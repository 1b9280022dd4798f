"""Where the polite client's calls may go: nowhere but where the settings say, whatever an answer or the environment says."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from scripted import Client, Server, ok

from syncd.errors import ConfigError, Doubt, Fault, Transient
from syncd.http import BadAnswer, segment


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_not_followed(server: Server, client: Client, status: str) -> None:
    """Rule: the token goes to one origin only (X01)."""
    thief = Server()
    server.scripts = [ok(b"", status, headers=f"Location: {thief.url}/x\r\n")]

    with pytest.raises(Transient, match="redirect to another place; not followed"):
        client().read("GET", "/x")
    with pytest.raises(Transient, match="not followed"):
        client().send("POST", "/x", json={})
    thief.close()
    assert thief.seen == []
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("/services/data/v67.0/query/01g-2000?x=1", "/services/data/v67.0/query/01g-2000?x=1"),
        ("https://api.example.test/a?b=c", "/a?b=c"),
        ("https://API.example.test:443/a", "/a"),
        ("https://evil.test/a", None),
        ("http://api.example.test/a", None),
        ("https://api.example.test:444/a", None),
        ("https://api.example.test@evil.test/a", None),
        ("https://user@api.example.test/a", None),
        ("https://api.example.test.evil.test/a", None),
        ("//evil.test/a", None),
        ("/\\evil.test/a", None),
        ("/a\r\nX: y", None),
        ("a/b", None),
        ("", None),
        ("https://[::1/a", None),
    ],
)
def test_an_address_from_an_answer_must_lead_back_here(client: Client, url: str, path: str | None) -> None:
    """Rule: a forged next page is not followed (X02, H066)."""
    http = client(base_url="https://api.example.test")

    if path is None:
        with pytest.raises(BadAnswer):
            http.same_origin(url)
    else:
        assert http.same_origin(url) == path


@pytest.mark.parametrize("url", ["http://api.example.test", "ftp://api.example.test", "api.example.test", "https://"])
def test_plain_http_is_for_this_machine_only(client: Client, url: str) -> None:
    """Rule: a token never crosses a network in the clear (X33)."""
    with pytest.raises(ConfigError):
        client(base_url=url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://localhost:9", "http://[::1]:9", "https://x.test"])
def test_loopback_and_https_are_allowed(client: Client, url: str) -> None:
    """Rule: sandboxes on this machine need no certificate."""
    client(base_url=url)


def test_the_environment_cannot_move_our_calls(server: Server, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule: a proxy comes from the settings only."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    assert client().read("GET", "/x").status == 200


def test_a_proxy_of_the_settings_is_used(server: Server, client: Client) -> None:
    """Rule: the settings' proxy, and no other."""
    assert client(base_url="http://127.0.0.1:1", proxy=server.url).read("GET", "/x").status == 200
    assert server.seen[0].startswith(b"GET http://127.0.0.1:1/x ")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, str]:
    """A server's certificate for 127.0.0.1 that signed itself, and the file that holds it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(made.public_bytes(Encoding.PEM) + secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context, str(file)


def test_a_server_that_nobody_vouches_for_gets_nothing(client: Client, certificate: tuple[ssl.SSLContext, str]) -> None:
    """Rule: TLS is always verified; a file of certificates can be added, and only that (K28, X33)."""
    context, file = certificate
    server = Server(context)

    with pytest.raises(Transient, match="certificate is not trusted") as caught:
        client(base_url=server.url).send("POST", "/x", json={})
    assert not isinstance(caught.value, Doubt)
    assert server.seen == []
    assert client(base_url=server.url, ca_file=file).read("GET", "/x").status == 200
    server.close()


def test_cookies_are_not_kept(server: Server, client: Client) -> None:
    """Rule: nothing but the token speaks for us."""
    server.scripts = [ok(headers="Set-Cookie: a=b\r\n")]
    http = client()
    http.read("GET", "/x")
    http.read("GET", "/x")

    assert b"ookie" not in server.seen[1]


@pytest.mark.parametrize("path", ["x", "//evil/x", "/a b", "/a\r\nHost: evil"])
def test_a_path_that_is_none_is_our_fault(client: Client, path: str) -> None:
    """Rule: nothing from a record can split a request (X17)."""
    with pytest.raises(Fault):
        client().read("GET", path)


def test_a_key_is_one_segment_whatever_stands_in_it() -> None:
    """Rule: a key cannot name another endpoint (X17)."""
    assert segment("a/../b?c#d\r\n") == "a%2F..%2Fb%3Fc%23d%0D%0A"
    for text in ("", ".", ".."):
        with pytest.raises(ValueError, match="segment"):
            segment(text)
