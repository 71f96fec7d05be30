"""Asks other packages for the numbers that tests/test_estimate_*.py compare with.

    pip install ppi-python quapy statsmodels     # in an environment of its own: they pull much
    python scripts/oracles.py                    # writes tests/cases/ppi_oracle.json

The inputs stand beside the results, so the tests need none of these packages.
"""

from __future__ import annotations

import json
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np

TARGET: Final = Path(__file__).resolve().parents[1] / "tests" / "cases" / "ppi_oracle.json"
KINDS: Final = ("tp", "fp", "fn", "tn")


def labelled(counts: tuple[int, ...]) -> tuple[Any, Any]:
    """Truth and flag of labelled offers from counts tp, fp, fn, tn."""
    return np.repeat([1.0, 0.0, 1.0, 0.0], counts), np.repeat([1.0, 1.0, 0.0, 0.0], counts)


def powered() -> tuple[list[Any], list[Any]]:
    """ppi-python: intervals, and point estimates with weights."""
    ppi = import_module("ppi_py")
    plain, weighted = [], []
    cases = (
        ((8, 3, 2, 187), 600, 20_000),
        ((40, 12, 9, 239), 1500, 9000),
        ((30, 20, 25, 125), 300, 1200),
        ((5, 0, 0, 95), 55, 1000),
    )
    for counts, flagged, offers in cases:
        truth, flag = labelled(counts)
        every = np.repeat([1.0, 0.0], (flagged, offers - flagged))
        given = {
            "gold": dict(zip(KINDS, counts, strict=True)),
            "flagged": flagged,
            "offers": offers,
        }
        for power in (1.0, 0.5, None):
            low, high = ppi.ppi_mean_ci(truth, flag, every, alpha=0.05, lam=power)
            share = ppi.ppi_mean_pointestimate(truth, flag, every, lam=power)
            found = (float(np.ravel(one)[0]) for one in (share, low, high))
            plain.append(
                given | {"power": power} | dict(zip(("share", "low", "high"), found, strict=True))
            )
        for weights in ((2.0, 9.0), (1.0, 30.0)):
            w = np.where(flag == 1, *weights)
            share = ppi.ppi_mean_pointestimate(truth, flag, every, lam=0.7, w=w)
            weighted.append(
                given | {"weights": weights, "power": 0.7, "share": float(np.ravel(share)[0])}
            )
    return plain, weighted


def powered_parts() -> list[Any]:
    """ppi-python: the part θ at which the mean of y (inside - θ) is 0, and those at which the
    interval of that mean begins to leave 0 out."""
    ppi, root = import_module("ppi_py"), import_module("scipy.optimize").brentq
    cases = (
        ((70, 8, 6, 600), (20, 9, 4, 700), (900, 350), 30_000),
        ((30, 5, 5, 400), (80, 30, 12, 900), (300, 1100), 20_000),
    )
    result = []
    for inside, outside, flagged, offers in cases:
        truth, flag = (
            np.concatenate(pair) for pair in zip(labelled(inside), labelled(outside), strict=True)
        )
        here = np.repeat([1.0, 0.0], (sum(inside), sum(outside)))
        every = np.repeat([1.0, 1.0, 0.0], (*flagged, offers - sum(flagged)))
        every_here = np.repeat([1.0, 0.0], (flagged[0], offers - flagged[0]))

        def values(part: float) -> tuple[Any, Any, Any]:
            gap = here - part  # noqa: B023 (used before the next round)
            return truth * gap, flag * gap, every * (every_here - part)  # noqa: B023

        def mean(part: float) -> float:
            return float(np.ravel(ppi.ppi_mean_pointestimate(*values(part), lam=1.0))[0])

        def end(part: float, which: int) -> float:
            ends = ppi.ppi_mean_ci(*values(part), alpha=0.05, lam=1.0)
            return float(np.ravel(ends[which])[0])

        part = root(mean, 0, 1)
        result.append(
            {
                "inside": dict(zip(KINDS, inside, strict=True)),
                "outside": dict(zip(KINDS, outside, strict=True)),
                "flagged": flagged, "offers": offers, "part": part,
                "low": root(lambda one: end(one, 0), 0, part),
                "high": root(lambda one: end(one, 1), part, 1),
            }
        )  # fmt: skip
    return result


def adjusted() -> list[Any]:
    """quapy: the adjusted count of the binary case."""
    solve = import_module("quapy.functional").solve_adjustment_binary
    result = []
    for share in (0.0, 0.02, 0.031, 0.3, 0.97):
        for tp, fn, tn, fp in ((40, 3, 399, 1), (24, 1, 172, 3), (80, 20, 900, 100)):
            found = solve(share, tpr=tp / (tp + fn), fpr=fp / (tn + fp))
            result.append(
                {"share": share, "tp": tp, "fn": fn, "tn": tn, "fp": fp, "corrected": float(found)}
            )
    return result


def shares() -> dict[str, list[Any]]:
    """statsmodels: Wilson, Newcombe, and the ratio's logarithm (Katz)."""
    lib = import_module("statsmodels.stats.proportion")
    wilson = []
    for flagged, offers in ((0, 10), (1, 30), (3, 100), (30, 1000), (10, 10), (12345, 400_000)):
        for level in (0.95, 0.9):
            low, high = lib.proportion_confint(flagged, offers, alpha=1 - level, method="wilson")
            wilson.append(
                {"flagged": flagged, "offers": offers, "level": level,
                 "low": float(low), "high": float(high)}
            )  # fmt: skip
    two: dict[str, list[Any]] = {"newcombe": [], "katz": []}
    for x1, n1, x2, n2 in ((3, 100, 9, 120), (4, 50, 7, 60), (300, 10_000, 450, 9000)):
        for name, method, compare in (("newcombe", "newcomb", "diff"), ("katz", "log", "ratio")):
            low, high = lib.confint_proportions_2indep(
                x2, n2, x1, n1, method=method, compare=compare
            )
            two[name].append(
                {"first": [x1, n1], "last": [x2, n2], "low": float(low), "high": float(high)}
            )
    return {"wilson": wilson, **two}


def main() -> None:
    """Writes the file of cases."""
    plain, weighted = powered()
    found = {
        "about": "What other packages give for the same inputs (scripts/oracles.py). Labelled "
        "offers: tp true and flagged, fp flagged only, fn true and missed, tn neither.",
        "versions": {name: version(name) for name in ("ppi-python", "QuaPy", "statsmodels")},
        "ppi": plain,
        "ppi_weighted": weighted,
        "ppi_parts": powered_parts(),
        "adjusted_count": adjusted(),
        **shares(),
    }
    TARGET.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
