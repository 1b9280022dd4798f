"""The pages: each says what is so, escapes what people wrote, and works where there is nothing yet."""

from __future__ import annotations

import csv
import io
import re

import pytest

from syncd.view.sheet import harmless
from syncd.web.navigation import MENU, PAGES
from syncd.web.render import STATIC
from tests.web.conftest import Desk, Opened

LINKED = [entry.path for group in MENU for entry in group.entries]


def test_every_line_of_the_menu_is_a_page_that_opens(desk: Desk) -> None:
    """Only finished pages are linked."""
    browser = desk.visit()
    for path in LINKED:
        answer = browser.get(path)
        assert answer.status_code == 200, path
        assert f'href="{path}" aria-current="page"' in answer.text
    assert set(LINKED) <= set(PAGES)


def test_before_the_first_cycle_pages_say_what_to_do(opened: Opened) -> None:
    """There is no ledger: nothing fails, and the remedy is told."""
    desk = opened()
    for path in LINKED:
        answer = desk.visit().get(path)
        assert answer.status_code == 503, path
        assert "syncd once" in answer.text
    assert desk.visit().get("/pulse").json() == {"pulse": ""}


def test_a_page_that_is_not_there_says_so(desk: Desk) -> None:
    """Also for records, runs and mappings that nobody knows."""
    for path in ("/nowhere", "/records/mk/contacts/nobody", "/records/x/y/z", "/runs/999999", "/mappings/nothing"):
        answer = desk.visit().get(path)
        assert answer.status_code == 404, path
        assert "Not found" in answer.text


def test_a_record_is_found_by_its_address_and_its_story_told(desk: Desk) -> None:
    """From an e-mail, however it is written, to both systems' values and what happened."""
    browser = desk.visit()
    found = browser.get("/records", params={"q": "ADA@example.test"}).text
    links = re.findall(r'href="(/records/mk/contacts/[^"]+)"', found)
    assert links
    story = browser.get(links[0]).text
    assert "Lovelace" in story
    assert "Linked with" in story
    assert "What happened" in story
    assert browser.get("/records", params={"q": links[0].rpartition("/")[2]}).text.count("its key")
    assert "Nobody and nothing" in browser.get("/records", params={"q": "nobody@example.test"}).text


def test_what_people_wrote_is_never_markup(desk: Desk) -> None:
    """A contact whose name is a script is shown as that name."""
    evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    desk.shop.contact(email="eve@example.test", lastname=evil, lifecyclestage="marketingqualifiedlead", score=80)
    desk.shop.run("once")
    browser = desk.visit()
    link = re.findall(r'href="(/records/[^"]+)"', browser.get("/records?q=eve@example.test").text)[0]
    for path in (link, f"/records?q={evil}", "/plans", f"/issues?kind={evil}", f"/conflicts?mapping={evil}"):
        text = browser.get(path).text
        assert "<script>alert" not in text, path
        assert "<img" not in text, path


def test_every_table_comes_as_csv_with_the_same_rows(desk: Desk) -> None:
    """The link is beside the table, and carries the filters."""
    browser = desk.visit()
    seen = 0
    for path in LINKED:
        for link in re.findall(r'class="csv" href="([^"]+)"', browser.get(path).text):
            answer = browser.get(f"{path}{link.replace('&amp;', '&')}")
            assert answer.headers["content-type"].startswith("text/csv")
            assert "attachment" in answer.headers["content-disposition"]
            rows = list(csv.reader(io.StringIO(answer.text)))
            assert len(rows) > 1
            assert len({len(row) for row in rows}) == 1
            seen += 1
    assert seen >= 5
    assert browser.get("/issues?csv=nothing").status_code == 404


@pytest.mark.parametrize("evil", ["=1+1", "+1", "-1+cmd", "@SUM(A1)", "\t=1", "\r=1", "|calc"])
def test_a_csv_runs_nothing_in_a_spreadsheet(evil: str) -> None:
    """Text that begins like a formula gets an apostrophe; numbers stay numbers."""
    assert harmless(evil).startswith("'") or not harmless(evil).startswith(("=", "+", "-", "@", "\t", "\r", "|"))
    assert harmless(-5) == "-5"
    assert harmless(None) == ""
    assert harmless("plain") == "plain"


def test_a_held_plan_is_released_from_its_page_exactly_as_shown(opened: Opened) -> None:
    """The button asks for what `syncd approve --plan DIGEST` asks for."""
    desk = opened()
    desk.shop.contact(lifecyclestage="marketingqualifiedlead", score=80)
    desk.shop.run("once")
    browser = desk.visit()
    page = browser.get("/plans").text
    assert "Release this plan" in page
    digest = re.findall(r'name="plan" value="([0-9a-f]+)"', page)[0]
    wrong = desk.act(browser, "approve", mapping="people", plan="0" * 64, deletes="", back="/plans")
    assert desk.finished(int(wrong.headers["location"].rpartition("=")[2])).state == "failed"
    answer = desk.act(browser, "approve", mapping="people", plan=digest, deletes="", back="/plans")
    assert answer.headers["location"].startswith("/plans?act=")
    act = desk.finished(int(answer.headers["location"].rpartition("=")[2]))
    assert act.state == "done", act
    assert "Approve the plan of people" in browser.get(answer.headers["location"]).text
    done = desk.act(browser, "once", back="/")
    assert desk.finished(int(done.headers["location"].rpartition("=")[2])).state == "done"
    assert desk.shop.only_lead()["LastName"] == "Lovelace"


def test_two_matches_are_resolved_from_the_issue(opened: Opened) -> None:
    """The button beside a candidate links with that one."""
    desk = opened()
    for name in ("Lovelace", "Byron"):
        desk.shop.lead(LastName=name)
    desk.shop.contact()
    desk.shop.run("once")
    browser = desk.visit()
    page = browser.get("/issues").text
    assert "Several records match" in page
    assert "Candidates, matched by email" in page
    (row,) = csv.DictReader(io.StringIO(browser.get("/issues?csv=issues&kind=ambiguous").text))
    assert row["candidates"] == ", ".join(f"sf Lead {key}" for key in sorted(desk.shop.sf.keys("Lead")))
    id_, pick = re.findall(r'name="id" value="(\d+)"><input type="hidden" name="pick" value="([^"]+)"', page)[0]
    answer = desk.act(browser, "resolve", id=id_, pick=pick, back="/issues")
    assert desk.finished(int(answer.headers["location"].rpartition("=")[2])).state == "done"
    assert "Nothing waits for a person" in browser.get("/issues?kind=ambiguous").text


def test_a_button_that_makes_no_sense_is_refused(desk: Desk) -> None:
    """No such act, or a form without what it needs."""
    browser = desk.visit()
    assert desk.act(browser, "explode").status_code == 404
    assert desk.act(browser, "resolve", id="x", pick="1").status_code == 400
    assert desk.act(browser, "approve", mapping="people").status_code == 400


def test_an_act_that_fails_says_why_and_what_to_do(desk: Desk) -> None:
    """The message is the command's."""
    browser = desk.visit()
    answer = desk.act(browser, "retry", id="99999", back="/issues?mapping=people")
    act = desk.finished(int(answer.headers["location"].rpartition("=")[2]))
    assert act.state == "failed"
    assert "no open issue 99999" in browser.get(answer.headers["location"]).text


def test_the_pulse_moves_when_something_happened_and_only_then(desk: Desk) -> None:
    """Open pages are brought up to date without asking for the whole page each time."""
    browser = desk.visit()
    first = browser.get("/pulse").json()
    assert browser.get("/pulse").json() == first
    desk.shop.contact(email="eve@example.test", lastname="Eve")
    desk.shop.run("once")
    assert browser.get("/pulse").json() != first


def test_an_edited_mapping_with_an_error_is_told_on_its_page(desk: Desk, opened: Opened) -> None:
    """File, line and what is wrong; what was valid stays."""
    desk.shop.mapping.write_text(desk.shop.mapping.read_text().replace("flow", "flaw", 1))
    other = opened()
    for path in ("/", "/mappings", "/mappings/people"):
        text = other.visit().get(path).text
        assert "people.toml" in text
        assert "flaw" in text
    assert other.visit().get("/definitions").status_code == 200


def test_static_files_are_ours_alone(desk: Desk) -> None:
    """Nothing else of the package or the disk is served."""
    browser = desk.visit()
    for name in STATIC:
        assert browser.get(f"/static/{name}").status_code == 200
    for name in ("../app.py", "%2e%2e/app.py", "..%2fapp.py", "app.py"):
        assert browser.get(f"/static/{name}").status_code == 404
    for name in STATIC:
        text = browser.get(f"/static/{name}").text.replace("http://www.w3.org/2000/svg", "")
        assert "http" not in text
        assert "@import" not in text
