"""Simulated streams as a user has them after classify and dedupe, with the truth beside."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from aiskills.dedupe import COLUMN, duplicates
from aiskills.estimate import ErrorRates
from aiskills.files import Chunk, find_fields, open_offers
from aiskills.labels.design import Design, Strategy
from aiskills.pipeline import Setup, classify_chunks, provenance
from aiskills.sampling import draw_sample
from aiskills.schema import Definition
from aiskills.simulate import Parameters, read_parameters, simulate, targets
from aiskills.simulate.targets import INDUSTRY, MONTHS

#: Shares (0 to 1) and growth of a random truth.
SHARES: Final = (0.005, 0.10)
GROWTH: Final = (-0.3, 2.0)
#: Industry's part of the offers of 2019: more than by default, so that its cells are filled.
INDUSTRY_PART: Final = 0.4
_ROWS: Final = 5000
_SAMPLE_ROWS: Final = 100


def random_parameters(rng: np.random.Generator) -> Parameters:
    """Parameters of a random truth: shares log-uniform in `SHARES`, growth uniform in `GROWTH`."""
    base = read_parameters().with_numbers({"volume.industry_part": INDUSTRY_PART})
    volume = targets(base).volume[MONTHS.index("2024-01") :]
    part = float(volume[:, INDUSTRY].sum() / volume.sum())
    industry, elsewhere = np.exp(rng.uniform(math.log(SHARES[0]), math.log(SHARES[1]), 2)).tolist()
    growth = rng.uniform(GROWTH[0], GROWTH[1], 2).tolist()
    return base.with_numbers(
        {
            "shares.industry": industry,
            "shares.all": part * industry + (1 - part) * elsewhere,
            "growth.industry": growth[0],
            "growth.elsewhere": growth[1],
        }
    )


def expected_share(
    parameters: Parameters, status: str, group: int | None, *, population: str = "all"
) -> float:
    """The share that parameters come to under `study`, over the whole window, 0 to 1.

    Args:
        parameters: What the stream follows.
        status: `demand` or `any`.
        group: `targets.ELSEWHERE`, `targets.INDUSTRY`, or None for both.
        population: `cadre` or `all`.
    """
    share = targets(parameters).ai_share(MONTHS[0], MONTHS[-1], group)
    if population == "all":
        part = parameters.number("cadre.part")
        share *= part + (1 - part) * parameters.number("cadre.ai_ratio")
    return share * (parameters.number("status.demand") if status == "demand" else 1.0)


def expected_growth(parameters: Parameters, group: int | None) -> tuple[float, float]:
    """Growth of the count and of the share of AI offers, 2019 to 2023, as put in."""
    found = targets(parameters)
    columns = slice(None) if group is None else slice(group, group + 1)
    years = np.array([month[:4] for month in MONTHS])
    offers, ai = (
        [float(values[years == year, columns].sum()) for year in ("2019", "2023")]
        for values in (found.volume, found.volume * found.share)
    )
    return ai[1] / ai[0] - 1, ai[1] / offers[1] / (ai[0] / offers[0]) - 1


def make_stream(
    offers: int, seed: int, parameters: Parameters | None = None, *, dedupe: bool = True
) -> pa.Table:
    """Simulates, classifies with the model that ships, marks reposts.

    Args:
        offers: Rows, reposts included.
        seed: Of the stream.
        parameters: What it follows; None for the default ones.
        dedupe: Whether `ai_duplicate_of` is wanted.

    Returns:
        The offers' own columns, the added ones, the `true_` ones; in the metadata the versions.
    """
    chunks = list(simulate(offers, seed=seed, parameters=parameters))
    given = pa.concat_tables([one.offers for one in chunks if one.offers is not None])
    truth = pa.concat_tables([one.truth for one in chunks])
    fields = find_fields(given.column_names, given.slice(0, _SAMPLE_ROWS))
    parts = [
        Chunk(given.slice(start, _ROWS), fields, "the stream", start)
        for start in range(0, len(given), _ROWS)
    ]
    scored = pa.concat_tables(classify_chunks(parts, Setup()))
    if dedupe:
        scored = scored.append_column(COLUMN, duplicates(scored))
    for name in truth.column_names:
        if name != "id":
            scored = scored.append_column(name, truth.column(name))
    return scored.replace_schema_metadata(provenance(Setup().judge()))


def versions() -> str:
    """The model and the lexicon that judge, in words."""
    return told_versions(provenance(Setup().judge()))


def told_versions(found: Mapping[str, str]) -> str:
    """Model and lexicon from a file's metadata, in words."""
    lexicon, digest = found["aiskills_lexicon"], found["aiskills_lexicon_sha256"][:8]
    return f"model {found['aiskills_model']}, lexicon {lexicon} ({digest})"


def truth_of(table: pa.Table) -> pd.DataFrame:
    """What is true of first publications: `industry`, `year`, `branch`, `cadre` and, for each
    definition and status, whether it counts (`study_demand`, `study_any`, …)."""
    named = [name for name in table.column_names if name.startswith("true_")]
    rows = table.select([name for name in named if name != "true_evidence"]).to_pandas()
    rows = rows[rows["true_duplicate_of"] == ""]
    found = {
        "industry": rows["true_industry"],
        "year": rows["true_month"].str[:4],
        "branch": rows["true_branch"],
        "cadre": rows["true_cadre"] == "cadre",
    }
    for definition in Definition:
        status = rows[f"true_{definition}_status"]
        found[f"{definition}_demand"] = status == "demand"
        found[f"{definition}_any"] = status != "none"
    return pd.DataFrame(found)


def rates_of(table: pa.Table, status: str) -> dict[Definition, ErrorRates]:
    """How the classifier did on the first publications of a stream, by definition."""
    rows = table.filter(pc.equal(table.column("true_duplicate_of"), ""))
    wanted = ["demand"] if status == "demand" else ["demand", "mention"]
    result = {}
    for definition in Definition:
        flag, truth = (
            np.isin(rows.column(name).to_pylist(), wanted)
            for name in (f"ai_{definition}_status", f"true_{definition}_status")
        )
        result[definition] = ErrorRates(
            int((flag & truth).sum()),
            int((~flag & truth).sum()),
            int((~flag & ~truth).sum()),
            int((flag & ~truth).sum()),
            "a second simulated seed",
        )
    return result


def write_gold(table: pa.Table, labelled: int, seed: int, folder: Path) -> Path:
    """Draws offers as `aiskills sample --strategy stratified` does; the truth is their label.

    Returns:
        A file of labels with the probability with which each offer was drawn.
    """
    path, gold = folder / f"{seed}.parquet", folder / f"{seed}.jsonl"
    pq.write_table(table, path)
    with open_offers([path]) as offers:
        drawn = draw_sample(offers, Setup(), Design(Strategy.STRATIFIED, labelled, seed))
    assert drawn.scored_before
    path.unlink()
    keys = [f"{one}:{two}" for one, two in zip(*_columns(table, "source", "id"), strict=True)]
    columns = _columns(table, "true_strict_status", "true_study_status", "true_themes")
    # The first row with an identifier, as the draw takes it; all rows with it have one truth.
    truth = dict(zip(reversed(keys), zip(*map(reversed, columns), strict=True), strict=True))
    with gold.open("w", encoding="utf-8") as file:
        for task in drawn.tasks:
            strict, study, themes = truth[task.uid]
            record: dict[str, Any] = {
                "uid": task.uid,
                "strict": strict,
                "study": study,
                "themes": themes.split("|") if themes else [],
                "stratum": task.stratum,
                "inclusion": (task.drawn or 0) / (task.of or 1),
            }
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    return gold


def _columns(table: pa.Table, *names: str) -> list[list[str]]:
    return [table.column(name).to_pylist() for name in names]
