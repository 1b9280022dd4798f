"""docs/writing-a-connector.md is true: its blocks run, its list of rules is the list of rules."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, cast

from connectors.memory import Settings, connect
from syncd.connector import Connector, Context, ObjectTraits, Outcome
from syncd.contract import RULES

PAGE = Path(__file__).parents[2] / "docs" / "writing-a-connector.md"
MARK = "<!-- rules: kept in step with syncd.contract.RULES by a test -->\n"


def blocks(language: str) -> list[str]:
    """The page's code blocks of a language, in order, each at its own line so that a failure names the place."""
    text = PAGE.read_text(encoding="utf-8")
    found = re.finditer(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return ["\n" * text.count("\n", 0, each.start(1)) + each[1] for each in found]


def test_the_python_of_the_page_runs_as_one_program() -> None:
    """Rule: documentation that is not executed drifts."""
    names: dict[str, Any] = {"__name__": "writing_a_connector"}
    for block in blocks("python"):
        exec(compile(block, str(PAGE), "exec"), names)

    assert names["verdict"].kind == "kept"


def test_the_table_of_the_page_is_a_system() -> None:
    """Rule: what the page tells to put into syncd.toml is taken."""
    (block,) = blocks("toml")
    table = tomllib.loads(block)["systems"]["crm"]
    assert table.pop("connector") == "connectors.memory"

    connector = connect(Settings.model_validate(table), Context("crm", *cast(Any, (None, None, None))))

    assert [found.record.attributes["City"] for found in connector.find("Lead", ["City"], "Email", ["ada@example.com"])]


def test_the_page_lists_every_rule_with_its_sentence() -> None:
    """Rule: a rule that is added, renamed or reworded appears on the page."""
    listed = PAGE.read_text(encoding="utf-8").partition(MARK)[2]
    expected = "\n".join(f"- {'○ ' if rule.read_only else ''}`{rule.name}` {rule.sentence}" for rule in RULES)

    assert listed.strip() == expected


def test_the_page_speaks_of_every_member_outcome_and_trait() -> None:
    """Rule: nothing of the interface is left out."""
    text = PAGE.read_text(encoding="utf-8")
    members = [name for name in vars(Connector) if not name.startswith("_")]
    kinds = re.findall(r"['\"](\w+)['\"]", str(Outcome.__dataclass_fields__["kind"].type))
    traits = [name for name in ObjectTraits.__dataclass_fields__ if not name.endswith("_batch")]

    assert len(members) == 8
    assert len(kinds) == 5
    for name in [*members, *kinds, *traits]:
        assert f"`{name}" in text, name
