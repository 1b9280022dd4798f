"""What a person rules on one record: retry, resolve, restore. The ledger keeps it, the next cycle acts."""

from __future__ import annotations

import pytest

from tests.cli.shop import Shop


@pytest.fixture
def synced(shop: Shop) -> Shop:
    """One person on both sides, at rest."""
    shop.lead(Title="Countess")
    shop.ok("once", "--yes")
    shop.ok("once")
    return shop


def quiet(shop: Shop) -> None:
    """A few cycles, so that what follows from a ruling has happened."""
    for _ in range(3):
        shop.ok("once")


def test_a_retried_refusal_sends_the_refused_edit_again(synced: Shop) -> None:
    """A refusal settles, so nothing is sent twice by itself; retry makes the edit cross, in its own direction."""
    (contact,) = synced.mk.keys("contacts")
    synced.sf.fault("refused", op="update", code="FIELD_INTEGRITY", culprits=("LastName",))
    synced.mk.edit("contacts", contact, {"lastname": "Byron"})
    quiet(synced)
    (issue,) = synced.ok("issues")
    assert issue["kind"] == "refused"
    assert synced.only_lead()["LastName"] == "Lovelace"

    synced.ok("issues", "retry", str(issue["id"]))
    quiet(synced)

    assert synced.only_lead()["LastName"] == "Byron"
    assert synced.only_contact()["lastname"] == "Byron"
    assert synced.ok("issues") == []


def test_a_retried_create_is_made(shop: Shop) -> None:
    """A create that was refused is an issue about its source; retry tries it once more."""
    shop.lead()
    shop.mk.fault("refused", op="create", code="RULE")
    shop.ok("once", "--yes")
    shop.ok("once")
    assert shop.mk.keys("contacts") == []
    (issue,) = shop.ok("issues")

    shop.ok("issues", "retry", str(issue["id"]))

    assert shop.only_contact()["email"] == "ada@example.test"
    assert shop.ok("issues") == []


def test_a_held_plan_is_approved_and_not_retried(shop: Shop) -> None:
    """retry is no way around a person's look at the plan: exit 3, and the way is named."""
    shop.lead()
    shop.run("once")
    (issue,) = shop.ok("issues")

    done = shop.run("issues", "retry", str(issue["id"]))

    assert done.code == 3
    assert "syncd approve people" in done.err
    assert shop.mk.keys("contacts") == []


def test_a_picked_candidate_is_linked_and_meets(shop: Shop) -> None:
    """Two leads share an address: nobody guesses; the person's pick is linked and filled."""
    shop.contact(phone="+15550100", score=10)
    first, second = shop.lead(), shop.lead()
    shop.ok("once", "--yes")
    (issue,) = shop.ok("issues")
    assert [one["key"] for one in issue["records"][1:]] == [first, second]
    told = shop.run("issues").out
    assert f"candidates: sf Lead {first}, sf Lead {second}" in told

    done = shop.run("issues", "resolve", str(issue["id"]), "--pick", second)
    assert done.code == 3, "the first plan of a mapping is held whatever led to it"
    shop.ok("once", "--yes")
    quiet(shop)

    (link,) = shop.ok("links")
    assert link["crm"]["key"] == second
    assert link["how"] == "picked by a person"
    assert shop.sf.values("Lead", second)["Phone"] == "+15550100"
    assert shop.sf.values("Lead", first)["Phone"] is None
    assert shop.ok("issues") == [], "the lead that was passed over is not asked about"


def test_a_pick_that_was_not_offered_is_refused(shop: Shop) -> None:
    """A wrong key links nothing: exit 3, the candidates are named."""
    shop.contact()
    first, second = shop.lead(), shop.lead()
    other = shop.lead(Email="grace@example.test")
    shop.ok("once", "--yes")
    issue = next(one for one in shop.ok("issues") if one["records"][0]["object"] == "contacts")

    done = shop.run("issues", "resolve", str(issue["id"]), "--pick", other)

    assert done.code == 3
    assert first in done.err
    assert second in done.err
    assert all(link["how"] != "picked by a person" for link in shop.ok("links"))


def test_a_merge_on_one_side_waits_for_a_pick_and_follows_it(shop: Shop) -> None:
    """Two contacts merged, two leads left: the issue tells both to pick from, and the pick is the survivor's partner."""
    first, second = shop.lead(), shop.lead(Email="grace@example.test")
    shop.ok("once", "--yes")
    quiet(shop)
    partner = {link["crm"]["key"]: link["marketing"]["key"] for link in shop.ok("links")}
    survivor = shop.mk.merge("contacts", partner[first], partner[second])
    shop.mk.touch("contacts", survivor)
    shop.edit(
        shop.config,
        f'store = "{shop.folder.name}-mk"',
        f'sweep = {{ deletions = "1ms" }}\nstore = "{shop.folder.name}-mk"',
    )
    shop.ok("once")
    (issue,) = shop.ok("issues")
    assert [one["key"] for one in issue["records"][1:]] == [second, first]

    shop.ok("issues", "resolve", str(issue["id"]), "--pick", second)
    quiet(shop)

    assert [(one["marketing"]["key"], one["crm"]["key"]) for one in shop.ok("links") if one["state"] == "live"] == [
        (survivor, second)
    ]
    assert shop.ok("issues") == []
    assert len(shop.mk.keys("contacts")) == 1


def test_a_restored_loser_stands_on_both_sides(synced: Shop) -> None:
    """restore writes the lost value back; there it counts as that side's own edit, and crosses."""
    (lead,), (contact,) = synced.sf.keys("Lead"), synced.mk.keys("contacts")
    synced.sf.edit("Lead", lead, {"LastName": "King"})
    synced.mk.edit("contacts", contact, {"lastname": "Byron"})
    quiet(synced)
    assert synced.only_contact()["lastname"] == "King"
    (conflict,) = synced.ok("conflicts")

    synced.ok("conflicts", "restore", str(conflict["id"]))
    quiet(synced)

    assert synced.only_contact()["lastname"] == "Byron"
    assert synced.only_lead()["LastName"] == "Byron"
    assert synced.ok("conflicts")[-1]["restored"]
    assert synced.run("conflicts", "restore", str(conflict["id"])).code == 3


def test_a_number_that_nobody_knows_is_a_mistake(synced: Shop) -> None:
    """retry, resolve and restore of what is not there: exit 2, and where the numbers are."""
    for arguments in (
        ("issues", "retry", "99"),
        ("issues", "resolve", "99", "--pick", "1"),
        ("conflicts", "restore", "9"),
    ):
        done = synced.run(*arguments)
        assert done.code == 2, arguments
        assert "lists them" in done.err


def test_many_issues_are_retried_by_one_command(shop: Shop) -> None:
    """All of a kind, or all: in one cycle. What wants another answer than once more is left."""
    shop.mk.fault("refused", op="create", code="RULE", times=3)
    for n in range(3):
        shop.sf.create("Lead", {"Email": f"p{n}@example.test", "LastName": "P"})
    shop.ok("once", "--yes")
    shop.ok("once")
    assert len(shop.ok("issues")) == 3

    done = shop.ok("issues", "retry", "--kind", "refused")

    assert done["retried"] == 3
    assert len(shop.mk.keys("contacts")) == 3
    assert shop.ok("issues") == []
    assert shop.run("issues", "retry", "--all").code == 2
    assert shop.run("issues", "retry").code == 2
    assert shop.run("issues", "retry", "7", "--all").code == 2
