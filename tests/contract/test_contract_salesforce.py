"""The Salesforce connector keeps the contract against the Salesforce-style sandbox, whichever way the unverified
facts are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from salesforce_bench import ACCOUNT, CONTACT, LEAD, OPPORTUNITY, SalesforceBench, bench_of, org

from syncd.connector import Connector
from syncd.contract import RULES, Rule, Subject, changing, once, referring, run, writing

SWITCHES: dict[str, tuple[dict[str, Any], tuple[Rule, ...]]] = {
    "composites ignore conditions": ({"composite_preconditions": False}, once.RULES),
    "a failed condition has a body": (
        {"body_of_412": True, "precondition_field": "LastModifiedDate", "bin_holds_unique": True},
        once.RULES,
    ),
    "a badly typed value refuses its record only": (
        {"parser_error_fails_batch": False, "lower_email": True, "null_boolean_refused": False},
        writing.RULES,
    ),
    "refused values name their fields, and reparented rows are stamped": (
        {
            "errors_list_fields": True,
            "multi_currency": False,
            "reparent_moves_stamp": True,
            "foreign_id_malformed": False,
        },
        (*writing.RULES, *referring.RULES),
    ),
    "pages are a snapshot and can be read once": (
        {"locator_live": False, "locator_once": True, "undelete_moves_stamp": True, "shuffle_ties": False},
        changing.RULES,
    ),
}


@pytest.fixture(scope="module")
def bench() -> Iterator[SalesforceBench]:
    """One org for all rules."""
    with org() as server:
        yield bench_of(server)


@pytest.fixture(scope="module")
def connector(bench: SalesforceBench) -> Iterator[Connector]:
    """One connection to it."""
    connected = bench.connect()
    yield connected
    connected.close()


@pytest.mark.parametrize("subject", [LEAD, CONTACT, ACCOUNT, OPPORTUNITY], ids=lambda subject: subject.object)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_salesforce_keeps(rule: Rule, subject: Subject, bench: SalesforceBench, connector: Connector) -> None:
    """Rule: the sentence of the contract's rule. Skipped only where a trait or an attribute lacks, which is named."""
    token = f"{subject.object}{RULES.index(rule):02d}x"
    (verdict,) = run(connector, bench, read_only=False, subjects=[subject], token=token, rules=[rule])

    if verdict.kind == "skipped":
        assert verdict.why.startswith("the object does not"), verdict.why
        pytest.skip(verdict.why)
    assert verdict.kind == "kept", str(verdict)


@pytest.mark.parametrize("name", SWITCHES)
def test_salesforce_keeps_the_contract_whichever_way_it_is(name: str) -> None:
    """Rule: a fact about the vendor that nobody verified may be either way."""
    switches, rules = SWITCHES[name]
    with org(**switches) as server:
        bench = bench_of(server)
        connected = bench.connect()
        verdicts = list(run(connected, bench, read_only=False, subjects=[LEAD, OPPORTUNITY], rules=rules))
        connected.close()

    assert [str(verdict) for verdict in verdicts if verdict.kind not in ("kept", "skipped")] == []
