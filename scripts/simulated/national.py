"""A national stream: what was put in, what is true of its offers, what `measure` finds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow.parquet as pq

from aiskills.estimate import ErrorRates, Question, run
from aiskills.estimate.measurement import Correction
from aiskills.schema import Definition
from aiskills.simulate import Parameters, read_parameters
from simulated.streams import expected_growth, told_versions

_HALF: Final = ("2024-01", "2024-06")
_YEARS: Final = ("2019", "2023")
_STUDY: Final = (Definition.STUDY,)
_TRUTH: Final = (
    "true_study_status", "true_themes", "true_branch", "true_industry", "true_region",
    "true_function", "true_cadre", "true_month", "true_duplicate_of",
)  # fmt: skip
_REGIONS: Final = {"11": 0.34, "84": 0.18, "76": 0.13}
_FUNCTIONS: Final = ("Informatique", "Études, R&D", "Commercial, marketing")
_THEMES: Final = ("iot", "ia_generative")
_BRANCH: Final = "Métallurgie"
_INDUSTRY: Final = "ai_industry_opco2i"


@dataclass(frozen=True, slots=True)
class Target:
    """A published figure, put in, and what came out; shares and parts 0 to 1, growth 0.56 is +56 %.

    Attributes:
        name: In words.
        put_in: What the parameters hold; None where they hold it only in part.
        truth: Of the stream's first publications, from the truth columns.
        plain: Estimate, lower and upper end, uncorrected.
        corrected: The same, corrected by Rogan-Gladen; None where there is no correction.
        points: Whether its error is told in points rather than in percent of the truth.
    """

    name: str
    put_in: float | None
    truth: float
    plain: tuple[float, float, float]
    corrected: tuple[float, float, float] | None = None
    points: bool = True


@dataclass(frozen=True, slots=True)
class _Stream:
    scored: Path
    truth: pd.DataFrame
    parameters: Parameters
    rates: dict[Definition, ErrorRates]

    def rows(self, question: Question) -> list[dict[str, Any]]:
        found = run([self.scored], question, Correction(error_rates=self.rates))
        rows: list[dict[str, Any]] = found.table.to_pylist()
        return rows


def targets_of(
    scored: Path,
    truth: Path,
    rates: dict[Definition, ErrorRates],
    parameters: Parameters | None = None,
) -> list[Target]:
    """The published targets in a stream.

    Args:
        scored: What `classify` and `dedupe` made of the stream.
        truth: What `simulate --truth` wrote.
        rates: Error rates for demand or mention, from another seed.
        parameters: What the stream follows; None for the default ones.
    """
    frame = pq.read_table(truth, columns=list(_TRUTH)).to_pandas(strings_to_categorical=True)
    frame = frame[frame["true_duplicate_of"] == ""]
    stream = _Stream(scored, frame, parameters or read_parameters(), rates)
    return [*_shares(stream), *_growth(stream), *_parts(stream), *_themes(stream)]


def _ai(frame: pd.DataFrame) -> pd.Series:
    return frame["true_study_status"] != "none"


def _cadres(stream: _Stream) -> pd.DataFrame:
    return stream.truth[stream.truth["true_cadre"] == "cadre"]


def _shares(stream: _Stream) -> Iterator[Target]:
    put_in = {"opco2i": "shares.industry", "all": "shares.all"}
    names = {"opco2i": "industry's cadre offers", "all": "all cadre offers"}
    cadres = _cadres(stream)
    cadres = cadres[cadres["true_month"].astype(str) >= _HALF[0]]
    for perimeter, parameter in put_in.items():
        asked = Question(
            definitions=_STUDY, status="any", population="cadre", perimeter=perimeter, window=_HALF
        )
        (row,) = (one for one in stream.rows(asked) if one["row"] == "total")
        own = cadres[cadres["true_industry"]] if perimeter == "opco2i" else cadres
        yield Target(
            f"AI offers among {names[perimeter]}, first half of 2024",
            stream.parameters.number(parameter),
            float(_ai(own).mean()),
            (row["share"], row["low"], row["high"]),
            (row["share_corrected"], row["low_corrected"], row["high_corrected"]),
            points=False,
        )


def _growth(stream: _Stream) -> Iterator[Target]:
    asked = Question(
        by=(_INDUSTRY,), definitions=_STUDY, status="any", population="cadre", growth=_YEARS
    )
    rows = stream.rows(asked)
    cadres = _cadres(stream)
    for value, (name, group) in {"true": ("industry's", 1), "false": ("the others'", 0)}.items():
        own = cadres[cadres["true_industry"] == (value == "true")]
        years = own["true_month"].astype(str).str[:4]
        counts = [int(_ai(own[years == year]).sum()) for year in _YEARS]
        shares = [float(_ai(own[years == year]).mean()) for year in _YEARS]
        put_in = expected_growth(stream.parameters, group)
        found = {row["measure"]: row for row in rows if row[_INDUSTRY] == value}
        yield Target(
            f"growth of the number of {name} AI offers, 2019 to 2023", put_in[0],
            counts[1] / counts[0] - 1, _change(found["flagged"]),
            _change(found["flagged_corrected"]),
        )  # fmt: skip
        yield Target(
            f"growth of the share of AI offers among {name} cadre offers, 2019 to 2023", put_in[1],
            shares[1] / shares[0] - 1, _change(found["share"]), _change(found["share_corrected"]),
        )  # fmt: skip


def _change(row: dict[str, Any]) -> tuple[float, float, float]:
    return row["change"], row["low"], row["high"]


def _parts(stream: _Stream) -> Iterator[Target]:
    p = stream.parameters
    industry = _cadres(stream)
    industry = industry[industry["true_industry"] & _ai(industry)]
    codes = {name[:2]: name for name in industry["true_region"].cat.categories}
    wanted = {
        "branch": ("true_branch", {_BRANCH: p.table("branches.ai")[_BRANCH]}),
        "function": (
            "true_function", {f: p.table("functions.industry_ai")[f] for f in _FUNCTIONS}
        ),
        "region": (
            "true_region", {codes[r]: p.table("regions.industry_ai")[r] for r in _REGIONS}
        ),
    }  # fmt: skip
    for group, (column, parts) in wanted.items():
        asked = Question(
            by=(group,), definitions=_STUDY, status="any", population="cadre", perimeter="opco2i"
        )
        rows = {row[group]: row for row in stream.rows(asked)}
        for value, put_in in parts.items():
            truth = float((industry[column] == value).mean())
            row = rows[value]
            yield Target(
                f"{value} among industry's AI offers", put_in, truth, _part(row),
                _part(row, "part_corrected"),
            )  # fmt: skip


def _themes(stream: _Stream) -> Iterator[Target]:
    """Themes asked for; `measure` knows none of mentions."""
    asked = Question(by=("theme",), definitions=_STUDY, population="cadre", perimeter="opco2i")
    rows = {row["theme"]: row for row in stream.rows(asked)}
    industry = _cadres(stream)
    demands = industry[industry["true_industry"] & (industry["true_study_status"] == "demand")]
    named = demands["true_themes"].astype(str).str.split("|")
    for theme in _THEMES:
        truth = float(named.map(lambda themes, one=theme: one in themes).mean())
        yield Target(
            f"{theme} asked for, among industry's offers that ask for AI", None, truth,
            _part(rows[theme]),
        )  # fmt: skip


def _part(row: dict[str, Any], name: str = "part") -> tuple[float, float, float]:
    return row[name], row[f"{name}_low"], row[f"{name}_high"]


def national_lines(targets: list[Target]) -> Iterator[str]:
    """The targets as a table."""
    yield (
        "| published | put in | truth of these offers | estimate | interval | bias of the plain "
        "estimate | corrected | interval |"
    )
    yield "|---|--:|--:|--:|--:|--:|--:|--:|"
    for one in targets:
        sign = "+" if one.name.startswith("growth") else ""
        error = one.plain[0] - one.truth if one.points else one.plain[0] / one.truth - 1
        bias = f"{100 * error:+.1f} {'points' if one.points else '%'}"
        corrected = ["", ""] if one.corrected is None else _ends(one.corrected, one.truth, sign)
        cells = (
            one.name, "" if one.put_in is None else _told(one.put_in, sign), _told(one.truth, sign),
            *_ends(one.plain, one.truth, sign), bias, *corrected,
        )  # fmt: skip
        yield "| " + " | ".join(cells) + " |"


def _told(value: float, sign: str) -> str:
    return f"{100 * value:{sign}.{1 if abs(value) >= 0.1 else 2}f} %"


def _ends(found: tuple[float, float, float], truth: float, sign: str) -> list[str]:
    """Estimate and interval, in bold where it does not hold the truth."""
    mark = "" if found[1] <= truth <= found[2] else "**"
    return [
        _told(found[0], sign), f"{mark}{_told(found[1], sign)} to {_told(found[2], sign)}{mark}"
    ]  # fmt: skip


def scored_versions(scored: Path) -> str:
    """What judged a file, in words."""
    found = pq.read_schema(scored).metadata or {}
    return told_versions({key.decode(): value.decode() for key, value in found.items()})
