"""Settings, mappings, ledger and connected systems, put together for one command.

Promise: whatever is wrong in the files is one ConfigError with all its problems; nothing connects before it is needed.
It decides nothing and moves nothing.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syncd.account import System
from syncd.budget import Budget, Lane
from syncd.connector import Account, Connector, Context, ObjectTraits
from syncd.core.compile import check_references, check_together
from syncd.core.derived import check_derived
from syncd.core.funnel import Funnel, compile_funnel
from syncd.core.funnelfields import check_funnel
from syncd.core.kinds import compile_file, name_in
from syncd.core.mapping import End
from syncd.core.mapping import Mapping as Compiled
from syncd.core.order import parents_first
from syncd.core.problem import Problem
from syncd.core.rollup import check_rollups
from syncd.core.watch import Watch, check_answers, check_watches
from syncd.errors import ConfigError, SyncdError, WrongAccount
from syncd.ledger import Ledger
from syncd.pace import Timing
from syncd.settings import Settings
from syncd.tokens import Tokens

if TYPE_CHECKING:
    import requests

FUNNEL = "funnel.toml"
MOST_MAPPING_BYTES = 1 << 20


@dataclass(frozen=True)
class Clock:
    """The world's time and chance, and the way out to it, handed in so that tests can hold them."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = random.random
    monotonic: Callable[[], float] = time.monotonic
    """For durations only: it knows no date and is never set."""
    session: requests.Session | None = None
    """By which requests leave; None: a session of its own for each account."""


@dataclass
class Connected:
    """One system, with its client's budget. `account` is known once identified."""

    name: str
    connector: Connector
    table: System
    timing: Timing
    budget: Budget
    counted: int = 0
    """Calls already written into the ledger's books."""
    swept: int = 0
    """Of the calls that are not in the books yet, those that sweeps made."""
    account: Account | None = None
    trouble: str = ""
    """Why this system cannot be read or written now; empty: it can."""
    failure: SyncdError | None = None
    """The error behind the trouble."""
    https: list[Any] = field(default_factory=list)

    def traits(self, object: str) -> ObjectTraits:
        """What that object can do. An object the connector does not name gets the most cautious traits."""
        found = self.connector.traits.objects.get(object)
        return found or ObjectTraits(feed="sweep", deletions="reconcile")

    def calls(self) -> int:
        """Requests sent since it was connected."""
        return sum(http.calls for http in self.https)

    @contextmanager
    def sweeping(self) -> Iterator[None]:
        """Calls inside the block look for what no feed tells, and are booked as such."""
        before = self.calls()
        try:
            yield
        finally:
            self.swept += self.calls() - before

    @property
    def looking(self) -> Lane:
        """The lane of looks: what finds hand-offs and opt-outs goes on when only these may be sent."""
        return "reading" if self.budget.only_urgent else "normal"

    def lane(self, lane: str | None) -> Any:
        """Calls of this thread inside the block are counted in that lane. None: always allowed."""
        from contextlib import ExitStack

        stack = ExitStack()
        for http in self.https:
            stack.enter_context(http.lane(lane))
        return stack


@dataclass(frozen=True)
class Mappings:
    """The compiled mapping files of a folder. A file with problems is left out and its problems kept."""

    by_name: Mapping[str, Compiled]
    funnel: Funnel | None
    problems: tuple[Problem, ...]
    watches: Mapping[str, Watch] = field(default_factory=dict)

    def every(self) -> dict[str, Compiled | Watch]:
        """Mappings, parents before their children, then watches: each thing that is read for its own sake, by name."""
        order, _ = parents_first(self.by_name.values())
        return {**{mapping.name: mapping for mapping in order}, **self.watches}

    def ends(self, names: Iterable[str]) -> list[End]:
        """The sides that these mappings and watches look at."""
        every = self.every()
        return [end for name in names for end in every[name].ends]


def load_mappings(folder: Path, last: Funnel | None = None) -> Mappings:
    """Reads and compiles every file of the mappings folder. `last`: the funnel that stays in force because its file is
    not valid."""
    problems: list[Problem] = []
    texts = {}
    if not folder.is_dir():
        problems.append(Problem(str(folder), 0, 0, "there is no such folder of mappings", "set [daemon] mappings"))
    for path in sorted(folder.glob("*.toml")) if folder.is_dir() else []:
        try:
            data = path.read_bytes()
            if len(data) > MOST_MAPPING_BYTES:
                raise ValueError(f"it is larger than {MOST_MAPPING_BYTES} bytes")
            texts[path.name] = data.decode("utf-8")
        except (OSError, ValueError) as error:
            problems.append(Problem(str(path), 0, 0, f"cannot be read: {error}", "save it as UTF-8 text"))
    funnel = last
    if FUNNEL in texts:
        agreed, found = compile_funnel(texts.pop(FUNNEL), str(folder / FUNNEL), None)
        problems += found
        funnel = last or agreed
    names = frozenset(filter(None, map(name_in, texts.values())))
    compiled: dict[str, Compiled] = {}
    watches: dict[str, Watch] = {}
    for name, text in texts.items():
        every, found = compile_file(text, str(folder / name), funnel, names)
        problems += found
        for made in every:
            if made.name in compiled or made.name in watches:
                problems.append(Problem(made.file, 1, 1, f"a {made.kind} named {made.name} exists already"))
            elif isinstance(made, Watch):
                watches[made.name] = made
            else:
                compiled[made.name] = made
    problems += check_together(list(compiled.values()))
    problems += check_references(compiled.values(), names)
    problems += check_rollups(compiled)
    problems += check_derived(funnel, compiled)
    if funnel is not None and last is None:
        problems += check_funnel(funnel, compiled)
    problems += check_watches(watches.values(), compiled, names)
    problems += check_answers(compiled.values(), watches, names)
    return Mappings(compiled, funnel, tuple(problems), watches)


def connect(
    settings: Settings, ledger: Ledger | None, clock: Clock, on_call: Callable[..., None] | None = None
) -> dict[str, Connected]:
    """Connects every system of the settings (no call leaves yet). Raises ConfigError with all problems."""
    from syncd.http import Http

    problems: list[Problem] = []
    systems: dict[str, Connected] = {}
    for name, table in settings.systems.items():
        try:
            loaded = settings.connector(name)
            day = time.strftime("%Y-%m-%d", time.gmtime(clock.now()))
            used = ledger.books.calls(name, day) if ledger else 0
            budget = Budget(
                table.budget.per_day, table.budget.urgent, table.budget.reserve, used=used, day=day, now=clock.now
            )
            timing = table.timing.for_http()
            https: list[Any] = []

            def open_http(
                *, _budget: Budget = budget, _timing: Timing = timing, _https: list[Any] = https, **given: Any
            ) -> Http:
                http = Http(
                    timing=_timing,
                    budget=_budget,
                    now=clock.monotonic,
                    sleep=clock.sleep,
                    random=clock.random,
                    session=clock.session,
                    on_call=on_call,
                    **given,
                )
                _https.append(http)
                return http

            ledger_file = settings.daemon.ledger
            tokens = Tokens(ledger_file.with_name(ledger_file.name + ".tokens"), name, settings.secrets(name).reveal)
            context = Context(
                system=name,
                open_http=open_http,
                timing=timing,
                secret=tokens.secret,
                save_secret=tokens.save,
                now=clock.now,
            )
            connector = loaded.connect(loaded.settings, context)
            systems[name] = Connected(name, connector, table, timing, budget, https=https)
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return systems


def identify(system: Connected, ledger: Ledger | None, at: float) -> Account:
    """Asks once which account this is, and pins it in the ledger; another account than the pinned one is refused.

    It is a status call: where an old figure of the vendor's stops all others, it asks again whether there is room."""
    if system.account is None or system.budget.stale:
        with system.lane(None):
            account = system.connector.identify()
        known = ledger.books.account(system.name) if ledger else None
        if known is not None and known[0] != account.id:
            raise WrongAccount(
                f"{system.name} is another account now: its credentials lead to {account.id}, and this ledger was"
                f" filled from {known[0]}.",
                remedy="Put the right credentials into syncd.toml, or start a new ledger for the other account.",
            )
        if ledger is not None and not ledger.store.read_only:
            ledger.books.pin_account(system.name, account.id, account.name, account.kind, account.writer, at)
        system.account = account
    return system.account
