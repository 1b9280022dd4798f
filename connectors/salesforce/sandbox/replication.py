"""GET updated and deleted: ids by SystemModstamp, in whole minutes. Contract section 5.2.

Promise: latestDateCovered never passes an open transaction, and is what the next call has to start from.
"""

from __future__ import annotations

from connectors.salesforce.sandbox.call import Answer, Call
from connectors.salesforce.sandbox.errors import Refusal, not_found
from connectors.salesforce.sandbox.fields import ObjectType
from connectors.salesforce.sandbox.instants import read_time, rest_time
from connectors.salesforce.sandbox.site import Site

MAX_IDS = 600_000
UPDATED_DAYS = 30
_MINUTE_S = 60
_DAY_S = 86_400


def updated(site: Site, call: Call, name: str) -> Answer:
    """GET sobjects/X/updated/?start=&end="""
    kind, start_s, end_s = _window(site, call, name, UPDATED_DAYS)
    table = site.org.table(kind.name)
    covered_s = _covered(site, kind, end_s)
    ids = [key for _, key in table.stamped(start_s, covered_s) if not table.rows[key].get("IsDeleted")]
    site.org.chance.shuffle(ids)
    _check_count(ids)
    return Answer(200, {"ids": ids, "latestDateCovered": rest_time(covered_s)})


def deleted(site: Site, call: Call, name: str) -> Answer:
    """GET sobjects/X/deleted/?start=&end="""
    org = site.org
    kind, start_s, end_s = _window(site, call, name, org.switches.bin_days)
    table = org.table(kind.name)
    covered_s = _covered(site, kind, end_s)
    found = [(stamp_s, key) for stamp_s, key in table.stamped(start_s, covered_s) if table.rows[key].get("IsDeleted")]
    if not org.switches.purge_clears_delete_log:
        found += [(at, key) for one, key, at in org.purged if one == kind.name and start_s <= at < covered_s]
    _check_count(found)
    earliest_s = max(org.bin_emptied_s, org.now_s() - org.switches.bin_days * _DAY_S)
    body = {
        "deletedRecords": [{"id": key, "deletedDate": rest_time(stamp_s)} for stamp_s, key in found],
        "earliestDateAvailable": rest_time(earliest_s // _MINUTE_S * _MINUTE_S),
        "latestDateCovered": rest_time(covered_s),
    }
    return Answer(200, body)


def _window(site: Site, call: Call, name: str, days: int) -> tuple[ObjectType, int, int]:
    kind = site.kind(name)
    if not kind.replicateable:
        raise not_found()
    start_s, end_s = (read_time(call.first(one)) for one in ("start", "end"))
    if start_s is None or end_s is None:
        raise Refusal.one("INVALID_REPLICATION_DATE", "start and end must be ISO 8601 dates with a time zone")
    start_s, end_s = start_s // _MINUTE_S * _MINUTE_S, end_s // _MINUTE_S * _MINUTE_S
    if end_s - start_s < _MINUTE_S:
        raise Refusal.one("INVALID_REPLICATION_DATE", "endDate must be at least one minute greater than startDate")
    if start_s < site.org.now_s() - days * _DAY_S:
        raise Refusal.one("INVALID_REPLICATION_DATE", f"startDate cannot be more than {days} days ago")
    return kind, start_s, end_s


def _covered(site: Site, kind: ObjectType, end_s: int) -> int:
    """Up to where the answer is complete: not beyond the lag, nor beyond what is stamped but not committed."""
    org = site.org
    open_stamps: list[int] = [row["SystemModstamp"] for name, row in org.pending.values() if name == kind.name]
    covered_s = min([end_s, org.now_s() - org.switches.replication_lag_s, *open_stamps])
    return covered_s // _MINUTE_S * _MINUTE_S


def _check_count(found: list[object] | list[str] | list[tuple[int, str]]) -> None:
    if len(found) > MAX_IDS:
        raise Refusal.one("EXCEEDED_ID_LIMIT", f"more than {MAX_IDS} ids: shorten the window")
