"""The schema as pages need it: sums by month, counts that triggers keep, and an index for each question.

Part of the migrations (see `schema`): a text here is never edited after a release.
"""

from __future__ import annotations

_COLUMNS = """
  what TEXT NOT NULL, by TEXT NOT NULL, name TEXT NOT NULL, n INTEGER NOT NULL, amount INTEGER NOT NULL,"""
_MONTH = (
    "CASE WHEN day <= 0 THEN 0 ELSE CAST(strftime('%Y', day + 1721424.5) AS INTEGER) * 12"
    " + CAST(strftime('%m', day + 1721424.5) AS INTEGER) - 1 END"
)
_ERASED = (
    " ON CONFLICT (figure, by, day, what, name) DO UPDATE SET n = n + excluded.n, amount = amount + excluded.amount"
)
_FILTERS = "source, campaign, segment, owner"

SUMS = f"""
CREATE TABLE cell_month (
  figure TEXT NOT NULL, month INTEGER NOT NULL,{_COLUMNS}
  PRIMARY KEY (figure, by, month, what, name)) WITHOUT ROWID;
INSERT INTO cell_month (figure, month, what, by, name, n, amount)
  SELECT figure, {_MONTH}, what, by, name, sum(n), sum(amount) FROM cell GROUP BY 1, 2, 3, 4, 5;
CREATE TABLE cell_erased (
  figure TEXT NOT NULL, day INTEGER NOT NULL,{_COLUMNS}
  PRIMARY KEY (figure, by, day, what, name)) WITHOUT ROWID;
CREATE TABLE tally (state TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO tally SELECT substr(what, 1, instr(what || ':', ':') - 1), sum(n) FROM cell WHERE figure = 'state' AND by = ''
  GROUP BY 1;
UPDATE standing SET doc = CAST(json_remove(json_set(CAST(doc AS TEXT), '$.counts', (
  SELECT json_group_array(json_array(json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
    json_extract(value, '$[6]'))) FROM json_each(CAST(doc AS TEXT), '$.cells') WHERE json_extract(value, '$[3]') = '')),
  '$.cells') AS BLOB);
DROP INDEX standing_state;
CREATE INDEX standing_state ON standing (state, qualified, object, key, reason, {_FILTERS}) WHERE state IS NOT NULL;
CREATE INDEX standing_clock ON standing (clock, qualified, object, key, {_FILTERS}) WHERE clock IS NOT NULL;
CREATE INDEX standing_reached ON standing (reached, came, object, key, {_FILTERS});
CREATE INDEX standing_outcome ON standing (outcome, object, key, {_FILTERS});
CREATE INDEX sale_state ON sale (state, closed, object, key, currency, cause, reason);
CREATE TRIGGER tally_new AFTER INSERT ON standing WHEN NEW.state IS NOT NULL BEGIN
  INSERT INTO tally VALUES (NEW.state, 1) ON CONFLICT (state) DO UPDATE SET n = n + 1; END;
CREATE TRIGGER tally_moved AFTER UPDATE OF state ON standing WHEN OLD.state IS NOT NEW.state BEGIN
  UPDATE tally SET n = n - 1 WHERE state = OLD.state; INSERT INTO tally SELECT NEW.state, 1 WHERE NEW.state IS NOT NULL
  ON CONFLICT (state) DO UPDATE SET n = n + 1; END;
CREATE TRIGGER standing_erased AFTER DELETE ON standing BEGIN
  INSERT INTO cell_erased SELECT json_extract(c.value, '$[0]'), json_extract(c.value, '$[1]'), json_extract(c.value, '$[2]'),
    d.by, d.name, 1, json_extract(c.value, '$[3]') FROM json_each(CAST(OLD.doc AS TEXT), '$.counts') c,
    (SELECT '' AS by, '' AS name UNION ALL SELECT 'source', OLD.source UNION ALL SELECT 'campaign', OLD.campaign
      UNION ALL SELECT 'segment', OLD.segment UNION ALL SELECT 'owner', OLD.owner) d WHERE true{_ERASED}; END;
CREATE TRIGGER sale_erased AFTER DELETE ON sale BEGIN
  INSERT INTO cell_erased SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
    json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]'), json_extract(value, '$[6]')
    FROM json_each(CAST(OLD.doc AS TEXT), '$.cells') WHERE true{_ERASED}; END;
"""
"""Who is erased stays in the sums without a name: what they added is kept apart, so that all sums can be made anew."""

_PAIRS = """SELECT DISTINCT json_extract(t.value, '$[0]'), json_extract(t.value, '$[1]'), {of}.closed, {of}.object, {of}.key
  FROM {source} json_each(CAST({of}.doc AS TEXT), '$.shares') m, json_each(m.value) t"""
_WON = (
    "INSERT INTO sale_tally VALUES ({of}.currency, {sign}coalesce({of}.amount, 0))"
    " ON CONFLICT (currency) DO UPDATE SET amount = amount + excluded.amount;"
)
_PUT = f"""DELETE FROM sale_pair WHERE object = NEW.object AND key = NEW.key;
  INSERT INTO sale_pair {_PAIRS.format(of="NEW", source="")};""".replace(";\n", "; ")

SHARES = f"""
CREATE TABLE sale_pair (
  source TEXT NOT NULL, campaign TEXT NOT NULL, closed INTEGER NOT NULL, object INTEGER NOT NULL, key TEXT NOT NULL,
  PRIMARY KEY (campaign, source, closed, object, key)) WITHOUT ROWID;
CREATE INDEX sale_pair_campaign ON sale_pair (campaign, closed, object, key);
CREATE INDEX sale_pair_sale ON sale_pair (object, key);
CREATE TRIGGER sale_pair_made AFTER INSERT ON sale BEGIN {_PUT} END;
CREATE TRIGGER sale_pair_changed AFTER UPDATE OF doc ON sale BEGIN {_PUT} END;
CREATE TRIGGER sale_pair_gone AFTER DELETE ON sale BEGIN
  DELETE FROM sale_pair WHERE object = OLD.object AND key = OLD.key; END;
INSERT OR IGNORE INTO sale_pair {_PAIRS.format(of="s", source="sale s,")};
CREATE TABLE sale_tally (currency TEXT PRIMARY KEY, amount INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO sale_tally SELECT what, sum(amount) FROM cell WHERE figure = 'won' AND by = '' GROUP BY 1;
CREATE TRIGGER sale_tally_made AFTER INSERT ON sale WHEN NEW.state = 'won' BEGIN {_WON.format(of="NEW", sign="")} END;
CREATE TRIGGER sale_tally_less AFTER UPDATE ON sale WHEN OLD.state = 'won' BEGIN {_WON.format(of="OLD", sign="-")} END;
CREATE TRIGGER sale_tally_more AFTER UPDATE ON sale WHEN NEW.state = 'won' BEGIN {_WON.format(of="NEW", sign="")} END;
"""
"""The way from a figure of revenue to its deals: see `shares`."""

PAGES = """
CREATE TABLE counted (what TEXT NOT NULL, mapping TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (what, mapping))
  WITHOUT ROWID;
INSERT INTO counted SELECT 'link', mapping, count(*) FROM link GROUP BY mapping;
INSERT INTO counted SELECT 'conflict', mapping, count(*) FROM conflict WHERE restored_at IS NULL GROUP BY mapping;
CREATE TRIGGER counted_link AFTER INSERT ON link BEGIN
  INSERT INTO counted VALUES ('link', NEW.mapping, 1) ON CONFLICT (what, mapping) DO UPDATE SET n = n + 1; END;
CREATE TRIGGER counted_no_link AFTER DELETE ON link BEGIN
  UPDATE counted SET n = n - 1 WHERE what = 'link' AND mapping = OLD.mapping; END;
CREATE TRIGGER counted_conflict AFTER INSERT ON conflict WHEN NEW.restored_at IS NULL BEGIN
  INSERT INTO counted VALUES ('conflict', NEW.mapping, 1) ON CONFLICT (what, mapping) DO UPDATE SET n = n + 1; END;
CREATE TRIGGER counted_restored AFTER UPDATE OF restored_at ON conflict
  WHEN (OLD.restored_at IS NULL) != (NEW.restored_at IS NULL) BEGIN
  UPDATE counted SET n = n + (NEW.restored_at IS NULL) - (OLD.restored_at IS NULL)
    WHERE what = 'conflict' AND mapping = NEW.mapping; END;
CREATE TRIGGER counted_no_conflict AFTER DELETE ON conflict WHEN OLD.restored_at IS NULL BEGIN
  UPDATE counted SET n = n - 1 WHERE what = 'conflict' AND mapping = OLD.mapping; END;
CREATE INDEX conflict_mapping ON conflict (mapping, id);
CREATE INDEX conflict_link ON conflict (link);
CREATE INDEX issue_record ON issue (object, key) WHERE closed_at IS NULL AND key IS NOT NULL;
CREATE INDEX issue_waiting ON issue (id) WHERE closed_at IS NULL;
CREATE TABLE last_run (mapping TEXT PRIMARY KEY, run INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO last_run SELECT m.key, max(run.id) FROM run, json_each(CAST(run.report AS TEXT), '$.mappings') m
  WHERE run.report IS NOT NULL GROUP BY m.key;
"""
