"""The timer of cycles."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from syncd.daemon import Pauses
from syncd.settings import Daemon as DaemonSettings

THEN = datetime(2026, 11, 21, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("every_s", "jitter_s", "chance", "pause_s"),
    [(60.0, 5.0, 0.0, 60.0), (60.0, 5.0, 1.0, 65.0), (1.0, 5.0, 1.0, 2.0), (1.0, 0.0, 1.0, 1.0)],
)
def test_a_pause_is_lengthened_by_chance_but_never_doubled_by_more(
    every_s: float, jitter_s: float, chance: float, pause_s: float
) -> None:
    """Daemons spread out; one that was told to look every second does not wait for six."""
    settings = DaemonSettings.model_construct(every=every_s, jitter=jitter_s)
    fires = Pauses(lambda: settings, lambda: chance).get_next_fire_time(THEN, THEN)
    assert fires - THEN == timedelta(seconds=pause_s)


def test_a_first_cycle_starts_at_once_and_a_missed_one_is_made_up_once() -> None:
    """A start that was missed is now, not as often as it was missed."""
    settings = DaemonSettings.model_construct(every=60.0, jitter=0.0)
    timer = Pauses(lambda: settings, lambda: 0.0)
    late = THEN + timedelta(hours=1)
    assert timer.get_next_fire_time(None, THEN) == THEN
    assert timer.get_next_fire_time(THEN, late) == late
