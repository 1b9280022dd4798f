"""Sometimes counters: what must have happened in a campaign, or the campaign tested nothing.

Promise: a counter is moved by what really happened on the line and in the ledger, never by what a script intended.
"""

from __future__ import annotations

import re
from collections import Counter

from line import Exchange
from town import MAPPING, Town

from syncd.run import Tally

SOMETIMES = {
    "H001 killed between a create and its record": "create killed",
    "H002 a create was carried out and not answered": "create unanswered",
    "H003 a create landed late": "create late",
    "H004 an update landed late": "update late",
    "H005 an edit stood where a late update landed": "late over edit",
    "H008 a batch was done in part": "part of a batch",
    "H027 a vendor asked for quiet": "429",
    "H035 a token had expired": "expired",
    "H043 a web page came with status 200": "garbage",
    "H044 pages of one feed": "paged",
    "H047 an index lagged behind an edit": "index lag",
    "H048 a commit came later than its stamp": "commit lag",
    "H052 somebody edited while a cycle ran": "edited while a cycle ran",
    "H063 a record was out of our sight": "hidden from our sight",
    "H074 our own write was seen again": "echo",
    "H076 a vendor bent what was written": "bent",
    "H100 an edit came between read and write, and the condition held it": "412",
    "H100 an edit stood under a write that could not see it": "covered",
    "H103 somebody emptied a value": "cleared",
    "H108 somebody opted out": "opted out",
    "H113 several matched": "several",
    "H124 records were merged": "merged",
    "H129 a lead was converted": "converted",
    "H132 a record was deleted": "deleted",
    "H133 a record was restored": "restored",
    "H138 a guard held a plan": "held",
    "H148 a value was refused": "refused",
    "H154 both sides were edited to different values": "clash",
    "H184 the ledger was lost": "the ledger was lost",
    "H185 an old ledger was put back": "an old ledger was put back",
    "H186 a second daemon was started": "a second daemon was started",
    "I18 the process was killed": "killed",
}
"""What must have happened, and its counter."""

SEVERAL = ("ambiguous", "several", "shared_match")
"""Kinds of issue about more than one partner."""

RARE = frozenset(
    {"H003 a create landed late", "H005 an edit stood where a late update landed", "H184 the ledger was lost"}
)
"""Only in a long campaign."""


def tell(happened: Counter[str], town: Town, exchange: Exchange) -> None:
    """After a request: what the line tells."""
    told, path, lag_ms = exchange.told, exchange.request.path, 0
    happened["garbage"] += "garbage" in exchange.struck
    if told is not None:
        happened["429"] += told.status == 429
        happened["expired"] += told.status == 401
    happened["paged"] += bool(re.search(r"/query/0", path)) or b'"after"' in exchange.request.body
    if exchange.vendor == "hubspot" and path.endswith("/search"):
        lag_ms = town.apps["hubspot"].portal.switches.search_lag_ms
        now_s = exchange.at_s
        edits = [at for (object, _), times in town.edited_at.items() if object == "contacts" for at in times]
        happened["index lag"] += any(now_s - lag_ms / 2000 < at <= now_s for at in edits)
    if exchange.vendor == "salesforce" and "/query" in path:
        happened["commit lag"] += bool(town.apps["salesforce"].org.pending)


def count(happened: Counter[str], town: Town, tally: Tally) -> None:
    """After a cycle: what the run and the ledger tell."""
    ledger = town.open().ledger
    happened["held"] += tally.held
    happened["refused"] += tally.outcomes["refused"]
    happened["412"] += tally.outcomes["moved"]
    happened["clash"] += bool(ledger.inbox.conflict_count(MAPPING))
    happened["several"] += any(issue.kind in SEVERAL for issue in ledger.inbox.issues(mapping=MAPPING))
