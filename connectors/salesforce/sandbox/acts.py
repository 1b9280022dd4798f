"""What people, automations and administrators do, beside the API.

    {"do": "create",  "object": "Lead", "values": {...}}                      -> {"key", "stamp_ms"}
    {"do": "edit",    "object", WHICH, "values": {...}}                       -> {"key", "keys", "stamp_ms"}
    {"do": "clear",   "object", WHICH, "fields": ["Phone"]}
    {"do": "delete" | "restore" | "purge" | "touch" | "hide" | "show", "object", WHICH}
    {"do": "merge",   "object", "key": winner, "losers": [...] | "with": loser, "values": {...}, "fill": true}
    {"do": "convert", "key": lead, "account", "contact", "opportunity": name | true, "status", "owner", "overwrite_source"}
                                                                              -> {"account", "contact", "opportunity"}
    {"do": "field", "object", "field", "set": {...}}     {"do": "drop_field", "object", "field"}
    {"do": "revoke", "token": "access" | "refresh" | "all"}     {"do": "usage", "calls": n}
    {"do": "empty_bin"}     {"do": "end_cursors"}

WHICH is `key`, `keys`, `all`, or `where`, a SOQL condition (over deleted records for restore and purge). `by`: a user's
e-mail, name or id, "automation" or "api"; default rep1. An OwnerId may be given by name, too. `commit_after_s`: visible that much later than its stamp.
`force`: past the org's validation rules and the lock of converted Leads. `purge` of a live record is a hard delete.
Promise: what the org would not let a person do is refused with the vendor's code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connectors.salesforce.sandbox import conversion, lifecycle
from connectors.salesforce.sandbox.errors import Refusal
from connectors.salesforce.sandbox.ids import normalise
from connectors.salesforce.sandbox.org import Org
from connectors.salesforce.sandbox.rules import meets, owner_named
from connectors.salesforce.sandbox.saving import Actor, create, update
from connectors.salesforce.sandbox.site import Site
from syncd.sandbox.company import REPS
from syncd.sandbox.wire import Refused

Action = Mapping[str, Any]


def act(site: Site, action: Action) -> dict[str, Any]:
    """Does one thing. Refused when it makes no sense or the org does not allow it."""
    do = str(action.get("do"))
    doer = ACTS.get(do)
    if doer is None:
        raise Refused(f"nobody can {do} here; known are {', '.join(ACTS)}")
    with site.org.store.transaction() as roll_back:
        try:
            return doer(site, action)
        except Refusal as refusal:
            roll_back()
            reasons = "; ".join(f"{one.code}: {one.message}" for one in refusal.problems)
            raise Refused(f"{do} is refused: {reasons}") from None


def _actor(org: Org, action: Action) -> Actor:
    by = str(action.get("by") or REPS[0])
    user = {"automation": org.cast.automation, "api": org.cast.integration}.get(by) or owner_named(org, by)
    commit_after_s = float(action.get("commit_after_s", org.switches.commit_lag_s))
    return Actor(user, api=False, commit_after_s=commit_after_s, force=bool(action.get("force")))


def _object(site: Site, action: Action) -> str:
    name = str(action.get("object", ""))
    if name not in site.org.store.tables:
        raise Refused(f"there is no object {name}")
    return name


def _keys(site: Site, action: Action, deleted: bool = False) -> list[str]:
    """The ids that an action names, 18 characters each; those that meet its `where`."""
    name = _object(site, action)
    if "where" in action or action.get("all"):
        test = meets(site.org, site.org.whole(name), action.get("where"))
        rows = site.org.table(name).rows
        return [key for key, row in rows.items() if bool(row.get("IsDeleted")) is deleted and test(row)]
    texts = action.get("keys") or [action.get("key")]
    keys = [key for key in map(normalise, texts) if key is not None]
    missing = len(keys) < len(texts) or any(key not in site.org.table(name).rows for key in keys)
    if missing or not keys:
        raise Refused(f"the action needs the key of a {name} that exists")
    return keys


def _values(site: Site, action: Action) -> dict[str, Any]:
    """What is to be written; an owner may be named by e-mail or queue name."""
    values = dict(action.get("values") or {})
    owner = values.get("OwnerId")
    if isinstance(owner, str) and normalise(owner) is None:
        values["OwnerId"] = owner_named(site.org, owner)
    return values


def _create(site: Site, action: Action) -> dict[str, Any]:
    kind = site.org.whole(_object(site, action))
    return _told(site, [create(site.org, _actor(site.org, action), kind, _values(site, action))])


def _told(site: Site, keys: list[str]) -> dict[str, Any]:
    stamp_ms = site.org.now_s() * 1000
    return {"key": keys[0] if keys else None, "keys": keys, "stamp_ms": stamp_ms}


def _edit(site: Site, action: Action) -> dict[str, Any]:
    return _change(site, action, _values(site, action))


def _clear(site: Site, action: Action) -> dict[str, Any]:
    named = action.get("fields") or action.get("properties") or list(action.get("values") or {})
    return _change(site, action, dict.fromkeys(named))


def _change(site: Site, action: Action, values: Mapping[str, Any]) -> dict[str, Any]:
    kind, keys = site.org.whole(_object(site, action)), _keys(site, action)
    for key in keys:
        update(site.org, _actor(site.org, action), kind, key, values)
    return _told(site, keys)


def _each(
    do: Callable[[Site, Action, str, str], None], deleted: bool = False
) -> Callable[[Site, Action], dict[str, Any]]:
    def doer(site: Site, action: Action) -> dict[str, Any]:
        name, keys = _object(site, action), _keys(site, action, deleted)
        for key in keys:
            do(site, action, name, key)
        return _told(site, keys)

    return doer


def _delete(site: Site, action: Action, name: str, key: str) -> None:
    lifecycle.delete(site.org, _actor(site.org, action), site.org.whole(name), key)


def _restore(site: Site, action: Action, name: str, key: str) -> None:
    lifecycle.restore(site.org, name, key)


def _purge(site: Site, action: Action, name: str, key: str) -> None:
    lifecycle.purge(site.org, name, key)


def _touch(site: Site, action: Action) -> dict[str, Any]:
    name, keys = _object(site, action), _keys(site, action)
    lifecycle.touch(site.org, name, keys)
    return _told(site, keys)


def _hide(site: Site, action: Action, name: str, key: str) -> None:
    site.org.hidden.add(key)


def _show(site: Site, action: Action, name: str, key: str) -> None:
    site.org.hidden.discard(key)


def _merge(site: Site, action: Action) -> dict[str, Any]:
    org = site.org
    kind, (winner,) = org.whole(_object(site, action)), _keys(site, action)
    losers = [normalise(key) or "" for key in action.get("losers") or [action.get("with")]]
    lifecycle.merge(
        org, _actor(org, action), kind, winner, losers, action.get("values") or {}, bool(action.get("fill", True))
    )
    return {"key": winner, "losers": losers}


def _convert(site: Site, action: Action) -> dict[str, Any]:
    org, actor = site.org, _actor(site.org, action)
    (lead,) = _keys(site, {**action, "object": "Lead"})
    row = org.table("Lead").rows[lead]
    opportunity = action.get("opportunity") or ""
    owner = owner_named(org, str(action["owner"])) if action.get("owner") else ""
    if not owner and row["OwnerId"].startswith("00G"):
        owner = actor.user
    wish = conversion.Wish(
        lead=lead,
        account=normalise(action.get("account")) or "",
        contact=normalise(action.get("contact")) or "",
        opportunity=f"{row.get('Company')}-" if opportunity is True else str(opportunity),
        status=str(action.get("status", "Closed - Converted")),
        owner=owner,
        overwrite_source=bool(action.get("overwrite_source")),
    )
    return dict(conversion.convert(org, actor, wish))


def _empty_bin(site: Site, action: Action) -> dict[str, Any]:
    return {"purged": lifecycle.empty_bin(site.org)}


def _end_cursors(site: Site, action: Action) -> dict[str, Any]:
    return {"ended": site.cursors.forget_all()}


def _revoke(site: Site, action: Action) -> dict[str, Any]:
    """An administrator revokes tokens."""
    what, ended = action.get("token", "all"), 0
    if what not in ("access", "refresh", "all"):
        raise Refused("token is access, refresh or all")
    if what in ("access", "all"):
        ended += site.sessions.end_all()
    if what in ("refresh", "all"):
        ended += len(site.sessions.refresh_tokens)
        site.sessions.refresh_tokens.clear()
    return {"revoked": ended}


def _usage(site: Site, action: Action) -> dict[str, Any]:
    """Other integrations use up calls of the org's 24 hours."""
    site.org.switches.used_elsewhere += int(action.get("calls", 0))
    return {"used": site.meters.used()}


def _field(site: Site, action: Action) -> dict[str, Any]:
    org, name = site.org, _object(site, action)
    field = org.catalogue.edit(name, str(action["field"]), dict(action.get("set") or {}), org.now_s())
    org.table(name).reindex(org.whole(name))
    return {"field": field.describe()}


def _drop_field(site: Site, action: Action) -> dict[str, Any]:
    org, name, field = site.org, _object(site, action), str(action["field"])
    org.catalogue.drop(name, field, org.now_s())
    table = org.table(name)
    for row in list(table.rows.values()):
        table.put({one: value for one, value in row.items() if one != field})
    table.reindex(org.whole(name))
    return {"field": field}


ACTS: Mapping[str, Callable[[Site, Action], dict[str, Any]]] = {
    "create": _create,
    "edit": _edit,
    "clear": _clear,
    "delete": _each(_delete),
    "restore": _each(_restore, deleted=True),
    "purge": _each(_purge, deleted=True),
    "touch": _touch,
    "hide": _each(_hide),
    "show": _each(_show),
    "merge": _merge,
    "convert": _convert,
    "empty_bin": _empty_bin,
    "end_cursors": _end_cursors,
    "revoke": _revoke,
    "usage": _usage,
    "field": _field,
    "drop_field": _drop_field,
}
