"""The report in a real browser: Debian's chromium, or whatever Chromium there is.

Skipped, and loudly, where there is none: `apt-get install chromium` and `pip install playwright`.
"""

from __future__ import annotations

import importlib.util
import os
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import report_offers as made
from aiskills.report.browser import find_browser, to_pdf
from aiskills.report.figures import collect
from aiskills.report.images import write_pictures
from aiskills.report.page import page as make_page
from aiskills.report.records import Figures, Options

AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
BROWSER = find_browser()
PLAYWRIGHT = importlib.util.find_spec("playwright") is not None
pytestmark = pytest.mark.skipif(
    BROWSER is None or not PLAYWRIGHT,
    reason="CHROMIUM OR PLAYWRIGHT IS MISSING: the report is NOT tested in a browser "
    "(apt-get install chromium; pip install playwright)",
)
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def figures() -> Figures:
    return collect(made.table(), Options(), command="aiskills report x.parquet")


@pytest.fixture(scope="module")
def files(figures: Figures, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("report")
    english = collect(made.table(), Options(lang="en", texts=False))
    pages = {"fr": make_page(figures), "en": make_page(english)}
    for lang, html in pages.items():
        (folder / f"{lang}.html").write_text(html, "utf-8")
    return {lang: (folder / f"{lang}.html").as_uri() for lang in pages}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    root = sys.platform == "linux" and os.geteuid() == 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=BROWSER, args=["--no-sandbox"] if root else []
        )
        yield browser
        browser.close()


class Seen:
    """What a page did besides being there."""

    def __init__(self, page: Any) -> None:
        self.requests: list[str] = []
        self.messages: list[str] = []
        page.on("request", lambda one: self.requests.append(one.url))
        page.on("console", lambda one: self.messages.append(f"{one.type}: {one.text}"))
        page.on("pageerror", lambda one: self.messages.append(f"error: {one}"))


@pytest.fixture
def visit(chromium: Any, files: dict[str, str]) -> Iterator[Any]:
    """Opens a page; when the test is done, nothing may have been asked for or complained of."""
    opened: list[tuple[Any, Seen]] = []

    def go(lang: str = "fr", **context: Any) -> Any:
        own = chromium.new_context(**({"viewport": DESK} | context))
        page = own.new_page()
        opened.append((own, Seen(page)))
        page.goto(files[lang])
        return page

    yield go
    for context, seen in opened:
        context.close()
        assert seen.messages == []
        assert set(seen.requests) <= set(files.values())
        assert seen.requests


def axe(page: Any) -> list[str]:
    """Violations that axe calls serious or critical."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {one['help']} {[node['html'][:120] for node in one['nodes'][:3]]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("lang", ["fr", "en"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_axe_finds_no_serious_violation(
    visit: Any, lang: str, scheme: str, viewport: dict[str, int]
) -> None:
    page = visit(lang, color_scheme=scheme, viewport=viewport)
    for one in page.query_selector_all("details"):
        one.evaluate("(element) => { element.open = true; }")
    assert axe(page) == []


def test_axe_would_find_one(visit: Any) -> None:
    page = visit()
    page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<input>')")
    assert any("label" in one for one in axe(page))


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_charts_are_drawn_once_and_fit(visit: Any, viewport: dict[str, int]) -> None:
    page = visit(viewport=viewport)
    drawn = page.evaluate(
        """[...document.querySelectorAll("figure svg[role=img]")].map((one) => {
            const box = one.getBoundingClientRect();
            return {name: one.getAttribute("aria-label"), width: box.width, height: box.height,
                    marks: one.querySelectorAll("rect, circle, path").length,
                    right: box.right};
        })"""
    )
    shown = [one for one in drawn if one["width"]]
    assert len(shown) == 6  # two of the trend, growth, branches, functions, themes
    assert len(drawn) == 12
    assert all(one["name"] and one["height"] > 100 and one["marks"] for one in shown)
    assert all(one["right"] <= viewport["width"] for one in shown)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_labels_of_a_chart_do_not_leave_it(visit: Any, lang: str) -> None:
    for viewport in (DESK, PHONE):
        page = visit(lang, viewport=viewport)
        outside = page.evaluate(
            """[...document.querySelectorAll("figure svg[role=img]")].flatMap((svg) => {
                const box = svg.getBoundingClientRect();
                return [...svg.querySelectorAll("text")].filter((one) => {
                    const own = one.getBoundingClientRect();
                    return box.width && (own.left < box.left || own.right > box.right + 1);
                }).map((one) => one.textContent);
            })"""
        )
        assert outside == []


def test_nothing_moves_after_the_first_paint(visit: Any) -> None:
    page = visit()
    moved = page.evaluate(
        """new Promise((done) => {
            let sum = 0;
            new PerformanceObserver((list) => {
                for (const one of list.getEntries()) sum += one.value;
            }).observe({type: "layout-shift", buffered: true});
            setTimeout(() => done(sum), 400);
        })"""
    )
    assert moved < 0.02


def test_the_map_answers_to_the_pointer(visit: Any) -> None:
    page = visit()
    told = page.locator(".told")
    hint = told.text_content()
    page.hover('path[data-region="53"]')
    assert "Bretagne" in told.text_content()
    assert "%" in told.text_content()
    assert page.locator("tr.chosen").count() == 1
    assert "Bretagne" in page.locator("tr.chosen").text_content()
    page.hover("h1")
    assert told.text_content() == hint
    assert page.locator("tr.chosen").count() == 0


def test_the_map_answers_to_the_keyboard(visit: Any) -> None:
    page = visit()
    page.focus('input[name="map"][value="share"]')
    page.keyboard.press("Tab")
    seen = []
    for _ in range(18):
        seen.append(page.evaluate("document.activeElement.dataset.region"))
        assert page.locator(".told").text_content() == page.evaluate(
            "document.activeElement.getAttribute('aria-label')"
        )
        page.keyboard.press("Tab")
    assert len(set(seen)) == 18
    assert page.evaluate("document.activeElement.dataset.region ?? ''") == ""


def test_the_map_shows_numbers_instead_of_shares(visit: Any) -> None:
    page = visit()
    colours = "[...document.querySelectorAll('path.r')].map((one) => getComputedStyle(one).fill)"
    by_share = page.evaluate(colours)
    assert len(set(by_share)) > 2
    assert page.locator(".for-share").is_visible()
    page.check('input[name="map"][value="count"]')
    assert page.evaluate(colours) != by_share
    assert page.locator(".for-count").is_visible()
    assert not page.locator(".for-share").is_visible()


def test_tables_sort_and_unknown_rows_stay_last(visit: Any) -> None:
    page = visit()
    table = page.locator(".maps table.sortable")
    head = table.locator("thead th").nth(2)

    def values() -> list[float]:
        return [
            float(one)
            for one in table.evaluate(
                """(one) => [...one.tBodies[0].rows].filter((row) =>
                    !row.classList.contains("unknown")).map((row) => row.cells[2].dataset.v)"""
            )
        ]

    def kinds() -> list[str]:
        found: list[str] = table.evaluate(
            "(one) => [...one.tBodies[0].rows].map((row) => row.className)"
        )
        return found

    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    assert values() == sorted(values(), reverse=True)
    assert kinds() == sorted(kinds())
    head.locator("button").press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    assert values() == sorted(values())
    assert kinds() == sorted(kinds())
    assert "unknown" in kinds()
    table.locator("thead th").first.locator("button").click()
    names = table.locator("tbody tr:not(.unknown) th").all_text_contents()
    assert names == sorted(names, key=lambda name: name.replace("Î", "I").replace("é", "e").lower())
    assert len(names) == 7
    assert head.get_attribute("aria-sort") is None


def test_each_language_is_declared(visit: Any) -> None:
    assert visit("fr").locator("html").get_attribute("lang") == "fr"
    assert "Régions" in visit("fr").locator("nav.toc").text_content()
    english = visit("en")
    assert english.locator("html").get_attribute("lang") == "en"
    assert "Regions" in english.locator("nav.toc").text_content()


def test_dark_mode_follows_the_system_and_the_button(visit: Any) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    light, dark = "rgb(255, 255, 255)", "rgb(17, 22, 27)"
    assert visit(color_scheme="dark").evaluate(ground) == dark
    page = visit(color_scheme="light")
    assert page.evaluate(ground) == light
    button = page.locator("button.theme")
    button.click()
    assert page.evaluate(ground) == dark
    assert "sombre" in button.text_content()
    page.reload()
    assert page.evaluate(ground) == dark
    button.click()
    assert page.evaluate(ground) == light
    button.click()
    assert "automatique" in button.text_content()
    page.evaluate("localStorage.clear()")


def test_hostile_texts_stay_text(visit: Any) -> None:
    page = visit()
    assert page.evaluate("typeof window.pwned") == "undefined"
    assert page.locator("img, iframe, article script, article h1").count() == 0
    article = page.locator("article", has_text="window.pwned").first
    assert made.SCRIPT in article.locator("h4").text_content()
    assert article.locator("mark").count() >= 2
    longest = page.evaluate(
        "Math.max(...[...document.querySelectorAll('h4')].map((one) => one.textContent.length))"
    )
    assert longest < 300
    sides = page.evaluate(
        "[...document.querySelectorAll('h4 bdi')].map((one) => getComputedStyle(one).unicodeBidi)"
    )
    assert set(sides) == {"isolate"}


def test_the_policy_stops_what_would_run_or_ask(chromium: Any, files: dict[str, str]) -> None:
    page = chromium.new_page()
    seen = Seen(page)
    stopped: list[str] = []
    page.on("requestfailed", lambda one: stopped.append(f"{one.url} {one.failure}"))
    page.goto(files["fr"])
    page.evaluate(
        """const script = document.createElement("script"), image = new Image();
        script.textContent = "window.pwned = 3";
        image.src = "http://127.0.0.1:9/pixel.png";
        image.setAttribute("onerror", "window.pwned = 4");
        document.body.append(script, image);"""
    )
    page.wait_for_timeout(200)
    assert page.evaluate("typeof window.pwned") == "undefined"
    assert stopped == ["http://127.0.0.1:9/pixel.png csp"]
    assert any("Content Security Policy" in one for one in seen.messages)
    page.close()


def test_evidence_is_filtered_and_shown_ten_at_a_time(visit: Any) -> None:
    page = visit()
    sample = page.locator(".sample").first
    shown = sample.locator("article:visible")
    every = sample.locator("article").count()
    assert every > 20
    assert shown.count() == 10
    assert f"10 / {every}" in sample.locator(".shown").text_content()
    sample.locator("button.more").click()
    assert shown.count() == 20
    sample.locator("select").select_option("iot")
    assert 0 < shown.count() <= 10
    assert set(shown.evaluate_all("(all) => all.map((one) => one.dataset.themes)")) == {"iot"}
    sample.locator("select").select_option("")
    sample.locator("input").fill("poste 17")
    assert all("poste 17" in text.lower() for text in shown.all_text_contents())
    assert shown.count() > 0
    sample.locator("input").fill("zzzz")
    assert shown.count() == 0


def test_without_scripts_everything_is_there(visit: Any) -> None:
    page = visit(java_script_enabled=False)
    assert page.locator("article:visible").count() == page.locator("article").count() > 50
    assert not page.locator("button:visible").count()
    assert page.locator(".maps table:visible").count() == 1


def test_the_keyboard_skips_to_the_content(visit: Any) -> None:
    page = visit()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_paper_has_no_buttons_and_shows_the_wide_charts(visit: Any) -> None:
    page = visit(viewport=PHONE, color_scheme="dark")
    page.emulate_media(media="print")
    assert not page.locator("nav.toc").is_visible()
    assert not page.locator("button.theme").is_visible()
    assert page.locator(".wide-only").first.is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_the_page_prints_to_a_pdf(figures: Figures, tmp_path: Path) -> None:
    target = tmp_path / "rapport.pdf"
    to_pdf(make_page(figures), target)
    assert target.read_bytes().startswith(b"%PDF")
    assert target.stat().st_size > 50_000


def test_each_chart_becomes_a_picture(figures: Figures, tmp_path: Path) -> None:
    written = write_pictures(figures, tmp_path / "images")
    assert [one.stem for one in written] == [
        "trend-count", "trend-share", "growth", "branches", "functions", "themes", "map-share",
        "map-count",
    ]  # fmt: skip
    for one in written:
        head = one.read_bytes()[:24]
        assert head.startswith(b"\x89PNG")
        width, height = struct.unpack(">II", head[16:24])
        assert width >= 1300
        assert height > 400
