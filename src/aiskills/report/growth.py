"""Growth of the number of AI offers, in industry and in the other sectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from aiskills.errors import InputError
from aiskills.estimate import Measurement
from aiskills.report.records import Growth, Growths, Options
from aiskills.report.sources import Source

#: The periods of the published study.
PERIODS: Final = ("2019", "2023")
_SECTOR: Final = {"true": "industry", "false": "other", "inconnu": "unknown", "total": "total"}
_MEASURES: Final = ("flagged", "offers")


def growths(
    ask: Callable[..., Measurement], found: Sequence[Source], options: Options
) -> Growths | None:
    """Growth by sector between the periods of the published study.

    Args:
        ask: Measures.
        found: The files.
        options: Whose definition counts.

    Returns:
        None where the offers do not cover both periods, or their sector or month is not there.
    """
    column = f"ai_industry_{'insee' if options.perimeter == 'insee' else 'opco2i'}"
    if not all({column, "ai_period"} <= set(one.columns) for one in found):
        return None
    try:
        table = ask(by=(column,), growth=PERIODS, perimeter="all").table
    except InputError:  # a period without offers
        return None
    rows = [
        Growth(
            _SECTOR[row[column].lower()],
            row["measure"],
            row["first"],
            row["last"],
            row["change"],
            row["low"],
            row["high"],
        )
        for row in table.to_pylist()
        if row["definition"] == options.definition
        and row["measure"] in _MEASURES
        and row[column].lower() in _SECTOR
    ]
    order = list(_SECTOR.values())
    rows.sort(key=lambda row: (order.index(row.sector), _MEASURES.index(row.measure)))
    return Growths(*PERIODS, tuple(rows))
