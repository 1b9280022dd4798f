"""The dashboard in a real browser: nothing is stopped by the policy, nothing comes from elsewhere, pages stay live."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.assembly import Clock
from syncd.files import read_files
from syncd.web.navigation import MENU
from syncd.web.serving import Server, serve
from tests.browser.chromium import Chromium, found
from tests.cli.shop import Shop, make

pytestmark = pytest.mark.skipif(found() is None, reason="there is no Chromium here (Debian: apt install chromium)")
LINKED = [entry.path for group in MENU for entry in group.entries]


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    made = make(tmp_path, capsys)
    made.contact(lifecyclestage="marketingqualifiedlead", score=80)
    made.run("once")
    return made


@pytest.fixture
def server(shop: Shop) -> Iterator[Server]:
    files = read_files(shop.config, os.environ)
    running = serve(files, files.settings.dashboard.at("127.0.0.1:0"), os.environ, Clock(), lambda *_, **__: None)
    yield running
    running.end()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chromium]:
    with Chromium(tmp_path / "profile") as made:
        yield made


def test_every_page_opens_whole_on_a_desk_and_on_a_phone(server: Server, browser: Chromium) -> None:
    """No complaint of the browser, no page wider than the screen, no request to anybody else."""
    for width, dark in ((1300, False), (390, True)):
        browser.size(width, 800, dark=dark)
        for path in LINKED:
            browser.visit(server.address.rstrip("/") + path)
            wide = browser.run("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, (path, width, wide)
            assert browser.run("getComputedStyle(document.body).backgroundColor") == (
                "rgb(16, 21, 19)" if dark else "rgb(246, 247, 246)"
            )
    assert browser.complaints() == []
    assert all(address.startswith((server.address, "about:", "data:")) for address in browser.asked())


def test_a_plan_is_released_by_its_button_and_the_page_tells_of_it(
    server: Server, browser: Chromium, shop: Shop
) -> None:
    """From the click to the record in the other system; the page is brought up to date without being loaded."""
    browser.size(1300, 800)
    browser.visit(server.address + "plans")
    browser.run(
        "[...document.querySelectorAll('button')].find((one) => one.textContent === 'Release this plan').click()"
    )
    browser.until("document.querySelector('.banner')?.textContent.includes('Approve the plan of people')")
    browser.until("document.querySelector('.banner.good') !== null")
    browser.visit(server.address)
    browser.run("document.querySelector('.acts button').click()")
    browser.until("document.querySelector('.banner.good')?.textContent.includes('Run one cycle') ?? false")
    assert shop.only_lead()["LastName"] == "Lovelace"
    assert browser.complaints() == []


def test_an_open_page_shows_what_a_cycle_brought_without_being_loaded_anew(
    server: Server, browser: Chromium, shop: Shop
) -> None:
    """Live by polling: the number changes, it is announced, and the place where somebody is stays."""
    browser.size(1300, 800)
    browser.visit(server.address + "runs")
    browser.run("window.mark = 1; document.querySelector('main td a').focus(); true")
    rows = browser.run("document.querySelectorAll('main tbody tr').length")
    shop.contact(email="eve@example.test", lastname="Eve")
    shop.run("once")
    browser.until(f"document.querySelectorAll('main tbody tr').length > {rows}", seconds=30)
    assert browser.run("window.mark") == 1, "the page was not loaded anew"
    assert browser.run("document.getElementById('live').textContent") == "The page was brought up to date."
    assert browser.run("document.activeElement.closest('main td') !== null"), "the focus stays in the table"
    assert browser.complaints() == []


def test_a_filter_is_picked_from_a_list_and_stands_in_the_address(server: Server, browser: Chromium) -> None:
    """A deep link shows the same again; a second thing to be filtered by takes the first one's place."""
    browser.size(1300, 800)
    browser.visit(server.address + "handoffs?source=Web")
    assert browser.run("document.querySelector('select[name=source]').value") == "Web"
    browser.run(
        "(() => { const owner = document.querySelector('select[name=segment]'); owner.value = 'other';"
        " owner.dispatchEvent(new Event('change', {bubbles: true})); })()"
    )
    assert browser.run("document.querySelector('select[name=source]').value") == ""
    browser.run("document.querySelector('.filters button').click()")
    browser.until("location.search.includes('segment=other') && document.readyState === 'complete'")
    browser.run("[...document.querySelectorAll('.chips a')].find((one) => one.textContent === 'This year').click()")
    browser.until("location.search.includes('since=') && location.search.includes('segment=other')")
    browser.until("document.querySelector('.chips a[aria-current]')?.textContent === 'This year'")


def test_the_menu_opens_on_a_phone_by_keyboard(server: Server, browser: Chromium) -> None:
    """It is folded there, and works without a script."""
    browser.size(390, 800)
    browser.visit(server.address)
    assert browser.run("getComputedStyle(document.querySelector('.menu-lines')).display") == "none"
    browser.run("document.getElementById('menu-open').focus()")
    for kind in ("keyDown", "keyUp"):
        browser.call("Input.dispatchKeyEvent", type=kind, key=" ", code="Space", text=" ", windowsVirtualKeyCode=32)
    assert browser.run("getComputedStyle(document.querySelector('.menu-lines')).display") == "block"
