"""Drawing offers to label: probabilities that are true, draws that can be repeated."""

from __future__ import annotations

import doctest
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiskills.errors import InputError, UsageError
from aiskills.files import OfferReader, find_fields, open_offers
from aiskills.labels import draw, strata, uid
from aiskills.labels.design import Design, Sample, Strategy
from aiskills.labels.uid import offer_uid, offer_uids
from aiskills.pipeline import Setup, classify_chunks, provenance
from aiskills.sampling import draw_sample, scored_by
from aiskills.schema import Definition

ML = "Vous développez des modèles de machine learning en Python."
IOT = "Vous concevez des objets connectés pour l'usine."
FIRM = "Notre groupe, leader de l'intelligence artificielle, recrute un comptable."
BREAD = "Vous pétrissez la pâte et cuisez le pain."
CLEANER = "We are looking for a cleaner to join our team and work with the other people."
SETUP = Setup()


def offers(number: int) -> list[dict[str, str]]:
    texts = [ML, IOT, FIRM, BREAD, BREAD, BREAD, CLEANER]
    return [
        {
            "id": f"n{row}",
            "title": "Poste",
            "description": f"{texts[row % len(texts)]} Réf. {row}.",
            "company": f"Firme {row % 5}",
        }
        for row in range(number)
    ]


def write(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    pq.write_table(pa.Table.from_pylist(list(rows)), path)
    return path


def run(path: Path, design: Design, **more: Any) -> Sample:
    with open_offers([path], chunk_rows=more.pop("chunk_rows", 1000)) as reader:
        return draw_sample(reader, SETUP, design, **more)


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """280 offers with the shipped model's scores, and the versions in the metadata."""
    folder = tmp_path_factory.mktemp("scored")
    plain = write(folder / "plain.parquet", offers(280))
    with open_offers([plain]) as reader:
        table = pa.concat_tables(classify_chunks(reader, SETUP))
    metadata = {k.encode(): v.encode() for k, v in provenance(SETUP.judge()).items()}
    pq.write_table(table.replace_schema_metadata(metadata), folder / "scored.parquet")
    return folder / "scored.parquet"


@pytest.mark.parametrize("module", [draw, strata, uid])
def test_the_examples_in_the_documentation(module: Any) -> None:
    assert doctest.testmod(module).failed == 0


# --- identifiers -------------------------------------------------------------------------------


def test_an_identifier_is_the_same_row_by_row_and_by_table() -> None:
    rows = [
        {"uid": "u1", "id": "1", "source": "apec", "title": "A", "description": "x"},
        {"uid": None, "id": "2", "source": "apec", "title": "B", "description": "y"},
        {"uid": "", "id": "3", "source": None, "title": "C", "description": "z"},
        {"uid": None, "id": None, "source": "apec", "title": None, "description": "a\r\nb"},
        {"uid": None, "id": " ", "source": None, "title": "D", "description": None},
    ]
    table = pa.Table.from_pylist(rows)
    fields = find_fields(table.column_names, table, {"id": "id"})
    found = offer_uids(table, fields)
    assert found[:3] == ["u1", "apec:2", "3"]
    assert found[3] == offer_uid(None, "a b")
    assert found[4] == offer_uid("D", "")
    assert len(set(found)) == 5
    assert offer_uids(table.slice(2, 2), fields) == found[2:4]


def test_an_offer_without_an_identifier_is_known_by_its_text() -> None:
    table = pa.Table.from_pylist([{"title": "A", "description": "x"}] * 2)
    one, other = offer_uids(table, find_fields(table.column_names, table))
    assert one == other == offer_uid("A", "x")
    assert offer_uid("A", "x") != offer_uid("Ax", "")
    assert offer_uid("A", "x").startswith("text:")


# --- the draw itself ---------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.integers(1, 500), st.floats(0.05, 0.5)), min_size=1, max_size=20),
    st.integers(0, 600),
)
def test_every_stratum_is_drawn_from(cells: list[tuple[int, float]], more: int) -> None:
    sizes, spreads = [size for size, _ in cells], [spread for _, spread in cells]
    total = len(cells) + more
    numbers = draw.allocate(sizes, spreads, total)
    assert sum(numbers) == min(total, sum(sizes))
    assert all(1 <= number <= size for number, size in zip(numbers, sizes, strict=True))
    if total >= 2 * len(cells):
        assert all(n >= min(2, size) for n, size in zip(numbers, sizes, strict=True))


def test_doubtful_and_small_strata_get_more_than_their_share() -> None:
    small, large, doubtful = draw.allocate([100, 10_000, 10_000], [0.1, 0.1, 0.4], 1000)
    assert small / 100 > large / 10_000
    assert doubtful > 3 * large
    with pytest.raises(ValueError, match="1 offers to draw from 2 strata"):
        draw.allocate([5, 5], [0.1, 0.1], 1)


def test_the_stated_probabilities_are_those_with_which_offers_are_drawn() -> None:
    names = [f"offer {number}" for number in range(60)]
    own = np.array([0] * 40 + [1] * 15 + [2] * 5)
    numbers = [8, 5, 5]
    times, draws = np.zeros(60), 4000
    for seed in range(draws):
        drawn = draw.draw_strata(draw.keys_of(names, seed), own, numbers)
        assert len(set(drawn.tolist())) == 18
        times[drawn] += 1
    stated = np.array([8 / 40, 5 / 15, 1.0])[own]
    error = np.sqrt(stated * (1 - stated) / draws)
    assert np.all(times[own == 2] == draws)
    away = (times / draws - stated)[own < 2] / error[own < 2]
    assert np.abs(away).max() < 4  # of 55 offers
    assert 0.6 < np.std(away) < 1.4


def test_pairs_are_drawn_as_a_simple_random_sample_draws_them() -> None:
    names = [str(number) for number in range(12)]
    own = np.zeros(12, dtype=np.int64)
    together = np.zeros((12, 12))
    for seed in range(4000):
        drawn = draw.draw_strata(draw.keys_of(names, seed), own, [4])
        together[np.ix_(drawn, drawn)] += 1
    expected = 4 * 3 / (12 * 11)
    pairs = together[np.triu_indices(12, 1)] / 4000
    assert np.abs(pairs - expected).max() < 4.5 * np.sqrt(expected * (1 - expected) / 4000)


def test_the_weighted_estimate_is_unbiased() -> None:
    rng = np.random.default_rng(3)
    sizes = [900, 80, 20]
    own = np.repeat([0, 1, 2], sizes)
    truth = rng.random(1000) < np.array([0.01, 0.5, 0.9])[own]
    numbers = draw.allocate(sizes, [0.1, 0.5, 0.3], 60)
    chance = np.array(numbers) / np.array(sizes)
    names = [str(number) for number in range(1000)]
    estimates = []
    for seed in range(1500):
        drawn = draw.draw_strata(draw.keys_of(names, seed), own, numbers)
        estimates.append((truth[drawn] / chance[own[drawn]]).sum() / 1000)
    spread = np.std(estimates) / np.sqrt(len(estimates))
    assert abs(np.mean(estimates) - truth.mean()) < 4 * spread
    unweighted = [
        truth[draw.draw_strata(draw.keys_of(names, seed), own, numbers)].mean()
        for seed in range(50)
    ]
    assert np.mean(unweighted) > truth.mean() + 0.1  # what the weights are for


def test_uncertain_takes_the_nearest_and_spreads_them() -> None:
    distances = np.array([0.5, 0.01, 0.02, 0.03, 0.04, 0.05, np.inf])
    keys = np.arange(7, dtype=np.uint64)
    firms = ["B", "A", "A", "A", "", None, "C"]
    assert draw.draw_uncertain(distances, keys, firms, 4, 2).tolist() == [1, 2, 4, 5]
    assert draw.draw_uncertain(distances, keys, firms, 4, None).tolist() == [1, 2, 3, 4]
    assert len(draw.draw_uncertain(distances, keys, firms, 20, 1)) == 5
    ties = draw.draw_uncertain(
        np.zeros(3), np.array([5, 1, 3], dtype=np.uint64), ["", "", ""], 2, 1
    )
    assert ties.tolist() == [1, 2]


# --- strata ------------------------------------------------------------------------------------


def answers(*rows: tuple[str | None, str | None, float, float, str | None]) -> strata.Answers:
    study, strict, a, b, language = zip(*rows, strict=True)
    return strata.Answers(
        np.array(study, dtype=object),
        np.array(strict, dtype=object),
        {Definition.STUDY: np.array(a), Definition.STRICT: np.array(b)},
        np.array(language, dtype=object),
    )


def test_strata_are_the_models_answers() -> None:
    thresholds = {Definition.STRICT: 0.5, Definition.STUDY: 0.5}
    given_answers = answers(
        ("demand", "demand", 0.99, 0.97, "fr"),
        ("demand", "mention", 0.9, 0.4, "en"),
        ("mention", "none", 0.1, 0.0, "fr"),
        ("none", "none", 0.1, 0.1, "fr"),
        ("none", "none", 0.0, 0.0, "other"),
        (None, None, np.nan, np.nan, None),
        ("", "", np.nan, np.nan, ""),
    )
    numbers, variances = strata.strata_of(given_answers, thresholds)
    assert [strata.meaning_of(number) for number in numbers.tolist()] == [
        "demand under both, clear, French",
        "demand under study only, doubtful, another language",
        "mention, clear, French",
        "none, though a term was found, clear, French",
        "nothing found, another language",
        "not judged",
        "not judged",
    ]
    assert variances.tolist() == pytest.approx([0.0291, 0.24, 0.09, 0.09, 0.005, 0.25, 0.25])
    away = strata.distances(given_answers, thresholds)
    assert away[:5].tolist() == pytest.approx([0.47, 0.1, 0.4, 0.4, 0.5])
    assert np.isinf(away[5:]).all()


# --- whole files -------------------------------------------------------------------------------


def test_a_random_sample_of_a_file(tmp_path: Path) -> None:
    rows = offers(30)
    rows += [rows[3], {"id": "e", "title": "", "description": " ", "company": ""}]
    drawn = run(write(tmp_path / "o.parquet", rows), Design(Strategy.RANDOM, 6, seed=1))
    assert (drawn.offers, drawn.repeated, drawn.empty) == (30, 1, 1)
    assert len({task.uid for task in drawn.tasks}) == 6
    assert {task.inclusion for task in drawn.tasks} == {"6 of 30"}
    by_id = {row["id"]: row for row in rows}
    for task in drawn.tasks:
        assert task.description == by_id[task.uid]["description"]
        assert (task.set, task.stratum, task.suggestions) == ("random", "s01", ())
    whole = run(tmp_path / "o.parquet", Design(Strategy.RANDOM, 500, name="all"))
    assert {task.inclusion for task in whole.tasks} == {"30 of 30"}
    assert {task.set for task in whole.tasks} == {"all"}


def test_a_stratified_sample_of_a_file(tmp_path: Path) -> None:
    path = write(tmp_path / "o.parquet", offers(280))
    drawn = run(path, Design(Strategy.STRATIFIED, 40, seed=5))
    assert len(drawn.tasks) == sum(s.drawn for s in drawn.strata) == 40
    assert sum(s.offers for s in drawn.strata) == drawn.offers == 280
    assert all(s.drawn >= 1 for s in drawn.strata)
    assert {"nothing found, French", "nothing found, another language"} <= {
        s.meaning for s in drawn.strata
    }
    of_code = {s.code: s for s in drawn.strata}
    for code, number in Counter(task.stratum for task in drawn.tasks).items():
        assert number == of_code[code].drawn
    for task in drawn.tasks:
        its = of_code[task.stratum]
        assert (task.drawn, task.of) == (its.drawn, its.offers)
        assert not task.suggestions
    # Reading them in order tells nothing of the strata.
    assert [t.stratum for t in drawn.tasks] != sorted(t.stratum for t in drawn.tasks)


def test_a_draw_depends_on_the_seed_and_on_nothing_else(tmp_path: Path) -> None:
    rows = offers(90)
    straight = write(tmp_path / "a.parquet", rows)
    turned = write(tmp_path / "b.parquet", rows[::-1])
    for strategy in Strategy:
        design = Design(strategy, 25, seed=8)
        one = run(straight, design)
        assert run(straight, design, chunk_rows=7).tasks == one.tasks
        assert run(turned, design).tasks == one.tasks
        if strategy is not Strategy.UNCERTAIN:
            assert run(straight, Design(strategy, 25, seed=9)).tasks != one.tasks
    stratified = Design(Strategy.STRATIFIED, 25, seed=8)
    assert run(straight, stratified, jobs=2, chunk_rows=30) == run(straight, stratified)


def test_an_uncertain_draw_is_spread_and_suggests(tmp_path: Path) -> None:
    path = write(tmp_path / "o.parquet", offers(100))
    design = Design(Strategy.UNCERTAIN, 12, per_company=2, suggestions=True)
    drawn = run(path, design)
    firms = {f"n{row}": f"Firme {row % 5}" for row in range(100)}
    assert max(Counter(firms[task.uid] for task in drawn.tasks).values()) == 2
    assert len(drawn.tasks) == 10  # five firms
    assert drawn.strata == []
    assert {(task.stratum, task.inclusion) for task in drawn.tasks} == {("", "")}
    marked = [task for task in drawn.tasks if task.suggestions]
    assert marked
    for task in marked:
        whole = f"{task.title}\n{task.description}"
        for mark in task.suggestions:
            quote = whole[mark.start : mark.end].lower()
            assert quote in ("machine learning", "objets connectés", "intelligence artificielle")


def test_scores_in_the_file_are_used_if_the_same_model_made_them(
    scored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> Iterator[Any]:
        raise AssertionError("scored again")

    design = Design(Strategy.STRATIFIED, 40, seed=2)
    afresh = run(scored.with_name("plain.parquet"), design)
    other = tmp_path / "other.parquet"
    table = pq.read_table(scored)
    metadata = {**table.schema.metadata, b"aiskills_model_sha256": b"another"}
    pq.write_table(table.replace_schema_metadata(metadata), other)
    assert not run(other, design).scored_before
    monkeypatch.setattr("aiskills.sampling.classify_chunks", refuse)
    used = run(scored, design)
    assert used.scored_before
    assert (used.tasks, used.strata) == (afresh.tasks, afresh.strata)
    with pytest.raises(AssertionError, match="scored again"):
        run(other, design)


def test_scores_in_a_csv_file_of_french_excel_are_read(scored: Path, tmp_path: Path) -> None:
    from aiskills.files import CsvStyle, open_output

    target = tmp_path / "scored.csv"
    versions = provenance(SETUP.judge())
    with open_output(target, csv_style=CsvStyle.EXCEL_FR, metadata=versions) as writer:
        writer.write(pq.read_table(scored).replace_schema_metadata(None))
    assert scored_by(str(target)) == versions
    design = Design(Strategy.STRATIFIED, 40, seed=2)
    used, of_parquet = run(target, design), run(scored, design)
    assert used.scored_before
    assert (used.tasks, used.strata) == (of_parquet.tasks, of_parquet.strata)


@pytest.mark.parametrize("beside", [None, "nonsense", "[1]", '{"aiskills_model_sha256": "x"}'])
def test_scores_of_unknown_origin_are_not_used(
    scored: Path, tmp_path: Path, beside: str | None
) -> None:
    path = tmp_path / "s.jsonl"
    rows = pq.read_table(scored).slice(0, 60).to_pylist()
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    if beside is not None:
        Path(f"{path}.meta.json").write_text(beside, "utf-8")
    assert not run(path, Design(Strategy.STRATIFIED, 20)).scored_before


def test_what_cannot_be_drawn(tmp_path: Path) -> None:
    path = write(tmp_path / "o.parquet", offers(30))
    with pytest.raises(UsageError, match=r"-n 2 for \d+ strata; expected at least"):
        run(path, Design(Strategy.STRATIFIED, 2))
    with pytest.raises(UsageError, match="a limit per employer with the strategy random"):
        run(path, Design(Strategy.RANDOM, 2, per_company=3))
    empty = write(tmp_path / "e.parquet", [{"title": "", "description": " "}])
    with pytest.raises(InputError, match="no row has a title or a description"):
        run(empty, Design(Strategy.RANDOM, 2))


def test_only_the_texts_of_drawn_offers_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory grows with the rows by numbers only: no chunk outlives its turn."""
    import gc
    import weakref

    chunks: list[weakref.ref[Any]] = []
    most = 0
    whole = OfferReader.__iter__

    def watched(reader: OfferReader) -> Iterator[Any]:
        nonlocal most
        for chunk in whole(reader):
            chunks.append(weakref.ref(chunk.table))
            gc.collect()
            most = max(most, sum(one() is not None for one in chunks))
            yield chunk

    monkeypatch.setattr(OfferReader, "__iter__", watched)
    path = write(tmp_path / "o.parquet", offers(200))
    run(path, Design(Strategy.RANDOM, 5), chunk_rows=10)
    assert len(chunks) > 20
    assert most <= 3
