"""`syncd handoff` and `syncd report`: tables, CSV and JSON over the ledger."""

from __future__ import annotations

import csv
import io

import pytest

from syncd.view.sheet import as_csv
from tests.cli.shop import Shop


def test_a_handoff_adds_up_and_says_so(shop: Shop) -> None:
    """The documented shape, and one line for people."""
    shop.lead()
    shop.run("once", "--yes")
    facts = shop.ok("handoff")
    parts = [facts[name] for name in ("delivered", "waiting", "rejected", "out_of_scope")]

    assert facts["balanced"] is True
    assert facts["qualified"] == sum(parts) + sum(facts["blocked"].values())
    assert "qualified =" in shop.run("handoff").out
    assert shop.run("handoff", "--csv").out.startswith("system,object,key,state")


@pytest.mark.parametrize("kind", ["funnel", "revenue", "agreement", "goals", "campaigns", "weekly"])
def test_each_report_prints_json_and_a_table(shop: Shop, kind: str) -> None:
    """Whatever the file leaves out is unknown, and no error."""
    shop.lead()
    shop.run("once", "--yes")
    assert isinstance(shop.ok("report", kind), dict)
    assert shop.run("report", kind).code == 0
    assert shop.run("report", kind, "--csv").code == 0


def test_a_number_is_opened_by_its_name(shop: Shop) -> None:
    """`--figures` names what `--records` opens, and the records add up to it; as table, CSV and JSON."""
    shop.contact(lifecyclestage="marketingqualifiedlead", score=80)
    shop.run("once", "--yes")
    names = [line.split("  ")[0] for line in shop.run("handoff", "--figures").out.splitlines()[1:]]
    assert {"qualified", "delivered", "gap"} <= set(names)

    told = shop.ok("handoff", "--records", "qualified")
    assert told["value"] == told["sum"] == len(told["records"]) == 1
    assert "1 records; they add up to 1, the figure is 1" in shop.run("handoff", "--records", "qualified").out
    assert shop.run("handoff", "--records", "qualified", "--csv").out.startswith("system,object,key,why,at,adds")
    missed = shop.run("handoff", "--records", "qualifed")
    assert (missed.code, "qualified" in missed.err) == (2, True)
    assert shop.run("report", "campaigns", "--figures", "--csv").out.startswith("figure,value,currency")


def test_what_the_sums_cannot_answer_is_refused(shop: Shop) -> None:
    """Two filters at once, a filter that is none of this report's, a table or a breakdown that is none."""
    shop.run("once", "--yes")
    for wrong in (
        ["handoff", "--source", "web", "--owner", "rita"],
        ["report", "revenue", "--source", "web"],
        ["report", "funnel", "--by", "colour"],
        ["report", "funnel", "--by", "campaign", "--source", "web"],
        ["report", "funnel", "--cohort", "day"],
        ["report", "revenue", "--model", "best"],
        ["report", "revenue", "--table", "lots"],
    ):
        assert shop.run(*wrong).code == 2, wrong
    assert shop.run("report", "agreement", "--table", "marketing", "--csv").out.startswith("period,by,name,owed")
    assert shop.run("report", "funnel", "--by", "source", "--cohort", "month").code == 0
    assert shop.run("handoff", "--source", "web").code == 0


def test_a_day_that_is_none_is_refused(shop: Shop) -> None:
    """With the way to write it."""
    shop.run("once", "--yes")
    assert shop.run("report", "funnel", "--since", "monday").code == 2


def test_a_spreadsheet_runs_nothing_of_it() -> None:
    """A campaign may be called anything; a number stays a number."""
    rows = [("=HYPERLINK()", -3), ("+1+1", "-12.50"), ("@x", None), ("  =1", 2), ("\tx", 0), ('a,"b"\n', 1)]
    read = list(csv.reader(io.StringIO(as_csv(("name", "n"), rows))))

    assert [row[0] for row in read[1:]] == ["'=HYPERLINK()", "'+1+1", "'@x", "'  =1", "'\tx", 'a,"b"\n']
    assert [row[1] for row in read[1:]] == ["-3", "-12.50", "", "2", "0", "1"]
