"""What annotators said, as any tool gives it back, and how it becomes labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aiskills.errors import LabelError
from aiskills.labels.records import MentionLabel, OfferLabel
from aiskills.labels.tasks import CHOICES, MARKS, UNSURE, Mark, parse_inclusion
from aiskills.schema import STATUS_ORDER, THEMES, Status

_SHOWN_PROBLEMS: Final = 5


@dataclass(frozen=True, slots=True)
class Annotation:
    """What one annotator said of one offer.

    Attributes:
        uid: The offer's identifier.
        annotator: Who said it, as the tool calls them; empty if it does not tell.
        strict: Status under the strict definition; None if nothing was chosen.
        study: The same under study.
        themes: Themes asked for, in the order of `THEMES`.
        sure: False where the annotator was not.
        marks: Places marked.
        lang: fr, en or other.
        set: The draw's name.
        stratum: Stratum of the draw; empty if it had none.
        inclusion: Probability with which the offer was drawn; None if it had none.
        skipped: Whether the annotator passed the offer over.
    """

    uid: str
    annotator: str = ""
    strict: Status | None = None
    study: Status | None = None
    themes: tuple[str, ...] = ()
    sure: bool = True
    marks: tuple[Mark, ...] = ()
    lang: str = "fr"
    set: str = ""
    stratum: str = ""
    inclusion: float | None = None
    skipped: bool = False


@dataclass(frozen=True, slots=True)
class Imported:
    """Labels from annotations, and what was left out.

    Attributes:
        offers: Labels of whole offers, in the order of the annotations.
        mentions: Labels of the places marked in them.
        skipped: Offers that were passed over, rejected or not yet labelled.
        incomplete: Identifiers of offers with a status under one definition only.
        disagreed: Identifiers of offers of which annotators said different things.
    """

    offers: list[OfferLabel] = field(default_factory=list)
    mentions: list[MentionLabel] = field(default_factory=list)
    skipped: int = 0
    incomplete: list[str] = field(default_factory=list)
    disagreed: list[str] = field(default_factory=list)


def make_annotation(
    about: Mapping[str, Any],
    *,
    annotator: object = "",
    choices: Iterable[str] = (),
    marks: Iterable[Mark] = (),
    skipped: bool = False,
) -> Annotation:
    """An annotation, checked.

    Args:
        about: What the tool carried along (`Task.about`).
        annotator: Who.
        choices: What was chosen, of `CHOICES`.
        marks: Places marked.
        skipped: Whether the offer was passed over; then what was chosen does not count.

    Raises:
        ValueError: No identifier; an unknown choice; two statuses under one definition; study
            weaker than strict; an inclusion probability that is none.
    """
    uid = str(about.get("uid") or "")
    if not uid:
        raise ValueError("it has no uid; expected a task that `aiskills sample` wrote")
    said = dict.fromkeys(choices)
    if unknown := [choice for choice in said if choice not in CHOICES]:
        raise ValueError(f"{unknown[0]!r} is no choice; expected one of {', '.join(CHOICES)}")
    strict, study = (_status(said, name) for name in ("strict", "study"))
    both = strict is not None and study is not None
    if both and STATUS_ORDER.index(study) < STATUS_ORDER.index(strict) and not skipped:
        raise ValueError(
            f"study ({study}) is weaker than strict ({strict}); "
            "expected what is AI proper to count under study too"
        )
    return Annotation(
        uid,
        str(annotator or ""),
        strict,
        study,
        tuple(theme for theme in THEMES if f"theme:{theme}" in said),
        UNSURE not in said,
        tuple(sorted(marks, key=lambda mark: (mark.start, mark.end))),
        str(about.get("lang") or "fr"),
        str(about.get("set") or ""),
        str(about.get("stratum") or ""),
        parse_inclusion(about.get("inclusion")),
        skipped,
    )


def _status(said: Mapping[str, Any], definition: str) -> Status | None:
    chosen = [choice for choice in said if choice.startswith(f"{definition}:")]
    if len(chosen) > 1:
        raise ValueError(f"{' and '.join(chosen)} are both chosen; expected one of them")
    return Status(chosen[0].partition(":")[2]) if chosen else None


def make_mark(text: str, start: Any, end: Any, name: Any, quote: object = None) -> Mark:
    """A place that was marked, checked against the text.

    Args:
        text: The text in the export.
        start: Offset of the first character.
        end: Exclusive end.
        name: What it was called, of `MARKS`.
        quote: The words there as the tool quotes them; None if it does not.

    Raises:
        ValueError: The offsets are beyond the text or the quote is elsewhere; the name is unknown.
    """
    if name not in MARKS:
        raise ValueError(f"{name!r} is no mark; expected one of {', '.join(MARKS)}")
    try:
        start, end = int(start), int(end)  # Label Studio documents them as text
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"offsets {start!r} to {end!r}; expected whole numbers") from None
    if not 0 <= start < end <= len(text):
        raise ValueError(
            f"a mark from {start} to {end}; expected a place in its text of {len(text)} characters"
        )
    if isinstance(quote, str) and _words(quote) != _words(text[start:end]):
        raise ValueError(f"the words from {start} to {end} are not those that the tool quotes")
    return Mark(start, end, *MARKS[name])


def _words(text: str) -> str:
    """Letters and digits only: tools write line ends and blanks in their own ways."""
    return "".join(filter(str.isalnum, text.replace("\\n", "\n").replace("\\r", "\r")))


def read_tasks(
    records: Sequence[Any], parse: Callable[[Any], list[Annotation]], name: str, kind: str
) -> list[Annotation]:
    """Reads every record of an export, and tells of all that is wrong together.

    Args:
        records: The records.
        parse: Gives the annotations of one of them.
        name: The file, for messages.
        kind: What a record is called there: task, line, row.

    Raises:
        LabelError: Some records cannot be read; the first of them are named.
    """
    result: list[Annotation] = []
    problems: list[str] = []
    for number, record in enumerate(records, 1):
        if record is None:  # an empty line
            continue
        try:
            result += parse(record)
        except KeyError as error:
            problems.append(f"{kind} {number}: it has no {error}")
        except (ValueError, TypeError, AttributeError, OverflowError) as error:
            problems.append(f"{kind} {number}: {error}")
    if problems:
        more = len(problems) - _SHOWN_PROBLEMS
        told = problems[:_SHOWN_PROBLEMS] + ([f"and {more} more"] if more > 0 else [])
        raise LabelError(f"{name}, " + "\n  ".join(told))
    return result


def settle(annotations: Iterable[Annotation], annotator: str | None = None) -> Imported:
    """Labels from annotations.

    Several annotations of one offer that have the same statuses make one label: themes and marks
    of the first, sure if all are. Where the statuses differ, nobody is right: the offer is left
    out.

    Args:
        annotations: What was said.
        annotator: Only what this one said.

    Raises:
        LabelError: Nobody of that name annotated anything.
    """
    everything = list(annotations)
    by_uid: dict[str, list[Annotation]] = {}
    for annotation in everything:
        if annotator is None or annotation.annotator == annotator:
            by_uid.setdefault(annotation.uid, []).append(annotation)
    if annotator is not None and not by_uid:
        known = sorted({a.annotator for a in everything if a.annotator})
        raise LabelError(
            f"no annotation is by {annotator!r}",
            expected=f"one of {', '.join(known)}" if known else "an export that names annotators",
        )
    result = Imported()
    skipped = 0
    for uid, found in by_uid.items():
        said = [a for a in found if not a.skipped and (a.strict or a.study)]
        whole = [a for a in said if a.strict and a.study]
        if not said:
            skipped += 1
        elif len(whole) < len(said):
            result.incomplete.append(uid)
        elif len({(a.strict, a.study) for a in whole}) > 1:
            result.disagreed.append(uid)
        else:
            _add(result, whole)
    return Imported(result.offers, result.mentions, skipped, result.incomplete, result.disagreed)


def _add(result: Imported, agreeing: Sequence[Annotation]) -> None:
    one = agreeing[0]
    assert one.strict is not None  # noqa: S101 (settle gives whole ones)
    assert one.study is not None  # noqa: S101
    result.offers.append(
        OfferLabel(
            one.uid,
            one.strict,
            one.study,
            one.themes,
            tuple((m.start, m.end) for m in one.marks if m.status is not Status.NONE),
            one.lang,
            all(a.sure for a in agreeing),
            one.set,
            one.stratum,
            one.inclusion,
        )
    )
    result.mentions.extend(
        MentionLabel(one.uid, m.start, m.end, m.status, m.definition, one.sure) for m in one.marks
    )


def offer_record(label: OfferLabel) -> dict[str, Any]:
    """A label of an offer as its line in a JSONL file."""
    record: dict[str, Any] = {
        "uid": label.uid,
        "strict": str(label.strict),
        "study": str(label.study),
        "themes": list(label.themes),
        "evidence": [list(place) for place in label.evidence],
        "lang": label.lang,
        "sure": label.sure,
    }
    record |= {name: value for name in ("set", "stratum") if (value := getattr(label, name))}
    return record if label.inclusion is None else {**record, "inclusion": label.inclusion}


def mention_record(label: MentionLabel) -> dict[str, Any]:
    """A label of a mention as its line in a JSONL file."""
    return {
        "uid": label.uid,
        "start": label.start,
        "end": label.end,
        "status": str(label.status),
        "definition": label.definition and str(label.definition),
        "sure": label.sure,
    }
