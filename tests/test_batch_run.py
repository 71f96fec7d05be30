"""The night job: what comes in is stored once, changes are kept, the rest is told."""

from __future__ import annotations

import gzip
import json
import os
import time
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from aiskills.batch import inbox, keys
from aiskills.batch.columns import store_schema
from aiskills.files import FieldMap
from aiskills.schema import CLASSIFY_COLUMNS
from batching import (
    BREAD,
    ML,
    Ended,
    content,
    dated,
    held_rows,
    is_consistent,
    journal,
    make_inbox,
    offer,
    run,
    write_csv,
    write_jsonl,
)


def night(folder: Path, *more: object) -> Ended:
    return run("batch", folder / "inbox", "--store", folder / "store", *more)


def rows(store: Path) -> pd.DataFrame:
    return pd.read_parquet(store / "offers")


# --- once each ----------------------------------------------------------------------------------


def test_every_offer_once(tmp_path: Path) -> None:
    make_inbox(tmp_path / "inbox")
    done = night(tmp_path)
    assert done.code == 0, done.err
    report = done.report
    assert report["outcome"] == "done"
    assert report["files"] == {"done": 3, "same": 1, "quarantined": 1}
    assert report["rows_read"] == 600
    # Three files overlap by a quarter; two rows of each are no offers; ten of the later ones'
    # first offers have another text.
    assert report["quarantined_rows"] == 6
    assert report["new"] + report["changed"] + report["duplicates"] + 6 == 600
    stored = rows(tmp_path / "store")
    assert len(stored) == report["new"] + report["changed"] == report["offers_in_store"]
    assert stored["uid"].nunique() == report["new"]
    assert report["changed"] == (stored["version"] > 1).sum() > 0
    assert is_consistent(tmp_path / "store")


def test_nothing_new(tmp_path: Path) -> None:
    make_inbox(tmp_path / "inbox")
    night(tmp_path)
    before = content(tmp_path / "store")
    again = night(tmp_path)
    assert (again.code, again.report["rows_read"], again.report["files"]) == (0, 0, {})
    assert content(tmp_path / "store") == before


def test_changed_offer_keeps_its_history(tmp_path: Path) -> None:
    for day, text in enumerate((BREAD, ML, BREAD, ML + ", et plus.")):
        write_csv(tmp_path / "inbox" / f"{day}.csv", [offer(4, text=text)], day)
    assert night(tmp_path).report["files"] == {"done": 3, "same": 1}  # the third is the first
    stored = rows(tmp_path / "store").sort_values("version")
    assert stored["version"].tolist() == [1, 2, 3]
    assert stored["description"].tolist() == [BREAD, ML, ML + ", et plus."]
    assert stored["file"].tolist() == ["0.csv", "1.csv", "3.csv"]
    assert stored["ai_strict"].tolist() == [False, True, True]


def test_same_identifier_at_two_sources_is_two_offers(tmp_path: Path) -> None:
    write_csv(tmp_path / "inbox" / "a.csv", [offer(1), offer(1, source="ft")])
    assert night(tmp_path).report["new"] == 2


def test_blanks_do_not_make_another_text(tmp_path: Path) -> None:
    one = offer(1, text="Vous cuisez\r\ndu pain.")
    write_csv(tmp_path / "inbox" / "a.csv", [one, offer(1, text="Vous  cuisez du pain.")])
    assert night(tmp_path).report["duplicates"] == 1


def test_offer_without_identifier_is_known_by_its_text(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_csv(tmp_path / "inbox" / f"{name}.csv", [{"description": BREAD}])
    report = night(tmp_path).report
    assert (report["files"], report["new"]) == ({"done": 1, "same": 1}, 1)


def test_file_that_changed_is_read_again(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "inbox" / "a.csv", [offer(1)])
    night(tmp_path)
    write_csv(path, [offer(1), offer(2)], day=1)
    report = night(tmp_path).report
    assert (report["new"], report["duplicates"]) == (1, 1)


def test_every_format(tmp_path: Path) -> None:
    folder = tmp_path / "inbox"
    write_csv(folder / "a.csv", [offer(1)])
    write_jsonl(folder / "b.jsonl", [offer(2)], 1)
    (folder / "c.json").write_text(json.dumps({"resultats": [offer(3)]}), "utf-8")
    pd.DataFrame([offer(4)]).to_parquet(folder / "d.parquet")
    pd.DataFrame([offer(5)]).to_excel(folder / "e.xlsx", index=False, engine="xlsxwriter")
    (folder / "f.csv.gz").write_bytes(gzip.compress((folder / "a.csv").read_bytes()))
    (folder / "lisezmoi.pdf").write_text("no offers")
    (folder / ".g.csv.part").write_text("hidden")
    for name in ("c.json", "d.parquet", "e.xlsx", "f.csv.gz"):
        dated(folder / name, 2)
    report = night(tmp_path).report
    assert (report["new"], report["duplicates"]) == (5, 1)
    assert sorted(rows(tmp_path / "store")["id"]) == list("12345")


# --- what others read ---------------------------------------------------------------------------


def test_pandas_polars_duckdb_read_the_same(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    make_inbox(tmp_path / "inbox")
    report = night(tmp_path).report
    glob = str(tmp_path / "store" / "offers" / "**" / "*.parquet")
    months = "SELECT month, count(*) FROM read_parquet(?, hive_partitioning = true) GROUP BY 1"
    by_duckdb = dict(duckdb.execute(months, [glob]).fetchall())
    frame = pl.read_parquet(glob, hive_partitioning=True)
    by_polars = dict(frame.group_by("month").len().iter_rows())
    by_pandas = rows(tmp_path / "store")["month"].astype(int).value_counts().to_dict()
    assert len(frame) == report["offers_in_store"]
    assert by_duckdb == by_polars == by_pandas
    assert by_duckdb[0] > 0  # unknown months
    current = (
        "SELECT count(*) FROM (SELECT 1 FROM read_parquet(?) QUALIFY"
        " row_number() OVER (PARTITION BY source, uid ORDER BY version DESC) = 1)"
    )
    assert duckdb.execute(current, [glob]).fetchone() == (report["new"],)


def test_parts_have_one_schema_and_tell_versions(tmp_path: Path) -> None:
    write_csv(tmp_path / "inbox" / "a.csv", [offer(1), offer(17)])
    write_jsonl(tmp_path / "inbox" / "b.jsonl", [{"titre": "Boulanger", "extra": "x"}], 1)
    night(tmp_path)
    dataset = ds.dataset(tmp_path / "store" / "offers", partitioning="hive")
    for fragment in dataset.get_fragments():
        assert fragment.physical_schema.names == store_schema().names
        metadata = fragment.physical_schema.metadata
        assert metadata[b"aiskills_model"].startswith(b"fr-")
        assert len(metadata[b"aiskills_input_sha256"]) == 64
    assert set(CLASSIFY_COLUMNS) <= set(store_schema().names)


# --- options ------------------------------------------------------------------------------------


def test_archive(tmp_path: Path) -> None:
    done = tmp_path / "done"
    write_csv(tmp_path / "inbox" / "a.csv", [offer(1)])
    night(tmp_path, "--archive", done)
    write_csv(tmp_path / "inbox" / "a.csv", [offer(2)])
    night(tmp_path, "--archive", done)
    assert not list((tmp_path / "inbox").iterdir())
    assert len(list(done.iterdir())) == 2
    assert (done / "a.csv").exists()
    assert len(journal(tmp_path / "store", "SELECT 1 FROM files WHERE archived_to NOT NULL")) == 2


def test_archive_catches_up(tmp_path: Path) -> None:
    """What an earlier run stored and could not move is moved by the next."""
    write_csv(tmp_path / "inbox" / "a.csv", [offer(1)])
    night(tmp_path)
    report = night(tmp_path, "--archive", tmp_path / "done").report
    assert report["rows_read"] == 0
    assert (tmp_path / "done" / "a.csv").exists()


def test_max_files_and_since(tmp_path: Path) -> None:
    for number in range(4):
        write_csv(tmp_path / "inbox" / f"{number}.csv", [offer(number)], number)
    first = night(tmp_path, "--since", "2024-03-02", "--max-files", 2).report
    assert first["new"] == 2
    assert first["left"] == [{"file": "3.csv", "reason": "--max-files is reached"}]
    assert sorted(rows(tmp_path / "store")["file"]) == ["1.csv", "2.csv"]
    assert night(tmp_path).report["new"] == 2
    wrong = night(tmp_path, "--since", "hier")
    assert wrong.code == 2
    assert "2026-03-01" in wrong.err


def test_dry_run_writes_nothing(tmp_path: Path) -> None:
    write_csv(tmp_path / "inbox" / "a.csv", [offer(1)])
    young = write_csv(tmp_path / "inbox" / "b.csv", [offer(2)])
    os.utime(young)
    done = night(tmp_path, "--dry-run")
    assert done.out.splitlines() == [
        "take\ta.csv",
        "leave: changed a moment ago, or dated in the future\tb.csv",
    ]
    assert not (tmp_path / "store").exists()
    night(tmp_path)
    assert night(tmp_path, "--dry-run").out.startswith("known\ta.csv")


def test_settle(tmp_path: Path) -> None:
    young = write_csv(tmp_path / "inbox" / "a.csv", [offer(1)])
    os.utime(young)
    assert night(tmp_path).report["new"] == 0
    assert night(tmp_path, "--settle", 0).report["new"] == 1


def test_settled_by_age_or_by_two_looks() -> None:
    now = time.time_ns()
    second = 10**9

    def arrival(modified: int) -> inbox.Arrival:
        return inbox.Arrival(Path("a"), "a", 5, modified, 0)

    assert inbox.is_settled(arrival(now - 61 * second), 60, now, None)
    assert not inbox.is_settled(arrival(now - 59 * second), 60, now, (5, now - 59 * second))
    ahead = now + 3600 * second
    assert not inbox.is_settled(arrival(ahead), 60, now, None)
    assert not inbox.is_settled(arrival(ahead), 60, now, (4, ahead))
    assert inbox.is_settled(arrival(ahead), 60, now, (5, ahead))


def test_no_text(tmp_path: Path) -> None:
    write_csv(tmp_path / "inbox" / "a.csv", [offer(n) for n in range(40)])
    assert night(tmp_path, "--no-text").code == 0
    stored = rows(tmp_path / "store")
    assert stored["title"].isna().all()
    assert stored["description"].isna().all()
    evidence = [json.loads(one)[0] for one in stored["ai_evidence"] if one]
    assert evidence
    assert all(piece["term"] and "quote" not in piece for piece in evidence)
    everything = b"".join(p.read_bytes() for p in (tmp_path / "store").rglob("*") if p.is_file())
    assert b"machine learning en Python" not in everything
    assert night(tmp_path).report["new"] == 0
    done = run("rescore", tmp_path / "store")
    assert done.code == 1
    assert "40 offers were stored without their text" in done.err


def test_folders_that_do_not_go_together(tmp_path: Path) -> None:
    write_csv(tmp_path / "inbox" / "a.csv", [offer(1)])
    night(tmp_path)
    store, box = tmp_path / "store", tmp_path / "inbox"
    assert run("batch", store, "--store", tmp_path / "other").code == 2
    assert run("batch", store / "offers", "--store", store).code == 2
    assert run("batch", box, "--store", store, "--archive", box).code == 2
    assert run("batch", box, "--store", store, "--archive", store / "done").code == 2
    assert run("batch", tmp_path / "no", "--store", store).code == 1
    other = run("batch", box, "--store", box)
    assert other.code == 2
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("x")
    refused = run("batch", box, "--store", tmp_path / "full")
    assert refused.code == 1
    assert "holds other files" in refused.err


def test_links_are_not_followed(tmp_path: Path) -> None:
    secret = write_csv(tmp_path / "secret.csv", [offer(1)])
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "a.csv").symlink_to(secret)
    done = night(tmp_path, "--archive", tmp_path / "done")
    assert done.report["new"] == 0
    assert "links are not followed" in done.err
    assert secret.exists()


@pytest.mark.skipif(os.name != "posix", reason="names that only POSIX allows")
def test_odd_names(tmp_path: Path) -> None:
    folder = tmp_path / "inbox"
    folder.mkdir()
    for number, name in enumerate((b"caf\xe9.csv", b"a\nb.csv", b"-rf.csv", b"\x1b[2J.csv")):
        write_csv(folder / os.fsdecode(name), [offer(number)])
    (folder / os.fsdecode(b"\xff.csv")).write_text('"id,titre\n1,x\n')
    dated(folder / os.fsdecode(b"\xff.csv"), 0)
    done = night(tmp_path, "--archive", tmp_path / "done")
    assert done.code == 0, done.err
    assert done.report["new"] == 4
    assert "\x1b" not in done.err + done.out
    assert len(list((tmp_path / "done").iterdir())) == 5
    assert run("status", tmp_path / "store").code == 0
    assert night(tmp_path, "--retry-quarantine").report["files"] == {"quarantined": 1}


# --- quarantine ---------------------------------------------------------------------------------


def test_rows_in_quarantine(tmp_path: Path) -> None:
    offers = [offer(0), offer(1, text=""), offer(2, text='Un pain,\nun "pain".')]
    offers[1]["intitule"] = ""
    offers.append({**offer(3), "intitule": "", "description": " \n "})
    write_csv(tmp_path / "inbox" / "a.csv", offers)
    done = night(tmp_path)
    assert (done.code, done.report["new"], done.report["quarantined_rows"]) == (0, 2, 2)
    (path,) = (tmp_path / "store" / "quarantine").glob("*.rows.jsonl")
    entries = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [(one["file"], one["row"], one["line"]) for one in entries] == [
        ("a.csv", 2, 3),
        ("a.csv", 4, 6),  # the row before it takes two lines
    ]
    assert all(one["reason"].startswith("no text") for one in entries)
    assert entries[0]["raw"] == "1,apec,,,Firme 1,2024-02-02\r\n"
    assert entries[0]["cells"]["entreprise"] == "Firme 1"


def test_jsonl_rows_in_quarantine(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    path = tmp_path / "inbox" / "a.jsonl"
    path.write_text('\n{"id": "1", "titre": "", "x": [1]}\n{"id": "2", "titre": "Boulanger"}\n')
    dated(path, 0)
    assert night(tmp_path).report["new"] == 1
    (held,) = (tmp_path / "store" / "quarantine").glob("*.rows.jsonl")
    entry = json.loads(held.read_text("utf-8"))
    assert (entry["row"], entry["line"]) == (1, 2)
    assert json.loads(entry["raw"]) == {"id": "1", "titre": "", "x": [1]}


def test_file_in_quarantine_and_the_rest_goes_on(tmp_path: Path) -> None:
    make_inbox(tmp_path / "inbox", files=1)
    broken = (tmp_path / "inbox" / "casse.csv").read_bytes()
    done = night(tmp_path, "--fail-on", "quarantine", "--archive", tmp_path / "done")
    assert done.code == 3
    assert done.report["new"] > 100
    (why,) = (tmp_path / "store" / "quarantine").glob("*.why.json")
    told = json.loads(why.read_text("utf-8"))
    assert told["file"] == "casse.csv"
    assert "line 1" in told["reason"]
    assert why.with_name(why.name.removesuffix(".why.json")).read_bytes() == broken
    assert not list((tmp_path / "inbox").iterdir())
    again = night(tmp_path, "--fail-on", "quarantine")
    assert again.code == 0  # nothing went there tonight
    for path in (tmp_path / "store" / "quarantine").iterdir():
        path.unlink()  # mended by hand
    assert json.loads(run("status", tmp_path / "store", "--json").out)["quarantine"] == []
    assert night(tmp_path, "--retry-quarantine").report["files"] == {}


def test_rows_before_a_broken_place_are_stored(tmp_path: Path) -> None:
    path = tmp_path / "inbox" / "a.parquet"
    path.parent.mkdir()
    offers = pa.Table.from_pylist([offer(n) for n in range(4000)])
    pq.write_table(offers, path, row_group_size=2000)
    data = bytearray(path.read_bytes())
    place = pq.ParquetFile(path).metadata.row_group(1).column(3).dictionary_page_offset
    data[place : place + 400] = bytes(400)
    path.write_bytes(data)
    dated(path, 0)
    report = night(tmp_path).report
    assert report["files"] == {"quarantined": 1}
    assert report["new"] == 2000
    assert is_consistent(tmp_path / "store")


def test_retry(tmp_path: Path) -> None:
    """A file that needs its encoding named; a row that stays bad; what is known is not doubled."""
    rows_ = [offer(1, text="Vous dorez le pain à l'ancienne, déjà."), offer(2, text="")]
    rows_[1]["intitule"] = ""
    path = write_csv(tmp_path / "inbox" / "a.csv", rows_)
    latin = path.read_text("utf-8").encode("latin-1")
    path.write_bytes(latin + b"3,ft,Poste,\xe9\x81,,\n")  # no Windows-1252 either
    dated(path, 0)
    write_csv(tmp_path / "inbox" / "b.csv", rows_, 1)
    first = night(tmp_path)
    assert first.report["files"] == {"quarantined": 1, "done": 1}
    assert first.report["new"] == 1
    again = night(tmp_path, "--retry-quarantine", "--encoding", "latin-1")
    assert again.code == 0, again.err
    assert again.report["new"] == 1
    assert again.report["duplicates"] == 1
    assert [(file, row) for file, row, _ in held_rows(tmp_path / "store")] == [
        ("a.csv", 2),
        ("b.csv", 1),
    ]
    status = json.loads(run("status", tmp_path / "store", "--json").out)
    assert [one["kind"] for one in status["quarantine"]] == ["rows", "rows"]
    assert is_consistent(tmp_path / "store")


def test_a_file_that_trips_us_does_not_stop_the_night(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_csv(tmp_path / "inbox" / "a.csv", [offer(1, text="secret de polichinelle")])
    write_csv(tmp_path / "inbox" / "b.csv", [offer(2)], 1)

    def tripping(table: pa.Table, fields: FieldMap) -> keys.Keys:
        found = keys.keys_of(table, fields)
        if found.uids == ["apec:1"]:
            raise ValueError("secret de polichinelle")
        return found

    monkeypatch.setattr("aiskills.batch.ingest.keys_of", tripping)
    done = night(tmp_path)
    assert done.report["files"] == {"quarantined": 1, "done": 1}
    assert "unforeseen ValueError, test_batch_run.py:" in done.err
    assert "polichinelle" not in done.err + done.out


# --- logs and status ----------------------------------------------------------------------------


def test_logs_hold_no_offer_text(tmp_path: Path) -> None:
    folder = make_inbox(tmp_path / "inbox")
    words = "Zanzibarine Quelquepart"
    (folder / "sans.csv").write_text(f"{words},autre,{words}\n1,2,3\n", "utf-8")
    (folder / "casse.json").write_text(f'[{{"titre": "x"}}, {words}]', "utf-8")
    (folder / "double.csv").write_text(f"titre,{words},{words}\na,b,c\n", "utf-8")
    (folder / "objet.json").write_text(json.dumps({words: 1}), "utf-8")
    for name in ("sans.csv", "casse.json", "double.csv", "objet.json"):
        dated(folder / name, 1)
    texts = [night(tmp_path, "--log-format", "json")]
    texts += [run("status", tmp_path / "store"), run("status", tmp_path / "store", "--json")]
    for done in texts:
        for said in (words, "pétrissez", "machine learning en Python", "Firme 1"):
            assert said not in done.out + done.err
    why = [p.read_text("utf-8") for p in (tmp_path / "store" / "quarantine").glob("*.why.json")]
    assert len(why) >= 3
    assert not any(words in one for one in why)
    told = [json.loads(line) for line in texts[0].err.splitlines()]
    assert all(set(one) == {"time", "message"} for one in told)


def test_status(tmp_path: Path) -> None:
    make_inbox(tmp_path / "inbox")
    report = night(tmp_path).report
    record = json.loads(run("status", tmp_path / "store", "--json").out)
    assert record["offers"] == report["offers_in_store"] == sum(record["months"].values())
    assert record["files"] == {"done": 3, "quarantined": 1, "same": 1}
    assert record["runs"][0]["new"] == report["new"]
    assert record["running"] == ""
    assert record["damaged_parts"] == []
    assert len(record["next"]) == 1
    text = run("status", tmp_path / "store").out
    assert f"{record['offers']:,} offers" in text
    none = run("status", tmp_path / "inbox")
    assert none.code == 1
    assert "is no store" in none.err


def test_broken_rows_in_quarantine_and_the_rest_of_the_file_goes_on(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "inbox" / "a.csv", [offer(n) for n in range(300)])
    lines = path.read_bytes().splitlines(keepends=True)
    lines[100] = lines[100].replace(b",Firme", b',"Firme')
    lines[200] = lines[200].replace(b"Poste", b"Post\xe9")
    path.write_bytes(b"".join(lines) + b'300,apec,"Poste\r\n')
    dated(path, 0)
    done = night(tmp_path)
    assert done.report["files"] == {"done": 1}
    assert (done.report["new"], done.report["quarantined_rows"]) == (298, 3)
    entries = [
        json.loads(line)
        for held in (tmp_path / "store" / "quarantine").glob("*.lines.jsonl")
        for line in held.read_text("utf-8").splitlines()
    ]
    assert sorted(one["line"] for one in entries) == [101, 201, 302]
    assert is_consistent(tmp_path / "store")
    assert night(tmp_path, "--retry-quarantine").report["quarantined_rows"] == 0
    assert len(list((tmp_path / "store" / "quarantine").glob("*.lines.jsonl"))) == 3
