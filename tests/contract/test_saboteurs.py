"""Every rule of the contract can fail: for each there is a broken connector that it catches."""

from __future__ import annotations

import pytest
from memory_bench import LEAD, world
from saboteurs import SABOTAGES, Sabotage

from connectors.memory import MemoryConnector
from syncd.contract import RULES, Verdict, run

CRASHES = ("ClosesOnce", "FailsOnWhatItDoesNotKnow")
"""Saboteurs whose very mistake is to raise."""
BY_NAME = {rule.name: rule for rule in RULES}


def judged(sabotage: Sabotage, connector: type[MemoryConnector]) -> Verdict:
    """The verdict of the sabotaged rule on a connector, in the world of that sabotage."""
    store = world(**sabotage.claims)
    store.create("Lead", {"LastName": "Resident", "Email": "resident@example.com"})
    rules = [BY_NAME[sabotage.rule]]
    return next(run(connector(store), sabotage.bench(store, connector), read_only=False, subjects=[LEAD], rules=rules))


@pytest.mark.parametrize("sabotage", SABOTAGES, ids=str)
def test_the_rule_catches_its_saboteur(sabotage: Sabotage) -> None:
    """Rule: a contract test that cannot fail is none."""
    verdict = judged(sabotage, sabotage.connector)

    assert verdict.kind == "broken", str(verdict)
    assert verdict.why.startswith("raised") == (str(sabotage) in CRASHES), str(verdict)


@pytest.mark.parametrize("sabotage", SABOTAGES, ids=str)
def test_the_rule_lets_the_sound_connector_pass(sabotage: Sabotage) -> None:
    """Rule: what the rule catches is the sabotage, not the world in which it is tried."""
    verdict = judged(sabotage, sabotage.sound)

    assert verdict.kind == "kept", str(verdict)


def test_every_rule_has_a_saboteur() -> None:
    """Rule: no rule is taken on trust."""
    assert {sabotage.rule for sabotage in SABOTAGES} == set(BY_NAME)


def test_every_rule_has_a_name_and_a_sentence_of_its_own() -> None:
    """Rule: verdicts are read by people."""
    assert len(BY_NAME) == len(RULES)
    assert len({rule.sentence for rule in RULES}) == len(RULES)
    assert all(rule.sentence.endswith(".") for rule in RULES)
