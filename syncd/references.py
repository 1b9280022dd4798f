"""What a batch refers to: gathered from the ledger before anything is decided, and who waits for it.

Promise: a few set-wise look-ups per batch and referenced mapping, none for a mapping without references; a record waits
only as long as it says whom it waits for. It decides nothing (`core.references`), and no call leaves from here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from syncd.core.mapping import Field, keys_of
from syncd.core.merge import Verdict, base_key
from syncd.core.model import SIDES, Lookup, Side, Waits, other
from syncd.ledger import Ledger
from syncd.ledger.facts import Fact
from syncd.ledger.intents import Intent
from syncd.ledger.journal import Note
from syncd.ledger.links import Link
from syncd.ledger.proposals import Proposal
from syncd.ledger.waits import Wait
from syncd.run import Bench, Parents, Run, Sides

Said = tuple[Side, str, Mapping[str, Any]]
"""(side, form, attributes) of one record."""
WHY = "a record that is linked refers to both"
Keys = dict[str, dict[Side, set[str]]]
"""By referenced mapping and side."""
Met = tuple[Side, str, int, int, int, str]
"""(side, key as it was referred to, link, its object, object and key of the other end)."""


def of_links(
    run: Run, bench: Bench, links: Iterable[Link], facts: Mapping[tuple[int, str], Fact], more: Iterable[Said] = ()
) -> Bench:
    """The bench bound to what these links' records refer to, now and in their bases. `more`: other values of theirs."""
    if not bench.references:
        return bench
    said: list[Said] = list(more)
    for link in links:
        for side in SIDES:
            end = link.end(side)
            form = bench.form(end.object)
            fact = facts.get((end.object, end.key))
            said.append((side, form, fact.attributes if fact is not None else {}))
            said.append((side, form, based(bench.references, side, form, end.base)))
    return bench.knowing(lookups(run.ledger, bench.references, bench.parents, said))


def based(references: Iterable[Field], side: Side, form: str, base: Mapping[str, Any]) -> dict[str, Any]:
    """The values of reference fields in a base, by attribute."""
    found: dict[str, Any] = {}
    for field in references:
        attribute = field.attribute(side, form)
        if attribute is not None:
            found[attribute] = [*found.get(attribute, ()), *keys_of(base.get(base_key(field.name, attribute)))]
    return found


def of_records(run: Run, bench: Bench, object_: int, facts: Iterable[Fact]) -> Bench:
    """The bench bound to what these records of one object refer to."""
    if not bench.references:
        return bench
    side, form = bench.forms[object_]
    said = ((side, form, fact.attributes) for fact in facts)
    return bench.knowing(lookups(run.ledger, bench.references, bench.parents, said))


def lookups(ledger: Ledger, references: Sequence[Field], parents: Parents, said: Iterable[Said]) -> dict[str, Lookup]:
    """By reference field: the links of all records that these values refer to. `parents`: the mappings that are
    followed, as a bench has them."""
    keys = _keys(references, said)
    met = {parent: list(_meet(ledger, parents.get(parent, {}), parent, wanted)) for parent, wanted in keys.items()}
    return {
        field.name: _lookup(
            parents.get(field.reference.mapping, {}), field.reference.refers, met[field.reference.mapping]
        )
        for field in references
        if field.reference is not None
    }


def _keys(references: Sequence[Field], said: Iterable[Said]) -> Keys:
    keys: Keys = {field.reference.mapping: {} for field in references if field.reference is not None}
    for wanted in keys.values():
        wanted.update((side, set()) for side in SIDES)
    for side, form, attributes in said:
        for field in references:
            assert field.reference is not None
            attribute = field.attribute(side, form)
            if attribute is not None:
                keys[field.reference.mapping][side].update(keys_of(attributes.get(attribute)))
    return keys


def _meet(ledger: Ledger, sides: Sides, parent: str, wanted: Mapping[Side, set[str]]) -> Iterable[Met]:
    """The live links of the records that are referred to, also under the key of a record that lives on as another."""
    for side, forms in sides.items():
        left = set(wanted[side])
        for object_ in forms:
            if left:
                for key, link, across, other_key in ledger.links.across(parent, object_, sorted(left)):
                    left.discard(key)
                    yield side, key, link, object_, across, other_key
        for object_ in forms:
            for key, fact in (ledger.facts.many(object_, sorted(left)) if left else {}).items():
                lives_on = ledger.facts.lives_on(fact)
                if lives_on is None or lives_on[0] not in forms:
                    continue
                for _, link, across, other_key in ledger.links.across(parent, lives_on[0], [lives_on[1]]):
                    yield side, key, link, lives_on[0], across, other_key


def _lookup(forms: Sides, refers: Mapping[Side, tuple[str, ...]], met: Iterable[Met]) -> Lookup:
    """Without links that end at a form which the field cannot point to: those are as good as none."""
    link_by_key: dict[Side, dict[str, int]] = {side: {} for side in SIDES}
    key_by_link: dict[Side, dict[int, str]] = {side: {} for side in SIDES}
    for side, key, link, object_, across, other_key in met:
        far = other(side)
        if refers[side] and forms[side][object_] not in refers[side]:
            continue
        if refers[far] and forms[far].get(across) not in refers[far]:
            continue
        link_by_key[side][key] = link
        link_by_key[far][other_key] = link
        key_by_link[far][link] = other_key
        key_by_link[side].setdefault(link, key)
    return Lookup(link_by_key, key_by_link)


def pointing_nowhere(run: Run, bench: Bench, batch: Sequence[Intent]) -> list[Intent]:
    """Effects of one side that would point to records which lost their link, or live on as others, since it was decided:
    a plan may have been held for days. What left once already is not among them; nor is what a person puts back."""
    keys: Keys = _keys(bench.references, ())
    named: dict[int, list[tuple[str, str]]] = {}
    side: Side = "crm" if batch[0].side == "crm" else "marketing"
    for intent in batch:
        for change in intent.body.changes if not intent.attempt else ():
            reference = bench.field(change.field).reference if change.field in bench.fields else None
            if reference is None or change.source is None or change.restores:
                continue
            added = set(keys_of(change.after)) - set(keys_of(change.before))
            keys[reference.mapping][side] |= added
            named.setdefault(intent.id, []).extend((reference.mapping, key) for key in added)
    linked = {
        (parent, key)
        for parent, wanted in keys.items()
        for object_ in bench.parents.get(parent, {}).get(side, {})
        if wanted[side]
        for key, *_ in run.ledger.links.across(parent, object_, sorted(wanted[side]))
    }
    return [intent for intent in batch if not linked.issuperset(named.get(intent.id, ()))]


# ---------------------------------------------------------------- waiting


class Waiting:
    """Collects who waits in one batch, and keeps it at its end."""

    def __init__(self, run: Run, bench: Bench) -> None:
        self._run, self._bench = run, bench
        self._records: list[tuple[int, str]] = []
        self._rows: dict[Wait, str] = {}
        self._pairs: dict[str, list[Proposal]] = {}

    def decided(self, link: Link, verdicts: Sequence[Verdict]) -> None:
        """A link was decided: it waits for what these verdicts say, and for nothing else."""
        self._records += [(link.marketing.object, link.marketing.key), (link.crm.object, link.crm.key)]
        at = (link.marketing.object, link.marketing.key)
        for verdict in verdicts:
            if verdict.waits:
                self._add(at, verdict.pair.field, verdict.waits)
                self._propose(verdict.pair.field, verdict.waits)

    def still(self, link: Link, field: str, waits: Sequence[Waits]) -> None:
        """A reference of this link was refused, and leads where it led: it waits for its record to become another one."""
        self._add((link.marketing.object, link.marketing.key), self._bench.field(field), waits)

    def undecided(self, fact: Fact, held: Mapping[str, tuple[Sequence[Waits], int]]) -> None:
        """A record without a partner was looked at. `held`: by field, what its create waits for, and the object of the
        awaited record where that one's partner is being made."""
        self._records.append((fact.object, fact.key))
        at, side = (fact.object, fact.key), self._bench.side(fact.object)
        for name, (waits, making) in held.items():
            self._add(at, self._bench.field(name), waits or [Waits(side, "")], making, create=True)

    def _add(
        self, at: tuple[int, str], field: Field, waits: Sequence[Waits], making: int = 0, *, create: bool = False
    ) -> None:
        assert field.reference is not None
        for one in waits:
            self._rows[Wait(*at, field.reference.mapping, one.side, one.key, making, create)] = field.name

    def _propose(self, field: Field, waits: Sequence[Waits]) -> None:
        """Both records refer to one that has no link: those are probably each other's partner."""
        assert field.reference is not None
        keys = {one.side: one.key for one in waits}
        forms = self._bench.parents.get(field.reference.mapping, {})
        if field.reference.many or len(keys) < len(SIDES) or set(forms) != set(SIDES):
            return
        places = [
            next(
                ((object_, keys[side]) for object_ in forms[side] if self._run.ledger.facts.get(object_, keys[side])),
                None,
            )
            for side in SIDES
        ]
        if places[0] is not None and places[1] is not None:
            self._pairs.setdefault(field.reference.mapping, []).append(Proposal(places[0], places[1], WHY))

    def keep(self) -> None:
        """Writes down what is new; call it in the transaction that decides."""
        for parent, proposals in self._pairs.items():
            self._run.ledger.proposals.keep(parent, proposals)
        if not self._records:
            return
        name = self._bench.mapping.name
        new = self._run.ledger.waits.keep(name, self._records, list(self._rows))
        self._run.note(
            [
                Note(
                    "waits",
                    f"{self._rows[row]}: "
                    + (f"refers to nobody in {row.parent}" if row.nobody else f"waits for its record in {row.parent}")
                    + (", and is not created" * row.create),
                    name,
                    None,
                    row.object,
                    row.key,
                )
                for row in new
            ]
        )


LACKING = "lacks_required"
"""The issue where a record is not created, because it refers to nobody and has to."""


def held_back(run: Run, bench: Bench, facts: Sequence[Fact], to: Side) -> set[str]:
    """Keys of those records whose create on `to` waits: for a partner that somebody they refer to is about to get, or,
    where the field is required, for whatever they should refer to. A reference back in a circle makes nobody wait.
    Who refers to nobody is told to a person: nothing but an edit ends that."""
    if not facts:
        return set()
    waiting = Waiting(run, bench)
    side, form = other(to), bench.form(facts[0].object)
    target = bench.mapping.end(to).forms[0]
    fields = [
        (field, attribute)
        for field in bench.references
        if field.reference is not None and field.reference.mapping not in bench.back
        if field.writable(to) and field.attribute(to, target) is not None
        if (attribute := field.attribute(side, form)) is not None
    ]
    awaited = {
        (fact.key, field.name): field.waiting(side, fact.attributes.get(attribute))
        for fact in facts
        for field, attribute in fields
    }
    making = _making(run, bench, awaited)
    kept: set[str] = set()
    lacking: set[str] = set()
    for fact in facts:
        held: dict[str, tuple[Sequence[Waits], int]] = {}
        for field, attribute in fields:
            assert field.reference is not None
            waits = awaited[fact.key, field.name]
            made = [
                (one, making[field.reference.mapping, one]) for one in waits if (field.reference.mapping, one) in making
            ]
            if made:
                held[field.name] = ([one for one, _ in made], made[0][1])
            elif field.reference.required and (waits or fact.attributes.get(attribute) in (None, "", [])):
                held[field.name] = (waits, 0)
                if not waits and attribute in fact.attributes:
                    lacking.add(fact.key)
                    _tell_lacking(run, bench, fact, field)
        if held:
            kept.add(fact.key)
        waiting.undecided(fact, held)
    waiting.keep()
    end_lacking(run, bench, facts[0].object, {fact.key for fact in facts} - lacking)
    return kept


def _tell_lacking(run: Run, bench: Bench, fact: Fact, field: Field) -> None:
    assert field.reference is not None
    end = bench.mapping.end(other(bench.side(fact.object)))
    run.ledger.inbox.raise_issue(
        LACKING,
        bench.mapping.name,
        f"{field.name}: it refers to nobody in {field.reference.mapping}, and is not created in {end.system} before it does",
        f"Fill in its {field.name}: it is created by itself then. Or let it go without: take 'required' out at"
        f" {field.reference.place.rpartition('/')[2]}.",
        run.now(),
        object=fact.object,
        key=fact.key,
        field=field.name,
    )


def end_lacking(run: Run, bench: Bench, object_: int, keys: Iterable[str]) -> None:
    """These records lack nothing any more, or are not to be created anyway."""
    keys = sorted(keys)
    if keys and run.ledger.inbox.issue_count(bench.mapping.name):
        run.ledger.inbox.close_issues(run.now(), kind=LACKING, mapping=bench.mapping.name, object=object_, keys=keys)


def _making(run: Run, bench: Bench, awaited: Mapping[tuple[str, str], Sequence[Waits]]) -> dict[tuple[str, Waits], int]:
    """Of what is waited for, what is about to get a partner: the object it is of."""
    keys: dict[tuple[str, Side], set[str]] = defaultdict(set)
    for (_, name), waits in awaited.items():
        reference = bench.field(name).reference
        assert reference is not None
        for one in waits:
            keys[reference.mapping, one.side].add(one.key)
    return {
        (parent, Waits(side, key)): object_
        for (parent, side), wanted in keys.items()
        for object_ in bench.parents.get(parent, {}).get(side, {})
        for key in run.ledger.intents.making(parent, object_, sorted(wanted))
    }
