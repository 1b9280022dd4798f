"""The systemd unit: valid, hardened, and Python's own parts live under it."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "packaging/syncd.service"
WORST = 15
"""Exposure in tenths: systemd's own scale from 0 to 100."""

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed (Debian: apt install systemd)"
)


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "SYSTEMD_PAGER": "", "LC_ALL": "C"},
    )


def copy(tmp_path: Path, find: str = "/opt/syncd/bin/syncd", write: str = "/bin/true") -> str:
    """The unit with a program that exists, as `verify` insists, or with a line changed."""
    text = UNIT.read_text()
    assert find in text
    unit = tmp_path / "syncd.service"
    unit.write_text(text.replace("/opt/syncd/bin/syncd", "/bin/true").replace(find, write))
    return str(unit)


@needs_systemd
def test_systemd_finds_nothing_to_say_about_the_unit(tmp_path: Path) -> None:
    """`systemd-analyze verify` is silent; and speaks about a misspelt setting."""
    good = analyze("verify", copy(tmp_path))
    assert (good.returncode, good.stderr) == (0, "")
    bad = analyze("verify", copy(tmp_path, "ProtectHome=", "ProtectHouse="))
    assert "ProtectHouse" in bad.stderr


@needs_systemd
def test_the_unit_exposes_no_more_than_it_must(tmp_path: Path) -> None:
    """At most 1.5 of 10 by `systemd-analyze security`; a unit without its protections is beyond that."""
    good = analyze("security", "--offline=true", f"--threshold={WORST}", "--no-pager", copy(tmp_path))
    assert good.returncode == 0, good.stdout + good.stderr
    bare = copy(tmp_path, "CapabilityBoundingSet=\n", "")
    assert analyze("security", "--offline=true", f"--threshold={WORST}", "--no-pager", bare).returncode != 0


def test_the_unit_says_what_the_daemon_relies_on() -> None:
    """Readiness, watchdog, reload, a stop that outlives the drain, no restart where restarting is useless, and state
    that nobody else reads."""
    unit = configparser.RawConfigParser(strict=False, allow_no_value=True)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(UNIT.read_text())
    service = unit["Service"]
    assert service["Type"] == "notify"
    assert service["ExecStart"] == "/opt/syncd/bin/syncd run --config /etc/syncd/syncd.toml"
    assert int(service["WatchdogSec"]) >= 60
    assert int(service["TimeoutStopSec"]) > 60  # the drain's own limit is 60 s
    assert set(service["RestartPreventExitStatus"].split()) == {"2", "3"}
    assert (service["StateDirectory"], service["StateDirectoryMode"], service["UMask"]) == ("syncd", "0700", "0077")
    assert service["DynamicUser"] == "yes"
    assert "HUP" in service["ExecReload"]


UNDER_MDWE = """
import ctypes, mmap, sys
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(65, 1, 0, 0, 0):  # PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN
    sys.exit(75)
code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE)
address = ctypes.addressof(ctypes.c_char.from_buffer(code))
if not libc.mprotect(ctypes.c_void_p(address), 4096, 5):
    sys.exit("the kernel let memory become executable: this proves nothing")
import msgspec, orjson, pydantic, tree_sitter, tree_sitter_toml, xxhash, sqlite3, ssl
from cryptography.hazmat.primitives import hashes
from cel_expr_python import cel
env = cel.NewEnv(variables={"score": cel.Type.INT})
assert env.compile("score > 40 && score < 60").eval(data={"score": 50}).value() is True
tree_sitter.Parser(tree_sitter.Language(tree_sitter_toml.language())).parse(b"a = 1")
print("fine")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="a Linux setting")
def test_the_compiled_parts_live_without_writable_code() -> None:
    """MemoryDenyWriteExecute= kills what generates code at run time. The kernel's own form of it (PR_SET_MDWE) is
    switched on in a child, shown to bite, and expressions, parsers, hashes, TLS and SQLite work under it."""
    child = subprocess.run([sys.executable, "-c", UNDER_MDWE], capture_output=True, text=True, timeout=60, check=False)
    if child.returncode == 75:
        pytest.skip("this kernel has no PR_SET_MDWE (Linux 6.3 and newer)")
    assert child.stdout == "fine\n", child.stderr
