"""The vendors' process: HTTP/1.1 with keep-alive on a free port of this machine, which it prints.

    python -m bench.vendor --records 100000

Beside what the connectors ask, `/_calls` tells and forgets how often each kind of call came, and `/_move` edits records.
"""

from __future__ import annotations

import argparse
import asyncio
import re
from collections import Counter
from urllib.parse import parse_qs, urlsplit

import orjson

from bench.vendor.crm import Crm
from bench.vendor.marketing import Marketing

_LENGTH = re.compile(rb"(?i)content-length: *(\d+)")
_IDS = re.compile(r"/[0-9A-Za-z]{15,18}(?=/|$)|0r8-.*")


class World:
    """Both vendors, and what was asked of them."""

    def __init__(self, records: int, *, keep_pages: bool) -> None:
        self.marketing = Marketing(records, keep_pages=keep_pages)
        self.crm = Crm(records, keep_pages=keep_pages)
        self.calls: Counter[str] = Counter()
        self.moves = 0

    def answer(self, method: str, target: str, body: bytes, host: str) -> tuple[int, bytes]:
        url = urlsplit(target)
        path, query = url.path.rstrip("/"), parse_qs(url.query)
        if path == "/_calls":
            counted, self.calls = self.calls, Counter()
            return 200, orjson.dumps(counted)
        if path == "/_move":
            return 200, self._move(**orjson.loads(body))
        self.calls[f"{method} {_IDS.sub('{}', path)}"] += 1
        if path.startswith("/services/"):
            return self.crm.answer(method, path, query, body, host)
        return self.marketing.answer(method, path, query, body)

    def _move(self, side: str, every: int, first: int) -> bytes:
        """People edit the job title of every so-maniest record of one side."""
        self.moves += 1
        shelf, field = (self.marketing.shelf, "jobtitle") if side == "marketing" else (self.crm.shelf, "Title")
        now_ms = shelf.tick()
        numbers = range(first, shelf.records, every)
        for i in numbers:
            shelf.edit(i, {field: f"Head of {self.moves}", "LastModifiedById": "0055g00000REP01AAA"}, now_ms)
        return orjson.dumps(len(numbers))


class Wire(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._host = f"http://127.0.0.1:{transport.get_extra_info('sockname')[1]}"

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._buffer[:end])
            length = _LENGTH.search(head)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._buffer) < whole:
                return
            body = bytes(self._buffer[end + 4 : whole])
            del self._buffer[:whole]
            method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
            status, answer = self._world.answer(method, target, body, self._host)
            start = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n\r\n"
            self._transport.write(start.encode() + answer)


async def serve(world: World) -> None:
    """Serves until the process is ended."""
    server = await asyncio.get_running_loop().create_server(lambda: Wire(world), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000, help="on each side")
    parser.add_argument("--on-the-fly", action="store_true", help="render each page when it is asked for, keep none")
    chosen = parser.parse_args()
    asyncio.run(serve(World(chosen.records, keep_pages=not chosen.on_the_fly)))


if __name__ == "__main__":
    main()
