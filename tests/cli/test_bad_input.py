"""Whatever is wrong, in files, in the world or on the command line: a clear word, the right exit code, nothing lost."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.cli.shop import Shop


def breaks(shop: Shop, code: int, *words: str) -> None:
    """Acting and checking both end with this code and name what is wrong."""
    for command in (("once", "--yes"), ("check",)):
        done = shop.run(*command)
        assert done.code == code, (command, done.code, done.err)
        for word in words:
            assert word in done.err + done.out, (command, word)
    assert shop.mk.keys("contacts") == []


def test_malformed_toml_names_line_and_column(shop: Shop) -> None:
    """Both kinds of file: exit 2, file:line:column."""
    shop.lead()
    shop.edit(shop.mapping, "[match]", "[match")
    breaks(shop, 2, "people.toml:5:")

    shop.edit(shop.mapping, "[match", "[match]")
    shop.mapping.write_text(shop.mapping.read_text().replace("[match]]", "[match]"))
    shop.edit(shop.config, 'every = "60s"', "every = = 3")
    breaks(shop, 2, "syncd.toml:5:")


def test_all_problems_of_all_files_are_told_at_once(shop: Shop) -> None:
    """Nobody mends one error to meet the next one."""
    shop.edit(shop.config, 'every = "60s"', "evry = 60")
    shop.edit(shop.mapping, 'clash = "hold"', 'clash = "maybe"')

    done = shop.run("check", "--json")

    assert done.code == 2
    files = {Path(problem["file"]).name for problem in done.json["problems"]}
    assert files == {"syncd.toml", "people.toml"}
    assert all(problem["line"] for problem in done.json["problems"])


@pytest.mark.parametrize(
    ("before", "after", "word"),
    [
        ('marketing = "jobtitle"', 'marketing = "jobtitle"\nflwo = "both"', "did you mean 'flow'"),
        ('type = "number"', 'type = "numbr"', "number"),
        ('by = ["email"]', 'by = "email"', "people.toml"),
        ("'email != \"\"'", "'email !! 3'", "people.toml"),
        ("'email != \"\"'", "'emial != \"\"'", "emial"),
    ],
    ids=["unknown key", "wrong word", "wrong type", "broken expression", "unknown field in an expression"],
)
def test_a_wrong_mapping_is_refused_with_its_place(shop: Shop, before: str, after: str, word: str) -> None:
    """Unknown keys, wrong types and broken expressions: exit 2 with the place and a way to mend it."""
    shop.lead()
    shop.edit(shop.mapping, before, after)

    breaks(shop, 2, "people.toml:", word)


def test_a_missing_secret_is_named_and_never_shown(shop: Shop) -> None:
    """The variable's name, its place in the file, exit 2."""
    shop.lead()
    shop.config.write_text(
        shop.config.read_text()
        + '[systems.hs]\nconnector = "connectors.hubspot"\nbase_url = "http://127.0.0.1:1"\ntoken = { env = "NO_SUCH" }\n'
    )

    breaks(shop, 2, "NO_SUCH", "syncd.toml:")


def test_a_secret_in_plain_text_is_refused_and_not_repeated(shop: Shop) -> None:
    """A secret in the file is a leak: exit 2, and the message does not leak it again."""
    shop.config.write_text(
        shop.config.read_text() + '[systems.hs]\nconnector = "connectors.hubspot"\ntoken = "pat-very-secret"\n'
    )

    for command in (("once",), ("check",), ("check", "--debug")):
        done = shop.run(*command)
        assert done.code == 2
        assert "pat-very-secret" not in done.err + done.out


def test_a_mapping_of_an_unknown_system_is_refused(shop: Shop) -> None:
    """The mapping names a system that syncd.toml does not have."""
    shop.edit(shop.config, "[systems.sf]", "[systems.crm]")

    breaks(shop, 2, "'sf'", "no such system")


def test_another_account_than_the_pinned_one_is_refused(shop: Shop) -> None:
    """Wrong credentials must never fill one ledger with two companies: exit 3, nothing is written."""
    shop.lead()
    shop.ok("once", "--yes")
    shop.sf.account = type(shop.sf.account)("another", "Another", writer="syncd")
    shop.lead(Email="grace@example.test", LastName="Hopper")

    done = shop.run("once", "--yes", "--json")

    assert done.code == 3
    assert "another account" in done.json["trouble"]["sf"]
    assert len(shop.mk.keys("contacts")) == 1


def test_a_ledger_of_a_newer_version_is_not_touched(shop: Shop) -> None:
    """Exit 3 for acting and looking, exit 2 for check; the file stays as it is."""
    shop.lead()
    shop.ok("once", "--yes")
    ledger = shop.folder / "ledger.db"
    with sqlite3.connect(ledger) as database:
        database.execute("PRAGMA user_version = 99")

    for command in (("once",), ("status",), ("plan",)):
        done = shop.run(*command)
        assert done.code == 3, command
        assert "newer" in done.err
    assert shop.run("check").code == 2
    with sqlite3.connect(ledger) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (99,)


def test_a_damaged_ledger_is_told_and_kept(shop: Shop) -> None:
    """Garbage where the ledger was: exit 3, and the file is not overwritten."""
    ledger = shop.folder / "ledger.db"
    ledger.write_bytes(b"this is no ledger" * 500)

    for command in (("once",), ("status",)):
        done = shop.run(*command)
        assert done.code == 3, command
        assert "damaged" in done.err
    assert ledger.read_bytes().startswith(b"this is no ledger")


def test_a_ledger_that_others_can_read_is_a_problem(shop: Shop) -> None:
    """People's data is in it: mode 0600, or check says so."""
    shop.lead()
    shop.ok("once", "--yes")
    (shop.folder / "ledger.db").chmod(0o644)

    done = shop.run("check")

    assert done.code == 2
    assert "chmod 600" in done.out


def test_a_folder_where_the_ledger_should_be_is_told(shop: Shop) -> None:
    """A path that is no file is a plain message, not a trace."""
    (shop.folder / "ledger.db").mkdir()

    assert shop.run("check").code == 2
    assert shop.run("once").code == 3


def test_a_ledger_without_room_loses_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """No page left to write an intent into: nothing is sent, exit 1, and it goes on once there is room."""
    shop.lead()
    shop.ok("once", "--yes")
    for n in range(400):
        shop.lead(Email=f"p{n}@example.test", LastName="x" * 70)
    from syncd.ledger import store

    connect = store._connect
    pages = 0

    def bounded(path: Path, *, read_only: bool) -> sqlite3.Connection:
        connection = connect(path, read_only=read_only)
        if pages and not read_only:
            connection.execute(f"PRAGMA max_page_count = {pages}")
        return connection

    monkeypatch.setattr(store, "_connect", bounded)
    with sqlite3.connect(shop.folder / "ledger.db") as database:
        pages = database.execute("PRAGMA page_count").fetchone()[0] + 5

    done = shop.run("once", "--yes")

    assert done.code == 1
    assert "could not be written" in done.err
    assert len(shop.mk.keys("contacts")) == 1
    pages = 0
    shop.ok("once", "--yes")
    assert len(shop.mk.keys("contacts")) == 401
    assert shop.ok("journal", "verify")["holds"] is True


def test_mistakes_on_the_command_line_are_exit_2_with_a_hint(shop: Shop) -> None:
    """A misspelt command, an unknown option, a missing argument."""
    for arguments, word in (
        (("stauts",), "Did you mean 'status'"),
        (("once", "--yess"), "--yess"),
        (("approve",), "MAPPING"),
        (("links", "--limit", "0"), "--limit"),
        (("approve", "people", "--plan", "zzz"), "digest"),
        (("backfill", "people", "--since", "yesterday"), "--since"),
        (("backfill", "people", "--field", "titel"), "--field"),
        (("backfill", "people", "--where", "titel == 1"), "--where"),
    ):
        done = shop.run(*arguments)
        assert done.code == 2, (arguments, done.err)
        assert word in done.err, (arguments, done.err)


def test_no_settings_file_says_how_to_get_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing there at all: exit 2 and the command that writes a first one."""
    from syncd.cli import outcome

    monkeypatch.chdir(tmp_path)

    assert outcome(["status"]) == 2
    assert "syncd init" in capsys.readouterr().err


def test_a_bug_of_ours_is_exit_70_and_one_line(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """No trace unless asked for, and never a person's value; --debug shows the place."""
    monkeypatch.setattr("syncd.view.records.links", lambda *_: 1 / 0)

    done, debug = shop.run("links"), shop.run("links", "--debug")

    assert (done.code, debug.code) == (3, 3)  # there is no ledger yet: told before anything else
    shop.lead()
    shop.ok("once", "--yes")
    done, debug = shop.run("links"), shop.run("links", "--debug")
    assert (done.code, debug.code) == (70, 70)
    assert "Traceback" not in done.err
    assert "ZeroDivisionError" in done.err
    assert "Traceback" in debug.err


def test_ctrl_c_is_exit_130_and_one_line(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupted command says so plainly; what it did so far is kept."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    shop.lead()
    shop.ok("once", "--yes")
    monkeypatch.setattr("syncd.view.records.links", interrupt)

    done = shop.run("links")

    assert done.code == 130
    assert done.err == "syncd: interrupted\n"


def test_shared_options_may_stand_before_or_after_the_command(shop: Shop) -> None:
    """--json and --config mean the same in both places, and at every depth."""
    from syncd.cli import outcome

    shop.lead()
    shop.ok("once", "--yes")
    config = str(shop.config)
    for arguments in (
        ["--json", "--config", config, "issues"],
        ["issues", "--json", "--config", config],
        ["issues", f"--config={config}", "--json"],
    ):
        shop.capsys.readouterr()
        assert outcome(arguments) == 0
        assert shop.capsys.readouterr().out == "[]\n"
    assert outcome(["--json", "journal", "verify", "--config", config]) == 0
    assert '"holds":true' in shop.capsys.readouterr().out
