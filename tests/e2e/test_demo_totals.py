"""The totals that the demo prints are those of the two sandboxes themselves, reckoned a second time by other code."""

from __future__ import annotations

import time
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from reckoner import BACK, Picture, Reckoning, picture, qualifies

from syncd.demo.scene import opened, play

MAPPINGS = Path(__file__).parents[2] / "mappings"
SEED = 4
"""Sells to people who asked for both guides, on whatever day it is played (`test_demo_year.py` looks after that)."""

Played = tuple[dict[str, Any], list[Picture], int]


@pytest.fixture(scope="module")
def played() -> Iterator[Played]:
    """The demo's result; pictures of both systems before syncd did anything, at each rest, and now; and when that was."""
    pictures: list[Picture] = []

    with opened(24, SEED, MAPPINGS, lambda line: None, past=120) as scene:

        def say(line: str) -> None:
            if line.startswith("Quiet"):
                pictures.append(picture(scene.cast))

        scene.say = say
        pictures.append(picture(scene.cast))
        result = play(scene, SEED)
        pictures.append(picture(scene.cast))
        yield result, pictures, round(time.time() * 1000)


def known(figures: dict[str, Any]) -> dict[str, Any]:
    """Without what is nought: a campaign that touched but got no credit has nothing to be compared."""
    return {
        **figures,
        "revenue": {
            model: {part: {name: n for name, n in each.items() if n} for part, each in of.items()}
            for model, of in figures["revenue"].items()
        },
    }


def test_the_report_is_what_the_sandboxes_say(played: Played) -> None:
    """Hand-off balance, funnel, clocks, campaigns, and revenue by source and campaign under each model, to the cent."""
    result, pictures, now_ms = played
    assert result["converged"], result["differences"]

    # A clock may turn between the last cycle and now.
    for at_ms in (pictures[-1].at_ms - 5_000, now_ms):
        if (reckoned := known(Reckoning(pictures, at_ms).totals())) == known(result["report"]):
            break
    assert known(result["report"]) == reckoned


def test_the_story_is_in_the_totals(played: Played) -> None:
    """There is something to be compared: all of it would agree on nothing, too."""
    report = played[0]["report"]
    general, choosing = report["campaigns"]["General guide"], report["campaigns"]["Choosing a maker"]

    assert report["handoff"]["rejected"] > 5
    assert report["handoff"]["delivered"] > 10
    assert all(report["clocks"][state] for state in ("breached", "met", "met_late"))
    assert general["wasted_calls"] > choosing["wasted_calls"]
    assert general["people"] > 3 * choosing["people"]
    first, last = (report["revenue"][model]["credit"] for model in ("first", "last"))
    assert first != last
    assert sum(first.values()) == sum(last.values()) > 0


@pytest.mark.parametrize("part", ["handoff", "funnel", "clocks", "campaigns", "revenue"])
def test_one_record_that_says_otherwise_is_seen(played: Played, part: str) -> None:
    """The comparison can fail: each kind of figure, by one mutated record."""
    result, pictures, now_ms = played
    last = deepcopy(pictures[-1])
    delivered = [row for row in last.leads if row["Status"] == "Working - Contacted" and not row["IsConverted"]]
    lead = next(row for row in delivered if any(call["WhoId"] == row["Id"] for call in last.calls))
    mail = lead["Email"].lower()
    if part in ("handoff", "campaigns"):
        lead["Status"] = BACK
    elif part == "funnel":
        last.contacts[mail]["lifecyclestage"] = "customer"
    elif part == "clocks":
        last = replace(last, calls=[row for row in last.calls if row["WhoId"] != lead["Id"]])
        lead["Status"] = "Open - Not Contacted"
    else:
        won = next(row for row in last.deals if row["StageName"] == "Closed Won")
        won["Amount"] = won["Amount"] + 0.01
    # What is gone from the last picture was not there before either.
    before = [replace(one, calls=last.calls) if part == "clocks" else one for one in pictures[:-1]]
    reckoned = known(Reckoning([*before, last], now_ms).totals())

    assert reckoned[part] != known(result["report"])[part]


def test_nobody_qualifies_without_consent() -> None:
    """The second set of rules has the first one's bounds."""
    contact = {"lifecyclestage": "marketingqualifiedlead", "hubspotscore": "50"}
    assert qualifies(contact)
    assert not qualifies({**contact, "hubspotscore": "49"})
    assert not qualifies({**contact, "hs_email_optout": "true"})
    assert not qualifies({**contact, "lifecyclestage": "lead"})
