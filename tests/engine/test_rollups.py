"""Roll-ups over two systems in memory: what became of a deal reaches the people and the company behind it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kin import COMPANIES, DEALS, PEOPLE, Kin, make_kin

from connectors.memory import Kind
from syncd import parity
from syncd.assembly import Mappings
from syncd.core.compile import check_references, check_together, compile_mapping
from syncd.core.rollup import check_rollups
from syncd.cycle import prepare
from syncd.view.why import why

NAMES = frozenset({"people", "companies", "deals"})
ROLES = "OpportunityContactRoles.ContactId"

OUTCOMES = """
[fields.stage]
marketing = "dealstage"
crm = "StageName"
type = "choice"
clash = "crm"
[fields.amount]
marketing = "amount"
crm = "Amount"
type = "number"
clash = "crm"
[fields.currency]
marketing = "deal_currency_code"
crm = "CurrencyIsoCode"
clash = "crm"
[fields.closed]
marketing = "closedate"
crm = "CloseDate"
type = "date"
clash = "crm"
[fields.loss_reason]
marketing = "closed_lost_reason"
crm = "Loss_Reason__c"
clash = "crm"
[rollups.outcome]
over = "contacts"
take = "latest"
of = "stage"
by = "closed"
[rollups.lost_reason]
over = "contacts"
take = "latest"
of = "loss_reason"
by = "closed"
when = 'stage == "Closed Lost"'
[rollups.won_amount]
over = "contacts"
take = "sum"
of = "amount"
currency = "currency"
when = 'stage == "Closed Won"'
[rollups.company_won]
over = "company"
take = "count"
when = 'stage == "Closed Won"'
"""
ON_PEOPLE = """
[fields.outcome]
marketing = "crm_last_outcome"
crm = "deals.outcome"
type = "choice"
flow = "to_marketing"
blank = "clear"
values = { won = "Closed Won", lost = "Closed Lost", open = "Prospecting" }
other = { marketing = "open" }
[fields.reason]
marketing = "crm_lost_reason"
crm = "deals.lost_reason"
flow = "to_marketing"
blank = "clear"
[fields.won_amount]
marketing = "crm_won_amount"
crm = "deals.won_amount"
type = "number"
flow = "to_marketing"
blank = "clear"
"""
ON_COMPANIES = """
[fields.won]
marketing = "crm_won"
crm = "deals.company_won"
type = "number"
flow = "to_marketing"
blank = "clear"
"""
TEXTS = (DEALS + OUTCOMES, PEOPLE + ON_PEOPLE, COMPANIES + ON_COMPANIES)


@dataclass
class Outcomes(Kin):
    """Kin whose mappings know each other's names."""

    def mappings(self) -> Mappings:
        made = {}
        for index, text in enumerate(self.texts):
            mapping, problems = compile_mapping(text, f"file{index}.toml", None, NAMES)
            assert mapping is not None, [str(problem) for problem in problems]
            made[mapping.name] = mapping
        assert not [*check_together(made.values()), *check_references(made.values()), *check_rollups(made)]
        return Mappings(made, None, ())

    def deal(self, *contacts: str, **values: Any) -> str:
        given = {"Name": f"deal {self.sf.newest}", "StageName": "Prospecting", "CurrencyIsoCode": "EUR", **values}
        return self.sf.create("Opportunity", {**given, ROLES: list(contacts)}, by="rep")

    def said(self, contact: str) -> tuple[Any, Any, Any]:
        """What marketing shows of a CRM contact: outcome, reason, amount."""
        object_ = self.ledger.facts.object_id("sf", "Contact")
        ((_, _, _, key),) = self.ledger.links.across("people", object_, [contact])
        values = self.mk.values("contacts", key)
        return values["crm_last_outcome"], values["crm_lost_reason"], values["crm_won_amount"]

    def company(self, account: str) -> Any:
        object_ = self.ledger.facts.object_id("sf", "Account")
        ((_, _, _, key),) = self.ledger.links.across("companies", object_, [account])
        return self.mk.values("companies", key)["crm_won"]


def grow(kind: Kind, **attributes: str) -> Kind:
    more = Kind.of(kind.name, traits=kind.traits, **attributes)
    return kind.having(attributes={**kind.attributes, **more.attributes})


@pytest.fixture
def world(tmp_path: Path) -> Outcomes:
    plain = make_kin(tmp_path)
    mk, sf = plain.mk.kinds, plain.sf.kinds
    mk["contacts"] = grow(mk["contacts"], crm_last_outcome="text", crm_lost_reason="text", crm_won_amount="number")
    mk["companies"] = grow(mk["companies"], crm_won="number")
    deal = {"dealstage": "text", "amount": "number", "deal_currency_code": "text", "closedate": "date"}
    mk["deals"] = grow(mk["deals"], **deal, closed_lost_reason="text")
    sold = {"StageName": "text", "Amount": "number", "CurrencyIsoCode": "text", "CloseDate": "date"}
    sf["Opportunity"] = grow(sf["Opportunity"], **sold, Loss_Reason__c="text")
    plain.ledger.close()
    return Outcomes(plain.path, plain.mk, plain.sf, texts=TEXTS)


@pytest.fixture
def people(world: Outcomes) -> tuple[str, str, str]:
    """An account and two contacts, known on both sides."""
    account = world.sf.create("Account", {"Name": "Analytical Engines"}, by="rep")
    made = [
        world.sf.create("Contact", {"Email": f"{name}@x.test", "Name": name, "AccountId": account}, by="rep")
        for name in ("ada", "bob")
    ]
    world.settle()
    return account, made[0], made[1]


def test_an_outcome_reaches_the_person_and_the_company(world: Outcomes, people: tuple[str, str, str]) -> None:
    """Won, for how much; lost, why; and what is open, in marketing's words. Nobody else is told anything."""
    account, ada, bob = people
    deal = world.deal(ada, AccountId=account, Amount=500, CloseDate="2026-03-01")
    world.settle()
    assert world.said(ada) == ("open", None, None)
    world.sf.edit("Opportunity", deal, {"StageName": "Closed Won"}, by="rep")
    world.settle()
    assert world.said(ada) == ("won", None, 500)
    assert world.company(account) == 1
    world.deal(ada, StageName="Closed Lost", Loss_Reason__c="Price", Amount=90, CloseDate="2026-05-01")
    world.settle()

    assert world.said(ada) == ("lost", "Price", 500)
    assert world.said(bob) == (None, None, None)
    assert [write.object for write in world.sf.writes if write.op == "update"] == []


def test_who_leaves_a_deal_is_not_told_of_it_any_more(world: Outcomes, people: tuple[str, str, str]) -> None:
    """Both the one who is pointed to now and the one who was until then are decided again."""
    account, ada, bob = people
    deal = world.deal(ada, StageName="Closed Won", Amount=500, CloseDate="2026-03-01", AccountId=account)
    world.settle()
    world.sf.edit("Opportunity", deal, {ROLES: [bob]}, by="rep")
    world.settle()
    assert (world.said(ada), world.said(bob)) == ((None, None, None), ("won", None, 500))
    world.sf.delete("Opportunity", deal, by="rep")
    world.settle()
    assert world.said(bob) == (None, None, None)
    assert world.company(account) is None


def test_two_currencies_are_not_added(world: Outcomes, people: tuple[str, str, str]) -> None:
    """The sum is unknown then: what was said before stays, and no wrong figure is written."""
    _, ada, _ = people
    world.deal(ada, StageName="Closed Won", Amount=500, CloseDate="2026-03-01")
    world.deal(ada, StageName="Closed Won", Amount=250, CloseDate="2026-03-02")
    world.settle()
    assert world.said(ada)[2] == 750
    dollars = world.deal(ada, StageName="Closed Won", Amount=100, CloseDate="2026-03-03", CurrencyIsoCode="USD")
    world.settle()
    assert world.said(ada)[2] == 750
    world.sf.edit("Opportunity", dollars, {"CurrencyIsoCode": "EUR"}, by="rep")
    world.settle()
    assert world.said(ada)[2] == 850


def test_only_parents_of_what_moved_are_decided_again(world: Outcomes, people: tuple[str, str, str]) -> None:
    """A thousand people do not stir because one deal did; and nothing moved is nothing decided."""
    _, ada, _ = people
    for n in range(20):
        world.sf.create("Contact", {"Email": f"p{n}@x.test", "Name": "p"}, by="rep")
    deal = world.deal(ada, CloseDate="2026-03-01")
    world.settle()
    world.sf.edit("Opportunity", deal, {"StageName": "Closed Won"}, by="rep")

    assert world.all_once()["people"].moved <= 2  # she, and her echo
    world.settle()
    assert world.all_once()["people"].moved == 0


def test_an_edited_rule_counts_for_everybody(world: Outcomes, people: tuple[str, str, str]) -> None:
    """The roll-up is defined in one file and used in another: an edit of the first one makes the second decide anew."""
    _, ada, _ = people
    world.deal(ada, StageName="Closed Won", Amount=500, CloseDate="2026-03-01")
    world.settle()
    deals, *rest = TEXTS
    world.texts = (deals.replace("when = 'stage == \"Closed Won\"'", "when = 'amount > 1000'"), *rest)
    world.settle()

    assert world.said(ada)[2] is None


def test_what_was_never_read_is_unknown_and_clears_nothing(world: Outcomes, people: tuple[str, str, str]) -> None:
    """Where deals cannot be read, nobody is told that there are none."""
    _, ada, _ = people
    world.deal(ada, StageName="Closed Won", Amount=500, CloseDate="2026-03-01")
    world.settle()
    world.ledger.close()
    world.path.unlink()
    world.restart_from(world.path.with_name("new.db"))
    world.all_once("people", "companies")
    world.all_once("people", "companies")

    assert world.said(ada) == ("won", None, 500)


def test_a_field_that_is_missing_there_holds_only_the_roll_up_made_of_it(world: Outcomes) -> None:
    """An account may not have created the field of one reason yet: what was won is told all the same."""
    kind = world.sf.kinds["Opportunity"]
    there = {name: one for name, one in kind.attributes.items() if name != "Loss_Reason__c"}
    world.sf.kinds["Opportunity"] = kind.having(attributes=there)
    ada = world.sf.create("Contact", {"Email": "ada@x.test", "Name": "ada"}, by="rep")
    world.deal(ada, StageName="Closed Won", Amount=500, CloseDate="2026-03-01")
    world.settle()
    assert world.said(ada) == ("won", None, 500)

    world.sf.kinds["Opportunity"] = kind
    for item in world.sf.items["Opportunity"].values():
        item.values["Loss_Reason__c"] = None
    world.deal(ada, StageName="Closed Lost", Amount=1, CloseDate="2026-04-01", Loss_Reason__c="Price")
    world.pass_time(3600)
    world.settle()
    assert world.said(ada) == ("lost", "Price", 500)


def test_what_a_deal_comes_to_is_nobodys_edit_of_the_person(world: Outcomes, people: tuple[str, str, str]) -> None:
    """Somebody is deleted in marketing while their deal is won: nobody edited the person, and nobody is asked."""
    _, ada, _ = people
    deal = world.deal(ada, CloseDate="2026-03-01")
    world.settle()
    object_ = world.ledger.facts.object_id("sf", "Contact")
    ((_, _, _, key),) = world.ledger.links.across("people", object_, [ada])
    world.mk.delete("contacts", key, by="ann")
    world.sf.edit("Opportunity", deal, {"StageName": "Closed Won"}, by="rep")
    world.pass_time(7 * 3600)
    world.settle()

    assert [link.state for link in world.ledger.links.page("people", 0, 9)].count("unlinked") == 1
    assert world.ledger.inbox.issues() == []


def test_a_kill_between_index_and_decision_loses_no_parent(
    world: Outcomes, people: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """That a parent is to be decided again is written with the index: whoever comes next does it."""
    _, ada, _ = people
    deal = world.deal(ada, CloseDate="2026-03-01")
    world.settle()
    world.sf.edit("Opportunity", deal, {"StageName": "Closed Won", "Amount": 7}, by="rep")

    def killed(run: Any, bench: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("syncd.cycle.decide", killed)
        with pytest.raises(KeyboardInterrupt):
            world.all_once()
    world.restart()
    world.settle()

    assert world.said(ada) == ("won", None, 7)


def test_why_and_parity_know_what_a_record_children_come_to(world: Outcomes, people: tuple[str, str, str]) -> None:
    """Neither shows a blank, or something that cannot be read, where a cycle decides on the roll-up."""
    _, ada, _ = people
    world.deal(ada, StageName="Closed Won", Amount=500, CloseDate="2026-03-01")
    world.settle()
    told = why(world.ledger, world.mappings(), {}, ("sf", "Contact", ada), "won_amount")
    (field,) = (one["fields"]["won_amount"] for one in told["mappings"])
    assert (field["marketing"], field["crm"], field["verdict"]) == (500, 500, "agree")

    run = world.run()
    (bench,) = prepare(run, world.mappings(), ["people"])
    *_, figure = parity.steps(run, bench, None)
    assert figure.fields["contacts ~ Contact", "won_amount"] == {"agree": 2}
