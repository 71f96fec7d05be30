"""How much is read at most: bounds that stop a damaged or hostile file early.

They are far above anything seen in real files of offers (longest text seen: 60,000 characters).
"""

from __future__ import annotations

MAX_FIELD_CHARS = 2_000_000
"""Characters of one cell. Above it, a quote that never closes is the usual reason."""

MAX_COLUMNS = 16_384
"""Columns of a table, as many as an Excel sheet has; every row has a cell for each."""

MAX_LINE_BYTES = 64 * 2**20
"""Bytes without a line break in a text file; above it the file is not a table."""

MAX_JSON_BYTES = 2 * 2**30
"""Bytes of one JSON document (it is read whole); JSONL has no such bound."""

MAX_GZ_BYTES = 2**28
"""Bytes a .gz may expand to whatever its size; above it `MAX_GZ_RATIO` holds as well."""

MAX_GZ_RATIO = 200
"""Expanded size over compressed size. French text compresses 3 to 10 times."""

MAX_SHEET_BYTES = 2 * 2**30
"""Expanded bytes of one workbook (it is read whole)."""

MAX_SHEET_CELLS = 100_000_000
"""Cells between the corners of a sheet, empty ones too: the reader makes room for all of them."""

SHEET_SECONDS = 2
SHEET_SECONDS_PER_MB = 2
"""Processor time for reading a workbook; per megabyte expanded. Seen: 0.1 s, and 0.2 s a MB."""

SHEET_BYTES = 512 * 2**20
SHEET_BYTES_PER_BYTE = 10
"""Memory for reading a workbook; per byte expanded. Linux alone holds processes to it."""

MAX_NESTED_CHARS = 200_000
"""Characters of one cell that are parsed as nested JSON or Python text."""

MAX_PARQUET_BYTES = 2**29
"""Bytes a Parquet file may expand to whatever its size; above it `MAX_GZ_RATIO` holds as well."""

PARQUET_ROWS = 128
"""Rows decoded at a time: a page of a few bytes may say the same long text for each of them."""

MAX_CHUNK_BYTES = 64 * 2**20
"""Bytes of text after which a chunk ends before it has all its rows."""

BLOCK_BYTES = 2**20
"""Bytes read at a time."""
