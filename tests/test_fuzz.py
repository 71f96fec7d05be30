"""Anything at all through every entry point; what fuzzing by hand found is replayed first.

`fuzz.targets` says what must hold. Here hypothesis damages sound files, a fixed number of times and
the same way on every run; `make fuzz` goes on for as long as one likes, guided by coverage.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiskills.errors import AiskillsError
from aiskills.files import open_offers
from aiskills.labels.records import read_labels
from aiskills.model import load_model
from aiskills.phrases.lexicon_file import parse_rows
from fuzz import seeds
from fuzz.encoded import FRAGMENTS, bytes_of, text_of
from fuzz.targets import TARGETS, Target

CASES: Final = sorted((Path(__file__).parent / "cases" / "fuzz").glob("*/*"))
SECONDS: Final = 5
#: Examples of each target, so that all take half a minute together.
EXAMPLES: Final = {"workbook": 30, "attributes": 100}


def run(target: Target, data: bytes) -> None:
    before = time.process_time()
    target.run(data)
    assert time.process_time() - before < SECONDS


@pytest.mark.parametrize("case", CASES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_was_found_stays_mended(case: Path) -> None:
    run(TARGETS[case.parent.name], case.read_bytes())


@st.composite
def damaged(draw: st.DrawFn, sound: tuple[bytes, ...]) -> bytes:
    """A sound file with some stretches cut out, doubled or replaced; or any bytes."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    data = draw(st.sampled_from(sound))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 12)))
        new = draw(st.one_of(st.binary(max_size=6), st.just(data[start:end] * 2), st.just(b"")))
        data = data[:start] + new + data[end:]
    return data


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_input(name: str) -> None:
    target = TARGETS[name]

    @settings(max_examples=EXAMPLES.get(name, 200))
    @given(damaged(tuple(target.seeds())))
    def holds(data: bytes) -> None:
        run(target, data)

    holds()


# --- the fuzzing itself --------------------------------------------------------------------------


def test_every_target_has_seeds_and_every_case_a_target() -> None:
    assert all(target.seeds() for target in TARGETS.values())
    assert {case.parent.name for case in CASES} <= set(TARGETS)
    assert CASES


def test_a_broken_promise_is_found() -> None:

    def fails(data: bytes) -> None:
        assert b"\xff" not in data

    with pytest.raises(AssertionError):
        run(Target("control", fails, lambda: [b"a"]), b"\xff")


@pytest.mark.parametrize(
    ("name", "content", "rows"),
    [
        ("a.csv", seeds.csv_files()[0][1:], 2),
        ("b.csv", seeds.csv_files()[2][1:], 2),
        ("c.json", seeds.json_files()[1], 1),
        ("d.jsonl", seeds.jsonl_files()[0], 2),
        *((f"e{n}.parquet", content, 3) for n, content in enumerate(seeds.parquet_files())),
        ("f.xlsx", seeds.workbook({}), 2),
        ("g.ods", seeds.opendocument(seeds.workbooks()[5][1:]), 2),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_seeds_are_sound(name: str, content: bytes, rows: int, tmp_path: Path) -> None:
    """Damage to what nobody could read anyway would prove nothing."""
    (tmp_path / name).write_bytes(content)
    with open_offers([tmp_path / name]) as offers:
        assert sum(len(chunk.table) for chunk in offers) == rows


def test_the_small_model_and_lexicon_are_sound(tmp_path: Path) -> None:
    import hashlib
    import json

    meta, arrays = seeds.small_model()
    archive = seeds.archive_of(arrays)
    (tmp_path / "weights.npz").write_bytes(archive)
    sha256 = hashlib.sha256(archive).hexdigest()
    (tmp_path / "meta.json").write_text(json.dumps({**meta, "sha256": sha256}), "utf-8")
    assert load_model(tmp_path).version.startswith("small-")
    for seed in seeds.lexicons():
        text = seed[1:].decode() if seed[:1] == b"r" else text_of(seed[1:])
        assert len(parse_rows(text, "seed").rows) == 2
    (tmp_path / "labels.jsonl").write_bytes(b"\n".join(seeds.label_files()[:2]))
    offers, mentions = read_labels([tmp_path / "labels.jsonl"])
    assert (len(offers), len(mentions)) == (1, 1)


def test_texts_in_bytes_and_back() -> None:
    assert len(set(FRAGMENTS)) == len(FRAGMENTS) <= 128
    for fragment in FRAGMENTS:
        assert text_of(bytes_of(f"a {fragment}!")) == f"a {fragment}!"


def test_errors_of_the_package_are_what_targets_let_pass() -> None:
    with pytest.raises(AiskillsError), open_offers(["/nowhere/at/all.csv"]):
        pass
