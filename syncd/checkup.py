"""What `syncd check` finds: in the files, then on the live systems, before anything is synced.

Promise: all that is wrong at once, each with its place and how to mend it; nothing is written anywhere. Trouble with a
system is told as such and does not hide what the files hold.
"""

from __future__ import annotations

import os
import secrets
import stat
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from syncd.assembly import Clock, Connected, Mappings, connect, identify, load_mappings
from syncd.core.drift import Looks, changes, told
from syncd.core.live import check_key, check_newer
from syncd.core.mapping import Mapping as Compiled
from syncd.core.model import SIDES, Side
from syncd.core.problem import Problem
from syncd.core.watch import check_watch_schema
from syncd.errors import (
    EXIT_CONFIG,
    EXIT_OK,
    EXIT_PERSON,
    EXIT_TRANSIENT,
    ConfigError,
    LedgerError,
    PersonNeeded,
    SyncdError,
    Transient,
)
from syncd.files import Files, unknown_systems
from syncd.ledger import Ledger
from syncd.session import free_bytes
from syncd.settings import Settings
from syncd.settings import load as load_settings


@dataclass
class Findings:
    """What was found. `problems` must be mended; `warnings` make a promise weaker, and say which."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    troubles: dict[str, SyncdError] = field(default_factory=dict)
    """By system: why it could not be asked."""
    systems: dict[str, dict[str, Any]] = field(default_factory=dict)
    contract: list[dict[str, str]] = field(default_factory=list)
    files: Files | None = None

    @property
    def exit_code(self) -> int:
        """2 for what a file or a schema must be mended, 3 for access, 1 for what may pass by itself."""
        if self.problems or any(rule["verdict"] == "broken" for rule in self.contract):
            return EXIT_CONFIG
        if any(isinstance(trouble, PersonNeeded) for trouble in self.troubles.values()):
            return EXIT_PERSON
        return EXIT_TRANSIENT if self.troubles else EXIT_OK

    def as_json(self) -> dict[str, Any]:
        """What `check --json` prints."""
        return {
            "ok": self.exit_code == EXIT_OK,
            "problems": [_shape(problem) for problem in self.problems],
            "warnings": [_shape(problem) for problem in self.warnings],
            "troubles": {
                name: {"message": error.message, "remedy": error.remedy} for name, error in self.troubles.items()
            },
            "systems": self.systems,
            "contract": self.contract,
        }


def _shape(problem: Problem) -> dict[str, Any]:
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "what": problem.what,
        "mend": problem.mend,
    }


# ---------------------------------------------------------------- files


def check_files(config: Path | None, environ: Mapping[str, str]) -> Findings:
    """syncd.toml, secrets, mappings, ledger. Raises ConfigError only if there is no syncd.toml at all."""
    found = Findings()
    settings: Settings | None = None
    try:
        settings = load_settings(config, environ)
    except ConfigError as error:
        if not any(problem.file for problem in error.problems):
            raise
        found.problems += error.problems
    folder = settings.daemon.mappings if settings else _likely_folder(found.problems)
    mappings = load_mappings(folder) if settings or folder.is_dir() else Mappings({}, None, ())
    found.problems += mappings.problems
    if settings is None:
        return found
    found.problems += unknown_systems(settings, mappings.every().values())
    for name in settings.systems:
        try:
            settings.connector(name)
        except ConfigError as error:
            found.problems += error.problems
    found.problems += settings.secret_problems()
    found.problems += _ledger(settings)
    if not mappings.every() and not mappings.problems:
        found.warnings.append(Problem(str(folder), 0, 0, "holds no mapping: nothing is synced", "`syncd init`"))
    found.files = Files(settings, mappings)
    return found


def _likely_folder(problems: list[Problem]) -> Path:
    """Where mappings usually are, when syncd.toml itself cannot say it: their problems are told all the same."""
    return Path(problems[0].file).parent / "mappings" if problems else Path("mappings")


def _ledger(settings: Settings) -> Iterator[Problem]:
    """What is wrong with the ledger's file or its place."""
    path = settings.daemon.ledger
    place = settings.document.where(("daemon", "ledger"))

    def problem(what: str, mend: str) -> Problem:
        return Problem(str(settings.file), *place, what, mend)

    if path.is_dir():
        yield problem(f"the ledger {path} is a folder", "name a file in it")
        return
    if not path.exists():
        parent = next((one for one in path.parents if one.exists()), Path("/"))
        if not os.access(parent, os.W_OK | os.X_OK):
            yield problem(f"the ledger cannot be made: {parent} may not be written to", "run as the service's user")
        return
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield problem(f"the ledger {path} can be read by others, and it holds people's data", f"chmod 600 {path}")
    try:
        ledger = Ledger.open(path, read_only=True)
    except LedgerError as error:
        yield problem(error.message, error.remedy)
        return
    except Transient:
        return  # busy: somebody uses it, so it is well
    try:
        if (said := ledger.store.integrity()) != "ok":
            yield problem(f"the ledger {path} is damaged: {said[:200]}", "restore the newest backup beside it")
    except SyncdError as error:
        yield problem(error.message, error.remedy)
    finally:
        ledger.close()
    if free_bytes(path) < settings.daemon.min_free:
        yield problem("less disk is free beside the ledger than min_free", "free space on that disk")


# ---------------------------------------------------------------- live systems


def check_online(found: Findings, clock: Clock) -> dict[str, Connected]:
    """Account, schema, key, owners and limits of each system. The systems stay connected; the caller closes them."""
    assert found.files is not None
    settings, mappings = found.files.settings, found.files.mappings
    systems = connect(settings, None, clock)
    known: Ledger | None = None
    if settings.daemon.ledger.exists():
        known = Ledger.open(settings.daemon.ledger, read_only=True)
    try:
        for name in sorted(found.files.systems_of(list(mappings.every())) or systems):
            try:
                _online(found, systems[name], known, mappings, clock.now())
            except SyncdError as error:
                found.troubles[name] = error
    finally:
        if known is not None:
            known.close()
    return systems


def _online(found: Findings, system: Connected, known: Ledger | None, mappings: Mappings, now: float) -> None:
    account = identify(system, known, now)
    told: dict[str, Any] = {
        "account": account.id,
        "account_name": account.name,
        "kind": account.kind,
        "pinned": known is not None and known.books.account(system.name) is not None,
        "objects": [],
        "untested": [],
        "watched": [],
    }
    found.systems[system.name] = told
    for mapping in mappings.by_name.values():
        for side in SIDES:
            if mapping.end(side).system != system.name:
                continue
            for form in mapping.end(side).forms:
                _form(found, system, mapping, side, form, known)
                told["objects"].append(form)
    for watch in mappings.watches.values():
        if watch.end.system == system.name:
            found.problems += check_watch_schema(watch, system.connector.describe(watch.end.object))
            told["watched"].append(watch.end.object)
    told["owners"] = _owners(system)
    told["limits"] = [{"meter": one.name, "limit": one.limit, "window_s": one.window_s} for one in _meters(system)]
    budget = system.budget.snapshot()
    told["calls_left"] = {name: budget[name] for name in ("per_day", "vendor_limit", "vendor_remaining")}
    told["calls"] = system.calls()


def _meters(system: Connected) -> Any:
    return system.connector.traits.meters


def _form(found: Findings, system: Connected, mapping: Compiled, side: Side, form: str, known: Ledger | None) -> None:
    schema = system.connector.describe(form)
    before = None
    if known is not None and (object_ := known.facts.object_id(system.name, form)):
        before = known.described.get(object_)
    look = Looks(schema, schema if before is None or before.lost else before.was)
    wrong = [finding.problem for finding in told(mapping, side, form, look, _parents(found))]
    found.problems += wrong
    told_times = system.traits(form).history
    found.problems += [finding.problem for finding in check_newer(mapping, side, form, history=told_times)]
    # What is only news stops nothing: the daemon will tell it as well.
    found.warnings += [finding.problem for finding in changes(mapping, side, form, look)]
    key = system.traits(form).key
    if key is not None:
        # The key's own flaws do not stop anything: creates go by look-up then, and the weaker promise is told.
        found.warnings += check_key(mapping, side, form, schema, key)
        return
    if mapping.create[side] is None:
        return  # nothing is created there
    wanted = system.table.own.get("key")
    called = f"'{wanted}'" if wanted else "that the connector's README names"
    said = (
        f"{system.name} has no usable key field {called} on {form}: creates are looked up first, and one that is cut"
        " off may be made twice"
    )
    mend = "create a text field for it that takes only unique values, and give the sync user access to it"
    found.warnings.append(Problem(mapping.file, 0, 0, said, mend))


def _parents(found: Findings) -> Mapping[str, Compiled]:
    return found.files.mappings.by_name if found.files else {}


def _owners(system: Connected) -> int | None:
    """How many people may be given records now; None where the system has no directory of them."""
    directory = system.connector.traits.owners
    if directory is None:
        return None
    count = 0
    attributes = (directory.email, directory.active)
    for page in system.connector.changes(directory.object, attributes, None, lambda keys: {}):
        count += sum(
            record.state == "live" and record.attributes.get(directory.active) in (True, "true")
            for record in page.records
        )
        if page.done:
            break
    return count


# ---------------------------------------------------------------- the contract


STAMP_S = 1.1
"""No less than this between two steps on a test account: stamps may have a grain of a second."""
NEED_MORE = (
    "history-names-the-writer",
    "ours-is-never-said-of-others",
    "the-precondition-is-honoured",
    "one-moved-effect-stops-no-other",
)
"""Rules that need another person than us, or a clock that can be moved: neither is to be had on a live account."""


def check_contract(found: Findings, systems: Mapping[str, Connected]) -> Iterator[dict[str, str]]:
    """Runs the connector contract on the live systems; yields each verdict as it comes. Only the read-only rules,
    unless syncd.toml declares the account a test account: there it creates records, and removes them again."""
    from syncd.contract import RULES, Bench, OwnHands, Subject, run

    assert found.files is not None
    for name, system in sorted(systems.items()):
        if name in found.troubles or name not in found.systems:
            continue
        try:
            for form in dict.fromkeys(found.systems[name]["objects"]):
                mapped = [
                    attribute
                    for mapping in found.files.mappings.by_name.values()
                    for side in SIDES
                    if mapping.end(side).system == name
                    for attribute in mapping.attributes(side, form)
                ]
                try:
                    subject = Subject.guess(system.connector.describe(form), system.traits(form), mapped)
                except ValueError:
                    # A list's membership, a campaign that is only paired: too little of it is ours to be tried on.
                    found.systems[name]["untested"].append(form)
                    continue
                declared = system.table.test_account
                wait = partial(time.sleep, max(system.timing.lag_s, STAMP_S))
                bench = OwnHands(system.connector, wait=wait) if declared else Bench()
                rules = tuple(rule for rule in RULES if not (declared and rule.name in NEED_MORE))
                token = secrets.token_hex(6)
                for verdict in run(
                    system.connector, bench, read_only=not declared, subjects=[subject], token=token, rules=rules
                ):
                    told = {
                        "system": name,
                        "object": verdict.object,
                        "rule": verdict.rule.name,
                        "verdict": verdict.kind,
                        "why": verdict.why,
                    }
                    found.contract.append(told)
                    yield told
        except (SyncdError, ValueError) as error:
            found.troubles[name] = error if isinstance(error, SyncdError) else Transient(str(error))
