"""Lets a year have happened in both sandboxes: `lives`, done through their control channel with the stamps of that time.

Promise: syncd was not there. Whatever marketing and sales know of each other was told by hand, a week late or never, and
nothing of it stands anywhere but in the vendors' own records: forms and lists, leads, tasks, campaign members, conversions,
opportunities with their stages. It reads no ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from syncd.demo.company import CURRENCY, Cast
from syncd.demo.lives import DAY_MS, HOUR_MS, YEAR_DAYS, Deal, Life, Round, every_round
from syncd.sandbox.business import CAMPAIGNS, LOST, WON

GENERAL, CHOOSING = CAMPAIGNS
_LATEST = {"Web": "ORGANIC_SEARCH", "Partner Referral": "REFERRALS"}
_WORDS = {
    "No need": "no_need",
    "Bad timing": "bad_timing",
    "Unreachable": "unreachable",
    "No budget": "no_budget",
    "Wrong contact": "wrong_contact",
}
Act = dict[str, Any]


def happen(cast: Cast, year: Sequence[Life], now_ms: int) -> None:
    """All of it, in a few requests."""
    _open_campaigns(cast, now_ms - (YEAR_DAYS + 3) * DAY_MS)
    contacts = _arrive(cast, year)
    _do(cast.hubspot, _of_marketing(cast, year, contacts))
    leads = _hand_over(cast, year)
    _do(cast.salesforce, _of_sales(year, leads))
    _do(cast.salesforce, _of_deals(cast, year, leads))


def _do(control: Any, acts: Iterable[Act]) -> list[dict[str, Any]]:
    """Does them in the order of their times; the answers in that order."""
    done: list[dict[str, Any]] = control.act_all(sorted(acts, key=lambda act: act["at_ms"]))
    return done


def _open_campaigns(cast: Cast, at_ms: int) -> None:
    for name in CAMPAIGNS:
        cast.hubspot.act("list", name=name, at_ms=at_ms)
        values = {"Name": name, "Status": "In Progress", "IsActive": True}
        cast.salesforce.act("create", object="Campaign", values=values, at_ms=at_ms)


# ---------------------------------------------------------------- marketing


def _arrive(cast: Cast, year: Sequence[Life]) -> list[str]:
    """Everybody asks for the general guide; their contacts' keys."""
    return [done["key"] for done in _do(cast.hubspot, (_first_form(life) for life in year))]


def _first_form(life: Life) -> Act:
    person = life.person
    values = {
        "firstname": person.first,
        "lastname": person.last,
        "company": person.company,
        "phone": person.phone,
        "country": person.country,
        "city": person.city,
        "jobtitle": person.title,
        "lifecyclestage": "lead",
        "lead_source": life.source,
    }
    form = {"form": GENERAL, "list": GENERAL, "source": _LATEST.get(life.source, "DIRECT_TRAFFIC")}
    return {"do": "submit_form", "at_ms": life.came_ms, "email": person.email, "values": values, **form}


def _of_marketing(cast: Cast, year: Sequence[Life], contacts: Sequence[str]) -> Iterable[Act]:
    """What marketing and its automation do with them afterwards."""
    owners = {email: key for key, email in cast.owners().items()}
    for life, key in zip(year, contacts, strict=True):
        yield _scored(key, life.came_ms + 300_000, life.score)
        if life.checked_ms is not None:
            yield _stage(key, life.checked_ms, "marketingqualifiedlead")
        for at_ms in life.clicked_ms:
            yield {"do": "click", "key": key, "email_name": "Your guide", "at_ms": at_ms}
        if life.second_ms is not None:
            form = {"form": CHOOSING, "list": CHOOSING, "source": "EMAIL_MARKETING"}
            yield {"do": "submit_form", "key": key, **form, "at_ms": life.second_ms}
            yield _scored(key, life.second_ms + 60_000, life.score_then)
        for one in life.rounds:
            told = {"hubspot_owner_id": owners[life.rep], "crm_rejection_reason": ""}
            yield _stage(key, one.qualified_ms, "marketingqualifiedlead", **told)
            if one.accepted_ms is not None:
                yield _stage(key, one.accepted_ms + HOUR_MS // 2, "salesqualifiedlead")
            if one.deal is not None:
                yield _stage(key, one.deal.made_ms + HOUR_MS // 2, "opportunity")
                if one.deal.closed_ms is not None and not one.deal.lost:
                    yield _stage(key, one.deal.closed_ms + HOUR_MS // 2, "customer")
        if life.back_ms is not None:
            yield _stage(key, life.back_ms, "lead", crm_rejection_reason=_WORDS[life.rounds[0].reason])


def _scored(key: str, at_ms: int, score: int) -> Act:
    return {
        "do": "calculate", "object": "contacts", "key": key, "values": {"hubspotscore": str(score)}, "at_ms": at_ms
    }  # fmt: skip


def _stage(key: str, at_ms: int, stage: str, **more: str) -> Act:
    values = {"lifecyclestage": stage, **more}
    return {
        "do": "edit", "object": "contacts", "key": key, "values": values, "by": "Maria (marketing)", "at_ms": at_ms
    }  # fmt: skip


# ---------------------------------------------------------------- sales


def _handed(year: Sequence[Life]) -> list[tuple[Life, Round]]:
    """Everybody whom sales got, with the first time."""
    firsts = {id(life): (life, one) for life, one in reversed(list(every_round(year))) if one.handed_ms is not None}
    return sorted(firsts.values(), key=lambda each: each[1].handed_ms or 0)


def _hand_over(cast: Cast, year: Sequence[Life]) -> dict[int, str]:
    """A lead for each of them; its key by the life's identity."""
    handed = _handed(year)
    done = _do(cast.salesforce, (_lead(life, one) for life, one in handed))
    return {id(life): row["key"] for (life, _), row in zip(handed, done, strict=True)}


def _lead(life: Life, one: Round) -> Act:
    person = life.person
    values = {
        "FirstName": person.first,
        "LastName": person.last,
        "Email": person.email,
        "Company": person.company,
        "Phone": person.phone,
        "Title": person.title,
        "City": person.city,
        "Country": person.country,
        "LeadSource": life.source,
        "Status": "Open - Not Contacted",
        "Marketing_Score__c": _score(life, one),
        "OwnerId": life.rep,
    }
    return {"do": "create", "object": "Lead", "values": values, "by": life.rep, "at_ms": one.handed_ms}


def _score(life: Life, one: Round) -> int:
    return life.score if life.second_ms is None or one.qualified_ms < life.second_ms else life.score_then


def _of_sales(year: Sequence[Life], leads: dict[int, str]) -> Iterable[Act]:
    """Calls, verdicts, campaign members."""
    for life in year:
        if (lead := leads.get(id(life))) is None:
            continue
        first = True
        for one in life.rounds:
            if one.handed_ms is None:
                continue
            offer = GENERAL if _score(life, one) == life.score else CHOOSING
            yield {"do": "respond", "campaign": offer, "who": lead, "at_ms": one.handed_ms + 60_000}
            if not first:
                opened = {"Status": "Open - Not Contacted", "Rejection_Reason__c": None}
                yield _edit(life, lead, one.handed_ms, **opened, Marketing_Score__c=life.score_then)
            first = False
            for at_ms in one.calls_ms:
                values = {"Subject": "Call", "Status": "Completed", "TaskSubtype": "Call", "OwnerId": life.rep}
                yield {"do": "log_task", "who": lead, "values": values, "by": life.rep, "at_ms": at_ms}
            if one.accepted_ms is not None:
                yield _edit(life, lead, one.accepted_ms, Status="Working - Contacted")
            if one.rejected_ms is not None:
                said = {"Status": "Closed - Not Converted", "Rejection_Reason__c": one.reason}
                yield _edit(life, lead, one.rejected_ms, **said)


def _edit(life: Life, lead: str, at_ms: int, **values: Any) -> Act:
    return {"do": "edit", "object": "Lead", "key": lead, "values": values, "by": life.rep, "at_ms": at_ms}


def _of_deals(cast: Cast, year: Sequence[Life], leads: dict[int, str]) -> list[Act]:
    """Converts them, people of one company into one account; then what became of their deals."""
    accounts: dict[str, str] = {}
    count: dict[str, int] = {}
    acts: list[Act] = []
    sold = [(life, one.deal) for life, one in every_round(year) if one.deal is not None]
    for life, deal in sorted(sold, key=lambda each: each[1].made_ms):
        company = life.person.company
        count[company] = count.get(company, 0) + 1
        name = f"{company}: order {count[company]}"
        made = cast.salesforce.act(
            "convert", key=leads[id(life)], opportunity=name, account=accounts.get(company), by=life.rep,
            at_ms=deal.made_ms,
        )  # fmt: skip
        accounts[company] = made["account"]
        acts += _steps(life, deal, made["opportunity"])
        if deal.again_ms is not None:
            acts.append(_again(life, deal, made["account"], f"{name}, again"))
    return acts


def _steps(life: Life, deal: Deal, key: str) -> Iterable[Act]:
    at = {"object": "Opportunity", "key": key, "by": life.rep}
    values = {"Amount": deal.amount, "CurrencyIsoCode": CURRENCY}
    yield {"do": "edit", **at, "values": values, "at_ms": deal.made_ms + 60_000}
    for at_ms, stage in deal.steps:
        yield {"do": "set_stage", **at, "stage": stage, "at_ms": at_ms}
    if deal.closed_ms is not None:
        closed = {"CloseDate": day(deal.closed_ms)} | ({"Loss_Reason__c": deal.lost} if deal.lost else {})
        yield {
            "do": "set_stage", **at, "stage": LOST if deal.lost else WON, "values": closed, "at_ms": deal.closed_ms
        }  # fmt: skip


def _again(life: Life, deal: Deal, account: str, name: str) -> Act:
    values = {
        "Name": name,
        "AccountId": account,
        "StageName": WON,
        "CloseDate": day(deal.again_ms or 0),
        "Amount": deal.amount // 2,
        "CurrencyIsoCode": CURRENCY,
    }
    return {"do": "create", "object": "Opportunity", "values": values, "by": life.rep, "at_ms": deal.again_ms}


def day(at_ms: int) -> str:
    """The day of a moment, in UTC, as ISO text."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()
