"""One message to one receiver, over real sockets: taken whole, or not sent and why, and never a secret in the words."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from syncd.alerts import letters
from syncd.alerts.senders import NotSent, Partly, send
from syncd.receivers import Mail, Slack, Webhook
from syncd.secrets import Secrets
from tests.alerts.receivers import Hook, Smtp

TOKEN = "s3cr3t-t0ken"
LETTER = letters.trial(1_800_000_000.0)
DIGEST = letters.of_week("2027-W02", {"text": "Won: <b>1</b>\n", "html": "<h1>Won</h1>"})


def secrets(folder: Path, **environ: str) -> Secrets:
    return Secrets(folder / "syncd.toml", environ)


def mail(port: int, **more: Any) -> Mail:
    return Mail.model_validate(
        {
            "host": "127.0.0.1",
            "port": port,
            "from": "syncd@x.test",
            "to": ["a@x.test", "b@x.test"],
            "timeout": "5s",
            **more,
        }
    )


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for this machine, signed by itself, with its key."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "here")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "here.pem"
    pem = serialization.Encoding.PEM
    path.write_bytes(
        made.public_bytes(pem) + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


def test_a_webhook_gets_json_with_a_signature_that_can_be_checked(hook: Hook, tmp_path: Path) -> None:
    """HMAC-SHA256 over time and body, so that nobody else's message is believed, nor an old one."""
    receiver = Webhook.model_validate({"url": {"env": "URL"}, "secret": {"env": "S"}})
    send(receiver, LETTER, secrets(tmp_path, S=TOKEN, URL=f"{hook.url}/in?x=1"), lambda: 1_800_000_000.4)
    (got,) = hook.got
    at, _, sign = got.headers["Syncd-Signature"].partition(",v1=")

    assert (got.path, at) == ("/in?x=1", "t=1800000000")
    assert sign == hmac.new(TOKEN.encode(), b"1800000000." + got.body, hashlib.sha256).hexdigest()
    assert got.json["alerts"][0]["event"] == "test"
    assert TOKEN.encode() not in got.body


def test_a_slack_webhook_gets_a_text_without_markup(hook: Hook, tmp_path: Path) -> None:
    """Its address is a secret, and what a campaign is called cannot ping a channel."""
    receiver = Slack.model_validate({"url": {"env": "URL"}})
    send(receiver, DIGEST, secrets(tmp_path, URL=f"{hook.url}/services/{TOKEN}"))
    (got,) = hook.got

    assert got.path == f"/services/{TOKEN}"
    assert set(got.json) == {"text"}
    assert "&lt;b&gt;" in got.json["text"]


@pytest.mark.parametrize("status", [302, 400, 404, 500])
def test_whoever_does_not_take_it_has_not_got_it(hook: Hook, tmp_path: Path, status: int) -> None:
    """Only 2xx is an answer; a redirection is not followed."""
    hook.answers, hook.headers = [status], {"Location": f"{hook.url}/elsewhere"}
    with pytest.raises(NotSent, match=str(status)):
        send(Webhook.model_validate({"url": hook.url}), LETTER, secrets(tmp_path))
    assert len(hook.got) == 1


def test_a_pause_that_the_receiver_asks_for_is_told(hook: Hook, tmp_path: Path) -> None:
    """429 with Retry-After."""
    hook.answers, hook.headers = [429], {"Retry-After": "7"}
    with pytest.raises(NotSent) as failed:
        send(Webhook.model_validate({"url": hook.url}), LETTER, secrets(tmp_path))
    assert failed.value.after_s == 7.0


@pytest.mark.parametrize(
    "url", ["http://example.com/" + TOKEN, "ftp://x/" + TOKEN, TOKEN, "http://127.0.0.1:1/" + TOKEN]
)
def test_what_went_wrong_is_said_without_the_address(tmp_path: Path, url: str) -> None:
    """A secret address stands in no reason; and never is one called in the clear on another machine."""
    with pytest.raises(NotSent) as failed:
        send(Slack.model_validate({"url": {"env": "URL"}}), LETTER, secrets(tmp_path, URL=url))
    assert TOKEN not in str(failed.value)
    with pytest.raises(NotSent, match="NOWHERE is not set"):
        send(Slack.model_validate({"url": {"env": "NOWHERE"}}), LETTER, secrets(tmp_path))


def test_mail_is_sent_with_text_and_html(smtp: Smtp, tmp_path: Path) -> None:
    """Plain only to this machine; the same message has the same number."""
    for _ in range(2):
        send(mail(smtp.port, security="none"), DIGEST, secrets(tmp_path))
    first, again = smtp.got

    assert (first.sender, first.to) == ("syncd@x.test", ["a@x.test", "b@x.test"])
    assert first.message["Subject"] == "syncd: week 2027-W02"
    assert first.message["Message-ID"] == again.message["Message-ID"]
    assert first.message["Auto-Submitted"] == "auto-generated"
    html, text = (first.message.get_body((kind,)) for kind in ("html", "plain"))
    assert html is not None
    assert text is not None
    assert "<h1>Won</h1>" in html.get_content()
    assert "Won: <b>1</b>" in text.get_content()


def test_starttls_and_tls_check_who_is_there_before_they_sign_in(certificate: Path, tmp_path: Path) -> None:
    """A server that nobody vouches for gets neither password nor mail."""
    given = secrets(tmp_path, PW=TOKEN)
    for kind, at_once in (("starttls", False), ("tls", True)):
        with Smtp(tls=certificate, at_once=at_once, password=TOKEN) as smtp:
            signed = {"security": kind, "user": "me", "password": {"env": "PW"}}
            send(mail(smtp.port, ca=str(certificate), **signed), LETTER, given)
            with pytest.raises(NotSent, match="not trusted"):
                send(mail(smtp.port, **signed), LETTER, given)
            assert [(one.encrypted, one.user) for one in smtp.got] == [(True, "me")]


def test_a_server_without_starttls_gets_nothing(smtp: Smtp, tmp_path: Path) -> None:
    """Somebody in between may have taken the offer away."""
    with pytest.raises(NotSent):
        send(mail(smtp.port), LETTER, secrets(tmp_path))
    assert smtp.got == []


def test_what_a_mail_server_refuses_is_told_by_its_code(tmp_path: Path) -> None:
    """Wrong password, no such address, not now; nobody's address and no password in the words."""
    with Smtp(password="other", refuse=("a@x.test",), answers=["451 later b@x.test"]) as smtp:
        with pytest.raises(NotSent, match="451") as failed:
            send(mail(smtp.port, security="none"), LETTER, secrets(tmp_path))
        assert "@" not in str(failed.value)
        with pytest.raises(Partly, match="1 of 2"):
            send(mail(smtp.port, security="none"), LETTER, secrets(tmp_path))
        assert [one.to for one in smtp.got] == [["b@x.test"]]
        with pytest.raises(NotSent, match="535"):
            send(
                mail(smtp.port, security="none", user="me", password={"env": "PW"}), LETTER, secrets(tmp_path, PW=TOKEN)
            )


def test_an_answer_that_drips_costs_a_bounded_time(tmp_path: Path) -> None:
    """Nobody who takes a connection and says nothing keeps it for ever."""
    import socket

    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        port = deaf.getsockname()[1]
        with pytest.raises(NotSent):
            send(
                Webhook.model_validate({"url": f"http://127.0.0.1:{port}", "timeout": "100ms"}),
                LETTER,
                secrets(tmp_path),
            )
        with pytest.raises(NotSent, match="could not be used"):
            send(mail(port, security="none", timeout="100ms"), LETTER, secrets(tmp_path))
