"""Planted bugs: each a small change of one named place that a tired engineer could have made.

Promise: a bug names its place by the very text that stands there once; where that text is gone, planting fails loudly. It
says nothing about who must catch it but `by`: the simulation, or the test that looks where the simulation cannot.
"""

from __future__ import annotations

from dataclasses import dataclass

SIMULATION = "simulation"
BREAKS = {
    "H001": "who was made is never made twice, whenever syncd dies",
    "H002": "a create without an answer is looked for, not repeated",
    "H004": "an update without an answer is neither done nor undone",
    "H010": "each answer goes to its own record",
    "H013": "whatever was read is decided, whenever syncd dies",
    "H015": "half an answer is no answer",
    "H024": "what may have been done is not sent again blindly",
    "H027": "who asks for quiet has it",
    "H029": "the vendor's reserve is not ours",
    "H047": "no change is missed because an index lags",
    "H048": "no change is missed because a commit comes late",
    "H050": "no change is missed because syncd dies",
    "H067": "an older sight never replaces a newer one",
    "H074": "our own write is nobody's edit",
    "H076": "what a vendor bends is a fixed point",
    "H100": "an edit that was not seen is not written over unseen",
    "H104": "blank, or not shown, never overwrites a value by itself",
    "H109": "nobody is handed over who does not qualify any more",
    "H113": "of several matches none is taken",
    "H126": "who waits for a person's word is left alone",
    "H141": "a child finds its parent, whichever comes first",
    "H179": "a first plan waits for a person",
    "H180": "a full disk is told as what it is",
    "H182": "what a commit returned from is on disk",
    "H185": "an old or lost ledger sends nothing unseen",
    "H186": "two daemons never act on one ledger",
    "I1": "who belongs on both sides gets there",
    "I3": "no edit is lost: it wins, or it is kept",
    "I5": "what people deleted does not come back",
    "I10": "only the qualified are made in the CRM",
    "I11": "nothing is written that the mapping does not say",
    "I14": "each write stands in the journal",
    "I16": "a plan beyond the guard's limits waits",
    "I20": "nobody becomes more contactable",
    "rule 2": "a side settles on what was decided, not on what came since",
}
"""What a bug of that hazard or invariant breaks, in words."""


@dataclass(frozen=True)
class Bug:
    """`old` stands in `file` exactly once, and becomes `new`."""

    name: str
    hazard: str
    file: str
    old: str
    new: str
    by: str = SIMULATION


BUGS = (
    Bug("a create goes without a key", "H001", "syncd/write.py", "        unique=intent.unique,\n", "        unique=None if intent.op == 'create' else intent.unique,\n"),
    Bug("the intent is kept after the call", "H001", "syncd/write.py", "    _mark_sent(run, bench, batch)\n    outcomes", "    outcomes", "tests/engine/test_kill.py"),
    Bug("an unanswered create counts as failed, and is made anew without a look", "H002", "syncd/recover.py", "            if hit is not None and hit[1].state in (\"live\", \"converted\") and hit[0] == object_:", "            if False:"),
    Bug("doubt counts as done", "H002", "syncd/recover.py", "            elif late:\n                _again(run, bench, intent, \"never arrived; decided again\")\n\n\ndef _archives", "            else:\n                run.ledger.intents.close([intent.id])\n\n\ndef _archives"),
    Bug("doubtful updates are forgotten at once", "H004", "syncd/recover.py", "            late = run.now() - (intent.sent_at or 0) >= system.timing.late_s\n            if record is None:\n                if late:\n                    _again(run, bench, intent, \"its record is not answered; decided again\")\n            elif record.state != \"live\":", "            late = True\n            run.ledger.intents.close([intent.id])\n            if True:\n                continue\n            elif record.state != \"live\":"),
    Bug("no look before an update without a condition", "H100", "syncd/write.py", "            elif not traits.precondition:\n                batch = _unmoved(run, bench, batch)", "            elif not traits.precondition:\n                pass"),
    Bug("updates go without their condition", "H100", "syncd/write.py", "        expect_ms=intent.expect_ms,", "        expect_ms=None,"),
    Bug("covered edits are not kept", "H100", "syncd/confirm.py", "            judged.losers += [(change, covered)] if covered is not None else []", "            pass"),
    Bug("losers of a clash are not kept", "I3", "syncd/confirm.py", "    lost = [c for c in intent.body.changes if c.lost]", "    lost: list[Change] = []"),
    Bug("the side that loses a clash wins it", "I3", "syncd/core/merge.py", "        winner: Side = \"marketing\" if policy == \"marketing\" else \"crm\"\n        # A winner", "        winner: Side = \"crm\" if policy == \"marketing\" else \"marketing\"\n        # A winner"),
    Bug("our own write is read as somebody's edit", "H074", "syncd/confirm.py", "        if change.source is not None and not change.restores:\n            judged.source.append((pair.base(other(side)), change.decided))", "        pass"),
    Bug("the base becomes what was sent, not what was seen", "H076", "syncd/confirm.py", "        stands = change.after if seen is UNASKED or found == \"theirs\" else seen", "        stands = change.after"),
    Bug("both sides settle on what is there now", "rule 2", "syncd/confirm.py", "            judged.source.append((pair.base(other(side)), change.decided))", "            judged.source.append((pair.base(other(side)), change.after))"),
    Bug("a blank overwrites", "H104", "syncd/core/merge.py", "    if value is None and field.blank == \"keep\":", "    if value is None and field.blank == \"never\":"),
    Bug("a blank at a first meeting wins", "H104", "syncd/core/merge.py", "        giver: Side = \"crm\" if canonical_m is None else \"marketing\"", "        giver: Side = \"marketing\" if canonical_m is None else \"crm\""),
    Bug("a one-way field undoes the edit at its end", "I11", "syncd/core/merge.py", "    if not source_moved:\n", "    if False:\n", "tests/core/test_merge.py"),
    Bug("opt-outs may be taken back", "I20", "syncd/core/merge.py", "    if field.clash == \"stricter\" and field.canonical(to, after) is not True:", "    if False:", "tests/core/test_merge.py"),
    Bug("unknown is true for a gate", "I10", "syncd/partners.py", "    return gate.holds(bench.mapping.context(side, form, fact.attributes, gate.names)) is True", "    return gate.holds(bench.mapping.context(side, form, fact.attributes, gate.names)) is not False"),
    Bug("no gate is asked", "I10", "syncd/partners.py", "        if not _holds(bench, gate, side, form, fact):\n            continue\n        source", "        source"),
    Bug("who has left the scope is written on", "I11", "syncd/core/plan.py", "        if not holds(mapping, mapping.scope, side, side, end.form, end.attributes):\n            return False", "        if False:\n            return False"),
    Bug("the first of several matches is taken", "H113", "syncd/core/match.py", "    if len(favoured) > 1:\n        return Pick(\"several\")", "    pass", "tests/core/test_match_and_guard.py"),
    Bug("who was deleted is made anew", "I5", "syncd/lifecycle.py", "        if there is not None and _is_gone(run, target):", "        if False:", "tests/engine/test_merges.py"),
    Bug("what rests is made anew", "I5", "syncd/gone.py", "    run.ledger.links.set_state(link.id, \"unlinked\")\n    run.tally(name)", "    run.ledger.links.unlink(link.id)\n    run.tally(name)"),
    Bug("an older sight replaces a newer one", "H067", "syncd/ledger/facts.py", "                if record.stamp_ms < before[1] and not untimed:\n                    continue", "                pass", "tests/ledger/test_ledger.py"),
    Bug("the cursor moves before its page is kept", "H050", "syncd/poll.py", "            for page in waiting:\n                kept = facts.keep(object_id, page.records)\n                read += kept.read\n                moved += kept.moved\n            last = waiting[-1]", "            last = waiting[-1]"),
    Bug("the cursor does not look back (HubSpot's lagging index)", "H047", "connectors/hubspot/feed.py", "            since = place.mark + 1 if place.closed else max(0, place.mark - round(self.timing.overlap_s * 1000))", "            since = place.mark + 1", "tests/connectors/test_hubspot_feed.py"),
    Bug("the cursor does not look back (Salesforce's long transactions)", "H048", "connectors/salesforce/feed.py", "        floor = place.mark - round(self.timing.overlap_s * 1000)", "        floor = place.mark + 1"),
    Bug("the window closes at once", "H047", "connectors/hubspot/feed.py", "            following = Cursor(place.mark, place.at, place.closed or settled)\n        return Page", "            following = Cursor(place.mark, place.at, True)\n        return Page", "tests/connectors/test_hubspot_feed.py"),
    Bug("a lost answer to a batch is taken for a good one", "H015", "connectors/hubspot/writes.py", "                [Outcome(one.ref, \"doubtful\", one.effect.key, code=\"NO_ANSWER\", message=doubt.message) for one in batch]", "                [Outcome(one.ref, \"refused\", one.effect.key, code=\"NO_ANSWER\", message=doubt.message, again=True) for one in batch]"),
    Bug("answers are matched by their place", "H010", "connectors/hubspot/writes.py", "    rows = _matched(op, batch, written.results, key)", "    rows = {one.ref: row for one, row in zip(batch, written.results)}"),
    Bug("writes are repeated when no answer came", "H024", "syncd/http.py", "        if isinstance(outcome, Lost) and not call.repeatable:", "        if False:", "tests/http/test_http.py"),
    Bug("Retry-After is not kept", "H027", "syncd/http.py", "                self._pace.pause(verdict.meter, pause_s)\n                raise _Again(message, pause_s)", "                raise _Again(message, 0.0)"),
    Bug("the guard is off by one", "I16", "syncd/core/guard.py", "    if planned > limit.per_cycle and", "    if planned > limit.per_cycle + 1 and", "tests/core/test_match_and_guard.py"),
    Bug("the guard looks at nothing", "I16", "syncd/holding.py", "    why = held_because(run, bench)\n    name", "    why: list[str] | None = []\n    name"),
    Bug("an old ledger goes on sending", "H185", "syncd/ledger/epoch.py", "        elif before is not None and before[1] > self.number:", "        elif False:"),
    Bug("safe mode holds no plan", "H185", "syncd/holding.py", "    safe = [why] if (why := run.ledger.epoch.safe(name)) else []", "    safe: list[str] = []"),
    Bug("yes opens a safe mode", "H185", "syncd/holding.py", "    elif why and (not yes or run.ledger.epoch.safe(name)):", "    elif why and not yes:"),
    Bug("a second daemon is let in", "H186", "syncd/ledger/lease.py", "            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)", "            pass"),
    Bug("writes are not told in the journal", "I14", "syncd/outcomes.py", "        notes.append(told(bench, intent, \"sent\", f\"{intent.op} answered\", key))", "        pass"),
    Bug("a decision is marked before it is kept", "H013", "syncd/decide.py", "                decide_records(run, bench, object_, _stirred(run, bench, object_, facts), lane)", "                pass"),
    Bug("the gate is asked on stale facts", "H109", "syncd/partners.py", "        elif intent.rev is not None and revisions[key] <= intent.rev and (intent.attempt or not intent.body.waits):", "        elif True:", "tests/simulation/test_stories.py"),
    Bug("what was planned on an older sight is sent", "H100", "syncd/decide.py", "        moved = intent.rev is None or max(seen, default=0) > intent.rev", "        moved = False", "tests/simulation/test_stories.py"),
    Bug("the first plan goes unseen", "H179", "syncd/holding.py", "    first = version is None or version.approved_at is None", "    first = False"),
    Bug("the reserve of the vendor's day is taken", "H029", "syncd/budget.py", "        if self._vendor_remaining is None or self._vendor_remaining > self._floor():", "        if self._vendor_remaining is None or self._vendor_remaining > 0:"),
    Bug("a vendor's old figure is believed for ever", "I1", "syncd/assembly.py", "    if system.account is None or system.budget.stale:", "    if system.account is None:"),
    Bug("a full disk blames the vendor", "H180", "syncd/errors.py", "class LedgerFull(SyncdError):", "class LedgerFull(Transient):", "tests/simulation/test_stories.py"),
    Bug("a commit is not on disk when it returns", "H182", "syncd/ledger/store.py", "PRAGMA synchronous = FULL", "PRAGMA synchronous = NORMAL", "tests/ledger/test_ledger.py"),
    Bug("what cannot be read any more is blank", "H104", "syncd/cycle.py", "    if not run.hinted:\n        return benches", "    if True:\n        return benches", "tests/engine/test_drift.py"),
    Bug("nobody writes down who waits for a parent", "H141", "syncd/decide.py", "    if waiting is not None:\n        waiting.keep()", "    pass"),
    Bug("whoever sales gave back is handed over again at once", "H109", "syncd/core/standing.py", "        return None if waited is None else max(waited, min(said.stamp_ms, now_ms))", "        return now_ms"),
    Bug("a lead given back for ever is opened again", "H109", "syncd/core/standing.py", "    return for_ever or _moved_since(said, was.started_ms) is not None", "    return False", "tests/simulation/test_stories.py"),
    Bug("a hand-off is decided on what sales said before", "H109", "syncd/funnel/derived.py", "            if fact is not None and fact.rev > ledger.books.decided(MARK, other):", "            if False:", "tests/simulation/test_stories.py"),
    Bug("who sets a value back is taken for a write that was ignored", "I3", "syncd/confirm.py", "    elif not sight.ours and (sight.fenced or not unchanged):", "    elif not sight.ours and not unchanged:", "tests/engine/test_doubt.py"),
    Bug("a list that was not answered is taken for unwritten", "H004", "syncd/recover.py", "    marks.doubt(run, intent)\n", "", "tests/funnel/test_marks.py"),
    Bug("a merge forgets who was in the list", "H126", "syncd/marks.py", "        _inherited(run, name, object_, facts, attribute)", "        pass"),
    Bug("a new lead is delivered as given back", "H109", "syncd/core/plan.py", "            value = None  # who is handed over does not arrive as given back: sales' own default stands", "            pass"),
    Bug("a lead that was converted before it was found is somebody else's", "H002", "syncd/recover.py", "            if hit is not None and hit[1].state in (\"live\", \"converted\") and hit[0] == object_:", "            if hit is not None and hit[1].state == \"live\" and hit[0] == object_:"),
    Bug("a refused edit is overridden without a trace", "I3", "syncd/core/merge.py", "    lost = other(source) if alone or (m_moved and c_moved) else None", "    lost = other(source) if m_moved and c_moved else None", "tests/core/test_merge.py"),
    Bug("what a run that died had read is decided on unheard", "H109", "syncd/cycle.py", "    catch_up(run, mappings, benches)\n", "", "tests/simulation/test_stories.py"),
    Bug("a lead was given back when sales got it", "H109", "syncd/core/standing.py", " and last > (delivered_ms or 0) else None", " else None", "tests/funnel/test_history.py"),
)  # fmt: skip
