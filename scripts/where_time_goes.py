"""Where the time of an offer goes, stage by stage: a table for docs/performance.md.

    python scripts/where_time_goes.py offers.parquet [ROWS]

Processor time of this process in microseconds an offer, the least of five rounds; stages in turn.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))

import pyarrow as pa

from aiskills.attributes.table import attributes
from aiskills.context import OfferTexts
from aiskills.files import open_offers
from aiskills.language import languages_of
from aiskills.model.judge import BATCH
from aiskills.pipeline import CHUNK_ROWS, Setup, added_columns, fields_of, texts
from aiskills.repair import FIELD_BREAK
from aiskills.text import fold_many

ROUNDS = 5


def least(work: Callable[[], object]) -> float:
    """The least processor time of several rounds, in seconds."""
    times = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return min(times)


def main(path: str, rows: int) -> None:
    """Measures and prints."""
    pa.set_cpu_count(1)
    judge, tables = Setup().judge(), []
    with open_offers([path], chunk_rows=CHUNK_ROWS) as offers:
        for chunk in offers:
            tables.append((chunk.table.slice(0, rows), chunk.fields))
            rows -= len(tables[-1][0])
            if rows <= 0:
                break
    chunks = [fields_of(table, fields) for table, fields in tables]
    added_columns(judge, chunks[0])  # what is made once a process is made
    pairs = [texts(table, fields) for table, fields in tables]
    titles = [title for those, _ in pairs for title in those]
    descriptions = [text for _, those in pairs for text in those]
    given = [t + FIELD_BREAK + d for t, d in zip(titles, descriptions, strict=True)]
    batches = [given[begin : begin + BATCH] for begin in range(0, len(given), BATCH)]
    scanner = judge._reader.scanner
    folded = [fold_many(batch) for batch in batches]
    whole = OfferTexts.of(titles, descriptions)
    parts = [whole.part(slice(begin, begin + BATCH)) for begin in range(0, len(whole), BATCH)]
    looks = [judge._reader.look(part) for part in parts]
    looked = [judge._reader.closely(look, look.matched()) for look in looks]
    cues = [pa.array([""] * table.num_rows, pa.string()) for table, _ in tables]
    stages: dict[str, Callable[[], object]] = {
        "folding": lambda: [fold_many(batch) for batch in batches],
        "automaton alone": lambda: [scanner._automaton.find_all(one.text) for one in folded],
        "automaton, case and context rules, headings": lambda: [
            scanner.found_in(*both) for both in zip(folded, batches, strict=True)
        ],
        "tokens near matches (spaCy), keys of all, zones": lambda: [
            judge._reader.closely(look, look.matched()) for look in looks
        ],
        "features and models": lambda: [judge.score(readings) for readings in looked],
        "language": lambda: [languages_of(one) for one in folded],
        "judging, whole": lambda: judge.columns(whole),
        "attributes": lambda: [attributes(*both) for both in zip(chunks, cues, strict=True)],
        "all columns": lambda: [added_columns(judge, fields) for fields in chunks],
    }
    count = len(given)
    share = sum(map(len, looked)) / count
    print(f"{count:,} offers of {sum(map(len, given)) / count:,.0f} characters, ", end="")
    print(f"{100 * share:.1f} % with a match\n\n| stage | µs an offer |\n|---|--:|")
    for name, work in stages.items():
        print(f"| {name} | {least(work) / count * 1e6:.1f} |")


if __name__ == "__main__":
    if len(sys.argv) not in {2, 3}:
        sys.exit(__doc__)
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) == 3 else 5_000)
