"""Before every page: which name was asked for, who asks, and what that one may do; after it: the headers.

Promise: whoever is not known sees the sign-in page and nothing else; nothing acts without the role `operate`, a form
that one of our pages gave to this very session, and an address of ours as its origin. A page of somebody else's that
leads a browser here (by a form, a frame, or a name that turns to 127.0.0.1) gets nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Literal
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from syncd.access import Role
from syncd.units import is_address, is_loopback
from syncd.web.site import Site

COOKIE = "syncd_session"
SIGN_IN = "/sign-in"
ACTS = "/act/"
"""What only operators may do."""
OPEN = ("/static/", SIGN_IN)
"""What strangers may see."""
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


@dataclass(frozen=True)
class Viewer:
    """Who asks. `about`: what this one's forms are signed for."""

    name: str
    role: Role
    by: Literal["local", "password", "proxy"]
    about: str

    @property
    def may_act(self) -> bool:
        """Whether buttons are shown and obeyed."""
        return self.role == "operate"


class Gate:
    """An ASGI layer around the pages."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app, self._site = app, site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        answer = self._refusal(request)
        at_static = scope["path"].startswith("/static/")

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers["cache-control"] = "max-age=3600" if at_static else "no-store"
            await send(message)

        await (answer or self._app)(scope, receive, with_headers)

    def _refusal(self, request: Request) -> Response | None:
        """Why not; None: go on, with the viewer in the request's state."""
        self._site.in_force()  # whoever was taken out of the file is out within a second
        if not self._is_ours(request.headers):
            return PlainTextResponse("This name is not served here: see [dashboard] hosts in syncd.toml.", 421)
        request.state.viewer = viewer = self._viewer(request)
        if request.method not in ("GET", "HEAD", "POST"):
            return PlainTextResponse("No such method.", 405, {"allow": "GET, HEAD, POST"})
        if request.method == "POST" and not self._same_origin(request.headers):
            return PlainTextResponse("The form came from another site.", 403)
        if viewer is None and not request.url.path.startswith(OPEN):
            if request.method == "POST" or request.headers.get("x-part"):
                return PlainTextResponse("Sign in first.", 401)
            to = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"{SIGN_IN}?next={quote(to, safe='')}", 303)
        acts = request.method == "POST" and request.url.path.startswith(ACTS)
        if acts and viewer is not None and not viewer.may_act:
            return PlainTextResponse("Your role is to view: ask somebody who may operate.", 403)
        return None

    # ------------------------------------------------------------ which name

    def _is_ours(self, headers: Headers) -> bool:
        """Whether the Host header is an address, localhost, or a name that syncd.toml gives. A name that an attacker
        lets turn to this machine is none of these."""
        host = host_of(headers.get("host", ""))
        if host is None:
            return False
        if host == "localhost" or host in self._site.dashboard.hosts:
            return True
        return is_address(host)

    def _same_origin(self, headers: Headers) -> bool:
        fetched = headers.get("sec-fetch-site")
        if fetched is not None and fetched not in ("same-origin", "none"):
            return False
        origin = headers.get("origin")
        return origin is None or urlsplit(origin).netloc.lower() == headers.get("host", "").lower()

    # ------------------------------------------------------------ who

    def _viewer(self, request: Request) -> Viewer | None:
        dashboard = self._site.dashboard
        peer = request.client.host if request.client else ""
        if not dashboard.has_doors:
            passed_on = any(name in request.headers for name in FORWARDED)
            if not is_loopback(peer) or passed_on:
                return None
            return Viewer("", dashboard.local, "local", "local")
        proxy = dashboard.proxy
        if proxy is not None and peer in proxy.address and (name := request.headers.get(proxy.header)):
            role: Role = "operate" if name in proxy.operate else "view"
            return Viewer(name[:64], role, "proxy", f"proxy:{name}")
        token = cookie(request)
        session = self._site.sessions.find(token, self._site.clock.now()) if token else None
        user = dashboard.users.get(session.user) if session else None
        if session is None or user is None or user.password != session.password:
            return None
        return Viewer(session.user, user.role, "password", f"session:{token}")


def host_of(header: str) -> str | None:
    """`Example.com:80`, `[::1]:8642` -> the host in small letters; None for what is none."""
    try:
        parts = urlsplit(f"//{header}")
        return parts.hostname if parts.hostname and not parts.username and not parts.path else None
    except ValueError:
        return None


def cookie(request: Request) -> str:
    """The session's token; empty where there is none."""
    try:
        found = SimpleCookie(request.headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""
