"""Holds `aiskills measure` against simulated offers of known truth; writes docs/simulation.md.

    python scripts/simulation_study.py coverage --seeds 40 --offers 20000   # some 10 CPU minutes
    python scripts/simulation_study.py attributes --offers 50000            # half a minute
    aiskills simulate -n 2000000 --seed 20250214 -o offers.parquet --truth truth.parquet
    aiskills classify offers.parquet -o scored.parquet
    aiskills dedupe scored.parquet -o once.parquet
    python scripts/simulation_study.py national once.parquet truth.parquet

Each writes the block of the page that bears its name and leaves the rest; what surrounds the blocks
is written by hand. Big files go to the temporary folder (TMPDIR).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq
from joblib import Parallel, delayed

from simulated.attributes import attribute_lines, frame_of, repost_lines
from simulated.coverage import LABELLED, replicate
from simulated.national import national_lines, scored_versions, targets_of
from simulated.streams import make_stream, rates_of, versions
from simulated.summary import coverage_lines, error_lines, quote_line

TARGET: Final = Path(__file__).resolve().parents[1] / "docs" / "simulation.md"


def coverage(seeds: int, offers: int, jobs: int) -> list[str]:
    """The block on coverage."""
    found = Parallel(n_jobs=jobs)(delayed(replicate)(seed, offers) for seed in range(seeds))
    return [
        f"{seeds} seeds, each a stream of {offers:,} offers and a second one of {offers:,} for the "
        f"error rates, {LABELLED} offers of the first labelled for prediction-powered inference; "
        f"{versions()}.",
        *coverage_lines(found),
        "",
        "### The classifier's errors",
        "",
        *error_lines(found),
        "",
        quote_line(found),
    ]


def attributes(offers: int, seed: int) -> list[str]:
    """The block on attributes and reposts."""
    frame = frame_of(make_stream(offers, seed))
    return [
        f"{offers:,} offers, seed {seed}, default parameters; {versions()}.",
        "",
        *attribute_lines(frame),
        "",
        "Reposts:",
        "",
        *repost_lines(frame),
    ]


def national(scored: Path, truth: Path, audit_offers: int, audit_seed: int) -> list[str]:
    """The block on the published marginals."""
    rows, model = pq.ParquetFile(scored).metadata.num_rows, scored_versions(scored)
    if model != versions():
        sys.exit(f"{scored} was scored by {model}, and the error rates would be of {versions()}")
    rates = rates_of(make_stream(audit_offers, audit_seed, dedupe=False), "any")
    return [
        f"{rows:,} offers, default parameters; error rates from another seed of {audit_offers:,} "
        f"offers; {model}.",
        "",
        *national_lines(targets_of(scored, truth, rates)),
    ]


def write_block(page: str, name: str, lines: list[str]) -> str:
    """The page with the block of that name replaced.

    Raises:
        ValueError: The page has no such block.
    """
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"the page has no block '{name}'")
    return before + begin + "\n" + "\n".join(lines) + "\n\n" + end + after


#: What writes each block of the page, by its name.
BLOCKS: Final[dict[str, Callable[..., list[str]]]] = {
    "coverage": coverage,
    "attributes": attributes,
    "national": national,
}


def main() -> int:
    """Writes one block of the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    blocks = parser.add_subparsers(dest="block", required=True)
    one = blocks.add_parser("coverage")
    one.add_argument("--seeds", type=int, default=40)
    one.add_argument("--offers", type=int, default=20_000)
    one.add_argument("--jobs", type=int, default=2, help="processes")
    one = blocks.add_parser("attributes")
    one.add_argument("--offers", type=int, default=50_000)
    one.add_argument("--seed", type=int, default=77)
    one = blocks.add_parser("national")
    one.add_argument("scored", type=Path)
    one.add_argument("truth", type=Path)
    one.add_argument("--audit-offers", type=int, default=60_000)
    one.add_argument("--audit-seed", type=int, default=20_250_215)
    parser.add_argument("--to", type=Path, default=TARGET, help="the page")
    given = vars(parser.parse_args())
    name, page = given.pop("block"), given.pop("to")
    started = time.perf_counter()
    lines = BLOCKS[name](**given)
    page.write_text(write_block(page.read_text("utf-8"), name, lines), "utf-8")
    print(f"{name}: {time.perf_counter() - started:.0f} s, {page}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
