"""A backfill of the whole model: people, their companies and deals, all in sales, into an empty marketing system.

Every call is counted at the vendors, part by part, beside the formula that the vendors' page and batch sizes make of so
many records. Each contact belongs to a company, each deal to a company and to one or two contacts.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bench.alone import MAPPINGS, untold
from bench.calls import Judged, Parts
from bench.figure import Figure
from bench.stage import Stage, qualified, staged
from connectors.salesforce.sandbox import populate as fill_org
from connectors.salesforce.sandbox import populate_deals
from syncd.sandbox.business import deals, firms

STAFF = 5
"""So many people to a company; and one deal for each company."""
OBJECTS = ("companies", "people", "deals")


def measure(people: int, folder: Path) -> list[Figure]:
    with staged(folder, lag="20s", mappings=_mappings(folder / "mappings")) as stage:
        staff = list(qualified(3, people, "", colleagues=STAFF))
        known = firms(3, staff)
        fill_org(stage.crm.app, staff, contact_every=1, firms=known)
        populate_deals(stage.crm.app, deals(3, staff))
        counted = _counted(stage)
        judged = Judged("model")
        cycles, sent = stage.until_quiet()
        found = _counted(stage, "marketing")
        assert found == counted, f"{found} of {counted}"
        names = {
            "domain": list(known),
            "company": [firm.name for firm in known.values()],
            "deal": [row["Name"] for row in stage.live("Opportunity").values()],
        }
        judged.phase("backfill", stage, _formula(counted, names, cycles))
        stage.once()
        judged.phase("a cycle at rest", stage, ({"feed": 3}, {"feed": 4}))
        assert sent >= sum(counted.values())
    return judged.figures()


def _mappings(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name in (*OBJECTS, "funnel"):
        (folder / f"{name}.toml").write_text(untold((MAPPINGS / f"{name}.toml").read_text()))
    return folder


def _counted(stage: Stage, side: str = "crm") -> Mapping[str, int]:
    """How many of each object are there."""
    names = ("Account", "Contact", "Opportunity") if side == "crm" else ("companies", "contacts", "deals")
    return dict(zip(OBJECTS, (len(stage.live(name)) for name in names), strict=True))


def _formula(counted: Mapping[str, int], names: Mapping[str, list[str]], cycles: int) -> tuple[Parts, Parts]:
    """Everything is read once in sales, looked for and made in marketing, and seen again in both feeds, which confirms it.
    HubSpot gives each contact that an API makes an analytics source, which the mapping carries to Salesforce: a
    conditional update for each. `names`: what is looked for by search, whose body ends at 3,000 characters."""
    people, companies, deals = counted["people"], counted["companies"], counted["deals"]
    everything = (people, companies, deals)
    marketing = {
        "identity": 7,  # the account, its owners (active and archived), three objects' properties, the pipelines
        "feed": sum(1 + calls(n, 200) + calls(n, 100) for n in everything)
        + (calls(people, 1000) + 2 * calls(deals, 1000))  # whom contacts and deals are associated with
        + 3 * (cycles - 1),
        "find": sum(calls(n, 100) for n in everything)  # by key
        + calls(people, 100)  # by e-mail
        + searches([spelled for name in names["domain"] for spelled in (name, f"www.{name}")], 2)
        + searches(names["company"])
        + searches(names["deal"]),
        "write": sum(calls(n, 100) for n in everything),
    }
    crm = {
        "identity": 9,  # login, organisation, users, and five objects, roles among them
        # accounts, leads, contacts, opportunities; each is asked for its newest stamp before the first reading
        "feed": sum(1 + calls(n, 2000) for n in (companies, 0, people, deals))
        + (1 + 2 * calls(deals, 2000))  # the roles of opportunities, and the changes of roles
        + calls(people, 2000)
        + 4 * (cycles - 1),
        "write": calls(people, 25) + 1,  # one tries whether conditions are honoured
    }
    return marketing, crm


def calls(records: int, batch: int) -> int:
    """Calls of that size for so many records; nobody there takes one, too."""
    return max(1, -(-records // batch))


def searches(values: list[str], properties: int = 1) -> int:
    """Searches for so many values in so many properties at once: half of the 3,000 characters are the values'."""
    return calls(sum(len(value) + 3 for value in dict.fromkeys(values)) * properties, 1500)
