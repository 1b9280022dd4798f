"""The acceptor: judges every write by what the engine had been shown when it sent it.

Promise: written from the design's tables and `rules` alone; it shares no code with the engine's merge, and has no
opinion about scheduling. It sees the line (requests and answers), what people do, and who is linked (as `syncd links`
says). Each check names its invariant:

    I4   a written value is one that the partner was shown to have, or a constant of the mapping
    C2   it is news: the source moved since both sides last agreed; who loses a clash by the mapping is not written over
    I6   no key stands on two live records; I7 no create is applied twice; I5 what people deleted is not made again
    I10  a create in the CRM needs the gate, on what was shown; I11 only mapped attributes, that way, in scope
    I13  nothing is sent while a vendor asked for quiet, or has only its reserve left; I20 nobody is made more contactable
    I16  a held plan is not sent, nor more in one cycle than the guard lets pass
    P2   where the system has conditions, an edit that the engine had not seen is never written over
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hazards import became_of, order_of, tell
from line import Exchange
from memory import Memory, Place
from meter import Meter
from rules import BY_NAME, FORMS, KEY, SYSTEM, Rule, in_scope, qualified, written_by
from told import Write, answered, searched, shown, writes
from town import Town

from syncd.sandbox.wire import Request, Response


@dataclass(frozen=True)
class Violation:
    """A broken promise. `invariant` names it."""

    invariant: str
    at: int
    said: str

    def __str__(self) -> str:
        return f"{self.invariant} at request {self.at}: {self.said}"


@dataclass
class Acceptor:
    """Hang it on a town's line with `attach`."""

    town: Town
    memory: Memory
    violations: list[Violation] = field(default_factory=list)
    happened: Counter[str] = field(default_factory=Counter)
    """The sometimes counters."""
    agreed: dict[tuple[Place, Place, str], tuple[int, Any]] = field(default_factory=dict)
    """(contact, person, field): when an acknowledged write made both sides agree, and on what."""
    linked: dict[tuple[Place, Place], int] = field(default_factory=dict)
    """(contact, person): since when."""
    keys: Counter[str] = field(default_factory=Counter)
    """Creates that were applied, by key."""
    tried: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Creates that left, by key: what they carried last."""
    born: dict[Place, int] = field(default_factory=dict)
    """Records that the engine made, and when."""
    loose: int = 0
    """Before this number nothing counts as agreed: the ledger was replaced, or lost."""
    cycle_began: int = 0
    may_send: bool = True
    """Whether plans may be sent at all: not in safe mode before a person approved."""
    most_updates: float = float("inf")
    """So many updates may be sent in this cycle."""
    updated: set[Place] = field(default_factory=set)
    """The records that it updates."""
    unmapped: frozenset[str] = frozenset()
    """Fields that were taken out of the mapping."""
    learned: dict[str, int] = field(default_factory=dict)
    """Since when a field is in the mapping (again)."""
    owed: list[tuple[Place, Rule, Any, int]] = field(default_factory=list)
    """Edits that were written over unseen, where no condition exists: each must be found among the losers."""
    writes: int = 0
    """Requests that wrote."""
    acked: list[tuple[int, Place]] = field(default_factory=list)
    """Effects that the engine was told were done: (n of the exchange, record)."""
    _sights: dict[Place, int] = field(default_factory=dict)
    """The exchange that showed a record last."""
    _looked_s: dict[Place, float] = field(default_factory=dict)
    leaves: Callable[[], None] = lambda: None
    """Called when a request that writes was judged, before it leaves."""
    _written: set[Place] = field(default_factory=set)
    _pending: list[Write] = field(default_factory=list)
    _partner: dict[Place, Place] = field(default_factory=dict)
    crashed: Exception | None = None
    _last_ack: list[tuple[tuple[Place, Place, str], tuple[int, Any] | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.meter = Meter(self.happened)

    def attach(self) -> None:
        """From now on it hears everything."""
        self.town.line.hear_before = self.before
        self.town.line.hear_after = self.after
        for name, host in self.town.hosts.items():
            host.on_request = lambda request, vendor=name: self.carrying_out(vendor, request)
            host.on_done = lambda request, response, vendor=name: self.carried_out(vendor, request, response)

    @property
    def pending(self) -> str:
        """What the request that is under way writes: create, update; empty: it reads."""
        return self._pending[0].op if self._pending else ""

    def pairs(self) -> list[tuple[Place, Place]]:
        """(contact, person) of every link that was seen last."""
        return [(left, right) for left, right in self._partner.items() if left[0] == "contacts"]

    def fail(self, invariant: str, said: str) -> None:
        self.violations.append(Violation(invariant, len(self.town.line.log) + 1, said))

    # ------------------------------------------------ what the engine sends

    def begin_cycle(self, most_updates: float = float("inf")) -> None:
        """A cycle begins: what is known now is what it may have decided on."""
        self.look_around()
        self.cycle_began = self.memory.n
        self.most_updates = most_updates
        self.updated = set()

    def edited(self, taken_out: frozenset[str]) -> None:
        """The mapping is another one: what comes back into it begins anew."""
        for name in self.unmapped - taken_out:
            self.learned[name] = self.memory.tick()
        self.unmapped = taken_out

    def before(self, vendor: str, request: Request) -> None:
        """The engine sends a request."""
        if broken := self.meter.broken_by(vendor, request, self.town.time.now_s):
            self.fail("I13", broken)
        self._pending = writes(vendor, request)
        if not self._pending:
            if request.method not in ("GET", "POST"):
                self.fail("I11", f"{request.method} {request.path}")
            return
        self.writes += 1
        self.look_around()
        if not self.may_send:
            self.fail("I16", "a plan was sent that a person had not released")
        # What was turned away and is sent once more is one update.
        self.updated |= {(one.object, one.key or "") for one in self._pending if one.op == "update"}
        if len(self.updated) > self.most_updates:
            self.fail("I16", "more updates are sent in one cycle than the guard lets pass")
        self.look_at_links()
        seen: set[str] = set()
        for one in self._pending:
            if one.key is not None and one.key in seen:
                self.fail("H012", f"{one.object} {one.key} twice in one request")
            seen.add(one.key or "")
            self._judge(one)
        self.leaves()

    def look_at_links(self) -> None:
        """Who is linked now, as the ledger tells it."""
        self._partner = self.town.links()
        for left, right in self._partner.items():
            if left[0] == "contacts":
                if (left, right) not in self.linked:
                    self.linked[left, right] = self.memory.n
                    self._judge_link(left, right)
                self.memory.meet(left, right)

    def _judge_link(self, contact: Place, person: Place) -> None:
        """H113: of several who were shown to have the address, none is taken; a later form goes before an earlier."""
        memory, rule = self.memory, BY_NAME["email"]
        made = {contact, person} & (self.born.keys() | memory.disturbed)
        address = memory.words.canon(rule, "contacts", memory.known(contact, "email"))
        keyed = any(memory.known(at, KEY[at[0]]) not in (None, ...) for at in (contact, person))
        if made or self.loose or address is None or keyed:
            return
        alike = [
            place
            for place, row in memory.real.items()
            if place[0] == person[0] and row["_live"] and place not in memory.disturbed
            if memory.words.same(rule, place[0], memory.known(place, "Email"), "contacts", address)
            if memory.words.same(rule, place[0], row["Email"], "contacts", address) and place not in self._partner
        ]
        if len([place for place in alike if place != person]) > 0 and person in alike:
            self.fail("H113", f"{contact} is linked with {person}, and {alike} have the same address")

    def _judge(self, one: Write) -> None:
        if one.op == "create":
            self._judge_create(one)
        elif one.op == "update":
            self._judge_update(one)
        else:
            self.fail("I11", f"{one.op} of {one.object} {one.key}: this mapping deletes nothing")

    def _judge_create(self, one: Write) -> None:
        source = self._source_of(one)
        if source is None:
            self.fail("I7", f"a create of {one.object} without a key that names its source")
            return
        known = self._known(source)
        if not in_scope(source[0], known):
            self.fail("I11", f"{one.object} is made for {source}, which has no e-mail address")
        if one.object != "contacts" and not any(qualified(values) for values in self._lately(source)):
            self.fail("I10", f"{one.object} is made for {source}, which is not qualified as it was shown")
        key = one.values[KEY[one.object]]
        if self.tried.get(key) == one.values:
            return  # what may have arrived already leaves again as it was; edits follow it
        self.tried[key] = one.values
        for attribute, value in one.values.items():
            if attribute == KEY[one.object] or value in (None, ""):
                continue
            rule = self._rule(one.object, attribute)
            if rule is None:
                self.fail("I11", f"{one.object}.{attribute} is not to be written")
            elif not (rule.made is not None and value == rule.made) and not self._image(
                rule, one.object, value, source
            ):
                self.fail("I4", f"{one.object}.{attribute} := {value!r}; {source} was never shown to say so")

    def _judge_update(self, one: Write) -> None:
        place = (one.object, one.key or "")
        source = self._partner.get(place)
        if source is None:
            self.fail("I11", f"{place} is written and has no link")
            return
        only_key = set(one.values) == {KEY[one.object]}  # a link that follows its record names itself there
        if only_key:
            return
        if not in_scope(place[0], self._known(place)) or not in_scope(source[0], self._known(source)):
            self.fail("I11", f"{place} is written while one of the pair has no e-mail address")
        if one.condition is None and not self._just_seen(place):
            self.fail("H100", f"{place} is written without a condition, and without a look just before")
        for attribute, value in one.values.items():
            if attribute == KEY[one.object]:
                continue
            rule = self._rule(one.object, attribute)
            if rule is None:
                self.fail("I11", f"{one.object}.{attribute} is not to be written")
                continue
            if value in (None, "") and rule.blank == "keep" and rule.kind != "stage":
                self.fail("H104", f"{place}.{attribute} is blanked")
            elif value not in (None, "") or rule.kind != "stage":
                self._judge_value(rule, place, source, attribute, value)

    def _rule(self, object: str, attribute: str) -> Rule | None:
        """The field that may be written into an attribute, as the mapping is now."""
        rule = written_by(object, attribute)
        return None if rule is None or rule.name in self.unmapped else rule

    def _just_seen(self, place: Place) -> bool:
        """Whether the last sight of a record is from a look just before: since then the other system was not asked anything,
        as it is between the feeds and the writes."""
        seen = self._sights.get(place, 0)
        return seen > 0 and not any(
            exchange.told is not None and exchange.told.status < 300 and not writes(exchange.vendor, exchange.request)
            for exchange in self.town.line.log[seen:]
            if SYSTEM[place[0]] != exchange.vendor and "oauth" not in exchange.request.path
        )

    def _judge_value(self, rule: Rule, place: Place, source: Place, attribute: str, value: Any) -> None:
        memory, words = self.memory, self.memory.words
        if rule.kind == "consent" and value not in (True, "true"):
            self.fail("I20", f"{place}.{attribute} := {value!r}")
        if not self._image(rule, place[0], value, source):
            self.fail("I4", f"{place}.{attribute} := {value!r}; {source} was not shown to say so")
            return
        base = self._base(rule, place, source)
        if base is None:
            return
        since, at_source, at_place = base
        theirs = rule.attribute(source[0]) or ""
        news = [
            said for said in memory.since(source, theirs, since) if words.canon(rule, source[0], said) != at_source
        ]  # fmt: skip
        # A ledger that is new takes the mapping's own constant for somebody's word.
        key = str(memory.real.get(source, {}).get(KEY[source[0]]) or "").lower()
        met = not key.endswith(f":{place[0]}:{place[1]}".lower())  # made for somebody else: these two met as they were
        if not news and not (value == rule.made and (self.loose or met)):
            self.fail("C2", f"{place}.{attribute} := {value!r}, and {source} did not move since both agreed")
        elif (
            rule.kind != "consent"
            and value != rule.made
            and not any(memory.by_person(source, rule, said) for said in news)
            and not memory.touched(source, since)
        ):
            self.fail(
                "I9", f"{place}.{attribute} := {value!r}: nobody typed that on {source}, it is what became of a write"
            )
        mine = memory.known(place, attribute)
        if mine is ... or rule.flow != "both" or rule.kind == "consent":
            return
        here = words.canon(rule, place[0], mine)
        moved = here != at_place and memory.by_person(place, rule, mine, after=since)
        if moved and not words.same(rule, place[0], mine, place[0], value) and rule.wins == _side(place):
            self.happened["clash decided the wrong way"] += 1
            self.fail("C2", f"{place}.{attribute} := {value!r} over {mine!r}: in a clash that side wins")

    def _base(self, rule: Rule, place: Place, source: Place) -> tuple[int, Any, Any] | None:
        """(since when, what the source said, what the target said) when both last agreed, as far as the engine could
        know; None if that cannot be told."""
        memory, words = self.memory, self.memory.words
        contact, person = (place, source) if place[0] == "contacts" else (source, place)
        if {place, source} & memory.disturbed:
            return None
        linked = self.linked.get((contact, person))
        if linked is None:
            return None
        start = max(self.loose, linked, self.learned.get(rule.name, 0))
        found = self.agreed.get((contact, person, rule.name))
        best = found[0] if found is not None and found[0] >= start else None
        events = sorted(
            {start}
            | {n for n, _ in memory.shown.get((*place, rule.attribute(place[0]) or ""), ()) if n >= start}
            | {n for n, _ in memory.shown.get((*source, rule.attribute(source[0]) or ""), ()) if n >= start}
        )
        for n in reversed(events):
            if best is not None and n <= best:
                break
            mine = memory.known(place, rule.attribute(place[0]) or "", n)
            theirs = memory.known(source, rule.attribute(source[0]) or "", n)
            if mine is not ... and theirs is not ... and words.same(rule, place[0], mine, source[0], theirs):
                best, found = n, None
                break
        if best is None:
            return None
        if found is not None:
            return best, found[1], found[1]
        theirs = memory.known(source, rule.attribute(source[0]) or "", best)
        value = None if theirs is ... else words.canon(rule, source[0], theirs)
        return best, value, value

    def _image(self, rule: Rule, object: str, value: Any, source: Place) -> bool:
        """Whether the source was shown, of late, to say so."""
        said = self.memory.since(source, rule.attribute(source[0]) or "", self.cycle_began)
        return any(self.memory.words.same(rule, object, value, source[0], one) for one in said)

    def _source_of(self, one: Write) -> Place | None:
        """Whom syncd's key on a create names."""
        key = str(one.values.get(KEY[one.object]) or "")
        parts = key.split(":")
        if len(parts) != 4 or parts[0] == SYSTEM[one.object] or (parts[2], parts[3]) not in self.memory.real:
            return None
        return parts[2], parts[3]

    def _known(self, place: Place) -> dict[str, Any]:
        return {spot[2]: history[-1][1] for spot, history in self.memory.shown.items() if spot[:2] == place}

    def _lately(self, place: Place) -> list[dict[str, Any]]:
        """What is known, and what was known as the cycle began: a decision may rest on either."""
        then = {
            spot[2]: self.memory.known(place, spot[2], self.cycle_began)
            for spot in list(self.memory.shown)
            if spot[:2] == place
        }
        return [self._known(place), {name: None if value is ... else value for name, value in then.items()}]

    # ------------------------------------------------ what the vendor does about it

    def carrying_out(self, vendor: str, request: Request) -> None:
        """The vendor is about to carry a request out: what stands there now may be lost."""
        asked = writes(vendor, request)
        if asked:
            self.look_around()
        for one in asked:
            if one.op != "update":
                continue
            place = (one.object, one.key or "")
            row = self.memory.real.get(place, {})
            for attribute, value in one.values.items():
                rule = written_by(one.object, attribute)
                if rule is not None and rule.flow == "both" and value not in (None, ""):
                    self._cover(place, rule, attribute, value, row.get(attribute), one)

    def look_around(self) -> None:
        """Takes note of what became so in the meantime: a long transaction ended, an automation ran."""
        for vendor in self.town.apps:
            self.memory.became(self.now(vendor))

    def _cover(self, place: Place, rule: Rule, attribute: str, value: Any, there: Any, one: Write) -> None:
        memory, words = self.memory, self.memory.words
        seen = memory.known(place, attribute)
        if there in (None, "") or seen is ... or words.same(rule, place[0], there, place[0], value):
            return
        if words.canon(rule, place[0], there) == words.canon(rule, place[0], seen):
            return
        if memory.by_person(place, rule, there):
            self.owed.append((place, rule, there, memory.n))
            self.happened["covered"] += 1
            self.happened["late over edit"] += self.town.hosts[SYSTEM[place[0]]].arriving

    def carried_out(self, vendor: str, request: Request, response: Response) -> None:
        """The vendor did what it did."""
        asked = writes(vendor, request)
        if not asked:
            return
        answered(vendor, asked, response)
        if self.town.hosts[vendor].arriving:
            self.happened[f"{asked[0].op} late"] += 1
        rows = self.now(vendor)
        written = {
            (one.object, one.key or "", name): value for one in asked if one.sent for name, value in one.values.items()
        }
        changed = set(self.memory.became(rows, written))
        became_of(self.happened, asked, written, rows, self.memory.automatic)
        done = {one.key for one in asked if one.sent}
        # A refused write covers nothing.
        self.owed = [owed for owed in self.owed if owed[3] < self.memory.n - 1 or (owed[0][1] in done)]
        for one in asked:
            if one.op == "create" and one.sent:
                self._made(one)
            elif one.op == "update" and one.sent and one.condition and vendor == "salesforce":
                self._condition_held(one)
        for left, right in self._partner.items():
            if left[0] == "contacts" and any(spot[:2] in (left, right) for spot in changed):
                self.memory.meet(left, right)
        self._no_key_twice(rows)

    def _condition_held(self, one: Write) -> None:
        """P2: what was written under a condition covered nothing unseen, unless within one second of the stamp."""
        place = (one.object, one.key or "")
        mine = [owed for owed in self.owed if owed[0] == place and owed[3] >= self.memory.n - 1]
        for owed in mine:
            if not self.town.same_second(place, one.condition or ""):
                self.fail("P2", f"{place}.{owed[1].name}: an edit that was not seen was written over")

    def _made(self, one: Write) -> None:
        key = str(one.values.get(KEY[one.object]) or "").lower()
        self.keys[key] += 1
        if self.keys[key] > 1 and self.loose == 0:
            self.fail("I7", f"{one.object} was made twice for {key}")
        made, source = (one.object, one.key or ""), self._source_of(one)
        self.born[made] = self.memory.n
        if source is not None:
            self.memory.meet(*((made, source) if one.object == "contacts" else (source, made)))

    def _no_key_twice(self, rows: dict[Place, dict[str, Any]]) -> None:
        for object in {place[0] for place in rows}:
            held = Counter(
                str(row[KEY[object]]).lower()
                for place, row in rows.items()
                if place[0] == object and row["_live"] and row.get(KEY[object])
            )
            for key, count in held.items():
                if count > 1:
                    self.fail("I6", f"{count} live {object} hold the key {key}")

    def now(self, vendor: str) -> dict[Place, dict[str, Any]]:
        """How things are at one vendor."""
        objects = ("contacts",) if vendor == "hubspot" else FORMS
        return {(name, key): row for name in objects for key, row in self.town.rows(name).items()}

    # ------------------------------------------------ what the engine is told

    def after(self, exchange: Exchange) -> None:
        """An exchange is over. What was not told is not known."""
        told = exchange.told
        self.meter.told(exchange, self.town.time.now_s)
        if self._pending and exchange.done is not None and told is None:
            self.happened[f"{self._pending[0].op} unanswered"] += 1
        tell(self.happened, self.town, exchange)
        order_of(self.happened, exchange)
        if told is None:
            return
        if searched(exchange.request):
            return
        self._last_ack = []
        if exchange.done is not None and told is exchange.done and self._pending:
            answered(exchange.vendor, self._pending, told)
            self.happened["part of a batch"] += len({one.sent for one in self._pending}) == 2
            for one in self._pending:
                if one.sent:
                    self.acked.append((exchange.n, (one.object, one.key or "")))
                    self._written.add((one.object, one.key or ""))
                    self._acknowledge(one)
        for seen in shown(exchange.vendor, exchange.request, told):
            if seen.at_s is not None and seen.at_s <= self._looked_s.get((seen.object, seen.key), 0.0):
                continue  # a step that the engine had seen the end of
            if seen.at_s is None:
                self._looked_s[seen.object, seen.key] = exchange.at_s
            self.happened["echo"] += (seen.object, seen.key) in self._written
            self._sights[seen.object, seen.key] = exchange.n
            self.memory.see((seen.object, seen.key), seen.values)

    def _acknowledge(self, one: Write) -> None:
        """Told that it is done: both sides agree from here on, until one moves."""
        place = (one.object, one.key or "")
        source = self._partner.get(place) if one.op == "update" else self._source_of(one)
        if source is None:
            return
        n = self.memory.tick()
        for attribute in one.values:
            rule = written_by(one.object, attribute)
            # A step back of a stage is acknowledged and ignored, then tried again with the stage emptied first.
            if rule is not None and not (rule.kind == "stage" and one.object == "contacts"):
                pair = (place, source) if place[0] == "contacts" else (source, place)
                self._last_ack.append(((*pair, rule.name), self.agreed.get((*pair, rule.name))))
                self.agreed[*pair, rule.name] = n, self.memory.words.canon(rule, place[0], one.values[attribute])

    def died(self) -> None:
        """The process is gone: what it was told last, it may never have written down; nor who had asked for quiet."""
        self.meter.forget()
        for at, before in self._last_ack:
            if before is None:
                self.agreed.pop(at, None)
            else:
                self.agreed[at] = before
        self._last_ack = []

    def forgot(self) -> None:
        """Another ledger is in place: nothing counts as agreed."""
        self.loose = self.memory.tick()
        self.meter.forget()
        self.agreed.clear()
        self.linked.clear()


def _side(place: Place) -> str:
    return "marketing" if place[0] == "contacts" else "crm"
