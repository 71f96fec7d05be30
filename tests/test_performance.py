"""A guard on speed that cannot flake: ratios of processor time in one process, never seconds.

Both sides of a ratio read the same offers in turn, in the same process, and the least of several
rounds counts, so neither a slow machine nor a busy one changes the verdict.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from ahocorasick_rs import AhoCorasick, MatchKind

from aiskills import Classifier
from aiskills.files import read_table
from aiskills.phrases import Lexicon
from aiskills.simulate import simulate

#: How many times the processor time of a plain scan all columns of an offer take: what was measured
#: when the limits were set (3.6 and 9.4 to 9.7 on a machine with two cores), and the
#: slack that another processor or release of NumPy may need. A change that makes things faster
#: should lower the first figures.
MEASURED: Final = {"all trades": 3.7, "samples": 9.7}
SLACK: Final = 1.6
#: Repeated texts cost at least this share of as many different ones of the same content.
REMEMBERED: Final = 0.85
ROUNDS: Final = 7
SAMPLES: Final = Path(__file__).parent.parent / "data" / "samples" / "offers.csv"


def traced() -> bool:
    """Whether something counts the lines of Python as they run, which slows only our side."""
    monitoring = getattr(sys, "monitoring", None)
    return sys.gettrace() is not None or bool(
        monitoring and monitoring.get_tool(monitoring.COVERAGE_ID)
    )


pytestmark = pytest.mark.skipif(traced(), reason="lines are counted, which makes Python slow")


def cpu(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def least(*works: Callable[[], object]) -> list[float]:
    """The least processor time of each, run in turn."""
    rounds = [[cpu(work) for work in works] for _ in range(ROUNDS + 1)]
    return [min(times) for times in zip(*rounds[1:], strict=True)]


@pytest.fixture(scope="module")
def offers() -> dict[str, pa.Table]:
    """Invented offers: of all trades, one in fifty with evidence, and the samples, one in three."""
    (stream,) = simulate(1_500, seed=77)
    assert stream.offers is not None
    return {"all trades": stream.offers, "samples": read_table(SAMPLES)}


@pytest.fixture(scope="module")
def scan(lexicon: Lexicon) -> Callable[[list[str]], int]:
    """A plain scan of lower-cased texts for every form of the lexicon."""
    forms = sorted({form.lower() for term in lexicon.terms for form in term.forms})
    find = AhoCorasick(forms, matchkind=MatchKind.LeftmostLongest).find_matches_as_indexes
    return lambda texts: sum(len(find(text.lower())) for text in texts)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = pa.cpu_count()
    pa.set_cpu_count(1)
    yield
    pa.set_cpu_count(before)


def texts_of(table: pa.Table) -> list[str]:
    names = ("intitule" if "intitule" in table.column_names else "title", "description")
    pairs = zip(*(table.column(name).to_pylist() for name in names), strict=True)
    return [f"{title or ''}\n{text or ''}" for title, text in pairs]


@pytest.mark.parametrize("kind", list(MEASURED))
def test_all_columns_cost_a_bounded_number_of_plain_scans(
    kind: str,
    offers: dict[str, pa.Table],
    scan: Callable[[list[str]], int],
    classifier: Classifier,
) -> None:
    table = offers[kind]
    texts = texts_of(table)
    assert scan(texts) > 0
    # The scan ten times, so that both sides are long beside the clock.
    ours, ten = least(lambda: classifier.classify(table), lambda: [scan(texts) for _ in range(10)])
    assert ours / (ten / 10) < SLACK * MEASURED[kind]


def test_repeated_texts_cost_as_much_as_new_ones(
    offers: dict[str, pa.Table], classifier: Classifier
) -> None:
    few = offers["all trades"].slice(0, 8)
    repeated = few.take([n % len(few) for n in range(800)])
    ends = pa.array([f" Réf. {n:05}" for n in range(len(repeated))])
    place = repeated.column_names.index("description")
    texts = pc.binary_join_element_wise(repeated.column("description"), ends, "")
    different = repeated.set_column(place, "description", texts)
    assert pc.count_distinct(different.column("description")).as_py() == len(different)
    again, new = least(
        lambda: classifier.classify(repeated), lambda: classifier.classify(different)
    )
    assert again > REMEMBERED * new


def test_an_offer_costs_the_same_in_a_long_table(
    offers: dict[str, pa.Table], classifier: Classifier
) -> None:
    short = offers["all trades"].slice(0, 500)
    long = pa.concat_tables([short] * 6).combine_chunks()
    one, six = least(lambda: classifier.classify(short), lambda: classifier.classify(long))
    assert six / 6 < 1.3 * one


# --- start-up: what is imported, not how long it takes ------------------------------------------

HEAVY: Final = frozenset(
    [
        "ahocorasick_rs",
        "duckdb",
        "jinja2",
        "joblib",
        "numpy",
        "pandas",
        "polars",
        "pyarrow",
        "scipy",
        "sklearn",
        "spacy",
    ]
)
#: Modules that may be loaded, Python's own among them: 10 and 296 were when this was written, and
#: other releases of Python, typer and rich load some more or less.
MOST_MODULES: Final = {"import aiskills": 20, "--help": 400}


def loaded_by(code: str) -> list[str]:
    """Names of the modules that code loads, in a process of its own, beyond Python's own."""
    script = (
        "import sys, json; before = set(sys.modules)\n"
        f"{code}\n"
        "sys.stderr.write(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    names: list[str] = json.loads(done.stderr)
    return names


HELP: Final = """
sys.argv = ["aiskills", "--help"]
from aiskills.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""


@pytest.mark.parametrize(
    ("what", "code"), [("import aiskills", "import aiskills"), ("--help", HELP)]
)
def test_what_is_imported_stays_light(what: str, code: str) -> None:
    names = loaded_by(code)
    assert "aiskills" in names
    assert HEAVY.isdisjoint(name.partition(".")[0] for name in names)
    assert len(names) <= MOST_MODULES[what], names
