"""The end of a round: nobody acts, all is healed, the engine writes nothing any more. Is what stands there allowed?

Promise: a reference model of its own, from the documentation: for each field of each pair it knows the *set* of end
states that some order of observation explains. Both vendors' real state is judged, and the ledger's own account of it:

    I1   who belongs on both sides is there, and linked; what can be equal is equal
    I2   what differs has a reason: an open issue, or a rule of the mapping. An open issue is not about nothing
    I3   the last edit of each side is on both sides, or was for a while, or is kept among the losers
    I4   what stands there was made by people, or is a constant of the mapping
    I5   what people deleted is not there again
    I6   nobody stands twice with one key; I8 quiet is silent (checked by `play`: two cycles without a write)
    I14  each write that was acknowledged stands in the journal, and the chain holds
    I18  the ledger is whole; I19 no secret in a file, no person's value in an event
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from acceptor import Acceptor
from memory import Place
from rules import BY_NAME, KEY, NOT_GIVEN, RULES, UNMAPPED, Rule, in_scope, qualified, text
from town import MAPPING, SECRETS, Town, object_name

Rows = dict[Place, dict[str, Any]]


def judge(town: Town, acceptor: Acceptor) -> None:
    """Asks everything; what is not allowed becomes a violation."""
    Verdict(town, acceptor).all()


def shouted(value: Any) -> str:
    """In capitals: what is left of the difference when an account writes everything in capitals."""
    return str(value).upper()


class Verdict:
    """The questions of one moment."""

    def __init__(self, town: Town, acceptor: Acceptor) -> None:
        self.town, self.acceptor, self.memory = town, acceptor, acceptor.memory
        self.words = self.memory.words
        self.ledger = town.open().ledger
        self._evers: dict[str, set[Any]] = {}
        acceptor.look_around()
        acceptor.look_at_links()
        self.rows: Rows = {**acceptor.now("hubspot"), **acceptor.now("salesforce")}
        self.pairs = acceptor.pairs()
        self.partner = dict(self.pairs) | {right: left for left, right in self.pairs}
        self.issues: set[tuple[Place | None, str | None]] = set()
        for issue in self.ledger.inbox.issues(limit=10_000):
            place = (object_name(self.ledger, issue.object), issue.key or "") if issue.object else None
            self.issues.add((place, issue.field))
            linked = issue.doc.get("links")  # some kinds keep how many, others which
            for link in self.ledger.links.many(linked if isinstance(linked, list) else ()):
                self.issues |= {
                    ((object_name(self.ledger, end.object), end.key), issue.field) for end in (link.marketing, link.crm)
                }
            for number, key in issue.doc.get("candidates", ()):
                self.issues.add(((object_name(self.ledger, number), str(key)), issue.field))
        self.lost: dict[tuple[Place, str], set[Any]] = {}
        for conflict in self.ledger.inbox.conflicts(limit=10_000):
            place = (object_name(self.ledger, conflict.object), conflict.key)
            rule = BY_NAME[conflict.field]
            for object in (place[0], "contacts", "Lead"):
                self.lost.setdefault((place, conflict.field), set()).add(self.words.canon(rule, object, conflict.lost))

    def all(self) -> None:
        """Every question."""
        for contact, person in self.pairs:
            left, right = self.rows.get(contact), self.rows.get(person)
            if left and right and left["_live"] and right["_live"]:
                for rule in RULES:
                    if rule.attribute(person[0]) is not None and rule.name not in self.acceptor.unmapped:
                        self._field(rule, contact, left, person, right)
        self._everybody_has_a_partner()
        self._nobody_is_back()
        self._nothing_owed()
        self._journal()
        self._ledger_whole()
        self._no_leak()

    def fail(self, invariant: str, said: str) -> None:
        self.acceptor.fail(invariant, said)

    # ------------------------------------------------ fields

    def _field(self, rule: Rule, contact: Place, left: dict[str, Any], person: Place, right: dict[str, Any]) -> None:
        theirs = rule.attribute(person[0]) or ""
        m, c = left.get(rule.contacts), right.get(theirs)
        a, b = self.words.canon(rule, "contacts", m), self.words.canon(rule, person[0], c)
        told = bool(self._issue(rule, contact, person))
        in_it = in_scope("contacts", left) and in_scope(person[0], right)
        if in_it and not (a == b != UNMAPPED) and not told and not self._may_differ(rule, contact, m, a, person, c, b):
            self.fail("I2", f"{contact} and {person} differ in {rule.name}: {m!r} and {c!r}, and nobody is told")
        if told or not in_it or {contact, person} & self.memory.disturbed or rule.kind in ("owner", "stage"):
            return
        for place, attribute, value, canon in ((contact, rule.contacts, m, a), (person, theirs, c, b)):
            other = person if place == contact else contact
            if canon not in (None, UNMAPPED) and rule.kind == "text" and not self._was_made(rule, place, value):
                self.fail("I4", f"{place}.{attribute} is {value!r}, which nobody ever wrote")
            self._not_lost(rule, place, attribute, other, a, b)

    def _issue(self, rule: Rule, contact: Place, person: Place) -> bool:
        return any(
            place in (contact, person) and field in (None, rule.name, rule.contacts, rule.attribute(person[0]))
            for place, field in self.issues
        )

    def _may_differ(self, rule: Rule, contact: Place, m: Any, a: Any, person: Place, c: Any, b: Any) -> bool:
        """The rules by which a difference stands."""
        if UNMAPPED in (a, b):
            return True
        if rule.kind == "consent":
            to_crm = rule.flow == "to_crm"
            target, source = (b, a) if to_crm else (a, b)
            there, said = (person, c) if to_crm else (contact, m)
            # Stricter than asked for; or a person took it back over there, where it does not come from.
            return (bool(target) and not source) or self.memory.by_person(there, rule, said)
        if rule.kind == "text" and a is not None and b is not None and shouted(a) == shouted(b):
            return True  # an account that writes everything in capitals: the difference is known, and stands
        if rule.kind == "email" and b in self.rows[contact]["_also"]:
            return True  # one of the further addresses of the contact: the same person's, and both stand
        if {a, b} & self.memory.automatic:
            return True  # an automation put it there in the very write of ours: a known difference, which stands
        if rule.kind == "source" and {a, b} & {"Other"}:
            return False
        if rule.flow != "both":
            source, target, value = (contact, person, c) if rule.flow == "to_crm" else (person, contact, m)
            if (a if rule.flow == "to_crm" else b) is None and rule.blank == "keep":
                return True
            return self.memory.by_person(target, rule, value) or self._replaced(source, target)
        if a is None or b is None:
            # A blank that people made travels nowhere. A pair that was disturbed may have met anew since.
            blank, object = (contact, "contacts") if a is None else (person, person[0])
            attribute = rule.attribute(object) or ""
            made = any(
                self.words.canon(rule, object, value) is None for _, value in self.memory.made[(*blank, attribute)]
            )
            return made or blank in self.memory.disturbed or self._replaced(contact, person)
        return False

    def _replaced(self, one: Place, two: Place) -> bool:
        return bool({one, two} & self.memory.disturbed)

    def _was_made(self, rule: Rule, place: Place, value: Any) -> bool:
        if (rule.made is not None and value == NOT_GIVEN) or value in self.memory.automatic:
            return True
        wanted = self.words.canon(rule, place[0], value)
        return wanted in self._ever(rule) or shouted(wanted) in self._ever(rule)

    def _ever(self, rule: Rule) -> set[Any]:
        """What people ever made of that field, whoever it was about; in capitals, too, for accounts that bend."""
        if rule.name not in self._evers:
            found = self._evers[rule.name] = set()
            for (object, _, attribute), history in self.memory.made.items():
                if attribute == rule.attribute(object):
                    canons = {self.words.canon(rule, object, value) for _, value in history}
                    found |= canons | {shouted(one) for one in canons}
        return self._evers[rule.name]

    def _not_lost(self, rule: Rule, place: Place, attribute: str, other: Place, a: Any, b: Any) -> None:
        """I3: the newest edit of that side."""
        made = self.memory.made[(*place, attribute)]
        if not made or rule.flow != "both" or made[-1][0] <= self.acceptor.loose:
            return  # the losers that a lost ledger knew are lost with it
        value = self.words.canon(rule, place[0], made[-1][1])
        if value in (None, UNMAPPED, a if place[0] == "contacts" else b):
            return
        pair = (place, other) if place[0] == "contacts" else (other, place)
        if value in self.memory.met[(*pair, rule.name)]:
            return
        if rule.kind == "text" and shouted(value) in (shouted(a), shouted(b)):
            return  # bent by an account that writes capitals, and then taken for the edit of who touched the record
        if value in self.lost.get((place, rule.name), ()) or self._unseen(place):
            return
        self.fail("I3", f"{place}.{attribute}: the edit {made[-1][1]!r} is gone, and not among the losers")

    def _unseen(self, place: Place) -> bool:
        """An account without conditions and without history: an edit between the look and the write may go unseen."""
        switches = self.town.apps["salesforce"].org.switches
        return place[0] != "contacts" and not switches.composite_preconditions

    def _nothing_owed(self) -> None:
        """I3 where there is no condition: what was written over unseen is among the losers, or was replaced since."""
        for place, rule, value, n in self.acceptor.owed:
            if (
                place in self.memory.disturbed
                or n < self.acceptor.loose
                or place not in self.partner
                or self._unseen(place)
            ):
                continue
            canon = self.words.canon(rule, place[0], value)
            attribute = rule.attribute(place[0]) or ""
            there = self.words.canon(rule, place[0], self.rows[place].get(attribute))
            kept = self.lost.get((place, rule.name), set())
            later = self.memory.edited(place, attribute, n)
            met = self.memory.met[
                (place, self.partner[place], rule.name) if place[0] == "contacts" else (self.partner[place], place, rule.name)
            ]  # fmt: skip
            if canon not in kept and there != canon and not later and canon not in met and canon is not UNMAPPED:
                self.fail("I3", f"{place}.{attribute}: {value!r} was written over unseen, and is not among the losers")

    # ------------------------------------------------ records

    def _everybody_has_a_partner(self) -> None:
        """I1: who should be on the other side is."""
        for place, row in self.rows.items():
            if not row["_live"] or place in self.partner or not in_scope(place[0], row):
                continue
            if place[0] == "contacts" and not qualified(row):
                continue
            if place in self.memory.disturbed or self._told_of(place) or self._bereft(place, row):
                continue
            self.fail("I1", f"{place} has no partner, and nobody is told why")

    def _told_of(self, place: Place) -> bool:
        return any(at == place for at, _ in self.issues)

    def _bereft(self, place: Place, row: dict[str, Any]) -> bool:
        """Its partner was deleted, merged or converted away: it stays alone, and is not made anew."""
        own = f":{place[0]}:{place[1]}".lower()
        for other, theirs in self.rows.items():
            key = str(theirs.get(KEY[other[0]]) or "").lower()
            mine = str(row.get(KEY[place[0]]) or "").lower()
            related = key.endswith(own) or mine.endswith(f":{other[0]}:{other[1]}".lower())
            if related and (other in self.memory.disturbed or not theirs["_live"]):
                return True
        lonely = {pair for pair in self.acceptor.linked if place in pair}
        if any(set(pair) & self.memory.disturbed for pair in lonely):
            return True
        address = text(row.get(BY_NAME["email"].attribute(place[0]) or ""))
        twins = [
            other
            for other, theirs in self.rows.items()
            if other != place
            and (text(theirs.get(BY_NAME["email"].attribute(other[0]) or "")) or "").lower() == (address or "").lower()
        ]
        return any(twin in self.memory.disturbed for twin in twins)

    def _nobody_is_back(self) -> None:
        """I5: no record that people deleted lives, and no other was made in its place."""
        for place, n in self.memory.tombs.items():
            if self.rows.get(place, {}).get("_live"):
                self.fail("I5", f"{place} was deleted by people, and is there again")
            if n < self.acceptor.loose:
                continue
            key = str(self.rows.get(place, {}).get(KEY[place[0]]) or "").lower()
            for other, born in self.acceptor.born.items():
                same = str(self.rows.get(other, {}).get(KEY[other[0]]) or "").lower() == key and key
                if same and born > n and other not in self.memory.disturbed:
                    self.fail("I5", f"{place} was deleted by people, and {other} was made in its place")

    # ------------------------------------------------ the ledger's own account

    def _journal(self) -> None:
        if self.ledger.journal.verify()[1] is not None:
            self.fail("I14", "the journal's chain does not hold")
        if self.acceptor.loose:
            return
        noted = set(self._noted())
        for n, place in self.acceptor.acked:
            if place not in noted:
                self.fail("I14", f"the write of request {n} to {place} is not in the journal")

    def _noted(self) -> Iterator[Place]:
        for object, key in self.ledger.store.rows("SELECT DISTINCT object, key FROM journal WHERE key IS NOT NULL"):
            if object is not None:
                yield object_name(self.ledger, object), str(key)

    def _ledger_whole(self) -> None:
        if self.ledger.store.integrity() != "ok":
            self.fail("I18", "the ledger's file is damaged")
        if self.ledger.store.rows("SELECT link FROM link_side GROUP BY link HAVING count(*) != 2"):
            self.fail("I18", "a link with one end")
        if self.ledger.intents.total(("sent", "answered"), MAPPING):
            self.fail("I18", "an effect whose fate nobody knows, after everything was quiet")

    def _no_leak(self) -> None:
        secrets = [SECRETS["HUBSPOT_TOKEN"].encode(), SECRETS["SF_CLIENT_SECRET"].encode()]
        for path in sorted(self.town.folder.iterdir()):
            if path.is_file() and any(secret in path.read_bytes() for secret in secrets):
                self.fail("I19", f"a secret stands in {path.name}")
        for name, facts in self.town.events:
            if "@x.test" in repr(facts) or any(secret.decode() in repr(facts) for secret in secrets):
                self.fail("I19", f"the event {name} shows somebody's value")
