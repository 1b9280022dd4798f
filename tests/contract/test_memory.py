"""The store behind the reference connector: people in it, its clock, its faults, its settings."""

from __future__ import annotations

from typing import Any, cast

import pytest
from memory_bench import world

from connectors.memory import EPOCH_MS, SHELF, Kind, MemoryConnector, Refusal, Settings, Store, connect
from connectors.memory.kinds import describe_attribute
from syncd.connector import Context, Effect, Held, ObjectTraits
from syncd.errors import AccessError, ConfigError, CursorLost, QuotaExhausted, Transient

NONE_HELD: Held = lambda keys: {}  # noqa: E731 - a value, not a function to be called by name


def context(system: str = "crm") -> Context:
    """What connect() needs of a context, which is its system's name."""
    return Context(system, cast(Any, None), cast(Any, None), cast(Any, None))


def lead(store: Store, **values: object) -> str:
    """A Lead made by a person."""
    return store.create("Lead", {"LastName": "Lovelace", **values})


# ---------------------------------------------------------------- people


def test_people_obey_the_rules_of_the_system() -> None:
    """Rule: what the system forbids, it forbids a person too, and names the culprit."""
    store = world()
    first = lead(store, Syncd_Key="one")

    for values, culprit in (
        ({}, "LastName"),
        ({"LastName": "x" * 81}, "LastName"),
        ({"LastName": "x", "Rating": "Tepid"}, "Rating"),
        ({"LastName": "x", "Score": "high"}, "Score"),
        ({"LastName": "x", "Nobody": 1}, "Nobody"),
        ({"LastName": "x", "Syncd_Key": "ONE"}, "Syncd_Key"),
    ):
        with pytest.raises(Refusal) as no:
            store.create("Lead", values)
        assert no.value.culprits == (culprit,)
    assert no.value.existing == first


def test_a_unique_value_is_free_once_nobody_live_holds_it() -> None:
    """Rule: deleting frees a unique value; restoring must not make a second holder."""
    store = world()
    first = lead(store, Syncd_Key="one")
    store.delete("Lead", first)
    second = lead(store, Syncd_Key="one")
    with pytest.raises(Refusal, match="NOT_UNIQUE"):
        store.restore("Lead", first)
    store.edit("Lead", second, {"Syncd_Key": "two"})
    store.restore("Lead", first)

    assert (store.holder("Lead", "Syncd_Key", "ONE"), store.holder("Lead", "Syncd_Key", "two")) == (first, second)


def test_values_are_bent_ignored_and_kept_from_going_back() -> None:
    """Rule: a system may answer `done` and hold something else."""
    store = world(ignored=frozenset({"City"}))
    key = lead(store, Email="ADA@Example.com", City="London", Stage="customer")
    store.edit("Lead", key, {"Stage": "lead"})

    assert store.values("Lead", key)["Email"] == "ada@example.com"
    assert store.values("Lead", key)["City"] is None
    assert store.values("Lead", key)["Stage"] == "customer"


def test_a_stamp_never_goes_back() -> None:
    """Rule: stamps are the system's, cut to its grain, and rise even if its clock is set back."""
    store = world(grain_ms=1000)
    key = lead(store)
    before = store.item("Lead", key).stamp_ms
    store.now_ms -= 3_600_000

    assert store.edit("Lead", key, {"City": "Paris"}) == before
    assert before == EPOCH_MS


def test_what_is_recalculated_moves_no_stamp() -> None:
    """Rule: a formula changes with no stamp moving and the feed silent."""
    store = world()
    key = lead(store)
    connector = MemoryConnector(store)
    cursor = list(connector.changes("Lead", ["Score"], None, NONE_HELD))[-1].cursor
    stamp = store.item("Lead", key).stamp_ms
    store.recalculate("Lead", key, "Score", 7)

    assert store.item("Lead", key).stamp_ms == stamp
    assert list(connector.changes("Lead", ["Score"], cursor, NONE_HELD))[-1].records == []
    assert next(connector.fetch("Lead", ["Score"], [key])).attributes == {"Score": 7}


def test_a_merge_fills_the_winners_blanks() -> None:
    """Rule: after a merge one record lives on, with the winner's values first."""
    store = world()
    winner, loser = lead(store, City="London"), lead(store, City="Paris", Company="Babbage")

    assert store.merge("Lead", winner, loser) == winner
    assert (store.values("Lead", winner)["City"], store.values("Lead", winner)["Company"]) == ("London", "Babbage")
    with pytest.raises(Refusal, match="NOT_LIVE"):
        store.edit("Lead", loser, {"City": "Rome"})


def test_a_conversion_may_go_onto_a_record_that_exists() -> None:
    """Rule: converting fills only what is blank on the other form."""
    store = world()
    key, contact = (
        lead(store, City="London", Company="Babbage"),
        store.create("Contact", {"LastName": "L", "City": "Bath"}),
    )

    assert store.convert("Lead", key, onto=contact) == ("Contact", contact)
    assert (store.values("Contact", contact)["City"], store.values("Contact", contact)["Company"]) == (
        "Bath",
        "Babbage",
    )


# ---------------------------------------------------------------- faults


def test_a_late_write_lands_when_its_time_has_come() -> None:
    """Rule: a write that was not answered may be carried out later, over whatever stands there by then."""
    store = world(precondition=False)
    key = lead(store, City="London")
    store.fault("late", op="update", late_ms=5_000)
    (outcome,) = MemoryConnector(store).write("Lead", [Effect("r", "update", key, {"City": "Paris"})])
    store.edit("Lead", key, {"City": "Rome"})
    store.advance(4_000)
    assert (outcome.kind, store.values("Lead", key)["City"], store.writes) == ("doubtful", "Rome", [])

    store.advance(2_000)

    assert store.values("Lead", key)["City"] == "Paris"
    assert [write.ref for write in store.writes] == ["r"]


@pytest.mark.parametrize(
    ("kind", "error"), [("transient", Transient), ("quota", QuotaExhausted), ("access", AccessError)]
)
def test_trouble_strikes_once_and_before_anything_is_done(kind: str, error: type[Exception]) -> None:
    """Rule: a fault strikes as often as it was asked to, and a call that raises did nothing."""
    store = world()
    connector = MemoryConnector(store)
    store.fault(kind, method="write")
    effects = [Effect("r", "create", None, {"LastName": "Lovelace"})]

    with pytest.raises(error):
        connector.write("Lead", effects)
    assert store.writes == []
    assert [outcome.kind for outcome in connector.write("Lead", effects)] == ["sent"]


def test_a_person_may_come_between_our_look_and_our_write() -> None:
    """Rule: what happens in between is what the precondition is for."""
    store = world()
    key = lead(store, City="London")
    stamp = store.item("Lead", key).stamp_ms
    store.fault("meanwhile", run=lambda store, effect: store.edit("Lead", effect.key, {"City": "Rome"}))
    effect = Effect("r", "update", key, {"City": "Paris"}, expect_ms=stamp)

    assert [outcome.kind for outcome in MemoryConnector(store).write("Lead", [effect])] == ["moved"]
    assert store.values("Lead", key)["City"] == "Rome"


def test_a_forgotten_log_loses_the_cursor() -> None:
    """Rule: a cursor that the system no longer knows is lost, never a silent gap."""
    store = world()
    connector = MemoryConnector(store)
    cursor = list(connector.changes("Lead", [], None, NONE_HELD))[-1].cursor
    lead(store)
    store.forget_log()

    with pytest.raises(CursorLost):
        list(connector.changes("Lead", [], cursor, NONE_HELD))


def test_one_refusal_can_be_had_for_one_effect() -> None:
    """Rule: partial refusals are aimed by ref, key or op."""
    store = world()
    store.fault("refused", ref="two", code="LOCKED", culprits=("City",), again=True)
    effects = [Effect(ref, "create", None, {"LastName": ref}) for ref in ("one", "two", "three")]
    outcomes = list(MemoryConnector(store).write("Lead", effects))

    assert [outcome.kind for outcome in outcomes] == ["sent", "refused", "sent"]
    assert (outcomes[1].code, outcomes[1].culprits, outcomes[1].again) == ("LOCKED", ("City",), True)


def test_several_ops_or_too_many_effects_are_the_callers_fault() -> None:
    """Rule: a caller's mistake is told before anything is done."""
    store = world()
    connector = MemoryConnector(store)
    create, archive = Effect("a", "create", None, {"LastName": "x"}), Effect("b", "archive", "1", {})

    with pytest.raises(ValueError, match="one op at a time"):
        connector.write("Lead", [create, archive])
    with pytest.raises(ValueError, match="at most 8 effects"):
        connector.write("Lead", [create] * 9)
    assert store.calls == []


# ---------------------------------------------------------------- settings


def test_an_attribute_is_described_in_a_line() -> None:
    """Rule: the words of a description are checked."""
    attribute, bend = describe_attribute("rating", "choices required restricted trim sorted length=9 (Hot, Cold)")

    assert (attribute.type, attribute.required, attribute.restricted, attribute.length) == ("choices", True, True, 9)
    assert attribute.options == ("Hot", "Cold")
    assert bend is not None
    for wrong in ("", "tekst", "text uniqe", "text (Hot"):
        with pytest.raises(ValueError, match="rating"):
            describe_attribute("rating", wrong)


def test_a_store_of_this_process_is_named_in_settings() -> None:
    """Rule: a connector made from settings and a test share one store."""
    store = SHELF.put("shared", world())
    key = lead(store)

    connector = connect(Settings(store="shared"), context())

    assert [record.key for record in connector.fetch("Lead", [], [key])] == [key]
    with pytest.raises(ConfigError, match=r"systems\.crm: this process has no store named 'other'"):
        connect(Settings(store="other"), context())


def test_a_small_system_is_written_inline() -> None:
    """Rule: docs can show a whole system in one table."""
    settings = Settings.model_validate(
        {
            "account": "acme",
            "objects": {
                "Lead": {
                    "attributes": {"Email": "text unique lower", "Key": "text unique"},
                    "key": "Key",
                    "records": [{"Email": "Ada@example.com"}],
                }
            },
        }
    )
    connector = connect(settings, context())

    assert connector.identify().id == "acme"
    assert [found.value for found in connector.find("Lead", [], "Email", ["ada@example.com"])] == ["ada@example.com"]


def test_a_wrong_inline_system_is_a_config_error() -> None:
    """Rule: a mistake in a file is told as one, with its place."""
    settings = Settings.model_validate({"objects": {"Lead": {"attributes": {"Email": "tekst"}}}})

    with pytest.raises(ConfigError, match=r"systems\.crm\.objects: Email: 'tekst'"):
        connect(settings, context())


def test_a_store_tells_nobody_by_itself() -> None:
    """Rule: no value of a record stands in the connector's repr."""
    store = Store.of(Kind.of("Lead", Email="text"))
    store.create("Lead", {"Email": "ada@example.com"})

    assert repr(MemoryConnector(store)) == "MemoryConnector(memory)"


# ---------------------------------------------------------------- references


def firm() -> Store:
    """Companies, and deals that refer to one of them, and to several people, without telling the feed of the latter."""
    traits = ObjectTraits(feed="log", deletions="feed", unstamped=("people.",))
    people = {"people.all": "references (persons)"}
    return Store.of(
        Kind.of("companies", Name="text"),
        Kind.of("persons", Name="text"),
        Kind.of("deals", traits=traits, Name="text", company="reference (companies)", **people),
    )


def test_a_reference_points_to_a_live_record_and_follows_its_merge() -> None:
    """Rule: a reference to nobody is refused, and one to a merged record leads to the one that lives on."""
    store = firm()
    winner, loser = store.create("companies", {"Name": "A"}), store.create("companies", {"Name": "B"})
    deal = store.create("deals", {"company": loser})
    with pytest.raises(Refusal, match="NO_SUCH_RECORD"):
        store.edit("deals", deal, {"company": "999"})
    store.merge("companies", winner, loser)

    assert store.values("deals", deal)["company"] == winner
    attribute = MemoryConnector(store).describe("deals").attributes["company"]
    assert (attribute.type, attribute.refers, attribute.options) == ("reference", ("companies",), ())


def test_an_unstamped_attribute_changes_in_silence() -> None:
    """Rule: its change moves no stamp and shows in no feed; reading by key tells it, sorted and without repeats."""
    store = firm()
    first, second = store.create("persons", {"Name": "A"}), store.create("persons", {"Name": "B"})
    deal = store.create("deals", {"Name": "One"})
    stamp_ms, told = store.item("deals", deal).stamp_ms, store.newest
    store.edit("deals", deal, {"people.all": [second, first, second]})

    assert (store.item("deals", deal).stamp_ms, store.newest) == (stamp_ms, told)
    (record,) = MemoryConnector(store).fetch("deals", ["people.all"], [deal])
    assert record.attributes == {"people.all": sorted([first, second])}
    store.edit("deals", deal, {"people.all": [], "Name": "Two"})
    assert store.item("deals", deal).stamp_ms > stamp_ms
