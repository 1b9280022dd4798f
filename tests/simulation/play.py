"""Plays a story: the town, its people, the troubles and deaths, and after each round the healing and the questions.

Promise: it draws nothing by chance; two plays of one story send the same requests. It decides nothing about right and
wrong: that is `acceptor` while it runs, and `verdict` in the end.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from acceptor import Acceptor
from hazards import count
from items import Act, Admin, Cycle, Die, During, Habit, Item, Keep, Script, Story, Trouble, Wait
from line import Killed
from memory import Memory
from rules import Words
from told import writes
from town import LATE_S, MAPPING, MOST_UPDATES, TAKEN_OUT, Town, town
from townsfolk import STEP_S, Townsfolk
from verdict import judge

from syncd.errors import Fault, LedgerFull, SyncdError
from syncd.sandbox.wire import Request

DAY_S = 86_400.0
MOST_CYCLES = 14
"""In so many quiet cycles it must have come to rest."""


class Broken(Exception):
    """A promise was broken: the story ends here."""


@dataclass
class Player:
    """One story in one town."""

    town: Town
    acceptor: Acceptor
    memory: Memory
    folk: Townsfolk
    during: list[During] = field(default_factory=list)
    die: Die | None = None
    undo: list[Admin] = field(default_factory=list)
    """What administrators did, until it is undone."""
    careful: bool = False
    rested: int = 0
    _writes_at_backup: int = 0
    _requests: int = 0
    _commits: int = 0
    _writes: int = 0

    def play(self, story: Story) -> None:
        """All of it. Raises Broken at the first broken promise."""
        self.acceptor.attach()
        self.town.line.before = self._before
        self.town.line.after = self._after
        self.town.doomed = self._at_commit
        self.acceptor.leaves = self._leaves
        self.careful = story.careful
        self.acceptor.may_send = not story.careful
        for item in story.beginning:
            self._do(item)
        self.town.time.pass_s(20)
        if story.calm:
            self._rest()
        for script in story.rounds:
            for item in script:
                self._do(item)
            self._heal(script)
            self._rest()
            judge(self.town, self.acceptor)
            self._stop_if_broken()

    def _stop_if_broken(self) -> None:
        if self.acceptor.violations:
            raise Broken(str(self.acceptor.violations[0]))

    # ------------------------------------------------ items

    def _do(self, item: Item) -> None:
        match item:
            case Act():
                self.folk.act(item)
            case During():
                self.during.append(item)
            case Trouble(vendor, _, rule):
                if rule["kind"] == "unsent":
                    self.town.line.refusing[vendor] = rule["times"]
                else:
                    self.town.apps[vendor].faults.add(dict(rule))
            case Die():
                self.die = item
            case Cycle():
                self._cycle()
                self._stop_if_broken()
            case Wait(seconds):
                self.town.time.pass_s(seconds)
            case Keep(what):
                self._keep(what)
            case Habit(vendor, name, value):
                self.town.apps[vendor].switch({name: value})
                if name == "automations":
                    self.memory.automatic |= {text for one in value for text in one["set"].values()}
            case Admin(vendor, what, do, _):
                if item not in self.undo:
                    self.undo.append(item)
                    self._administer(vendor, do)
                    self.acceptor.happened[what] += 1

    def _keep(self, what: str) -> None:
        town = self.town
        match what:
            case "backup":
                town.backup()
                self._writes_at_backup = self.acceptor.writes
            case "restore":
                if town.restore():
                    # A copy that nothing was sent since is as good as the ledger.
                    self._forgot("an old ledger was put back", self.acceptor.writes > self._writes_at_backup)
            case "lose":
                town.lose()
                self._forgot("the ledger was lost", self.acceptor.writes > 0)
            case "second":
                self.acceptor.happened["a second daemon was started"] += 1
                if not town.second_daemon():
                    self.acceptor.fail("H186", "a second daemon was let in")
            case "elsewhere":
                self._elsewhere()
            case "stop":
                town.stop()
                self.acceptor.meter.forget()
            case "full":
                town.room(full=True)
            case "edit":
                town.edit(narrow=True)
                self.acceptor.edited(frozenset({TAKEN_OUT}))
                self.acceptor.happened["the mapping was edited"] += 1

    def _elsewhere(self) -> None:
        """What another machine's ledger knows is none of this one's; but it writes nothing that nobody has released."""
        acceptor, line = self.acceptor, self.town.line
        hooks = line.hear_before, line.hear_after, line.before, line.after

        def sends(vendor: str, request: Request) -> None:
            if writes(vendor, request):
                acceptor.fail("H187", "a second daemon with a ledger of its own sends what nobody released")

        line.hear_before, line.hear_after = sends, lambda exchange: None
        line.before = line.after = lambda: None
        try:
            self.town.elsewhere()
        finally:
            line.hear_before, line.hear_after, line.before, line.after = hooks
        acceptor.happened["a daemon elsewhere"] += 1

    def _administer(self, vendor: str, acts: tuple[dict[str, Any], ...]) -> None:
        """An administrator does something to the account."""
        for one in acts:
            self.town.apps[vendor].act(dict(one))
            if one["do"] == "rename_field":
                at = next(
                    (at for at, name in self.town.renamed.items() if name == one["field"]),
                    (one["object"], one["field"]),
                )
                self.town.renamed[at] = one["to"]

    def _forgot(self, what: str, something: bool) -> None:
        if something:
            self.acceptor.happened[what] += 1
            self.acceptor.may_send = False
        self.acceptor.forgot()

    # ------------------------------------------------ cycles

    def _cycle(self) -> bool:
        """True if it came to its end and nothing was in trouble. The very first plan is released unseen."""
        self._requests = self._commits = self._writes = 0
        try:
            first = not self.town.approved()
            yes = first and not self.careful
            self.acceptor.begin_cycle(float("inf") if yes else self._most_updates())
            run = self.town.cycle(yes=yes)
        except LedgerFull:
            self.acceptor.happened["the disk was full"] += 1
            return False
        except Killed:
            self.acceptor.happened["killed"] += 1
            self.acceptor.died()
            self._after_death()
            return False
        except Fault as error:
            self.acceptor.fail("I0", f"a fault of ours: {error.message}")
            return False
        except SyncdError:
            return False
        finally:
            self.die = None
            self.during.clear()
        self.acceptor.look_at_links()
        tally = run.tally(MAPPING)
        count(self.acceptor.happened, self.town, run, first=first)
        return not tally.skipped and not any(system.trouble for system in run.systems.values())

    def _most_updates(self) -> float:
        """So many updates may be sent in a cycle that nobody released: what the guard lets pass, and what it let pass
        before."""
        if not self.town.tight:
            return float("inf")
        return MOST_UPDATES + self.town.open().ledger.intents.total(("ready", "sent", "answered"), MAPPING)

    def _after_death(self) -> None:
        ledger = self.town.open().ledger
        if ledger.store.integrity() != "ok" or ledger.journal.verify()[1] is not None:
            self.acceptor.fail("I18", "the ledger is not whole after a kill")

    def _before(self) -> None:
        if self.folk.acting:
            return
        self._requests += 1
        self._meanwhile(self._requests)
        self._perish("request", self._requests)

    def _meanwhile(self, at: int) -> None:
        for item in [one for one in self.during if one.request == at]:
            self.folk.act(item.act)
            self.acceptor.happened["edited while a cycle ran"] += 1

    def _leaves(self) -> None:
        """A request that writes is about to leave."""
        self._writes += 1
        self._meanwhile(-self._writes)
        self._perish("write", self._writes)

    def _after(self) -> None:
        self._perish("answer", self._requests)
        if self.acceptor.pending:
            self._perish("told", self._writes)
        if self.acceptor.pending == "create":
            self._perish("made", 1)

    def _at_commit(self, point: str) -> None:
        if point == "begin":
            return
        self._commits += 1
        self._perish("commit", self._commits)

    def _perish(self, at: str, n: int) -> None:
        if self.die is not None and self.die.at == at and self.die.n == n:
            if at in ("answer", "told", "made") and self.acceptor.pending:
                self.acceptor.happened[f"{self.acceptor.pending} killed"] += 1
            self.die = None
            self.town.request_point()
            raise Killed

    def _heal(self, script: Script) -> None:
        """What went wrong is mended, one vendor after the other, with a cycle in between."""
        first = len(script) % 2
        self.town.room(full=False)
        for one in reversed(self.undo):
            self._administer(one.vendor, one.undo)
        if self.undo:
            # A day of calls is over, and what objects look like has been looked at again.
            self.town.time.pass_s(DAY_S)
        self.undo.clear()
        if self.town.narrow:
            self.town.edit(narrow=False)
            self.acceptor.edited(frozenset())
        vendors = ["hubspot", "salesforce"]
        for vendor in vendors[first:] + vendors[:first]:
            self.town.apps[vendor].faults.clear()
            self.town.line.refusing[vendor] = 0
            self._cycle()
            self.town.time.pass_s(STEP_S)
        for vendor, objects in (("hubspot", ("contacts",)), ("salesforce", ("Lead", "Contact"))):
            for object in objects:
                for key, row in self.town.rows(object).items():
                    if row["_live"]:
                        self.folk.attempt(vendor, "show", object, key)
        self.town.time.pass_s(LATE_S)
        self._stop_if_broken()

    def _rest(self) -> None:
        """Quiet: cycles until one writes nothing and nothing waits."""
        calm = 0
        for _ in range(MOST_CYCLES):
            before = self.acceptor.writes
            self._release()
            self._cycle()
            self._stop_if_broken()
            self.town.time.pass_s(STEP_S)
            intents = self.town.open().ledger.intents
            waiting = intents.total(("sent", "answered", "ready"), MAPPING)
            still = self.acceptor.writes == before and not waiting
            calm = calm + 1 if still and self.town.open().ledger.epoch.safe(MAPPING) is None else 0
            if calm == 2:
                self.rested += 1
                return
        self.acceptor.fail("I9", f"after {MOST_CYCLES} quiet cycles it still writes, or waits ({waiting} effects)")
        self._stop_if_broken()

    def _release(self) -> None:
        try:
            if self.town.approve():
                self.acceptor.may_send = True
        except Killed:
            raise
        except SyncdError:
            return
        if self.town.open().ledger.epoch.safe(MAPPING) is None and (self.town.approved() or not self.careful):
            self.acceptor.may_send = True


def words_of(town: Town) -> Words:
    """Who owns what, in both systems' numbers."""
    owners = town.apps["hubspot"].state(None)["owners"].values()
    users = town.apps["salesforce"].state("User")["objects"]["User"].values()
    ours = {one["id"]: one["email"] for one in owners if not one["archived"]}
    theirs = {one["Id"]: one["Email"] for one in users if one["IsActive"]}
    both = set(ours.values()) & set(theirs.values())
    return Words({number: mail for number, mail in {**ours, **theirs}.items() if mail in both})


@contextmanager
def standing_in(zone: str) -> Iterator[None]:
    """The machine stands in that time zone."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = zone
    time.tzset()
    try:
        yield
    finally:
        os.environ.pop("TZ")
        if before is not None:
            os.environ["TZ"] = before
        time.tzset()


def play(story: Story, folder: Path, also: Callable[[Player], None] = lambda player: None) -> Player:
    """Plays a story in a fresh town. What was broken is in the player's acceptor."""
    with town(folder, tight=story.tight, small=story.small) as made, standing_in(story.zone):
        memory = Memory(words_of(made))
        acceptor = Acceptor(made, memory)
        player = Player(made, acceptor, memory, Townsfolk(made, acceptor, memory))
        try:
            player.play(story)
        except Broken:
            pass
        except Exception as error:
            player.acceptor.crashed = error
            player.acceptor.fail("I0", f"{type(error).__name__}: {error}")
        also(player)
        return player
