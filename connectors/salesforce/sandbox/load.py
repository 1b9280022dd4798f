"""Puts records of any object into an org, as a careful import would have left them.

Promise: what the server derives is derived, histories and a campaign's statuses are there; values are neither checked
nor bent, and no rule of the org is asked. People come by `populate.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from connectors.salesforce.sandbox.consequences import follow
from connectors.salesforce.sandbox.derived import derive
from connectors.salesforce.sandbox.store import Row
from syncd.sandbox.company import REPS

if TYPE_CHECKING:
    from connectors.salesforce.sandbox.app import SalesforceSandbox

_DAY_S = 86_400


def load(app: SalesforceSandbox, object: str, rows: Iterable[Mapping[str, Any]], *, over_days: int = 90) -> list[str]:
    """Adds records of one object; their ids, in the order of the rows.

    A row holds the values by field name as the store has them: text, numbers, dates as ISO text, datetimes as whole
    seconds since 1970 UTC, ids of 18 characters, an owner's e-mail or id. It may hold `CreatedDate`; else the record
    was made at some time in the last `over_days` days, never later than an hour ago. Parents first: an id that a row
    refers to is believed. Owners take turns where none is named. Values are neither checked nor bent.
    """
    org, kind = app.org, app.org.whole(object)
    owners = {row["Email"]: key for key, row in org.table("User").rows.items()}
    turns = [owners[email] for email in REPS]
    blank = {field.name: field.default for field in kind.fields if field.default is not None}
    latest_s, keys = org.now_s() - 3_600, []
    for number, given in enumerate(rows):
        stamp_s = int(given.get("CreatedDate") or latest_s - int(org.chance.random() * over_days * _DAY_S))
        owner = owners.get(given.get("OwnerId", ""), given.get("OwnerId") or turns[number % len(turns)])
        base = {**_stamps(stamp_s, owner), **blank, "IsDeleted": False}
        if object in org.cast.record_types:
            base["RecordTypeId"] = org.cast.record_types[object]
        values = {name: value for name, value in given.items() if value is not None} | {"OwnerId": owner}
        row = {**base, **values, "Id": org.mint.new(kind.prefix)}
        derive(org, object, row, values)
        if "OwnerId" not in kind.by_name:
            del row["OwnerId"]
        org.store.put(object, row)
        follow(org, owner, object, None, row)
        keys.append(row["Id"])
    return keys


def _stamps(stamp_s: int, user: str) -> Row:
    stamps = {"CreatedDate": stamp_s, "LastModifiedDate": stamp_s, "SystemModstamp": stamp_s}
    return {**stamps, "CreatedById": user, "LastModifiedById": user}
