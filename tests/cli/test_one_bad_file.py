"""One file that is not valid stops nobody else: the others run, its last valid version stands in, and it is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from syncd.errors import ConfigError
from syncd.files import Files, read_files
from syncd.reload import read_again
from tests.cli.shop import Shop

OTHER = """
mapping   = "titles"
marketing = { system = "mk", object = "contacts" }
crm       = { system = "sf", object = "Lead" }
[match]
by = ["email"]
[fields.email]
marketing = "email"
crm = "Email"
type = "email"
flow = "to_crm"
meet = "crm"
"""


def beside(shop: Shop, text: str = "mapping = \n") -> Path:
    """A second mapping file, which is broken."""
    file = shop.mapping.with_name("companies.toml")
    file.write_text(text)
    return file


def test_the_valid_mappings_run_and_the_command_ends_with_2(shop: Shop) -> None:
    """`once` runs the rest, says which file is wrong and where, and exits 2 at the end."""
    shop.lead()
    beside(shop)

    done = shop.run("once", "--yes")

    assert done.code == 2
    assert "companies: its file is not valid; it is not run" in done.out
    assert "companies.toml:1:" in done.out
    assert shop.only_contact()["lastname"] == "Lovelace"


def test_the_broken_file_is_an_issue_until_it_is_mended(shop: Shop) -> None:
    """With file, line and column, what is wrong and how to mend it; status names it as well."""
    shop.lead()
    file = beside(shop)
    shop.run("once", "--yes")

    (issue,) = shop.ok("issues")
    assert (issue["kind"], issue["mapping"]) == ("mapping_invalid", "companies")
    assert "companies.toml:1:" in issue["reason"]
    assert "Mend the file" in issue["remedy"]
    assert any("companies.toml:1:" in reason for reason in shop.ok("status")["reasons"])

    file.unlink()
    report = shop.ok("once")
    assert report["broken"] == {}
    assert shop.ok("issues") == []


def test_who_names_the_broken_mapping_gets_its_problems_and_nothing_is_run(shop: Shop) -> None:
    """`once NAME` and `check` exit 2; `once` of a valid one beside it is untouched by it."""
    shop.lead()
    beside(shop, 'mapping = "companies"\nmarketing = 3\n')

    for command in (("once", "companies"), ("plan", "companies"), ("backfill", "companies"), ("check",)):
        done = shop.run(*command)
        assert done.code == 2, command
        assert "companies.toml:2:" in done.err + done.out
    assert shop.run("once", "people", "--yes").code == 0


def test_the_last_valid_version_in_the_ledger_stays_in_force_after_a_start(shop: Shop) -> None:
    """A process that starts anew with a broken file goes on with the text that the ledger knows."""
    shop.lead()
    shop.ok("once", "--yes")
    digest = read_files(shop.config, os.environ).mappings.by_name["people"].digest
    shop.mapping.write_text(shop.mapping.read_text() + "\n[[[\n")
    shop.mk.edit("contacts", shop.mk.keys("contacts")[0], {"phone": "+49 30 1234567"}, by="ann")

    done = shop.run("once", "--json")

    assert done.code == 2
    assert done.json["mappings"]["people"]["writes"]["crm"]["update"] == 1
    assert done.json["broken"]["people"]["instead"] == "its last valid version stays in force"
    assert read_files(shop.config, os.environ).mappings.by_name["people"].digest == digest
    assert shop.run("once", "people").code == 2


def test_a_broken_funnel_leaves_the_agreed_one_in_force(shop: Shop) -> None:
    """What is qualified stays what it was; with no ledger to know it, the mapping that asks for it rests."""
    funnel = shop.mapping.with_name("funnel.toml")
    text = funnel.read_text()
    funnel.write_text("[qualified]\nwhen = 'score >='\n")
    with pytest.raises(ConfigError, match=r"funnel\.toml:2:"):
        read_files(shop.config, os.environ)

    funnel.write_text(text)
    shop.lead()
    shop.ok("once", "--yes")
    funnel.write_text("[qualified]\nwhen = 'score >='\n")
    files = read_files(shop.config, os.environ)

    assert files.mappings.funnel is not None
    assert files.mappings.funnel.text == text
    assert list(files.mappings.by_name) == ["people"]
    assert list(files.broken) == ["funnel"]


def test_a_broken_funnel_is_told_once_and_as_it_is(shop: Shop) -> None:
    """At the first start there is no version before; and one slip is one line."""
    funnel = shop.mapping.with_name("funnel.toml")
    funnel.write_text("[qualified]\nwhen = 'score >='\n")
    beside(shop, OTHER)

    files = read_files(shop.config, os.environ)

    assert [str(one).rpartition("funnel.toml:")[2][:2] for one in files.broken["funnel"]] == ["2:"]
    assert "no version before" in files.instead("funnel")


def test_of_two_that_quarrel_the_edited_one_gives_way(shop: Shop) -> None:
    """An edit that takes another mapping's attribute holds the edited mapping, wherever its name stands in the order."""
    shop.lead()
    shop.ok("once", "--yes")
    (shop.mapping.with_name("all.toml")).write_text(OTHER.replace('"titles"', '"all"'))

    files = read_files(shop.config, os.environ)

    assert list(files.mappings.by_name) == ["people"]
    assert "written by" in str(files.broken["all"][0])


def test_an_edit_of_a_running_daemon_that_quarrels_leaves_both_as_they_were(shop: Shop) -> None:
    """The version before the edit stands in, and nothing is written by two."""
    quiet = OTHER.replace('crm = "Email"', 'crm = "Rating"')
    shop.edit(
        shop.mapping,
        '[fields.rating]\nmarketing = "crm_rating"\ncrm = { Lead = "Rating" }\nflow = "to_marketing"\n',
        "",
    )
    other = shop.mapping.with_name("titles.toml")
    other.write_text(quiet)
    before = read_files(shop.config, os.environ)
    assert before.broken == {}
    other.write_text(OTHER)

    after = read_again(before, os.environ)

    assert {n: m.digest for n, m in after.mappings.by_name.items()} == digests(before)
    assert list(after.broken) == ["titles"]


def test_a_mapping_of_an_unknown_system_holds_only_itself(shop: Shop) -> None:
    """syncd.toml lost a system: the mappings without it go on."""
    beside(shop, OTHER.replace('"sf"', '"sff"'))

    files = read_files(shop.config, os.environ)

    assert list(files.mappings.by_name) == ["people"]
    assert "no such system" in str(files.broken["titles"][0])


def digests(files: Files) -> dict[str, str]:
    return {name: mapping.digest for name, mapping in files.mappings.by_name.items()}
