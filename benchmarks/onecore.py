"""Speed on one core: aiskills and its peers, run in turn over the same offers."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from aiskills import Classifier
from aiskills.phrases import Lexicon
from aiskills.pipeline import CHUNK_ROWS
from aiskills.schema import Definition
from benchmarks import textmodel
from benchmarks.data import DataSet, joined_texts, sample
from benchmarks.labelled import Labelled
from benchmarks.peers import (
    FLOOR,
    WHOLE_WORDS,
    KeywordRule,
    PlainScan,
    forms_of,
    keyword_peers,
)
from benchmarks.plan import Plan
from benchmarks.quality import AISKILLS
from benchmarks.timing import cpu_seconds, in_turn, ratios, spread

#: A run takes at least about as long, so that the clock is fine enough.
_LEAST_SECONDS: Final = 0.3
#: What so slow a peer reads of the offers: the first of so many parts.
_PARTS: Final = {"Python re": 10, 'spaCy blank("fr") + PhraseMatcher': 5, "flashtext": 2}


def measure(sets: Mapping[str, DataSet], labelled: Labelled, plan: Plan) -> dict[str, Any]:
    """Offers a second and core of everybody.

    The time is that of the processor, all threads, so that other programs do not count. aiskills
    makes all its columns, attributes included; the peers only find their terms or score the text.

    Returns:
        By data set: facts of the sample, and by name the spread of offers/s and of the ratio to the
        plain scan, run by run.
    """
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    lexicon = Lexicon.default()
    peers, rule = keyword_peers(lexicon), KeywordRule(forms_of(lexicon))
    floor = PlainScan(list(forms_of(lexicon)))
    trained = labelled.fit(labelled.folds()[0][0])
    classifier = Classifier.load()
    # What everybody has loaded is no garbage of whoever runs when Python looks for some.
    gc.collect()
    gc.freeze()
    result = {}
    for name, data in sets.items():
        offers = sample(data.table(), plan.peer_offers)
        texts = joined_texts(offers)
        counts = {peer: max(1, len(texts) // parts) for peer, parts in _PARTS.items()}
        work: dict[str, Callable[[], object]] = {
            peer: partial(finder.find, texts[: counts.get(peer, len(texts))])
            for peer, finder in peers.items()
        }
        work[FLOOR] = partial(floor.scan, texts)
        work[textmodel.NAME] = partial(trained.flags, texts)
        work[AISKILLS] = partial(classify, classifier, offers)
        rates = speeds(work, {name: counts.get(name, len(texts)) for name in work}, plan.rounds)
        found = rule.flags(peers[WHOLE_WORDS].find(texts), Definition.STUDY)
        result[name] = {
            **data.facts(),
            "offers": len(offers),
            "characters": round(sum(map(len, texts)) / max(len(texts), 1)),
            "share_with_term": float(found.mean()),
            "peers": {
                peer: {
                    "offers_per_second": asdict(spread(runs)),
                    "to_floor": asdict(ratios(runs, rates[FLOOR])),
                    "aiskills_times": asdict(ratios(rates[AISKILLS], runs)),
                }
                for peer, runs in rates.items()
            },
        }
    return result


def speeds(
    work: Mapping[str, Callable[[], object]], offers: Mapping[str, int], rounds: int
) -> dict[str, list[float]]:
    """Offers a second of processor time, of each run, by name; `offers` are those each reads.

    What is quick is done several times in each run, so that every run is long beside the clock.
    """
    passes = {
        name: max(1, round(_LEAST_SECONDS / max(cpu_seconds(one), 1e-6)))
        for name, one in work.items()
    }
    tasks = {name: partial(_cpu_of, one, passes[name]) for name, one in work.items()}
    return {
        name: [offers[name] / max(seconds, 1e-9) for seconds in found]
        for name, found in in_turn(tasks, rounds).items()
    }


def _cpu_of(work: Callable[[], object], passes: int) -> float:
    """Processor time of one pass, the mean of several."""
    return cpu_seconds(lambda: [work() for _ in range(passes)]) / passes


def classify(classifier: Classifier, offers: pa.Table) -> list[pa.Table]:
    """All columns of some offers, a chunk at a time as the command line does it."""
    return [
        classifier.classify(offers.slice(begin, CHUNK_ROWS))
        for begin in range(0, len(offers), CHUNK_ROWS)
    ]


def measure_repeats(data: DataSet, plan: Plan) -> dict[str, Any]:
    """Whether repeated texts cost as much as new ones.

    Three tables of the same number of rows: all texts new; a hundredth of them, each a hundred
    times, told apart by a reference number at their end; the same without that number. Titles and
    fields are the same in the last two, so only the texts differ. What remembers results between
    offers would make the last one cheaper.

    Returns:
        Spreads of microseconds an offer, and of the ratios run by run.
    """
    pa.set_cpu_count(1)
    classifier = Classifier.load()
    new = sample(data.table(), plan.repeat_offers)
    few = new.slice(0, max(plan.repeat_offers // 100, 1))
    places = pa.array([n % len(few) for n in range(plan.repeat_offers)])
    same = few.take(places).combine_chunks()
    numbered = _numbered(same)
    tables = {"new": new, "numbered": numbered, "repeated": same}
    found = in_turn(
        {
            name: partial(cpu_seconds, partial(classify, classifier, table))
            for name, table in tables.items()
        },
        plan.rounds,
        warm=True,
    )
    sizes = {name: sum(map(len, joined_texts(table))) for name, table in tables.items()}
    return {
        "offers": plan.repeat_offers,
        "distinct": len(few),
        "microseconds_per_offer": {
            name: asdict(spread([second / plan.repeat_offers * 1e6 for second in seconds]))
            for name, seconds in found.items()
        },
        "repeated_to_numbered": asdict(ratios(found["repeated"], found["numbered"])),
        "repeated_to_new_per_character": asdict(
            ratios(
                [s / sizes["repeated"] for s in found["repeated"]],
                [s / sizes["new"] for s in found["new"]],
            )
        ),
    }


def _numbered(offers: pa.Table) -> pa.Table:
    ends = pa.array([f" Réf. {n:07}" for n in range(len(offers))], pa.large_string())
    place = offers.column_names.index("description")
    given = pc.fill_null(offers.column("description"), pa.scalar("", pa.large_string()))
    texts = pc.binary_join_element_wise(given, ends, pa.scalar("", pa.large_string()))
    return offers.set_column(place, "description", texts)
