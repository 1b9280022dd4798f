"""Who gets in: names, sessions, roles, forms of other sites, and guessing."""

from __future__ import annotations

import os
from typing import Any

import pytest
from pydantic import ValidationError

from syncd.access import Dashboard, fits, kept_form
from syncd.assembly import Clock
from syncd.files import read_files
from syncd.web.gate import POLICY
from syncd.web.sessions import MOST_TRIES, TRIES_S
from syncd.web.site import Site
from tests.cli.shop import Shop
from tests.web.conftest import HOST, Desk, Opened

PASSWORD = "correct horse battery"
KEPT = kept_form(PASSWORD, b"0123456789abcdef")
USERS = {"ada": {"password": KEPT, "role": "operate"}, "bob": {"password": KEPT, "role": "view"}}


def sign_in(desk: Desk, browser: object, name: str, password: str = PASSWORD) -> object:
    token = desk.site.sessions.form_token("sign-in")
    return browser.post("/sign-in", data={"name": name, "password": password, "csrf": token, "next": "/issues"})  # type: ignore[attr-defined]


def test_on_this_machine_the_first_page_opens_without_a_word(desk: Desk) -> None:
    """Loopback is the default, and asks nobody who they are."""
    answer = desk.visit().get("/")
    assert answer.status_code == 200
    assert "This machine" in answer.text


def test_a_name_that_was_led_to_this_machine_is_not_served(desk: Desk) -> None:
    """DNS rebinding: a page of evil.example whose name turns to 127.0.0.1 would read everything."""
    for name in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "", "a@127.0.0.1"):
        assert desk.visit().get("/", headers={"host": name}).status_code in (400, 421), name
    for name in ("127.0.0.1:8642", "localhost", "[::1]:8642"):
        assert desk.visit().get("/", headers={"host": name}).status_code == 200, name


def test_a_name_of_the_settings_is_served(desk: Desk, opened: Opened) -> None:
    """Behind a company's own name."""
    other = opened(hosts=["syncd.example.test"])
    assert other.visit().get("/", headers={"host": "SYNCD.example.test:443"}).status_code == 200


def test_what_came_through_a_proxy_is_nobody_on_this_machine(desk: Desk) -> None:
    """A reverse proxy beside the daemon connects from loopback for the whole world."""
    answer = desk.visit().get("/", headers={"x-forwarded-for": "203.0.113.9"})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")
    assert desk.visit(peer="203.0.113.9").get("/issues").status_code == 303


def test_an_address_for_others_demands_users_or_a_proxy() -> None:
    """Nothing is open to a network by an oversight."""
    with pytest.raises(ValidationError, match=r"dashboard\.users"):
        Dashboard.model_validate({"listen": "0.0.0.0:8642"})
    assert Dashboard.model_validate({"listen": "0.0.0.0:8642", "users": USERS}).listen == ("0.0.0.0", 8642)
    assert Dashboard.model_validate({"listen": "[::]:80", "proxy": {"address": ["10.0.0.1"]}}).listen == ("::", 80)
    with pytest.raises(ValueError, match=r"dashboard\.users"):
        Dashboard().at("192.0.2.1:8642")


def test_a_password_in_clear_is_refused_in_the_settings() -> None:
    """Only what scrypt makes of it is kept."""
    with pytest.raises(ValidationError, match="never the password itself"):
        Dashboard.model_validate({"users": {"ada": {"password": PASSWORD}}})
    assert PASSWORD not in repr(Dashboard.model_validate({"users": USERS}))
    assert KEPT not in repr(Dashboard.model_validate({"users": USERS}))
    assert fits(PASSWORD, KEPT)
    assert not fits(PASSWORD + " ", KEPT)
    with pytest.raises(ValueError, match="at least"):
        kept_form("short", b"0" * 16)


def test_every_answer_carries_the_strict_policy(desk: Desk) -> None:
    """No script but ours, no frame around us, nothing kept in a cache: also on errors, and for strangers."""
    for path in ("/", "/nowhere", "/sign-in", "/static/style.css", "/static/nothing"):
        headers = desk.visit().get(path).headers
        assert headers["content-security-policy"] == POLICY, path
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
    assert "unsafe" not in POLICY
    assert desk.visit().get("/").headers["cache-control"] == "no-store"
    assert desk.visit().get("/", headers={"host": "evil.example"}).headers["content-security-policy"] == POLICY


def test_no_page_needs_inline_style_or_script(desk: Desk) -> None:
    """The policy would drop it without a word."""
    for path in ("/", "/records", "/issues", "/plans", "/definitions", "/mappings/people", "/sign-in"):
        text = desk.visit().get(path).text
        assert " style=" not in text, path
        assert "<style" not in text
        assert " onclick" not in text
        assert "<script>" not in text


def test_with_users_nobody_sees_anything_before_signing_in(desk: Desk, opened: Opened) -> None:
    """Every page leads to the sign-in page, and from there to where one wanted to go."""
    other = opened(users=USERS)
    browser = other.visit()
    for path in ("/", "/issues?kind=x", "/records/mk/contacts/1", "/pulse"):
        answer = browser.get(path)
        assert answer.status_code == 303, path
        assert answer.headers["location"].startswith("/sign-in?next=%2F")
    assert browser.get("/pulse", headers={"x-part": "1"}).status_code == 401
    assert sign_in(other, browser, "ada").headers["location"] == "/issues"  # type: ignore[attr-defined]
    answer = browser.get("/issues")
    assert answer.status_code == 200
    assert "ada" in answer.text
    cookie = next(iter(browser.cookies.jar))
    assert cookie.has_nonstandard_attr("HttpOnly")


def test_signing_out_ends_the_session_on_the_server(desk: Desk, opened: Opened) -> None:
    """A copied cookie is worth nothing afterwards; nor after another password stands in the file."""
    other = opened(users=USERS)
    browser = other.visit()
    sign_in(other, browser, "ada")
    token = browser.cookies["syncd_session"]
    csrf = other.site.sessions.form_token(f"session:{token}")
    assert browser.post("/sign-out", data={"csrf": "wrong"}).status_code == 403
    assert browser.get("/").status_code == 200
    assert browser.post("/sign-out", data={"csrf": csrf}).status_code == 303
    browser.cookies.set("syncd_session", token)
    assert browser.get("/").status_code == 303


def test_a_session_ends_by_itself(desk: Desk, opened: Opened) -> None:
    """After the time that syncd.toml gives."""
    clock = [1_800_000_000.0]
    other = opened(now=lambda: clock[0], users=USERS, session="1h")
    browser = other.visit()
    sign_in(other, browser, "ada")
    clock[0] += 3_599
    assert browser.get("/").status_code == 200
    clock[0] += 2
    assert browser.get("/").status_code == 303


def test_guessing_is_stopped_by_address_and_by_name(desk: Desk, opened: Opened) -> None:
    """Five wrong ones, then even the right one waits; afterwards it works."""
    clock = [1_800_000_000.0]
    other = opened(now=lambda: clock[0], users=USERS)
    guesser = other.visit(peer="203.0.113.1")
    for _ in range(MOST_TRIES):
        assert sign_in(other, guesser, "ada", "wrong password").status_code == 401  # type: ignore[attr-defined]
    stopped = sign_in(other, guesser, "ada")
    assert stopped.status_code == 429  # type: ignore[attr-defined]
    assert int(stopped.headers["retry-after"]) <= TRIES_S  # type: ignore[attr-defined]
    assert sign_in(other, other.visit(peer="203.0.113.2"), "ada").status_code == 429  # type: ignore[attr-defined]
    assert sign_in(other, other.visit(peer="203.0.113.2"), "bob").status_code == 303  # type: ignore[attr-defined]
    clock[0] += TRIES_S + 1
    assert sign_in(other, guesser, "ada").status_code == 303  # type: ignore[attr-defined]


def test_a_wrong_name_and_a_wrong_password_look_the_same(desk: Desk, opened: Opened) -> None:
    """Nobody learns who has an account."""
    other = opened(users=USERS)
    ada, eve = (sign_in(other, other.visit(), name, "wrong password").text for name in ("ada", "eve"))  # type: ignore[attr-defined]
    assert 'value="ada"' in ada
    assert ada.replace('value="ada"', 'value="eve"') == eve


def test_signing_in_leads_nowhere_else(desk: Desk, opened: Opened) -> None:
    """`next` is an address of ours, whatever somebody wrote into a link."""
    other = opened(users=USERS)
    token = other.site.sessions.form_token("sign-in")
    for evil in (
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
    ):
        form = {"name": "ada", "password": PASSWORD, "csrf": token, "next": evil}
        assert other.visit().post("/sign-in", data=form).headers["location"] == "/", evil


def test_a_form_of_another_site_does_nothing(desk: Desk) -> None:
    """Neither without our token, nor from another origin, even with it."""
    browser = desk.visit()
    good = desk.site.sessions.form_token("local")
    assert browser.post("/act/once", data={}).status_code == 403
    assert browser.post("/act/once", data={"csrf": "0" * 64}).status_code == 403
    for headers in ({"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
        assert browser.post("/act/once", data={"csrf": good}, headers=headers).status_code == 403, headers
    assert not [name for name, _ in desk.told if name == "dashboard_act"]
    assert browser.post("/act/once", data={"csrf": good}, headers={"origin": HOST}).status_code == 303


def test_a_token_of_one_session_is_worth_nothing_in_another(desk: Desk, opened: Opened) -> None:
    """A form is bound to who was given it."""
    other = opened(users=USERS)
    ada, bob = other.visit(), other.visit()
    sign_in(other, ada, "ada")
    sign_in(other, bob, "bob")
    bobs = other.site.sessions.form_token(f"session:{bob.cookies['syncd_session']}")
    assert ada.post("/act/once", data={"csrf": bobs}).status_code == 403


def test_who_views_sees_no_buttons_and_presses_none(desk: Desk, opened: Opened) -> None:
    """The role is asked on the server, not only on the page."""
    other = opened(users=USERS)
    bob = other.visit()
    sign_in(other, bob, "bob")
    assert "Run one cycle now" not in bob.get("/").text
    assert other.act(bob, "once").status_code == 403
    local = opened(local="view")
    assert "Run one cycle now" not in local.visit().get("/").text
    assert local.act(local.visit(), "once").status_code == 403


def test_a_proxys_header_is_believed_from_the_proxy_only(desk: Desk, opened: Opened) -> None:
    """Whoever else sends it is nobody."""
    other = opened(proxy={"address": ["10.0.0.1"], "header": "X-User", "operate": ["ada"]})
    header = {"x-user": "ada"}
    assert other.visit(peer="10.0.0.1").get("/", headers=header).status_code == 200
    assert "Run one cycle now" in other.visit(peer="10.0.0.1").get("/", headers=header).text
    assert "Run one cycle now" not in other.visit(peer="10.0.0.1").get("/", headers={"x-user": "eve"}).text
    assert other.visit(peer="10.0.0.2").get("/", headers=header).status_code == 303
    assert other.visit(peer="127.0.0.1").get("/", headers=header).status_code == 303


def test_who_is_taken_out_of_the_file_is_out_without_a_restart(shop: Shop) -> None:
    """Users and roles are as syncd.toml says now; an edit that would let everybody in counts for nothing."""
    before = shop.config.read_text()

    def users(*roles: str) -> None:
        tables = "".join(f'\n[dashboard.users.{role}]\npassword = "{KEPT}"\nrole = "{role}"\n' for role in roles)
        shop.config.write_text(before + tables)
        desk.site._looked_s = float("-inf")

    shop.run("once")
    told: list[tuple[str, dict[str, Any]]] = []
    shop.config.write_text(before + f'\n[dashboard.users.operate]\npassword = "{KEPT}"\nrole = "operate"\n')
    files = read_files(shop.config, os.environ)
    site = Site(files, os.environ, files.settings.dashboard, Clock(), lambda name, **facts: told.append((name, facts)))
    site.dashboard = site.dashboard.at("0.0.0.0:8642")
    desk = Desk(shop, site, told)
    browser = desk.visit()
    sign_in(desk, browser, "operate")
    assert browser.get("/issues").status_code == 200
    users("view")
    assert browser.get("/issues").status_code == 303
    users("view", "operate")
    assert browser.get("/issues").status_code == 200
    users()
    assert browser.get("/issues").status_code == 200, "nobody named: it would be open to the network"
    assert told[-1][0] == "dashboard_files_invalid"
    assert desk.visit().get("/issues").status_code == 303


def test_other_methods_are_refused(desk: Desk) -> None:
    """What nobody needs is not there."""
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
        assert desk.visit().request(method, "/issues").status_code == 405


def test_a_large_form_is_refused(desk: Desk) -> None:
    """Everything has a limit."""
    answer = desk.visit().post("/act/once", data={"csrf": "x" * 70_000})
    assert answer.status_code == 403


def test_a_wrong_password_does_not_forget_where_one_wanted_to_go(desk: Desk, opened: Opened) -> None:
    """The form that is shown again leads to the same page; and to no other host."""
    other = opened(users=USERS)
    answer = sign_in(other, other.visit(), "ada", "wrong")
    assert answer.status_code == 401  # type: ignore[attr-defined]
    assert 'name="next" value="/issues"' in answer.text  # type: ignore[attr-defined]
    form = {"name": "ada", "password": "wrong", "next": "//evil.example"}
    token = other.site.sessions.form_token("sign-in")
    assert 'name="next" value="/"' in other.visit().post("/sign-in", data={**form, "csrf": token}).text
