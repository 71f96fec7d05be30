"""What is kept of each offer to find its reposts: keys, a day and an identifier, no text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from aiskills.attributes.period import FIRST_YEAR, LAST_YEAR, parse_date
from aiskills.attributes.places import ABROAD, OVERSEAS, Places
from aiskills.attributes.region import REGION_FIELDS, regions
from aiskills.dedupe.shingles import BANDS, SHORT_WORDS, TextKeys, cut_words, value_keys
from aiskills.errors import UsageError
from aiskills.files import CANONICAL
from aiskills.files.cells import as_text
from aiskills.files.notes import did_you_mean, listing
from aiskills.hashing import Keys, mix
from aiskills.labels.uid import offer_uids

if TYPE_CHECKING:
    from aiskills.files import FieldMap

#: Day of an offer without a date: after every other, so that it is never taken for an original
#: that a dated offer repeats.
UNKNOWN_DAY: Final = np.iinfo(np.int32).max

_EPOCH: Final = date(1970, 1, 1).toordinal()
_ISO_DAY: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}($|[T ])"


@dataclass(frozen=True, slots=True)
class OfferKeys:
    """Keys of offers, a row each; small enough to be gathered from any number of processes.

    Attributes:
        uid: Identifiers (`aiskills.labels.uid.offer_uids`), `large_string`.
        day: Day of publication, days since 1970 (the first of a month where only that is told);
            `UNKNOWN_DAY` where there is none.
        same_id: Key of source and identifier; 0 where there is none.
        text: Key of the text; 0 where it cannot be compared.
        place: Number of the region; 0 where there is none or it may be any (remote, all France).
        order: Key that puts offers of one day, identifier and text in order: of their source,
            employer and place.
        bands: MinHash bands, an array of offers by `BANDS`; zeros where the text is too short.
    """

    uid: pa.ChunkedArray
    day: NDArray[np.int32]
    same_id: Keys
    text: Keys
    place: NDArray[np.uint8]
    order: Keys
    bands: Keys

    def __len__(self) -> int:
        return len(self.day)

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        arrays = (self.day, self.same_id, self.text, self.place, self.order, self.bands)
        return int(self.uid.nbytes + sum(array.nbytes for array in arrays))


def offer_keys(
    table: pa.Table,
    fields: FieldMap,
    texts: TextKeys,
    *,
    same: Sequence[str] = (),
    any_place: bool = False,
) -> OfferKeys:
    """Make the keys of a table of offers.

    Args:
        table: Rows of offers.
        fields: Where their fields are found.
        texts: Keys of their titles and descriptions.
        same: Fields or columns in which reposts must agree besides their text, case and accents
            apart; a missing value agrees with a missing one.
        any_place: Whether places are left unknown, so that they never keep offers apart.

    Raises:
        UsageError: One of `same` is neither a field of an offer nor a column.
    """
    company = _folded_keys(fields.extract(table, "company"))
    group = np.zeros(len(table), dtype=np.uint64)
    for name in same:
        group = mix(group + _folded_keys(_named(table, fields, name)))
    text = texts.text.copy()
    short = texts.words < SHORT_WORDS
    # Two short texts are the same offer only if they are the same employer's.
    text[short] = np.where((text != 0) & (company != 0), mix(text ^ mix(company)), 0)[short]
    bands = texts.bands
    if same:
        text = np.where(text != 0, mix(text ^ group), 0)
        bands = np.where(bands != 0, mix(bands ^ group[:, None]), 0)
    ids = value_keys(fields.extract(table, "id"))
    source = value_keys(fields.extract(table, "source"))
    # Numbers such as 1, 2, 3 mean nothing without a source: the title must then be the same too.
    title = _folded_keys(fields.extract(table, "title"))
    location = value_keys(fields.extract(table, "location"))
    scope = np.where(source != 0, source, mix(title))
    known = (ids != 0) & ((source != 0) | (title != 0))
    return OfferKeys(
        uid=pa.chunked_array([pa.array(offer_uids(table, fields), pa.large_string())]),
        day=days(fields.extract(table, "date")),
        same_id=np.where(known, mix(ids ^ mix(scope)), 0),
        text=text,
        place=np.zeros(len(table), np.uint8) if any_place else _places(table, fields),
        order=mix(mix(source) ^ mix(company + mix(location))),
        bands=bands,
    )


def joined(parts: Sequence[OfferKeys]) -> OfferKeys:
    """The keys of several tables, one after the other."""
    if not parts:
        none = np.zeros(0, dtype=np.uint64)
        return OfferKeys(
            pa.chunked_array([], pa.large_string()),
            np.zeros(0, dtype=np.int32),
            none,
            none,
            np.zeros(0, dtype=np.uint8),
            none,
            np.zeros((0, BANDS), dtype=np.uint64),
        )
    return OfferKeys(
        pa.chunked_array([chunk for part in parts for chunk in part.uid.chunks]),
        np.concatenate([part.day for part in parts]),
        np.concatenate([part.same_id for part in parts]),
        np.concatenate([part.text for part in parts]),
        np.concatenate([part.place for part in parts]),
        np.concatenate([part.order for part in parts]),
        np.concatenate([part.bands for part in parts]),
    )


def days(dates: pa.Array) -> NDArray[np.int32]:
    """Days since 1970 of dates as files write them (`aiskills.attributes.period.parse_date`).

    Args:
        dates: Text, null where absent.

    Returns:
        `UNKNOWN_DAY` where there is no date or one outside `FIRST_YEAR` to `LAST_YEAR`.
    """
    texts = dates.cast(pa.string())
    # Nearly all are ISO times: cut to the day, few different ones are left.
    iso = pc.fill_null(pc.match_substring_regex(texts, _ISO_DAY), fill_value=False)
    cut = pa.chunked_array([texts, pc.utf8_slice_codeunits(texts, 0, 10)]).combine_chunks()
    places = np.arange(len(texts)) + iso.to_numpy(zero_copy_only=False) * len(texts)
    coded = cut.take(pa.array(places)).dictionary_encode()
    known = np.array([_day(text) for text in coded.dictionary.to_pylist()], dtype=np.int32)
    indices = coded.indices.fill_null(len(known)).to_numpy()
    found: NDArray[np.int32] = np.append(known, UNKNOWN_DAY).astype(np.int32)[indices]
    return found


def _day(text: str | None) -> int:
    found = parse_date(text) if text else None
    if found is None or not FIRST_YEAR <= found.year <= LAST_YEAR:
        return UNKNOWN_DAY
    return found.toordinal() - _EPOCH


def _places(table: pa.Table, fields: FieldMap) -> NDArray[np.uint8]:
    found = regions({name: fields.extract(table, name) for name in REGION_FIELDS})
    telling = pa.array([*Places.default().regions, ABROAD, OVERSEAS])
    numbers = pc.fill_null(pc.index_in(found.column("ai_region"), telling), -1)
    places: NDArray[np.uint8] = (numbers.to_numpy() + 1).astype(np.uint8)
    return places


def _named(table: pa.Table, fields: FieldMap, name: str) -> pa.Array:
    if name in table.column_names:
        return as_text(table.column(name)).cast(pa.large_string()).combine_chunks()
    if name in CANONICAL:
        return fields.extract(table, name)
    known = [*table.column_names, *CANONICAL]
    raise UsageError(
        f"reposts cannot be told by '{name}'",
        expected="a field of an offer or one of the columns " + listing(table.column_names),
        hint=did_you_mean(name, known),
    )


def _folded_keys(values: pa.Array) -> Keys:
    """Keys of values, case, accents and punctuation apart; 0 where there is no word."""
    coded = values.dictionary_encode()
    known = cut_words(coded.dictionary.to_pylist()).keys()
    keys: Keys = np.append(known, np.uint64(0))[coded.indices.fill_null(len(known)).to_numpy()]
    return keys
