"""Who answers a campaign: what a watch saw of a person makes the status of their member, forward only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from test_membership import CAMPAIGNS, PEOPLE, Campaigns
from test_membership import world as campaigns_world

from syncd.assembly import Mappings
from syncd.connector import Attribute
from syncd.core.kinds import compile_file
from syncd.core.mapping import Mapping
from syncd.core.watch import Watch, check_answers
from syncd.cycle import cycle
from syncd.view.why import why

FORMS = """
name   = "forms"
kind   = "watch"
side   = "marketing"
system = "mk"
object = "contacts"
means  = "touch"
each   = "change"
at     = "sent"
on     = { itself = "people" }
[fields.sent]
attribute = "sent"
type      = "datetime"
[fields.form]
attribute = "form"
"""
ANSWERED = (
    CAMPAIGNS.replace('joined = "Sent"', 'joined = "Sent"\nanswered = "Responded"')
    + '[answers.forms]\nfield = "form"\nlists = { "Choosing" = ["A maker", "Makers"] }\n'
)


@dataclass
class Answering(Campaigns):
    membership: str = ANSWERED

    def mappings(self) -> Mappings:
        made: dict[str, Mapping | Watch] = {}
        for text in (self.membership, PEOPLE, FORMS):
            found, problems = compile_file(text, "file.toml", None, frozenset({"people", "campaigns"}))
            assert not problems, [str(problem) for problem in problems]
            made |= {one.name: one for one in found}
        watches = {name: one for name, one in made.items() if isinstance(one, Watch)}
        mappings = {name: one for name, one in made.items() if isinstance(one, Mapping)}
        assert not [*check_answers(mappings.values(), watches)]
        return Mappings(mappings, None, (), watches)

    def sends(self, contact: str, form: str, at: str = "2026-11-20T10:00:00Z") -> None:
        self.mk.edit("contacts", contact, {"sent": at, "form": form}, by="form")

    def statuses(self) -> list[str]:
        return sorted(status for _, _, status in self.members())


@pytest.fixture
def world(tmp_path: Path) -> Answering:
    plain = campaigns_world.__wrapped__(tmp_path)  # type: ignore[attr-defined]
    kind = plain.mk.kinds["contacts"]
    more = {"sent": Attribute("sent", "datetime"), "form": Attribute("form", "text")}
    plain.mk.kinds["contacts"] = replace(kind, attributes={**kind.attributes, **more})
    plain.ledger.close()
    return Answering(tmp_path / "ledger.db", plain.mk, plain.sf)


@pytest.fixture
def ada(world: Answering) -> str:
    """Somebody in both lists, whose campaigns are there."""
    for name, campaign in (("General guide", "General guide"), ("Choosing", "Choosing a maker")):
        world.mk.create("lists", {"name": name})
        world.sf.create("Campaign", {"Name": campaign})
    contact = world.mk.create("contacts", {"email": "ada@x.test", "name": "Ada"}, by="form")
    for list_ in world.mk.keys("lists"):
        world.join(contact, list_)
    return contact


def test_who_sends_the_form_of_a_campaign_has_responded_to_it(world: Answering, ada: str) -> None:
    """Of that campaign and no other, by the list's own name, at the end of what the watch saw."""
    world.settle()
    assert world.statuses() == ["Sent", "Sent"]
    world.sends(ada, "Start page: General guide")
    world.settle()
    by_campaign = {campaign: status for campaign, _, status in world.members()}
    guide, choosing = world.sf.keys("Campaign")
    assert by_campaign == {guide: "Responded", choosing: "Sent"}

    world.sends(ada, "MAKERS", "2026-11-21T10:00:00Z")
    world.settle()
    assert world.statuses() == ["Responded", "Responded"]


def test_who_answered_before_joining_joins_as_one_who_did(world: Answering, ada: str) -> None:
    """The form is what brought her into the list: her member is made with the answer."""
    world.sends(ada, "General guide")
    world.settle()
    assert world.statuses() == ["Responded", "Sent"]
    made = [write.values["Status"] for write in world.sf.writes if write.object == "CampaignMember"]
    assert sorted(made) == ["Responded", "Sent"], "in one write each"


def test_another_form_is_no_answer_and_nothing_goes_back(world: Answering, ada: str) -> None:
    """An answer is never taken back by a later form; what sales set further on stays."""
    world.settle()
    world.sends(ada, "Newsletter")
    world.settle()
    assert world.statuses() == ["Sent", "Sent"]
    first, second = world.sf.keys("CampaignMember")
    world.sf.edit("CampaignMember", first, {"Status": "Attended"}, by="rep")
    world.sf.edit("CampaignMember", second, {"Status": "Responded"}, by="rep")
    world.settle()
    world.sends(ada, "General guide", "2026-11-22T10:00:00Z")
    world.sends(ada, "Newsletter", "2026-11-23T10:00:00Z")
    world.settle()
    assert world.statuses() == ["Attended", "Responded"]


def test_a_merged_person_has_the_answers_of_both(world: Answering, ada: str) -> None:
    """What was seen under a key that lives on as another is theirs."""
    other = world.mk.create("contacts", {"email": "ada@y.test", "name": "Ada"}, by="form")
    world.sends(other, "General guide")
    world.settle()
    assert world.statuses() == ["Sent", "Sent"]
    world.mk.claim("contacts", merges=True)
    world.mk.merge("contacts", ada, other)
    world.sends(ada, "Newsletter", "2026-11-23T10:00:00Z")
    world.settle()
    assert world.statuses() == ["Responded", "Sent"]


def test_a_cycle_in_which_nobody_answers_decides_nothing(world: Answering, ada: str) -> None:
    """The cost follows what moved."""
    world.settle()
    world.mk.edit("contacts", ada, {"name": "Ada L."}, by="ann")
    world.settle()
    assert world.all_once()["campaigns"].moved == 0


def test_a_killed_cycle_forgets_no_answer(world: Answering, ada: str) -> None:
    """Event, mark and wake-up are kept in one transaction."""
    world.settle()
    world.sends(ada, "General guide")
    run = world.run()

    def dies(*given: object, **more: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("syncd.cycle.decide", dies)
        with pytest.raises(KeyboardInterrupt):
            cycle(run, world.mappings(), None, yes=True)
    world.restart()
    world.settle()
    assert world.statuses() == ["Responded", "Sent"]


def test_why_tells_the_answer(world: Answering, ada: str) -> None:
    """The status of a member has two values and a rule, like any field."""
    world.sends(ada, "General guide")
    world.settle()
    member = next(
        k for k in world.mk.keys("list_memberships") if world.mk.values("list_memberships", k)["list_name"][0] == "G"
    )
    told = why(world.ledger, world.mappings(), {}, ("mk", "list_memberships", member), "status")
    status = next(one for one in told["mappings"] if one["mapping"] == "campaigns")["fields"]["status"]
    assert (status["marketing"], status["crm"], status["verdict"]) == ("answered", "Responded", "agree")


def test_a_watch_that_is_not_there_is_told(world: Answering) -> None:
    """At its place, with what there is."""
    mappings = world.mappings()
    said = [one.what for one in check_answers(mappings.by_name.values(), {})]
    assert said == ["there is no watch 'forms'"]
    forms = mappings.watches["forms"]
    wrong = {"forms": replace(forms, fields=(), on={"itself": ("others",)})}
    said = [one.what for one in check_answers(mappings.by_name.values(), wrong)]
    assert said[0] == "the watch 'forms' has no field 'form'"
    assert "does not say what marketing's records of 'people' did" in said[1]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('answered = "Responded"', "", "no status is named for who answered"),
        ("[answers.forms]", "[unknown.forms]", "unknown"),
        ('joined = "Sent"\n', "", "there is no status that it comes after"),
        ('lists = { "Choosing"', 'lists = { "Chosing"', "'Chosing' takes no part here"),
        ('list_name = "list_name"\n', "", "which list a member is in is not known by name"),
    ],
)
def test_what_is_wrong_in_the_file_is_told(old: str, new: str, said: str) -> None:
    """With its place."""
    _, problems = compile_file(ANSWERED.replace(old, new), "campaigns.toml", None, frozenset({"people"}))
    assert any(said in one.what and one.line for one in problems), problems
