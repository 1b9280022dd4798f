"""The funnel beside the mappings: the fields that its rules and tables name.

Promise: a field that a mapping does not have, and a rule that does not fit the types of its fields, is told at its place
in the funnel's file. A mapping that says `qualified` gets the rule checked against its own fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from syncd.core import expr
from syncd.core.expr import Gate
from syncd.core.funnel import Funnel
from syncd.core.mapping import Mapping as Compiled
from syncd.core.problem import Problem
from syncd.core.qualify import Condition, Qualification, Scale
from syncd.core.toml import Path, did_you_mean, parse


def qualified_for(
    funnel: Funnel, kinds: Mapping[str, expr.Kind], used_by: str
) -> tuple[Qualification | None, list[Problem]]:
    """The definition checked against the types of the fields of a mapping, whose file is `used_by`."""
    document, _ = parse(funnel.text, funnel.file)
    language = expr.Language(dict(kinds))
    found: list[Problem] = []

    def checked(gate: Gate | None, path: Path) -> Gate | None:
        if gate is None:
            return None
        compiled, flaws = language.compile(gate.text)
        for flaw in flaws:
            line, column = document.inside(path, flaw.line, flaw.column) if document else (0, 0)
            said = f"{flaw.what} ({used_by} uses 'qualified')"
            found.append(Problem(funnel.file, line, column, said, flaw.mend))
        return None if compiled is None else Gate(gate.text, gate.place, compiled.names, compiled)

    def scale(given: Scale | None, name: str) -> Scale | None:
        if given is None:
            return None
        gates = [(one, checked(one.gate, ("qualified", name, "points", one.name, "when"))) for one in given.conditions]
        return Scale(given.at_least, tuple(Condition(one.name, gate, one.points) for one, gate in gates if gate))

    whole = funnel.qualified
    made = Qualification(
        whole.place,
        whole.text,
        whole.names,
        checked(whole.when, ("qualified", "when")),
        scale(whole.fit, "fit"),
        scale(whole.interest, "interest"),
        checked(whole.disqualified, ("qualified", "disqualified")),
    )
    return (None, found) if found else (made, [])


def check_funnel(funnel: Funnel, mappings: Mapping[str, Compiled]) -> Iterator[Problem]:
    """Fields that the funnel names and their mapping does not have. A mapping that is not there is not told: what it
    would tell is unknown meanwhile."""
    gates = [(funnel.about.mapping, gate) for gate in _gates(funnel)]
    if funnel.sales is not None:
        gates += [(funnel.sales.mapping, gate) for gate in (funnel.sales.won, funnel.sales.lost) if gate is not None]
    named = [*funnel.places.items(), *(((of, name), gate.place) for of, gate in gates for name in sorted(gate.names))]
    for (of, name), place in named:
        mapping = mappings.get(of)
        if mapping is None:
            continue
        known = [one.name for one in mapping.fields]
        if name not in known:
            file, line, column = place.rsplit(":", 2)
            mend = did_you_mean(name, known) or f"declare it in {mapping.file}"
            yield Problem(file, int(line), int(column), f"'{of}' has no field '{name}'", mend)


def _gates(funnel: Funnel) -> Iterator[Gate]:
    yield from (
        one for one in (funnel.accepted, funnel.rejected, funnel.paused, funnel.recycle_when) if one is not None
    )
    yield from (gate for _, gate in funnel.segments)
