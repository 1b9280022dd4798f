"""Properties of the decisions: total, at rest when settled, the same from either side, and in any order.

The zoo is one mapping with a field of every type and policy; its mirror is the same file with both sides swapped. Every
record of the zoo is whatever hypothesis finds.
"""

from __future__ import annotations

from collections.abc import Mapping as Map
from functools import cache
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from syncd.core.compile import compile_mapping
from syncd.core.guard import Counters, Limit, reasons
from syncd.core.mapping import Field, Mapping
from syncd.core.match import Held, pick
from syncd.core.merge import Pair, Verdict, base_key, merge, pairs
from syncd.core.model import SIDES, Bad, Lookup, Owners, Side, Unmapped, Waits, other
from syncd.core.plan import End, create, decide, settle
from tests.fuzz.damage import tries

TYPES = {
    "text": "",
    "email": 'type = "email"',
    "domain": 'type = "domain"',
    "phone": 'type = "phone"\nregion = "DE"',
    "country": 'type = "country"',
    "number": 'type = "number"\nscale = 2',
    "truth": 'type = "bool"',
    "consent": 'type = "bool"',
    "day": 'type = "date"',
    "moment": 'type = "datetime"',
    "choice": 'type = "choice"\nvalues = { a = "A", b = "B", b2 = "B2" }',
    "several": 'type = "choices"\nvalues = { a = "A", b = "B" }',
    "owner": 'type = "owner"',
    "company": 'link = "companies"',
    "deals": 'link = "deals"\nmany = true',
}
SWAPPED = {"marketing": "crm", "crm": "marketing", "to_crm": "to_marketing", "to_marketing": "to_crm"}
MIRRORED = frozenset(TYPES) - {"choice", "several"}
"""A value map is read in the CRM's words: its mirror is another map."""
LOOKUP = Lookup(
    {"marketing": {"c1": 1, "c2": 2}, "crm": {"c1": 1, "a2": 2, "a2old": 2}},
    {"marketing": {1: "c1", 2: "c2"}, "crm": {1: "c1", 2: "a2"}},
)
OWNERS: dict[Side, Owners] = {
    "marketing": Owners({"1": "ada@x.test", "2": "bob@x.test"}, {"ada@x.test": "1", "bob@x.test": "2"}),
    "crm": Owners({"005A": "ada@x.test", "005C": "cem@x.test"}, {"ada@x.test": "005A", "cem@x.test": "005C"}),
}
RAW = st.one_of(
    st.sampled_from(
        [
            *(
                None,
                "",
                " ",
                "a",
                "b",
                "b2",
                "A",
                "B",
                "B2",
                "a;b",
                "A;B",
                " a ",
                "x@y.test",
                "X@Y.test",
                "https://y.test",
            ),
            *("0", "1", "1.005", 1, 0, 1.5, True, False, "true", "+49 30 1234567", "030 1234567", "DE", "Germany"),
            *("2026-11-21", "2026-11-21T00:00:00Z", 1_795_000_000_000, "1", "2", "005A", "005C", "c1", "c2", "a2"),
            *(
                "a2old",
                "x1",
                ["c1", "c2"],
                ["c1", "x1"],
                ["a2"],
                [],
                {"a": 1},
                float("inf"),
                "e\u0301",
                "\u00e9",
                "\ud800",
            ),
        ]
    ),
    st.text(max_size=6),
    st.integers(),
    st.floats(allow_nan=False),
    st.lists(st.text(max_size=3), max_size=3),
)
ABSENT = "absent"


@cache
def zoo(flow: str, clash: str, meet: str, blank: str, mirror: bool = False) -> Mapping:
    """A field of every type with these policies; `mirror`: both sides swapped."""
    mine, theirs = ("crm", "marketing") if mirror else ("marketing", "crm")
    head = (
        'mapping = "zoo"\nmarketing = { system = "mk", object = "People" }\ncrm = { system = "sf", object = "People" }\n'
        '[match]\nby = ["email"]\n'
    )
    parts = []
    for name, options in TYPES.items():
        rule = {"flow": flow, "clash": "stricter" if name == "consent" else clash, "meet": meet, "blank": blank}
        if mirror:
            rule = {key: SWAPPED.get(value, value) for key, value in rule.items()}
        lines = "\n".join(f'{key} = "{value}"' for key, value in rule.items())
        parts.append(f'[fields.{name}]\n{mine} = "m_{name}"\n{theirs} = "c_{name}"\n{lines}\n{options}\n')
    mapping, problems = compile_mapping(head + "".join(parts), "zoo.toml", None)
    assert mapping is not None, "\n".join(map(str, problems))
    lookup = _swapped(LOOKUP) if mirror else LOOKUP
    owners = {other(side): known for side, known in OWNERS.items()} if mirror else OWNERS
    return mapping.bind(owners).knowing({"company": lookup, "deals": lookup})


def _swapped(lookup: Lookup) -> Lookup:
    return Lookup(
        {other(side): keys for side, keys in lookup.link_by_key.items()},
        {other(side): keys for side, keys in lookup.key_by_link.items()},
    )


POLICIES = st.sampled_from(
    [
        *(("both", "marketing", "fill", "clear"), ("both", "crm", "crm", "keep"), ("both", "hold", "fill", "clear")),
        *(
            ("both", "crm", "hold", "clear"),
            ("to_crm", "marketing", "fill", "clear"),
            ("to_crm", "hold", "hold", "keep"),
        ),
        *(("to_marketing", "crm", "marketing", "clear"), ("to_marketing", "marketing", "crm", "keep")),
    ]
)
"""(flow, clash, meet, blank)"""


@st.composite
def worlds(draw: st.DrawFn) -> tuple[tuple[str, str, str, str], dict[str, tuple[Any, Any, Any, Any]]]:
    """Policies, and for some fields: marketing now, crm now, marketing's base, crm's base."""
    policies = draw(POLICIES)
    names = draw(st.sets(st.sampled_from(sorted(TYPES)), min_size=1, max_size=5))
    value = st.one_of(RAW, st.just(ABSENT))
    return policies, {name: (draw(value), draw(value), draw(value), draw(value)) for name in sorted(names)}


def said(values: Map[str, tuple[Any, Any, Any, Any]], at: int, prefix: str, *, base: bool = False) -> dict[str, Any]:
    """What one side says, or said when it settled."""
    return {
        (base_key(name, f"{prefix}_{name}") if base else f"{prefix}_{name}"): each[at]
        for name, each in values.items()
        if not (isinstance(each[at], str) and each[at] == ABSENT)
    }


def verdicts(mapping: Mapping, values: Map[str, tuple[Any, Any, Any, Any]], *, mirror: bool = False) -> list[Verdict]:
    sides = [
        said(values, 0, "m"),
        said(values, 1, "c"),
        said(values, 2, "m", base=True),
        said(values, 3, "c", base=True),
    ]
    if mirror:
        sides = [sides[1], sides[0], sides[3], sides[2]]
    return merge(pairs(mapping, "People", "People"), *sides)


@given(world=worlds())
@tries(400)
def test_merging_is_total_and_every_verdict_makes_sense(world: Any) -> None:
    """Whatever both sides hold or held: one verdict a field, and it either writes, settles, or waits."""
    policies, values = world
    found = verdicts(zoo(*policies), values)

    assert len({verdict.pair.field.name for verdict in found}) == len(found)
    for one in found:
        assert one.why
        assert one.to is None or one.pair.field.writable(one.to)
        assert not isinstance(one.after, (Unmapped, Bad, Waits))
        assert one.lost in (None, one.to)
        assert not (one.to is not None and one.issue is not None)


@given(world=worlds())
@tries(300)
def test_swapped_sides_decide_the_mirror_image(world: Any) -> None:
    """Nothing in a decision knows left from right but the policies that name a side."""
    policies, values = world
    values = {name: each for name, each in values.items() if name in MIRRORED}

    def told(found: list[Verdict], swap: bool) -> list[Any]:
        turn = (lambda word: SWAPPED.get(word, word)) if swap else (lambda word: word)
        return [
            (one.pair.field.name, turn(one.kind), turn(one.to), one.before, one.after, one.settles, turn(one.lost), one.issue)
            for one in found
        ]  # fmt: skip

    straight = verdicts(zoo(*policies), values)
    assert told(straight, False) == told(verdicts(zoo(*policies, mirror=True), values, mirror=True), True)


@given(world=worlds(), data=st.data())
@tries(200)
def test_the_order_of_fields_decides_nothing(world: Any, data: st.DataObject) -> None:
    """A file's fields in any order give the same verdicts."""
    policies, values = world
    paired = pairs(zoo(*policies), "People", "People")
    shuffled = tuple(data.draw(st.permutations(paired)))
    sides = (
        said(values, 0, "m"),
        said(values, 1, "c"),
        said(values, 2, "m", base=True),
        said(values, 3, "c", base=True),
    )

    def by_field(order: tuple[Pair, ...]) -> dict[str, Verdict]:
        return {verdict.pair.field.name: verdict for verdict in merge(order, *sides)}

    assert by_field(paired) == by_field(shuffled)


def key_of(side: Side, object_: int, key: str) -> str:
    return f"{side}:{object_}:{key}"


@given(world=worlds())
@tries(300)
def test_a_decision_carried_out_is_a_fixed_point(world: Any) -> None:
    """Written as decided and seen as written: the next decision writes nothing, and what waits goes on waiting."""
    policies, values = world
    mapping = zoo(*policies)
    paired = pairs(mapping, "People", "People")
    now: dict[Side, dict[str, Any]] = {"marketing": said(values, 0, "m"), "crm": said(values, 1, "c")}
    bases: dict[Side, dict[str, Any]] = {
        "marketing": said(values, 2, "m", base=True),
        "crm": said(values, 3, "c", base=True),
    }
    for lap in range(3):
        ends = {side: End(number, "People", "k", 0, now[side], bases[side], True) for number, side in enumerate(SIDES)}
        decision = decide(mapping, paired, ends, key_of)
        for side, base in decision.settled.items():
            bases[side] = dict(base)
        for effect in decision.effects:
            to, source = effect.side, other(effect.side)
            now[to] = now[to] | {change.attribute: change.after for change in effect.changes}
            bases[to] = settle(bases[to], [(base_key(one.field, one.attribute), one.after) for one in effect.changes])
            bases[source] = settle(
                bases[source], [(base_key(one.field, str(one.source)), one.decided) for one in effect.changes]
            )
        if lap:
            assert not decision.effects, [change for effect in decision.effects for change in effect.changes]


@given(raw=RAW, current=RAW, name=st.sampled_from(sorted(TYPES)), side=st.sampled_from(SIDES))
@tries(400)
def test_what_is_rendered_means_what_it_came_from_and_is_kept(raw: Any, current: Any, name: str, side: Side) -> None:
    """render(x) compares as x on the other side, and rendering again over it changes nothing."""
    field: Field = zoo("both", "crm", "fill", "keep").field(name)
    meant, written = field.canonical(other(side), raw), field.render(side, raw, current)
    hash(meant)
    if written is None or isinstance(written, (Unmapped, Bad, Waits)):
        return
    if field.reference is None or not field.reference.many:
        assert field.canonical(side, written) == meant
    assert field.canonical(side, field.render(side, raw, written)) == field.canonical(side, written)


@given(world=worlds(), to=st.sampled_from(SIDES))
@tries(200)
def test_a_create_is_made_of_anything(world: Any, to: Side) -> None:
    """No value of the source makes it raise, and nothing unwritable or consenting gets in."""
    policies, values = world
    mapping = zoo(*policies)
    source = said(values, 0, "m") if to == "crm" else said(values, 1, "c")
    effect = create(mapping, to, "People", 1, End(2, "People", "k", 0, source, {}, False), "People", key_of, "normal")
    for change in effect.changes:
        assert not isinstance(change.after, (Unmapped, Bad, Waits))
        assert change.after is not None
        assert change.field != "consent" or mapping.field("consent").canonical(to, change.after) is True


# ---------------------------------------------------------------- matching, guards


HELD = st.builds(
    Held,
    object=st.just(1),
    key=st.sampled_from("abcd"),
    rank=st.integers(0, 1),
    link=st.one_of(st.none(), st.integers(1, 3)),
)


@given(own=st.lists(HELD, max_size=4), across=st.lists(HELD, max_size=4), data=st.data())
@tries(200)
def test_the_order_of_candidates_decides_nothing(own: list[Held], across: list[Held], data: st.DataObject) -> None:
    """The first one found is never taken for being first."""
    own, across = (list({one.key: one for one in each}.values()) for each in (own, across))

    shuffled = data.draw(st.permutations(own)), data.draw(st.permutations(across))
    assert pick(own, across, (1, "a")) == pick(*shuffled, (1, "a"))


KINDS = ("creates", "updates", "clears", "deletes")
COUNTS = st.fixed_dictionaries({kind: st.integers(0, 50) for kind in KINDS})


@given(planned=COUNTS, more=COUNTS, today=COUNTS, links=st.integers(0, 200), share=st.sampled_from([0.0, 0.1, 1.0]))
@tries(200)
def test_a_larger_plan_is_held_wherever_a_smaller_one_is(
    planned: dict[str, int], more: dict[str, int], today: dict[str, int], links: int, share: float
) -> None:
    """More effects, or more of them today, never open what was held."""
    limits = {kind: Limit(10, 60, share) for kind in KINDS}

    def held(effects: dict[str, int], before: dict[str, int]) -> bool:
        return bool(reasons(Counters(effects, before, lambda: links, first=False), limits))

    larger = {kind: planned[kind] + more[kind] for kind in KINDS}
    later = {kind: today[kind] + more[kind] for kind in KINDS}
    if held(planned, today):
        assert held(larger, today)
        assert held(planned, later)
