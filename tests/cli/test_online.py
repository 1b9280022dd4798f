"""The command line against both sandboxes over HTTP: check --online, the contract, wrong tokens, dead hosts, garbage."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.cli import outcome
from syncd.cli.init import write
from syncd.demo.company import populate
from syncd.demo.stage import VENDORS, Stage
from tests.cli.shop import Done


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """Both sandboxes with a few people."""
    with Stage.open(dict.fromkeys(VENDORS, 0), 3) as stage:
        stage.hurry()
        populate(stage, 24, 3)
        yield stage


@pytest.fixture
def folder(stage: Stage, tmp_path: Path) -> Iterator[Path]:
    """Settings for them, with short tries."""
    config = stage.write_config(tmp_path, "test")
    write(tmp_path, "")
    config.write_text(config.read_text().replace('retry_max = "2s"', 'retry_max = "100ms", tries = 2'))
    yield tmp_path
    for server in stage.servers.values():
        server.control.clear_faults()


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command on that folder."""

    def run(*arguments: str) -> Done:
        capsys.readouterr()
        code = outcome([*arguments, "--config", str(folder / "syncd.toml")])
        return Done(code, *capsys.readouterr())

    return run


def test_check_online_tells_account_schema_key_owners_and_limits(run: Any) -> None:
    """What an administrator wants to know before the first cycle, in one command."""
    done = run("check", "--online", "--json")

    assert done.code == 0, done.out
    facts = done.json
    assert facts["ok"] is True
    assert facts["systems"]["hubspot"]["account"] == "4242001"
    assert set(facts["systems"]["salesforce"]["objects"]) >= {
        "Account",
        "Opportunity",
        "Lead",
        "Contact",
        "CampaignMember",
    }
    assert facts["systems"]["salesforce"]["owners"] >= 6
    assert facts["systems"]["hubspot"]["limits"]
    assert facts["warnings"] == []


def test_a_mapped_attribute_that_does_not_exist_is_found_before_anything_is_synced(run: Any, folder: Path) -> None:
    """check --online names the field's place in the mapping and what is near."""
    mapping = folder / "mappings" / "people.toml"
    mapping.write_text(mapping.read_text().replace('marketing = "jobtitle"', 'marketing = "jobtitel"'))

    done = run("check", "--online")

    assert done.code == 2
    assert "jobtitel" in done.out
    assert "jobtitle" in done.out
    assert "people.toml:" in done.out


def test_a_missing_key_field_is_a_weaker_promise_and_no_error(run: Any, folder: Path) -> None:
    """Everything still works by look-up; what to create is printed."""
    config = folder / "syncd.toml"
    config.write_text(config.read_text().replace("login_url", 'key = "No_Such_Key__c"\nlogin_url'))

    done = run("check", "--online")

    assert done.code == 0, done.out
    assert "No_Such_Key__c" in done.out
    assert "may be made twice" in done.out


def test_the_contract_runs_read_only_on_the_live_systems(run: Any, stage: Stage) -> None:
    """Rules are judged one by one; nothing is written to either system."""
    objects = (
        *(("hubspot", object_) for object_ in ("contacts", "companies", "deals")),
        *(("salesforce", object_) for object_ in ("Lead", "Contact", "Account", "Opportunity")),
    )
    before = [stage.servers[name].control.records(object_) for name, object_ in objects]

    done = run("check", "--contract", "--json")

    verdicts = done.json["contract"]
    assert {one["system"] for one in verdicts} == {"hubspot", "salesforce"}
    assert [one for one in verdicts if one["verdict"] == "broken"] == []
    assert sum(one["verdict"] == "kept" for one in verdicts) >= 10
    assert done.code == 0
    assert [stage.servers[name].control.records(object_) for name, object_ in objects] == before


def test_a_wrong_token_is_exit_3_and_named(run: Any, folder: Path) -> None:
    """Refused credentials: a person is needed, the system is named with what to do, the token is not shown."""
    (folder / "hubspot-token").write_text("pat-wrong-token")

    for command in (("once", "--yes"), ("check", "--online"), ("plan",)):
        done = run(*command)
        assert done.code == 3, command
        assert "hubspot" in done.out + done.err
        assert "make a new service key" in done.out + done.err
        assert "pat-wrong-token" not in done.out + done.err


def test_a_secret_file_that_others_can_read_is_refused(run: Any, folder: Path) -> None:
    """Exit 2 with the command that mends it."""
    os.chmod(folder / "hubspot-token", 0o644)

    done = run("once")

    assert done.code == 2
    assert "chmod 600" in done.err


def test_a_dead_host_is_exit_1_and_the_other_side_is_read(run: Any, folder: Path) -> None:
    """Nobody answers: try again later; nothing is decided on half the truth."""
    config = folder / "syncd.toml"
    text = config.read_text()
    url = next(line.split('"')[1] for line in text.splitlines() if line.startswith("base_url"))
    config.write_text(text.replace(url, "http://127.0.0.1:9"))

    done = run("once", "--yes", "--json")

    assert done.code == 1
    people = done.json["mappings"]["people"]
    assert people["read"]["crm"] > 0
    assert not any(n for side in people["writes"].values() for n in side.values())
    assert "hubspot cannot be read" in people["skipped"]


@pytest.mark.parametrize("kind", ["garbage", "truncate", "reset_before", "status"])
def test_garbage_bodies_are_exit_1_and_lose_nothing(run: Any, stage: Stage, kind: str) -> None:
    """A web page, half an answer, a dropped connection, a 503: trouble that passes. Afterwards all is as it should be."""
    stage.servers["hubspot"].control.faults(
        kind=kind, path="/crm/objects/", **({"status": 503} if kind == "status" else {})
    )

    done = run("once", "--yes")
    assert done.code == 1, done.err

    stage.servers["hubspot"].control.clear_faults()
    assert run("once", "--yes").code == 0


def test_init_writes_a_first_configuration_and_never_overwrites(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is there already stays as it is; the rest is written; check understands all of it."""
    place = tmp_path / "new"
    assert outcome(["init", "--dir", str(place), "--json"]) == 0
    written = json.loads(capsys.readouterr().out)["written"]
    assert {Path(one).name for one in written} >= {
        "syncd.toml",
        "funnel.toml",
        "people.toml",
        "companies.toml",
        "deals.toml",
    }
    (place / "mappings" / "people.toml").write_text("mine")

    assert outcome(["init", "--dir", str(place), "--json"]) == 0

    again = json.loads(capsys.readouterr().out)
    assert again["written"] == []
    assert (place / "mappings" / "people.toml").read_text() == "mine"
    assert outcome(["init", "--marketing", "nobody", "--dir", str(place)]) == 2


def test_inits_settings_are_valid_as_they_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the secrets set, check finds nothing to mend."""
    for name in ("HUBSPOT_TOKEN", "SF_CLIENT_ID", "SF_CLIENT_SECRET"):
        monkeypatch.setenv(name, "x")
    outcome(["init", "--dir", str(tmp_path)])

    assert outcome(["check", "--config", str(tmp_path / "syncd.toml")]) == 0, capsys.readouterr()


def test_a_backfill_of_chosen_records_says_what_it_did(run: Any, folder: Path) -> None:
    """A dry run counts and sends nothing; a real one decides the same records; both leave the systems agreeing."""
    assert run("once", "--yes").code == 0
    for _ in range(4):
        run("once", "--yes")

    dry = run("backfill", "people", "--side", "crm", "--dry-run", "--json")
    real = run("backfill", "people", "--json")

    assert dry.code == 0, dry.err
    assert dry.json["chosen"] > 0
    assert real.code == 0, real.err
    assert real.json["finished"] is True
    assert "decide: " in real.err


def test_the_ledger_and_the_written_secrets_are_for_their_owner_only(run: Any, folder: Path) -> None:
    """0600 from the first byte: people's data and credentials are in them."""
    run("plan")

    for name in ("ledger.db", "ledger.db.lease", "hubspot-token", "sf-client-secret"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600, name
