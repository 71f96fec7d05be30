"""The simulated stream: the same for a seed, true to its parameters, written in its own words."""

from __future__ import annotations

import csv
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from aiskills.cli import simulate as command
from aiskills.errors import AiskillsError, InputError, UsageError
from aiskills.files import find_fields, open_offers
from aiskills.schema import STATUS_ORDER, THEMES
from aiskills.simulate import TRUTH_COLUMNS, Parameters, read_parameters, simulate, targets
from aiskills.simulate.fields import OFFER_COLUMNS
from aiskills.simulate.pools import Pools, choose, systematic
from aiskills.simulate.stock import expanded, read_csv, read_toml, texts
from aiskills.simulate.targets import ELSEWHERE, INDUSTRY, MONTHS

ROOT = Path(__file__).parent.parent
RUN = 7  # words in a row that may not be shared with other written material
Rows = list[dict[str, Any]]


def _stream(offers: int, **options: Any) -> tuple[pa.Table, pa.Table]:
    chunks = list(simulate(offers, **options))
    truth = pa.concat_tables([chunk.truth for chunk in chunks])
    found = [chunk.offers for chunk in chunks if chunk.offers is not None]
    return (pa.concat_tables(found) if found else pa.table({})), truth


@pytest.fixture(scope="module")
def stream() -> tuple[Rows, Rows]:
    """12,000 offers and their truth."""
    offers, truth = _stream(12_000, seed=5)
    return offers.to_pylist(), truth.to_pylist()


@pytest.fixture(scope="module")
def dense() -> tuple[Rows, Rows]:
    """6,000 offers, nearly a third of which are about AI."""
    parameters = read_parameters().with_numbers({"shares.industry": 0.4, "shares.all": 0.35})
    offers, truth = _stream(6_000, seed=2, parameters=parameters)
    return offers.to_pylist(), truth.to_pylist()


# The same for a seed


def test_a_seed_gives_the_same_rows_whatever_the_chunks() -> None:
    whole = _stream(23_000, seed=3, chunk_rows=50_000)
    for rows in (997, 10_000):
        parts = _stream(23_000, seed=3, chunk_rows=rows)
        assert parts[0].equals(whole[0])
        assert parts[1].equals(whole[1])


def test_a_shorter_stream_is_the_beginning_of_a_longer_one() -> None:
    long, short = _stream(14_000, seed=3), _stream(9_001, seed=3)
    assert short[0].equals(long[0].slice(0, 9_001))
    assert short[1].equals(long[1].slice(0, 9_001))


def test_truth_without_text_is_the_same_truth() -> None:
    with_text, without = _stream(11_000, seed=4)[1], _stream(11_000, seed=4, with_text=False)
    assert without[0].num_columns == 0
    assert without[1].drop(["true_evidence"]).equals(with_text.drop(["true_evidence"]))


def test_seeds_differ() -> None:
    one, other = _stream(500, seed=0)[0], _stream(500, seed=1)[0]
    assert one["description"] != other["description"]
    assert one["id"] != other["id"]


def test_chunks_have_the_rows_asked_for() -> None:
    assert [len(c.truth) for c in simulate(2_500, chunk_rows=1_000)] == [1_000, 1_000, 500]


# True to its parameters

DENSE = {"shares.industry": 0.3, "shares.all": 0.22, "growth.industry": -0.2, "shares.rise": 1.3}


@pytest.fixture(scope="module", params=["default", "dense"])
def drawn(request: pytest.FixtureRequest) -> tuple[Parameters, Rows]:
    """50,000 offers without their reposts, under the default parameters and with more AI."""
    parameters = read_parameters()
    if request.param == "dense":
        parameters = parameters.with_numbers(DENSE)
    truth = _stream(50_000, seed=8, parameters=parameters, with_text=False)[1].to_pylist()
    return parameters, [row for row in truth if not row["true_duplicate_of"]]


def _near(hits: int, rows: int, expected: float) -> None:
    """Within 4.5 standard errors of the part expected: one test in 100,000 errs by chance."""
    error = math.sqrt(max(expected * (1 - expected), 1e-9) / rows)
    assert abs(hits / rows - expected) <= 4.5 * error + 0.5 / rows, (hits, rows, expected)


def _is_ai(row: dict[str, Any]) -> bool:
    return bool(row["true_study_status"] != "none")


def _part(rows: Iterable[Any], parts: dict[str, float]) -> None:
    """The rows' values occur as the parts say."""
    counts = Counter(rows)
    assert set(counts) <= set(parts)
    for name, part in parts.items():
        _near(counts[name], counts.total(), part)


def test_shares_by_year(drawn: tuple[Parameters, Rows]) -> None:
    parameters, rows = drawn
    expected = targets(parameters)
    for group in (ELSEWHERE, INDUSTRY):
        for year in range(2019, 2025):
            last = f"{year}-06" if year == 2024 else f"{year}-12"
            chosen = [
                row
                for row in rows
                if row["true_cadre"] == "cadre"
                and row["true_industry"] == (group == INDUSTRY)
                and row["true_month"][:4] == str(year)
            ]
            share = expected.ai_share(f"{year}-01", last, group)
            _near(sum(map(_is_ai, chosen)), len(chosen), share)


def test_volumes(drawn: tuple[Parameters, Rows]) -> None:
    parameters, rows = drawn
    volume = targets(parameters).volume
    for n in range(0, len(MONTHS), 7):
        _near(sum(r["true_month"] == MONTHS[n] for r in rows), len(rows), float(volume[n].sum()))
    _near(sum(r["true_industry"] for r in rows), len(rows), float(volume[:, INDUSTRY].sum()))
    cadre = sum(r["true_cadre"] == "cadre" for r in rows)
    _near(cadre, len(rows), parameters.number("cadre.part"))


def test_branches_regions_and_functions(drawn: tuple[Parameters, Rows]) -> None:
    parameters, rows = drawn
    for ai in (False, True):
        suffix = "_ai" if ai else ""
        industry = [r for r in rows if r["true_industry"] and _is_ai(r) == ai]
        elsewhere = [r for r in rows if not r["true_industry"] and _is_ai(r) == ai]
        branches = parameters.table("branches.ai" if ai else "branches.other")
        _part((r["true_branch"] for r in industry), branches)
        for name, chosen in (("industry", industry), ("elsewhere", elsewhere)):
            regions = parameters.table(f"regions.{name}{suffix}")
            _part((r["true_region"][:2] for r in chosen), regions)
            cadres = [r["true_function"] for r in chosen if r["true_cadre"] == "cadre"]
            _part(cadres, parameters.table(f"functions.{name}{suffix}"))


def test_themes_and_statuses(drawn: tuple[Parameters, Rows]) -> None:
    parameters, rows = drawn
    for name, industry in (("industry", True), ("elsewhere", False)):
        ai = [r for r in rows if _is_ai(r) and r["true_industry"] == industry]
        counts = Counter(theme for r in ai for theme in r["true_themes_named"].split("|"))
        for theme, part in parameters.table(f"themes.{name}").items():
            # Volumes differ by cadre status and month: a theme that begins late varies a little.
            _near(counts[theme], len(ai), part)
        _near(sum(r["true_study"] for r in ai), len(ai), parameters.number("status.demand"))
    early = [r for r in rows if r["true_month"] < "2022-12"]
    assert not any("ia_generative" in r["true_themes_named"] for r in early)


def test_reposts_have_their_part() -> None:
    truth = _stream(60_000, seed=8, with_text=False)[1]
    repeated = [value != "" for value in truth["true_duplicate_of"].to_pylist()]
    # The stream begins with offers that nothing stands before.
    _near(sum(repeated[20_000:]), 40_000, 0.08)


@pytest.mark.parametrize(
    ("share", "everywhere", "growth", "elsewhere"),
    [(0.03, 0.022, 0.56, 0.13), (0.005, 0.01, 2.0, -0.3), (0.1, 0.06, -0.3, 0.5)],
)
def test_targets_are_what_was_asked_for(
    share: float, everywhere: float, growth: float, elsewhere: float
) -> None:
    parameters = read_parameters().with_numbers(
        {
            "shares.industry": share,
            "shares.all": everywhere,
            "growth.industry": growth,
            "growth.elsewhere": elsewhere,
        }
    )
    found = targets(parameters)
    assert found.ai_share("2024-01", "2024-06", INDUSTRY) == pytest.approx(share)
    assert found.ai_share("2024-01", "2024-06") == pytest.approx(everywhere)
    assert found.growth(INDUSTRY) == pytest.approx(growth)
    assert found.growth(ELSEWHERE) == pytest.approx(elsewhere)
    assert found.volume.sum() == pytest.approx(1)


def test_the_default_parameters_are_the_published_figures() -> None:
    parameters = read_parameters()
    found = targets(parameters)
    assert found.ai_share("2024-01", "2024-06", INDUSTRY) == pytest.approx(0.03)
    assert found.ai_share("2024-01", "2024-06") == pytest.approx(0.022)
    assert (found.growth(INDUSTRY), found.growth(ELSEWHERE)) == pytest.approx((0.56, 0.13))
    assert parameters.table("branches.ai")["Métallurgie"] == 0.80
    functions = parameters.table("functions.industry_ai")
    published = ("Informatique", "Études, R&D", "Commercial, marketing")
    assert [functions[name] for name in published] == [0.31, 0.26, 0.16]
    themes = parameters.table("themes.industry")
    assert (themes["iot"], themes["ia_generative"]) == (0.60, 0.02)
    regions = parameters.table("regions.industry_ai")
    assert sorted(regions, key=lambda code: -regions[code])[:3] == ["11", "84", "76"]


# Truth


def test_truth_columns_are_those_documented(stream: tuple[Rows, Rows]) -> None:
    offers, truth = stream
    assert tuple(offers[0]) == OFFER_COLUMNS
    assert tuple(truth[0]) == tuple(TRUTH_COLUMNS)
    assert not any(name.startswith("true_") for name in offers[0])
    assert [o["id"] for o in offers] == [t["id"] for t in truth]


def test_truth_is_consistent(dense: tuple[Rows, Rows]) -> None:
    order = [str(status) for status in STATUS_ORDER]
    study_only = {"big_data", "iot", "industrie_du_futur", "robotique", "rpa"}
    seen = set()
    for row in dense[1]:
        study, strict = row["true_study_status"], row["true_strict_status"]
        seen.add((study, strict))
        assert order.index(study) >= order.index(strict)
        assert row["true_study"] == (study == "demand")
        assert row["true_strict"] == (strict == "demand")
        asked = set(filter(None, row["true_themes"].split("|")))
        named = set(filter(None, row["true_themes_named"].split("|")))
        assert asked <= named <= set(THEMES)
        assert bool(asked) == (study == "demand")
        assert bool(named) == (study != "none")
        assert bool(asked - study_only) == (strict == "demand")
        assert bool(named - study_only) == (strict != "none")
        assert row["true_industry"] == (row["true_branch"] != "hors OPCO 2i")
    assert len(seen) == 6  # every pair that is possible


def test_evidence_stands_in_the_text(dense: tuple[Rows, Rows]) -> None:
    found = 0
    for offer, row in zip(*dense, strict=True):
        assert bool(row["true_evidence"]) == _is_ai(row)
        text = f"{offer['intitule']}\n{offer['description']}"
        for words in filter(None, row["true_evidence"].split("|")):
            assert words in text
            found += 1
    assert found > 2_000


def test_reposts_follow_what_they_repeat(stream: tuple[Rows, Rows]) -> None:
    offers, truth = stream
    first = {t["id"]: n for n, t in enumerate(truth) if not t["true_duplicate_of"]}
    kinds: Counter[str] = Counter()
    fixed = [n for n in TRUTH_COLUMNS if n not in {"id", "true_month", "true_duplicate_of"}]
    for n, row in enumerate(truth):
        if not row["true_duplicate_of"]:
            continue
        origin = first[row["true_duplicate_of"]]
        assert origin < n
        assert row["true_month"] >= truth[origin]["true_month"]
        assert [row[name] for name in fixed] == [truth[origin][name] for name in fixed]
        same = offers[n]["description"] == offers[origin]["description"]
        if row["id"] == row["true_duplicate_of"]:
            assert same
            kinds["id"] += 1
        else:
            assert row["id"] not in first
            kinds["exact" if same else "near"] += 1
            if not same:
                ours, theirs = (set(offers[k]["description"].split()) for k in (n, origin))
                assert len(ours & theirs) / len(ours | theirs) > 0.5
    assert all(kinds[kind] > 100 for kind in ("id", "exact", "near"))


def test_an_agency_hides_its_client(stream: tuple[Rows, Rows]) -> None:
    hidden = 0
    for offer, row in zip(*stream, strict=True):
        if offer["entreprise_nom"] != row["true_employer"]:
            hidden += 1
            assert row["true_employer"] not in offer["description"]
    assert hidden > 2_000


# The file


def test_gaps_and_forms_are_those_of_real_files(stream: tuple[Rows, Rows]) -> None:
    offers, truth = stream
    for column, part in (("codeNAF", 0.45), ("romeCode", 0.35), ("qualificationLibelle", 0.45)):
        missing = sum(offer[column] == "" for offer in offers)
        assert abs(missing / len(offers) - part) < 0.02
    dates = {re.sub(r"[a-zéû]+", "a", re.sub(r"\d+", "0", o["dateCreation"])) for o in offers}
    assert dates >= {"0-0-0T0:0:0.0Z", "0/0/0", "0-0-0", "0 a 0", "0", ""}
    nafs = {re.sub(r"\d", "0", offer["codeNAF"])[:-1] for offer in offers if offer["codeNAF"]}
    assert nafs == {"00.00", "0000"}
    codes = {offer["codeNAF"].replace(".", "")[:2] for offer in offers}
    assert codes >= {"78", "70", "30", "62"}  # agencies, head offices, industry, services
    described = [offer["description"] for offer in offers]
    for sign in ("<li>", "</p>", "&eacute;", "Ã©", "…", "\n- ", "\n• "):
        assert any(sign in text for text in described), sign
    assert all(text.strip() for text in described)
    assert {row["true_language"] for row in truth} == {"fr", "en"}
    by_firm = Counter(row["true_employer"] for row in truth).most_common()
    assert by_firm[0][1] > 20 * by_firm[len(by_firm) // 2][1]  # few large, many small


def test_no_placeholder_is_left(stream: tuple[Rows, Rows]) -> None:
    for offer in stream[0]:
        text = f"{offer['intitule']}\n{offer['description']}"
        assert not re.search(r"[{}\[\]*|]", text), text


def test_the_layout_is_recognised_without_options(tmp_path: Path) -> None:
    fields = find_fields(list(OFFER_COLUMNS), None, None)
    wanted = {
        "id": "id",
        "title": "intitule",
        "description": "description",
        "date": "dateCreation",
        "company": "entreprise_nom",
        "naf": "codeNAF",
        "sector_label": "secteurActiviteLibelle",
        "rome": "romeCode",
        "location": "lieuTravail_libelle",
        "postcode": "lieuTravail_codePostal",
        "qualification": "qualificationLibelle",
        "contract": "typeContrat",
        "experience": "experienceLibelle",
        "source": "source",
    }
    assert {name: fields.paths[name][0] for name in wanted} == wanted
    offers = _stream(300, seed=1)[0]
    pq.write_table(offers, tmp_path / "offers.parquet")
    with open_offers([str(tmp_path / "offers.parquet")]) as found:
        (chunk,) = list(found)
    assert chunk.fields.extract(chunk.table, "title").to_pylist() == offers["intitule"].to_pylist()


# The stock of texts


def _fragments() -> Iterator[tuple[str, str]]:
    """Every text of the stock, with the file it stands in."""

    def inside(value: Any) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        elif value is not None:
            for one in value.values() if isinstance(value, dict) else value:
                yield from inside(one)

    for name in ("demands", "mentions", "lookalikes", "missions", "profiles", "around"):
        for text in inside(read_toml(name)):
            yield name, text
    for sector in read_toml("sectors")["sector"]:
        for text in sector["texts"]:
            yield "sectors", text
    for row in read_csv("titles"):
        yield "titles", row["title"]


def test_the_stock_is_rich() -> None:
    found = set(_fragments())
    assert len({text for _, text in found}) >= 1_200
    demands = read_toml("demands")
    counts = {t: sum(len(x) for z in demands[t].values() for x in z.values()) for t in THEMES}
    assert sum(counts.values()) >= 250
    assert min(counts.values()) >= 10
    assert sum(1 for name, _ in found if name == "mentions") >= 80
    assert set(texts().sources) <= {text + end for _, text in found for end in ("", ".")} | set(
        _cut_tails()
    )


def _cut_tails() -> Iterator[str]:
    for text in read_toml("profiles")["any"]["texts"]:
        whole = expanded(text)[0]
        yield whole[: 10 + len(whole) // 2] + "…"


def test_texts_on_ai_mark_what_decides() -> None:
    for name, text in _fragments():
        assert ("*" in text) == (name in {"demands", "mentions"}) or name == "lookalikes"


_AI = re.compile(
    r"\bIA\b|\bAI\b|intelligence artificielle|artificial intelligence|machine learning|deep|"
    r"data scien|réseaux? de neurones|apprentissage|\bIoT\b|connectée?s?\b|internet des objets|"
    r"big data|spark|hadoop|data lake|4\.0|usine du futur|industrie du futur|jumeau|jumeaux|"
    r"prédicti|prévisionnel|cobot|\bAGV\b|\bAMR\b|\bRPA\b|chatbot|GPT|copilot|\bLLM\b|\bNLP\b|"
    r"vision par ordinateur|computer vision|reconnaissance d'images",
    re.IGNORECASE,
)


def test_other_texts_name_no_ai() -> None:
    for name, text in _fragments():
        if name not in {"demands", "mentions", "lookalikes"}:
            assert not _AI.search(text), text
    for texts_ in read_toml("lookalikes")["negatives"].values():
        assert not any(_AI.search(text) for text in texts_)


def _runs(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"[a-zà-ÿœ0-9]+", text.lower())
    return {tuple(words[n : n + RUN]) for n in range(len(words) - RUN + 1)}


def test_the_stock_shares_nothing_with_training_and_samples() -> None:
    ours = {run for _, text in _fragments() for w in expanded(text) for run in _runs(w)}
    assert len(ours) > 3_000
    others = []
    for path in sorted((ROOT / "data/training").glob("*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            record = json.loads(line)
            others.append(f"{record['title']}\n{record['description']}")
    with (ROOT / "data/samples/offers.csv").open(encoding="utf-8", newline="") as file:
        others += [f"{row['title']}\n{row['description']}" for row in csv.DictReader(file)]
    assert len(others) > 700
    shared = {run for text in others for run in _runs(text)} & ours
    assert not shared


def test_codes_of_the_stock_exist() -> None:
    def read(name: str, column: str) -> set[str]:
        path = ROOT / "src/aiskills/data" / name
        lines = [x for x in path.read_text("utf-8").splitlines() if not x.startswith("#")]
        return {row[column] for row in csv.DictReader(lines, delimiter=";")}

    sectors = read_toml("sectors")["sector"]
    assert {s["branch"] for s in sectors} == {*read("branches.csv", "name"), "hors OPCO 2i"}
    assert {code for s in sectors for code in s["naf"]} <= read("naf_branch.csv", "naf")
    assert {row["rome"] for row in read_csv("titles")} <= read("rome_cadre.csv", "rome")
    topics = {row["topic"] for row in read_csv("titles")} - {"00"}
    assert topics <= read("functions.csv", "code")


# Drawing


def test_systematic_sampling_keeps_each_probability() -> None:
    given = np.tile([0.6, 0.3, 0.25, 0.1], (100_000, 1))
    drawn_ = systematic(given, np.random.default_rng(0).random(100_000), 3)
    assert drawn_.mean(axis=0) == pytest.approx([0.6, 0.3, 0.25, 0.1], abs=0.007)
    assert set(drawn_.sum(axis=1).tolist()) == {1, 2}


def test_pools_draw_all_members_alike_and_none_twice() -> None:
    pools = Pools.of([[5, 6, 7], [], [9]])
    rng = np.random.default_rng(0)
    keys = np.zeros(30_000, dtype=np.int64)
    members, rest = pools.draw(keys, rng.random(30_000))
    assert np.bincount(members)[5:] / 30_000 == pytest.approx([1 / 3] * 3, abs=0.015)
    assert 0 <= rest.min() <= rest.max() < 1
    assert pools.draw(np.array([1, 2]), np.array([0.5, 0.9]))[0].tolist() == [-1, 9]
    several = pools.draw_several(np.array([0, 1, 2]), rng.random((3, 3)), 3)
    assert sorted(several[0]) == [5, 6, 7]
    assert several[1:].tolist() == [[-1, -1, -1], [9, -1, -1]]


def test_a_category_of_no_weight_is_never_chosen() -> None:
    u = np.linspace(0, 1, 1_000, endpoint=False)
    found = choose(np.array([[0.0, 0.7, 0.0, 0.3]]), np.zeros(1_000, dtype=np.int64), u)
    assert np.bincount(found, minlength=4).tolist() == [0, 700, 0, 300]


# Parameters


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[share]\nindustry = 0.1", "share is no parameter"),
        ("[shares]\nindustrie = 0.1", "Did you mean industry?"),
        ("[shares]\nindustry = 3", "expected a number from 0 to 1"),
        ("[shares]\nindustry = 'much'", "expected a number"),
        ("shares = 1", "expected a section [shares]"),
        ("[functions]\nindustry = 1", "expected a table"),
        ("[functions.industry]\nInformatique = 0.5", "add up to 0.5; expected 1"),
        ("[themes.industry]\niot = 0.5", "expected 1 to 3"),
        ("[themes.industry]\nblockchain = 1", "blockchain is no parameter"),
        ("[themes.since]\niot = '2030-01'", "expected a month from 2019-01 to 2024-06"),
        ("[themes.since]\niot = '2023-01'", "expected at most 1"),
        ("[themes.since]\niot = '2020-01'", "the themes add up to 0.6"),
        ("[volume]\nseason = [1, 2]", "expected 12 numbers"),
        ("[volume.industry]\n2025 = 1", "2025 is no parameter"),
        ("[regions.industry]\n99 = 1", "99 is unknown"),
        ("[branches.ai]\nMétallurgie = 1", "is not TOML"),
        ("[functions.industry]\n'-' = 1", "there is no title for -"),
        ("[shares]\nall = 0.0001", "expected shares.industry, shares.all"),
        ("[shares", "is not TOML"),
    ],
)
def test_wrong_parameters_are_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(AiskillsError, match=re.escape(said)):
        simulate(10, parameters=read_parameters(path))


def test_a_users_file_replaces_what_it_names(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        "[missing]\nnaf = 0\n[branches.other]\nChimie = 1\n[volume.industry]\n2020 = 3\n",
        encoding="utf-8",
    )
    parameters = read_parameters(path)
    assert parameters.table("branches.other") == {"Chimie": 1.0}
    assert parameters.table("branches.ai")["Métallurgie"] == 0.80
    assert parameters.table("volume.industry")["2021"] == 0.92
    offers, truth = _stream(2_000, parameters=parameters)
    assert "" not in offers["codeNAF"].to_pylist()
    plain = {r["true_branch"] for r in truth.to_pylist() if r["true_industry"] and not _is_ai(r)}
    assert plain == {"Chimie"}


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.toml cannot be read"):
        read_parameters(tmp_path / "nowhere.toml")


@pytest.mark.parametrize("wrong", [{"offers": 0}, {"seed": -1}, {"chunk_rows": 0}])
def test_wrong_numbers_are_usage_errors(wrong: dict[str, Any]) -> None:
    options: dict[str, Any] = {"offers": 10, **wrong}
    with pytest.raises(UsageError, match=next(iter(wrong))):
        simulate(**options)


# The command


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs the command inside an empty folder; errors end as the command line ends them."""
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    app.command()(command.simulate)

    def call(*arguments: object) -> Done:
        done = CliRunner().invoke(app, [str(one) for one in arguments])
        if isinstance(done.exception, AiskillsError):
            return Done(done.exception.exit_code, done.stdout, f"{done.stderr}{done.exception}")
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Done(done.exit_code, done.stdout, done.stderr)

    return call


def test_the_command_writes_offers_and_truth(run: Run, tmp_path: Path) -> None:
    done = run("-n", 400, "--seed", 9, "-o", "offers.csv", "--truth", "truth.parquet")
    assert (done.code, done.out) == (0, "")
    assert done.err == "400 simulated offers, seed 9: offers.csv, truth in truth.parquet\n"
    with (tmp_path / "offers.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    offers, truth = _stream(400, seed=9)
    assert [row["description"] for row in rows] == offers["description"].to_pylist()
    written = pq.read_table(tmp_path / "truth.parquet")
    assert written.replace_schema_metadata().equals(truth)
    metadata = written.schema.metadata
    assert metadata[b"aiskills_simulate_seed"] == b"9"
    assert json.loads(metadata[b"aiskills_simulate_parameters"])["shares"]["industry"] == 0.03


def test_options_change_the_truth(run: Run, tmp_path: Path) -> None:
    options = ("--share-industry", 0.2, "--share-all", 0.2, "--growth-industry", 0, "-q")
    done = run("-n", 3000, "-o", "o.parquet", "--truth", "t.parquet", *options)
    assert (done.code, done.err) == (0, "")
    truth = pq.read_table(tmp_path / "t.parquet").to_pylist()
    late = [r for r in truth if r["true_month"] >= "2024" and r["true_cadre"] == "cadre"]
    _near(sum(map(_is_ai, late)), len(late), 0.2)


def test_stdout_takes_csv(run: Run) -> None:
    done = run("-n", 5, "-o", "-")
    assert done.code == 0
    assert done.out.splitlines()[0] == ",".join(OFFER_COLUMNS)


def test_mistakes_are_told_and_leave_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "there.csv").write_text("mine")
    (tmp_path / "p.toml").write_text("[shares]\nindustry = 7")
    for code, said, arguments in (
        (2, "is the offers' file too", ("-o", "a.csv", "--truth", "./a.csv")),
        (1, "there.csv exists", ("-o", "there.csv")),
        (1, "there.csv exists", ("-o", "a.csv", "--truth", "there.csv")),
        (2, "p.toml: shares.industry = 7", ("-o", "a.csv", "--parameters", "p.toml")),
        (1, "q.toml cannot be read", ("-o", "a.csv", "--parameters", "q.toml")),
        (2, "shares.industry = 2.0", ("-o", "a.csv", "--share-industry", 2)),
        (2, "tells no format", ("-o", "a.unknown")),
        (2, "'--output'", ("-n", 5)),
        (2, "'--offers'", ("-n", 0, "-o", "a.csv")),
    ):
        done = run("-n", 20, *arguments)
        assert done.code == code, done
        assert said in re.sub(r"[\s│]+", " ", done.err), done
        assert sorted(path.name for path in tmp_path.iterdir()) == ["p.toml", "there.csv"]
    assert (tmp_path / "there.csv").read_text() == "mine"
