"""By what an offer is known again: (source, identifier) and a hash of its text."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aiskills.labels.uid import offer_uids

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from aiskills.files import FieldMap

HASH_BYTES: Final = 16
"""128 bits: below one chance in 10**26 that two of 1,000,000 offers collide."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What the rows of a table are known by, an entry a row.

    Attributes:
        uids: Identifiers as `aiskills.labels.uid` gives them.
        keys: Hashes of identifier and source.
        texts: Hashes of title and description, runs of white space being one blank.
    """

    uids: list[str]
    keys: list[bytes]
    texts: list[bytes]

    def take(self, rows: Sequence[int]) -> Keys:
        """Those of some rows."""
        return Keys(
            [self.uids[row] for row in rows],
            [self.keys[row] for row in rows],
            [self.texts[row] for row in rows],
        )


def keys_of(table: pa.Table, fields: FieldMap) -> Keys:
    """Keys of the rows of a table of offers.

    An offer without an identifier is known by its text alone: a changed one is then a new one.

    Args:
        table: Rows of offers.
        fields: Where their fields are found.
    """
    uids = offer_uids(table, fields)
    sources, titles, descriptions = (
        fields.extract(table, name).to_pylist() for name in ("source", "title", "description")
    )
    return Keys(
        uids,
        [key_of(uid, source) for uid, source in zip(uids, sources, strict=True)],
        [
            _digest(" ".join((title or "").split()), " ".join((description or "").split()))
            for title, description in zip(titles, descriptions, strict=True)
        ],
    )


def key_of(uid: str, source: str | None) -> bytes:
    """The key of an offer.

    The source counts by itself as well: `a:b` with offer `c` is not `a` with offer `b:c`.
    """
    return _digest(uid, source or "")


def _digest(*parts: str) -> bytes:
    return digest_of([part.encode("utf-8", "surrogatepass") for part in parts])


def digest_of(parts: Sequence[bytes]) -> bytes:
    """A hash of several texts that no other way to part them gives."""
    digest = hashlib.blake2b(digest_size=HASH_BYTES)
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.digest()
