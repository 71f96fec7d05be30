"""The classifier for Python users: tables in, the same tables with added columns out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import pyarrow as pa

from aiskills.errors import UsageError
from aiskills.files import find_fields
from aiskills.model import Explanation, Judge, Judgement
from aiskills.model import explain as explain_with
from aiskills.phrases import Lexicon
from aiskills.pipeline import (
    Setup,
    added_columns,
    fields_of,
    parse_threshold,
    provenance,
    with_columns,
)
from aiskills.schema import CLASSIFY_COLUMNS, Definition


class Classifier:
    """Tells which offers ask for AI skills, and why.

    Make one with `Classifier.load`; it may be used for any number of offers and from several
    threads one after the other.
    """

    def __init__(self, judge: Judge) -> None:
        self._judge = judge

    @classmethod
    def load(
        cls,
        model: str | Path | None = None,
        *,
        lexicon: str | Path | None = None,
        threshold: float | str | Mapping[str, float] | None = None,
    ) -> Self:
        """Opens a model; takes under a second once spaCy is imported.

        Args:
            model: A model folder; None for the model that ships with aiskills.
            lexicon: A lexicon file laid over the default one (see `aiskills lexicon check`).
            threshold: Score from which an offer is a demand: a number for both definitions, or a
                mapping such as ``{"strict": 0.6}``; None for the model's own.

        Raises:
            ModelError: The folder is missing, damaged or of another protocol.
            LexiconError: The lexicon has mistakes; all lines are named.
            UsageError: The threshold is not above 0 and up to 1.
        """
        setup = Setup(
            None if model is None else str(model),
            None if lexicon is None else str(lexicon),
            tuple(sorted(parse_threshold(threshold).items())),
        )
        return cls(setup.judge())

    @property
    def thresholds(self) -> dict[str, float]:
        """Score from which an offer is a demand, by definition."""
        return {definition.value: self._judge.thresholds[definition] for definition in Definition}

    @property
    def lexicon(self) -> Lexicon:
        """The terms it looks for."""
        return self._judge.lexicon

    @property
    def provenance(self) -> dict[str, str]:
        """Versions and hashes of package, schema, model and lexicon."""
        return provenance(self._judge)

    def classify(self, offers: Any, *, mapping: Mapping[str, str] | None = None) -> Any:
        """Judges a table of offers.

        Args:
            offers: A pandas DataFrame, a polars DataFrame or a pyarrow Table with a column of texts
                (and one of titles) under any of the usual French or English names.
            mapping: Which column holds what, e.g. ``{"title": "job", "description": "body"}``,
                where the names do not tell.

        Returns:
            A table of the same kind, with the same rows in the same order (and the same index for
            pandas) and the columns of `aiskills.schema.CLASSIFY_COLUMNS` added; columns of these
            names are replaced, all others untouched. A row without text has an ``ai_error`` and
            missing values elsewhere.

        Raises:
            InputError: No text column can be told; the columns found are listed.
            UsageError: `mapping` names a column that is not there, or `offers` is no table.
        """
        if isinstance(offers, pa.Table):
            return with_columns(offers, self._added(offers, mapping))
        kind = type(offers).__module__.partition(".")[0]
        if kind == "pandas" and hasattr(offers, "columns"):
            return self._classify_pandas(offers, mapping)
        if kind == "polars" and hasattr(offers, "to_arrow"):
            return self._classify_polars(offers, mapping)
        raise UsageError(
            f"offers are a {type(offers).__name__}",
            expected="a pandas DataFrame, a polars DataFrame or a pyarrow Table",
        )

    def classify_text(self, description: str, title: str = "") -> Judgement:
        """Judges one offer.

        Args:
            description: Its text; HTML and damaged characters are fine.
            title: Its title, or an empty string.

        Returns:
            A record of status and score under both definitions (None if there is no text), themes,
            evidence with offsets into what was given, language and error.

        Raises:
            UsageError: An argument is no string.
        """
        self._check_strings(title=title, description=description)
        return self._judge.judge([title], [description])[0]

    def explain(self, description: str, title: str = "") -> Explanation:
        """Judges one offer and takes its scores apart.

        Args:
            description: Its text.
            title: Its title, or an empty string.

        Returns:
            The judgement and, for each definition and each piece of evidence, the parts that sum to
            the log odds of its score.

        Raises:
            UsageError: An argument is no string.
        """
        self._check_strings(title=title, description=description)
        return explain_with(self._judge, title, description)

    def _added(self, table: pa.Table, mapping: Mapping[str, str] | None) -> pa.Table:
        fields = find_fields(table.column_names, table.slice(0, 100), mapping)
        return added_columns(self._judge, fields_of(table, fields))

    def _classify_pandas(self, offers: Any, mapping: Mapping[str, str] | None) -> Any:
        import pandas as pd

        names = [str(name) for name in offers.columns]
        fields = find_fields(names, _sample(offers.head(100), names), mapping)
        used = {path[0] for path in fields.paths.values()}
        table = pa.table(
            {
                name: _arrow_text(offers.iloc[:, place])
                for place, name in enumerate(names)
                if name in used
            }
        )
        added = added_columns(self._judge, fields_of(table, fields))
        columns = {
            field.name: (
                pd.array(added.column(field.name).to_pylist(), dtype="boolean")
                if pa.types.is_boolean(field.type)
                else added.column(field.name).to_pandas()
            )
            for field in added.schema
        }
        result = pd.DataFrame(columns).set_axis(offers.index)
        kept = offers.drop(columns=[c for c in offers.columns if c in CLASSIFY_COLUMNS])
        return pd.concat([kept, result], axis=1)

    def _classify_polars(self, offers: Any, mapping: Mapping[str, str] | None) -> Any:
        import polars as pl

        added = pl.from_arrow(self._added(offers.to_arrow(), mapping))
        return offers.drop(CLASSIFY_COLUMNS.keys(), strict=False).hstack(added)

    @staticmethod
    def _check_strings(**given: object) -> None:
        for name, value in given.items():
            if not isinstance(value, str):
                raise UsageError(
                    f"{name} is a {type(value).__name__}",
                    expected="a string",
                    hint="Use classify() for tables.",
                )


def _sample(head: Any, names: list[str]) -> pa.Table:
    return pa.table({name: _arrow_text(head.iloc[:, n]) for n, name in enumerate(names)})


def _arrow_text(column: Any) -> pa.Array:
    """A pandas column for Arrow; missing values are null, odd objects as Python writes them."""
    try:
        array = pa.array(column, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):
        missing = column.isna()
        # Half a character pair has no UTF-8; a question mark keeps all offsets.
        array = pa.array(
            [
                None if gone else str(value).encode("utf-8", "replace").decode()
                for value, gone in zip(column, missing, strict=True)
            ]
        )
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


@lru_cache(maxsize=1)
def _default() -> Classifier:
    return Classifier.load()


def classify(offers: Any, *, mapping: Mapping[str, str] | None = None) -> Any:
    """Judges a table of offers with the model that ships with aiskills.

    See `Classifier.classify`; use a `Classifier` for another model, lexicon or threshold.
    """
    return _default().classify(offers, mapping=mapping)


def classify_text(description: str, title: str = "") -> Judgement:
    """Judges one offer with the model that ships with aiskills; see `Classifier.classify_text`."""
    return _default().classify_text(description, title)
