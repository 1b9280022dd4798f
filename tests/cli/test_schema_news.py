"""`check --online` finds a changed schema before the daemon does."""

from __future__ import annotations

import dataclasses

from tests.cli.shop import Shop


def test_what_changed_is_found_without_a_cycle(shop: Shop) -> None:
    """What is wrong is a problem with its line, exit 2; what is only news is a warning."""
    shop.lead()
    shop.ok("once", "--yes")
    kind = shop.sf.kinds["Lead"]
    attributes = dict(kind.attributes)
    attributes["Status"] = dataclasses.replace(attributes["Status"], options=("Open", "Working", "Closed", "Nurturing"))
    shop.sf.kinds["Lead"] = kind.having(attributes=attributes)

    facts = shop.ok("check", "--online")
    assert ["Nurturing" in warning["what"] for warning in facts["warnings"]].count(True) == 1

    del attributes["Phone"]
    shop.sf.kinds["Lead"] = kind.having(attributes=attributes)
    done = shop.run("check", "--online", "--json")

    assert done.code == 2
    (problem,) = done.json["problems"]
    assert "Lead.Phone is gone, or hidden from the sync user" in problem["what"]
    assert problem["line"] > 0
    assert shop.ok("issues") == []


def test_newer_is_refused_where_a_system_tells_no_times(shop: Shop) -> None:
    """It would hold every clash without a word."""
    shop.edit(shop.mapping, 'clash = "hold"', 'clash = "newer"')

    done = shop.run("check", "--online", "--json")

    assert done.code == 2
    assert any("sf does not tell when each field" in problem["what"] for problem in done.json["problems"])
