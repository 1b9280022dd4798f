"""What people do that marketing sees, and what marketers do: forms, clicks, views, lists, campaigns (`POST /_control/act`).

Promise: a trace goes through the same store as every other change. Lists can be filled whatever their kind, because
HubSpot itself fills the ones that nobody else can.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectors.hubspot.sandbox.lists import DYNAMIC, MANUAL, WRITABLE
from connectors.hubspot.sandbox.marketing import Trace, clicked, submitted, viewed
from connectors.hubspot.sandbox.portal import Portal, Table
from connectors.hubspot.sandbox.records import Record, Source
from connectors.hubspot.sandbox.writes import Caller, prepare
from syncd.sandbox.chassis import Refused

Json = dict[str, Any]


class MarketingActs:
    """The visitors and the marketers of one portal."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self.known: dict[str, Callable[[Json], Json]] = {
            "submit_form": self._submit_form,
            "click": self._click,
            "view": self._view,
            "list": self._list,
            "list_add": lambda action: self._change(action, added=True),
            "list_remove": lambda action: self._change(action, added=False),
            "campaign": self._campaign,
        }

    # ------------------------------------------------------------ visitors

    def _submit_form(self, action: Json) -> Json:
        """Somebody (`key`, or `email`: made if nobody has it) sends the form `form`, with `values`; `page` and `source`
        (hs_latest_source) say where from; `list` is the list that this brings them into."""
        form = self._portal.marketing.form(str(action["form"]), self._portal.clock.now_ms())
        source = Source("FORM", form.id, form.name, None)
        record, made = self._visitor(action, source), False
        table = self._portal.tables["contacts"]
        values = dict(action.get("values") or {})
        if record is None:
            prepared = prepare(self._portal, table, None, {"email": action["email"], **values}, _form(source))
            known = {name: value for name, value in prepared.values.items() if value}
            record, made = self._portal.create(table, known, source), True
        elif values:
            prepared = prepare(self._portal, table, record, values, _form(source))
            self._portal.change(table, record, prepared.values, source)
        where, via = str(action.get("page") or ""), str(action.get("source") or "")
        self._leave(record, submitted(record, form, where, via, self._portal.clock.now_ms()))
        if action.get("list"):
            self._change({"list": action["list"], "key": record.id}, added=True)
        return {"key": record.id, "created": made, "stamp_ms": record.modified_ms}

    def _click(self, action: Json) -> Json:
        """Somebody (`key`) clicks in the marketing e-mail `email_name`."""
        record = self._known_visitor(action)
        return self._leave(record, clicked(record, str(action.get("email_name") or ""), self._portal.clock.now_ms()))

    def _view(self, action: Json) -> Json:
        """Somebody (`key`) looks at the page `page`, coming from `source`."""
        record, now_ms = self._known_visitor(action), self._portal.clock.now_ms()
        where, via = str(action.get("page") or ""), str(action.get("source") or "")
        return self._leave(record, viewed(record, where, via, now_ms))

    def _leave(self, record: Record, trace: Trace) -> Json:
        changes, source = trace
        self._portal.change(self._portal.tables["contacts"], record, changes, source)
        return {"key": record.id, "stamp_ms": record.modified_ms}

    def _known_visitor(self, action: Json) -> Record:
        record = self._visitor(action, None)
        if record is None:
            raise Refused(f"no contact {action.get('key')!r}")
        return record

    def _visitor(self, action: Json, source: Source | None) -> Record | None:
        """The live contact with that key or address; None where nobody has the address and a form may make one."""
        table = self._portal.tables["contacts"]
        key = action.get("key")
        if key is None and action.get("email"):
            key = table.emails.get(str(action["email"]).lower())
            if key is None and source is not None:
                return None
        record = table.records.get(table.resolve(str(key)))
        if record is None or record.archived_ms is not None:
            raise Refused(f"no contact {action.get('key')!r}")
        return record

    # ------------------------------------------------------------ marketers

    def _list(self, action: Json) -> Json:
        """A new list `name` of `object` (contacts), of the kind `processing` (MANUAL). Answers its id."""
        table, processing = self._table(action), str(action.get("processing") or MANUAL)
        if processing not in (*WRITABLE, DYNAMIC):
            raise Refused(f"a list is one of {', '.join((*WRITABLE, DYNAMIC))}")
        if self._portal.lists.named(str(action["name"]), table.kind.type_id) is not None:
            raise Refused(f"there is a list {action['name']!r} already")
        now_ms = self._portal.clock.now_ms()
        return {"key": self._portal.lists.create(str(action["name"]), table.kind.type_id, processing, now_ms).id}

    def _change(self, action: Json, added: bool) -> Json:
        """Records (`key` or `keys`) come into the list `list` (name or id), or leave it. A list that is not there is
        made when somebody comes in."""
        lists, now_ms = self._portal.lists, self._portal.clock.now_ms()
        segment = lists.named(str(action["list"]))
        if segment is None and added:
            segment = lists.by_id[str(self._list({**action, "name": str(action["list"])})["key"])]
        if segment is None:
            raise Refused(f"no list {action['list']!r}")
        table = self._portal.tables[self._portal.by_type_id[segment.type_id]]
        keys = [table.resolve(str(key)) for key in action.get("keys") or [action.get("key")]]
        if added and any(key not in table.records for key in keys):
            raise Refused("not all of them are there")
        done = (lists.add if added else lists.remove)(segment, keys, now_ms)
        return {"key": segment.id, "changed": len(done)}

    def _campaign(self, action: Json) -> Json:
        """A new campaign (`values`: hs_name and others). Answers its id."""
        values = {str(name): str(value) for name, value in (action.get("values") or {}).items()}
        if not values.get("hs_name"):
            raise Refused("a campaign needs hs_name")
        return {"key": self._portal.marketing.campaign(values, self._portal.clock.now_ms()).id}

    def _table(self, action: Json) -> Table:
        table = self._portal.tables.get(str(action.get("object") or "contacts"))
        if table is None:
            raise Refused(f"no object {action.get('object')!r}")
        return table


def _form(source: Source) -> Caller:
    """A form may set what a person may."""
    return Caller(source, human=True)
