"""Match values: what records are recognised by, kept beside the facts so that the unlinked find each other set-wise.

Promise: what is kept is what the facts say, as far as they were decided on; whoever shared a value with a record that
lost it is decided again. It decides nothing: who belongs to whom is `partners`. No call leaves from here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from syncd.core.match import BETWEEN, Held, Rule
from syncd.core.model import Side, other
from syncd.ledger.facts import Fact
from syncd.ledger.intents import Intent
from syncd.merged import survivor
from syncd.references import of_records
from syncd.run import Bench, Run

KEY_RULE = "syncd's key"
"""The match rule that goes before all others: the other record carries our key for this one."""

PROPOSED = "a conversion, or what refers to it"
"""What speaks for a partner beside match values."""

BATCH = 5000
"""Facts whose match values are kept in one transaction."""

Place = tuple[int, str]
"""A record: (object, key)."""

Found = Mapping[tuple[Side, str], Sequence[Held]]
"""Live records that hold match values, by side and value."""


def keep_match_values(run: Run, bench: Bench) -> None:
    """Brings the match values of everything that moved up to date, on both sides, before anything is matched."""
    name = bench.mapping.name
    for object_, (side, form) in bench.forms.items():
        mark = run.ledger.books.decided(name, object_)
        named = {bench.key_attribute(object_)}
        for rule in bench.mapping.match:
            named |= rule.attributes(bench.fields, side, form)
        wanted = sorted(attribute for attribute in named if attribute)
        while facts := run.ledger.facts.moved_values(object_, mark, BATCH, wanted):
            mark = facts[-1].rev
            held = _keys(bench, object_, facts)
            by_key = {fact.key: fact for fact in facts}
            for rule in bench.mapping.match:
                found = values_by(bench, object_, by_key, rule)
                held += [(key, rule.name, value) for key, values in found.items() for value in values]
            rows, lost, left = run.ledger.links.moved_match_values(name, object_, [fact.key for fact in facts], held)
            if rows or lost:
                with run.ledger.transaction():
                    # Who shared a value with them may have been in doubt because of them.
                    run.ledger.books.decide_again(name, run.ledger.links.sharing(name, object_, left))
                    run.ledger.links.keep_match_values(name, object_, rows, lost)


def _keys(bench: Bench, object_: int, facts: Iterable[Fact]) -> list[tuple[str, str, str]]:
    """The syncd's keys that records carry, as match values; of those that are gone, the last one they carried."""
    name = bench.key_attribute(object_)
    return [(f.key, KEY_RULE, str(f.attributes[name])) for f in facts if name and f.attributes.get(name)]


def own_values(bench: Bench, object_: int, facts: Iterable[Fact]) -> dict[str, list[str]]:
    """syncd's key for each of these records: what its partner carries."""
    side = bench.side(object_)
    return {fact.key: [bench.key_of(side, object_, fact.key)] for fact in facts}


def values_by(bench: Bench, object_: int, facts: Mapping[str, Fact], rule: Rule) -> dict[str, list[str]]:
    """Match values by record key. Records that are gone have none; a converted record's lead to what it became."""
    side, form = bench.forms[object_]
    found = {
        key: rule.values(bench.fields, side, form, fact.attributes)
        for key, fact in facts.items()
        if fact.state in ("live", "converted")
    }
    return {key: values for key, values in found.items() if values}


def values_across(
    run: Run, bench: Bench, object_: int, facts: Mapping[str, Fact], rule: Rule, own: Mapping[str, Sequence[str]]
) -> Mapping[str, Sequence[str]]:
    """The match values that the partners of these records would have: the same, unless the rule is about whom they point
    to. `own`: the records' own values, of whom only those can be told across."""
    if not own or not rule.refers(bench.fields):
        return own
    side, form = bench.forms[object_]
    bound = of_records(run, bench, object_, [facts[key] for key in own])
    return {key: rule.values_across(bound.fields, side, form, facts[key].attributes) for key in own}


def through_partners(
    run: Run, bench: Bench, object_: int, rule: Rule, values: Mapping[str, Sequence[str]], found: Found
) -> tuple[dict[str, list[str]], Found]:
    """Match values with those that whoever holds one of them on the other side has beside it: a record with two addresses
    may be looked for by two others, of whom each knows but one. With who holds the new ones."""
    far = other(bench.side(object_))
    met: dict[int, set[str]] = defaultdict(set)
    for value in {value for held in values.values() for value in held}:
        for one in found.get((far, value), ()):
            met[one.object].add(one.key)
    theirs: dict[Place, list[str]] = {}
    for at, keys in met.items():
        facts = run.ledger.facts.many(at, sorted(keys))
        theirs |= {(at, key): held for key, held in values_by(bench, at, facts, rule).items()}
    more = {
        key: list(
            dict.fromkeys(
                [
                    *held,
                    *(
                        further
                        for value in held
                        for one in found.get((far, value), ())
                        for further in theirs.get((one.object, one.key), ())
                    ),
                ]
            )
        )
        for key, held in values.items()
    }
    new = {value for held in more.values() for value in held} - {value for held in values.values() for value in held}
    return more, {**found, **(candidates(run, bench, rule, sorted(new)) if new else {})}


def candidates(run: Run, bench: Bench, rule: Rule | None, values: Sequence[str]) -> Found:
    """Live records that hold these match values, by side and value. `rule` None: those that carry syncd's key."""
    found: dict[tuple[Side, str], list[Held]] = {}
    name = bench.mapping.name
    rule_name = KEY_RULE if rule is None else rule.name
    for candidate in run.ledger.links.candidates(name, rule_name, list(bench.forms), values):
        at, link = (candidate.object, candidate.key), candidate.link
        if candidate.state in ("converted", "merged"):
            fact = run.ledger.facts.get(*at)
            at = (fact and survivor(run, fact)) or at
            link = run.ledger.links.of_records(name, at[0], [at[1]]).get(at[1])
        elif candidate.state != "live":
            continue
        if at[0] not in bench.forms:
            continue
        held = Held(at[0], at[1], bench.rank(at[0]), link)
        across = found.setdefault((bench.side(at[0]), candidate.value), [])
        if not any((each.object, each.key) == at for each in across):
            across.append(held)
    return found


def wanted(*values: Mapping[str, Sequence[str]]) -> list[str]:
    """Every value of these records, once."""
    return sorted({value for each in values for held in each.values() for value in held})


def proposed(
    run: Run, bench: Bench, object_: int, keys: Iterable[str]
) -> tuple[dict[str, list[str]], Found, list[str]]:
    """Who something else than their own values speaks for, in the shape of match values: by record, and who is meant.
    Third: the records whose only proposed partner was not read yet."""
    name, ledger = bench.mapping.name, run.ledger
    by_record = ledger.proposals.of(name, [(object_, key) for key in keys])
    values: dict[str, list[str]] = {}
    found: dict[tuple[Side, str], list[Held]] = {}
    unread = []
    partners = {at for others in by_record.values() for at, _ in others}
    rivals = ledger.proposals.of(name, sorted(partners)) if partners else {}
    for (_, key), others in by_record.items():
        facts = {at: ledger.facts.get(*at) for at, _ in others if at[0] in bench.forms}
        if facts and not any(facts.values()):
            unread.append(key)
        for at, fact in facts.items():
            if fact is None or fact.state != "live" or ledger.links.of_records(name, at[0], [at[1]]):
                continue
            value = f"{at[0]}:{at[1]}"
            values.setdefault(key, []).append(value)
            found[bench.side(at[0]), value] = [Held(*at, bench.rank(at[0]), None)]
            found[bench.side(object_), value] = [
                Held(*rival, bench.rank(rival[0]), None)
                for rival, _ in rivals.get(at, ())
                if not ledger.links.of_records(name, rival[0], [rival[1]])
            ]
    return values, found, unread


def together(found: Found, side: Side, values: Sequence[str], taken: set[Place]) -> list[Held]:
    """The records of one side that hold any of these values. `taken`: those that were given away since they were found;
    their link has no number yet."""
    held: dict[Place, Held] = {}
    for value in values:
        for each in found.get((side, value), ()):
            at = (each.object, each.key)
            held[at] = Held(*at, each.rank, -1) if at in taken and each.link is None else each
    return list(held.values())


# ---------------------------------------------------------------- looked up on the target


@dataclass(frozen=True)
class Asked:
    """One look-up on the side that is written to, by one rule (None: by syncd's key) in one form."""

    where: str
    """The attribute that is asked by."""
    rule: Rule | None
    values: Mapping[str, Sequence[tuple[int, str]]]
    """Value as it may be written -> the intents that would make somebody who matches it: (intent, match value)."""

    def holds(self, bench: Bench, side: Side, form: str, said: Mapping[str, Any], value: str) -> bool:
        """Whether a record that was found is recognised by that match value."""
        return self.rule is None or value in self.rule.values(bench.fields, side, form, said)

    def knows(self, bench: Bench, side: Side, form: str, said: Mapping[str, Any], value: str) -> bool:
        """Whether the system led to this record by something else of it than what we read: a further address."""
        if self.rule is None:
            return False
        own, asked = Rule(self.rule.fields[1:]), Rule(self.rule.fields[:1])
        rest = value.partition(BETWEEN)[2]
        if own.fields and rest not in own.values(bench.fields, side, form, said):
            return False
        return value.partition(BETWEEN)[0] not in asked.values(bench.fields, side, form, said)


def looked_for(bench: Bench, batch: Sequence[Intent], side: Side, form: str, key: str | None) -> Iterator[Asked]:
    """What is to be looked up in one form of the target before these creates may leave."""
    if key is not None:
        yield Asked(key, None, {intent.unique: [(intent.id, intent.unique)] for intent in batch if intent.unique})
    made = bench.mapping.end(side).forms[0]
    for rule in bench.mapping.match:
        attribute = bench.field(rule.fields[0]).attribute(side, form)
        if attribute is None:
            continue
        values: dict[str, list[tuple[int, str]]] = {}
        for intent in batch:
            for value in rule.values(bench.fields, side, made, intent.attributes):
                for spelled in rule.looked_up(bench.fields, value):
                    values.setdefault(spelled, []).append((intent.id, value))
        if values:
            yield Asked(attribute, rule, values)
