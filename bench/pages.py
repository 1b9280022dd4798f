"""What the dashboard's pages and the reports cost over the ledger of a large company: milliseconds of server time.

Each page is asked of the application itself, several times, as its server would ask it: the ledger opened, the page
rendered. The median of its CPU time counts, which other work on the machine does not move; by the clock, and the first
time, stand beside it. Then a thousand records move, and what following them costs is told.
"""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from bench import following
from bench.engine import CONFIG, SECRETS
from bench.figure import Figure
from bench.lives import owner_email
from bench.synthetic import CAMPAIGNS, Size, build
from syncd.access import Dashboard
from syncd.assembly import Clock
from syncd.files import Files, read_files
from syncd.web.app import application
from syncd.web.site import Site

ROOT = Path(__file__).parent.parent
NOW = 1_795_219_200 - 8 * 3600.0
"""A Friday afternoon in November 2026."""
MOST_MS = 200
TIMES = 5
EVER = {"since": "2000-01-01", "until": "2027-01-01"}
YEAR = {"since": "2026-01-01", "until": "2027-01-01"}


def files_of(folder: Path) -> Files:
    """The shipped mappings with a segment, and a configuration over nobody's systems."""
    mappings = folder / "mappings"
    mappings.mkdir(parents=True, exist_ok=True)
    for one in (ROOT / "mappings").glob("*.toml"):
        text = one.read_text()
        if one.stem == "funnel":
            text += "\n[segments]\nenterprise = 'job_title == \"CEO\"'\n"
        (mappings / one.name).write_text(text)
    nobody = "http://127.0.0.1:9"
    config = CONFIG.format(marketing=nobody, crm=nobody, mappings=mappings, overlap="0ms", lag="0ms")
    (folder / "syncd.toml").write_text(config)
    return read_files(folder / "syncd.toml", SECRETS)


def measure(people: int, folder: Path) -> list[Figure]:
    """Every page over a ledger of so many people, and what following costs there and in one of a hundredth's size."""
    figures = following.measure(*built(folder / "small", max(people // 100, 10_000)), NOW)
    begun = time.perf_counter()
    files, people = built(folder / "large", people)
    took_s = time.perf_counter() - begun
    size = files.settings.daemon.ledger.stat().st_size / 2**30
    figures.append(Figure("pages", "the ledger", size, "GiB", note=f"written in {took_s:,.0f} s"))
    return [*figures, *over(files), *following.measure(files, people, NOW)]


def built(folder: Path, people: int) -> tuple[Files, int]:
    """A ledger with so many people, a tenth of deals and ten times the touches; what is there already is left."""
    files = files_of(folder)
    if not files.settings.daemon.ledger.exists():
        build(files.settings.daemon.ledger, files.mappings, Size(people, people // 10), NOW)
    return files, people


def over(files: Files) -> list[Figure]:
    """The pages and the exports of this ledger."""
    site = Site(files, SECRETS, Dashboard(), Clock(now=lambda: NOW))
    visitor = Visitor(application(site))
    with site.ledger() as ledger:
        behind = list(_behind(ledger, files))
    exports = [
        ("handoffs", "gap", "/handoffs?" + urlencode(EVER)),
        ("follow-up", "open", "/follow-up?" + urlencode(EVER)),
        ("issues", "issues", "/issues"),
        ("conflicts", "conflicts", "/conflicts"),
        ("behind all who came", "records", next(at for name, at in behind if name == "behind reached 0")),
    ]
    timed = [visitor.timed(name, path) for name, path in [*_pages(), *behind]]
    return [*timed, *(visitor.exported(name, f"{at}{'&' if '?' in at else '?'}csv={of}") for name, of, at in exports)]


class Visitor:
    """Asks the application for pages, without a network."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._loop = asyncio.new_event_loop()

    def timed(self, name: str, address: str) -> Figure:
        """Milliseconds of server time for that page."""
        cpu, wall, size = [], [], 0
        for _ in range(TIMES + 1):
            begun, spent = time.perf_counter(), time.process_time()
            size = sum(self.get(address))
            cpu.append((time.process_time() - spent) * 1000)
            wall.append((time.perf_counter() - begun) * 1000)
        note = f"by the clock {median(wall):,.0f}, first {wall[0]:,.0f}; {size / 1024:,.0f} KiB"
        return Figure("pages", name, median(cpu), "ms", most=MOST_MS, note=note)

    def exported(self, name: str, address: str) -> Figure:
        """Seconds for a whole table as CSV, and by how much the process grew."""
        before, begun = _peak_mib(), time.process_time()
        parts = self.get(address)
        took_s = time.process_time() - begun
        note = f"{sum(parts) / 2**20:,.1f} MiB in {len(parts):,} parts; {_peak_mib() - before:,.0f} MiB more memory"
        return Figure("pages", f"CSV: {name}", took_s, "s", note=note)

    def get(self, address: str) -> list[int]:
        """The sizes of the body's parts. AssertionError for anything but 200."""
        split = urlsplit(address)
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": split.path, "raw_path": split.path.encode(), "query_string": split.query.encode(), "root_path": "",
            "headers": [(b"host", b"127.0.0.1:8642")], "client": ("127.0.0.1", 50_000), "server": ("127.0.0.1", 8642),
        }  # fmt: skip
        parts: list[int] = []
        status = []

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(3600)
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                status.append(message["status"])
            else:
                parts.append(len(message.get("body", b"")))

        self._loop.run_until_complete(self._app(scope, receive, send))
        assert status == [200], (address, status)
        return parts


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _pages() -> Iterator[tuple[str, str]]:
    """Every page, with each of its filters."""

    def page(name: str, path: str, **given: str) -> tuple[str, str]:
        return f"{name} {' '.join(f'{k}={v}' for k, v in given.items() if k != 'until')}".strip(), (
            f"{path}?{urlencode(given)}" if given else path
        )

    yield page("today", "/")
    one = {"source": "Web", "campaign": CAMPAIGNS[0], "segment": "enterprise", "owner": owner_email(1)}
    for name in ("funnel", "handoffs", "follow-up"):
        yield page(name, f"/{name}")
        yield page(name, f"/{name}", **EVER)
        for by, value in one.items():
            if name != "handoffs":
                yield page(name, f"/{name}", by=by, **YEAR)
                yield page(name, f"/{name}", by=by, **EVER)
            yield page(name, f"/{name}", **{by: value}, **EVER)
    for name in ("revenue", "campaigns"):
        yield page(name, f"/{name}")
        for model in ("first", "last", "linear", "position"):
            yield page(name, f"/{name}", model=model, **YEAR)
            yield page(name, f"/{name}", model=model, **EVER)
    yield page("goals", "/goals")
    yield page("records", "/records")
    yield page("records", "/records", q="person77@firm77.example")
    yield page("records", "/records", q="10000077")
    yield "a person's story", "/records/hubspot/contacts/10000077"
    yield "a deal's story", f"/records/salesforce/Opportunity/{quote('006' + '0' * 14 + '1')}"
    yield page("issues", "/issues")
    yield page("issues", "/issues", kind="refused")
    yield page("conflicts", "/conflicts")
    yield page("conflicts", "/conflicts", mapping="deals")
    yield page("plans", "/plans")
    yield page("runs", "/runs")
    yield "one run", "/runs/20"
    yield page("parity", "/parity")
    yield page("definitions", "/definitions")
    yield page("mappings", "/mappings")
    yield "one mapping", "/mappings/people"
    yield "what open pages ask", "/pulse"


def _behind(ledger: Any, files: Files) -> Iterator[tuple[str, str]]:
    """The records behind figures of every kind, of three years: links as the reports make them."""
    from syncd.funnel import reports

    told = reports.today(ledger, files, NOW, **EVER)
    passed = reports.funnel(ledger, files, NOW, by="campaign", **EVER)
    hands = reports.handoffs(ledger, files, NOW, **EVER)
    clocks = reports.follow_up(ledger, files, NOW, **EVER)
    sold = reports.revenue(ledger, files, NOW, **EVER)
    links = {
        **{f"outcome {name}": one for name, one in told["outcomes"].items()},
        **{f"reached {at}": one for at, one in enumerate(passed["total"]["reached"])},
        **{f"reached {at} of a campaign": one for at, one in enumerate(passed["rows"][-1]["reached"])},
        **{f"handed over: {name}": hands[name] for name in ("qualified", "waiting", "rejected", "out_of_scope", "gap")},
        **{f"blocked: {reason}": one for reason, one in hands["blocked"].items()},
        **{f"clock {name}": one for name, one in clocks["states"].items()},
        **{f"clock {name} of an owner": one for name, one in clocks["rows"][-1]["states"].items()},
        "won": sold["won"][0],
        **{f"not attributed: {one['cause']}": one["deals"] for one in sold["unattributed"]},
        **{f"lost: {one['reason']}": one["deals"] for one in sold["lost"][:2]},
    }
    for name, figure in links.items():
        if figure["records"] is not None:
            yield f"behind {name}", "/behind?" + urlencode({"link": figure["records"]})
