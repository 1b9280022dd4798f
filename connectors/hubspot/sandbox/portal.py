"""The portal: every record of the account, and the one way in which a record changes.

Promise: whatever changes a record, whoever asked, goes through `Portal.create`, `change`, `archive`, `restore`,
`purge` or `merge` (in `merging`), so stamps, history, uniqueness, index and automation always agree. It validates
nothing: that is `writes`. It reads no request and builds no answer.
"""

from __future__ import annotations

import heapq
import random
from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping

from connectors.hubspot.sandbox import derived
from connectors.hubspot.sandbox.associations import Associations
from connectors.hubspot.sandbox.index import Doc, SearchIndex
from connectors.hubspot.sandbox.lists import Lists
from connectors.hubspot.sandbox.marketing import Marketing
from connectors.hubspot.sandbox.objects import OBJECT_TYPES, ObjectType
from connectors.hubspot.sandbox.owners import Owners
from connectors.hubspot.sandbox.pipelines import Pipelines
from connectors.hubspot.sandbox.records import Record, Source
from connectors.hubspot.sandbox.schema import Definition, standard
from connectors.hubspot.sandbox.switches import Switches
from connectors.hubspot.sandbox.values import iso
from syncd.sandbox.clock import Clock

PORTAL_ID = 4242001
FIRST_ID = 51_000_000_101
"""Ids exceed 2^31, and begin alike for every object: they are unique within one only."""

CALCULATED = Source("CALCULATED", "", "", None)
AUTOMATION = Source("AUTOMATION_PLATFORM", "workflowId:77001", "Sandbox workflow", None)

FOLLOWS_MS = 1000
"""How long a lifecycle stage takes to follow a deal."""

Changes = Mapping[str, str | None]
"""Prepared values by property name; None clears."""


class Table:
    """All records of one object, with what makes them findable."""

    def __init__(self, kind: ObjectType) -> None:
        self.kind = kind
        self.definitions: dict[str, Definition] = standard(kind)
        self.pipelines = Pipelines(kind.name)
        self.records: dict[str, Record] = {}
        self.order: list[int] = []
        self.merged: dict[str, str] = {}
        self.emails: dict[str, str] = {}
        self.unique: dict[str, dict[str, str]] = {}
        self.domains: dict[str, str] = {}
        self.forgotten: set[str] = set()
        self.hidden: set[str] = set()
        for name, made in self.definitions.items():
            if made["hasUniqueValue"]:
                self.unique[name] = {}
        self.index = SearchIndex([*self.unique, *kind.keyed, *([kind.email] if kind.email else [])])
        self.next_id = FIRST_ID

    def resolve(self, record_id: str) -> str:
        """The id under which a record lives now, through any number of merges."""
        while record_id in self.merged:
            record_id = self.merged[record_id]
        return record_id

    def find(self, record_id: str) -> Record | None:
        """The visible record with that very id, archived or not."""
        record = self.records.get(record_id)
        return None if record is None or record.hidden else record

    def after(self, record_id: int, archived: bool) -> Iterator[Record]:
        """Visible records with an id of at least `record_id`, ascending."""
        for at in range(bisect_left(self.order, record_id), len(self.order)):
            record = self.records[str(self.order[at])]
            if not record.hidden and (record.archived_ms is not None) == archived:
                yield record


class Portal:
    """One account. `tick` must run before anything looks at it."""

    def __init__(self, clock: Clock, seed: int = 0) -> None:
        self.clock = clock
        self.random = random.Random(seed)
        self.switches = Switches()
        self.tables = {kind.name: Table(kind) for kind in OBJECT_TYPES}
        self.by_type_id = {kind.type_id: kind.name for kind in OBJECT_TYPES}
        self.associations = Associations()
        self.owners = Owners()
        self.lists = Lists()
        self.marketing = Marketing()
        self.lags_ms: dict[tuple[str, str], int] = {}
        self._waiting: list[tuple[int, int, str, str, Changes | None]] = []
        self._recalculating: set[tuple[str, str]] = set()
        self._count = 0

    # ------------------------------------------------------------ time

    def tick(self) -> None:
        """Does what has come due: recalculations, automations, index updates."""
        now_ms = self.clock.now_ms()
        while self._waiting and self._waiting[0][0] <= now_ms:
            due_ms, _, name, record_id, changes = heapq.heappop(self._waiting)
            table = self.tables[name]
            record = table.records.get(record_id)
            if changes is None:
                self._recalculating.discard((name, record_id))
                if record is not None and record.archived_ms is None:
                    self.touch(table, record, due_ms)
            elif record is not None and record.archived_ms is None:
                self.change(table, record, changes, AUTOMATION, at_ms=due_ms)
        for table in self.tables.values():
            table.index.settle(now_ms)

    def _later(self, delay_ms: int, at_ms: int, table: Table, record: Record, changes: Changes | None) -> None:
        self._count += 1
        heapq.heappush(self._waiting, (at_ms + delay_ms, self._count, table.kind.name, record.id, changes))

    # ------------------------------------------------------------ changes

    def create(
        self, table: Table, values: Mapping[str, str], source: Source, *, at_ms: int | None = None, lag: bool = True
    ) -> Record:
        """A new record with the prepared values and what the account adds to them."""
        now_ms = self.clock.now_ms() if at_ms is None else at_ms
        kind, record_id = table.kind, str(table.next_id)
        table.next_id += 1
        stamp = iso(now_ms)
        stored = {**values, "hs_object_id": record_id, kind.created: stamp, kind.modified: stamp}
        if kind.name == "contacts" and self.switches.contacts_hs_lastmodifieddate == "stale":
            stored["hs_lastmodifieddate"] = stamp
        stored.update(derived.at_creation(table, stored, source, now_ms))
        record = Record(record_id, kind, now_ms, now_ms, stored, dict(stored), source)
        table.records[record_id] = record
        table.order.append(int(record_id))
        self.claim(table, record)
        self._index(table, record, now_ms, lag)
        if lag:
            self._set_off(table, record, values, source, now_ms)
        return record

    def change(
        self, table: Table, record: Record, changes: Changes, source: Source, *, at_ms: int | None = None
    ) -> bool:
        """Applies prepared changes; returns whether any value moved. `derived` adds what follows from them."""
        now_ms = self.clock.now_ms() if at_ms is None else at_ms
        keep = self.switches.history_contacts if table.kind.name == "contacts" else self.switches.history_others
        moved: dict[str, str | None] = {}
        for name, value in changes.items():
            old = record.values.get(name)
            if (value or None) == old:
                if value and self.switches.noop_adds_history:
                    record.remember(name, value, now_ms, source, keep)
                continue
            moved[name] = value or None
        follow = derived.after_change(table, record, moved, now_ms)
        if moved:
            self.release(table, record)
            for name, value in {**moved, **follow}.items():
                if value is None:
                    record.values.pop(name, None)
                else:
                    record.values[name] = value
                record.remember(name, value or "", now_ms, source if name in moved else CALCULATED, keep)
            self.claim(table, record)
        if moved or self.switches.noop_bumps:
            self.touch(table, record, now_ms)
            self._set_off(table, record, moved, source, now_ms)
        return bool(moved)

    def touch(self, table: Table, record: Record, at_ms: int | None = None) -> None:
        """Bumps the modified stamp, which never goes back, and lets the index know."""
        now_ms = self.clock.now_ms() if at_ms is None else at_ms
        record.modified_ms = max(record.modified_ms, now_ms)
        record.values[table.kind.modified] = iso(record.modified_ms)
        self._index(table, record, now_ms, True)

    def archive(self, table: Table, record: Record) -> None:
        """Soft delete: unique values become free, the index forgets it after its lag."""
        if record.archived_ms is not None:
            return
        record.archived_ms = self.clock.now_ms()
        if not self.switches.archived_holds_email:
            self.release(table, record)
        self._index(table, record, record.archived_ms, True)

    def restore(self, table: Table, record: Record) -> None:
        """Undoes an archive, as only a person can. The caller has checked that unique values are still free."""
        record.archived_ms = None
        self.claim(table, record)
        self.touch(table, record)

    def purge(self, table: Table, record: Record) -> None:
        """Removes a record for good, with its associations; its addresses are remembered as forgotten."""
        table.forgotten.update(record.emails())
        self.drop(table, record)
        self.associations.drop(table.kind.name, record.id)
        self.lists.drop(table.kind.type_id, record.id)
        for old, into in list(table.merged.items()):
            if into == record.id:
                del table.merged[old]

    def drop(self, table: Table, record: Record) -> None:
        """Takes a record out of everything that lists it."""
        self.release(table, record)
        del table.records[record.id]
        del table.order[bisect_left(table.order, int(record.id))]
        self._index(table, record, self.clock.now_ms(), True, gone=True)

    def adopt(self, table: Table, record: Record) -> None:
        """Puts a ready-made record in (a merge's result)."""
        table.records[record.id] = record
        insort(table.order, int(record.id))
        self.claim(table, record)
        self.touch(table, record)

    def hide(self, table: Table, record: Record, hidden: bool) -> None:
        """Takes a record out of our credentials' sight, or brings it back. It does not change."""
        record.hidden = hidden
        (table.hidden.add if hidden else table.hidden.discard)(record.id)
        table.index.invalidate()

    # ------------------------------------------------------------ uniqueness

    def claim(self, table: Table, record: Record) -> None:
        """Enters the record's unique values, and its domain, which is only looked up by."""
        for email in record.emails():
            table.emails.setdefault(email, record.id)
        for name, holders in table.unique.items():
            if value := record.values.get(name):
                holders.setdefault(value.lower(), record.id)
        if domain := record.values.get(table.kind.domain or ""):
            table.domains.setdefault(domain, record.id)

    def release(self, table: Table, record: Record) -> None:
        """Frees the record's unique values."""
        for email in record.emails():
            if table.resolve(table.emails.get(email, "")) == record.id:
                del table.emails[email]
        for name, holders in table.unique.items():
            value = record.values.get(name, "").lower()
            if holders.get(value) == record.id:
                del holders[value]
        domain = record.values.get(table.kind.domain or "", "")
        if table.domains.get(domain) == record.id:
            del table.domains[domain]

    # ------------------------------------------------------------ index and automation

    def doc(self, record: Record) -> Doc:
        """The record as the index sees it now."""
        return Doc(int(record.id), dict(record.values), record.created_ms, record.modified_ms, tuple(record.emails()))

    def _index(self, table: Table, record: Record, at_ms: int, lag: bool, gone: bool = False) -> None:
        doc = None if gone or record.archived_ms is not None else self.doc(record)
        if not lag:
            table.index.show(record.id, doc)
            return
        full = self.switches.search_lag_ms
        lag_ms = self.lags_ms.get((table.kind.name, record.id))
        if lag_ms is None:
            lag_ms = int(full * (1 - self.switches.search_lag_spread * self.random.random()))
        table.index.queue(record.id, doc, at_ms + lag_ms)

    def _set_off(self, table: Table, record: Record, moved: Changes, source: Source, at_ms: int) -> None:
        """Schedules what the account does by itself in answer to a change."""
        place = (table.kind.name, record.id)
        if self.switches.recalculation_ms and place not in self._recalculating:
            self._recalculating.add(place)
            self._later(self.switches.recalculation_ms, at_ms, table, record, None)
        if table.kind.email and table.kind.email in moved:
            self._auto_associate(table, record)
        if table.kind.name == "deals" and "dealstage" in moved:
            self.follow_deal(record.id)
        for rule in self.switches.automations:
            when = rule["when"]
            if rule["object"] != table.kind.name or when["property"] not in moved:
                continue
            if source.type == AUTOMATION.type and not rule.get("on_automation"):
                continue
            if "value" not in when or when["value"] == (moved[when["property"]] or ""):
                sets = {name: value or None for name, value in rule["set"].items()}
                self._later(int(rule.get("delay_ms", 1000)), at_ms, table, record, sets)

    def associated(self, start: str, start_id: str, end: str, end_id: str) -> None:
        """What the account does by itself when two records have been associated."""
        for name, record_id in ((start, start_id), (end, end_id)):
            if name == "deals":
                self.follow_deal(record_id)

    def follow_deal(self, deal_id: str) -> None:
        """A deal makes its people and companies opportunities, a won one customers; never back (section 14, a switch)."""
        deals = self.tables["deals"]
        deal = deals.records.get(deal_id)
        if deal is None or self.switches.lifecycle_follows_deals == "off":
            return
        stage = "customer" if deal.values.get("hs_is_closed_won") == "true" else "opportunity"
        for name in ("contacts", "companies"):
            table = self.tables[name]
            order = [option["value"] for option in table.definitions["lifecyclestage"]["options"]]
            for end_id, _ in self.associations.of("deals", deal_id, name):
                record = table.records.get(end_id)
                now = record.values.get("lifecyclestage", "") if record else ""
                if record is not None and (now not in order or order.index(now) < order.index(stage)):
                    self._later(FOLLOWS_MS, self.clock.now_ms(), table, record, {"lifecyclestage": stage})

    def _auto_associate(self, table: Table, record: Record) -> None:
        domain = record.values.get(table.kind.email or "", "").partition("@")[2]
        if self.switches.auto_associate == "off" or not domain:
            return
        companies = next(other for other in self.tables.values() if other.kind.domain)
        found = companies.records.get(companies.domains.get(domain, ""))
        if found is None and self.switches.auto_associate == "create":
            values = {"domain": domain, "name": domain.partition(".")[0].title()}
            found = self.create(companies, values, CALCULATED)
        if found is not None and found.archived_ms is None:
            primary = self.associations.primary(table.kind.name, companies.kind.name)
            self.associations.add(table.kind.name, record.id, companies.kind.name, found.id, primary)
