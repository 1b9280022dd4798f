"""The simulation: people, troubles and deaths by seed, over the real engine and both sandboxes; and the tester itself.

A few hundred people's days in `make test`; as long as one likes in `make soak`. A seed that breaks a promise is shrunk to
a short story, which is what the failure prints; `python tests/simulation/campaign.py --seed N` plays it again.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from itertools import count

import family
import pytest
from campaign import Campaign, run, scene, tale_of, written
from items import Act, Cycle, Story
from play import Player
from told import Write

from syncd import write
from syncd.ledger.waits import Waits

SEEDS = range(1, 201)
ROUNDS = 1
SOAK_S = float(os.environ.get("SYNCD_SOAK_S", "600"))
"""How long the campaign of `make soak` lasts."""


@pytest.mark.timeout(900)  # a minute of computing, however busy the machine is
def test_no_promise_breaks_and_what_can_happen_happens() -> None:
    """All of `acceptor` and `verdict`; and a campaign in which a hazard never came up has not tested it."""
    campaign = run(iter(SEEDS), ROUNDS, most=1)

    assert not campaign.failures, f"\n{campaign.failures[0]}"
    assert not campaign.missing(long=False)


@pytest.mark.soak
@pytest.mark.skipif(not os.environ.get("SYNCD_SOAK"), reason="only in `make soak`: SYNCD_SOAK_S seconds of it")
def test_no_promise_breaks_however_long_it_is_tried() -> None:
    """Longer stories, other seeds; every hazard of the list must have come up."""
    campaign = run(count(1_000), 3, until=time.monotonic() + SOAK_S, most=1)

    assert not campaign.failures, f"\n{campaign.failures[0]}"
    assert not campaign.missing(long=campaign.seeds >= 1_000)


def test_the_same_seed_sends_the_same_requests() -> None:
    """I24: nothing in the engine depends on chance, on the wall clock, or on the order of a set."""
    for seed in (3, 11, 42):
        one, two = ([exchange.line() for exchange in scene(written(seed, 1)).town.line.log] for _ in range(2))
        assert one == two


def test_an_invented_value_is_not_let_pass() -> None:
    """The acceptor sees a write that nothing explains, and one that writes over the side that wins a clash."""
    told: list[str] = []

    def also(player: Player) -> None:
        acceptor = player.acceptor
        ((contact, person),) = acceptor.pairs()
        for values in ({"city": "Atlantis"}, {"hubspotscore": "1"}, {"city": None}):
            acceptor._judge(Write("contacts", "update", contact[1], values))
        acceptor._judge(Write("Lead", "create", None, {"LastName": "X"}))
        acceptor._judge(Write(person[0], "archive", person[1], {}))
        told.extend(one.invariant for one in acceptor.violations)

    scene(Story(0, False, True, [Act("crm", 0, "create", value=PERSON)], [[Cycle()]]), also)
    assert [one for one in told if one != "H100"] == ["I4", "I11", "H104", "I7", "I11"]
    assert told.count("H100") == 3, "and that nobody had looked"


def test_a_failing_seed_is_shrunk_to_a_short_story(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug is planted: creates go without syncd's key. Delta debugging leaves who is created, and what kills the answer."""
    effect = write._effect
    monkeypatch.setattr(write, "_effect", lambda intent: replace(effect(intent), unique=None))

    (failure,) = run(iter(SEEDS), ROUNDS, most=1).failures

    assert failure.said.startswith("I7 at request")
    assert 1 <= failure.items <= 4, str(failure)
    assert f"seed {failure.seed}" in str(failure)


def test_a_family_that_goes_wrong_is_shrunk_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug is planted: nobody writes down who waits for a parent."""
    monkeypatch.setattr(Waits, "keep", lambda self, *given, **more: [])
    found = Campaign()
    seed = next(seed for seed in range(1, 100) if tale_of(found, family.tell, seed).failures)

    (failure,) = found.failures
    assert failure.items <= 6, str(failure)
    assert f"family {seed}" in str(failure)


PERSON = {"email": "p0@x.test", "score": 80, "stage": "marketingqualifiedlead", "last_name": "Ada", "form": "Lead"}
