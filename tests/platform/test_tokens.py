"""Tokens that a system replaces survive a restart, and never a change of the secret by a person."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from syncd.errors import LedgerError
from syncd.tokens import Tokens


def test_a_replaced_token_is_used_after_a_restart(tmp_path: Path) -> None:
    """Rotation: the old token is dead, so the new one must be on disk, readable by us alone."""
    file = tmp_path / "ledger.db.tokens"
    first = Tokens(file, "salesforce", lambda ref, name: "from-the-file")
    assert first.secret({}, "refresh_token") == "from-the-file"
    first.save("refresh_token", "replaced")

    assert Tokens(file, "salesforce", lambda ref, name: "from-the-file").secret({}, "refresh_token") == "replaced"
    assert os.stat(file).st_mode & 0o777 == 0o600
    assert "replaced" not in repr(first)


def test_a_secret_that_a_person_changed_wins(tmp_path: Path) -> None:
    """A new consent must not be shadowed by what came of the old one."""
    file = tmp_path / "ledger.db.tokens"
    old = Tokens(file, "salesforce", lambda ref, name: "old")
    old.secret({}, "refresh_token")
    old.save("refresh_token", "replaced")

    assert Tokens(file, "salesforce", lambda ref, name: "new").secret({}, "refresh_token") == "new"
    assert Tokens(file, "hubspot", lambda ref, name: "old").secret({}, "refresh_token") == "old"


def test_a_damaged_file_is_named_and_shows_nothing(tmp_path: Path) -> None:
    """The message names the file and no content."""
    file = tmp_path / "ledger.db.tokens"
    file.write_text("{secret")
    with pytest.raises(LedgerError, match="tokens") as caught:
        Tokens(file, "x", lambda ref, name: "y").secret({}, "token")
    assert "{secret" not in str(caught.value)
