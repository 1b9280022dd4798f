"""What a person, or the account's own automation, does: the vocabulary of `POST /_control/act`.

Promise: it goes through the same store as the API, so stamps, history, uniqueness and the index follow; but the API's
own rules (forward-only stages, rate limits, batches) do not bind a person. `by`: "automation" for HubSpot itself, any
other text for a user (default `Sandbox User`).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

from connectors.hubspot.sandbox import pipelines_api, properties_api
from connectors.hubspot.sandbox.errors import Rejection
from connectors.hubspot.sandbox.limits import Limits
from connectors.hubspot.sandbox.marketing_acts import MarketingActs
from connectors.hubspot.sandbox.merging import merge
from connectors.hubspot.sandbox.portal import AUTOMATION, CALCULATED, Portal, Table
from connectors.hubspot.sandbox.records import Record, Source
from connectors.hubspot.sandbox.tokens import Tokens
from connectors.hubspot.sandbox.writes import Caller, Prepared, close_date, prepare
from syncd.sandbox.chassis import Refused

Json = dict[str, Any]


class Acts:
    """The people and the automation of one portal."""

    def __init__(self, portal: Portal, tokens: Tokens, limits: Limits) -> None:
        self._portal = portal
        self._tokens = tokens
        self._limits = limits
        self.known: dict[str, Callable[[Json], Json]] = {
            "create": self._create,
            "edit": self._edit,
            "clear": self._clear,
            "calculate": self._calculate,
            "delete": self._delete,
            "restore": self._restore,
            "purge": self._purge,
            "merge": self._merge,
            "touch": self._touch,
            "hide": lambda action: self._sight(action, True),
            "show": lambda action: self._sight(action, False),
            "associate": self._associate,
            "dissociate": self._dissociate,
            "lag": self._lag,
            "history": self._history,
            "owner": self._owner,
            "property": self._property,
            "usage": self._usage,
            "revoke": self._revoke,
            "label": self._label,
            "pipeline": self._pipeline,
            **MarketingActs(portal).known,
        }

    def act(self, action: Json) -> Json:
        """Does one action. Refused when it is unknown or makes no sense."""
        do = self.known.get(str(action.get("do")))
        if do is None:
            raise Refused(f"HubSpot has no {action.get('do')!r}; known: {', '.join(self.known)}")
        try:
            return do(action)
        except Rejection as rejection:
            raise Refused(str(rejection.body)) from None

    # ------------------------------------------------------------ records

    def _create(self, action: Json) -> Json:
        table, caller = self._table(action), _caller(action)
        prepared = self._prepared(table, None, action, caller)
        values = {name: value for name, value in prepared.values.items() if value}
        record = self._portal.create(table, values, caller.source)
        return {"key": record.id, "stamp_ms": record.modified_ms}

    def _edit(self, action: Json) -> Json:
        table, caller = self._table(action), _caller(action)
        record = self._record(table, action)
        prepared = self._prepared(table, record, action, caller)
        changed = self._portal.change(table, record, prepared.values, caller.source)
        return {"key": record.id, "changed": changed, "stamp_ms": record.modified_ms}

    def _clear(self, action: Json) -> Json:
        names = action.get("properties") or list(action.get("values") or ())
        return self._edit({**action, "values": dict.fromkeys(names, "")})

    def _calculate(self, action: Json) -> Json:
        """HubSpot computes: read-only values change, with source CALCULATED."""
        table, record = self._table(action), self._record(self._table(action), action)
        caller = Caller(CALCULATED, human=True, automation=True)
        prepared = self._prepared(table, record, action, caller)
        changed = self._portal.change(table, record, prepared.values, CALCULATED)
        return {"key": record.id, "changed": changed, "stamp_ms": record.modified_ms}

    def _delete(self, action: Json) -> Json:
        table = self._table(action)
        for record in self._records(table, action):
            self._portal.archive(table, record)
        return {"ok": True}

    def _restore(self, action: Json) -> Json:
        table, record = self._table(action), self._record(self._table(action), action, archived=True)
        if record.archived_ms is None:
            raise Refused(f"{record.id} is not deleted")
        taken = [email for email in record.emails() if table.resolve(table.emails.get(email, record.id)) != record.id]
        for name, holders in table.unique.items():
            if holders.get(record.values.get(name, "").lower(), record.id) != record.id:
                taken.append(name)
        if taken:
            raise Refused("a unique value of it has been taken since")
        self._portal.restore(table, record)
        return {"key": record.id, "stamp_ms": record.modified_ms}

    def _purge(self, action: Json) -> Json:
        table = self._table(action)
        for record in self._records(table, action, archived=True):
            self._portal.purge(table, record)
        return {"ok": True}

    def _merge(self, action: Json) -> Json:
        """`key` is the primary, `with` the other; answers the survivor's key."""
        table = self._table(action)
        primary = self._record(table, action)
        other = self._record(table, {**action, "key": action.get("with")})
        if primary is other or table.kind.merge is None:
            raise Refused("these cannot be merged")
        survivor = merge(self._portal, table, primary, other, _caller(action).source)
        return {"key": survivor.id, "merged": survivor.merged, "stamp_ms": survivor.modified_ms}

    def _touch(self, action: Json) -> Json:
        """Bumps the stamp with no value changed, as HubSpot's recalculations do."""
        table = self._table(action)
        records = self._records(table, action)
        for record in records:
            self._portal.touch(table, record)
        return {"touched": len(records)}

    def _sight(self, action: Json, hidden: bool) -> Json:
        """Hides records from our credentials, or shows them again; nothing about them changes."""
        table = self._table(action)
        for record in self._records(table, action, archived=True):
            self._portal.hide(table, record, hidden)
        return {"ok": True}

    # ------------------------------------------------------------ around records

    def _associate(self, action: Json) -> Json:
        table, end = self._table(action), self._table({"object": action.get("to_object")})
        record, other = self._record(table, action), self._record(end, {"key": action.get("to_key")})
        store, start_name, end_name = self._portal.associations, table.kind.name, end.kind.name
        types = {int(one) for one in action.get("types") or store.primary(start_name, end_name)}
        try:
            store.add(start_name, record.id, end_name, other.id, types)
        except KeyError:
            raise Refused(f"no such association type between {start_name} and {end_name}") from None
        self._portal.associated(start_name, record.id, end_name, other.id)
        return {"ok": True}

    def _dissociate(self, action: Json) -> Json:
        types = {int(one) for one in action["types"]} if action.get("types") else None
        self._portal.associations.remove(
            str(action["object"]), str(action["key"]), str(action["to_object"]), str(action["to_key"]), types
        )
        return {"ok": True}

    def _label(self, action: Json) -> Json:
        """A label of the account's own between two objects (`object`, `to_object`, `label`): made once. With `key` and
        `to_key`, the pair gets it. Answers its type id from `object` to `to_object`."""
        start, end = self._table(action).kind.name, self._table({"object": action.get("to_object")}).kind.name
        store, label = self._portal.associations, str(action["label"])
        known = [one for one in store.between(start, end) if one.label == label]
        made = known[0] if known else store.label(start, end, label)[0]
        if action.get("key") is not None:
            self._associate({**action, "types": [made.id]})
        return {"type": made.id}

    def _pipeline(self, action: Json) -> Json:
        """A new pipeline (`values`: label, stages), or with `key` a new stage in it. Answers the new id."""
        table, values = self._table(action), dict(action.get("values") or {})
        if action.get("key") is None:
            return {"key": pipelines_api.add_pipeline(self._portal, table, values).id}
        pipeline = table.pipelines.get(str(action["key"]))
        if pipeline is None:
            raise Refused(f"no pipeline {action['key']!r}")
        return {"key": pipelines_api.add_stage(self._portal, table, pipeline, values).id}

    def _lag(self, action: Json) -> Json:
        """`lag_ms` for this record's further changes in the search index; without it, the account's lag again."""
        table = self._table(action)
        record = self._record(table, action)
        self._portal.lags_ms.pop((table.kind.name, record.id), None)
        if action.get("lag_ms") is not None:
            self._portal.lags_ms[table.kind.name, record.id] = int(action["lag_ms"])
        return {"ok": True}

    def _history(self, action: Json) -> Json:
        record = self._record(self._table(action), action, archived=True)
        names = [action["property"]] if action.get("property") else sorted({*record.first, *record.changes})
        return {"history": {name: [one.to_json() for one in record.versions(name)] for name in names}}

    # ------------------------------------------------------------ the account

    def _owner(self, action: Json) -> Json:
        """Adds an owner (`values`: email, first, last), or with `key` deactivates it (`active: true` revives it)."""
        owners, now_ms = self._portal.owners, self._portal.clock.now_ms()
        if action.get("key") is None:
            values = action.get("values") or {}
            owner = owners.add(str(values["email"]), str(values.get("first", "")), str(values.get("last", "")), now_ms)
        else:
            owner = owners.by_id[str(action["key"])]
            owner.archived, owner.updated_ms = not action.get("active", False), now_ms
        return {"key": owner.id, "owner": owner.to_json()}

    def _property(self, action: Json) -> Json:
        """`change`: define (`definition`), patch (`name`, `definition`), archive (`name`), or rules (`name`, `rules`)."""
        table, change = self._table(action), action.get("change")
        if change == "define":
            made = properties_api.define(self._portal, table, dict(action["definition"]))
        else:
            made = properties_api.find(table, str(action.get("name")))
            if change == "patch":
                made.update(action["definition"])
            elif change == "archive":
                made["archived"] = True
            elif change == "rules":
                made["_rules"] = list(action["rules"])
            else:
                raise Refused(f"a property is not {change!r}")
        return {"property": properties_api.shown(made)}

    def _usage(self, action: Json) -> Json:
        """Other apps use up `calls` of today's allowance."""
        return {"used_today": self._limits.spend(self._portal.clock.now_ms(), int(action.get("calls", 0)))}

    def _revoke(self, action: Json) -> Json:
        """Revokes `token`: refresh | static | all, or a token's text."""
        self._tokens.revoke(str(action.get("token", "all")))
        return {"ok": True}

    # ------------------------------------------------------------ reading an action

    def _table(self, action: Json) -> Table:
        table = self._portal.tables.get(str(action.get("object")))
        if table is None:
            raise Refused(f"no object {action.get('object')!r}")
        return table

    def _record(self, table: Table, action: Json, archived: bool = False) -> Record:
        record = table.records.get(table.resolve(str(action.get("key"))))
        if record is None or (record.archived_ms is not None and not archived):
            raise Refused(f"no {table.kind.singular} {action.get('key')!r}")
        return record

    def _records(self, table: Table, action: Json, archived: bool = False) -> list[Record]:
        """One (`key`), several (`keys`) or every record (`all`)."""
        if action.get("all"):
            return [one for one in table.records.values() if archived or one.archived_ms is None]
        keys = action.get("keys") or [action.get("key")]
        return [self._record(table, {"key": key}, archived) for key in keys]

    def _prepared(self, table: Table, record: Record | None, action: Json, caller: Caller) -> Prepared:
        prepared = prepare(self._portal, table, record, action.get("values") or {}, caller)
        close_date(self._portal, table, record, prepared)
        return prepared


def _caller(action: Json) -> Caller:
    by = str(action.get("by") or "Sandbox User")
    if by == "automation":
        return Caller(AUTOMATION, human=True, automation=True)
    # Any name works as a user; its number is the same in every run.
    user_id = int(by) if by.isdigit() else 1000 + zlib.crc32(by.encode()) % 9000
    return Caller(Source("CRM_UI", f"userId:{user_id}", by, user_id), human=True)
