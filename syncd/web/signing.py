"""Signing in with a password, and out.

Promise: a wrong name and a wrong password look and last the same; after a few of them the address, and the name, wait.
"""

from __future__ import annotations

import math

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from syncd.access import fits, kept_form
from syncd.web import form, render
from syncd.web.gate import COOKIE, cookie
from syncd.web.site import Site

NOBODY = kept_form("nobody has this password", b"\0" * 16)
"""What is compared when there is no such user."""


def page(
    site: Site, request: Request, said: str = "", status: int = 200, name: str = "", back: str | None = None
) -> Response:
    """The form. `back`: where it leads once somebody is signed in; left out: as the address says."""
    if request.state.viewer is not None:
        return RedirectResponse(form.back(request.query_params.get("next", "/")), 303)
    text = render.page(
        "sign_in.html",
        title="Sign in",
        users=bool(site.dashboard.users),
        proxy=site.dashboard.proxy is not None,
        said=said,
        name=name,
        next=form.back(request.query_params.get("next", "/") if back is None else back),
        csrf=site.sessions.form_token("sign-in"),
    )
    return Response(text, status, media_type="text/html")


async def enter(site: Site, request: Request) -> Response:
    """A name and a password."""
    given = await form.read(request)
    if given is None or not site.sessions.is_form_token("sign-in", given.get("csrf", "")):
        return page(site, request, "This form is too old: try again.", 403)
    name, password, now = given.get("name", "")[:64], given.get("password", ""), site.clock.now()
    back = given.get("next", "/")
    who = (f"address {request.client.host if request.client else ''}", f"name {name}")
    wait_s = site.tries.wait_s(who, now)
    if wait_s > 0:
        answer = page(site, request, f"Too many tries: wait {math.ceil(wait_s / 60)} min.", 429, name, back)
        answer.headers["retry-after"] = str(math.ceil(wait_s))
        return answer
    user = site.dashboard.users.get(name)
    site.tries.failed(who, now)  # before the slow comparison: many at once count as many
    right = await run_in_threadpool(fits, password, user.password if user else NOBODY)
    if user is None or not right:
        site.event("dashboard_sign_in_failed", address=who[0])
        return page(site, request, "Name or password is wrong.", 401, name, back)
    site.tries.succeeded(who)
    token = site.sessions.begin(name, user.password, now + site.dashboard.session)
    answer = RedirectResponse(form.back(back), 303)
    answer.set_cookie(
        COOKIE,
        token,
        max_age=int(site.dashboard.session),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return answer


async def leave(site: Site, request: Request) -> Response:
    """Signs out."""
    given = await form.read(request)
    viewer = request.state.viewer
    if given is None or viewer is None or not site.sessions.is_form_token(viewer.about, given.get("csrf", "")):
        return PlainTextResponse("This form is too old: go back and try again.", 403)
    site.sessions.end(cookie(request))
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(COOKIE)
    return answer
