"""The tables behind the branch: agreements, NAF codes and sector labels, as findings."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Final

from aiskills.attributes.industry import is_insee_industry
from aiskills.attributes.naf import Naf2025, NafCode, parse_naf
from aiskills.attributes.western import by_character
from aiskills.phrases import CueKind
from aiskills.phrases.cues import OUTSIDE as OUTSIDE_ID

METALLURGIE: Final = "Métallurgie"
OUTSIDE: Final = "hors OPCO 2i"
HEAD_OFFICE: Final = "siège"
INTERMEDIARY: Final = "intermédiaire"
UNKNOWN: Final = "inconnu"
CERTAIN: Final = "certain"
MAJORITY: Final = "majority"
AMBIGUOUS: Final = "ambiguous"

_NOT_THE_PLANT: Final = (HEAD_OFFICE, INTERMEDIARY)
_YES_NO: Final = {"oui": True, "non": False, "": None}
#: Numbers that stand for "no agreement" in payroll declarations.
_NO_AGREEMENT: Final = frozenset({0, 5100, 5501, 9998, 9999})
#: Stands for intermediaries in the table of words in employers' names.
_AGENCY_ID: Final = "intermediaire"
#: Temporary workers, and the permanent staff of their agencies.
_AGENCY_AGREEMENTS: Final = (2378, 1413)
#: More than this share of a class's sub-classes is its majority; more than half is ambiguous.
_MAJORITY_SHARE: Final = 2 / 3


@dataclass(frozen=True, slots=True)
class Finding:
    """What one field says of an employer.

    Attributes:
        branch: Branch name, `hors OPCO 2i`, `siège`, `intermédiaire` or `inconnu`.
        confidence: certain, majority or ambiguous; empty for `inconnu`.
        opco2i: Whether it is in OPCO 2i's perimeter; None if not known.
        insee: Whether it is in INSEE's sections B to E; None if not known.
        naf: The NAF rev. 2 code behind it, at any level; empty if there is none.
        division: Division of the NAF code behind it, of either version; empty if there is none.
    """

    branch: str = UNKNOWN
    confidence: str = ""
    opco2i: bool | None = None
    insee: bool | None = None
    naf: str = ""
    division: str = ""

    def capped(self) -> Finding:
        """The same, `ambiguous` at best."""
        return replace(self, confidence=self.confidence and AMBIGUOUS)


NOTHING: Final = Finding()


class BranchTables:
    """Everything that tells a branch, looked up by agreement, NAF code or sector label.

    Attributes:
        branches: The names of the 30 branches of OPCO 2i.
    """

    def __init__(self) -> None:
        self._by_idcc: dict[int, Finding] = {}
        self._current: dict[int, int] = {}
        self._by_name: dict[str, Finding] = {}
        self._by_id = {
            OUTSIDE_ID: Finding(OUTSIDE, MAJORITY, opco2i=False),
            _AGENCY_ID: Finding(INTERMEDIARY, MAJORITY),
        }
        self._by_label: dict[str, Finding] = {}
        self._as_written: dict[str, Finding] = {}  # most labels need no folding
        self._by_naf: dict[str, Finding] = {}
        names: list[str] = []
        for row in _rows("branches.csv"):
            names.append(row["name"])
            found = Finding(row["name"], CERTAIN, True, _YES_NO[row["insee"]])
            self._by_id[row["id"]] = replace(found, confidence=MAJORITY)
            today = [int(one) for one in row["idcc"].split("|")]
            for idcc in [*today, *(int(one) for one in row["former"].split("|") if one)]:
                self._by_idcc[idcc] = found
                self._current[idcc] = today[0]
            for name in filter(None, [row["name"], *row["aliases"].split("|")]):
                self._by_name[fold_label(name)] = found
        for idcc in _AGENCY_AGREEMENTS:
            self._by_idcc[idcc] = Finding(INTERMEDIARY, CERTAIN)
        self.branches: Final = tuple(names)
        self._insee = {row.branch: row.insee for row in self._by_idcc.values()}
        self._read_naf()
        self._read_labels()

    def _read_naf(self) -> None:
        below: dict[str, list[Finding]] = {}
        for row in _rows("naf_branch.csv"):
            naf, branch = row["naf"], row["branch"]
            insee = is_insee_industry(NafCode(naf))
            found = Finding(
                branch,
                row["confidence"],
                self._in_opco2i(branch),
                None if branch in _NOT_THE_PLANT else insee,
                naf,
                naf[:2],
            )
            self._by_naf[naf] = self._as_written[row["label_fr"]] = found
            self._by_label[fold_label(row["label_fr"])] = found
            for length in (2, 4, 5):  # division, group, class
                below.setdefault(naf[:length], []).append(found)
        for prefix, parts in below.items():
            found = _together(parts)
            self._by_naf[prefix] = replace(found, naf=prefix, division=prefix[:2])

    def _read_labels(self) -> None:
        for row in _rows("sector_labels.csv"):
            if row["naf"]:
                found = self._by_naf[row["naf"]]
            else:
                branch = row["branch"]
                opco2i, insee = _YES_NO[row["opco2i"]], _YES_NO[row["insee"]]
                found = Finding(
                    branch,
                    row["confidence"],
                    self._in_opco2i(branch) if opco2i is None else opco2i,
                    self._insee.get(branch) if insee is None else insee,
                )
            self._by_label[fold_label(row["label"])] = self._as_written[row["label"]] = found
        for name, found in self._by_name.items():
            self._by_label.setdefault(name, replace(found, confidence=MAJORITY))

    def _in_opco2i(self, branch: str) -> bool | None:
        return True if branch in self.branches else False if branch == OUTSIDE else None

    def current_idcc(self, idcc: int) -> int:
        """The agreement that took over a former one of OPCO 2i; others as they are."""
        return self._current.get(idcc, idcc)

    def of_idcc(self, idcc: int) -> Finding:
        """What a number of agreement tells: certain, or nothing where it names none."""
        if idcc in _NO_AGREEMENT or not 0 < idcc <= 9999:
            return NOTHING
        return self._by_idcc.get(idcc, Finding(OUTSIDE, CERTAIN, opco2i=False))

    def of_idcc_text(self, text: str) -> Finding:
        """What a cell tells that holds agreements, by number or by name.

        Several agreements of different branches: the first one's, ambiguous.
        """
        found = [self.of_idcc(idcc) for idcc in parse_idcc(text)]
        if not found:
            found = [self._by_name.get(_AGREEMENT.sub("", fold_label(text)), NOTHING)]
        known = [one for one in found if one.branch != UNKNOWN]
        if not known:
            return NOTHING
        return known[0] if len({one.branch for one in known}) == 1 else known[0].capped()

    def of_id(self, branch: str) -> Finding:
        """What a word or phrase tells that stands for a branch, by its id; majority at best."""
        return self._by_id.get(branch, NOTHING)

    def of_cues(self, kinds: str) -> Finding:
        """What the phrases of a text tell, as `aiskills.phrases.kinds_text` gives them.

        Phrases of several branches leave the branch unknown and keep the perimeter they share; a
        text that tells of industry and of another line of business tells nothing.
        """
        marks = [one.partition(":") for one in kinds.split("|")]
        told = [self._by_id[branch] for kind, _, branch in marks if kind == CueKind.BRANCH]
        return told[0] if len(told) == 1 else _shared(told) if told else NOTHING

    def of_naf(self, code: NafCode, naf2025: Naf2025 | None = None) -> Finding:
        """What a NAF code tells.

        Levels above the sub-class take what most of their sub-classes are. A code that does not
        exist is read one level up, and so is any of NAF 2025 that `naf2025` lacks by its
        division, both ambiguous at best.
        """
        if code.is_2025:
            before = [
                self._by_naf[one]
                for one in (naf2025 or {}).get(code.code, ())
                if one in self._by_naf
            ]
            if before:
                return replace(_together(before), division=code.division)
            return replace(self._by_division_2025(code).capped(), naf="", division=code.division)
        if found := self._by_naf.get(code.code):
            return found
        for length in (5, 4, 2):
            if found := self._by_naf.get(code.code[:length]):
                return found.capped()
        return NOTHING

    def _by_division_2025(self, code: NafCode) -> Finding:
        # The two classes of head offices and holding companies (64.20 is 64.21 in NACE 2.1).
        if code.code[:5] in {"70.10", "64.21"}:
            return self._by_naf["70.10"]
        return self._by_naf.get(code.division, NOTHING)

    def of_naf_text(self, text: str, naf2025: Naf2025 | None = None) -> Finding:
        """What a cell tells that should hold a NAF code, and may hold INSEE's label instead."""
        if exact := self._by_naf.get(text):
            return exact
        code = parse_naf(text)
        if code is not None:
            return self.of_naf(code, naf2025)
        found = self._by_label.get(fold_label(text), NOTHING)
        return found if found.naf else NOTHING

    def of_label(self, text: str) -> Finding:
        """What a sector label tells, or a list of them.

        A list counts where all its known parts agree; parts of different branches leave the
        branch unknown, and keep a perimeter that all of them share.
        """
        if found := self._as_written.get(text) or self._by_label.get(fold_label(text)):
            return found
        parts = [fold_label(one).removeprefix("and ") for one in re.split(r"[,;|]", text)]
        found_all = [self._by_label.get(one) for one in parts if one]
        known = [one for one in found_all if one is not None]
        if not known:
            return NOTHING
        found = _together(known) if len({one.branch for one in known}) == 1 else _shared(known)
        whole = len(known) == len(found_all)
        return found if whole or found.branch not in self.branches else found.capped()


@cache
def branch_tables() -> BranchTables:
    """The tables that ship with the package, read once."""
    return BranchTables()


_AGREEMENT: Final = re.compile(
    r"^(?:(?:ccn|convention|collective|nationale|unique|idcc|branche|accord)\s+)*"
    r"(?:(?:de|des|du|la|le|les|l)\s+)*"
)
_MARKED_IDCC: Final = re.compile(r"idcc\s*(?:n[°ºo.]*)?\s*[:=]?\s*(\d{1,5})(?!\d)", re.IGNORECASE)
_LEADING_IDCC: Final = re.compile(r"\s*(?:CCN?\s*)?(\d{1,5})(?:\.0)?(?![\w.])\s*[,;|/]?")


def parse_idcc(text: str) -> tuple[int, ...]:
    """The numbers of agreement in a cell: those marked IDCC, else those it begins with.

    Numbers in running text (dates, brochures) are none.

    >>> parse_idcc("0044"), parse_idcc("Métallurgie (IDCC n° 3248)"), parse_idcc("Brochure 3109")
    ((44,), (3248,), ())
    """
    marked = [int(one) for one in _MARKED_IDCC.findall(text)]
    if marked:
        return tuple(marked)
    numbers: list[int] = []
    place = 0
    while found := _LEADING_IDCC.match(text, place):
        numbers.append(int(found[1]))
        place = found.end()
    return tuple(numbers)


def fold_label(text: str) -> str:
    """A label in the form in which labels are compared.

    >>> fold_label("Fabrication d’éléments  (n.c.a.) & œuvres, 400 m²")
    'fabrication d elements n c a oeuvres 400 m2'
    """
    return " ".join(_letters_and_digits(text).split())


@by_character
def _letters_and_digits(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.lower().replace("œ", "oe"))
    return "".join(one if one.isalnum() else " " for one in plain if not unicodedata.combining(one))


def _together(parts: list[Finding]) -> Finding:
    """One finding for several sub-classes: what most of them are, as sure as that allows."""
    counts = Counter(one.branch for one in parts)
    branch, count = counts.most_common(1)[0]
    share = count / len(parts)
    mixed_offices = len(counts) > 1 and bool(counts.keys() & set(_NOT_THE_PLANT))
    if branch == UNKNOWN or share <= (_MAJORITY_SHARE if mixed_offices else 1 / 2):
        return _shared(parts)
    of_it = [one.confidence for one in parts if one.branch == branch]
    if share <= _MAJORITY_SHARE or of_it.count(AMBIGUOUS) * 2 > count:
        confidence = AMBIGUOUS
    else:
        confidence = CERTAIN if of_it.count(CERTAIN) == len(parts) else MAJORITY
    opco2i = next(one.opco2i for one in parts if one.branch == branch)
    insee = _common(one.insee for one in parts if one.branch not in _NOT_THE_PLANT)
    return Finding(branch, confidence, opco2i, insee)


def _shared(parts: list[Finding]) -> Finding:
    """Only the perimeters that all parts have in common."""
    return Finding(
        opco2i=_common(one.opco2i for one in parts), insee=_common(one.insee for one in parts)
    )


def _common(values: Iterable[bool | None]) -> bool | None:
    every = set(values)
    return every.pop() if len(every) == 1 else None


def _rows(name: str) -> Iterable[Mapping[str, str]]:
    text = (resources.files("aiskills") / "data" / name).read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return csv.DictReader(io.StringIO("\n".join(lines)), delimiter=";")
