"""The spaCy component: what the judge says, on tokens, wherever spaCy takes a document."""

from __future__ import annotations

import csv
import doctest
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy import displacy
from spacy.tokens import Doc, DocBin
from spacy.util import load_model_from_config

import aiskills.spacy_component
from aiskills import AiskillsError, Classifier
from aiskills.errors import LexiconError, ModelError, UsageError
from aiskills.model import Judge, Judgement, load_model, save_model
from aiskills.schema import Status, Zone
from aiskills.spacy_component import MAX_TITLE_CHARS, NAME, AiSkills

SAMPLES = Path(__file__).resolve().parents[1] / "data" / "samples" / "offers.csv"
TEXT = (
    "Notre client fait de l'IA depuis dix ans.\n"
    "Vous maîtrisez le machine learning et utilisez TensorFlow."
)


def pipeline(language: str = "xx", **config: Any) -> Any:
    nlp = spacy.blank(language)
    nlp.add_pipe(NAME, config=config)
    return nlp


@pytest.fixture(scope="module")
def nlp() -> Any:
    return pipeline()


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with SAMPLES.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))[:60]


def spans(doc: Any, key: str = NAME) -> list[tuple[str, ...]]:
    return [(s.text, s.label_, s.kb_id_, s.id_) for s in doc.spans[key]]


# --- one document ------------------------------------------------------------------------------


def test_spans_and_judgement(nlp: Any, classifier: Classifier) -> None:
    doc = nlp(TEXT)
    judgement = doc._.ai_skills
    assert judgement == classifier.classify_text(TEXT)
    assert isinstance(judgement, Judgement)
    assert judgement.strict is Status.DEMAND
    assert [about for _, *about in spans(doc)] == [
        [piece.status, piece.term, piece.theme] for piece in judgement.evidence
    ]
    quoted = [piece.quote for piece in judgement.evidence]
    assert quoted == ["IA", "machine learning", "TensorFlow"]
    # This pipeline's tokens do not part "l'" from what follows.
    assert [text for text, *_ in spans(doc)] == ["l'IA", "machine learning", "TensorFlow"]
    attributes = doc.spans[NAME].attrs
    assert attributes["scores"] == [piece.score for piece in judgement.evidence]
    assert attributes["model"] == load_model().version
    assert attributes["lexicon"] == classifier.lexicon.version


@pytest.mark.parametrize("language", ["fr", "en", "de", "xx"])
def test_any_language_of_pipeline(language: str, classifier: Classifier) -> None:
    doc = pipeline(language)(TEXT)
    assert doc._.ai_skills == classifier.classify_text(TEXT)
    assert len(doc.spans[NAME]) == len(doc._.ai_skills.evidence) > 0


def test_a_span_covers_the_tokens_that_the_quote_touches(nlp: Any) -> None:
    doc = nlp("Vous développez l'<b>IA</b>générative et le machine-learning/NLP de demain.")
    assert doc._.ai_skills.evidence
    for span, piece in zip(doc.spans[NAME], doc._.ai_skills.evidence, strict=True):
        assert span.start_char <= piece.start < piece.end <= span.end_char
        assert span[0].idx + len(span[0]) > piece.start
        assert span[-1].idx < piece.end


@pytest.mark.parametrize("text", ["", "   \n\n ", "…"])
def test_a_document_without_text(nlp: Any, text: str) -> None:
    doc = nlp(text)
    assert doc._.ai_skills.error
    assert doc._.ai_skills.strict is None
    assert spans(doc) == []


def test_a_document_without_ai(nlp: Any) -> None:
    doc = nlp("Vous cuisez le pain et tenez la boutique.")
    assert doc._.ai_skills.strict is Status.NONE
    assert spans(doc) == []


def test_a_document_that_the_component_did_not_see() -> None:
    assert spacy.blank("xx")("Machine learning.")._.ai_skills is None


def test_damaged_texts_keep_their_offsets(nlp: Any) -> None:
    for text in (
        "<p>Mod&egrave;les de <strong>machine</strong> learning &amp; IA</p>",
        "DÃ©veloppement de rÃ©seaux de neurones \U0001f916 et d'IA gÃ©nÃ©rative",
        "\u200bE\u0301tude de l'intelligence\u00a0artificielle\r\net du deep\u00adlearning",
    ):
        doc = nlp(text)
        assert doc._.ai_skills.evidence, text
        for span, piece in zip(doc.spans[NAME], doc._.ai_skills.evidence, strict=True):
            assert text[piece.start : piece.end] == piece.quote
            assert piece.quote in span.text


# --- titles ------------------------------------------------------------------------------------


def test_the_first_line_as_title(judge: Judge, rows: list[dict[str, str]]) -> None:
    nlp = pipeline(title="first_line")
    docs = list(nlp.pipe(f"{row['title']}\n{row['description']}" for row in rows))
    expected = judge.judge([r["title"] for r in rows], [r["description"] for r in rows])
    assert [doc._.ai_skills for doc in docs] == expected
    in_title = 0
    for doc, judgement in zip(docs, expected, strict=True):
        for span, piece in zip(doc.spans[NAME], judgement.evidence, strict=True):
            assert piece.quote in span.text
            if piece.field == "title":
                in_title += 1
                assert "\n" not in doc.text[: span.start_char]
            else:
                assert "\n" in doc.text[: span.start_char]
    assert in_title > 3


@pytest.mark.parametrize(
    ("text", "title", "description"),
    [
        ("Data scientist\nVous analysez.", "Data scientist", "Vous analysez."),
        ("Data scientist", "Data scientist", ""),
        ("\nPoste d'ingénieur IA.\nAutre ligne.", "", "Poste d'ingénieur IA.\nAutre ligne."),
        ("Chef de projet IA\r\nVous pilotez.", "Chef de projet IA\r", "Vous pilotez."),
        ("x " * MAX_TITLE_CHARS + "IA\nFin.", "", "x " * MAX_TITLE_CHARS + "IA\nFin."),
    ],
)
def test_where_a_title_ends(
    classifier: Classifier, text: str, title: str, description: str
) -> None:
    doc = pipeline(title="first_line")(text)
    assert doc._.ai_skills == classifier.classify_text(description, title)
    for span, piece in zip(doc.spans[NAME], doc._.ai_skills.evidence, strict=True):
        assert piece.quote in span.text


# --- many documents ----------------------------------------------------------------------------


def test_pipe_judges_many_at_once(
    nlp: Any, rows: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [row["description"] for row in rows]
    one_by_one = [nlp(text)._.ai_skills for text in texts]
    sizes = []
    judge = Judge.judge

    def counted(self: Judge, titles: list[str], descriptions: list[str]) -> list[Judgement]:
        sizes.append(len(titles))
        return judge(self, titles, descriptions)

    monkeypatch.setattr(Judge, "judge", counted)
    at_once = [doc._.ai_skills for doc in nlp.pipe(texts, batch_size=25)]
    assert sizes == [25, 25, 10]
    for one, other in zip(one_by_one, at_once, strict=True):
        assert (one.strict, one.study, one.themes) == (other.strict, other.study, other.themes)
        assert one.strict_score == pytest.approx(other.strict_score, abs=1e-9)


def test_pipe_reads_no_further_than_a_batch(nlp: Any) -> None:
    seen = 0

    def texts() -> Iterator[str]:
        nonlocal seen
        while True:
            seen += 1
            yield TEXT

    stream = nlp.pipe(texts(), batch_size=10)
    assert next(stream)._.ai_skills.strict is Status.DEMAND
    assert seen <= 20
    stream.close()


def test_two_processes_give_the_same(nlp: Any, rows: list[dict[str, str]]) -> None:
    texts = [row["description"] for row in rows]
    alone = list(nlp.pipe(texts, batch_size=20))
    together = list(nlp.pipe(texts, batch_size=20, n_process=2))
    assert [doc._.ai_skills for doc in together] == [doc._.ai_skills for doc in alone]
    assert [spans(doc) for doc in together] == [spans(doc) for doc in alone]
    assert sum(len(spans(doc)) for doc in together) > 20


def test_the_component_travels_light(nlp: Any) -> None:
    packed = pickle.dumps(nlp.get_pipe(NAME))
    assert len(packed) < 1000
    assert isinstance(pickle.loads(packed), AiSkills)  # noqa: S301


def test_contexts_go_along(nlp: Any) -> None:
    ((doc, context),) = nlp.pipe([(TEXT, {"id": 7})], as_tuples=True)
    assert (doc._.ai_skills.strict, context) == (Status.DEMAND, {"id": 7})


# --- kept and opened again ---------------------------------------------------------------------


def test_documents_are_kept_whole(nlp: Any) -> None:
    doc = nlp(TEXT)
    for again in (
        Doc(nlp.vocab).from_bytes(doc.to_bytes()),
        next(
            DocBin()
            .from_bytes(DocBin(docs=[doc], store_user_data=True).to_bytes())
            .get_docs(nlp.vocab)
        ),
        pickle.loads(pickle.dumps(doc)),  # noqa: S301
    ):
        assert again._.ai_skills == doc._.ai_skills
        assert again._.ai_skills.evidence[0].zone in tuple(Zone)
        assert isinstance(again._.ai_skills.evidence[0].zone, Zone)
        assert spans(again) == spans(doc)
        assert again.spans[NAME].attrs == doc.spans[NAME].attrs


def test_a_pipeline_on_disk(tmp_path: Path) -> None:
    lexicon = tmp_path / "my.csv"
    lexicon.write_text(
        "term;variants;theme;definition;strength\nbidulotron;;ia;strict;strong\n", "utf-8"
    )
    nlp = pipeline(
        lexicon=str(lexicon), threshold={"strict": 0.01}, title="first_line", spans_key="sc"
    )
    text = "Ingénieur\nVous développez le bidulotron en Python, notre machine learning."
    doc = nlp(text)
    assert "bidulotron" in {span.kb_id_ for span in doc.spans["sc"]}
    assert NAME not in doc.spans
    nlp.to_disk(tmp_path / "nlp")
    opened = [
        spacy.load(tmp_path / "nlp"),
        load_model_from_config(nlp.config, auto_fill=True).from_bytes(nlp.to_bytes()),
    ]
    for again in opened:
        assert again.get_pipe(NAME).setup == nlp.get_pipe(NAME).setup
        assert again(text)._.ai_skills == doc._.ai_skills
        assert spans(again(text), "sc") == spans(doc, "sc")


def test_a_model_of_ones_own(tmp_path: Path) -> None:
    model = load_model()
    model.meta["name"] = "mine"  # type: ignore[index]
    save_model(model, tmp_path / "mine", "# Mine\n")
    doc = pipeline(model=str(tmp_path / "mine"))(TEXT)
    assert doc.spans[NAME].attrs["model"].startswith("mine-")


def test_a_threshold(nlp: Any, classifier: Classifier) -> None:
    text = TEXT
    score = classifier.classify_text(text).strict_score
    assert score is not None
    assert 0 < score < 0.9999
    assert pipeline(threshold=0.9999)(text)._.ai_skills.strict is not Status.DEMAND
    assert pipeline(threshold={"strict": 0.9999})(text)._.ai_skills.strict is not Status.DEMAND
    assert nlp(text)._.ai_skills.strict is Status.DEMAND


@pytest.mark.parametrize(
    ("config", "error", "said"),
    [
        ({"model": "no-such-folder"}, ModelError, "no-such-folder"),
        ({"lexicon": "no-such-file.csv"}, LexiconError, "no-such-file.csv"),
        ({"threshold": 7.0}, UsageError, "threshold"),
        ({"threshold": {"wide": 0.5}}, UsageError, "threshold"),
        ({"title": "last_line"}, UsageError, "expected none or first_line"),
    ],
)
def test_a_mistake_shows_where_the_component_is_added(
    config: dict[str, Any], error: type[AiskillsError], said: str
) -> None:
    with pytest.raises(error, match=said):
        pipeline(**config)


# --- spaCy's own tools -------------------------------------------------------------------------


def test_displacy_shows_the_spans(nlp: Any) -> None:
    doc = nlp(TEXT)
    page = displacy.render(doc, style="span", options={"spans_key": NAME}, jupyter=False)
    shown = list(doc.spans[NAME])
    words = re.sub(r"<[^>]*>|\s+", " ", page).split()
    assert words.count("demand") == [span.label_ for span in shown].count("demand") >= 2
    links = [" ".join(link.split()) for link in re.findall(r"<a [^>]*>(.*?)</a>", page, re.DOTALL)]
    assert links == [span.kb_id_ for span in shown]  # the term, beside the label


def test_spacy_can_analyze_the_pipeline(nlp: Any) -> None:
    told = nlp.analyze_pipes()["summary"][NAME]
    assert told["assigns"] == ["doc.spans", "doc._.ai_skills"]


def test_the_example_of_the_module() -> None:
    result = doctest.testmod(aiskills.spacy_component)
    assert result.attempted >= 5
    assert result.failed == 0


def test_aiskills_does_not_import_it() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "error",
            "-c",
            "import sys, aiskills; aiskills.classify_text('IA')\n"
            "print('aiskills.spacy_component' in sys.modules)",
        ],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr, done.stdout.strip()) == (0, "", "False")
