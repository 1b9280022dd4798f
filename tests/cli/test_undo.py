"""Undo: what stood there before comes back, except where a person changed it since; and an undo can be undone."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any

from tests.cli.shop import Shop


def cycles(shop: Shop, n: int = 4) -> None:
    for _ in range(n):
        shop.run("once")


def settled(shop: Shop) -> tuple[str, str]:
    """(lead, contact) of one linked person; quiet."""
    lead = shop.lead(Title="CEO")
    assert shop.run("once", "--yes").code == 0
    cycles(shop)
    return lead, shop.mk.keys("contacts")[0]


def run_that_wrote(shop: Shop) -> int:
    """Runs one cycle and gives its number."""
    done = shop.run("once", "--json").json
    assert sum(sum(ops.values()) for ops in done["mappings"]["people"]["writes"].values()) > 0
    return int(done["run"])


def of_people(done: Any) -> Any:
    return done["undo"]["people"]


def test_what_a_run_wrote_is_put_back(shop: Shop) -> None:
    """The other side keeps its edit; the difference stands and is not synced again."""
    lead, contact = settled(shop)
    shop.sf.edit("Lead", lead, {"LastName": "Byron"})
    run = run_that_wrote(shop)
    cycles(shop)
    shown = of_people(shop.ok("undo", "--run", str(run)))
    assert shown["effects"][0]["fields"]["last_name"] == {
        "attribute": "lastname",
        "before": "Byron",
        "after": "Lovelace",
    }
    assert shop.mk.values("contacts", contact)["lastname"] == "Byron"
    assert of_people(shop.ok("undo", "--run", str(run), "--yes"))["restores"] == 1
    cycles(shop)
    assert shop.mk.values("contacts", contact)["lastname"] == "Lovelace"
    assert shop.sf.values("Lead", lead)["LastName"] == "Byron"


def test_what_a_person_changed_since_is_left_alone_and_listed(shop: Shop) -> None:
    """Two fields were written; one of them was edited later: only the other comes back."""
    lead, contact = settled(shop)
    shop.sf.edit("Lead", lead, {"LastName": "Byron", "Title": "CTO"})
    run = run_that_wrote(shop)
    cycles(shop)
    shop.mk.edit("contacts", contact, {"jobtitle": "Poet"})
    cycles(shop)
    done = of_people(shop.ok("undo", "--run", str(run), "--yes"))
    assert [(one["field"], one["why"]) for one in done["skipped"]] == [("title", "somebody changed it since")]
    cycles(shop)
    assert shop.mk.values("contacts", contact)["lastname"] == "Lovelace"
    assert shop.mk.values("contacts", contact)["jobtitle"] == "Poet"


def test_an_undo_can_be_undone(shop: Shop) -> None:
    """It is a run like any other."""
    lead, contact = settled(shop)
    shop.sf.edit("Lead", lead, {"LastName": "Byron"})
    run = run_that_wrote(shop)
    cycles(shop)
    undone = shop.ok("undo", "--run", str(run), "--yes")["report"]["run"]
    cycles(shop)
    assert shop.mk.values("contacts", contact)["lastname"] == "Lovelace"
    shop.ok("undo", "--run", str(undone), "--yes")
    cycles(shop)
    assert shop.mk.values("contacts", contact)["lastname"] == "Byron"
    assert shop.sf.values("Lead", lead)["LastName"] == "Byron"


def test_a_stretch_of_time_has_two_ends(shop: Shop) -> None:
    """Only what was written between them comes back; what came later stays, and an end without a beginning is refused."""
    lead, contact = settled(shop)
    began = datetime.now(UTC)
    shop.sf.edit("Lead", lead, {"LastName": "Byron"})
    cycles(shop)
    ended = datetime.now(UTC)
    shop.sf.edit("Lead", lead, {"Title": "CTO"})
    cycles(shop)
    assert shop.run("undo", "--until", ended.isoformat()).code == 2
    window = ("--since", began.isoformat(), "--until", ended.isoformat())
    assert of_people(shop.ok("undo", *window))["restores"] == 1
    shop.ok("undo", *window, "--yes")
    cycles(shop)
    assert shop.mk.values("contacts", contact)["lastname"] == "Lovelace"
    assert shop.mk.values("contacts", contact)["jobtitle"] == "CTO"


def test_a_version_of_a_mapping_is_undone_as_a_whole(shop: Shop) -> None:
    """Everything that was written while that text was in force; what came before and after stays."""
    lead, contact = settled(shop)
    shop.sf.edit("Lead", lead, {"Title": "before"})
    cycles(shop)
    shop.mapping.write_text(shop.mapping.read_text() + "# edited\n")
    cycles(shop)
    shop.sf.edit("Lead", lead, {"LastName": "Byron"})
    cycles(shop)
    shop.sf.edit("Lead", lead, {"LastName": "Noel"})
    cycles(shop)
    done = of_people(shop.ok("undo", "people", "--mapping-version", "2", "--yes"))
    assert done["restores"] == 1
    cycles(shop)
    assert shop.mk.values("contacts", contact)["lastname"] == "Lovelace"
    assert shop.mk.values("contacts", contact)["jobtitle"] == "before"


def test_consent_is_never_loosened_by_an_undo(shop: Shop) -> None:
    """An opt-out that crossed stays across, whatever is undone."""
    lead, contact = settled(shop)
    shop.mk.edit("contacts", contact, {"optout": True})
    run = run_that_wrote(shop)
    cycles(shop)
    done = of_people(shop.ok("undo", "--run", str(run), "--yes"))
    assert done["skipped"][0]["why"] == "consent is never loosened"
    cycles(shop)
    assert shop.sf.values("Lead", lead)["OptedOut"] is True


def test_what_was_created_is_listed_and_left(shop: Shop) -> None:
    """Deleting is a person's to do."""
    settled(shop)
    shop.lead(Email="eve@example.test", LastName="Eve")
    run = run_that_wrote(shop)
    cycles(shop)
    done = of_people(shop.ok("undo", "--run", str(run), "--yes"))
    assert done["creates"] == 1
    assert done["created"][0]["object"] == "contacts"
    assert len(shop.mk.keys("contacts")) == 2


def test_a_scope_that_is_none_is_a_clear_error(shop: Shop) -> None:
    """No scope, two scopes, a run or a version that nobody knows, a time that is none."""
    settled(shop)
    for wrong in (
        (),
        ("--run", "1", "--since", "2026-01-01"),
        ("--run", "99999"),
        ("--mapping-version", "1"),
        ("people", "--mapping-version", "77"),
        ("--since", "yesterday"),
        ("nobody", "--run", "1"),
    ):
        assert shop.run("undo", *wrong).code == 2, wrong
    assert of_people(shop.ok("undo", "--since", "2199-01-01"))["restores"] == 0


def created(shop: Shop, run: int) -> dict[str, str]:
    """By key: what became of each record that a run made."""
    out = shop.run("undo", "--run", str(run), "--created").out
    return {row["key"]: row["since"] for row in csv.DictReader(io.StringIO(out))}


def test_what_was_created_is_listed_with_whether_anybody_touched_it(shop: Shop) -> None:
    """Made and left; edited there; edited on the side that it was made from; deleted. None of them is deleted by us."""
    contacts = [
        shop.mk.create("contacts", {"email": f"{n}@example.test", "lastname": n, "lifecyclestage": "mql", "score": 80})
        for n in ("Ada", "Grace", "Mary", "Joan")
    ]
    run = int(shop.run("once", "--yes", "--json").json["run"])
    cycles(shop)
    ada, grace, mary, joan = sorted(shop.sf.keys("Lead"))
    assert created(shop, run) == dict.fromkeys((ada, grace, mary, joan), "untouched")
    shop.sf.edit("Lead", grace, {"Phone": "+49 30 1"})
    shop.mk.edit("contacts", contacts[2], {"lastname": "Byron"})
    shop.sf.delete("Lead", joan)
    cycles(shop)
    told = created(shop, run)
    assert told[ada] == "untouched"
    assert {told[grace], told[mary]} == {"edited since, on one side or the other"}
    assert told[joan] == "gone since"
    shown = of_people(shop.ok("undo", "--run", str(run)))
    assert (shown["creates"], shown["untouched"]) == (4, 1)
    assert len(shop.sf.keys("Lead")) == 3, "nothing is deleted by an undo"
    assert shop.run("undo", "--run", str(run), "--created", "--yes").code == 2
