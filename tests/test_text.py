"""Folding: its rules one by one, then whatever damage a text may bring, with the map back."""

from __future__ import annotations

import html.entities
import re
import time
import unicodedata
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aiskills.phrases import Lexicon
from aiskills.repair import FIELD_BREAK, needs_repair, repair
from aiskills.text import FOLDED_BREAK, Folded, fold, fold_batch

# --- the rules ---------------------------------------------------------------------------------


def folded(text: str) -> str:
    return fold(text).text.decode("cp1252").strip(" ")


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        # lower case, accents removed
        ("Éléphant À L'ÉCOLE", "elephant a l ecole"),
        ("ÇÈÊËÏÎÔÛÜŸÑ", "ceeeiiouuyn"),
        # œ and æ are one character each, kept
        ("main-d'œuvre", "main d œuvre"),
        # hyphens, apostrophes, underscores, blanks
        ("apprentissage-machine", "apprentissage machine"),
        ("l'IA l’IA l´IA l`IA l‘IA", "l ia l ia l ia l ia l ia"),
        ("scikit_learn", "scikit learn"),
        ("a\tb\nc\r\nd\x0be\x0cf\xa0g", "a b c d e f g"),
        ("a    b", "a b"),
        ("- a -", "a"),
        # marks are tokens of their own
        ("IA, data.", "ia , data ."),
        ("(C++)", "( c + + )"),
        ("R&D", "r & d"),
        ("a/b", "a / b"),
        ("m² n° 1ª", "m ² n ° 1 ª"),
        ("100 %", "100 %"),
        ("«IA»", "« ia »"),
        # a field break is a token that no phrase crosses
        (f"machine{FIELD_BREAK}learning", f"machine {FOLDED_BREAK} learning"),
        # inclusive endings
        ("développeur·se", "developpeur"),
        ("développeur(se)", "developpeur"),
        ("développeur(se)s", "developpeur"),
        ("développeur·se·s", "developpeur"),
        ("développeur.euse", "developpeur"),
        ("développeur/euse", "developpeur"),
        ("développeur-euse", "developpeur"),
        ("directeur(trice) technique", "directeur technique"),
        ("ingénieur(e)", "ingenieur"),
        ("ingénieur·e·s", "ingenieur"),
        ("ingénieur.e.s", "ingenieur"),
        ("ingénieur/e", "ingenieur"),
        ("technicien(ne)s", "technicien"),
        ("chef(fe) de projet", "chef de projet"),
        ("candidat(e)s motivé(e)s", "candidat motive"),
        ("expert(s)", "expert"),
        ("INGÉNIEUR(E)", "ingenieur"),
        # … which these are not
        ("poste.le soir", "poste . le soir"),
        ("ia (e-mail)", "ia ( e mail )"),
        ("réseau (et)", "reseau ( et )"),
        ("client-serveur", "client serveur"),
        ("le (e)", "le ( e )"),
        # glued words
        ("posteEn", "poste en"),
        ("LyonProfil", "lyon profil"),
        ("TensorFlow", "tensor flow"),
        # … after two small letters, not one
        ("PyTorch", "pytorch"),
        ("eCommerce", "ecommerce"),
        # plural
        ("réseaux neuronaux", "reseau neuronau"),
        ("agents", "agent"),
        ("LLMs", "llm"),
        ("IAs", "ias"),
        ("bus des dos os", "bus des dos os"),
        ("prix", "prix"),
        ("jeux", "jeu"),
        ("process", "proces"),
        # an apostrophe that an encoding lost
        ("l?équipe", "l equipe"),
        ("d\x92IA", "d ia"),
        ("vraiment ?", "vraiment ?"),
        ("quoi? oui", "quoi ? oui"),
        # what Windows-1252 lacks becomes a mark
        ("IA 🚀 漢", "ia ? ?"),
    ],
)
def test_rule(given_text: str, expected: str) -> None:
    assert folded(given_text) == expected


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("<p>IA</p><p>data</p>", "ia data"),
        ("machine</b><i>learning", "machine learning"),
        ("<p class='a'>IA<br/>et<BR>data</p>", "ia et data"),
        ("IA<!-- x > y <b> -->data", "ia data"),
        ("IA <!-- never closed data", "ia < ! never closed data"),
        ("IA <script>var x; data", "ia var x ; data"),
        ("IA <br data", "ia < br data"),
        ("a<script>var ia = 1 < 2;</script>b", "a b"),
        ("a<STYLE>p { ia }</STYLE>b", "a b"),
        ("salaire < 30 k€ et > 20", "salaire < 30 k € et > 20"),
        ("<- ici ->", "< ici >"),
        ("a <b c", "a < b c"),
        ("a <b <i>c</i>", "a < b c"),
        ("d&eacute;veloppeur", "developpeur"),
        ("d&#233;veloppeur d&#xE9;veloppeur", "developpeur developpeur"),
        ("l&#39;IA l&rsquo;IA l&apos;IA", "l ia l ia l ia"),
        ("IA&nbsp;g&eacute;n&eacute;rative", "ia generative"),
        ("R&amp;D AT&T &foo; &", "r & d at & t & foo ; &"),
        ("équipe dâ€™IA", "equipe d ia"),
        ("dÃ©veloppeur", "developpeur"),
        ("Ã  Lyon", "a lyon"),
        ("de\u0301veloppeur", "developpeur"),
        ("ma\u200bchine\u2060 lear\ufeffning", "machine learning"),
        ("\u202eIA\u202c", "ia"),
        ("IA\u202fgénérative\u2003x", "ia generative x"),
        ("deep\u2011learning deep\u2010learning", "deep learning deep learning"),
        ("ﬁnance ＩＡ 𝐈𝐀", "finance ia ia"),
        ("ma\xadchine", "machine"),
        ("machine \xadlearning", "machine learning"),
    ],
)
def test_repair_rule(given_text: str, expected: str) -> None:
    assert folded(given_text) == expected


@pytest.mark.parametrize(
    "word",
    [
        "class\xadification",
        "analys\xadeur",
        "diffus\xadion",
        "algorith\xadmes",
        "modè\xadles",
        "A\xadDAS",
    ],
)
def test_a_soft_hyphen_does_not_end_a_word(word: str) -> None:
    assert fold(word).text == fold(word.replace("\xad", "")).text


def test_two_soft_hyphens() -> None:
    assert folded("ma\xad\xadchine") == "machine"


def test_example_of_the_docstring() -> None:
    assert (
        fold("Développeur·se  d’IA générative – réseaux").text
        == b" developpeur d ia generative \x96 reseau "
    )


def test_empty_and_blank_texts() -> None:
    for text in ("", " ", "\n\n", "-", "\xad", "\u200b", "<br>"):
        assert fold(text).text == b" "
        assert fold(text).source.tolist() == [len(text)] or len(text) > 0
    assert list(fold_batch([])) == []


def test_the_map_leads_to_each_word() -> None:
    text = "Développeur·se  d’IA générative – réseaux."
    form = fold(text)
    words = [text[slice(*form.span(a, b))] for a, b in pairwise(blanks(form))]
    assert words == ["Développeur·se", "d", "IA", "générative", "–", "réseaux", "."]


def test_the_map_leads_through_repair() -> None:
    text = "<p>D&eacute;veloppeur&nbsp;<b>IA</b>g&#233;n&eacute;rative dâ€™IA</p>"
    form = fold(text)
    words = [text[slice(*form.span(a, b))] for a, b in pairwise(blanks(form))]
    assert words == ["D&eacute;veloppeur", "IA", "g&#233;n&eacute;rative", "d", "IA"]


def test_the_map_leads_into_a_run_of_mojibake() -> None:
    text = "marchÃ©Â\xa0Ã©quipe"
    form = fold(text)
    assert form.text == b" marche equipe "
    words = [text[slice(*form.span(a, b))] for a, b in pairwise(blanks(form))]
    assert words == ["marchÃ©", "Ã©quipe"]


def blanks(form: Folded) -> list[int]:
    return [place for place, byte in enumerate(form.text) if byte == ord(" ")]


# --- damage ------------------------------------------------------------------------------------

_PLAIN = re.compile(r"[^\W\d_]+(?:[ '-][^\W\d_]+)*")
#: Forms of letters, blanks, hyphens and apostrophes: in these every damage has one meaning.
FORMS = sorted(
    {
        f
        for term in Lexicon.default().terms
        for f in term.forms
        if _PLAIN.fullmatch(f) and len(f) > 2
    }
)
FILLER = """
    Vous rejoignez notre équipe à Lyon pour concevoir des solutions utiles au service de la
    production et vous aimez le travail bien fait
""".split()  # noqa: SIM905 (a list of words)
BLANKS = (" ", "\xa0", "  ", "\n", "\r\n", "\t ", "&nbsp;", "&#160;", "\u202f", "\u2003",
          "<br>", " <b>", "</strong> ", "</li>\n<li>", "<span class=\"x\"> ", "<!-- x -->",
          "-", "\u2011", "_", " - ")  # fmt: skip
APOSTROPHES = ("'", "’", "‘", "´", "`", "\x92", "?", "&#39;", "&rsquo;", "&apos;", "' ", "\ufffd")
INSIDE = ("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u200e", "\xad")


def _references(char: str) -> tuple[str, ...]:
    name = next((n for n, c in html.entities.html5.items() if c == char and n.endswith(";")), None)
    numeric = (f"&#{ord(char)};", f"&#x{ord(char):X};")
    return (*numeric, f"&{name}") if name and name[:-1].isalnum() else numeric


@st.composite
def damaged(draw: st.DrawFn, form: str) -> str:
    """The form, every character of it perhaps damaged, nothing before or after it."""
    out: list[str] = []
    for place, char in enumerate(form):
        if char in " -":
            out.append(draw(st.sampled_from(BLANKS)))
        elif char == "'":
            out.append(draw(st.sampled_from(APOSTROPHES)))
        else:
            ways = [char] * 6 + [*_references(char), unicodedata.normalize("NFD", char)]
            if char.isascii():
                ways.append(chr(ord(char) + 0xFEE0))
            out.append(draw(st.sampled_from(ways)))
            rest = re.split("[^\\w]", form[place + 1 :])[0]
            if rest and draw(st.integers(0, 5)) == 0:
                out.append(draw(st.sampled_from(INSIDE)))
    return "".join(out)


@st.composite
def filler(draw: st.DrawFn) -> str:
    """Words of an offer with damage of their own; neither ends nor begins with a word."""
    pieces = []
    for word in draw(st.lists(st.sampled_from(FILLER), max_size=6)):
        pieces.append(draw(damaged(word)) if draw(st.booleans()) else word)
        pieces.append(
            draw(st.sampled_from((" ", ", ", ". ", "\n", " : ", "</p><p>", " 🚀 ", " (x) ")))
        )
    return "".join(pieces)


def places(form: Folded, pattern: bytes) -> list[tuple[int, int]]:
    """Spans in the given text of every occurrence of a pattern."""
    found = []
    at = form.text.find(pattern)
    while at >= 0:
        found.append(form.span(at, at + len(pattern) - 1))
        at = form.text.find(pattern, at + 1)
    return found


@given(st.data())
def test_a_damaged_term_is_found_where_it_stands(data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(FORMS))
    term = data.draw(damaged(form))
    before = data.draw(filler())
    after = data.draw(st.sampled_from((" ", ".", ", ", ")", "</p>", "\n", "&nbsp;", " 🚀 ", "!")))
    text = before + term + (after + data.draw(filler()) if data.draw(st.booleans()) else "")
    found = places(fold(text), fold(form).text)
    assert (len(before), len(before) + len(term)) in found, (text, fold(text).text)


@given(st.data())
def test_a_term_in_mojibake_is_found_where_it_stands(data: st.DataObject) -> None:
    form = data.draw(st.sampled_from([f for f in FORMS if not f.isascii()]))
    encoding = data.draw(st.sampled_from(("latin-1", "cp1252")))
    term = form.encode().decode(encoding, "ignore").replace("Ã ", "Ã\xa0")
    if len(term) != len(form.encode()):
        return  # cp1252 lacks one of the bytes: the letter is lost for good
    before = data.draw(
        st.sampled_from(("", "Vous aimez ", "l'", "lâ€™", "équipe ", "lâ€™a ", "Ã©quipe "))
    )
    text = before + term + data.draw(st.sampled_from(("", ".", " et plus", "\nÃ  Lyon")))
    found = places(fold(text), fold(form).text)
    assert (len(before), len(before) + len(term)) in found, (text, fold(text).text)


def test_mojibake_right_behind_mojibake() -> None:
    text = "dâ€™Ã©quipe"
    form = fold(text)
    assert form.text == b" d equipe "
    assert text[slice(*form.span(2, 9))] == "Ã©quipe"


def test_oe_in_mojibake() -> None:
    assert folded("mise en Å“uvre de l'IA") == folded("mise en œuvre de l'IA")


@pytest.mark.parametrize(
    ("stem", "endings"),
    [
        (
            "développeur",
            ("·se", "(se)", "/se", "-se", "(euse)", "/euse", ".euse", "·euse", "·se·s"),
        ),
        ("ingénieur", ("·e", "(e)", ".e", "/e", "(e)s", "·e·s", ".e.s", "·es")),
        ("directeur", ("·rice", "(trice)", "/trice", "-trice", ".rice", "·trice·s")),
        ("technicien", ("(ne)", "·ne", "(ne)s", "/ne")),
        ("expert", ("(e)", "·e", "(e)s", "(s)", ".e")),
        ("data scientist", ("(s)", "(e)")),
    ],
)
@pytest.mark.parametrize("upper", [False, True], ids=["lower", "upper"])
def test_inclusive_endings_are_dropped_and_lie_inside_the_span(
    stem: str,
    endings: tuple[str, ...],
    upper: bool,  # noqa: FBT001
) -> None:
    for ending in endings:
        word = (stem + ending).upper() if upper else stem + ending
        text = f"Un {word} IA."
        form = fold(text)
        assert places(form, fold(stem).text) == [(3, 3 + len(word))], word
        assert places(form, fold(stem + " IA").text) == [(3, 6 + len(word))], word


# --- any text ----------------------------------------------------------------------------------

_ODD = (
    "\x00\x1e\x1f\x1c\x7f\x80\x81\x85\x92\xa0\xad\xb7\xb2¦|'’?()·./-_<>&;#!"
    "\u0301\u200b\u202e\u2028\u3000\ufeff\ufb03\uff21\ufffd\ud800\udfff🚀👩\u200d🔬ßŒœÿİıſÃâ€™©"
    "sSxXuUeEaA \n\r\t"
)
any_text = st.text(
    st.one_of(
        st.sampled_from(sorted(_ODD)),
        st.characters(),  # lone surrogates included
        st.characters(max_codepoint=0xFF),
    ),
    max_size=60,
)
#: Scraps that, put together, look almost like what repair looks for.
scraps = st.lists(
    st.one_of(
        any_text,
        st.sampled_from(
            (
                "<",
                "<p",
                "<!--",
                "-->",
                "</",
                "<script>",
                "</script>",
                ">",
                "&",
                "&#",
                "&#x41;",
                "&#0;",
                "&#1114112;",
                "&#55296;",
                "&amp;",
                "&lt;b&gt;",
                "&nbsp",
                "&NotEqualTilde;",
                "&fjlig;",
                "(e)",
                "·se",
                "développeur",
                "IA",
                "Ã©",
                "Ã ",
                "â€™",
                "\xad\xad",
                "abcs",
                "eaux",
                "s",
            )
        ),
    ),
    max_size=12,
).map("".join)


def check_form(text: str, form: Folded) -> None:
    assert form.text.startswith(b" ")
    assert form.text.endswith(b" ")
    assert b"  " not in form.text
    assert b"\x1f" not in form.text
    assert not any(byte < 0x20 for byte in form.text)
    assert form.text == form.text.lower()
    assert len(form.source) == len(form.text)
    assert (np.diff(form.source) >= 0).all()
    assert form.source[0] >= 0
    assert form.source[-1] <= len(text)


@given(st.one_of(any_text, scraps))
def test_any_text_folds(text: str) -> None:
    form = fold(text)
    check_form(text, form)
    for start, end in pairwise(blanks(form)):
        begin, stop = form.span(start, end)
        assert 0 <= begin <= stop <= len(text)
    form.text.decode("cp1252")


@given(st.lists(st.one_of(any_text, scraps), max_size=6))
def test_folding_together_is_folding_one_by_one(texts: list[str]) -> None:
    together = list(fold_batch(texts))
    assert len(together) == len(texts)
    for text, form in zip(texts, together, strict=True):
        alone = fold(text)
        assert form.text == alone.text
        assert form.source.tolist() == alone.source.tolist()


@given(st.one_of(any_text, scraps))
def test_the_map_of_repair(text: str) -> None:
    repaired = repair(text)
    assert len(repaired.source) == len(repaired.text) + 1
    assert (np.diff(repaired.source) >= 0).all()
    assert repaired.source[0] >= 0
    assert repaired.source[-1] == len(text)
    if not needs_repair(text):
        assert repaired.text == text
        assert repaired.source.tolist() == list(range(len(text) + 1))


@given(st.one_of(any_text, scraps))
def test_folding_undoes_damage_as_repair_does(text: str) -> None:
    """Tags become blanks where they stand, without the map that `repair` makes."""
    form, mended = fold(text), repair(text.replace("\x1f", " "))
    assume(not needs_repair(mended.text))  # references may stand for tags
    plain = fold(mended.text)
    assert form.text == plain.text
    begins = [at for at in range(len(form.text) - 1) if form.text[at] == ord(" ")]
    for at in begins:  # where each word begins in the given text
        assert form.source[at + 1] == mended.source[plain.source[at + 1]]


def test_what_a_reader_sees() -> None:
    for text, quote in {
        "du R&amp;D pur": "R&D",
        "du R<b>&</b>D pur": "R & D",
        "du R&#38;D pur": "R&D",
        "du R&D pur": "R&D",
        "des DONN&Eacute;ES": "DONNÉES",
    }.items():
        form = fold(text)
        ends = [at for at in range(len(form.text)) if form.text[at] == ord(" ")]
        last = ends[-1] if text.startswith("des") else ends[4]
        assert form.quote(text, ends[1], last) == quote, text


@given(st.text(st.sampled_from("abcdéàùç .,;:!?'’«»–€0123456789\n\xa0-()"), max_size=200))
def test_an_ordinary_text_needs_no_repair(text: str) -> None:
    assert not needs_repair(text)
    assert repair(text).text == text


@given(st.one_of(any_text, scraps))
def test_folding_what_was_folded_changes_little(text: str) -> None:
    """Folded text is what it says it is: words and marks, one blank between."""
    for token in fold(text).text.decode("cp1252").split(" ")[1:-1]:
        assert len(token) == 1 or token.isalnum(), token


# --- time --------------------------------------------------------------------------------------

_LONG = 200_000
_UNITS = [
    *("<", "<a", "<!", "</", "<!--", "-->", "<script>", "<script></", "<a <b", "&", "&#", "&amp;"),
    *("&a", "(e)", "abc(e)", "abc·e", "abc.e", "Ã", "Ã©", "Ã ", "â€™", "\u0301", "\xad", "a\xad"),
    *(" ", "?", "a?", "漢", "\ufb03", "aB", "s", "·", "\x1f", "\x1e", "\ud800"),
]


@pytest.mark.parametrize(
    ("unit", "end"),
    [(unit, "") for unit in _UNITS]
    + [(unit, ">") for unit in _UNITS if unit.startswith("<")]
    + [("&", ";"), ("&#", ";"), ("&a", ";")],
)
def test_a_hostile_text_costs_no_more_than_its_length(unit: str, end: str) -> None:
    text = unit * (_LONG // len(unit)) + end
    started = time.process_time()
    form = fold(text)
    seconds = time.process_time() - started
    assert seconds < 3, f"{seconds:.1f} s"
    check_form(text, form)
