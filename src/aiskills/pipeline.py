"""Offers in, the added columns out: the one pipeline of CLI, notebooks, cron and clusters."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aiskills.attributes.table import ATTRIBUTE_FIELDS, OwnTables, attributes
from aiskills.context import OfferTexts
from aiskills.errors import UsageError
from aiskills.model import Evidence, Judge, load_model
from aiskills.phrases import Lexicon
from aiskills.repair import FIELD_BREAK
from aiskills.schema import CLASSIFY_COLUMNS, SCHEMA_VERSION, Definition, Status
from aiskills.version import __version__
from aiskills.workers import open_workers

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

    from aiskills.files import Chunk, FieldMap

_TYPES: Final = {
    "ai_study": pa.bool_(),
    "ai_strict": pa.bool_(),
    "ai_study_score": pa.float64(),
    "ai_strict_score": pa.float64(),
    "ai_industry_opco2i": pa.bool_(),
    "ai_industry_insee": pa.bool_(),
}
#: Offers judged in one go: attributes look at each different place, code or label once a chunk.
CHUNK_ROWS: Final = 5_000
#: Bytes of offers that a process takes at a time: while it is at the last ones, others have nothing
#: to do.
_TASK_BYTES: Final = 6_000_000
#: Tasks waiting for each process.
_QUEUED: Final = 3
#: The added columns and their Arrow types.
ADDED: Final = pa.schema([(name, _TYPES.get(name, pa.string())) for name in CLASSIFY_COLUMNS])


@dataclass(frozen=True, slots=True)
class Setup:
    """What a judge is made from; small, so that it travels to other processes.

    Attributes:
        model: Path of a model folder; None for the model that ships with aiskills.
        lexicon: Path of a user's lexicon; None for the default one.
        thresholds: Pairs of definition and score from which an offer is a demand; empty for the
            model's own.
        own: The user's own tables of employers.
    """

    model: str | None = None
    lexicon: str | None = None
    thresholds: tuple[tuple[Definition, float], ...] = ()
    own: OwnTables = field(default_factory=OwnTables)

    def judge(self) -> Judge:
        """The judge; made once in each process.

        Raises:
            ModelError: The model folder cannot be opened.
            LexiconError: The lexicon has mistakes.
        """
        return _judge(self, _stamp(self.lexicon), _stamp(self.model and f"{self.model}/meta.json"))


def _stamp(path: str | None) -> tuple[int, int] | None:
    """What changes when a file does, so that an edited lexicon is read again."""
    try:
        found = Path(path).stat() if path else None
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size) if found else None


@lru_cache(maxsize=2)
def _judge(setup: Setup, *_stamps: tuple[int, int] | None) -> Judge:
    return Judge(
        load_model(setup.model),
        Lexicon.read(setup.lexicon) if setup.lexicon else None,
        dict(setup.thresholds),
    )


def setup_of(
    model: str | None = None,
    lexicon: str | None = None,
    threshold: str | None = None,
    siret_idcc: str | None = None,
    naf2025: str | None = None,
) -> Setup:
    """The setup that options of the command line ask for; see `Setup` and `parse_threshold`.

    Raises:
        UsageError: The threshold is none.
    """
    thresholds = tuple(sorted(parse_threshold(threshold).items()))
    return Setup(model, lexicon, thresholds, OwnTables(siret_idcc, naf2025))


def parse_threshold(text: str | float | Mapping[str, float] | None) -> dict[Definition, float]:
    """Thresholds from what a user gives.

    Args:
        text: A number for both definitions (``0.7``), pairs (``strict=0.6,study=0.5``), a mapping,
            or None for the model's own.

    Raises:
        UsageError: It is none of these, or not between 0 and 1.
    """
    if text is None:
        return {}
    pairs: list[tuple[str, object]]
    if isinstance(text, Mapping):
        pairs = list(text.items())
    elif isinstance(text, str) and "=" in text:
        parts = [part.partition("=") for part in text.split(",")]
        pairs = [(name.strip(), value) for name, _, value in parts]
    else:
        pairs = [(definition.value, text) for definition in Definition]
    result: dict[Definition, float] = {}
    for name, value in pairs:
        number = _between_0_and_1(value)
        if name not in tuple(Definition) or number is None or name in result:
            raise UsageError(
                f"threshold {text!r}",
                expected="a number above 0 and up to 1, or strict=0.6,study=0.5",
            )
        result[Definition(name)] = number
    return result


def _between_0_and_1(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | float | int):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if 0 < number <= 1 else None


def provenance(judge: Judge) -> dict[str, str]:
    """Versions of everything that decides a result, for its metadata."""
    return {
        "aiskills_version": __version__,
        "aiskills_schema": str(SCHEMA_VERSION),
        "aiskills_model": judge.model.version,
        "aiskills_model_sha256": str(judge.model.meta["sha256"]),
        "aiskills_lexicon": judge.lexicon.version,
        "aiskills_lexicon_sha256": judge.lexicon.sha256,
        "aiskills_thresholds": json.dumps({d.value: judge.thresholds[d] for d in Definition}),
    }


def added_columns(
    judge: Judge, fields: Mapping[str, pa.Array], own: OwnTables | None = None
) -> pa.Table:
    """The added columns of some offers, a row each.

    Args:
        judge: Judges the texts.
        fields: What `fields_of` gives.
        own: The user's own tables of employers.
    """
    judged = judge.columns(_offer_texts(fields["title"], fields["description"]))
    columns: dict[str, Any] = {
        "ai_study": [status and status is Status.DEMAND for status in judged.study],
        "ai_strict": [status and status is Status.DEMAND for status in judged.strict],
        "ai_study_status": judged.study,
        "ai_strict_status": judged.strict,
        "ai_study_score": [score and round(score, 4) for score in judged.study_score],
        "ai_strict_score": [score and round(score, 4) for score in judged.strict_score],
        "ai_themes": ["|".join(its) if its else "" for its in judged.themes],
        "ai_evidence": [evidence_json(its) if its else "" for its in judged.evidence],
        "ai_language": judged.language,
        "ai_error": judged.error,
    }
    cues = judged.cues
    told = attributes(fields, pa.array(cues, pa.string()), own)
    columns |= {name: told.column(name) for name in told.column_names}
    return pa.table({name: columns[name] for name in ADDED.names}, schema=ADDED)


def evidence_json(evidence: Sequence[Evidence]) -> str:
    """The evidence of a judgement as ``ai_evidence`` holds it; empty if there is none."""
    if not evidence:
        return ""
    return json.dumps(
        [
            {
                "term": piece.term,
                "quote": piece.quote,
                "start": piece.start,
                "end": piece.end,
                "field": piece.field,
                "zone": piece.zone,
                "theme": piece.theme,
                "status": piece.status,
                "score": piece.score,
            }
            for piece in evidence
        ],
        ensure_ascii=False,
    )


def fields_of(table: pa.Table, fields: FieldMap) -> dict[str, pa.Array]:
    """The fields of offers that judging and attributes need, without those that are absent.

    Title and description are always there, null where there is none.
    """
    names = [name for name in ATTRIBUTE_FIELDS if name in fields.paths]
    return {name: fields.extract(table, name) for name in {"title", "description", *names}}


def texts(table: pa.Table, fields: FieldMap) -> tuple[list[str], list[str]]:
    """Titles and descriptions of a table, empty strings where there is none."""
    return _texts({name: fields.extract(table, name) for name in ("title", "description")})


def _texts(fields: Mapping[str, pa.Array]) -> tuple[list[str], list[str]]:
    titles, descriptions = (
        [value or "" for value in fields[name].to_pylist()] for name in ("title", "description")
    )
    return titles, descriptions


def _offer_texts(titles: pa.Array, descriptions: pa.Array) -> OfferTexts:
    # Put together by Arrow, and strings by way of numpy: half as long as one by one.
    kind = pa.large_string() if pa.large_string() in {titles.type, descriptions.type} else None
    titles, descriptions = (
        pc.fill_null(column.cast(kind) if kind else column, "") for column in (titles, descriptions)
    )
    given = pc.binary_join_element_wise(titles, descriptions, pa.scalar(FIELD_BREAK, titles.type))
    chars = pc.utf8_length(titles).to_numpy().astype(np.int64)
    return OfferTexts(given.to_numpy(zero_copy_only=False).tolist(), chars)


def with_columns(table: pa.Table, added: pa.Table) -> pa.Table:
    """The table and the added columns behind its own; columns of the same name are replaced."""
    kept = [name for name in table.column_names if name not in CLASSIFY_COLUMNS]
    result = table.select(kept)
    for name in added.column_names:
        result = result.append_column(added.schema.field(name), added.column(name))
    return result


def _work(setup: Setup, fields: Mapping[str, pa.Array]) -> pa.Table:
    return added_columns(setup.judge(), fields, setup.own)


def _work_elsewhere(setup: Setup, packed: bytes) -> bytes:
    table = pa.ipc.open_stream(packed).read_all()
    fields = {name: table.column(name).combine_chunks() for name in table.column_names}
    return _packed(_work(setup, fields))


def _packed(table: pa.Table) -> bytes:
    """A table as Arrow's stream format, which holds the rows of a slice and no others."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    packed: bytes = sink.getvalue().to_pybytes()
    return packed


def classify_chunks(
    chunks: Iterable[Chunk], setup: Setup, jobs: int = 1, workers: Executor | None = None
) -> Iterator[pa.Table]:
    """Judges offers chunk by chunk, in their order, in bounded memory.

    Args:
        chunks: What `aiskills.files.open_offers` gives.
        setup: The judge to use.
        jobs: Processes; the result is the same for any number.
        workers: So many processes that run already; None to start them here, if there are several.

    Yields:
        For each chunk its table with the added columns.
    """
    if workers is not None:
        yield from _classify_elsewhere(chunks, setup, jobs, workers)
    elif jobs > 1:
        with open_workers(jobs) as workers:
            yield from _classify_elsewhere(chunks, setup, jobs, workers)
    else:
        for chunk in chunks:
            yield with_columns(chunk.table, _work(setup, fields_of(chunk.table, chunk.fields)))


def _classify_elsewhere(
    chunks: Iterable[Chunk], setup: Setup, jobs: int, workers: Executor
) -> Iterator[pa.Table]:
    # A queue of our own bounds memory, however slow writing is.
    waiting: deque[tuple[pa.Table, Future[bytes]]] = deque()

    def finished() -> pa.Table:
        table, task = waiting.popleft()
        return with_columns(table, pa.ipc.open_stream(task.result()).read_all())

    for chunk in chunks:
        fields = pa.table(fields_of(chunk.table, chunk.fields))
        rows = max(-(-len(fields) // (fields.nbytes // _TASK_BYTES + 1)), 1)
        for begin in range(0, max(len(fields), 1), rows):  # of no offers columns are wanted too
            packed = _packed(fields.slice(begin, rows))
            task = workers.submit(_work_elsewhere, setup, packed)
            waiting.append((chunk.table.slice(begin, rows), task))
            if len(waiting) > _QUEUED * jobs:
                yield finished()
    while waiting:
        yield finished()
