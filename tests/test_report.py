"""The report: numbers, wording, escaping, sections, and what is shown where there is nothing."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import report_offers as made
from aiskills.errors import AiskillsError, InputError, OutputError, UsageError
from aiskills.estimate import measure
from aiskills.report import browser, charts
from aiskills.report import map as regions
from aiskills.report.examples import evidence, excerpts, stretches
from aiskills.report.figures import collect
from aiskills.report.numbers import MINUS, NOTHING, THIN, Numbers
from aiskills.report.page import digest, page
from aiskills.report.records import Cell, Figures, Options, Stretch
from aiskills.report.words import LANGUAGES, Words, keys
from aiskills.schema import THEMES, Definition, Zone

ROOT = Path(__file__).resolve().parents[1]
SECTIONS = ["headline", "trend", "map", "branches", "functions", "themes", "skills", "evidence",
            "quality", "method"]  # fmt: skip


@pytest.fixture(scope="module")
def scored() -> pa.Table:
    return made.table()


@pytest.fixture(scope="module")
def figures(scored: pa.Table) -> Figures:
    return collect(scored, Options(), command="aiskills report <b>offres</b>.csv")


@pytest.fixture(scope="module")
def html(figures: Figures) -> str:
    return page(figures)


class _Page(HTMLParser):
    """What a page is made of."""

    void: ClassVar = {"meta", "input", "br", "img", "link", "hr"}

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.void:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1] == tag, f"</{tag}> closes <{self.open[-1]}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split(" "))


def test_french_numbers_have_a_comma_and_thin_spaces() -> None:
    write = Numbers("fr")
    assert write.percent(0.03) == f"3,0{THIN}%"
    assert write.count(12345) == f"12{THIN}345"
    assert write.count(1_000_000) == f"1{THIN}000{THIN}000"
    assert write.interval(0.024, 0.037) == f"2,4 à 3,7{THIN}%"
    assert write.signed(0.56) == f"+56{THIN}%"
    assert write.signed(-0.041, 1) == f"{MINUS}4,1{THIN}%"
    assert write.points(-0.0123) == f"{MINUS}1,2{THIN}point"
    assert write.points(0.021) == f"+2,1{THIN}points"
    assert write.period("2023-03") == "mars 2023"
    assert write.period("2024-H1") == "S1 2024"
    assert write.day("2025-02-01") == "1er février 2025"


def test_english_numbers_have_a_point_and_commas() -> None:
    write = Numbers("en", digits=2)
    assert write.percent(0.0301) == "3.01%"
    assert write.count(12345) == "12,345"
    assert write.interval(0.02, 0.03) == "2.00% to 3.00%"
    assert write.period("2024-Q2") == "Q2 2024"
    assert write.day("2025-02-14") == "14 February 2025"


@pytest.mark.parametrize("nothing", [None, float("nan"), float("inf")])
def test_no_figure_is_a_dash(nothing: float | None) -> None:
    write = Numbers("fr")
    for said in (write.count, write.percent, write.signed, write.points, write.decimal):
        assert said(nothing) == NOTHING
    assert write.interval(nothing, 1) == write.interval(0, nothing) == NOTHING


def test_zero_has_no_sign_and_nearly_all_gone_is_not_all_gone() -> None:
    assert Numbers("en").signed(0) == "0%"
    assert Numbers("en").decimal(-0.001) == "0.0"
    assert Numbers("en").signed(-0.9967) == f"{MINUS}99.7%"
    assert Numbers("en").signed(-1) == f"{MINUS}100%"


@given(st.floats(0, 1), st.sampled_from(LANGUAGES))
def test_a_percentage_reads_back_as_what_was_written(share: float, lang: str) -> None:
    said = Numbers(lang).percent(share)
    value = float(said.replace(THIN, "").replace("%", "").replace(",", "."))
    assert value == pytest.approx(100 * share, abs=0.0501)


def test_both_languages_say_the_same_things() -> None:
    assert keys("fr") == keys("en")
    for key in keys("fr"):
        holes = [sorted(re.findall(r"{(\w+)}", Words(lang)._texts[key])) for lang in LANGUAGES]
        assert holes[0] == holes[1], key


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_theme_zone_and_status_has_a_name(lang: str) -> None:
    words = Words(lang)
    for section, values in (("theme", THEMES), ("zone", Zone), ("definition", Definition),
                            ("status", ("demand", "mention", "none", "any"))):  # fmt: skip
        assert {f"{section}.{value}" for value in values} <= set(keys(lang))
        assert all(words.of(section, str(value)) for value in values)


def test_french_punctuation_never_stands_alone_on_a_line() -> None:
    """Before : ; ? ! and % stands a space that does not break."""
    for key in keys("fr"):
        text = re.sub("<[^>]*>", "", Words("fr")._texts[key])
        assert not re.search(r" [:;?!%]", text), key
        assert "'" not in text, f"{key}: a straight apostrophe"


def test_what_is_filled_into_a_text_is_escaped() -> None:
    said = Words("fr")("compared.intro", name="<b>")
    assert "&lt;b&gt;" in said


def test_there_is_no_third_language() -> None:
    with pytest.raises(UsageError, match="fr or en"):
        Words("de")


@given(st.floats(1e-6, 1e7), st.integers(2, 8))
def test_ticks_cover_the_range_and_are_few(high: float, most: int) -> None:
    found = charts.ticks(0, high, most)
    assert found[0] == 0
    assert found[-1] >= high * (1 - 1e-9)
    assert 2 <= len(found) <= most + 1
    steps = [b - a for a, b in itertools.pairwise(found)]
    assert max(steps) == pytest.approx(min(steps))


def test_a_chart_of_intervals_draws_each_row_and_cuts_at_its_edge() -> None:
    rows = [
        charts.Row("<b>un</b>", 0.2, 0.1, 0.3, "20 %"),
        charts.Row("deux", None, None, None, NOTHING, "strict"),
        charts.Row("trois", 5.0, 1.0, None, "500 %", "mark"),
    ]
    drawn = charts.intervals(rows, "un nom", Numbers("fr"), ends=(0, 1), reference=0.25)
    assert "&lt;b&gt;un&lt;/b&gt;" in drawn
    assert "<b>" not in drawn
    assert drawn.count("<circle") == 1  # deux has no mark
    assert "m mark" in drawn
    assert 'class="reference"' in drawn
    places = [float(x) for x in re.findall(r'x[12]?="([0-9.-]+)"', drawn)]
    assert max(places) <= charts.WIDE


def test_a_line_stops_where_a_period_has_no_share() -> None:
    series = charts.Series("a", "study", (0.1, None, 0.3, 0.4), (0.0, None, 0.2, 0.3),
                           (0.2, None, 0.4, 0.5))  # fmt: skip
    drawn = charts.lines(["1", "2", "3", "4"], [series], "nom", Numbers("fr"))
    assert drawn.count('class="curve study"') == 1


def test_the_map_has_the_eighteen_regions_and_is_small() -> None:
    table = ROOT / "src" / "aiskills" / "data" / "map_regions.csv"
    assert table.stat().st_size < 60_000
    first = table.read_text("utf-8").splitlines()[0]
    assert "Natural Earth" in first
    assert "public domain" in first
    codes = {one.code for one in regions.outlines()}
    assert len(regions.outlines()) == 18
    assert {"01", "02", "03", "04", "06", "11", "84", "94"} <= codes
    for one in regions.outlines():
        assert re.fullmatch(r"(M[-0-9. ]+l[-0-9. ]+z)+", one.path), one.name


def _region(label: str, share: float, offers: int = 100) -> Cell:
    return Cell(label, "cell", offers, round(share * offers), share, 0.0, 1.0, small=offers < 30)


def test_classes_of_the_map_follow_the_values() -> None:
    values = [0.01 * n for n in range(1, 19)]
    bounds = regions.cuts(values)
    levels = [regions.level(value, bounds) for value in values]
    assert levels == sorted(levels)
    assert set(levels) == {1, 2, 3, 4, 5}
    assert regions.level(None, bounds) == 0
    assert regions.level(0.5, regions.cuts([0.5])) == 5
    assert regions.cuts([]) == []


def test_a_region_tells_its_figures_and_a_small_one_is_hatched() -> None:
    cells = [_region("53 Bretagne", 0.03), _region("94 Corse", 0.1, 20)]
    drawn = regions.region_map(cells, Words("fr"), Numbers("fr"))
    assert drawn.count('tabindex="0"') == 18
    assert f'aria-label="Bretagne : 3,0{THIN}% des offres, soit 3 sur 100"' in drawn.replace(
        "\u00a0:", " :"
    )
    assert drawn.count('class="hatched"') == 1
    assert "Occitanie" in drawn  # no offer, still named


def test_evidence_of_another_form_is_left_out() -> None:
    assert evidence("") == []
    assert evidence("no json") == []
    assert evidence("[" * 100_000) == []
    assert evidence('{"start": 1}') == []
    wrong = '[{"start": "0", "end": 3, "status": "demand", "field": "title", "quote": "abc"}, 7]'
    assert evidence(wrong) == []


_PIECE = {"field": "description", "zone": "missions", "theme": "ia", "status": "demand"}


@given(
    st.text(min_size=1, max_size=1500),
    st.lists(st.tuples(st.integers(0, 1499), st.integers(1, 40)), max_size=12),
)
def test_excerpts_show_text_of_the_offer_and_nothing_else(
    text: str, spans: list[tuple[int, int]]
) -> None:
    pieces = sorted(
        (
            {**_PIECE, "start": start, "end": min(len(text), start + size)}
            for start, size in spans
            if start < len(text)
        ),
        key=lambda one: int(str(one["start"])),
    )
    assert "".join(one.text for one in stretches(text, pieces)) == text
    for excerpt in excerpts(text, pieces):
        marked = [part for part in excerpt if part.status]
        assert marked
        for part in marked:
            assert part.text in re.sub(r"[^\S\n]*\n\s*", "\n", text)


def test_bare_tags_of_layout_are_what_they_stand_for() -> None:
    text = "<p>Vous <b>codez</b>.<br/>- de l'IA<li>avec <u>soin</p><script>x</script><b class=y>"
    at = text.index("IA")
    (excerpt,) = excerpts(text, [{**_PIECE, "start": at, "end": at + 2}])
    shown = "".join(part.text for part in excerpt)
    assert shown == "\nVous codez.\n- de l'IA\navec soin\n<script>x</script><b class=y>"
    whole = {**_PIECE, "start": 0, "end": 10}
    ((marked, *_),) = excerpts(text, [whole])
    assert marked.text == text[:10]  # evidence stays letter by letter


def test_thresholds_are_told_in_words(figures: Figures) -> None:
    about = {
        "model": "fr",
        "model_sha256": "",
        "lexicon": "",
        "thresholds": '{"strict": 0.38, "study": 0.5}',
    }
    own = replace(figures, provenance=replace(figures.provenance, scored=(("x", 1, about),)))
    assert "seuils\u00a0: stricte 0,38, étude 0,50" in page(own)
    about["thresholds"] = "{"
    assert "seuils\u00a0: {" in page(own)


def test_windows_that_meet_do_not_tear_a_piece_apart() -> None:
    text = " ".join(["mot"] * 60 + ["preuve"] + ["mot"] * 40 + ["preuve"] + ["mot"] * 60)
    pieces = [
        {**_PIECE, "start": found.start(), "end": found.end()}
        for found in re.finditer("preuve", text)
    ]
    shown = [part.text for excerpt in excerpts(text, pieces) for part in excerpt if part.status]
    assert shown == ["preuve", "preuve"]


def test_the_sections_stand_in_their_order(html: str) -> None:
    found = re.findall(r'<section id="(\w+)"', html)
    assert found == SECTIONS
    assert re.findall(r'<li><a href="#(\w+)"', html) == SECTIONS


def test_the_page_is_well_formed_and_headings_are_in_order(html: str) -> None:
    parsed = _Page(html)
    levels = [int(tag[1]) for tag, _ in parsed.tags if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    ids = [attrs["id"] for _, attrs in parsed.tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_the_page_asks_for_nothing_and_its_policy_forbids_it(html: str) -> None:
    parsed = _Page(html)
    policy = next(
        attrs["content"] or ""
        for tag, attrs in parsed.tags
        if attrs.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for kind in ("style", "script"):
        (inline,) = re.findall(rf"<{kind}>(.*?)</{kind}>", html, re.DOTALL)
        assert f"{kind}-src '{digest(inline)}'" in policy
    assert not {"src", "srcset", "action", "style", "onclick", "onerror"} & {
        name for _, attrs in parsed.tags for name in attrs
    }
    assert all((attrs.get("href") or "#").startswith("#") for _, attrs in parsed.tags)
    assert not {"img", "link", "iframe", "object", "form"} & {tag for tag, _ in parsed.tags}


def test_hostile_texts_stand_there_as_text(html: str) -> None:
    parsed = _Page(html)
    assert sum(tag == "script" for tag, _ in parsed.tags) == 1
    assert made.SCRIPT in parsed.text.replace("  ", " ")
    assert "&lt;script&gt;window.pwned" in html
    assert "\u202e" not in html
    assert "␦enigne" in html
    assert len(html) < 1_000_000
    assert "<b>offres</b>" not in html
    assert "&lt;b&gt;offres&lt;/b&gt;" in html


def test_the_headline_is_what_measure_says(scored: pa.Table, html: str) -> None:
    rows = measure(scored).to_pylist()
    own = next(row for row in rows if row["definition"] == "study" and row["row"] == "total")
    write, text = Numbers("fr"), _Page(html).text
    assert f"{write.percent(own['share'])}" in text
    assert f"{write.count(own['flagged'])} offres sur {write.count(own['offers'])}" in text
    assert write.interval(own["low"], own["high"]) in text
    other = next(row for row in rows if row["definition"] == "strict" and row["row"] == "total")
    assert write.percent(other["share"]) in text


def test_themes_keep_iot_apart(figures: Figures) -> None:
    rows = [row for row in made.offers() if row["ai_study_status"] == "demand"]
    only = sum(row["ai_themes"] == "iot" for row in rows)
    assert figures.iot_only[Definition.STUDY] == only > 0


def test_the_sample_is_of_the_right_status_and_the_same_every_time(figures: Figures) -> None:
    many = made.table(made.offers(800))
    found, again = collect(many, Options()), collect(many, Options())
    assert again.demand == found.demand
    assert {one.status for one in found.demand} == {"demand"}
    assert {one.status for one in found.mention} == {"mention"}
    assert len({one.identifier for one in found.demand}) == 60
    assert len({one.identifier for one in found.mention}) == 40
    assert len(figures.demand) == figures.headline.demand[Definition.STUDY].flagged < 60


def test_without_texts_none_is_there(scored: pa.Table) -> None:
    found = collect(scored, Options(texts=False))
    html = page(found)
    assert "Poste " not in html
    assert "vous montrez" not in html
    assert "sans texte d’offre" in html


def test_english_pages_are_english(scored: pa.Table) -> None:
    html = page(collect(scored, Options(lang="en", title="A <title>")))
    assert '<html lang="en">' in html
    assert "of the offers ask for artificial intelligence skills" in html
    assert "A &lt;title&gt;" in html
    assert '<article data-themes="big_data"' in html
    assert ' lang="fr">' in html  # French offers in an English page
    assert "des offres" not in _Page(html).text


def test_each_definition_leads_its_page(scored: pa.Table) -> None:
    html = page(collect(scored, Options(definition=Definition.STRICT)))
    own = next(
        row
        for row in measure(scored).to_pylist()
        if row["definition"] == "strict" and row["row"] == "total"
    )
    share = Numbers("fr").percent(own["share"])
    assert f'class="lead strict"><strong>{share}</strong>' in html


def test_the_published_figures_stand_beside_ours(html: str) -> None:
    text = _Page(html).text
    assert "Le chiffre publié le plus proche" in text
    assert f"+56{THIN}%" in text
    assert f"80{THIN}%" in text
    assert "ne sont pas corrigés" in text


def test_the_users_note_comes_first_and_is_escaped(scored: pa.Table) -> None:
    html = page(collect(scored, Options(note="Non représentatif <b>du tout</b>", texts=False)))
    assert "Non représentatif &lt;b&gt;du tout" in html
    assert html.index("Non représentatif") < html.index('id="headline"')


def test_few_large_cells_are_drawn_alone_and_the_rest_is_counted() -> None:
    rows = made.offers(400)
    for number, row in enumerate(rows):
        row["ai_branch"] = f"Petite {number}" if number < 7 else f"Branche {number % 4}"
    html = page(collect(made.table(rows), Options()))
    assert "7 lignes de moins de 30 offres" in html
    drawn = re.search(r'aria-label="Part des offres demandant l’IA par branche.*?</svg>', html)
    assert drawn is not None
    assert "Branche 3" in drawn[0]
    assert "Petite" not in drawn[0]
    assert "Petite 3" in html


def test_population_and_perimeter_are_said_and_the_unknown_too(scored: pa.Table) -> None:
    html = page(collect(scored, Options(population="cadre", perimeter="opco2i")))
    text = _Page(html).text
    assert "offres de niveau cadre, industrie au sens d’OPCO 2i" in text
    assert "restent en dehors du total" in text


def _without(columns: dict[str, Any], rows: int = 40) -> pa.Table:
    found = [one | columns for one in made.offers(rows)]
    return made.table(found)


def test_nothing_flagged_still_makes_a_page() -> None:
    nothing = {
        "ai_study_status": "none", "ai_strict_status": "none", "ai_themes": "",
        "ai_evidence": "[]", "ai_study": False, "ai_strict": False,
    }  # fmt: skip
    html = page(collect(_without(nothing), Options()))
    text = _Page(html).text
    assert f"0,00{THIN}%" in text
    assert "pas de thème à montrer" in text
    assert "Aucune offre de ce type" in text
    assert "Aucune compétence à montrer" in text


def test_nothing_known_still_makes_a_page() -> None:
    unknown = {
        "ai_branch": "inconnu", "ai_branch_division": "", "ai_region": "inconnu",
        "ai_function": "", "ai_cadre": "inconnu", "ai_period": "", "ai_industry_opco2i": None,
        "ai_industry_insee": None,
    }  # fmt: skip
    text = _Page(page(collect(_without(unknown), Options()))).text
    for said in ("pas de carte", "branche d’aucune offre", "fonction d’aucune offre",
                 "Aucune offre n’a de date", "ne peut être calculée"):  # fmt: skip
        assert said in text


def test_a_single_year_has_no_trend() -> None:
    text = _Page(page(collect(_without({"ai_period": "2024-02"}), Options()))).text
    assert "toutes de 2024" in text
    assert "2024 (1/12)" in text


def test_columns_that_are_missing_leave_their_section_empty() -> None:
    kept = ["id", "title", "description", "ai_study_status", "ai_strict_status"]
    html = page(collect(made.table(made.offers(60)).select(kept), Options()))
    assert re.findall(r'<section id="(\w+)"', html) == SECTIONS
    assert "Aucune compétence à montrer" in html


def test_offers_that_were_not_scored_are_refused() -> None:
    with pytest.raises(InputError, match="aiskills classify"):
        collect(pa.table({"title": ["a"]}), Options())
    with pytest.raises(InputError, match="no offer is left"):
        collect(made.table().slice(0, 0), Options())


def test_a_foreign_column_of_many_values_does_not_swell_the_page() -> None:
    rows = made.offers(3000)
    for number, row in enumerate(rows):
        row["ai_branch"] = f"Branche {number} " + "x" * 500
    html = page(collect(made.table(rows), Options()))
    assert len(html.encode()) < 3_000_000
    assert "x" * 200 not in html


def test_another_model_means_no_error_rates_and_the_page_says_so(html: str) -> None:
    assert "L’erreur n’est pas connue" in html


def test_the_shipped_model_has_its_error_in_the_page() -> None:
    from aiskills.model.folder import find_model

    sha = json.loads((find_model(None) / "meta.json").read_text("utf-8"))["sha256"]
    found = collect(made.table(aiskills_model_sha256=sha), Options())
    assert {one.definition for one in found.errors} == set(Definition)
    one = found.errors[0]
    assert 0 <= one.sensitivity[0] <= one.found / one.true <= one.sensitivity[1] <= 1
    assert "Corrigée des erreurs de classement" in page(found)


def test_compared_with_an_earlier_file(scored: pa.Table, tmp_path: Path) -> None:
    before = tmp_path / "avant <1>.parquet"
    pq.write_table(made.table(made.offers(300), aiskills_model="older"), before)
    found = collect(scored, Options(), previous=before)
    assert found.compared is not None
    assert not found.compared.same_version
    change = next(one for one in found.compared.changes if one.definition == "study")
    assert change.before.offers == 300
    assert change.difference is not None
    assert change.low is not None
    assert change.high is not None
    assert change.low < change.difference < change.high
    html = page(found)
    assert "avant &lt;1&gt;.parquet" in html
    assert "n’ont pas été classés par le même modèle" in html


def test_files_of_text_and_parquet_give_the_same_figures(scored: pa.Table, tmp_path: Path) -> None:
    import pyarrow.csv as pacsv

    pq.write_table(scored, tmp_path / "a.parquet")
    pacsv.write_csv(scored, tmp_path / "a.csv")
    (tmp_path / "a.csv.meta.json").write_text(json.dumps(made.METADATA), "utf-8")
    one, two = (collect([tmp_path / name], Options()) for name in ("a.parquet", "a.csv"))
    assert one.headline.demand == two.headline.demand
    assert one.tables == two.tables
    assert [e.title for e in one.demand] == [e.title for e in two.demand]
    assert two.provenance.scored[0][0] == "a.csv"


def test_the_day_is_that_of_source_date_epoch(
    monkeypatch: pytest.MonkeyPatch, scored: pa.Table
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1739491200")
    assert "Rapport du 14 février 2025" in page(collect(scored, Options()))


def test_a_workbook_has_numbers_and_no_formula(figures: Figures, tmp_path: Path) -> None:
    calamine = pytest.importorskip("python_calamine")
    pytest.importorskip("xlsxwriter")
    from aiskills.report.xlsx import write_workbook

    target = tmp_path / "rapport.xlsx"
    write_workbook(figures, target)
    book = calamine.CalamineWorkbook.from_path(str(target))
    assert book.sheet_names[:3] == ["Lisez-moi", "Ensemble", "Années"]
    assert {"Régions", "Branches", "Thèmes", "Compétences", "Preuves", "Qualité"} <= set(
        book.sheet_names
    )
    whole = book.get_sheet_by_name("Ensemble").to_python()
    share = whole[0].index("Part")
    assert isinstance(whole[1][share], float)
    assert 0 < whole[1][share] < 1
    names = _members(target)
    sheets = [text for name, text in names.items() if name.startswith("xl/worksheets/sheet")]
    assert not any("<f>" in text or "<f " in text or "<hyperlink" in text for text in sheets)
    assert all('state="frozen"' in text for text in sheets)
    assert any(name.startswith("xl/comments") for name in names)
    assert any(made.FORMULA.split("(")[0] in text for text in names.values())
    assert "0.0%" in names["xl/styles.xml"]


def _members(path: Path) -> dict[str, str]:
    import zipfile

    with zipfile.ZipFile(path) as archive:
        return {one: archive.read(one).decode("utf-8", "replace") for one in archive.namelist()}


def test_without_a_browser_the_error_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(browser.VARIABLE, "no-such-browser")
    assert browser.find_browser() is None
    with pytest.raises(OutputError, match=browser.VARIABLE):
        browser.to_pdf("<p>", tmp_path / "a.pdf")


def test_a_browser_that_fails_is_one_clear_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    false = tmp_path / "chromium"
    false.write_text("#!/bin/sh\necho broken display >&2\nexit 3\n", "utf-8")
    false.chmod(0o755)
    monkeypatch.setenv(browser.VARIABLE, str(false))
    with pytest.raises(OutputError, match="broken display"):
        browser.to_png("<p>", tmp_path / "a.png", 10, 10)


@pytest.fixture
def command() -> Any:
    import typer

    from aiskills.cli.report import report

    app = typer.Typer()
    app.command()(report)
    return app


def _run(command: Any, *arguments: str) -> Any:
    return CliRunner().invoke(command, list(arguments))


def test_the_command_writes_a_page(command: Any, scored: pa.Table, tmp_path: Path) -> None:
    pq.write_table(scored, tmp_path / "a.parquet")
    target = tmp_path / "r.html"
    done = _run(command, str(tmp_path / "a.parquet"), "-o", str(target), "--title", "Mon titre")
    assert done.exit_code == 0, done.output
    assert f"written to {target}" in done.stderr
    assert "Mon titre" in target.read_text("utf-8")
    assert {one.name for one in tmp_path.iterdir()} == {"a.parquet", "r.html"}
    again = _run(command, str(tmp_path / "a.parquet"), "-o", str(target))
    assert isinstance(again.exception, AiskillsError)
    assert "--force" in str(again.exception)


def test_the_command_writes_to_standard_output(
    command: Any, scored: pa.Table, tmp_path: Path
) -> None:
    pq.write_table(scored, tmp_path / "a.parquet")
    done = _run(command, str(tmp_path / "a.parquet"), "-o", "-", "--lang", "en", "--no-texts")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("<!doctype html>")
    assert not done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-o", "r.docx"], ".html, .xlsx, .pdf"),
        (["--format", "docx"], "html or xlsx"),
        (["-o", "-", "--format", "xlsx"], "standard output"),
        (["--lang", "de"], "fr or en"),
        (["--definition", "both"], "strict or study"),
        (["--population", "x"], "cadre or all"),
        (["--perimeter", "x"], "opco2i"),
        (["-o", "nowhere/r.html"], "does not exist"),
    ],
)
def test_a_mistake_on_the_command_line_is_said(
    command: Any, arguments: list[str], said: str
) -> None:
    done = _run(command, "a.parquet", *arguments)
    assert isinstance(done.exception, AiskillsError)
    assert said in str(done.exception)


def test_stretch_without_status_is_plain() -> None:
    assert list(stretches("abc", [])) == [Stretch("abc")]
