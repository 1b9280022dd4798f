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
from items import EVERYBODY, Act, Admin, Cycle, Die, During, Habit, Item, Keep, Script, Story, Trouble, Wait
from line import Killed
from memory import Memory, Place
from rules import BY_NAME, KEY, STAGES, Words
from told import writes
from town import LATE_S, MAPPING, MOST_UPDATES, TAKEN_OUT, Refused, Town, town
from verdict import judge

from syncd.errors import Fault, LedgerFull, SyncdError
from syncd.sandbox.company import REPS
from syncd.sandbox.wire import Request

VENDOR = {"marketing": "hubspot", "crm": "salesforce"}
STEP_S = 30.0
"""Between two cycles when it is quiet."""
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
    people: dict[int, list[Place]] = field(default_factory=dict)
    """The records that people made, by whom they are about."""
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
    _acting: bool = False

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
                self._act(item)
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
        if self._acting:
            return
        self._requests += 1
        self._meanwhile(self._requests)
        self._perish("request", self._requests)

    def _meanwhile(self, at: int) -> None:
        for item in [one for one in self.during if one.request == at]:
            self._act(item.act)
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
                        self._try(vendor, "show", object, key)
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

    # ------------------------------------------------ people

    def _act(self, act: Act) -> None:
        """Does it if it makes sense at that moment."""
        self._acting = True
        try:
            vendor = VENDOR[act.side]
            if act.who == EVERYBODY:
                self._everybody(act, vendor)
                return
            place = self._place(act.side, act.who, live=act.do != "restore")
            done = self._create(act) if act.do == "create" else place is not None and self._change(act, vendor, place)
            if done:
                self._noted(vendor)
        finally:
            self._acting = False

    def _noted(self, vendor: str) -> None:
        self.memory.became(self.acceptor.now(vendor))
        for left, right in self.acceptor.pairs():
            self.memory.meet(left, right)

    def _everybody(self, act: Act, vendor: str) -> None:
        """One field of all records is emptied, or all records of a side are deleted."""
        done = 0
        for object in ("contacts",) if act.side == "marketing" else ("Lead", "Contact"):
            for key in [key for key, row in self.town.rows(object).items() if row["_live"]]:
                one = Act(act.side, EVERYBODY, "edit" if act.do == "wipe" else act.do, act.field)
                done += self._change(one, vendor, (object, key))
        self._noted(vendor)
        self.acceptor.happened[f"{act.do} of many"] += done > 2

    def _create(self, act: Act) -> bool:
        value = dict(act.value)
        form = "contacts" if act.side == "marketing" else value["form"]
        if self._place(act.side, act.who) is not None:
            return False
        stage = value["stage"]
        names = {"email", "last_name", "phone", "country"} & value.keys()
        values = {BY_NAME[name].attribute(form): value[name] for name in names}
        if form == "contacts":
            values["lifecyclestage"] = stage
        elif form == "Lead":
            values |= {"Company": f"Company {act.who}", "Status": STAGES[stage]}
        made = self._try(VENDOR[act.side], "create", form, None, values=values)
        if made is None:
            return False
        place = (form, str(made["key"]))
        self.people.setdefault(act.who, []).append(place)
        if form == "contacts" and value["score"] is not None:
            self._try("hubspot", "calculate", form, place[1], values={"hubspotscore": str(value["score"])})
        return True

    def _change(self, act: Act, vendor: str, place: Place) -> bool:
        object, key = place
        memory = self.memory
        self.town.edited_at.setdefault(place, []).append(self.town.time.now_s)
        match act.do:
            case "edit":
                return self._edit(act, vendor, place)
            case "delete":
                done = self._try(vendor, "delete", object, key) is not None
                if done:
                    partner = self.acceptor._partner.get(place)
                    since = self.town.line.log[-1].at_s - STEP_S if self.town.line.log else 0.0
                    edits = self.town.edited_at.get(partner, ()) if partner else ()
                    self.acceptor.happened["deleted and edited"] += any(at > since for at in edits)
                    memory.tombs[place] = memory.tick()
                    memory.disturbed.add(place)
                    self.acceptor.happened["deleted"] += 1
                return done
            case "restore":
                done = self._try(vendor, "restore", object, key) is not None
                if done:
                    memory.disturbed.add(place)
                    memory.tombs.pop(place, None)
                    self.acceptor.happened["restored"] += 1
                return done
            case "merge":
                return self._merge(act, vendor, place)
            case "convert":
                if object != "Lead":
                    return False
                into = self._into(act.with_)
                made = self._try(vendor, "convert", object, key, **into)
                if made is not None:
                    self.acceptor.happened["converted into another's contact"] += bool(into)
                    self.people.setdefault(act.who, []).append(("Contact", str(made["contact"])))
                    memory.disturbed |= {place, ("Contact", str(made["contact"]))}
                    self.acceptor.happened["converted"] += 1
                return made is not None
        self._try(vendor, act.do, object, key)
        if act.do == "hide":
            memory.disturbed.add(place)  # that it is shown again moves no stamp
            self.acceptor.happened["hidden from our sight"] += 1
        return True

    def _into(self, who: int) -> dict[str, str]:
        """The contact that a lead is converted into; none: a new one."""
        place = self._place("crm", who) if who >= 0 else None
        if place is None or place[0] != "Contact":
            return {}
        return {"contact": place[1]}

    def _merge(self, act: Act, vendor: str, place: Place) -> bool:
        other = self._place(act.side, act.with_)
        if other is None or other == place or other[0] != place[0]:
            return False
        made = self._try(vendor, "merge", place[0], place[1], **{"with": other[1]})
        if made is None:
            return False
        survivor = (place[0], str(made["key"]))
        self.people.setdefault(act.who, []).insert(0, survivor)
        self.memory.disturbed |= {place, other, survivor}
        self.acceptor.happened[f"merged in {'the crm' if act.side == 'crm' else 'marketing'}"] += 1
        return True

    def _edit(self, act: Act, vendor: str, place: Place) -> bool:
        rule = BY_NAME["crm_opt_out" if act.field == "opt_out" and place[0] != "contacts" else act.field]
        attribute = rule.attribute(place[0])
        if attribute is None:
            return False
        value: Any = act.value
        if rule.kind == "owner":
            value = self._owner(place[0], act.value)
        elif rule.kind == "stage" and value is not None and place[0] == "Lead":
            value = STAGES.get(value, "Open - Not Contacted")
        elif rule.kind == "consent" and place[0] == "contacts":
            value = "true" if value else "false"
        elif rule.kind == "number" and value is not None:
            value = str(value)
        do = "calculate" if attribute in ("hubspotscore", "hs_email_optout", "hs_analytics_source") else "edit"
        if value is None and place[0] == "contacts":
            value = ""
        more = {"by": "ann"} if vendor == "hubspot" else {}
        done = self._try(vendor, do, place[0], place[1], values={attribute: value}, **more) is not None
        self.acceptor.happened["cleared"] += done and act.value is None
        self.acceptor.happened["another address"] += done and rule.name == "email" and act.value is not None
        self.acceptor.happened["a day or a moment"] += done and rule.kind in ("day", "moment")
        self.acceptor.happened["opted out"] += done and rule.kind == "consent" and act.value is True
        return done

    def _owner(self, object: str, rep: str) -> str:
        email = next(one for one in REPS if one.startswith(rep))
        numbers = {
            mail: number
            for number, mail in self.memory.words.owners.items()
            if (number[0] == "0") == (object != "contacts")
        }
        return str(numbers[email])

    def _try(self, vendor: str, do: str, object: str, key: str | None = None, /, **more: Any) -> dict[str, Any] | None:
        try:
            return self.town.act(vendor, do, object, key, **more)
        except Refused:
            return None

    def _place(self, side: str, who: int, *, live: bool = True) -> Place | None:
        """A record about somebody on one side: one that people made, or that syncd made for one of those."""
        objects = ("contacts",) if side == "marketing" else ("Contact", "Lead")
        known = self.people.get(who, [])
        named = {f"{object}:{key}" for object, key in known}
        for object in objects:
            rows = self.town.rows(object)
            for key, row in rows.items():
                made_for = ":".join(str(row.get(KEY[object]) or "").split(":")[2:])
                if not live and (object, key) not in self.memory.tombs:
                    continue
                if row["_live"] == live and ((object, key) in known or made_for in named):
                    return object, key
        return None


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
        player = Player(made, Acceptor(made, memory), memory)
        try:
            player.play(story)
        except Broken:
            pass
        except Exception as error:
            player.acceptor.crashed = error
            player.acceptor.fail("I0", f"{type(error).__name__}: {error}")
        also(player)
        return player
