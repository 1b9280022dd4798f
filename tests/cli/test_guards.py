"""Guards on a plan: what looks like an accident waits for a person, with the reason; an ordinary day goes on."""

from __future__ import annotations

import pytest

from tests.cli.shop import Shop

PEOPLE = 25


def company(shop: Shop, guard: str) -> list[str]:
    """The leads of so many linked people, quiet, under these limits."""
    leads = [shop.lead(Email=f"p{n}@example.test", LastName=f"Name{n}") for n in range(PEOPLE)]
    assert shop.run("once", "--yes").code == 0
    for _ in range(4):
        shop.run("once")
    shop.edit(shop.config, 'min_free = "1KiB"', f'min_free = "1KiB"\n[guard]\n{guard}')
    return leads


def reasons(shop: Shop) -> list[str]:
    """Why the plan is held, by the issue; empty: it was sent."""
    code = shop.run("once").code
    held = [issue["reason"] for issue in shop.run("issues", "--json").json if issue["kind"] == "held_plan"]
    assert (code == 3) is bool(held)
    return held


def test_one_value_for_many_records_waits(shop: Shop) -> None:
    """An import gone wrong gives everybody the same name; the same number of different names is an ordinary day."""
    leads = company(shop, "same_value = { per_cycle = 10, share = 0.0 }")
    for n, lead in enumerate(leads):
        shop.sf.edit("Lead", lead, {"LastName": f"New{n}"})
    assert not reasons(shop)
    for _ in range(3):
        shop.run("once")
    for lead in leads:
        shop.sf.edit("Lead", lead, {"LastName": "Test"})
    (why,) = reasons(shop)
    assert "one and the same last_name for 25 records on marketing" in why
    assert "Test" not in why
    assert {shop.mk.values("contacts", key)["lastname"] for key in shop.mk.keys("contacts")} != {"Test"}
    assert shop.run("approve", "people").code == 0
    shop.run("once")
    assert {shop.mk.values("contacts", key)["lastname"] for key in shop.mk.keys("contacts")} == {"Test"}


def test_many_changes_of_what_people_are_recognised_by_wait(shop: Shop) -> None:
    """Every address changed at once is a shifted column, and would pair the wrong people."""
    leads = company(shop, "identity = { per_cycle = 10, share = 0.0 }")
    for n, lead in enumerate(leads):
        shop.sf.edit("Lead", lead, {"Email": f"q{n}@example.test"})
    (why,) = reasons(shop)
    assert "25 changes on marketing of email" in why


def test_updates_of_one_field_count_for_a_day(shop: Shop) -> None:
    """A change cut into small cycles is caught by the rolling day."""
    leads = company(shop, "field = { per_cycle = 100, per_day = 30 }")
    for lead in leads:
        shop.sf.edit("Lead", lead, {"Title": "CEO"})
    assert not reasons(shop)
    for _ in range(3):
        shop.run("once")
    for lead in leads:
        shop.sf.edit("Lead", lead, {"Title": "CTO"})
    (why,) = reasons(shop)
    assert "updates of title on marketing after 25 in the last 24 hours" in why


def test_a_large_plan_after_an_edit_of_the_mapping_waits(shop: Shop) -> None:
    """What the edit makes of old records is looked at first; afterwards the same number of changes is an ordinary day."""
    leads = company(shop, "edited = { per_cycle = 10, share = 0.0 }")
    for lead in leads:
        shop.sf.edit("Lead", lead, {"Title": "CEO"})
    assert not reasons(shop)
    for _ in range(3):
        shop.run("once")
    shop.mapping.write_text(shop.mapping.read_text() + "# edited\n")
    for lead in leads:
        shop.sf.edit("Lead", lead, {"Title": "CTO"})
    (why,) = reasons(shop)
    assert "25 effects after an edit of the mapping or the funnel" in why
    assert shop.run("approve", "people").code == 0
    for _ in range(4):
        shop.run("once")
    for lead in leads:
        shop.sf.edit("Lead", lead, {"Title": "CFO"})
    assert not reasons(shop)


def test_everything_moved_at_once_waits(shop: Shop) -> None:
    """Half of all records in one cycle is an accident, even where each of them changed a little."""
    leads = company(shop, "moved = { per_cycle = 10, share = 0.5 }")
    for n, lead in enumerate(leads):
        shop.sf.edit("Lead", lead, {"Title": f"T{n}"})
    (why,) = reasons(shop)
    assert "25 records moved in one cycle" in why


@pytest.mark.parametrize("limit", ["same_value", "identity", "field", "edited", "moved", "gone"])
def test_every_limit_is_a_setting(shop: Shop, limit: str) -> None:
    """A word that the settings take is a limit that the guard knows; another is refused."""
    shop.edit(shop.config, 'min_free = "1KiB"', f'min_free = "1KiB"\n[guard]\n{limit} = {{ per_cycle = 5 }}')
    assert shop.run("check").code == 0
    shop.edit(shop.config, f"{limit} = ", f"{limit}s_ = ")
    assert shop.run("check").code == 2
