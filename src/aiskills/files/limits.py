"""How much is read at most: bounds that stop a damaged or hostile file early.

They are far above anything seen in real files of offers (longest text seen: 60,000 characters).
"""

from __future__ import annotations

MAX_FIELD_CHARS = 2_000_000
"""Characters of one cell. Above it, a quote that never closes is the usual reason."""

MAX_LINE_BYTES = 64 * 2**20
"""Bytes without a line break in a text file; above it the file is not a table."""

MAX_JSON_BYTES = 2 * 2**30
"""Bytes of one JSON document (it is read whole); JSONL has no such bound."""

MAX_GZ_BYTES = 4 * 2**30
"""Bytes a .gz may expand to whatever its size; above it `MAX_GZ_RATIO` holds as well."""

MAX_GZ_RATIO = 200
"""Expanded size over compressed size. French text compresses 3 to 10 times."""

MAX_SHEET_BYTES = 2 * 2**30
"""Expanded bytes of one workbook (it is read whole)."""

MAX_NESTED_CHARS = 200_000
"""Characters of one cell that are parsed as nested JSON or Python text."""

MAX_CHUNK_BYTES = 64 * 2**20
"""Bytes of text after which a chunk ends before it has all its rows."""

BLOCK_BYTES = 2**20
"""Bytes read at a time."""
