"""`aiskills sample` and `aiskills labels`: exit code, stderr and files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from aiskills.cli import labels, sample
from aiskills.errors import AiskillsError
from aiskills.labels import read_labels
from aiskills.labels.annotation import offer_record
from aiskills.labels.records import OfferLabel
from aiskills.schema import Status

ML = "Vous développez des modèles de machine learning en Python. \U0001f680"
BREAD = "Vous pétrissez la pâte et cuisez le pain."
FIRM = "Notre groupe, leader de l'intelligence artificielle, recrute un comptable."

app = typer.Typer()
app.command("sample")(sample.sample)
app.add_typer(labels.app, name="labels")


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs a command inside an empty folder; errors end as the command line ends them."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> Done:
        done = CliRunner().invoke(app, [str(one) for one in arguments])
        if isinstance(done.exception, AiskillsError):
            return Done(done.exception.exit_code, done.stdout, f"{done.stderr}{done.exception}")
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Done(done.exit_code, done.stdout, done.stderr)

    return call


@pytest.fixture
def offers(tmp_path: Path) -> Path:
    path = tmp_path / "offers.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "titre", "description", "entreprise"])
        for number in range(60):
            text = (ML, BREAD, FIRM, BREAD)[number % 4]
            writer.writerow([f"{number:04}", "Poste", f"{text} Réf. {number}.", f"F{number % 9}"])
        writer.writerow(["0003", "Poste", "encore", "F1"])
        writer.writerow(["", "", "", ""])
    return path


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def test_from_offers_to_labels_by_spreadsheet(run: Run, offers: Path, tmp_path: Path) -> None:
    done = run("sample", "offers.csv", "-n", 20, "-o", "t.csv", "--seed", 4)
    assert (done.code, done.out) == (0, "")
    assert "20 of 60 offers drawn (1 repeated an identifier, 1 had no text, left out)" in done.err
    assert "nothing found, French" in done.err
    assert names(tmp_path) == ["offers.csv", "t.csv", "t.csv.meta.json"]
    about = json.loads((tmp_path / "t.csv.meta.json").read_text("utf-8"))
    assert (about["strategy"], about["seed"], about["offers"], about["drawn"]) == (
        "stratified", 4, 60, 20,
    )  # fmt: skip
    assert sum(stratum["offers"] for stratum in about["strata"]) == 60
    assert about["aiskills_model_sha256"]
    text = (tmp_path / "t.csv").read_text("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))
    assert len(rows) == 20
    for row in rows[:-1]:
        asked = "machine" in row["description"]
        row["strict"] = row["study"] = "demand" if asked else "none"
    with (tmp_path / "filled.csv").open(
        "w", encoding="cp1252", errors="replace", newline=""
    ) as file:
        writer = csv.DictWriter(file, rows[0], delimiter=";", lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(rows)
    done = run("labels", "import", "filled.csv", "-o", "l.jsonl")
    assert done.code == 0
    assert done.err == ("19 offers and 0 mentions labelled. Left out: 1 skipped or not labelled.\n")
    found, _ = read_labels([tmp_path / "l.jsonl"])
    by_code = {stratum["code"]: stratum for stratum in about["strata"]}
    for label in found:
        its = by_code[label.stratum]
        assert label.inclusion == its["drawn"] / its["offers"]
        assert (label.set, len(label.uid)) == ("stratified", 4)
    done = run("labels", "check", "l.jsonl", "--offers", "offers.csv")
    assert done.code == 0
    assert "19 with an inclusion probability" in done.out
    assert "Nothing contradicts anything." in done.out


@pytest.mark.parametrize(
    ("tool", "name", "beside"),
    [("label-studio", "t.json", ["t.config.xml"]), ("prodigy", "t.jsonl", ["t.recipe.py"]),
     ("doccano", "t.jsonl", ["t.categories.json", "t.spans.json"]), ("table", "t.xlsx", [])],
)  # fmt: skip
def test_the_files_of_each_tool(
    run: Run, offers: Path, tmp_path: Path, tool: str, name: str, beside: list[str]
) -> None:
    offers.rename(tmp_path.parent / f"{tmp_path.name}.csv")
    source = tmp_path.parent / f"{tmp_path.name}.csv"
    arguments = ("sample", source, "-n", 12, "--strategy", "uncertain", "--to", tool, "-o", name)
    done = run(*arguments)
    assert done.code == 0
    assert names(tmp_path) == sorted([name, f"{name}.meta.json", *beside])
    assert "not a sample of anything" in done.err
    assert all(one in done.err for one in beside)
    before = {one: (tmp_path / one).read_bytes() for one in names(tmp_path)}
    for one in names(tmp_path):  # none of them is written over
        (tmp_path / one).rename(tmp_path / "kept")
        again = run(*arguments)
        (tmp_path / "kept").rename(tmp_path / one)
        if len(before) > 1:
            assert again.code == 1
            assert "exists. Use --force to replace it." in again.err
    assert run(*arguments, "--force").code == 0
    if tool != "table":  # a workbook says when it was made
        assert {one: (tmp_path / one).read_bytes() for one in names(tmp_path)} == before


def marked(path: Path) -> int:
    return sum(len(task["spans"]) for task in lines(path))


def test_suggestions_are_for_uncertain_draws(run: Run, offers: Path, tmp_path: Path) -> None:
    common = ("sample", "offers.csv", "-n", 30, "--to", "prodigy", "--force", "-q", "-o", "t.jsonl")
    counts = {}
    for strategy in ("random", "stratified", "uncertain"):
        assert run(*common, "--strategy", strategy) == Done(0, "", "")
        counts[strategy] = marked(tmp_path / "t.jsonl")
    assert counts["random"] == counts["stratified"] == 0
    assert counts["uncertain"] > 0
    assert run(*common, "--strategy", "random", "--suggestions").code == 0
    assert marked(tmp_path / "t.jsonl") > 0
    assert run(*common, "--strategy", "uncertain", "--no-suggestions").code == 0
    assert marked(tmp_path / "t.jsonl") == 0


def test_offers_of_one_employer(run: Run, offers: Path, tmp_path: Path) -> None:
    common = ("sample", "offers.csv", "-n", 60, "--strategy", "uncertain", "--to", "prodigy",
              "--force", "-q", "-o", "t.jsonl")  # fmt: skip
    for more, expected in (
        ((), 27),
        (("--max-per-company", 2), 18),
        (("--max-per-company", 0), 60),
    ):
        assert run(*common, *more).code == 0
        assert len(lines(tmp_path / "t.jsonl")) == expected
    done = run("sample", "offers.csv", "--max-per-company", 2, "-o", "x.csv")
    assert done.code == 2
    assert "a limit per employer with the strategy stratified" in done.err


def test_to_stdout(run: Run, offers: Path, tmp_path: Path) -> None:
    done = run(
        "sample", "offers.csv", "-n", 10, "--strategy", "random", "--to", "doccano", "-o", "-"
    )
    assert done.code == 0
    assert len(done.out.splitlines()) == 10
    assert all("\U0001f680" not in json.loads(line)["text"] for line in done.out.splitlines())
    assert names(tmp_path) == ["offers.csv"]
    (tmp_path / "t.jsonl").write_text(
        "".join(
            json.dumps({**json.loads(line), "cats": ["strict:none", "study:none"]}) + "\n"
            for line in done.out.splitlines()
        ),
        "utf-8",
    )
    done = run("labels", "import", "t.jsonl", "-o", "-", "--from", "doccano")
    assert {json.loads(line)["inclusion"] for line in done.out.splitlines()} == {10 / 60}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "no output is named; expected -o FILE"),
        (("-o", "t.csv", "--strategy", "all"), 2,
         "--strategy all; expected one of random, stratified, uncertain"),
        (("-o", "t.csv", "--to", "brat"), 2,
         "--to brat; expected one of label-studio, doccano, prodigy, table"),
        (("-o", "t.json"), 2, "expected a name that ends in .csv or .xlsx"),
        (("-o", "t.csv", "-n", "2"), 2, "Or use --strategy random."),
        (("-o", "no/t.csv"), 1, "the folder no does not exist"),
        (("-o", "offers.csv", "--force"), 1, "offers.csv is one of the inputs"),
        (("-o", "t.csv", "--model", "none"), 1, "none"),
    ],
)  # fmt: skip
def test_mistakes(
    run: Run, offers: Path, tmp_path: Path, arguments: Sequence[str], code: int, words: str
) -> None:
    done = run("sample", "offers.csv", *arguments)
    assert done.code == code
    assert words in done.err
    assert names(tmp_path) == ["offers.csv"]


# --- labels ------------------------------------------------------------------------------------


def label(uid: str, strict: str, study: str, **more: Any) -> Mapping[str, Any]:
    return offer_record(OfferLabel(uid, Status(strict), Status(study), **more))


def write(path: Path, *records: Mapping[str, Any]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    return path


def prodigy_line(uid: str, *accept: str, who: str = "a", answer: str = "accept") -> dict[str, Any]:
    return {"text": "Poste\nTexte", "accept": list(accept), "answer": answer,
            "aiskills": {"uid": uid}, "_annotator_id": who}  # fmt: skip


def test_import_says_what_it_leaves_out(run: Run, tmp_path: Path) -> None:
    none, demand = ("strict:none", "study:none"), ("strict:demand", "study:demand")
    write(
        tmp_path / "p.jsonl",
        prodigy_line("u1", *none),
        prodigy_line("u2", *none),
        prodigy_line("u2", *demand, who="b"),
        prodigy_line("u3", "strict:none"),
        prodigy_line("u4", *demand, answer="ignore"),
    )
    done = run("labels", "import", "p.jsonl", "-o", "l.jsonl")
    assert done.code == 0
    assert done.err == (
        "1 offer and 0 mentions labelled. Left out: 1 skipped or not labelled; "
        "1 with a status under one definition only (u3); 1 on which annotators differ (u2).\n"
    )
    assert run("labels", "import", "p.jsonl", "-o", "l.jsonl").err.endswith(
        "l.jsonl exists. Use --force to replace it."
    )
    done = run("labels", "import", "p.jsonl", "-o", "l.jsonl", "--force", "--annotator", "b", "-q")
    assert done == Done(0, "", "")
    assert [one["uid"] for one in lines(tmp_path / "l.jsonl")] == ["u2"]


def test_import_mistakes(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "p.jsonl", prodigy_line("u1"))
    for arguments, code, words in (
        (("p.jsonl",), 2, "no output is named"),
        (("p.jsonl", "-o", "l.jsonl", "--from", "brat"), 2, "--from brat; expected auto or one of"),
        (("p.jsonl", "-o", "l.jsonl"), 1, "no offer has a label; expected a status under both"),
        (("p.jsonl", "-o", "p.jsonl", "--force"), 1, "is one of the inputs"),
        (("none.jsonl", "-o", "l.jsonl"), 1, "none.jsonl cannot be read"),
        (("p.jsonl", "-o", "l.jsonl", "--from", "label-studio"), 1, "p.jsonl, task 1: "),
    ):
        done = run("labels", "import", *arguments)
        assert (done.code, words in done.err) == (code, True), done.err
    assert names(tmp_path) == ["p.jsonl"]


def test_check_names_what_is_wrong(run: Run, offers: Path, tmp_path: Path) -> None:
    mention = {"uid": "0001", "start": 0, "end": 9000, "status": "demand", "definition": "study"}
    write(
        tmp_path / "l.jsonl",
        label("0001", "none", "none", set="gold", inclusion=0.5),
        label("gone", "none", "demand", set="gold"),
        mention,
    )
    done = run("labels", "check", "l.jsonl", "--offers", "offers.csv")
    assert done.code == 1
    for words in (
        "2 offers, 1 mention",
        "gold         study  1 demand, 0 mention, 1 none",
        "1 x mention says more than its offer",
        "  0001: 0 to 9000: demand, the offer none under study",
        "1 x no probability in a draw that has them",
        "1 x not among the offers\n  gone\n",
        "1 x beyond the text",
    ):
        assert words in done.out
    assert "4 things in l.jsonl cannot be true" in done.err
    assert "beyond" not in run("labels", "check", "l.jsonl").out


def test_agreement_of_two_readers(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", *(label(f"u{n}", "none", "demand") for n in range(4)))
    write(
        tmp_path / "b.jsonl",
        *(label(f"u{n}", "none", "demand") for n in range(3)),
        label("u3", "mention", "mention"),
        label("u9", "none", "none"),
    )
    done = run("labels", "agreement", "a.jsonl", "b.jsonl")
    assert done.code == 0
    assert "strict 3 of 4 the same (75.0%, 95 % interval " in done.out
    assert "kappa 0.00 (" in done.out
    assert "1 offer only in b.jsonl" in done.out
    assert "1 offer to settle\n  u3  strict none / mention  study demand / mention\n" in done.out
    done = run("labels", "agreement", "a.jsonl", "b.jsonl", "-o", "settle.csv")
    assert "1 offer to settle, in settle.csv" in done.out
    assert (tmp_path / "settle.csv").read_text("utf-8").splitlines()[1] == (
        "u3,none,mention,demand,mention"
    )
    same = run("labels", "agreement", "a.jsonl", "a.jsonl", "-o", "none.csv")
    assert "kappa is not defined: both always said the same one thing" in same.out
    assert (tmp_path / "none.csv").read_text("utf-8").count("\n") == 1
    write(tmp_path / "c.jsonl", label("other", "none", "none"))
    assert run("labels", "agreement", "a.jsonl", "c.jsonl").code == 1
