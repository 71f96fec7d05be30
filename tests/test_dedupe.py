"""Reposts: what is one, and that neither order, chunks nor processes change the answer."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from aiskills.cli import dedupe as cli
from aiskills.cli.console import percent
from aiskills.dedupe import (
    COLUMN,
    Kind,
    Settings,
    ShingleStore,
    contested,
    duplicates,
    find_reposts,
    jaccard,
    joined,
    mark_duplicates,
    offer_keys,
    shingle_sets,
    text_keys,
)
from aiskills.dedupe.offers import UNKNOWN_DAY, days
from aiskills.dedupe.shingles import value_keys
from aiskills.errors import AiskillsError, InputError, OutputError, UsageError
from aiskills.files import Chunk, find_fields, open_offers

SAMPLES = Path(__file__).resolve().parents[1] / "data" / "samples"
FIELDS = ("id", "source", "title", "description", "date", "company", "location")


def words(count: int, seed: int) -> list[str]:
    """Invented words, different ones for another seed."""
    chance = random.Random(seed)  # noqa: S311
    return ["".join(chance.choices("bcdfglmnprtvaeiou", k=7)) for _ in range(count)]


LONG = " ".join(words(120, 1))
OTHER = " ".join(words(120, 2))


def offer(
    uid: str, text: str = LONG, date: str | None = "2024-01-10", **more: Any
) -> dict[str, Any]:
    return dict.fromkeys(FIELDS) | {
        "id": uid, "source": "x", "title": "Ajusteur", "description": text, "date": date
    } | more  # fmt: skip


def edited(text: str, changes: int, seed: int = 0) -> str:
    """The text with so many of its words replaced."""
    chance, every = random.Random(seed), text.split()  # noqa: S311
    for place in chance.sample(range(len(every)), changes):
        every[place] = f"mot{chance.randrange(10**9)}"
    return " ".join(every)


def table(rows: Sequence[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), pa.schema([(name, pa.string()) for name in FIELDS]))


def marked(rows: Sequence[dict[str, Any]], **options: Any) -> list[str | None]:
    found: list[str | None] = duplicates(table(rows), **options).to_pylist()
    return found


def chunks_of(rows: pa.Table, size: int) -> list[Chunk]:
    fields = find_fields(rows.column_names)
    return [Chunk(rows.slice(n, size), fields, "t", n) for n in range(0, len(rows), size)]


# What a repost is


def test_the_same_text_again_is_a_repost_of_the_earliest() -> None:
    rows = [offer("b", date="2024-02-01"), offer("a", date="2024-01-01"), offer("c", OTHER)]
    assert marked(rows) == ["x:a", None, None]


def test_case_accents_and_punctuation_do_not_count() -> None:
    rows = [offer("a", f"Études, {LONG}"), offer("b", f"ETUDES : {LONG.upper()} !")]
    assert marked(rows) == [None, "x:a"]


def test_the_same_id_of_a_source_is_one_offer_at_any_time_and_with_any_text() -> None:
    rows = [offer("a"), offer("a", OTHER, "2025-12-01"), offer("a", OTHER, source="y")]
    assert marked(rows) == [None, "x:a", None]


def test_without_a_source_an_id_counts_only_with_the_same_title() -> None:
    rows = [
        offer("1", source=None),
        offer("1", OTHER, "2025-12-01", source=None),
        offer("1", OTHER, source=None, title="Fraiseur"),
    ]
    assert marked(rows) == [None, "1", None]


def test_what_follows_an_offer_changed_under_its_id_repeats_it_too() -> None:
    rows = [
        offer("a", date="2024-01-09"),
        offer("a", OTHER),
        offer("b", edited(OTHER, 1)),
        offer("c", edited(LONG, 1)),
    ]
    assert marked(rows) == [None, "x:a", "x:a", "x:a"]


def test_short_texts_need_the_same_known_employer() -> None:
    rows = [
        offer("a", "Poste de nuit.", company="Delcassan SAS"),
        offer("b", "poste de nuit", company="DELCASSAN SAS"),
        offer("c", "Poste de nuit.", company="Morvant"),
        offer("d", "Poste de nuit."),
        offer("e", "Poste de nuit."),
    ]
    assert marked(rows) == [None, "x:a", None, None, None]


def test_another_employer_is_a_repost_unless_the_employer_must_be_the_same() -> None:
    rows = [offer("a", company="Delcassan"), offer("b", company="Agence Morvant")]
    assert marked(rows) == [None, "x:a"]
    assert marked(rows, same=["company"]) == [None, None]
    assert marked([rows[0], rows[0] | {"id": "c", "company": "DELCASSAN"}], same=["company"]) == [
        None,
        "x:a",
    ]


def test_the_same_text_for_another_region_is_another_post() -> None:
    rows = [offer("a", location="69 - LYON 03"), offer("b", location="33 - BORDEAUX")]
    assert marked(rows) == [None, None]
    assert marked(rows, any_place=True) == [None, "x:a"]
    near = [rows[0], rows[1] | {"description": edited(LONG, 1)}]
    assert marked(near) == [None, None]
    assert marked(near, any_place=True) == [None, "x:a"]


def test_an_offer_without_a_region_fits_any_and_its_cluster_takes_the_first() -> None:
    rows = [
        offer("a", date="2024-01-01"),
        offer("b", date="2024-01-02", location="Lyon"),
        offer("c", date="2024-01-03", location="Bordeaux"),
        offer("d", date="2024-01-04", location="France"),
        offer("e", date="2024-01-05", location="Lyon"),
    ]
    assert marked(rows) == [None, "x:a", None, "x:c", "x:a"]


# The window


def test_the_window_is_between_an_offer_and_the_latest_of_its_cluster() -> None:
    dates = ["2024-01-01", "2024-03-30", "2024-06-28", "2024-09-27", "2024-09-28"]
    rows = [offer(str(n), date=date) for n, date in enumerate(dates)]
    # 89 and 90 days on; then 91 days: a new cluster, which the last one joins.
    assert marked(rows) == [None, "x:0", "x:0", None, "x:3"]
    assert marked(rows, window_days=91) == [None, "x:0", "x:0", "x:0", "x:0"]
    assert marked(rows, window_days=0) == [None] * 5


def test_the_window_holds_for_near_copies() -> None:
    rows = [
        offer("a"),
        offer("b", edited(LONG, 1), "2024-04-09"),
        offer("c", edited(LONG, 1, 5), "2024-07-09"),
    ]
    assert marked(rows) == [None, "x:a", None]


def test_undated_offers_are_within_the_window_and_never_the_original_of_dated_ones() -> None:
    rows = [offer("a", date=None), offer("b", date="2019-01-01"), offer("c", date="bientôt")]
    assert marked(rows) == ["x:b", None, "x:b"]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-01-10T23:59:00+02:00", 19732),
        ("10/01/2024", 19732),
        ("2024-01", 19723),
        ("31/02/2024", UNKNOWN_DAY),
        ("hier", UNKNOWN_DAY),
        ("1950-01-01", UNKNOWN_DAY),
        (None, UNKNOWN_DAY),
    ],
)
def test_days(text: str | None, day: int) -> None:
    assert days(pa.array([text, None], pa.string())).tolist() == [day, UNKNOWN_DAY]


# Near-copies


def similarity(one: str, other: str) -> float:
    """Jaccard of word runs by the definition, on plain words, title included."""
    sets = []
    for text in (one, other):
        every = ["ajusteur", *text.split()]
        sets.append({tuple(every[n : n + 4]) for n in range(len(every) - 3)})
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


@pytest.mark.parametrize(("changes", "count"), [(1, 200), (2, 200), (3, 200), (5, 200), (12, 200)])
def test_planted_near_copies_are_found_exactly_where_they_are_similar_enough(
    changes: int, count: int
) -> None:
    originals = [" ".join(words(150, 100 + n)) for n in range(count)]
    copies = [edited(text, changes, n) for n, text in enumerate(originals)]
    rows = [offer(f"a{n}", text) for n, text in enumerate(originals)]
    rows += [offer(f"b{n}", text, "2024-01-20") for n, text in enumerate(copies)]
    for threshold in (0.8, 0.9):
        expected = [
            f"x:a{n}" if similarity(one, other) >= threshold else None
            for n, (one, other) in enumerate(zip(originals, copies, strict=True))
        ]
        assert marked(rows, threshold=threshold) == [None] * count + expected


def test_shingles_are_those_of_the_definition() -> None:
    texts = [LONG, edited(LONG, 3), edited(LONG, 20), OTHER]
    sets = list(shingle_sets(pa.array(["Ajusteur"] * 4), pa.array(texts)))
    for n, one in enumerate(texts):
        for m, other in enumerate(texts):
            assert jaccard(sets[n], sets[m]) == similarity(one, other)


def test_small_changes_do_not_add_up() -> None:
    texts = [LONG]
    for step in range(20):
        texts.append(edited(texts[-1], 2, step))
    found = marked([offer(f"{n:02}", text, f"2024-01-{n + 1:02}") for n, text in enumerate(texts)])
    for text, original in zip(texts, found, strict=True):
        if original is not None:
            assert similarity(text, texts[int(original[2:])]) >= 0.8
    assert found.count(None) > 1


def test_a_near_copy_is_of_the_most_similar_original() -> None:
    far = edited(LONG, 8, 1)
    rows = [offer("a"), offer("b", far), offer("c", edited(far, 1, 2), "2024-01-11")]
    assert similarity(LONG, far) < 0.8
    assert marked(rows) == [None, None, "x:b"]


# Nothing but the offers decides


DATES = (None, "2024-01", "2024-01-20", "2024-03-01", "2024-06-20", "2024-11-01")


def pool(seed: int) -> list[dict[str, Any]]:
    """Sixty offers full of reposts of every kind, some alike in all but one field."""
    chance = random.Random(seed)  # noqa: S311
    bases = [" ".join(words(60, n)) for n in range(4)]
    rows = []
    for _ in range(60):
        text = edited(chance.choice(bases), chance.choice((0, 0, 1, 2, 6)), chance.randrange(4))
        row = offer(
            f"{chance.randrange(40)}",
            chance.choice((text, text, text, "Poste de nuit", "")),
            chance.choice(DATES),
            source=chance.choice(("x", "y", None)),
            company=chance.choice((None, "Delcassan", "Morvant")),
            location=chance.choice((None, "Lyon", "Bordeaux")),
        )
        rows.append(row)
    return rows


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.randoms(use_true_random=False))
def test_order_and_chunks_do_not_matter(seed: int, chance: random.Random) -> None:
    unlike = {tuple(sorted((k, v or "") for k, v in row.items())): row for row in pool(seed)}
    rows = list(unlike.values())
    expected = marked(rows)
    order = list(range(len(rows)))
    chance.shuffle(order)
    shuffled = find_reposts(
        chunks_of(table([rows[n] for n in order]), chance.randrange(1, 20)), Settings()
    )
    found = shuffled.column().to_pylist()
    assert [found[order.index(n)] for n in range(len(rows))] == expected


def test_processes_and_files_do_not_matter(tmp_path: Path) -> None:
    rows = [*(pool(1) + pool(2)), *(offer(str(n), edited(LONG, 2, n)) for n in range(50))]
    whole = table(rows)
    for name, part in (("a", whole.slice(0, 70)), ("b", whole.slice(70))):
        pq.write_table(part, tmp_path / f"{name}.parquet")
    found = []
    for jobs, size in ((1, 1000), (2, 7)):
        with open_offers([tmp_path], chunk_rows=size) as offers:
            found.append(find_reposts(offers, Settings(), jobs=jobs))
    assert found[0].column().equals(found[1].column())
    assert found[0].column().to_pylist() == marked(rows)
    assert found[0].column(65, 10).to_pylist() == marked(rows)[65:75]


def test_keys_made_apart_and_gathered_give_the_same_answer() -> None:
    whole = table(pool(3))
    parts, texts = [], []
    for chunk in chunks_of(whole, 13):
        texts.append(
            (chunk.table["title"].combine_chunks(), chunk.table["description"].combine_chunks())
        )
        parts.append(offer_keys(chunk.table, chunk.fields, text_keys(*texts[-1])))
    keys = joined(parts)
    sets = [one for pair in texts for one in shingle_sets(*pair)]
    by_text = {int(key): one for key, one in zip(keys.text, sets, strict=True)}
    marks = mark_duplicates(
        keys, by_text.__getitem__, contested(keys), window_days=90, threshold=0.8
    )
    uids = keys.uid.to_pylist()
    found = [None if n < 0 else uids[n] for n in marks.original]
    assert found == duplicates(whole).to_pylist()
    assert (marks.kind == Kind.ORIGINAL).tolist() == [one is None for one in found]
    assert sum(marks.counts().values()) == len(whole)
    assert marks.cluster_sizes.sum() == len(set(filter(None, found))) + len(whole) - found.count(
        None
    )


def test_keys_are_the_same_on_every_machine() -> None:
    keys = text_keys(pa.array(["Ajusteur"]), pa.array(["un deux trois quatre " * 10]))
    assert hex(keys.text[0]) == "0x9fb86de8bddd6a85"
    assert hex(keys.bands[0, 0]) == "0xb3cfb0273d81f5d9"
    assert keys.words.tolist() == [41]


def test_value_keys_of_slices_and_nulls() -> None:
    values = pa.array(["a", "", None, "é", "a", "ba"])
    keys = value_keys(values)
    assert keys[1] == keys[2] == 0
    assert keys[0] == keys[4] != keys[3]
    assert len({*keys.tolist()}) == 4
    assert value_keys(values.slice(3, 2)).tolist() == keys[3:5].tolist()
    assert len(value_keys(values.slice(0, 0))) == 0


# Hostile input


def test_empty_and_odd_texts() -> None:
    rows = [
        offer("a", ""),
        offer("b", ""),
        offer("c", "\x00\x1f\x1e" * 50),
        offer("d", "\x00" + LONG),
        offer("e", LONG + "\x00\x00"),
        offer("f", "工程师 " * 50),
        offer("g", "инженер " * 50),
    ]
    rows = [row | {"title": None} for row in rows]
    assert marked(rows) == [None, None, None, None, "x:d", None, None]


def test_no_offers_at_all() -> None:
    assert marked([]) == []
    assert find_reposts([], Settings()).marks.cluster_sizes.tolist() == []


def test_a_very_long_text_is_read_as_far_as_others_are_judged() -> None:
    text = "mot vert " * 100_000
    assert marked([offer("a", text), offer("b", text + " suite")]) == [None, "x:a"]


@pytest.mark.parametrize(
    ("text", "most"),
    [
        (lambda n: LONG, 10_000),
        (lambda n: edited(LONG, 1, n), 5_000),
        # Two thirds are boilerplate: all meet in the same bands, and none is a copy.
        (lambda n: LONG + " " + " ".join(words(25, 1000 + n)), 4_000),
    ],
    ids=["identical", "near", "boilerplate"],
)
def test_work_grows_with_the_offers_and_not_with_their_pairs(
    text: Callable[[int], str], most: int
) -> None:
    every = table([offer(f"{n:05}", text(n)) for n in range(most)])
    seconds = []
    for rows in (every.slice(0, most // 4), every):
        started = time.process_time()
        duplicates(rows)
        seconds.append(time.process_time() - started)
    # Four times the offers: 16 times the time if it were quadratic.
    assert seconds[1] < 9 * seconds[0]


# Settings and tables


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window_days": -1}, "a window of -1 days"),
        ({"threshold": 0.5}, "a threshold of 0.5; expected 0.7 to 1"),
        ({"threshold": float("nan")}, "a threshold of nan"),
        ({"same": ["compagny"]}, "Did you mean 'company'"),
    ],
)
def test_settings_that_make_no_sense(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        marked([offer("a")], **options)


def test_what_is_no_table() -> None:
    with pytest.raises(UsageError, match="offers are a list"):
        duplicates([1])
    with pytest.raises(InputError, match="no column looks like"):
        duplicates(pd.DataFrame({"a": [1]}))


def test_pandas_and_polars_give_a_column_of_their_own() -> None:
    rows = [offer("a"), offer("b", date="2024-01-11"), offer("c", OTHER)]
    frame = pd.DataFrame(rows, index=[7, 3, 9]).assign(
        odd=pd.Series([object(), 1, "x"], [7, 3, 9], dtype=object)
    )
    found = duplicates(frame, same="company")
    assert found.index.tolist() == [7, 3, 9]
    assert found.name == COLUMN
    assert found.isna().tolist() == [True, False, True]
    assert found[3] == "x:a"
    assert duplicates(pl.DataFrame(rows)).to_list() == [None, "x:a", None]


def test_a_file_that_changes_meanwhile(tmp_path: Path) -> None:
    whole = table([offer("a"), offer("b", edited(LONG, 1))])

    class Shrinking:
        reads = 0

        def __iter__(self) -> Any:
            self.reads += 1
            return iter(chunks_of(whole.slice(0, 3 - self.reads), 5))

    with pytest.raises(InputError, match="changed while it was read"):
        find_reposts(Shrinking(), Settings())


def test_a_full_temporary_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def write(self, _data: bytes) -> None:
            raise OSError(28, "No space left on device")

        def close(self) -> None:
            pass

    monkeypatch.setattr("tempfile.TemporaryFile", Full)
    keys = np.array([1], dtype=np.uint64)
    with ShingleStore(keys) as store, pytest.raises(OutputError, match="takes no more"):
        store.add(keys)


# The samples and the command


def run(*arguments: object) -> tuple[int, str]:
    """Runs the command; gives the exit code and what a person is told."""
    app = typer.Typer()
    app.command()(cli.dedupe)
    result = CliRunner().invoke(app, [str(one) for one in arguments])
    if isinstance(result.exception, AiskillsError):
        return result.exception.exit_code, str(result.exception)
    return result.exit_code, result.stderr


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str)


def test_samples_hold_no_repost_and_their_excel_file_only_reposts(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    assert run(SAMPLES / "offers.csv", "-o", out, "--quiet")[0] == 0
    frame = read(out)
    assert len(frame) == 300
    assert frame[COLUMN].isna().all()
    inputs = [SAMPLES / "offers.csv", SAMPLES / "offres_excel.csv"]
    assert run(*inputs, "-o", out, "--quiet", "--force")[0] == 0
    frame = read(out)
    assert len(frame) == 330
    # The thirty of the Excel file have the numbers and titles of the first.
    assert frame[COLUMN][:300].isna().all()
    assert (frame[COLUMN][300:] == frame["Référence"][300:]).all()


def test_rows_and_columns_stay_and_versions_travel(tmp_path: Path) -> None:
    rows = table(pool(5)).append_column(COLUMN, pa.array(["old"] * 60))
    rows = rows.replace_schema_metadata({"aiskills_model": "7", "other": "kept"})
    given, out = tmp_path / "scored.parquet", tmp_path / "marked.parquet"
    pq.write_table(rows, given)
    assert run(given, "-o", out, "--window-days", 30)[0] == 0
    found = pq.read_table(out)
    assert found.column_names == rows.column_names
    assert found.drop_columns([COLUMN]).equals(rows.drop_columns([COLUMN]))
    assert (
        found[COLUMN].to_pylist()
        == duplicates(rows.drop_columns([COLUMN]), window_days=30).to_pylist()
    )
    assert found.schema.metadata[b"aiskills_model"] == b"7"
    assert b'"window_days": 30' in found.schema.metadata[b"aiskills_dedupe"]
    assert not [one for one in tmp_path.iterdir() if one.suffix == ".tmp"]
    csv, again = tmp_path / "marked.csv", tmp_path / "again.csv"
    assert run(out, "-o", csv, "-q")[0] == 0
    assert run(csv, "-o", again, "-q")[0] == 0
    assert '"aiskills_model":"7"' in (tmp_path / "again.csv.meta.json").read_text("utf-8")


def test_the_summary_counts(tmp_path: Path) -> None:
    rows = [
        offer("a"),
        offer("a", OTHER),
        offer("b", date=None),
        offer("c", edited(LONG, 1)),
        offer("d", " ".join(words(80, 9))),
    ]
    given = tmp_path / "offers.parquet"
    pq.write_table(table(rows), given)
    code, done = run(given, "-o", tmp_path / "out.parquet")
    assert code == 0
    assert f"5 offers, 3 reposts ({percent(0.6)})" in done
    assert "same id 1, same text 1, near-copies 1" in done
    assert "1 clusters of two or more, the largest of 4 offers" in done
    assert "1 offers without a date" in done


def test_mistakes_on_the_command_line(tmp_path: Path) -> None:
    given, out = SAMPLES / "offers.csv", tmp_path / "out.csv"
    assert run(given, "-o", out, "--threshold", 0.2)[0] == 2
    assert run(given, "-o", out, "--same", "company,,")[0] == 2
    assert run(given, "-o", out, "--same", "nowhere")[0] == 2
    assert run(tmp_path / "none.csv", "-o", out)[0] == 1
    assert run(given)[0] == 2
    assert not list(tmp_path.iterdir())
    (tmp_path / "bare.csv").write_text("title\nAjusteur\n", "utf-8")
    code, told = run(tmp_path / "bare.csv", "-o", out)
    assert code == 0
    assert "no column holds a date" in told
