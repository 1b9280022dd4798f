"""What both sides say of people and deals, gathered from the ledger for the closed loop's arithmetic.

Promise: set-wise: a batch costs a fixed number of look-ups. It decides nothing, writes nothing and calls no system.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from syncd.assembly import Mappings
from syncd.core import plan
from syncd.core.agreement import day_of, midnight_ms
from syncd.core.credit import Touch
from syncd.core.funnel import Funnel, Sales
from syncd.core.mapping import Mapping as Compiled
from syncd.core.model import Bad, Side, Unmapped
from syncd.core.money import smallest
from syncd.core.sale import Deal
from syncd.core.standing import Said
from syncd.ledger import Ledger
from syncd.ledger.events import Event, once
from syncd.ledger.facts import Fact
from syncd.refers import targets_of

FROM_MARKETING = "created from marketing"


@dataclass(frozen=True)
class Scope:
    """What the closed loop of a run is about."""

    ledger: Ledger
    funnel: Funnel
    people: Compiled
    deals: Compiled | None
    activities: frozenset[str]
    touches: frozenset[str]
    moves: frozenset[str]
    agreed_ms: int | None
    ourselves: str = ""
    """The user that we are at sales' system."""

    @classmethod
    def of(cls, ledger: Ledger, mappings: Mappings, bound: Mapping[str, Compiled]) -> Scope | None:
        """`bound`: mappings with their owners known. None: there is nothing to follow."""
        funnel = mappings.funnel
        if funnel is None:
            return None
        people = bound.get(funnel.about.mapping)
        # Only people who have what the definition looks at can be judged by it.
        if people is None or not funnel.qualified.names <= {field.name for field in people.fields}:
            return None
        means = {name: watch.means for name, watch in mappings.watches.items()}
        activities = funnel.agreement.activities or [name for name, of in means.items() if of == "activity"]
        touches = funnel.credit.touches or [name for name, of in means.items() if of in ("touch", "response")]
        deals = bound.get(funnel.sales.mapping) if funnel.sales is not None else None
        moves = [name for name, of in means.items() if of == "stage"]
        first = ledger.books.agreed_since()
        agreed_ms = None if first is None else round(first * 1000)
        account = ledger.books.account(people.crm.system)
        return cls(
            ledger, funnel, people, deals, frozenset(activities), frozenset(touches), frozenset(moves), agreed_ms,
            account[2] if account is not None else "",
        )  # fmt: skip

    def objects(self, mapping: Compiled, side: Side) -> dict[int, str]:
        """The object numbers of a side, with their forms."""
        end = mapping.end(side)
        return {self.ledger.facts.object_id(end.system, form): form for form in end.forms}

    # ------------------------------------------------ people

    def said(self, object_: int, form: str, keys: Sequence[str]) -> dict[str, Said]:
        """What both sides say of these people of marketing's."""
        facts = self.ledger.facts.many(object_, keys)
        partners = self._partners(object_, list(facts))
        links = self.ledger.loop.links_made([link for link, _, _ in partners.values()])
        sales = self.objects(self.people, "crm")
        theirs = self._theirs(partners)
        at_sales = {key: (at[1], at[2]) for key, at in partners.items()}
        touches, moves = self._happened(at_sales, self.activities), self._happened(at_sales, self.moves)
        issues = self.ledger.loop.issues(self.people.name, object_, list(facts))
        found = {}
        for key, fact in facts.items():
            said = self._alone(form, fact, issues.get(key, ""))
            if (partner := partners.get(key)) is not None:
                how, made_at = links[partner[0]]
                crm = theirs.get((partner[1], partner[2]))
                said = replace_said(
                    said,
                    linked_ms=round(made_at * 1000),
                    handed=how == FROM_MARKETING,
                    touches=touches.get(key, ()),
                    moves=moves.get(key, ()),
                    agreed_ms=self.agreed_ms,
                )
                if crm is not None:
                    said = self._beside(said, sales[crm.object], crm)
            found[key] = said
        return found

    def _partners(self, object_: int, keys: Sequence[str]) -> dict[str, tuple[int, int, str]]:
        """Link, object and key of each one's partner."""
        rows = self.ledger.links.across(self.people.name, object_, keys)
        return {key: (link, other, other_key) for key, link, other, other_key in rows}

    def _theirs(self, partners: Mapping[str, tuple[int, int, str]]) -> dict[tuple[int, str], Fact]:
        by_object: dict[int, list[str]] = defaultdict(list)
        for _, other, key in partners.values():
            by_object[other].append(key)
        return {
            (other, key): fact
            for other, keys in by_object.items()
            for key, fact in self.ledger.facts.many(other, keys).items()
        }

    def _alone(self, form: str, fact: Fact, issue: str) -> Said:
        """What marketing's record says."""
        people, about = self.people, self.funnel.about
        context = people.context("marketing", form, fact.attributes)

        def time_of(name: str | None) -> int | None:
            return None if name is None else moment_ms(context.get(name))

        def holds(gates: Mapping[Side, Any], side: Side) -> bool:
            return plan.holds(people, gates, side, "marketing", form, fact.attributes)

        times = {one.name: at for one in self.funnel.stages if (at := time_of(one.since)) is not None}
        return Said(
            context=context,
            stamp_ms=fact.stamp_ms,
            live=fact.state == "live",
            times=times,
            came_ms=time_of(about.came),
            since_ms=time_of(about.since),
            signal_ms=time_of(about.signal),
            source=str(context.get(about.source or "") or ""),
            campaign=str(context.get(about.campaign or "") or ""),
            in_scope=holds(people.scope, "marketing"),
            creates=people.create["crm"] is not None and holds(people.create, "crm"),
            issue=issue,
        )

    def _beside(self, said: Said, form: str, fact: Fact) -> Said:
        """With what sales' record says."""
        people, about = self.people, self.funnel.about
        context = people.context("crm", form, fact.attributes)
        owner = self._owner(form, fact)
        return replace_said(
            said,
            crm=context if fact.state == "live" else {},
            crm_ms=fact.stamp_ms,
            converted=form != people.crm.object
            and len(people.crm.forms) > 1
            and (said.handed or said.by_hand_ms is not None),
            routed=bool(owner) if about.owner is not None else True,
            owner=owner,
            reason=str(context.get(about.reason or "") or ""),
        )

    def _owner(self, form: str, fact: Fact) -> str:
        """The e-mail of the user who owns a record; empty: a queue, or nobody. Whom we are ourselves there is nobody: a
        system gives what we create to us until somebody takes it."""
        name = self.funnel.about.owner
        field = next((one for one in self.people.fields if one.name == name), None)
        attribute = None if field is None else field.asked("crm", form)
        if field is None or attribute is None or attribute not in fact.attributes:
            return ""
        if self.ourselves and fact.attributes[attribute] == self.ourselves:
            return ""
        owner = field.canonical("crm", fact.attributes[attribute])
        return owner if isinstance(owner, str) and not isinstance(owner, (Bad, Unmapped)) else ""

    def _with_past(self, at: Iterable[tuple[int, str]]) -> dict[str, set[tuple[int, str]]]:
        """Records (object, key) by the keys that they had: merged and converted ones go on under another."""
        found: dict[str, set[tuple[int, str]]] = defaultdict(set)
        by_object: dict[int, list[str]] = defaultdict(list)
        for object_, key in at:
            by_object[object_].append(key)
            found[key].add((object_, key))
        for object_, keys in by_object.items():
            for into, gone in self.ledger.facts.swallowed(object_, keys).items():
                for _, key in gone:
                    found[key].add((object_, into))
        return found

    def _happened(self, partners: Mapping[str, tuple[int, str]], watches: frozenset[str]) -> dict[str, tuple[int, ...]]:
        """When these watches saw something happen at sales to each of marketing's people."""
        if not watches or not partners:
            return {}
        whose = self._with_past(partners.values())
        mine = {at: key for key, at in partners.items()}
        found: dict[str, list[int]] = defaultdict(list)
        events = self.ledger.events.of_records(self.people.name, "crm", sorted(whose))
        for event, records in once(events, self.people.name, whose):
            if event.watch in watches:
                for key in {mine[at] for at in records if at in mine}:
                    found[key].append(event.at_ms)
        return {key: tuple(sorted(times)) for key, times in found.items()}

    # ------------------------------------------------ deals

    def deal_place(self) -> dict[int, tuple[str, str]]:
        """Sales' deals: object number -> form and the attribute that names people."""
        if self.deals is None or self.funnel.sales is None:
            return {}
        field = next((one for one in self.deals.fields if one.name == self.funnel.sales.people), None)
        return {
            number: (form, attribute)
            for number, form in self.objects(self.deals, "crm").items()
            if field is not None and (attribute := field.asked("crm", form)) is not None
        }

    def sold(self, facts: Sequence[Fact]) -> dict[str, Deal]:
        """What sales' deals say, with the touches of their people."""
        sales = self.funnel.sales
        if sales is None or self.deals is None:
            return {}
        place = self.deal_place()
        keys = {fact.key: targets_of(fact.attributes.get(place[fact.object][1])) for fact in facts}
        touches = self._reached({key for each in keys.values() for key in each})
        found = {}
        for fact in facts:
            context = self.deals.context("crm", place[fact.object][0], fact.attributes)
            state = "won" if sales.won.holds(context) is True else "open"
            if state == "open" and sales.lost is not None and sales.lost.holds(context) is True:
                state = "lost"
            deal = self._deal(sales, state if fact.state == "live" else "open", context)
            theirs = keys[fact.key]
            reached = {touch for key in theirs for touch in touches.get(key, ())} if theirs else None
            found[fact.key] = Deal(
                deal.state, deal.closed_ms, deal.closed, deal.amount, deal.currency, deal.reason,
                None if reached is None else sorted(reached),
            )  # fmt: skip
        return found

    def _deal(self, sales: Sales, state: str, context: Mapping[str, Any]) -> Deal:
        zone = self.funnel.agreement.zone
        target = self.funnel.target
        currency = str(context.get(sales.currency or "") or (target.currency if target else ""))
        said = context.get(sales.closed)
        at_ms = moment_ms(said)
        assert self.deals is not None
        closed = 0
        if at_ms is not None:
            by_day = next((one.type == "date" for one in self.deals.fields if one.name == sales.closed), False)
            day = datetime.fromtimestamp(at_ms / 1000, UTC).date() if by_day else day_of(at_ms, zone)
            closed = day.toordinal()
            # A day counts to its end: what touched them on the day of the close came before it.
            at_ms = midnight_ms(day.fromordinal(closed + 1), zone) - 1 if by_day else at_ms
        amount = context.get(sales.amount)
        units = smallest(amount, currency) if amount is not None else None
        reason = str(context.get(sales.lost_reason or "") or "")
        return Deal(state, at_ms, closed, units, currency, reason)

    def _reached(self, keys: set[str]) -> dict[str, tuple[Touch, ...]]:
        """Marketing's touches of sales' people, by sales' key."""
        if not keys or not self.touches:
            return {}
        found: dict[str, tuple[Touch, ...]] = {}
        for object_ in self.objects(self.people, "crm"):
            rows = self.ledger.links.across(self.people.name, object_, sorted(keys))
            ours = {(other, other_key): key for key, _, other, other_key in rows}
            whose = self._with_past(ours)
            named = self._names(ours)
            touched: dict[str, set[Touch]] = defaultdict(set)
            events = self.ledger.events.of_records(self.people.name, "marketing", sorted(whose))
            for event, records in once(events, self.people.name, whose):
                if event.watch in self.touches:
                    for at in records & ours.keys():
                        touched[ours[at]].add(self._touch(event, named.get(at, ("", ""))))
            found |= {key: tuple(each) for key, each in touched.items()}
        return found

    def _names(self, records: Iterable[tuple[int, str]]) -> dict[tuple[int, str], tuple[str, str]]:
        """Source and campaign of marketing's people."""
        about = self.funnel.about
        wanted = frozenset(name for name in (about.source, about.campaign) if name is not None)
        by_object: dict[int, list[str]] = defaultdict(list)
        for object_, key in records:
            by_object[object_].append(key)
        found = {}
        forms = self.objects(self.people, "marketing")
        for object_, keys in by_object.items():
            for key, fact in self.ledger.facts.many(object_, keys).items():
                context = self.people.context("marketing", forms[object_], fact.attributes, wanted)
                source, campaign = (str(context.get(name or "") or "") for name in (about.source, about.campaign))
                found[object_, key] = (source, campaign)
        return found

    def _touch(self, event: Event, person: tuple[str, str]) -> Touch:
        rule = self.funnel.credit.touches.get(event.watch)
        source = event.values.get(rule.source) if rule is not None and rule.source else None
        campaign = event.values.get(rule.campaign) if rule is not None and rule.campaign else None
        return Touch(event.at_ms, event.id, str(source or person[0]), str(campaign or person[1]))


def replace_said(said: Said, **changes: Any) -> Said:
    """The same, with something more."""
    import msgspec

    return msgspec.structs.replace(said, **changes)


def moment_ms(value: Any) -> int | None:
    """A moment as expressions see it (a datetime) in UTC epoch milliseconds; None where there is none."""
    if isinstance(value, datetime):
        return round((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp() * 1000)
    return None
