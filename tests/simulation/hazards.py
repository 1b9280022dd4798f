"""Sometimes counters: what must have happened in a campaign, or the campaign tested nothing.

Promise: a counter is moved by what really happened on the line and in the ledger, never by what a script intended. `TOP` has
all of the thirty hazards that hurt most and come most often; `MORE` has what else must come up.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from line import Exchange
from memory import Place, Spot
from told import Write
from town import MAPPING, SMALL_REACH, Town

from syncd.run import Run


@dataclass(frozen=True)
class Hazard:
    """One of the thirty. `counters`: each must have moved. `rare`: only a long campaign is sure to meet those."""

    name: str
    counters: tuple[str, ...]
    rare: tuple[str, ...] = ()


TOP = (
    Hazard("H001, H002: a crash or a lost answer after a create", ("create killed", "create unanswered")),
    Hazard("H074 to H079: our own write comes back, and not as it was written", ("echo", "bent")),
    Hazard("H047, H048: an index, or a commit, lags behind the cursor", ("index lag", "commit lag")),
    Hazard("H100: an edit between our read and our write", ("412", "covered")),
    Hazard("H179, H195: the first live run", ("first plan held",)),
    Hazard("H063: records are out of our sight", ("hidden from our sight",)),
    Hazard("H104, H040: what cannot be read is not empty", ("a field was out of our sight", "a property was archived")),
    Hazard("H138, H139: many deleted, a column emptied", ("held", "wipe of many", "delete of many")),
    Hazard("H044 to H046: equal stamps across a page's end, more rows than a search reaches", ("tie", "beyond reach")),
    Hazard("H124 to H126: merges on either side", ("merged in marketing", "merged in the crm")),
    Hazard("H008 to H010: batches done in part, answered in another order", ("part of a batch", "shuffled")),
    Hazard("H168, H167: records that are refused for good", ("refused", "a validation rule", "a field is required")),
    Hazard("H055: a search shows older values than there are", ("stale search",)),
    Hazard("H108: an opt-out here, an older opt-in there", ("opted out",)),
    Hazard("H029, H034: others use up the day's calls", ("reserve",)),
    Hazard("H165, H166: the schema drifts", ("a field was renamed",)),
    Hazard("H113 to H117: several match, addresses change", ("several", "another address")),
    Hazard("H004, H005: an update lands late, over an edit", ("update late",), ("late over edit",)),
    Hazard("H087, H088: a step back is ignored, an automation answers", ("step back ignored", "automation")),
    Hazard("H129, H131: a lead is converted, into a contact that is there", ("converted",), ("converted into another's contact",)),
    Hazard("H039, H043: an answer with status 200 that is none", ("garbage", "empty answer")),
    Hazard("H103, H105: a value is emptied, a default comes back", ("cleared", "default")),
    Hazard("H185, H184: the ledger is restored, or lost", ("an old ledger was put back",), ("the ledger was lost",)),
    Hazard("H169 to H174: the mapping is edited while it runs", ("the mapping was edited",)),
    Hazard("H154, H155: days, time zones, turning clocks", ("a day or a moment",)),
    Hazard("H132 to H134: deleted here and edited there, restored", ("deleted", "deleted and edited", "restored")),
    Hazard("X01 to X03: an answer leads elsewhere", ("redirect",)),
    Hazard("H141, H017: a child comes before its parent", ("child first", "killed in a family")),
    Hazard("H186, H187: two daemons", ("a second daemon was started", "a daemon elsewhere")),
    Hazard("H180, H182: the disk is full, the power is gone", ("the disk was full", "killed")),
)  # fmt: skip
"""By likelihood and damage, the worst first. Power that is gone is a kill: what a commit returned from is on disk (the pragma is
tested beside the ledger, and system calls are killed one by one in `tests/e2e/test_system_calls_e2e.py`)."""

MORE = {
    "H003 a create landed late": "create late",
    "H027 a vendor asked for quiet": "429",
    "H035 a token had expired": "expired",
    "H044 pages of one feed": "paged",
    "H052 somebody edited while a cycle ran": "edited while a cycle ran",
    "H097 both sides were edited to different values": "clash",
    "H109 somebody was handed over, and given back": "given back",
    "H109 and handed over again, in time": "handed over again",
    "H001 syncd died while the two departments worked": "killed in the loop",
}
RARE = frozenset({"create late"} | {counter for hazard in TOP for counter in hazard.rare})
"""These may be missing in a short campaign."""

COUNTERS = {
    **{f"{n:2} {one.name}: {c}": c for n, one in enumerate(TOP, 1) for c in (*one.counters, *one.rare)},
    **{f"   {name}": counter for name, counter in MORE.items()},
}
"""What must have happened, and its counter."""

SEVERAL = ("ambiguous", "several", "shared_match")
"""Kinds of issue about more than one partner."""


def tell(happened: Counter[str], town: Town, exchange: Exchange) -> None:
    """After a request: what the line tells."""
    told, path = exchange.told, exchange.request.path
    happened["garbage"] += "garbage" in exchange.struck
    happened["redirect"] += "redirect" in exchange.struck
    if told is not None:
        happened["429"] += told.status == 429
        happened["expired"] += told.status == 401
        happened["empty answer"] += told.status == 200 and told.body == {} and "status" in exchange.struck
    happened["paged"] += bool(re.search(r"/query/0", path)) or b'"after"' in exchange.request.body
    if exchange.vendor == "hubspot" and path.endswith("/search"):
        _search(happened, town, exchange)
    if exchange.vendor == "salesforce" and "/query" in path:
        happened["commit lag"] += bool(town.apps["salesforce"].org.pending)
        body = told.body if told is not None else None
        if isinstance(body, dict) and body.get("done") is False and body.get("records"):
            _tie(happened, town, body["records"])


def _search(happened: Counter[str], town: Town, exchange: Exchange) -> None:
    portal, told = town.apps["hubspot"].portal, exchange.told
    lag_ms, now_s = portal.switches.search_lag_ms, exchange.at_s
    edits = [at for (object, _), times in town.edited_at.items() if object == "contacts" for at in times]
    happened["index lag"] += any(now_s - lag_ms / 2000 < at <= now_s for at in edits)
    if told is None or not isinstance(told.body, dict):
        return
    rows = told.body.get("results", [])
    records = portal.tables["contacts"].records
    for row in rows:
        record = records.get(row["id"])
        shown = row.get("properties", {}).get("lastmodifieddate")
        happened["stale search"] += (
            record is not None and shown is not None and shown < record.values["lastmodifieddate"]
        )
    happened["beyond reach"] += len(rows) < told.body.get("total", 0) > SMALL_REACH
    if rows and len(rows) < told.body.get("total", 0):
        stamps = {row["id"]: row.get("properties", {}).get("lastmodifieddate") for row in rows}
        others = [one.values.get("lastmodifieddate") for key, one in records.items() if key not in stamps]
        happened["tie"] += stamps[rows[-1]["id"]] in others


def _tie(happened: Counter[str], town: Town, records: Sequence[Mapping[str, Any]]) -> None:
    """A page ends between rows of one stamp."""
    last = records[-1]
    if "SystemModstamp" in last and "attributes" in last:
        object = last["attributes"]["type"]
        rows = town.apps["salesforce"].state(object)["objects"][object]
        shown = {str(row.get("Id")) for row in records}
        happened["tie"] += any(
            row["SystemModstamp"] == last["SystemModstamp"] for key, row in rows.items() if key not in shown
        )


def became_of(
    happened: Counter[str],
    asked: Sequence[Write],
    written: Mapping[Spot, Any],
    rows: Mapping[Place, Mapping[str, Any]],
    automatic: Set[str],
) -> None:
    """After a write: what stands there, compared with what was sent."""
    for (object, key, name), value in written.items():
        now = rows.get((object, key), {}).get(name)
        if (object, key) not in rows or value in (None, "", True, False) or str(now) == str(value):
            continue
        happened["bent"] += 1
        happened["automation"] += now in automatic
        happened["step back ignored"] += name == "lifecyclestage"
    for one in asked:
        if one.op == "create" and one.sent:
            row = rows.get((one.object, one.key or ""), {})
            happened["default"] += any(
                value not in (None, "", False) and not name.startswith("_") and name not in one.values
                for name, value in row.items()
            )


def order_of(happened: Counter[str], exchange: Exchange) -> None:
    """After a batch: whether it was answered in another order."""
    body = exchange.told.body if exchange.told is not None else None
    if exchange.vendor != "hubspot" or "/batch/" not in exchange.request.path or not isinstance(body, dict):
        return
    asked = re.findall(rb'"id":\s*"(\d+)"', exchange.request.body)
    rows = [str(row["id"]).encode() for row in body.get("results", [])]
    both = [key for key in asked if key in rows]
    happened["shuffled"] += both != [key for key in rows if key in both]


def count(happened: Counter[str], town: Town, run: Run, *, first: bool) -> None:
    """After a cycle: what the run and the ledger tell. `first`: no plan of the mapping was ever released."""
    ledger, tally = town.open().ledger, run.tally(MAPPING)
    happened["held"] += tally.held
    happened["first plan held"] += tally.held and first
    happened["refused"] += tally.outcomes["refused"]
    happened["412"] += tally.outcomes["moved"]
    happened["clash"] += bool(ledger.inbox.conflict_count(MAPPING))
    happened["several"] += any(issue.kind in SEVERAL for issue in ledger.inbox.issues(mapping=MAPPING))
