"""The people of the town: what they do in both systems, wherever it makes sense at that moment.

Promise: they act through the systems alone and know nothing of syncd; what they made, and what can be judged no more by its
values alone, is remembered.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from acceptor import Acceptor
from items import EVERYBODY, Act
from memory import Memory, Place
from rules import BY_NAME, KEY, STAGES
from town import Refused, Town

from syncd.sandbox.company import REPS

VENDOR = {"marketing": "hubspot", "crm": "salesforce"}
STEP_S = 30.0
"""Between two cycles when it is quiet."""


@dataclass
class Townsfolk:
    """Everybody in one town."""

    town: Town
    acceptor: Acceptor
    memory: Memory
    people: dict[int, list[Place]] = field(default_factory=dict)
    """The records that people made, by whom they are about."""
    acting: bool = False
    """What is asked of the systems now, people ask."""

    def act(self, act: Act) -> None:
        """Does it if it makes sense at that moment."""
        self.acting = True
        try:
            vendor = VENDOR[act.side]
            if act.who == EVERYBODY:
                self._everybody(act, vendor)
                return
            place = self._place(act.side, act.who, live=act.do != "restore")
            done = self._create(act) if act.do == "create" else place is not None and self._change(act, vendor, place)
            if done:
                self._noted(vendor)
        finally:
            self.acting = False

    def _noted(self, vendor: str) -> None:
        self.memory.became(self.acceptor.now(vendor))
        for left, right in self.acceptor.pairs():
            self.memory.meet(left, right)

    def _everybody(self, act: Act, vendor: str) -> None:
        """One field of all records is emptied, or all records of a side are deleted."""
        done = 0
        for object in ("contacts",) if act.side == "marketing" else ("Lead", "Contact"):
            for key in [key for key, row in self.town.rows(object).items() if row["_live"]]:
                one = Act(act.side, EVERYBODY, "edit" if act.do == "wipe" else act.do, act.field)
                done += self._change(one, vendor, (object, key))
        self._noted(vendor)
        self.acceptor.happened[f"{act.do} of many"] += done > 2

    def _create(self, act: Act) -> bool:
        value = dict(act.value)
        form = "contacts" if act.side == "marketing" else value["form"]
        if self._place(act.side, act.who) is not None:
            return False
        stage = value["stage"]
        names = {"email", "last_name", "phone", "country"} & value.keys()
        values = {BY_NAME[name].attribute(form): value[name] for name in names}
        if form == "contacts":
            values["lifecyclestage"] = stage
        elif form == "Lead":
            values |= {"Company": f"Company {act.who}", "Status": STAGES[stage]}
        made = self.attempt(VENDOR[act.side], "create", form, None, values=values)
        if made is None:
            return False
        place = (form, str(made["key"]))
        self.people.setdefault(act.who, []).append(place)
        if form == "contacts" and value["score"] is not None:
            self.attempt("hubspot", "calculate", form, place[1], values={"hubspotscore": str(value["score"])})
        return True

    def _change(self, act: Act, vendor: str, place: Place) -> bool:
        object, key = place
        memory = self.memory
        self.town.edited_at.setdefault(place, []).append(self.town.time.now_s)
        match act.do:
            case "edit":
                return self._edit(act, vendor, place)
            case "delete":
                done = self.attempt(vendor, "delete", object, key) is not None
                if done:
                    partner = self.acceptor._partner.get(place)
                    since = self.town.line.log[-1].at_s - STEP_S if self.town.line.log else 0.0
                    edits = self.town.edited_at.get(partner, ()) if partner else ()
                    self.acceptor.happened["deleted and edited"] += any(at > since for at in edits)
                    memory.tombs[place] = memory.tick()
                    memory.disturbed.add(place)
                    self.acceptor.happened["deleted"] += 1
                return done
            case "restore":
                done = self.attempt(vendor, "restore", object, key) is not None
                if done:
                    memory.disturbed.add(place)
                    memory.tombs.pop(place, None)
                    self.acceptor.happened["restored"] += 1
                return done
            case "merge":
                return self._merge(act, vendor, place)
            case "convert":
                if object != "Lead":
                    return False
                into = self._into(act.with_)
                made = self.attempt(vendor, "convert", object, key, **into)
                if made is not None:
                    self.acceptor.happened["converted into another's contact"] += bool(into)
                    self.people.setdefault(act.who, []).append(("Contact", str(made["contact"])))
                    memory.disturbed |= {place, ("Contact", str(made["contact"]))}
                    self.acceptor.happened["converted"] += 1
                return made is not None
        self.attempt(vendor, act.do, object, key)
        if act.do == "hide":
            memory.disturbed.add(place)  # that it is shown again moves no stamp
            self.acceptor.happened["hidden from our sight"] += 1
        return True

    def _into(self, who: int) -> dict[str, str]:
        """The contact that a lead is converted into; none: a new one."""
        place = self._place("crm", who) if who >= 0 else None
        if place is None or place[0] != "Contact":
            return {}
        return {"contact": place[1]}

    def _merge(self, act: Act, vendor: str, place: Place) -> bool:
        other = self._place(act.side, act.with_)
        if other is None or other == place or other[0] != place[0]:
            return False
        made = self.attempt(vendor, "merge", place[0], place[1], **{"with": other[1]})
        if made is None:
            return False
        survivor = (place[0], str(made["key"]))
        self.people.setdefault(act.who, []).insert(0, survivor)
        self.memory.disturbed |= {place, other, survivor}
        self.acceptor.happened[f"merged in {'the crm' if act.side == 'crm' else 'marketing'}"] += 1
        return True

    def _edit(self, act: Act, vendor: str, place: Place) -> bool:
        rule = BY_NAME["crm_opt_out" if act.field == "opt_out" and place[0] != "contacts" else act.field]
        attribute = rule.attribute(place[0])
        if attribute is None:
            return False
        value: Any = act.value
        if rule.kind == "owner":
            value = self._owner(place[0], act.value)
        elif rule.kind == "stage" and value is not None and place[0] == "Lead":
            value = STAGES.get(value, "Open - Not Contacted")
        elif rule.kind == "consent" and place[0] == "contacts":
            value = "true" if value else "false"
        elif rule.kind == "number" and value is not None:
            value = str(value)
        do = "calculate" if attribute in ("hubspotscore", "hs_email_optout", "hs_analytics_source") else "edit"
        if value is None and place[0] == "contacts":
            value = ""
        more = {"by": "ann"} if vendor == "hubspot" else {}
        done = self.attempt(vendor, do, place[0], place[1], values={attribute: value}, **more) is not None
        self.acceptor.happened["cleared"] += done and act.value is None
        self.acceptor.happened["another address"] += done and rule.name == "email" and act.value is not None
        self.acceptor.happened["a day or a moment"] += done and rule.kind in ("day", "moment")
        self.acceptor.happened["opted out"] += done and rule.kind == "consent" and act.value is True
        return done

    def _owner(self, object: str, rep: str) -> str:
        email = next(one for one in REPS if one.startswith(rep))
        numbers = {
            mail: number
            for number, mail in self.memory.words.owners.items()
            if (number[0] == "0") == (object != "contacts")
        }
        return str(numbers[email])

    def attempt(
        self, vendor: str, do: str, object: str, key: str | None = None, /, **more: Any
    ) -> dict[str, Any] | None:
        """Does it in the system itself; None if the system refuses."""
        try:
            return self.town.act(vendor, do, object, key, **more)
        except Refused:
            return None

    def _place(self, side: str, who: int, *, live: bool = True) -> Place | None:
        """A record about somebody on one side: one that people made, or that syncd made for one of those."""
        objects = ("contacts",) if side == "marketing" else ("Contact", "Lead")
        known = self.people.get(who, [])
        named = {f"{object}:{key}" for object, key in known}
        for object in objects:
            rows = self.town.rows(object)
            for key, row in rows.items():
                made_for = ":".join(str(row.get(KEY[object]) or "").split(":")[2:])
                if not live and (object, key) not in self.memory.tombs:
                    continue
                if row["_live"] == live and ((object, key) in known or made_for in named):
                    return object, key
        return None
