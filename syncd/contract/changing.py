"""Rules about change: what the feed must tell after somebody did something, and when.

Its one promise: nothing that changed is ever skipped, whatever shares a stamp, moves while it is read, or becomes
visible late. Repeats are allowed everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from syncd.connector import Key, Page, Record
from syncd.contract.rule import Rule, rule
from syncd.contract.trial import Lacking, Read, Trial

LAG_S = 20.0
"""How far the index lags in the rule about it; less than any sensible overlap."""
REST_S = 3600.0
"""How long nothing happens in the rules about a feed at rest; more than any overlap."""
CLOCK_SKEW_MS = 60_000
"""How far a stamp may be from the system's clock as the bench reads it."""


def _edit(trial: Trial, key: Key, value: str) -> None:
    trial.pass_time()
    trial.bench.edit(trial.object, key, {trial.subject.text: value})


def _rest(trial: Trial, cursor: str) -> str:
    """The cursor after hours in which the feed was read and nothing happened: a feed may look back less by then."""
    for _ in range(3):
        trial.bench.advance(REST_S)
        cursor = trial.read(cursor).cursor
    return cursor


def _share_a_stamp(trial: Trial, keys: Sequence[Key]) -> None:
    if len({record.stamp_ms for record in trial.fetch(keys)}) != 1:
        raise Lacking("the bench did not make the stamps equal")


def _text(trial: Trial, record: Record | None) -> object:
    return record.attributes.get(trial.subject.text) if record else None


# ---------------------------------------------------------------- edits


@rule("create")
def an_idle_feed_is_quiet(trial: Trial) -> None:
    """With nothing happening the feed ends soon, and what it repeats is what it told before, stamp and all."""
    trial.make(3)
    trial.bench.settle()
    whole = trial.read()
    cursor = whole.cursor
    for _ in range(3):
        again = trial.read(cursor)
        cursor = again.cursor
        for record in again.records:
            before = whole.latest.get(record.key)
            trial.expect(before is None or before == record, "a record that nobody touched is told differently")
            trial.expect(before is not None or record.state != "live", "a record appears that nobody made")


@rule("create", "edit")
def an_edit_is_told(trial: Trial) -> None:
    """A person's edit is in the next changes, with its value and a stamp that is later."""
    key, idle = trial.make(2)
    cursor = trial.start()
    before = trial.seen(key)
    _edit(trial, key, "Text edited")
    told = trial.next(cursor).latest.get(key)

    trial.expect(told is not None, "an edit is not told")
    trial.expect(_text(trial, told) == "Text edited", "an edit is told without its value")
    later = told is not None and (told.stamp_ms > before.stamp_ms or not trial.bench.can("advance"))
    trial.expect(later, "an edit does not move the stamp")
    trial.expect(trial.seen(idle).stamp_ms <= before.stamp_ms + CLOCK_SKEW_MS, "another record's stamp moved")


@rule("create", "edit", "advance")
def an_edit_after_a_rest_is_told(trial: Trial) -> None:
    """After hours without a change, in which the feed was read, an edit and a new record are still told."""
    key = trial.one()
    cursor = _rest(trial, trial.start())
    _edit(trial, key, "Text edited")
    new = trial.one()
    told = trial.next(cursor)

    trial.expect(_text(trial, told.latest.get(key)) == "Text edited", "an edit after a rest is not told")
    trial.expect(new in told.live, "a record made after a rest is not told")


@rule("create")
def a_new_record_is_told(trial: Trial) -> None:
    """A record made after the cursor is in the next changes, live."""
    cursor = trial.start()
    key = trial.one()

    trial.expect(key in trial.next(cursor).live, "a new record is not told")


@rule("create", "edit_together")
def equal_stamps_are_all_told(trial: Trial) -> None:
    """Records that share a stamp are all told, though they fill more than a page."""
    keys = trial.make(trial.subject.crowd)
    cursor = trial.start()
    trial.bench.edit_together(trial.object, keys, {trial.subject.text: "Text together"})
    _share_a_stamp(trial, keys)
    trial.bench.calm()
    latest = trial.next(cursor).latest

    told = [key for key in keys if _text(trial, latest.get(key)) == "Text together"]
    trial.expect(len(told) == len(keys), f"of {len(keys)} edits with one stamp, {len(told)} were told")


@rule("create", "edit_together")
def an_equal_stamp_may_come_late(trial: Trial) -> None:
    """An edit that gets a stamp which the feed has passed already is still told."""
    keys = trial.make(4)
    cursor = trial.start()
    trial.bench.edit_together(trial.object, keys[2:], {trial.subject.text: "Text first"})
    first = trial.read(cursor)
    trial.bench.edit_together(trial.object, keys[:2], {trial.subject.text: "Text late"})
    _share_a_stamp(trial, keys)
    second = trial.read(first.cursor)
    trial.bench.calm()
    trial.pass_time()
    third = trial.next(second.cursor)

    latest = Read([*first.pages, *second.pages, *third.pages]).latest
    told = [key for key in keys if str(_text(trial, latest.get(key))) in ("Text first", "Text late")]
    trial.expect(len(told) == len(keys), f"of 4 edits with one stamp, made around a read, {len(told)} were told")


@rule("create", "edit")
def edits_while_reading_are_told(trial: Trial) -> None:
    """Records that change while the feed is being read, before and after the page in hand, are told in the end."""
    keys = trial.make(trial.subject.crowd)
    trial.bench.settle()
    pages: list[Page] = []
    for page in trial.pages():
        if not pages:
            for key in (keys[0], keys[len(keys) // 2], keys[-1]):
                _edit(trial, key, "Text meanwhile")
        pages.append(page)
    pages += trial.next(pages[-1].cursor).pages

    latest = Read(pages).latest
    trial.expect(set(keys) <= set(latest), "a record is skipped when others change while the feed is read")
    for key in (keys[0], keys[len(keys) // 2], keys[-1]):
        trial.expect(_text(trial, latest[key]) == "Text meanwhile", "an edit made while the feed was read is not told")


@rule("create", "edit", "lag", "advance")
def a_late_index_hides_nothing(trial: Trial) -> None:
    """An edit that the index shows only after the feed was read is told by a later read."""
    early, late = trial.make(2)
    pages = [*trial.read(_rest(trial, trial.start())).pages]
    trial.bench.lag(LAG_S)
    for key in (early, late):
        _edit(trial, key, "Text lagging")
        trial.bench.advance(LAG_S * 0.75)
        pages += trial.read(pages[-1].cursor).pages
    trial.bench.advance(LAG_S * 2)
    pages += trial.read(pages[-1].cursor).pages

    latest = Read(pages).latest
    told = [key for key in (early, late) if _text(trial, latest.get(key)) == "Text lagging"]
    trial.expect(len(told) == 2, "an edit that the index showed late is never told")


@rule("create", "edit")
def what_is_held_may_not_hide_an_edit(trial: Trial) -> None:
    """A record may be left out only if the stamp that is held is the one it has now."""
    keys = trial.make(3)
    trial.bench.settle()
    whole = trial.read()
    stamps = {key: record.stamp_ms for key, record in whole.latest.items()}

    def held(asked: Sequence[Key]) -> Mapping[Key, int]:
        return {key: stamps[key] for key in asked if key in stamps}

    _edit(trial, keys[0], "Text edited")
    told = trial.next(whole.cursor, held=held).latest.get(keys[0])

    trial.expect(_text(trial, told) == "Text edited", "an edit is left out because an older stamp is held")


@rule("create", "edit")
def stamps_are_the_systems_own(trial: Trial) -> None:
    """A record's stamp never goes back, keeps to the declared grain, and is the system's time, not ours."""
    key = trial.one()
    stamps = [trial.seen(key).stamp_ms]
    for count in range(3):
        _edit(trial, key, f"Text {count}")
        stamps.append(trial.seen(key).stamp_ms)

    trial.expect(stamps == sorted(stamps), "a record's stamp went back")
    trial.expect(all(each % trial.traits.grain_ms == 0 for each in stamps), "a stamp is finer than the declared grain")
    if trial.bench.can("now_ms"):
        off_ms = abs(trial.bench.now_ms() - stamps[-1])
        trial.expect(off_ms <= CLOCK_SKEW_MS, f"a new stamp is {off_ms // 1000} s away from the system's clock")


# ---------------------------------------------------------------- deletions


def _gone_for_good(trial: Trial, key: Key) -> None:
    """What holds of every record that is no longer there, however deletions are told."""
    trial.expect(all(each.state != "live" for each in trial.fetch([key])), "a deleted record is fetched as live")
    trial.expect(key not in trial.read().live, "a deleted record is live in a full read")


@rule("feed told deletions", "create", "delete")
def a_deletion_is_told_by_the_feed(trial: Trial) -> None:
    """Where the feed tells deletions, the next changes has the record as gone."""
    key = trial.one()
    cursor = trial.start()
    trial.pass_time()
    trial.bench.delete(trial.object, key)
    told = trial.next(cursor).latest.get(key)

    trial.expect(told is not None and told.state == "gone", "a deletion is not told by the feed")
    _gone_for_good(trial, key)


@rule("tombstones", "create", "delete")
def a_deletion_is_told_by_fetch(trial: Trial) -> None:
    """Where deletions leave tombstones, fetch answers the key as gone."""
    key = trial.one()
    trial.bench.settle()
    trial.bench.delete(trial.object, key)
    trial.bench.settle()
    states = [record.state for record in trial.fetch([key])]

    trial.expect(states == ["gone"], f"fetch() of a deleted record answers {states or 'nothing'}")
    _gone_for_good(trial, key)


@rule("reconciled deletions", "create", "delete")
def a_deletion_is_told_by_absence(trial: Trial) -> None:
    """Where deletions are found by reconciling, neither a full read nor fetch shows the record any more."""
    key = trial.one()
    trial.bench.settle()
    trial.bench.delete(trial.object, key)
    trial.bench.settle()

    _gone_for_good(trial, key)


@rule("create", "delete", "restore")
def a_restored_record_is_live(trial: Trial) -> None:
    """A record that was deleted and brought back is told as live again, under its key."""
    key = trial.one()
    cursor = trial.start()
    trial.bench.delete(trial.object, key)
    trial.pass_time()
    gone = trial.next(cursor)
    trial.bench.restore(trial.object, key)

    trial.expect(key in trial.next(gone.cursor).live, "a restored record is not told as live")
    trial.expect(trial.seen(key).state == "live", "a restored record is not fetched as live")


# ---------------------------------------------------------------- merges and conversions


def _lives_on(trial: Trial, key: Key) -> Key:
    """Follows merges by fetch until a live record."""
    for _ in range(10):
        answered = {record.key: record for record in trial.fetch([key])}
        trial.expect(
            key in answered, "fetch() does not answer a record that was merged, or one that it was merged into"
        )
        record = answered[key]
        if record.state == "live":
            return key
        trial.expect(record.state == "merged" and record.into, f"on the way of a merge, a record is {record.state}")
        key = record.into[1] if record.into else key
    trial.expect(False, "merges lead round in circles")
    return key


@rule("merges", "create", "merge")
def a_merge_is_told(trial: Trial) -> None:
    """A record that was merged away says so, and leads to the one that lives on, which is told too."""
    winner, loser = trial.make(2)
    trial.bench.settle()
    survivor = trial.bench.merge(trial.object, winner, loser)
    trial.made.append((trial.object, survivor))
    trial.bench.settle()

    trial.expect(_lives_on(trial, loser) == survivor, "a merged record does not lead to the one that lives on")
    states = {record.key: record.state for record in trial.fetch([loser])}
    trial.expect(states.get(survivor) == "live", "fetch() of a merged record does not yield the one that lives on")
    trial.expect(winner == survivor or _lives_on(trial, winner) == survivor, "the winner does not lead there")


@rule("merges", "create", "merge")
def a_merge_shows_in_the_feed(trial: Trial) -> None:
    """After a merge the feed tells the record that lives on, and never again the one merged away as live."""
    winner, loser = trial.make(2)
    cursor = trial.start()
    trial.pass_time()
    survivor = trial.bench.merge(trial.object, winner, loser)
    trial.made.append((trial.object, survivor))
    told = trial.next(cursor)

    trial.expect(survivor in told.live, "the record that lives on is not told after a merge")
    trial.expect(loser not in told.live, "a record that was merged away is told as live")
    trial.expect(loser not in trial.read().live, "a record that was merged away is live in a full read")


@rule("a later form", "create", "convert")
def a_conversion_is_told(trial: Trial) -> None:
    """A converted record is told as converted, by feed and fetch, with the (object, key) that it lives on as."""
    key = trial.one()
    cursor = trial.start()
    trial.pass_time()
    form, onto = trial.bench.convert(trial.object, key)
    trial.made.append((form, onto))
    told, fetched = trial.next(cursor).latest.get(key), trial.seen(key)

    for record in (told, fetched):
        trial.expect(record is not None and record.state == "converted", "a conversion is not told")
        trial.expect(record is not None and record.into == (form, onto), "a conversion does not lead to the later form")
    later = trial.fetch([onto], object=form)
    trial.expect([record.state for record in later] == ["live"], "the later form is not fetched as live")


@rule("a later form", "create", "convert", "an e-mail attribute")
def a_converted_record_is_found_as_such(trial: Trial) -> None:
    """A look-up in the earlier form still finds a converted record, and says that it is converted."""
    key, email = trial.one(), str(trial.subject.email)
    address = str(trial.seen(key).attributes[email])
    form, onto = trial.bench.convert(trial.object, key)
    trial.made.append((form, onto))
    trial.bench.settle()
    met = [each.record for each in trial.connector.find(trial.object, trial.asked, email, [address])]

    trial.expect([record.key for record in met] == [key], "a converted record is not found")
    trial.expect(met[0].state == "converted" and met[0].into == (form, onto), "a converted record is found as live")


RULES: tuple[Rule, ...] = (
    an_idle_feed_is_quiet,
    an_edit_is_told,
    an_edit_after_a_rest_is_told,
    a_new_record_is_told,
    equal_stamps_are_all_told,
    an_equal_stamp_may_come_late,
    edits_while_reading_are_told,
    a_late_index_hides_nothing,
    what_is_held_may_not_hide_an_edit,
    stamps_are_the_systems_own,
    a_deletion_is_told_by_the_feed,
    a_deletion_is_told_by_fetch,
    a_deletion_is_told_by_absence,
    a_restored_record_is_live,
    a_merge_is_told,
    a_merge_shows_in_the_feed,
    a_conversion_is_told,
    a_converted_record_is_found_as_such,
)
