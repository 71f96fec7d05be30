"""What surrounds a match: zone, sentence, field, in the units of the given text."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiskills.context import OfferReader, Reading
from aiskills.phrases import Headings, Lexicon, Scanner, Term
from aiskills.repair import FIELD_BREAK
from aiskills.schema import Zone

TERMS = Lexicon((Term("machine learning"), Term("IA"), Term("data scientist")))
READER = OfferReader(Scanner(TERMS, Headings.default()))


def read(description: str, title: str = "") -> Reading:
    (reading,) = READER.read([title], [description])
    return reading


def zones(description: str, title: str = "") -> list[str]:
    return [str(zone) for zone in read(description, title).zones]


# --- zones -------------------------------------------------------------------------------------


def test_zones_of_a_plain_offer() -> None:
    text = (
        "Qui sommes-nous ?\nUn éditeur d'IA.\n\n"
        "Vos missions :\n- Faire de l'IA\n\n"
        "Profil recherché\nMaîtrise de l'IA.\n\n"
        "Avantages\nDe l'IA à la cantine.\n\n"
        "Processus de recrutement\nSans IA."
    )
    assert zones("De l'IA d'abord.\n" + text, "Ingénieur IA") == [
        "title", "unknown", "firm", "missions", "profile", "benefits", "process",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "before",
    ["", "\n", "\r\n", "\r", "De l'air. ", "De l'air : ", "* ", "• ", "- bien\n- ", "# ", "| ",
     "… ", "<p>De l'air</p>\n", "un « mot » "],
)  # fmt: skip
def test_a_heading_at_the_start_of_a_line_or_sentence(before: str) -> None:
    assert zones(before + "profil recherché : IA") == ["profile"]


@pytest.mark.parametrize("before", ["avec le ", "selon votre ", "de l'air, ", "un "])
def test_the_words_of_a_heading_inside_a_sentence_are_none(before: str) -> None:
    assert zones(before + "profil recherché : IA") == ["unknown"]


@pytest.mark.parametrize(
    "text",
    [
        "venez à Lyon Profil recherché IA",
        "venez à LyonProfil recherché IA",
        "à Lyon PROFIL RECHERCHÉ IA",
    ],
)
def test_a_heading_glued_to_what_stands_before(text: str) -> None:
    assert zones(text) == ["profile"]


def test_a_capital_behind_an_apostrophe_or_hyphen_is_no_heading() -> None:
    assert zones("il dirige l'Entreprise IA") == ["unknown"]
    assert zones("il dirige l’Entreprise IA") == ["unknown"]
    assert zones("il dirige sous-Entreprise IA") == ["unknown"]


def test_a_heading_that_opens_its_zone_anywhere() -> None:
    assert zones("chez nous et vous aurez pour mission de faire de l'IA") == ["missions"]


def test_the_last_heading_counts() -> None:
    assert zones("Profil recherché\nProfil\nVos missions\nIA\nAvantages") == ["missions"]


def test_of_overlapping_headings_the_longest_counts() -> None:
    headings = Headings([("profil", Zone.FIRM, False), ("profil recherché", Zone.PROFILE, False)])
    reader = OfferReader(Scanner(TERMS, headings))
    (reading,) = reader.read([""], ["Profil recherché\nIA"])
    assert reading.zones == (Zone.PROFILE,)


def test_a_heading_in_the_title_opens_nothing() -> None:
    assert zones("De l'IA", "Profil recherché : data scientist") == ["title", "unknown"]


def test_headings_survive_html_and_inclusive_writing() -> None:
    assert zones("<h2>Qui sommes-nous&nbsp;?</h2><p>IA</p><h2>Profil recherch&eacute;</h2>IA") == [
        "firm",
        "profile",
    ]


def test_no_title_means_no_title_zone() -> None:
    assert zones("IA") == ["unknown"]
    assert zones("", "IA") == ["title"]
    assert zones("IA", "<b>IA</b>") == ["title", "unknown"]


# --- fields ------------------------------------------------------------------------------------


def quotes(reading: Reading, title: str, description: str) -> list[tuple[str, str]]:
    result = []
    for match in reading.matches:
        field, start, end = reading.field_span(match)
        result.append((field, {"title": title, "description": description}[field][start:end]))
    return result


def test_spans_are_offsets_into_their_field() -> None:
    title, text = "Data scientist – IA", "De l'IA,\ndu machine-learning et des data scientists."
    assert quotes(read(text, title), title, text) == [
        ("title", "Data scientist"),
        ("title", "IA"),
        ("description", "IA"),
        ("description", "machine-learning"),
        ("description", "data scientists"),
    ]


def test_spans_at_the_edges_of_fields() -> None:
    assert quotes(read("IA", "IA"), "IA", "IA") == [("title", "IA"), ("description", "IA")]
    assert quotes(read("IA"), "", "IA") == [("description", "IA")]
    assert quotes(read("", "IA"), "IA", "") == [("title", "IA")]
    assert quotes(read("learning", "machine"), "machine", "learning") == []


def test_spans_behind_damage() -> None:
    title, text = (
        "<b>Data&nbsp;scientist</b>",
        "d&eacute;j&agrave; d&rsquo;IA 🚀 <i>machine</i> learning",
    )
    assert quotes(read(text, title), title, text) == [
        ("title", "Data&nbsp;scientist"),
        ("description", "IA"),
        ("description", "machine</i> learning"),
    ]


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Développeur <!-- H/F", "Vous ferez de l'IA."),
        ("Développeur <script", "Vous > ferez de l'IA."),
        ("Développeur <br", "Vous ferez de l'IA > 2 ans."),
    ],
)
def test_an_open_tag_ends_with_its_field(title: str, text: str) -> None:
    assert quotes(read(text, title), title, text) == [("description", "IA")]


def test_no_term_crosses_the_fields_inside_a_tag() -> None:
    assert read("> learning", "machine <b").matches == ()


WORDS = ("IA", "machine learning", "Data Scientist", "et", "l'", "Profil :", "\n", "<p>", "</p>",
         "é", "&amp;", "\u200b", "🚀", "Ã©", ".", "(e)", "\xad", FIELD_BREAK, "x")  # fmt: skip
sentences = st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)


@given(st.lists(st.tuples(sentences, sentences), max_size=4))
def test_readings_hold_together(offers: Sequence[tuple[str, str]]) -> None:
    titles, texts = [title for title, _ in offers], [text for _, text in offers]
    readings = list(READER.read(titles, texts))
    assert len(readings) == len(offers)
    for reading, title, text in zip(readings, titles, texts, strict=True):
        assert reading.given == title + FIELD_BREAK + text
        assert len(reading.matches) == len(reading.zones) == len(reading.first) == len(reading.last)
        for match, zone, (field, quote) in zip(
            reading.matches, reading.zones, quotes(reading, title, text), strict=True
        ):
            assert quote
            assert quote == reading.given[slice(*reading.folded.span(match.start, match.end))]
            assert (zone is Zone.TITLE) == (field == "title")
        if reading.tokens is None:
            assert not reading.matches
            continue
        tokens = reading.folded.text.decode("cp1252").split(" ")[1:-1]
        assert len(reading.tokens) == len(tokens) == len(reading.sentence)
        assert (reading.sentence[1:] - reading.sentence[:-1] >= 0).all()
        for match, first, last in zip(reading.matches, reading.first, reading.last, strict=True):
            words = " ".join(["", *tokens[first:last], ""]).encode("cp1252")
            assert words == reading.folded.text[match.start : match.end + 1]
            assert reading.tokens.index(match.start) == first


# --- sentences ---------------------------------------------------------------------------------


def sentence_words(description: str) -> list[str]:
    """The words of each sentence of a description that names IA."""
    reading = read(description)
    words = reading.folded.text.decode("cp1252").split(" ")[1:-1]
    result: dict[int, list[str]] = {}
    for word, number in zip(words, reading.sentence.tolist(), strict=True):
        result.setdefault(number, []).append(word)
    return [" ".join(words) for words in result.values()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("IA un. bien ! fort ? fin", ["¦", "ia un .", "bien !", "fort ?", "fin"]),
        ("IA un\nbien\r\n\r\nfort\rquatre", ["¦", "ia un", "bien", "fort", "quatre"]),
        ("IA, un ; bien : fort", ["¦", "ia , un ;", "bien : fort"]),
        ("IA • un • bien", ["¦", "ia •", "un •", "bien"]),
        ("<p>IA</p><p>un</p><li>bien<br>fort</li>", ["¦", "ia", "un", "bien", "fort"]),
        ("IA <b>un</b> <i>bien</i>", ["¦", "ia un bien"]),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentence_words(text) == expected


def test_the_title_is_a_sentence_of_its_own() -> None:
    reading = read("IA", "IA")
    first, second = reading.first.tolist()
    assert reading.sentence[first] != reading.sentence[second]


def test_without_a_match_nothing_is_cut() -> None:
    reading = read("Rien ici.", "Boulanger")
    assert reading.tokens is None
    assert reading.matches == ()
    assert len(reading.sentence) == 0


def test_fields_of_different_number_are_refused() -> None:
    with pytest.raises(ValueError, match="1 titles and 0 descriptions"):
        list(READER.read(["a"], []))
