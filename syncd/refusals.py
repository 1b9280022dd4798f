"""A refusal in words: which field, which rule, which line of which file, and what to do about it.

Promise: what can be told from what the system says its object looks like is told exactly (the choices it takes, the
characters it holds); the rest is the system's own message. No value of a person stands in it. It keeps nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from syncd.connector import Outcome
from syncd.core.drift import MOST_NAMED
from syncd.core.mapping import Field
from syncd.core.model import Side
from syncd.core.plan import Change
from syncd.ledger.described import Attribute, Schema
from syncd.ledger.intents import Intent
from syncd.run import Bench, Run

RETRY = "then `syncd issues retry ID`"
MOST_CHOICES = 20
"""Choices that a remedy lists."""


def reason(bench: Bench, intent: Intent, outcome: Outcome, named: Sequence[Change]) -> str:
    """What was refused, where, and by which rule, as far as the system says it."""
    system = bench.mapping.end("crm" if intent.side == "crm" else "marketing").system
    form = bench.form(intent.object)
    fields = ", ".join(f"'{change.field}' ({form}.{change.attribute})" for change in named[:MOST_NAMED])
    others = [name for name in outcome.culprits if name not in {change.attribute for change in named}]
    if not fields and others:
        fields = ", ".join(f"{form}.{name}" for name in others[:MOST_NAMED])
    said = f"{outcome.code} {outcome.message}".strip()
    return (
        f"{fields}: {intent.op} refused by {system}: {said}" if fields else f"{intent.op} refused by {system}: {said}"
    )


def remedy(run: Run, bench: Bench, intent: Intent, outcome: Outcome, named: Sequence[Change]) -> str:
    """What to do, from what is known of the attributes that are named."""
    if outcome.existing is not None:
        return f"The record {outcome.existing} holds this value already: merge them, or pick it for the link."
    schema = _schema(run, intent.object)
    ways = [
        way for change in named if (field := bench.fields.get(change.field)) and (way := _way(field, change, schema))
    ]
    lacking = [name for name in outcome.culprits if name not in intent.attributes and _is_required(schema, name)]
    if lacking and not named:
        ways += [_lacks(bench, intent, name, schema) for name in lacking]
    if not ways:
        return f"Mend the value, or the rule in the system that refuses it; {RETRY}."
    said = "; ".join(ways)
    return f"{said[:1].upper()}{said[1:]}; {RETRY}."


def _lacks(bench: Bench, intent: Intent, name: str, schema: Schema | None) -> str:
    """What to do about a required attribute that the create does not name."""
    attribute = schema.attributes.get(name) if schema is not None else None
    side: Side = "crm" if intent.side == "crm" else "marketing"
    form = bench.form(intent.object)
    for field in bench.mapping.fields:
        if attribute is not None and field.attribute(side, form) in (name, *attribute.instead):
            return (
                f"give {name} a value: '{field.name}' says none for this record; fill it in on the other side, or write"
                f" 'on_create' at {field.place}"
            )
    return f"give {name} a value: map it in {bench.mapping.file}, with 'on_create' for blanks"


def may_go_without(run: Run, bench: Bench, intent: Intent, named: Sequence[Change]) -> bool:
    """Whether a create can be made without what was refused: something is left of it, nothing of that is required, here
    or there, and the record is still recognised by its match values."""
    references = (bench.field(change.field).reference for change in named)
    if any(reference is not None and reference.required for reference in references):
        return False
    matching = {name for rule in bench.mapping.match for name in rule.fields}
    schema = _schema(run, intent.object)
    return 0 < len(named) < len(intent.body.changes) and not any(
        change.field in matching or _is_required(schema, change.attribute) for change in named
    )


def _way(field: Field, change: Change, schema: Schema | None) -> str:
    """What one attribute would take; "" where nothing is known against the value."""
    attribute = schema.attributes.get(change.attribute) if schema is not None else None
    if attribute is None:
        return ""
    where = f"at {field.place}"
    if change.after is None and attribute.required:
        return f'{change.attribute} cannot be blank: fill it in on the other side, or write blank = "keep" {where}'
    if _outside(attribute, change.after):
        offered = ", ".join(attribute.options[:MOST_CHOICES])
        return f"{change.attribute} takes only {offered}: choose one of them, or map the value in 'values' {where}"
    if attribute.length and isinstance(change.after, str) and len(change.after) > attribute.length:
        return f"{change.attribute} holds {attribute.length} characters: shorten the value, or write 'truncate' {where}"
    return f"mend the value of '{change.field}', or the rule in the system ({where})"


def _outside(attribute: Attribute, value: object) -> bool:
    chosen = value if isinstance(value, list) else [value]
    return attribute.restricted and value is not None and not set(map(str, chosen)) <= set(attribute.options)


def _is_required(schema: Schema | None, name: str) -> bool:
    attribute = schema.attributes.get(name) if schema is not None else None
    return attribute is not None and attribute.required


def _schema(run: Run, object_: int) -> Schema | None:
    known = run.ledger.described.get(object_)
    return None if known is None else known.now
