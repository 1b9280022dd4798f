"""The three kinds of change feed, over one store: a log, a search by stamp, and reading everything.

Its one promise: nothing that changed is skipped, whatever shares a stamp, changes while it is read, or becomes
visible within the overlap. It repeats records freely, and more so if the object's manners say so.

A cursor is JSON text: `{"feed": "log", "seq": 7}`. While everything is being read it also says where (`at`), and the
`since` feed says when it began, because whatever changes from then on must be read again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from connectors.memory.items import Item
from connectors.memory.sight import as_told
from connectors.memory.store import Store
from syncd.connector import Held, Page, Record
from syncd.errors import CursorLost

Place = dict[str, Any]
Step = tuple[list[Item], Place, bool]
"""Some records, the place after them, and whether that is the end for now."""


def pages(
    store: Store, object: str, attributes: Sequence[str], cursor: str | None, held: Held, overlap_ms: int
) -> Iterator[Page]:
    """The object's feed from a cursor on. Each page is read when it is asked for, never earlier."""
    manners = store.manners(object)
    place = _parse(store, object, cursor)
    steps: dict[str, Callable[[Place], Step]] = {
        "log": lambda place: _log(store, object, place),
        "since": lambda place: _since(store, object, place, overlap_ms),
        "sweep": lambda place: _sweep(store, object, place),
    }
    before: list[Record] = []
    done = False
    while not done:
        with store.locked():
            here = _text(place)
            items, place, done = steps[place["feed"]](place)
            known = held([item.key for item in items]) if manners.skips_held and items else {}
            told = (as_told(store, item, attributes) for item in items if known.get(item.key) != item.stamp_ms)
            records = [record for record in told if record is not None]
        if manners.empty_pages and records:
            yield Page([], here, False)
        shown = records[::-1] if manners.unordered else records
        yield Page([*before, *shown] if manners.repeats else shown, _text(place), done)
        before = records[-1:]


def _parse(store: Store, object: str, cursor: str | None) -> Place:
    feed = store.kinds[object].traits.feed
    if cursor is None:
        return {"log": {"feed": "log", "seq": store.newest, "at": 0}, "since": {"feed": "since", "from": 0}}.get(
            feed, {"feed": "sweep", "at": 0}
        )
    try:
        place = msgspec.json.decode(cursor, type=dict[str, int | str | list[int | str]])
    except msgspec.DecodeError:
        raise CursorLost(f"the cursor of {object} is not one of this connector's") from None
    if place.get("feed") != feed:
        raise CursorLost(f"the cursor of {object} is not one of a {feed} feed")
    if feed == "log" and place["seq"] + 1 < store.log_starts:  # type: ignore[operator]
        raise CursorLost(f"the change log of {object} does not reach back to the cursor")
    return place


def _text(place: Place) -> str:
    return msgspec.json.encode(place).decode()


def _walk(store: Store, object: str, at: int) -> tuple[list[Item], int, bool]:
    """Records in the order in which they were made, from the `at`-th on. None is ever taken out of that order."""
    page = store.manners(object).page
    every = list(store.items[object].values())
    shown = [item for item in every[at : at + page] if item.state in ("live", "converted")]
    return shown, at + page, at + page >= len(every)


def _sweep(store: Store, object: str, place: Place) -> Step:
    items, at, done = _walk(store, object, place["at"])
    return items, {"feed": "sweep", "at": 0 if done else at}, done


def _log(store: Store, object: str, place: Place) -> Step:
    """Everything first, then the log from the line that was the newest when that began."""
    if "at" in place:
        items, at, done = _walk(store, object, place["at"])
        after = {"feed": "log", "seq": place["seq"]} | ({} if done else {"at": at})
        return items, after, done and store.newest == place["seq"]
    manners = store.manners(object)
    items_by_key: dict[str, Item] = {}
    seq = place["seq"]
    for change in store.log[bisect_right(store.log, seq, key=lambda change: change.seq) :]:
        if change.at_ms + manners.lag_ms > store.now_ms:
            return list(items_by_key.values()), {"feed": "log", "seq": seq}, True
        if change.object == object:
            if len(items_by_key) == manners.page and change.key not in items_by_key:
                return list(items_by_key.values()), {"feed": "log", "seq": seq}, False
            items_by_key[change.key] = store.items[object][change.key]
        seq = change.seq
    return list(items_by_key.values()), {"feed": "log", "seq": seq}, True


def _since(store: Store, object: str, place: Place, overlap_ms: int) -> Step:
    """By (stamp, key), from a stamp on. The next pass starts where this one *began*, less the overlap: a record
    that shares a stamp with one already passed is then read, however late it came."""
    manners = store.manners(object)
    grain_ms = store.kinds[object].traits.grain_ms
    began = place.get("began", store.now_ms - store.now_ms % grain_ms)
    after = tuple(place.get("after", (place["from"], "")))
    entries = sorted(each for each in _indexed(store, object) if each > after)
    shown, rest = entries[: manners.page], entries[manners.page :]
    items = [store.items[object][str(key)] for _, key in shown]
    if rest:
        return items, {"feed": "since", "from": place["from"], "began": began, "after": list(shown[-1])}, False
    reach = max(overlap_ms, manners.lag_ms)
    return items, {"feed": "since", "from": max(place["from"], began - reach)}, True


def _indexed(store: Store, object: str) -> Iterator[tuple[int, str]]:
    """Each record's (stamp, key) as the index behind the feed has it by now."""
    lag_ms = store.manners(object).lag_ms
    if not lag_ms:
        yield from ((item.stamp_ms, item.key) for item in store.items[object].values())
        return
    stamps = {
        change.key: change.stamp_ms
        for change in store.log
        if change.object == object and change.at_ms + lag_ms <= store.now_ms
    }
    yield from ((stamp_ms, key) for key, stamp_ms in stamps.items())
