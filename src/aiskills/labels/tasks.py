"""An offer as it is given to an annotator, whatever the tool."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from aiskills.schema import THEMES, Definition, Status

#: Stands for a character that a tool would count as two (emoji and the like).
PLACEHOLDER: Final = "□"
_NOT_ONE_UNIT: Final = re.compile("[\U00010000-\U0010ffff\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_OF: Final = re.compile(r"\s*(\d+)\s+of\s+(\d+)\s*")

#: What a marked place can be called: its status and the narrowest definition under which it counts.
MARKS: Final = {
    "demand strict": (Status.DEMAND, Definition.STRICT),
    "demand study": (Status.DEMAND, Definition.STUDY),
    "mention strict": (Status.MENTION, Definition.STRICT),
    "mention study": (Status.MENTION, Definition.STUDY),
    "not AI": (Status.NONE, None),
}
#: Colours of the marks, for tools that show some.
COLOURS: Final = dict(
    zip(MARKS, ("#b35900", "#d9a441", "#1f6f8b", "#7fb5c8", "#8a8a8a"), strict=True)
)
#: What is said of a whole offer, for tools that have one list of choices.
UNSURE: Final = "unsure"
CHOICES: Final = (
    *(f"strict:{status}" for status in (Status.DEMAND, Status.MENTION, Status.NONE)),
    *(f"study:{status}" for status in (Status.DEMAND, Status.MENTION, Status.NONE)),
    *(f"theme:{theme}" for theme in THEMES),
    UNSURE,
)


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in an offer and what it means.

    Attributes:
        start: Offset of its first character in ``title + newline + description``.
        end: Exclusive end.
        status: What it means for the person hired.
        definition: The narrowest definition under which it counts; None for `none`.
    """

    start: int
    end: int
    status: Status
    definition: Definition | None

    @property
    def name(self) -> str:
        """Its name in `MARKS`."""
        return next(n for n, said in MARKS.items() if said == (self.status, self.definition))


@dataclass(frozen=True, slots=True)
class Task:
    """One offer to label.

    Attributes:
        uid: The offer's identifier (`offer_uid`).
        title: Its title, empty if there is none.
        description: Its description, likewise.
        lang: fr, en or other.
        set: The draw's name.
        stratum: Code of the stratum it was drawn from; tells nothing of the model's answer.
        drawn: Offers drawn from that stratum; None for a draw without probabilities.
        of: Offers in that stratum; None likewise.
        suggestions: Marks that the model suggests; empty to leave the annotator alone.
    """

    uid: str
    title: str
    description: str
    lang: str = "fr"
    set: str = ""
    stratum: str = ""
    drawn: int | None = None
    of: int | None = None
    suggestions: tuple[Mark, ...] = ()

    @property
    def text(self) -> str:
        """Title, newline and description as tools show them (`one_unit`)."""
        return one_unit(f"{self.title}\n{self.description}")

    @property
    def inclusion(self) -> str:
        """The probability with which it was drawn, as a fraction: ``12 of 4711``; or empty."""
        return "" if self.of is None else f"{self.drawn} of {self.of}"

    @property
    def about(self) -> dict[str, str]:
        """What a tool has to carry along, to be given back with the labels."""
        return {
            "uid": self.uid,
            "lang": self.lang,
            "set": self.set,
            "stratum": self.stratum,
            "inclusion": self.inclusion,
        }


def one_unit(text: str) -> str:
    r"""A text in which every character is one unit for any tool, at the place where it was.

    JavaScript counts characters beyond U+FFFF as two, some tools count ``\r\n`` as one, and data
    bases refuse control characters. Offsets into this text are offsets into the given one,
    whichever way a tool counts.

    Args:
        text: Any text.

    Returns:
        As many characters. Those beyond U+FFFF become the letter they stand for (mathematical
        bold) or `PLACEHOLDER` (emoji); carriage returns and other control characters, blanks.

    >>> one_unit("\U0001f680 \U0001d5dc\U0001d5d4\r\n")
    '□ IA \n'
    """
    return _NOT_ONE_UNIT.sub(_plain, text)


def _plain(found: re.Match[str]) -> str:
    character = found[0]
    if character < " " or "\x7f" <= character <= "\x9f":
        return " "
    plain = unicodedata.normalize("NFKC", character) if character > "\uffff" else ""
    return plain if len(plain) == 1 and plain <= "\uffff" else PLACEHOLDER


def from_utf16(text: str, start: int, end: int) -> tuple[int, int]:
    """Offsets counted in UTF-16 units, as JavaScript does, as offsets in characters.

    Args:
        text: The text they were counted in.
        start: First unit.
        end: Exclusive end.

    >>> from_utf16("\U0001f680 IA", 3, 5)
    (2, 4)
    """
    units = text.encode("utf-16-le", "surrogatepass")
    first, last = (
        len(units[: 2 * offset].decode("utf-16-le", "replace")) for offset in (start, end)
    )
    return first, last


def parse_inclusion(given: object) -> float | None:
    """The probability that a tool or a spreadsheet gave back.

    Args:
        given: ``12 of 4711``, a number, or its text with a point or a comma; None or empty where
            there is none.

    Returns:
        The probability, above 0 and at most 1; None where there is none.

    Raises:
        ValueError: It is nothing of these.

    >>> parse_inclusion("1 of 4"), parse_inclusion("0,25"), parse_inclusion("")
    (0.25, 0.25, None)
    """
    if given is None or given == "" or given != given:  # NaN, which pandas writes for nothing
        return None
    fraction = _OF.fullmatch(given) if isinstance(given, str) else None
    if fraction and int(fraction[2]):
        value = int(fraction[1]) / int(fraction[2])
    else:
        try:
            value = float(str(given).replace(",", "."))
        except ValueError:
            value = -1.0
    if not 0 < value <= 1:
        raise ValueError(f"inclusion {given!r}; expected a probability, as in 12 of 4711")
    return value
