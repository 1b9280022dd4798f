"""References in the core: who goes first, what may be followed, how keys compare, wait and cross."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sketch import mapping_of

from syncd.connector import Attribute, Schema
from syncd.core.compile import check_references, check_schema, compile_mapping
from syncd.core.mapping import Mapping
from syncd.core.merge import Verdict, merge, pairs
from syncd.core.model import Lookup, Side, Waits
from syncd.core.order import parents_first

COMPANY = (
    '[fields.company]\nmarketing = "company"\ncrm = { Contact = "AccountId" }\nlink = "companies"\nclash = "crm"\n'
)
PEOPLE = (
    '[fields.people]\nmarketing = "people"\ncrm = { Contact = "People" }\nlink = "people"\nmany = true\nclash = "crm"\n'
)
LOOKUP = Lookup(
    {"marketing": {"c1": 1, "c2": 2, "c3": 3}, "crm": {"a1": 1, "a2": 2, "a2old": 2, "a3": 3}},
    {"marketing": {1: "c1", 2: "c2", 3: "c3"}, "crm": {1: "a1", 2: "a2", 3: "a3"}},
)


# ---------------------------------------------------------------- who goes first


@dataclass(frozen=True)
class Named:
    """A mapping as far as order goes."""

    name: str
    references: tuple[Any, ...] = field(default=())


@dataclass(frozen=True)
class Follows:
    mapping: str


@dataclass(frozen=True)
class Refers:
    reference: Follows


def named(name: str, *parents: str) -> Named:
    return Named(name, tuple(Refers(Follows(parent)) for parent in parents))


@pytest.mark.parametrize(
    ("mappings", "order", "back"),
    [
        ([named("deals", "companies", "people"), named("people", "companies"), named("companies")],
         ["companies", "people", "deals"], set()),
        ([named("a"), named("b")], ["a", "b"], set()),
        ([named("a", "b"), named("b", "a")], ["b", "a"], {("b", "a")}),
        ([named("a", "a")], ["a"], {("a", "a")}),
        ([named("a", "nobody")], ["a"], set()),
        ([named("a", "b"), named("b", "c"), named("c", "a", "d"), named("d")],
         ["d", "c", "b", "a"], {("c", "a")}),
    ],
)  # fmt: skip
def test_parents_go_first_and_a_circle_is_cut_at_the_later_file(
    mappings: list[Named], order: list[str], back: set[tuple[str, str]]
) -> None:
    """The order follows the references, then the files; each mapping is in it once."""
    found, edges = parents_first(mappings)

    assert [mapping.name for mapping in found] == order
    assert edges == back


# ---------------------------------------------------------------- what may be followed


def other(name: str, fields: str = "", *, system: str = "hubspot", forms: str = 'object = "Account"') -> Mapping:
    text = (
        f'mapping = "{name}"\nmarketing = {{ system = "{system}", object = "companies" }}\n'
        f'crm = {{ system = "salesforce", {forms} }}\nmatch = {{ by = ["name"] }}\n'
        '[fields.name]\nmarketing = "name"\ncrm = "Name"\n'
    )
    mapping, problems = compile_mapping(text + fields, f"{name}.toml", None)
    assert mapping is not None, problems
    return mapping


def test_a_reference_leads_somewhere_or_is_refused_where_it_stands() -> None:
    """Nowhere, to other systems, to a form that is not there, round in a circle: each is told with its place."""
    people = mapping_of(COMPANY)

    def told(*others: Mapping, child: Mapping = people, broken: tuple[str, ...] = ()) -> list[str]:
        return [f"{one.line}:{one.column} {one.what}" for one in check_references([child, *others], broken)]

    assert told(other("companies")) == []
    assert told(other("company")) == ["10:8 'company' follows the links of 'companies', and there is no such mapping"]
    assert told(broken=("companies",)) == []
    assert told(other("companies", system="marketo")) == [
        "10:8 'company' lives in hubspot, and 'companies' pairs records of marketo there"
    ]
    refers = mapping_of(COMPANY + 'refers = { crm = "Opportunity" }\n')
    assert told(other("companies"), child=refers) == [
        "10:8 'company' refers to Opportunity, and 'companies' has no such form on crm"
    ]


def test_two_that_each_need_the_other_first_are_refused() -> None:
    """A required reference back in a circle would make everybody wait for ever."""
    back = '[fields.who]\nmarketing = "who"\ncrm = "Who"\nlink = "people"\n'
    needs = back + "required = true\n"
    people = mapping_of(COMPANY + "required = true\n")

    assert check_references([people, other("companies", back)]) == []
    (problem,) = check_references([people, other("companies", needs)])
    assert problem.file == "companies.toml"
    assert "each would wait for the other" in problem.what


def test_a_reference_is_held_against_what_the_system_says() -> None:
    """One key or a list, and to which objects: a mapping that would be refused later is refused now."""
    people, parents = (
        mapping_of(COMPANY),
        {"companies": other("companies", forms='object = "Account", becomes = "Branch"')},
    )

    def told(attribute: Attribute, mapping: Mapping = people) -> list[str]:
        attributes = {name: Attribute(name, "text") for name in mapping.attributes("crm", "Contact")}
        schema = Schema("Contact", attributes | {"AccountId": attribute})
        found = check_schema(mapping, "crm", "Contact", schema, parents=parents)
        return [f"{one.what} -> {one.mend}" for one in found if "AccountId" in one.what]

    assert told(Attribute("AccountId", "reference", refers=("Account", "Branch"))) == []
    assert told(Attribute("AccountId", "reference", refers=("Account",))) == [
        'Contact.AccountId cannot point to Branch -> refers = { crm = "Account" }'
    ]
    assert told(Attribute("AccountId", "references")) == ["Contact.AccountId holds a list of keys -> many = true"]
    assert told(Attribute("AccountId", "reference", refers=("User",))) == [
        "Contact.AccountId points to User, and 'companies' pairs Account, Branch ->"
        " follow another mapping, or name another attribute"
    ]


# ---------------------------------------------------------------- how they compare


def verdict(fields: str, m: Any, c: Any, base_m: Any = None, base_c: Any = None, *, met: bool = True) -> Verdict | None:
    """What is decided on the one reference of a pair. `met`: both sides settled before."""
    mapping = mapping_of(fields)
    name = mapping.references[0].name
    mapping = mapping.knowing({name: LOOKUP})
    (pair,) = (pair for pair in pairs(mapping, "contacts", "Contact") if pair.field.name == name)
    bases = ({pair.marketing_base: base_m}, {pair.crm_base: base_c}) if met else ({}, {})
    found = merge((pair,), {pair.marketing: m}, {pair.crm: c}, *bases)
    return found[0] if found else None


@pytest.mark.parametrize(
    ("m", "c", "base_m", "base_c", "kind", "to", "after"),
    [
        ("c2", "a1", "c1", "a1", "marketing", "crm", "a2"),
        ("c1", "a2", "c1", "a1", "crm", "marketing", "c2"),
        ("c2", "a2", "c1", "a1", "agree", None, None),
        ("c2", "a2old", "c2", "a2", "agree", None, None),
        ("c2", "a3", "c1", "a1", "clash", "marketing", "c3"),
        (None, "a1", "c1", "a1", "stand", None, None),
    ],
)
def test_keys_compare_by_their_links(
    m: Any, c: Any, base_m: Any, base_c: Any, kind: str, to: Side | None, after: Any
) -> None:
    """The other side's key is written; another key of the same link is no edit."""
    found = verdict(COMPANY, m, c, base_m, base_c)

    assert found is not None
    assert (found.kind, found.to, found.after, found.waits) == (kind, to, after, ())


@pytest.mark.parametrize(
    ("m", "c", "bases"),
    [
        ("new", "a1", ("c1", "a1")),
        ("new", "a2", ("c1", "a1")),
        ("new", None, ("c1", "a1")),
        ("new", None, None),
        ("new", "a1", None),
    ],
)
def test_a_key_without_a_link_settles_nothing_and_is_no_clash(m: Any, c: Any, bases: tuple[Any, Any] | None) -> None:
    """Whatever the other side says: it waits, and is decided again once the link is there."""
    found = verdict(COMPANY.replace('clash = "crm"', 'clash = "hold"'), m, c, *(bases or ()), met=bases is not None)

    assert found is not None
    assert (found.kind, found.to, found.settles, found.issue) == ("stand", None, False, None)
    assert found.waits == (Waits("marketing", "new"),)


def test_who_wins_by_rule_writes_over_a_key_that_waits() -> None:
    """The other side moved too, and it wins: nobody waits to be overruled."""
    found = verdict(COMPANY, "new", "a2", "c1", "a1")

    assert found is not None
    assert (found.kind, found.to, found.after) == ("clash", "marketing", "c2")


def test_lists_compare_as_sets_of_those_that_have_a_link() -> None:
    """Order and strangers make no difference; strangers stay where they are, and are waited for."""
    rest = verdict(PEOPLE, ["c1", "x", "c2"], ["a2", "a1"], ["c1", "c2"], ["a1", "a2"])
    assert rest is not None
    assert (rest.kind, rest.to, rest.waits) == ("agree", None, (Waits("marketing", "x"),))

    added = verdict(PEOPLE, ["c1", "c3", "x"], ["a1", "y"], ["c1"], ["a1"])
    assert added is not None
    assert (added.to, added.after, added.decided) == ("crm", ["a1", "a3", "y"], ["c1", "c3"])

    emptied = verdict(PEOPLE + 'blank = "clear"\n', None, ["a1", "y"], ["c1"], ["a1"])
    assert emptied is not None
    assert (emptied.to, emptied.after) == ("crm", ["y"])


def test_without_a_look_up_keys_compare_by_themselves_and_nothing_crosses() -> None:
    """One side alone can be compared; where nobody looked anything up, everything waits."""
    field_ = mapping_of(COMPANY).references[0]

    assert field_.canonical("crm", "a1") == field_.canonical("crm", " a1 ")
    assert field_.canonical("crm", "a1") != field_.canonical("marketing", "a1")
    assert field_.render("crm", "c1", None) == Waits("marketing", "c1")


@given(
    m=st.lists(st.sampled_from(["c1", "c2", "c3", "x", "y"])),
    c=st.lists(st.sampled_from(["a1", "a2", "a2old", "a3", "z"])),
    base=st.sets(st.sampled_from([1, 2, 3])),
)
def test_lists_settle_after_one_write_and_no_stranger_is_lost(m: list[str], c: list[str], base: set[int]) -> None:
    """Whatever both sides held: what is written agrees, nothing follows from it, and who has no link is still there."""
    key_m, key_c = LOOKUP.key_by_link["marketing"], LOOKUP.key_by_link["crm"]
    base_m, base_c = sorted(key_m[one] for one in base) or None, sorted(key_c[one] for one in base) or None
    fields = PEOPLE + 'blank = "clear"\n'
    found = verdict(fields, sorted(set(m)) or None, sorted(set(c)) or None, base_m, base_c)
    if found is None or found.to is None:
        return
    now_m = found.after if found.to == "marketing" else m
    now_c = found.after if found.to == "crm" else c

    assert {"x", "y"} & set(now_m or ()) == {"x", "y"} & set(m)
    assert {"z"} & set(now_c or ()) == {"z"} & set(c)
    field_ = mapping_of(fields).knowing({"people": LOOKUP}).references[0]
    settled = field_.settled("marketing", now_m), field_.settled("crm", now_c)
    after = verdict(fields, now_m, now_c, *settled)
    assert after is None or after.to is None
    assert field_.canonical("marketing", now_m) == field_.canonical("crm", now_c)
