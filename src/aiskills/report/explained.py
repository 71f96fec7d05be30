"""One explained offer as a page of its own: no script, no request to anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiskills.model import Evidence, Explanation, Part, score_of
from aiskills.schema import Definition, Status

#: Parts of a score that are shown; the rest are summed.
SHOWN_PARTS: Final = 8


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of text, and the evidence it is, if it is any."""

    text: str
    evidence: Evidence | None = None


def segments(text: str, evidence: Sequence[Evidence], field: str) -> Iterator[Segment]:
    """A field cut at its evidence; joined, the stretches are the text again."""
    done = 0
    for piece in sorted((e for e in evidence if e.field == field), key=lambda e: e.start):
        if piece.start > done:
            yield Segment(text[done : piece.start])
        yield Segment(text[max(piece.start, done) : piece.end], piece)
        done = max(done, piece.end)
    if done < len(text):
        yield Segment(text[done:])


def weightiest(parts: Sequence[Part]) -> list[Part]:
    """The weightiest parts and the sum of the rest; together they make the whole."""
    shown = list(parts[:SHOWN_PARTS])
    rest = parts[SHOWN_PARTS:]
    if rest:
        shown.append(Part(f"{len(rest)} smaller parts", sum(part.log_odds for part in rest)))
    return shown


def explained_page(explanation: Explanation, name: str = "") -> str:
    """The page of one explained offer.

    Args:
        explanation: What to show; its texts are escaped.
        name: The offer's identifier, or an empty string.

    Returns:
        A complete HTML document.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("aiskills.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    judgement = explanation.judgement
    return environment.get_template("explained.html").render(
        name=name,
        title=list(segments(explanation.title, judgement.evidence, "title")),
        description=list(segments(explanation.description, judgement.evidence, "description")),
        judgement=judgement,
        definitions=[_definition(explanation, definition) for definition in Definition],
        matches=[
            {"piece": piece, "parts": weightiest(parts)}
            for piece, parts in zip(judgement.evidence, explanation.matches, strict=True)
        ],
    )


def _definition(explanation: Explanation, definition: Definition) -> dict[str, Any]:
    parts = explanation.parts.get(definition, ())
    status: Status | None = getattr(explanation.judgement, definition.value)
    return {
        "name": definition.value,
        "status": status,
        "score": score_of(parts),
        "threshold": explanation.thresholds[definition],
        "parts": weightiest(parts),
    }
