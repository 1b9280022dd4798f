"""Consent is monotone: whatever is edited, undone, restored, backfilled or put back, no command of ours ever makes a
person more contactable than they were a moment before."""

from __future__ import annotations

from random import Random

import pytest

from tests.cli.shop import Shop

STEPS = 18
PEOPLE = 3


def consent(shop: Shop) -> dict[tuple[str, str], bool]:
    """Who is opted out, by record of either side."""
    marketing = {("mk", key): shop.mk.values("contacts", key)["optout"] is True for key in shop.mk.keys("contacts")}
    return marketing | {("sf", key): shop.sf.values("Lead", key)["OptedOut"] is True for key in shop.sf.keys("Lead")}


def people_act(shop: Shop, random: Random) -> None:
    """Somebody changes their mind, or somebody else's, on one side; or edits something else."""
    answer = random.choice([True, False, None])
    if random.random() < 0.5:
        key = random.choice(shop.mk.keys("contacts"))
        shop.mk.edit("contacts", key, {"optout": answer, "lastname": f"N{random.randrange(9)}"})
    else:
        key = random.choice(shop.sf.keys("Lead"))
        shop.sf.edit("Lead", key, {"OptedOut": answer, "LastName": f"N{random.randrange(9)}"})


def commands(shop: Shop, random: Random) -> list[list[str]]:
    """What an administrator might type now."""
    run = str(random.randrange(1, 30))
    restores = [["conflicts", "restore", str(one["id"])] for one in shop.run("conflicts", "--json").json[:3]]
    retries = [["issues", "retry", str(one["id"])] for one in shop.run("issues", "--json").json[:3]]
    return [
        ["once"],
        ["once", "--yes"],
        ["approve", "people"],
        ["undo", "--run", run, "--yes"],
        ["undo", "--since", "2000-01-01", "--yes"],
        ["backfill", "people"],
        ["backfill", "people", "--field", "opt_out"],
        ["parity"],
        ["ledger", "restore", str(shop.folder / "old.db")],
        *restores,
        *retries,
    ]


@pytest.mark.parametrize("seed", range(2))
def test_no_command_ever_makes_anybody_more_contactable(shop: Shop, seed: int) -> None:
    """People and commands in any order; and an opt-out still gets through afterwards."""
    random = Random(seed)
    shop.edit(shop.mapping, 'type = "bool"\nflow = "to_crm"', 'type = "bool"\nflow = "both"')
    for n in range(PEOPLE):
        shop.lead(Email=f"p{n}@example.test")
    assert shop.run("once", "--yes").code == 0
    shop.run("once")
    shop.ok("ledger", "backup", "--to", str(shop.folder / "old.db"))
    for _ in range(STEPS):
        if random.random() < 0.5:
            people_act(shop, random)
        before = consent(shop)
        command = random.choice(commands(shop, random))
        assert shop.run(*command).code in (0, 1, 2, 3), command
        after = consent(shop)
        loosened = [record for record, out in before.items() if out and not after[record]]
        assert not loosened, (seed, command)
    opt_outs_still_cross(shop)


def opt_outs_still_cross(shop: Shop) -> None:
    """After all of it, who says no on one side is out on the other."""
    shop.lead(Email="last@example.test", LastName="Last")
    for _ in range(6):
        shop.run("approve", "people")
        shop.run("once")
    (link,) = [one for one in shop.ok("links") if shop.sf.values("Lead", one["crm"]["key"])["LastName"] == "Last"]
    shop.sf.edit("Lead", link["crm"]["key"], {"OptedOut": True})
    for _ in range(3):
        shop.run("once")
    assert shop.mk.values("contacts", link["marketing"]["key"])["optout"] is True
