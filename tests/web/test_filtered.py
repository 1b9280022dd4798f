"""What filters can answer, what they cannot, and the ways on; the period of a goal."""

from __future__ import annotations

import html
import os
import re
from datetime import date, timedelta
from functools import partial

import pytest

from syncd.files import read_files
from syncd.funnel import reports
from tests.cli.shop import Shop
from tests.web.conftest import Desk, Opened

FUNNEL = """
[qualified]
when = 'score >= 50.0'
[stages]
lead = { owner = "marketing" }
mql  = { owner = "sales" }
[people]
source   = "title"
campaign = "phone"
[agreement.sales]
first_touch = "4h"
[goal]
revenue  = 1000
currency = "EUR"
period   = "quarter"
"""


@pytest.fixture
def desk(shop: Shop, opened: Opened) -> Desk:
    """One person of source Web and campaign Spring who qualified, and waits for a plan to be released."""
    (shop.folder / "mappings" / "funnel.toml").write_text(FUNNEL)
    shop.contact(lifecyclestage="mql", score=80, jobtitle="Web", phone="Spring")
    shop.run("once")
    return opened()


def links_of(text: str) -> list[str]:
    return [html.unescape(link) for link in re.findall(r'<p class="banner warn" role="status">(.*?)</p>', text, re.S)]


def test_two_filters_say_why_there_is_no_figure_and_offer_ways_on(desk: Desk) -> None:
    """Each filter alone, and the people under both as a list; every way leads somewhere."""
    browser = desk.visit()
    for path in ("/funnel", "/handoffs", "/follow-up"):
        text = browser.get(path, params={"source": "Web", "campaign": "Spring"}).text
        (note,) = links_of(text)
        assert "kept by one of the four at a time" in note
        ways = re.findall(r'href="([^"]+)"', note)
        assert ways[:2] == ["?source=Web", "?campaign=Spring"]
        assert all(browser.get(way if way.startswith("/") else path + way).status_code == 200 for way in ways)
        assert "Lovelace" in text or path == "/funnel", "lists obey both filters"


def test_a_breakdown_by_something_else_than_the_filter_is_not_shown(desk: Desk) -> None:
    """The sums know everybody by owner, and those of one source; never the owners of one source."""
    browser = desk.visit()
    text = browser.get("/funnel", params={"by": "campaign", "source": "Web"}).text
    (note,) = links_of(text)
    assert "cannot be broken down by campaign" in note
    assert re.findall(r'href="([^"]+)"', note) == ["?by=campaign", "?by=source&source=Web"]
    assert links_of(browser.get("/follow-up", params={"source": "Web"}).text) == []
    assert links_of(browser.get("/funnel", params={"by": "source", "source": "Web"}).text) == []


def test_a_breakdown_never_shows_others_than_are_filtered_by(desk: Desk) -> None:
    """What was shown before: everybody's rows, under a filter that says one of them."""
    shop = desk.shop
    files = read_files(shop.config, os.environ)
    with desk.site.ledger() as ledger:
        told = partial(reports.clocks, ledger, files, desk.site.clock.now())
        assert [row["name"] for row in told(by="source")["rows"]] == ["Web"]
        assert [row["name"] for row in told(source="Web")["rows"]] == ["Web"]
        assert told(by="source", source="elsewhere")["rows"] == []
        assert told(by="source", campaign="elsewhere")["rows"] == []


def test_a_goal_has_a_period_to_pick(desk: Desk) -> None:
    """By name or by one of its days; what is chosen is marked, and told of."""
    browser = desk.visit()
    page = browser.get("/goals").text
    chips = re.findall(
        r'<a href="([^"]*)"( aria-current="true")?>([^<]+)</a>', page.partition('aria-label="Period"')[2]
    )
    spans = [(link, bool(current)) for link, current, _ in chips][:5]
    assert [current for _, current in spans] == [True, False, False, False, False]
    past = spans[1][0]
    assert past.startswith("?since=")
    chosen = browser.get("/goals" + past).text
    assert f'<a href="{past}" aria-current="true">' in chosen
    since = date.fromisoformat(past.removeprefix("?since="))
    later = browser.get("/goals", params={"since": (since + timedelta(days=9)).isoformat()}).text
    assert f'href="{past}" aria-current="true">' in later
    assert browser.get("/goals?since=monday").status_code == 200
