"""Who is told what, and how: the `[alerts]` table of syncd.toml.

    [alerts.email.sales]
    host     = "smtp.example.com"
    user     = "syncd"
    password = { env = "SMTP_PASSWORD" }
    from     = "syncd@example.com"
    to       = ["sales-lead@example.com"]
    events   = ["follow_up"]

Promise: secrets stand here by reference only; nothing leaves this machine unencrypted. It opens nothing and sends nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints

from syncd.table import Table, wait
from syncd.units import Duration, Period, is_loopback, named, safe_url

Event = Literal["follow_up", "issue", "held", "unhealthy"]
"""follow_up   a follow-up clock is due soon, breached, or was met after all
issue       something waits for a person, or does no more
held        a guard holds a plan, or does no more
unhealthy   a system, the disk or a cycle is in trouble, or is well again"""
EVENTS: tuple[Event, ...] = ("follow_up", "issue", "held", "unhealthy")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_RECEIVERS = 50
MOST_ADDRESSES = 50

_ADDRESS = re.compile(r"^[^\s@<>\"'(),;:\\]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$")


class Reference(Table):
    """Where a secret is: one of the three."""

    env: str | None = Field(None, description="The name of an environment variable.")
    credential: str | None = Field(None, description="The name of a systemd credential.")
    file: str | None = Field(None, description="A file that nobody else can read; relative ones start at syncd.toml.")


SecretRef = Annotated[Reference, Field(description='{ env = "NAME" }, { credential = "name" } or { file = "path" }.')]


def _email_address(address: Any) -> str:
    if not isinstance(address, str) or not _ADDRESS.match(address):
        raise ValueError("must be an e-mail address, such as name@example.com")
    return address


Address = Annotated[str, named(_email_address)]


class Receiver(Table):
    """What all receivers have in common."""

    events: list[Event] = Field(default_factory=lambda: list(EVENTS), description="What it is told; left out: all.")
    persons: bool = Field(
        False, description="Name the owner of a record too. Else alerts hold keys and links, and no person's data."
    )
    timeout: Period = wait("20s", "The longest a try may take.")


class Webhook(Receiver):
    """`[alerts.webhook.NAME]`: JSON by POST, signed if it has a secret."""

    url: Annotated[str, named(safe_url)] | SecretRef = Field(
        description="https, or http to this machine. An address that holds a token is a secret: by reference."
    )
    secret: SecretRef | None = Field(
        None, description="Signs each message: header Syncd-Signature, HMAC-SHA256 over its time and its body."
    )
    ca: str | None = Field(None, description="A PEM file with the certificates to trust instead of the machine's.")


class Slack(Receiver):
    """`[alerts.slack.NAME]`: a text by POST, as Slack's incoming webhooks (and those of others) take it."""

    url: SecretRef = Field(description="The webhook's address: it is a secret itself.")
    ca: str | None = Field(None, description="A PEM file with the certificates to trust instead of the machine's.")


class Mail(Receiver):
    """`[alerts.email.NAME]`: e-mail by SMTP."""

    host: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.:-]{1,253}$")] = Field(
        description="The mail server that takes our mail."
    )
    port: int | None = Field(None, ge=1, le=65_535, description="Left out: 587, 465 for tls, 25 for none.")
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="none: only to a server on this machine."
    )
    user: str | None = Field(None, description="Who signs in there; left out: nobody.")
    password: SecretRef | None = Field(None, description="Their password.")
    from_: Address = Field(alias="from", description="The sender.")
    to: list[Address] = Field(min_length=1, max_length=MOST_ADDRESSES, description="The receivers.")
    ca: str | None = Field(None, description="A PEM file with the certificates to trust instead of the machine's.")

    @property
    def at(self) -> tuple[str, int]:
        """Host and port."""
        return self.host, self.port or {"starttls": 587, "tls": 465, "none": 25}[self.security]


class Digest(Table):
    """`[alerts.digest]`: the weekly digest, once a week while `syncd run` runs."""

    to: list[str] = Field(default_factory=list, description="Receivers (email or slack) that get it.")
    folder: str | None = Field(
        None, description="Where it is written as HTML and as text; relative ones start at syncd.toml."
    )
    day: Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"] = Field("mon", description="On this day.")
    time: Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = Field(
        "07:00", description="At this time, or as soon as syncd runs after it."
    )
    zone: str = Field("UTC", description="By the clocks of this time zone, such as Europe/Berlin.")


ReceiverName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
AnyReceiver = Webhook | Slack | Mail


class Alerts(Table):
    """`[alerts]`: whom syncd tells by itself, and when it gives up."""

    link: Annotated[str, named(safe_url)] | None = Field(
        None, description="The dashboard's address for links in alerts, such as https://syncd.example.com."
    )
    patience: Duration = wait("5m", "So long a system must be in trouble before anybody is told.")
    tries: int = Field(12, ge=1, le=100, description="Tries of a message before it is given up, with an issue.")
    retry: Period = wait("30s", "The pause after a failed try; it doubles.")
    retry_max: Period = wait("1h", "The longest pause.")
    keep: Period = wait("30d", "How long alerts are kept once told.")
    webhook: dict[ReceiverName, Webhook] = Field(default_factory=dict, max_length=MOST_RECEIVERS)
    slack: dict[ReceiverName, Slack] = Field(default_factory=dict, max_length=MOST_RECEIVERS)
    email: dict[ReceiverName, Mail] = Field(default_factory=dict, max_length=MOST_RECEIVERS)
    digest: Digest | None = Field(None, description="The weekly digest. Left out: only `syncd report weekly` makes it.")

    def receivers(self) -> dict[str, AnyReceiver]:
        """Every receiver by its name."""
        return {**self.webhook, **self.slack, **self.email}


def kind_of(receiver: AnyReceiver) -> str:
    """The table that a receiver stands in."""
    return {Webhook: "webhook", Slack: "slack", Mail: "email"}[type(receiver)]


Flaw = tuple[tuple[str | int, ...], str, str]
"""Where in the file (from `alerts` on), what is wrong, how to mend it."""


def flaws(alerts: Alerts) -> Iterator[Flaw]:
    """What is wrong between keys, each with its place."""
    seen: dict[str, str] = {}
    for kind in ("webhook", "slack", "email"):
        for name, receiver in getattr(alerts, kind).items():
            at = ("alerts", kind, name)
            if name in seen:
                yield at, f"'{name}' is a receiver under {seen[name]} already", "give each its own name"
            seen[name] = kind
            for key in ("url", "secret", "password"):
                given = getattr(receiver, key, None)
                if isinstance(given, Reference) and sum(one is not None for one in given.model_dump().values()) != 1:
                    yield (*at, key), f"'{key}' must name one place of the secret", "env, credential or file"
            if isinstance(receiver, Mail):
                yield from _mail_flaws(receiver, at)
    if alerts.retry > alerts.retry_max:
        yield ("alerts", "retry"), "'retry' is the first pause and cannot be longer than 'retry_max'", ""
    digest = alerts.digest
    if digest is None:
        return
    for index, name in enumerate(digest.to):
        if seen.get(name) not in ("slack", "email"):
            known = [one for one, kind in seen.items() if kind != "webhook"]
            mend = f"there are: {', '.join(known)}" if known else "declare it under [alerts.email.NAME]"
            yield ("alerts", "digest", "to", index), f"there is no receiver '{name}' of kind email or slack", mend
    if not digest.to and digest.folder is None:
        yield ("alerts", "digest"), "the digest goes nowhere", "name receivers (to) or a folder"
    if not _is_zone(digest.zone):
        yield ("alerts", "digest", "zone"), f"there is no time zone '{digest.zone}'", "such as Europe/Berlin, or UTC"


def _mail_flaws(mail: Mail, at: tuple[str, str, str]) -> Iterator[Flaw]:
    if mail.security == "none" and not is_loopback(mail.host):
        said = "'security' may be none only for a server on this machine: mail would travel in the clear"
        yield (*at, "security"), said, "starttls or tls"
    if mail.password is not None and mail.user is None:
        yield (*at, "password"), "there is a password and no user", 'add: user = "…"'


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        return False
    return True
