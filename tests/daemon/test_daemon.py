"""The daemon as a process: it keeps both sides in step, takes requests and edits, and stops cleanly."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import time
from collections.abc import Callable
from typing import Any

from syncd.demo import judge
from tests.daemon.process import Place, Process

Start = Callable[..., Process]


def converged(here: Place) -> bool:
    return not judge.people(here.cast)


def at_work(here: Place, start: Start) -> tuple[Process, str, tuple[str, str]]:
    """A daemon that has sent an edit already and is quiet; somebody on both sides."""
    here.run("once", "--yes")
    daemon = start()
    contact, at, _, _ = here.cast.pairs()[0]
    here.cast.edit_contact(contact, {"jobtitle": "Princess"})
    here.until(lambda: converged(here), "in step", daemon)
    here.until(lambda: here.facts("status")["ledger"]["waiting"] == 0, "quiet", daemon)
    return daemon, contact, at


def test_first_held_then_approved_then_in_step(here: Place, start: Start) -> None:
    """The first plan waits for a person; approved beside the daemon, both sides soon say the same, and an edit crosses."""
    daemon = start()
    here.until(lambda: daemon.told("plan_held"), "held", daemon)
    assert not converged(here)

    assert here.facts("approve", "people")["released"] > 0
    here.until(lambda: converged(here), "in step", daemon)

    contact, at, _, _ = here.cast.pairs()[0]
    here.cast.edit_contact(contact, {"jobtitle": "Queen"})
    here.until(lambda: here.cast.rows(at[0])[at[1]].get("Title") == "Queen", "the edit crosses", daemon)
    code, _ = daemon.stop()
    assert code == 0
    assert daemon.told("stopped")


def test_a_second_daemon_is_refused_and_names_the_first(here: Place, start: Start) -> None:
    """One daemon a ledger: exit 3, and who holds the lease."""
    first = start()
    here.until(lambda: first.told("started"), "started", first)

    code, _, err = here.run("run")

    assert code == 3
    assert f"process {first.popen.pid}" in err
    assert first.popen.poll() is None


def test_commands_that_act_are_carried_out_by_the_daemon(here: Place, start: Start) -> None:
    """once and backfill beside a daemon: stored as requests, done by it, followed to their end."""
    here.run("once", "--yes")
    daemon = start()
    here.until(lambda: daemon.told("started"), "started", daemon)

    report = here.facts("once")
    code, out, err = here.run("backfill", "people", "--json")

    assert report["mappings"]["people"]["held"] is False
    assert code == 0, err
    assert '"finished":true' in out
    assert {event["kind"] for event in daemon.told("request")} == {"once", "backfill"}
    assert "syncd run" in err


def test_an_error_of_a_request_reaches_the_one_who_asked(here: Place, start: Start) -> None:
    """Message, remedy and exit code are those of the command, wherever it was carried out."""
    daemon = start()
    here.until(lambda: daemon.told("started"), "started", daemon)

    code, _, err = here.run("issues", "retry", "999")

    assert code == 2
    assert "lists them" in err
    assert daemon.popen.poll() is None


def test_a_valid_edit_is_taken_up_and_an_invalid_one_changes_nothing(here: Place, start: Start) -> None:
    """While it runs: an invalid mapping is an issue with its place, the last valid version stays in force, and the
    issue ends with its cause."""
    here.run("once", "--yes")
    daemon = start()
    here.until(lambda: daemon.told("started"), "started", daemon)
    text = here.mapping.read_text()

    here.mapping.write_text(text + "\n[fields.broken]\nmarketing = 3\n")
    here.until(lambda: daemon.told("mapping_invalid"), "invalid", daemon)
    (issue,) = [one for one in here.facts("issues") if one["kind"] == "mapping_invalid"]
    assert "people.toml:" in issue["reason"]
    contact, at, _, _ = here.cast.pairs()[0]
    here.cast.edit_contact(contact, {"jobtitle": "King"})
    here.until(lambda: here.cast.rows(at[0])[at[1]].get("Title") == "King", "the old version works", daemon)

    here.mapping.write_text(text.replace("# People:", "# People, edited:"))
    here.until(lambda: not [one for one in here.facts("issues") if one["kind"] == "mapping_invalid"], "ended", daemon)
    here.until(lambda: here.facts("status")["mappings"]["people"]["version"] == 2, "version 2", daemon)


def test_hang_up_reads_everything_anew(here: Place, start: Start) -> None:
    """SIGHUP takes up files and secrets at once; a settings file with an error leaves the old one in force."""
    daemon = start()
    here.until(lambda: daemon.told("started"), "started", daemon)

    daemon.popen.send_signal(signal.SIGHUP)
    here.until(lambda: daemon.told("reloaded"), "reloaded", daemon)
    here.config.write_text(here.config.read_text().replace("[daemon]", "[deamon]"))
    here.until(lambda: daemon.told("mapping_invalid"), "invalid", daemon)

    assert daemon.popen.poll() is None
    assert "deamon" in str(daemon.told("mapping_invalid")[-1]["problems"])


def test_trouble_with_one_system_pauses_it_and_the_other_is_still_read(here: Place, start: Start) -> None:
    """Growing pauses with one probe each; back as soon as it answers; nothing is decided meanwhile, nothing is lost."""
    config = here.config.read_text()
    here.config.write_text(config.replace('retry_max = "2s"', 'retry_max = "400ms", tries = 1'))
    here.run("once", "--yes")
    daemon = start()
    here.until(lambda: daemon.told("started"), "started", daemon)
    here.stage.servers["hubspot"].control.faults(kind="status", status=503)
    here.until(lambda: len(daemon.told("system_held")) >= 3, "held", daemon)
    pauses = daemon.told("system_held")
    assert {event["system"] for event in pauses} == {"hubspot"}
    assert [event["failures"] for event in pauses[:3]] == [1, 2, 3]
    at = here.cast.pairs()[0][1]
    here.cast.edit_person(at, {"Title": "Empress"})
    here.until(lambda: any(e["system"] == "salesforce" and e["moved"] for e in daemon.told("polled")), "read", daemon)
    reasons = here.facts("status")["reasons"]
    assert any(reason.startswith("hubspot") for reason in reasons)

    here.stage.servers["hubspot"].control.clear_faults()

    here.until(lambda: daemon.told("system_back"), "back", daemon)
    here.until(lambda: converged(here), "in step", daemon)


def test_a_full_disk_stops_sending_and_heals_by_itself(here: Place, start: Start) -> None:
    """Below min_free nothing is sent and status says so; with room again it goes on, with no restart."""
    here.run("once", "--yes")
    config = here.config.read_text()
    daemon = start()
    here.until(lambda: daemon.told("started"), "started", daemon)

    here.config.write_text(config.replace('"1MiB"', '"9000000GB"'))
    here.until(lambda: daemon.told("disk_full"), "full", daemon)
    contact, at, _, _ = here.cast.pairs()[0]
    here.cast.edit_contact(contact, {"jobtitle": "Duke"})
    assert any("disk full" in reason for reason in here.facts("status")["reasons"])
    time.sleep(0.2)
    assert here.cast.rows(at[0])[at[1]].get("Title") != "Duke"

    here.config.write_text(config)

    here.until(lambda: here.cast.rows(at[0])[at[1]].get("Title") == "Duke", "sent", daemon)
    here.until(lambda: daemon.told("disk_has_room"), "told", daemon)


def test_a_stop_waits_for_the_call_that_left_and_is_quick_otherwise(here: Place, start: Start) -> None:
    """SIGTERM in the middle of a slow write: the answer is still kept, then exit 0, well within the drain time."""
    daemon, contact, at = at_work(here, start)
    salesforce = here.stage.servers["salesforce"].control
    salesforce.faults(kind="slow", options={"delay_ms": 800}, method="POST", path="/composite$")
    here.cast.edit_contact(contact, {"jobtitle": "Baron"})
    # Applied there, and the answer is not here yet.
    here.until(lambda: here.cast.rows(at[0])[at[1]].get("Title") == "Baron", "applied", daemon)

    code, took_s = daemon.stop()

    assert code == 0
    assert took_s < 10
    kinds = [entry["kind"] for entry in here.facts("journal")]
    assert "doubtful" not in kinds
    assert kinds[-1] in ("sent", "seen")
    assert here.facts("status")["ledger"]["holder"] is None


def test_a_stop_is_never_longer_than_the_drain_time_and_the_next_start_settles_it(here: Place, start: Start) -> None:
    """A system that does not answer cannot hold the stop up: gone with exit 0, and the open write is looked up later."""
    here.config.write_text(here.config.read_text().replace('jitter   = "0s"', 'jitter   = "0s"\ndrain    = "500ms"'))
    daemon, contact, at = at_work(here, start)
    salesforce = here.stage.servers["salesforce"].control
    salesforce.faults(kind="slow", options={"delay_ms": 8000}, method="POST", path="/composite$")
    here.cast.edit_contact(contact, {"jobtitle": "Baroness"})
    here.until(lambda: here.cast.rows(at[0])[at[1]].get("Title") == "Baroness", "applied", daemon)

    code, took_s = daemon.stop()

    assert code == 0
    assert took_s < 4
    assert daemon.told("drain_lost")
    salesforce.clear_faults()
    again = start()
    here.until(lambda: again.told("started") and converged(here), "settled", again)
    here.until(lambda: here.facts("status")["ledger"]["waiting"] == 0, "nothing waits", again)


def test_a_stop_does_not_wait_for_pauses(here: Place, start: Start) -> None:
    """A long wait between two tries is no call that left: the stop cuts it short."""
    config = here.config.read_text()
    here.config.write_text(config.replace('retry = "100ms", retry_max = "2s"', 'retry = "30s", retry_max = "60s"'))
    here.stage.servers["hubspot"].control.faults(kind="status", status=503)
    daemon = start()
    here.until(lambda: daemon.told("started"), "started", daemon)
    here.until(lambda: here.stage.servers["hubspot"].control.log(), "called", daemon)

    code, took_s = daemon.stop(signal.SIGINT)

    assert code == 0
    assert took_s < 5


def test_the_service_manager_hears_the_daemons_whole_life(here: Place, start: Start) -> None:
    """READY once it works, WATCHDOG while it moves, RELOADING and READY around a reload, STOPPING at the end."""
    address = here.folder / "notify"
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(address))
    manager.settimeout(10)
    here.extra = {"NOTIFY_SOCKET": str(address), "WATCHDOG_USEC": "2000000"}
    heard: list[str] = []

    def hears(word: str) -> None:
        while not any(word in one for one in heard):
            heard.append(manager.recv(4096).decode())

    try:
        daemon = start()
        hears("READY=1")
        hears("WATCHDOG=1")
        hears("STATUS=people")
        heard.clear()
        daemon.popen.send_signal(signal.SIGHUP)
        hears("RELOADING=1")
        hears("READY=1")
        daemon.popen.send_signal(signal.SIGTERM)
        hears("STOPPING=1")
        assert daemon.popen.wait(timeout=10) == 0
    finally:
        manager.close()


def test_killed_at_any_moment_it_goes_on_without_losing_anything(here: Place, start: Start) -> None:
    """kill -9, again and again while people work: at the end both sides agree and nobody stands twice."""
    here.run("once", "--yes")
    pairs = here.cast.pairs()
    for round_ in range(3):
        daemon = start()
        here.until(lambda daemon=daemon: daemon.told("started"), "started", daemon)
        contact, at, _, _ = pairs[round_ % len(pairs)]
        here.cast.edit_contact(contact, {"jobtitle": f"Title {round_}"})
        here.cast.edit_person(at, {"City" if at[0] == "Lead" else "MailingCity": f"City {round_}"})
        time.sleep(0.05 * round_)
        os.kill(daemon.popen.pid, signal.SIGKILL)
        daemon.kill()

    daemon = start()
    here.until(lambda: converged(here), "in step", daemon)
    daemon.stop()
    assert here.facts("journal", "verify")["holds"] is True


def test_a_killed_backfill_resumes_where_it_was(here: Place, start: Start) -> None:
    """kill -9 and Ctrl-C of a backfill: the same command goes on with the same backfill and finishes it."""
    here.run("once", "--yes")
    hubspot = here.stage.servers["hubspot"].control

    def searches() -> int:
        return sum(entry["path"].endswith("/search") for entry in hubspot.log())

    hubspot.faults(kind="slow", options={"delay_ms": 700}, path="/search$")
    before = searches()
    first = start("backfill", "people")
    here.until(lambda: searches() >= before + 2, "reading", first)  # the first one is the poll that comes before
    os.kill(first.popen.pid, signal.SIGKILL)
    first.kill()

    before = searches()
    second = start("backfill", "people")
    here.until(lambda: searches() >= before + 2, "reading", second)
    code, _ = second.stop(signal.SIGINT)
    assert code == 130, second.log.read_text()
    assert "same command goes on" in second.log.read_text()
    hubspot.clear_faults()

    done: Any = here.facts("backfill", "people")

    assert done["finished"] is True
    with sqlite3.connect(here.folder / "ledger.db") as database:
        assert database.execute("SELECT count(*), min(state) FROM backfill").fetchone() == (1, "done")
