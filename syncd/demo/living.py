"""The demo's company as it goes on living: a deed every few seconds, and syncd keeping up, until somebody says stop.

Promise: between the deeds it does what the daemon does: cycles, and whatever the dashboard's buttons or commands in
another terminal ask for.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from itertools import chain

from syncd.demo.daily import Daily, newcomers
from syncd.demo.scene import Scene, begin
from syncd.demo.story import Story
from syncd.demo.trade import Trade
from syncd.work import Work

PACE_S = 3.0
"""Between two deeds."""
STEP_S = 0.2


def live(scene: Scene, seed: int, stop: threading.Event, look: Callable[[], None] = lambda: None) -> None:
    """Begins, and lives until `stop`. `look` is called whenever something may be seen anew."""
    begin(scene)
    scene.say("Both systems say the same. The company goes on living; Ctrl-C ends it.")
    work = Work(scene.session, {}, time.monotonic, stop.is_set)
    # A daemon compares both sides a week after its first plan; whoever looks at the demo sees a figure at once.
    scene.session.ledger.inbox.ask("parity", {"mapping": None, "sample": None}, scene.session.clock.now())
    deeds = _deeds(scene, seed)
    while not stop.is_set() and work.fatal is None:
        if (deed := next(deeds)) is not None:
            scene.say(f"{time.strftime('%H:%M:%S')}  {deed}")
        work.cycle()
        if (run := scene.session.ended) is not None and (made := scene.totals.add(run)):
            scene.say(f"{time.strftime('%H:%M:%S')}  cycle {scene.totals.cycles}: {made} writes")
        look()
        until_s = time.monotonic() + PACE_S
        while time.monotonic() < until_s and not stop.wait(STEP_S):
            work.serve()
    work.close()
    if work.fatal is not None:
        raise work.fatal


def _deeds(scene: Scene, seed: int) -> Iterator[str | None]:
    """First each thing that happens in the story, one after the other; then whatever the day brings."""
    chance = random.Random(seed + 1)
    daily = Daily(scene.cast, chance, newcomers(seed))
    trade = Trade(scene.cast, chance)
    for told in chain(Story(scene.cast, chance).chapters(), trade.first(), trade.second()):
        yield told
        yield daily.deed()
    while True:
        yield daily.deed()
        if chance.random() < 0.2:
            yield chance.choice((Story(scene.cast, chance).any_edit, Trade(scene.cast, chance).any_deed))()
