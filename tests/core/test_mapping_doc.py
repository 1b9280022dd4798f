"""docs/mapping.md is executed: every example compiles, every refusal refuses, and every key is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel
from sketch import FUNNEL

from syncd.core import funnelfile, mappingfile
from syncd.core.derived import NAMES
from syncd.core.expr import Language
from syncd.core.fieldmaker import CEL_KINDS
from syncd.core.funnel import compile_funnel
from syncd.core.kinds import compile_file
from syncd.core.membershipfile import CampaignMemberPart, MemberPart, MembershipFile, NamedPart
from syncd.core.watchfile import WatchedPart, WatchFile

TEXT = (Path(__file__).parents[2] / "docs/mapping.md").read_text()
BLOCKS = re.findall(r"^```toml( refused)?\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
WHOLE = BLOCKS[0][1]


@pytest.mark.parametrize(("refused", "block"), BLOCKS, ids=[block.split("\n")[0] for _, block in BLOCKS])
def test_every_example_does_what_is_said_of_it(refused: str, block: str) -> None:
    """An example that is pasted into a mapping works, and what is said to be refused is."""
    if "[qualified]" in block:
        assert compile_funnel(block, "funnel.toml", None)[1] == []
        return
    funnel, _ = compile_funnel(FUNNEL, "funnel.toml", None)
    text = block if "mapping " in block or "kind " in block else f"{WHOLE}\n{block}"
    _, problems = compile_file(text, "people.toml", funnel, frozenset({"deals", "people"}))

    assert bool(problems) == bool(refused), problems


def test_the_whole_examples_count() -> None:
    """The pattern above finds them: this test would notice if it did not."""
    assert len(BLOCKS) >= 11
    assert sum(bool(refused) for refused, _ in BLOCKS) >= 5


def test_every_key_and_type_is_told() -> None:
    """A key that the file takes and the manual does not mention would be known to nobody."""
    parts: list[type[BaseModel]] = [
        *(mappingfile.MappingFile, mappingfile.EndPart, mappingfile.MatchPart, mappingfile.ScopePart),
        *(mappingfile.FieldPart, mappingfile.GonePart, mappingfile.RollupPart),
        *(one for one in vars(funnelfile).values() if isinstance(one, type) and issubclass(one, funnelfile.Part)),
        *(WatchFile, WatchedPart, MembershipFile, MemberPart, CampaignMemberPart, NamedPart),
    ]
    keys = {info.alias or name for part in parts for name, info in part.model_fields.items()}
    told = (
        set(re.findall(r"`(\w+)`", TEXT))
        | set(re.findall(r"\[(\w+)[\].]", TEXT))
        | set(re.findall(r"`\[\w+\] (\w+)", TEXT))
    )

    assert sorted((keys | CEL_KINDS.keys()) - told) == []


def test_every_word_of_the_funnel_is_told() -> None:
    """What can be a field is in the manual, and nothing else is."""
    rows = [row for row in TEXT.splitlines() if row.startswith(("| `funnel.", "| `clock."))]
    told = {name for row in rows for name in re.findall(r"`((?:funnel|clock)\.\w+)`", row.split("|")[1])}
    assert told == set(NAMES)


def test_the_functions_that_are_told_exist() -> None:
    """Each line of the table of functions is an expression that compiles."""
    language = Language({"stage": "text", "topics": "texts", "born": "moment", "score": "number", "name": "text"})
    for text in (
        'stage in ["lead", "customer"] && "news" in topics && topics.exists(t, t == "news") && topics.all(t, t != "")',
        'name.startsWith("a") || name.endsWith("b") || name.contains("c") || name.matches("^a") || size(name) > 2',
        'name + "x" == "ax" && born < timestamp("2000-01-01T00:00:00Z") && born.getFullYear() > 1990',
        "score * 2.0 > 5 && int(score) == 3 && double(3) == score && (score > 1 ? true : false)",
    ):
        assert language.compile(text)[1] == []
