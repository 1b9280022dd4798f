"""What users start from: every file in mappings/ is right, and they are right together."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from syncd.assembly import load_mappings
from syncd.cli.init import write
from syncd.core.compile import check_together, compile_mapping
from syncd.core.funnel import compile_funnel
from syncd.core.mapping import Mapping

WATCHED = {"LeadHistory", "Task", "Event", "OpportunityContactRole", "OpportunityHistory", "contacts"}
FOLDER = Path(__file__).parents[2] / "mappings"
FUNNEL = compile_funnel((FOLDER / "funnel.toml").read_text(), "funnel.toml", None)[0]


def compiled(name: str) -> Mapping:
    mapping, problems = compile_mapping((FOLDER / name).read_text(), name, FUNNEL)
    assert mapping is not None, "\n".join(map(str, problems))
    return mapping


def mappings() -> list[str]:
    return [name for name in files() if "kind" not in tomllib.loads((FOLDER / name).read_text())]


def files() -> list[str]:
    return sorted(path.name for path in FOLDER.glob("*.toml") if path.name != "funnel.toml")


def test_init_writes_all_of_them(tmp_path: Path) -> None:
    """A file that init forgets would be known to nobody, and so would the schema that it names."""
    written, _ = write(tmp_path, "")

    assert {path.name for path in written} >= {*files(), "funnel.toml"}
    for name in files():
        first = (FOLDER / name).read_text().splitlines()[0]
        assert (tmp_path / "mappings" / first.removeprefix("#:schema ")).resolve() in [one.resolve() for one in written]


@pytest.mark.parametrize("name", files())
def test_each_names_its_schema_and_says_what_it_is(name: str) -> None:
    """The first line is for the editor, the second for people."""
    first, second, *_ = (FOLDER / name).read_text().splitlines()
    kind = tomllib.loads((FOLDER / name).read_text()).get("kind", "mapping")
    assert first == f"#:schema ../schemas/{kind}.json"
    assert second.startswith("# ")


def test_they_compile_together() -> None:
    """No attribute has two writers, no two files lead a value in a circle, and links and roll-ups lead somewhere."""
    assert check_together([compiled(name) for name in mappings()]) == []
    loaded = load_mappings(FOLDER)
    assert loaded.problems == ()
    assert {name.removesuffix(".toml") for name in mappings()} | {"campaigns", "campaigns-lists"} == set(loaded.by_name)
    assert {one.end.object for one in loaded.watches.values()} == WATCHED


def test_a_plan_of_them_tells_parents_before_children() -> None:
    """Effects are shown in the order in which they are sent: companies, people and lists before what points to them."""
    found = load_mappings(FOLDER)
    names = list(found.every())
    assert names.index("companies") < names.index("people") < names.index("deals")
    assert max(names.index("people"), names.index("campaigns-lists")) < names.index("campaigns")
    assert set(names[: len(found.by_name)]) == set(found.by_name)


def test_a_deal_has_one_stage_in_each_pipeline() -> None:
    """A renewal that is won in sales is won among the renewals, and sales' finer stages are not written over."""
    stage = compiled("deals.toml").field("stage")

    assert stage.render("marketing", "Renewals/Closed Won", "7001/70011") == "7001/70013"
    assert stage.render("marketing", "New Business/Closed Won", "default/contractsent") == "default/closedwon"
    assert stage.render("crm", "default/decisionmakerboughtin", "New Business/Perception Analysis") == (
        "New Business/Perception Analysis"
    )


def test_every_stage_that_is_rolled_up_has_an_outcome() -> None:
    """People and companies tell won, lost or open of every stage that deals.toml lists."""
    stage = compiled("deals.toml").field("stage")
    listed = {*stage.values.values(), *stage.alike}
    for name in ("people.toml", "companies.toml"):
        outcome = compiled(name).field("last_outcome")
        assert {*outcome.values.values(), *outcome.alike} == listed


def test_companies_are_found_by_domain_and_made_by_sales_only() -> None:
    """HubSpot makes a company for every address: none of them becomes an account by itself."""
    companies = compiled("companies.toml")

    assert companies.create["crm"] is None
    assert companies.create["marketing"] is not None
    assert companies.field("kind").canonical("crm", "Customer - Channel") == "Customer - Direct"
    assert companies.field("domain").canonical("crm", "https://www.acme.com/en") == "acme.com"
