"""docs/alerts.md names every key and event of `[alerts]`, and its example is one that syncd takes."""

from __future__ import annotations

import re
from pathlib import Path

from syncd.core import toml
from syncd.receivers import EVENTS, Alerts, Digest, Mail, Slack, Webhook, flaws

TEXT = (Path(__file__).parents[2] / "docs/alerts.md").read_text()


def test_every_key_is_in_the_manual_and_no_other() -> None:
    """What is not documented does not ship."""
    rows = TEXT.partition("## Keys")[2].partition("## The digest")[0]
    told = {
        name
        for line in rows.splitlines()
        if line.startswith("|")
        for name in re.findall(r"`(\w+)`", line.split("|")[2])
    }
    known = {
        info.alias or name
        for model in (Alerts, Webhook, Slack, Mail, Digest)
        for name, info in model.model_fields.items()
    }
    assert told == known - {"webhook", "slack", "email", "digest"}
    assert all(f"| `{event}` |" in TEXT for event in EVENTS)


def test_the_example_is_taken_as_it_stands() -> None:
    """Whoever copies it has something that works."""
    example = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)[0]
    document, problems = toml.parse(example, "syncd.toml")
    assert document is not None
    assert problems == []
    alerts = Alerts.model_validate(document.data["alerts"])
    assert list(flaws(alerts)) == []
    assert set(alerts.receivers()) == {"sales", "meeting", "pager"}
