"""The ledger: syncd's only memory, and the only package that speaks SQL.

store      the file, its transactions and errors          lease     who may send
facts      what each side said, and how far it was read   links     who is linked to whom, two bases each
intents    effects between decision and sight             journal   what was decided and done, hash-chained
inbox      issues, conflicts, requests                    books     accounts, versions, runs, calls, backfills
events     what watches saw happen, with its time         refers    who points to whom
waits      who refers to a record that has no link yet
epoch      which life of the ledger this is, safe mode    keeping   backup, verify, restore, compact
erasure    a person's data out of all of it, and tombstones
described  what objects look like, as their systems say
marks      what was written on records of their own accord
loop       where people stand, what deals came to, and the sums over both
alerts     what somebody is to be told, and whom it reached
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from syncd.ledger.alerts import Alerts
from syncd.ledger.books import Books
from syncd.ledger.described import Described
from syncd.ledger.epoch import Epoch
from syncd.ledger.erasure import Erasure
from syncd.ledger.events import Events
from syncd.ledger.facts import Facts
from syncd.ledger.inbox import Inbox
from syncd.ledger.intents import Intents
from syncd.ledger.journal import Journal
from syncd.ledger.lease import Lease
from syncd.ledger.links import Links
from syncd.ledger.loop import Loop
from syncd.ledger.marks import Marks
from syncd.ledger.proposals import Proposals
from syncd.ledger.refers import Refers
from syncd.ledger.shares import Shares
from syncd.ledger.store import Store
from syncd.ledger.unseen import Unseen
from syncd.ledger.waits import Waits

__all__ = ["Lease", "Ledger"]


class Ledger:
    """All the tables over one file. Make it with `open`; use `transaction` around what belongs together."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.erasure = Erasure(store)
        self.facts = Facts(store, self.erasure)
        self.links = Links(store)
        self.intents = Intents(store)
        self.journal = Journal(store)
        self.inbox = Inbox(store)
        self.unseen = Unseen(store)
        self.books = Books(store)
        self.events = Events(store)
        self.refers = Refers(store)
        self.proposals = Proposals(store)
        self.waits = Waits(store)
        self.epoch = Epoch(store)
        self.described = Described(store)
        self.loop = Loop(store)
        self.shares = Shares(store)
        self.alerts = Alerts(store)
        self.marks = Marks(store)

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False) -> Ledger:
        """See `Store.open` for what it raises."""
        return cls(Store.open(path, read_only=read_only))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing of it, durable on return."""
        with self.store.transaction():
            yield

    def close(self) -> None:
        self.store.close()
