"""The polite client: every call of every connector goes through here.

Promise: a request that may change something is never repeated once it may have been carried out; nothing is sent
faster than the vendor's limits, beyond the day's budget, or while the vendor asked for quiet; the token goes to one
origin only, and no secret, value or query string stands in a message. It does not know any vendor: what an answer
means is said by the connector's `classify`. Whether to stop calling a broken system altogether is the daemon's matter.

A connector needs nothing else: what it may use of `syncd.auth`, `syncd.verdict`, `syncd.pace`,
`syncd.budget`, `syncd.trail`, `syncd.transport` and `syncd.wire` is named here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, TypedDict, Unpack
from urllib.parse import urlencode

import msgspec
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from syncd.auth import Auth, Bearer, NoAuth
from syncd.budget import DAY_S, Budget, Lane
from syncd.connector import Meter
from syncd.errors import AccessError, Doubt, Fault, QuotaExhausted, Transient
from syncd.pace import Pace, Timing
from syncd.trail import Trail
from syncd.transport import (
    MAX_BODY_BYTES,
    UNREADABLE,
    Answer,
    BadAnswer,
    Lost,
    Unsent,
    segment,
    too_many_parts,
    without_ids,
)
from syncd.verdict import ERROR, EXPIRED, OK, Daily, Verdict, by_status, retry_after_s

if TYPE_CHECKING:
    import requests

__all__ = [
    "ERROR", "EXPIRED", "OK", "UNREADABLE", "Answer", "Auth", "BadAnswer", "Bearer", "Budget", "Daily", "Http", "Lane", "Meter",
    "NoAuth", "Timing", "Trail", "Verdict", "by_status", "retry_after_s", "segment", "too_many_parts",
]  # fmt: skip


class Options(TypedDict, total=False):
    """What may be said about a call."""

    params: Mapping[str, Any] | Sequence[tuple[str, Any]] | None
    json: Any
    """Anything that msgspec encodes."""
    form: Mapping[str, str] | None
    body: bytes | None
    headers: Mapping[str, str] | None
    meters: Sequence[str] | None
    """Names of the meters that the call counts in; not given: all of them."""
    counted: bool
    """False: not in the day's budget."""
    authorized: bool
    """False: without the token."""
    template: str | None
    """The path for counters and messages, where it cannot be told from `path`."""


@dataclass(slots=True)
class _Call:
    """One call of a connector, with what its tries have in common."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes | None
    repeatable: bool
    meters: Sequence[str] | None
    counted: bool
    authorized: bool
    template: str
    what: str
    refreshed: bool = False
    flights: int = 0
    """Refreshes that had ended when this call looked at the header."""
    tries: int = 0


class _Again(Exception):
    """This try failed, and the call may be made again after `after_s` (None: our own pause)."""

    def __init__(self, message: str, after_s: float | None = None) -> None:
        super().__init__(message)
        self.after_s = after_s


class Http:
    """One account's client, for any number of threads. Made by the shell through `Context.open_http`."""

    def __init__(
        self,
        *,
        base_url: str,
        auth: Auth,
        timing: Timing,
        budget: Budget,
        meters: Sequence[Meter] = (),
        classify: Callable[[Answer], Verdict] = by_status,
        now: Callable[[], float],
        sleep: Callable[[float], None],
        random: Callable[[], float],
        daily: Callable[[Answer], Daily | None] | None = None,
        headers: Mapping[str, str] | None = None,
        session: requests.Session | None = None,
        on_call: Callable[[str, str, int, float], None] | None = None,
        max_body_bytes: int = MAX_BODY_BYTES,
        proxy: str | None = None,
        ca_file: str | None = None,
    ) -> None:
        """Arguments that the connector gives: base_url, auth, meters, classify, daily (reads the vendor's figure out
        of any answer), headers (sent with every request). The shell binds the rest.

        `now`: seconds, for durations only. `on_call(method, path template, status (0: none), seconds)` after each
        request. Raises ConfigError if base_url is neither https nor this machine.
        """
        self.budget = budget
        self.timing = timing
        self.calls = 0
        """Requests that left, since the start."""
        self._auth = auth
        self._classify = classify
        self._daily = daily
        self._now = now
        self._random = random
        self._on_call = on_call
        self._headers = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "syncd"}
        self._headers.update(headers or {})
        self._pace = Pace(meters, now, sleep)
        # The HTTP library takes a tenth of a second to load: commands that call nobody do without.
        from syncd.wire import Wire

        self._wire = Wire(
            base_url,
            timeout_s=timing.timeout_s,
            now=now,
            max_body_bytes=max_body_bytes,
            session=session,
            proxy=proxy,
            ca_file=ca_file,
        )
        self._retrying = Retrying(
            stop=stop_after_attempt(timing.tries),
            wait=self._pause_s,
            retry=retry_if_exception_type(_Again),
            sleep=sleep,
            reraise=True,
        )
        self._lock = threading.Lock()
        self._lanes = threading.local()
        self._refreshing = threading.Lock()
        self._flights = 0
        self._failed: Exception | None = None

    def read(self, method: str, path: str, **options: Unpack[Options]) -> Answer:
        """Asks something that changes nothing, whatever the method. Repeated on any passing trouble.

        Returns the answer where the verdict is ok or error. Raises Transient, QuotaExhausted, AccessError.
        """
        return self._run(self._prepare(method, path, True, options))

    def send(self, method: str, path: str, **options: Unpack[Options]) -> Answer:
        """Asks for something that may change something; options as for `read`.

        Repeated only where it surely was not carried out. Raises Doubt when nobody knows; Transient, QuotaExhausted
        and AccessError mean that nothing was carried out.
        """
        return self._run(self._prepare(method, path, False, options))

    @contextmanager
    def lane(self, lane: Lane | None) -> Iterator[None]:
        """Calls of this thread inside the block belong to a lane (else "normal"). None: always allowed (tokens,
        identity)."""
        before = getattr(self._lanes, "lane", "normal")
        self._lanes.lane = lane
        try:
            yield
        finally:
            self._lanes.lane = before

    def same_origin(self, url: str) -> str:
        """The path and query of an address found in an answer, if it leads back to this very origin. Raises
        BadAnswer otherwise: a forged one would carry the token away."""
        path = self._wire.own_path(url)
        if path is None:
            raise BadAnswer("an answer pointed to another place; not followed")
        return path

    def close(self) -> None:
        """Ends connections. Safe to call twice."""
        self._wire.close()

    def __repr__(self) -> str:
        return f"Http({self._wire.origin})"

    # ------------------------------------------------------------ one call, several tries

    def _prepare(self, method: str, path: str, repeatable: bool, options: Options) -> _Call:
        if not path.startswith("/") or path.startswith("//") or not path.isprintable() or " " in path:
            raise Fault("a path that a connector made is none")
        headers = dict(self._headers)
        body = options.get("body")
        if (json := options.get("json")) is not None:
            body = msgspec.json.encode(json)
            headers["Content-Type"] = "application/json"
        elif (form := options.get("form")) is not None:
            body = urlencode(form).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if extra := options.get("headers"):
            headers.update(extra)
        target = path
        if params := options.get("params"):
            # A comma may stand in a query; long lists of names are quoted at a tenth of the cost so.
            target = f"{path}{'&' if '?' in path else '?'}{urlencode(params, doseq=True, safe=',')}"
        shape = options.get("template") or without_ids(path)
        return _Call(
            method=method,
            target=target,
            headers=headers,
            body=body,
            repeatable=repeatable,
            meters=options.get("meters"),
            counted=options.get("counted", True),
            authorized=options.get("authorized", True),
            template=shape,
            what=f"{method} {shape}",
        )

    def _run(self, call: _Call) -> Answer:
        try:
            return self._retrying(self._attempt, call)
        except _Again as again:
            message, after_s = f"{again} (tried {call.tries} times)", again.after_s or 0.0
        raise Transient(message, after_s=min(after_s, self.timing.retry_max_s))

    def _attempt(self, call: _Call) -> Answer:
        """One try. Raises _Again where the call may be repeated."""
        call.tries += 1
        header = self._header(call)
        answer, verdict = self._exchange(call, header)
        if verdict.kind == "expired":
            if not call.authorized:
                return answer
            if call.refreshed:
                self._refuse_fresh(call, verdict)
            self._refresh(header, call)
            answer, verdict = self._exchange(call, self._auth.header())
            if verdict.kind == "expired":
                self._refuse_fresh(call, verdict)
        if verdict.kind not in ("ok", "error"):
            self._raise(call, answer, verdict)
        return answer

    def _exchange(self, call: _Call, header: str) -> tuple[Answer, Verdict]:
        lane: Lane | None = getattr(self._lanes, "lane", "normal")
        if call.authorized and header != "-":
            if not (header.isascii() and header.isprintable()):  # the HTTP library's complaint would quote it
                raise AccessError(
                    "the token is none that a header can hold", remedy="check the token, or what the login answered"
                )
            call.headers["Authorization"] = header
        if call.counted:
            self.budget.spend(lane)
        with self._pace.slot(call.meters, lane):
            answer = self._request(call)
        if self._daily is not None and (figure := self._daily(answer)) is not None:
            self.budget.vendor(figure.limit, figure.remaining, figure.resets_s)
        if 300 <= answer.status < 400:
            self._refuse_redirect(call, answer)
        verdict = self._classify(answer)
        if verdict.kind == "ok" and _is_garbage(answer):
            verdict = Verdict("transient", f"status {answer.status} with a body that is not the JSON it should be")
        return answer, verdict

    def _request(self, call: _Call) -> Answer:
        start = self._now()
        outcome: Answer | Unsent | Lost
        try:
            outcome = self._wire.exchange(call.method, call.target, call.headers, call.body, call.what)
        except (Unsent, Lost) as trouble:
            outcome = trouble
        if not isinstance(outcome, Unsent):
            with self._lock:
                self.calls += 1
        if self._on_call is not None:
            status = outcome.status if isinstance(outcome, Answer) else 0
            self._on_call(call.method, call.template, status, self._now() - start)
        if isinstance(outcome, Answer):
            return outcome
        if isinstance(outcome, Lost) and not call.repeatable:
            raise _doubt(str(outcome))
        raise _Again(str(outcome))

    def _raise(self, call: _Call, answer: Answer, verdict: Verdict) -> NoReturn:
        """Everything but ok, error and expired ends here."""
        message = f"{call.what}: {verdict.message or f'status {answer.status}'}"
        after_s = retry_after_s(answer)
        if after_s is None:
            after_s = verdict.after_s
        match verdict.kind:
            case "throttled":
                pause_s = self._backoff_s(call.tries) if after_s is None else min(after_s, self.timing.retry_max_s)
                self._pace.pause(verdict.meter, pause_s)
                raise _Again(message, pause_s)
            case "daily":
                raise QuotaExhausted(
                    message,
                    remedy=verdict.remedy or "wait until the vendor's day turns",
                    after_s=min(after_s or 0.0, DAY_S),
                )
            case "access":
                raise AccessError(message, remedy=verdict.remedy)
            case "transient" if call.repeatable or not verdict.executed:
                raise _Again(message, after_s)
            case "transient":
                raise _doubt(message)
        raise Fault(f"a verdict of the kind {verdict.kind!r} is not known")

    def _refuse_redirect(self, call: _Call, answer: Answer) -> NoReturn:
        message = f"{call.what}: answered with a redirect to another place; not followed"
        if not call.repeatable and answer.status not in (304, 307, 308):  # the others may come after the deed
            raise _doubt(message)
        raise Transient(message, remedy="check base_url: the system may have moved")

    def _refuse_fresh(self, call: _Call, verdict: Verdict) -> NoReturn:
        raise AccessError(
            f"{call.what}: {verdict.message or 'refused'}, also with a fresh token",
            remedy=verdict.remedy or "check the credentials and what they are allowed to do",
        )

    def _backoff_s(self, tries: int) -> float:
        """Doubling, capped, with jitter down to a half, so that threads that failed together do not return together."""
        pause_s = min(self.timing.retry_s * 2.0 ** (tries - 1), self.timing.retry_max_s)
        return pause_s * (0.5 + 0.5 * self._random())

    def _pause_s(self, state: RetryCallState) -> float:
        trouble = state.outcome.exception() if state.outcome else None
        asked = trouble.after_s if isinstance(trouble, _Again) else None
        return self._backoff_s(state.attempt_number) if asked is None else min(asked, self.timing.retry_max_s)

    # ------------------------------------------------------------ tokens

    def _header(self, call: _Call) -> str:
        if not call.authorized:
            return "-"
        call.flights = self._flights
        header = self._auth.header()
        if not header:
            self._refresh("", call)
            header = self._auth.header()
        return header

    def _refresh(self, stale: str, call: _Call) -> None:
        """One flight for all threads that saw the same stale header: who came late shares its end, good or bad."""
        call.refreshed = True
        with self._refreshing:
            if self._flights != call.flights:
                if self._failed is not None:
                    raise self._failed
                return
            self._failed = None
            try:
                self._auth.refresh(stale)
            except (AccessError, Transient) as trouble:
                self._failed = trouble
                raise
            finally:
                self._flights += 1


def _doubt(message: str) -> Doubt:
    return Doubt(f"{message}; it may have been carried out", remedy="looked up before it is tried again")


def _is_garbage(answer: Answer) -> bool:
    """A good status with a web page or half a JSON text in it. Cheap: no decoding."""
    body = answer.body
    if not body:
        return False
    kind = answer.headers.get("Content-Type", "")
    if "json" in kind:
        text = body.strip()
        return not text or (text[:1], text[-1:]) not in ((b"{", b"}"), (b"[", b"]"))
    return "html" in kind
