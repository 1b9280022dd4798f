"""Two departments: marketing warms people up and hands them over, sales calls them, gives them back, converts them.

The town (`town`) leaves out what the funnel tells and holds back; here that is the whole of it: outcomes, the nurture list,
the hand-off, `[promote]` and recycling, while syncd is killed and its writes are lost, late or unheard. Promise: the same
seed tells the same story. Every write is judged by what stood in the systems before it, and in the end everybody stands
where the agreement, read here a second time, puts them.
"""

from __future__ import annotations

import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

for _folder in ("engine", "ledger", "funnel"):
    if (_path := str(Path(__file__).parent.parent / _folder)) not in sys.path:
        sys.path.append(_path)

from killing import Killed, Killer, dying  # noqa: E402
from loopworld import FUNNEL, LOOP_PEOPLE, TASKS, Loop, iso, make_loop  # noqa: E402
from tale import Step, Tale  # noqa: E402
from world import writes  # noqa: E402

from connectors.memory import Kind, Store  # noqa: E402
from connectors.memory.items import Item, Write  # noqa: E402
from connectors.memory.kinds import Refusal  # noqa: E402
from syncd.assembly import Mappings  # noqa: E402
from syncd.core.compile import compile_mapping  # noqa: E402
from syncd.core.funnel import compile_funnel  # noqa: E402
from syncd.core.kinds import compile_file  # noqa: E402
from syncd.core.watch import Watch  # noqa: E402

HOUR_S, DAY_S = 3_600.0, 86_400.0
BAR = 50
REST_S = 10 * DAY_S
"""`[recycle] after`."""
NEVER = "never"
"""The reason after which nobody is handed over again."""
REASONS = ("no budget", "bad timing", NEVER)
SIGHT_S = 900.0
"""What stood in a system within so long before a write may be what it was decided on."""
LATE_S = 600.0
TROUBLES = ("doubtful_before", "doubtful_after", "late", "transient", "moved")
ASKED = {"merged_into_linked", "deleted_and_edited", "ambiguous"}
"""What syncd asks a person about, as it should; nobody answers here."""
SALES_WORD = {"Open": "delivered", "Working": "accepted", "Closed": "rejected"}
STATUSES = """
name = "statuses"
kind = "watch"
side = "crm"
system = "sf"
object = "LeadHistory"
means = "stage"
at = "made"
on = { lead = "people" }
[fields.made]
attribute = "Made"
type = "datetime"
[fields.lead]
attribute = "Lead"
type = "reference"
"""
"""When a lead moved, as sales' system keeps it."""
TOLD = """
[promote]
crm = 'qualified'
[fields.outcome]
marketing = "outcome"
crm = "funnel.outcome"
flow = "to_marketing"
[fields.handoff_here]
marketing = "handoff"
crm = "funnel.handoff"
flow = "to_marketing"
blank = "clear"
[fields.handoff_there]
marketing = "funnel.handoff"
crm = "Handoff"
flow = "to_crm"
blank = "clear"
"""


_LIKELY = {
    "come": 6, "warm": 6, "move_on": 4, "call": 2, "answer": 6, "convert": 2, "own_lead": 2, "merge": 1, "leave": 1,
    "opt_out": 1, "wait": 4, "trouble": 3, "warm_up_again": 3,
}  # fmt: skip


def written(seed: int) -> list[Step]:
    """The story of a seed: a few things happen, then comes a cycle, in which syncd may be killed."""
    chance = random.Random(seed)
    steps: list[Step] = [("come", chance.random(), chance.random()) for _ in range(3)]
    for _ in range(chance.randint(6, 14)):
        for what in chance.choices([*_LIKELY], [*_LIKELY.values()], k=chance.choice((1, 1, 2, 3))):
            steps.append((what, chance.random(), chance.random()))
        steps.append(("cycle", chance.choice((0, 0, 0, chance.randint(1, 80)))))
    return steps


def tell(seed: int, folder: Path, steps: Sequence[Step] | None = None) -> Tale:
    """Plays a story: by default the one of that seed."""
    story = Tale("departments", seed, list(written(seed) if steps is None else steps))
    players = _Players(make(folder), story.happened)
    try:
        for step in story.steps:
            with suppress(Refusal):  # what makes no sense to a system is refused to people, too
                getattr(players, step[0])(*step[1:])
            players.look()
        players.end()
    except AssertionError as error:
        story.broken = str(error) or "an assertion"
    finally:
        players.loop.ledger.close()
    return story


def make(folder: Path) -> Loop:
    """Two systems with what the funnel says of people."""
    folder.mkdir(parents=True, exist_ok=True)
    loop = make_loop(folder)
    text = "text length=255"
    contacts = loop.mk.kinds["contacts"]
    more = {"outcome": text, "handoff": text, "list.Nurture": "bool"}
    loop.mk.kinds["contacts"] = replace(
        contacts,
        traits=replace(contacts.traits, lists="list."),
        attributes={**contacts.attributes, **Kind.of("contacts", **more).attributes},
    )
    for form in ("Lead", "Contact"):
        kind = loop.sf.kinds[form]
        attributes = {**kind.attributes, **Kind.of(form, Handoff=text).attributes}
        loop.sf.kinds[form] = replace(kind, attributes=attributes)
    history = Kind.of("LeadHistory", traits=loop.sf.kinds["Task"].traits, Made="datetime", Lead=text)
    loop.sf.kinds["LeadHistory"], loop.sf.items["LeadHistory"] = history, {}
    return _Agreed(loop.path, loop.mk, loop.sf)


class _Agreed(Loop):
    """People and calls, under an agreement with a nurture list."""

    def mappings(self) -> Mappings:
        return _compiled()


@cache
def _compiled() -> Mappings:
    text = FUNNEL.split("[credit]")[0] + '[nurture]\nlist = "Nurture"\n'
    text = text.replace("'score >= 50'", f"'score >= {BAR} && !opt_out'")
    funnel, problems = compile_funnel(text, "funnel.toml", None)
    assert funnel is not None, [str(one) for one in problems]
    people, problems = compile_mapping(LOOP_PEOPLE + TOLD, "people.toml", funnel)
    assert people is not None, [str(one) for one in problems]
    watches = {}
    for text in (TASKS, STATUSES):
        (watch,), problems = compile_file(text, "watch.toml", funnel)
        assert isinstance(watch, Watch), problems
        watches[watch.name] = watch
    return Mappings({"people": people}, funnel, (), watches)


def _meets(values: dict[str, Any]) -> bool:
    """The agreement, read by a person: the score reaches the bar, and they did not opt out. Unknown is not true."""
    score = values["score"]
    return score is not None and score >= BAR and values["optout"] is False


@dataclass
class _Players:
    """People and troubles in one world. A step is the name of a method here, and its choices as parts of one."""

    loop: Loop
    happened: Counter[str]
    ready: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """When an address stood on a contact that meets the agreement: at each look."""
    given_back: dict[str, tuple[float, str]] = field(default_factory=dict)
    """By lead: when sales gave back somebody whom syncd had handed over, and why."""
    made: set[str] = field(default_factory=set)
    """What syncd made in sales: leads, and the contacts that they became."""
    moves: int = 0
    """So many moves of leads are in their history."""
    seen: int = 0
    """So many of syncd's writes to sales were judged."""
    n: int = 0

    # ------------------------------------------------ people

    def come(self, one: float, other: float) -> None:
        """Somebody new, ready or not."""
        self.n += 1
        values = {"score": _of((None, 10, 49, 50, 80), one), "lifecyclestage": _of((None, "lead", "mql"), other)}
        self.loop.person(f"p{self.n}@x.test", optout=_of((False, False, False, None), one * 7 % 1), **values)

    def warm(self, one: float, other: float) -> None:
        """Their score moves."""
        if key := self._contact(one):
            self.loop.mk.edit("contacts", key, {"score": _of((5, 49, 50, 90), other)}, by="web")

    def move_on(self, one: float, other: float) -> None:
        """Marketing moves somebody to another stage."""
        if key := self._contact(one):
            self.loop.mk.edit("contacts", key, {"lifecyclestage": _of(("lead", "mql", "mql"), other)}, by="ann")

    def warm_up_again(self, one: float, other: float) -> None:
        """Somebody whom sales gave back is taken up by marketing, in time or not."""
        back = sorted(
            key for key in self.loop.sf.keys("Lead") if self.loop.sf.values("Lead", key)["Status"] == "Closed"
        )
        if not back:
            return
        email = self.loop.sf.values("Lead", back[int(one * len(back))])["Email"]
        self.loop.pass_time(_of((HOUR_S, REST_S, REST_S), other))
        for key in self.loop.mk.keys("contacts"):
            if self.loop.mk.values("contacts", key)["email"] == email:
                self.loop.mk.edit("contacts", key, {"score": 90, "lifecyclestage": "mql", "optout": False}, by="ann")

    def opt_out(self, one: float, other: float) -> None:
        if key := self._contact(one):
            self.loop.mk.edit("contacts", key, {"optout": other < 0.8}, by="ann")

    def call(self, one: float, other: float) -> None:
        if key := _pick(self.loop.sf, _of(("Lead", "Contact"), other), one):
            self.loop.call(key)

    def answer(self, one: float, other: float) -> None:
        """Sales takes somebody on, or gives them back."""
        if not (key := _pick(self.loop.sf, "Lead", one)):
            return
        status, reason = _of(("Working", "Closed", "Closed"), other), _of(REASONS, one * 7 % 1)
        if status == "Closed" and key in self.made:
            closed = self.loop.sf.values("Lead", key)["Status"] == "Closed"
            self.happened["given back"] += not closed
            self.given_back[key] = (self.given_back.get(key, (0.0, ""))[0] if closed else self.loop.at, reason)
        elif status != "Closed":
            self.given_back.pop(key, None)
        self.loop.sf.edit("Lead", key, {"Status": status, "Rating": reason if status == "Closed" else None}, by="rep")

    def convert(self, one: float, other: float) -> None:
        if key := _pick(self.loop.sf, "Lead", one):
            _, became = self.loop.sf.convert("Lead", key, made={}, by="rep")
            self.made |= {became} if key in self.made else set()

    def own_lead(self, one: float, other: float) -> None:
        """Sales has met somebody, whom marketing may know."""
        self.n += 1
        key = self._contact(one)
        email = self.loop.mk.values("contacts", key)["email"] if key and other < 0.6 else f"p{self.n}@x.test"
        if not any(email == item.values["Email"] for item in self._sales()):
            values = {"Email": email, "LastName": "Y", "Status": _of(("Open", "Working", "Closed"), other * 3 % 1)}
            self.loop.sf.create("Lead", values, by="rep")

    def merge(self, one: float, other: float) -> None:
        winner, loser = self._contact(one), self._contact(other)
        if winner and loser and winner != loser:
            self.loop.mk.merge("contacts", winner, loser, by="ann")

    def leave(self, one: float, other: float) -> None:
        if key := self._contact(one):
            self.loop.mk.delete("contacts", key, by="ann")

    # ------------------------------------------------ syncd, and what befalls it

    def wait(self, one: float, other: float) -> None:
        self.loop.pass_time(_of((HOUR_S, DAY_S, REST_S + HOUR_S), one))

    def trouble(self, one: float, other: float) -> None:
        """One of syncd's next writes goes wrong."""
        store = _of((self.loop.mk, self.loop.sf), one)
        kind = _of(TROUBLES, other)
        if kind == "moved" and store is self.loop.mk:
            return  # that system takes no conditions
        store.fault(kind, method="write" if kind != "transient" else None)
        self.happened[f"a write in the loop: {kind}"] += 1

    def cycle(self, kill: int) -> None:
        """One cycle, killed at its n-th point if `kill` is one."""
        with pytest.MonkeyPatch.context() as patch, dying(Killer(kill or -1), patch):
            try:
                self.loop.once()
            except Killed:
                self.happened["killed in the loop"] += 1
                self.loop.restart()
        self.look()

    # ------------------------------------------------ looking

    def look(self) -> None:
        """Judges what syncd wrote to sales since, by what stood in marketing's system before."""
        for write in self.loop.sf.writes[self.seen :]:
            if write.object in ("Lead", "Contact"):
                self._judge(write)
        self.seen = len(self.loop.sf.writes)
        moves = sorted(
            (m.at_ms, lead.key) for lead in self.loop.sf.items["Lead"].values() for m in lead.marks.get("Status", ())
        )
        for at_ms, key in moves[self.moves :]:
            self.loop.sf.create("LeadHistory", {"Made": iso(at_ms / 1000), "Lead": key}, by="system")
        self.moves = len(moves)
        for item in self.loop.mk.items["contacts"].values():
            if item.state == "live" and _meets(item.values):
                self.ready[item.values["email"]].append(self.loop.at)

    def _judge(self, write: Write) -> None:
        if write.op == "create":
            email = write.values["Email"]
            assert self._ready_lately(email), f"{email} is made in sales, and did not qualify"
            assert write.values.get("Status") != "Closed", f"{email} is handed over as a closed lead"
            self.made.add(write.key)
        elif write.values.get("Status") == "Open":
            lead = self.loop.sf.item("Lead", write.key)
            before = next((mark.value for mark in lead.marks["Status"] if mark.value != "Open"), None)
            if before == "Working":
                return  # marketing may take back what sales works on, by the field's own rule
            assert self._ready_lately(lead.values["Email"]), "a lead is opened, and its person does not qualify"
            self._rested(write.key)
            self.happened["handed over again"] += self.given_back.pop(write.key, None) is not None

    def _rested(self, lead: str) -> None:
        """Nobody whom sales gave back is handed over again before the time, or for ever."""
        since, reason = self.given_back.get(lead, (0.0, ""))
        assert reason != NEVER, "a lead is handed over again that sales gave back for ever"
        assert self.loop.at - since >= REST_S, (
            f"a lead is handed over again {self.loop.at - since:.0f} s after it was given back"
        )

    def _ready_lately(self, email: str) -> bool:
        return any(at >= self.loop.at - SIGHT_S for at in self.ready[email])

    # ------------------------------------------------ the end

    def end(self) -> None:
        """Nothing goes wrong any more; when it is quiet, everybody must stand where they should."""
        for store in (self.loop.mk, self.loop.sf):
            store.faults.standing.clear()
        self.loop.pass_time(LATE_S)
        for _ in range(16):
            tally = self.loop.once()
            self.look()
            if not (writes(tally) or tally.waiting or tally.again):
                break
        else:
            raise AssertionError(f"it does not come to rest: {tally.as_json(0)}")
        asked = self.loop.ledger.inbox.issues()
        assert {issue.kind for issue in asked} <= ASKED, [issue.kind for issue in asked]
        about = {issue.key for issue in asked}
        merged = [item for item in self.loop.mk.items["contacts"].values() if item.into is not None]
        for _ in merged:  # one into another, into another
            about |= {item.into[1] for item in merged if item.into is not None and item.key in about}
        assert self.loop.ledger.journal.verify()[1] is None, "the journal's chain does not hold"
        assert self.loop.counted() == self.loop.recounted(), "a sum is not that of its rows"
        emails = Counter(item.values["Email"] for item in self._sales() if item.key in self.made)
        assert max(emails.values(), default=0) <= 1, f"somebody stands twice in sales: {emails}"
        for key in self.loop.mk.keys("contacts"):
            contact = self.loop.mk.item("contacts", key)
            same = {key, *(item.key for item in self._sales() if item.values["Email"] == contact.values["email"])}
            if not same & about:
                self._stands(contact)

    def _stands(self, contact: Item) -> None:
        """One person, in both systems."""
        values = contact.values
        email, meets = values["email"], _meets(values)
        same = sorted((item.key not in self.made, item.key) for item in self._sales() if item.values["Email"] == email)
        theirs = next((item for item in self._sales() if same and item.key == same[0][1]), None)
        assert theirs is not None or not meets, f"{email} qualifies, and sales has never heard of it"
        status = theirs.values["Status"] if theirs is not None and theirs.object == "Lead" else None
        again = meets and status == "Closed" and values["handoff"] == "waiting"
        outcome = "handoff" if meets and (status != "Closed" or again) else "nurture"
        assert values["outcome"] == outcome, f"{email} is told to be {values['outcome']}, and is {outcome} ({status})"
        listed = outcome == "nurture" and values["handoff"] not in ("delivered", "accepted")
        assert bool(values["list.Nurture"]) is listed, f"{email}: {outcome}, {values['handoff']}, in the list or not"
        if theirs is None:
            assert values["handoff"] in (None, "out_of_scope"), (
                f"{email} is told to be {values['handoff']}, and is nowhere"
            )
            return
        assert theirs.values["Handoff"] == values["handoff"], f"{email} is told otherwise on both sides"
        if values["handoff"] is None:
            assert not meets, f"{email} qualifies, and nobody is told"
            return
        swallowed = [one.values["email"] for one in self.loop.mk.items["contacts"].values() if one.state == "merged"]
        ever = meets or any(self.ready[one] for one in (email, *swallowed))
        assert theirs.key in self.made or ever, f"{email} never qualified, and is told of"
        words = {"waiting"} if again else self._words(theirs)
        assert values["handoff"] in words, f"{email} is told to be {values['handoff']}, and is {words}"
        if again:
            self._rested(theirs.key)
            assert values["lifecyclestage"] != "mql", (
                f"{email} is marketing-qualified anew, and their lead stays closed"
            )

    def _words(self, theirs: Item) -> set[str]:
        """What may be told of somebody whom sales has. Once accepted, they stay it; as the lead that they were, too."""
        if theirs.object == "Contact":
            return {"accepted"} if theirs.key in self.made else {"accepted", "delivered"}
        word = SALES_WORD.get(str(theirs.values["Status"]), "delivered")
        worked = any(mark.value == "Working" for mark in theirs.marks.get("Status", ()))
        return {word, "accepted"} if worked and word == "delivered" else {word}

    def _sales(self) -> Iterator[Item]:
        """Sales' live records."""
        for form in ("Lead", "Contact"):
            yield from (self.loop.sf.item(form, key) for key in self.loop.sf.keys(form))

    def _contact(self, part: float) -> str | None:
        return _pick(self.loop.mk, "contacts", part)


def _pick(store: Store, object: str, part: float) -> str | None:
    """One of the live records."""
    keys = sorted(store.keys(object))
    return keys[int(part * len(keys))] if keys else None


def _of(choices: Sequence[Any], part: float) -> Any:
    return choices[int(part * len(choices))]
