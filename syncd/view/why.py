"""Why a record is as it is: both values, both bases, verdict, policy, the rule's place in its file, and its history.

Promise: decided by the very functions that a cycle uses, on what the ledger holds; nothing is read anew and nothing is
changed, so it can be asked at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from syncd.assembly import Connected, Mappings
from syncd.core import plan
from syncd.core.mapping import Field
from syncd.core.mapping import Mapping as Compiled
from syncd.core.merge import Pair, Verdict, base_key, merge, pairs
from syncd.core.model import SIDES, Owners, Side, other
from syncd.core.problem import Problem
from syncd.core.toml import did_you_mean
from syncd.errors import ConfigError
from syncd.funnel import derived
from syncd.ledger import Ledger
from syncd.ledger.events import once
from syncd.ledger.facts import HOPS, Fact
from syncd.ledger.links import Link
from syncd.references import Said, based, lookups
from syncd.rollups import lay, with_rolled
from syncd.run import parents_of
from syncd.view.moment import iso
from syncd.view.plan import STATES, effect
from syncd.view.records import conflict, entry, issue, place

HISTORY = 100
"""Most journal entries that are told."""
UNSEEN = "sent, not seen again yet"
"""Why two values differ whose write is believed only once it is seen."""
AT_SYSTEM = ("sent", "answered")
EVENTS = 50
"""Most events that are told, for each mapping."""


def why(
    ledger: Ledger, mappings: Mappings, systems: Mapping[str, Connected], at: tuple[str, str, str], field: str | None
) -> dict[str, Any]:
    """What `why --json` prints about a record (system, object, key), for every mapping that uses its object.

    Raises ConfigError for a system, object or field that no mapping names, or a record that was never seen.
    """
    system, object_, key = at
    if system in systems:
        key = systems[system].connector.traits.whole_key(key)
    users = _users(mappings, system, object_, field)
    number = ledger.facts.object_id(system, object_)
    fact = ledger.facts.get(number, key) if number else None
    if fact is None:
        raise ConfigError(
            f"the ledger never saw {system} {object_} {key}", remedy="check the key; `syncd once` reads what is new"
        )
    made = _maker(ledger, mappings)
    told = [
        _in_mapping(ledger, mappings, _bound(ledger, mapping, systems), side, fact, field, made)
        for mapping, side in users
    ]
    into = fact.into
    return {
        "record": {**place(ledger, number, key), "state": fact.state, "changed": iso(fact.stamp_ms / 1000)},
        "unseen_since": iso(ledger.unseen.since(number, key)),
        "lives_on_as": place(ledger, into[0], into[1]) if into else None,
        "mappings": told,
        "history": [entry(ledger, one) for one in _history(ledger, number, key, told)],
    }


Maker = Callable[[str, Fact], Fact]
"""(mapping, facts) -> the same facts, with what the ledger makes of them: roll-ups, and what the funnel says."""


def _maker(ledger: Ledger, mappings: Mappings) -> Maker:
    rolls = lay(ledger, mappings.by_name)
    asked = derived.lay(ledger, mappings.funnel, mappings.by_name)

    def made(mapping: str, fact: Fact) -> Fact:
        return derived.with_derived(ledger, asked, mapping, with_rolled(ledger, rolls, mapping, [fact]))[0]

    return made


def _users(mappings: Mappings, system: str, object_: str, field: str | None) -> list[tuple[Compiled, Side]]:
    known = {
        (mapping.end(side).system, form): None
        for mapping in mappings.by_name.values()
        for side in SIDES
        for form in mapping.end(side).forms
    }
    users = [
        (mapping, side)
        for mapping in mappings.by_name.values()
        for side in SIDES
        if mapping.end(side).system == system and object_ in mapping.end(side).forms
    ]
    if not users:
        places = [f"{name} {form}" for name, form in known]
        mend = did_you_mean(f"{system} {object_}", places) or f"there are: {', '.join(places)}"
        raise ConfigError(Problem("", 0, 0, f"no mapping uses {system} {object_}", mend))
    fields = {one.name for mapping, _ in users for one in mapping.fields}
    if field is not None and field not in fields:
        mend = did_you_mean(field, fields) or f"there are: {', '.join(sorted(fields))}"
        raise ConfigError(Problem("", 0, 0, f"there is no field '{field}'", mend))
    return users


def _bound(ledger: Ledger, mapping: Compiled, systems: Mapping[str, Connected]) -> Compiled:
    """The mapping with owners as last read."""
    owners: dict[Side, Owners] = {}
    for side in SIDES:
        connected = systems.get(mapping.end(side).system)
        directory = connected.connector.traits.owners if connected else None
        if connected is None or directory is None:
            continue
        everybody: dict[str, str] = {}
        active: dict[str, str] = {}
        for key, values in ledger.facts.live_values(ledger.facts.object_id(connected.name, directory.object)):
            email = str(values.get(directory.email) or "").strip().lower()
            if email:
                everybody[key] = email
                if values.get(directory.active) in (True, "true"):
                    active[email] = key
        owners[side] = Owners(everybody, active)
    return mapping.bind(owners)


def _knowing(ledger: Ledger, mapping: Compiled, mappings: Mappings, link: Link | None) -> Compiled:
    """The mapping bound to what the link's records refer to, now and in their bases."""
    if link is None or not mapping.references:
        return mapping
    said: list[Said] = []
    for side in SIDES:
        end = link.end(side)
        form, fact = ledger.facts.name_of(end.object)[1], ledger.facts.get(end.object, end.key)
        said.append((side, form, fact.attributes if fact is not None else {}))
        said.append((side, form, based(mapping.references, side, form, end.base)))
    parents = parents_of(ledger, mapping, mappings.by_name)
    return mapping.knowing(lookups(ledger, mapping.references, parents, said))


def _in_mapping(
    ledger: Ledger,
    mappings: Mappings,
    mapping: Compiled,
    side: Side,
    fact: Fact,
    field: str | None,
    made: Maker,
) -> dict[str, Any]:
    fact = made(mapping.name, fact)
    version = ledger.books.mapping(mapping.name)
    found = ledger.links.of_records(mapping.name, fact.object, [fact.key])
    link = ledger.links.get(found[fact.key]) if fact.key in found else None
    mapping = _knowing(ledger, mapping, mappings, link)
    form = ledger.facts.name_of(fact.object)[1]
    shown: dict[str, Any] = {
        "mapping": mapping.name,
        "version": version.version if version else None,
        "in_force": version.digest == mapping.digest if version else False,
        "side": side,
        "link": None,
        "gates": _gates(mapping, side, form, fact),
        "fields": {},
        "events": _happened(ledger, mapping, side, fact),
        "waits_for": _waits_for(ledger, mapping, link, fact),
        "planned": [
            effect(ledger, intent)
            for intent in (
                ledger.intents.of_links([link.id])
                if link
                else ledger.intents.of_sources(mapping.name, fact.object, [fact.key])
            )
            if intent.state in STATES
        ],
        "issues": [
            issue(ledger, one)
            for object_, key in sorted(_ends(link, fact))
            for one in ledger.inbox.about(mapping.name, object_, key)
        ],
        "conflicts": [
            conflict(ledger, one)
            for one in (ledger.inbox.conflicts(link=link.id) if link is not None else ())
            if one.mapping == mapping.name and field in (None, one.field)
        ],
    }
    if link is not None:
        partner = link.end(other(side))
        shown["link"] = {
            "id": link.id,
            "state": link.state,
            "how": ledger.links.how(link.id),
            "partner": place(ledger, partner.object, partner.key),
        }
        shown["fields"] = _fields(ledger, mapping, link, field, made)
    else:
        shown["fields"] = {
            one.name: {side: fact.attributes.get(str(one.attribute(side, form))), **_rule(one)}
            for one in mapping.fields
            if field in (None, one.name) and one.attribute(side, form) is not None
        }
    return shown


def _happened(ledger: Ledger, mapping: Compiled, side: Side, fact: Fact) -> list[dict[str, Any]]:
    """What watches saw of the record, and of those that were merged or converted into it: the newest, oldest first."""
    keys = [fact.key, *(key for _, key in ledger.facts.swallowed(fact.object, [fact.key]).get(fact.key, ()))]
    whose = {key: {(fact.object, fact.key)} for key in keys}
    found = [event for event, _ in once(ledger.events.of_records(mapping.name, side, keys), mapping.name, whose)]
    return [
        {
            "watch": one.watch,
            "at": iso(one.at_ms / 1000),
            "record": place(ledger, one.object, one.key),
            "values": one.values,
        }
        for one in found[-EVENTS:]
    ]


def _waits_for(ledger: Ledger, mapping: Compiled, link: Link | None, fact: Fact) -> list[dict[str, Any]]:
    """Whom the record refers to that has no link yet; `key` None: it refers to nobody, and has to. `create`: its own
    partner is not made before. `refused`: it has one, and a system refused to point there."""
    at = (link.marketing.object, link.marketing.key) if link is not None else (fact.object, fact.key)
    told = (one for end in _ends(link, fact) for one in ledger.inbox.about(mapping.name, *end))
    refused = {field for one in told for field in one.doc.get("pointed", ())}
    return [
        {
            "mapping": one.parent,
            "side": one.side,
            "key": one.parent_key or None,
            "fields": fields,
            "create": one.create,
            **({"refused": True} if refused & set(fields) else {}),
        }
        for one in ledger.waits.of_record(mapping.name, *at)
        for fields in [[f.name for f in mapping.references if f.reference and f.reference.mapping == one.parent]]
    ]


def _ends(link: Link | None, fact: Fact) -> set[tuple[int, str]]:
    ends = {(fact.object, fact.key)}
    if link is not None:
        ends |= {(link.marketing.object, link.marketing.key), (link.crm.object, link.crm.key)}
    return ends


def _gates(mapping: Compiled, side: Side, form: str, fact: Fact) -> dict[str, Any]:
    """Whether the record takes part, and whether it may be created across: yes, no, or why nobody knows."""
    context = mapping.context(side, form, fact.attributes)
    shown: dict[str, Any] = {}
    for name, gate in (("scope", mapping.scope[side]), ("create", mapping.create[other(side)])):
        if gate is None:
            shown[name] = {"passes": name == "scope", "rule": None, "place": None}
            continue
        met = gate.holds(context)
        told: dict[str, Any] = {"passes": met is True, "rule": gate.text, "place": gate.place}
        if not isinstance(met, bool):
            told["unknown"] = met.why
        shown[name] = told
    return shown


def _fields(ledger: Ledger, mapping: Compiled, link: Link, field: str | None, made: Maker) -> dict[str, Any]:
    forms = {side: ledger.facts.name_of(link.end(side).object)[1] for side in SIDES}
    facts = {side: ledger.facts.get(link.end(side).object, link.end(side).key) for side in SIDES}
    said = {side: made(mapping.name, found).attributes if found else {} for side, found in facts.items()}
    paired = pairs(mapping, forms["marketing"], forms["crm"])
    verdicts = {
        verdict.pair.field.name: verdict
        for verdict in merge(paired, said["marketing"], said["crm"], link.marketing.base, link.crm.base)
    }
    in_scope = all(
        plan.holds(mapping, mapping.scope, side, side, forms[side], said[side]) for side in SIDES if facts[side]
    )
    unseen = _unseen(ledger, link, facts)
    shown = {}
    for pair in paired:
        if field in (None, pair.field.name):
            told = shown[pair.field.name] = _field(pair, link, said, verdicts.get(pair.field.name), in_scope)
            if (unseen is None or pair.field.name in unseen) and told["verdict"] != "agree":
                told |= {"verdict": "stand", "reason": UNSEEN, "writes": None}
    return shown


def _unseen(ledger: Ledger, link: Link, facts: Mapping[Side, Fact | None]) -> set[str] | None:
    """The fields that were written and not seen again yet; None: all of them, the record was just made."""
    sent = [intent for intent in ledger.intents.of_links([link.id]) if intent.state in AT_SYSTEM]
    if None in facts.values() or any(intent.op == "create" for intent in sent):
        return None
    return {change.field for intent in sent for change in intent.body.changes}


def _field(
    pair: Pair, link: Link, said: Mapping[Side, Mapping[str, Any]], verdict: Verdict | None, in_scope: bool
) -> dict[str, Any]:
    told: dict[str, Any] = {side: said[side].get(pair.attribute(side)) for side in SIDES}
    told["attribute"] = {side: pair.attribute(side) for side in SIDES}
    told["base"] = {
        side: link.end(side).base[name] if (name := base_key(pair.field.name, pair.attribute(side))) in link.end(side).base
        else {"unknown": True}
        for side in SIDES
    }  # fmt: skip
    if verdict is not None:
        told["verdict"], told["reason"] = verdict.kind, verdict.why
        told["writes"] = verdict.to
        if not in_scope:
            told["reason"] += "; but a record is out of scope, so nothing is written"
    else:
        same = pair.field.canonical("marketing", told["marketing"]) == pair.field.canonical("crm", told["crm"])
        told["verdict"] = "agree" if same else "stand"
        told["reason"] = "both sides say the same" if same else "nothing moved; the known difference stands"
        told["writes"] = None
    return {**told, **_rule(pair.field)}


def _rule(field: Field) -> dict[str, Any]:
    return {
        "policy": {"flow": field.flow, "clash": field.clash, "meet": field.meet, "blank": field.blank},
        "rule": field.place,
    }


def _history(ledger: Ledger, number: int, key: str, told: list[dict[str, Any]]) -> list[Any]:
    """What the journal says of the record, its links, the records that it is linked to, and all that were merged or
    converted into one of these."""
    places = {(number, key)}
    entries: dict[int, Any] = {}
    for shown in told:
        if shown["link"]:
            partner = shown["link"]["partner"]
            places.add((ledger.facts.object_id(partner["system"], partner["object"]), partner["key"]))
            entries |= {one.seq: one for one in ledger.journal.of_link(shown["link"]["id"], HISTORY)}
    places |= _swallowed(ledger, places)
    for object_, of in places:
        entries |= {one.seq: one for one in ledger.journal.page(object=object_, key=of, limit=HISTORY, newest=True)}
    return [entries[seq] for seq in sorted(entries)][-HISTORY:]


def _swallowed(ledger: Ledger, places: set[tuple[int, str]]) -> set[tuple[int, str]]:
    """Every record that lives on as one of these, through chains of merges and conversions."""
    found: set[tuple[int, str]] = set()
    edge = places
    for _ in range(HOPS):
        edge = {
            at
            for object_ in {object_ for object_, _ in edge}
            for ats in ledger.facts.swallowed(object_, [key for each, key in edge if each == object_]).values()
            for at in ats
        } - found
        if not edge:
            break
        found |= edge
    return found
