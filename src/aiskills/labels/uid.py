"""The identifier by which labels and offers find each other again."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from aiskills.files import FieldMap

#: The column that is taken as it stands where a file has it.
UID_COLUMN: Final = "uid"
_HASH_BYTES: Final = 10  # 80 bits: below one chance in 10**12 of a collision in 1,000,000 offers


def offer_uid(
    title: str | None,
    description: str | None,
    *,
    uid: str | None = None,
    id: str | None = None,  # noqa: A002 (the name of the field)
    source: str | None = None,
) -> str:
    r"""The stable identifier of one offer: the same whenever the same file is read again.

    Args:
        title: Its title.
        description: Its description.
        uid: What the file's own column ``uid`` says, taken as it stands.
        id: The offer's identifier within its source.
        source: The site or service it comes from.

    Returns:
        The first of these that is there: `uid`; ``source:id``; `id`; ``text:`` and 20 hexadecimal
        digits of a hash of title and description, in which runs of white space count as one blank,
        so that line ends that a program changed do not matter.

    >>> offer_uid("Boulanger", None, id="7", source="apec"), offer_uid("Boulanger", "", id="7")
    ('apec:7', '7')
    >>> offer_uid("Data  scientist", "A\r\nB") == offer_uid("Data scientist", "A B")
    True
    """
    if uid:
        return uid
    if id:
        return f"{source}:{id}" if source else id
    text = " ".join((title or "").split()) + "\n" + " ".join((description or "").split())
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_HASH_BYTES)
    return f"text:{digest.hexdigest()}"


def offer_uids(table: pa.Table, fields: FieldMap) -> list[str]:
    """`offer_uid` of every row of a table of offers.

    Args:
        table: Rows of offers.
        fields: Where their fields are found.

    Returns:
        One identifier a row; equal ones where rows have the same identifier, or no identifier and
        the same text.
    """
    ids = fields.extract(table, "id")
    sources = fields.extract(table, "source")
    # The sum is null where a source is missing; the identifier alone takes its place.
    whole = pc.binary_join_element_wise(sources.cast(pa.string()), ids.cast(pa.string()), ":")
    named: list[str | None] = [
        full or alone for full, alone in zip(whole.to_pylist(), ids.to_pylist(), strict=True)
    ]
    if UID_COLUMN in table.column_names:
        given = table.column(UID_COLUMN).cast(pa.string()).to_pylist()
        named = [own or other for own, other in zip(given, named, strict=True)]
    without = [row for row, uid in enumerate(named) if not uid]
    if without:
        rows = table.take(pa.array(without, pa.int64()))
        titles, descriptions = (
            fields.extract(rows, name).to_pylist() for name in ("title", "description")
        )
        for row, title, description in zip(without, titles, descriptions, strict=True):
            named[row] = offer_uid(title, description)
    return [uid or "" for uid in named]
