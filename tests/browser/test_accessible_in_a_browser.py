"""Every page in a real browser, for people who see little, use no mouse, or listen: axe-core's rules, and a keyboard."""

from __future__ import annotations

import importlib.util
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.assembly import Clock
from syncd.files import read_files
from syncd.web.navigation import MENU
from syncd.web.serving import Server, serve
from tests.browser.chromium import Chromium, found
from tests.cli.shop import make

pytestmark = pytest.mark.skipif(found() is None, reason="there is no Chromium here (Debian: apt install chromium)")
LINKED = [entry.path for group in MENU for entry in group.entries]
SERIOUS = ("serious", "critical", "moderate")
"""Of axe's grades: all but `minor`."""


def axe() -> str:
    """axe-core, as the package carries it; the package itself is not imported, for it would ask for playwright."""
    spec = importlib.util.find_spec("axe_playwright_python")
    assert spec is not None
    assert spec.submodule_search_locations
    return (Path(spec.submodule_search_locations[0]) / "axe.min.js").read_text()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A dashboard over a ledger with linked people, a held plan, two who match, and a value that lost."""
    from unittest.mock import Mock

    made = make(tmp_path_factory.mktemp("shop"), Mock(readouterr=lambda: ("", "")))
    made.contact(lifecyclestage="marketingqualifiedlead", score=80)
    made.run("once")
    made.run("approve", "people")
    made.run("once")
    for name in ("Hopper", "Murray"):
        made.lead(LastName=name, Email="grace@example.test")
    made.contact(email="grace@example.test", lastname="Hopper")
    made.contact(
        email="<b>eve</b>@example.test", lastname="<i>Eve</i>", lifecyclestage="marketingqualifiedlead", score=90
    )
    made.run("once")
    files = read_files(made.config, os.environ)
    running = serve(files, files.settings.dashboard.at("127.0.0.1:0"), os.environ, Clock(), lambda *_, **__: None)
    yield running
    running.end()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium(tmp_path_factory.mktemp("profile")) as made:
        yield made


def pages(browser: Chromium, server: Server) -> list[str]:
    """What the menu leads to, and pages of every other kind."""
    base = server.address.rstrip("/")
    browser.visit(base + "/records")
    stories = browser.run("[...document.querySelectorAll('main td a[href^=\"/records/\"]')].map((a) => a.pathname)")
    assert stories
    others = [
        "/mappings/people",
        "/runs/1",
        "/records?q=ada@example.test",
        "/behind?link=people?qualifies=1",
        "/nowhere",
    ]
    return [*LINKED, stories[0], *others, "/funnel?by=source&source=x&owner=y"]


def violations(browser: Chromium, axe: str, which: str = "{}") -> list[str]:
    """What axe holds against the open page. `which`: its options."""
    browser.run(axe + "; true")
    told = browser.run(f"axe.run(document, {which}).then((r) => JSON.stringify(r.violations))")
    return [
        f"{one['id']} ({one['impact']}): {node['target']} {node.get('failureSummary', '')}"
        for one in json.loads(told)
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]


CONTRAST = "{runOnly: ['color-contrast', 'link-in-text-block']}"
THE_REST = "{rules: {'color-contrast': {enabled: false}}}"


@pytest.mark.parametrize(
    ("width", "dark", "which"),
    [(1300, False, "{}"), (1300, True, CONTRAST), (390, False, THE_REST)],
    ids=["light", "dark", "phone"],
)
def test_axe_finds_nothing_on_any_page(browser: Chromium, server: Server, width: int, dark: bool, which: str) -> None:
    """Names, labels, landmarks, headings, tables and contrast; in light, in dark, and on a phone."""
    rules = axe()
    browser.size(width, 900, dark=dark)
    flaws: dict[str, list[str]] = {}
    for path in pages(browser, server):
        browser.visit(server.address.rstrip("/") + path)
        if told := violations(browser, rules, which):
            flaws[path] = told
    assert flaws == {}


def test_axe_sees_what_is_wrong(browser: Chromium, server: Server) -> None:
    """The check bites: a button without a name, grey on grey."""
    browser.visit(server.address)
    browser.run("document.querySelector('main').insertAdjacentHTML('beforeend', '<button></button><img>')")
    told = "\n".join(violations(browser, axe()))
    assert "button-name" in told
    assert "image-alt" in told


def press(browser: Chromium, key: str, code: int, *, text: str = "") -> None:
    """One key, down and up."""
    for kind in ("keyDown", "keyUp"):
        shown = {"text": text} if text and kind == "keyDown" else {}
        browser.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **shown)


STOPS = """[...document.querySelectorAll('a[href], button, select, input:not([type=hidden]), summary, [tabindex="0"]')]
.filter((one) => one.checkVisibility()).map((one, at) => { one.dataset.stop = at; return one; }).length"""
WHERE = """(() => { const at = document.activeElement; return [at.dataset.stop === undefined ? -1 : Number(at.dataset.stop),
getComputedStyle(at).outlineStyle !== 'none', Boolean(at.closest('main')), at.getAttribute('href')]; })()"""


def walk(browser: Chromium, most: int = 400) -> list[list[Any]]:
    """Tab from the top of the page until it begins anew: (number, is it seen, in the content?, address) of each stop."""
    places: list[list[Any]] = []
    for _ in range(most):
        press(browser, "Tab", 9)
        at = browser.run(WHERE)
        if at[0] < 0 or (places and at[0] == places[0][0]):
            break
        places.append(at)
    return places


@pytest.mark.parametrize("path", ["/", "/issues", "/plans", "/funnel"])
def test_a_keyboard_reaches_everything_in_the_order_of_the_page(browser: Chromium, server: Server, path: str) -> None:
    """The way past the menu comes first; every link, button and field has its turn, visibly, and none is a trap."""
    browser.size(1300, 900)
    browser.visit(server.address.rstrip("/") + path)
    count = browser.run(STOPS)
    places = walk(browser)
    assert places[0][3] == "#main"
    assert list(dict.fromkeys(at for at, *_ in places)) == list(range(count)), "a day's parts are one field"
    assert {at for at, seen, *_ in places if seen} == set(range(count)), "every one shows that it has the focus"
    first = next(at for at, place in enumerate(places) if place[2])
    assert all(place[2] for place in places[first:]), "what is left after the content begins is content"


def test_the_skip_link_goes_to_the_content_and_enter_presses_a_button(browser: Chromium, server: Server) -> None:
    """From the address bar to an act, without a mouse."""
    browser.visit(server.address)
    press(browser, "Tab", 9)
    press(browser, "Enter", 13, text="\r")
    browser.until("document.activeElement.id === 'main'")
    assert browser.run("location.hash") == "#main"
    for _ in range(200):
        press(browser, "Tab", 9)
        if browser.run("document.activeElement.textContent === 'Run one cycle now'"):
            break
    press(browser, "Enter", 13, text="\r")
    browser.until("document.querySelector('.banner')?.textContent.includes('Run one cycle') ?? false")
    browser.until("document.querySelector('.banner.good') !== null")


def test_tables_have_headers_and_news_is_announced(browser: Chromium, server: Server) -> None:
    """Each cell belongs to a column that is named, also where a phone shows cards; what changed is told to who listens."""
    for width in (1300, 390):
        browser.size(width, 900)
        for path in pages(browser, server):
            browser.visit(server.address.rstrip("/") + path)
            told = browser.run(
                "[...document.querySelectorAll('table')].every((table) => { const count = table.tHead.rows[0].cells.length;"
                " return [...table.tHead.rows[0].cells].every((th) => th.scope === 'col' && th.textContent.trim())"
                " && [...table.tBodies[0].rows].every((row) => row.cells.length === count); })"
            )
            assert told, path
            assert browser.run("document.getElementById('live').getAttribute('aria-live')") == "polite"


def test_the_words_on_pages_are_no_codes(browser: Chromium, server: Server) -> None:
    """No name with an underscore and no bare ISO moment in what people read, but for places in files and systems."""
    browser.size(1300, 900)
    for path in [one for one in LINKED if one not in ("/mappings", "/definitions")]:
        browser.visit(server.address.rstrip("/") + path)
        text = browser.run(
            "(() => { const main = document.querySelector('main').cloneNode(true);"
            " main.querySelectorAll('code, pre, td.code, .below, .about, time').forEach((one) => one.remove());"
            " return main.textContent; })()"
        )
        assert re.findall(r"\b\d{4}-\d\d-\d\dT\S+", text) == [], path
        assert re.findall(r"\b(?:no_|out_of_|on_track|due_soon|met_late|bad_)\w*", text) == [], path
