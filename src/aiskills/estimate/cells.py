"""Counts as arrays: groups as numbers, sums by cell, by cell and cluster, by cell and employer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from aiskills.estimate.clusters import Clusters, Ints
from aiskills.estimate.intervals import Floats
from aiskills.estimate.options import CONFIDENCES, PERIODS, Question, period_of
from aiskills.estimate.plan import BRANCH, CONFIDENCE, EMPLOYER, MONTH, THEMES, sums_of
from aiskills.schema import Definition

#: What a group is called where the offer does not tell, as `ai_branch` and `ai_region` do.
UNKNOWN: Final = "inconnu"
#: Values that hide the true one: the branch of a head office or of a recruiter's client, the
#: region of a job done from anywhere.
_HIDDEN: Final = {
    "branch": frozenset({UNKNOWN, "siège", "intermédiaire"}),
    "division": frozenset({UNKNOWN}),
    "region": frozenset({UNKNOWN, "télétravail", "France entière"}),
}
_ONE_BRANCH: Final = "Métallurgie"
_NO_DIVISION: Final = f"hors {_ONE_BRANCH}"
#: Theme of flagged offers whose themes are not told (mentions, for one).
NO_THEME: Final = "sans thème"


def _no_ints() -> Ints:
    return np.zeros(0, dtype=np.int64)


def is_unknown(group: str, label: str) -> bool:
    """Whether a value of a group hides the true one."""
    return label in _HIDDEN.get(group, {UNKNOWN})


@dataclass(frozen=True, slots=True)
class Coded:
    """Counts with their keys as numbers.

    Attributes:
        codes: By group, the number of its value in each row.
        labels: By group, the values, in the order of their numbers.
        inside: By row, 0 or why it is outside (see `plan`).
        sums: By name (`plan.sums_of`), the sums of each row.
        cluster: By row, number of its cluster, -1 for none; None if no clusters were asked for.
        employer: By row, number of its employer, -1 where it is not named; None if no file names
            employers.
        month: The months, an empty text for none; None if not asked for.
        month_code: By row, the number of its month; None if not asked for.
        themes: By row, number of its set of themes; None if not asked for.
        theme_sets: The sets behind those numbers.
        panel: By row, number of its panel value, -1 for none; None if not asked for.
    """

    codes: Mapping[str, Ints]
    labels: Mapping[str, tuple[str, ...]]
    inside: Ints
    sums: Mapping[str, Floats]
    cluster: Ints | None
    employer: Ints | None
    month: tuple[str, ...] | None
    month_code: Ints | None
    themes: Ints | None
    theme_sets: tuple[frozenset[str], ...]
    panel: Ints | None

    def __len__(self) -> int:
        return len(self.inside)


def encode(table: pa.Table, question: Question, *, employers: bool) -> Coded:
    """Turns counts (or single offers with the same columns) into arrays.

    Args:
        table: What `counts.count` gives.
        question: What is asked.
        employers: Whether the files name employers at all.
    """
    codes: dict[str, Ints] = {}
    labels: dict[str, tuple[str, ...]] = {}
    month_labels, month_code = _months(table)
    for name in question.by:
        if name in PERIODS:
            named = [period_of(one, name) if one else UNKNOWN for one in month_labels]
            codes[name], labels[name] = _renumbered(month_code, named)
        elif name != "theme":
            codes[name], labels[name] = _group(table, name, question)
    theme_code, theme_texts = _texts(table, THEMES) if question.themes else (None, [])
    return Coded(
        codes,
        labels,
        _ints(table.column("inside")),
        {
            name: np.asarray(table.column(name).to_numpy(), dtype=np.float64)
            for definition in question.definitions
            for name in sums_of(definition, weighted=question.weights is not None)
        },
        _folded(table, question.cluster) if question.cluster else None,
        _folded(table, EMPLOYER) if employers else None,
        tuple(month_labels) if MONTH in table.column_names else None,
        month_code if MONTH in table.column_names else None,
        theme_code,
        tuple(frozenset(filter(None, text.split("|"))) for text in theme_texts),
        _folded(table, question.panel) if question.panel else None,
    )


def _months(table: pa.Table) -> tuple[list[str], Ints]:
    if MONTH not in table.column_names:
        return [], np.zeros(len(table), dtype=np.int64)
    code, texts = _texts(table, MONTH)
    return texts, code


def _group(table: pa.Table, name: str, question: Question) -> tuple[Ints, tuple[str, ...]]:
    code, texts = _texts(table, name)
    values = [text or UNKNOWN for text in texts]
    code, labels = _renumbered(code, values)
    if name == "branch" and question.confidence:
        given, found = _texts(table, CONFIDENCE)
        enough = CONFIDENCES[: CONFIDENCES.index(question.confidence) + 1]
        sure = np.array([one in enough for one in found], dtype=bool)[given]
        hidden = np.array([is_unknown("branch", one) for one in labels], dtype=bool)[code]
        code, labels = _with(code, labels, ~sure & ~hidden, UNKNOWN)
    if name == "division":
        given, branches = _texts(table, BRANCH)
        elsewhere = np.array(
            [one != _ONE_BRANCH and not is_unknown("branch", one or UNKNOWN) for one in branches],
            dtype=bool,
        )[given]
        none = np.array([one == UNKNOWN for one in labels], dtype=bool)[code]
        code, labels = _with(code, labels, elsewhere & none, _NO_DIVISION)
    return code, labels


def _with(
    code: Ints, labels: tuple[str, ...], rows: NDArray[np.bool_], label: str
) -> tuple[Ints, tuple[str, ...]]:
    """Gives some rows another label."""
    every = [*labels, label]
    return _renumbered(np.where(rows, len(labels), code), every)


def _renumbered(code: Ints, names: list[str]) -> tuple[Ints, tuple[str, ...]]:
    """Numbers again, so that equal names share a number and numbers follow the names' order."""
    labels = sorted(set(names))
    place = {name: number for number, name in enumerate(labels)}
    table = np.array([place[name] for name in names], dtype=np.int64)
    return (table[code] if len(table) else code), tuple(labels)


def _texts(table: pa.Table, name: str) -> tuple[Ints, list[str]]:
    """A column as numbers of its distinct texts; null and blank are the empty text."""
    column = pc.fill_null(table.column(name), "").combine_chunks()
    encoded = pc.dictionary_encode(column)
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    texts = [str(one).strip() for one in encoded.dictionary.to_pylist()]
    return _ints(encoded.indices), texts


def _folded(table: pa.Table, name: str) -> Ints:
    """A column as numbers of its texts without regard to case and blanks; -1 for none."""
    code, texts = _texts(table, name)
    code, labels = _renumbered(code, [" ".join(text.casefold().split()) for text in texts])
    return code - 1 if labels and not labels[0] else code


def _ints(column: pa.ChunkedArray | pa.Array) -> Ints:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums by cell.

    Attributes:
        offers: Offers.
        flagged: Flagged ones.
        weight: Σw (the offers, unless weighted).
        squares: Σw².
        weight_flagged: Σw of the flagged.
        squares_flagged: Σw² of the flagged.
        clusters: Sums by cluster; None without clusters.
        cluster_of: By pair of `clusters`, the number of its cluster.
    """

    offers: Floats
    flagged: Floats
    weight: Floats
    squares: Floats
    weight_flagged: Floats
    squares_flagged: Floats
    clusters: Clusters | None
    cluster_of: Ints

    def __len__(self) -> int:
        return len(self.offers)


@dataclass(frozen=True, slots=True)
class Index:
    """Which rows are in which cell, and in which pair of cell and cluster; made once a level.

    Attributes:
        rows: Rows that are in a cell.
        cell: Cell of each of them.
        size: Number of cells.
        named: By such row, whether it has a cluster; None without clusters.
        place: By row with a cluster, the number of its pair.
        pair_cell: By pair, its cell.
        pair_cluster: By pair, its cluster.
    """

    rows: Ints
    cell: Ints
    size: int
    named: NDArray[np.bool_] | None = None
    place: Ints = field(default_factory=_no_ints)
    pair_cell: Ints = field(default_factory=_no_ints)
    pair_cluster: Ints = field(default_factory=_no_ints)


def index_cells(cell: Ints, size: int, cluster: Ints | None) -> Index:
    """Numbers cells and clusters.

    Args:
        cell: By row, number of its cell, -1 to leave it out.
        size: Number of cells.
        cluster: By row, number of its cluster, -1 for none; None without clusters.
    """
    rows = np.flatnonzero(cell >= 0)
    at = cell[rows]
    if cluster is None:
        return Index(rows, at, size)
    own = cluster[rows]
    named = own >= 0
    width = int(own.max(initial=0)) + 1
    pairs, place = np.unique(at[named] * width + own[named], return_inverse=True)
    return Index(rows, at, size, named, place, pairs // width, pairs % width)


def sum_cells(
    coded: Coded,
    index: Index,
    definition: Definition,
    hits: NDArray[np.bool_] | None = None,
    *,
    every: bool = False,
) -> Sums:
    """Sums the counts of each cell.

    Args:
        coded: The counts.
        index: Their cells.
        definition: Whose flags.
        hits: By row, whether its flagged offers count as flagged; None for all.
        every: Take every offer as flagged, to measure numbers of offers.
    """
    rows = index.rows
    keep = None if hits is None else hits[rows].astype(np.float64)
    values: dict[str, Floats] = {}
    for name in ("n", "x", "w", "w2", "wx", "w2x"):
        asked = {"x": "n", "wx": "w", "w2x": "w2"}.get(name, name) if every else name
        if f"{asked}_{definition}" not in coded.sums:
            asked = "x" if "x" in asked else "n"
        value = coded.sums[f"{asked}_{definition}"][rows]
        values[name] = value if keep is None or "x" not in name else value * keep

    def total(name: str) -> Floats:
        return _bins(index.cell, values[name], index.size)

    clusters = _clusters(index, values) if index.named is not None else None
    return Sums(
        total("n"), total("x"), total("w"), total("w2"), total("wx"), total("w2x"),
        clusters, index.pair_cluster,
    )  # fmt: skip


def _bins(place: Ints, values: Floats, size: int) -> Floats:
    return np.bincount(place, values, minlength=size).astype(np.float64)


def _clusters(index: Index, values: Mapping[str, Floats]) -> Clusters:
    named = index.named
    assert named is not None  # noqa: S101 (asked by the caller)
    size = len(index.pair_cell)

    def single(name: str) -> Floats:
        return _bins(index.cell[~named], values[name][~named], index.size)

    return Clusters(
        index.pair_cell,
        _bins(index.place, values["w"][named], size),
        _bins(index.place, values["wx"][named], size),
        single("w2"),
        single("w2x"),
        single("n"),
        single("x"),
    )


@dataclass(frozen=True, slots=True)
class Employers:
    """How a cell's offers are spread over employers.

    Attributes:
        named: Employers with at least one offer.
        largest: Share of the cell's offers that the largest has, 0 to 1.
        unnamed: Offers whose employer is not named.
    """

    named: Floats
    largest: Floats
    unnamed: Floats


def employers(coded: Coded, cell: Ints, size: int, definition: Definition) -> Employers | None:
    """Employers of each cell; None where no file names them."""
    if coded.employer is None:
        return None
    index = index_cells(cell, size, coded.employer)
    assert index.named is not None  # noqa: S101 (there are employers)
    offers = coded.sums[f"n_{definition}"][index.rows]
    pairs = _bins(index.place, offers[index.named], len(index.pair_cell))
    largest = np.zeros(size)
    np.maximum.at(largest, index.pair_cell, pairs)
    total = _bins(index.cell, offers, size)
    return Employers(
        _bins(index.pair_cell, (pairs > 0).astype(np.float64), size),
        np.divide(largest, total, out=np.zeros(size), where=total > 0),
        _bins(index.cell[~index.named], offers[~index.named], size),
    )


def number_cells(codes: list[Ints], rows: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Numbers the sets of codes that occur.

    Args:
        codes: One array a group, a code a row.
        rows: By row, whether it belongs to any cell.

    Returns:
        By row the number of its cell (-1 for none), and by cell the first row in it.
    """
    key = np.zeros(len(rows), dtype=np.int64)
    for one in codes:
        key = key * (int(one.max(initial=0)) + 1) + one
    chosen = np.flatnonzero(rows)
    _, first, place = np.unique(key[chosen], return_index=True, return_inverse=True)
    cell = np.full(len(rows), -1, dtype=np.int64)
    cell[chosen] = place
    return cell, chosen[first]
