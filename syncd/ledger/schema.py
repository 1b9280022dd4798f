"""The ledger's tables, a sentence each, and the ordered migrations that made them.

Adding to the schema means adding a migration below, never editing one that was released. The hot paths speak plain
SQL (see the neighbours); sqlite-utils is used here, where clarity beats microseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncd.ledger.pageschema import PAGES, SHARES, SUMS

if TYPE_CHECKING:
    from sqlite_utils import Database, Migrations

VERSION = 21
"""Kept in `PRAGMA user_version`: how many migrations there are, so that none is forgotten (a test counts them). A ledger
with a larger one comes from a newer syncd and is refused."""

TABLES = {
    "meta": "Single facts about this ledger: its own id, its epoch, which mappings are in safe mode, where backups lie.",
    "account": "Which account each system was when this ledger first met it; another one is refused.",
    "object": "Numbers the (system, object) pairs and keeps each feed's cursor and the attributes it was read with.",
    "fact": "What a record's mapped attributes were when the system last said them, with their hash and stamp.",
    "mapping": "The mapping versions that were ever in force; the newest one is.",
    "funnel": "The versions of the agreed definitions; a record is judged by the one in force at that moment.",
    "decided": "Per mapping and object, up to which revision of the facts decisions have been made.",
    "again": "Links and records to be decided again although their facts did not move.",
    "unseen": "Records that were asked for by key and not answered, and since when.",
    "link": "This marketing record is that CRM record.",
    "link_side": "One end of a link: the record, and the base (the facts on which both sides last settled).",
    "wait": "Who refers to a record that has no link yet, and is decided again once it has one.",
    "match_value": "The match values of each record, so that the unlinked are matched set-wise.",
    "proposal": "Pairs that a conversion, or a linked child, speaks for; gone once one of the two is linked.",
    "passed_over": "Records that a person passed over when a link was picked: nobody is asked about them again.",
    "intent": "Effects written down before they are sent, until they are settled.",
    "hold": "A mapping's plan that a guard holds, with its reasons, until a person approves it.",
    "issue": "What waits for a person.",
    "conflict": "Values that lost, restorable.",
    "parity": "Figures of comparisons: per mapping, forms and field, how many pairs agree, and why the others do not.",
    "counted": "How many links and lost values each mapping has, counted by triggers.",
    "last_run": "The newest run that looked at each mapping or watch.",
    "run": "What one command or one timer tick did.",
    "calls": "Calls per system, day and lane.",
    "quota": "What each vendor said last of its daily limit, and since when we count our own calls of that day.",
    "request": "What other commands ask of the process that holds the sending lease.",
    "backfill": "One-off re-decisions and how far they came.",
    "watch": "What each watch has told so far: how many events, from when to when.",
    "event": "What a watch saw happen, with its time: an activity, a touch, a step between stages.",
    "event_on": "Which records an event hangs on, in the order of time: what happened to this person.",
    "refers": "Which records a record points to, where somebody asks from the other end: a company's deals.",
    "forgotten": "Records of persons who were erased: nothing they say is kept any more.",
    "forgotten_value": "Salted digests of their match values: nobody is created in their image.",
    "standing": "Where each person stands: judged, handed over, followed up.",
    "sale": "What each deal of sales came to, and who gets credit for it.",
    "sale_tally": "What was won in each currency, counted by triggers, deal by deal and apart from the sums.",
    "sale_pair": "Which deals gave credit to which source and campaign, kept by triggers.",
    "cell": "The sums that reports read: each figure by day, and by one thing that people break down by.",
    "cell_month": "The same sums by month: years are read from these.",
    "cell_erased": "What people added to the sums who were erased: they stay in them without a name.",
    "tally": "How many standings say each state, counted by triggers: the hand-off's sum is checked against it.",
    "stirred": "Records about which something else than their facts moved, for the closed loop to look at.",
    "mark": "What the funnel says of somebody without a partner, as it was written on their record last.",
    "alert": "What somebody is to be told: each turn of a clock or of a condition, once.",
    "delivery": "Which receiver has been told of which alert, how often it was tried, and when it is tried again.",
    "condition": "What is the matter right now, since when, and whether anybody was told: a state, told when it turns.",
    "described": "What each object looked like when its system described it last, and when somebody last agreed.",
    "journal": "Append-only, hash-chained account of what was decided and done.",
    "journal_value": "The values beside the journal; erasable without breaking its chain.",
}

_FIRST = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE account (
  system TEXT PRIMARY KEY, id TEXT NOT NULL, name TEXT, kind TEXT, writer TEXT, pinned_at REAL) WITHOUT ROWID;
CREATE TABLE object (
  id INTEGER PRIMARY KEY, system TEXT NOT NULL, name TEXT NOT NULL, attributes TEXT NOT NULL DEFAULT '[]',
  cursor TEXT, complete INTEGER NOT NULL DEFAULT 0, read_at REAL, swept_at REAL, UNIQUE (system, name));
CREATE TABLE fact (
  rev INTEGER PRIMARY KEY, object INTEGER NOT NULL, key TEXT NOT NULL, hash INTEGER NOT NULL,
  stamp_ms INTEGER NOT NULL, state TEXT NOT NULL DEFAULT 'live', into_object INTEGER, into_key TEXT,
  ours INTEGER NOT NULL DEFAULT 0, doc BLOB NOT NULL, UNIQUE (object, key));
CREATE TABLE mapping (
  name TEXT NOT NULL, version INTEGER NOT NULL, digest TEXT NOT NULL, text TEXT NOT NULL, since REAL NOT NULL,
  approved_at REAL, PRIMARY KEY (name, version)) WITHOUT ROWID;
CREATE TABLE funnel (
  version INTEGER PRIMARY KEY, digest TEXT NOT NULL, text TEXT NOT NULL, since REAL NOT NULL);
CREATE TABLE decided (mapping TEXT NOT NULL, object INTEGER NOT NULL, rev INTEGER NOT NULL,
  PRIMARY KEY (mapping, object)) WITHOUT ROWID;
CREATE TABLE again (mapping TEXT NOT NULL, object INTEGER NOT NULL, key TEXT NOT NULL,
  PRIMARY KEY (mapping, object, key)) WITHOUT ROWID;
CREATE TABLE link (
  id INTEGER PRIMARY KEY, mapping TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'live', how TEXT NOT NULL,
  made_at REAL NOT NULL);
CREATE TABLE link_side (
  link INTEGER NOT NULL REFERENCES link (id) ON DELETE CASCADE, side TEXT NOT NULL, mapping TEXT NOT NULL,
  object INTEGER NOT NULL, key TEXT NOT NULL, base BLOB, stamped INTEGER NOT NULL DEFAULT 0, rest INTEGER,
  UNIQUE (link, side), UNIQUE (mapping, object, key));
CREATE TABLE match_value (
  mapping TEXT NOT NULL, object INTEGER NOT NULL, key TEXT NOT NULL, rule TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (mapping, object, key, rule)) WITHOUT ROWID;
CREATE INDEX match_value_by_value ON match_value (mapping, rule, value);
CREATE TABLE intent (
  id INTEGER PRIMARY KEY, mapping TEXT NOT NULL, link INTEGER, side TEXT NOT NULL, object INTEGER NOT NULL, key TEXT,
  source_object INTEGER, source_key TEXT, op TEXT NOT NULL, state TEXT NOT NULL, lane TEXT NOT NULL, unique_key TEXT,
  expect_ms INTEGER, planned_at REAL NOT NULL, sent_at REAL, answered_at REAL, rev INTEGER, attempt INTEGER NOT NULL
  DEFAULT 0, body BLOB NOT NULL);
CREATE INDEX intent_state ON intent (state, mapping);
CREATE INDEX intent_link ON intent (link) WHERE link IS NOT NULL;
CREATE INDEX intent_source ON intent (mapping, source_object, source_key);
CREATE TABLE hold (
  mapping TEXT PRIMARY KEY, digest TEXT NOT NULL, reasons TEXT NOT NULL, since REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE issue (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, mapping TEXT NOT NULL, object INTEGER, key TEXT, field TEXT,
  reason TEXT NOT NULL, remedy TEXT NOT NULL, since REAL NOT NULL, closed_at REAL, doc BLOB);
CREATE UNIQUE INDEX issue_open ON issue (kind, mapping, coalesce(object, 0), coalesce(key, ''), coalesce(field, ''))
  WHERE closed_at IS NULL;
CREATE TABLE conflict (
  id INTEGER PRIMARY KEY, mapping TEXT NOT NULL, link INTEGER, field TEXT NOT NULL, side TEXT NOT NULL,
  object INTEGER NOT NULL, key TEXT NOT NULL, kept BLOB, lost BLOB, at REAL NOT NULL, by TEXT NOT NULL,
  restored_at REAL);
CREATE TABLE run (
  id INTEGER PRIMARY KEY, command TEXT NOT NULL, started_at REAL NOT NULL, ended_at REAL, ok INTEGER, report BLOB);
CREATE INDEX run_started ON run (started_at);
CREATE TABLE calls (system TEXT NOT NULL, day TEXT NOT NULL, lane TEXT NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY (system, day, lane)) WITHOUT ROWID;
CREATE TABLE request (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, doc BLOB NOT NULL, state TEXT NOT NULL DEFAULT 'asked',
  progress BLOB, answer BLOB, asked_at REAL NOT NULL, done_at REAL);
CREATE TABLE backfill (
  id INTEGER PRIMARY KEY, mapping TEXT NOT NULL, doc BLOB NOT NULL, state TEXT NOT NULL, place BLOB NOT NULL,
  started_at REAL NOT NULL, ended_at REAL);
CREATE TABLE journal (
  seq INTEGER PRIMARY KEY, at REAL NOT NULL, run INTEGER, kind TEXT NOT NULL, mapping TEXT, link INTEGER,
  object INTEGER, key TEXT, said TEXT NOT NULL, digest BLOB NOT NULL, hash BLOB NOT NULL);
CREATE INDEX journal_record ON journal (object, key);
CREATE INDEX journal_link ON journal (link) WHERE link IS NOT NULL;
CREATE TABLE journal_value (seq INTEGER PRIMARY KEY, doc BLOB NOT NULL);
"""

_EVENTS = """
ALTER TABLE mapping ADD COLUMN kind TEXT NOT NULL DEFAULT 'mapping';
CREATE TABLE watch (name TEXT PRIMARY KEY, events INTEGER NOT NULL, first_ms INTEGER, last_ms INTEGER) WITHOUT ROWID;
CREATE TABLE event (
  id INTEGER PRIMARY KEY, watch TEXT NOT NULL, object INTEGER NOT NULL, key TEXT NOT NULL, slot INTEGER NOT NULL,
  at_ms INTEGER NOT NULL, refs BLOB NOT NULL, doc BLOB NOT NULL, UNIQUE (object, key, watch, slot));
CREATE INDEX event_time ON event (watch, at_ms);
CREATE TABLE event_on (
  mapping TEXT NOT NULL, side TEXT NOT NULL, key TEXT NOT NULL, at_ms INTEGER NOT NULL, event INTEGER NOT NULL,
  PRIMARY KEY (mapping, side, key, at_ms, event)) WITHOUT ROWID;
CREATE TABLE refers (
  object INTEGER NOT NULL, attribute TEXT NOT NULL, key TEXT NOT NULL, target TEXT NOT NULL,
  PRIMARY KEY (object, attribute, key, target)) WITHOUT ROWID;
CREATE INDEX refers_target ON refers (object, attribute, target);
CREATE INDEX fact_into ON fact (into_object, into_key) WHERE into_key IS NOT NULL;
"""

_SEVERAL_MATCH_VALUES = """
CREATE TABLE match_values (
  mapping TEXT NOT NULL, object INTEGER NOT NULL, key TEXT NOT NULL, rule TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (mapping, object, key, rule, value)) WITHOUT ROWID;
INSERT INTO match_values SELECT mapping, object, key, rule, value FROM match_value;
DROP TABLE match_value;
ALTER TABLE match_values RENAME TO match_value;
CREATE INDEX match_value_by_value ON match_value (mapping, rule, value);
CREATE TABLE passed_over (
  mapping TEXT NOT NULL, object INTEGER NOT NULL, key TEXT NOT NULL,
  link INTEGER NOT NULL REFERENCES link (id) ON DELETE CASCADE, PRIMARY KEY (mapping, object, key, link)) WITHOUT ROWID;
"""
_WAITS = """
CREATE TABLE wait (
  mapping TEXT NOT NULL, object INTEGER NOT NULL, key TEXT NOT NULL, parent TEXT NOT NULL, side TEXT NOT NULL,
  parent_key TEXT NOT NULL, making INTEGER NOT NULL DEFAULT 0, creates INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (mapping, object, key, parent, side, parent_key)) WITHOUT ROWID;
CREATE INDEX wait_parent ON wait (parent, side, parent_key);
ALTER TABLE object ADD COLUMN reread_at REAL;
"""

_DESCRIBED = """
CREATE TABLE described (
  object INTEGER PRIMARY KEY, at REAL NOT NULL, lost TEXT NOT NULL DEFAULT '', now_hash INTEGER NOT NULL,
  now BLOB NOT NULL, was_hash INTEGER NOT NULL, was BLOB NOT NULL);
"""


_FORGOTTEN = """
CREATE TABLE forgotten (object INTEGER NOT NULL, key TEXT NOT NULL, at REAL NOT NULL,
  PRIMARY KEY (object, key)) WITHOUT ROWID;
CREATE TABLE forgotten_value (mapping TEXT NOT NULL, rule TEXT NOT NULL, digest BLOB NOT NULL,
  PRIMARY KEY (mapping, rule, digest)) WITHOUT ROWID;
"""

_PARITY = """
CREATE TABLE parity (
  mapping TEXT NOT NULL, run INTEGER NOT NULL, forms TEXT NOT NULL, field TEXT NOT NULL, at REAL NOT NULL,
  whole INTEGER NOT NULL, agree INTEGER NOT NULL, by_rule INTEGER NOT NULL, in_flight INTEGER NOT NULL,
  drift INTEGER NOT NULL, unreadable INTEGER NOT NULL, PRIMARY KEY (mapping, run, forms, field)) WITHOUT ROWID;
"""


_IN_PLACE = """
DROP INDEX fact_into;
ALTER TABLE fact RENAME TO fact_by_rev;
CREATE TABLE fact (
  id INTEGER PRIMARY KEY, object INTEGER NOT NULL, key TEXT NOT NULL, rev INTEGER NOT NULL, hash INTEGER NOT NULL,
  stamp_ms INTEGER NOT NULL, state TEXT NOT NULL DEFAULT 'live', into_object INTEGER, into_key TEXT,
  ours INTEGER NOT NULL DEFAULT 0, doc BLOB NOT NULL, UNIQUE (object, key));
INSERT INTO fact (object, key, rev, hash, stamp_ms, state, into_object, into_key, ours, doc)
  SELECT object, key, rev, hash, stamp_ms, state, into_object, into_key, ours, doc FROM fact_by_rev ORDER BY rev;
DROP TABLE fact_by_rev;
CREATE INDEX fact_rev ON fact (object, rev);
CREATE INDEX fact_into ON fact (into_object, into_key) WHERE into_key IS NOT NULL;
"""
"""A fact that moves is changed where it stands: its revision is a column, and no longer the number of its row."""


_LOOP = """
CREATE TABLE standing (
  object INTEGER NOT NULL, key TEXT NOT NULL, outcome TEXT NOT NULL, reached INTEGER NOT NULL, came INTEGER NOT NULL,
  state TEXT, reason TEXT NOT NULL, qualified INTEGER, clock TEXT, depth TEXT, next_ms INTEGER, source TEXT NOT NULL,
  campaign TEXT NOT NULL, segment TEXT NOT NULL, owner TEXT NOT NULL, doc BLOB NOT NULL,
  PRIMARY KEY (object, key)) WITHOUT ROWID;
CREATE INDEX standing_state ON standing (state, qualified) WHERE state IS NOT NULL;
CREATE INDEX standing_next ON standing (next_ms) WHERE next_ms IS NOT NULL;
CREATE TABLE sale (
  object INTEGER NOT NULL, key TEXT NOT NULL, state TEXT NOT NULL, closed INTEGER NOT NULL, amount INTEGER,
  currency TEXT NOT NULL, cause TEXT, reason TEXT NOT NULL, doc BLOB NOT NULL, PRIMARY KEY (object, key)) WITHOUT ROWID;
CREATE TABLE cell (
  figure TEXT NOT NULL, day INTEGER NOT NULL, what TEXT NOT NULL, by TEXT NOT NULL, name TEXT NOT NULL,
  n INTEGER NOT NULL, amount INTEGER NOT NULL, PRIMARY KEY (figure, by, day, what, name)) WITHOUT ROWID;
CREATE TABLE stirred (
  mapping TEXT NOT NULL, side TEXT NOT NULL, object INTEGER NOT NULL, key TEXT NOT NULL,
  PRIMARY KEY (mapping, side, object, key)) WITHOUT ROWID;
CREATE TABLE alert (
  id INTEGER PRIMARY KEY, object INTEGER NOT NULL, key TEXT NOT NULL, kind TEXT NOT NULL, at REAL NOT NULL,
  said BLOB NOT NULL, sent_at REAL, tries INTEGER NOT NULL DEFAULT 0);
CREATE INDEX alert_unsent ON alert (id) WHERE sent_at IS NULL;
CREATE TRIGGER stirred_linked AFTER INSERT ON link_side BEGIN
  INSERT OR IGNORE INTO stirred VALUES (NEW.mapping, NEW.side, NEW.object, NEW.key); END;
CREATE TRIGGER stirred_unlinked AFTER DELETE ON link_side BEGIN
  INSERT OR IGNORE INTO stirred VALUES (OLD.mapping, OLD.side, OLD.object, OLD.key); END;
CREATE TRIGGER stirred_rekeyed AFTER UPDATE OF object, key ON link_side BEGIN
  INSERT OR IGNORE INTO stirred VALUES (NEW.mapping, NEW.side, NEW.object, NEW.key); END;
CREATE TRIGGER stirred_state AFTER UPDATE OF state ON link BEGIN
  INSERT OR IGNORE INTO stirred SELECT mapping, side, object, key FROM link_side WHERE link = NEW.id; END;
CREATE TRIGGER stirred_issue AFTER INSERT ON issue WHEN NEW.key IS NOT NULL BEGIN
  INSERT OR IGNORE INTO stirred VALUES (NEW.mapping, '', NEW.object, NEW.key); END;
CREATE TRIGGER stirred_closed AFTER UPDATE OF closed_at ON issue WHEN NEW.key IS NOT NULL BEGIN
  INSERT OR IGNORE INTO stirred VALUES (NEW.mapping, '', NEW.object, NEW.key); END;
CREATE TRIGGER stirred_event AFTER INSERT ON event_on BEGIN
  INSERT OR IGNORE INTO stirred VALUES (NEW.mapping, NEW.side, 0, NEW.key); END;
CREATE TRIGGER stirred_no_event AFTER DELETE ON event_on BEGIN
  INSERT OR IGNORE INTO stirred VALUES (OLD.mapping, OLD.side, 0, OLD.key); END;
"""
"""Triggers, so that nobody who writes a link, an issue or an event can forget to tell."""


_DELIVERY = """
CREATE TABLE delivery (
  alert INTEGER NOT NULL REFERENCES alert ON DELETE CASCADE, receiver TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0,
  next_at REAL NOT NULL DEFAULT 0, done_at REAL, lost INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (alert, receiver)) WITHOUT ROWID;
CREATE INDEX delivery_open ON delivery (receiver, next_at) WHERE done_at IS NULL;
DROP INDEX alert_unsent;
ALTER TABLE alert ADD COLUMN spread INTEGER NOT NULL DEFAULT 0;
UPDATE alert SET spread = 1, sent_at = coalesce(sent_at, at);
CREATE INDEX alert_unspread ON alert (id) WHERE spread = 0;
CREATE UNIQUE INDEX alert_digest ON alert (key) WHERE kind = 'digest';
CREATE TABLE condition (
  name TEXT PRIMARY KEY, since REAL NOT NULL, told_at REAL, said BLOB NOT NULL) WITHOUT ROWID;
"""


def migrations() -> Migrations:
    """The ordered list. Each entry is a small named function that is never edited after a release."""
    from sqlite_utils import Migrations

    steps = Migrations("syncd")

    @steps()
    def m001_first(db: Database) -> None:
        _execute(db, _FIRST)

    @steps()
    def m010_waits(db: Database) -> None:
        _execute(db, _WAITS)

    @steps()
    def m030_events(db: Database) -> None:
        _execute(db, _EVENTS)

    @steps()
    def m020_several_match_values(db: Database) -> None:
        _execute(db, _SEVERAL_MATCH_VALUES)

    @steps()
    def m060_forgotten(db: Database) -> None:
        _execute(db, _FORGOTTEN)

    @steps()
    def m050_facts_in_place(db: Database) -> None:
        _execute(db, _IN_PLACE)

    @steps()
    def m070_parity(db: Database) -> None:
        _execute(db, _PARITY)

    @steps()
    def m040_described(db: Database) -> None:
        _execute(db, _DESCRIBED)

    @steps()
    def m021_unseen(db: Database) -> None:
        _execute(
            db,
            "CREATE TABLE unseen (object INTEGER NOT NULL, key TEXT NOT NULL, since REAL NOT NULL,"
            " PRIMARY KEY (object, key)) WITHOUT ROWID",
        )

    @steps()
    def m022_proposal(db: Database) -> None:
        _execute(
            db,
            "CREATE TABLE proposal (mapping TEXT NOT NULL, object INTEGER NOT NULL, key TEXT NOT NULL,"
            " other_object INTEGER NOT NULL, other_key TEXT NOT NULL, why TEXT NOT NULL,"
            " PRIMARY KEY (mapping, object, key, other_object, other_key)) WITHOUT ROWID",
        )

    @steps()
    def m023_unseen_accepted(db: Database) -> None:
        _execute(db, "ALTER TABLE unseen ADD COLUMN accepted INTEGER NOT NULL DEFAULT 0")

    @steps()
    def m080_loop(db: Database) -> None:
        _execute(db, _LOOP)

    @steps()
    def m090_quota(db: Database) -> None:
        _execute(
            db,
            "CREATE TABLE quota (system TEXT PRIMARY KEY, day TEXT NOT NULL, since REAL NOT NULL, vendor_limit INTEGER,"
            " vendor_remaining INTEGER, vendor_at REAL) WITHOUT ROWID",
        )

    @steps()
    def m100_first_days(db: Database) -> None:
        """What the very first ledgers lack: m001 was still edited then."""
        if not any(row[1] == "rest" for row in db.conn.execute("PRAGMA table_info(link_side)")):
            _execute(db, "ALTER TABLE link_side ADD COLUMN rest INTEGER")
        _execute(db, "CREATE INDEX IF NOT EXISTS run_started ON run (started_at)")

    @steps()
    def m120_delivery(db: Database) -> None:
        _execute(db, _DELIVERY)

    @steps()
    def m130_sums(db: Database) -> None:
        _execute(db, SUMS)

    @steps()
    def m140_shares(db: Database) -> None:
        _execute(db, SHARES)

    @steps()
    def m150_pages(db: Database) -> None:
        _execute(db, PAGES)

    @steps()
    def m160_alert_record(db: Database) -> None:
        _execute(db, "CREATE INDEX alert_record ON alert (object, key) WHERE object != 0")

    @steps()
    def m170_mark(db: Database) -> None:
        _execute(
            db,
            "CREATE TABLE mark (mapping TEXT NOT NULL, object INTEGER NOT NULL, key TEXT NOT NULL, said BLOB NOT NULL,"
            " PRIMARY KEY (mapping, object, key)) WITHOUT ROWID",
        )

    @steps()
    def m180_sight(db: Database) -> None:
        _execute(db, "ALTER TABLE object ADD COLUMN sighted_at REAL")

    return steps


def _execute(db: Database, script: str) -> None:
    for statement in script.split(";\n"):
        if statement.strip():
            db.conn.execute(statement)
