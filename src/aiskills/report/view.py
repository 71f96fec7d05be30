"""What all parts of a page start from."""

from __future__ import annotations

from aiskills.report.numbers import Numbers
from aiskills.report.pictures import Pictures
from aiskills.report.records import Cell, Figures
from aiskills.report.tables import Tables
from aiskills.report.words import Words


class View:
    """Figures with the means to show them.

    Args:
        figures: What was measured.
        words: Wording.
        numbers: How numbers are written.
    """

    def __init__(self, figures: Figures, words: Words, numbers: Numbers) -> None:
        self.figures, self.words, self.numbers = figures, words, numbers
        self.tables = Tables(words, numbers)
        self.pictures = Pictures(figures, words, numbers)
        self.definition = figures.options.definition
        self.whole = figures.headline.demand[self.definition]

    def cells(self, name: str) -> tuple[Cell, ...]:
        """Cells of a table under the report's definition; none where it is not there."""
        return self.figures.tables.get(name, {}).get(self.definition, ())
