"""The ledger's codes as sentences: why a deal is not attributed, where a lead stands, what kind of issue it is.

Promise: a code that has no sentence here is shown with its underscores as spaces, never hidden. Pure.
"""

from __future__ import annotations

import re
from datetime import datetime

from syncd.web.words import spoken

CAUSES = {
    "no_contact": "No person is named on the deal",
    "no_touch": "Nobody on the deal has a recorded touch",
    "outside_window": "All touches are older than the agreed look-back window",
    "no_amount": "The deal has no readable amount",
    "no_close_date": "The deal has no readable closing day",
}
"""Why a won deal is attributed to nothing."""

STATES = {
    "delivered": "delivered",
    "waiting": "waiting",
    "blocked": "blocked",
    "rejected": "given back by sales",
    "out_of_scope": "out of scope",
}
"""Where somebody is who once qualified."""

BLOCKED = {
    "create rule": "the mapping's create rule keeps them out of the CRM",
    "ambiguous": "several records in the CRM match: somebody has to pick one",
    "refused": "the CRM refused the record",
    "gone": "the record is gone",
    "scope": "the mapping's scope leaves them out",
    "no longer qualified": "they do not meet the definition any more",
    "the next cycle": "the next cycle hands them over",
    "its plan is held": "the plan is held until somebody releases it",
}
"""Why a hand-off is where it is."""

OUTCOMES = {
    "handoff": "hand off: fit and interest are both there",
    "nurture": "nurture: they fit, but show too little interest so far",
    "watch": "watch: they show interest, but do not fit",
    "disqualify": "leave alone: neither fit nor interest, or ruled out",
}
"""The four outcomes of the definition."""

KINDS = {
    "held_plan": "A plan waits to be released",
    "safe_mode": "A mapping is in safe mode",
    "ambiguous": "Several records match",
    "lacks_required": "Something is missing before it can be created",
    "refused": "A system refused a write",
    "unanswered": "A write got no answer",
    "exists_already": "The record exists already",
    "ignored": "A system ignored a write",
    "out_of_sight": "A written record cannot be seen",
    "mapping_invalid": "A mapping file has errors",
    "handoff_sum": "The hand-off does not add up",
    "not_shown": "A record is not shown any more",
    "disappeared": "Many records disappeared at once",
    "deletes_wait": "Deletes wait for a decision",
    "deleted_and_edited": "Deleted here, edited there",
    "left": "A record left the scope",
    "partner_gone": "A partner was deleted once",
    "forgotten": "Somebody who was erased is here again",
    "gone": "A record is gone",
    "merged_into_linked": "Two linked records were merged",
    "drift": "Both systems drifted apart",
    "schema": "A system's fields changed",
    "unreadable_value": "A value cannot be read",
    "unwritable_value": "A value cannot be written",
    "unmapped_value": "A value has no counterpart",
    "unknown_owner": "An owner has no counterpart",
}
"""Kinds of issues."""

DONE = {
    "decide": "decided",
    "sent": "written",
    "link": "linked",
    "joined": "linked",
    "picked": "picked by a person",
    "released": "plan released",
    "retried": "retried",
    "restore": "value put back",
    "restored": "value put back",
    "undo": "undone",
    "forgotten": "forgotten",
    "gone": "gone",
    "kept": "kept",
    "funnel": "definition changed",
    "mapping": "mapping changed",
    "schema": "fields changed",
    "scope": "scope changed",
}
"""Kinds of journal entries."""

VERDICTS = {
    "agree": "the same",
    "stand": "differs for a reason",
    "clash": "both changed",
    "meet": "both keep their own",
    "crm": "goes to sales",
    "marketing": "goes to marketing",
}
"""What is decided of a field."""

COMMANDS = {
    "run": "the daemon",
    "demo": "the demo",
    "once": "one cycle",
    "plan": "a plan",
    "approve": "a release",
    "ruling": "a decision of a person",
    "undo": "an undo",
    "forget": "an erasure",
    "backfill": "a backfill",
    "parity": "a comparison",
    "reassert": "a reassertion",
    "retry": "a retry",
    "resolve": "a decision of a person",
    "restore": "a value that is put back",
}
"""Who or what made a run."""


EFFECTS = {
    "planned": "goes with the next cycle",
    "ready": "released: goes next",
    "held": "held until released",
    "asked": "a delete that waits for a decision",
    "sent": "sent, no answer yet",
    "answered": "answered, not seen again yet",
}
"""States of a planned write."""
FLOWS = {"both": "both ways", "to_crm": "to sales", "to_marketing": "to marketing", "none": "nowhere: read only"}
WINS = {
    "crm": "sales wins",
    "marketing": "marketing wins",
    "newer": "the newer wins",
    "hold": "a person decides",
    "stricter": "the stricter wins",
    "fill": "blanks are filled",
}
"""Who wins where both sides say something else."""
BLANKS = {"keep": "overwrites nothing", "clear": "clears the other side"}
GONE = {
    "unlink": "the pair is forgotten, the other record stays",
    "archive": "the other record is deleted too, once a person says so",
    "ignore": "nothing happens to the other one",
}


def holder(text: str) -> tuple[str, float | None]:
    """Who works on the ledger, in words, and since when (epoch seconds), out of the lease's own text: its time is that of
    this machine's clock."""
    found = re.fullmatch(r"`syncd ([\w-]+)` \(process \d+, since ([\d :-]+)\)", text)
    if found is None:
        return "Another process is at work", None
    command, since = found.groups()
    who = COMMANDS.get(command, command)
    keeps = command in ("run", "demo")
    said = f"Kept in step by {who}" if keeps else f"{who[:1].upper()}{who[1:]} is under way"
    return said, datetime.fromisoformat(since).timestamp()


def cause(code: str) -> str:
    return CAUSES.get(code, spoken(code))


def reason(code: str) -> str:
    return BLOCKED.get(code, spoken(code))


def state(code: str) -> str:
    return STATES.get(code, spoken(code))


def outcome(code: str) -> str:
    return OUTCOMES.get(code, spoken(code))


def kind(code: str) -> str:
    return KINDS.get(code, spoken(code).capitalize())


def verdict(code: str) -> str:
    return VERDICTS.get(code, spoken(code))


def done(code: str) -> str:
    return DONE.get(code, spoken(code))


def sides(text: str) -> str:
    """The CRM is sales to the people of both departments; names of fields stay."""
    return re.sub(r"\bcrm\b", "sales", text)
