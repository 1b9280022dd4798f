"""The demo converges, and its judge can say no; the sandbox is ready to use as it is written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.cli import outcome
from syncd.demo import judge
from syncd.demo.company import Cast, populate
from syncd.demo.scene import Scene, opened
from syncd.demo.stage import VENDORS, Stage
from syncd.demo.story import Story

ROOT = Path(__file__).parents[2]


def test_the_demo_converges_and_prints_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    """`demo --once --json` needs no terminal, ends with exit 0, and its hand-off sums to zero."""
    assert outcome(["demo", "--once", "--json", "--people", "40", "--past", "0", "--seed", "3"]) == 0

    out, err = capsys.readouterr()
    facts = json.loads(out)
    assert facts["converged"] is True
    assert facts["differences"] == []
    assert set(facts) >= {
        *("people", "links", "writes", "calls", "held", "issues", "conflicts", "handoff", "cycles", "seconds"),
    }
    hand = facts["handoff"]
    assert (
        hand["qualified"]
        == hand["delivered"] + hand["waiting"] + sum(hand["blocked"].values()) + hand["rejected"] + hand["out_of_scope"]
    )
    assert hand["qualified"] > 0
    assert facts["writes"]["crm"]["create"] > 0
    companies = facts["objects"]["companies"]
    assert companies["links"] == companies["live"]["crm"]["Account"] > 0
    assert companies["writes"]["marketing"]["create"] > 0
    deals = facts["objects"]["deals"]
    assert deals["links"] == deals["live"]["crm"]["Opportunity"] > 0
    assert deals["writes"]["marketing"]["create"] > 0
    assert facts["conflicts"] > 0
    assert facts["objects"]["campaigns"]["writes"]["crm"]["create"] > 0
    assert facts["events"]["crm_tasks"] > 0
    for said in ("sales rejects a lead", "sales wins", "only an association moves", "merges two companies", "restores"):
        assert said in err, said


@pytest.fixture
def cast() -> Iterator[Cast]:
    """Both sandboxes, peopled and never synced."""
    with Stage.open(dict.fromkeys(VENDORS, 0), 4) as stage:
        stage.hurry()
        populate(stage, 30, 4)
        yield Cast(stage)


def test_the_judge_says_no_before_anything_was_synced(cast: Cast) -> None:
    """Two systems with differences are not converged: the judge can fail."""
    found = {one.what for one in judge.differences(cast)}

    assert "is not in marketing" in found
    assert any(what.endswith("differs") for what in found)


def test_the_judge_sees_each_kind_of_difference(tmp_path: Path) -> None:
    """On synced systems it finds nothing; after any single change it does, by its name."""
    with opened(24, 5, ROOT / "mappings", lambda line: None, tmp_path) as scene:
        scene.first_plan()
        scene.release()
        assert scene.until_quiet()
        assert judge.differences(scene.cast) == []

        contact, at, values, row = next(
            pair for pair in scene.cast.pairs() if pair[1][0] == "Lead" and not pair[3].get("HasOptedOutOfEmail")
        )
        person = at
        for attribute, what, other in (
            ("LastName", "last_name", "Somebody"),
            ("Phone", "phone", "+49 30 901820"),
            ("City", "city", "Elsewhere"),
            ("HasOptedOutOfEmail", "crm_opt_out", True),
            ("Rating", "rating", "Hot"),
        ):
            before = row.get(attribute)
            scene.cast.edit_person(person, {attribute: other})
            assert f"{what} differs" in {one.what for one in judge.differences(scene.cast)}, what
            scene.cast.edit_person(person, {attribute: before})
        account, firm = next(iter(scene.cast.rows("Account").items()))
        for attribute, what, other in (
            ("Name", "name", "Another Ltd"),
            ("Phone", "phone", "+49 30 901820"),
            ("BillingCity", "city", "Elsewhere"),
            ("NumberOfEmployees", "employees", 1),
            ("Industry", "industry", "Chemicals" if firm.get("Industry") != "Chemicals" else "Banking"),
            ("Type", "kind", "Partner" if firm.get("Type") != "Partner" else "Prospect"),
        ):
            scene.cast.edit_person(("Account", account), {attribute: other})
            assert f"company {what} differs" in {one.what for one in judge.differences(scene.cast)}, what
            scene.cast.edit_person(("Account", account), {attribute: firm.get(attribute)})
        _break_a_deal(scene)
        scene.cast.salesforce.act("delete", object=at[0], key=at[1])
        if judge.qualified(values):
            assert "a qualified contact is not in sales" in {one.what for one in judge.differences(scene.cast)}
        scene.cast.hubspot.act("delete", object="contacts", key=contact)


def _break_a_deal(scene: Scene) -> None:
    """A deal that sales wins is told everywhere; each kind of change of it that is not told is seen."""
    cast = scene.cast
    role, one = next(iter(cast.rows("OpportunityContactRole").items()))
    key, contact = one["OpportunityId"], one["ContactId"]
    cast.edit_person(("Opportunity", key), {"StageName": "Closed Won", "CloseDate": "2030-01-01"})
    assert scene.until_quiet()
    assert not {what for what in map(str, judge.differences(cast)) if "deal" in what or "outcome" in what}
    row = cast.rows("Opportunity")[key]
    for attribute, what, other in (
        ("StageName", "deal stage", "Closed Lost"),
        ("ForecastCategoryName", "deal forecast", "Pipeline"),
        ("Amount", "won_amount of a company", 1.0),
        ("CloseDate", "deal close_date", "2031-01-01"),
        ("LeadSource", "deal lead_source", "Web" if row.get("LeadSource") != "Web" else "Other"),
        ("AccountId", "deal company", next(one for one in cast.rows("Account") if one != row["AccountId"])),
    ):
        cast.edit_person(("Opportunity", key), {attribute: other})
        assert f"{what} differs" in {one.what for one in judge.differences(cast)}, what
        cast.edit_person(("Opportunity", key), {attribute: row[attribute]})
    cast.salesforce.act("delete", object="OpportunityContactRole", key=role)
    found = {one.what for one in judge.differences(cast)}
    assert {"deal contacts differs", "last_outcome of a person differs"} <= found
    cast.edit_person(
        ("Contact", contact), {"AccountId": next(one for one in cast.rows("Account") if one != row["AccountId"])}
    )
    assert "company of a person differs" in {one.what for one in judge.differences(cast)}


def test_the_same_seed_tells_the_same_story(cast: Cast) -> None:
    """A demo that went wrong can be played again."""
    import random

    told = list(Story(cast, random.Random(1)).chapters())

    assert "both edit the same first name, differently" in told
    assert len(told) >= 7


def test_a_sandbox_is_ready_to_be_synced(tmp_path: Path) -> None:
    """--write-config: settings, secrets and mappings that work as they stand; Ctrl-C ends it with exit 0."""
    folder = tmp_path / "rehearsal"
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", "from syncd.cli import main; main()"),
            *("sandbox", "--people", "12", "--json", "--write-config", str(folder)),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        assert set(facts["sandboxes"]) == {"hubspot", "salesforce"}
        assert facts["config"] == str(folder / "syncd.toml")

        assert outcome(["check", "--online", "--config", facts["config"]]) == 0
        assert outcome(["once", "--yes", "--config", facts["config"]]) == 0
        assert outcome(["sandbox", "--write-config", str(folder)]) == 2, "a folder that is in use is left alone"

        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0
    finally:
        process.kill()
        process.wait()
