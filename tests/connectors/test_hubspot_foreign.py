"""Accounts that answer otherwise than our sandbox does, within what the contract leaves open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from salesforce_scripted import Asked, Say, Scripted

from connectors.hubspot import Settings, connect
from connectors.hubspot.connector import HubSpot
from syncd.connector import Effect, Record
from syncd.http import BadAnswer

STAMP = "2026-11-21T10:00:00.123Z"


def _connector(account: Scripted, **settings: Any) -> HubSpot:
    return connect(Settings(token="t", **settings), account.context())


def _row(key: Any, **values: Any) -> dict[str, Any]:
    values = {"lastmodifieddate": STAMP, "hs_merged_object_ids": None} | values
    return {"id": key, "properties": values, "createdAt": STAMP, "updatedAt": STAMP, "archived": False}


def _defines(account: Scripted, *names: str) -> None:
    one = {"type": "string", "fieldType": "text"}
    account.on("GET", "/crm/properties/", {"results": [{"name": name, **one} for name in names]})


def _fetched(account: Scripted, names: Sequence[str], *keys: str) -> list[dict[str, Any]]:
    records = _connector(account).fetch("contacts", names, keys)
    return [record.attributes for record in records]


# ---------------------------------------------------------------- what rows leave out


def test_a_blank_that_is_left_out_is_blank_when_another_row_shows_the_property() -> None:
    """One guide says that empty properties are left out: the answer itself shows that the property exists."""
    account = Scripted()
    account.on("POST", "/batch/read$", {"results": [_row("1", city="Bonn"), _row("2")]})
    assert _fetched(account, ["city"], "1", "2") == [{"city": "Bonn"}, {"city": None}]
    assert not account.calls("/crm/properties/")


def test_a_blank_that_every_row_leaves_out_is_blank_when_the_property_exists() -> None:
    """A description asked after the read proves that there was a property to be empty."""
    account = Scripted()
    account.on("POST", "/batch/read$", {"results": [_row("1")]})
    _defines(account, "city")
    assert _fetched(account, ["city", "renamed_away"], "1") == [{"city": None}]


def test_a_property_that_does_not_exist_is_never_blank_and_asked_after_once_an_hour() -> None:
    """A renamed property must not look as if everybody had been emptied, nor cost a call for every page."""
    account = Scripted()
    account.on("POST", "/batch/read$", {"results": [_row("1")]})
    _defines(account, "city")
    connector = _connector(account)
    for passed_s, asked in ((0.0, 1), (60.0, 1), (3600.0, 2)):
        account.clock += passed_s
        (record,) = connector.fetch("contacts", ["renamed_away"], ["1"])
        assert record.attributes == {}
        assert len(account.calls("/crm/properties/")) == asked


def test_a_first_walk_fills_blanks_too() -> None:
    """What is left out in the list of everybody decides who qualifies: unknown is not true, blank may be."""
    account = Scripted()
    account.on("POST", "/search$", {"total": 0, "results": []})
    account.on("GET", "/crm/objects/2026-09/contacts$", {"results": [_row("1", city="Bonn"), _row("2")]})
    records: list[Record] = []
    for page in _connector(account).changes("contacts", ["city"], None, lambda keys: {}):
        records += page.records
    assert [record.attributes["city"] for record in records] == ["Bonn", None]


# ---------------------------------------------------------------- what is no text


def test_numbers_and_truths_are_taken_for_their_text() -> None:
    """HubSpot promises texts; a server that answers plain JSON numbers is understood all the same."""
    account = Scripted()
    row = _row(7, hubspotscore=50, share=0.5, opted=False, city=None)
    account.on("POST", "/batch/read$", {"results": [row]})
    (record,) = _connector(account).fetch("contacts", ["hubspotscore", "share", "opted", "city"], ["7"])
    assert record.key == "7"
    assert record.attributes == {"hubspotscore": "50", "share": "0.5", "opted": "false", "city": None}


def test_a_written_row_with_a_number_for_its_id_is_no_doubt() -> None:
    """Else every write of such an account would have to be looked up again."""
    account = Scripted()
    _defines(account, "city")
    account.on("POST", "/batch/update$", {"status": "COMPLETE", "results": [_row(7, city="Bonn")]})
    (outcome,) = _connector(account).write("contacts", [Effect("r1", "update", "7", {"city": "Bonn"})])
    assert (outcome.kind, outcome.key) == ("sent", "7")


@pytest.mark.parametrize("broken", [{"results": [{"id": "7"}]}, {"results": [_row("7", city=["a"])]}, {"rows": []}])
def test_what_cannot_be_understood_stays_a_bad_answer(broken: dict[str, Any]) -> None:
    """Leniency ends where something would have to be guessed."""
    account = Scripted()
    account.on("POST", "/batch/read$", broken)
    with pytest.raises(BadAnswer):
        _fetched(account, ["city"], "7")


# ---------------------------------------------------------------- what an account takes


def test_smaller_pages_are_searched_where_large_ones_are_refused() -> None:
    """An account that takes a hundred rows a page is asked for a hundred, after one refusal."""
    account = Scripted()

    def answer(asked: Asked) -> Say:
        if asked.body["limit"] > 100:
            return Say({"status": "error", "message": "limit", "category": "VALIDATION_ERROR"}, 400)
        return Say({"total": 0, "results": []})

    account.on("POST", "/search$", answer)
    connector = _connector(account)
    for _ in range(2):
        list(connector.changes("contacts", ["city"], '{"mark":5}', lambda keys: {}))
    assert [call.body["limit"] for call in account.calls("/search$")] == [200, 100, 100]


def test_the_old_paths_can_be_asked_for() -> None:
    """A proxy, or a server of somebody else, may know v3 only."""
    account = Scripted()
    account.on("GET", "/account-info/v3/details$", {"portalId": 7})
    account.on("GET", "/crm/v3/owners$", {"results": []})
    account.on("POST", "/crm/v3/objects/contacts/batch/read$", {"results": [_row("1", city="Bonn")]})
    account.on("GET", "/crm/v3/properties/contacts$", {"results": []})
    connector = _connector(account, version="v3")
    assert connector.identify().id == "7"
    assert [record.key for record in connector.fetch("contacts", ["city"], ["1"])] == ["1"]
    assert all(name.startswith("associations.") for name in connector.describe("contacts").attributes)
    assert not list(connector.fetch("owners", ["email"], ["1"]))


# ---------------------------------------------------------------- refusals that name nobody


def test_refusals_that_name_nobody_are_told_apart_by_sending_one_by_one() -> None:
    """Every field of an error is optional: two refusals for two inputs that are missing from the results say that both
    were refused, but not why. Left in doubt they would be sent again for ever."""
    account = Scripted()
    _defines(account, "city", "country")

    def answer(asked: Asked) -> Say:
        results, errors = [], []
        for one in asked.body["inputs"]:
            if name := next((name for name, value in one["properties"].items() if value == "BAD"), None):
                errors.append({"status": "error", "errors": [{"code": f"NO_{name.upper()}", "in": name}]})
            else:
                results.append(_row(one["id"], **one["properties"]))
        return Say({"status": "COMPLETE", "results": results, "numErrors": len(errors), "errors": errors}, 207)

    account.on("POST", "/batch/update$", answer)
    effects = [
        Effect("r1", "update", "1", {"city": "BAD"}),
        Effect("r2", "update", "2", {"city": "Bonn"}),
        Effect("r3", "update", "3", {"country": "BAD"}),
    ]
    told = {one.ref: (one.kind, one.code, one.culprits) for one in _connector(account).write("contacts", effects)}
    assert told == {
        "r1": ("refused", "NO_CITY", ("city",)),
        "r2": ("sent", "", ()),
        "r3": ("refused", "NO_COUNTRY", ("country",)),
    }
    assert [len(call.body["inputs"]) for call in account.calls("/batch/update$")] == [3, 1, 1]


def test_fewer_refusals_than_missing_inputs_stay_in_doubt() -> None:
    """What neither succeeded nor was refused may still come: it is not sent again blindly."""
    account = Scripted()
    _defines(account, "city")
    body = {"status": "COMPLETE", "results": [], "numErrors": 1, "errors": [{"message": "no"}]}
    account.on("POST", "/batch/update$", body, status=207)
    effects = [Effect("r1", "update", "1", {"city": "a"}), Effect("r2", "update", "2", {"city": "b"})]
    assert [one.kind for one in _connector(account).write("contacts", effects)] == ["doubtful", "doubtful"]
    assert len(account.calls("/batch/update$")) == 1
