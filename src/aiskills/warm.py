"""Workers that load while the caller still looks at its files."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from aiskills.workers import open_workers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor


@contextlib.contextmanager
def warm_workers(jobs: int, *setup: str | None) -> Iterator[Executor]:
    """Processes that load model, lexicon and tables at once, for `aiskills.pipeline`.

    What cannot be loaded is not told here: the caller's own reading of it says so.

    Args:
        jobs: How many.
        *setup: What `aiskills.pipeline.setup_of` takes.
    """
    with open_workers(jobs) as workers:
        for _ in range(jobs):
            workers.submit(_load, *setup)
        yield workers


def _load(*setup: str | None) -> None:
    # All of it is made when it is first used: by an offer that has a term, and that has fields.
    import pyarrow as pa

    from aiskills.attributes.table import ATTRIBUTE_FIELDS
    from aiskills.pipeline import added_columns, setup_of

    made = setup_of(*setup)
    offer = dict.fromkeys((*ATTRIBUTE_FIELDS, "description"), pa.array(["IA"]))
    added_columns(made.judge(), offer, made.own)
