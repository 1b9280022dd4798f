"""From a mapping file's text to a compiled mapping, or every reason why not.

Promise: never raises for what a file may hold, reports all errors at once with their places, and gives out no mapping
that could ping-pong or lose values. It opens no file: it is given the text.
"""

from __future__ import annotations

import copy
import dataclasses
import hashlib
from typing import Final

import pydantic

from syncd.core import expr
from syncd.core.expr import Rules
from syncd.core.fieldmaker import CEL_KINDS, FieldMaker
from syncd.core.funnel import Funnel
from syncd.core.funnelfields import qualified_for
from syncd.core.live import check_schema
from syncd.core.mapping import Default, End, Field, Gate, Mapping, Promotion
from syncd.core.mappingfile import EndPart, MappingFile, SidesPart
from syncd.core.match import Rule
from syncd.core.model import SIDES, Bad, Side, Unmapped
from syncd.core.problem import Problem
from syncd.core.proof import Counterexample, prove
from syncd.core.qualify import Qualification
from syncd.core.rollup import compile_rollups
from syncd.core.together import check_references, check_together
from syncd.core.toml import Document, Path, did_you_mean, parse, problems

__all__ = ["check_references", "check_schema", "check_together", "compile_mapping"]

QUALIFIED: Final = "qualified"
"""The one name in expressions that is no field: the funnel's definition."""

_MATCHABLE: Final = ("email", "domain", "text", "number")


def compile_mapping(
    text: str, file: str, funnel: Funnel | None, others: frozenset[str] = frozenset()
) -> tuple[Mapping | None, list[Problem]]:
    """The mapping, or every problem of the file. With one problem there is no mapping. `others`: the names of the other
    files' mappings; an attribute that begins with one of them and a dot is a roll-up of it."""
    document, found = parse(text, file)
    return (None, found) if document is None else compile_document(document, text, funnel, others)


def compile_document(
    document: Document, text: str, funnel: Funnel | None, others: frozenset[str] = frozenset()
) -> tuple[Mapping | None, list[Problem]]:
    """As `compile_mapping`, of a text that was read; `text` names the version."""
    shape, found = _shape(document)
    if shape is None:
        return None, found
    compiler = _Compiler(document, shape, funnel, _broken_fields(document, shape), others - {shape.mapping})
    mapping = compiler.mapping(text)
    found = sorted({*found, *compiler.problems}, key=lambda problem: (problem.line, problem.column, problem.what))
    return (None, found) if found else (mapping, [])


def _shape(document: Document) -> tuple[MappingFile | None, list[Problem]]:
    """The file in its shape. Where parts are misshapen, what is left without them, so that it is checked as well."""
    try:
        return MappingFile.model_validate(document.data), []
    except pydantic.ValidationError as error:
        found = problems(error, document, document.file, MappingFile)
        rest = copy.deepcopy(document.data)
        for detail in error.errors(include_url=False, include_input=False):
            path = detail["loc"]
            head = str(path[0])
            if head == "fields" and len(path) > 1:
                rest.get(head, {}).pop(str(path[1]), None)
            elif head not in ("marketing", "crm", "match"):
                rest.pop(head, None)
    try:
        return MappingFile.model_validate(rest), found
    except pydantic.ValidationError:
        return None, found


def _broken_fields(document: Document, shape: MappingFile) -> frozenset[str]:
    declared = document.data.get("fields")
    return frozenset(declared) - shape.fields.keys() if isinstance(declared, dict) else frozenset()


class _Compiler:
    """One file's compilation: what is known so far, and what is wrong."""

    def __init__(
        self,
        document: Document,
        shape: MappingFile,
        funnel: Funnel | None,
        broken: frozenset[str],
        others: frozenset[str],
    ) -> None:
        self.document, self.shape, self.funnel, self.broken, self.others = document, shape, funnel, broken, others
        self.problems: list[Problem] = []
        self.ends: dict[Side, End] = {"marketing": _end("marketing", shape.marketing), "crm": _end("crm", shape.crm)}
        self.kinds: dict[str, expr.Kind] = {}

    def mapping(self, text: str) -> Mapping | None:
        shape = self.shape
        self._check_ends()
        fields = self._fields()
        self._check_match({field.name: field for field in fields})
        language = expr.Language({**self.kinds, QUALIFIED: "truth"})
        gates = {
            (table, side): self._gate(language, (table, side), getattr(getattr(shape, table), side))
            for table in ("scope", "create", "update")
            for side in SIDES
        }
        promote = self._gate(language, ("promote", "crm"), shape.promote.crm)
        bare = expr.Language(self.kinds)
        fields = [self._with_defaults(field, bare) for field in fields]
        self._prove(fields)
        rollups, found = compile_rollups(
            self.document, shape.rollups, fields, lambda path, text: self._gate(language, path, text)
        )
        self.problems += found
        made = Mapping(
            name=shape.mapping,
            digest=hashlib.sha256(text.encode()).hexdigest(),
            file=self.document.file,
            text=text,
            kind="mapping",
            marketing=self.ends["marketing"],
            crm=self.ends["crm"],
            match=tuple(Rule((by,) if isinstance(by, str) else tuple(by)) for by in shape.match.by),
            several=shape.match.several,
            scope={side: gates["scope", side] for side in SIDES},
            left=shape.scope.left,
            create={side: gates["create", side] for side in SIDES},
            update={side: gates["update", side] for side in SIDES},
            gone={"marketing": shape.gone.marketing, "crm": shape.gone.crm},
            fields=tuple(fields),
            promotion=self._promotion(promote),
            rollups=rollups,
        )
        self.problems += check_together([made])
        return made

    def _promotion(self, gate: Gate | None) -> Promotion | None:
        """None also where the funnel has no stages of sales, or is about other people: nobody is promoted then."""
        funnel = self.funnel
        if gate is None or funnel is None or funnel.about.mapping != self.shape.mapping:
            return None
        stages = frozenset(stage.name for stage in funnel.stages if stage.owner == "sales")
        return Promotion(funnel.about.stage, stages, gate) if stages else None

    def _say(self, path: Path, what: str, mend: str = "", *, key: bool = False) -> None:
        self.problems.append(self.document.problem(path, what, mend, key=key))

    def _check_ends(self) -> None:
        marketing, crm = self.ends["marketing"], self.ends["crm"]
        if marketing.system == crm.system and set(marketing.forms) & set(crm.forms):
            self._say(("crm",), "both sides are the same object of the same system", "a mapping pairs two objects")
        for side in SIDES:
            if len(set(self.ends[side].forms)) < len(self.ends[side].forms):
                self._say((side, "becomes"), "a record becomes another object than it is", "remove 'becomes'")

    # ------------------------------------------------------------ fields

    def _fields(self) -> list[Field]:
        fields = []
        for name, part in self.shape.fields.items():
            if name in expr.RESERVED or name == QUALIFIED:
                self._say(
                    ("fields", name), f"'{name}' has a meaning of its own in expressions", "rename the field", key=True
                )
            maker = FieldMaker(self.document, name, part, self.ends, self.others)
            if (field := maker.make()) is not None:
                fields.append(field)
            if (kind := CEL_KINDS.get(maker.type)) is not None:
                self.kinds[name] = kind
            self.problems += maker.problems
        self.kinds |= {name: "any" for name in self.broken if name.isidentifier() and name not in expr.RESERVED}
        return fields

    def _check_match(self, fields: dict[str, Field]) -> None:
        seen: set[frozenset[str]] = set()
        for index, rule in enumerate(self.shape.match.by):
            path: Path = ("match", "by", index)
            names = [rule] if isinstance(rule, str) else rule
            if len(set(names)) < len(names) or frozenset(names) in seen:
                self._say(path, f"{' and '.join(names)}: this says the same twice", "remove one of them")
            seen.add(frozenset(names))
            for at, name in enumerate(names):
                place = path if isinstance(rule, str) else (*path, at)
                if name in fields:
                    # A look-up is made by the first field of a rule; the others are compared.
                    self._check_matched(place, fields[name], looked_up=at == 0)
                elif name not in self.shape.fields and name not in self.broken:
                    mend = did_you_mean(name, self.shape.fields) or "declare it under [fields]"
                    self._say(place, f"there is no field '{name}'", mend)

    def _check_matched(self, path: Path, field: Field, *, looked_up: bool) -> None:
        name = field.name
        several = field.type == "choices" or (field.reference is not None and field.reference.many)
        # Where nobody is created nobody is looked up, and words of a value map compare exactly.
        creates = self.shape.create.marketing is not None or self.shape.create.crm is not None
        exact = (*_MATCHABLE, "reference", *([] if creates else ["choice"]))
        if several or (looked_up and field.type not in exact):
            said = f"records cannot be matched by '{name}': a look-up is exact, and a {field.type} has several forms"
            self._say(path, said, f"match by a field of type {', '.join(_MATCHABLE)}")
        for side in SIDES:
            missing = [form for form in self.ends[side].forms if field.asked(side, form) is None]
            if missing:
                said = f"'{name}' has no attribute on {', '.join(missing)}, so a match there would be missed"
                self._say(path, said, f"name it in [fields.{name}]")

    def _prove(self, fields: list[Field]) -> None:
        """Every field settles. Fields that treat values alike are tried once."""
        alike: dict[str, Counterexample | None] = {}
        for field in fields:
            part = self.shape.fields[field.name]
            key = f"{field.type} {part.model_dump_json(exclude={'marketing', 'crm', 'clash', 'meet', 'blank', 'on_create'})}"
            if key not in alike:
                alike[key] = prove(field)
            if (counterexample := alike[key]) is not None:
                self._say(("fields", field.name), counterexample.what, counterexample.mend, key=True)

    def _with_defaults(self, field: Field, language: expr.Language) -> Field:
        given = self.shape.fields[field.name].on_create
        texts = {"marketing": given.marketing, "crm": given.crm} if isinstance(given, SidesPart) else {}
        if isinstance(given, str):
            texts = {side: given for side in SIDES if field.writable(side)}
        defaults: dict[Side, Default] = {}
        for side in SIDES:
            if (text := texts.get(side)) is None:
                continue
            path = ("fields", field.name, "on_create", *([side] if isinstance(given, SidesPart) else []))
            if not field.writable(side):
                self._say(
                    path, f"the field never writes {side}, so it has nothing to create with there", "change 'flow'"
                )
            elif (default := self._default(language, field, path, text)) is not None:
                defaults[side] = default
        return dataclasses.replace(field, defaults=defaults) if defaults else field

    def _default(self, language: expr.Language, field: Field, path: Path, text: str) -> Default | None:
        kind = CEL_KINDS.get(field.type, "text")
        compiled, flaws = language.compile(text, ("text",) if kind == "moment" else (kind,))
        if compiled is None:
            for flaw in flaws:
                mend = flaw.mend
                if "no field" in flaw.what and '"' not in text:
                    mend = f"text stands in quotes inside the quotes: on_create = '\"{text}\"'"
                self._flaw(path, expr.Flaw(flaw.line, flaw.column, flaw.what, mend))
            return None
        if not compiled.names:
            value = compiled.value({})
            meant = field.canonical("marketing", value)
            if field.type != "owner" and (meant is None or isinstance(meant, (Unmapped, Bad))):
                why = (
                    meant.why
                    if isinstance(meant, Bad)
                    else "it is blank"
                    if meant is None
                    else "'values' does not list it"
                )
                self._say(path, f"this default is not a value of the field: {why}")
                return None
        line, column = self.document.where(path)
        return Default(text, f"{self.document.file}:{line}:{column}", compiled.value)

    # ------------------------------------------------------------ gates

    def _flaw(self, path: Path, flaw: expr.Flaw) -> None:
        line, column = self.document.inside(path, flaw.line, flaw.column)
        self.problems.append(Problem(self.document.file, line, column, flaw.what, flaw.mend))

    def _gate(self, language: expr.Language, path: Path, text: str | None) -> Gate | None:
        if text is None:
            return None
        compiled, flaws = language.compile(text)
        for flaw in flaws:
            self._flaw(path, flaw)
        if compiled is None:
            return None
        definitions: dict[str, Rules] = {}
        if QUALIFIED in compiled.names:
            qualified = self._qualified(path)
            if qualified is None:
                return None
            definitions[QUALIFIED] = qualified
        names = compiled.names - {QUALIFIED} | {name for gate in definitions.values() for name in gate.names}
        line, column = self.document.where(path)
        return Gate(text, f"{self.document.file}:{line}:{column}", names, compiled, definitions)

    def _qualified(self, path: Path) -> Qualification | None:
        """The funnel's definition, checked against the types of this mapping's fields."""
        if self.funnel is None:
            said = "'qualified' is the funnel's definition, and there is no usable funnel.toml"
            self._say(path, said, "write mappings/funnel.toml, or the rule itself here")
            return None
        made, found = qualified_for(self.funnel, self.kinds, self.document.file)
        self.problems += found
        return made


def _end(side: Side, part: EndPart) -> End:
    return End(side, part.system, part.object, (part.object, *([part.becomes] if part.becomes else [])))
