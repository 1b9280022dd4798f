"""The HubSpot connector keeps the contract against the HubSpot-style sandbox, whichever way the unverified facts are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hubspot_bench import COMPANY, CONTACT, DEAL, HubSpotBench, bench_of, portal

from syncd.connector import Connector
from syncd.contract import RULES, Rule, Subject, changing, once, referring, run, writing

SWITCHES: dict[str, dict[str, Any]] = {
    "merges keep the primary's id": {"merge_id": "primary", "merged_batch_read": "resolve"},
    "a batch drops merged ids": {"merged_batch_read": "drop", "conflict_cites": "survivor"},
    "every partial success is told as such": {"multi_status": "207", "trace_on_update": "always"},
    "updates know no trace ids": {"trace_on_update": "never", "property_error_shape": "text"},
    "conflicts look otherwise": {
        "unique_conflict_status": 409,
        "email_taken_on_update": 400,
        "property_error_shape": "structured",
    },
    "the account is calm": {"recalculation_ms": 0, "noop_bumps": False, "shuffle_results": False},
    "associations answer otherwise": {
        "no_associations": "error",
        "to_object_id": "integer",
        "batch_labels": "add",
        "archived_associations": "kept",
        "association_bumps_modified": True,
    },
    "the list is clamped, unknown ids are told": {
        "list_limit_over": "clamp",
        "unknown_delete": 404,
        "archive_unknown": 207,
    },
}


@pytest.fixture(scope="module")
def bench() -> Iterator[HubSpotBench]:
    """One portal for all rules."""
    with portal() as server:
        yield bench_of(server)


@pytest.fixture(scope="module")
def connector(bench: HubSpotBench) -> Iterator[Connector]:
    """One connection to it, by OAuth."""
    connected = bench.connect()
    yield connected
    connected.close()


@pytest.mark.parametrize("subject", [CONTACT, COMPANY, DEAL], ids=lambda subject: subject.object)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_hubspot_keeps(rule: Rule, subject: Subject, bench: HubSpotBench, connector: Connector) -> None:
    """Rule: the sentence of the contract's rule. Skipped only where a trait or an attribute lacks, which is named."""
    token = f"{subject.object[:3]}{RULES.index(rule):02d}x"
    (verdict,) = run(connector, bench, read_only=False, subjects=[subject], token=token, rules=[rule])

    if verdict.kind == "skipped":
        assert verdict.why.startswith("the object does not"), verdict.why
        pytest.skip(verdict.why)
    assert verdict.kind == "kept", str(verdict)


@pytest.mark.parametrize("name", SWITCHES)
def test_hubspot_keeps_the_contract_whichever_way_it_is(name: str) -> None:
    """Rule: a fact about the vendor that nobody verified may be either way."""
    rules = [
        *writing.RULES,
        *referring.RULES,
        *once.RULES,
        changing.a_merge_is_told,
        changing.a_merge_shows_in_the_feed,
    ]
    with portal(**SWITCHES[name]) as server:
        bench = bench_of(server)
        connected = bench.connect()
        verdicts = list(run(connected, bench, read_only=False, subjects=[CONTACT], rules=rules))
        connected.close()

    assert [str(verdict) for verdict in verdicts if verdict.kind not in ("kept", "skipped")] == []
