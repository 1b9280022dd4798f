"""The rows under the Salesforce sandbox: indexes that never lie, transactions that leave nothing. Checked by chance."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from salesforce_org import Api

from connectors.salesforce.sandbox.objects import OBJECTS
from connectors.salesforce.sandbox.store import Row, Store

KEYS = ("a", "b", "c", "d")
ROWS = st.fixed_dictionaries(
    {"Id": st.sampled_from(KEYS), "SystemModstamp": st.integers(1, 4)},
    optional={"Email": st.sampled_from(("X@x", "x@X", "y@y")), "Syncd_Key__c": st.sampled_from(("k", "K", "l"))},
)
STEPS = st.lists(st.tuples(st.sampled_from(("put", "drop", "many", "undo")), st.lists(ROWS, min_size=1, max_size=4)))


def told(store: Store) -> dict[str, Any]:
    """Everything a table answers: rows, stamps in order, who holds which value."""
    table = store.table("Lead")
    return {
        "rows": dict(table.rows),
        "stamps": table.stamped(None, None),
        "values": {(name, value): sorted(table.find(name, value)) for name, value in VALUES},
    }


VALUES = [("Email", "x@x"), ("Email", "y@y"), ("Syncd_Key__c", "k"), ("Syncd_Key__c", "l")]


def expected(rows: dict[str, Row]) -> dict[str, Any]:
    """The same, worked out from the rows alone."""
    return {
        "rows": rows,
        "stamps": sorted((row["SystemModstamp"], key) for key, row in rows.items()),
        "values": {
            (name, value): sorted(key for key, row in rows.items() if row.get(name, "").lower() == value)
            for name, value in VALUES
        },
    }


def do(store: Store, step: str, rows: list[Row]) -> None:
    held = store.table("Lead").rows
    if step == "put":
        for row in rows:
            store.put("Lead", row)
    elif step == "drop":
        for key in {row["Id"] for row in rows} & set(held):
            store.drop("Lead", key)
    elif step == "many":
        store.put_many("Lead", list({row["Id"]: row for row in rows if row["Id"] in held}.values()))


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_indexes_agree_with_the_rows_whatever_happened(steps: list[tuple[str, list[Row]]]) -> None:
    """Also after a transaction that was taken back, alone or inside another."""
    store = Store(OBJECTS)
    for step, rows in steps:
        before = dict(store.table("Lead").rows)
        if step != "undo":
            do(store, step, rows)
        else:
            with store.transaction() as roll_back:
                do(store, "put", rows)
                with store.transaction():
                    do(store, "drop", rows[:1])
                    do(store, "many", rows)
                roll_back()
            assert store.table("Lead").rows == before
        assert told(store) == expected(dict(store.table("Lead").rows))


LEADS = (
    {"LastName": "A", "Email": "a@x.example", "Syncd_Key__c": "k1", "Marketing_Score__c": 1},
    {"LastName": "B", "Email": "A@X.example", "Rating": "Hot"},
    {"LastName": "C", "Syncd_Key__c": "k2", "Rating": "Cold"},
    {"LastName": "D", "Email": "d@x.example", "Marketing_Score__c": 2},
)


@pytest.fixture(scope="module")
def org() -> Api:
    api = Api(shuffle_ties=False)
    for lead in LEADS:
        api.make(**lead)
        api.advance(1)
    return api


TESTS = st.sampled_from(
    (
        "Email = 'a@x.example'",
        "Email IN ('a@x.example', 'd@x.example', 'd@x.example')",
        "Email = null",
        "Email != 'a@x.example'",
        "Syncd_Key__c = 'K1'",
        "Syncd_Key__c IN ('k2', 'none')",
        "SystemModstamp >= 2026-11-21T00:00:01Z",
        "SystemModstamp < 2026-11-21T00:00:02.500Z",
        "SystemModstamp = 2026-11-21T00:00:03Z",
        "SystemModstamp > TODAY",
        "SystemModstamp <= TODAY",
        "Rating = 'Hot'",
        "Marketing_Score__c > 1",
    )
)
CONDITIONS = st.recursive(
    TESTS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: " AND ".join(f"({part})" for part in parts)),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: " OR ".join(f"({part})" for part in parts)),
        inner.map(lambda part: f"(NOT ({part}))"),
    ),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None)
@given(condition=CONDITIONS)
def test_an_index_never_changes_an_answer(org: Api, condition: str) -> None:
    """The same condition with an index and, inside an OR that no index can answer, without."""
    names = [
        [row["LastName"] for row in org.rows(f"SELECT LastName FROM Lead WHERE {where} ORDER BY LastName")]
        for where in (condition, f"({condition}) OR Id = null")
    ]
    assert names[0] == names[1]
