"""The control channel of a sandbox, both ends: the server's answers under `/_control/`, and `Control`, its twin.

Promise: what a test or the demo needs beside the vendor's API (acting as a person, state, request log, faults, clock,
switches) is here and is the same for every vendor. It is no part of any vendor's API and is never logged.

    GET  /_control/health                     {"name", "ok"}
    POST /_control/act                        one action, or a list of them; `at_ms`: done at that time, as history
    GET  /_control/state?object=contacts
    GET  /_control/log?since=N&answers=1      {"entries": [...], "next": N}
    POST /_control/faults                     a rule | a list of rules | {"clear": true} | {"seed": 7, "weights": {...}}
    POST /_control/clock                      {"advance_s": 60} | {"advance_ms": 5} | {"freeze": true | epoch_ms} | {"thaw": true} | {}
    GET  /_control/switches, POST with the changes
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import requests

from syncd.sandbox.wire import Refused, Request, Response

if TYPE_CHECKING:
    from syncd.sandbox.chassis import Host


def answer(host: Host, request: Request) -> Response:
    """Answers one control request; 400 with `error` for what makes no sense, 404 for an unknown name."""
    name = request.path.removeprefix("/_control/")
    route = _ROUTES.get((request.method, name))
    if route is None:
        return Response(404, {"error": f"no control {request.method} {name}"})
    with host.lock:
        host.settle_late()
        try:
            return Response(200, route(host, request))
        except (Refused, ValueError, TypeError, KeyError, re.error) as error:
            return Response(400, {"error": f"{type(error).__name__}: {error}"})


def _health(host: Host, request: Request) -> dict[str, Any]:
    return {"name": host.app.name, "ok": True}


def _act(host: Host, request: Request) -> Any:
    action = request.json()
    if isinstance(action, list):
        return {"results": [_done(host, one) for one in action]}
    return _done(host, action)


def _done(host: Host, action: dict[str, Any]) -> dict[str, Any]:
    """One action. With `at_ms` it is done at that time, and leaves the stamps of that time."""
    at_ms = action.pop("at_ms", None)
    if at_ms is None:
        return host.app.act(action)
    with host.app.clock.at(int(at_ms)):
        return host.app.act(action)


def _state(host: Host, request: Request) -> dict[str, Any]:
    return host.app.state(request.first("object"))


def _log(host: Host, request: Request) -> dict[str, Any]:
    since = int(request.first("since", "0") or 0)
    return {"entries": host.log.since(since, request.first("answers") == "1"), "next": host.log.count}


def _faults(host: Host, request: Request) -> dict[str, Any]:
    given = request.json()
    for rule in given if isinstance(given, list) else [given]:
        if rule.get("clear"):
            host.app.faults.clear()
        elif "weights" in rule:
            host.app.faults.seed(int(rule.get("seed", 0)), rule["weights"])
        elif rule:
            host.app.faults.add(rule)
    return {"rules": [rule.to_json() for rule in host.app.faults.rules], "weights": host.app.faults.weights}


def _clock(host: Host, request: Request) -> dict[str, Any]:
    change = request.json() or {}
    clock = host.app.clock
    if freeze := change.get("freeze"):
        clock.freeze(None if freeze is True else int(freeze))
    if change.get("thaw"):
        clock.thaw()
    clock.advance(round(float(change.get("advance_s", 0)) * 1000) + int(change.get("advance_ms", 0)))
    host.settle_late()
    return {"now_ms": clock.now_ms()}


def _switches(host: Host, request: Request) -> dict[str, Any]:
    return host.app.switch(request.json() or {})


_ROUTES = {
    ("GET", "health"): _health,
    ("POST", "act"): _act,
    ("GET", "state"): _state,
    ("GET", "log"): _log,
    ("POST", "faults"): _faults,
    ("GET", "faults"): lambda host, request: {"rules": [rule.to_json() for rule in host.app.faults.rules]},
    ("POST", "clock"): _clock,
    ("GET", "switches"): _switches,
    ("POST", "switches"): _switches,
}


class Control:
    """The control channel of a running sandbox, for tests and the demo. RuntimeError carries a refusal's words."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = False

    def act(self, do: str | Mapping[str, Any], **action: Any) -> dict[str, Any]:
        """Does one thing as a person: `act("edit", object="contacts", key="101", values={...})`, or a whole action."""
        given = dict(do) if isinstance(do, Mapping) else {"do": do}
        return self._call("POST", "act", {**given, **action})

    def act_all(self, actions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Does several things in one request; the first refusal ends it, those before it stay done."""
        results: list[dict[str, Any]] = self._call("POST", "act", [dict(one) for one in actions])["results"]
        return results

    def state(self, object: str | None = None) -> dict[str, Any]:
        """`{"objects": {NAME: {KEY: {...}}}, ...}`; of one object only when it is named."""
        return self._call("GET", f"state?object={object}" if object else "state")

    def records(self, object: str) -> dict[str, dict[str, Any]]:
        """The records of one object, by key."""
        records: dict[str, dict[str, Any]] = self.state(object)["objects"][object]
        return records

    def log(self, since: int = 0, answers: bool = False) -> list[dict[str, Any]]:
        """Request log entries with `n` greater than `since`."""
        query = f"log?since={since}" + ("&answers=1" if answers else "")
        entries: list[dict[str, Any]] = self._call("GET", query)["entries"]
        return entries

    def faults(self, *rules: Mapping[str, Any], **rule: Any) -> dict[str, Any]:
        """Adds rules: `faults(kind="status", status=503, path="/search", times=2)`. No argument: what is in force."""
        given = [dict(one) for one in rules] + ([rule] if rule else [])
        return self._call("POST", "faults", given)

    def seed_faults(self, seed: int, weights: Mapping[str, float]) -> dict[str, Any]:
        """Random faults from now on; see `Faults.seed`."""
        return self._call("POST", "faults", {"seed": seed, "weights": dict(weights)})

    def clear_faults(self) -> None:
        """No more faults."""
        self._call("POST", "faults", {"clear": True})

    def advance(self, seconds: float) -> int:
        """Jumps the sandbox's clock forward; returns its now in epoch ms."""
        return self.clock(advance_s=seconds)

    def clock(self, **change: Any) -> int:
        """Changes or reads the clock; returns its now in epoch ms."""
        now_ms: int = self._call("POST", "clock", change)["now_ms"]
        return now_ms

    def switches(self, **changes: Any) -> dict[str, Any]:
        """Sets switches; returns all of them."""
        return self._call("POST", "switches", changes)

    def close(self) -> None:
        """Ends its connections."""
        self._session.close()

    def _call(self, method: str, name: str, body: Any = None) -> dict[str, Any]:
        response = self._session.request(
            method, f"{self.url}/_control/{name}", json=body, timeout=30, headers={"Connection": "close"}
        )
        answered: dict[str, Any] = response.json()
        if response.status_code != 200:
            raise RuntimeError(str(answered.get("error", answered)))
        return answered
