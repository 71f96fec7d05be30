"""Month of publication, from the forms in which files write dates."""

from __future__ import annotations

import calendar
import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

#: Years that a date may have; what lies outside is a slip of the pen. A fixed rule and not today's
#: date, so that a file gives the same result on any day.
FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2039

_LONGEST: Final = 80  # characters of a cell that holds a date
_EXCEL_EPOCH: Final = date(1899, 12, 30)
_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            "janvier janv jan january",
            "fevrier fevr fev february feb",
            "mars march mar",
            "avril avr april apr",
            "mai may",
            "juin june jun",
            "juillet juil july jul",
            "aout august aug",
            "septembre sept september sep",
            "octobre oct october",
            "novembre nov november",
            "decembre dec december",
        ),
        start=1,
    )
    for name in names.split()
}


def periods(dates: pa.Array, reference: date | None = None) -> pa.Array:
    """Months of dates.

    Understood are: ISO 8601 (`2023-03-12`, `2023-03`, with or without time and zone; the date as
    written counts, no zone is converted); day first with `/`, `-` or `.` (`12/03/2023`,
    `12.03.23`); `03/2023`; `2023/03/12`; `20230312`; French and English names of months (`12 mars
    2023`, `1er janv. 2024`, `March 12, 2023`, RFC 2822); seconds, milli-, micro- and nanoseconds
    since 1970 (UTC); Excel's serial days; Arrow's own dates and timestamps; and with a reference
    date `il y a 3 jours`, `hier`, `3 days ago`. A month-first date is never guessed: `12/25/2023`
    is none.

    Args:
        dates: Text, numbers, dates or timestamps; null where absent.
        reference: Day on which the file was made, from which relative dates count; None: they
            give no month.

    Returns:
        `2023-03` and the like; null where there is no date, an impossible one (`31/02/2023`), one
        outside `FIRST_YEAR` to `LAST_YEAR`, or one that is said to be the last day to apply.
    """
    if pa.types.is_temporal(dates.type):
        return _within(pc.strftime(dates, "%Y-%m"))
    texts = dates if pa.types.is_string(dates.type) else dates.cast(pa.string())
    months = _plain_months(texts)
    # Nearly all there is; of the others each different one is read once.
    others = np.flatnonzero(months == _NOT_PLAIN)
    coded = texts.take(pa.array(others)).dictionary_encode()
    found = np.array([_month_of(one, reference) for one in coded.dictionary.to_pylist()] + [_NONE])
    at = coded.indices.fill_null(len(coded.dictionary)).to_numpy()
    months[others] = found[at]
    return _month_names().take(pa.array(months, mask=months == _NONE))


#: Number of a month, counted from January of `FIRST_YEAR`, for a date that is none …
_NONE: Final = -1
#: … and for one in another form.
_NOT_PLAIN: Final = -2
#: Characters of a plain date, and where its digits of year, month and day stand.
_PLAIN_CHARS: Final = 10
_PLAIN_FORMS: Final = (
    (ord("-"), (4, 7), (0, 1, 2, 3), (5, 6), (8, 9)),
    (ord("/"), (2, 5), (6, 7, 8, 9), (3, 4), (0, 1)),
)


def _plain_months(texts: pa.Array) -> NDArray[np.int64]:
    """Numbers of the months of dates like ``2023-03-12``, also before a time, and ``12/03/2023``.

    Read from the bytes of all texts at once.
    """
    result = np.full(len(texts), _NOT_PLAIN)
    offsets = np.frombuffer(texts.buffers()[1], dtype=np.int32)[texts.offset :][: len(texts) + 1]
    letters = np.frombuffer(texts.buffers()[2] or b"", dtype=np.uint8)
    sizes = np.diff(offsets)
    rows = np.flatnonzero((sizes >= _PLAIN_CHARS) & texts.is_valid().to_numpy(zero_copy_only=False))
    chars = letters[offsets[rows][:, None] + np.arange(_PLAIN_CHARS)]
    alone = sizes[rows] == _PLAIN_CHARS
    behind = letters[np.where(alone, offsets[rows], offsets[rows] + _PLAIN_CHARS)]
    timed = ~alone & ((behind == ord("T")) | (behind == ord(" ")))
    for sign, signs, *digits in _PLAIN_FORMS:
        year, month, day = (_number_at(chars, places) for places in digits)
        plain = (chars[:, signs] == sign).all(axis=1) & (year >= 0) & (month >= 0) & (day >= 0)
        plain &= alone | timed if sign == ord("-") else alone
        number = (year - FIRST_YEAR) * 12 + month - 1
        inside = (year >= FIRST_YEAR) & (year <= LAST_YEAR) & (month >= 1) & (month <= 12)
        known = np.where(inside, number, 0)
        real = inside & (day >= 1) & (day <= _DAYS_OF_MONTH[known])
        result[rows[plain]] = np.where(real, known, _NONE)[plain]
    return result


def _number_at(chars: NDArray[np.uint8], places: Sequence[int]) -> NDArray[np.int64]:
    """The number that digits at some places make; -1 where one is none."""
    digits = chars[:, places].astype(np.int64) - ord("0")
    number = digits @ (10 ** np.arange(len(places) - 1, -1, -1))
    return np.where(((digits >= 0) & (digits <= 9)).all(axis=1), number, -1)


#: By number the months that a date may fall in and their days.
_MONTHS_KNOWN: Final = [(y, m) for y in range(FIRST_YEAR, LAST_YEAR + 1) for m in range(1, 13)]
_DAYS_OF_MONTH: Final = np.array([calendar.monthrange(*one)[1] for one in _MONTHS_KNOWN])


@cache
def _month_names() -> pa.Array:
    # Not at import: making an Arrow array loads pandas.
    return pa.array([f"{year:04}-{month:02}" for year, month in _MONTHS_KNOWN])


def _within(months: pa.Array) -> pa.Array:
    years = pc.utf8_slice_codeunits(months, 0, 4)
    known = pc.is_in(years, pa.array([str(y) for y in range(FIRST_YEAR, LAST_YEAR + 1)]))
    places = pa.array(np.arange(len(months)), mask=~known.to_numpy(zero_copy_only=False))
    return months.take(places)


def _month_of(text: str | None, reference: date | None) -> int:
    found = parse_date(text, reference) if text is not None else None
    if found is None or not FIRST_YEAR <= found.year <= LAST_YEAR:
        return _NONE
    return (found.year - FIRST_YEAR) * 12 + found.month - 1


def parse_date(text: str, reference: date | None = None) -> date | None:
    """The date a text holds, the first of the month where it tells no day; None if there is none.

    Args:
        text: A date in one of the forms that `periods` understands.
        reference: Day from which relative dates count.

    Examples:
        >>> parse_date("Publié le 1er août 2023"), parse_date("2023-03-12T23:30:00+02:00")
        (datetime.date(2023, 8, 1), datetime.date(2023, 3, 12))
    """
    if len(text) > _LONGEST:
        return None
    plain = text.lower().strip()
    if not plain.isascii():
        plain = unicodedata.normalize("NFD", plain)
        plain = "".join(char for char in plain if not unicodedata.combining(char))
    if _NO_PUBLICATION.search(plain):
        return None
    for pattern, read in _FORMS:
        if match := pattern.search(plain):
            try:
                return read(match)
            except (ValueError, OverflowError, OSError):
                return None
    return _relative(plain, reference) if reference else None


#: The last day to apply, or the day the work begins, is no publication.
_NO_PUBLICATION: Final = re.compile(r"limite|cloture|jusqu|expire|deadline|prise de poste")


def _year_first(match: re.Match[str]) -> date:
    return date(int(match[1]), int(match[2]), int(match[3] or 1))


def _day_first(match: re.Match[str]) -> date:
    return date(_full_year(match[3]), int(match[2]), int(match[1]))


def _month_year(match: re.Match[str]) -> date:
    return date(int(match[2]), int(match[1]), 1)


def _named_month(match: re.Match[str]) -> date:
    return date(_full_year(match[3]), _month_number(match[2]), int(match[1] or 1))


def _named_month_first(match: re.Match[str]) -> date:
    return date(int(match[3]), _month_number(match[1]), int(match[2] or 1))


def _month_number(name: str) -> int:
    number = _MONTHS.get(name)
    if number is None:
        raise ValueError(name)
    return number


def _full_year(text: str) -> int:
    return int(text) if len(text) == 4 else 2000 + int(text)


def _number(match: re.Match[str]) -> date:
    digits = match[1] if match[1].isdigit() else str(int(float(match[1])))
    if len(digits) == 8:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    if len(digits) == 5:
        return _EXCEL_EPOCH + timedelta(days=int(digits))
    seconds = int(digits) / 10 ** (len(digits) - 10)
    return datetime.fromtimestamp(seconds, UTC).date()


_NAME: Final = r"([a-z]{3,9})\.?"
_DAY_OF_MONTH: Final = r"(?<![0-9])([0-9]{1,2})(?:er|st|nd|rd|th)?"
_FORMS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], date]], ...]] = (
    (re.compile(r"^([0-9]{8}|[0-9]{5}|[0-9]{10}|[0-9]{13}|[0-9]{16}|[0-9]{19})(?:\.[0-9]+)?$"),
     _number),
    (re.compile(r"^([0-9]\.[0-9]{1,18}e\+?[0-9]{1,2})$"), _number),  # how Arrow writes floats
    (re.compile(r"(?<![0-9])([0-9]{4})[-/.]([0-9]{1,2})(?:[-/.]([0-9]{1,2}))?(?![0-9])"),
     _year_first),
    (re.compile(r"(?<![0-9])([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([0-9]{4}|[0-9]{2})(?![0-9])"),
     _day_first),
    (re.compile(r"(?<![0-9])([0-9]{1,2})[-/.]([0-9]{4})(?![0-9])"), _month_year),
    (re.compile(rf"{_DAY_OF_MONTH}[ -]{_NAME}[ -]([0-9]{{4}}|[0-9]{{2}}$)"),
     _named_month),
    (re.compile(rf"\b{_NAME} ([0-9]{{1,2}})(?:st|nd|rd|th)?,? ([0-9]{{4}})\b"), _named_month_first),
    (re.compile(rf"(?:^|[a-z] )(){_NAME}[ -]([0-9]{{4}})\b"), _named_month),
)  # fmt: skip

_AGO: Final = re.compile(
    r"(?:il y a|depuis)? ?(?:plus d[e']|environ|plus de)? ?(un|une|a|an|[0-9]{1,3})\+? ?"
    r"(minute|min|h|heure|hour|j|jour|day|d|semaine|week|mois|month|an|annee|year)s?\b"
)
_DAYS: Final = {
    **dict.fromkeys(("minute", "min", "h", "heure", "hour"), 0.0),
    **dict.fromkeys(("j", "jour", "day", "d"), 1.0),
    **dict.fromkeys(("semaine", "week"), 7.0),
    **dict.fromkeys(("mois", "month"), 30.44),
    **dict.fromkeys(("an", "annee", "year"), 365.25),
}


def _relative(plain: str, reference: date) -> date | None:
    if re.search(r"aujourd|today|instant|just posted", plain):
        return reference
    if re.search(r"avant-hier", plain):
        return reference - timedelta(days=2)
    if re.search(r"\bhier\b|yesterday", plain):
        return reference - timedelta(days=1)
    if not re.search(r"il y a|ago|depuis", plain) or (match := _AGO.search(plain)) is None:
        return None
    count = int(match[1]) if match[1].isdigit() else 1
    return reference - timedelta(days=round(count * _DAYS[match[2]]))
