"""Broken connectors: who it is, what it claims, what it may print, and its end."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

from memory_bench import MemoryBench

from connectors.memory import MemoryConnector, Store
from saboteurs.sabotage import SECRET, breaks, change
from syncd.connector import Account, Attribute, Held, Key, Page, Record, Schema, Traits

LONGEST_S = 10.0
"""So long a thread waits for another one to come in between; it never does, where threads run at all."""


@breaks("identify-is-stable")
class NamesAnotherAccountEachTime(MemoryConnector):
    def identify(self) -> Account:
        return replace(super().identify(), id=str(len(self._store.calls)))


@breaks("traits-are-usable")
class ReadsNothingAtATime(MemoryConnector):
    @property
    def traits(self) -> Traits:
        traits = super().traits
        return replace(traits, objects={name: replace(each, find_batch=0) for name, each in traits.objects.items()})


class Describer(MemoryConnector):
    """Describes an attribute otherwise."""

    def describe(self, object: str) -> Schema:
        schema = super().describe(object)
        described = {name: self.tell_attribute(each) for name, each in schema.attributes.items()}
        return Schema(object, {name: each for name, each in described.items() if each is not None})

    def tell_attribute(self, attribute: Attribute) -> Attribute | None:
        return attribute


@breaks("the-key-attribute-is-fit")
class ClaimsAKeyThatIsNotUnique(Describer):
    def tell_attribute(self, attribute: Attribute) -> Attribute | None:
        return replace(attribute, unique=False)


@breaks("describe-knows-what-is-read")
class ForgetsAnAttribute(Describer):
    def tell_attribute(self, attribute: Attribute) -> Attribute | None:
        return None if attribute.name == "City" else attribute


@breaks("describe-knows-what-is-read")
class CallsEveryTextANumber(Describer):
    def tell_attribute(self, attribute: Attribute) -> Attribute | None:
        return replace(attribute, type="number") if attribute.type == "text" else attribute


class Guarded(MemoryBench):
    """A bench that knows the secret which these connectors hold."""

    def secrets(self) -> Sequence[str]:
        return [SECRET]


@breaks("no-secret-is-printed", bench=Guarded)
class PrintsItsToken(MemoryConnector):
    def __repr__(self) -> str:
        return f"PrintsItsToken(token={SECRET!r})"


@breaks("no-secret-is-in-a-cursor", bench=Guarded)
class KeepsItsTokenInTheCursor(MemoryConnector):
    def changes(self, object: str, attributes: Sequence[str], cursor: str | None, held: Held) -> Iterator[Page]:
        for page in super().changes(object, attributes, cursor, held):
            yield change(page, cursor=page.cursor[:-1] + f', "token": "{SECRET}"}}')


@breaks("close-may-come-twice")
class ClosesOnce(MemoryConnector):
    closed = False

    def close(self) -> None:
        if self.closed:
            raise RuntimeError("closed already")
        self.closed = True


@breaks("eight-threads-may-read")
class SharesItsAnswerBetweenThreads(MemoryConnector):
    busy = False

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.crossed = threading.Event()

    def fetch(
        self, object: str, attributes: Sequence[str], keys: Sequence[Key], *, history: bool = False
    ) -> Iterator[Record]:
        if self.busy:
            self.crossed.set()
            return
        self.busy = True
        if threading.current_thread() is not threading.main_thread():
            self.crossed.wait(LONGEST_S)  # however busy the machine is, somebody comes in between
        answered = list(super().fetch(object, attributes, keys, history=history))
        self.busy = False
        yield from answered


class Tokened(MemoryConnector):
    """Needs a token to read, which the store counts."""

    def fetch(
        self, object: str, attributes: Sequence[str], keys: Sequence[Key], *, history: bool = False
    ) -> Iterator[Record]:
        with self._store.locked():
            if self._store.account.name == "expired":
                self.refresh()
        yield from super().fetch(object, attributes, keys, history=history)

    def refresh(self) -> None:
        self._ask("token", None, 1)
        self._store.account = replace(self._store.account, name="fresh")


class TokenBench(MemoryBench):
    """Lets the token of a `Tokened` connector end."""

    def tokens(self) -> int:
        return sum(call.method == "token" for call in self.store.calls)

    def expire_token(self) -> None:
        self.store.account = replace(self.store.account, name="expired")


@breaks("eight-threads-ask-for-one-token", bench=TokenBench, sound=Tokened)
class EachThreadAsksForItsOwn(Tokened):
    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.waiting = itertools.count(1)
        self.several = threading.Event()

    def fetch(
        self, object: str, attributes: Sequence[str], keys: Sequence[Key], *, history: bool = False
    ) -> Iterator[Record]:
        if self._store.account.name == "expired":
            if next(self.waiting) > 1:
                self.several.set()
            self.several.wait(LONGEST_S)  # however busy the machine is, a second one has seen it too
            self.refresh()
        yield from MemoryConnector.fetch(self, object, attributes, keys, history=history)
