"""Nothing on a page is raw: who works, what became of an act, what a record is called, what is unknown and what is not."""

from __future__ import annotations

import csv
import io
from typing import Any
from unittest.mock import Mock

from syncd.answer import Answer
from syncd.web import phrases, render
from syncd.web.acts import became
from syncd.web.pages import conflicts, figures
from tests.web.conftest import Desk, Opened


def test_who_works_on_the_ledger_is_a_sentence() -> None:
    """No process number, no backtick; the lease's local time becomes a moment like all others."""
    text = "`syncd {}` (process 77, since 2026-11-22 08:14:46)"
    keeps = phrases.holder(text.format("run"))
    assert keeps[0] == "Kept in step by the daemon"
    assert keeps[1] is not None
    assert phrases.holder(text.format("once"))[0] == "One cycle is under way"
    assert phrases.holder(text.format("new-one"))[0] == "New-one is under way"
    assert phrases.holder("another process") == ("Another process is at work", None)
    shown = str(render.holder(text.format("run")))
    assert "process" not in shown
    assert "<time" in shown


def test_what_is_to_be_typed_stands_as_code_and_markup_stays_text() -> None:
    """Backticks are for terminals."""
    assert render.prose("say `syncd <parity>` & wait") == "say <code>syncd &lt;parity&gt;</code> &amp; wait"


def test_an_act_tells_what_it_came_to() -> None:
    """Its own words first; what was written, what is held, which system is in trouble. Never `done` where it was not."""
    tally = {"writes": {"crm": {"create": 2, "update": 1}}, "held": False}
    assert became(Answer({"mappings": {"people": tally}})) == "It is done: 3 writes."
    held = {"mappings": {"people": {**tally, "held": True}}, "trouble": {"crm": "no answer"}}
    said = became(Answer(held, 3))
    assert said.endswith("crm: no answer. Held, until somebody releases it: the plan of people.")
    assert became(Answer({"report": held}, 3, "Two retried.")).startswith("Two retried. crm: no answer.")
    assert became(Answer({"drift": 0, "mappings": {"people": {"drift": 0}}})) == "It is done: nothing drifted."
    assert became(Answer({"drift": 2})) == "2 values drifted."
    assert became(Answer({})) == "It is done."


def test_a_cycle_that_holds_a_plan_is_not_told_as_done(opened: Opened) -> None:
    """The banner says what is left, in the colour of a warning."""
    desk = opened()
    desk.shop.contact(lifecyclestage="marketingqualifiedlead", score=80)
    browser = desk.visit()
    answer = desk.act(browser, "once", back="/")
    act = desk.finished(int(answer.headers["location"].rpartition("=")[2]))
    assert act.state == "part"
    assert 'class="banner warn"' in browser.get(answer.headers["location"]).text


def test_both_sides_are_compared_by_a_button(desk: Desk) -> None:
    """A page without a figure offers to make one; afterwards it stands there."""
    browser = desk.visit()
    before = browser.get("/parity").text
    assert "No comparison was made yet" in before
    assert "<code>syncd parity</code>" in before
    answer = desk.act(browser, "parity", mapping="people", back="/parity")
    act = desk.finished(int(answer.headers["location"].rpartition("=")[2]))
    assert (act.state, act.said) == ("done", "It is done: nothing drifted.")
    assert "people agree" in browser.get("/parity").text


def test_a_long_run_says_that_there_is_more_and_its_csv_holds_all(desk: Desk) -> None:
    """A page is cut to so many rows, never in silence."""
    browser = desk.visit()
    whole = browser.get("/runs/1").text
    assert "the CSV holds all" not in whole
    cut = browser.get("/runs/1?limit=1").text
    assert "These are the first 1; the CSV holds all." in cut
    assert "limit=2" in cut
    rows = list(csv.reader(io.StringIO(browser.get("/runs/1?limit=1&csv=journal").text)))
    assert len(rows) > 2


def test_a_mean_of_nothing_is_none_yet_and_not_unknown() -> None:
    """Unknown is what the ledger cannot answer."""
    assert figures.share(None).text is None
    assert figures.share(None, known=True).text == figures.seconds(None, known=True).text == "none yet"
    assert figures.days(0.5, known=True).value == 0.5


def test_what_a_link_means_is_said_once(desk: Desk) -> None:
    """`People who once qualified who qualified` says nothing twice any more."""
    days = "since=2026-11-01&until=2026-12-01"
    text = desk.visit().get("/behind", params={"link": f"people?day=qualified&qualifies=1&{days}"}).text
    assert "People who qualified in November 2026." in text
    text = desk.visit().get("/behind", params={"link": f"people?day=qualified&handed=0&qualifies=1&{days}"}).text
    assert "People who did not get to sales and who qualified in November 2026." in text


def test_the_line_of_a_field_is_a_number_and_one_way_says_so(desk: Desk) -> None:
    """A place is not broken over two lines; a field that goes one way has no rule for clashes."""
    page = desk.visit().get("/mappings/people").text
    assert "people.toml:" not in page.partition('<h2 id="text">')[0]
    assert "goes one way" in page


def test_an_owner_that_lost_goes_by_their_address() -> None:
    """Two numbers say nothing to anybody; where the directory does not know one, the number stands."""
    directory = {"41": "rita@example.test"}
    asked: Any = Mock()
    asked.files.mappings.by_name = {"deals": Mock(fields=[Mock(type="owner")])}
    asked.files.mappings.by_name["deals"].fields[0].name = "owner"
    asked.systems.return_value = {"mk": Mock()}
    asked.systems()["mk"].connector.traits.owners.email = "email"
    asked.ledger.facts.get = lambda number, key: (
        Mock(attributes={"email": directory[key]}) if key in directory else None
    )
    one = {"mapping": "deals", "system": "mk", "field": "owner"}
    shown = [conflicts._value(asked, one, value) for value in ("41", "45")]
    assert [(told.value, told.text) for told in shown] == [("41", "rita@example.test"), ("45", "45")]


def test_a_plan_that_waits_is_nothing_wrong(opened: Opened) -> None:
    """Everybody's first page shows a held plan: it waits for them, and nothing failed."""
    desk = opened()
    desk.shop.contact(lifecyclestage="mql", score=80)
    desk.shop.run("once")
    page = desk.visit().get("/").text
    assert "Something is wrong" not in page
    assert "1 thing waits for a person." in page
    assert 'class="verdict warn"' in page


def test_a_plans_record_is_named_once_and_in_each_row_of_the_csv(opened: Opened) -> None:
    """Four fields of a new lead are four lines under one name."""
    desk = opened()
    desk.shop.contact(lifecyclestage="mql", score=80)
    desk.shop.run("once")
    browser = desk.visit()
    assert browser.get("/plans").text.count("new Lead: Lovelace") == 1
    rows = list(csv.DictReader(io.StringIO(browser.get("/plans?csv=plan").text)))
    assert len(rows) == 4
    assert all(row["record"].startswith("new Lead from contacts") for row in rows)


def test_without_a_goal_there_is_no_table_of_unknowns(desk: Desk) -> None:
    """One sentence says what to agree on."""
    page = desk.visit().get("/goals").text
    assert "No revenue goal is agreed" in page
    assert "Customers missing" not in page
