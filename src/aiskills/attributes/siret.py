"""A user's own file of establishments and their agreements (SIRET -> IDCC).

Two public files have it, both made from payroll declarations (DSN), monthly, millions of rows: the
ministry's list of agreements by establishment (`MOIS,SIRET,IDCC,DATE_MAJ`) and France compétences'
SIRO (`SIRET|IDCC|OPCO_PROPRIETAIRE|OPCO_GESTION`). Neither ships with aiskills.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aiskills.attributes.branch_tables import UNKNOWN, branch_tables
from aiskills.errors import InputError
from aiskills.files.cells import as_text
from aiskills.files.fields import fold_name
from aiskills.files.notes import ignore, listing, plural
from aiskills.files.reader import open_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aiskills.files.notes import Note

_CHUNK_ROWS: Final = 50_000
_IN_SIREN: Final = 100_000  # a SIRET is the SIREN and five digits of the establishment
_IN_PAIR: Final = 10_000  # SIRET * 10,000 + IDCC stays below 10^18, within 64 bits


@dataclass(frozen=True, slots=True)
class SiretIdcc:
    """Establishments and companies with their agreement, sorted: under 20 bytes an establishment.

    Former agreements of OPCO 2i stand as the one that took them over (54 as 3248).

    Attributes:
        sirets: Establishments, sorted.
        idccs: Their agreement.
        sole: Whether all the file's rows of that establishment name this one agreement.
        sirens: Companies, sorted.
        siren_idccs: The agreement of most of the company's establishments.
        siren_shares: Share of its establishments that have it, 0 to 1.
    """

    sirets: NDArray[np.int64]
    idccs: NDArray[np.uint16]
    sole: NDArray[np.bool_]
    sirens: NDArray[np.int32]
    siren_idccs: NDArray[np.uint16]
    siren_shares: NDArray[np.float32]

    def __len__(self) -> int:
        """Number of establishments."""
        return len(self.sirets)

    def look_up(
        self, numbers: NDArray[np.int64]
    ) -> tuple[NDArray[np.uint16], NDArray[np.bool_], NDArray[np.float32]]:
        """Agreement of each number.

        Args:
            numbers: SIRET or SIREN as `parse_sirets` gives them.

        Returns:
            The agreement, 0 where there is none; whether it is the establishment's own (else it is
            the company's); how sure: 1 where it is the establishment's sole agreement, 0 where the
            establishment has several, else the share of the company's establishments with it.
        """
        idcc = np.zeros(len(numbers), np.uint16)
        shares = np.zeros(len(numbers), np.float32)
        place, own = _places(self.sirets, numbers)
        idcc[own] = self.idccs[place[own]]
        shares[own] = self.sole[place[own]]
        sirens = np.where(numbers >= 10**9, numbers // _IN_SIREN, numbers)
        place, known = _places(self.sirens, sirens)
        known &= ~own
        idcc[known] = self.siren_idccs[place[known]]
        shares[known] = self.siren_shares[place[known]]
        return idcc, own, shares


def _places(
    keys: NDArray[np.int64] | NDArray[np.int32], wanted: NDArray[np.int64]
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    if not len(keys):
        return np.zeros(len(wanted), np.intp), np.zeros(len(wanted), np.bool_)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return place, keys[place] == wanted


def parse_sirets(texts: pa.Array | pa.ChunkedArray) -> NDArray[np.int64]:
    """SIRET (14 digits) and SIREN (9) as numbers, 0 where a text is neither.

    Blanks, points and hyphens between digits and a spreadsheet's `.0` are passed over, and up to
    two zeros that it took away from the front are put back.
    """
    plain = pc.replace_substring_regex(texts, r"\.0+$|[\s\x{00A0}\x{202F}.\-]", "")
    # 12 digits is a SIRET and 7 a SIREN that lost two zeros; 10 and 11 digits are neither
    good = pc.match_substring_regex(plain, r"^(?:\d{7,9}|\d{12,14})$")
    return _numbers(plain, good)


def _numbers(
    texts: pa.Array | pa.ChunkedArray, good: pa.Array | pa.ChunkedArray
) -> NDArray[np.int64]:
    """The texts that are good as numbers, 0 for the others."""
    found = np.zeros(len(texts), np.int64)
    where = np.flatnonzero(np.asarray(good.fill_null(False)))
    found[where] = np.asarray(texts.take(pa.array(where)).cast(pa.int64()))
    return found


def read_siret_idcc(path: str | os.PathLike[str], *, note: Note = ignore) -> SiretIdcc:
    """Read a file of SIRET and IDCC, chunk by chunk, keeping nothing but the keys.

    Rows without a SIRET of 14 digits or without an agreement (IDCC empty, 9998, 9999, 5100, 5501)
    are passed over. Where the file has months, only an establishment's newest count. Of several
    agreements of one establishment the one that most of its company's rows have is kept, then the
    lowest number.

    Args:
        path: CSV with any separator, Excel or Parquet, with columns named SIRET and IDCC; MOIS
            is used if there.
        note: Takes one line for each thing the user should know, the rows passed over among them.

    Returns:
        The establishments with an agreement. A file of 3.7 million rows
        (104 MB) takes about 15 s and 500 MB of memory while it is read, 55 MB afterwards.

    Raises:
        InputError: It is missing, no table, lacks one of the two columns, or no row has both.
    """
    name = os.fspath(path)
    file = open_table(name, None, None, keep=True, note=note)
    try:
        columns = {fold_name(one): one for one in file.schema.names}
        missing = [one.upper() for one in ("siret", "idcc") if one not in columns]
        if missing:
            raise InputError(
                f"{name} has no column {' and no column '.join(missing)}, among: "
                f"{listing(file.schema.names)}",
                expected="the ministry's or France compétences' table of SIRET and IDCC",
            )
        parts: list[tuple[NDArray[np.int64], NDArray[np.int32]]] = []
        n_rows = 0
        for table in file.batches(_CHUNK_ROWS):
            n_rows += len(table)
            sirets = parse_sirets(as_text(table.column(columns["siret"])))
            idccs = _idccs(as_text(table.column(columns["idcc"])))
            months = (
                _months(as_text(table.column(columns["mois"])))
                if "mois" in columns
                else np.zeros(len(table), np.int32)
            )
            kept = (sirets >= 10**9) & (idccs > 0)
            parts.append((sirets[kept] * _IN_PAIR + idccs[kept], months[kept]))
    finally:
        file.close()
    n_kept = sum(len(one) for one, _ in parts)
    if not n_kept:
        raise InputError(
            f"{name}: none of its {plural(n_rows, 'row')} has both a SIRET of 14 digits and an IDCC"
        )
    if n_rows > n_kept:
        note(f"{name}: {n_rows - n_kept:,} of {plural(n_rows, 'row')} have no SIRET or no IDCC")
    return _sorted(_newest_pairs(parts))


def _idccs(texts: pa.ChunkedArray) -> NDArray[np.uint16]:
    """Agreements as numbers, 0 where there is none; one a cell, blanks around it or not."""
    plain = pc.replace_substring_regex(pc.utf8_trim_whitespace(texts), r"\.0$", "")
    numbers = _numbers(plain, pc.match_substring_regex(plain, r"^0*\d{1,4}$"))
    tables = branch_tables()
    current = np.zeros(10_000, np.uint16)
    for idcc in np.unique(numbers).tolist():
        if tables.of_idcc(idcc).branch != UNKNOWN:
            current[idcc] = tables.current_idcc(idcc)
    return current[numbers]


def _months(texts: pa.ChunkedArray) -> NDArray[np.int32]:
    """Months in an order that tells the newest: 202607 for 2026-07, 0 where unreadable."""
    plain = pc.replace_substring_regex(texts, r"\D", "")
    found = _numbers(plain, pc.match_substring_regex(plain, r"^\d{6}$"))
    return found.astype(np.int32)


def _newest_pairs(
    parts: list[tuple[NDArray[np.int64], NDArray[np.int32]]],
) -> NDArray[np.int64]:
    """Pairs of SIRET and IDCC of each establishment's newest month, as one number, sorted."""
    pairs = np.concatenate([one for one, _ in parts])
    months = np.concatenate([one for _, one in parts])
    parts.clear()
    if (months != months[0]).any():
        sirets = pairs // _IN_PAIR
        order = np.lexsort((-months, sirets))
        sirets, months, pairs = sirets[order], months[order], pairs[order]
        starts = _starts(sirets)
        newest = np.repeat(months[starts], np.diff(np.r_[starts, len(sirets)]))
        pairs = pairs[months == newest]
    return np.unique(pairs)


def _starts(sorted_keys: NDArray[np.int64]) -> NDArray[np.intp]:
    """Where each run of equal keys begins."""
    return np.flatnonzero(np.r_[True, sorted_keys[1:] != sorted_keys[:-1]])


def _sorted(pairs: NDArray[np.int64]) -> SiretIdcc:
    sirets, idccs = pairs // _IN_PAIR, (pairs % _IN_PAIR).astype(np.uint16)
    of_company, inverse, counts = np.unique(
        sirets // _IN_SIREN * _IN_PAIR + idccs, return_inverse=True, return_counts=True
    )
    first = _starts(sirets)
    order = np.lexsort((idccs, -counts[inverse], sirets))  # the company's most frequent first
    del inverse
    companies = of_company // _IN_PAIR
    begins = _starts(companies)
    best = np.lexsort((of_company, -counts, companies))[begins]
    establishments = np.unique(sirets[first] // _IN_SIREN, return_counts=True)[1]
    return SiretIdcc(
        sirets=sirets[first],
        idccs=idccs[order[first]],
        sole=np.diff(np.r_[first, len(sirets)]) == 1,
        sirens=companies[begins].astype(np.int32),
        siren_idccs=(of_company[best] % _IN_PAIR).astype(np.uint16),
        siren_shares=(counts[best] / establishments).astype(np.float32),
    )
