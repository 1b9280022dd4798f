"""What a screen reader, a keyboard and tired eyes need: structure of every page, contrast of every colour."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from syncd.web.navigation import MENU
from syncd.web.render import static
from tests.web.conftest import Desk

LINKED = [entry.path for group in MENU for entry in group.entries]
VOID = {"meta", "link", "input", "br", "img", "path", "rect"}


class Outline(HTMLParser):
    """Collects what the rules ask for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: dict[int, str] = {}
        self._open: list[int] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(len(self.tags) - 1)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        while self._open:
            if self.tags[self._open.pop()][0] == tag:
                break

    def handle_data(self, data: str) -> None:
        for at in self._open:
            self.words[at] = self.words.get(at, "") + data

    def flaws(self) -> list[str]:
        found = []
        names = [tag for tag, _ in self.tags]
        for tag, count in (("h1", 1), ("main", 1), ("title", 1)):
            if names.count(tag) != count:
                found.append(f"{names.count(tag)} {tag}")
        if dict(self.tags)["html"].get("lang") != "en":
            found.append("no language")
        levels = [int(tag[1]) for tag in names if re.fullmatch("h[1-6]", tag)]
        # The menu's headings stand before the page's own.
        own = levels[levels.index(1) :] if 1 in levels else []
        found += [f"h{a} before h{b}" for a, b in pairwise(own) if b > a + 1]
        ids = [given["id"] for _, given in self.tags if given.get("id")]
        found += [f"id {one} twice" for one in set(ids) if ids.count(one) > 1]
        labelled = {given.get("for") for tag, given in self.tags if tag == "label"}
        for at, (tag, given) in enumerate(self.tags):
            words = (self.words.get(at, "") + (given.get("aria-label") or "")).strip()
            if tag in ("a", "button", "h1", "h2", "h3", "th", "summary", "label") and not words:
                found.append(f"{tag} without words: {given}")
            if tag in ("input", "select") and given.get("type") != "hidden":
                around = [self.tags[i][0] for i in range(max(0, at - 6), at)]
                if given.get("id") not in labelled and "label" not in around:
                    found.append(f"{tag} without label: {given}")
            if tag == "svg" and not (given.get("aria-hidden") or given.get("aria-label")):
                found.append("a picture without words")
            if tag in ("nav", "section") and not (given.get("aria-label") or given.get("aria-labelledby")):
                found.append(f"{tag} without a name")
            if (by := given.get("aria-labelledby")) and by not in ids:
                found.append(f"named by {by}, which is not there")
            if tag == "th" and given.get("scope") != "col":
                found.append("th without scope")
        return found


def test_the_rules_see_what_is_wrong() -> None:
    """The check bites."""
    bad = '<html><h1></h1><h3>x</h3><svg></svg><main id="a"><nav></nav><input><p id="a"><a href="/"></a></main></html>'
    assert len(Outline(bad).flaws()) >= 8


def test_every_page_has_names_labels_and_an_order(desk: Desk) -> None:
    """One main, one h1, no level left out, every field labelled, every picture in words, no id twice."""
    browser = desk.visit()
    stories = re.findall(r'href="(/records/[^"]+)"', browser.get("/records").text)[:2]
    assert stories
    for path in (*LINKED, *stories, "/mappings/people", "/runs/1", "/nowhere", "/behind?link=people?qualifies=1"):
        assert Outline(browser.get(path).text).flaws() == [], path


def _light(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2."""
    light, dark = sorted((_light(one), _light(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


PAIRS = [
    *((ink, sheet) for ink in ("ink", "soft", "link") for sheet in ("paper", "sheet", "hover")),
    *((tone, f"{tone}-sheet") for tone in ("good", "warn", "bad")),
    *((tone, "sheet") for tone in ("good", "warn", "bad")),
    ("ink", "tag"),
    *(("ink", f"{tone}-sheet") for tone in ("good", "warn", "bad")),
    *(("link", f"{tone}-sheet") for tone in ("good", "warn", "bad")),
    ("brand-ink", "brand"),
]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_every_text_is_readable_on_its_ground(theme: int) -> None:
    """At least 4.5 : 1 in light and in dark; bars at least 3 : 1 against the sheet."""
    css = static("style.css").decode()
    blocks = re.findall(r":root \{([^}]*)\}", css)
    assert len(blocks) == 2
    colours = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6})", blocks[theme]))
    assert [pair for pair in PAIRS if contrast(colours[pair[0]], colours[pair[1]]) < 4.5] == []
    bars = [name for name in colours if name.startswith("bar-")]
    assert [name for name in bars if contrast(colours[name], colours["sheet"]) < 3] == []


def test_the_page_can_be_used_without_a_mouse(desk: Desk) -> None:
    """A way past the menu, visible focus, wide tables that can be scrolled with keys."""
    text = desk.visit().get("/").text
    assert '<a class="skip" href="#main">' in text
    assert 'class="scroll" role="group"' in text
    assert ":focus-visible" in static("style.css").decode()
    assert "outline: none" not in static("style.css").decode().replace("main:focus { outline: none; }", "")
