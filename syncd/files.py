"""What people edit, as it is in force: syncd.toml, the funnel and the mappings.

Promise: one file that is not valid stops nobody else. Its last valid version stays in force where one is known (from
before the edit, or from the ledger); where none is, that mapping rests, and so does every mapping that points through
its links. An error in syncd.toml stops all. What is not in force, or not as its file says, is in `Files.broken`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from syncd.assembly import FUNNEL, Mappings, load_mappings
from syncd.core.compile import check_together
from syncd.core.derived import check_derived
from syncd.core.funnel import Funnel, compile_funnel
from syncd.core.kinds import compile_file, name_in
from syncd.core.mapping import Mapping as Compiled
from syncd.core.problem import Problem
from syncd.core.rollup import check_rollups
from syncd.core.toml import did_you_mean
from syncd.core.watch import Watch, check_watches
from syncd.errors import ConfigError, SyncdError
from syncd.ledger import Ledger
from syncd.settings import Settings
from syncd.settings import load as load_settings

Signature = tuple[tuple[str, int, int], ...]
"""Each file's path, time of its last edit (ns) and size (bytes)."""


@dataclass(frozen=True)
class Files:
    """What a person edits: syncd.toml and the mappings folder, as last read."""

    settings: Settings
    mappings: Mappings
    """What is in force."""
    broken: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)
    """By the name of the mapping (or of the file that is none): why its newest text is not in force."""

    def named(self, mapping: str | None) -> list[str]:
        """The mapping (or watch) of that name, or all that are in force. ConfigError if there is none of that name, or its file
        is not valid: who names it wants what the file says."""
        known = self.mappings.every()
        if mapping is None:
            return list(known)
        if mapping in self.broken:
            raise ConfigError(list(self.broken[mapping]))
        if mapping not in known:
            mend = did_you_mean(mapping, known) or f"there are: {', '.join(known) or 'none'}"
            raise ConfigError(Problem("", 0, 0, f"there is no mapping '{mapping}'", mend))
        return [mapping]

    def mapping(self, name: str) -> Compiled:
        """The mapping of that name, to be decided or written. ConfigError as in `named`, and for a watch."""
        (found,) = self.named(name)
        if found in self.mappings.watches:
            said = f"'{found}' is a watch: it pairs nothing and writes nothing"
            raise ConfigError(Problem("", 0, 0, said, "its records are read by every cycle"))
        return self.mappings.by_name[found]

    def systems_of(self, names: Sequence[str]) -> set[str]:
        """The systems that these mappings need."""
        return {end.system for end in self.mappings.ends(names)}

    def instead(self, name: str) -> str:
        """What happens in the place of a broken file, in words."""
        if name in self.mappings.every():
            return "its last valid version stays in force"
        if name == Path(FUNNEL).stem and self.mappings.funnel is None:
            return "no version before is known: whatever asks for it is not run"
        return "the version before stays in force" if "." in name or name == Path(FUNNEL).stem else "it is not run"


class Last(Protocol):
    """What was valid last."""

    def funnel(self) -> Funnel | None: ...

    def every(self, name: str, file: str, funnel: Funnel | None) -> list[Compiled | Watch]: ...


@dataclass(frozen=True)
class Before:
    """What was in force before an edit."""

    mappings: Mappings

    def funnel(self) -> Funnel | None:
        """The funnel in force."""
        return self.mappings.funnel

    def every(self, name: str, file: str, funnel: Funnel | None) -> list[Compiled | Watch]:
        """What is in force under that name, or from that file: of a membership several mappings."""
        every = self.mappings.every()
        file = every[name].file if name in every else file
        return [one for one in every.values() if one.file == file]


class Kept:
    """The newest texts that the ledger knows, compiled anew. It is opened only when something is broken."""

    def __init__(self, ledger: Path, folder: Path) -> None:
        self._path, self._folder = ledger, folder
        self._ledger: Ledger | None = None

    def close(self) -> None:
        """Gives the ledger back."""
        if self._ledger is not None:
            self._ledger.close()

    def funnel(self) -> Funnel | None:
        """The funnel that was in force last."""
        version = (ledger := self._open()) and ledger.books.funnel()
        return compile_funnel(version.text, str(self._folder / FUNNEL), None)[0] if version else None

    def every(self, name: str, file: str, funnel: Funnel | None) -> list[Compiled | Watch]:
        """What was in force last under that name, where it still compiles beside this funnel."""
        version = (ledger := self._open()) and ledger.books.mapping(name)
        return compile_file(version.text, file, funnel, self._names())[0] if version else []

    def _names(self) -> frozenset[str]:
        """What the files of the folder call themselves."""
        names = set()
        for path in self._folder.glob("*.toml"):
            with suppress(OSError, ValueError):
                names.add(name_in(path.read_text(encoding="utf-8")))
        return frozenset(filter(None, names))

    def _open(self) -> Ledger | None:
        if self._ledger is None and self._path.exists():
            with suppress(SyncdError):  # a ledger in trouble is told by whoever needs it; here it only knows nothing
                self._ledger = Ledger.open(self._path, read_only=True)
        return self._ledger


def paths(settings: Settings) -> list[Path]:
    """Every file that a person edits: syncd.toml, and what stands in the folder of mappings now."""
    folder = settings.daemon.mappings
    return [settings.file, *(sorted(folder.glob("*.toml")) if folder.is_dir() else [])]


def signature(settings: Settings) -> Signature:
    """What tells whether a file was edited, without reading any. A file that cannot be looked at is not in it."""
    found = []
    for path in paths(settings):
        try:
            facts = path.stat()
        except OSError:
            continue
        found.append((str(path), facts.st_mtime_ns, facts.st_size))
    return tuple(found)


def read_files(config: Path | None, environ: Mapping[str, str]) -> Files:
    """Reads syncd.toml and every mapping. Raises ConfigError for syncd.toml, and where nothing at all is left to run."""
    settings = load_settings(config, environ)
    folder = settings.daemon.mappings
    last = Kept(settings.daemon.ledger, folder)
    try:
        files = in_force(settings, last)
    finally:
        last.close()
    everything = [problem for problems in files.broken.values() for problem in problems]
    if everything and (not files.mappings.every() or not folder.is_dir()):
        raise ConfigError(everything)
    return files


def in_force(settings: Settings, last: Last) -> Files:
    """The files as they are now, with what was valid last in the place of whatever is not."""
    folder = settings.daemon.mappings
    fresh = load_mappings(folder)
    broken: dict[str, list[Problem]] = {}
    if any(problem.file == str(folder / FUNNEL) for problem in fresh.problems):
        broken[str(folder / FUNNEL)] = [one for one in fresh.problems if one.file == str(folder / FUNNEL)]
        fresh = load_mappings(folder, last.funnel())
    alone = {one.file for one in fresh.every().values()}
    unknown = unknown_systems(settings, fresh.every().values())
    for problem in (*(one for one in fresh.problems if one.file not in alone), *unknown):
        if problem not in broken.setdefault(problem.file, []):
            broken[problem.file].append(problem)
    names = {file: _name(file, fresh) for file in broken}
    chosen = {name: mapping for name, mapping in fresh.by_name.items() if mapping.file not in broken}
    watches = {name: watch for name, watch in fresh.watches.items() if watch.file not in broken}
    for file, name in names.items():
        for stands_in in last.every(name, file, fresh.funnel):
            if unknown_systems(settings, [stands_in]):
                continue
            names[file] = stands_in.name
            if isinstance(stands_in, Watch):
                watches.setdefault(stands_in.name, stands_in)
            else:
                chosen.setdefault(stands_in.name, stands_in)
    chosen = _without_quarrels(chosen, last, fresh, broken)
    for problem in [*check_watches(watches.values(), chosen, {*fresh.by_name, *names.values()})]:
        broken.setdefault(problem.file, []).append(problem)
        watches = {name: watch for name, watch in watches.items() if watch.file != problem.file}
    told = {names.get(file) or _name(file, fresh): tuple(problems) for file, problems in broken.items()}
    in_order = {name: chosen[name] for name in sorted(chosen)}
    return Files(settings, replace(fresh, by_name=in_order, problems=(), watches=watches), told)


def _quarrels(mappings: Mapping[str, Compiled], funnel: Funnel | None) -> list[Problem]:
    return [*check_together(mappings.values()), *check_rollups(mappings), *check_derived(funnel, mappings)]


def _without_quarrels(
    chosen: dict[str, Compiled], last: Last, fresh: Mappings, broken: dict[str, list[Problem]]
) -> dict[str, Compiled]:
    """Those that go together. Of two that do not, the one that was edited gives way: to its last version, or wholly."""

    def version_before(mapping: Compiled) -> Compiled | None:
        was = [one for one in last.every(mapping.name, mapping.file, fresh.funnel) if isinstance(one, Compiled)]
        return next((one for one in was if one.name == mapping.name), was[0] if len(was) == 1 else None)

    def edited(mapping: Compiled) -> bool:
        before = version_before(mapping)
        return before is None or before.digest != mapping.digest

    left = dict(chosen)
    tried: set[str] = set()
    if _quarrels(left, fresh.funnel):  # the one that is named later is blamed
        left = dict(sorted(left.items(), key=lambda item: edited(item[1])))
    while found := _quarrels(left, fresh.funnel):
        blamed = {problem.file for problem in found}
        names = [name for name, mapping in left.items() if mapping.file in blamed]
        if not names:
            break
        for name in names:
            mapping = left.pop(name)
            broken.setdefault(mapping.file, []).extend(one for one in found if one.file == mapping.file)
            before = version_before(mapping)
            if name not in tried and before is not None and before.digest != mapping.digest:
                left[name] = before
            tried.add(name)
    return left


def unknown_systems(settings: Settings, mappings: Iterable[Compiled | Watch]) -> list[Problem]:
    """Mappings that name a system which syncd.toml does not have."""
    return [
        Problem(
            mapping.file,
            1,
            1,
            f"'{end.side}' names the system '{end.system}', and {settings.file.name} has no such system",
            did_you_mean(end.system, settings.systems) or f"add [systems.{end.system}]",
        )
        for mapping in mappings
        for end in mapping.ends
        if end.system not in settings.systems
    ]


def _name(file: str, fresh: Mappings) -> str:
    """What people call a file: the mapping's name as far as it can be told, else the file's own."""
    path = Path(file)
    if path.name != FUNNEL:
        with suppress(OSError, ValueError):
            name = name_in(path.read_text(encoding="utf-8"))
            holder = fresh.every().get(name) if name else None
            if name and (holder is None or holder.file == file):
                return name
    return path.stem or "mappings"
