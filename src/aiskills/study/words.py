"""Texts and figures as people of one language write them."""

from __future__ import annotations

from collections.abc import Mapping

#: Between thousands, and before the percent sign, in French: a line is not broken there.
_NARROW = "\u202f"
_BLANK = "\u00a0"
_FAR = 99.0


class Words:
    """Texts of the comparison in one language.

    Args:
        texts: By key; ``{…}`` are filled in.
        lang: ``fr`` or ``en``.
    """

    def __init__(self, texts: Mapping[str, str], lang: str) -> None:
        self._texts = texts
        self.lang = lang

    def __call__(self, key: str, **parts: str) -> str:
        """The text of a key, filled in."""
        return self._texts[key].format(**parts)

    def count(self, number: int) -> str:
        """A whole number: ``12 345`` or ``12,345``."""
        return f"{number:,}".replace(",", _NARROW if self.lang == "fr" else ",")

    def number(self, value: float, digits: int, *, sign: bool = False) -> str:
        """A number with a decimal comma in French."""
        text = f"{value:{'+' if sign else ''},.{digits}f}"
        if self.lang == "fr":
            text = text.replace(",", _NARROW).replace(".", ",")
        return text

    def percent(self, share: float, *, sign: bool = False, digits: int | None = None) -> str:
        """A share as a percentage; below 10 % with two digits after the point, unless told."""
        if digits is None:
            digits = 0 if sign else 1 if abs(share) >= 0.1 else 2
            whole = round(100 * share, digits)
            digits = 0 if whole == int(whole) else digits
        return f"{self.number(100 * share, digits, sign=sign)}{_BLANK}%"

    def ends(self, low: float | None, high: float | None, *, sign: bool = False) -> str:
        """An interval in percent; ∞ where it has no upper end."""
        texts = [self._end(one, sign=sign) for one in (low, high)]
        return f"[{(_BLANK + '; ' if self.lang == 'fr' else ', ').join(texts)}]"

    def _end(self, end: float | None, *, sign: bool) -> str:
        if end is None:
            return "∞"
        # A growth of a hundredfold and more says no more than that.
        far = end > _FAR
        text = self.percent(min(end, _FAR), sign=sign).removesuffix(f"{_BLANK}%")
        return f">{text}" if far else text

    def window(self, window: str) -> str:
        """A period in words: ``2019 à 2024-S1``."""
        first, _, last = window.partition(":")
        texts = [
            part.replace("-H", "-S").replace("-Q", "-T") if self.lang == "fr" else part
            for part in filter(None, (first, last))
        ]
        return (" à " if self.lang == "fr" else " to ").join(texts)
