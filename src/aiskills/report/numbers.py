"""Numbers as French and English readers write them: `3,0 %`, `12 345`, `+56 %`, `mars 2023`.

French: decimal comma; thousands parted by a narrow no-break space (U+202F), which also stands
before the percent sign, so that no number breaks over two lines (Lexique des règles typographiques
en usage à l'Imprimerie nationale; CLDR 48, locale fr).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

#: Narrow no-break space, minus sign, and what stands for no figure.
THIN: Final = "\u202f"
MINUS: Final = "\u2212"
NOTHING: Final = "–"

_MONTHS: Final = {
    "fr": ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
           "octobre", "novembre", "décembre"),
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September",
           "October", "November", "December"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Numbers:
    """Writes numbers in one language.

    Attributes:
        lang: `fr` or `en`.
        digits: Decimals of percentages, so that the figures of one page compare.
    """

    lang: str
    digits: int = 1

    def count(self, value: float | None) -> str:
        """A whole number; a dash for none.

        >>> Numbers("fr").count(12345) == "12" + THIN + "345"
        True
        """
        if (value := _finite(value)) is None:
            return NOTHING
        return self._localized(f"{round(value):,}")

    def decimal(self, value: float | None, digits: int = 1) -> str:
        """A number with decimals; a dash for none."""
        value = _finite(value)
        return NOTHING if value is None else self._localized(f"{value:,.{digits}f}")

    def percent(self, share: float | None, digits: int | None = None) -> str:
        """A share from 0 to 1 as a percentage; a dash for none.

        >>> Numbers("fr").percent(0.0301) == "3,0" + THIN + "%", Numbers("en").percent(0.0301)
        (True, '3.0%')
        """
        if (share := _finite(share)) is None:
            return NOTHING
        digits = self.digits if digits is None else digits
        return self.decimal(100 * share, digits) + self._sign

    def interval(self, low: float | None, high: float | None, digits: int | None = None) -> str:
        """Both ends of an interval of a share; a dash if it has none."""
        if (low := _finite(low)) is None or _finite(high) is None:
            return NOTHING
        digits = self.digits if digits is None else digits
        middle = f" {'à' if self.lang == 'fr' else 'to'} "
        first = self.decimal(100 * low, digits)
        return (
            first + ("" if self.lang == "fr" else self._sign) + middle + self.percent(high, digits)
        )

    def signed(self, change: float | None, digits: int = 0) -> str:
        """A relative change as a percentage with its sign; 0.56 is `+56 %`.

        >>> Numbers("en").signed(0.56), Numbers("en").signed(-0.041, 1)
        ('+56%', '\u22124.1%')
        """
        if (change := _finite(change)) is None:
            return NOTHING
        if round(change, 2) == -1 < change and not digits:
            digits = 1  # nearly all gone is not all gone
        return ("+" if change > 0 else "") + self.decimal(100 * change, digits) + self._sign

    def points(self, difference: float | None) -> str:
        """A difference of shares in percentage points."""
        if (difference := _finite(difference)) is None:
            return NOTHING
        sign = "+" if difference >= 0 else ""
        many = abs(round(100 * difference, self.digits)) >= 2
        unit = ("points" if many else "point") if self.lang == "fr" else "pp"
        return f"{sign}{self.decimal(100 * difference, self.digits)}{THIN}{unit}"

    def period(self, name: str) -> str:
        """A month, quarter, half or year by its name: `2023-03` is `mars 2023`."""
        year, _, rest = name.partition("-")
        if rest.isdigit() and 1 <= int(rest) <= 12:
            return f"{_MONTHS[self.lang][int(rest) - 1]} {year}"
        if rest[:1] in ("H", "Q") and rest[1:].isdigit():
            letter = {"H": "S", "Q": "T"}[rest[0]] if self.lang == "fr" else rest[0]
            return f"{letter}{rest[1:]} {year}"
        return name

    def day(self, iso: str) -> str:
        """A day `2025-02-14` as `14 février 2025`."""
        year, month, day = (int(part) for part in iso[:10].split("-"))
        first = "1er" if self.lang == "fr" and day == 1 else str(day)
        return f"{first} {_MONTHS[self.lang][month - 1]} {year}"

    @property
    def _sign(self) -> str:
        return f"{THIN}%" if self.lang == "fr" else "%"

    def _localized(self, text: str) -> str:
        text = text.replace("-", MINUS)
        if not text.strip(f"{MINUS}0.,"):
            text = text.replace(MINUS, "")
        if self.lang == "fr":
            return text.replace(",", THIN).replace(".", ",")
        return text


def _finite(value: float | None) -> float | None:
    """The value; None for none, NaN and infinity."""
    return value if value is not None and math.isfinite(value) else None
