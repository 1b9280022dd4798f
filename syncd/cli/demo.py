"""`demo`: everything at once, on this machine, in half a minute."""

from __future__ import annotations

import random
import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.cli import show
from syncd.cli.call import Call, Config, Debug, Json, ends_with

if TYPE_CHECKING:
    from syncd.demo.scene import Scene


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("demo")(demo)


def demo(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="Play the story once and end, with no terminal needed.")] = False,
    people: Annotated[int, typer.Option("--people", min=20, max=20_000, help="How many people there are.")] = 120,
    past: Annotated[
        int, typer.Option("--past", min=0, max=20_000, help="How many more people the last year brought.")
    ] = 600,
    seed: Annotated[int, typer.Option("--seed", help="The same seed tells the same story.")] = 7,
    config: Config = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Start two sandbox systems with a living company in them, sync both ways, and watch it."""
    from syncd.cli.init import examples
    from syncd.demo.scene import opened, play
    from syncd.errors import EXIT_FAULT

    call = Call.of(context)
    alive = not (once or call.json) and sys.stdout.isatty()

    def say(line: str) -> None:
        print(show.printable_lines(line), file=sys.stderr if call.json else sys.stdout, flush=True)

    with opened(people, seed, examples() / "mappings", say, past=past) as scene:
        result = play(scene, seed)
        if call.json:
            show.as_json(result)
        else:
            _tell(result)
        if alive:
            _live(scene, seed)
    ends_with(0 if result["converged"] else EXIT_FAULT)


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


def _live(scene: Scene, seed: int) -> None:
    """The company goes on living until Ctrl-C."""
    from rich.console import Group
    from rich.live import Live
    from rich.table import Table
    from rich.text import Text

    from syncd.demo.story import Story
    from syncd.demo.trade import Trade

    lines: list[str] = ["The company goes on living; Ctrl-C ends it."]
    scene.say = lines.append
    chance = random.Random(seed + 1)

    def picture() -> Group:
        totals = Table(show_header=True, header_style="bold")
        for column in ("", "there", "links", "created", "updated"):
            totals.add_column(column)
        for name in scene.pairing:
            told = scene.of_mapping(name)
            for side, forms in told["live"].items():
                writes = told["writes"][side]
                there = ", ".join(f"{n} {form}" for form, n in forms.items())
                made = (str(writes.get("create", 0)), str(writes.get("update", 0)))
                totals.add_row(f"{name} ({side})", there, str(told["links"]), *made)
        for name, system in scene.session.systems.items():
            totals.add_row(f"calls to {name}", str(system.calls()))
        return Group(totals, Text("\n".join(show.printable_lines(line) for line in lines[-15:])))

    try:
        with Live(picture(), refresh_per_second=4) as live:
            story, trade = Story(scene.cast, chance), Trade(scene.cast, chance)
            while True:
                deed = chance.choice((story.any_edit, trade.any_deed))()
                lines.append(f"{time.strftime('%H:%M:%S')}  {deed or 'a quiet second'}")
                made = scene.cycle()
                lines.append(f"{time.strftime('%H:%M:%S')}  cycle {scene.totals.cycles}: {made} writes")
                if deed is None:
                    story, trade = Story(scene.cast, chance), Trade(scene.cast, chance)
                live.update(picture())
                time.sleep(1.0)
    except KeyboardInterrupt:
        show.line("The company is gone; nothing of it is left.")
