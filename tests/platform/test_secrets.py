"""Secrets by reference: where they may come from, and that they never show."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

from syncd.errors import ConfigError
from syncd.secrets import Secret, Secrets


def secrets(folder: Path, **environ: str) -> Secrets:
    return Secrets(folder / "syncd.toml", environ, "systems.hubspot", {"token": (4, 9)})


def private(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_secret_is_read_from_each_of_its_three_places(tmp_path: Path) -> None:
    """Environment, systemd credential, private file; the line's end is not part of it, inner lines are."""
    private(tmp_path / "token", "from-file\n")
    private(tmp_path / "key.pem", "-----BEGIN\nabc\n-----END\n", 0o400)
    (tmp_path / "creds").mkdir()
    private(tmp_path / "creds" / "hubspot-token", "from-systemd\n", 0o440)
    source = secrets(tmp_path, TOKEN="from-env", CREDENTIALS_DIRECTORY=str(tmp_path / "creds"))
    assert source.reveal({"env": "TOKEN"}, "token") == "from-env"
    assert source.reveal({"credential": "hubspot-token"}, "token") == "from-systemd"
    assert source.reveal({"file": "token"}, "token") == "from-file"
    assert source.reveal({"file": str(tmp_path / "token")}, "token") == "from-file"
    assert source.reveal({"file": "key.pem"}, "private_key") == "-----BEGIN\nabc\n-----END"


def test_a_rotated_secret_is_seen_at_the_next_look(tmp_path: Path) -> None:
    """Nothing is kept: the next connection reads again."""
    file = private(tmp_path / "token", "old")
    source = secrets(tmp_path)
    assert source.reveal({"file": "token"}, "token") == "old"
    private(file, "new")
    assert source.reveal({"file": "token"}, "token") == "new"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o777])
def test_a_file_that_others_may_open_is_refused_with_the_command_that_mends_it(tmp_path: Path, mode: int) -> None:
    """Mode 0600 or stricter, or nothing."""
    file = private(tmp_path / "token", "secret", mode)
    with pytest.raises(ConfigError, match=rf"open to others \(mode {mode:04o}\).*chmod 600 {file}"):
        secrets(tmp_path).resolve({"file": "token"}, "token")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_refused(tmp_path: Path) -> None:
    """Its owner could change it, or already has."""
    os.chown(private(tmp_path / "token", "secret"), 12345, 12345)
    with pytest.raises(ConfigError, match="belongs to another user"):
        secrets(tmp_path).resolve({"file": "token"}, "token")


def test_what_is_missing_or_no_plain_file_is_told_with_setting_and_place(tmp_path: Path) -> None:
    """Missing, empty, a folder, a pipe (which would wait for ever), too large, not text: each has its own words."""
    os.mkfifo(tmp_path / "pipe", 0o600)
    private(tmp_path / "empty", "\n")
    private(tmp_path / "large", "x" * 70_000)
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "binary").chmod(0o600)
    source = secrets(tmp_path, EMPTY="", CREDENTIALS_DIRECTORY=str(tmp_path))
    for ref, words in (
        ({"env": "NONE"}, "the environment variable NONE is not set"),
        ({"env": "EMPTY"}, "EMPTY is empty"),
        ({"file": "none"}, "No such file"),
        ({"file": "."}, "is not a plain file"),
        ({"file": "pipe"}, "is not a plain file"),
        ({"file": "empty"}, "is empty"),
        ({"file": "large"}, "larger than"),
        ({"file": "binary"}, "is not text"),
        ({"credential": "none"}, "No such file"),
        ({"credential": "../token"}, "letters, digits"),
        ({"env": ""}, "must name where"),
        ({"env": "A", "file": "b"}, "is not a reference"),
        ({"vault": "x"}, "is not a reference"),
        (None, "is not a reference"),
    ):
        with pytest.raises(ConfigError) as caught:
            source.resolve(ref, "token")
        assert words in str(caught.value)
        assert str(caught.value).startswith(f"{tmp_path}/syncd.toml:4:9: 'systems.hubspot.token': ")


def test_a_credential_outside_the_unit_says_how_to_start(tmp_path: Path) -> None:
    """Without $CREDENTIALS_DIRECTORY the remedy names the unit's line."""
    with pytest.raises(ConfigError, match="LoadCredential=hubspot-token:PATH"):
        secrets(tmp_path).resolve({"credential": "hubspot-token"}, "token")


def test_a_secret_written_into_the_file_is_refused_and_not_repeated(tmp_path: Path) -> None:
    """It is in backups and history by now: the remedy says to change it. What is no secret may be written."""
    with pytest.raises(ConfigError, match=r"plain text.*change the exposed secret") as caught:
        secrets(tmp_path).resolve("pat-canary", "token")
    assert "canary" not in str(caught.value)
    assert secrets(tmp_path).reveal("sandbox-client", "client_id") == "sandbox-client"


def test_a_secret_shows_in_no_form_of_text() -> None:
    """repr, str, format, %-format, containers, pickles and error texts."""
    secret = Secret("canary")
    shown = f"{secret} {secret!r} {secret:>20} {[secret]} { ({'token': secret}) }" + "%s" % secret  # noqa: UP031
    assert "canary" not in shown
    assert "***" in shown
    assert not hasattr(secret, "__dict__")
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    assert secret == Secret("canary")
    assert secret != "canary"
