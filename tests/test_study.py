"""The published figures beside those of invented offers whose every count is known."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
import pytest

from aiskills.errors import InputError, UsageError
from aiskills.estimate import measure, wilson
from aiskills.schema import THEMES
from aiskills.study import VERDICTS, Line, Study, published, study
from aiskills.study.record import Leader, Ours
from aiskills.study.render import markdown, numbered, show
from aiskills.study.verdicts import judged, judged_leaders
from aiskills.study.words import Words


def evidence(*pieces: tuple[str, str, str]) -> str:
    return json.dumps([{"term": t, "theme": h, "status": s, "score": 0.9} for t, h, s in pieces])


IOT = evidence(("IoT", "iot", "demand"))
IOT_MENTION = evidence(("IoT", "iot", "mention"))
ML = evidence(("apprentissage automatique", "machine_learning", "demand"))
LLM = evidence(("LLM", "ia_generative", "demand"))
GENERATIVE = evidence(("ChatGPT", "ia_generative", "demand"), ("LLM", "ia_generative", "demand"))


def rows(count: int, **columns: Any) -> pa.Table:
    """So many equal offers."""
    given = {
        "ai_study_status": "none",
        "ai_strict_status": "none",
        "ai_evidence": "[]",
        "ai_cadre": "cadre",
        "ai_industry_opco2i": True,
        "ai_industry_insee": True,
        "ai_branch": "Métallurgie",
        "ai_function": "Informatique",
        "ai_region": "11 Île-de-France",
        "ai_period": "2024-03",
        "company": "Forges Velmont",
        **columns,
    }
    return pa.table(
        {
            name: pa.array(
                [value] * count, pa.bool_() if name.startswith("ai_industry") else pa.string()
            )
            for name, value in given.items()
        }
    )


DEMAND = {"ai_study_status": "demand", "ai_strict_status": "none", "ai_evidence": IOT}
MENTION = {"ai_study_status": "mention", "ai_strict_status": "none", "ai_evidence": IOT_MENTION}
STRICT = {"ai_study_status": "demand", "ai_strict_status": "demand", "ai_evidence": ML}


@pytest.fixture(scope="module")
def offers() -> pa.Table:
    """Industry, first half of 2024: 30 of 1,000 flagged, 20 of them demands, 8 of these strict."""
    return pa.concat_tables(
        [
            rows(970),
            rows(12, **DEMAND),
            rows(8, **STRICT),
            rows(10, **MENTION),
            # 2019: 50 AI offers, 2023: 78, that is +56 %; 80 % of the 128 of Métallurgie.
            rows(50, **DEMAND, ai_period="2019-05"),
            rows(52, **DEMAND, ai_period="2023-05"),
            rows(26, **DEMAND, ai_period="2023-06", ai_branch="Chimie",
                 ai_function="Études, R&D", ai_region="84 Auvergne-Rhône-Alpes"),
            rows(200, ai_period="2019-05"),
            rows(200, ai_period="2023-05"),
            # Elsewhere: 1,000 offers of 2024, 14 flagged; none in 2019.
            rows(986, ai_industry_opco2i=False, ai_branch="hors OPCO 2i"),
            rows(14, **STRICT, ai_industry_opco2i=False, ai_branch="hors OPCO 2i"),
            # Unknown, or no cadre: outside.
            rows(500, ai_industry_opco2i=None, ai_branch="inconnu"),
            rows(100, ai_cadre="non_cadre", **DEMAND),
            rows(250, ai_cadre="inconnu"),
            rows(5, ai_study_status=None, ai_strict_status=None),
        ]
    )  # fmt: skip


@pytest.fixture(scope="module")
def found(offers: pa.Table) -> Study:
    return study(offers)


def line(found: Study, name: str) -> Line:
    (one,) = (line for line in found.lines if line.id == name)
    return one


def test_the_table_of_figures_is_that_of_the_publication() -> None:
    facts = published()
    values = {one.id: one.value for one in facts.figures}
    assert values["share_industry"] == 0.03
    assert values["share_all"] == 0.022
    assert values["growth_industry"] == 0.56
    assert values["growth_others"] == values["growth_all"] == 0.13
    assert values["part_metallurgie"] == 0.8
    assert [values[f"part_{name}"] for name in ("informatique", "etudes", "commercial")] == [
        0.31, 0.26, 0.16,
    ]  # fmt: skip
    assert (values["theme_iot"], values["theme_generative"]) == (0.6, 0.02)
    for one in facts.figures:
        assert set(one.texts) == {"fr", "en"}
        assert all(reason in facts.words["fr"] for reason in one.reasons)
        assert one.theme in ("", *THEMES)
        if one.value is not None and one.low is not None and one.high is not None:
            assert one.low < one.value < one.high
    for texts in ([one.id for one in facts.figures], [one.texts["fr"] for one in facts.figures]):
        assert len(set(texts)) == len(texts)
    assert len([one for one in facts.others if one.source.startswith("Indeed")]) == 5
    assert {one.count for one in facts.others} == {None, 1127, 2398}


def test_both_languages_have_the_same_texts() -> None:
    words = published().words
    assert set(words["fr"]) == set(words["en"])
    for key, text in words["fr"].items():
        assert sorted(part.split("}")[0] for part in text.split("{")[1:]) == sorted(
            part.split("}")[0] for part in words["en"][key].split("{")[1:]
        ), key


def test_terms_left_out_of_a_theme_are_terms_of_the_lexicon(lexicon: Any) -> None:
    (one,) = (figure for figure in published().figures if figure.without)
    assert [name for name in one.without if lexicon.get(name) is None] == []


def test_the_share_is_counted_as_the_study_counts(found: Study) -> None:
    share = line(found, "share_industry")
    assert (share.ours.count, share.ours.of) == (30, 1000)
    assert share.ours.value == pytest.approx(0.03)
    ends = wilson(0.03, 1000)
    assert (share.ours.low, share.ours.high) == pytest.approx((float(ends.low), float(ends.high)))
    assert [(one.definition, one.status, one.count) for one in share.beside] == [
        ("study", "demand", 20), ("strict", "demand", 8),
    ]  # fmt: skip
    assert share.verdict == "agree"


def test_all_sectors_hold_the_unknown_ones_too(found: Study) -> None:
    share = line(found, "share_all")
    assert (share.ours.count, share.ours.of) == (44, 2500)


def test_it_is_what_measure_gives(offers: pa.Table, found: Study) -> None:
    table = measure(
        offers, status="any", population="cadre", perimeter="opco2i", definition="study",
        window="2024-H1:2024-H1", error_rates={},
    ).to_pylist()  # fmt: skip
    (total,) = (row for row in table if row["row"] == "total")
    ours = line(found, "share_industry").ours
    assert (ours.value, ours.low, ours.high) == (total["share"], total["low"], total["high"])


def test_growth_is_that_of_the_count(found: Study) -> None:
    growth = line(found, "growth_industry")
    assert growth.ours.value == pytest.approx(0.56)
    assert (growth.ours.of, growth.ours.count) == (50, 78)
    assert growth.verdict == "agree"
    assert any("nombre d'offres" in reason for reason in growth.reasons)
    assert line(found, "growth_all").ours.count == 78


def test_figures_are_corrected_with_the_audit_of_the_model(offers: pa.Table, found: Study) -> None:
    """The plain figure is the one compared; themes have no correction."""
    share, part = (line(found, one) for one in ("share_industry", "part_metallurgie"))
    for one in (share.ours, *share.beside, part.ours, line(found, "growth_industry").ours):
        assert one.corrected is not None
        assert one.corrected_low is not None
        assert one.corrected_low <= one.corrected <= (one.corrected_high or 9)
    (row,) = (
        row
        for row in measure(
            offers, window="2024-H1:2024-H1", perimeter="opco2i", population="cadre", status="any",
            definition="study",
        ).to_pylist()
        if row["row"] == "total"
    )  # fmt: skip
    assert share.ours.corrected == row["share_corrected"]
    assert share.ours.value == row["share"]
    assert line(found, "theme_iot").ours.corrected is None
    assert any(one.startswith("« corrigé »") for one in found.remarks)


def test_another_models_offers_are_not_corrected(offers: pa.Table, tmp_path: Path) -> None:
    path = tmp_path / "scored.parquet"
    pq.write_table(offers.replace_schema_metadata({"aiskills_model_sha256": "another"}), path)
    found = study([path], lang="en")
    assert line(found, "share_industry").ours.corrected is None
    assert any(one.startswith("no correction") for one in found.remarks)


def test_growth_elsewhere_says_what_is_missing(found: Study) -> None:
    growth = line(found, "growth_others")
    assert growth.verdict == "missing"
    assert "2019" in growth.missing
    assert "hors de l'industrie" in growth.missing
    assert growth.ours.value is None


def test_a_part_has_its_bounds(found: Study) -> None:
    part = line(found, "part_metallurgie")
    assert (part.ours.count, part.ours.of) == (102, 128)
    assert part.ours.value == pytest.approx(102 / 128)
    assert part.verdict == "agree"
    assert part.ours.least == pytest.approx(102 / 128)
    assert line(found, "part_etudes").ours.count == 26


def test_a_part_that_no_offer_has(found: Study) -> None:
    part = line(found, "part_commercial")
    assert part.verdict == "missing"
    assert "Commercial, marketing" in part.missing


def test_a_theme_counts_mentions_as_the_study_does(found: Study) -> None:
    iot = line(found, "theme_iot")
    # 12 + 50 + 78 ask for it, 10 mention it, 8 ask for something else.
    assert (iot.ours.count, iot.ours.of) == (150, 158)
    study_demand, strict = iot.beside
    assert (study_demand.count, study_demand.of) == (140, 148)
    assert strict.value is None
    assert strict.note == "hors définition"
    assert iot.verdict == "above"
    share = line(found, "share_industry")
    assert any("150 sur 158" in reason for reason in share.reasons)


def test_llm_is_no_generative_ai_in_the_study() -> None:
    demand = {"ai_study_status": "demand", "ai_strict_status": "demand"}
    given = pa.concat_tables(
        [rows(97, **DEMAND), rows(2, **demand, ai_evidence=LLM), rows(1, **demand,
         ai_evidence=GENERATIVE)]
    )  # fmt: skip
    theme = line(study(given), "theme_generative")
    assert (theme.ours.count, theme.ours.of) == (1, 100)
    assert theme.beside[1].count == 1


def test_nothing_of_a_theme_is_a_zero_with_an_interval(found: Study) -> None:
    theme = line(found, "theme_generative").ours
    assert (theme.value, theme.low, theme.count, theme.of) == (0.0, 0.0, 0, 158)
    assert theme.high == pytest.approx(float(wilson(0.0, 158).high))


def test_leading_regions(found: Study) -> None:
    leading = line(found, "leading_regions")
    assert [(one.rank, one.label, one.count) for one in leading.leaders] == [
        (1, "11 Île-de-France", 132), (2, "84 Auvergne-Rhône-Alpes", 26),
    ]  # fmt: skip
    assert leading.verdict == "inconclusive"


def leaders(**parts: float) -> list[Leader]:
    order = sorted(parts.items(), key=lambda one: -one[1])
    return [
        Leader(name, rank, round(1000 * part), part, part - 0.01, part + 0.01)
        for rank, (name, part) in enumerate(order, 1)
    ]


def test_leaders_are_judged_in_any_order_and_by_their_intervals() -> None:
    (figure,) = (one for one in published().figures if one.kind == "leaders")
    a, b, c = figure.labels
    assert judged_leaders(figure, leaders(**{b: 0.4, a: 0.3, c: 0.2, "x": 0.1})) == "agree"
    assert judged_leaders(figure, leaders(**{a: 0.4, b: 0.3, c: 0.105, "x": 0.1})) == "inconclusive"
    assert judged_leaders(figure, leaders(**{a: 0.4, b: 0.2, c: 0.1, "x": 0.3})) == "differ"
    assert judged_leaders(figure, leaders(**{a: 0.4, "x": 0.3, "y": 0.3})) == "differ"


@pytest.mark.parametrize(
    ("name", "value", "low", "high", "verdict"),
    [
        ("share_industry", 0.04, 0.034, 0.045, "agree"),
        ("share_industry", 0.04, 0.036, 0.045, "above"),
        ("share_industry", 0.02, 0.018, 0.0249, "below"),
        ("share_industry", 0.03, 0.01, 0.05, "inconclusive"),
        ("share_industry", 0.03, 0.02, 0.07, "inconclusive"),
        ("share_industry", None, None, None, "missing"),
        ("growth_industry", 0.6, 0.1, 1.2, "agree"),
        ("growth_industry", 0.6, -0.3, 1.2, "inconclusive"),
        ("growth_all", 0.15, -0.36, 1.0, "inconclusive"),
        ("growth_all", 0.10, -0.02, 0.23, "agree"),
        ("growth_industry", 0.6, 0.3, None, "inconclusive"),
    ],
)
def test_how_a_comparison_is_judged(
    name: str, value: float | None, low: float | None, high: float | None, verdict: str
) -> None:
    (figure,) = (one for one in published().figures if one.id == name)
    assert judged(figure, Ours("study", "any", value, low, high)) == verdict
    assert verdict in VERDICTS


def test_what_is_unknown_is_said(found: Study) -> None:
    reasons = line(found, "share_industry").reasons
    # Of the 2,850 judged offers of the period, 250 have an unknown status, 500 an unknown employer.
    assert any("8,77" in reason and "statut cadre inconnu" in reason for reason in reasons)
    assert any("17,5" in reason and "secteur inconnu" in reason for reason in reasons)
    assert any("5 mois sur 6" in reason for reason in reasons)


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ({"ai_period": "2022-01"}, "no offer of 2024-H1 (data of 2022-01 to 2022-01)"),
        ({"ai_period": None}, "no offer of 2024-H1 (no month known in the data)"),
        ({"ai_cadre": "inconnu"}, "no offer of 2024-H1 known to be cadre, of 40 offers"),
        ({"ai_industry_opco2i": None}, "whose employer is known to be in industry, of 40 offers"),
    ],
)
def test_missing_figures_say_why(columns: dict[str, Any], text: str) -> None:
    found = study(rows(40, **columns), lang="en")
    share = line(found, "share_industry")
    assert share.verdict == "missing"
    assert text in share.missing
    assert text in markdown(found)


def test_cadres_and_industry_that_never_meet() -> None:
    given = pa.concat_tables([rows(10, ai_cadre="non_cadre"), rows(10, ai_industry_opco2i=False)])
    assert line(study(given, lang="en"), "share_industry").missing.startswith(
        "no cadre offer of 2024-H1 whose employer"
    )


def test_no_offers_at_all_is_an_answer() -> None:
    found = study(rows(0))
    assert {one.verdict for one in found.lines} == {"missing"}
    assert all(one.missing for one in found.lines)


def test_options(offers: pa.Table) -> None:
    wide = study(offers, population="all", comparator="all", definition="strict")
    assert "growth_others" not in {one.id for one in wide.lines}
    share = line(wide, "share_industry")
    assert share.ours.definition == "strict"
    assert (share.ours.count, share.ours.of) == (8, 1350)
    assert len([one for one in wide.remarks if "n'est pas celle de l'étude" in one]) == 2
    insee = study(offers, perimeter="insee")
    assert line(insee, "share_industry").ours.of == 2500
    for wrong in ({"population": "x"}, {"definition": "both"}, {"comparator": "x"},
                  {"perimeter": "all"}, {"by": "branch"}):  # fmt: skip
        with pytest.raises(UsageError):
            study(offers, **wrong)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="fr or en"):
        study(offers, lang="de")


def test_clusters_widen_the_interval(offers: pa.Table) -> None:
    names = pa.array([f"Société {n % 7}" for n in range(len(offers))])
    given = offers.set_column(offers.column_names.index("company"), "company", names)
    plain, clustered = study(given), study(given, cluster="company")
    one, other = (line(each, "share_all").ours for each in (plain, clustered))
    assert (one.value, one.count) == (other.value, other.count)
    assert (one.low, one.high) != (other.low, other.high)


def test_reposts_are_left_out_where_they_are_marked(offers: pa.Table) -> None:
    marks = pa.array(["o1" if n % 2 else None for n in range(len(offers))])
    given = offers.append_column("ai_duplicate_of", marks)
    assert line(study(given), "share_industry").ours.of == 500
    kept = study(given, dedupe=False)
    assert line(kept, "share_industry").ours.of == 1000
    assert any("(demandé)" in remark for remark in kept.remarks)
    with pytest.raises(InputError, match="ai_duplicate_of"):
        study(offers, dedupe=True)


def test_files_give_what_tables_give(offers: pa.Table, found: Study, tmp_path: Path) -> None:
    half = len(offers) // 2
    pq.write_table(offers.slice(0, half), tmp_path / "a.parquet")
    pcsv.write_csv(offers.slice(half), tmp_path / "b.csv")
    again = study([tmp_path / "a.parquet", tmp_path / "b.csv"])
    assert again.lines == found.lines


def test_tables_of_pandas_and_polars(offers: pa.Table, found: Study) -> None:
    import polars as pl

    for given in (offers.to_pandas(), pl.from_arrow(offers)):
        assert study(given).lines == found.lines


def test_texts_of_two_types(offers: pa.Table, found: Study, tmp_path: Path) -> None:
    types = [pa.large_string() if pa.types.is_string(one.type) else one.type
             for one in offers.schema]  # fmt: skip
    large = offers.cast(pa.schema(list(zip(offers.column_names, types, strict=True))))
    pq.write_table(offers.slice(0, 100), tmp_path / "a.parquet")
    pq.write_table(large.slice(100), tmp_path / "b.parquet")
    assert study([tmp_path / "a.parquet", tmp_path / "b.parquet"]).lines == found.lines


def test_a_missing_column_is_named(offers: pa.Table) -> None:
    for name in ("ai_evidence", "ai_cadre", "ai_region", "ai_industry_opco2i"):
        with pytest.raises(InputError, match=name):
            study(offers.drop_columns([name]))


def test_evidence_of_another_form_is_refused(offers: pa.Table) -> None:
    with pytest.raises(InputError, match="ai_evidence holds"):
        study(rows(3, **{**DEMAND, "ai_evidence": "IoT"}))


def test_context_is_no_target(found: Study) -> None:
    indeed = [one for one in found.context if one.source.startswith("Indeed")]
    assert indeed[2].published == 0.0202
    assert indeed[2].ours is not None
    # strict, demand or mention, over all 2,850 judged offers and 100 that are no cadre's.
    assert (indeed[2].ours.count, indeed[2].ours.of) == (22, 2850)
    assert indeed[3].ours is not None
    assert indeed[3].ours.note.startswith("aucune offre de 2025")
    assert found.context[-1].ours is None
    assert found.context[-1].published_count == 2398


def test_the_record_as_json_and_as_a_table(found: Study) -> None:
    again = json.loads(json.dumps(found.as_dict()))
    assert again["lines"][0]["ours"]["count"] == 30
    table = found.table().to_pylist()
    assert len(table) == 3 * (len(found.lines) - 1) + 1
    assert table[0]["verdict"] == "agree"
    assert [row["definition"] for row in table[:3]] == ["study", "study", "strict"]


def test_what_people_read(found: Study) -> None:
    shown = show(found)
    first = shown.rows[0]
    assert first[0].startswith("1. Part des offres cadres")
    assert first[1].replace("\u00a0", " ") == "3 %\n(2,5 – 3,5)"
    assert first[2].replace("\u00a0", " ").splitlines()[0] == "3 %"
    plain, corrected = first[2].replace("\u00a0", " ").split("\ncorrigé : ")
    assert plain.endswith("30 sur 1\u202f000")
    assert re.fullmatch(r"\d,\d+ %\n\[\d,\d+ ; \d,\d+\]", corrected)
    text = markdown(found)
    assert "+56" in text
    assert "50 → 78" in text
    assert "{" not in text
    assert all(len(row) == len(shown.heads) for row in shown.rows)


def test_numbers_of_figures_are_shortened() -> None:
    assert numbered([1, 3, 4, 5, 9]) == "1, 3-5, 9"
    assert numbered([2]) == "2"


@pytest.mark.parametrize(
    ("lang", "share", "ends"), [("fr", "3,46 %", "[1,20 ; ∞]"), ("en", "3.46 %", "[1.20, ∞]")]
)
def test_figures_are_written_as_the_language_does(lang: str, share: str, ends: str) -> None:
    words = Words({}, lang)
    assert words.percent(0.0346).replace("\u00a0", " ") == share
    assert words.ends(0.012, None).replace("\u00a0", " ") == ends
    assert words.percent(0.5, sign=True).replace("\u00a0", " ") == "+50 %"
    assert words.ends(-0.5, 200.0, sign=True).count(">") == 1


# --- the command -------------------------------------------------------------------------------

Run = Callable[..., tuple[int, str, str]]


def test_a_pipe_gets_markdown(run: Run) -> None:
    code, out, err = run("study", "scored.parquet")
    assert (code, err) == (0, "")
    assert out.startswith("# L'étude Apec / OPCO 2i")


def test_a_terminal_gets_a_table_of_100_columns(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    code, out, err = run("study", "scored.parquet", "--lang", "en")
    assert (code, err) == (0, "")
    assert max(len(re.sub("\x1b\\[[0-9;]*m", "", one)) for one in out.splitlines()) <= 100
    assert "30 of 1,000" in out
    assert "compatible" in out
    assert "Indeed" in out


def test_files_of_every_kind(run: Run, tmp_path: Path) -> None:
    for name in ("s.md", "s.json", "s.csv", "s.parquet", "s.xlsx"):
        code, out, err = run("study", "scored.parquet", "-o", name)
        assert (code, out, err) == (0, "", "")
    record = json.loads((tmp_path / "s.json").read_text("utf-8"))
    assert record["lines"][0]["published"] == 0.03
    table = pq.read_table(tmp_path / "s.parquet")
    assert b"study_population" in table.schema.metadata
    assert (tmp_path / "s.md").read_text("utf-8").startswith("# L'étude")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--lang", "de"), 2, "fr or en"),
        (("--definition", "both"), 2, "expected strict or study"),
        (("-o", "none/s.md"), 1, "does not exist"),
        (("-o", "scored.parquet", "--force"), 1, "one of the inputs"),
        (("-o", "s.html"), 2, "s.html"),
        (("--dedupe",), 1, "aiskills dedupe"),
    ],
)
def test_mistakes_are_one_line(run: Run, arguments: tuple[str, ...], code: int, words: str) -> None:
    found, out, err = run("study", "scored.parquet", *arguments)
    assert (found, out) == (code, "")
    assert words in err
    assert "Traceback" not in err
