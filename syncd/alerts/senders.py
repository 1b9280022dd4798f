"""One message to one receiver: JSON by POST, a text to a Slack-style webhook, or an e-mail by SMTP.

Promise: `send` returns when the receiver took the message, and raises `NotSent` otherwise; its words name no address,
secret or value. Nothing follows a redirection, nothing is taken from the environment, an answer is read for a bounded
time. It keeps nothing and decides nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from email.message import EmailMessage
from email.utils import formatdate
from urllib.parse import urlsplit

import orjson

from syncd.alerts.letters import Letter
from syncd.errors import ConfigError
from syncd.receivers import AnyReceiver, Mail, Reference, Slack, Webhook
from syncd.secrets import Secrets
from syncd.transport import Lost, Unsent, is_loopback

MOST_ANSWER_BYTES = 64 * 1024
MOST_SLACK = 35_000
"""Characters of one text: Slack cuts at 40,000."""
SIGNATURE = "Syncd-Signature"


class NotSent(Exception):
    """The receiver did not take it. The text may be shown to anybody. `after_s`: it asked for such a pause."""

    def __init__(self, reason: str, after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.after_s = after_s


def send(receiver: AnyReceiver, letter: Letter, secrets: Secrets, now: Callable[[], float] = time.time) -> None:
    """Sends it, and returns once the receiver said that it has it. Raises NotSent."""
    try:
        if isinstance(receiver, Webhook):
            _webhook(receiver, letter, secrets, now)
        elif isinstance(receiver, Slack):
            _slack(receiver, letter, secrets)
        else:
            _mail(receiver, letter, secrets, now)
    except ConfigError as error:
        raise NotSent(error.message) from None


# ---------------------------------------------------------------- by HTTP


def _webhook(receiver: Webhook, letter: Letter, secrets: Secrets, now: Callable[[], float]) -> None:
    body = orjson.dumps({**letter.doc, "subject": letter.subject, "text": letter.text})
    headers = {"Syncd-Message": letter.id}
    if receiver.secret is not None:
        headers[SIGNATURE] = signature(secrets.reveal(receiver.secret, "secret"), body, round(now()))
    url = secrets.reveal(receiver.url, "url") if isinstance(receiver.url, Reference) else receiver.url
    _post(url, body, headers, receiver.timeout, _trusted(secrets, receiver.ca))


def signature(secret: str, body: bytes, at: int) -> str:
    """`t=1700000000,v1=HEX`: HMAC-SHA256 with the secret over the time, a point and the body."""
    made = hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={made}"


def _slack(receiver: Slack, letter: Letter, secrets: Secrets) -> None:
    text = letter.text if letter.html is None else f"{letter.subject}\n```\n{letter.text}```"
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")[:MOST_SLACK]
    ca = _trusted(secrets, receiver.ca)
    _post(secrets.reveal(receiver.url, "url"), orjson.dumps({"text": text}), {}, receiver.timeout, ca)


def _post(url: str, body: bytes, headers: dict[str, str], timeout_s: float, ca: str | None) -> None:
    from syncd.wire import Wire

    try:
        parts = urlsplit(url)
        base = f"{parts.scheme}://{parts.netloc}"
        wire = Wire(base, timeout_s=timeout_s, now=time.monotonic, max_body_bytes=MOST_ANSWER_BYTES, ca_file=ca)
    except (ValueError, ConfigError):
        raise NotSent("its address is not https, nor http to this machine") from None
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    sent = {"Content-Type": "application/json", "User-Agent": "syncd", "Accept": "*/*", **headers}
    try:
        answer = wire.exchange("POST", target, sent, body, "the receiver")
    except (Unsent, Lost) as error:
        raise NotSent(str(error)) from None
    except Exception as error:  # whatever an address that cannot be used makes the client raise; it may quote it
        raise NotSent(f"the message could not be sent ({type(error).__name__})") from None
    finally:
        wire.close()
    if not 200 <= answer.status < 300:
        asked = answer.headers.get("Retry-After") or ""
        raise NotSent(f"the receiver answered {answer.status}", float(asked) if asked.isdigit() else 0.0)


def _trusted(secrets: Secrets, ca: str | None) -> str | None:
    return None if ca is None else str(secrets.file.parent / ca)


# ---------------------------------------------------------------- by SMTP


def _mail(receiver: Mail, letter: Letter, secrets: Secrets, now: Callable[[], float]) -> None:
    password = secrets.reveal(receiver.password, "password") if receiver.password is not None else ""
    host, port = receiver.at
    if receiver.security == "none" and not is_loopback(host):
        raise NotSent("mail to another machine is never sent in the clear")
    server: smtplib.SMTP | None = None
    alarm = None
    try:
        trusted = ssl.create_default_context(cafile=_trusted(secrets, receiver.ca))
        tls = receiver.security == "tls"
        server = (
            smtplib.SMTP_SSL(timeout=receiver.timeout, context=trusted)
            if tls
            else smtplib.SMTP(timeout=receiver.timeout)
        )
        server._host = host  # type: ignore[attr-defined]  # whose certificate is asked for; else only the constructor sets it
        alarm = threading.Timer(receiver.timeout, _cut, (server,))  # a server that drips never times out by itself
        alarm.daemon = True
        alarm.start()
        server.connect(host, port)
        if receiver.security == "starttls":
            server.starttls(context=trusted)
        if receiver.user is not None and password:
            server.login(receiver.user, password)
        refused = server.send_message(message(receiver, letter, now()))
        with suppress(smtplib.SMTPException, OSError):
            server.quit()  # it said that it has the mail: how it takes leave changes nothing
    except smtplib.SMTPResponseException as error:
        raise NotSent(f"the mail server answered {error.smtp_code} ({type(error).__name__})") from None
    except smtplib.SMTPRecipientsRefused as error:
        raise NotSent(f"the mail server refused all {len(error.recipients)} addresses") from None
    except ssl.SSLCertVerificationError:
        raise NotSent("the mail server's certificate is not trusted") from None
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise NotSent(f"the mail server could not be used ({type(error).__name__})") from None
    finally:
        if alarm is not None:
            alarm.cancel()
        if server is not None:
            server.close()
    if refused:
        # It went to the others: sent again, they would get it twice. Whoever reads the log mends the list.
        raise Partly(f"the mail server refused {len(refused)} of {len(receiver.to)} addresses")


def _cut(server: smtplib.SMTP) -> None:
    with suppress(OSError, AttributeError):
        server.sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]


class Partly(Exception):
    """Some of a receiver's addresses were refused; the others have the message."""


def message(receiver: Mail, letter: Letter, at: float) -> EmailMessage:
    """The e-mail. The same letter has the same Message-ID, so that a second copy can be told."""
    mail = EmailMessage()
    mail["From"] = receiver.from_
    mail["To"] = ", ".join(receiver.to)
    mail["Subject"] = letter.subject.replace("\r", " ").replace("\n", " ")[:200]
    mail["Date"] = formatdate(at)
    mail["Message-ID"] = f"<{letter.id}@{receiver.from_.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(letter.text)
    if letter.html is not None:
        mail.add_alternative(letter.html, subtype="html")
    return mail
