"""The rules of the layout, checked on the source itself. Every rule is first shown to bite on a planted violation.

Rules: docs of the design, "Layout" and "Conventions". A rule is a function from modules to complaints.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("syncd", "connectors", "bench")

MOST_LINES = 450
ALLOWED_LONGER: frozenset[str] = frozenset()
"""Modules that may be longer, for now. Kept empty: if it does not fit, a noun is missing."""


@dataclass(frozen=True)
class Import:
    """One imported module or name, with its line. `for_types`: only a type checker sees it."""

    target: str
    line: int
    for_types: bool


@dataclass(frozen=True)
class Module:
    """One source file under its import name."""

    name: str
    text: str
    is_package: bool = False

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def imports(self) -> list[Import]:
        for_types = {
            id(inner)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
            for statement in node.body
            for inner in ast.walk(statement)
        }
        return [
            Import(target, node.lineno, id(node) in for_types)
            for node in ast.walk(self.tree)
            for target in self._targets(node)
        ]

    def _targets(self, node: ast.AST) -> Iterator[str]:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = self.name.split(".")
                up = node.level - 1 if self.is_package else node.level
                base = ".".join([*parents[: len(parents) - up], *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            yield from (part.value for part in node.args[:1] if isinstance(part, ast.Constant))


def under(name: str, *packages: str) -> bool:
    """Whether a dotted name is one of the packages or inside one."""
    return any(name == package or name.startswith(package + ".") for package in packages)


def ours(name: str) -> bool:
    return under(name, "syncd", "connectors")


Rule = Callable[[list[Module]], list[str]]
Planted = tuple[str, str]
"""(module name, source) that breaks the rule."""


# ---------------------------------------------------------------- who may import whom

MAY_IMPORT: Mapping[str, tuple[str, ...]] = {
    "syncd.core": ("syncd.core",),
    "syncd.errors": ("syncd.core.problem",),
    "syncd.connector": ("syncd.errors", "syncd.core.problem"),
    "syncd.ledger": ("syncd.ledger", "syncd.core", "syncd.connector", "syncd.errors"),
    "syncd.http": (
        *("syncd.auth", "syncd.budget", "syncd.pace", "syncd.trail", "syncd.transport", "syncd.verdict", "syncd.wire"),
        *("syncd.connector", "syncd.errors"),
    ),
    "syncd.sandbox": ("syncd.sandbox", "syncd.errors"),
    "syncd.contract": ("syncd.contract", "syncd.connector", "syncd.errors", "syncd.http", "syncd.sandbox"),
    "syncd.notify": (),
    "syncd.progress": (),
    "syncd.units": (),
    "syncd.secrets": ("syncd.core.problem", "syncd.errors"),
    "syncd.events": ("syncd.core.problem", "syncd.errors", "syncd.secrets"),
    "syncd.settings": (
        *("syncd.core.toml", "syncd.core.problem", "syncd.errors", "syncd.connector"),
        *(
            "syncd.access",
            "syncd.account",
            "syncd.pace",
            "syncd.receivers",
            "syncd.secrets",
            "syncd.table",
            "syncd.units",
        ),
    ),
    "syncd.table": ("syncd.units",),
    "syncd.access": ("syncd.table", "syncd.units"),
    "syncd.account": ("syncd.pace", "syncd.table", "syncd.units"),
    "syncd.receivers": ("syncd.table", "syncd.units"),
}
"""What each part may import of ours. A part that is not named is the shell: see `layers`."""

TOP = ("syncd.cli", "syncd.web", "syncd.daemon", "syncd.demo")
"""Nothing below imports these; of them, only the command line imports the others."""


def parts(modules: list[Module]) -> list[str]:
    """Each part imports only what the table allows it. An import for types alone makes no dependency, except in core."""
    return [
        f"{module.name}:{found.line} imports {found.target}"
        for module in modules
        for part, allowed in MAY_IMPORT.items()
        if under(module.name, part)
        for found in module.imports
        if under(found.target, "syncd") and (not found.for_types or part == "syncd.core")
        if not under(found.target, "syncd.__version__", *allowed)
    ]


def layers(modules: list[Module]) -> list[str]:
    """Commands, pages and the daemon stand on the engine, never the other way round."""
    return [
        f"{module.name}:{found.line} imports {found.target}"
        for module in modules
        if under(module.name, "syncd") and not under(module.name, "syncd.cli")
        for found in module.imports
        for top in TOP
        if under(found.target, top) and not under(module.name, top)
    ]


def engine_names_no_connector(modules: list[Module]) -> list[str]:
    """A connector is any importable module that syncd.toml names."""
    return [
        f"{module.name}:{found.line} imports {found.target}"
        for module in modules
        if under(module.name, "syncd")
        for found in module.imports
        if under(found.target, "connectors")
    ]


def connectors_know_only_the_interface(modules: list[Module]) -> list[str]:
    """Of ours, a connector sees the interface, the errors and the client; its sandbox sees the chassis; no other
    connector, and the connector never its own sandbox."""
    complaints = []
    for module in modules:
        if not under(module.name, "connectors") or module.name == "connectors":
            continue
        own = ".".join(module.name.split(".")[:2])
        sandbox = module.name.startswith(f"{own}.sandbox")
        allowed = [own, "syncd.connector", "syncd.errors", "syncd.http", *(["syncd.sandbox"] if sandbox else [])]
        for found in module.imports:
            if ours(found.target) and not under(found.target, *allowed):
                complaints.append(f"{module.name}:{found.line} imports {found.target}")
            elif not sandbox and found.target.startswith(f"{own}.sandbox"):
                complaints.append(f"{module.name}:{found.line} imports its own sandbox")
    return complaints


def only_the_ledger_speaks_sql(modules: list[Module]) -> list[str]:
    """One package knows how facts are kept."""
    return [
        f"{module.name}:{found.line} imports {found.target}"
        for module in modules
        if under(module.name, "syncd", "connectors") and not under(module.name, "syncd.ledger")
        for found in module.imports
        if under(found.target, "sqlite3", "sqlite_utils", "apsw", "sqlalchemy")
    ]


# ---------------------------------------------------------------- purity

IMPURE = (
    *("time", "random", "secrets", "uuid", "os", "io", "sys", "pathlib", "shutil", "tempfile", "glob", "subprocess"),
    *(
        "socket",
        "ssl",
        "http",
        "urllib.request",
        "requests",
        "httpx",
        "sqlite3",
        "sqlite_utils",
        "asyncio",
        "threading",
    ),
    *("multiprocessing", "concurrent", "signal", "logging", "structlog", "rich", "typer", "getpass", "locale"),
)
IMPURE_CALLS = re.compile(
    r"^((datetime\.)?(datetime|date)\.(now|utcnow|today|fromtimestamp)|open|input|print|breakpoint|(\w+\.)?import_module"
    r"|__import__|exec|eval|.*\.(read_text|write_text|read_bytes|write_bytes))$"
)


def core_is_pure(modules: list[Module]) -> list[str]:
    """Decisions see no clock, no chance, no disk, no network: everything is gathered before they are asked for."""
    complaints = []
    for module in modules:
        if not under(module.name, "syncd.core"):
            continue
        complaints += [
            f"{module.name}:{found.line} imports {found.target}"
            for found in module.imports
            if under(found.target, *IMPURE)
        ]
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and IMPURE_CALLS.match(called := ast.unparse(node.func)):
                # datetime.fromtimestamp(x, UTC) is arithmetic; without a zone it reads this machine's.
                if called.endswith("fromtimestamp") and (len(node.args) > 1 or node.keywords):
                    continue
                complaints.append(f"{module.name}:{node.lineno} calls {called}")
    return complaints


def no_global_state(modules: list[Module]) -> list[str]:
    """State belongs to a value that somebody holds."""
    return [
        f"{module.name}:{node.lineno} has a global {', '.join(node.names)}"
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Global)
    ]


# ---------------------------------------------------------------- shape and names

VAGUE = {"util", "utils", "helper", "helpers", "manager", "managers", "common", "misc"}


def words(name: str) -> set[str]:
    """`HttpManager`, `http_manager` -> {"http", "manager"}"""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)}


def no_vague_names(modules: list[Module]) -> list[str]:
    """A name that fits everything says nothing. `common` is allowed where it is an adjective: in functions."""
    complaints = []
    for module in modules:
        if words(module.name.replace(".", "_")) & VAGUE:
            complaints.append(f"{module.name} is a vague name")
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef) and words(node.name) & VAGUE:
                complaints.append(f"{module.name}:{node.lineno} class {node.name}")
            elif isinstance(node, ast.FunctionDef) and words(node.name) & (VAGUE - {"common"}):
                complaints.append(f"{module.name}:{node.lineno} def {node.name}")
    return complaints


def files_have_a_size(modules: list[Module]) -> list[str]:
    """Size is a smell: split by noun."""
    return [
        f"{module.name} has {count} lines"
        for module in modules
        if module.name not in ALLOWED_LONGER and (count := module.text.count("\n")) > MOST_LINES
    ]


def modules_say_what_they_are(modules: list[Module]) -> list[str]:
    """The first thing in a file is a sentence for its reader."""
    return [module.name for module in modules if module.text.strip() and not ast.get_docstring(module.tree)]


RULES: list[tuple[Rule, list[Planted], list[Planted]]] = [
    (
        parts,
        [
            ("syncd.core.merge", "from syncd.errors import Fault"),
            ("syncd.core.merge", "from syncd import errors"),
            ("syncd.core.merge", "from .. import ledger"),
            ("syncd.core.merge", "def f():\n    import syncd.http"),
            ("syncd.core.merge", "if TYPE_CHECKING:\n    from syncd.ledger import Ledger"),
            ("syncd.ledger.facts", "from syncd.cycle import Cycle"),
            ("syncd.ledger.facts", "from syncd import settings"),
            ("syncd.sandbox.chassis", "from syncd.ledger import Ledger"),
            ("syncd.units", "from syncd.settings import load"),
            ("syncd.settings", "importlib.import_module('syncd.ledger')"),
        ],
        [
            ("syncd.core.merge", "from syncd.core.model import Link\nfrom syncd.core import toml\nimport re"),
            ("syncd.connector", "if TYPE_CHECKING:\n    from syncd.http import Http"),
            ("syncd.settings", "from syncd.core import toml"),
            ("syncd.cycle", "from syncd.ledger import Ledger"),
            ("syncd.corella", "import syncd.errors"),
        ],
    ),
    (
        layers,
        [("syncd.poll", "from syncd.cli import main"), ("syncd.cycle", "from syncd import daemon")],
        [("syncd.cli.run", "from syncd.daemon import Daemon"), ("syncd.daemon", "from syncd.cycle import Cycle")],
    ),
    (
        engine_names_no_connector,
        [
            ("syncd.demo", "import connectors.hubspot"),
            ("syncd.cli.sandbox", "from importlib import import_module\nimport_module('connectors.hubspot')"),
        ],
        [("syncd.settings", "importlib.import_module(name)"), ("connectors.a.b", "from connectors.a import c")],
    ),
    (
        connectors_know_only_the_interface,
        [
            ("connectors.hubspot.feed", "from syncd.ledger import Ledger"),
            ("connectors.hubspot.feed", "from syncd.core.problem import Problem"),
            ("connectors.hubspot.feed", "from connectors.salesforce import soql"),
            ("connectors.hubspot.feed", "from syncd.sandbox.clock import Clock"),
            ("connectors.hubspot.feed", "from connectors.hubspot.sandbox.portal import Portal"),
            ("connectors.hubspot.sandbox.portal", "from syncd.settings import Settings"),
        ],
        [
            ("connectors.hubspot.feed", "from syncd.connector import Page\nfrom connectors.hubspot.values import text"),
            ("connectors.hubspot.sandbox.portal", "from syncd.sandbox.clock import Clock"),
        ],
    ),
    (
        only_the_ledger_speaks_sql,
        [("syncd.backfill", "import sqlite3"), ("syncd.cycle", "from sqlite_utils import Database")],
        [("syncd.ledger.store", "import sqlite3")],
    ),
    (
        core_is_pure,
        [
            ("syncd.core.plan", "import time"),
            ("syncd.core.plan", "from random import choice"),
            ("syncd.core.plan", "def f():\n    import os.path"),
            ("syncd.core.plan", "from datetime import datetime\nx = datetime.now()"),
            ("syncd.core.plan", "import datetime\nx = datetime.date.today()"),
            ("syncd.core.plan", "from datetime import datetime\nx = datetime.fromtimestamp(5)"),
            ("syncd.core.plan", "def f(p):\n    return open(p)"),
            ("syncd.core.plan", "def f(p):\n    return p.read_text()"),
            ("syncd.core.plan", "print(1)"),
        ],
        [
            ("syncd.core.plan", "from datetime import UTC, datetime\nx = datetime.fromtimestamp(5, UTC)"),
            ("syncd.core.plan", "import re, math, timeit_like\nfrom urllib.parse import quote"),
            ("syncd.poll", "import time"),
        ],
    ),
    (no_global_state, [("syncd.poll", "def f():\n    global seen\n    seen = 1")], [("syncd.poll", "LIMIT = 5")]),
    (
        no_vague_names,
        [
            ("syncd.http_utils", ""),
            ("syncd.common.x", ""),
            ("syncd.poll", "class LinkManager: ..."),
            ("syncd.poll", "def date_helper(): ..."),
        ],
        [("syncd.poll", "def longest_common_prefix(): ...\nclass Commonwealth: ...\nclass Utility: ...")],
    ),
    (files_have_a_size, [("syncd.poll", "x = 1\n" * (MOST_LINES + 1))], [("syncd.poll", "x = 1\n" * MOST_LINES)]),
    (modules_say_what_they_are, [("syncd.poll", "import re")], [("syncd.poll", '"""Polls."""'), ("syncd.x", "")]),
]


@pytest.fixture(scope="module")
def project() -> list[Module]:
    """Every module of the project."""
    modules = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            steps = path.relative_to(ROOT).with_suffix("").parts
            is_package = steps[-1] == "__init__"
            modules.append(Module(".".join(steps[:-1] if is_package else steps), path.read_text(), is_package))
    assert len(modules) > 30
    return modules


@pytest.mark.parametrize(("rule", "planted", "fine"), RULES, ids=[rule[0].__name__ for rule in RULES])
def test_the_project_keeps_the_rule(
    rule: Rule, planted: list[Planted], fine: list[Planted], project: list[Module]
) -> None:
    """The rule says nothing about the project, bites on each planted violation, and leaves what is allowed alone."""
    for name, text in planted:
        assert rule([Module(name, text)]), f"{rule.__name__} does not see {name}: {text!r}"
    for name, text in fine:
        assert rule([Module(name, text)]) == [], f"{rule.__name__} is too strict on {name}: {text!r}"
    assert rule(project) == [], rule.__doc__


# ---------------------------------------------------------------- dependencies

IMPORTED_AS: Mapping[str, str] = {
    "cel-expr-python": "cel_expr_python",
    "phonenumberslite": "phonenumbers",
    "pyjwt": "jwt",
    "sqlite-utils": "sqlite_utils",
    "tree-sitter": "tree_sitter",
    "tree-sitter-toml": "tree_sitter_toml",
}
"""Where a package is imported under another name than its own."""


def unearned(declared: set[str], modules: list[Module]) -> list[str]:
    """Each dependency is used, and what is used is declared: nothing by way of somebody else's dependencies."""
    wanted = {IMPORTED_AS.get(name, name) for name in declared}
    used = {
        found.target.split(".")[0]: f"{module.name}:{found.line}"
        for module in modules
        if under(module.name, "syncd", "connectors")
        for found in module.imports
        if not ours(found.target) and found.target.split(".")[0] not in sys.stdlib_module_names
    }
    return [
        *(f"{name} is declared and never imported" for name in sorted(wanted - used.keys())),
        *(f"{used[name]} imports {name}, which is not declared" for name in sorted(used.keys() - wanted)),
    ]


def test_every_dependency_earns_its_line_and_has_one(project: list[Module]) -> None:
    """Each package is a promise to follow its releases and its flaws."""
    source = [Module("syncd.poll", "import requests, json\nfrom urllib3.util import Retry")]
    assert unearned({"requests"}, source) == ["syncd.poll:2 imports urllib3, which is not declared"]
    assert unearned({"requests", "urllib3", "pyjwt"}, source) == ["jwt is declared and never imported"]
    lines = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert unearned({re.split(r"[\[<>=!~]", line)[0].lower() for line in lines}, project) == []
