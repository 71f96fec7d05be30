"""Looking after a store: rescore, purge, migration, measuring; and the watch."""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from unittest.mock import patch

import pandas as pd
import pyarrow as pa
import pytest

from aiskills.batch import columns, disk, limits, terms, watch
from aiskills.batch.reading import open_current
from aiskills.batch.tallies import tally
from aiskills.pipeline import ADDED
from batching import (
    BREAD,
    ML,
    Ended,
    content,
    is_consistent,
    journal,
    make_inbox,
    offer,
    run,
    write_csv,
)


def night(folder: Path, *more: object) -> Ended:
    return run("batch", folder / "inbox", "--store", folder / "store", *more)


def rows(store: Path) -> pd.DataFrame:
    return pd.read_parquet(store / "offers")


def metadata(store: Path, name: str) -> set[str]:
    found = set()
    for path in (store / "offers").rglob("*.parquet"):
        with path.open("rb") as file:
            schema = pa.parquet.read_schema(file)
        found.add(schema.metadata[name.encode()].decode())
    return found


# --- rescore ------------------------------------------------------------------------------------


def test_rescore_with_the_same_model_changes_nothing(tmp_path: Path) -> None:
    make_inbox(tmp_path / "inbox")
    night(tmp_path)
    before = content(tmp_path / "store")
    assert len(before) > 400
    done = run("rescore", tmp_path / "store", "--jobs", "1")
    assert done.code == 0
    assert f"{len(before):,} offers judged anew" in done.err
    assert content(tmp_path / "store") == before
    assert is_consistent(tmp_path / "store")


def test_rescore_with_other_rules(tmp_path: Path) -> None:
    write_csv(tmp_path / "inbox" / "a.csv", [offer(n) for n in range(40)])
    night(tmp_path)
    assert rows(tmp_path / "store")["ai_study"].sum() == 20
    lexicon = tmp_path / "mine.csv"
    lexicon.write_text(
        '# extends = "none"\n# version = "seul"\nterm,theme,definition,strength\n'
        "machine learning,machine_learning,strict,strong\n",
        "utf-8",
    )
    done = run("rescore", tmp_path / "store", "--lexicon", lexicon, "--jobs", "1")
    assert done.code == 0, done.err
    stored = rows(tmp_path / "store")
    assert len(stored) == 40
    assert stored["ai_study"].sum() == 10
    assert metadata(tmp_path / "store", "aiskills_lexicon") == {"seul"}
    assert len(metadata(tmp_path / "store", "aiskills_input_sha256")) == 1
    assert journal(tmp_path / "store", "SELECT sum(flagged) FROM parts") == [(10,)]
    assert not (tmp_path / "store" / ".next").exists()


def test_readers_see_the_old_results_until_all_is_done(tmp_path: Path) -> None:
    write_csv(tmp_path / "inbox" / "a.csv", [offer(n) for n in range(40)])
    night(tmp_path)
    before = content(tmp_path / "store")
    true, seen = disk.swap_folders, []

    def looking(one: Path, other: Path) -> None:
        seen.append(content(tmp_path / "store") == before)
        true(one, other)
        seen.append(content(tmp_path / "store") == before)

    with patch("aiskills.batch.generations.swap_folders", looking):
        assert run("store", "purge", tmp_path / "store", "--id", "apec:3").code == 0
    assert seen == [True, False]
    assert len(content(tmp_path / "store")) == 39


def test_rescore_of_a_damaged_store_changes_nothing(tmp_path: Path) -> None:
    write_csv(tmp_path / "inbox" / "a.csv", [offer(n) for n in range(40)])
    night(tmp_path)
    part = sorted((tmp_path / "store" / "offers").rglob("*.parquet"))[2]
    part.write_bytes(b"PAR1 no")
    done = run("rescore", tmp_path / "store", "--jobs", "1")
    assert done.code == 1
    assert "store repair" in done.err
    assert not (tmp_path / "store" / ".next").exists()


# --- purge --------------------------------------------------------------------------------------


def test_purge_one_offer_for_good(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "inbox" / "a.csv", [offer(n) for n in range(20)])
    write_csv(tmp_path / "inbox" / "b.csv", [offer(5, text=ML)], 1)
    night(tmp_path)
    done = run("store", "purge", tmp_path / "store", "--id", "apec:5", "--id", "apec:none")
    assert done.code == 0
    assert "2 offers deleted" in done.err
    assert "apec:5" not in set(rows(tmp_path / "store")["uid"])
    path.write_bytes(path.read_bytes() + b"\n")  # the same offers in another file
    write_csv(tmp_path / "inbox" / "c.csv", [offer(5, text="Tout autre.")], 2)
    again = night(tmp_path, "--settle", 0).report
    assert (again["new"], again["duplicates"]) == (0, 21)
    assert is_consistent(tmp_path / "store")


def test_purge_by_age(tmp_path: Path) -> None:
    month = date.today() - timedelta(days=100)
    offers = [offer(n) for n in range(9)]
    for number, one in enumerate(offers):
        one["date"] = str(month) if number < 4 else "2021-03-04" if number < 8 else ""
    offers.append({**offer(9), "intitule": "", "description": ""})
    path = write_csv(tmp_path / "inbox" / "a.csv", offers)  # last changed in March 2024
    night(tmp_path)
    assert (
        "0 offers deleted" in run("store", "purge", tmp_path / "store", "--older-than", "9999d").err
    )
    done = run("store", "purge", tmp_path / "store", "--older-than", "400d")
    assert "5 offers deleted" in done.err
    assert set(rows(tmp_path / "store")["id"]) == set("0123")
    write_csv(path, [*offers, offer(50)], 3)
    again = night(tmp_path).report
    assert (again["new"], again["duplicates"]) == (1, 9)
    assert run("store", "purge", tmp_path / "store").code == 2
    assert run("store", "purge", tmp_path / "store", "--older-than", "x").code == 2


def test_nothing_of_a_purged_offer_is_left_on_the_disk(tmp_path: Path) -> None:
    write_csv(tmp_path / "inbox" / "a.csv", [offer(n) for n in range(20)])
    one = offer(77)
    one["entreprise"] = "Zanzibarine"
    write_csv(tmp_path / "inbox" / "b.csv", [one], 1)
    night(tmp_path)
    run("store", "purge", tmp_path / "store", "--id", "apec:77")
    everything = b"".join(p.read_bytes() for p in (tmp_path / "store").rglob("*") if p.is_file())
    assert b"apec:77" not in everything
    assert b"Zanzibarine" not in everything


# --- migration ----------------------------------------------------------------------------------


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A store of an aiskills that lacked a column and had another one."""
    write_csv(tmp_path / "inbox" / "a.csv", [offer(n) for n in range(40)])
    schema = columns.store_schema()
    place = schema.get_field_index("ai_language")
    past = schema.remove(place).append(pa.field("ai_old", pa.string()))

    def stored(*arguments: object, **more: object) -> pa.Table:
        table = columns_stored(*arguments, **more)  # type: ignore[arg-type]
        return table.append_column("ai_old", pa.array(["x"] * len(table)))

    columns_stored = columns.stored
    with (
        patch("aiskills.batch.ingest.stored", stored),
        patch("aiskills.batch.store.columns_id", lambda: json.dumps(past.names)),
        patch("aiskills.batch.migrate.columns_id", lambda: json.dumps(past.names)),
    ):
        done = night(tmp_path)
    assert done.code == 0, done.err
    assert "ai_old" in rows(tmp_path / "store").columns
    return tmp_path


def test_migration(older: Path) -> None:
    write_csv(older / "inbox" / "b.csv", [offer(100)], 1)
    status = run("status", older / "store")
    assert "another version of aiskills" in status.out
    done = night(older)
    assert done.code == 0, done.err
    assert "were brought to the columns of this version" in done.err
    stored = rows(older / "store")
    assert len(stored) == 41
    assert "ai_old" not in stored.columns
    assert [n for n in columns.store_schema().names if n not in stored.columns] == []
    assert is_consistent(older / "store")
    assert "were brought" not in night(older).err
    assert run("rescore", older / "store", "--jobs", "1").code == 0
    assert rows(older / "store")["ai_language"].notna().all()


def test_migration_that_fails_leaves_the_store_as_it_was(older: Path) -> None:
    from aiskills.batch import generations

    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    before = content(older / "store")
    with patch.object(generations, "write_part", full):
        done = night(older)
    assert done.code == 1
    assert "the disk is full" in done.err
    assert content(older / "store") == before
    assert night(older).code == 0
    assert "ai_old" not in rows(older / "store").columns


def test_added_columns_are_the_pipelines() -> None:
    assert columns.store_schema().names[-len(ADDED) :] == ADDED.names
    assert columns.month_of(*columns.folder_of("2031-12").split("/")) == "2031-12"


# --- measuring ----------------------------------------------------------------------------------


def test_measuring_counts_the_last_version_of_each_offer(tmp_path: Path) -> None:
    write_csv(tmp_path / "inbox" / "a.csv", [offer(n, text=BREAD) for n in range(20)])
    write_csv(tmp_path / "inbox" / "b.csv", [offer(n, text=ML) for n in range(5)], 1)
    write_csv(tmp_path / "inbox" / "c.csv", [offer(1, text=ML, source="ft")], 2)
    night(tmp_path)
    scored = open_current(tmp_path / "store")
    table = pa.concat_tables(scored.batches(["uid", "ai_study"]))
    assert len(table) == 21
    assert sum(table.column("ai_study").to_pylist()) == 6
    assert scored.metadata["aiskills_model"].startswith("fr-")
    assert scored.root("date") == "date"


# --- the watch ----------------------------------------------------------------------------------


def test_limits_hold_what_is_usual() -> None:
    draw = random.Random(3)  # noqa: S311 (no secret)
    history = [(sum(draw.random() < 0.1 for _ in range(400)), 400) for _ in range(56)]
    found = limits.p_prime(history, 400)
    assert found is not None
    assert found.centre == pytest.approx(0.1, abs=0.01)
    assert found.holds(0.12)
    assert not found.holds(0.2)
    assert found.low < found.centre < found.high


def test_limits_are_wider_where_days_differ() -> None:
    calm = limits.p_prime([(100, 1000), (101, 1000)] * 10, 1000)
    wild = limits.p_prime([(50, 1000), (150, 1000)] * 10, 1000)
    assert calm is not None
    assert wild is not None
    assert calm.sigma_z == 1.0
    assert wild.sigma_z > 5
    assert wild.high - wild.low > 5 * (calm.high - calm.low)


@pytest.mark.parametrize(
    ("history", "offers"),
    [([(1, 100)] * 7, 100), ([(1, 29)] * 50, 100), ([(1, 100)] * 50, 29), ([], 100)],
)
def test_no_limits_from_too_little(history: list[tuple[int, int]], offers: int) -> None:
    assert limits.p_prime(history, offers) is None


def test_limits_of_what_never_happened() -> None:
    found = limits.p_prime([(0, 100)] * 10, 100)
    assert found is not None
    assert found.holds(0)
    assert not found.holds(0.01)


def day_of(number: int, counts: dict[tuple[str, str], int]) -> Counter[tuple[str, str, str]]:
    day = str(date(2024, 3, 1) + timedelta(days=number))
    return Counter({(day, *key): n for key, n in counts.items()})


USUAL = {
    ("offers", ""): 200,
    ("share", "study"): 20,
    ("share", "strict"): 10,
    ("language", "fr"): 190,
    ("language", "en"): 10,
    ("source", "apec"): 100,
    ("source", "ft"): 100,
    ("unknown", "company"): 8,
    ("length", "10"): 120,
    ("length", "11"): 80,
}


@pytest.mark.parametrize(
    ("change", "signal"),
    [
        ({}, set()),
        ({("share", "study"): 60}, {"share study"}),
        ({("unknown", "company"): 90}, {"unknown company"}),
        ({("language", "fr"): 100, ("language", "en"): 100}, {"language fr", "language en"}),
        ({("source", "apec"): 0, ("source", "ft"): 200}, {"source apec", "source ft"}),
        ({("length", "10"): 0, ("length", "8"): 150, ("length", "11"): 50}, {"length 2048"}),
    ],
)
def test_signals_name_what_changed(change: dict[tuple[str, str], int], signal: set[str]) -> None:
    stored: Counter[tuple[str, str, str]] = Counter()
    for number in range(30):
        stored.update(day_of(number, USUAL))
    tonight = day_of(30, {**USUAL, **change})
    stored.update(tonight)
    found = watch.readings(tonight, stored, date(2024, 3, 31))
    assert {f"{one.measure} {one.value}" for one in found if one.signal} == signal
    assert found[0].measure == "share"
    assert found[0].limits is not None
    assert found[0].limits.days == 30


def test_history_ends_today_and_after_eight_weeks() -> None:
    stored: Counter[tuple[str, str, str]] = Counter()
    for number in range(200):
        stored.update(day_of(number, USUAL))
    tonight = day_of(100, USUAL)
    (first, *_) = watch.readings(tonight, stored, date(2024, 6, 9))
    assert first.limits is not None
    assert first.limits.days == 56  # its own day holds nothing besides itself
    assert watch.readings(Counter(), stored, date(2024, 6, 9)) == []


def test_a_drift_is_told_and_fails_if_asked(tmp_path: Path) -> None:
    today = date.today()
    number = 0
    for back in range(20, 0, -1):
        offers = []
        for _ in range(40):
            offers.append(offer(number, text=ML if number % 10 == 0 else f"{BREAD} {number}"))
            number += 1
        path = write_csv(tmp_path / "inbox" / f"{back:02}.csv", offers)
        moment = pd.Timestamp(today - timedelta(days=back)).timestamp() + 3600
        os.utime(path, (moment, moment))
    first = night(tmp_path, "--fail-on", "drift")
    assert first.code == 0  # no history, no limits
    path = write_csv(
        tmp_path / "inbox" / "z.csv", [offer(n, text=f"{ML} {n}") for n in range(5000, 5060)]
    )
    os.utime(path, (pd.Timestamp(today).timestamp(),) * 2)
    second = night(tmp_path, "--fail-on", "drift", "--settle", 0)
    assert second.code == 3
    assert "share study" in second.report["signals"]
    assert "SIGNAL      share study: 100.0 %; last 8 weeks 10.0 %" in second.err
    assert "share study" in run("status", tmp_path / "store").out


def test_rising_words_name_no_firm(tmp_path: Path) -> None:
    today = date.today()

    def file(name: str, back: int, texts: list[str]) -> None:
        offers = [offer(hash_(name) + n, text=text) for n, text in enumerate(texts)]
        for one, text in zip(offers, texts, strict=True):
            one["entreprise"] = "Maison " + text.split()[-1]
        path = write_csv(tmp_path / "inbox" / f"{name}.csv", offers)
        moment = pd.Timestamp(today - timedelta(days=back)).timestamp()
        os.utime(path, (moment, moment))

    def hash_(name: str) -> int:
        return {"old": 0, "new": 1000}[name]

    old = [f"Vous développez des modèles de machine learning avec soin. f{n}" for n in range(60)]
    new = [
        f"Vous développez des modèles de machine learning et des essaims orchestrés. f{n}"
        if n < 30
        else f"Vous développez des modèles de machine learning avec Zanzibarine ici. f{30 + n % 3}"
        for n in range(60)
    ]
    file("old", 60, old)
    file("new", 1, new)
    done = night(tmp_path)
    shown = [one["term"] for one in done.report["rising"]]
    assert "essaim orchestre" in shown
    assert all(one["employers"] >= 5 for one in done.report["rising"])
    assert not any("zanzibarine" in term for term in shown)  # three employers only
    assert not any("machine" in term or "maison" in term for term in shown)


def test_chance_is_the_binomial_tail() -> None:
    draw = random.Random(9)  # noqa: S311 (no secret)
    hits = sum(sum(draw.random() < 0.2 for _ in range(12)) >= 6 for _ in range(40_000))
    assert terms.chance_of(6, 100, 6, 400) == pytest.approx(hits / 40_000, abs=0.003)
    assert terms.chance_of(3, 100, 7, 400) == 1.0  # it did not double
    assert terms.chance_of(30, 100, 0, 0) == 1.0  # there is no before


def test_tallies_of_nothing() -> None:
    assert not tally(columns.store_schema().empty_table())


def test_measure_reads_a_store(tmp_path: Path) -> None:
    write_csv(tmp_path / "inbox" / "a.csv", [offer(n, text=BREAD) for n in range(20)])
    write_csv(tmp_path / "inbox" / "b.csv", [offer(n, text=ML) for n in range(5)], 1)
    night(tmp_path)
    done = run(
        *("measure", tmp_path / "store", "--definition", "strict", "--no-correct"),
        *("-o", tmp_path / "m.csv"),
    )
    assert done.code == 0, done.err
    first = pd.read_csv(tmp_path / "m.csv").to_dict("records")[0]
    assert (first["offers"], first["flagged"]) == (20, 5)
