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


def test_small_cycles_pass_no_limit_of_a_day(shop: Shop) -> None:
    """A column that shifts a few records a minute is held once a day's worth has moved, however small each plan is."""
    leads = company(shop, "identity = { per_cycle = 5, per_day = 8, share = 0.0 }")
    held: list[list[str]] = []
    for start in (0, 4, 8):
        for n, lead in enumerate(leads[start : start + 4]):
            shop.sf.edit("Lead", lead, {"Email": f"q{start + n}@example.test"})
        held.append(reasons(shop))
        for _ in range(3):
            shop.run("once")
    assert held[:2] == [[], []]
    assert "4 changes on marketing of email" in held[2][0]
    assert "after 8 in the last 24 hours, more than 8" in held[2][0]


def test_one_value_dripping_to_many_records_waits(shop: Shop) -> None:
    """One value for a few records a cycle counts as one value for all of them; other values are another matter."""
    leads = company(shop, "same_value = { per_cycle = 10, per_day = 12, share = 0.0 }")
    for n, lead in enumerate(leads):
        shop.sf.edit("Lead", lead, {"Title": f"T{n}"})
    assert not reasons(shop)
    for start in (0, 5):
        for _ in range(3):
            shop.run("once")
        for lead in leads[start : start + 5]:
            shop.sf.edit("Lead", lead, {"Title": "TEST"})
        assert not reasons(shop)
    for _ in range(3):
        shop.run("once")
    for lead in leads[10:15]:
        shop.sf.edit("Lead", lead, {"Title": "TEST"})
    (why,) = reasons(shop)
    assert "one and the same title for 5 records on marketing after 10 in the last 24 hours, more than 12" in why


def test_who_is_killed_has_sent_what_was_sent(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that never wrote its report counts for the rolling day: a daemon that is killed every minute may not send a
    day's worth each time."""
    leads = company(shop, "updates = { per_cycle = 100, per_day = 30 }")

    class Killed(BaseException):
        pass

    def killed(*_: object, **__: object) -> None:
        raise Killed

    for lead in leads:
        shop.sf.edit("Lead", lead, {"Title": "CEO"})
    with monkeypatch.context() as patch:
        patch.setattr("syncd.write.keep_outcomes", killed)
        patch.setattr("syncd.session.Session._end", lambda *_, **__: None)
        with pytest.raises(Killed):
            shop.run("once")
    for _ in range(4):
        shop.run("once")
    for lead in leads[:6]:
        shop.sf.edit("Lead", lead, {"Title": "CTO"})
    (why,) = reasons(shop)
    assert "6 updates after 25 in the last 24 hours, more than 30" in why


def test_an_approval_shows_what_it_lets_go(shop: Shop) -> None:
    """Every effect with before and after, the counts of all, and the reasons; released is what was shown."""
    leads = company(shop, "updates = { per_cycle = 10, share = 0.0 }")
    for lead in leads:
        shop.sf.edit("Lead", lead, {"Title": "CEO"})
    assert reasons(shop)
    told = shop.run("approve", "people", "--limit", "3").out
    assert told.count("CEO") == 3
    for words in (
        "and 22 more effects",
        "on marketing: 25 update",
        "Held: 25 updates",
        "25 effects of people are released",
    ):
        assert words in told, words
    for _ in range(4):
        shop.run("once")
    for lead in leads:
        shop.sf.edit("Lead", lead, {"Title": "CTO"})
    assert reasons(shop)
    facts = shop.ok("approve", "people")
    assert facts["counts"] == {"marketing": {"update": 25}}
    assert facts["fields"] == {"marketing.title": 25}
    assert {effect["fields"]["title"]["after"] for effect in facts["effects"]} == {"CTO"}
    assert facts["because"]


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
