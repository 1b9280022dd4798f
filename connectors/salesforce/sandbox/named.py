"""What an action names: who acts, on which object, which records, with which values.

Promise: an action that names nothing that exists is refused with what it needs. It does nothing itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.salesforce.sandbox.ids import normalise
from connectors.salesforce.sandbox.org import Org
from connectors.salesforce.sandbox.rules import meets, owner_named
from connectors.salesforce.sandbox.saving import Actor
from connectors.salesforce.sandbox.site import Site
from syncd.sandbox.company import REPS
from syncd.sandbox.wire import Refused

Action = Mapping[str, Any]


def actor_of(org: Org, action: Action) -> Actor:
    """Who acts, and on which terms."""
    by = str(action.get("by") or REPS[0])
    user = {"automation": org.cast.automation, "api": org.cast.integration}.get(by) or owner_named(org, by)
    commit_after_s = float(action.get("commit_after_s", org.switches.commit_lag_s))
    return Actor(user, api=False, commit_after_s=commit_after_s, force=bool(action.get("force")))


def object_of(site: Site, action: Action) -> str:
    """The object that an action is about. Refused: there is none of that name."""
    name = str(action.get("object", ""))
    if name not in site.org.store.tables:
        raise Refused(f"there is no object {name}")
    return name


def keys_of(site: Site, action: Action, deleted: bool = False) -> list[str]:
    """The ids that an action names, 18 characters each; those that meet its `where`."""
    name = object_of(site, action)
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


def values_of(site: Site, action: Action) -> dict[str, Any]:
    """What is to be written; an owner may be named by e-mail or queue name."""
    values = dict(action.get("values") or {})
    owner = values.get("OwnerId")
    if isinstance(owner, str) and normalise(owner) is None:
        values["OwnerId"] = owner_named(site.org, owner)
    return values


def told(site: Site, keys: list[str]) -> dict[str, Any]:
    """What an action on records answers."""
    stamp_ms = site.org.now_s() * 1000
    return {"key": keys[0] if keys else None, "keys": keys, "stamp_ms": stamp_ms}
