"""syncd.toml: where the ledger and the mappings are, the systems, every wait and every limit.

Promise: either a whole, checked `Settings`, or one ConfigError with every problem of the file, each with its place.
It resolves no secret, imports no connector and opens no connection until asked to (`secrets`, `connector`).

Paths in the file are relative to the file. `ledger` is a path, or `sqlite:///` and a path: `sqlite:///var/lib/x.db`
is /var/lib/x.db, `sqlite:///./x.db` lies beside the file.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    create_model,
    field_validator,
)

from syncd.access import Dashboard
from syncd.account import System
from syncd.core import toml
from syncd.core.problem import Problem
from syncd.errors import ConfigError
from syncd.receivers import Alerts, flaws, kind_of
from syncd.secrets import Secrets, is_reference, names_a_secret, plain_text_problem
from syncd.table import Table, wait
from syncd.units import Duration, Period, Share, Size, safe_url

if TYPE_CHECKING:
    from syncd.connector import Connector, Context

PLACES = ("./syncd.toml", "/etc/syncd/syncd.toml")
"""Where syncd.toml is looked for, after --config and $SYNCD_CONFIG."""

MOST_BYTES = 1 << 20
"""A settings file has a few hundred lines; anything larger is another file."""

RECEIVER_SECRETS = ("url", "secret", "password")
"""What a receiver's table may hold by reference."""


def _beside(path: Any, info: ValidationInfo) -> Path:
    if not isinstance(path, str) or not path or "\0" in path:
        raise ValueError(f"'{info.field_name}' must be a path in quotes")
    folder: Path = (info.context or {}).get("folder", Path())
    return (folder / Path(path).expanduser()).absolute()


def _ledger_path(address: Any, info: ValidationInfo) -> Path:
    if isinstance(address, str) and (scheme := re.match(r"([a-z][a-z0-9+]*):", address)):
        if scheme[1] != "sqlite" or not address.startswith("sqlite:///"):
            raise ValueError("'ledger' must be a path, or sqlite:/// and a path: it is one SQLite file on a local disk")
        rest = address.removeprefix("sqlite:///")
        if not rest:
            raise ValueError("'ledger' lacks the path after sqlite:///")
        address = rest if rest.startswith(("./", "../", "~")) else "/" + rest.lstrip("/")
    return _beside(address, info)


Beside = Annotated[Path, BeforeValidator(_beside), WithJsonSchema({"type": "string"})]
"""A path; relative ones start at the folder of syncd.toml."""


class Daemon(Table):
    """`[daemon]`: the one process that keeps both sides in step."""

    ledger: Annotated[Path, BeforeValidator(_ledger_path), WithJsonSchema({"type": "string"})] = Field(
        description="The ledger's file. Relative to this file; sqlite:///var/lib/syncd/ledger.db is absolute."
    )
    mappings: Beside = Field(description="The folder of the mapping files. Relative to this file.")
    every: Period = wait("60s", "Pause between the starts of two runs.")
    jitter: Duration = wait("5s", "Up to so much is added to each pause, so that daemons spread out.")
    drain: Period = wait("60s", "How long a stop waits for answers to requests already sent.")
    keep_values: Period = wait("730d", "How long the journal keeps people's values; their digests stay for good.")
    min_free: Size = Field(
        default=64 << 20,
        description="Less free disk space than this beside the ledger: nothing is sent.",
        json_schema_extra={"default": "64MiB"},
    )


class Limit(Table):
    """One limit of the guard. A plan is held when a mapping's count goes beyond `per_cycle` *and* `share`, or the
    count of the last 24 hours beyond `per_day`. In the file each of the three may be left out."""

    model_config = ConfigDict(json_schema_extra=lambda schema: schema.pop("required", None))

    per_cycle: int = Field(ge=0, description="So many in one cycle are always allowed.")
    per_day: int = Field(ge=0, description="So many in any 24 hours, whatever the size of the mapping.")
    share: Share = Field(description="This part of the mapping's links is allowed in one cycle too (0.1 = a tenth).")


def _limit(per_cycle: int, per_day: int, share: float, description: str) -> Any:
    """A limit's field with its default."""
    return Field(default=Limit(per_cycle=per_cycle, per_day=per_day, share=share), description=description)


class Guard(Table):
    """`[guard]`: how large a plan may be before a person has to look at it."""

    creates: Limit = _limit(500, 5_000, 0.1, "Records created.")
    updates: Limit = _limit(1_000, 20_000, 0.1, "Records updated.")
    clears: Limit = _limit(50, 500, 0.01, "Fields emptied.")
    deletes: Limit = _limit(20, 100, 0.005, "Records deleted.")
    field: Limit = _limit(500, 10_000, 0.1, "Updates of one field of one side.")
    same_value: Limit = _limit(200, 20_000, 0.05, "Records that get one and the same value of a field.")
    identity: Limit = _limit(20, 200, 0.01, "Changes of a field by which records are recognised.")
    edited: Limit = _limit(100, 100_000, 0.02, "Effects of the first plan after an edit of the mapping or the funnel.")
    moved: Limit = _limit(10_000, 10_000_000, 0.5, "Records that moved at once, if anything is to be written.")
    gone: Limit = _limit(
        20,
        200,
        0.02,
        "Linked records that were deleted, or are not shown any more: beyond it nothing follows from that.",
    )

    @field_validator("*", mode="before")
    @classmethod
    def _complete(cls, limit: Any, info: ValidationInfo) -> Any:
        """A partly written limit keeps the rest of its own defaults."""
        if not isinstance(limit, dict) or info.field_name is None:
            return limit
        return {**cls.model_fields[info.field_name].default.model_dump(), **limit}


Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]


class File(Table):
    """The whole of syncd.toml."""

    daemon: Daemon
    dashboard: Dashboard = Dashboard()
    guard: Guard = Guard()
    alerts: Alerts = Alerts.model_validate({})
    systems: dict[Name, System] = Field(min_length=1)


class Loaded(NamedTuple):
    """A connector's module, ready to connect: `connect(settings, context)`."""

    connect: Callable[[Any, Context], Connector]
    settings: Any


@dataclass(frozen=True)
class Settings:
    """What syncd.toml says, checked. Frozen: a reload makes another one."""

    file: Path
    daemon: Daemon
    dashboard: Dashboard
    guard: Guard
    systems: Mapping[str, System]
    environ: Mapping[str, str] = field(repr=False)
    document: toml.Document = field(repr=False)
    alerts: Alerts = field(default_factory=lambda: Alerts.model_validate({}))

    def secrets(self, system: str) -> Secrets:
        """Resolves the references of one system's table, and knows where in the file each stands."""
        return self._secrets(("systems", system), self.systems[system].own)

    def receiver_secrets(self, receiver: str) -> Secrets:
        """The same for the table of a receiver of alerts."""
        return self._secrets(("alerts", kind_of(self.alerts.receivers()[receiver]), receiver), RECEIVER_SECRETS)

    def _secrets(self, base: tuple[str, ...], names: Iterable[str]) -> Secrets:
        places = {name: self.document.where((*base, name)) for name in names}
        return Secrets(self.file, self.environ, ".".join(base), places)

    def secret_problems(self) -> list[Problem]:
        """Tries every secret reference of the file and gives what cannot be resolved. Shows no value."""
        found: list[Problem] = []
        named = [(self.secrets(name), system.own) for name, system in self.systems.items()]
        for name, receiver in self.alerts.receivers().items():
            own = receiver.model_dump(include=set(RECEIVER_SECRETS), exclude_none=True)
            named.append((self.receiver_secrets(name), own))
        for secrets, table in named:
            for key, value in table.items():
                if is_reference(value):
                    try:
                        secrets.resolve(value, key)
                    except ConfigError as error:
                        found.extend(error.problems)
        return found

    def connector(self, system: str) -> Loaded:
        """Imports the system's connector and checks its part of the table.

        Raises ConfigError: no such module, a module that is no connector, or settings that it does not take.
        """
        table = self.systems[system]
        try:
            module = importlib.import_module(table.connector)
        except Exception as error:  # whatever a third party's module does when it is imported
            raise ConfigError(self._no_module(system, error)) from error
        model, connect = getattr(module, "Settings", None), getattr(module, "connect", None)
        if not (isinstance(model, type) and issubclass(model, BaseModel) and callable(connect)):
            what = f"'{table.connector}' is not a connector: it lacks a Settings model or a connect function"
            raise ConfigError(self._problem(("systems", system, "connector"), what))
        whole = TypeAdapter(dict[Literal["systems"], dict[str, model]])  # type: ignore[valid-type]
        try:
            return Loaded(connect, whole.validate_python({"systems": {system: table.own}})["systems"][system])
        except ValidationError as error:
            known = create_model("Known", __base__=(System, model))  # for "did you mean"
            raise ConfigError(toml.problems(error, self.document, str(self.file), known)) from None

    def _no_module(self, system: str, error: Exception) -> Problem:
        wanted = self.systems[system].connector
        place = ("systems", system, "connector")
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        if missing and (wanted == missing or wanted.startswith(missing + ".")):
            return self._problem(place, f"there is no module '{wanted}'", "name an installed connector's module")
        told = f"{type(error).__name__}: {error}"
        return self._problem(place, f"'{wanted}' cannot be imported ({told})", "mend or reinstall the connector")

    def _problem(self, path: tuple[str, ...], what: str, mend: str = "") -> Problem:
        return Problem(str(self.file), *self.document.where(path), what, mend)


def load(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Finds, reads and checks syncd.toml. `path` is what --config said.

    Raises ConfigError with every problem: file, line, column, what is wrong, how to mend it.
    """
    file = find(path, environ)
    text = _read(file)
    document, problems = toml.parse(text, str(file))
    if document is None or problems:
        raise ConfigError(problems)
    try:
        whole = File.model_validate(document.data, context={"folder": file.absolute().parent})
    except ValidationError as error:
        unsafe = _unsafe(document, str(file))
        told = {(problem.line, problem.column) for problem in unsafe}
        problems = [
            one for one in toml.problems(error, document, str(file), File) if (one.line, one.column) not in told
        ]
        raise ConfigError(sorted([*problems, *unsafe], key=lambda problem: (problem.line, problem.column))) from None
    found = [Problem(str(file), *document.where(at), what, mend) for at, what, mend in flaws(whole.alerts)]
    if found := [*found, *_unsafe(document, str(file))]:
        raise ConfigError(sorted(found, key=lambda problem: (problem.line, problem.column)))
    return Settings(
        file=file.absolute(),
        daemon=whole.daemon,
        dashboard=whole.dashboard,
        guard=whole.guard,
        systems=whole.systems,
        alerts=whole.alerts,
        environ=environ,
        document=document,
    )


def find(path: Path | None, environ: Mapping[str, str]) -> Path:
    """Which syncd.toml is meant: --config, $SYNCD_CONFIG, ./syncd.toml, /etc/syncd/syncd.toml; the first that is
    *named*, or else the first that is there. Raises ConfigError when there is none."""
    if path is not None:
        return path
    if named := environ.get("SYNCD_CONFIG"):
        return Path(named)
    for place in map(Path, PLACES):
        if place.exists():
            return place
    looked = " or ".join(PLACES)
    raise ConfigError(f"there is no syncd.toml ({looked})", remedy="`syncd init` writes one, or name it with --config")


def json_schema() -> dict[str, Any]:
    """The JSON Schema of syncd.toml, for editors: what schemas/settings.json holds."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_without_tables(File.model_json_schema())}


def _without_tables(schema: Any) -> Any:
    """A table's default is the defaults of its keys; pydantic would write it out in our units instead of the file's."""
    if isinstance(schema, dict):
        return {
            key: _without_tables(part)
            for key, part in schema.items()
            if not (key == "default" and (part is None or isinstance(part, dict)))
        }
    return [_without_tables(part) for part in schema] if isinstance(schema, list) else schema


def _read(file: Path) -> str:
    try:
        with file.open("rb") as handle:
            content = handle.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(Problem(str(file), 0, 0, f"cannot be read: {error.strerror}")) from None
    if len(content) > MOST_BYTES:
        raise ConfigError(Problem(str(file), 0, 0, f"is larger than {MOST_BYTES} bytes", "is it the right file?"))
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(Problem(str(file), line, 1, "is not UTF-8 text", "save it as UTF-8")) from None


def _unsafe(document: toml.Document, file: str) -> list[Problem]:
    """What no connector may be given: secrets as plain text, addresses that would send them in the clear."""
    found: list[Problem] = []
    for path, table in _tables(document.data):
        for key, value in table.items():
            place = document.where((*path, key))
            secret = names_a_secret(key) or (key == "url" and path[:2] == ("alerts", "slack"))
            if secret and isinstance(value, str):
                found.append(plain_text_problem(key, file, place))
            elif key.endswith("_url"):
                try:
                    safe_url(value)
                except ValueError as error:
                    found.append(Problem(file, *place, f"'{key}' {error}"))
    return found


def _tables(data: Any) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """The tables that may refer to secrets: those of systems and of receivers."""
    for path in (("systems",), ("alerts", "webhook"), ("alerts", "slack"), ("alerts", "email")):
        tables = data
        for step in path:
            tables = tables.get(step) if isinstance(tables, dict) else None
        for name, table in tables.items() if isinstance(tables, dict) else ():
            if isinstance(table, dict):
                yield (*path, name), table
