"""`plan`, `approve` and `once`: what is shown is what is sent, and the exit code says what is needed next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from syncd.cli import acting
from tests.cli.shop import Shop


def test_a_first_cycle_is_held_and_a_person_is_asked(shop: Shop) -> None:
    """Nothing of a mapping's first plan is sent unasked: exit 3, and the plan waits."""
    shop.lead()

    done = shop.run("once", "--json")

    assert done.code == 3
    assert done.json["mappings"]["people"]["held"] is True
    assert done.json["ok"] is False
    assert shop.mk.keys("contacts") == []


def test_an_approved_plan_is_sent_by_the_next_cycle(shop: Shop) -> None:
    """plan shows, approve releases exactly that, once sends it."""
    shop.lead(Phone="+15550100")
    plan = shop.ok("plan")
    digest = plan["digests"]["people"]

    assert shop.ok("approve", "people", "--plan", digest)["released"] == 1
    report = shop.ok("once")

    assert report["mappings"]["people"]["writes"]["marketing"] == {"create": 1, "update": 0, "archive": 0}
    assert shop.only_contact()["phone"] == "+15550100"


def test_a_plan_that_changed_since_it_was_shown_is_not_approved(shop: Shop) -> None:
    """--plan names the plan that was looked at; another one is refused with exit 3."""
    shop.lead()
    digest = shop.ok("plan")["digests"]["people"]
    shop.lead(Email="grace@example.test")
    shop.ok("plan")

    done = shop.run("approve", "people", "--plan", digest)

    assert done.code == 3
    assert "not the one that was shown" in done.err


def test_a_plan_that_moves_under_the_command_is_shown_anew(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon's cycle between showing and releasing: what it is by then is shown too, and only that is released."""
    shop.lead()
    shop.ok("plan")
    looked: list[str] = []
    look = acting._let_go

    def let_go(*asked: Any) -> dict[str, Any]:
        shown = look(*asked)
        looked.append(shown["digest"])
        if len(looked) == 1:
            shop.lead(Email="grace@example.test")
            shop.ok("plan")
        return shown

    monkeypatch.setattr(acting, "_let_go", let_go)
    done = shop.ok("approve", "people")

    assert done["released"] == len(done["effects"]) == 2
    assert looked[0] != looked[-1]


def test_the_shape_of_plan_is_the_documented_one(shop: Shop) -> None:
    """record, field, before, after, reason and cost are there for programs."""
    shop.lead()

    plan = shop.ok("plan", "people")

    assert set(plan) >= {"effects", "calls", "held"}
    (effect,) = plan["effects"]
    assert set(effect) >= {"mapping", "side", "system", "object", "key", "op", "fields"}
    assert effect["op"] == "create"
    assert effect["key"] is None
    assert set(effect["fields"]["email"]) == {"attribute", "before", "after", "why"}
    assert plan["calls"]["mk"] >= 2


def test_a_first_plan_says_that_it_is_held(shop: Shop) -> None:
    """What the next `once` would hold is told by the plan already; once released, nothing is said to be held."""
    shop.lead()
    assert any("first plan" in reason for reason in shop.ok("plan")["held"])

    shop.ok("approve", "people")
    assert shop.ok("plan")["held"] == []


def test_the_shape_of_once_is_the_documented_one(shop: Shop) -> None:
    """The counts of a run, by mapping and side."""
    shop.lead()

    report = shop.ok("once", "--yes")

    assert set(report) >= {"run", "ok", "mappings", "calls"}
    people = report["mappings"]["people"]
    assert people["read"] == {"marketing": 0, "crm": 1}
    assert people["writes"]["marketing"]["create"] == 1
    assert not any(people["writes"]["crm"].values())
    assert people["outcomes"] == {"sent": 1, "refused": 0, "moved": 0, "gone": 0, "doubtful": 0}
    assert people["issues"] == 0
    assert people["held"] is False
    assert set(report["calls"]) == {"mk", "sf"}


def test_a_saved_plan_sends_its_rows_and_holds_what_came_later(shop: Shop, tmp_path: Path) -> None:
    """once --plan FILE: rows that are as saved go, everything else waits for a person."""
    shop.lead()
    saved = tmp_path / "plan.json"
    saved.write_text(shop.run("plan", "--json").out)
    shop.lead(Email="grace@example.test", LastName="Hopper")

    done = shop.run("once", "--plan", str(saved), "--json")

    assert done.code == 3
    assert done.json["mappings"]["people"]["held"] is True
    assert shop.only_contact()["email"] == "ada@example.test"


def test_a_row_of_a_saved_plan_that_would_write_something_else_is_held(shop: Shop, tmp_path: Path) -> None:
    """The digest of a row covers what it writes: an edit since then is not sent under the old approval."""
    key = shop.lead()
    saved = tmp_path / "plan.json"
    saved.write_text(shop.run("plan", "--json").out)
    shop.sf.edit("Lead", key, {"LastName": "Byron"})

    done = shop.run("once", "--plan", str(saved))

    assert done.code == 3
    assert shop.mk.keys("contacts") == []


def test_an_empty_saved_plan_approves_nothing(shop: Shop, tmp_path: Path) -> None:
    """Where nothing is planned, nobody has looked at anything: the first plan still waits for a person."""
    saved = tmp_path / "plan.json"
    saved.write_text(shop.run("plan", "--json").out)
    assert shop.run("once", "--plan", str(saved)).code == 0
    shop.lead()

    done = shop.run("once")

    assert done.code == 3
    assert shop.mk.keys("contacts") == []


def test_what_is_no_saved_plan_is_refused(shop: Shop, tmp_path: Path) -> None:
    """A wrong file is a mistake in the command: exit 2, nothing is sent."""
    shop.lead()
    for text in ("", "[]", '{"effects": [{}]}', "\x00"):
        file = tmp_path / "plan.json"
        file.write_text(text)

        done = shop.run("once", "--plan", str(file))

        assert done.code == 2, text
        assert "not a saved plan" in done.err
    assert shop.run("once", "--plan", str(tmp_path / "none")).code == 2
    assert shop.mk.keys("contacts") == []


def test_a_saved_plan_lets_nothing_else_go_that_was_released_since(shop: Shop, tmp_path: Path) -> None:
    """What another approval released, and is not in the file, waits once more: the file says what is sent."""
    shop.lead()
    saved = tmp_path / "plan.json"
    saved.write_text(shop.run("plan", "--json").out)
    shop.lead(Email="eve@example.test", LastName="Eve")
    shop.run("plan")
    shop.ok("approve", "people")

    done = shop.run("once", "--plan", str(saved), "--json")

    assert done.code == 3
    assert [shop.mk.values("contacts", key)["lastname"] for key in shop.mk.keys("contacts")] == ["Lovelace"]


def test_quiet_systems_are_not_written_to(shop: Shop) -> None:
    """Once both sides agree, a cycle writes nothing and says so."""
    shop.lead()
    shop.ok("once", "--yes")
    shop.ok("once")

    report = shop.ok("once")

    assert not any(n for side in report["mappings"]["people"]["writes"].values() for n in side.values())
    assert shop.run("plan").out.startswith("Nothing to write")


def test_a_mapping_that_is_not_there_is_a_mistake_with_a_suggestion(shop: Shop) -> None:
    """A misspelt name costs exit 2 and a hint."""
    done = shop.run("once", "peple")

    assert done.code == 2
    assert "did you mean 'people'" in done.err


def test_trouble_that_passes_is_exit_1_and_the_other_side_is_still_read(shop: Shop) -> None:
    """A dead system holds its mapping; nothing is decided on half the truth."""
    shop.lead()
    shop.mk.fault("transient", method="changes", times=None)

    done = shop.run("once", "--yes", "--json")

    assert done.code == 1
    assert "mk" in done.json["trouble"]
    assert "cannot be read" in done.json["mappings"]["people"]["skipped"]
    assert done.json["mappings"]["people"]["read"]["crm"] == 1


def test_refused_credentials_are_exit_3(shop: Shop) -> None:
    """Nobody but a person can mend a permission."""
    shop.mk.fault("access", method="changes", times=None)

    assert shop.run("once", "--yes").code == 3


def deleted(shop: Shop) -> str:
    """A synced pair whose lead was deleted, where a mapping wants its contact deleted too; returns the contact."""
    shop.edit(shop.mapping, 'crm = "unlink"', 'crm = "archive"')
    lead = shop.lead()
    shop.ok("once", "--yes")
    shop.ok("once")
    shop.sf.delete("Lead", lead)
    shop.ok("once", "--yes")
    (contact,) = shop.mk.keys("contacts")
    return contact


def test_deletes_wait_on_their_own_and_are_approved_on_their_own(shop: Shop) -> None:
    """`plan` shows them with their way out; neither --yes nor a plain approve sends them; --deletes does, as shown."""
    contact = deleted(shop)
    shop.ok("approve", "people")
    shop.ok("once", "--yes")
    assert shop.mk.keys("contacts") == [contact]
    (issue,) = shop.ok("issues")
    assert "syncd approve people --deletes" in issue["remedy"]
    plan = shop.ok("plan")
    assert [(one["op"], one["key"], one["state"]) for one in plan["effects"]] == [("archive", contact, "asked")]
    told = shop.run("plan").out
    assert "1 deletes wait on their own: syncd approve people --deletes --plan" in told

    assert shop.run("approve", "people", "--deletes", "--plan", "0" * 8).code == 3
    answer = shop.ok("approve", "people", "--deletes", "--plan", plan["deletes"]["people"]["digest"][:16])
    assert answer["released"] == 1
    shop.ok("once")
    assert shop.mk.keys("contacts") == []
    assert shop.ok("issues") == []


def test_deletes_may_be_declined(shop: Shop) -> None:
    """--no-deletes: the record stays, and is not asked about again."""
    contact = deleted(shop)
    answer = shop.ok("approve", "people", "--no-deletes")
    assert (answer["released"], answer["declined"]) == (0, 1)
    shop.ok("once", "--yes")
    assert shop.mk.keys("contacts") == [contact]
    assert shop.ok("issues") == []
    assert "No delete of people waits." in shop.run("approve", "people", "--deletes").out
