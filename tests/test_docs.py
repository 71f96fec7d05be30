"""The documentation: what it tells people to run runs, and where it points there is something."""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import unquote

import pytest

from aiskills.cli import main

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "data" / "samples"
READMES = ("README.md", "README.fr.md")
PAGES = [
    *sorted(ROOT.glob("README*.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "CONTRIBUTING.md",
]
#: Commands of other programs: they set up an environment, which tests don't.
OTHERS = ("make", "pip")
#: An identifier that stands for one of the reader's, and one of the samples.
THEIR_ID, SAMPLE_ID = "123ABC", "ECH-0002"
#: What the tests add to a line, to be done sooner.
SHORTER = {"aiskills demo": ["-n", "1000"]}

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^()\s]+)\)")


def blocks(name: str, language: str) -> list[str]:
    """The code blocks of one language in a page."""
    return [body for kind, body in _BLOCK.findall((ROOT / name).read_text("utf-8"))
            if kind == language]  # fmt: skip


def numbered(language: str) -> list[Any]:
    return [
        pytest.param(body, id=f"{name}-{number}")
        for name in READMES
        for number, body in enumerate(blocks(name, language), 1)
    ]


# --- Python ------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", numbered("python"))
def test_a_python_block_runs(code: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
        encoding="utf-8",
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, ""), code
    assert done.stdout.strip()


# --- the command line --------------------------------------------------------------------------


def command_lines() -> list[Any]:
    """Every line of the console blocks that calls aiskills; an unknown program is a failure."""
    result = []
    for name in READMES:
        lines = [line for block in blocks(name, "console") for line in block.splitlines() if line]
        for line in lines:
            program = line.split()[0]
            assert program in ("aiskills", *OTHERS), f"{name}: {line}"
            if program == "aiskills":
                result.append(pytest.param(line, id=f"{name}: {line}"))
    return result


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The samples as `classify` leaves them."""
    target = tmp_path_factory.mktemp("scored") / "results.csv"
    subprocess.run(
        [sys.executable, "-m", "aiskills", "classify", SAMPLES / "offers.csv", "-o", target, "-q"],
        check=True,
        timeout=60,
    )
    return target


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store after its first night."""
    folder = tmp_path_factory.mktemp("nights")
    (folder / "inbox").mkdir()
    offers = shutil.copy(SAMPLES / "offers.csv", folder / "inbox" / "offers.csv")
    os.utime(offers, (1_700_000_000, 1_700_000_000))  # no file that is still being written
    words = ["inbox", "--store", "store", "--archive", "archive", "--quiet"]
    subprocess.run(
        [sys.executable, "-m", "aiskills", "batch", *words],
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=60,
    )
    return folder


@pytest.fixture
def reader_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, scored: Path, store: Path
) -> Iterator[Path]:
    """A folder as the README's reader has it, after classifying, with a few labels."""
    before = signal.getsignal(signal.SIGTERM)
    for name in ("offers.csv", "offres.csv"):
        shutil.copy(SAMPLES / "offers.csv", tmp_path / name)
    for name in ("results.csv", "resultats.csv"):
        shutil.copy(scored, tmp_path / name)
    with (SAMPLES / "expected.csv").open(encoding="utf-8", newline="") as file:
        labels = [
            json.dumps({"uid": row["id"], "strict": row["strict"], "study": row["study"]})
            for row in csv.DictReader(file)
            if row["strict"]
        ]
    (tmp_path / "labels.jsonl").write_text("\n".join(labels), "utf-8")
    (lexicon,) = blocks("README.md", "csv")
    (tmp_path / "my.csv").write_text(lexicon, "utf-8")
    (tmp_path / "inbox").mkdir()
    shutil.copy(store / "archive" / "offers.csv", tmp_path / "inbox")
    shutil.copytree(store / "store", tmp_path / "store")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("line", command_lines())
def test_a_command_line_runs(
    line: str,
    reader_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    arguments = [*shlex.split(line.replace(THEIR_ID, SAMPLE_ID)), *SHORTER.get(line, [])]
    if "-o" in arguments:
        # The reader gets it by an earlier line, which the test of another line needs too.
        (reader_folder / arguments[arguments.index("-o") + 1]).unlink(missing_ok=True)
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as caught:
        main()
    sys.stdout.flush()
    out, err = capfd.readouterr()
    assert caught.value.code == 0, err
    assert (out + err).strip()
    for option in ("-o", "--html"):
        if option in arguments:
            assert (reader_folder / arguments[arguments.index(option) + 1]).stat().st_size


def test_there_is_something_to_run() -> None:
    told = [parameter.values[0].split()[1] for parameter in command_lines()]
    assert {"classify", "explain", "demo", "lexicon", "measure", "report", "study"} <= set(told)
    assert {"batch", "status", "dedupe", "sample", "evaluate", "skills"} <= set(told)
    assert all(blocks(name, "python") for name in READMES)


# --- the quality table -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def update_readme() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "update_readme", ROOT / "scripts" / "update_readme.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", READMES)
def test_the_quality_table_is_that_of_the_model(update_readme: ModuleType, name: str) -> None:
    quality = json.loads((ROOT / "models" / "fr" / "meta.json").read_text("utf-8"))["quality"]
    text = (ROOT / name).read_text("utf-8")
    (shown,) = re.findall(r"<!-- quality -->\n(.*?)\n<!-- /quality -->", text, re.DOTALL)
    assert shown == update_readme.table(quality, name)
    assert len(shown.splitlines()) >= 2 + 2 * 3
    assert update_readme.filled(text, name, quality) == text


# --- links -------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    targets = [unquote(link.partition("#")[0]) for link in _LINK.findall(text)
               if not re.match(r"[a-z]+:", link)]  # fmt: skip
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert missing == []
    assert targets or page.name not in READMES


def test_the_audit_figures_of_the_readmes_are_those_of_the_model() -> None:
    meta = json.loads((ROOT / "models" / "fr" / "meta.json").read_text("utf-8"))
    trades, rest = meta["audit"]["all_trades"], meta["audit"]["rest"]
    assert {q["fp"] for q in trades.values()} == {0}
    assert {tuple(q["specificity"]) for q in trades.values()} == {(1.0, 0.9908, 1.0)}
    assert trades["study"]["demand"] == 1
    strict, study = rest["strict"], rest["study"]
    english, french = ((ROOT / name).read_text("utf-8") for name in ("README.md", "README.fr.md"))
    assert f"{strict['tp']} of {strict['demand']} (`strict`)" in english
    assert f"{study['tp']} of {study['demand']} (`study`)" in english
    assert f"with {strict['fp']} and {study['fp']} false flags" in english
    assert f"{strict['tp']} sur {strict['demand']} (`strict`)" in french
    assert f"{study['tp']} sur {study['demand']} (`study`)" in french
