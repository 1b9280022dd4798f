"""Hand-offs as they stand: everybody who ever met the definition of qualified, and where they are now.

Promise: qualified = delivered + waiting + blocked + rejected + out of scope, to the record. It counts what the ledger
holds; reports over time come with a later release.
"""

from __future__ import annotations

from typing import Any

from syncd.assembly import Mappings
from syncd.core import plan
from syncd.core.funnel import Funnel
from syncd.core.mapping import Mapping as Compiled
from syncd.ledger import Ledger
from syncd.ledger.facts import Fact
from syncd.view.records import place

FROM_MARKETING = "created from marketing"
STAGE = "stage"
"""The field whose values are the funnel's stages."""


def handoff(ledger: Ledger, mappings: Mappings) -> dict[str, Any]:
    """The counts, and the records that are not delivered, each with its reason."""
    counts: dict[str, Any] = {
        "qualified": 0, "delivered": 0, "waiting": 0, "blocked": {}, "rejected": 0, "out_of_scope": 0
    }  # fmt: skip
    records: list[dict[str, Any]] = []
    if mappings.funnel is not None:
        judged_by = mappings.funnel.qualified.names
        for mapping in mappings.by_name.values():
            # A deal is no lead: only objects that have what the definition looks at are handed over by it.
            if mapping.create["crm"] is not None and judged_by <= {field.name for field in mapping.fields}:
                _count(ledger, mapping, mappings.funnel, counts, records)
    return {**counts, "records": records}


def _count(
    ledger: Ledger, mapping: Compiled, funnel: Funnel, counts: dict[str, Any], records: list[dict[str, Any]]
) -> None:
    issues = {(one.object, one.key): one.kind for one in ledger.inbox.issues(mapping=mapping.name, limit=100_000)}
    for form in mapping.marketing.forms:
        object_ = ledger.facts.object_id(mapping.marketing.system, form)
        after = ""
        while facts := ledger.facts.walk(object_, after):
            after = facts[-1].key
            links = ledger.links.of_records(mapping.name, object_, [fact.key for fact in facts])
            for fact in facts:
                if fact.state != "live":
                    continue
                link = links.get(fact.key)
                state = _state(ledger, mapping, funnel, form, fact, link, issues)
                if state is None:
                    continue
                counts["qualified"] += 1
                kind, _, reason = state.partition(":")
                if kind == "blocked":
                    counts["blocked"][reason] = counts["blocked"].get(reason, 0) + 1
                else:
                    counts[kind] += 1
                if kind != "delivered":
                    records.append({**place(ledger, object_, fact.key), "state": kind, "reason": reason})


def _state(
    ledger: Ledger,
    mapping: Compiled,
    funnel: Funnel,
    form: str,
    fact: Fact,
    link: int | None,
    issues: dict[tuple[int | None, str | None], str],
) -> str | None:
    """Where a record is in the hand-off; None: it never qualified, as far as the ledger can tell."""
    context = mapping.context("marketing", form, fact.attributes)
    qualifies = funnel.qualified.holds(context) is True
    handed = link is not None and ledger.links.how(link) == FROM_MARKETING
    if not qualifies and not handed:
        return None
    if link is not None:
        stage = next((one for one in funnel.stages if one.name == context.get(STAGE)), None)
        return "rejected" if handed and not qualifies and stage and stage.owner == "marketing" else "delivered"
    if not plan.holds(mapping, mapping.scope, "marketing", "marketing", form, fact.attributes):
        return "out_of_scope"
    if (fact.object, fact.key) in issues:
        return f"blocked:{issues[fact.object, fact.key]}"
    return "waiting"
