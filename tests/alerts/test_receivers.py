"""The `[alerts]` table: every slip is told with its place, and a secret in plain text is refused without repeating it."""

from __future__ import annotations

import os

import pytest

from syncd.errors import ConfigError
from syncd.settings import Settings, load
from tests.alerts.receivers import Hook, Smtp
from tests.cli.shop import Shop

MAIL = '[alerts.email.heads]\nhost = "mail.example.com"\nfrom = "syncd@example.com"\nto = ["a@example.com"]\n'
SECRET = "hunter2hunter2"

SLIPS = [
    (MAIL.replace("a@example.com", "nobody"), 4, "must be an e-mail address"),
    (MAIL + 'security = "none"\n', 5, "only for a server on this machine"),
    (MAIL + 'password = { env = "PW" }\n', 5, "no user"),
    (MAIL + 'user = "me"\npassword = { env = "PW", file = "x" }\n', 6, "one place"),
    (MAIL + f'user = "me"\npassword = "{SECRET}"\n', 6, "plain text"),
    (MAIL + 'events = ["follow-up"]\n', 5, "must be one of"),
    (MAIL.replace("heads", "Heads"), 1, "must be"),
    (f'[alerts.slack.sales]\nurl = "https://hooks.example.com/{SECRET}"\n', 2, "plain text"),
    ('[alerts.webhook.ops]\nurl = "http://example.com"\n', 2, "https"),
    (f'[alerts.webhook.ops]\nurl = "https://example.com/?token={SECRET}"\n', 2, "query"),
    (f'[alerts.webhook.ops]\nurl = "https://example.com"\nsecret = "{SECRET}"\n', 3, "plain text"),
    ('[alerts.webhook.ops]\nurls = "https://example.com"\n', 2, "not a key"),
    (MAIL + '[alerts.webhook.heads]\nurl = "https://example.com"\n', 1, "is a receiver under webhook already"),
    (MAIL + '[alerts.digest]\nto = ["haeds"]\n', 6, "no receiver 'haeds'"),
    ("[alerts.digest]\n", 1, "goes nowhere"),
    (MAIL + '[alerts.digest]\nto = ["heads"]\nzone = "Europe/Atlantis"\n', 7, "no time zone"),
    (MAIL + '[alerts.digest]\nto = ["heads"]\ntime = "25:00"\n', 7, "must be"),
    ('[alerts]\nretry = "2h"\n', 2, "longer than 'retry_max'"),
]


def loaded(shop: Shop, lines: str) -> Settings:
    shop.config.write_text(lines + shop.config.read_text())
    return load(shop.config, os.environ)


@pytest.mark.parametrize(("lines", "line", "said"), SLIPS)
def test_a_slip_is_told_with_its_line(shop: Shop, lines: str, line: int, said: str) -> None:
    """Where it stands, what is wrong, and never the secret itself."""
    with pytest.raises(ConfigError) as refused:
        loaded(shop, lines)
    (problem,) = [one for one in refused.value.problems if said in one.what]
    assert (problem.line, problem.column > 0) == (line, True)
    assert SECRET not in str(refused.value)
    assert SECRET not in repr(refused.value.problems)


def test_a_whole_table_is_taken_and_shows_no_secret(shop: Shop) -> None:
    """Defaults are what the manual says."""
    settings = loaded(shop, MAIL + '[alerts.slack.sales]\nurl = { env = "SLACK" }\n')
    assert list(settings.alerts.receivers()) == ["sales", "heads"]
    assert settings.alerts.email["heads"].at == ("mail.example.com", 587)
    assert [str(one) for one in settings.secret_problems()] == [
        f"{shop.config}:6:7: 'alerts.slack.sales.url': the environment variable SLACK is not set — set SLACK and start again"
    ]


def test_receivers_can_be_tried_and_looked_at(shop: Shop, hook: Hook, smtp: Smtp) -> None:
    """`syncd alerts test` says who has it; `syncd alerts` what they were told. Exit 1 while somebody has not got it."""
    shop.run("once", "--yes")
    assert "Nobody is told anything" in shop.run("alerts").out
    assert shop.run("alerts", "test").code == 2
    mail = MAIL.replace("mail.example.com", "127.0.0.1") + f'port = {smtp.port}\nsecurity = "none"\n'
    loaded(shop, f'{mail}[alerts.webhook.ops]\nurl = "{hook.url}"\n')

    assert shop.ok("alerts", "test")["receivers"] == [
        {"receiver": "ops", "ok": True, "why": ""},
        {"receiver": "heads", "ok": True, "why": ""},
    ]
    assert (len(smtp.got), hook.got[0].json["test"]) == (1, True)
    hook.answers = [500]
    done = shop.run("alerts", "test", "ops")
    assert (done.code, done.out) == (1, "ops: the receiver answered 500\n")
    assert shop.run("alerts", "test", "opps").code == 2

    hook.answers = [500]
    shop.lead()
    shop.run("once")
    facts = shop.ok("alerts")
    assert [(one["receiver"], one["told"], one["waiting"]) for one in facts["receivers"]] == [
        ("ops", 0, 1),
        ("heads", 1, 0),
    ]
    assert [(one["receiver"], one["state"], one["tries"]) for one in facts["alerts"]] == [("ops", "waiting", 1)]
    assert "held" in shop.run("alerts").out


def test_the_weekly_report_can_be_sent_and_written_by_hand(shop: Shop, smtp: Smtp) -> None:
    """To the digest's receivers, or to a folder; only the weekly one."""
    shop.run("once", "--yes")
    assert shop.run("report", "weekly", "--send").code == 2
    mail = MAIL.replace("mail.example.com", "127.0.0.1") + f'port = {smtp.port}\nsecurity = "none"\n'
    loaded(shop, f'{mail}[alerts.digest]\nto = ["heads"]\n')
    out = shop.folder / "out"

    facts = shop.ok("report", "weekly", "--send", "--out", str(out), "--since", "2026-11-04")
    assert facts["sent"] == {"heads": ""}
    assert sorted(path.name for path in out.iterdir()) == ["syncd-2026-W45.html", "syncd-2026-W45.txt"]
    assert smtp.got[0].message["Subject"] == "syncd: week 2026-W45"
    smtp.answers = ["451 later"]
    assert shop.run("report", "weekly", "--send").code == 1
    assert shop.run("report", "funnel", "--send").code == 2
