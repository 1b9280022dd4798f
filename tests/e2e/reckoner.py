"""The closed loop's totals, reckoned a second time from what the two sandboxes themselves hold.

Promise: nothing of syncd's own arithmetic is used, no ledger is read, and people are known by their e-mail address. The
rules of the shipped funnel are written down here again, by hand.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

from syncd.demo.company import Cast

Row = dict[str, Any]

STAGES = ("subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer")
FIT = ("marketingqualifiedlead", "salesqualifiedlead")
SCORE = 50
FIRST_TOUCH_HOURS, WARN = 4, Fraction(3, 4)
HOURS = {0: (8, 17), 1: (8, 17), 2: (8, 17), 3: (8, 17), 4: (8, 16)}
HOLIDAYS = ((12, 25), (1, 1))
WINDOW_MS = 90 * 86_400_000
BACK, WORKED = "Closed - Not Converted", "Working - Contacted"
HOUR_MS = 3_600_000


@dataclass(frozen=True)
class Picture:
    """What both systems hold at one moment."""

    at_ms: int
    contacts: dict[str, Row]
    """Marketing's live contacts, by address."""
    leads: list[Row]
    """With those that were converted; not with deleted ones. So for the others."""
    persons: list[Row]
    deals: list[Row]
    roles: list[Row]
    calls: list[Row]
    moves: list[Row]
    us: str
    """The id of the user as whom syncd writes to sales."""


def picture(cast: Cast) -> Picture:
    """Taken now."""

    def rows(name: str) -> list[Row]:
        return [row for row in cast.salesforce.records(name).values() if not row.get("IsDeleted")]

    us = next(row["Id"] for row in rows("User") if str(row.get("Email")).startswith("integration"))
    return Picture(
        round(time.time() * 1000),
        {plain(row.get("email")): row for row in cast.contacts().values() if row.get("email")},
        rows("Lead"),
        rows("Contact"),
        rows("Opportunity"),
        rows("OpportunityContactRole"),
        [*rows("Task"), *rows("Event")],
        rows("LeadHistory"),
        us,
    )


def plain(text: Any) -> str:
    """An address, to be compared."""
    return str(text or "").strip().lower()


def ms(text: Any) -> int | None:
    """A moment as either vendor writes it, in UTC epoch milliseconds."""
    return round(datetime.fromisoformat(str(text)).timestamp() * 1000) if text else None


# ---------------------------------------------------------------- people


@dataclass(frozen=True)
class One:
    """Somebody, and where they stand."""

    campaign: str
    source: str
    reached: int
    state: str | None
    clock: str | None
    calls: int


class Reckoning:
    """Over pictures in order of time: the first one was taken before syncd did anything, the last one is now."""

    def __init__(self, pictures: Sequence[Picture], now_ms: int) -> None:
        self.pictures, self.last, self.now_ms = pictures, pictures[-1], now_ms
        self.agreed_ms = pictures[0].at_ms
        self.by_contact = {row["Id"]: plain(row.get("Email")) for row in self.last.persons}
        self.everybody = {email: self._one(email) for email in self._addresses()}

    def _addresses(self) -> Iterable[str]:
        return dict.fromkeys(email for one in self.pictures for email in one.contacts)

    def _one(self, email: str) -> One:
        seen = [one.contacts[email] for one in self.pictures if email in one.contacts]
        state, clock, calls = self._followed(email, seen)
        return One(
            campaign(seen[-1]), str(seen[-1].get("lead_source") or ""), max(map(furthest, seen)), state, clock, calls
        )

    def _leads(self, email: str) -> list[Row]:
        """As they were when they were last there: sales may have deleted one since."""
        found = {row["Id"]: row for one in self.pictures for row in one.leads if plain(row.get("Email")) == email}
        return [*found.values()]

    def _followed(self, email: str, seen: Sequence[Row]) -> tuple[str | None, str | None, int]:
        """Their state in the hand-off, their clock, and how often sales called them."""
        leads = self._leads(email)
        ids = {row["Id"] for row in leads}
        moved = {row["Id"]: row for one in self.pictures for row in one.moves if row["LeadId"] in ids}
        moves = sorted(at for row in moved.values() if (at := ms(row["CreatedDate"])) is not None)
        handed = any(row["CreatedById"] == self.last.us for row in leads)
        since = ms(seen[0].get("hs_lifecyclestage_marketingqualifiedlead_date"))
        before = email in self.pictures[0].contacts
        by_hand = before and not handed and since and [at for at in moves if since <= at < self.agreed_ms]
        met = next((at for at, one in enumerate(self.pictures) if qualifies(one.contacts.get(email))), None)
        if not by_hand and not handed and met is None:
            return None, None, 0
        person = next((row for row in self.last.persons if plain(row.get("Email")) == email), None)
        left = {row["Id"] for row in self.last.leads}
        lead = next((row for row in leads if row["Id"] in left and not row.get("IsConverted")), None)
        state = self._state(email, person, lead)
        # Whoever came to qualify while we watched did so about then.
        entered = ms(seen[0].get(f"hs_lifecyclestage_{seen[0].get('lifecyclestage')}_date"))
        at_first = since or entered or ms(seen[0]["lastmodifieddate"]) or 0
        start = at_first if by_hand or not met else max(at_first, self.pictures[met - 1].at_ms)
        who = {*ids, *([person["Id"]] if person else [])}
        made = {row["Id"]: row for one in self.pictures for row in one.calls if row.get("WhoId") in who}
        calls = [at for row in made.values() if (at := called(row)) and at >= start]
        if state == "out_of_scope":
            return state, None, len(calls)
        answered = self._answered(state, person if by_hand or handed else None, lead, moves, start)
        return state, clock(start, min([*calls, *answered], default=None), self.now_ms), len(calls)

    def _state(self, email: str, person: Row | None, lead: Row | None) -> str:
        contact = self.last.contacts.get(email)
        if contact is None:
            return "out_of_scope"
        if person is not None:
            return "delivered"
        if lead is not None:
            return "rejected" if lead["Status"] == BACK else "delivered"
        return "waiting" if qualifies(contact) else "out_of_scope"

    def _answered(
        self, state: str, person: Row | None, lead: Row | None, moves: Sequence[int], start: int
    ) -> list[int]:
        """When sales took them on, or gave them back."""
        later = [at for at in moves if at >= start // 1000 * 1000]
        if state == "rejected":
            return later[-1:] or [self.agreed_ms]
        if person is not None or (lead is not None and lead["Status"] == WORKED):
            return later[-1:] if len(later) > 1 else [self.agreed_ms]
        return []

    # ------------------------------------------------------------ what it comes to

    def totals(self) -> dict[str, Any]:
        """In the shape in which the demo prints its report."""
        people = self.everybody.values()
        states = Counter(one.state for one in people if one.state)
        clocks = Counter(one.clock for one in people if one.clock)
        named = {one.campaign or "none" for one in people}
        return {
            "handoff": {
                "qualified": states.total(),
                **{name: states[name] for name in ("delivered", "waiting", "rejected", "out_of_scope")},
                "blocked": {},
            },
            "funnel": {
                "": reached(people),
                **{name: reached(one for one in people if (one.campaign or "none") == name) for name in named},
            },
            "clocks": {
                name: clocks[name] for name in ("on_track", "due_soon", "breached", "met", "met_late", "paused")
            },
            "campaigns": {name: self._campaign(name) for name in named},
            "revenue": {model: self._revenue(model) for model in ("first", "last", "linear", "position")},
        }

    def _campaign(self, name: str) -> dict[str, int]:
        people = [one for one in self.everybody.values() if (one.campaign or "none") == name]
        qualified = [one for one in people if one.state]
        back = [one for one in qualified if one.state == "rejected"]
        return {
            "people": sum(one.reached >= 0 for one in people),
            "qualified": len(qualified),
            "rejected": len(back),
            "calls": sum(one.calls for one in qualified),
            "wasted_calls": sum(one.calls for one in back),
        }

    # ------------------------------------------------------------ revenue

    def _revenue(self, model: str) -> dict[str, Any]:
        won: Counter[str] = Counter()
        credit: Counter[str] = Counter()
        causes: Counter[str] = Counter()
        lost: Counter[str] = Counter()
        for deal in self.last.deals:
            if deal["StageName"] == "Closed Lost":
                lost[deal.get("Loss_Reason__c") or "none"] += 1
            if deal["StageName"] != "Closed Won":
                continue
            currency, cents = deal["CurrencyIsoCode"], round(Fraction(str(deal["Amount"])) * 100)
            won[currency] += cents
            found, cause = self._touches(deal)
            if cause:
                causes[f"{cause} / {currency}"] += cents
            for (source, name), part in zip(found, spread(cents, len(found), model), strict=True):
                if part:
                    credit[f"{source or 'none'} / {name or 'none'} / {currency}"] += part
        return {"won": dict(won), "credit": dict(credit), "unattributed": dict(causes), "lost": dict(lost)}

    def _touches(self, deal: Row) -> tuple[list[tuple[str, str]], str]:
        """(source, campaign) of each touch that counts, in order of time; or why there is none."""
        on_it = {row["ContactId"] for row in self.last.roles if row["OpportunityId"] == deal["Id"]}
        people = {self.by_contact[key] for key in on_it if key in self.by_contact}
        if not on_it:
            return [], "no_contact"
        end_ms = day_end_ms(date.fromisoformat(deal["CloseDate"]))
        touches = sorted(touch for email in people for touch in self._of(email) if touch[0] <= end_ms)
        counted = [touch for touch in touches if touch[0] >= end_ms - WINDOW_MS]
        cause = "" if counted else "outside_window" if touches else "no_touch"
        return [(source, name) for _, source, name in counted], cause

    def _of(self, email: str) -> set[tuple[int, str, str]]:
        """Every form and click of somebody's that any picture shows: (when, source, campaign)."""
        if email not in self.everybody:
            return set()
        one = self.everybody[email]
        found = set()
        for each in (picture.contacts.get(email) or {} for picture in self.pictures):
            first, newest = ms(each.get("first_conversion_date")), ms(each.get("recent_conversion_date"))
            if first:
                found.add((first, one.source, each["first_conversion_event_name"]))
            if newest and first and newest > first:
                found.add((newest, one.source, each["recent_conversion_event_name"]))
            if clicked := ms(each.get("hs_email_last_click_date")):
                found.add((clicked, one.source, one.campaign))
        return found


def qualifies(contact: Row | None) -> bool:
    """Fit, interest, consent."""
    return (
        contact is not None
        and contact.get("lifecyclestage") in FIT
        and float(contact.get("hubspotscore") or 0) >= SCORE
        and "true" not in (contact.get("hs_email_optout"), contact.get("crm_email_optout"))
    )


def furthest(contact: Row) -> int:
    """The furthest stage that a contact was ever in."""
    stages = [at for at, name in enumerate(STAGES) if contact.get(f"hs_lifecyclestage_{name}_date")]
    now = contact.get("lifecyclestage")
    return max([*stages, *([STAGES.index(now)] if now in STAGES else [])], default=-1)


def campaign(contact: Row) -> str:
    """The newest thing that they asked for."""
    return str(contact.get("recent_conversion_event_name") or "")


def reached(people: Iterable[One]) -> dict[str, int]:
    """How many got to each stage, or beyond."""
    counts = Counter(one.reached for one in people)
    return {name: sum(n for far, n in counts.items() if far >= at) for at, name in enumerate(STAGES)}


def called(row: Row) -> int | None:
    """When a task was made, or a meeting began."""
    return ms(row.get("StartDateTime") or row.get("CreatedDate"))


def spread(cents: int, n: int, model: str) -> list[int]:
    """An amount over n touches; the cents that rounding leaves go where most was cut off, the earlier one first."""
    if n == 0:
        return []
    if model == "first" or n == 1:
        parts = [Fraction(1), *[Fraction(0)] * (n - 1)]
    elif model == "last":
        parts = [*[Fraction(0)] * (n - 1), Fraction(1)]
    elif model == "linear":
        parts = [Fraction(1, n)] * n
    else:
        parts = (
            [Fraction(1, 2)] * 2 if n == 2 else [Fraction(2, 5), *[Fraction(1, 5 * (n - 2))] * (n - 2), Fraction(2, 5)]
        )
    given = [cents * part // 1 for part in parts]
    for _ in range(cents - sum(given)):
        short = [cents * part - had for part, had in zip(parts, given, strict=True)]
        given[short.index(max(short))] += 1
    return [int(one) for one in given]


# ---------------------------------------------------------------- clocks


def clock(start_ms: int, touched_ms: int | None, now_ms: int) -> str:
    """How sales kept the agreed time."""
    soon_ms, due_ms = (after_hours(start_ms, FIRST_TOUCH_HOURS * part) for part in (WARN, Fraction(1)))
    if touched_ms is not None:
        return "met" if touched_ms <= due_ms else "met_late"
    return "breached" if now_ms > due_ms else "due_soon" if now_ms >= soon_ms else "on_track"


def after_hours(start_ms: int, hours: Fraction) -> int:
    """The moment at which so many hours of the office have passed."""
    left = round(hours * HOUR_MS)
    for opens, closes in offices(start_ms):
        begins = max(opens, start_ms)
        if closes > begins:
            if closes - begins >= left:
                return begins + left
            left -= closes - begins
    raise AssertionError("never")


def offices(start_ms: int) -> Iterator[tuple[int, int]]:
    """From that day on: when the office opens and closes."""
    day = datetime.fromtimestamp(start_ms / 1000, UTC).date()
    for _ in range(1000):
        if day.weekday() in HOURS and (day.month, day.day) not in HOLIDAYS:
            midnight_ms = day_end_ms(day - timedelta(days=1)) + 1
            opens, closes = HOURS[day.weekday()]
            yield midnight_ms + opens * HOUR_MS, midnight_ms + closes * HOUR_MS
        day += timedelta(days=1)


def day_end_ms(day: date) -> int:
    """The last millisecond of a day, UTC."""
    following = day + timedelta(days=1)
    return round(datetime(following.year, following.month, following.day, tzinfo=UTC).timestamp() * 1000) - 1
