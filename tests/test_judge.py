"""Judging: what must hold for every offer, and explanations that add up."""

from __future__ import annotations

import math
import random
import subprocess
import sys
from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiskills import Classifier
from aiskills.model import (
    Evidence,
    Judge,
    Judgement,
    Part,
    TrainedModel,
    explain,
    load_model,
    score_of,
)
from aiskills.model.judge import BATCH, MAX_EVIDENCE
from aiskills.phrases import Lexicon
from aiskills.schema import MAX_TEXT_CHARS, STATUS_ORDER, THEMES, Definition, Language, Status, Zone

Offer = tuple[str, str]


@cache
def shipped() -> tuple[Judge, list[str]]:
    lexicon = Lexicon.default()
    return Judge(load_model(), lexicon), sorted({f for t in lexicon.terms for f in t.forms})


PHRASES = (
    "Vous concevez et déployez des modèles de machine learning",
    "Notre client est le leader de l'IoT et de l'intelligence artificielle",
    "Une première expérience en deep learning est un plus",
    "Nos data scientists vous accompagnent",
    "Candidatures triées à l'aide de l'IA",
    "Vous encadrez une équipe de boulangers et gérez les stocks",
    "Big data, Hadoop, Spark et data lake",
    "usine 4.0 et cobots",
    "Vous travaillez du lundi au vendredi",
    "You will build large language models with our team",
    "500 ml d'eau, ingénieur d'affaires (IA), CV",
)
HEADINGS = ("Qui sommes-nous ?", "Vos missions :", "Profil recherché", "Avantages", "Process")
DAMAGE = ("\n", ". ", " ", "<br>", "&nbsp;", "\xad", "\u200b", " 🚀 ", "Ã© ", "</p><p>", "\x1e",
          "(e) ", " - ", "\ud800", "< 3 ans ")  # fmt: skip


@st.composite
def texts(draw: st.DrawFn, most: int = 8) -> str:
    pieces = draw(
        st.lists(
            st.one_of(
                st.sampled_from(PHRASES),
                st.sampled_from(HEADINGS).map(lambda heading: f"\n{heading}\n"),
                st.sampled_from(shipped()[1]),
                st.text(max_size=6),
            ),
            max_size=most,
        )
    )
    return "".join(piece + draw(st.sampled_from(DAMAGE)) for piece in pieces)


offers = st.tuples(texts(most=2), texts())


def weakest_first(status: Status | None) -> int:
    assert status is not None
    return STATUS_ORDER.index(status)


def can_differ(title: str, description: str) -> bool:
    """Whether a term stands in it under which `study` may say another thing than `strict`."""
    reading = shipped()[0].read(title, description)
    return any(match.term.can_differ for match in reading.matches)


def check(judgement: Judgement, title: str, description: str) -> None:
    """All that a judgement promises."""
    if judgement.error:
        assert judgement == Judgement(None, None, None, None, error=judgement.error)
        return
    assert judgement.strict is not None
    assert judgement.study is not None
    assert judgement.strict_score is not None
    assert judgement.study_score is not None
    assert isinstance(judgement.language, Language)
    # study is never weaker than strict, and another only where a term lets it be
    assert weakest_first(judgement.study) >= weakest_first(judgement.strict)
    assert 0 <= judgement.strict_score <= judgement.study_score <= 1
    if not can_differ(title, description):
        assert judgement.study is judgement.strict
        assert judgement.study_score == judgement.strict_score
    # every status is borne out by evidence, and none is above the offer's
    assert len(judgement.evidence) <= MAX_EVIDENCE
    best = max((p.status for p in judgement.evidence), key=weakest_first, default=Status.NONE)
    assert best is judgement.study
    strict = [p.status for p in judgement.evidence if p.definition is Definition.STRICT]
    if len(judgement.evidence) < MAX_EVIDENCE:
        best = max(strict, key=weakest_first, default=Status.NONE)
        assert weakest_first(best) >= weakest_first(judgement.strict)
    for piece in judgement.evidence:
        check_evidence(piece, title, description)
    places = [(piece.field != "title", piece.start) for piece in judgement.evidence]
    assert places == sorted(set(places))
    asked = {piece.theme for piece in judgement.evidence if piece.status is Status.DEMAND}
    if len(judgement.evidence) == MAX_EVIDENCE:  # themes are told from all matches, kept or not
        asked |= set(judgement.themes)
    assert judgement.themes == tuple(theme for theme in THEMES if theme in asked)
    if judgement.study is Status.NONE:
        assert judgement.evidence == ()


def check_evidence(piece: Evidence, title: str, description: str) -> None:
    field = {"title": title, "description": description}[piece.field]
    assert 0 <= piece.start < piece.end <= len(field)
    assert field[piece.start : piece.end] == piece.quote
    assert 0 <= piece.score <= 1
    assert piece.status in (Status.DEMAND, Status.MENTION)
    assert piece.theme in THEMES
    assert (piece.zone is Zone.TITLE) == (piece.field == "title")


@given(offers)
def test_every_judgement_keeps_its_promises(offer: Offer) -> None:
    judge, _ = shipped()
    (judgement,) = judge.judge([offer[0]], [offer[1]])
    check(judgement, *offer)


@pytest.mark.parametrize("zone", HEADINGS)
def test_the_promises_hold_for_plain_offers(judge: Judge, zone: str) -> None:
    """The property above would hold if nothing were ever flagged."""
    statuses = set()
    for phrase in PHRASES:
        for title in ("", "Data scientist", "Boulanger"):
            (judgement,) = judge.judge([title], [f"{zone}\n{phrase}."])
            check(judgement, title, f"{zone}\n{phrase}.")
            statuses |= {judgement.study, judgement.strict}
    assert statuses == set(Status)


def test_a_quote_is_a_slice_though_a_tag_runs_across_the_fields(judge: Judge) -> None:
    title, text = "Ingénieur machine <b", "> learning, deep learning. Vous entraînez des modèles."
    (judgement,) = judge.judge([title], [text])
    check(judgement, title, text)


# --- what cannot be judged ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "text"), [("", ""), (" ", "\n\t"), ("\xa0", "\u2003"), ("\x1e", "")]
)
def test_an_offer_without_text(judge: Judge, title: str, text: str) -> None:
    (judgement,) = judge.judge([title], [text])
    assert judgement.error == "no text: title and description hold no word"
    check(judgement, title, text)


@pytest.mark.parametrize("text", ["<p></p>", "&nbsp;&nbsp;", "\u200b", "\xad", "…", "- !"])
def test_an_offer_without_a_word(judge: Judge, text: str) -> None:
    (judgement,) = judge.judge([""], [text])
    assert judgement.error == "no text: title and description hold no word"


def test_an_offer_that_is_too_long(judge: Judge) -> None:
    long = "machine learning " + "mot " * (MAX_TEXT_CHARS // 4)
    fits, over = long[: MAX_TEXT_CHARS - 1], long[:MAX_TEXT_CHARS]
    first, second = judge.judge(["x", "x"], [fits, over])
    assert first.error == ""
    assert first.strict is not None
    assert second.error == "text of 200,001 characters, over 200,000"
    check(second, "x", over)


def test_errors_leave_the_others_alone(judge: Judge) -> None:
    good = ("Data scientist", "Vous faites du machine learning.")
    alone = judge.judge([good[0]], [good[1]])[0]
    mixed = judge.judge(["", good[0], "", good[0]], ["", good[1], "x" * 200_001, good[1]])
    assert [bool(j.error) for j in mixed] == [True, False, True, False]
    assert mixed[1] == mixed[3] == alone


def test_without_a_term_it_is_none(judge: Judge) -> None:
    (judgement,) = judge.judge(["Boulanger"], ["Vous pétrissez la pâte et cuisez le pain."])
    assert judgement == Judgement(
        Status.NONE, Status.NONE, 0.0, 0.0, language=Language.FR, themes=(), evidence=()
    )


def test_nothing_to_judge(judge: Judge) -> None:
    assert judge.judge([], []) == []


def test_titles_and_descriptions_of_different_number(judge: Judge) -> None:
    with pytest.raises(ValueError, match="2 titles and 1 descriptions"):
        judge.judge(["a", "b"], ["a"])


def test_more_descriptions_than_titles(judge: Judge) -> None:
    with pytest.raises(ValueError, match="0 titles and 1 descriptions"):
        judge.judge([], ["a"])


def test_under_strict_alone_nothing_of_the_wider_sense_counts(judge: Judge) -> None:
    (judgement,) = judge.judge(
        ["Ingénieur IoT"], ["Vous concevez des objets connectés et de l'IIoT, sous Hadoop."]
    )
    assert judgement.study is Status.DEMAND
    assert judgement.strict is Status.NONE
    assert judgement.strict_score == 0
    assert {piece.definition for piece in judgement.evidence} == {Definition.STUDY}
    assert "iot" in judgement.themes


# --- batches and order -------------------------------------------------------------------------


def many(number: int) -> list[Offer]:
    chance = random.Random(11)  # noqa: S311
    forms = shipped()[1]
    result = []
    for _ in range(number):
        parts = chance.choices(PHRASES, k=chance.randint(0, 5)) + chance.choices(forms, k=2)
        chance.shuffle(parts)
        result.append((chance.choice(["", "Data analyst", "Boulanger"]), ". ".join(parts)))
    result[3] = ("", "")
    return result


def judged(judge: Judge, offers: Sequence[Offer]) -> list[Judgement]:
    return judge.judge([title for title, _ in offers], [text for _, text in offers])


def same(one: Judgement, other: Judgement) -> None:
    """Equal, but for what the order of a sum does to the last bits of a score."""
    assert one.strict_score == pytest.approx(other.strict_score, abs=1e-12)
    assert one.study_score == pytest.approx(other.study_score, abs=1e-12)
    for name in ("strict", "study", "themes", "evidence", "language", "error"):
        assert getattr(one, name) == getattr(other, name), name


def test_an_offer_is_judged_alike_alone_and_among_others(judge: Judge) -> None:
    offers = many(2 * BATCH + 5)
    together = judged(judge, offers)
    assert len({j.strict for j in together}) == 4  # demand, mention, none, not judged
    for offer, judgement in zip(offers, together, strict=True):
        same(judged(judge, [offer])[0], judgement)


def test_the_order_of_offers_does_not_matter(judge: Judge) -> None:
    offers = many(BATCH + 20)
    order = list(range(len(offers)))
    random.Random(5).shuffle(order)  # noqa: S311
    together = judged(judge, offers)
    for number, judgement in zip(order, judged(judge, [offers[n] for n in order]), strict=True):
        same(judgement, together[number])


@given(st.lists(offers, max_size=4))
def test_neighbours_do_not_matter(batch: list[Offer]) -> None:
    judge, _ = shipped()
    for offer, judgement in zip(batch, judged(judge, batch), strict=True):
        same(judged(judge, [offer])[0], judgement)


def test_judging_again_gives_the_same(judge: Judge, model: TrainedModel) -> None:
    offers = many(60)
    first = judged(judge, offers)
    assert judged(judge, offers) == first
    assert judged(Judge(model), offers) == first


# --- thresholds --------------------------------------------------------------------------------


def test_thresholds_come_from_the_model(judge: Judge, model: TrainedModel) -> None:
    assert judge.thresholds == model.thresholds


def test_thresholds_can_be_set(model: TrainedModel, lexicon: Lexicon) -> None:
    offers = many(80)
    usual = judged(Judge(model, lexicon), offers)
    never = judged(Judge(model, lexicon, dict.fromkeys(Definition, 1.0)), offers)
    always = judged(Judge(model, lexicon, dict.fromkeys(Definition, 1e-12)), offers)
    one = judged(Judge(model, lexicon, {Definition.STRICT: 1.0}), offers)
    assert {j.study for j in never} <= {Status.NONE, Status.MENTION, None}
    for base, low, high, only, offer in zip(usual, always, never, one, offers, strict=True):
        for judgement in (low, high, only):
            check(judgement, *offer)
            assert (judgement.strict_score, judgement.study_score) == (
                base.strict_score,
                base.study_score,
            )
        if base.study_score:
            assert low.study is Status.DEMAND
        assert only.strict is not Status.DEMAND
        if base.study is Status.DEMAND and can_differ(*offer):
            assert only.study is Status.DEMAND


def test_a_score_at_the_threshold_is_a_demand(model: TrainedModel, lexicon: Lexicon) -> None:
    offer = ("", "Vous aimez le machine learning.")
    score = judged(Judge(model, lexicon), [offer])[0].strict_score
    assert score is not None
    at = Judge(model, lexicon, {Definition.STRICT: score})
    above = Judge(model, lexicon, {Definition.STRICT: float(np.nextafter(score, 1))})
    assert judged(at, [offer])[0].strict is Status.DEMAND
    assert judged(above, [offer])[0].strict is not Status.DEMAND


# --- much evidence -----------------------------------------------------------------------------


def test_at_most_so_much_evidence_is_kept(judge: Judge) -> None:
    text = "Vous développez du machine learning. " * (MAX_EVIDENCE + 15)
    (judgement,) = judge.judge(["Data scientist"], [text])
    assert judgement.strict is Status.DEMAND
    assert len(judgement.evidence) == MAX_EVIDENCE
    check(judgement, "Data scientist", text)


def test_an_offer_of_terms_alone_needs_no_gigabytes() -> None:
    code = (
        "import resource\n"
        "resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))\n"
        "import aiskills\n"
        "print(aiskills.classify_text('IA ' * 66_000).strict)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in set(Status)


def test_themes_do_not_depend_on_how_much_evidence_is_kept(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    themes = [
        "Vous développez en machine learning, deep learning, computer vision et NLP.",
        "Vous concevez des objets connectés, du big data, de la RPA et des cobots.",
    ]
    text = "Vous développez des modèles de machine learning. " * 30 + "\n".join(themes)
    (few,) = judge.judge(["Data scientist"], [text])
    monkeypatch.setattr("aiskills.model.judge.MAX_EVIDENCE", 1000)
    (all_of_it,) = judge.judge(["Data scientist"], [text])
    assert len(all_of_it.evidence) > MAX_EVIDENCE
    assert few.themes == all_of_it.themes


# --- explanations ------------------------------------------------------------------------------


def total(parts: Sequence[Part]) -> float:
    return math.fsum(part.log_odds for part in parts)


def log_odds(score: float) -> float:
    return math.log(score / (1 - score))


def check_explanation(judge: Judge, title: str, text: str) -> None:
    told = explain(judge, title, text)
    judgement = told.judgement
    assert judgement == judge.judge([title], [text])[0]
    assert (told.title, told.description) == (title, text)
    assert told.thresholds == judge.thresholds
    assert len(told.matches) == len(judgement.evidence)
    for definition in Definition:
        score = getattr(judgement, f"{definition}_score")
        parts = told.parts.get(definition, ())
        if not parts:
            assert score in (0.0, None)
            assert score_of(parts) == 0.0
            continue
        assert score_of(parts) == pytest.approx(score, abs=1e-9)
        if abs(total(parts)) < 14:
            assert total(parts) == pytest.approx(log_odds(score), abs=1e-6)
        assert [abs(p.log_odds) for p in parts] == sorted(
            (abs(p.log_odds) for p in parts), reverse=True
        )
        assert sum(part.name.startswith("start") for part in parts) == 1
    if judgement.evidence:
        reading = judge.read(title, text)
        scored = judge.score([reading])
        exact = dict(
            zip(map(reading.field_span, reading.matches), scored.matches[:, 2], strict=True)
        )
        for piece, parts in zip(judgement.evidence, told.matches, strict=True):
            score = float(exact[piece.field, piece.start, piece.end])
            assert piece.score == pytest.approx(score, abs=5.1e-5)  # rounded to 4 decimals
            assert score_of(parts) == pytest.approx(score, abs=1e-9)
            if abs(total(parts)) < 14:
                assert total(parts) == pytest.approx(log_odds(score), abs=1e-6)


@given(offers)
def test_the_parts_sum_to_the_score(offer: Offer) -> None:
    check_explanation(shipped()[0], *offer)


@pytest.mark.parametrize("phrase", PHRASES)
@pytest.mark.parametrize("title", ["", "Data scientist", "Ingénieur IoT"])
def test_the_parts_sum_to_the_score_of_plain_offers(judge: Judge, phrase: str, title: str) -> None:
    check_explanation(judge, title, f"Vos missions : {phrase}. Profil : {phrase}.")


def test_explanations_of_what_has_no_parts(judge: Judge) -> None:
    for title, text in (("", ""), ("Boulanger", "Du pain."), ("", "x" * 200_001)):
        told = explain(judge, title, text)
        assert (told.parts, told.matches) == ({}, ())


def test_a_study_score_raised_to_the_strict_one_has_its_parts(judge: Judge) -> None:
    raised = 0
    for title, text in many(200):
        told = explain(judge, title, text)
        parts = [told.parts.get(definition, ()) for definition in Definition]
        if parts[0] and parts[0] == parts[1]:
            raised += 1
            assert told.judgement.strict_score == told.judgement.study_score
    assert raised


def test_parts_have_names_for_people(classifier: Classifier) -> None:
    told = classifier.explain("Vous entraînez des réseaux de neurones.", "Data scientist")
    names = [part.name for parts in (*told.parts.values(), *told.matches) for part in parts]
    assert any("reseau" in name or "neurone" in name or "scientist" in name for name in names)
    assert all(name.strip() == name != "" for name in names)
