"""What a rule holds in its hands: the connector, a bench, a subject, and short words for what rules do all the time.

Its one promise: whatever a rule makes is remembered and removed, and whatever breaks is told as one `Broken` sentence
that shows no value of a person. It names no rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from syncd.connector import Attribute, Connector, Effect, Held, Key, Neutral, ObjectTraits, Outcome, Page, Record
from syncd.contract.bench import Bench, Subject
from syncd.errors import Doubt

PAGES_MAX = 2_000
"""A feed that is not done after this many pages is taken for one that never will be."""
GLANCE_PAGES = 3
"""How far a rule reads into an account that is not ours to fill."""


class Broken(Exception):
    """The connector does not keep the rule; the text says how."""


class Lacking(Exception):
    """There is nothing to judge by; the text says what is missing."""


def nothing_held(keys: Sequence[Key]) -> Mapping[Key, int]:
    """A ledger that knows no record."""
    return {}


@dataclass(frozen=True, slots=True)
class Read:
    """Some pages of a feed, in order."""

    pages: list[Page]

    @property
    def records(self) -> list[Record]:
        """Every record told, repeats included."""
        return [record for page in self.pages for record in page.records]

    @property
    def latest(self) -> dict[Key, Record]:
        """The last word on each record."""
        return {record.key: record for record in self.records}

    @property
    def live(self) -> set[Key]:
        """The records last told to be live."""
        return {key for key, record in self.latest.items() if record.state == "live"}

    @property
    def cursor(self) -> str:
        """Where to go on."""
        return self.pages[-1].cursor


@dataclass(slots=True)
class Trial:
    """One rule's run on one object."""

    connector: Connector
    bench: Bench
    subject: Subject
    tag: Callable[[], str]
    """A word never given before, in this account too: letters and digits."""
    may_make: bool = True
    """Whether records may be made: the bench can, and the account is there to be written to."""
    made: list[tuple[str, Key]] = field(default_factory=list)

    # ------------------------------------------------------------ short words

    @property
    def object(self) -> str:
        """The object's name."""
        return self.subject.object

    @property
    def traits(self) -> ObjectTraits:
        """What the object claims."""
        return self.connector.traits.objects[self.object]

    @property
    def asked(self) -> list[str]:
        """The attributes that rules read: the texts, and where there are such, the e-mail and our key."""
        names = (self.subject.text, self.subject.second, self.subject.email, self.traits.key)
        return list(dict.fromkeys(name for name in names if name))

    def attribute(self, name: str) -> Attribute:
        """How the system describes an attribute."""
        attributes = self.connector.describe(self.object).attributes
        self.expect(name in attributes, f"describe() does not know {name}")
        return attributes[name]

    @staticmethod
    def expect(kept: Any, otherwise: str) -> None:
        """Raises `Broken` unless kept."""
        if not kept:
            raise Broken(otherwise)

    # ------------------------------------------------------------ making

    def row(self, **values: Neutral) -> dict[str, Neutral]:
        """Values of a record that nobody else has."""
        tag = self.tag()
        row: dict[str, Neutral] = {**self.subject.base, self.subject.text: f"Text {tag}", self.subject.second: "Second"}
        if self.subject.email:
            row[self.subject.email] = f"syncd.{tag}@example.com".lower()
        return row | values

    def make(self, count: int = 1, /, **values: Neutral) -> list[Key]:
        """Records made by a person."""
        keys = self.bench.create(self.object, [self.row(**values) for _ in range(count)])
        self.made.extend((self.object, key) for key in keys)
        return keys

    def one(self, **values: Neutral) -> Key:
        """A record made by a person."""
        return self.make(**values)[0]

    def clean(self) -> None:
        """Removes what was made, and ends what was steered."""
        self.bench.calm()
        made = dict.fromkeys(self.made)
        for object in dict.fromkeys(object for object, _ in made):
            self.bench.clean(object, [key for each, key in made if each == object])
        self.made.clear()

    def pass_time(self) -> None:
        """Lets more than one grain of the stamps go by, where the bench can; elsewhere time passes by itself."""
        if self.bench.can("advance"):
            self.bench.advance(self.traits.grain_ms / 1000 * 3)

    # ------------------------------------------------------------ reading

    def pages(
        self, cursor: str | None = None, *, held: Held = nothing_held, asked: Sequence[str] | None = None
    ) -> Iterator[Page]:
        """The feed's pages; stops a feed that gets nowhere."""
        place, stuck = cursor, 0
        for count, page in enumerate(self.connector.changes(self.object, asked or self.asked, cursor, held)):
            self.expect(isinstance(page.cursor, str), "a page's cursor is not text")
            self.expect(count < PAGES_MAX, f"the feed is not done after {PAGES_MAX} pages")
            stuck = stuck + 1 if page.cursor == place and not page.records else 0
            self.expect(stuck < 5, "the feed yields empty pages and its cursor stays where it is")
            place = page.cursor
            yield page
            if page.done:
                return
        raise Broken("the feed ended without a page that says done")

    def read(self, cursor: str | None = None, **options: Any) -> Read:
        """The feed from a cursor to its end for now."""
        return Read(list(self.pages(cursor, **options)))

    def glance(self) -> Read:
        """The first few pages of everything, with a live record among them; `Lacking` if there is none."""
        if self.may_make:
            self.make(3)
            self.bench.settle()
        seen: list[Page] = []
        for page in self.pages():
            seen.append(page)
            if len(seen) >= GLANCE_PAGES and Read(seen).live:
                break
        if not Read(seen).live:
            raise Lacking("there is no live record to look at")
        return Read(seen)

    def start(self) -> str:
        """A cursor at the end of the feed, everything before it read and visible."""
        self.bench.settle()
        return self.read().cursor

    def next(self, cursor: str, **options: Any) -> Read:
        """What the feed tells after the system had time to see everything."""
        self.bench.settle()
        return self.read(cursor, **options)

    def fetch(
        self, keys: Sequence[Key], asked: Sequence[str] | None = None, *, history: bool = False, object: str = ""
    ) -> list[Record]:
        """Records by key."""
        names = self.asked if asked is None else asked
        return list(self.connector.fetch(object or self.object, names, keys, history=history))

    def seen(self, key: Key, asked: Sequence[str] | None = None, *, history: bool = False) -> Record:
        """The one record of that key; it must be answered."""
        answered = [record for record in self.fetch([key], asked, history=history) if record.key == key]
        self.expect(len(answered) == 1, f"fetch() of one key that exists answered {len(answered)} records of that key")
        return answered[0]

    def found(self, where: str, *values: str) -> list[tuple[str, Key]]:
        """(value, key) of every live record met by `find`, once the system had time to see everything."""
        self.bench.settle()
        met = self.connector.find(self.object, self.asked, where, list(values))
        return [(found.value, found.record.key) for found in met if found.record.state == "live"]

    # ------------------------------------------------------------ writing

    def write(self, *effects: Effect) -> dict[str, Outcome]:
        """Outcomes by ref. Each effect must have been answered exactly once. What was made is remembered."""
        try:
            outcomes = list(self.connector.write(self.object, effects))
        except Doubt:
            raise Broken("write() raised Doubt: what is in doubt is an outcome, of each effect") from None
        self.made.extend((self.object, each.key) for each in outcomes if each.key and each.kind == "sent")
        refs, answered = sorted(effect.ref for effect in effects), sorted(outcome.ref for outcome in outcomes)
        self.expect(refs == answered, f"write() of {len(refs)} effects answered {len(answered)}, not each exactly once")
        return {outcome.ref: outcome for outcome in outcomes}

    def send(self, effect: Effect) -> Outcome:
        """One effect that must be carried out."""
        outcome = self.write(effect)[effect.ref]
        self.expect(outcome.kind == "sent", f"a plain {effect.op} was {outcome.kind} {outcome.code}".rstrip())
        return outcome

    def same(self, name: str, one: Any, two: Any) -> bool:
        """Whether two values of an attribute mean the same, whatever their spelling on the wire."""
        attribute = self.attribute(name)
        return bool(meaning(attribute, one) == meaning(attribute, two))


def meaning(attribute: Attribute, value: Any) -> Any:
    """A value of that type, comparable; ValueError if it cannot be one."""
    if value is None:
        return None
    try:
        match attribute.type:
            case "number":
                return Decimal(str(value))
            case "bool":
                return {"true": True, "false": False}[str(value).lower()]
            case "choices":
                chosen = value if isinstance(value, list) else str(value).split(";")
                return sorted(each for each in chosen if each)
            case "date":
                return datetime.fromisoformat(str(value)[:10]).date()
            case "datetime":
                return _instant(value)
            case "other":
                return value
    except (KeyError, InvalidOperation, ValueError):
        raise ValueError(f"{attribute.name} is described as {attribute.type} and holds something else") from None
    if not isinstance(value, str):
        raise ValueError(f"{attribute.name} is described as {attribute.type} and holds a {type(value).__name__}")
    return value


def _instant(value: Any) -> datetime:
    if isinstance(value, int) or str(value).isdigit():
        return datetime.fromtimestamp(int(value) / 1000, UTC)
    read = datetime.fromisoformat(str(value))
    return read if read.tzinfo else read.replace(tzinfo=UTC)
