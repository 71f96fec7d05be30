"""The classifier as a component of spaCy pipelines: ``nlp.add_pipe("ai_skills")``.

    >>> import spacy
    >>> nlp = spacy.blank("xx")
    >>> pipe = nlp.add_pipe("ai_skills")
    >>> doc = nlp("Vous maîtrisez le machine learning.")
    >>> [(span.text, span.label_, span.kb_id_) for span in doc.spans["ai_skills"]]
    [('machine learning', 'demand', 'apprentissage automatique')]
    >>> doc._.ai_skills.strict
    <Status.DEMAND: 'demand'>

spaCy finds it through an entry point, so nothing has to be imported. Any language of pipeline will
do: aiskills cuts texts by itself, and needs spaCy's tokens only to place the spans.
"""

# No `from __future__ import annotations` here: spaCy reads the factory's annotations to check its
# config, and takes no strings for types.

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any, Final

from spacy.language import Language as Pipeline
from spacy.tokens import Doc, SpanGroup
from spacy.util import minibatch

from aiskills.errors import UsageError
from aiskills.model import Evidence, Judgement
from aiskills.model.judge import BATCH
from aiskills.pipeline import Setup, parse_threshold
from aiskills.schema import Definition, Language, Status, Zone

#: Name of the component, of the span group unless told otherwise, and of ``doc._.ai_skills``.
NAME: Final = "ai_skills"
#: A first line longer than this is no title.
MAX_TITLE_CHARS: Final = 200
_TITLES: Final = ("none", "first_line")


class AiSkills:
    r"""Judges documents.

    A document gets ``doc._.ai_skills``, its `aiskills.model.Judgement`, and a span group with one
    span for each piece of evidence, in the same order: ``label_`` is its status (demand or
    mention), ``kb_id_`` the term and ``id_`` the theme. A span covers all tokens that the quote
    touches, so it may be longer than the quote. The group's ``attrs`` hold the scores of the spans
    and the versions of model and lexicon. A document without text has an empty group and a
    judgement with an error.

    All of it is kept by ``nlp.pipe(…, n_process=2)``, ``Doc.to_bytes`` and
    ``DocBin(store_user_data=True)``.

    Args:
        setup: What to judge with.
        title: ``none``: the whole text is the description. ``first_line``: what stands before the
            first line break is the title, unless it is longer than `MAX_TITLE_CHARS`; so that
            ``f"{title}\n{description}"`` is judged as the two.
        spans_key: Name of the span group.

    Raises:
        UsageError: `title` is neither.
        ModelError: The model folder cannot be opened.
        LexiconError: The lexicon has mistakes.
    """

    def __init__(self, setup: Setup, title: str = "none", spans_key: str = NAME) -> None:
        if title not in _TITLES:
            raise UsageError(f"title {title!r}", expected=" or ".join(_TITLES))
        setup.judge()  # now, so that a mistake shows where the component is added
        self.setup = setup
        self.title = title
        self.spans_key = spans_key

    def __call__(self, doc: Doc) -> Doc:
        """Judges one document.

        Args:
            doc: It gets spans and judgement.

        Returns:
            The same document.
        """
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = BATCH) -> Iterator[Doc]:
        """Judges documents, many at once.

        Args:
            stream: They get spans and judgements.
            batch_size: So many are read ahead.

        Yields:
            The same documents, in order.
        """
        # The component holds no judge, only what it is made from: that travels to other processes.
        judge = self.setup.judge()
        origin = {"model": judge.model.version, "lexicon": judge.lexicon.version}
        for docs in minibatch(stream, batch_size):
            fields = [self._fields(doc.text) for doc in docs]
            judgements = judge.judge([t for t, _ in fields], [d for _, d in fields])
            for doc, (_, description), judgement in zip(docs, fields, judgements, strict=True):
                self._annotate(doc, judgement, len(doc.text) - len(description), origin)
                yield doc

    def _fields(self, text: str) -> tuple[str, str]:
        """Title and description of a document."""
        if self.title == "none":
            return "", text
        title, _, description = text.partition("\n")
        return (title, description) if len(title) <= MAX_TITLE_CHARS else ("", text)

    def _annotate(
        self, doc: Doc, judgement: Judgement, body: int, origin: Mapping[str, str]
    ) -> None:
        """Puts spans and judgement on a document whose description begins at `body`."""
        shifts = {"title": 0, "description": body}
        spans = [
            doc.char_span(
                piece.start + shifts[piece.field],
                piece.end + shifts[piece.field],
                label=piece.status.value,
                kb_id=piece.term,
                span_id=piece.theme,
                alignment_mode="expand",
            )
            for piece in judgement.evidence
        ]
        scores = [piece.score for piece in judgement.evidence]
        doc.spans[self.spans_key] = SpanGroup(
            doc, name=self.spans_key, attrs={"scores": scores, **origin}, spans=spans
        )
        doc.user_data[NAME] = asdict(judgement)


def judgement_of(doc: Doc) -> Judgement | None:
    """What ``doc._.ai_skills`` gives: the judgement, or None if the component did not see `doc`.

    It is kept as plain values, which spaCy can write, and put together anew each time.

    Args:
        doc: A document.
    """
    record = doc.user_data.get(NAME)
    if record is None:
        return None
    return Judgement(
        **{
            **record,
            "strict": record["strict"] and Status(record["strict"]),
            "study": record["study"] and Status(record["study"]),
            "language": record["language"] and Language(record["language"]),
            "themes": tuple(record["themes"]),
            "evidence": tuple(_evidence(piece) for piece in record["evidence"]),
        }
    )


def _evidence(record: Mapping[str, Any]) -> Evidence:
    return Evidence(
        **{
            **record,
            "zone": Zone(record["zone"]),
            "definition": Definition(record["definition"]),
            "status": Status(record["status"]),
        }
    )


Doc.set_extension(NAME, getter=judgement_of, force=True)


@Pipeline.factory(  # type: ignore[untyped-decorator]
    NAME,
    assigns=["doc.spans", "doc._.ai_skills"],
    default_config={
        "model": None,
        "lexicon": None,
        "threshold": None,
        "title": "none",
        "spans_key": NAME,
    },
)
def make_ai_skills(
    nlp: Pipeline,  # noqa: ARG001 (spaCy passes it)
    name: str,  # noqa: ARG001
    model: str | None,
    lexicon: str | None,
    threshold: float | dict[str, float] | None,
    title: str,
    spans_key: str,
) -> AiSkills:
    """Makes the component from a pipeline's config.

    Args:
        nlp: The pipeline.
        name: The component's name in it.
        model: Path of a model folder; None for the model that ships with aiskills.
        lexicon: Path of a lexicon laid over the default one; None for the default alone.
        threshold: Score from which an offer is a demand: for both definitions, or by definition;
            None for the model's own.
        title: See `AiSkills`.
        spans_key: See `AiSkills`.
    """
    thresholds = tuple(sorted(parse_threshold(threshold).items()))
    return AiSkills(Setup(model, lexicon, thresholds), title, spans_key)
