"""Rules about the connection itself: who it leads to, what it says of itself, threads, secrets, its end.

Its one promise: none of them needs more than a few calls.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from syncd.connector import Record
from syncd.contract.rule import Rule, rule
from syncd.contract.trial import Trial, meaning

THREADS = 8


@rule(read_only=True)
def identify_is_stable(trial: Trial) -> None:
    """identify() names the same account each time, with an id."""
    first, second = trial.connector.identify(), trial.connector.identify()

    trial.expect(first.id, "identify() gives no id")
    trial.expect(first == second, "identify() answers differently the second time")


@rule(read_only=True)
def traits_are_usable(trial: Trial) -> None:
    """Batches hold at least one record, a grain is at least 1 ms, and forms name objects that are described."""
    traits = trial.traits
    sizes = (traits.read_batch, traits.find_batch, traits.create_batch, traits.update_batch, traits.archive_batch)

    trial.expect(min(sizes) >= 1, "a batch holds less than one record")
    trial.expect(not traits.history or traits.history_batch >= 1, "a batch of histories holds less than one record")
    trial.expect(traits.grain_ms >= 1, "the grain of stamps is less than 1 ms")
    for form in traits.forms:
        trial.expect(trial.connector.describe(form).attributes, f"the later form {form} has no attributes")


@rule("a key attribute", read_only=True)
def the_key_attribute_is_fit(trial: Trial) -> None:
    """The attribute that holds our key is described, unique, and may be written when a record is made."""
    key = trial.attribute(str(trial.traits.key))

    trial.expect(key.unique, f"{key.name} is claimed as key, but not described as unique")
    trial.expect(key.creatable, f"{key.name} is claimed as key, but cannot be written on create")


@rule(read_only=True)
def describe_knows_what_is_read(trial: Trial) -> None:
    """describe() lists every attribute in use under its own name, with types that the values read have."""
    schema = trial.connector.describe(trial.object)
    trial.expect(schema.object == trial.object, "describe() answers for another object")
    trial.expect(all(name == each.name for name, each in schema.attributes.items()), "an attribute has two names")
    asked = [*trial.asked, *trial.subject.samples]
    for name in [*asked, *trial.subject.base]:
        trial.expect(name in schema.attributes, f"describe() does not know {name}")
    for record in trial.glance().records:
        for name, value in record.attributes.items():
            try:
                meaning(schema.attributes[name], value)
            except ValueError as wrong:
                trial.expect(False, str(wrong))
    for each in schema.attributes.values():
        trial.expect(each.options or not each.restricted, f"{each.name} takes only its options, and lists none")


@rule("secrets", read_only=True)
def no_secret_is_printed(trial: Trial) -> None:
    """Neither repr() nor str() of the connector, of its account or of its traits shows a secret."""
    connector = trial.connector
    printed = "\n".join(f"{each!r}\n{each}" for each in (connector, connector.traits, connector.identify()))

    for secret in trial.bench.secrets():
        trial.expect(secret not in printed, "repr() of the connector shows a secret")


@rule("secrets", read_only=True)
def no_secret_is_in_a_cursor(trial: Trial) -> None:
    """A cursor is kept in the clear: no secret stands in it."""
    for page in trial.glance().pages:
        trial.expect(not any(secret in page.cursor for secret in trial.bench.secrets()), "a cursor holds a secret")


@rule("connect", read_only=True)
def close_may_come_twice(trial: Trial) -> None:
    """close() may be called twice, and leaves other connections alone."""
    other = trial.bench.connect()
    other.identify()
    other.close()
    other.close()

    trial.connector.identify()


@rule(read_only=True)
def eight_threads_may_read(trial: Trial) -> None:
    """Eight threads at once read what one thread reads."""
    keys = list(trial.glance().live)[:5]
    alone = _by_key(trial.fetch(keys))

    with ThreadPoolExecutor(THREADS) as threads:
        answers = list(threads.map(lambda _: _by_key(trial.fetch(keys)), range(THREADS)))

    trial.expect(all(answer == alone for answer in answers), "eight threads at once do not read what one thread reads")


@rule("expire_token", "tokens", "create")
def eight_threads_ask_for_one_token(trial: Trial) -> None:
    """When the token ends while eight threads read, one new token is asked for, and nobody notices."""
    keys = trial.make(2)
    trial.fetch(keys)
    before = trial.bench.tokens()
    trial.bench.expire_token()

    with ThreadPoolExecutor(THREADS) as threads:
        answers = list(threads.map(lambda _: len(trial.fetch(keys)), range(THREADS)))

    trial.expect(answers == [2] * THREADS, "a thread did not get its records when the token ended")
    asked = trial.bench.tokens() - before
    trial.expect(asked == 1, f"{asked} tokens were asked for where one would do")


def _by_key(records: list[Record]) -> dict[str, Record]:
    return {record.key: record for record in records}


RULES: tuple[Rule, ...] = (
    identify_is_stable,
    traits_are_usable,
    the_key_attribute_is_fit,
    describe_knows_what_is_read,
    no_secret_is_printed,
    no_secret_is_in_a_cursor,
    close_may_come_twice,
    eight_threads_may_read,
    eight_threads_ask_for_one_token,
)
