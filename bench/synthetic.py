"""A ledger of a large company's three years, written straight into the tables within minutes.

Promise: rows are what cycles would have left there: people settled by the functions that settle them, sums that are those
of the rows (`bench.pages` has the follow step look at a thousand of them and find nothing to change). The account's
chain of hashes is not one, and bases are short: no page reads either.
"""

from __future__ import annotations

import random
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import orjson

from bench.lives import (
    CONTACTS,
    DAY_MS,
    DEALS_OF,
    HOUR_MS,
    KINDS,
    LEADS,
    SALES_CONTACTS,
    Kind,
    Life,
    iso,
    lived,
    owner_email,
    owner_key,
)
from syncd.assembly import Mappings
from syncd.core.credit import Touch
from syncd.core.model import Owners
from syncd.core.sale import Deal, settle_sale
from syncd.funnel.derived import MARK
from syncd.funnel.gathering import Scope
from syncd.ledger import Ledger
from syncd.ledger.events import Event
from syncd.ledger.sums import month_of

DAYS = 1096
SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
CAMPAIGNS = tuple(f"Guide {n:03d}" for n in range(100))
OWNERS = 100
TITLES = ("CEO", *["Buyer"] * 9)
WATCHES = ("site_visits",) * 7 + ("email_clicks",) * 2 + ("form_submissions",)
TOUCHES = len(WATCHES)
"""Of each person."""
OBJECTS = (
    ("hubspot", "contacts"), ("salesforce", "Lead"), ("salesforce", "Contact"), ("salesforce", "Opportunity"),
    ("hubspot", "deals"), ("salesforce", "Task"), ("hubspot", "owners"), ("salesforce", "User"),
)  # fmt: skip
DEALS, TASKS, MARKETING_OWNERS, USERS = 4, 6, 7, 8
BATCH = 20_000
_EVENTS = f"""
WITH k (at, watch) AS (VALUES {", ".join(f"({at}, '{watch}')" for at, watch in enumerate(WATCHES))})
INSERT INTO event (id, watch, object, key, slot, at_ms, refs, doc)
  SELECT v.n * {TOUCHES} + k.at + 1, k.watch, {CONTACTS}, v.key, v.begin + k.at * v.step, v.begin + k.at * v.step,
    CAST('[["people","' || v.key || '"]]' AS BLOB),
    CAST('{{"form":"' || v.form || '","page":"https://widgets.example/guide","pages":3}}' AS BLOB)
  FROM visitor v CROSS JOIN k ORDER BY v.n
"""
_EVENTS_ON = f"""
INSERT INTO event_on (mapping, side, key, at_ms, event)
  SELECT 'people', 'marketing', key, at_ms, id FROM event WHERE id <= (SELECT max(n) + 1 FROM visitor) * {TOUCHES} ORDER BY id
"""


@dataclass(frozen=True)
class Size:
    """How much of everything."""

    people: int = 1_000_000
    deals: int = 100_000

    @property
    def touches(self) -> int:
        """Of all people together."""
        return self.people * TOUCHES


def build(path: Path, mappings: Mappings, size: Size, now: float) -> None:
    """Makes the ledger at `path`; there must be none. `now`: epoch seconds."""
    ledger = Ledger.open(path)
    for system, name in OBJECTS:
        ledger.facts.object_id(system, name)
    books = ledger.books
    for one in mappings.every().values():
        books.keep_mapping(one.name, one.digest, one.text, now - DAYS * 86_400, one.kind)
        books.approve_mapping(one.name, now - DAYS * 86_400)
    assert mappings.funnel is not None
    books.keep_funnel(mappings.funnel.digest, mappings.funnel.text, now - DAYS * 86_400)
    owners = Owners({owner_key(n): owner_email(n) for n in range(OWNERS)}, {})
    bound = {name: one.bind({"marketing": owners, "crm": owners}) for name, one in mappings.by_name.items()}
    scope = Scope.of(ledger, mappings, bound)
    assert scope is not None
    ledger.close()  # from here on nothing is asked of it until all is written
    bulk = Bulk(path)
    _Writer(bulk, scope, size, round(now * 1000)).write()
    bulk.close()
    ledger = Ledger.open(path)
    books = ledger.books
    with ledger.transaction():
        newest = ledger.store.row("SELECT max(rev) FROM fact")
        for object_ in range(1, len(OBJECTS) + 1):
            for name in (MARK, *mappings.by_name):
                books.set_decided(name, object_, int(newest[0] if newest else 0))
            ledger.facts.move_feed(object_, cursor="x", attributes=(), read_at=now - 30, complete=True, swept=True)
    ledger.close()


class Bulk:
    """The file with its triggers and indexes set aside, which come back on `close`; those of deals, which are few, stay."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -400000", "temp_store = FILE"):
            self._db.execute(f"PRAGMA {pragma}")
        found = self._db.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL"
            " AND tbl_name NOT LIKE 'sale%' ORDER BY type, rowid"
        ).fetchall()
        self._aside = [sql for _, _, sql in found]
        for kind, name, _ in found:
            self._db.execute(f"DROP {kind} {name}")
        self._rows: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
        self._db.execute("BEGIN")

    def add(self, table: str, row: tuple[Any, ...]) -> None:
        """One row, in the order of the table's columns, or of those in brackets behind its name."""
        rows = self._rows[table]
        rows.append(row)
        if len(rows) >= BATCH:
            self._put(table)

    def _put(self, table: str) -> None:
        rows = self._rows.pop(table, [])
        if rows:
            self._db.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)

    def run(self, sql: str) -> None:
        """A statement, after all that was added."""
        for table in list(self._rows):
            self._put(table)
        self._db.execute(sql)

    def close(self) -> None:
        """Writes what is left, and puts indexes and triggers back."""
        for table in list(self._rows):
            self._put(table)
        self._db.execute("COMMIT")
        for sql in self._aside:
            self._db.execute(sql)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.close()


class _Writer:
    def __init__(self, bulk: Bulk, scope: Scope, size: Size, now_ms: int) -> None:
        self.bulk, self.scope, self.size, self.now_ms = bulk, scope, size, now_ms
        self.chance = random.Random(7)
        self.today = date.fromtimestamp(now_ms / 1000).toordinal()
        self.lives = cache(self._life)
        self.every: dict[int, Life] = {}
        """Lives by their identity: nothing is compared where a million people are counted."""
        self.counted: Counter[tuple[int, str, str]] = Counter()
        self.sums: defaultdict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0])
        self.months: defaultdict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0])
        self.tally: Counter[str] = Counter()
        self.rev = self.event = self.link = self.deal = self.task = self.issue = 0
        self.chosen = self.chance.choices(KINDS, [kind.part for kind in KINDS], k=1 << 16)

    def write(self) -> None:
        """All of it."""
        self.bulk.run(
            "CREATE TEMP TABLE visitor (n INTEGER PRIMARY KEY, key TEXT, begin INTEGER, step INTEGER, form TEXT)"
        )
        self.event = self.size.touches
        for n in range(self.size.people):
            self._person(n)
        self.bulk.run(_EVENTS)
        self.bulk.run(_EVENTS_ON)
        self._sum_up()
        self._owners()
        self._around()

    def _life(self, kind: Kind, day: int, title: str) -> Life:
        life = lived(self.scope, kind, day, title, self.now_ms)
        self.every[id(life)] = life
        return life

    # ------------------------------------------------ a person

    def _person(self, n: int) -> None:
        chance, add = self.chance, self.bulk.add
        title = TITLES[n % len(TITLES)]
        life = self.lives(self.chosen[n & 0xFFFF], self.today - int(DAYS * chance.random()), title)
        key, source, campaign = (
            f"{10_000_000 + n}",
            SOURCES[n % 5],
            CAMPAIGNS[int(len(CAMPAIGNS) * chance.random() ** 2)],
        )
        owner = int(OWNERS * chance.random())
        email = f"person{n}@firm{n % 50_000}.example"
        said = {
            "email": email, "firstname": f"First{n % 977}", "lastname": f"Last{n}", "company": f"Firm {n % 50_000}",
            "phone": f"+49 30 {n:08d}", "country": "Germany", "city": "Berlin", "lead_source": source,
            "first_conversion_event_name": campaign,
            "recent_conversion_event_name": campaign, "hs_latest_source": "ORGANIC_SEARCH", **life.marketing,
        }  # fmt: skip
        self._fact(CONTACTS, key, life.stamp_ms, said, "gone" if life.kind.gone else "live")
        add("match_value", ("people", CONTACTS, key, "email", email))
        begin, step = self._touched(n, life, key, campaign)
        partner = None
        if life.linked_ms is not None:
            partner = self._linked(n, life, key, said, owner, email)
        standing = msgspec.structs.replace(
            life.standing, source=source, campaign=campaign,
            owner=owner_email(owner) if life.linked_ms is not None else "",
        )  # fmt: skip
        self._standing(key, standing)
        if standing.state is not None:
            self.tally[standing.state] += 1
        for by, name in (("", ""), ("source", source), ("campaign", campaign), ("segment", standing.segment),
                         ("owner", standing.owner)):  # fmt: skip
            self.counted[id(life), by, name] += 1
        if life.kind.blocked and standing.state == "blocked":
            self._issue("ambiguous", "people", CONTACTS, key)
        if partner is not None and life.kind.name in DEALS_OF and self.deal < self.size.deals:
            self._deals(life, partner, self._credited(n, key, source, campaign, begin, step))

    def _fact(self, object_: int, key: str, stamp_ms: int, said: Mapping[str, Any], state: str = "live") -> None:
        self.rev += 1
        self.bulk.add(
            "fact (object, key, rev, hash, stamp_ms, state, doc)",
            (object_, key, self.rev, self.rev * 7919, stamp_ms, state, orjson.dumps(said)),
        )

    def _standing(self, key: str, s: Any) -> None:
        row = (CONTACTS, key, s.outcome, s.reached, s.came, s.state, s.reason, s.qualified, s.clock, s.depth, s.next_ms,
               s.source, s.campaign, s.segment, s.owner, msgspec.json.encode(s))  # fmt: skip
        self.bulk.add("standing", row)

    def _touched(self, n: int, life: Life, key: str, campaign: str) -> tuple[int, int]:
        """From a little before they came to now: begin and step, out of which SQLite makes the visits, clicks and forms."""
        span, begin = max(HOUR_MS, min(self.now_ms - life.came_ms, 200 * DAY_MS)), life.came_ms - HOUR_MS
        step = int(span * (0.5 + self.chance.random() / 2)) // TOUCHES
        self.bulk.add("visitor", (n, key, begin, step, campaign))
        return begin, step

    def _credited(self, n: int, key: str, source: str, campaign: str, begin: int, step: int) -> list[Touch]:
        """The touches of somebody that get credit, as the ledger will hold them."""
        return [
            self.scope._touch(
                Event(n * TOUCHES + at + 1, watch, CONTACTS, key, begin + at * step, (), {"form": campaign}),
                (source, campaign),
            )
            for at, watch in enumerate(WATCHES)
            if watch in self.scope.touches
        ]

    def _linked(self, n: int, life: Life, key: str, said: Mapping[str, Any], owner: int, email: str) -> tuple[int, str]:
        converted = life.kind.crm == "Contact"
        object_, theirs = (SALES_CONTACTS, f"003{n:015d}") if converted else (LEADS, f"00Q{n:015d}")
        crm = {
            "Email": email, "FirstName": said["firstname"], "LastName": said["lastname"], "OwnerId": owner_key(owner),
            "Phone": said["phone"], "LeadSource": said["lead_source"], **life.crm,
        }  # fmt: skip
        self._fact(object_, theirs, life.crm_ms, crm)
        self.bulk.add("match_value", ("people", object_, theirs, "email", email))
        self.link += 1
        how = "created from marketing" if life.kind.qualified_h is not None else "email"
        assert life.linked_ms is not None
        self.bulk.add("link", (self.link, "people", "live", how, life.linked_ms / 1000))
        base = orjson.dumps({"email:email": email, "last_name:lastname": said["lastname"]})
        for side, at, of, doc in (("marketing", CONTACTS, key, base), ("crm", object_, theirs, base)):
            self.bulk.add(
                "link_side (link, side, mapping, object, key, base, stamped)",
                (self.link, side, "people", at, of, doc, 1),
            )
        for at_ms in life.calls_ms:
            self._called(theirs, at_ms)
        return object_, theirs

    def _called(self, who: str, at_ms: int) -> None:
        self.task += 1
        self.event += 1
        refs = orjson.dumps([["people", who]])
        doc = orjson.dumps({"made": iso(at_ms), "who": who, "kind": "Call", "status": "Completed"})
        key = f"00T{self.task:015d}"
        self.bulk.add("event", (self.event, "crm_tasks", TASKS, key, 0, at_ms, refs, doc))
        self.bulk.add("event_on", ("people", "crm", who, at_ms, self.event))

    # ------------------------------------------------ deals

    def _deals(self, life: Life, partner: tuple[int, str], touches: Sequence[Touch]) -> None:
        scope, chance = self.scope, self.chance
        assert scope.funnel.sales is not None
        assert scope.deals is not None
        for state in DEALS_OF[life.kind.name]:
            self.deal += 1
            key, n = f"006{self.deal:015d}", self.deal
            nobody = n % 20 == 0
            stage = {"won": "Closed Won", "lost": "Closed Lost", "open": "Qualification"}[state]
            closes_ms = min(life.came_ms + int(DAY_MS * (20 + 120 * chance.random())), self.now_ms)
            said = {
                "Name": f"Deal {n}", "Pipeline__c.StageName": f"New Business/{stage}", "Amount": 100 + n % 90_000 + 0.5,
                "CurrencyIsoCode": "USD" if n % 10 == 0 else "EUR", "CloseDate": iso(closes_ms)[:10],
                "Loss_Reason__c": ("Price", "Competitor", "No decision", "Timing")[n % 4] if state == "lost" else None,
                "OpportunityContactRoles.ContactId": [] if nobody else [partner[1]],
            }  # fmt: skip
            self._fact(DEALS, key, closes_ms, said)
            if not nobody:
                self.bulk.add("refers", (DEALS, "OpportunityContactRoles.ContactId", key, partner[1]))
            context = scope.deals.context("crm", "Opportunity", said)
            deal = scope._deal(scope.funnel.sales, state, context)
            deal = Deal(deal.state, deal.closed_ms, deal.closed, deal.amount, deal.currency, deal.reason,
                        None if nobody else touches)  # fmt: skip
            sale = settle_sale(scope.funnel, deal)
            row = (DEALS, key, sale.state, sale.closed, sale.amount, sale.currency, sale.cause, sale.reason)
            self.bulk.add("sale", (*row, msgspec.json.encode(sale)))
            self._count(sale.cells)

    # ------------------------------------------------ sums

    def _count(self, cells: Sequence[Any], times: int = 1) -> None:
        for figure, day, what, by, name, n, amount in cells:
            cell = self.sums[figure, by, day, what, name]
            cell[0] += n * times
            cell[1] += amount * times

    def _sum_up(self) -> None:
        for (which, by, name), times in self.counted.items():
            counts = self.every[which].standing.counts
            self._count([(figure, day, what, by, name, 1, amount) for figure, day, what, amount in counts], times)
        for (figure, by, day, what, name), (n, amount) in sorted(self.sums.items()):
            self.bulk.add("cell", (figure, day, what, by, name, n, amount))
            month = self.months[figure, by, month_of(day), what, name]
            month[0] += n
            month[1] += amount
        for (figure, by, at, what, name), (n, amount) in sorted(self.months.items()):
            self.bulk.add("cell_month", (figure, at, what, by, name, n, amount))
        for state, n in self.tally.items():
            self.bulk.add("tally", (state, n))

    # ------------------------------------------------ around it

    def _owners(self) -> None:
        for object_ in (MARKETING_OWNERS, USERS):
            for n in range(OWNERS):
                key = owner_key(n) if object_ == USERS else str(n)
                said = {"email": owner_email(n), "active": True, "Email": owner_email(n), "IsActive": True}
                self._fact(object_, key, 1, said)

    def _issue(self, kind: str, mapping: str, object_: int | None, key: str | None, field: str | None = None) -> None:
        self.issue += 1
        reason, remedy = "several records of sales fit", "Choose one: `syncd link ID`, or merge them."
        self.bulk.add(
            "issue (kind, mapping, object, key, field, reason, remedy, since, doc)",
            (kind, mapping, object_, key, field, reason, remedy, self.now_ms / 1000 - self.issue, b"{}"),
        )

    def _around(self) -> None:
        """Runs, the account of what was done, values that lost, comparisons, alerts, and a held plan."""
        add, people, now = self.bulk.add, self.size.people, self.now_ms / 1000
        report = {"mappings": {"people": {"moved": 3, "read": {"marketing": 3}, "writes": {}, "outcomes": {}}},
                  "calls": {"hubspot": 4}}  # fmt: skip
        for n in range(people // 20):
            at = now - (people // 20 - n) * 60
            add("run (command, started_at, ended_at, ok, report)", ("run", at, at + 2, 1, orjson.dumps(report)))
        for n in range(1, people + 1):
            key = f"{10_000_000 + n % people}"
            at = now - (people - n) * 3
            add(
                "journal",
                (n, at, n // 20, "sent", "people", None, CONTACTS, key, "update of 1 field", b"d" * 32, b"h" * 32),
            )
        for n in range(people // 5):
            key = f"{10_000_000 + n * 5}"
            add("conflict (mapping, link, field, side, object, key, kept, lost, at, by)",
                ("people", n + 1, "phone", "marketing", CONTACTS, key, b'"+49 30 1"', b'"+49 30 2"', now - n, "clash"))  # fmt: skip
        for n in range(people // 50):
            self._issue("refused", "people", CONTACTS, f"{10_000_000 + n * 7}", "phone")
        for n in range(people // 20):
            body = {
                "changes": [{"field": "phone", "attribute": "phone", "before": "1", "after": str(n), "why": "it moved"}]
            }
            add("intent (mapping, link, side, object, key, op, state, lane, planned_at, body)",
                ("people", n + 1, "marketing", CONTACTS, f"{10_000_000 + n}", "update", "held", "live", now, orjson.dumps(body)))  # fmt: skip
        add("counted", ("link", "people", self.link))
        add("counted", ("conflict", "people", people // 5))
        add("last_run", ("people", people // 20))
        add("hold", ("people", "d" * 64, '["more updates than on a usual day"]', now))
        self._issue("held_plan", "people", None, None)
        for week in range(DAYS // 7):
            for field in ("email", "phone", "stage", "score"):
                add(
                    "parity",
                    ("people", week + 1, "contacts/Lead", field, now - week * 7 * 86_400, 1, people, 5, 3, 2, 0),
                )
        for name, n in (("site_visits", 7), ("email_clicks", 2), ("form_submissions", 1)):
            add("watch", (name, people * n, 1, self.now_ms))
        add("watch", ("crm_tasks", self.task, 1, self.now_ms))
