"""A dashboard over the shop of the command line's tests, and a browser without a screen to visit it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from syncd.access import Dashboard
from syncd.assembly import Clock
from syncd.files import read_files
from syncd.web.app import application
from syncd.web.site import Site
from tests.cli.shop import Shop, make

HOST = "http://127.0.0.1:8642"


@dataclass
class Desk:
    """A site and what it told. `visit` gives a browser."""

    shop: Shop
    site: Site
    told: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def visit(self, peer: str = "127.0.0.1", base: str = HOST) -> TestClient:
        return TestClient(
            application(self.site),
            base_url=base,
            client=(peer, 50_000),
            follow_redirects=False,
            raise_server_exceptions=False,
        )

    def act(self, browser: TestClient, kind: str, **fields: Any) -> Any:
        """Presses a button: the form with this session's token."""
        about = "local" if not self.site.dashboard.has_doors else f"session:{browser.cookies['syncd_session']}"
        return browser.post(
            f"/act/{kind}", data={"csrf": self.site.sessions.form_token(about), **fields}, headers={"origin": HOST}
        )

    def finished(self, id: int) -> Any:
        """Waits for an act to end."""
        import threading

        for thread in threading.enumerate():
            if thread.name == f"act-{id}":
                thread.join(20)
        return self.site.acts.find(id)


Opened = Callable[..., Desk]


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    """A folder with syncd.toml and mappings over two systems in memory."""
    return make(tmp_path, capsys)


@pytest.fixture
def opened(shop: Shop) -> Opened:
    """Opens a dashboard: keywords are settings of [dashboard]; `now` holds its clock."""

    def open_(now: Callable[[], float] | None = None, **settings: Any) -> Desk:
        files = read_files(shop.config, os.environ)
        clock = Clock() if now is None else Clock(now=now)
        dashboard = Dashboard.model_validate(settings)
        told: list[tuple[str, dict[str, Any]]] = []
        site = Site(files, os.environ, dashboard, clock, lambda name, **facts: told.append((name, facts)))
        return Desk(shop, site, told)

    return open_


@pytest.fixture
def desk(shop: Shop, opened: Opened) -> Desk:
    """A dashboard over a ledger in which one person was linked, and one plan is held."""
    shop.contact(lifecyclestage="marketingqualifiedlead", score=80)
    shop.run("once")
    shop.run("approve", "people")
    shop.run("once")
    return opened()
