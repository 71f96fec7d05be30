"""Reposts: which offers repeat an earlier one, by identifier, text or near-copy of the text.

    marked = offers.assign(ai_duplicate_of=aiskills.duplicates(offers))
    once = marked[marked["ai_duplicate_of"].isna()]

Keys of every offer (`offer_keys`) are made part by part, in any process; `mark_duplicates` decides
from all keys together. Of the texts only those that may be copies are read a second time.
"""

from aiskills.dedupe.clusters import Kind, Marks, contested, mark_duplicates
from aiskills.dedupe.frames import duplicates
from aiskills.dedupe.offers import OfferKeys, joined, offer_keys
from aiskills.dedupe.passes import (
    COLUMN,
    Reposts,
    Settings,
    ShingleStore,
    find_reposts,
    with_column,
    with_reposts,
)
from aiskills.dedupe.shingles import TextKeys, jaccard, shingle_sets, text_keys

__all__ = [
    "COLUMN",
    "Kind",
    "Marks",
    "OfferKeys",
    "Reposts",
    "Settings",
    "ShingleStore",
    "TextKeys",
    "contested",
    "duplicates",
    "find_reposts",
    "jaccard",
    "joined",
    "mark_duplicates",
    "offer_keys",
    "shingle_sets",
    "text_keys",
    "with_column",
    "with_reposts",
]
