"""Many stories: plays seeds, shrinks what fails to a short story, and counts what happened.

`python tests/simulation/campaign.py --seeds 200`, or `--for 600` (seconds), from seed `--first`; `--seed N` plays one and
tells it. Exit 1 if a promise was broken, or if something that must happen never did.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

HERE = Path(__file__).parent
for _folder in (str(HERE), str(HERE.parent.parent)):
    if _folder not in sys.path:
        sys.path.append(_folder)

import departments  # noqa: E402
import family  # noqa: E402
from hazards import COUNTERS, RARE  # noqa: E402
from items import Item, Script, Story  # noqa: E402
from play import Player, play  # noqa: E402
from script import Author  # noqa: E402
from tale import Tale, Tell, shortest  # noqa: E402

MEMORY = Path("/dev/shm")
"""Ledgers of the simulation lie there if it exists: it asks for durability thousands of times, and dies only in play."""
SHRINK_TRIES = 400
TALES: dict[Tell, int] = {family.tell: 4, departments.tell: 2}
"""Every so many seeds also tell a tale of a family, or of the two departments."""


@dataclass
class Failure:
    """A broken promise, and the shortest story that breaks it."""

    seed: int
    said: str
    story: Story | Tale
    items: int

    def __str__(self) -> str:
        return f"{self.said}\n{self.story.told()}"


@dataclass
class Campaign:
    """What many seeds came to."""

    seeds: int = 0
    cycles: int = 0
    requests: int = 0
    happened: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)

    def missing(self, *, long: bool) -> list[str]:
        """What never happened, and should have."""
        return [
            name for name, counter in COUNTERS.items() if not self.happened[counter] and (long or counter not in RARE)
        ]


def scene(story: Story, also: Callable[[Player], None] = lambda player: None) -> Player:
    """Plays a story in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="syncd-play-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        return play(story, folder, also)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def written(seed: int, rounds: int) -> Story:
    """The story of a seed."""
    return Author(seed).story(rounds)


def run(
    seeds: Iterator[int], rounds: int, *, until: float = float("inf"), most: int = 3, shrink: bool = True
) -> Campaign:
    """Plays seeds until they are used up, time is over, or so many failed."""
    campaign = Campaign()
    for seed in seeds:
        if time.monotonic() >= until or len(campaign.failures) >= most:
            break
        story = written(seed, rounds)
        player = scene(story)
        campaign.seeds += 1
        campaign.cycles += player.town.line.cycle
        campaign.requests += len(player.town.line.log)
        campaign.happened.update(player.acceptor.happened)
        if player.acceptor.violations:
            campaign.failures.append(failure(story, player, shrink=shrink))
        for tell in [tell for tell, every in TALES.items() if seed % every == 0]:
            tale_of(campaign, tell, seed)
    return campaign


def tale_of(campaign: Campaign, tell: Tell, seed: int) -> Campaign:
    """A seed's tale, added to the campaign."""
    folder = Path(tempfile.mkdtemp(prefix="syncd-tale-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        tale = tell(seed, folder / "whole", None)
        campaign.happened.update(tale.happened)
        if tale.broken:
            short = shortest(tale, tell, folder / "short")
            campaign.failures.append(Failure(seed, f"{tale.name} at {seed}: {short.broken}", short, len(short.steps)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return campaign


def failure(story: Story, player: Player, *, shrink: bool) -> Failure:
    """What broke, told as shortly as may be."""
    first = player.acceptor.violations[0]
    short = shortened(story, first.invariant) if shrink else story
    said = str(first)
    if short is not story:
        said = str(scene(short).acceptor.violations[0])
    if player.acceptor.crashed is not None:
        said += "\n" + "".join(traceback.format_exception(player.acceptor.crashed))
    return Failure(story.seed, said, short, _size(short))


def _size(story: Story) -> int:
    return len(story.beginning) + sum(len(one) for one in story.rounds)


def shortened(story: Story, invariant: str) -> Story:
    """Delta debugging: leaves out ever smaller parts, as long as the same promise breaks."""
    tries = 0

    def breaks(candidate: Story) -> bool:
        nonlocal tries
        tries += 1
        found = scene(candidate).acceptor.violations
        return bool(found) and found[0].invariant == invariant

    flat: list[tuple[int, Item]] = [
        (n, item) for n, script in enumerate([story.beginning, *story.rounds]) for item in script
    ]

    def of(items: list[tuple[int, Item]]) -> Story:
        scripts: list[Script] = [[item for at, item in items if at == n] for n in range(len(story.rounds) + 1)]
        return replace(story, beginning=scripts[0], rounds=scripts[1:])

    while len(story.rounds) > 1 and tries < SHRINK_TRIES:
        # The last rounds may not be needed.
        fewer = replace(story, rounds=story.rounds[:-1])
        if not breaks(fewer):
            break
        story = fewer
        flat = [(n, item) for n, item in flat if n <= len(story.rounds)]
    size = max(1, len(flat) // 2)
    while size and tries < SHRINK_TRIES:
        at, shrunk = 0, False
        while at < len(flat) and tries < SHRINK_TRIES:
            candidate = flat[:at] + flat[at + size :]
            if breaks(of(candidate)):
                flat, shrunk = candidate, True
            else:
                at += size
        size = size // 2 if not shrunk or size > 1 else 1
    return of(flat)


def main() -> int:
    """See the module's words."""
    parser = argparse.ArgumentParser(description="Plays seeds of the simulation.")
    parser.add_argument("--seeds", type=int, default=0)
    parser.add_argument("--for", dest="seconds", type=float, default=0.0)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--most", type=int, default=3)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--log", action="store_true", help="With --seed: every request.")
    parser.add_argument("--no-shrink", action="store_true")
    asked = parser.parse_args()
    if asked.seed is not None:
        story = written(asked.seed, asked.rounds)
        player = scene(story)
        print(story.told())
        if asked.log:
            print("\n".join(exchange.line() for exchange in player.town.line.log))
        print("\n".join(str(one) for one in player.acceptor.violations) or "nothing broke")
        if player.acceptor.crashed:
            traceback.print_exception(player.acceptor.crashed)
        return bool(player.acceptor.violations)
    began = time.monotonic()
    until = began + asked.seconds if asked.seconds else float("inf")
    last = asked.first + asked.seeds if asked.seeds else sys.maxsize
    done = run(iter(range(asked.first, last)), asked.rounds, until=until, most=asked.most, shrink=not asked.no_shrink)
    for one in done.failures:
        print(f"\nBROKEN  {one}\n")
    for name, counter in COUNTERS.items():
        print(f"{done.happened[counter]:7}  {name}")
    spent = time.monotonic() - began
    print(
        f"{done.seeds} seeds, {done.cycles} cycles, {done.requests} requests, {spent:.0f} s; {len(done.failures)} broke"
    )
    missing = done.missing(long=done.seeds >= 1000)
    if missing:
        print("never happened: " + "; ".join(missing))
    return bool(done.failures or missing)


if __name__ == "__main__":
    sys.exit(main())
