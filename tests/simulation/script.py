"""The author: writes a story from a seed, out of what can go wrong and what people do.

Promise: the same seed gives the same story. It plays nothing.
"""

from __future__ import annotations

import random
from typing import Any

from items import EVERYBODY, Act, Admin, Cycle, Die, During, Habit, Keep, Script, Story, Trouble, Wait
from rules import BY_NAME, COUNTRIES, REASONS, SOURCES, STAGES

HOT = 4
"""So many people get seven tenths of all that happens."""
PEOPLE = 7


# ---------------------------------------------------------------- what can go wrong

_ANSWER = {"body": {"message": "oops"}}
TROUBLES: dict[str, dict[str, Any]] = {
    "500": {"kind": "status", "status": 500, **_ANSWER},
    "502 html": {"kind": "status", "status": 502, "html": "<html>Bad gateway</html>"},
    "503 after the deed": {"kind": "status", "status": 503, "body": {}, "applied": True},
    "reset before": {"kind": "reset_before"},
    "reset after": {"kind": "reset_after"},
    "lands late": {"kind": "late", "late_ms": 25_000},
    "lands very late": {"kind": "late", "late_ms": 55_000},
    "truncated": {"kind": "truncate"},
    "garbage": {"kind": "garbage"},
    "garbage after the deed": {"kind": "garbage", "applied": True},
    "redirect": {"kind": "redirect", "location": "http://127.0.0.1:9/elsewhere"},
    "429": {"kind": "status", "status": 429, "body": {}, "headers": {"Retry-After": "1"}},
    "429 with nonsense": {"kind": "status", "status": 429, "body": {}, "headers": {"Retry-After": "-7"}},
    "slow": {"kind": "slow", "delay_ms": 1},
    "empty answer": {"kind": "status", "status": 200, "body": {}},
    "no connection": {"kind": "unsent"},
}
OWN: dict[str, dict[str, dict[str, Any]]] = {
    "hubspot": {
        "expired token": {"kind": "expire_token"},
        "rate limit": {"kind": "rate_limit"},
        "locked": {"kind": "locked"},
        "partial batch": {"kind": "partial_batch"},
        "short answer": {"kind": "short_answer"},
    },
    "salesforce": {
        "expired token": {"kind": "expire_token"},
        "concurrent limit": {"kind": "concurrent_limit"},
        "maintenance": {"kind": "maintenance"},
        "unknown after the deed": {"kind": "unknown_exception"},
        "lock row": {"kind": "lock_row", "every": 1},
        "missing results": {"kind": "missing_results"},
    },
}
PATHS = {
    "hubspot": (None, "/search$", "/batch/read$", "/batch/create$", "/batch/update$", "/batch/(create|update)$"),
    "salesforce": (None, "/queryAll", "/query", "/composite/sobjects$", "/composite(/sobjects)?$", "/composite$"),
}
CALLED_AT = {
    "name": "called_at",
    "label": "Called at",
    "type": "datetime",
    "fieldType": "date",
    "groupName": "contactinformation",
}
AUTOMATIC = ("Autoville", "Robot")
"""What automations of the CRM put in."""
HABITS: dict[str, dict[str, tuple[Any, ...]]] = {
    "hubspot": {
        "search_lag_ms": (0, 3000, 8000, 20_000),
        "recalculation_ms": (0, 2000),
        "trim_strings": (True, False),
        "noop_bumps": (True, False),
        "merge_id": ("new", "primary"),
        "merged_batch_read": ("missing", "resolve", "drop"),
        "multi_status": ("by_version", "207"),
        "trace_on_update": ("old_versions", "always", "never"),
        "bend": ({}, {"contacts": {"phone": "digits"}}),
        "patch_answer": ("partial", "full"),
    },
    "salesforce": {
        "commit_lag_s": (0.0, 4.0),
        "touch_after_s": (0.0, 5.0),
        "precondition_field": ("SystemModstamp", "LastModifiedDate"),
        "composite_preconditions": (True, True, True, False),
        "undelete_moves_stamp": (False, True),
        "body_of_412": (False, True),
        "errors_list_fields": (False, True),
        "page_rows": (2000, 2000, 3),
        "bends": ([], [{"object": "Lead", "field": "Title", "how": "upper"}]),
        "bin_holds_unique": (False, True),
        "automations": (
            [],
            [{"object": "Lead", "on": "update", "when": "Title != null", "set": {"City": AUTOMATIC[0]}}],
            [{"object": "Lead", "on": "both", "set": {"Title": AUTOMATIC[1]}}],
        ),
    },
}
ADMINS = (
    Admin(
        "salesforce",
        "a field was out of our sight",
        ({"do": "field", "object": "Lead", "field": "Title", "set": {"hidden": True}},),
        ({"do": "field", "object": "Lead", "field": "Title", "set": {"hidden": False}},),
    ),
    Admin(
        "salesforce",
        "a field was renamed",
        ({"do": "rename_field", "object": "Lead", "field": "Follow_Up_On__c", "to": "Follow_Up_Old__c"},),
        ({"do": "rename_field", "object": "Lead", "field": "Follow_Up_Old__c", "to": "Follow_Up_On__c"},),
    ),
    Admin(
        "hubspot",
        "a property was archived",
        ({"do": "property", "object": "contacts", "change": "archive", "name": CALLED_AT["name"]},),
        ({"do": "property", "object": "contacts", "change": "define", "definition": CALLED_AT},),
    ),
    Admin(
        "salesforce",
        "a validation rule",
        ({"do": "add_rule", "object": "Lead", "error_when": "City LIKE '%1%'", "message": "No ones.", "field": "City"},),
        ({"do": "drop_rule", "object": "Lead", "message": "No ones."},),
    ),
    Admin(
        "salesforce",
        "a field is required",
        ({"do": "require_field", "object": "Lead", "field": "Title", "required": True},),
        ({"do": "require_field", "object": "Lead", "field": "Title", "required": False},),
    ),
    Admin(
        "hubspot",
        "other programs use up the day's calls",
        ({"do": "usage", "calls": 560_000},),
        (),  # until its day is over
    ),
    Admin(
        "salesforce",
        "other programs use up the day's calls",
        ({"do": "usage", "calls": 85_000},),
        ({"do": "usage", "calls": -85_000},),
    ),
)  # fmt: skip

# ---------------------------------------------------------------- what people write

NASTY = ("Ann", " Zoë ", "Zoe\u0301", "O'Neil", "=1+1", "漢字", "ß", "İx", "a  b", "x" * 25, "-", "0", "null", '"q"')
DATES = ("follow_up_on", "called_at")
TEXTS = ("first_name", "last_name", "company_name", "job_title", "city")
DAYS = ("2026-03-29", "2026-10-25", "2024-02-29", "2027-01-01", "1969-12-31", "2026-11-21")
"""Days on which clocks are turned, leap days, and before the epoch."""
MOMENTS = ("2026-03-29T01:30:00Z", "2026-10-25T00:30:00Z", "2026-12-31T23:59:59Z", "2026-11-01T06:30:00Z")
ZONES = ("UTC", "UTC", "America/Los_Angeles", "Pacific/Kiritimati", "Europe/Berlin")
PHONES = ("+49 30 {:07d}", "+4930{:07d}", "+49 (30) {:07d}", "+49-30-{:07d}")


class Author:
    """Writes a story from its seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = random.Random(seed)
        self.count = 0
        self.deleted: list[tuple[str, int]] = []
        every = [*TROUBLES, *OWN["hubspot"], *OWN["salesforce"]]
        # Swarm: each run knows only half of what can go wrong, or rare combinations never come up.
        self.troubles = {name for name in every if self.random.random() < 0.5}
        self.trouble = self.random.choice((0.0, 0.3, 0.6, 0.9))
        self.death = self.random.choice((0.0, 0.2, 0.5))
        self.busy = self.random.choice((2, 4, 8))

    def story(self, rounds: int) -> Story:
        """The whole of it."""
        tight = self.random.random() < 0.1
        calm = self.random.random() < 0.5
        careful = self.random.random() < 0.1
        small = self.random.random() < 0.3
        zone = self.random.choice(ZONES)
        beginning = self._beginning()
        return Story(self.seed, tight, calm, beginning, [self._round() for _ in range(rounds)], careful, small, zone)

    def _beginning(self) -> Script:
        script: Script = []
        for vendor, habits in HABITS.items():
            for name, values in habits.items():
                if self.random.random() < 0.3:
                    script.append(Habit(vendor, name, self.random.choice(values)))
        for who in range(PEOPLE - 2):
            where = self.random.choice(("marketing", "marketing", "crm", "both"))
            for side in ("marketing", "crm"):
                if where in (side, "both"):
                    script.append(Act(side, who, "create", value=self._person(who)))
        return script

    def _person(self, who: int) -> dict[str, Any]:
        chance = self.random.random
        return {
            "email": f"p{who}@x.test",
            "score": self.random.choice((80, 80, 80, 50, 49, None)),
            "stage": "marketingqualifiedlead" if chance() < 0.8 else "lead",
            "last_name": self._text(),
            **({"phone": self._value("phone")} if chance() < 0.5 else {}),
            **({"country": "Germany"} if chance() < 0.3 else {}),
            "form": "Lead" if chance() < 0.8 else "Contact",
        }

    def _round(self) -> Script:
        script: Script = []
        for _ in range(self.random.randint(2, 4)):
            for _ in range(self.random.randint(0, self.busy)):
                script.append(self._act())
            script.append(Wait(self.random.choice((0.3, 2, 20, 45))))
            for _ in range(self.random.randint(0, self.busy)):
                at = -self.random.randint(1, 3) if self.random.random() < 0.3 else self.random.randint(1, 24)
                script.append(During(at, self._act()))
            if self.random.random() < 0.4:
                # The same field on both sides, the second edit under the very write of the first.
                who, name = self._who(), self.random.choice((*TEXTS, "phone"))
                first, second = self.random.sample(("marketing", "crm"), 2)
                script.append(Act(first, who, "edit", name, self._value(name)))
                script.append(During(-self.random.randint(1, 2), Act(second, who, "edit", name, self._value(name))))
            if self.random.random() < self.trouble:
                script += self._trouble()
            if self.random.random() < self.death:
                at = self.random.choice(("request", "answer", "write", "told", "made", "commit"))
                script.append(Die(at, {"made": 1, "write": 2, "told": 2}.get(at) or self.random.randint(1, 30)))
            if self.random.random() < 0.15:
                script += self._unanswered_create()
            if self.random.random() < 0.2:
                script.append(self.random.choice(ADMINS))
            script.append(Cycle())
            if self.random.random() < 0.12:
                script.append(Keep(self.random.choice(("second", "stop", "elsewhere", "full", "edit"))))
        if self.random.random() < 0.12:
            at = self.random.randint(0, len(script))
            script.insert(at, Keep("backup"))
            script.insert(self.random.randint(at + 1, len(script)), Keep("restore"))
        elif self.random.random() < 0.04:
            script.insert(self.random.randint(0, len(script)), Keep("lose"))
        return script

    def _unanswered_create(self) -> Script:
        """Somebody new, whose partner is made and nobody hears of it."""
        side, who = self.random.choice((("marketing", PEOPLE - 1), ("crm", PEOPLE - 2)))
        vendor, path = ("salesforce", "/composite/sobjects$") if side == "marketing" else ("hubspot", "/batch/create$")
        name = self.random.choice(("reset after", "503 after the deed", "truncated", "lands late"))
        return [
            Act(side, who, "create", value=self._person(who) | {"score": 80, "stage": "marketingqualifiedlead"}),
            Trouble(vendor, name, TROUBLES[name] | {"nth": 1, "times": 1, "path": path}),
        ]

    def _trouble(self) -> Script:
        found: Script = []
        for _ in range(self.random.randint(1, 3)):
            vendor = self.random.choice(("hubspot", "salesforce"))
            names = [name for name in [*TROUBLES, *OWN[vendor]] if name in self.troubles]
            if not names:
                continue
            name = self.random.choice(names)
            rule = dict(TROUBLES.get(name) or OWN[vendor][name])
            rule["nth"] = self.random.choice((1, 1, 1, 2, 3, 5))
            rule["times"] = self.random.choice((1, 1, 2, 6))
            path = self.random.choice(PATHS[vendor])
            if path is not None:
                rule["path"] = path
            found.append(Trouble(vendor, name, rule))
        return found

    def _who(self) -> int:
        return self.random.randrange(HOT) if self.random.random() < 0.7 else self.random.randrange(HOT, PEOPLE)

    def _act(self) -> Act:
        side, who = self.random.choice(("marketing", "crm")), self._who()
        roll = self.random.random()
        if roll < 0.68:
            name = self._field(side)
            return Act(side, who, "edit", name, self._value(name))
        if roll < 0.76:
            return Act(side, who, "edit", self.random.choice((*TEXTS, "phone", "mobile", "rating")), None)
        if roll < 0.82:
            return Act(side, who, "create", value=self._person(who))
        if roll < 0.85:
            self.deleted.append((side, who))
            return Act(side, who, "delete")
        if roll < 0.89 and self.deleted:
            return Act(*self.random.choice(self.deleted), "restore")
        if roll < 0.92:
            return Act(side, who, "merge", with_=self.random.randrange(PEOPLE))
        if roll < 0.945:
            return Act("crm", who, "convert", with_=self.random.choice((-1, -1, self.random.randrange(PEOPLE))))
        if roll < 0.955:
            name = self.random.choice(("rating", "phone", "city") if side == "crm" else ("phone", "city"))
            return Act(side, EVERYBODY, "wipe", name)
        if roll < 0.96:
            return Act(side, EVERYBODY, "delete")
        if roll < 0.975:
            return Act(side, who, self.random.choice(("hide", "show")))
        return Act(side, who, "touch")

    def _field(self, side: str) -> str:
        own = {
            "marketing": ("stage", "score", "opt_out", "original_source"),
            "crm": ("stage", "rating", "rejection_reason", "opt_out"),
        }[side]
        return self.random.choice(
            (*TEXTS, *TEXTS, "phone", "phone", "mobile", "country", "lead_source", "owner", "email", *DATES, *own)
        )

    def _text(self) -> str:
        self.count += 1
        if self.random.random() < 0.03:
            return "L" * 300 + str(self.count)
        return f"{self.random.choice(NASTY)}{self.count}"

    def _value(self, name: str) -> Any:
        self.count += 1
        choose = self.random.choice
        match BY_NAME[name].kind:
            case "text" | "cut":
                return self._text()
            case "email":
                return choose((f"New{self.count}@x.test", f" new{self.count}@X.test", None))
            case "phone":
                return choose(PHONES).format(self.count)
            case "country":
                return choose((*list(COUNTRIES)[:6], "Atlantis"))
            case "owner":
                return choose(("rep1", "rep2", "rep3"))
            case "stage":
                return choose((*STAGES, "subscriber"))
            case "reason":
                return choose((*REASONS.values(), None))
            case "day":
                return choose((*DAYS, None))
            case "moment":
                return choose(MOMENTS)
            case "rating":
                return choose(("Hot", "Warm", "Cold", None))
            case "source":
                return choose((*SOURCES, "Trade Show"))
            case "number":
                return choose((0, 49, 49.5, 50, 80, 99.4, None))
            case "consent":
                return choose((True, True, False))
        raise AssertionError(name)
