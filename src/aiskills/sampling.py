"""Which offers of a file to label: the model's answers in, tasks for annotators out."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aiskills.errors import InputError, UsageError
from aiskills.labels.design import Design, Sample, Strategy, Stratum
from aiskills.labels.draw import allocate, draw_strata, draw_uncertain, first_of_each, keys_of
from aiskills.labels.strata import Answers, distances, meaning_of, strata_of
from aiskills.labels.tasks import Mark, Task
from aiskills.labels.uid import offer_uids
from aiskills.pipeline import Setup, classify_chunks, provenance, texts
from aiskills.schema import Definition, Status

if TYPE_CHECKING:
    from aiskills.files import Chunk, OfferReader
    from aiskills.model import Judge, Judgement

_USED: Final = (
    "ai_study_status",
    "ai_strict_status",
    "ai_study_score",
    "ai_strict_score",
    "ai_language",
)
#: What must be the same for scores found in a file to be used.
_SAME: Final = ("aiskills_model_sha256", "aiskills_lexicon_sha256", "aiskills_thresholds")


@dataclass(slots=True)
class _Frame:
    """What is kept of every row while the input is read: some 40 bytes."""

    keys: list[Any] = field(default_factory=list)
    companies: list[Any] = field(default_factory=list)
    has_text: list[Any] = field(default_factory=list)
    strata: list[Any] = field(default_factory=list)
    variances: list[Any] = field(default_factory=list)
    distances: list[Any] = field(default_factory=list)


def draw_sample(
    offers: OfferReader,
    setup: Setup,
    design: Design,
    *,
    jobs: int = 1,
    update: Callable[[int], None] = lambda _: None,
) -> Sample:
    """Draws offers to label; the input is read twice, in bounded memory.

    Rows without any text are left out, and of rows with one identifier the first is taken: the
    population is the different offers that have a text.

    Args:
        offers: The offers, as `aiskills.files.open_offers` gives them. Scores in them are used if
            the same model, lexicon and thresholds made them, which their metadata must say.
        setup: What judges them.
        design: What to draw.
        jobs: Processes; the draw is the same for any number.
        update: Told the number of rows read, now and then.

    Raises:
        InputError: No row has a text.
        UsageError: Fewer offers are asked for than there are strata, or options do not go together.
    """
    if design.per_company is not None and design.strategy is not Strategy.UNCERTAIN:
        raise UsageError(
            f"a limit per employer with the strategy {design.strategy}",
            expected="it with the strategy uncertain only",
            hint="A limit would change the probabilities with which offers are drawn.",
        )
    judge = setup.judge()
    versions = provenance(judge)
    before = design.strategy is not Strategy.RANDOM and all(
        _scores_fit(source, offers, versions) for source in offers.sources
    )
    frame = _read_frame(offers, setup, judge, design, jobs=1 if before else jobs,
                        before=before, update=update)  # fmt: skip
    keys, has_text = np.concatenate(frame.keys), np.concatenate(frame.has_text)
    rows = np.flatnonzero(has_text)
    rows = rows[first_of_each(keys[rows])]
    if not len(rows):
        raise InputError(
            f"{', '.join(offers.sources)}: no row has a title or a description",
            hint="Say which columns hold them, as in --map description=COLUMN.",
        )
    places, codes, strata = _choose(frame, design, keys, rows)
    wanted = rows[places]
    tasks = _tasks(offers, judge, design, wanted.tolist(), codes, strata)
    return Sample(
        tasks,
        len(rows),
        int(has_text.sum()) - len(rows),
        len(has_text) - int(has_text.sum()),
        strata,
        before,
        versions,
    )


def _choose(
    frame: _Frame, design: Design, keys: Any, rows: Any
) -> tuple[Any, list[int], list[Stratum]]:
    """Places in `rows` of the offers drawn, the number of the stratum of each, and the strata."""
    if design.strategy is Strategy.UNCERTAIN:
        places = draw_uncertain(
            np.concatenate(frame.distances)[rows],
            keys[rows],
            np.concatenate(frame.companies)[rows],
            design.number,
            design.per_company,
        )
        # An order that tells nothing of the score.
        return places[np.argsort(keys[rows][places])], [], []
    if design.strategy is Strategy.RANDOM:
        numbers = [min(design.number, len(rows))]
        own = np.zeros(len(rows), dtype=np.int64)
        meanings, sizes = ["all offers"], [len(rows)]
    else:
        present, own = np.unique(np.concatenate(frame.strata)[rows], return_inverse=True)
        counts = np.bincount(own)
        spreads = np.sqrt(np.bincount(own, np.concatenate(frame.variances)[rows]) / counts)
        if design.number < len(present):
            raise UsageError(
                f"-n {design.number} for {len(present)} strata",
                expected=f"at least {len(present)}, so that every offer can be drawn",
                hint="Or use --strategy random.",
            )
        meanings, sizes = [meaning_of(int(n)) for n in present], counts.tolist()
        numbers = allocate(sizes, spreads.tolist(), design.number)
    strata = [
        Stratum(f"s{number + 1:02d}", *parts)
        for number, parts in enumerate(zip(meanings, sizes, numbers, strict=True))
    ]
    places = draw_strata(keys[rows], own, numbers)
    return places, own[places].tolist(), strata


def _read_frame(
    offers: OfferReader,
    setup: Setup,
    judge: Judge,
    design: Design,
    *,
    jobs: int,
    before: bool,
    update: Callable[[int], None],
) -> _Frame:
    frame, done = _Frame(), 0
    # Of the chunks being judged in other processes; the results come in the same order.
    waiting: deque[tuple[list[str], list[str | None], Any]] = deque()

    def noted() -> Iterator[Chunk]:
        for chunk in offers:
            waiting.append(
                (
                    offer_uids(chunk.table, chunk.fields),
                    chunk.fields.extract(chunk.table, "company").to_pylist(),
                    _has_text(chunk),
                )
            )
            yield chunk

    if before or design.strategy is Strategy.RANDOM:
        tables: Iterable[pa.Table] = (chunk.table for chunk in noted())
    else:
        tables = classify_chunks(noted(), setup, jobs)
    for table in tables:
        uids, companies, has_text = waiting.popleft()
        frame.keys.append(keys_of(uids, design.seed))
        frame.has_text.append(has_text)
        if design.strategy is Strategy.UNCERTAIN:
            frame.companies.append(_company_numbers(companies))
        if design.strategy is not Strategy.RANDOM:
            answers = _answers(table)
            strata, variances = strata_of(answers, judge.thresholds)
            frame.strata.append(strata.astype(np.int8))
            frame.variances.append(variances.astype(np.float32))
            frame.distances.append(distances(answers, judge.thresholds))
        done += len(table)
        update(done)
    return frame


def _has_text(chunk: Chunk) -> Any:
    title, description = (
        chunk.fields.extract(chunk.table, name) for name in ("title", "description")
    )
    return pc.or_(pc.is_valid(title), pc.is_valid(description)).to_numpy(zero_copy_only=False)


def _company_numbers(companies: Sequence[str | None]) -> Any:
    """A number for each employer, 0 where unknown; case and blanks do not matter."""
    names = [" ".join((name or "").casefold().split()) for name in companies]
    known = np.array([bool(name) for name in names], dtype=bool)
    return np.where(known, keys_of(names, 0), np.uint64(0))


def _answers(table: pa.Table) -> Answers:
    def text(name: str) -> Any:
        return np.array(table.column(name).cast(pa.string()).to_pylist(), dtype=object)

    def score(name: str) -> Any:
        column = table.column(name)
        if not pa.types.is_floating(column.type):
            # Of a CSV file, perhaps with the decimal comma of French Excel; empty is null.
            values = [one and one.replace(",", ".") for one in column.cast(pa.string()).to_pylist()]
            return np.array([float(one) if one else np.nan for one in values])
        return column.to_numpy().astype(np.float64)

    return Answers(
        text("ai_study_status"),
        text("ai_strict_status"),
        {d: score(f"ai_{d}_score") for d in Definition},
        text("ai_language"),
    )


def _scores_fit(source: str, offers: OfferReader, versions: Mapping[str, str]) -> bool:
    """Whether a file has scores, and its metadata say that `versions` made them."""
    if not set(_USED) <= set(offers.columns):
        return False
    known = scored_by(source)
    return all(known.get(name) == versions[name] for name in _SAME)


def scored_by(path: str) -> dict[str, str]:
    """What scored a file: the metadata that `aiskills classify` left in or beside it.

    Args:
        path: A result of `aiskills classify`.

    Returns:
        Names and values of `aiskills.pipeline.provenance`; empty where nothing is known.
    """
    try:
        if Path(path).suffix.lower() == ".parquet":
            import pyarrow.parquet as pq

            found = pq.read_schema(path).metadata or {}
            return {
                key.decode(): value.decode()
                for key, value in found.items()
                if key.startswith(b"aiskills_")
            }
        beside = json.loads(Path(f"{path}.meta.json").read_text("utf-8"))
        return {str(key): str(value) for key, value in beside.items()}
    except (OSError, ValueError, AttributeError, pa.ArrowException):
        return {}


def _tasks(
    offers: OfferReader,
    judge: Judge,
    design: Design,
    wanted: list[int],
    codes: list[int],
    strata: list[Stratum],
) -> list[Task]:
    """The offers drawn, read again."""
    found: dict[int, tuple[str, str, str]] = {}
    by_row = sorted(wanted)
    done = at = 0
    for chunk in offers:
        stop = done + len(chunk.table)
        here = []
        while at < len(by_row) and by_row[at] < stop:
            here.append(by_row[at])
            at += 1
        if here:
            rows = chunk.table.take(pa.array([row - done for row in here], pa.int64()))
            uids = offer_uids(rows, chunk.fields)
            found.update(zip(here, zip(uids, *texts(rows, chunk.fields), strict=True), strict=True))
        if at == len(by_row):
            break
        done = stop
    read = [found[row] for row in wanted]
    judged = judge.judge([title for _, title, _ in read], [text for _, _, text in read])
    drawn = [strata[code] for code in codes] if codes else [None] * len(read)
    return [
        Task(
            uid,
            title,
            description,
            str(judgement.language or "fr"),
            design.name or str(design.strategy),
            stratum.code if stratum else "",
            stratum.drawn if stratum else None,
            stratum.offers if stratum else None,
            _marks(judgement, title) if design.suggestions else (),
        )
        for (uid, title, description), judgement, stratum in zip(read, judged, drawn, strict=True)
    ]


def _marks(judgement: Judgement, title: str) -> tuple[Mark, ...]:
    """The model's evidence as marks, those that overlap an earlier one left out."""
    marks: list[Mark] = []
    shift = {"title": 0, "description": len(title) + 1}
    for piece in sorted(judgement.evidence, key=lambda p: (shift[p.field] + p.start, -p.end)):
        start, end = (shift[piece.field] + offset for offset in (piece.start, piece.end))
        if not marks or start >= marks[-1].end:
            definition = None if piece.status is Status.NONE else piece.definition
            marks.append(Mark(start, end, piece.status, definition))
    return tuple(marks)
