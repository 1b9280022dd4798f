"""A year in the life of a maker of widgets: who asked for which guide when, and what sales made of it.

Promise: pure: the same people, seed and moment give the same year. It knows no vendor; `past` lets it have happened.

The story: a general guide brings people all year, and most of them are not ready. In the first half marketing hands over
everybody who asks for it, by a list on Mondays: sales calls late or never, and gives most of them back. In the second
half people wait in nurturing until they ask for the second guide, how to choose a maker: about 15 % do. Those are handed
over within hours, called the same day, and close far more often.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from syncd.sandbox.business import LOSS_REASONS
from syncd.sandbox.company import REPS, Person, weighted

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
YEAR_DAYS = 358
TURN_DAYS = 180
"""So long ago the two departments agreed when a lead is handed over, and the second guide came out."""
TAKE_SECOND = 0.17
"""This part asks for the second guide, sooner or later: 15 % have by now."""
REASONS = ("No need", "Bad timing", "Unreachable", "No budget", "Wrong contact")
STEPS = (
    ("Qualification", 4),
    ("Needs Analysis", 9),
    ("Proposal/Price Quote", 9),
    ("Negotiation/Review", 7),
)
"""A deal's stages, and about how many days it takes to get there."""
OLD_HABIT = 0.12
"""This part is handed over by the old list even in the second half."""
UNCALLED = 0.08
"""And this part of those who are ready is called by nobody."""
FRESH = 5
"""So many asked for the second guide within the last hour."""
_SOURCES = (("Web", 55), ("Partner Referral", 15), ("Purchased List", 18), ("Phone Inquiry", 4), ("Other", 8))
_OPENED, _CLOSED = 8, 16
"""Sales' day, in UTC."""


@dataclass(slots=True)
class Deal:
    """What became of a conversion. Times in UTC epoch milliseconds; `closed_ms` None: still open."""

    made_ms: int
    amount: int
    steps: list[tuple[int, str]] = field(default_factory=list)
    closed_ms: int | None = None
    lost: str = ""
    """Why; empty: won, or open."""
    again_ms: int | None = None
    """When they ordered again by telephone: a deal of nobody, which no guide brought."""


@dataclass(slots=True)
class Round:
    """One time that somebody was handed over."""

    qualified_ms: int
    handed_ms: int | None = None
    """When sales got them; None: not yet."""
    calls_ms: list[int] = field(default_factory=list)
    accepted_ms: int | None = None
    rejected_ms: int | None = None
    reason: str = ""
    deal: Deal | None = None


@dataclass(slots=True)
class Life:
    """One person's year."""

    person: Person
    source: str
    rep: str
    came_ms: int
    score: int
    """After the first guide."""
    checked_ms: int | None = None
    """When marketing found that they fit, and no more: sales has not heard of them."""
    second_ms: int | None = None
    """When they asked for the second guide."""
    score_then: int = 0
    clicked_ms: list[int] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)
    back_ms: int | None = None
    """When marketing heard, by hand, that sales had given them back after the first round."""


def lives(people: Sequence[Person], seed: int, now_ms: int) -> list[Life]:
    """The year of these people until `now_ms`, in the order in which they came. Nothing lies ahead."""
    turn_ms = now_ms - TURN_DAYS * DAY_MS
    step_ms = YEAR_DAYS * DAY_MS // max(1, len(people))
    found = []
    for at, person in enumerate(people):
        # Each has chances of their own: a weekend that moves one's call leaves everybody else's year as it was.
        chance = random.Random(f"{seed}/{at}")
        came_ms = now_ms - YEAR_DAYS * DAY_MS + at * step_ms + chance.randrange(max(1, step_ms))
        found.append(_life(person, came_ms, turn_ms, now_ms - HOUR_MS, chance))
    waiting = [one for one in found[-len(found) // 4 :] if one.second_ms is None and not one.rounds]
    for life in waiting[:: max(1, len(waiting) // FRESH)][:FRESH]:
        _chooses_now(life, now_ms, random.Random(f"{seed}/{life.person.email}"))
    return found


def _chooses_now(life: Life, now_ms: int, chance: random.Random) -> None:
    """Asked for the second guide a moment ago: sales has not heard of them yet."""
    life.checked_ms, life.second_ms, life.score_then = None, now_ms - chance.randrange(5, 50) * 60_000, 80
    life.came_ms = min(life.came_ms, life.second_ms - HOUR_MS)
    life.clicked_ms = []
    life.rounds = [Round(life.second_ms + 90_000)]


def _life(person: Person, came_ms: int, turn_ms: int, until_ms: int, chance: random.Random) -> Life:
    source, rep = weighted(_SOURCES, chance), chance.choice(REPS)
    life = Life(person, source, rep, min(came_ms, until_ms), chance.randrange(8, 42))
    early = came_ms < turn_ms
    if early or chance.random() < OLD_HABIT:
        life.rounds.append(_by_list(life, chance))
    if chance.random() < TAKE_SECOND:
        earliest_ms = max(turn_ms, life.came_ms + 4 * DAY_MS)
        # Whoever came in the first half hears of the second guide with its first mailings, or weeks later.
        second_ms = earliest_ms + int(chance.random() * (170 if early else 40) * DAY_MS)
        if second_ms < until_ms and _free(life, second_ms):
            _chooses(life, second_ms, chance)
    if not life.rounds and life.second_ms is None and chance.random() < 0.5:
        life.checked_ms = life.came_ms + 2 * DAY_MS
    if chance.random() < 0.4:
        life.clicked_ms.append(life.came_ms + int(chance.uniform(1, 20) * DAY_MS))
    _cut(life, until_ms)
    return life


def _free(life: Life, at_ms: int) -> bool:
    """Nobody is at work on them: whom sales gave back, or never called, may ask again."""
    return all(one.accepted_ms is None and (one.rejected_ms or 0) < at_ms - 10 * DAY_MS for one in life.rounds)


def _by_list(life: Life, chance: random.Random) -> Round:
    """Handed over whether ready or not. Sales drowns: a quarter is never called, nobody in time."""
    since_ms = life.came_ms + chance.randrange(1, 20) * HOUR_MS
    handed_ms = monday(since_ms)
    one = Round(since_ms, handed_ms)
    if chance.random() < 0.25:
        return one
    at_ms = handed_ms
    for _ in range(chance.choice((1, 1, 2, 2, 3, 4))):
        at_ms = office(at_ms + int(chance.uniform(0.6, 9) * DAY_MS), chance)
        one.calls_ms.append(at_ms)
    ending = chance.random()
    if ending < (0.86 if life.source == "Purchased List" else 0.7):
        one.rejected_ms = at_ms + chance.randrange(1, 6) * HOUR_MS // 2
        one.reason = chance.choices(REASONS, (40, 25, 20, 10, 5))[0]
        life.back_ms = None if chance.random() < 0.3 else one.rejected_ms + 3 * DAY_MS
    elif ending < 0.9:
        one.accepted_ms = at_ms + HOUR_MS
    else:
        one.accepted_ms = at_ms + HOUR_MS
        one.deal = _deal(office(at_ms + int(chance.uniform(3, 15) * DAY_MS), chance), (20, 65), (20, 70), chance)
    return one


def _chooses(life: Life, at_ms: int, chance: random.Random) -> None:
    """Asks for the second guide: fit and interest meet, and sales hears of it the same day."""
    life.second_ms, life.score_then = at_ms, chance.randrange(55, 96)
    life.clicked_ms.append(at_ms + chance.randrange(1, 40) * HOUR_MS)
    if life.rounds and life.rounds[0].rejected_ms is not None and life.back_ms is None:
        life.back_ms = life.rounds[0].rejected_ms + 3 * DAY_MS
    one = Round(at_ms + chance.randrange(1, 20) * 60_000)
    one.handed_ms = one.qualified_ms + chance.randrange(10, 100) * 60_000
    life.rounds.append(one)
    if chance.random() < UNCALLED:
        return
    slips = chance.random() < 0.2
    first_ms = office(one.handed_ms, chance) + int(chance.uniform(0.1, 2.2) * HOUR_MS)
    at_ms = office(first_ms + 2 * DAY_MS, chance) if slips else first_ms
    one.calls_ms.append(at_ms)
    for _ in range(chance.choice((1, 2, 2, 3, 4))):
        at_ms = office(at_ms + int(chance.uniform(0.8, 2.2) * DAY_MS), chance)
        one.calls_ms.append(at_ms)
    ending = chance.random()
    if ending < 0.12:
        one.rejected_ms, one.reason = at_ms + HOUR_MS, chance.choice(REASONS)
        return
    one.accepted_ms = one.calls_ms[0] + chance.randrange(5, 50) * 60_000
    if ending < 0.75:
        one.deal = _deal(office(at_ms + int(chance.uniform(1, 5) * DAY_MS), chance), (60, 90), (70, 200), chance)


def _deal(made_ms: int, odds: tuple[int, int], hundreds: tuple[int, int], chance: random.Random) -> Deal:
    """`odds`: up to the first of a hundred are won, up to the second lost, the rest stay where they are."""
    deal = Deal(made_ms, chance.randrange(*hundreds) * 100)
    at_ms, end = made_ms, chance.randrange(100)
    steps = STEPS if end < odds[1] else STEPS[: chance.randrange(1, len(STEPS))]
    for stage, days in steps:
        at_ms = office(at_ms + int(chance.uniform(0.5, 1.5) * days * DAY_MS), chance)
        deal.steps.append((at_ms, stage))
    if end < odds[1]:
        deal.closed_ms = office(at_ms + int(chance.uniform(2, 9) * DAY_MS), chance)
        deal.lost = "" if end < odds[0] else chance.choice(LOSS_REASONS)
        if not deal.lost and chance.random() < 0.2:
            deal.again_ms = office(deal.closed_ms + int(chance.uniform(30, 90) * DAY_MS), chance)
    return deal


def _cut(life: Life, until_ms: int) -> None:
    """Nothing that has not happened yet."""

    def past(at_ms: int | None) -> int | None:
        return at_ms if at_ms is not None and at_ms <= until_ms else None

    life.back_ms, life.checked_ms = past(life.back_ms), past(life.checked_ms)
    life.clicked_ms = [at for at in life.clicked_ms if at <= until_ms]
    life.rounds = [one for one in life.rounds if one.qualified_ms <= until_ms]
    for one in life.rounds:
        one.handed_ms = past(one.handed_ms)
        one.calls_ms = [at for at in one.calls_ms if at <= until_ms]
        one.accepted_ms, one.rejected_ms = past(one.accepted_ms), past(one.rejected_ms)
        one.deal = one.deal if one.deal is not None and one.deal.made_ms <= until_ms else None
        if one.deal is not None:
            one.deal.steps = [step for step in one.deal.steps if step[0] <= until_ms]
            one.deal.closed_ms, one.deal.again_ms = past(one.deal.closed_ms), past(one.deal.again_ms)


def office(at_ms: int, chance: random.Random) -> int:
    """That moment if sales works then, else one in the first hours of their next day."""
    late_ms = chance.randrange(5, 170) * 60_000
    if _at_work(at_ms):
        return at_ms
    day_ms = at_ms - at_ms % DAY_MS
    if at_ms >= day_ms + _OPENED * HOUR_MS:
        day_ms += DAY_MS
    while datetime.fromtimestamp(day_ms / 1000, UTC).weekday() > 4:
        day_ms += DAY_MS
    return day_ms + _OPENED * HOUR_MS + late_ms


def _at_work(at_ms: int) -> bool:
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return at.weekday() < 5 and _OPENED <= at.hour < _CLOSED


def monday(at_ms: int) -> int:
    """Nine o'clock on the next Monday: the weekly list."""
    day_ms = at_ms - at_ms % DAY_MS + DAY_MS
    while datetime.fromtimestamp(day_ms / 1000, UTC).weekday() != 0:
        day_ms += DAY_MS
    return day_ms + 9 * HOUR_MS


def every_round(year: Sequence[Life]) -> Iterator[tuple[Life, Round]]:
    """Each time that somebody was handed over."""
    for life in year:
        for one in life.rounds:
            yield life, one
