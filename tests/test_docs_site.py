"""The documentation as a site: it builds without a warning and asks nobody; the guides run."""

from __future__ import annotations

import csv
import importlib.util
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest
from typer.main import get_command

from aiskills.cli import app, main

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "data" / "samples"
GUIDES = ("guide.md", "annotate.md", "report.md")
MADE = ("mkdocs", "mkdocstrings", "material")
needs_mkdocs = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in MADE),
    reason='MKDOCS IS MISSING: the site is NOT built (pip install -e ".[docs]")',
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", target],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        check=False,
        text=True,
        encoding="utf-8",
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return target


def commands() -> list[str]:
    """Every command that does something, as it is typed."""
    found = []
    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]
        below = getattr(command, "commands", None)
        found += [f"{name} {one}" for one in below] if below else [name]
    return found


@needs_mkdocs
def test_every_page_is_built(site: Path) -> None:
    pages = {path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")}
    made = {path.relative_to(site).with_suffix(".md") for path in site.rglob("*.html")}
    assert pages <= made
    assert {Path("index.md"), Path("accueil.md"), Path("commands.md")} <= made


@needs_mkdocs
def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    away = r"[\"']?((?:https?:)?//[^\"' >]+)"
    loads = re.compile(
        rf"<(?:script|img|iframe)\b[^>]*\bsrc={away}"
        rf"|<link\b[^>]*\brel=[\"']?(?:stylesheet|preconnect|preload|icon)[^>]*href={away}"
    )
    assert loads.search('<link rel="stylesheet" href="https://fonts.example/x.css">')
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        assert loads.findall(page.read_text("utf-8")) == [], page.name
    for style in site.rglob("*.css"):
        assert not re.search(r"url\([\"']?https?:|@import", style.read_text("utf-8")), style.name


@needs_mkdocs
def test_links_between_pages_lead_somewhere(site: Path) -> None:
    checked = 0
    for page in site.rglob("*.html"):
        if page.name == "404.html":
            continue
        for link in re.findall(r"<a\b[^>]*\bhref=\"([^\"]+)\"", page.read_text("utf-8")):
            path = unescape(link).partition("#")[0]
            if path and not re.match(r"[a-z]+:", path):
                assert (page.parent / path).exists(), f"{page.name}: {link}"
                checked += 1
    assert checked > 1000


@needs_mkdocs
def test_commands_are_those_of_the_help(site: Path) -> None:
    shown = re.sub(r"<[^>]+>", "", (site / "commands.html").read_text("utf-8"))
    assert len(commands()) > 20
    for command in commands():
        assert f"Usage: aiskills {command} " in unescape(shown)
    assert "--perimeter" in shown


@needs_mkdocs
def test_the_public_names_are_in_the_reference(site: Path) -> None:
    import aiskills

    pages = "".join(path.read_text("utf-8") for path in (site / "reference").glob("*.html"))
    for name in set(aiskills.__all__) - {"__version__"}:
        assert re.search(rf'id="aiskills\.[\w.]*\b{name}"', pages), name


# --- the guides --------------------------------------------------------------------------------


def lines(page: str) -> list[str]:
    text = (ROOT / "docs" / page).read_text("utf-8")
    found = re.findall(r"^```console\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [line for block in found for line in block.splitlines()]


def label(table: Path) -> None:
    """What a reader of offers does: the samples' true statuses go into the table to fill."""
    with (SAMPLES / "expected.csv").open(encoding="utf-8", newline="") as file:
        expected = {row["id"]: row for row in csv.DictReader(file)}
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    for row in rows:
        row["strict"], row["study"] = (expected[row["uid"]][name] for name in ("strict", "study"))
    with table.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize("page", GUIDES)
def test_a_guide_runs_from_top_to_bottom(
    page: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    if page == "annotate.md":
        pytest.importorskip("sklearn", reason="scikit-learn IS MISSING: the guide is not run")
    shutil.copy(SAMPLES / "offers.csv", tmp_path / "offers.csv")
    monkeypatch.chdir(tmp_path)
    before = signal.getsignal(signal.SIGTERM)
    if page == "report.md":
        run("aiskills classify offers.csv -o results.csv", monkeypatch)
    for line in lines(page):
        if line.startswith("aiskills labels import"):
            label(tmp_path / "to_label.csv")
        assert run(line, monkeypatch) == 0, (line, capfd.readouterr().err)
        told = capfd.readouterr()
        assert (told.out + told.err).strip()
    signal.signal(signal.SIGTERM, before)
    assert len(lines(page)) > 4


def run(line: str, monkeypatch: pytest.MonkeyPatch) -> object:
    """Exit code of a command line."""
    program, *arguments = shlex.split(line)
    assert program == "aiskills"
    monkeypatch.setattr(sys, "argv", [program, *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    return caught.value.code
