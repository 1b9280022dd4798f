"""`demo`: everything at once, on this machine, with the dashboard to look at."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.cli import show
from syncd.cli.call import Call, Config, Debug, Json, ends_with

if TYPE_CHECKING:
    from syncd.demo.scene import Scene
    from syncd.files import Files

ANY_PORT = "127.0.0.1:0"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("demo")(demo)


def demo(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="Play the story once and end: no dashboard.")] = False,
    people: Annotated[int, typer.Option("--people", min=20, max=20_000, help="How many people there are.")] = 120,
    past: Annotated[
        int, typer.Option("--past", min=0, max=20_000, help="How many more people the last year brought.")
    ] = 600,
    seed: Annotated[int, typer.Option("--seed", help="The same seed tells the same story.")] = 7,
    listen: Annotated[
        str | None, typer.Option("--listen", metavar="HOST:PORT", help="Where the dashboard is served.")
    ] = None,
    config: Config = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Start two sandbox systems with a living company in them, sync both ways, and watch it on the dashboard."""
    from syncd.cli.init import examples
    from syncd.demo.living import live
    from syncd.demo.scene import opened, play
    from syncd.errors import EXIT_FAULT

    call = Call.of(context)
    mappings = examples() / "mappings"

    def say(line: str) -> None:
        print(show.printable_lines(line), file=sys.stderr if call.json else sys.stdout, flush=True)

    if not once and not call.json:
        beside = _pages(listen, say)
        with _told_to_stop() as stop, opened(people, seed, mappings, say, past=past, beside=beside) as scene:
            _Picture.watch(scene, lambda look: live(scene, seed, stop, look))
        show.line("The company is gone; nothing of it is left.")
        return
    with opened(people, seed, mappings, say, past=past) as scene:
        result = play(scene, seed)
    if call.json:
        show.as_json(result)
    else:
        _tell(result)
    ends_with(0 if result["converged"] else EXIT_FAULT)


@contextmanager
def _told_to_stop() -> Iterator[threading.Event]:
    """Set by Ctrl-C and SIGTERM: everything is put away properly."""
    from syncd.daemon import Signals

    stop = threading.Event()
    with Signals({number: lambda *_: stop.set() for number in (signal.SIGINT, signal.SIGTERM)}):
        yield stop


def _pages(listen: str | None, say: Callable[[str], None]) -> Callable[[Files], Any]:
    """The dashboard beside the demo, at its usual address; where that is taken and none was asked for, at any port."""

    @contextmanager
    def beside(files: Files) -> Iterator[None]:
        from syncd.assembly import Clock
        from syncd.errors import ConfigError
        from syncd.web.serving import serve

        usual = files.settings.dashboard
        try:
            pages = usual if listen is None else usual.at(listen)
        except ValueError as error:
            raise ConfigError(f"--listen: {error}") from None
        try:
            server = serve(files, pages, os.environ, Clock(), lambda name, **facts: None)
        except ConfigError:
            if listen is not None:
                raise
            server = serve(files, usual.at(ANY_PORT), os.environ, Clock(), lambda name, **facts: None)
        say(f"The dashboard: {server.address}")
        say(f"Commands in another terminal: syncd status --config {files.settings.file}")
        try:
            yield
        finally:
            server.end()

    return beside


def _tell(result: dict[str, Any]) -> None:
    hand = result["handoff"]
    show.line()
    for name, told in result["objects"].items():
        live = "; ".join(
            f"{side}: " + ", ".join(f"{n} {form}" for form, n in forms.items()) for side, forms in told["live"].items()
        )
        show.line(f"{name}: {live}; {told['links']} links")
        for side, counts in told["writes"].items():
            if counts := {op: n for op, n in counts.items() if n}:
                show.line(f"    written on {side}: " + ", ".join(f"{n} {op}" for op, n in counts.items()))
    show.line("watched: " + ", ".join(f"{n} {name}" for name, n in result["events"].items()))
    show.line(f"conflicts kept: {result['conflicts']}; issues: {result['issues']}")
    show.line("calls: " + ", ".join(f"{n} to {name}" for name, n in result["calls"].items()))
    blocked = sum(hand["blocked"].values())
    show.line(
        f"hand-off: {hand['qualified']} qualified = {hand['delivered']} delivered + {hand['waiting']} waiting"
        f" + {blocked} blocked + {hand['rejected']} rejected + {hand['out_of_scope']} out of scope"
    )
    show.line(f"{result['cycles']} cycles in {result['seconds']} s")
    show.line("converged: both systems say the same, field by field" if result["converged"] else "NOT converged:")
    for difference in result["differences"][:20]:
        show.line(f"  {difference}")


class _Picture:
    """What a terminal shows of the living company; elsewhere the lines alone are printed."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.lines: list[str] = []

    @classmethod
    def watch(cls, scene: Scene, live: Callable[[Callable[[], None]], None]) -> None:
        """Shows it while `live` goes on; that calls what it is given whenever there is something new."""
        if not sys.stdout.isatty():
            live(lambda: None)
            return
        from rich.live import Live

        picture = cls(scene)
        say = scene.say

        def shown(line: str) -> None:
            say(line) if display is None else picture.lines.append(line)

        display: Live | None = None
        scene.say = shown
        with Live(refresh_per_second=4) as started:
            display = started
            live(lambda: started.update(picture.drawn()))

    def drawn(self) -> Any:
        """The numbers, and the last lines."""
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        totals = Table(show_header=True, header_style="bold")
        for column in ("", "there", "links", "created", "updated"):
            totals.add_column(column)
        for name in self.scene.pairing:
            told = self.scene.of_mapping(name)
            for side, forms in told["live"].items():
                writes = told["writes"][side]
                there = ", ".join(f"{n} {form}" for form, n in forms.items())
                made = (str(writes.get("create", 0)), str(writes.get("update", 0)))
                totals.add_row(f"{name} ({side})", there, str(told["links"]), *made)
        for name, system in self.scene.session.systems.items():
            totals.add_row(f"calls to {name}", str(system.calls()))
        return Group(totals, Text("\n".join(show.printable_lines(line) for line in self.lines[-15:])))
