"""`aiskills.measure`: the measure for Python users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict, Unpack

from aiskills.errors import UsageError
from aiskills.estimate.classification import ErrorRates
from aiskills.estimate.measurement import Correction, run
from aiskills.estimate.options import (
    Question,
    parse_by,
    parse_definitions,
    parse_growth,
    parse_window,
)
from aiskills.schema import Definition


class Options(TypedDict, total=False):
    """The options of `measure` that decide what is counted; see `options.Question`."""

    period: str | None
    definition: str
    status: str
    population: str
    perimeter: str
    window: str | Sequence[str] | None
    growth: str | Sequence[str] | None
    dedupe: bool | None
    weights: str | None
    panel: str | None
    cluster: str | None
    min_offers: int
    confidence: str | None
    withhold: bool
    level: float


def measure(
    offers: Any,
    by: str | Sequence[str] | None = None,
    *,
    gold: str | Path | None = None,
    error_rates: Mapping[str, ErrorRates | Mapping[str, int]] | None = None,
    model: str | Path | None = None,
    **options: Unpack[Options],
) -> Any:
    """Measures the share of offers that ask for AI skills, with its uncertainty.

    Args:
        offers: Scored offers: a pandas or polars DataFrame, a pyarrow Table, or one or several
            paths. They need the columns that `aiskills classify` adds.
        by: Groups: branch, division, region, function, subfunction, cadre, language, theme, source,
            company, year, half, quarter, month, or any column.
        gold: A file of labelled offers of this data with their probability of having been drawn.
        error_rates: By definition, counts ``tp``, ``fn``, ``tn``, ``fp`` of an audit of your own;
            an empty mapping for no correction; None for the audit of the model.
        model: A model folder whose audit is used; None for the model that ships with aiskills.
        **options: ``period`` (one more group: year, half, quarter, month), ``definition`` (study,
            strict or both, the default), ``status`` (demand; any for demand or mention, as the
            published study counts), ``population`` (all; cadre), ``perimeter`` (all; opco2i; insee
            for sections B to E), ``window`` (first and last period counted,
            ``("2019", "2024-H1")``), ``growth`` (two periods to compare, ``("2019", "2023")``:
            growth instead of levels), ``dedupe`` (None: where reposts are marked), ``weights``,
            ``panel``, ``cluster`` (columns), ``min_offers`` (30), ``confidence`` (least of a
            branch: certain, majority, ambiguous), ``withhold`` (False), ``level`` (0.95).

    Returns:
        A tidy table, a row a cell, shares 0 to 1 (docs/measure.md says what each column is): polars
        for polars, pyarrow for pyarrow, else pandas. What was counted is in the metadata: `attrs`
        for pandas, the schema's for pyarrow.

    Raises:
        InputError: A column is missing or holds something else, or a file cannot be read.
        LabelError: The gold file is none, or its labels have no `inclusion`.
        UsageError: Options that make no sense.
    """
    rates = None if error_rates is None else parse_rates(error_rates)
    found = run(offers, question_of(by, **options), Correction(gold, rates, model))
    kind = type(offers).__module__.partition(".")[0]
    if kind == "pyarrow":
        return found.table.replace_schema_metadata(found.metadata())
    if kind == "polars":
        import polars as pl

        return pl.from_arrow(found.table)
    frame = found.table.to_pandas()
    frame.attrs.update(found.metadata())
    return frame


def question_of(by: str | Sequence[str] | None = None, **options: Unpack[Options]) -> Question:
    """A checked question from what a user gives.

    Raises:
        UsageError: An option that is unknown or makes no sense.
    """
    if unknown := sorted(set(options) - set(Options.__annotations__)):
        raise UsageError(
            f"the option '{unknown[0]}' of measure is unknown",
            expected="one of " + ", ".join(Options.__annotations__),
        )
    given: dict[str, Any] = dict(options)
    return Question(
        by=parse_by(by, given.pop("period", None)),
        definitions=parse_definitions(given.pop("definition", "both")),
        window=parse_window(given.pop("window", None)),
        growth=parse_growth(given.pop("growth", None)),
        **given,
    )


def parse_rates(
    given: Mapping[str, ErrorRates | Mapping[str, int]],
) -> dict[Definition, ErrorRates]:
    """Error rates by definition from counts.

    Raises:
        UsageError: A definition or a count is none.
    """
    result = {}
    for name, rates in given.items():
        if name not in tuple(Definition):
            raise UsageError(f"error rates of '{name}'", expected="study or strict")
        found = rates if isinstance(rates, ErrorRates) else _from_counts(name, rates)
        if not found.usable:
            raise UsageError(
                f"error rates of {name} ({found.told()})",
                expected="true and other offers, told apart better than by chance",
            )
        result[Definition(name)] = found
    return result


def _from_counts(name: str, counts: Mapping[str, int]) -> ErrorRates:
    try:
        tp, fn, tn, fp = (int(counts[key]) for key in ("tp", "fn", "tn", "fp"))
        return ErrorRates(tp, fn, tn, fp)
    except (KeyError, TypeError, ValueError):
        raise UsageError(
            f"error rates of {name}: {counts!r}", expected="counts tp, fn, tn and fp"
        ) from None
