"""References over two systems in memory: who points to whom crosses by the links of another mapping."""

from __future__ import annotations

from pathlib import Path

import pytest
from kin import COMPANIES, DEALS, MAIN_CONTACT, PEOPLE, Kin, family, make_kin
from world import writes

from connectors.memory import Store
from syncd import parity
from syncd.cycle import plan_only, prepare
from syncd.view.why import why

ROLES = "OpportunityContactRoles.ContactId"


@pytest.fixture
def kin(tmp_path: Path) -> Kin:
    return make_kin(tmp_path)


def test_parents_go_first_and_children_point_to_them_in_the_same_cycle(kin: Kin) -> None:
    """Whatever the order of the files, a deal arrives with its account and its roles, in one create."""
    _company, _person, deal = family(kin)
    kin.all_once()

    (account,), (contact,), (opportunity,) = (kin.sf.keys(object_) for object_ in ("Account", "Contact", "Opportunity"))
    assert kin.sf.values("Contact", contact)["AccountId"] == account
    assert kin.sf.values("Opportunity", opportunity)["AccountId"] == account
    assert kin.sf.values("Opportunity", opportunity)[ROLES] == [contact]
    assert [write.op for write in kin.sf.writes] == ["create", "create", "create"]
    assert kin.settle() == 0
    assert kin.waits() == 0
    assert kin.across("deals", "deals", deal) == opportunity


def test_a_changed_reference_crosses_both_ways(kin: Kin) -> None:
    """Another company of the person arrives as the account that it is linked to, and back."""
    _, person, deal = family(kin)
    second = kin.mk.create("companies", {"name": "Difference Engines"}, by="ann")
    kin.settle()
    opportunity = kin.across("deals", "deals", deal)
    kin.mk.edit("contacts", person, {"associations.companies": second, "name": "Ada"}, by="ann")
    kin.settle()
    assert kin.sf.values("Contact", kin.across("people", "contacts", person))["AccountId"] == kin.across(
        "companies", "companies", second
    )

    kin.sf.edit("Opportunity", opportunity, {"AccountId": kin.across("companies", "companies", second)}, by="rep")
    kin.settle()
    assert kin.mk.values("deals", deal)["associations.companies"] == second


def test_a_list_crosses_as_a_set_and_leaves_strangers_alone(kin: Kin) -> None:
    """What is added or taken away on one side is added or taken away on the other; who has no link there stays."""
    _, person, deal = family(kin)
    grace = kin.mk.create("contacts", {"email": "grace@example.test"}, by="ann")
    stranger = kin.mk.create("contacts", {"name": "No address"}, by="ann")
    kin.settle()
    opportunity = kin.across("deals", "deals", deal)
    ada_, grace_ = kin.across("people", "contacts", person), kin.across("people", "contacts", grace)

    kin.mk.edit("deals", deal, {"name": "Engine", "associations.contacts": [person, grace, stranger]}, by="ann")
    kin.settle()
    assert kin.sf.values("Opportunity", opportunity)[ROLES] == sorted([ada_, grace_])

    kin.sf.edit("Opportunity", opportunity, {ROLES: [grace_]}, by="rep")
    kin.settle()
    assert kin.mk.values("deals", deal)["associations.contacts"] == sorted([grace, stranger])

    kin.mk.edit("contacts", stranger, {"email": "stranger@example.test"}, by="ann")
    kin.settle()
    assert kin.sf.values("Opportunity", opportunity)[ROLES] == sorted(
        [grace_, kin.across("people", "contacts", stranger)]
    )


def test_a_child_whose_parent_takes_no_part_goes_without_and_is_completed_later(kin: Kin) -> None:
    """A company that is not to be created holds up nobody; once it is linked, the child is woken by that alone."""
    company = kin.mk.create("companies", {}, by="ann")
    person = kin.mk.create("contacts", {"email": "ada@example.test", "associations.companies": company}, by="ann")
    kin.settle()
    contact = kin.across("people", "contacts", person)
    assert kin.sf.values("Contact", contact)["AccountId"] is None
    assert kin.waits() == 1
    said = [entry.said for entry in kin.ledger.journal.page(limit=100) if entry.kind == "waits"]
    assert said == ["company: waits for its record in companies"]

    kin.mk.edit("companies", company, {"name": "Analytical Engines"}, by="ann")
    kin.settle()
    assert kin.sf.values("Contact", contact)["AccountId"] == kin.across("companies", "companies", company)
    assert kin.waits() == 0
    assert kin.ledger.inbox.issues() == []


def test_an_edit_to_a_reference_that_waits_is_no_clash_and_is_not_forgotten(kin: Kin) -> None:
    """A person moves to a company that is not linked yet: nothing is written and nothing settles until it is."""
    _, person, _ = family(kin)
    kin.settle()
    contact = kin.across("people", "contacts", person)
    before = kin.sf.values("Contact", contact)["AccountId"]
    nameless = kin.mk.create("companies", {}, by="ann")
    kin.mk.edit("contacts", person, {"associations.companies": nameless, "name": "Ada"}, by="ann")
    kin.settle()
    assert kin.sf.values("Contact", contact)["AccountId"] == before
    assert kin.ledger.inbox.issues() == []
    assert kin.ledger.inbox.conflicts() == []

    kin.mk.edit("companies", nameless, {"name": "Difference Engines"}, by="ann")
    kin.settle()
    assert kin.sf.values("Contact", contact)["AccountId"] == kin.across("companies", "companies", nameless)


def test_a_create_waits_for_the_partner_that_its_parent_is_about_to_get(kin: Kin) -> None:
    """While the company's create is held, the people of it wait, and the run says so; released, all go in one cycle."""
    family(kin)
    kin.all_once("companies", yes=False)
    tallies = kin.all_once(yes=False)
    assert kin.sf.keys("Contact") == []
    assert not kin.ledger.intents.total(("planned", "held"), "people")
    assert (tallies["people"].waiting_for, tallies["people"].as_json(0)["waiting_for_others"]) == (1, 1)

    tallies = kin.all_once()
    (contact,) = kin.sf.keys("Contact")
    assert kin.sf.values("Contact", contact)["AccountId"] == kin.sf.keys("Account")[0]
    assert tallies["people"].waiting_for == 0


def test_a_create_waits_no_longer_than_its_parents_create(kin: Kin) -> None:
    """The company is refused for good: the person goes without it, and nobody waits for what nobody makes."""
    family(kin)
    kin.sf.fault("refused", object="Account", op="create", code="VALIDATION")
    kin.all_once()
    kin.settle()

    (contact,) = kin.sf.keys("Contact")
    assert kin.sf.values("Contact", contact)["AccountId"] is None
    assert [issue.kind for issue in kin.ledger.inbox.issues()] == ["refused"]


def test_a_required_reference_holds_the_create_back_until_there_is_a_link(tmp_path: Path) -> None:
    """required = true: no deal without its account, neither while it is blank nor while it has no partner."""
    required = DEALS.replace('link = "companies"\n', 'link = "companies"\nrequired = true\n')
    kin = make_kin(tmp_path, required, PEOPLE, COMPANIES)
    company = kin.mk.create("companies", {}, by="ann")
    deal = kin.mk.create("deals", {"name": "One engine"}, by="ann")
    kin.settle()
    assert kin.sf.keys("Opportunity") == []

    kin.mk.edit("deals", deal, {"name": "An engine", "associations.companies": company}, by="ann")
    kin.settle()
    assert kin.sf.keys("Opportunity") == []
    assert kin.all_once()["deals"].waiting_for == 1

    kin.mk.edit("companies", company, {"name": "Analytical Engines"}, by="ann")
    kin.settle()
    (opportunity,) = kin.sf.keys("Opportunity")
    assert kin.sf.values("Opportunity", opportunity)["AccountId"] == kin.sf.keys("Account")[0]


def test_a_circle_of_references_comes_to_rest(tmp_path: Path) -> None:
    """A company's main contact works at that company: one of the two goes first, and the other is completed."""
    kin = make_kin(tmp_path, COMPANIES + MAIN_CONTACT, PEOPLE)
    company = kin.mk.create("companies", {"name": "Analytical Engines"}, by="ann")
    person = kin.mk.create("contacts", {"email": "ada@example.test", "associations.companies": company}, by="ann")
    kin.mk.edit("companies", company, {"main_contact": person}, by="ann")
    kin.settle()

    account, contact = kin.across("companies", "companies", company), kin.across("people", "contacts", person)
    assert kin.sf.values("Account", account)["MainContact"] == contact
    assert kin.sf.values("Contact", contact)["AccountId"] == account
    assert kin.waits() == 0


def test_a_parent_that_is_merged_does_not_look_like_an_edit_of_its_children(kin: Kin) -> None:
    """The account lives on under another key: what refers to it says the same as before."""
    company, _person, deal = family(kin)
    kin.settle()
    survivor = kin.sf.create("Account", {"Name": "Analytical Engines Ltd"}, by="rep")
    kin.sf.merge("Account", survivor, kin.across("companies", "companies", company), by="rep")
    opportunity = kin.across("deals", "deals", deal)
    kin.sf.touch("Opportunity", opportunity)
    before = len(kin.mk.writes)
    kin.settle()

    assert kin.across("companies", "companies", company) == survivor
    assert kin.sf.values("Opportunity", opportunity)["AccountId"] == survivor
    assert [write for write in kin.mk.writes[before:] if write.object == "deals"] == []
    assert [write for write in kin.sf.writes if write.op == "update" and write.object == "Opportunity"] == []


def test_a_mapping_without_references_asks_nothing_more(tmp_path: Path) -> None:
    """The companies alone: no look-up for references, no waits."""
    kin = make_kin(tmp_path, COMPANIES)
    kin.mk.create("companies", {"name": "Analytical Engines"}, by="ann")
    asked: list[str] = []
    rows = kin.ledger.store.rows
    kin.ledger.store.rows = lambda sql, *more: (asked.append(sql), rows(sql, *more))[1]  # type: ignore[method-assign]
    kin.settle()

    assert not [sql for sql in asked if "wait" in sql.split()]
    assert writes(kin.all_once()["companies"]) == 0


def test_why_judges_references_as_a_cycle_does(kin: Kin) -> None:
    """Two keys that mean one link agree; who waits is told with the record that is waited for."""
    _, person, _ = family(kin)
    kin.settle()
    nameless = kin.mk.create("companies", {}, by="ann")
    told = why(kin.ledger, kin.mappings(), {}, ("mk", "contacts", person), "company")["mappings"][0]
    assert told["fields"]["company"]["verdict"] == "agree"
    assert told["waits_for"] == []

    kin.mk.edit("contacts", person, {"associations.companies": nameless, "name": "Ada"}, by="ann")
    kin.settle()
    told = why(kin.ledger, kin.mappings(), {}, ("mk", "contacts", person), "company")["mappings"][0]
    assert (told["fields"]["company"]["verdict"], told["fields"]["company"]["reason"]) == (
        "stand",
        "waits for its company",
    )
    waits = {"mapping": "companies", "side": "marketing", "key": nameless, "fields": ["company"], "create": False}
    assert told["waits_for"] == [waits]


def test_parity_compares_references_by_their_links(kin: Kin) -> None:
    """No reference drifts because two systems have two keys for one company, nor because no feed has told it yet."""
    _, person, _ = family(kin)
    second = kin.mk.create("companies", {"name": "Difference Engines"}, by="ann")
    kin.settle()
    kin.mk.edit("contacts", person, {"associations.companies": second}, by="ann")
    run = kin.run()
    for bench in prepare(run, kin.mappings(), None):
        *_, figure = parity.steps(run, bench, None)
        assert figure.as_json()["drift"] == 0, figure.as_json()
        assert figure.as_json()["in_flight"] == (bench.mapping.name == "people")


def test_a_held_plan_does_not_point_to_who_was_merged_meanwhile(kin: Kin) -> None:
    """Between plan and write the account became another one: the deal is decided again, and refers to that."""
    company, _, deal = family(kin)
    second = kin.mk.create("companies", {"name": "Difference Engines"}, by="ann")
    kin.settle()
    kin.mk.edit("deals", deal, {"name": "Engine", "associations.companies": second}, by="ann")
    run = kin.run()
    plan_only(run, kin.mappings(), None)
    assert kin.ledger.intents.total(("planned", "held"), "deals") == 1
    survivor = kin.sf.create("Account", {"Name": "Difference Engines Ltd"}, by="rep")
    kin.sf.merge("Account", survivor, kin.across("companies", "companies", second), by="rep")
    kin.settle()

    assert kin.across("companies", "companies", second) == survivor
    assert kin.sf.values("Opportunity", kin.across("deals", "deals", deal))["AccountId"] == survivor
    assert kin.ledger.inbox.issues() == []
    assert kin.across("companies", "companies", company) != survivor


def test_an_idle_cycle_asks_each_object_once_and_nothing_else(kin: Kin) -> None:
    """References cost no call while nothing moves and no interval is over."""
    family(kin)
    kin.settle()
    for store in (kin.mk, kin.sf):
        store.calls.clear()
    kin.all_once()

    for store in (kin.mk, kin.sf):
        asked = [(call.method, call.object) for call in store.calls if call.method not in ("identify", "page")]
        assert sorted(asked) == sorted(("changes", name) for name in store.kinds)


def test_who_lacks_what_is_required_is_told_until_it_is_there(tmp_path: Path) -> None:
    """A deal of nobody: counted as waiting, told by `why`, one issue that names field and line; made and closed by
    itself when the company is filled in, though only the association moved."""
    required = DEALS.replace('link = "companies"\n', 'link = "companies"\nrequired = true\n')
    kin = make_kin(tmp_path, required, PEOPLE, COMPANIES)
    deal = kin.mk.create("deals", {"name": "One engine"}, by="ann")
    kin.settle()
    assert kin.all_once()["deals"].waiting_for == 1
    (issue,) = kin.ledger.inbox.issues()
    assert (issue.kind, issue.field, issue.key) == ("lacks_required", "company", deal)
    assert issue.reason == "company: it refers to nobody in companies, and is not created in sf before it does"
    assert "file0.toml:14:" in issue.remedy
    told = why(kin.ledger, kin.mappings(), {}, ("mk", "deals", deal), None)["mappings"][0]
    assert told["waits_for"] == [
        {"mapping": "companies", "side": "marketing", "key": None, "fields": ["company"], "create": True}
    ]
    assert [one["id"] for one in told["issues"]] == [issue.id]
    said = [one.said for one in kin.ledger.journal.page(object=issue.object, key=deal, limit=50) if one.kind == "waits"]
    assert said == ["company: refers to nobody in companies, and is not created"]

    company = kin.mk.create("companies", {"name": "Analytical Engines"}, by="ann")
    kin.mk.edit("deals", deal, {"associations.companies": company}, by="ann")
    kin.pass_time(3600)
    kin.settle()
    (opportunity,) = kin.sf.keys("Opportunity")
    assert kin.sf.values("Opportunity", opportunity)["AccountId"] == kin.sf.keys("Account")[0]
    assert kin.ledger.inbox.issues() == []
    assert kin.waits() == 0


@pytest.mark.parametrize("end", ["deleted", "not meant to cross", "not required", "linked by hand"])
def test_that_something_is_lacking_is_told_no_longer_than_it_matters(tmp_path: Path, end: str) -> None:
    """The issue ends with its record, with the rule that wanted it created, and with a partner that is found."""
    required = DEALS.replace('link = "companies"\n', 'link = "companies"\nrequired = true\n')
    required = required.replace("crm = 'name != \"\"'", "crm = 'name.startsWith(\"One\")'")
    kin = make_kin(tmp_path, required, PEOPLE, COMPANIES)
    deal = kin.mk.create("deals", {"name": "One engine"}, by="ann")
    kin.settle()
    assert [issue.kind for issue in kin.ledger.inbox.issues()] == ["lacks_required"]
    if end == "deleted":
        kin.mk.delete("deals", deal)
    elif end == "not meant to cross":
        kin.mk.edit("deals", deal, {"name": "An engine"}, by="ann")
    elif end == "not required":
        kin.texts = (required.replace("required = true\n", ""), PEOPLE, COMPANIES)
    else:
        kin.sf.create("Opportunity", {"Name": "One engine"}, by="rep")
    kin.pass_time(7 * 3600)
    kin.settle()
    assert kin.ledger.inbox.issues() == []


@pytest.mark.parametrize("required", [True, False])
def test_a_create_that_points_to_somebody_merged_away_at_that_moment_settles_itself(
    tmp_path: Path, required: bool
) -> None:
    """Refused; as soon as the merge is seen the link leads to the survivor, and so does the create, or, where it need not
    refer to anybody, the record that was made without it. Nobody has to retry anything."""
    strict = DEALS.replace('link = "companies"\n', 'link = "companies"\nrequired = true\n')
    kin = make_kin(tmp_path, strict if required else DEALS, PEOPLE, COMPANIES)
    company = kin.mk.create("companies", {"name": "Analytical Engines"}, by="ann")
    kin.settle()
    account = kin.across("companies", "companies", company)
    survivors: list[str] = []

    def merges(store: Store, effect: object) -> None:
        survivors.append(store.create("Account", {"Name": "Analytical"}, by="rep"))
        store.merge("Account", survivors[0], account)

    kin.sf.fault("meanwhile", op="create", object="Opportunity", run=merges)
    kin.mk.create("deals", {"name": "One engine", "associations.companies": company}, by="ann")
    kin.all_once()
    assert survivors
    assert [issue.kind for issue in kin.ledger.inbox.issues()] == ["refused"] * required
    kin.settle()
    (opportunity,) = kin.sf.keys("Opportunity")
    assert kin.sf.values("Opportunity", opportunity)["AccountId"] == survivors[0]
    assert kin.ledger.inbox.issues() == []
    assert kin.waits() == 0


@pytest.mark.parametrize("others", [False, True], ids=["alone", "beside another field"])
def test_an_update_that_points_to_somebody_merged_away_at_that_moment_settles_itself(
    tmp_path: Path, others: bool
) -> None:
    """Refused once, and sent once more, to the survivor, when the merge is seen; nobody has to retry anything."""
    kin = make_kin(tmp_path, DEALS, PEOPLE, COMPANIES)
    company = kin.mk.create("companies", {"name": "Analytical Engines"}, by="ann")
    deal = kin.mk.create("deals", {"name": "One engine"}, by="ann")
    kin.settle()
    account, opportunity = (kin.across("companies", "companies", company), kin.across("deals", "deals", deal))
    survivors: list[str] = []

    def merges(store: Store, effect: object) -> None:
        if not survivors:
            survivors.append(store.create("Account", {"Name": "Analytical"}, by="rep"))
            store.merge("Account", survivors[0], account)

    kin.sf.fault("meanwhile", op="update", object="Opportunity", run=merges)
    kin.mk.edit(
        "deals", deal, {"associations.companies": company, **({"name": "Two engines"} if others else {})}, by="ann"
    )
    kin.pass_time(3600)
    kin.all_once()
    assert survivors
    assert kin.sf.values("Opportunity", opportunity)["AccountId"] is None
    (issue,) = kin.ledger.inbox.issues()
    assert (issue.kind, issue.field) == ("refused", "company")
    kin.all_once()
    assert kin.sf.values("Opportunity", opportunity)["AccountId"] == survivors[0], "in the very next cycle"
    kin.settle()

    assert kin.sf.values("Opportunity", opportunity)["Name"] == ("Two engines" if others else "One engine")
    assert kin.ledger.inbox.issues() == []
    assert kin.waits() == 0
    assert kin.mk.values("deals", deal)["associations.companies"] == company


def test_a_refused_reference_is_not_sent_again_while_it_leads_where_it_led(tmp_path: Path) -> None:
    """Other edits go on without it; it waits for its record to become another one, and for nothing else."""
    kin = make_kin(tmp_path, DEALS, PEOPLE, COMPANIES)
    company = kin.mk.create("companies", {"name": "Analytical Engines"}, by="ann")
    deal = kin.mk.create("deals", {"name": "One engine"}, by="ann")
    kin.settle()
    opportunity = kin.across("deals", "deals", deal)
    kin.sf.fault("refused", op="update", object="Opportunity", code="LOCKED_OUT", culprits=("AccountId",))
    kin.mk.edit("deals", deal, {"associations.companies": company}, by="ann")
    kin.pass_time(3600)
    kin.settle()
    assert [issue.kind for issue in kin.ledger.inbox.issues()] == ["refused"]
    sent = len([call for call in kin.sf.calls if call.method == "write"])

    kin.mk.edit("deals", deal, {"name": "Two engines"}, by="ann")
    kin.settle()
    assert kin.sf.values("Opportunity", opportunity)["Name"] == "Two engines"
    assert kin.sf.values("Opportunity", opportunity)["AccountId"] is None
    assert len([call for call in kin.sf.calls if call.method == "write"]) == sent + 1
    assert kin.waits() == 1
    (told,) = why(kin.ledger, kin.mappings(), {}, ("mk", "deals", deal), None)["mappings"]
    assert [(one["key"], one.get("refused")) for one in told["waits_for"]] == [(company, True)]

    survivor = kin.sf.create("Account", {"Name": "Analytical"}, by="rep")
    kin.sf.merge("Account", survivor, kin.across("companies", "companies", company))
    kin.settle()
    assert kin.sf.values("Opportunity", opportunity)["AccountId"] == survivor
    assert kin.ledger.inbox.issues() == []
    assert kin.waits() == 0


def test_marketings_merges_heal_a_refused_reference_as_soon_as_they_are_known(tmp_path: Path) -> None:
    """The other direction: its feed tells of no merge, so the sweep that does ends the wait."""
    kin = make_kin(tmp_path, DEALS, PEOPLE, COMPANIES)
    company = kin.mk.create("companies", {"name": "Analytical Engines"}, by="ann")
    deal = kin.mk.create("deals", {"name": "One engine"}, by="ann")
    kin.settle()
    survivors: list[str] = []

    def merges(store: Store, effect: object) -> None:
        if not survivors:
            survivors.append(store.create("companies", {"name": "Analytical"}, by="ann"))
            store.merge("companies", survivors[0], company)

    kin.mk.fault("meanwhile", op="update", object="deals", run=merges)
    opportunity = kin.across("deals", "deals", deal)
    kin.sf.edit("Opportunity", opportunity, {"AccountId": kin.across("companies", "companies", company)}, by="rep")
    kin.all_once()
    assert survivors
    assert [issue.field for issue in kin.ledger.inbox.issues()] == ["company"]
    kin.pass_time(7 * 3600)
    kin.settle()
    assert kin.mk.values("deals", deal)["associations.companies"] == survivors[0]
    assert kin.ledger.inbox.issues() == []
    assert kin.waits() == 0
