"""The weekly digest: when it is due, made once a week, written to a folder and given to receivers.

Promise: once for each week, over restarts: the week's row in the ledger is made in the transaction that says so. Files
are whole or not there, and a week's files are written again with the same names. A moment that was missed is made up for, but none
from before anything was agreed.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from syncd.errors import ConfigError
from syncd.files import Files
from syncd.ledger import Ledger
from syncd.ledger.alerts import DIGEST
from syncd.receivers import DAYS, Digest


def due_week(digest: Digest, now: float) -> tuple[float, str, str]:
    """(the newest moment at which one was due, the week that it is about, a day of it). Weeks are those of ISO 8601."""
    zone = ZoneInfo(digest.zone)
    here = datetime.fromtimestamp(now, UTC).astimezone(zone)
    hour, minute = int(digest.time[:2]), int(digest.time[3:])
    day = here.date() - timedelta(days=(here.weekday() - DAYS.index(digest.day)) % 7)
    moment = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
    if moment > here:
        day -= timedelta(days=7)
        moment = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
    about = day - timedelta(days=7)
    year, week, _ = about.isocalendar()
    return moment.timestamp(), f"{year}-W{week:02d}", about.isoformat()


def make(ledger: Ledger, files: Files, now: float, day: str | None) -> dict[str, Any]:
    """The digest of the week that this day is in (None: the last whole one)."""
    from syncd.funnel import reports

    return reports.weekly(ledger, files, now, **({"since": day} if day else {}))


def folder_of(files: Files, folder: str) -> Path:
    """Where digests are written."""
    return files.settings.file.parent / Path(folder).expanduser()


def write(folder: Path, week: str, digest: dict[str, Any]) -> list[Path]:
    """Writes it as text and as HTML; returns the files. Raises ConfigError where that is not possible."""
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for form, ending in (("text", "txt"), ("html", "html")):
            path = folder / f"syncd-{week}.{ending}"
            part = path.with_name(f".{path.name}.part")
            part.write_text(digest[form], encoding="utf-8")
            os.replace(part, path)
            written.append(path)
    except OSError as error:
        raise ConfigError(
            f"the digest cannot be written to {folder}: {error.strerror}", remedy="check who may write there"
        ) from None
    return written


def make_if_due(ledger: Ledger, files: Files, now: float) -> str | None:
    """Makes this week's digest unless it was made; returns the week then. A folder that was named or changed since has
    it written too. Raises ConfigError for a folder that cannot be written: the next look tries again, and receivers do
    not wait for it."""
    digest = files.settings.alerts.digest
    if digest is None:
        return None
    due_at, week, day = due_week(digest, now)
    said = ledger.alerts.digest(week)
    made = said is None
    if said is None:
        agreed_at = ledger.books.agreed_since()
        if agreed_at is None or agreed_at > due_at:
            return None  # there was nothing to tell of yet
        said = {"day": day, "text": f"The digest of week {week}."}
        with ledger.transaction():
            ledger.alerts.alarm([(0, week, DIGEST, now, said)])
    if digest.folder is not None and said.get("folder") != digest.folder:
        write(folder_of(files, digest.folder), week, make(ledger, files, now, day))
        ledger.alerts.keep_digest(week, {**said, "folder": digest.folder})
    return week if made else None
