"""How long until aiskills is there: import, help, a first offer, and each offer after that."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from statistics import median
from typing import Any, Final

import numpy as np

from aiskills import Classifier
from aiskills.phrases import Lexicon
from aiskills.schema import Definition
from benchmarks.commands import AISKILLS_COMMAND, run
from benchmarks.data import DataSet
from benchmarks.peers import WHOLE_WORDS, KeywordRule, forms_of, keyword_peers
from benchmarks.plan import Plan
from benchmarks.timing import Task, in_turn, spread, wall_seconds

#: Length of the offers of a warm call, in characters, as near as the data come.
LENGTH: Final = 2_200
_CANDIDATES: Final = 4_000
_CALLS: Final = 5
_TIMED_IMPORT: Final = (
    "import time; begin = time.perf_counter(); import aiskills;print(time.perf_counter() - begin)"
)
_ONE_OFFER: Final = (
    "import aiskills;"
    "print(aiskills.classify_text('Vous développez des modèles de machine learning.').strict)"
)


def measure(sets: Mapping[str, DataSet], plan: Plan) -> dict[str, Any]:
    """Start-up of fresh processes and warm calls.

    Returns:
        Spreads of seconds for Python alone, the import (timed inside its process), ``--help``, one
        offer from a cold process and the import of what classifies; spreads of the median warm call
        in milliseconds, without and with terms.
    """
    cold: dict[str, Task] = {
        "python": partial(wall_seconds, partial(run, [sys.executable, "-c", "pass"])),
        "import": lambda: float(run([sys.executable, "-c", _TIMED_IMPORT])),
        "help": partial(wall_seconds, partial(run, [*AISKILLS_COMMAND, "--help"])),
        "one_offer": partial(wall_seconds, partial(run, [sys.executable, "-c", _ONE_OFFER])),
    }
    seconds = in_turn(cold, max(plan.rounds, 2) + 2, warm=True)
    data = sets.get("real", sets["mix"])
    offers = _offers(data, plan.warm_offers)
    classifier = Classifier.load()
    warm: dict[str, Task] = {
        name: partial(_median_call, classifier, table) for name, table in offers.items()
    }
    calls = in_turn(warm, plan.rounds, warm=True)
    return {
        "seconds": {name: asdict(spread(found)) for name, found in seconds.items()},
        "warm_milliseconds": {
            name: asdict(spread([second * 1e3 for second in found]))
            for name, found in calls.items()
        },
        "warm_offers": {
            name: {"offers": len(rows), "characters": round(_mean_length(rows))}
            for name, rows in offers.items()
        },
    }


def _median_call(classifier: Classifier, offers: list[tuple[str, str]]) -> float:
    """Median time on the wall of a call, over all offers, several times each."""
    times = []
    for _ in range(_CALLS):
        for title, description in offers:
            begin = time.perf_counter()
            classifier.classify_text(description, title)
            times.append(time.perf_counter() - begin)
    return median(times)


def _offers(data: DataSet, wanted: int) -> dict[str, list[tuple[str, str]]]:
    """Offers nearest to the wanted length, without any term and with one that counts."""
    table = data.table()
    titles, texts = (
        [value or "" for value in table.column(name).to_pylist()]
        for name in ("title", "description")
    )
    distance = np.abs(np.array([len(text) for text in texts]) - LENGTH)
    near = np.argsort(distance, kind="stable")[:_CANDIDATES].tolist()
    lexicon = Lexicon.default()
    found = keyword_peers(lexicon)[WHOLE_WORDS].find([f"{titles[n]}\n{texts[n]}" for n in near])
    counts = KeywordRule(forms_of(lexicon)).flags(found, Definition.STUDY)
    without = [n for n, forms in zip(near, found, strict=True) if not forms]
    having = [n for n, counting in zip(near, counts.tolist(), strict=True) if counting]
    return {
        name: [(titles[n], texts[n]) for n in numbers[:wanted]]
        for name, numbers in (("without", without), ("with", having))
    }


def _mean_length(offers: list[tuple[str, str]]) -> float:
    return sum(len(text) for _, text in offers) / max(len(offers), 1)
