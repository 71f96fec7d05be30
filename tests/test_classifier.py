"""The Python door: tables of three kinds in, the same tables with the added columns out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import aiskills
from aiskills import Classifier, Judgement, Status
from aiskills.errors import InputError, LexiconError, ModelError, UsageError
from aiskills.pipeline import ADDED, parse_threshold
from aiskills.schema import CLASSIFY_COLUMNS, Definition

ML = "Vous développez des modèles de machine learning en Python."
IOT = "Vous concevez des objets connectés et des solutions IoT pour l'usine 4.0."
BREAD = "Vous pétrissez la pâte et cuisez le pain."
COLUMNS = list(CLASSIFY_COLUMNS)


def offers() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "ref": ["a", "b", "c", "d"],
            "intitule": ["Data scientist", "Ingénieur IoT", "Boulanger", None],
            "description": [ML, IOT, BREAD, None],
            "cp": ["01000", "69001", None, "75001"],
        }
    )


# --- pandas ------------------------------------------------------------------------------------


def test_pandas(classifier: Classifier) -> None:
    result = classifier.classify(offers())
    assert list(result.columns) == ["ref", "intitule", "description", "cp", *COLUMNS]
    assert result["ai_strict"].tolist()[:3] == [True, False, False]
    assert result["ai_study"].tolist()[:3] == [True, True, False]
    assert result["ai_strict_status"].tolist()[:3] == ["demand", "none", "none"]
    assert result["ai_themes"].iloc[0].split("|")[0] in ("machine_learning", "data_science")
    assert result["ai_language"].tolist()[:3] == ["fr"] * 3
    nothing = "no text: title and description hold no word"
    assert result["ai_error"].tolist() == ["", "", "", nothing]
    for name in [*COLUMNS[:6], "ai_language"]:
        assert pd.isna(result[name].iloc[3]), name
    evidence = json.loads(result["ai_evidence"].iloc[0])
    assert list(evidence[0]) == ["term", "quote", "start", "end", "field", "zone", "theme",
                                 "status", "score"]  # fmt: skip
    piece = next(e for e in evidence if e["field"] == "description")
    assert ML[piece["start"] : piece["end"]] == piece["quote"]


def test_pandas_says_what_classify_text_says(classifier: Classifier) -> None:
    result = classifier.classify(offers())
    alone = classifier.classify_text(ML, "Data scientist")
    assert isinstance(alone, Judgement)
    assert alone.strict is Status.DEMAND
    assert result["ai_strict_score"].iloc[0] == pytest.approx(alone.strict_score, abs=5.1e-5)
    assert result["ai_themes"].iloc[0] == "|".join(alone.themes)


def test_pandas_types(classifier: Classifier) -> None:
    result = classifier.classify(offers())
    assert result["ai_study"].dtype == pd.BooleanDtype()
    assert result["ai_strict"].dtype == pd.BooleanDtype()
    assert result["ai_study_score"].dtype == np.float64
    whole = classifier.classify(offers().head(3))
    assert whole["ai_study"].dtype == pd.BooleanDtype()


@pytest.mark.parametrize(
    "index",
    [
        [7, 3, 9, 1],
        ["x", "x", "y", "x"],
        pd.date_range("2024-01-01", periods=4),
        pd.MultiIndex.from_tuples([(1, "a"), (1, "a"), (2, "b"), (2, "c")], names=["n", "l"]),
        pd.Index([1.5, None, 2.5, None], name="odd"),
        pd.CategoricalIndex(["u", "v", "u", "v"]),
    ],
    ids=["unordered", "duplicated", "dates", "multi", "missing", "category"],
)
def test_pandas_keeps_the_index(classifier: Classifier, index: Any) -> None:
    frame = offers().set_axis(index)
    result = classifier.classify(frame)
    pd.testing.assert_index_equal(result.index, frame.index)
    pd.testing.assert_frame_equal(result[frame.columns], frame)
    assert result["ai_strict"].tolist()[:3] == [True, False, False]


def test_pandas_is_not_modified(classifier: Classifier) -> None:
    frame = offers()
    frame["ai_study"] = "mine"
    before = frame.copy(deep=True)
    classifier.classify(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_pandas_leaves_other_columns_as_they_are(classifier: Classifier) -> None:
    frame = offers().assign(
        n=pd.array([1, None, 3, 4], dtype="Int32"),
        f=np.array([1, 2, np.nan, 4], dtype=np.float32),
        when=pd.date_range("2024-01-01", periods=4),
        kind=pd.Categorical(["u", "v", "u", None]),
        obj=pd.Series([{"a": 1}, [1], None, object], dtype=object),
        flag=[True, False, True, False],
        text=pd.array(["x", None, "", "y"], dtype="string"),
    )
    result = classifier.classify(frame)
    pd.testing.assert_frame_equal(result[frame.columns], frame)


def test_pandas_columns_of_ours_are_replaced_at_the_end(classifier: Classifier) -> None:
    frame = offers()
    frame.insert(1, "ai_study", "mine")
    frame["ai_error"] = 3
    frame["ai_other"] = "kept"
    result = classifier.classify(frame)
    assert list(result.columns) == ["ref", "intitule", "description", "cp", "ai_other", *COLUMNS]
    assert result["ai_study"].tolist()[:3] == [True, True, False]
    again = classifier.classify(result)
    pd.testing.assert_frame_equal(again, result)


@pytest.mark.parametrize("gone", [None, np.nan, pd.NA, "", "  "])
def test_pandas_missing_texts(classifier: Classifier, gone: object) -> None:
    frame = pd.DataFrame({"titre": [gone, "Data scientist", gone], "description": [ML, gone, gone]})
    result = classifier.classify(frame)
    assert result["ai_strict"].tolist()[:2] == [True, True]
    assert result["ai_error"].tolist()[:2] == ["", ""]
    assert result["ai_error"].iloc[2].startswith("no text")


def test_pandas_odd_text_columns(classifier: Classifier) -> None:
    for values in (
        pd.Categorical([ML, BREAD, ML]),
        pd.array([ML, BREAD, ML], dtype="string"),
        pd.array([ML, BREAD, ML], dtype="string[pyarrow]"),
        pd.Series([ML, BREAD, ML], dtype=object),
        pd.Series([ML, 12, ML], dtype=object),
    ):
        frame = pd.DataFrame({"description": values})
        assert classifier.classify(frame)["ai_strict"].tolist() == [True, False, True]


def test_pandas_column_names_that_are_no_strings(classifier: Classifier) -> None:
    frame = pd.DataFrame({0: ["a", "b"], "description": [ML, BREAD], ("x", 1): [1, 2]})
    result = classifier.classify(frame)
    assert list(result.columns)[:3] == [0, "description", ("x", 1)]
    assert result["ai_strict"].tolist() == [True, False]


def test_pandas_without_rows(classifier: Classifier) -> None:
    result = classifier.classify(offers().head(0))
    assert len(result) == 0
    assert list(result.columns) == ["ref", "intitule", "description", "cp", *COLUMNS]


def test_pandas_lone_surrogates(classifier: Classifier) -> None:
    frame = pd.DataFrame({"description": pd.Series([ML + "\ud83d", BREAD], dtype=object)})
    assert classifier.classify(frame)["ai_strict"].tolist() == [True, False]


# --- polars and Arrow --------------------------------------------------------------------------


def test_polars(classifier: Classifier) -> None:
    frame = pl.from_pandas(offers()).with_columns(ai_study=pl.lit("mine"), n=pl.lit(1, pl.Int8))
    result = classifier.classify(frame)
    assert isinstance(result, pl.DataFrame)
    assert result.columns == ["ref", "intitule", "description", "cp", "n", *COLUMNS]
    assert result["n"].dtype == pl.Int8
    assert result["ai_study"].to_list() == [True, True, False, None]
    assert result["ai_strict_score"].dtype == pl.Float64
    assert frame["ai_study"].to_list() == ["mine"] * 4
    assert result["ai_error"].to_list()[:3] == [""] * 3


def test_arrow(classifier: Classifier) -> None:
    table = pa.table(
        {
            "ai_error": [1, 2, 3],
            "n": pa.array([1, None, 3], pa.int16()),
            "description": pa.chunked_array([[ML], [BREAD, None]]),
        }
    )
    result = classifier.classify(table)
    assert result.column_names == ["n", "description", *COLUMNS]
    assert result.schema.field("n").type == pa.int16()
    assert pa.schema([result.schema.field(name) for name in COLUMNS]).equals(ADDED)
    assert result.column("ai_strict").to_pylist() == [True, False, None]
    assert result.column("description").equals(table.column("description"))
    assert table.column_names == ["ai_error", "n", "description"]


def test_all_kinds_agree(classifier: Classifier) -> None:
    frame = offers()
    by_pandas = classifier.classify(frame)
    by_polars = classifier.classify(pl.from_pandas(frame))
    by_arrow = classifier.classify(pa.Table.from_pandas(frame))
    for name in COLUMNS:
        expected = by_arrow.column(name).to_pylist()
        assert by_polars[name].to_list() == expected, name
        told = [None if pd.isna(value) else value for value in by_pandas[name].tolist()]
        assert told == expected, name


def test_the_module_functions(classifier: Classifier) -> None:
    assert aiskills.classify_text(ML) == classifier.classify_text(ML)
    pd.testing.assert_frame_equal(aiskills.classify(offers()), classifier.classify(offers()))


# --- mapping and errors ------------------------------------------------------------------------


def test_a_mapping_says_what_the_names_do_not(classifier: Classifier) -> None:
    frame = pd.DataFrame(
        {"col1": ["Data scientist", "x"], "col2": ["", ML], "description": ["", ""]}
    )
    result = classifier.classify(frame, mapping={"title": "col1", "description": "col2"})
    assert result["ai_strict"].tolist() == [True, True]


def test_a_mapping_that_names_no_column(classifier: Classifier) -> None:
    for table in (offers(), pl.from_pandas(offers()), pa.Table.from_pandas(offers())):
        with pytest.raises(UsageError, match="descripton") as caught:
            classifier.classify(table, mapping={"description": "descripton"})
        assert "description" in str(caught.value)


def test_a_mapping_of_an_unknown_field(classifier: Classifier) -> None:
    with pytest.raises(UsageError, match="body"):
        classifier.classify(offers(), mapping={"body": "description"})


def test_without_a_text_column_those_found_are_listed(classifier: Classifier) -> None:
    frame = pd.DataFrame({"foo": [1, 2], "bar": ["x", "y"]})
    for table in (frame, pl.from_pandas(frame), pa.Table.from_pandas(frame)):
        with pytest.raises(InputError) as caught:
            classifier.classify(table)
        assert "foo" in str(caught.value)
        assert "bar" in str(caught.value)


@pytest.mark.parametrize(
    "wrong", [None, "text", [ML], {"description": [ML]}, 3, pd.Series([ML], name="description")]
)
def test_what_is_no_table_is_refused(classifier: Classifier, wrong: object) -> None:
    with pytest.raises(UsageError, match=f"offers are a {type(wrong).__name__}; expected a pandas"):
        classifier.classify(wrong)


@pytest.mark.parametrize("wrong", [None, 3, b"bytes", [ML], float("nan")])
def test_texts_must_be_strings(classifier: Classifier, wrong: Any) -> None:
    for call in (classifier.classify_text, classifier.explain):
        with pytest.raises(
            UsageError, match=rf"description is a {type(wrong).__name__}.*classify\(\)"
        ):
            call(wrong)
        with pytest.raises(UsageError, match="title is a"):
            call(ML, wrong)


# --- settings ----------------------------------------------------------------------------------


def test_thresholds(classifier: Classifier) -> None:
    assert set(classifier.thresholds) == {"strict", "study"}
    assert len(set(classifier.thresholds.values())) == 1  # one for both, as it was chosen
    assert Classifier.load(threshold=0.7).thresholds == {"strict": 0.7, "study": 0.7}
    mixed = Classifier.load(threshold={"strict": 0.99})
    assert mixed.thresholds == {"strict": 0.99, "study": classifier.thresholds["study"]}
    assert Classifier.load(threshold=1).classify_text(ML).strict is not Status.DEMAND


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, {}),
        ("0.6", {"strict": 0.6, "study": 0.6}),
        (0.6, {"strict": 0.6, "study": 0.6}),
        (1, {"strict": 1.0, "study": 1.0}),
        ("strict=0.6", {"strict": 0.6}),
        (" study = 0.5 , strict=.6", {"study": 0.5, "strict": 0.6}),
        ({"study": 0.5}, {"study": 0.5}),
    ],
)
def test_parse_threshold(given: Any, expected: dict[str, float]) -> None:
    assert parse_threshold(given) == {Definition(name): n for name, n in expected.items()}


@pytest.mark.parametrize(
    "wrong",
    ["", "x", "0", "0.0", "1.1", "-1", "nan", "inf", "strict=", "strict=x", "other=0.5", "strict=2",
     0, 1.5, -0.5, float("nan"), {"other": 0.5}, {"strict": 0}, "0,5", "0.5,0.6"],
)  # fmt: skip
def test_a_wrong_threshold(wrong: Any) -> None:
    with pytest.raises(UsageError, match="expected a number above 0 and up to 1"):
        parse_threshold(wrong)


@pytest.mark.parametrize(
    "wrong",
    ["strict=0.6,0.5", "strict=0.6,study", "0.5,strict=0.6", "x,study=1", "strict=0.6,", "study"],
)
def test_a_threshold_half_understood(wrong: str) -> None:
    with pytest.raises(UsageError, match="expected a number above 0 and up to 1"):
        parse_threshold(wrong)


def test_a_threshold_told_twice() -> None:
    with pytest.raises(UsageError, match="expected a number above 0 and up to 1"):
        parse_threshold("strict=0.5,strict=0.9")


@pytest.mark.parametrize("wrong", [{"strict": None}, [0.5], b"0.5"])
def test_a_threshold_of_another_type(wrong: Any) -> None:
    with pytest.raises(UsageError, match="expected a number above 0 and up to 1"):
        parse_threshold(wrong)


def test_a_lexicon_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("# extends = none\nterm;theme\npétrir la pâte;rpa\n", "utf-8")
    own = Classifier.load(lexicon=path)
    assert [term.term for term in own.lexicon.terms] == ["pétrir la pâte"]
    assert own.classify_text(ML).strict is Status.NONE
    assert own.provenance["aiskills_lexicon_sha256"] == own.lexicon.sha256
    with pytest.raises(LexiconError):
        Classifier.load(lexicon=tmp_path / "none.csv")
    with pytest.raises(ModelError):
        Classifier.load(tmp_path)


def test_a_lexicon_that_changed_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("# extends = none\nterm\nun\n", "utf-8")
    assert [term.term for term in Classifier.load(lexicon=path).lexicon.terms] == ["un"]
    path.write_text("# extends = none\nterm\nun\ndeux\n", "utf-8")
    assert [t.term for t in Classifier.load(lexicon=path).lexicon.terms] == ["un", "deux"]


def test_provenance(classifier: Classifier) -> None:
    told = classifier.provenance
    assert told["aiskills_version"] == aiskills.__version__
    assert told["aiskills_model"].startswith("fr-")
    assert len(told["aiskills_model_sha256"]) == len(told["aiskills_lexicon_sha256"]) == 64
    assert json.loads(told["aiskills_thresholds"]) == classifier.thresholds
    assert all(isinstance(value, str) for value in told.values())
