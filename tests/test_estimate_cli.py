"""`aiskills measure`: exit code, stdout, stderr and file, each time."""

from __future__ import annotations

import csv
import io
import json
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

from aiskills.cli import main


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Run]:
    """Runs the command line in this process, inside an empty folder."""
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["aiskills", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as caught:
            main()
        sys.stdout.flush()
        out, err = capfd.readouterr()
        assert isinstance(caught.value.code, int)
        return Done(caught.value.code, out, err)

    yield call
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def scored(tmp_path: Path) -> Path:
    """400 invented offers; flagged: 40 of 200 of Métallurgie, 10 of 150 of Chimie, 5 of 50."""
    branch = ["Métallurgie"] * 200 + ["Chimie"] * 150 + ["inconnu"] * 50
    flags = [40, 10, 5]
    sizes = [200, 150, 50]
    study = [
        word
        for hits, size in zip(flags, sizes, strict=True)
        for word in ["demand"] * hits + ["none"] * (size - hits)
    ]
    path = tmp_path / "scored.parquet"
    pq.write_table(
        pa.table(
            {
                "id": [f"o{n}" for n in range(400)],
                "company": [f"Société {n % 9}" for n in range(400)],
                "ai_study_status": study,
                "ai_strict_status": study,
                "ai_branch": branch,
                "ai_period": ["2019-03", "2023-03"] * 200,
                "ai_industry_opco2i": pa.array([True] * 350 + [None] * 50),
            }
        ),
        path,
    )
    return path


def test_a_pipe_gets_csv(run: Run, scored: Path) -> None:
    done = run("measure", scored, "--by", "branch", "--definition", "study", "--no-correct")
    assert done.code == 0
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [row["branch"] for row in rows] == ["Métallurgie", "Chimie", "inconnu", "total"]
    assert [row["row"] for row in rows] == ["cell", "cell", "unknown", "total"]
    assert float(rows[0]["share"]) == 0.2
    assert float(rows[0]["part"]) == 0.8
    assert float(rows[0]["part_min"]) == pytest.approx(40 / 55)
    assert float(rows[0]["part_max"]) == pytest.approx(45 / 55)
    assert "reposts are counted" in done.err
    assert "no correction: none was asked for" in done.err


def test_a_terminal_gets_a_table(run: Run, scored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    done = run("measure", scored, "--by", "branch", "--definition", "study", "--no-correct", "-q")
    assert done.code == 0
    assert done.err == ""
    lines = done.out.splitlines()
    assert "share [95 %]" in lines[0]
    assert lines[1].split()[:3] == ["Métallurgie", "200", "40"]
    assert "20.0 % [15.0, 26.1]" in lines[1]
    assert "80.0 % [67.0, 88.8]  72.7 to 81.8 %" in lines[1]
    assert "corrected" not in lines[0]
    assert "definition: study" in done.out
    assert "population: all offers" in done.out


@pytest.mark.parametrize(
    ("columns", "there", "gone"),
    [
        (200, ["part [95 %]", "bounds of part", "part corrected [95 %]", "index"], []),
        (128, ["part [95 %]", "part corrected [95 %]"], ["bounds", "index"]),
        (110, ["part", "part corrected"], ["bounds", "index", "part corrected [", "part ["]),
        (80, ["share [95 %]", "corrected [95 %]"], ["part"]),
    ],
)
def test_a_narrow_terminal_gets_what_is_needed_most(
    run: Run, scored: Path, monkeypatch: pytest.MonkeyPatch, columns: int, there: list[str],
    gone: list[str],
) -> None:  # fmt: skip
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", str(columns))
    done = run("measure", scored, "--by", "branch", "--definition", "study", "-q")
    head, first = done.out.splitlines()[:2]
    assert [one for one in there if one not in head] == []
    assert [one for one in gone if one in head] == []
    assert first.startswith("Métallurgie")


def test_the_total_alone_on_a_terminal(
    run: Run, scored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    done = run("measure", scored, "--perimeter", "opco2i", "-q")
    assert done.code == 0
    assert "the total" in done.out
    assert "(outside)" in done.out
    assert "perimeter: OPCO 2i" in done.out


def test_growth_on_a_terminal(run: Run, scored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    done = run("measure", scored, "--growth", "2019:2023", "--definition", "study", "-q")
    assert done.code == 0
    assert "2019" in done.out.splitlines()[0]
    assert "share points" in done.out
    assert "flagged corrected" in done.out
    assert " pt [" in done.out


def test_files_of_every_format(run: Run, scored: Path, tmp_path: Path) -> None:
    for name in ("t.csv", "t.parquet", "t.xlsx", "t.json", "t.md"):
        done = run("measure", scored, "--by", "branch", "-o", name)
        assert (done.code, done.out) == (0, ""), done.err
    table = pq.read_table(tmp_path / "t.parquet")
    assert len(table) == 8
    assert table.schema.metadata[b"measure_population"] == b"all offers"
    beside = json.loads((tmp_path / "t.csv.meta.json").read_text("utf-8"))
    assert beside["measure_definition"] == "study and strict"
    rows = json.loads((tmp_path / "t.json").read_text("utf-8"))
    assert rows[0]["share"] == 0.2
    sheet = CalamineWorkbook.from_path(str(tmp_path / "t.xlsx")).get_sheet_by_index(0)
    assert sheet.to_python()[1][3] == "Métallurgie"
    text = (tmp_path / "t.md").read_text("utf-8")
    assert text.startswith("| definition | branch | offers |")
    assert "| study | Métallurgie | 200 | 40 | 20.0 % [15.0, 26.1] |" in text
    assert "- population: all offers" in text


def test_csv_for_french_excel(run: Run, scored: Path, tmp_path: Path) -> None:
    assert run("measure", scored, "--excel-fr", "-o", "t.csv").code == 0
    raw = (tmp_path / "t.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    assert "0,1375" in raw.decode("utf-8-sig")


@pytest.mark.parametrize("name", ["t.csv", "t.md"])
def test_nothing_is_written_over(run: Run, scored: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine", "utf-8")
    done = run("measure", scored, "-o", name)
    assert done.code == 1
    assert "--force" in done.err
    assert (tmp_path / name).read_text("utf-8") == "mine"
    assert run("measure", scored, "-o", name, "--force").code == 0
    assert (tmp_path / name).read_text("utf-8") != "mine"
    assert not list(tmp_path.glob(".*"))
    assert "one of the inputs" in run("measure", scored, "-o", scored, "--force").err


def test_the_target_is_checked_before_the_work(run: Run, scored: Path, tmp_path: Path) -> None:
    done = run("measure", scored, "-o", "none/t.md")
    assert done.code == 1
    assert "does not exist" in done.err
    assert run("measure", scored, "-o", "t.doc").code == 2
    assert run("measure", scored, "-o", "t.md", "--excel-fr").code == 2
    assert sorted(one.name for one in tmp_path.iterdir()) == ["scored.parquet"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--by", "brnch"), 1, "Did you mean 'branch'"),
        (("--by", "theme"), 1, "no column 'ai_themes'. Score the offers with `aiskills classify`"),
        (("--population", "cadre"), 1, "no column 'ai_cadre'"),
        (("--status", "all"), 2, "expected demand or any"),
        (("--growth", "2019"), 2, "expected two periods"),
        (("--dedupe",), 1, "aiskills dedupe"),
        (("--gold", "gold.jsonl"), 1, "gold.jsonl cannot be read"),
        (("--min-offers", "0"), 2, "min-offers"),
    ],
)
def test_mistakes_are_one_line(
    run: Run, scored: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    done = run("measure", scored, *arguments)
    assert done.code == code
    assert words in done.err
    assert "Traceback" not in done.err
    assert done.out == ""


def test_gold_labels_correct(run: Run, scored: Path, tmp_path: Path) -> None:
    labels = [
        {"uid": f"o{n}", "study": "demand" if n < 30 else "none", "strict": "none",
         "inclusion": 0.5}
        for n in range(0, 400, 2)
    ]  # fmt: skip
    gold = tmp_path / "gold.jsonl"
    gold.write_text("".join(json.dumps(one) + "\n" for one in labels), "utf-8")
    done = run("measure", scored, "--definition", "study", "--gold", gold)
    (row,) = csv.DictReader(io.StringIO(done.out))
    assert row["correction"] == "ppi++"
    assert float(row["share_corrected"]) == pytest.approx(30 / 400, abs=0.01)
    assert "200 labelled offers" in done.err
    without = [{k: v for k, v in one.items() if k != "inclusion"} for one in labels]
    gold.write_text("".join(json.dumps(one) + "\n" for one in without), "utf-8")
    refused = run("measure", scored, "--gold", gold)
    assert refused.code == 1
    assert "200 of 200 labels have no 'inclusion'" in refused.err
