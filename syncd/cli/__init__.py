"""The command line. `main` is what `syncd` runs: arguments in, exit code out.

Promise: whatever goes wrong ends in one plain message on standard error and the exit code that the design names for
it; facts go to standard output and nothing else does. It knows no command: those are in the files beside it.
"""

from __future__ import annotations

import contextlib
import signal
import sys

EXIT_INTERRUPTED = 130
EXIT_PIPE = 141
"""Whoever read our output went away: the shell's own number for it."""


def main(arguments: list[str] | None = None) -> None:
    """Runs one command and ends the process."""
    code = outcome(sys.argv[1:] if arguments is None else arguments)
    with contextlib.suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # what is done is done: a late Ctrl-C does not undo its exit code
    sys.exit(code)


def outcome(arguments: list[str]) -> int:
    """Runs one command; returns its exit code."""
    import typer

    from syncd.errors import EXIT_CONFIG, EXIT_FAULT, LedgerError, SyncdError

    debug = "--debug" in arguments
    try:
        from syncd.cli.app import command

        done = command()(args=arguments or ["--help"], prog_name="syncd", standalone_mode=False)
        sys.stdout.flush()
        if done == EXIT_INTERRUPTED:  # what typer makes of Ctrl-C
            say("interrupted")
        return done if isinstance(done, int) else 0
    except (typer.Abort, KeyboardInterrupt):
        say("interrupted")
        return EXIT_INTERRUPTED
    except (BrokenPipeError, SystemExit):  # SystemExit: what typer makes of a broken pipe
        _close_output()
        return EXIT_PIPE
    except SyncdError as error:
        if debug:
            _trace()
        say(str(error))
        return error.exit_code
    except typer.TyperException as wrong:  # the command line itself: unknown option, missing argument
        _say_usage(wrong)
        return EXIT_CONFIG
    except Exception as bug:
        if debug:
            _trace()
        if _is_damage(bug):
            say(
                "A document in the ledger cannot be read: the ledger is damaged. Put a backup back: `syncd ledger restore FILE`."
            )
            return LedgerError.exit_code
        say(f"our own fault: {type(bug).__name__}. Run it again with --debug for the place, and report it.")
        return EXIT_FAULT


def _is_damage(bug: Exception) -> bool:
    """Whether a stored document was cut off, or is none: what vendors and files say is checked where it is read."""
    import json

    import msgspec

    return isinstance(bug, json.JSONDecodeError | msgspec.DecodeError)


def say(text: str) -> None:
    """One message to a person, on standard error."""
    from syncd.cli.show import printable_lines

    with contextlib.suppress(OSError):  # nobody listens any more
        print(f"syncd: {printable_lines(text)}", file=sys.stderr, flush=True)


def _say_usage(wrong: Exception) -> None:
    context = getattr(wrong, "ctx", None)
    say(wrong.format_message() if hasattr(wrong, "format_message") else str(wrong))
    if context is not None:
        print(f"  See `{context.command_path} --help`.", file=sys.stderr)


def _trace() -> None:
    import traceback

    traceback.print_exc()


def _close_output() -> None:
    """Keeps Python from complaining about the closed pipe at its end."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
