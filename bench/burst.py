"""A bulk edit: 25,000 records of each side with one and the same stamp, read completely, and what it costs in calls."""

from __future__ import annotations

from pathlib import Path

from bench.engine import Engine
from bench.figure import Figure
from bench.stage import Stage, qualified, staged
from connectors.hubspot.sandbox import populate as fill_portal
from connectors.salesforce.sandbox import populate as fill_org

RECORDS = 25_000
MOST_RATIO = 1.1


def measure(folder: Path, records: int = RECORDS) -> list[Figure]:
    with staged(folder) as stage:
        fill_portal(stage.marketing.app, qualified(1, records, "buyers"))
        fill_org(stage.crm.app, qualified(1, records, "buyers"))
        stage.engine.pull()
        stage.clock.advance(60_000)
        _edit_everything(stage)
        stage.clock.advance(60_000)
        stage.marketing.take()
        stage.crm.take()
        stage.engine.pull()
        seen = _seen(stage.engine, "hubspot", "contacts"), _seen(stage.engine, "salesforce", "Lead")
        counted = stage.marketing.take()["feed"], stage.crm.take()["feed"]
        stage.clock.advance(60_000)
        later = [_poll(stage) for _ in range(2)]
    formulas = -(-records // 200) - (-records // 100), -(-records // 2000) + 1
    figures = []
    for side, read, calls, formula in zip(("HubSpot", "Salesforce"), seen, counted, formulas, strict=True):
        figures += [
            Figure("burst", f"{side}: read of {records:,} with one stamp", read, "records", least=records),
            Figure(
                "burst",
                f"{side}: feed calls, of the formula",
                calls / formula,
                most=MOST_RATIO,
                note=f"{calls} counted, {formula} by the formula",
            ),
        ]
    return [
        *figures,
        Figure(
            "burst",
            "calls of the poll after it",
            later[0],
            "calls",
            note="ids and stamps once more: what the index shows late",
        ),
        Figure(
            "burst", "calls of the poll after that", later[1], "calls", most=3, note="contacts, leads, CRM contacts"
        ),
    ]


def _poll(stage: Stage) -> int:
    """The feed calls of one more poll of everything."""
    stage.engine.pull()
    stage.clock.advance(60_000)
    return stage.marketing.take()["feed"] + stage.crm.take()["feed"]


def _edit_everything(stage: Stage) -> None:
    """As a mass update does it: one moment for all."""
    for key in stage.live("contacts"):
        stage.marketing.act({"do": "edit", "object": "contacts", "key": key, "values": {"jobtitle": "Member"}})
    stage.crm.act({"do": "edit", "object": "Lead", "all": True, "values": {"Title": "Member"}})


def _seen(engine: Engine, system: str, object: str) -> int:
    """How many facts hold what the bulk edit wrote."""
    facts = engine.ledger.facts
    name = "jobtitle" if system == "hubspot" else "Title"
    return sum(values[name] == "Member" for _, values in facts.live_values(facts.object_id(system, object)))
