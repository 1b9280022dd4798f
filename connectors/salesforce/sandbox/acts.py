"""What people, automations and administrators do, beside the API.

    {"do": "create",  "object": "Lead", "values": {...}}                      -> {"key", "stamp_ms"}
    {"do": "edit",    "object", WHICH, "values": {...}}                       -> {"key", "keys", "stamp_ms"}
    {"do": "clear",   "object", WHICH, "fields": ["Phone"]}
    {"do": "delete" | "restore" | "purge" | "touch" | "hide" | "show", "object", WHICH}
    {"do": "merge",   "object", "key": winner, "losers": [...] | "with": loser, "values": {...}, "fill": true}
    {"do": "convert", "key": lead, "account", "contact", "opportunity": name | true, "status", "owner", "overwrite_source"}
                                                                              -> {"account", "contact", "opportunity"}
    {"do": "revoke", "token": "access" | "refresh" | "all"}     {"do": "usage", "calls": n}
    {"do": "empty_bin"}     {"do": "end_cursors"}

Daily work (tasks, roles, campaigns, stages) stands in `acts_sales.py`, the schema and the rules in `acts_schema.py`.
WHICH is `key`, `keys`, `all`, or `where`, a SOQL condition (over deleted records for restore and purge). `by`: a user's
e-mail, name or id, "automation" or "api"; default rep1. An OwnerId may be given by name, too. `commit_after_s`: visible that much later than its stamp.
`force`: past the org's validation rules and the lock of converted Leads. `purge` of a live record is a hard delete.
Promise: what the org would not let a person do is refused with the vendor's code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connectors.salesforce.sandbox import acts_sales, acts_schema, conversion, lifecycle
from connectors.salesforce.sandbox.errors import Refusal
from connectors.salesforce.sandbox.ids import normalise
from connectors.salesforce.sandbox.named import Action, actor_of, keys_of, object_of, told, values_of
from connectors.salesforce.sandbox.rules import owner_named
from connectors.salesforce.sandbox.saving import create, update
from connectors.salesforce.sandbox.site import Site
from syncd.sandbox.wire import Refused


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


def _create(site: Site, action: Action) -> dict[str, Any]:
    kind = site.org.whole(object_of(site, action))
    return told(site, [create(site.org, actor_of(site.org, action), kind, values_of(site, action))])


def _edit(site: Site, action: Action) -> dict[str, Any]:
    return _change(site, action, values_of(site, action))


def _clear(site: Site, action: Action) -> dict[str, Any]:
    named = action.get("fields") or action.get("properties") or list(action.get("values") or {})
    return _change(site, action, dict.fromkeys(named))


def _change(site: Site, action: Action, values: Mapping[str, Any]) -> dict[str, Any]:
    kind, keys = site.org.whole(object_of(site, action)), keys_of(site, action)
    for key in keys:
        update(site.org, actor_of(site.org, action), kind, key, values)
    return told(site, keys)


def _each(
    do: Callable[[Site, Action, str, str], None], deleted: bool = False
) -> Callable[[Site, Action], dict[str, Any]]:
    def doer(site: Site, action: Action) -> dict[str, Any]:
        name, keys = object_of(site, action), keys_of(site, action, deleted)
        for key in keys:
            do(site, action, name, key)
        return told(site, keys)

    return doer


def _delete(site: Site, action: Action, name: str, key: str) -> None:
    lifecycle.delete(site.org, actor_of(site.org, action), site.org.whole(name), key)


def _restore(site: Site, action: Action, name: str, key: str) -> None:
    lifecycle.restore(site.org, name, key)


def _purge(site: Site, action: Action, name: str, key: str) -> None:
    lifecycle.purge(site.org, name, key)


def _touch(site: Site, action: Action) -> dict[str, Any]:
    name, keys = object_of(site, action), keys_of(site, action)
    lifecycle.touch(site.org, name, keys)
    return told(site, keys)


def _hide(site: Site, action: Action, name: str, key: str) -> None:
    site.org.hidden.add(key)


def _show(site: Site, action: Action, name: str, key: str) -> None:
    site.org.hidden.discard(key)


def _merge(site: Site, action: Action) -> dict[str, Any]:
    org = site.org
    kind, (winner,) = org.whole(object_of(site, action)), keys_of(site, action)
    losers = [normalise(key) or "" for key in action.get("losers") or [action.get("with")]]
    lifecycle.merge(
        org, actor_of(org, action), kind, winner, losers, action.get("values") or {}, bool(action.get("fill", True))
    )
    return {"key": winner, "losers": losers}


def _convert(site: Site, action: Action) -> dict[str, Any]:
    org, actor = site.org, actor_of(site.org, action)
    (lead,) = keys_of(site, {**action, "object": "Lead"})
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
    **acts_sales.ACTS,
    **acts_schema.ACTS,
}
