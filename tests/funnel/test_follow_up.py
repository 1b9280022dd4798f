"""Follow-up clocks and revenue, by cases that are counted by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from loopworld import Loop, make_loop

from syncd.funnel import reports
from syncd.funnel.named import figures_of

HOUR = 3600.0
NINE = datetime(2027, 1, 18, 9, tzinfo=UTC).timestamp()
"""Monday, when the office opens."""


@pytest.fixture
def loop(tmp_path: Path) -> Loop:
    world = make_loop(tmp_path)
    world.pass_time(NINE - world.at)
    return world


def until(loop: Loop, at: float) -> None:
    """Lets time pass, then runs a cycle at that moment."""
    loop.pass_time(at - loop.at)
    loop.cycle()


def report(loop: Loop, name: str, **filters: str) -> dict[str, Any]:
    files: Any = SimpleNamespace(mappings=loop.mappings())
    found: dict[str, Any] = getattr(reports, name)(loop.ledger, files, loop.at, **filters)
    return found


def values(figures: dict[str, Any]) -> dict[str, int]:
    """Figures that are not nought, by name."""
    return {name: figure["value"] for name, figure in figures.items() if figure["value"]}


def test_a_clock_runs_in_working_hours_and_tells_each_turn_once(loop: Loop) -> None:
    """Four hours from nine: due soon at noon, due at one; one alert for each turn, and one when it was met after all."""
    key = loop.person("a@x.test", score=60)
    loop.cycle(2)
    assert loop.standing(key).clock == "on_track"
    until(loop, NINE + 3 * HOUR + 60)
    assert loop.standing(key).clock == "due_soon"
    loop.cycle(3)
    until(loop, NINE + 4 * HOUR + 60)
    assert loop.standing(key).clock == "breached"
    loop.call(loop.lead(key))
    loop.pass_time(60)
    loop.cycle(2)
    done = loop.standing(key)

    assert (done.clock, done.attempts) == ("met_late", 1)
    assert done.due_ms == pytest.approx((NINE + 4 * HOUR) * 1000, abs=50)
    assert [one.said["state"] for one in loop.ledger.alerts.unspread(10)] == ["due_soon", "breached", "met_late"]
    assert loop.counted() == loop.recounted()


def test_what_was_late_long_before_anybody_looked_is_no_alert(loop: Loop) -> None:
    """A year of history is in the reports; nobody is called about it."""
    old = loop.person("old@x.test", score=60)
    loop.pass_time(10 * 86_400)
    new = loop.person("new@x.test", score=60)
    loop.pass_time(5 * HOUR)
    loop.cycle(2)

    assert (loop.standing(old).clock, loop.standing(new).clock) == ("breached", "breached")
    assert [one.key for one in loop.ledger.alerts.unspread(10)] == [new]
    for key in (old, new):
        loop.call(loop.lead(key))
    loop.cycle(2)
    assert [(one.key, one.said["state"]) for one in loop.ledger.alerts.unspread(10)] == [
        (new, "breached"),
        (new, "met_late"),
    ]


def test_a_touch_in_time_keeps_the_agreement_and_says_where_the_time_went(loop: Loop) -> None:
    """Qualified at nine, in sales' hands at ten past, called at half past ten."""
    key = loop.person("a@x.test", score=60)
    loop.pass_time(600)
    loop.cycle(2)
    loop.sf.edit("Lead", loop.lead(key), {"Rep": "rita@x.test"}, by="rep")
    loop.cycle()
    loop.call(loop.lead(key), NINE + 1.5 * HOUR)
    until(loop, NINE + 2 * HOUR)
    one = loop.standing(key)

    assert (one.clock, one.owner, one.sync_s) == ("met", "rita@x.test", 600)
    assert (one.sync_s or 0) + (one.routing_s or 0) + (one.rep_s or 0) == pytest.approx(1.5 * HOUR, abs=3)
    found = report(loop, "follow_up")
    assert values(found["states"]) == {"met": 1}
    assert found["kept"] == 1.0
    assert [row["name"] for row in found["rows"]] == ["rita@x.test"]


def test_a_segment_has_its_own_speed_and_a_pause_stops_the_clock(loop: Loop) -> None:
    """An hour for the important; on holiday nobody waits."""
    vip, usual = loop.person("vip@x.test", score=60, jobtitle="CEO"), loop.person("usual@x.test", score=60)
    loop.cycle(2)
    loop.sf.edit("Lead", loop.lead(usual), {"Rating": "holiday"}, by="rep")
    until(loop, NINE + 2 * HOUR)
    assert (loop.standing(vip).clock, loop.standing(usual).clock) == ("breached", "paused")

    until(loop, NINE + 5 * HOUR)
    assert loop.standing(usual).clock == "paused"
    loop.sf.edit("Lead", loop.lead(usual), {"Rating": None}, by="rep")
    loop.cycle(2)
    assert loop.standing(usual).clock == "on_track"
    assert values(report(loop, "follow_up", segment="vip")["states"]) == {"breached": 1}


def test_attempts_are_counted_within_their_days(loop: Loop) -> None:
    """Three calls in five days keep the agreement; two do not, as soon as the days are over."""
    keen, lazy = loop.person("keen@x.test", score=60), loop.person("lazy@x.test", score=60)
    loop.cycle(2)
    for at in range(3):
        loop.call(loop.lead(keen), NINE + (at + 1) * HOUR)
        if at < 2:
            loop.call(loop.lead(lazy), NINE + (at + 1) * HOUR)
    until(loop, NINE + 5 * HOUR)
    assert (loop.standing(keen).depth, loop.standing(lazy).depth) == ("kept", "open")
    until(loop, NINE + 6 * 86_400)
    assert (loop.standing(keen).depth, loop.standing(lazy).depth) == ("kept", "missed")
    assert report(loop, "follow_up")["attempts_kept"] == 0.5


# ---------------------------------------------------------------- revenue


def sold(loop: Loop) -> dict[str, str]:
    """Three customers: two touches, one touch long ago, and a deal that nobody hangs on; and one that was lost."""
    keys = {}
    for name, source in (("ada", "web"), ("bob", "fair")):
        keys[name] = loop.person(f"{name}@x.test", score=60, source=source)
    loop.cycle(2)
    contacts = {}
    for name, key in keys.items():
        _, contacts[name] = loop.sf.convert("Lead", loop.lead(key), made={}, by="rep")
    loop.form(keys["ada"], "General guide", NINE - 20 * 86_400)
    loop.form(keys["ada"], "Choosing a maker", NINE - 2 * 86_400)
    loop.form(keys["bob"], "General guide", NINE - 400 * 86_400)
    for name, amount, stage, who in (
        ("Big", 1000.01, "won", ["ada"]), ("Old", 500, "won", ["bob"]), ("None", 7.5, "won", []), ("Lost", 90, "lost", ["ada"]),
    ):  # fmt: skip
        keys[name] = loop.sf.create(
            "Opportunity",
            {"Name": name, "Stage": stage, "Amount": amount, "Closed": "2027-01-18", "Why": "price" if stage == "lost" else None,
             "Roles": [contacts[one] for one in who] or None},
            by="rep",
        )  # fmt: skip
    loop.pass_time(60)
    loop.cycle(3)
    return keys


def test_revenue_is_what_was_won_to_the_cent_and_the_rest_has_causes(loop: Loop) -> None:
    """1,507.51 were won: 1,000.01 are shared by two touches, 500 came too late after theirs, 7.50 belong to nobody."""
    sold(loop)
    found = report(loop, "revenue")

    assert [(one["value"], one["currency"]) for one in found["won"]] == [(150_751, "EUR")]
    assert {row["campaign"]: row["amount"]["value"] for row in found["rows"]} == {
        "General guide": 50_001,
        "Choosing a maker": 50_000,
    }
    assert {row["cause"]: row["amount"]["value"] for row in found["unattributed"]} == {
        "outside_window": 50_000,
        "no_contact": 750,
    }
    assert found["difference"] == [{"value": 0, "currency": "EUR"}]
    assert [(row["reason"], row["amount"]["value"]) for row in found["lost"]] == [("price", 9_000)]
    for model in found["models"]:
        assert report(loop, "revenue", model=model)["difference"] == [{"value": 0, "currency": "EUR"}]
    assert loop.counted() == loop.recounted()


def test_a_touch_that_is_told_late_moves_the_credit(loop: Loop) -> None:
    """The deal itself did not move."""
    keys = sold(loop)
    loop.form(keys["bob"], "Fair talk", NINE - 5 * 86_400)
    loop.pass_time(60)
    loop.cycle(2)
    found = report(loop, "revenue")

    assert {row["campaign"]: row["amount"]["value"] for row in found["rows"]}["Fair talk"] == 50_000
    assert [row["cause"] for row in found["unattributed"]] == ["no_contact"]
    assert loop.counted() == loop.recounted()


def test_every_number_opens_to_records_that_add_up_to_it(loop: Loop) -> None:
    """Counts of people and deals, calls, touches, assists, and money to the cent: whatever has a link."""
    keys = sold(loop)
    loop.person("cold@x.test", score=1, lifecyclestage="lead")
    back = loop.person("back@x.test", score=60, source="web")
    loop.cycle(2)
    for _ in range(3):
        loop.call(loop.lead(back), loop.at)
    loop.sf.edit("Lead", loop.lead(back), {"Status": "Closed", "Rating": "no budget"}, by="rep")
    loop.form(keys["ada"], "Fair talk", NINE - 5 * 86_400)
    loop.cycle(3)
    files: Any = SimpleNamespace(mappings=loop.mappings())
    facts = {
        name: report(loop, name)
        for name in ("today", "handoffs", "follow_up", "funnel", "campaigns", "goals", "revenue")
    }
    facts["by source"] = report(loop, "funnel", by="source", cohort="month")
    figures = dict(figures_of(facts))

    assert len(figures) > 100
    assert len({name for name, figure in figures.items() if figure["value"]}) > 70
    assert [name for name, _ in figures_of(facts)] == list(figures)
    for name, figure in figures.items():
        link, parts = figure["records"], list[int]()
        while link is not None:
            page = reports.records_behind(loop.ledger, files, link, 2)
            parts += [record["part"] for record in page["records"]]
            link = page["next"]
        assert sum(parts) == figure["value"], (name, figure)


def test_each_model_shares_the_same_sum_and_what_helped_is_told(loop: Loop) -> None:
    """1,000.01 among three touches: all to the first or the last, thirds, or two fifths each and a fifth between."""
    keys = sold(loop)
    loop.form(keys["ada"], "Fair talk", NINE - 5 * 86_400)
    loop.pass_time(60)
    loop.cycle(2)
    found = report(loop, "revenue")
    credit = {row["campaign"]: {model: one["value"] for model, one in row["amounts"].items()} for row in found["rows"]}

    assert credit == {
        "General guide": {"first": 100_001, "last": 0, "linear": 33_334, "position": 40_001},
        "Fair talk": {"first": 0, "last": 0, "linear": 33_334, "position": 20_000},
        "Choosing a maker": {"first": 0, "last": 100_001, "linear": 33_333, "position": 40_000},
    }
    assert {row["campaign"]: row["assists"]["value"] for row in found["rows"]} == {
        "General guide": 1,
        "Fair talk": 1,
        "Choosing a maker": 0,
    }
    assert {one["model"]: one["difference"] for one in found["sums"]} == dict.fromkeys(found["models"], 0)


def test_the_funnel_by_cohort_counts_people_in_the_month_they_came(loop: Loop) -> None:
    """Whatever became of them later; a cohort that was nobody's at the beginning is left out."""
    loop.person("early@x.test", score=1, lifecyclestage="lead", source="web")
    loop.cycle()
    loop.pass_time(40 * 86_400)
    loop.person("late@x.test", score=60, lifecyclestage="mql", source="fair")
    loop.cycle(2)
    found = report(loop, "funnel", since="1970-01-01", until="2028-01-01", cohort="month", by="source")

    assert [(row["cohort"], row["name"], [one["value"] for one in row["reached"]]) for row in found["rows"]] == [
        ("2027-01", "web", [1, 0, 0, 0]),
        ("2027-02", "fair", [1, 1, 0, 0]),
    ]
    assert found["rows"][1]["rates"] == [None, 1.0, 0.0, None]


def test_deals_of_other_currencies_count_by_their_rate_or_are_told(loop: Loop) -> None:
    """Nothing is added up that is not agreed; what has no rate stands beside."""
    loop.funnel_text = loop.funnel_text.replace("[goal]\n", "[goal]\nrates = { USD = 0.9, JPY = 0.006 }\n").replace(
        "[revenue]\n", '[revenue]\ncurrency = "why"\n'
    )
    for name, amount, currency in (("A", 100, "EUR"), ("B", 10.05, "USD"), ("C", 1001, "JPY"), ("D", 7, "CHF")):
        values = {"Name": name, "Stage": "won", "Amount": amount, "Closed": "2027-01-18", "Why": currency}
        loop.sf.create("Opportunity", values, by="rep")
    loop.cycle(3)
    goal = report(loop, "goals")
    parts = {
        one["won"]["currency"]: (one["won"]["value"], one["rate"], one["counts"]["value"]) for one in goal["parts"]
    }

    assert parts == {
        "EUR": (10_000, 1.0, 10_000),
        "USD": (1_005, 0.9, 904),
        "JPY": (1_001, 0.006, 601),
        "CHF": (700, None, None),
    }
    assert goal["won"]["value"] == 10_000 + 904 + 601
    assert goal["average"]["value"] == round((10_000 + 904 + 601) / 3)


def test_a_lead_that_is_still_ours_is_not_routed(loop: Loop) -> None:
    """What we create belongs to us until somebody takes it: that is no owner, and the time until then is routing."""
    key = loop.person("a@x.test", score=60)
    loop.cycle(2)
    account = loop.ledger.books.account("sf")
    assert account is not None
    loop.sf.edit("Lead", loop.lead(key), {"Rep": account[2]}, by="rep")
    loop.cycle()
    assert (loop.standing(key).owner, loop.standing(key).routing_s) == ("", None)


def test_marketing_keeps_its_part_of_the_agreement_or_not_month_by_month(loop: Loop) -> None:
    """A month that is over and brought too little is not kept; one that goes on is open until it is reached."""
    loop.person("a@x.test", score=60, source="web")
    loop.cycle()
    loop.pass_time(31 * 86_400)
    for number in range(10):
        loop.person(f"b{number}@x.test", score=60)
    loop.cycle()
    found = report(loop, "follow_up", since="2026-01-01", until="2028-01-01")["marketing"]

    assert [(one["period"]["name"], one["owed"], one["qualified"]["value"], one["kept"]) for one in found] == [
        ("2027-01", 10, 1, False),
        ("2027-02", 10, 10, True),
    ]
    assert [(row["name"], row["owed"], row["qualified"]["value"], row["kept"]) for row in found[1]["by"]] == [
        ("web", 4, 0, None)
    ]


def _figures(facts: Any) -> Any:
    """Every figure with its value, opened or not."""
    if isinstance(facts, dict):
        if set(facts) >= {"value", "records"}:
            yield facts
        else:
            for part in facts.values():
                yield from _figures(part)
    elif isinstance(facts, list):
        for part in facts:
            yield from _figures(part)


def test_a_goal_is_reckoned_from_what_was_won(loop: Loop) -> None:
    """10,000 at 502.50 on average are 20 customers; three deals of two hand-offs."""
    sold(loop)
    goal = report(loop, "goals")

    assert (goal["period"]["name"], goal["goal"]["value"], goal["won"]["value"]) == ("2027-Q1", 1_000_000, 150_751)
    assert (goal["customers_needed"], goal["leads_needed"], goal["rate"]) == (20, 14, 1.5)
    assert [(row["name"], row["owed"], row["qualified"]["value"]) for row in goal["quota"]["by"]] == [("web", 4, 1)]


def test_the_digest_is_text_and_html_and_takes_no_markup(loop: Loop) -> None:
    """A campaign may be called anything."""
    keys = sold(loop)
    loop.form(keys["bob"], "<script>alert(1)</script>", NINE - 5 * 86_400)
    loop.pass_time(60)
    loop.cycle(2)
    week = report(loop, "weekly", since="2027-01-18")

    assert "won: 1507.51 EUR" in week["text"]
    assert "<script>" not in week["html"]
    assert "&lt;script&gt;" in week["html"]


def test_without_a_definition_everything_is_unknown(loop: Loop) -> None:
    """Unknown is not nought."""
    files: Any = SimpleNamespace(mappings=SimpleNamespace(funnel=None))
    for name in ("today", "funnel", "handoffs", "follow_up", "revenue", "campaigns", "goals", "weekly"):
        found = getattr(reports, name)(loop.ledger, files, loop.at)
        assert all(figure["value"] is None for figure in _figures(found))
