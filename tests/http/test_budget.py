"""Budget: our own calls a day, and the share of the vendor's limit that nobody touches."""

from __future__ import annotations

import threading

import pytest
from scripted import Clock

from syncd.budget import DAY_S, PROBE_S, Budget, Lane
from syncd.errors import QuotaExhausted

LANES: tuple[Lane, ...] = ("urgent", "reading", "normal", "backfill")
MIDDAY_S = 20_000 * DAY_S + DAY_S / 2


def spend(budget: Budget, lane: Lane | None = "normal") -> int:
    """How many calls the lane gets out of it, at most 1000."""
    for n in range(1000):
        try:
            budget.spend(lane)
        except QuotaExhausted:
            return n
    return 1000


def test_the_last_share_is_for_urgent_calls(clock: Clock) -> None:
    """Rule: hand-offs and opt-outs still go when everything else has stopped."""
    budget = Budget(per_day=100, urgent=0.1, now=clock.now)

    assert spend(budget, "backfill") == 90
    assert spend(budget, "normal") == 0
    assert spend(budget, "urgent") == 10
    assert spend(budget, None) == 1000


def test_the_day_turns_at_midnight_utc(clock: Clock) -> None:
    """Rule: the wait that is told ends exactly when there is budget again."""
    clock.now_s = MIDDAY_S
    budget = Budget(per_day=1, urgent=0, now=clock.now)
    budget.spend("normal")
    with pytest.raises(QuotaExhausted) as caught:
        budget.spend("normal")

    assert caught.value.after_s == DAY_S / 2
    clock.now_s += caught.value.after_s
    budget.spend("normal")


def test_a_snapshot_continues_the_day_it_was_taken(clock: Clock) -> None:
    """Rule: a restart gives nobody a second budget; yesterday's count does not matter today."""
    clock.now_s = MIDDAY_S
    first = Budget(per_day=10, urgent=0, now=clock.now)
    spend(first)
    kept = first.snapshot()

    again = Budget(per_day=10, urgent=0, used=kept["used"], day=kept["day"], now=clock.now)
    assert spend(again) == 0
    clock.now_s += DAY_S
    assert spend(again) == 10


def test_the_vendors_reserve_is_not_touched_by_any_lane(clock: Clock) -> None:
    """Rule: whoever used the rest, that share stays for the customer's other programs (H029)."""
    budget = Budget(reserve=0.2, now=clock.now)
    budget.vendor(1000, 205)

    assert spend(budget, "normal") == 5
    assert spend(budget, "urgent") == 0


def test_an_old_figure_is_asked_for_by_a_status_call_only(clock: Clock) -> None:
    """Rule: the vendor's own figure decides when it goes on, not our idea of its midnight (H031); and what asks for it
    is never a call of a lane."""
    budget = Budget(reserve=0.2, now=clock.now)
    budget.vendor(1000, 100)
    with pytest.raises(QuotaExhausted) as caught:
        budget.spend("normal")
    assert caught.value.after_s == PROBE_S

    assert not budget.stale
    clock.now_s += caught.value.after_s
    assert budget.stale
    assert [spend(budget, lane) for lane in LANES] == [0, 0, 0, 0]
    assert spend(budget, None) == 1000
    budget.vendor(1000, 1000)
    assert not budget.stale
    assert spend(budget) == 800


def test_half_of_the_urgent_share_is_for_the_looks_that_find_what_is_urgent(clock: Clock) -> None:
    """Rule: nobody knows of a hand-off without looking; and looking alone never uses up what would send it."""
    budget = Budget(per_day=100, urgent=0.1, now=clock.now)
    assert not budget.only_urgent
    spend(budget, "normal")

    assert budget.only_urgent
    assert spend(budget, "reading") == 5
    assert (spend(budget, "normal"), spend(budget, "backfill")) == (0, 0)
    assert spend(budget, "urgent") == 5


def test_a_known_reset_is_waited_for(clock: Clock) -> None:
    """Rule: where the vendor says when, we do not ask before."""
    budget = Budget(now=clock.now)
    budget.vendor(1000, 0, resets_s=5000)
    with pytest.raises(QuotaExhausted) as caught:
        budget.spend("normal")

    assert caught.value.after_s == 5000


def test_threads_do_not_overspend(clock: Clock) -> None:
    """Rule: the count is exact with eight threads."""
    budget = Budget(per_day=100, urgent=0, now=clock.now)
    got: list[int] = []
    threads = [threading.Thread(target=lambda: got.append(spend(budget))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(got) == 100


def test_what_is_left_is_the_smaller_of_both(clock: Clock) -> None:
    """Rule: status shows what can really still be called."""
    budget = Budget(per_day=100, urgent=0.1, reserve=0.2, now=clock.now)
    assert Budget(now=clock.now).left() is None
    assert (budget.left(), budget.left("urgent")) == (90, 100)
    budget.vendor(1000, 230)

    assert budget.left() == 30
