"""The dashboard's server: alone (`syncd dashboard`), or beside the daemon in a thread of its own.

Promise: the daemon never waits for a page and never ends with one: a port that is taken is told as an event, and both
sides are kept in step all the same.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any

from syncd.access import Dashboard
from syncd.assembly import Clock
from syncd.errors import ConfigError
from syncd.files import Files
from syncd.web.site import Site

BACKLOG = 128
MOST_AT_ONCE = 64
"""Requests in flight; more are told to come again."""
END_S = 2.0
"""How long a stop waits for answers that are under way."""


def bound(listen: tuple[str, int]) -> socket.socket:
    """A listening socket at that address. ConfigError where it cannot be had."""
    host, port = listen
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
        found.listen(BACKLOG)
    except OSError as error:
        found.close()
        raise ConfigError(
            f"the dashboard cannot listen on {host}:{port}: {error.strerror}",
            remedy="name another address: [dashboard] listen in syncd.toml, or --listen",
        ) from None
    return found


def address(found: socket.socket) -> str:
    """Where a browser finds it."""
    host, port = found.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


class Server:
    """uvicorn on a socket of ours, without its signals and its log."""

    def __init__(self, site: Site, found: socket.socket) -> None:
        import uvicorn

        from syncd.web.app import application

        self.address = address(found)
        self._socket = found
        self._uvicorn = uvicorn.Server(
            uvicorn.Config(
                application(site),
                http="h11",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                log_level="critical",
                access_log=False,
                server_header=False,
                date_header=False,
                proxy_headers=False,
                limit_concurrency=MOST_AT_ONCE,
                timeout_keep_alive=10,
                timeout_graceful_shutdown=int(END_S),
            )
        )
        self._thread = threading.Thread(target=self._run, name="dashboard", daemon=True)

    def start(self) -> None:
        """Serves from now on, in a thread of its own."""
        self._thread.start()

    def end(self) -> None:
        """Stops; answers that are under way have `END_S`."""
        self._uvicorn.should_exit = True
        self._thread.join(END_S + 1)
        self._socket.close()

    def wait(self, seconds: float) -> bool:
        """Waits; whether it still serves afterwards."""
        self._thread.join(seconds)
        return self._thread.is_alive()

    def _run(self) -> None:
        self._uvicorn.run(sockets=[self._socket])


def serve(
    files: Files, dashboard: Dashboard, environ: Mapping[str, str], clock: Clock, event: Callable[..., Any]
) -> Server:
    """Begins to serve. ConfigError where nothing can be listened on, or `listen` is off."""
    if dashboard.listen is None:
        raise ConfigError("the dashboard is off", remedy="[dashboard] listen in syncd.toml, or --listen")
    found = bound(dashboard.listen)
    server = Server(Site(files, environ, dashboard, clock, event), found)
    server.start()
    event("dashboard_started", address=server.address)
    return server


def beside(files: Files, environ: Mapping[str, str], event: Callable[..., Any]) -> Server | None:
    """The daemon's own dashboard, by syncd.toml; None where it is off or cannot be served."""
    if files.settings.dashboard.listen is None:
        return None
    try:
        return serve(files, files.settings.dashboard, environ, Clock(), event)
    except ConfigError as error:
        event("dashboard_failed", reason=str(error))
        return None
