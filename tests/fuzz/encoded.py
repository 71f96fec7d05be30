"""Bytes to texts that are worth reading: half of all bytes are a character, half a fragment.

A fuzzer that changes bytes hardly ever writes "apprentissage automatique" or a broken HTML comment.
Here one byte does, so that its changes are those of an offer's parts.
"""

from __future__ import annotations

from typing import Final

#: What damaged, hostile and ordinary offers are made of; at most 128, a byte from 0x80 on each.
FRAGMENTS: Final = (
    *("intelligence artificielle", "IA", "(IA)", "machine learning", "réseaux de neurones"),
    *("IoT", "big data", "data scientist", "LLM", "ChatGPT", "apprentissage", "algorithmes"),
    *("ingénieur d'affaires", "vision par ordinateur", "prédiction", "deep-learning", "RPA"),
    *("Vous", "Notre client", "Profil :", "Missions", "Avantages", "Processus", "h/f", "cadre"),
    *(
        "développeur·se",
        "développeur(se)",
        "ingénieur.e.s",
        "chargé/e",
        "technicien-ne",
        "l?équipe",
    ),
    *("artifi-\ncielle", "-\r\n", "\u2010\n", "\u00ad", "posteEn", "C++", "R&D", "œuvre", "Œ"),
    *("<br>", "<li>", "</li>", "<!--", "-->", "<script>", "</script>", "<", ">", "</", "<p "),
    *("&eacute;", "&nbsp;", "&#233;", "&#xE9;", "&#9999999;", "&#x110000;", "&#0;", "&amp;lt;"),
    *("Ã©", "Ã ", "â€™", "Å“", "Ã", "e\u0301", "\u0301", "\u200b", "\u202e", "\u2066", "\ufeff"),
    *("\x00", "\x1e", "\x1f", "\x85", "\u2028", "\ud800", "\udfff", "\udce9", "\U0001d40c", "ﬁ"),
    *("　", "\xa0", "·", "¦", "\t", "\r", "\n\n", "…", "’", "İ", "ß", "ſ", "Ⅳ", "²", "日本", "א"),
    *("=1+1", "+", "-", "@ai", "|", ";", ",", '"', '""', "#", " + ", "*", "{", "}", "[", "]"),
    *("2024-03-01", "il y a 3 jours", "01000", "Paris (75)", "62.01Z", "idcc 1486", "12 mars 2024"),
)
assert len(FRAGMENTS) <= 128


def text_of(data: bytes) -> str:
    """The text that some bytes stand for."""
    return "".join(
        chr(byte) if byte < 128 else FRAGMENTS[(byte - 128) % len(FRAGMENTS)] for byte in data
    )


def bytes_of(text: str) -> bytes:
    """Bytes of a text of fragments and ASCII, the other way round; other signs become ``?``."""
    found = bytearray()
    place = 0
    longest = sorted(range(len(FRAGMENTS)), key=lambda number: -len(FRAGMENTS[number]))
    while place < len(text):
        for number in longest:
            if text.startswith(FRAGMENTS[number], place):
                found.append(128 + number)
                place += len(FRAGMENTS[number])
                break
        else:
            found += text[place].encode("ascii", "replace")
            place += 1
    return bytes(found)
