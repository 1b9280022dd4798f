"""Addresses to pages: the application that the server runs.

Promise: every page is answered whole or with a plain sentence saying why not; a fault of ours shows no person's value.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from syncd.errors import ConfigError, LedgerError, SyncdError
from syncd.ledger import Ledger
from syncd.web import render, signing, words
from syncd.web.acting import acted
from syncd.web.gate import Gate, Viewer
from syncd.web.navigation import MENU, PAGES
from syncd.web.page import Asked, NotFound, Page, View
from syncd.web.site import Site
from syncd.web.table import Table, csv_parts


def application(site: Site) -> Gate:
    """The dashboard as an ASGI application."""
    routes = [
        Route("/static/{name}", static),
        Route("/pulse", partial(pulse, site)),
        Route("/sign-in", partial(signing.page, site), methods=["GET"]),
        Route("/sign-in", partial(signing.enter, site), methods=["POST"]),
        Route("/sign-out", partial(signing.leave, site), methods=["POST"]),
        Route("/act/{kind}", partial(acted, site), methods=["POST"]),
        *(Route(path, partial(show, site, page), methods=["GET"]) for path, page in PAGES.items()),
    ]
    app = Starlette(routes=routes, exception_handlers={404: partial(missing, site), Exception: partial(failed, site)})
    app.router.redirect_slashes = False
    return Gate(app, site)


def static(request: Request) -> Response:
    """The style, the script, the icon."""
    name = request.path_params["name"]
    kind = render.STATIC.get(name)
    return PlainTextResponse("Not found.", 404) if kind is None else Response(render.static(name), media_type=kind)


def pulse(site: Site, request: Request) -> Response:
    """What open pages ask every few seconds: it differs from the page's own once there is something new to show."""
    try:
        with site.ledger() as ledger:
            beat = beat_of(site, ledger)
    except SyncdError:
        beat = ""
    return JSONResponse({"pulse": beat})


def beat_of(site: Site, ledger: Ledger) -> str:
    """Differs after every cycle, act and issue."""
    return ".".join(map(str, (site.acts.ended, *ledger.books.pulse())))


def show(site: Site, page: Page, request: Request) -> Response:
    """One page, or one of its tables as CSV (`?csv=TABLE`)."""
    given = {name: value for name, value in request.query_params.items() if len(value) <= 500}
    wanted = given.pop("csv", None)
    files = site.in_force()
    with ExitStack() as opened:
        try:
            ledger = opened.enter_context(site.ledger())
            asked = Asked(
                ledger, files, site.clock.now(), given, request.path_params, site.systems, whole=wanted is not None
            )
            beat = beat_of(site, ledger)  # before the page: what happens meanwhile is news for it
            view = page(asked)
        except NotFound as error:
            return told(site, request, "Not found", str(error), 404)
        except ConfigError as error:
            return told(site, request, "Not found", str(error), 404)
        except LedgerError as error:
            return told(site, request, "Nothing to show yet", error.message, 503, error.remedy)
        if wanted is None:
            return html(site, request, view, given, beat=beat)
        table = view.table(wanted)
        if table is None:
            return told(site, request, "Not found", f"There is no table '{wanted}' on this page.", 404)
        return sheet(request, table, opened.pop_all())


def sheet(request: Request, table: Table, opened: ExitStack) -> Response:
    """A table as CSV, read from the ledger while it is sent; then the ledger is closed."""
    name = f"syncd-{request.url.path.strip('/').split('/')[0] or 'today'}-{table.name}.csv"

    def parts() -> Iterator[str]:
        with opened:
            yield from csv_parts(table)

    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(parts(), media_type="text/csv", headers=headers)


def html(
    site: Site, request: Request, view: View, given: dict[str, str], status: int = 200, beat: str = ""
) -> Response:
    """A view as a page."""
    viewer: Viewer | None = getattr(request.state, "viewer", None)
    act = given.get("act", "")
    zone, now = site.zone(), site.clock.now()
    text = render.page(
        view.template,
        zone,
        title=view.title,
        menu=MENU,
        here=request.url.path,
        given={name: value for name, value in given.items() if name != "act"},
        viewer=viewer,
        csrf=site.sessions.form_token(viewer.about if viewer else "sign-in"),
        act=site.acts.find(int(act)) if act.isdecimal() and len(act) < 12 else None,
        tables={table.name: table for table in view.tables},
        now=now,
        clock=words.zone_name(zone, now),
        beat=beat,
        **view.facts,
    )
    return Response(text, status, media_type="text/html")


def told(site: Site, request: Request, title: str, what: str, status: int, remedy: str = "") -> Response:
    """A page that says one thing."""
    return html(site, request, View("told.html", title, {"what": what, "remedy": remedy}), {}, status)


def missing(site: Site, request: Request, error: Exception) -> Response:
    """No such address."""
    return told(site, request, "Not found", "There is no such page.", 404, "Choose one from the menu.")


def failed(site: Site, request: Request, error: Exception) -> Response:
    """Our own fault."""
    site.event("dashboard_failed", path=request.url.path, exc_info=error)
    return told(site, request, "Our own fault", f"This page failed ({type(error).__name__}).", 500, "Report it.")
