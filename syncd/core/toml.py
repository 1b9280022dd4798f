"""TOML with places: what a file says, and the line and column where it says so.

Promise: whatever is wrong in a file is reported with its place and in plain words, everything at once, and no value
of the file is repeated (a value may be a secret). It does not know what the files are for.

`tomllib` reads the values; `tree-sitter-toml` reads the same text for the places, because tomllib keeps none.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pydantic
import tree_sitter
import tree_sitter_toml

from syncd.core.patterns import PATTERNS
from syncd.core.problem import Problem

MAX_FILE_CHARS: Final = 1_000_000
"""Longest file that is read."""
MAX_DEPTH: Final = 32
"""How deep tables and lists may stand in each other."""
MOST_ERRORS: Final = 1_000
"""What a model found wrong, reported at once."""

Path = tuple[str | int, ...]
_SURROGATE = re.compile("[\ud800-\udfff]")
_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True)
class Spot:
    """Where one entry stands: its key, its value, and the first character inside the quotes if it is text."""

    key: tuple[int, int]
    value: tuple[int, int]
    inside: tuple[int, int]


@dataclass(frozen=True)
class Document:
    """A parsed TOML file that knows where everything stands. Lines and columns count from 1, in characters."""

    file: str
    data: dict[str, Any]
    spots: Mapping[Path, Spot] = field(default_factory=dict, repr=False)

    def _spot(self, path: Path) -> Spot | None:
        for end in range(len(path), 0, -1):
            if (spot := self.spots.get(path[:end])) is not None:
                return spot
        return None

    def where(self, path: Path) -> tuple[int, int]:
        """Line and column of the value, or of the nearest table that holds it; (0, 0) for the whole file."""
        spot = self._spot(path)
        return spot.value if spot else (0, 0)

    def where_key(self, path: Path) -> tuple[int, int]:
        """Line and column of the key."""
        spot = self._spot(path)
        return spot.key if spot else (0, 0)

    def inside(self, path: Path, line: int, column: int) -> tuple[int, int]:
        """Line and column in the file of a place *within* a text value (an error in an expression, say).

        Exact for literal strings (`'…'`); an escape before the place in a `"…"` string moves it by the escape.
        """
        spot = self._spot(path)
        if spot is None:
            return (0, 0)
        first_line, first_column = spot.inside
        return (first_line, first_column + column - 1) if line <= 1 else (first_line + line - 1, column)

    def problem(self, path: Path, what: str, mend: str = "", *, key: bool = False) -> Problem:
        """A Problem that points at `path`, or at its key."""
        return Problem(self.file, *(self.where_key(path) if key else self.where(path)), what, mend)


# ---------------------------------------------------------------- reading


def parse(text: str, file: str) -> tuple[Document | None, list[Problem]]:
    """Reads TOML. Never raises: what cannot be read comes back as problems with places."""
    text = text.removeprefix("\ufeff")
    if len(text) > MAX_FILE_CHARS:
        return None, [Problem(file, 0, 0, f"the file is longer than {MAX_FILE_CHARS:,} characters")]
    if half := _SURROGATE.search(text):  # no file holds one, but a text of another origin may
        return None, [Problem(file, *_place(text, half.start()), "half a character stands here", "save it as UTF-8")]
    try:
        walk = _Walk(text)
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return None, [_syntax(error, walk, text, file)]
    except _TooDeep as error:
        return None, [Problem(file, *error.place, f"tables or lists are nested more than {MAX_DEPTH} deep")]
    except RecursionError:
        return None, [Problem(file, 0, 0, "tables or lists are nested too deeply")]
    except ValueError:  # of an integer with thousands of digits, which tomllib passes through
        at = max((len(found[0]), -found.start()) for found in re.finditer(r"[0-9_]+", text))[1]
        return None, [Problem(file, *_place(text, -at), "this number has too many digits")]
    return Document(file, data, walk.spots), []


def _place(text: str, at: int) -> tuple[int, int]:
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _syntax(error: tomllib.TOMLDecodeError, walk: _Walk, text: str, file: str) -> Problem:
    message = str(error)
    found = _AT.search(message)
    said = _AT.sub("", message)
    if walk.repeated and re.match(r"Cannot (overwrite|declare|mutate|redefine)", said):
        name, (line, column), (first, _) = walk.repeated[0]
        return Problem(file, line, column, f"'{name}' stands here a second time", f"the first is in line {first}")
    if found is not None and found[1] is not None:
        line, column = int(found[1]), int(found[2])
    else:
        line = text.rstrip().count("\n") + 1
        column = len(text.rstrip().rsplit("\n", 1)[-1]) + 1
    mend = "text stands in quotes, truth is true or false" if said.startswith("Invalid value") else ""
    return Problem(file, line, column, f"this is not TOML: {said[:1].lower()}{said[1:]}", mend)


class _TooDeep(Exception):
    """Nested beyond `MAX_DEPTH`, at `place`."""

    def __init__(self, place: tuple[int, int]) -> None:
        super().__init__("nested too deeply")
        self.place = place


class _Walk:
    """One pass over the syntax tree: places by path, and names that stand twice."""

    def __init__(self, text: str) -> None:
        self.spots: dict[Path, Spot] = {}
        self.repeated: list[tuple[str, tuple[int, int], tuple[int, int]]] = []
        self._source = text.encode("utf-8", "replace")
        self._lines = self._source.split(b"\n")
        self._arrays: dict[Path, int] = {}
        self._implied: dict[Path, Spot] = {}
        parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_toml.language()))
        for node in parser.parse(self._source).root_node.children:
            if node.type == "pair":
                self._pair((), node)
            elif node.type in ("table", "table_array_element"):
                self._table(node)
        self.spots = self._implied | self.spots

    def _place(self, point: tree_sitter.Point) -> tuple[int, int]:
        line, before = self._lines[point.row], point.column  # in bytes
        if not line.isascii():
            before = len(line[:before].decode("utf-8", "replace"))
        return point.row + 1, before + 1

    def _table(self, node: tree_sitter.Node) -> None:
        heads = [child for child in node.named_children if child.type.endswith("_key")]
        if not heads:
            return
        keys = list(self._keys(heads[0]))
        place = self._place(heads[0].start_point)
        if len(keys) > MAX_DEPTH:
            raise _TooDeep(place)
        path = (*self._resolve(keys[:-1]), keys[-1])
        if node.type == "table_array_element":
            index = self._arrays.get(path, 0)
            self._arrays[path] = index + 1
            self.spots.setdefault(path, Spot(place, place, place))
            path = (*path, index)
            self.spots[path] = Spot(place, place, place)
        else:
            self._keep(path, Spot(place, place, place))
        for child in node.named_children:
            if child.type == "pair":
                self._pair(path, child)

    def _resolve(self, keys: Iterable[str]) -> Path:
        path: Path = ()
        for key in keys:
            path = (*path, key)
            if path in self._arrays:
                path = (*path, self._arrays[path] - 1)
        return path

    def _pair(self, path: Path, node: tree_sitter.Node) -> None:
        children = [child for child in node.named_children if child.type != "comment"]
        if len(children) < 2:
            return
        key, value = children[0], children[-1]
        self._value((*path, *self._keys(key)), value, self._place(key.start_point))

    def _value(self, path: Path, node: tree_sitter.Node, key: tuple[int, int]) -> None:
        place = self._place(node.start_point)
        self._keep(path, Spot(key, place, self._inside(node) if node.type == "string" else place))
        if node.type == "inline_table":
            for child in node.named_children:
                if child.type == "pair":
                    self._pair(path, child)
        elif node.type == "array":
            elements = [child for child in node.named_children if child.type != "comment"]
            for index, child in enumerate(elements):
                self._value((*path, index), child, self._place(child.start_point))

    def _inside(self, node: tree_sitter.Node) -> tuple[int, int]:
        line, column = self._place(node.start_point)
        text = (node.text or b"").decode("utf-8", "replace")
        if text[:3] in ('"""', "'''"):
            return (line + 1, 1) if text[3:4] in ("\n", "\r") else (line, column + 3)
        return line, column + 1

    def _keep(self, path: Path, spot: Spot) -> None:
        if len(path) > MAX_DEPTH:
            raise _TooDeep(spot.key)
        if path in self.spots:
            self.repeated.append((".".join(map(str, path)), spot.key, self.spots[path].key))
        else:
            self.spots[path] = spot
            for end in range(1, len(path)):  # `[fields.email]` is also where `fields` begins
                self._implied.setdefault(path[:end], Spot(spot.key, spot.key, spot.key))

    def _keys(self, node: tree_sitter.Node) -> Iterator[str]:
        text = (node.text or b"").decode("utf-8", "replace")
        if node.type == "dotted_key":
            for child in node.named_children:
                yield from self._keys(child)
        elif node.type == "quoted_key":
            try:
                yield from tomllib.loads(f"{text} = 0")
            except tomllib.TOMLDecodeError:
                yield text
        else:
            yield text


# ---------------------------------------------------------------- what a model found wrong


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """ "did you mean 'x'?", or the empty text when nothing is near."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else ""


def problems(
    error: pydantic.ValidationError, document: Document, file: str, model: type[pydantic.BaseModel] | None = None
) -> list[Problem]:
    """Every error of a pydantic model as a Problem in file order. With `model`, unknown keys get a suggestion."""
    found: dict[Path, list[Problem]] = {}
    alternatives: set[Path] = set()
    for detail in error.errors(include_url=False, include_input=True)[:MOST_ERRORS]:
        path = _path(detail["loc"], document.data)
        if detail["type"] == "missing":
            path = (*path, str(detail["loc"][-1]))
        if len(detail["loc"]) > len(path):
            alternatives.add(path)
        found.setdefault(path, []).append(_plain(detail, path, document, file, model))
    # A value that fits no alternative is reported once per alternative: keep what is said deepest in the file.
    kept = [
        _joined(several)
        for path, several in found.items()
        if path not in alternatives or not any(deeper[: len(path)] == path != deeper for deeper in found)
    ]
    return sorted(kept, key=lambda problem: (problem.line, problem.column))


def _joined(several: list[Problem]) -> Problem:
    first = several[0]
    said = list(dict.fromkeys(problem.what for problem in several))
    rest = [what[what.index("must") :] if "must" in what else what for what in said[1:]]
    return Problem(first.file, first.line, first.column, " or ".join([said[0], *rest]), first.mend)


def _path(loc: tuple[int | str, ...], data: Any) -> Path:
    """The part of pydantic's location that stands in the file (it also names union branches and missing keys)."""
    path: Path = ()
    for step in loc:
        in_table = isinstance(data, dict) and step in data
        in_list = isinstance(data, list) and isinstance(step, int) and step < len(data)
        if in_table or in_list:
            data = data[step]
            path = (*path, step)
    return path


_PLAIN: Final = {
    "string_type": ("must be text", "put it in quotes"),
    "int_type": ("must be a whole number", "without quotes"),
    "int_from_float": ("must be a whole number", ""),
    "int_parsing": ("must be a whole number", ""),
    "float_type": ("must be a number", "without quotes"),
    "bool_type": ("must be true or false", "without quotes"),
    "dict_type": ("must be a table", "write { key = value }"),
    "model_type": ("must be a table", "write { key = value }"),
    "model_attributes_type": ("must be a table", "write { key = value }"),
    "list_type": ("must be a list", 'write ["a", "b"]'),
    "too_short": ("must not be empty", ""),
    "string_too_short": ("must not be empty", ""),
}


def _plain(detail: Any, path: Path, document: Document, file: str, model: type[pydantic.BaseModel] | None) -> Problem:
    kind, context = detail["type"], detail.get("ctx", {})
    name = f"'{path[-1]}'" if path and isinstance(path[-1], str) else "this"
    if kind == "missing":
        line, column = document.where_key(path[:-1])
        inside = f" in [{'.'.join(map(str, path[:-1]))}]" if path[:-1] else ""
        return Problem(file, line or 1, column or 1, f"{name} is missing{inside}", f"add: {path[-1]} = …")
    if kind == "extra_forbidden":
        known = sorted(_keys_of(model, path[:-1])) if model else []
        mend = did_you_mean(str(path[-1]), known) or (f"known here: {', '.join(known)}" if known else "remove it")
        return document.problem(path, f"{name} is not a key that is known here", mend, key=True)
    if kind == "literal_error":
        choices = re.findall(r"'([^']*)'", context["expected"])
        given = detail.get("input")
        mend = did_you_mean(given, choices) if isinstance(given, str) else "put it in quotes"
        return document.problem(path, f"{name} must be one of: {', '.join(choices) or context['expected']}", mend)
    if kind in _PLAIN:
        what, mend = _PLAIN[kind]
        return document.problem(path, f"{name} {what}", mend)
    if kind == "string_pattern_mismatch" and (said := PATTERNS.get(context["pattern"])):
        return document.problem(path, f"{name} {said[0]}", said[1])
    message = str(detail["msg"])
    if kind in ("value_error", "assertion_error"):
        message = message.partition(", ")[2]
    elif message.startswith(("Input should", "String should", "List should", "Dictionary should")):
        message = f"{name} {message.partition(' ')[2]}"
    return document.problem(path, message, str(context.get("mend", "")))


def _keys_of(model: Any, path: Path) -> set[str]:
    """The keys that a model takes at `path`, whatever optional, union, list or dict wraps it."""
    models = _models_in(model)
    for step in path:
        if isinstance(step, int):
            continue
        after: list[type[pydantic.BaseModel]] = []
        for candidate in models:
            by_key = {info.alias or name: info for name, info in candidate.model_fields.items()}
            if step in by_key:
                after += _models_in(by_key[step].annotation)
        # A step that no model names is a key of a free table (`fields.email`): stay.
        models = after or models
    return {info.alias or name for candidate in models for name, info in candidate.model_fields.items()}


def _models_in(annotation: Any) -> list[type[pydantic.BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in _models_in(part)]
