"""Labelled offers made ready for training: read, grouped, joined with their labels."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from aiskills.context import OfferReader, Reading
from aiskills.errors import LabelError
from aiskills.labels import MentionLabel, OfferLabel
from aiskills.labels.texts import LabelledTexts
from aiskills.model.groups import group_offers
from aiskills.repair import FIELD_BREAK
from aiskills.schema import Definition, Status

#: The set of labels that are the audit sample.
AUDIT: Final = "audit"
_MONTH: Final = re.compile(r"(19|20)\d\d-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class LabelledOffer:
    """One offer with its text and what is known of it.

    Attributes:
        uid: Identifier.
        title: Title, empty if there is none.
        description: Description, likewise.
        company: Employer, None if unknown.
        offer: Label of the whole offer, None if only mentions were labelled.
        mentions: Labels of its mentions.
        written: Whether it was written for training: then nothing is ever measured on it.
        month: Month of publication, e.g. ``2023-03``; None if unknown.
    """

    uid: str
    title: str
    description: str
    company: str | None = None
    offer: OfferLabel | None = None
    mentions: tuple[MentionLabel, ...] = ()
    written: bool = False
    month: str | None = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """Labelled offers as the models see them.

    Attributes:
        offers: The offers.
        readings: Their readings, in the same order.
        groups: Group of each: one employer's offers and near-copies have the same.
    """

    offers: Sequence[LabelledOffer]
    readings: list[Reading]
    groups: NDArray[np.int64]
    labels: Mapping[int, OfferLabel] = field(init=False)
    mentions: Mapping[int, Sequence[MentionLabel]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "labels", {n: o.offer for n, o in enumerate(self.offers) if o.offer is not None}
        )
        object.__setattr__(
            self, "mentions", {n: o.mentions for n, o in enumerate(self.offers) if o.mentions}
        )

    @property
    def audited(self) -> NDArray[np.bool_]:
        """Which offers are of the audit sample, on which nothing is ever trained or chosen."""
        return np.array([o.offer is not None and o.offer.set == AUDIT for o in self.offers])

    @property
    def written(self) -> NDArray[np.bool_]:
        """Which offers were written for training."""
        return np.array([offer.written for offer in self.offers], dtype=bool)


def make_dataset(offers: Sequence[LabelledOffer], reader: OfferReader) -> Dataset:
    """Reads and groups labelled offers."""
    titles = [offer.title for offer in offers]
    texts = [offer.description for offer in offers]
    readings: list[Reading] = []
    for begin in range(0, len(offers), 128):
        readings += reader.read(titles[begin : begin + 128], texts[begin : begin + 128])
    groups = group_offers(
        [t + FIELD_BREAK + d for t, d in zip(titles, texts, strict=True)],
        [offer.company for offer in offers],
    )
    return Dataset(offers, readings, groups)


def join_labels(texts: LabelledTexts) -> list[LabelledOffer]:
    """Every labelled offer with its text, in the order of the labels."""
    labels = {label.uid: label for label in texts.labels}
    marked: dict[str, list[MentionLabel]] = {}
    for mention in texts.mentions:
        marked.setdefault(mention.uid, []).append(mention)
    return [
        LabelledOffer(
            uid,
            texts.rows[uid].title,
            texts.rows[uid].description,
            texts.rows[uid].company,
            labels.get(uid),
            tuple(marked.get(uid, ())),
            month=month_of(texts.rows[uid].columns.get("date")),
        )
        for uid in dict.fromkeys([*labels, *marked])
    ]


def month_of(date: str | None) -> str | None:
    """The month of a date that begins with it (``2023-03-14``), else None."""
    return date[:7] if date and _MONTH.match(date) else None


def read_written(paths: Iterable[str | Path]) -> list[LabelledOffer]:
    r"""Offers written for training, which carry their text and labels.

    Args:
        paths: JSONL files; each line has id, title, description, strict, study, themes, lang and
            mentions, a list of {quote, nth, status, definition}, `nth` counting the occurrences of
            the quote in ``title + "\n" + description`` from 0.

    Raises:
        LabelError: A line without this form, or a quote that is not in the text.
    """
    result = []
    for path in paths:
        for number, line in enumerate(Path(path).read_text("utf-8").split("\n"), 1):
            if not line.strip():
                continue
            try:
                result.append(_written(json.loads(line)))
            except (ValueError, KeyError, TypeError) as error:
                raise LabelError(f"{path}, line {number}: {error!r}") from None
    return result


def _written(record: Mapping[str, Any]) -> LabelledOffer:
    uid, title, description = (str(record[key]) for key in ("id", "title", "description"))
    text = f"{title}\n{description}"
    mentions = []
    for mark in record["mentions"]:
        quote, start = str(mark["quote"]), -1
        for _ in range(int(mark["nth"]) + 1):
            start = text.find(quote, start + 1)
            if start < 0:
                raise ValueError(f"{quote!r} does not stand {mark['nth'] + 1} times in {uid}")
        definition = mark.get("definition")
        mentions.append(
            MentionLabel(
                uid,
                start,
                start + len(quote),
                Status(mark["status"]),
                Definition(definition) if definition in ("strict", "study") else None,
            )
        )
    label = OfferLabel(
        uid,
        Status(record["strict"]),
        Status(record["study"]),
        tuple(record.get("themes") or ()),
        tuple((m.start, m.end) for m in mentions if m.status is not Status.NONE),
        str(record["lang"]),
        set="written",
    )
    return LabelledOffer(uid, title, description, uid, label, tuple(mentions), written=True)
