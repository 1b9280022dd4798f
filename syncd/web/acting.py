"""The buttons: which deed each asks for, with which words.

Promise: a button asks for exactly the deed that the command of the same name asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from syncd.errors import SyncdError
from syncd.web import form
from syncd.web.site import Site

Form = Mapping[str, str]


def _retry(given: Form) -> tuple[dict[str, Any], str]:
    if given.get("id"):
        return {"id": int(given["id"])}, f"Retry issue {int(given['id'])}"
    return {"kind": given.get("kind") or None, "mapping": given.get("mapping") or None}, "Retry issues"


def _resolve(given: Form) -> tuple[dict[str, Any], str]:
    doc = {"id": int(given["id"]), "pick": given["pick"], "for": given.get("for") or None}
    return doc, f"Resolve issue {int(given['id'])}"


def _restore(given: Form) -> tuple[dict[str, Any], str]:
    return {"id": int(given["id"])}, f"Restore the lost value of conflict {int(given['id'])}"


def _approve(given: Form) -> tuple[dict[str, Any], str]:
    deletes = {"": None, "send": True, "decline": False}[given.get("deletes", "")]
    what = {None: "Approve the plan of", True: "Send the deletes of", False: "Decline the deletes of"}[deletes]
    doc = {"mapping": given["mapping"], "plan": given["plan"], "deletes": deletes}
    return doc, f"{what} {given['mapping'][:64]}"


def _parity(given: Form) -> tuple[dict[str, Any], str]:
    return {"mapping": given.get("mapping") or None, "sample": None}, "Compare both sides"


def _once(given: Form) -> tuple[dict[str, Any], str]:
    return {"mapping": None, "yes": False, "shown": None}, "Run one cycle"


DEEDS: Mapping[str, Callable[[Form], tuple[dict[str, Any], str]]] = {
    "retry": _retry,
    "resolve": _resolve,
    "restore": _restore,
    "approve": _approve,
    "once": _once,
    "parity": _parity,
}
"""By the last part of the address: the form -> (the deed's document, what people call it)."""


async def acted(site: Site, request: Request) -> Response:
    """Begins an act and goes back to the page that it was asked on, which tells what becomes of it."""
    viewer = request.state.viewer
    given = await form.read(request)
    if given is None or viewer is None or not site.sessions.is_form_token(viewer.about, given.get("csrf", "")):
        return PlainTextResponse("This form is too old: go back, load the page anew and try again.", 403)
    read = DEEDS.get(request.path_params["kind"])
    if read is None:
        return PlainTextResponse("There is no such act.", 404)
    try:
        doc, words = read(given)
    except (KeyError, ValueError):
        return PlainTextResponse("The form is not complete.", 400)
    try:
        act = site.acts.begin(request.path_params["kind"], doc, words, viewer.name or "local", site.clock.now())
    except SyncdError as error:
        return PlainTextResponse(f"{error.message} {error.remedy}", 503)
    parts = urlsplit(form.back(given.get("back", "/")))
    kept = [pair for pair in parse_qsl(parts.query) if pair[0] != "act"]
    return RedirectResponse(f"{parts.path}?{urlencode([*kept, ('act', act.id)])}", 303)
