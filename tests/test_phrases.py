"""Phrases: the lexicon's file, the rules of a match, and the automaton against a slow matcher."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiskills.errors import LexiconError
from aiskills.phrases import Case, Headings, Lexicon, Match, Scanner, Strength, Term, changed_terms
from aiskills.phrases.automaton import Automaton
from aiskills.phrases.hyphens import hits_across_lines
from aiskills.phrases.inflect import folded_patterns
from aiskills.phrases.lexicon_file import COLUMNS
from aiskills.phrases.match import MAX_MATCHES
from aiskills.phrases.rules import EXCLUDES_CHARS, NEEDS_CHARS
from aiskills.phrases.terms import ANY_AI
from aiskills.repair import FIELD_BREAK
from aiskills.schema import THEMES, Definition
from aiskills.text import fold
from reference import Reference

# --- the automaton against the reference --------------------------------------------------------


@cache
def shipped() -> tuple[Scanner, Reference, list[str]]:
    lexicon = Lexicon.default()
    forms = sorted({form for term in lexicon.terms for form in term.forms})
    return Scanner(lexicon, Headings.default()), Reference(lexicon.patterns()), forms


WORDS = """
    vous et de la le les des en pour avec notre équipe conçoit données modèles réseau vision
    machine learning deep data science IA ML intelligence artificielle générative langage poste
    apprentissage robot à d' l' H/F profil agents service usine du futur objets
""".split()  # noqa: SIM905 (a list of words)
GLUE = (" ", " ", " ", ", ", ". ", " ; ", "/", " & ", " (", ") ", "\n", "\n- ", " – ", "'", "-",
        "…", " « ", " » ", "", " : ", "|", "•", FIELD_BREAK)  # fmt: skip


@st.composite
def written(draw: st.DrawFn) -> str:
    """A form of the lexicon as careless people write it."""
    form = draw(st.sampled_from(shipped()[2]))
    case = draw(st.sampled_from(("", "", "lower", "upper", "title", "capitalize")))
    form = str(getattr(form, case)()) if case else form
    if draw(st.booleans()):
        form = form.replace(" ", draw(st.sampled_from(("-", "  ", "\n", "\xa0", "_", " -\n"))))
    if draw(st.integers(0, 3)) == 0:
        form += draw(st.sampled_from(("s", "x", "(s)", "·e", "S", "e", "2")))
    return form


@st.composite
def texts(draw: st.DrawFn) -> str:
    pieces = draw(
        st.lists(
            st.one_of(written(), st.sampled_from(WORDS), st.text(max_size=4)),
            min_size=1,
            max_size=14,
        )
    )
    return "".join(piece + draw(st.sampled_from(GLUE)) for piece in pieces)


@given(texts())
def test_the_automaton_finds_what_the_reference_finds(text: str) -> None:
    scanner, reference, _ = shipped()
    form = fold(text)
    hits = [(hit.entry, hit.start, hit.end) for hit in scanner.hits(form)]
    assert len(hits) == len(set(hits))
    assert set(hits) == reference.find(form.text)


def test_the_reference_is_put_to_use() -> None:
    """The property above would hold if neither found anything."""
    scanner, reference, forms = shipped()
    picked = random.Random(7).sample(forms, 300)  # noqa: S311
    form = fold(" et ".join(picked))
    found = reference.find(form.text)
    assert len(found) >= len(picked)
    assert {(hit.entry, hit.start, hit.end) for hit in scanner.hits(form)} == found


def test_the_reference_itself() -> None:
    reference = Reference([(" a b ", 0), (" b ", 1), (" b c ", 2), (" b c ", 3)])
    assert reference.find(b" a b c ") == {(0, 0, 4), (1, 2, 4), (2, 2, 6), (3, 2, 6)}
    assert reference.find(b" ") == set()
    assert reference.find(b" ab bc ") == set()


@given(texts())
def test_matches_are_in_order_and_apart_and_no_traps(text: str) -> None:
    scanner, _, _ = shipped()
    form = fold(text)
    found = scanner.scan(form, text)
    end = 0
    hits = {(hit.entry, hit.start, hit.end) for hit in scanner.hits(form, text)}
    for match in found.matches:
        assert match.start >= end
        assert (match.number, match.start, match.end) in hits
        assert match.term is scanner.lexicon.terms[match.number]
        assert match.term.strength is not Strength.TRAP
        end = match.end
    if not found.matches:
        assert found.headings == ()
    for one, other in zip(found.headings, found.headings[1:], strict=False):
        assert one.end <= other.start


# --- the rules of a match ----------------------------------------------------------------------


def matches(text: str, *terms: Term) -> list[Match]:
    scanner = Scanner(Lexicon(terms), Headings([]))
    return list(scanner.scan(fold(text), text).matches)


def found(text: str, *terms: Term) -> list[str]:
    return [match.term.term for match in matches(text, *terms)]


@pytest.mark.parametrize(
    ("case", "text", "times"),
    [
        (Case.ANY, "gan Gan GAN GANs gans", 5),
        (Case.UPPER, "GAN GANs", 2),
        (Case.UPPER, "gan Gan gans Gans GaN GANS", 1),
        (Case.UPPER, "G-A-N G.A.N", 0),
        (Case.TITLE, "Gan GAN Gans", 3),
        (Case.TITLE, "gan gAN gans", 0),
    ],
)
def test_case(case: Case, text: str, times: int) -> None:
    assert len(matches(text, Term("GAN", case=case))) == times


def test_case_exact_takes_the_written_forms_and_their_plural() -> None:
    term = Term("GAN", ("cGan",), case=Case.EXACT)
    assert [text for text in ("GAN", "GANs", "gan", "Gan", "GaN", "cGan", "cGans", "CGAN", "cgan")
            if matches(f"un {text} ici", term)] == ["GAN", "GANs", "cGan", "cGans"]  # fmt: skip


def test_case_is_asked_of_the_given_text_behind_damage() -> None:
    term = Term("IA", case=Case.UPPER)
    for text in ("d&rsquo;IA&nbsp;!", "<b>IA</b>", "L\u200b’I\u200bA", "I\xadA", "lâ€™IA", "d?IA"):
        assert found(text, term) == ["IA"], text
    for text in ("d&rsquo;ia", "<IA>", "<b>Ia</b>", "&IA;"):
        assert found(text, term) == [] or text == "&IA;", text


def test_needs_a_word_within_reach() -> None:
    term = Term("ML", needs=("modèle", "data*"))
    filler = "x" * (NEEDS_CHARS // 2) + " "
    assert found("ML et modèles", term) == ["ML"]
    assert found("modèle de ML", term) == ["ML"]
    assert found("dataviz ML", term) == ["ML"]
    assert found("ML modélisation", term) == []
    assert found("5 ML d'eau", term) == []
    assert found("ML " + filler + "modèle", term) == ["ML"]
    assert found("modèle " + filler + "ML", term) == ["ML"]
    assert found("ML " + filler * 2 + "modèle", term) == []
    assert found("modèle " + filler * 2 + "ML", term) == []


def test_a_needed_word_inside_the_match_is_not_near_it() -> None:
    term = Term("data ML", needs=("data",))
    assert found("data ML", term) == []
    assert found("data data ML", term) == ["data ML"]


def test_needs_is_met_by_a_whole_word_only() -> None:
    term = Term("ML", needs=("python",))
    assert found("ML pythonesque", term) == []
    assert found("ML, Python.", term) == ["ML"]


def test_excludes_a_word_within_reach() -> None:
    term = Term("IA", excludes=("bovin*", "inspection"))
    far = "x" * EXCLUDES_CHARS + " "
    assert found("IA et bovins", term) == []
    assert found("élevage bovin : IA", term) == []
    assert found("inspections par IA", term) == []
    assert found("IA inspectional", term) == ["IA"]
    assert found("IA " + far + "bovin", term) == ["IA"]
    assert found("bovin " + far + "IA", term) == ["IA"]


def test_excludes_beats_needs() -> None:
    term = Term("ML", needs=("data",), excludes=("eau",))
    assert found("ML data", term) == ["ML"]
    assert found("ML data eau", term) == []


def test_a_needed_name_is_found_as_it_is_written() -> None:
    """Folding parts names in CamelCase; a rule that says ``OpenAI`` knows both."""
    term = Term("Sora", needs=("OpenAI",))
    for text in ("Sora, OpenAI", "Sora, OPENAI", "openai et Sora"):
        assert found(text, term) == ["Sora"], text


# --- another meaning, told elsewhere in the offer ----------------------------------------------

FAR = "mot " * 100
ACRONYM = Term("IA", case=Case.UPPER, elsewhere=("insémin*", "ingénieur d'affaires + les IA"))


def test_a_word_anywhere_tells_another_meaning() -> None:
    assert found(f"IA. {FAR} IA", ACRONYM) == ["IA", "IA"]
    assert found(f"IA. {FAR} insémination {FAR} IA", ACRONYM) == []
    assert found(f"Inséminateur{FIELD_BREAK}{FAR} IA", ACRONYM) == []
    assert found(f"IA {FAR} désinsémination", ACRONYM) == ["IA"]


def test_words_that_tell_it_together() -> None:
    engineer = "Ingénieure d'affaires confirmée"
    assert found(f"{engineer} {FAR} vous suivez les IA", ACRONYM) == []
    assert found(f"{engineer} {FAR} en solutions d'IA", ACRONYM) == ["IA"]
    assert found(f"Développeur {FAR} vous suivez les IA", ACRONYM) == ["IA"]
    assert found(f"les IA {FAR} {engineer} {FAR} l'IA", ACRONYM) == []


def test_a_strong_term_keeps_the_acronym() -> None:
    learning = Term("machine learning")
    text = f"IA {FAR} insémination {FAR} machine learning"
    assert found(text, ACRONYM, learning) == ["IA", "machine learning"]
    for other in (Strength.CONTEXT, Strength.WEAK, Strength.TRAP):
        kept = Term("machine learning", strength=other)
        assert "IA" not in found(text, ACRONYM, kept), other
    hidden = Term("salle machine learning", strength=Strength.TRAP)
    assert found(text.replace("machine", "salle machine"), ACRONYM, learning, hidden) == []
    excluded = Term("machine learning", excludes=("mot",))
    assert found(text, ACRONYM, excluded) == []


def test_a_wider_term_does_not_keep_a_strict_acronym() -> None:
    wider = Term("IoT", theme="iot", definition=Definition.STUDY)
    text = "IA, insémination, IoT"
    assert found(text, ACRONYM, wider) == ["IoT"]
    study = Term("IA", definition=Definition.STUDY, elsewhere=ACRONYM.elsewhere)
    assert found(text, study, wider) == ["IA", "IoT"]
    assert found(text.replace("IoT", "GAN"), study, Term("GAN")) == ["IA", "GAN"]


def test_acronyms_that_are_both_told_do_not_keep_each_other() -> None:
    laws = Term("LLM", case=Case.UPPER, elsewhere=("notaire*",))
    assert found("IA, LLM, insémination, notaires", ACRONYM, laws) == []
    assert found("IA, LLM, insémination", ACRONYM, laws) == ["IA", "LLM"]
    assert found("IA, LLM, notaires", ACRONYM, laws) == ["IA", "LLM"]


def test_a_longer_term_with_the_acronym_is_another_term() -> None:
    tool = Term("outil d'IA")
    assert found("insémination, outils d'IA, IA", ACRONYM, tool) == ["outil d'IA", "IA"]


def test_what_is_told_to_be_no_ai_is_no_ai_for_others() -> None:
    ml = Term("ML", strength=Strength.CONTEXT, needs=(ANY_AI,))
    assert found("ML, IA", ACRONYM, ml) == ["ML", "IA"]
    assert found("ML, IA, insémination", ACRONYM, ml) == []


@pytest.mark.parametrize(
    "text",
    [
        "Directeur d'agence CVC. Vous animez quatre IA. Vous suivez l'IA en rendez-vous.",
        "Nous cherchons un IA pour le second œuvre. L'IA chiffre et négocie ses chantiers.",
        "Assistante des ingénieurs d'affaires. Vous préparez les offres que les IA présentent.",
        "Vous facturez pour nos business engineers. Each IA runs twenty accounts; the IA signs.",
        "Suivi des vaches à l'insémination. Saisie des dates de vêlage et de tarissement, IA.",
        "Éleveur en verraterie, tri des doses, préparation du matériel et IA le lundi.",
        "Accompagnant d'élèves en situation de handicap. Votre contrat est signé par l'IA.",
        "Nous recrutons un infirmier anesthésiste pour cinq salles. Roulement établi entre IA.",
        "Collaborateur en cabinet d'avocats, dix ans de pratique. Anglais courant. LLM apprécié.",
        "Clerc chez un notaire. Actes courants, formalités, accueil des clients. LLM bienvenu.",
        "Fiscaliste groupe : TVA, prix de transfert, veille, conseil aux filiales, LLM ou DJCE.",
        "Cuisinier : 60 couverts par jour, plan de maîtrise sanitaire, HACCP, poste en RPA.",
        "Bienvenue chez Cobot. Cobot imprime des affiches et cherche un livreur.",
        "Exploitation des logiciels de scolarité : IA-Primo, IA Réins, suivi des éditions.",
        "Équipe : un IR, deux techniciens, un AI chargé du parc.",
    ],
)  # fmt: skip
def test_homonyms_that_the_offer_tells(scanner: Scanner, text: str) -> None:
    assert [m.term.term for m in scanner.scan(fold(text), text).matches] == []


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("Ingénieur d'affaires. Vous vendez nos offres de cloud, d'IA et de cybersécurité.", 1),
        ("Ingénieur d'affaires en solutions d'IA ; les IA de nos clients tournent chez eux.", 2),
        ("Ingénieur d'affaires. Les clients veulent automatiser par l'IA ; l'IA vous plaît.", 2),
        ("Les ingénieurs d'affaires et les IA engineers travaillent ensemble.", 1),
        (f"Insémination, reproduction. {FAR} Intelligence artificielle : l'IA lit les images.", 2),
        (f"Cabinet d'avocats. {FAR} Vous évaluez les LLM et l'IA du marché pour nos équipes.", 2),
        ("Un AI engineer et un data scientist rejoignent l'équipe.", 2),
        ("Consultant RPA : robots UiPath pour une résidence autonomie.", 2),
        ("Technicien : maintenance de nos cobots sur deux lignes, chez nos clients.", 1),
        ("L'académie interne forme aux langues, à l'IA et au management.", 1),
    ],
)
def test_ai_beside_words_of_other_meanings(scanner: Scanner, text: str, times: int) -> None:
    strict = [m for m in scanner.scan(fold(text), text).matches if m.term.strength != "weak"]
    assert len(strict) == times, strict


# --- words parted at the end of a line ---------------------------------------------------------


@pytest.mark.parametrize("end", ["-\n", "-\r\n", "\u2010\n", "\u00ad\n", "-\n  "])
def test_a_word_parted_at_the_end_of_a_line(end: str) -> None:
    term = Term("intelligence artificielle")
    text = f"Cours d'intelligence artifi{end}cielles pour débutants"
    (match,) = matches(text, term)
    start, stop = fold(text).span(match.start, match.end)
    assert text[start:stop] == f"intelligence artifi{end}cielles"


def test_a_part_that_looks_like_a_plural() -> None:
    """Folding drops its s, which the whole word needs."""
    text = "méthodes d'apprentis-\nsage automatique, puis apprentissage auto-\nmatique"
    found = [
        fold(text).span(m.start, m.end) for m in matches(text, Term("apprentissage automatique"))
    ]
    assert [text[slice(*span)] for span in found] == [
        "apprentis-\nsage automatique",
        "apprentissage auto-\nmatique",
    ]


def test_both_readings_of_a_hyphen_are_searched() -> None:
    terms = Term("micro services IA"), Term("machine learning", ("machinelearning",))
    assert found("micro-\nservices IA", *terms) == ["micro services IA"]
    assert found("machine-\nlearning", *terms) == ["machine learning"]


def test_only_what_lies_across_a_line_is_told_by_itself() -> None:
    scanner = Automaton([(" robot ", 0), (" robotique ", 1), (" ia ", 2)])
    text = "IA, robo-\ntique, robot, IA-\nia"
    hits = hits_across_lines(scanner, fold(text), text)
    assert [(hit.entry, text[slice(*fold(text).span(hit.start, hit.end))]) for hit in hits] == [
        (1, "robo-\ntique")
    ]
    assert hits_across_lines(scanner, fold("robo tique"), "robo tique") == []


@pytest.mark.parametrize(
    "text",
    ["artifi\ncielle", "artifi -\ncielle", "ARTIFI-\nCIELLE", "artifi-\n\ncielle",
     "artifi-\n- cielle", f"artifi-{FIELD_BREAK}\ncielle", "artifi-cielle", "artifi–\ncielle"],
)  # fmt: skip
def test_no_word_is_put_together_otherwise(text: str) -> None:
    assert found(text, Term("artificielle")) == []


def test_a_parted_word_in_damaged_text() -> None:
    text = "<b>R\u00e9seau</b> &eacute;tendu, appren-\ntissage&nbsp;profond &amp; robo-\ntique"
    got = [fold(text).span(m.start, m.end) for m in matches(
        text, Term("apprentissage profond"), Term("robotique"))]  # fmt: skip
    assert [text[slice(*span)] for span in got] == [
        "appren-\ntissage&nbsp;profond",
        "robo-\ntique",
    ]


def test_needs_any_ai_looks_at_the_whole_offer() -> None:
    strong, ml = Term("deep learning"), Term("ML", strength=Strength.CONTEXT, needs=(ANY_AI,))
    weak = Term("prédiction", strength=Strength.WEAK)
    far = "mot " * 200
    assert found(f"ML {far} deep learning", strong, ml) == ["ML", "deep learning"]
    assert found(f"ML {far} prédiction", strong, ml, weak) == ["prédiction"]
    assert found("ML", strong, ml) == []


def test_needs_any_ai_or_a_word() -> None:
    strong, ml = (
        Term("deep learning"),
        Term("ML", strength=Strength.CONTEXT, needs=(ANY_AI, "data")),
    )
    assert found("ML data", strong, ml) == ["ML"]
    assert found("ML et deep learning", strong, ml) == ["ML", "deep learning"]
    assert found("ML d'eau", strong, ml) == []


def test_a_strong_term_of_the_wrong_case_or_in_a_trap_is_no_ai() -> None:
    ml = Term("ML", strength=Strength.CONTEXT, needs=(ANY_AI,))
    ia = Term("IA", case=Case.UPPER)
    trap = Term("IA bovine", strength=Strength.TRAP)
    assert found("ML IA", ml, ia) == ["ML", "IA"]
    assert found("ML ia", ml, ia) == []
    assert found("ML et IA bovine", ml, ia, trap) == []


def test_the_longest_wins() -> None:
    terms = Term("machine"), Term("machine learning"), Term("learning")
    assert found("machine learning", *terms) == ["machine learning"]
    assert found("learning machine", *terms) == ["learning", "machine"]
    assert found("machine, learning", *terms) == ["machine", "learning"]


def test_the_leftmost_wins_where_terms_cross() -> None:
    assert found("a b c", Term("a b"), Term("b c d"), Term("b c")) == ["a b"]


def test_a_longer_term_that_its_rules_refuse_hides_nothing() -> None:
    terms = Term("vision"), Term("vision IA", needs=("robot",)), Term("Vision X", case=Case.EXACT)
    assert found("vision IA", *terms) == ["vision"]
    assert found("vision x", *terms) == ["vision"]
    assert found("vision IA robot", *terms) == ["vision IA"]


def test_a_trap_hides_the_terms_inside_it() -> None:
    trap = Term("inspection académique IA", strength=Strength.TRAP)
    ia = Term("IA")
    assert found("inspection académique IA", ia, trap) == []
    assert found("IA, inspection académique IA, IA", ia, trap) == ["IA", "IA"]
    assert found("inspection IA", ia, trap) == ["IA"]


def test_a_trap_of_the_wrong_case_hides_nothing() -> None:
    trap = Term("Vision Plus", strength=Strength.TRAP, case=Case.EXACT)
    assert found("Vision Plus vision plus", Term("vision"), trap) == ["vision"]


def test_a_field_break_parts_a_term() -> None:
    term = Term("machine learning")
    assert found(f"machine{FIELD_BREAK}learning", term) == []
    assert found(f"x{FIELD_BREAK}machine learning", term) == ["machine learning"]


def test_a_term_is_whole_words() -> None:
    assert found("école coler colle cole", Term("cole")) == ["cole"]
    assert found("C++ C+", Term("C++")) == ["C++"]


def test_inflections() -> None:
    assert folded_patterns(["réseau neuronal"]) == [
        (" reseau neuronal ", " reseau neuronale ", " reseau neuronau ")
    ]
    assert folded_patterns(["TensorFlow"]) == [(" tensor flow ", " tensorflow ")]
    assert folded_patterns(["…", "IA"]) == [(), (" ia ",)]
    for form, others in {
        "développeur IA": ("développeuse IA", "Développeurs IA", "développeur·se IA"),
        "formateur en IA": ("formatrice en IA", "formateur(trice)s en IA", "formatrices en IA"),
        "musicien numérique": ("musicienne numérique", "musicien(ne)s numériques"),
        "modèle prédictif": ("modèles prédictifs", "modèle prédictive"),
        "apprentissage supervisé": ("apprentissages supervisés", "apprentissage supervisée"),
        "cœur d'IA": ("coeur d'IA", "cœurs d’IA"),
        "coeur d'IA": ("cœur d'IA",),
        "œuvre IA": ("oeuvre IA",),
    }.items():
        for other in others:
            assert found(other, Term(form)) == [form], other


def test_the_first_so_many_matches_are_kept() -> None:
    text = "IA " * (MAX_MATCHES - 1)
    assert len(matches(text, Term("IA"))) == MAX_MATCHES - 1
    text += "data " * 5
    kept = [match.term.term for match in matches(text, Term("IA"), Term("data"))]
    assert kept == ["IA"] * (MAX_MATCHES - 1) + ["data"]


def test_nothing_to_find() -> None:
    assert matches("IA") == []
    assert matches("", Term("IA")) == []


# --- the lexicon's file ------------------------------------------------------------------------


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.csv"
    path.write_text(text, "utf-8")
    return path


def mistakes(folder: Path, text: str) -> list[str]:
    path = write(folder, text)
    with pytest.raises(LexiconError) as caught:
        Lexicon.read(path)
    message = str(caught.value)
    assert str(path) in message
    assert "lexicon list" in caught.value.hint
    lines = caught.value.what.splitlines()
    assert f"{len(lines) - 1} mistake(s)" in lines[0]
    return [line.strip() for line in lines[1:]]


def test_a_term_with_every_column(tmp_path: Path) -> None:
    lexicon = Lexicon.read(
        write(
            tmp_path,
            "# extends = none\n"
            "term;variants;theme;definition;strength;case;needs;excludes;elsewhere;note;source\n"
            'quux IA;quuxIA | "Q" | ;rpa;study;context;exact;a | b*;@ai;c + d* | e;"x; y";me\n',
        )
    )
    assert lexicon.terms == (
        Term("quux IA", ("quuxIA", '"Q"'), "rpa", Definition.STUDY, Strength.CONTEXT, Case.EXACT,
             ("a", "b*"), ("@ai",), ("c + d*", "e"), "x; y", "me"),
    )  # fmt: skip


def test_a_term_alone_takes_the_defaults(tmp_path: Path) -> None:
    lexicon = Lexicon.read(write(tmp_path, '\ufeff# extends = "none"\n\nterm\nquux\n'))
    assert lexicon.terms == (Term("quux", (), "ia", Definition.STRICT, Strength.STRONG, Case.ANY),)


@pytest.mark.parametrize("separator", [";", ","])
def test_separators_blanks_and_column_order(tmp_path: Path, separator: str) -> None:
    text = f"# extends = none\n theme {separator} term \nrpa{separator} quux \n{separator}quuux\n"
    assert [(t.term, t.theme) for t in Lexicon.read(write(tmp_path, text)).terms] == [
        ("quux", "rpa"),
        ("quuux", "ia"),
    ]


def test_without_extends_the_default_stays(tmp_path: Path, lexicon: Lexicon) -> None:
    for head in ("", '# extends = "default"\n', "# a remark\n", "\n"):
        found = Lexicon.read(write(tmp_path, head + "term\nquux\n"))
        assert found.terms == (*lexicon.terms, Term("quux"))
        assert changed_terms(lexicon, found) == [("added", "quux")]


def test_an_empty_change_is_the_default(tmp_path: Path, lexicon: Lexicon) -> None:
    assert Lexicon.read(write(tmp_path, "term\n")).sha256 == lexicon.sha256


def test_replace_and_remove(tmp_path: Path, lexicon: Lexicon) -> None:
    found = Lexicon.read(
        write(tmp_path, "term;action;theme\nIA;replace;vision\nAI;remove;\nquux;add;rpa\nz;;\n")
    )
    assert found.get("AI") is None
    assert found.get("IA") == Term("IA", theme="vision")
    assert len(found) == len(lexicon) + 1
    assert changed_terms(lexicon, found) == [
        ("removed", "AI"),
        ("changed", "IA"),
        ("added", "quux"),
        ("added", "z"),
    ]
    assert changed_terms(found, lexicon)[0] == ("added", "AI")
    names = [t.term for t in found.terms]
    assert names.index("IA") == [t.term for t in lexicon.terms].index("IA")
    form = fold("IA")
    assert Scanner(found, Headings([])).scan(form, "IA").matches[0].term.theme == "vision"


@pytest.mark.parametrize(
    ("row", "line", "words"),
    [
        ("quux;sorcellerie;;", 3, ["theme is 'sorcellerie'", "machine_learning"]),
        (";ia;;", 3, ["term is empty"]),
        ("   ;ia;;", 3, ["term is empty"]),
        ("quux;;loud;", 3, ["strength is 'loud'", "strong, context, weak, trap"]),
        ("quux;;;destroy", 3, ["action is 'destroy'", "add, replace, remove"]),
        ("quux;;;;;;", 3, ["more cells"]),
        ("!!!;;;", 3, ["'!!!'", "no letter or digit"]),
        ("q" * 121 + ";;;", 3, ["121 characters", "120"]),
        ("IA;;;", 3, ["'IA'", "there already", "replace"]),
        ("quux;;;remove", 3, ["'quux'", "remove"]),
        ("quux;;;replace", 3, ["'quux'", "replace"]),
    ],
)
def test_a_mistake_is_named_with_its_line(
    tmp_path: Path, row: str, line: int, words: list[str]
) -> None:
    (mistake,) = mistakes(tmp_path, f"term;theme;strength;action\nfine;ia;;\n{row}\nalso;;;\n")
    assert mistake.startswith(f"line {line}: ")
    for word in words:
        assert word in mistake


@pytest.mark.parametrize(
    ("column", "cell", "words"),
    [
        ("definition", "large", ["definition is 'large'", "strict, study"]),
        ("case", "lower", ["case is 'lower'", "any, upper, exact, title"]),
        ("variants", "fine | ???", ["'???'", "no letter"]),
        ("variants", " | ".join(["x"] * 200), ["201 forms", "200"]),
        ("needs", "ok | *", ["'*'"]),
        ("excludes", "--", ["'--'"]),
        ("elsewhere", "fine | a + * + b", ["'*'"]),
        ("elsewhere", "+", ["'+'"]),
    ],
)
def test_a_bad_cell(tmp_path: Path, column: str, cell: str, words: list[str]) -> None:
    (mistake,) = mistakes(tmp_path, f"# extends = none\n\nterm;{column}\nquux;{cell}\n")
    assert mistake.startswith("line 4: ")
    for word in words:
        assert word in mistake


def test_every_mistake_is_named(tmp_path: Path) -> None:
    found = mistakes(
        tmp_path,
        "term;theme;case\nquux;nope;nope\n;;\nok;;\nok;rpa;\n",
    )
    assert [m.split(":")[0] for m in found] == ["line 2", "line 2", "line 3", "line 5"]
    assert "'ok' stands on line 4 already" in found[-1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("theme\nia\n", ["line 1", "expected 'term'"]),
        ("term;themme\nquux;ia\n", ["line 1", "unknown columns ['themme']", "theme"]),
        ("# extends = none\n\nnom;theme\n", ["line 3", "unknown columns ['nom']"]),
        ("", ["expected 'term'"]),
        ("# only a remark\n", ["expected 'term'"]),
        ("# extends = maybe\nterm\nquux\n", ["line 1", "extends is 'maybe'", "default or none"]),
    ],
)
def test_a_bad_head(tmp_path: Path, text: str, words: list[str]) -> None:
    message = "\n".join(mistakes(tmp_path, text))
    for word in words:
        assert word in message


def test_a_quoted_line_break_keeps_the_count_of_lines(tmp_path: Path) -> None:
    (mistake,) = mistakes(tmp_path, 'term;note;theme\nfine;"a\nb\nc";\nquux;;nope\n')
    assert mistake.startswith("line 5: ")


def test_a_lexicon_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_bytes("term\nréseau\n".encode("cp1252"))
    with pytest.raises(LexiconError, match=r"mine\.csv is not UTF-8 \(byte 6\)\. Save it"):
        Lexicon.read(path)


def test_a_lexicon_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(LexiconError, match="cannot be read: No such file"):
        Lexicon.read(tmp_path / "none.csv")
    with pytest.raises(LexiconError, match="cannot be read: Is a directory"):
        Lexicon.read(tmp_path)


def test_a_lexicon_that_is_too_large(tmp_path: Path) -> None:
    path = write(tmp_path, "term;note\n" + ("x" * 5_000_001))
    with pytest.raises(LexiconError, match="larger than 5,000,000 bytes"):
        Lexicon.read(path)
    rows = "".join(f"t{n}\n" for n in range(20_001))
    assert "more than 20,000 terms" in mistakes(tmp_path, "# extends = none\nterm\n" + rows)[-1]


def test_a_quote_that_is_never_closed(tmp_path: Path) -> None:
    rows = "".join(f"terme numéro {n};note\n" for n in range(8000))
    assert mistakes(tmp_path, 'term;note\nquux;"never closed\n' + rows)


def test_a_form_that_could_never_be_found(tmp_path: Path) -> None:
    assert mistakes(tmp_path, "# extends = none\nterm\nискусственный интеллект\n")


def test_sha256_changes_with_what_decides_only() -> None:
    def sha(**changes: object) -> str:
        base = {"term": "a", "variants": ("b",), "needs": ("c",)}
        return Lexicon((Term(**{**base, **changes}),)).sha256  # type: ignore[arg-type]

    same = sha()
    assert same == sha(note="x", source="y")
    different = [
        sha(term="z"), sha(variants=("b", "z")), sha(variants=()), sha(needs=()), sha(needs=("d",)),
        sha(needs=(), excludes=("c",)), sha(needs=(), elsewhere=("c",)),
        sha(theme="rpa"), sha(definition=Definition.STUDY),
        sha(strength=Strength.WEAK), sha(case=Case.UPPER),
        Lexicon((Term("a", ("b",), needs=("c",)), Term("z"))).sha256,
    ]  # fmt: skip
    assert len({same, *different}) == len(different) + 1


def test_changed_terms_sees_notes_too() -> None:
    before, after = Lexicon((Term("a"), Term("b"))), Lexicon((Term("b", note="x"), Term("c")))
    assert changed_terms(before, after) == [("removed", "a"), ("changed", "b"), ("added", "c")]
    assert changed_terms(before, before) == []


# --- the lexicon that ships --------------------------------------------------------------------


def test_the_lexicon_is_large_and_its_names_unique(lexicon: Lexicon) -> None:
    assert len(lexicon) >= 500
    assert max(Counter(term.term for term in lexicon.terms).values()) == 1
    assert max(Counter(term.term.casefold() for term in lexicon.terms).values()) == 1


def test_no_pattern_belongs_to_two_terms(lexicon: Lexicon) -> None:
    owners: dict[str, set[int]] = defaultdict(set)
    for pattern, number in lexicon.patterns():
        owners[pattern].add(number)
    assert {p: [lexicon.terms[n].term for n in o] for p, o in owners.items() if len(o) > 1} == {}
    assert {n for o in owners.values() for n in o} == set(range(len(lexicon)))


def test_every_theme_has_terms_under_its_definition(lexicon: Lexicon) -> None:
    strong = Counter(
        (term.theme, term.definition) for term in lexicon.terms if term.strength is Strength.STRONG
    )
    wider = {"big_data", "iot", "industrie_du_futur", "robotique", "rpa"}
    for theme in THEMES:
        usual = Definition.STUDY if theme in wider else Definition.STRICT
        assert strong[theme, usual] >= 3, theme
        # AI proper is never in the wider sense only.
        assert theme in wider or strong[theme, Definition.STUDY] == 0, theme
    assert {term.strength for term in lexicon.terms} == set(Strength)
    assert {term.case for term in lexicon.terms} == set(Case)


def test_the_shipped_file_has_the_documented_columns() -> None:
    from importlib import resources

    text = (resources.files("aiskills") / "data" / "lexicon.csv").read_text("utf-8")
    version, head = text.splitlines()[:2]
    assert version.startswith("# version = ")
    assert tuple(head.split(";")) == COLUMNS


def test_a_lexicon_tells_its_version(tmp_path: Path, lexicon: Lexicon) -> None:
    path = tmp_path / "my.csv"
    assert lexicon.version
    path.write_text('# version = "7"\nterm\nquux\n', "utf-8")
    assert Lexicon.read(path).version == f"{lexicon.version}+7"
    path.write_text("term\nquux\n", "utf-8")
    assert Lexicon.read(path).version == f"{lexicon.version}+custom"
    path.write_text('# extends = "none"\n# version = "7"\nterm\nquux\n', "utf-8")
    assert Lexicon.read(path).version == "7"


def test_strong_terms_are_found_as_they_are_written(scanner: Scanner, lexicon: Lexicon) -> None:
    strong = [(n, t) for n, t in enumerate(lexicon.terms) if t.strength is Strength.STRONG]
    missed = []
    for number, term in strong:
        text = f"Il faut connaître {term.term} pour ce travail."
        spans = [
            (m.number, text[slice(*fold(text).span(m.start, m.end))])
            for m in scanner.scan(fold(text), text).matches
        ]
        if (number, term.term) not in spans:
            missed.append(term.term)
    assert len(missed) <= 0.02 * len(strong), missed


def test_strong_variants_are_found_as_they_are_written(scanner: Scanner, lexicon: Lexicon) -> None:
    forms = [
        (number, form)
        for number, term in enumerate(lexicon.terms)
        if term.strength is Strength.STRONG
        for form in term.variants
    ]
    missed = []
    for number, form in forms:
        text = f"Il faut connaître {form} pour ce travail."
        if number not in {m.number for m in scanner.scan(fold(text), text).matches}:
            missed.append(form)
    assert len(missed) <= 0.02 * len(forms), missed


def test_no_trap_is_a_match_as_it_is_written(scanner: Scanner, lexicon: Lexicon) -> None:
    traps = [form for t in lexicon.terms if t.strength is Strength.TRAP for form in t.forms]
    assert traps
    for form in traps:
        text = f"Vous connaissez {form}."
        inside = [m.term.term for m in scanner.scan(fold(text), text).matches]
        assert inside == [], form


def test_homonyms_of_the_guide_are_no_matches(scanner: Scanner) -> None:
    for text in (
        "500 ml d'eau et 30 ml de peinture",
        "Envoyez votre CV",
        "j'ai ia ai",
        "Un contrat d'apprentissage",
        "Une organisation e-learning",
        "le mistral souffle",
        "Claude est votre responsable",
        "une école, un bus, un agent",
    ):
        assert scanner.scan(fold(text), text).matches == (), text
