"""A Salesforce that says what a test scripts, without a socket: the real client over a scripted adapter.

`Scripted` answers each request by the first of its `rules` that fits, and remembers what was asked.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPResponse

from connectors.salesforce import Salesforce, Settings, connect
from syncd.budget import Budget
from syncd.connector import Context
from syncd.http import Http, Timing

LOGIN = "https://acme.my.salesforce.com"
ORG = "00D5g000004SYNCEA4"
USER = "0055g00000AAAAAAA5"
TOKEN = {
    "access_token": "00D5g000004SYNC!first",
    "instance_url": LOGIN,
    "id": f"https://login.salesforce.com/id/{ORG}/{USER}",
    "token_type": "Bearer",
    "issued_at": "1735689600000",
}


@dataclass
class Asked:
    """One request."""

    method: str
    host: str
    path: str
    query: dict[str, list[str]]
    headers: CaseInsensitiveDict[str]
    body: Any

    @property
    def soql(self) -> str:
        """The query asked for."""
        return self.query.get("q", [""])[0]


@dataclass
class Say:
    """One answer. `lost`: the connection breaks instead."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    lost: bool = False


Rule = Callable[[Asked], Say | None]


class Scripted(BaseAdapter):
    """The adapter. Rules added later go first."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Asked] = []
        self.rules: list[Rule] = []
        self.clock = 1_000_000.0
        self.slept: list[float] = []
        self.saved: list[tuple[str, str]] = []
        self.budget = Budget(None, 0.0, 0.0, used=0, day="2026-11-21", now=lambda: self.clock)
        self.on("POST", "/services/oauth2/token", TOKEN)

    def on(
        self, method: str, path: str, *answers: Any, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        """Scripts answers to a method and a path pattern: one after the other, the last for ever. An answer is a
        `Say`, a function of the request, or a body."""
        left = list(answers)

        def rule(asked: Asked) -> Say | None:
            if asked.method != method or not re.search(path, asked.path):
                return None
            answer = left.pop(0) if len(left) > 1 else left[0]
            answer = answer(asked) if callable(answer) else answer
            return answer if isinstance(answer, Say) else Say(answer, status, headers or {})

        self.rules.insert(0, rule)

    def calls(self, pattern: str = "") -> list[Asked]:
        """What was asked of the API, logins left out."""
        return [each for each in self.asked if "oauth2" not in each.path and re.search(pattern, each.path)]

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        parts = urlsplit(str(request.url))
        text = request.body.decode() if isinstance(request.body, bytes) else str(request.body or "")
        form = "form" in str(request.headers.get("Content-Type"))
        body = {k: v[0] for k, v in parse_qs(text).items()} if form else json.loads(text) if text else None
        asked = Asked(str(request.method), parts.netloc, parts.path, parse_qs(parts.query), request.headers, body)
        self.asked.append(asked)
        say = next((said for rule in self.rules if (said := rule(asked)) is not None), None)
        if say is None:
            raise AssertionError(f"nothing scripted for {asked.method} {asked.path}")
        if say.lost:
            raise requests.exceptions.ReadTimeout
        raw = say.body if isinstance(say.body, bytes) else b"" if say.body is None else json.dumps(say.body).encode()
        response = requests.Response()
        response.status_code = say.status
        response.headers = CaseInsensitiveDict({"Content-Type": "application/json;charset=UTF-8", **say.headers})
        response.raw = HTTPResponse(io.BytesIO(raw), preload_content=False, status=say.status)
        return response

    def close(self) -> None:
        """Nothing to end."""

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock += seconds

    # ------------------------------------------------------------ the connector over it

    def context(self, **timing: Any) -> Context:
        """A context whose client goes through this adapter and whose clock is `clock`."""
        waits = Timing(**{"timeout_s": 5.0, "tries": 3, **timing})

        def open_http(**given: Any) -> Http:
            session = requests.Session()
            session.mount("https://", self)
            session.mount("http://", self)
            return Http(
                timing=waits,
                budget=self.budget,
                now=lambda: self.clock,
                sleep=self._sleep,
                random=lambda: 0.5,
                session=session,
                **given,
            )

        return Context(
            system="crm",
            open_http=open_http,
            timing=waits,
            secret=lambda ref, name: ref if isinstance(ref, str) else next(iter(ref.values())),
            save_secret=lambda name, value: self.saved.append((name, value)),
            now=lambda: self.clock,
        )

    def connect(self, settings: dict[str, Any] | None = None, **timing: Any) -> Salesforce:
        """A connector over this adapter."""
        given = {"login_url": LOGIN, "client_id": "sandbox-client", "client_secret": "sandbox-secret"}
        return connect(Settings.model_validate(given | (settings or {})), self.context(**timing))


def lead(number: int, stamp: str = "2026-11-21T10:00:00.000+0000", **fields: Any) -> dict[str, Any]:
    """A row of Lead, as a query answers it."""
    return {
        "attributes": {"type": "Lead", "url": f"/services/data/v67.0/sobjects/Lead/{key(number)}"},
        "Id": key(number),
        "SystemModstamp": stamp,
        "LastModifiedById": "0055g00000BBBBBAA5",
        "IsDeleted": False,
        "MasterRecordId": None,
        "IsConverted": False,
        "ConvertedContactId": None,
        **fields,
    }


def key(number: int) -> str:
    """The 18-character id of the n-th lead."""
    from connectors.salesforce.ids import id18

    return id18(f"00Q5g0000{number:06d}")


def page(*rows: dict[str, Any], following: str = "") -> dict[str, Any]:
    """A page of a query."""
    said: dict[str, Any] = {"totalSize": len(rows), "done": not following, "records": list(rows)}
    return said | ({"nextRecordsUrl": following} if following else {})


def refusal(code: str, message: str = "", **more: Any) -> list[dict[str, Any]]:
    """An error body."""
    return [{"message": message, "errorCode": code, **more}]
