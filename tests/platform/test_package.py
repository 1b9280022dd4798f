"""What is shipped and what it is built from: the wheel, the pinned versions, the recipes."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PINNED = ("boot", "build", "run", "dev")


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def pins(which: str) -> dict[str, str]:
    """name -> version of one file of requirements/."""
    text = (ROOT / f"requirements/{which}.txt").read_text()
    return dict(re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)", text, re.MULTILINE))


def named(requirement: str) -> str:
    """`pyjwt[crypto]>=2.10` -> `pyjwt`"""
    found = re.match(r"[A-Za-z0-9_.-]+", requirement)
    assert found
    return found[0].lower().replace("_", "-")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built as `make install` builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (file,) = folder.glob("*.whl")
    assert file.name.endswith("-py3-none-any.whl")
    return zipfile.ZipFile(file)


def test_the_wheel_holds_the_engine_the_connectors_and_the_examples(wheel: zipfile.ZipFile) -> None:
    """Every module of both packages, and the mappings and schemas that `init` and `demo` start from; nothing else."""
    held = set(wheel.namelist())
    modules = {str(path.relative_to(ROOT)) for top in ("syncd", "connectors") for path in (ROOT / top).rglob("*.py")}
    assert modules <= held
    examples = {f"syncd/examples/{path.relative_to(ROOT)}" for path in (ROOT / "mappings").glob("*.toml")}
    assert examples
    assert examples | {"syncd/examples/schemas/settings.json"} <= held
    tops = {name.split("/")[0] for name in held}
    assert tops == {"syncd", "connectors", f"syncd-{project()['project']['version']}.dist-info"}
    assert not [name for name in held if name.endswith((".pyc", ".db")) or "/test" in name]


def test_the_wheel_installs_the_command(wheel: zipfile.ZipFile) -> None:
    """`syncd` on the path is `syncd.cli:main`."""
    (entry,) = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    assert "syncd = syncd.cli:main" in wheel.read(entry).decode()


@pytest.mark.parametrize("which", PINNED)
def test_every_pinned_version_has_its_hashes_and_no_address(which: str) -> None:
    """What is installed is what was tested, from whatever mirror a company uses."""
    text = (ROOT / f"requirements/{which}.txt").read_text()
    assert "://" not in text
    assert not re.search(r"^\s*(-|--)(i|index|extra|find)", text, re.MULTILINE)
    blocks = re.split(r"\n(?=\S)", text.strip())
    assert blocks
    for block in blocks:
        assert re.match(r"[A-Za-z0-9_.-]+==\S+", block), block
        assert "--hash=sha256:" in block, block


def test_the_pinned_versions_are_those_of_the_project() -> None:
    """`make lock` was run after the last change of pyproject.toml's dependencies."""
    declared, groups = project()["project"]["dependencies"], project()["dependency-groups"]
    assert {named(line) for line in declared} <= pins("run").keys()
    assert {named(line) for line in groups["dev"] if isinstance(line, str)} <= pins("dev").keys()
    assert {named(line) for line in groups["build"]} <= pins("build").keys()
    assert {named(line) for line in groups["boot"]} <= pins("boot").keys()
    for line in declared:
        if "==" in line:
            assert pins("run")[named(line)] == line.split("==")[1]


def test_one_version_of_each_package_is_pinned() -> None:
    """The tests run on what is installed on a server."""
    dev = pins("dev")
    for which in ("run", "build"):
        for name, version in pins(which).items():
            assert dev[name] == version


def test_make_lists_every_target_it_promises() -> None:
    """`make` alone is the table of contents."""
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True).stdout
    for target in ("demo", "test", "check", "bench", "install", "lock"):
        assert re.search(rf"^  make {target} +\S", listed, re.MULTILINE), target


@pytest.mark.parametrize("script", [".ci/run", "packaging/install.sh"])
def test_the_scripts_are_executable_and_parse(script: str) -> None:
    """A lost mode bit or a typing error would be met on the server only."""
    path = ROOT / script
    assert path.stat().st_mode & 0o111
    shell = path.read_text().splitlines()[0].rsplit("/", 1)[1].removeprefix("env ")
    assert subprocess.run([shell, "-n", str(path)], timeout=30, check=False).returncode == 0
