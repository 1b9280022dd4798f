"""What the org's API and objects look like: resource lists, describe, limits. Contract sections 1, 10 and 11."""

from __future__ import annotations

from typing import Any

from connectors.salesforce.sandbox.call import Answer, Call
from connectors.salesforce.sandbox.instants import http_time, read_http_time
from connectors.salesforce.sandbox.org import NEWEST_API
from connectors.salesforce.sandbox.reading import attributes
from connectors.salesforce.sandbox.site import Site

OLDEST_LISTED = 31
_RESOURCES = (
    "sobjects", "query", "queryAll", "composite", "limits", "jobs", "search", "actions", "recent", "tooling",
)  # fmt: skip


def versions() -> list[dict[str, str]]:
    """GET /services/data/: needs no login. Labels as the vendor counts its releases."""
    listed = []
    for number in range(OLDEST_LISTED, NEWEST_API + 1):
        year, season = divmod(number - 32, 3)
        # v64 Summer '25, v65 Winter '26, v66 Spring '26
        label = f"{('Winter', 'Spring', 'Summer')[season]} '{15 + year}"
        listed.append({"label": label, "url": f"/services/data/v{number}.0", "version": f"{number}.0"})
    return listed


def resources(site: Site, call: Call) -> Answer:
    """GET /services/data/vNN.0/"""
    return Answer(200, {name: call.resource(name) for name in _RESOURCES})


def limits(site: Site, call: Call) -> Answer:
    """GET limits"""
    return Answer(200, site.meters.limits())


def describe_global(site: Site, call: Call) -> Answer:
    """GET sobjects"""
    catalogue = site.org.catalogue
    kinds = [kind for kind in map(catalogue.seen, catalogue.names()) if kind is not None]
    if unchanged := _not_modified(call, max(catalogue.changed_s.values())):
        return unchanged
    body = {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": [kind.summary(call.version) for kind in kinds]}
    return Answer(200, body)


def basic(site: Site, call: Call, name: str) -> Answer:
    """GET sobjects/X"""
    kind = site.kind(name)
    recent = site.org.table(kind.name).by_stamp[-5:]
    items = [
        {"attributes": attributes(kind.name, key, call.version), "Id": key}
        for _, key in reversed(recent)
        if key not in site.org.hidden and not site.org.table(kind.name).rows[key].get("IsDeleted")
    ]
    return Answer(200, {"objectDescribe": kind.summary(call.version), "recentItems": items})


def describe(site: Site, call: Call, name: str) -> Answer:
    """GET sobjects/X/describe"""
    kind = site.kind(name)
    changed_s = site.org.catalogue.changed_s[kind.name]
    if unchanged := _not_modified(call, changed_s):
        return unchanged
    body: dict[str, Any] = {
        **kind.summary(call.version),
        "actionOverrides": [],
        "childRelationships": _children(site, kind.name),
        "compactLayoutable": True,
        "defaultImplementation": None,
        "extendedBy": None,
        "extendsInterfaces": None,
        "fields": [field.describe() for field in kind.fields],
        "implementedBy": None,
        "implementsInterfaces": None,
        "listviewable": None,
        "lookupLayoutable": None,
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "recordTypeInfos": _record_types(site, kind.name),
        "searchLayoutable": True,
        "sobjectDescribeOption": "FULL",
        "supportedScopes": [{"label": "All", "name": "everything"}, {"label": "My", "name": "mine"}],
    }
    return Answer(200, body, {"Last-Modified": http_time(changed_s)})


_MASTER_RECORD_TYPE = {
    "active": True,
    "available": True,
    "defaultRecordTypeMapping": True,
    "developerName": "Master",
    "master": True,
    "name": "Master",
    "recordTypeId": "012000000000000AAA",
    "urls": {},
}


def _record_types(site: Site, name: str) -> list[dict[str, Any]]:
    """Those of the object, and the one that every object has."""
    default = site.org.cast.record_types.get(name)
    own = [
        {
            "active": row["IsActive"],
            "available": True,
            "defaultRecordTypeMapping": key == default,
            "developerName": row["DeveloperName"],
            "master": False,
            "name": row["Name"],
            "recordTypeId": key,
            "urls": {},
        }
        for key, row in site.org.table("RecordType").rows.items()
        if row["SobjectType"] == name
    ]
    return [*own, {**_MASTER_RECORD_TYPE, "defaultRecordTypeMapping": not own}]


def _children(site: Site, name: str) -> list[dict[str, Any]]:
    return [
        {
            "cascadeDelete": False,
            "childSObject": child,
            "deprecatedAndHidden": False,
            "field": field.name,
            "junctionIdListNames": [],
            "junctionReferenceTo": [],
            "relationshipName": field.children,
            "restrictedDelete": False,
        }
        for child, field in site.org.catalogue.children_of(name)
    ]


def _not_modified(call: Call, changed_s: int) -> Answer | None:
    since = read_http_time(call.headers.get("if-modified-since", ""))
    return Answer(304) if since is not None and changed_s <= since else None
