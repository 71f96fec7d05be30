"""`aiskills evaluate`: exit code, stdout, stderr and file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from aiskills.cli import evaluate
from aiskills.errors import AiskillsError, LabelError, ModelError, OutputError, UsageError

OFFERS = """uid,title,description,company,date,contract
o1,Data scientist,Vous entraînez des modèles de machine learning.,Alpha,2024-01-02,CDI
o2,Boulanger,Vous pétrissez la pâte et cuisez le pain doré.,Beta,2023-02-03,CDD
o3,Vendeuse,Notre groupe investit dans l'intelligence artificielle. Vous vendez du pain.,Gamma,,CDI
"""
LABELS = [
    {"uid": "o1", "strict": "demand", "study": "demand", "themes": ["machine_learning"],
     "evidence": [[43, 59]]},
    {"uid": "o2", "strict": "demand", "study": "demand"},
    {"uid": "o3", "strict": "mention", "study": "mention"},
]  # fmt: skip


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "labels.jsonl").write_text("\n".join(map(json.dumps, LABELS)), "utf-8")
    (tmp_path / "offers.csv").write_text(OFFERS, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(evaluate.evaluate)
    return CliRunner().invoke(app, ["labels.jsonl", *arguments])


def failure(*arguments: str) -> AiskillsError:
    error = run(*arguments).exception
    assert isinstance(error, AiskillsError)
    return error


def test_markdown_goes_to_stdout(files: Path) -> None:
    done = run("--offers", "offers.csv")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("# Evaluation\n\n3 labelled offers (3 with a sure label)")
    strict = "| strict | 3 | 2 | 1 | 0 | 1 | 1 | 1.000 "
    assert strict in done.stdout
    assert "| o2 | demand, demand | none, none |" in done.stdout
    assert "pétrissez" not in done.stdout
    assert sorted(one.name for one in files.iterdir()) == ["labels.jsonl", "offers.csv"]


@pytest.mark.parametrize("name", ["e.html", "e.json", "e.md", "e.htm", "E.JSON"])
def test_the_suffix_tells_the_format(files: Path, name: str) -> None:
    done = run("--offers", "offers.csv", "-o", name)
    assert done.exit_code == 0, done.output
    assert done.stdout == ""
    assert f"written to {name}" in done.stderr
    text = (files / name).read_text("utf-8")
    start = {"h": "<!doctype html>", "j": '{\n "version"', "m": "# Evaluation"}
    assert text.startswith(start[name.lower()[2]])
    assert sorted(one.name for one in files.iterdir()) == sorted(
        ["labels.jsonl", "offers.csv", name]
    )


def test_the_format_may_be_named(files: Path) -> None:
    done = run("--offers", "offers.csv", "--format", "json", "-q")
    record = json.loads(done.stdout)
    assert record["data"]["judged"] == 3
    assert done.stderr == ""
    assert run("--offers", "offers.csv", "-o", "e.txt", "--format", "html").exit_code == 0
    assert (files / "e.txt").read_text("utf-8").startswith("<!doctype")


def test_texts_can_be_left_out(files: Path) -> None:
    assert run("--offers", "offers.csv", "-o", "with.html").exit_code == 0
    assert run("--offers", "offers.csv", "-o", "without.html", "--no-texts").exit_code == 0
    assert "Boulanger" in (files / "with.html").read_text("utf-8")
    without = (files / "without.html").read_text("utf-8")
    assert "Boulanger" not in without
    assert "o2" in without


def test_slices_by_a_column_and_a_threshold(files: Path) -> None:
    done = run("--offers", "offers.csv", "--format", "json", "--by", "contract")
    slices = {(s["by"], s["value"]): s["offers"] for s in json.loads(done.stdout)["slices"]}
    assert (slices["contract", "CDI"], slices["contract", "CDD"]) == (2, 1)
    assert (slices["year", "2024"], slices["year", "(unknown)"]) == (1, 1)
    done = run("--offers", "offers.csv", "--format", "json", "--threshold", "strict=1")
    record = json.loads(done.stdout)
    assert record["thresholds"]["strict"] == 1
    assert record["definitions"]["strict"]["demand"]["tp"] == 0
    assert [one["uid"] for one in record["mistakes"]].count("o1") == 1


def test_a_lexicon_of_ones_own_counts(files: Path) -> None:
    own = "term;theme;definition;strength\npain;ia;strict;strong\n"
    (files / "own.csv").write_text(own, "utf-8")
    terms = []
    for more in ([], ["--lexicon", "own.csv"]):
        done = run("--offers", "offers.csv", "--format", "json", "--threshold", "0.000001", *more)
        assert done.exit_code == 0, done.exception
        mistakes = json.loads(done.stdout)["mistakes"]
        terms.append({quote["term"] for one in mistakes for quote in one["evidence"]})
    assert "pain" not in terms[0]
    assert "pain" in terms[1]


@pytest.mark.parametrize(
    ("arguments", "kind", "told"),
    [
        ([], UsageError, "expected --offers FILE"),
        (["--offers", "none.csv"], AiskillsError, "none.csv"),
        (["--offers", "offers.csv", "-o", "e.xyz"], UsageError, "expected .md, .json or .html"),
        (["--offers", "offers.csv", "-o", "gone/e.md"], OutputError, "does not exist"),
        (["--offers", "offers.csv", "-o", "offers.csv", "--format", "md", "--force"],
         OutputError, "is one of the inputs"),
        (["--offers", "offers.csv", "--model", "gone"], ModelError, "gone is no model folder"),
        (["--offers", "offers.csv", "--by", "salary"], UsageError, "--by salary"),
        (["--offers", "offers.csv", "--written", "w.jsonl"], UsageError, "--cross-validate"),
        (["--offers", "offers.csv", "--cross-validate", "--model", "m"],
         UsageError, "without --model"),
        (["--offers", "offers.csv", "--cross-validate"], LabelError, "too few"),
        (["--offers", "offers.csv", "--threshold", "7"], UsageError, "threshold"),
    ],
)  # fmt: skip
def test_mistakes_are_told(
    files: Path, arguments: list[str], kind: type[AiskillsError], told: str
) -> None:
    error = failure(*arguments)
    assert isinstance(error, kind)
    assert told in str(error)
    assert sorted(one.name for one in files.iterdir()) == ["labels.jsonl", "offers.csv"]


def test_a_file_is_replaced_with_force_alone(files: Path) -> None:
    (files / "e.md").write_text("mine", "utf-8")
    assert "--force" in str(failure("--offers", "offers.csv", "-o", "e.md"))
    assert (files / "e.md").read_text("utf-8") == "mine"
    assert run("--offers", "offers.csv", "-o", "e.md", "--force").exit_code == 0
    assert (files / "e.md").read_text("utf-8").startswith("# Evaluation")


def test_labels_of_missing_offers_are_told(files: Path) -> None:
    with (files / "labels.jsonl").open("a", encoding="utf-8") as file:
        file.write('\n{"uid": "zz", "strict": "none", "study": "none"}')
    error = failure("--offers", "offers.csv")
    assert isinstance(error, LabelError)
    assert "1 of 4 labelled offers are not in offers.csv: zz" in str(error)
