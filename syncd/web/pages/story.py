"""One record's whole story: both systems' values with the rule behind each, where it stands in the loop, what happened.

Promise: it is what `syncd why` tells, with every value, judgement and event in one line of time; what the ledger does not
know is left out, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from syncd.core.funnel import Funnel
from syncd.core.mapping import Field
from syncd.core.model import SIDES, Side
from syncd.core.sale import Sale
from syncd.core.standing import Standing
from syncd.funnel.figures import iso_ms
from syncd.view.why import why
from syncd.web import phrases, words
from syncd.web.page import Asked, View
from syncd.web.pages import figures
from syncd.web.pages.earnings import MODELS
from syncd.web.pages.loop import CLOCKS
from syncd.web.pages.records import field_anchor, owner_of
from syncd.web.render import record_link
from syncd.web.table import Cell, Column, Line, Table, Tone, cell

VERDICTS: dict[str, Tone] = {"agree": "good", "clash": "warn", "crm": "warn", "marketing": "warn"}
MOST_REFERRED = 10
"""References of one list that are shown by name."""

Record = dict[str, Any]


def page(asked: Asked) -> View:
    """Everything that is known of a record, newest first."""
    at = (asked.path["system"], asked.path["object"], asked.path["key"])
    facts = why(asked.ledger, asked.files.mappings, asked.systems(), at, None)
    lives_on = facts["lives_on_as"]
    for one in facts["mappings"]:
        for awaited in one["waits_for"]:
            awaited["known_as"] = "created only afterwards" if awaited["create"] else "filled in afterwards"
        if one["link"]:
            partner = one["link"]["partner"]
            one["link"]["partner"] = {**partner, "link": record_link(**partner), "name": asked.names.of(partner)}
    funnel = asked.files.mappings.funnel
    standing, sale = _standing(asked, facts), _sale(asked, facts)
    record = facts["record"]
    told: dict[str, Any] = {
        "why": facts,
        "place": f"{record['system']} {record['object']} {record['key']}",
        "lives_on": None if lives_on is None else {**lives_on, "link": record_link(**lives_on)},
        "person": _person(funnel, standing) if funnel and standing else [],
        "deal": _deal(sale) if sale else [],
    }
    tables = [_fields(asked, one) for one in facts["mappings"]]
    if sale and sale.shares:
        tables.append(_shares(funnel, sale))
    title = asked.names.of(record) or f"{at[1]} {at[2]}"
    return View("story.html", title, told, (*tables, _timeline(asked, facts, funnel, standing)))


def _places(facts: dict[str, Any]) -> Iterator[Record]:
    """The record, and those that it is linked with."""
    yield facts["record"]
    yield from (one["link"]["partner"] for one in facts["mappings"] if one["link"])


def _standing(asked: Asked, facts: dict[str, Any]) -> Standing | None:
    ledger = asked.ledger
    for place in _places(facts):
        number = ledger.facts.object_id(place["system"], place["object"])
        if found := ledger.loop.standings(number, [place["key"]]).get(place["key"]):
            return found
    return None


def _sale(asked: Asked, facts: dict[str, Any]) -> Sale | None:
    ledger = asked.ledger
    for place in _places(facts):
        number = ledger.facts.object_id(place["system"], place["object"])
        if found := ledger.loop.sales(number, [place["key"]]).get(place["key"]):
            return found
    return None


# ---------------------------------------------------------------- where it stands


def _person(funnel: Funnel, now: Standing) -> list[Line]:
    """Where a person stands in the loop: judged, handed over, followed up."""
    lines: list[Line] = [Line("Judged", phrases.outcome(now.outcome))]
    if now.why:
        lines.append(Line("Because", words.spoken(now.why)))
    rule = funnel.qualified
    for name, points, scale in (("Fit", now.fit, rule.fit), ("Interest", now.interest, rule.interest)):
        if points is not None and scale is not None:
            lines.append(Line(name, f"{words.plural(points, 'point')}; {scale.at_least} or more are enough"))
    if 0 <= now.reached < len(funnel.stages):
        lines.append(Line("Furthest stage", funnel.stages[now.reached].called))
    named = (("Source", now.source), ("Campaign", now.campaign), ("Segment", now.segment), ("Owner", now.owner))
    lines += [Line(name, words.spoken(text)) for name, text in named if text]
    if now.state is None:
        return [*lines, Line("Hand-off", "they never met the definition of qualified so far")]
    why = f": {phrases.reason(now.reason)}" if now.reason else ""
    again = f" (taken up again {words.plural(now.round, 'time')})" if now.round else ""
    lines.append(Line("Hand-off", f"{phrases.state(now.state)}{why}{again}"))
    if now.version:
        lines.append(Line("By definition", f"version {now.version}, the one in force then"))
    if now.clock is not None:
        lines.append(Line("Follow-up", CLOCKS.get(now.clock, (now.clock, ""))[0]))
        if now.due_ms is not None and now.touched_ms is None:
            lines.append(Line("First touch due", iso_ms(now.due_ms), "time"))
        lines.append(Line("Attempts of sales", words.number(now.attempts)))
    parts = (("sync", now.sync_s), ("routing", now.routing_s), ("rep", now.rep_s))
    if any(took is not None for _, took in parts):
        said = ", ".join(f"{name} {words.worked(took)}" for name, took in parts if took is not None)
        lines.append(Line("Where the time went", f"{said} of working time"))
    return lines


def _deal(sale: Sale) -> list[Line]:
    """What a deal came to."""
    lines: list[Line] = [
        Line("State", sale.state),
        Line("Amount", words.money(sale.amount, sale.currency)),
    ]
    if sale.closed:
        lines.append(Line("Closed", words.day(date.fromordinal(sale.closed))))
    if sale.reason:
        lines.append(Line("Lost because", words.spoken(sale.reason)))
    if sale.cause:
        lines.append(Line("Credit", f"nobody gets any: {phrases.cause(sale.cause)}"))
    return lines


def _shares(funnel: Funnel | None, sale: Sale) -> Table:
    """Who gets how much under each model; the agreed one first."""
    agreed = funnel.credit.rule.model if funnel else ""
    models = sorted((name for name in sale.shares if name in MODELS), key=lambda name: (name != agreed, name))
    rows = [
        (
            cell(name, text=MODELS[name] + (", as agreed" if name == agreed else "")),
            cell(source or None),
            cell(campaign or None),
            figures.amount({"value": part, "currency": sale.currency, "records": None}),
            cell(sale.currency),
        )
        for name in models
        for source, campaign, part in sale.shares[name]
    ]
    columns = (Column("model"), Column("source"), Column("campaign"), Column("credit", "number"), Column("currency"))
    return Table("credit", "Who gets credit", columns, rows, "Nobody gets credit.")


# ---------------------------------------------------------------- its fields


def _fields(asked: Asked, one: dict[str, Any]) -> Table:
    """Both sides' values, whether they agree, and by which rule."""
    columns = (
        *(Column("field"), Column("marketing"), Column("sales"), Column("verdict")),
        *(Column("when both last agreed"), Column("rule", "code")),
    )
    mapping = asked.files.mappings.by_name[one["mapping"]]
    rows = []
    for name, field in one["fields"].items():
        verdict = str(field.get("verdict", ""))
        reason = "" if verdict == "agree" else words.spoken(phrases.sides(str(field.get("reason", ""))))
        declared = mapping.field(name)
        rows.append(
            (
                cell(name, text=words.spoken(name)),
                *(_value(asked, declared, side, mapping.end(side).system, field) for side in SIDES),
                cell(verdict, None, VERDICTS.get(verdict, ""), phrases.verdict(verdict) if verdict else "", reason),
                cell(_base(field, field.get("base", {})), tone="quiet"),
                cell(field["rule"].rpartition("/")[2], f"/mappings/{one['mapping']}#{field_anchor(name)}"),
            )
        )
    return Table(f"fields-{one['mapping']}", f"Fields, by {one['mapping']}", columns, rows, "No field is mapped.")


def _value(asked: Asked, field: Field, side: Side, system: str, said: dict[str, Any]) -> Cell:
    """A value; an owner with the address that both sides know, a reference with the name of what it refers to."""
    if side not in said:
        return cell("")
    value = said[side]
    shown = words.shown(value)
    agreed = asked.files.mappings.funnel
    if agreed is not None and side == "marketing" and agreed.about.stage == field.name and value:
        called = agreed.called(shown)
        return cell(shown, text=called, below="" if called == shown else shown)
    if field.type == "owner" and value:
        return cell(shown, text=owner_of(asked, system, str(value)) or shown, below=shown)
    if field.reference is None or not value:
        return cell(shown)
    parent = asked.files.mappings.by_name.get(field.reference.mapping)
    forms = parent.end(side).forms if parent else ()
    keys = [str(key) for key in value][:MOST_REFERRED] if isinstance(value, list | tuple) else [str(value)]
    known = [
        (form, key, asked.names.of({"system": system, "object": form, "key": key})) for key in keys for form in forms
    ]
    named = [(form, key, name) for form, key, name in known if name]
    if len(keys) == 1 and len(named) == 1:
        form, key, name = named[0]
        return cell(shown, record_link(system, form, key), text=name, below=shown)
    return cell(shown, text="; ".join(name for _, _, name in named if name) or shown, below=shown if named else "")


def _base(field: dict[str, Any], base: dict[str, Any]) -> str:
    if not base:
        return ""
    if all(base[side] == field.get(side) for side in base):
        return "as now"
    told = ["not known" if value == {"unknown": True} else words.shown(value) or "blank" for value in base.values()]
    return told[0] if len(set(told)) == 1 else " | ".join(told)


# ---------------------------------------------------------------- its time


def _timeline(asked: Asked, facts: dict[str, Any], funnel: Funnel | None, standing: Standing | None) -> Table:
    """Events that watches saw, steps through the loop and the journal's entries, newest first."""
    lines: list[tuple[str, str, str, Cell, str]] = []
    for one in facts["mappings"]:
        for event in one["events"]:
            said = ", ".join(
                f"{words.spoken(name)}: {words.shown(value)}"
                for name, value in event["values"].items()
                if value not in (None, "") and not _same_moment(value, event["at"])
            )
            lines.append(
                (event["at"], "watched", words.spoken(event["watch"]), asked.names.cell(event["record"]), said)
            )
    for entry in facts["history"]:
        kind = phrases.done(entry["kind"])
        lines.append((entry["at"], "syncd", kind, asked.names.cell(entry["record"]), phrases.sides(entry["said"])))
    if funnel is not None and standing is not None:
        lines += [(at, "the loop", what, cell(""), said) for at, what, said in _steps(funnel, standing)]
    seen: set[tuple[Any, ...]] = set()
    rows = []
    for at, by, kind, record, said in sorted(lines, key=lambda line: line[0], reverse=True):
        if (at, kind, record, said) in seen:
            continue
        seen.add((at, kind, record, said))
        rows.append((cell(at), cell(by, tone="quiet"), cell(kind), record, cell(said)))
    columns = (Column("at", "time"), Column("by"), Column("what"), Column("record"), Column("said"))
    return Table("story", "What happened, newest first", columns, rows, "Nothing happened yet that was kept.")


def _same_moment(value: Any, at: str) -> bool:
    """Whether a value only says again when it happened."""
    found = words.at(value) if isinstance(value, str) else None
    return found is not None and found == words.at(at)


def _steps(funnel: Funnel, now: Standing) -> Iterator[tuple[str, str, str]]:
    """(when, what, in words) of the steps through the loop."""
    entered = [(at_ms, "entered a stage", funnel.called(name)) for name, at_ms in now.entered.items()]
    taken = [
        (now.qualified_ms, "qualified", "met the definition"),
        (now.delivered_ms, "handed over", "in the CRM, with sales"),
        (now.routed_ms, "routed", "a person owns them"),
        (now.touched_ms, "first touch", "by sales"),
        (now.accepted_ms, "accepted", "sales took them on"),
        (now.rejected_ms, "given back", phrases.reason(now.reason) if now.reason else "by sales"),
    ]
    for at_ms, what, said in (*entered, *taken):
        if (at := iso_ms(at_ms)) is not None:
            yield at, what, said
