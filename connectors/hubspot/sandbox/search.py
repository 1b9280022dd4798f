"""Search: the query language over the lagging index (contract section 5).

Promise: answers come from the index alone, stale values and all; only what is hidden is left out at once. The order
and the rows of a query stay as they are while the index stands still, and move under the reader when it does not.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import orjson

from connectors.hubspot.sandbox import errors
from connectors.hubspot.sandbox.call import Call
from connectors.hubspot.sandbox.index import Doc
from connectors.hubspot.sandbox.portal import Portal, Table
from connectors.hubspot.sandbox.render import names, show_doc
from connectors.hubspot.sandbox.values import to_ms
from syncd.sandbox.chassis import Response

MAX_PAGE = 200
REACH = 10_000
MAX_BODY = 3000
CACHED_QUERIES = 32
_OPERATORS = [
    "EQ",
    "NEQ",
    "LT",
    "LTE",
    "GT",
    "GTE",
    "BETWEEN",
    "IN",
    "NOT_IN",
    "HAS_PROPERTY",
    "NOT_HAS_PROPERTY",
    "CONTAINS_TOKEN",
    "NOT_CONTAINS_TOKEN",
]

Match = Callable[[Doc], bool]
Filter = Mapping[str, Any]


class SearchCache:
    """Results of recent queries, by object, index version and query."""

    def __init__(self) -> None:
        self._found: OrderedDict[tuple[str, int, bytes], list[int]] = OrderedDict()

    def ids(self, portal: Portal, table: Table, query: Mapping[str, Any]) -> list[int]:
        """All ids that match, in the query's order."""
        key = (table.kind.name, table.index.version, orjson.dumps(query, option=orjson.OPT_SORT_KEYS))
        if key in self._found:
            self._found.move_to_end(key)
            return self._found[key]
        found = _find(portal, table, query)
        # Filters over associations look outside the index, so its version does not vouch for them.
        if b'"associations.' not in key[2]:
            self._found[key] = found
            if len(self._found) > CACHED_QUERIES:
                self._found.popitem(last=False)
        return found


def search(call: Call, table: Table, cache: SearchCache) -> Response:
    """POST .../search."""
    body = call.body()
    query = _query(call, body)
    limit = call.limit(body.get("limit"), 10, MAX_PAGE)
    after = call.after(body.get("after"))
    if after + limit > REACH:
        if call.portal.switches.search_beyond_reach == "reject":
            raise errors.validation(f"The requested page is beyond the first {REACH} results of the search")
        return Response(200, {"total": len(cache.ids(call.portal, table, query)), "results": []})
    ids = cache.ids(call.portal, table, query)
    shown = names(table, [str(name) for name in body.get("properties") or []])
    page = [show_doc(table, table.index.docs[str(one)], shown) for one in ids[after : after + limit]]
    answer: dict[str, Any] = {"total": len(ids), "results": page}
    if after + limit < len(ids):
        answer["paging"] = {"next": {"after": str(after + limit)}}
    return Response(200, answer)


def _query(call: Call, body: Mapping[str, Any]) -> dict[str, Any]:
    """The checked and normalised query: groups of filters, one sort, text."""
    switches = call.portal.switches
    groups = list(body.get("filterGroups") or [])
    if body.get("filters"):
        groups.append({"filters": body["filters"]})
    counts = [len(group.get("filters") or []) for group in groups]
    if (
        len(groups) > switches.search_groups_max
        or max(counts, default=0) > switches.search_filters_max
        or sum(counts) > switches.search_filters_total
    ):
        raise errors.validation(
            f"Too many filters: at most {switches.search_groups_max} groups with {switches.search_filters_max} "
            f"filters each and {switches.search_filters_total} in all"
        )
    text = body.get("query") or ""
    size = len(call.request.body) if switches.search_body_cap == "body" else len(orjson.dumps([groups, text]))
    if switches.search_body_cap != "off" and size > MAX_BODY:
        raise errors.validation(f"The search request is longer than {MAX_BODY} characters")
    sorts = body.get("sorts") or []
    if len(sorts) > 1:
        raise errors.validation("Only one sort is supported")
    filters = [[dict(one) for one in group.get("filters") or []] for group in groups]
    return {"groups": filters, "sort": _sort(sorts[0]) if sorts else None, "text": str(text)}


def _sort(given: Any) -> list[Any]:
    """[property, descending], from the object or the string form."""
    if isinstance(given, str):
        return [given.removeprefix("-"), given.startswith("-")]
    if not isinstance(given, Mapping) or "propertyName" not in given:
        raise errors.validation("A sort needs a propertyName")
    return [str(given["propertyName"]), given.get("direction") == "DESCENDING"]


def _find(portal: Portal, table: Table, query: Mapping[str, Any]) -> list[int]:
    sort, descending = query["sort"] or ["hs_object_id", False]
    if sort not in table.definitions:
        raise errors.validation(f"There was a problem with the request: property {sort} does not exist")
    groups = query["groups"] or [[]]
    docs = table.index.docs
    found: list[int] = []
    order = ""
    for group in groups:
        candidates, order, bounded = _candidates(table, group, sort)
        # Every filter is compiled, and so checked; those that the bounds answer already need not run.
        compiled = [(one, _compile(portal, table, one)) for one in group]
        matches = [match for one, match in compiled if not (bounded and _inclusive(one, bounded))]
        if query["text"]:
            matches.append(_text(table, query["text"]))
        if len(matches) == 1:
            only = matches[0]
            candidates = [one for one in candidates if only(docs[str(one)])]
        elif matches:
            candidates = [one for one in candidates if all(match(docs[str(one)]) for match in matches)]
        found = candidates if len(groups) == 1 else [*found, *candidates]
    if len(groups) > 1:
        found, order = list(dict.fromkeys(found)), ""
    if table.hidden:
        found = [one for one in found if str(one) not in table.hidden]
    if order != sort:
        found.sort(key=_sort_key(table, sort))
    return found[::-1] if descending else found


def _candidates(table: Table, group: list[Filter], sort: str) -> tuple[list[int], str, str]:
    """A superset of a group's matches, as small as an order or a look-up table makes it; the property that it is
    ordered by; and the property whose inclusive bounds it keeps already, if any."""
    kind, index = table.kind, table.index
    bounds: dict[str, tuple[int | None, int | None]] = {}
    for one in group:
        name, operator = one.get("propertyName"), one.get("operator")
        if operator in ("EQ", "IN"):
            wanted = one.get("values") if operator == "IN" else [one.get("value")]
            ids = index.with_value(str(name), [str(value).lower() for value in wanted or []])
            if ids is not None:
                return ids, "hs_object_id", ""
        if name in (kind.modified, "hs_object_id"):
            bounds[str(name)] = _narrow(bounds.get(str(name), (None, None)), one)
    lists = {
        name: index.with_ids(*limits) if name == "hs_object_id" else index.modified_between(*limits)
        for name, limits in bounds.items()
    }
    if lists:
        name = min(lists, key=lambda each: len(lists[each]))
        return lists[name], name, name
    if sort == kind.modified:
        return index.modified_between(None, None), sort, ""
    return list(index.by_id), "hs_object_id", ""


def _inclusive(one: Filter, name: str) -> bool:
    """Whether bounds on that property say all that the filter says."""
    whole = to_ms(str(one.get("value"))) is not None
    return whole and one.get("propertyName") == name and one.get("operator") in ("GTE", "LTE", "BETWEEN")


def _narrow(limits: tuple[int | None, int | None], one: Filter) -> tuple[int | None, int | None]:
    """Bounds that surely hold; strictness is left to the filter itself."""
    low, high = limits
    operator, value = one.get("operator"), to_ms(str(one.get("value")))
    if value is None:
        return limits
    if operator in ("GTE", "GT", "EQ", "BETWEEN"):
        low = value if low is None else max(low, value)
    if operator in ("LTE", "LT", "EQ"):
        high = value if high is None else min(high, value)
    top = to_ms(str(one.get("highValue")))
    if operator == "BETWEEN" and top is not None:
        high = top if high is None else min(high, top)
    return low, high


def _sort_key(table: Table, name: str) -> Callable[[int], Any]:
    docs = table.index.docs
    if name == "hs_object_id":
        return lambda one: one
    number = _numeric(table, name)

    def key(one: int) -> Any:
        value = docs[str(one)].values.get(name)
        if value is None:
            return (1, 0, one)
        return (0, number(value) if number else value.lower(), one)

    return key


def _numeric(table: Table, name: str) -> Callable[[str], float] | None:
    """How the values of that property compare: None for text."""
    kind = table.definitions[name]["type"]
    if kind == "number":
        return _float
    return _moment if kind in ("date", "datetime") else None


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise errors.validation(f"{text} is not a valid number") from None


@lru_cache(maxsize=65_536)
def _moment(text: str) -> float:
    ms = to_ms(text)
    if ms is None:
        raise errors.validation(f"{text} is not a valid date")
    return ms


def _compile(portal: Portal, table: Table, one: Filter) -> Match:
    """One filter as a predicate. Rejection 400 for what makes no sense."""
    name, operator = str(one.get("propertyName")), one.get("operator")
    if operator not in _OPERATORS:
        raise errors.validation(f"Unknown operator: {operator}")
    if name.startswith("associations."):
        return _associated(portal, table, name.partition(".")[2], one)
    definition = table.definitions.get(name)
    if definition is None or definition["archived"]:
        raise errors.validation(f"There was a problem with the request: property {name} does not exist")
    if operator == "HAS_PROPERTY":
        return lambda doc: name in doc.values
    if operator == "NOT_HAS_PROPERTY":
        return lambda doc: name not in doc.values
    if operator in ("IN", "NOT_IN"):
        return _in(portal, table, name, one)
    if one.get("value") is None:
        raise errors.validation(f"operator {operator} requires a value")
    if operator in ("CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"):
        return _tokens(name, str(one["value"]), operator == "CONTAINS_TOKEN")
    if operator in ("EQ", "NEQ"):
        return _equals(portal, table, name, one)
    return _ordered(table, name, one)


def _ordered(table: Table, name: str, one: Filter) -> Match:
    number = _numeric(table, name)
    convert: Callable[[str], Any] = number or str.lower
    value = convert(str(one["value"]))
    tests: dict[str, Callable[[Any], bool]] = {
        "LT": lambda held: held < value,
        "LTE": lambda held: held <= value,
        "GT": lambda held: held > value,
        "GTE": lambda held: held >= value,
    }
    operator = str(one["operator"])
    if operator == "BETWEEN":
        if one.get("highValue") is None:
            raise errors.validation("operator BETWEEN requires a highValue")
        high = convert(str(one["highValue"]))
        tests["BETWEEN"] = lambda held: value <= held <= high
    test = tests[operator]
    if name == table.kind.modified:
        return lambda doc: test(doc.modified_ms)
    if name == "hs_object_id":
        return lambda doc: test(doc.id)

    def match(doc: Doc) -> bool:
        held = doc.values.get(name)
        return held is not None and test(convert(held))

    return match


def _equals(portal: Portal, table: Table, name: str, one: Filter) -> Match:
    definition = table.definitions[name]
    wanted, equal = str(one["value"]), one["operator"] == "EQ"
    empty = not equal and portal.switches.neq_finds_empty
    if name == table.kind.email:
        return lambda doc: (wanted.lower() in doc.emails) == equal if doc.emails else empty
    if definition["fieldType"] == "phonenumber":
        digits = "".join(char for char in wanted if char.isdigit())
        return lambda doc: (_phone(doc.values[name], digits) == equal) if name in doc.values else empty
    number = _numeric(table, name)
    exact = definition["type"] == "enumeration"
    convert: Callable[[str], Any] = number or ((lambda text: text) if exact else str.lower)
    value = convert(wanted)
    if exact and equal:
        return lambda doc: doc.values.get(name) == value
    return lambda doc: (convert(doc.values[name]) == value) == equal if name in doc.values else empty


def _phone(held: str, digits: str) -> bool:
    """Phones compare without their country code."""
    return len(digits) > 4 and "".join(char for char in held if char.isdigit()).endswith(digits[-10:])


def _in(portal: Portal, table: Table, name: str, one: Filter) -> Match:
    """Values of text must be lower-case; enumerations compare exactly."""
    wanted = one.get("values")
    if not isinstance(wanted, list) or not wanted:
        raise errors.validation(f"operator {one['operator']} requires values")
    held_in = one["operator"] == "IN"
    empty = not held_in and portal.switches.neq_finds_empty
    if name == table.kind.email:
        emails = {str(value) for value in wanted}
        return lambda doc: (not emails.isdisjoint(doc.emails)) == held_in if doc.emails else empty
    exact = table.definitions[name]["type"] == "enumeration"
    if table.definitions[name]["fieldType"] == "checkbox":
        chosen = {str(value) for value in wanted}
        return lambda doc: (
            (not chosen.isdisjoint(doc.values[name].split(";"))) == held_in if name in doc.values else empty
        )
    number = _numeric(table, name)
    convert: Callable[[str], Any] = number or ((lambda text: text) if exact else str.lower)
    values = {number(str(value)) if number else str(value) for value in wanted}
    return lambda doc: (convert(doc.values[name]) in values) == held_in if name in doc.values else empty


def _tokens(name: str, wanted: str, contains: bool) -> Match:
    """Whole words, `*` for any part of one."""
    pattern = re.escape(wanted.lower()).replace(r"\*", r"[\w.\-]*")
    token = re.compile(rf"(?<!\w){pattern}(?!\w)")

    def match(doc: Doc) -> bool:
        held = doc.values.get(name)
        return held is not None and (token.search(held.lower()) is not None) == contains

    return match


def _text(table: Table, text: str) -> Match:
    """`query`: every word begins a word of some searched property."""
    words = text.lower().split()

    def match(doc: Doc) -> bool:
        held = " ".join(doc.values.get(name, "") for name in table.kind.searched).lower()
        return all(word in held for word in words)

    return match


def _associated(portal: Portal, table: Table, singular: str, one: Filter) -> Match:
    """The pseudo-property `associations.{type}`, by associated id."""
    wanted = one.get("values") if one["operator"] == "IN" else [one.get("value")]
    end = next(
        (each.kind.name for each in portal.tables.values() if singular in (each.kind.singular, each.kind.name)), None
    )
    if end is None or one["operator"] not in ("EQ", "IN"):
        raise errors.validation(f"Unable to filter by associations.{singular}")
    ids = {str(value) for value in wanted or []}
    return lambda doc: any(end_id in ids for end_id, _ in portal.associations.of(table.kind.name, str(doc.id), end))
