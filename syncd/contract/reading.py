"""Rules about reading what stands still: the full read, reading by key, looking up by value.

Its one promise: absent, blank, missing and gone are told apart wherever records are read.
"""

from __future__ import annotations

import msgspec

from syncd.connector import Effect
from syncd.contract.rule import Rule, rule
from syncd.contract.trial import Lacking, Read, Trial
from syncd.errors import CursorLost

UNKNOWN = "syncd_no_such_attribute"
CURSOR_CHARACTERS_MAX = 16_384
BATCH_MAX = 400
"""Batches larger than this are not filled by the contract."""


# ---------------------------------------------------------------- everything


@rule("create")
def a_full_read_tells_every_record(trial: Trial) -> None:
    """From no cursor, the feed tells every live record at least once, and ends."""
    made = set(trial.make(trial.subject.crowd))
    wanted = made | (trial.bench.live(trial.object) if trial.bench.can("live") else set())
    trial.bench.settle()
    told = trial.read().live

    trial.expect(wanted <= told, f"the full read left out {len(wanted - told)} of {len(wanted)} live records")


@rule("create")
def a_read_may_be_broken_off_after_any_page(trial: Trial) -> None:
    """Broken off after any page and resumed from that page's cursor, a full read still misses nothing."""
    made = set(trial.make(trial.subject.crowd))
    trial.bench.settle()
    pages = trial.read().pages
    if len(pages) == 1 and not trial.bench.can("live"):
        raise Lacking("this account has less than two pages of records")
    trial.expect(len(pages) > 1, f"{trial.subject.crowd} records do not fill more than a page: the subject is too thin")

    for stop in {0, 1, len(pages) // 2, len(pages) - 2}:
        rest = trial.read(pages[stop].cursor)
        told = Read([*pages[: stop + 1], *rest.pages]).live
        trial.expect(made <= told, f"resumed after page {stop + 1} of {len(pages)}, {len(made - told)} are never told")


@rule(read_only=True)
def a_cursor_is_plain_text(trial: Trial) -> None:
    """A cursor is JSON text of bounded length."""
    for page in trial.glance().pages:
        trial.expect(len(page.cursor) <= CURSOR_CHARACTERS_MAX, f"a cursor is longer than {CURSOR_CHARACTERS_MAX}")
        try:
            msgspec.json.decode(page.cursor)
        except msgspec.DecodeError:
            trial.expect(False, "a cursor is not JSON")


@rule(read_only=True)
def a_strange_cursor_is_lost(trial: Trial) -> None:
    """A cursor that the connector does not understand raises CursorLost: it is neither trusted nor a crash."""
    for strange in ("not a cursor", '{"of": "another connector"}', "[]"):
        try:
            next(iter(trial.connector.changes(trial.object, trial.asked, strange, lambda keys: {})), None)
        except CursorLost:
            continue
        trial.expect(False, "a cursor of nobody's is taken for a place in the feed")


# ---------------------------------------------------------------- what a record tells


@rule(read_only=True)
def an_unknown_attribute_is_absent(trial: Trial) -> None:
    """An attribute that the system does not know is absent: not None, and no reason to fail."""
    asked = [trial.subject.text, UNKNOWN]
    live = list(trial.glance().live)[:3]
    page = next(page for page in trial.pages(asked=asked) if page.records)

    for record in [*page.records, *trial.fetch(live, asked)]:
        trial.expect(UNKNOWN not in record.attributes, "an attribute that the system does not know is told")
        trial.expect(
            trial.subject.text in record.attributes or record.state in ("gone", "merged"),
            "beside an unknown attribute, a known one is not told",
        )


@rule(read_only=True)
def only_what_was_asked_is_told(trial: Trial) -> None:
    """A live record tells each known attribute that was asked for, and no other."""
    whole = trial.glance()
    live = list(whole.live)[:3]
    few = [trial.subject.second]

    for record in whole.records:
        wanted = set(trial.asked) if record.state == "live" else set(record.attributes) & set(trial.asked)
        trial.expect(set(record.attributes) == wanted, "the feed does not tell exactly what was asked")
    for record in trial.fetch(live, few):
        trial.expect(set(record.attributes) == set(few), "fetch() does not tell exactly what was asked")


@rule(read_only=True)
def blank_is_none_where_it_is_found(trial: Trial) -> None:
    """No value is empty text or an empty list: blank is None."""
    for record in trial.glance().records:
        trial.expect(not any(value in ("", []) for value in record.attributes.values()), "a blank is told as a value")


@rule("create")
def blank_is_none(trial: Trial) -> None:
    """An attribute that was never given a value is told as None, by feed and fetch alike."""
    trial.expect(trial.subject.second not in trial.subject.base, "the subject's second text must not be required")
    key = trial.one(**{trial.subject.second: None})
    fetched = trial.seen(key)
    trial.bench.settle()
    told = trial.read().latest[key]

    for record in (fetched, told):
        trial.expect(trial.subject.second in record.attributes, "a blank attribute is absent")
        trial.expect(record.attributes[trial.subject.second] is None, "a blank attribute is not None")


# ---------------------------------------------------------------- by key


@rule("create")
def fetch_answers_each_key_once(trial: Trial) -> None:
    """fetch() answers the keys asked for, each once, in any order, however often one is named."""
    keys = trial.make(4)
    answered = [record.key for record in trial.fetch([keys[2], keys[0], keys[3], keys[0]])]

    trial.expect(sorted(answered) == sorted([keys[0], keys[2], keys[3]]), "fetch() does not answer each key once")


@rule("create")
def fetch_tells_the_record_of_the_key(trial: Trial) -> None:
    """Each record's values are those of its own key."""
    rows = [trial.row() for _ in range(5)]
    keys = trial.bench.create(trial.object, rows)
    trial.made.extend((trial.object, key) for key in keys)
    text = trial.subject.text

    for record in trial.fetch(keys[::-1]):
        trial.expect(record.attributes[text] == rows[keys.index(record.key)][text], "a key has another record's values")


@rule("create")
def fetch_splits_into_batches(trial: Trial) -> None:
    """More keys than a batch are read in several requests, and all of them answered."""
    size = trial.traits.read_batch + 1
    keys = trial.make(min(size, BATCH_MAX))
    answered = {record.key for record in trial.fetch(keys)}

    trial.expect(answered == set(keys), f"of {len(keys)} keys, fetch() answered {len(answered)}")


@rule("create")
def fetch_agrees_with_the_feed(trial: Trial) -> None:
    """Feed and fetch tell the same of a record that nobody touches: state, stamp and values."""
    key = trial.one()
    trial.bench.settle()
    told, fetched = trial.read().latest[key], trial.seen(key)

    trial.expect(told.state == fetched.state == "live", "feed and fetch do not agree that a record is live")
    trial.expect(told.stamp_ms == fetched.stamp_ms, "feed and fetch give one record two stamps")
    trial.expect(told.attributes == fetched.attributes, "feed and fetch give one record different values")


@rule(read_only=True)
def a_missing_key_is_silent(trial: Trial) -> None:
    """A key that no record ever had yields nothing, least of all a record that is gone."""
    answered = trial.fetch([_missing(trial)])

    trial.expect(not answered, f"a key that never was is answered as {answered[0].state if answered else ''}")


def _missing(trial: Trial) -> str:
    if trial.subject.missing is not None:
        return trial.subject.missing
    keys = trial.glance().live
    if not all(key.isdigit() for key in keys):
        raise Lacking("no key is known that no record ever had")
    return "9" * max(len(key) for key in keys)


@rule("create", "purge")
def a_purged_record_is_not_live(trial: Trial) -> None:
    """A record removed for good is gone or not answered."""
    key = trial.one()
    trial.bench.purge(trial.object, key)

    trial.expect(all(each.state == "gone" for each in trial.fetch([key])), "a record that was removed is told as live")


@rule("create", "hide")
def a_hidden_record_is_silent(trial: Trial) -> None:
    """A record that our credentials may no longer see is not answered. It is not gone: nobody deleted it."""
    key, other = trial.make(2)
    trial.bench.hide(trial.object, key)
    answered = trial.fetch([key, other])

    trial.expect(not any(record.key == key for record in answered), "a record out of sight is answered all the same")
    trial.expect([record.key for record in answered] == [other], "a record out of sight takes another along")


@rule("create", "hide_attribute")
def a_hidden_attribute_is_absent(trial: Trial) -> None:
    """An attribute that our credentials may no longer see is absent, not blank, and takes no other along. When it can
    be seen again it is told, at the latest once it was described."""
    subject, key = trial.subject, trial.one()
    trial.seen(key)
    trial.bench.settle()
    trial.bench.hide_attribute(trial.object, subject.second)
    told = trial.read().latest[key]

    for record in (trial.seen(key), told):
        trial.expect(
            subject.second not in record.attributes, "an attribute out of sight is told, as blank or with a value"
        )
        trial.expect(record.attributes.get(subject.text), "an attribute out of sight takes another along")
    trial.bench.calm()
    trial.attribute(subject.second)

    trial.expect(trial.seen(key).attributes.get(subject.second), "an attribute that is back in sight is not told")


@rule("history", "create", "edit")
def history_names_the_writer(trial: Trial) -> None:
    """History is newest first, with times, and tells our writes from other people's."""
    key, text = trial.one(), trial.subject.text
    trial.pass_time()
    trial.write(_update(trial, key, "Text ours"))
    trial.pass_time()
    trial.bench.edit(trial.object, key, {text: "Text theirs"})
    history = (trial.seen(key, [text], history=True).history or {}).get(text, [])

    values = [entry.value for entry in history[:2]]
    trial.expect(values == ["Text theirs", "Text ours"], "history does not show the last two values, newest first")
    trial.expect([entry.ours for entry in history[:2]] == [False, True], "history takes one writer for another")
    trial.expect(not any(entry.ours for entry in history[2:]), "history takes a person's first value for ours")
    times = [entry.at_ms for entry in history]
    trial.expect(times == sorted(times, reverse=True), "the times of history are not newest first")


@rule("history", "create")
def history_splits_into_batches(trial: Trial) -> None:
    """More keys than a batch of histories are read in several requests, and all of them answered."""
    keys = trial.make(min(trial.traits.history_batch + 1, BATCH_MAX))
    answered = [each for each in trial.fetch(keys, [trial.subject.text], history=True) if each.history]

    trial.expect(len(answered) == len(keys), f"of {len(keys)} keys, {len(answered)} were answered with a history")


@rule("create", "edit")
def ours_is_never_said_of_others(trial: Trial) -> None:
    """A record that a person wrote last is not called ours."""
    key = trial.one()
    trial.expect(not trial.seen(key).ours, "a record that a person made is called ours")
    trial.write(_update(trial, key, "Text ours"))
    trial.pass_time()
    trial.bench.edit(trial.object, key, {trial.subject.text: "Text theirs"})

    trial.expect(not trial.seen(key).ours, "a record that a person wrote last is called ours")


# ---------------------------------------------------------------- by value


@rule("create", "an e-mail attribute")
def find_ignores_the_case_of_an_email(trial: Trial) -> None:
    """An e-mail address is found however its letters are cased, and the answer names the value as it was asked."""
    key, email = trial.one(), str(trial.subject.email)
    address = str(trial.seen(key).attributes[email])

    for asked in (address, address.upper(), address.title()):
        trial.expect(trial.found(email, asked) == [(asked, key)], "an e-mail address in other case is not found")


@rule("an e-mail attribute", read_only=True)
def a_blank_value_finds_nothing(trial: Trial) -> None:
    """A blank value matches nothing, not even records that are blank there; nor does a value that nobody has."""
    email = str(trial.subject.email)
    if trial.may_make and email not in trial.subject.base:
        trial.one(**{email: None})
        trial.bench.settle()
    met = list(trial.connector.find(trial.object, trial.asked, email, ["", " ", f"nobody.{trial.tag()}@example.com"]))

    trial.expect(not met, f"blank values found {len(met)} records")


@rule("create")
def find_tells_all_of_several(trial: Trial) -> None:
    """Where several records hold the value, all of them are told."""
    shared = f"Shared {trial.tag()}"
    keys = trial.make(3, **{trial.subject.text: shared})
    met = trial.found(trial.subject.text, shared)

    trial.expect(sorted(met) == sorted((shared, key) for key in keys), f"of 3 records that match, {len(met)} were told")


@rule("create")
def find_survives_odd_characters(trial: Trial) -> None:
    """Quotes, backslashes, plus, percent, brackets and other alphabets are values like any other."""
    tag = trial.tag()
    odd = [f"{tag} O'Brien", f'{tag} "q"', f"{tag} a\\b", f"{tag} a+b%20&c", f"{tag} {{x}} (y)", f"{tag} Łódź 北京"]
    keys = [trial.one(**{trial.subject.text: value}) for value in odd]
    met = trial.found(trial.subject.text, *odd)

    trial.expect(
        sorted(met) == sorted(zip(odd, keys, strict=True)), "a value with odd characters is not looked up as it is"
    )


@rule("create", "an e-mail attribute")
def find_splits_into_batches(trial: Trial) -> None:
    """More values than a batch are looked up in several requests, and each answer is bound to its value."""
    count, email = min(trial.traits.find_batch + 1, BATCH_MAX), str(trial.subject.email)
    keys = trial.make(count)
    addresses = {record.key: str(record.attributes[email]) for record in trial.fetch(keys)}
    met = trial.found(email, *addresses.values())

    trial.expect(len(met) == count, f"of {count} values looked up, {len(met)} were answered")
    trial.expect(all(addresses[key] == value for value, key in met), "an answer is bound to another value")


def _update(trial: Trial, key: str, value: str) -> Effect:
    return Effect("ours", "update", key, {trial.subject.text: value})


RULES: tuple[Rule, ...] = (
    a_full_read_tells_every_record,
    a_read_may_be_broken_off_after_any_page,
    a_cursor_is_plain_text,
    a_strange_cursor_is_lost,
    an_unknown_attribute_is_absent,
    only_what_was_asked_is_told,
    blank_is_none_where_it_is_found,
    blank_is_none,
    fetch_answers_each_key_once,
    fetch_tells_the_record_of_the_key,
    fetch_splits_into_batches,
    fetch_agrees_with_the_feed,
    a_missing_key_is_silent,
    a_purged_record_is_not_live,
    a_hidden_record_is_silent,
    a_hidden_attribute_is_absent,
    history_names_the_writer,
    history_splits_into_batches,
    ours_is_never_said_of_others,
    find_ignores_the_case_of_an_email,
    a_blank_value_finds_nothing,
    find_tells_all_of_several,
    find_survives_odd_characters,
    find_splits_into_batches,
)
