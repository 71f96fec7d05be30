"""Words that rise near AI evidence and that the lexicon lacks: candidates for it.

Looked at are the flagged offers of the last `RECENT_DAYS` days and of the `BEFORE_DAYS` before,
from their stored texts: runs of one to three words within `AROUND` words of a piece of evidence. A
term counts once an employer. It is a candidate when `LEAST_EMPLOYERS` or more employers use it now,
its share of employers at least doubled, and the rise is beyond chance: given how many employers use
the term in both periods together, those now are binomial, and the tail must be below 0.05 over the
number of terms seen now (Bonferroni), so that one night of pure chance in 20 shows any.

Terms of fewer employers, and words of employers' names, are never shown: they could name a firm or
a person. Terms are in folded form (lower case, no accents, singular).
"""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aiskills.batch.disk import StoreError
from aiskills.batch.keys import digest_of
from aiskills.batch.parts import read_part
from aiskills.text import Folded, fold

if TYPE_CHECKING:
    from aiskills.batch.journal import Part
    from aiskills.batch.store import Store
    from aiskills.phrases import Lexicon

RECENT_DAYS: Final = 28
BEFORE_DAYS: Final = 84
AROUND: Final = 8
LEAST_EMPLOYERS: Final = 5
_MOST_WORDS: Final = 3
_MOST_SHOWN: Final = 10
_CHANCE: Final = 0.05
#: So many flagged offers are looked at, the newest parts first: 0.3 ms each.
_MOST_OFFERS: Final = 5_000
_COLUMNS: Final = ("company", "title", "description", "ai_evidence", "ai_study", "seen")
#: Of three letters or more; what stands at either end of a term.
_WORD: Final = re.compile(rb"(?=[a-z0-9]*[a-z])[a-z0-9]{3,}")
#: French and English words, folded, that no term begins or ends with.
_FUNCTION_WORDS: Final = frozenset(
    b"afin ainsi are aux avec avoir can car ces cette chez comme dan des dont elle est etre for"
    b" from ici leur mai meme mes nos not notre nou our par pas plu plus pour que qui san ses selon"
    b" son sont sou sur that the their this tou tout une vers via vos votre vou will with you"
    b" your".split()
)


@dataclass(frozen=True, slots=True)
class Rising:
    """A candidate.

    Attributes:
        term: In folded form.
        employers: Employers whose flagged offers use it now.
        before: Those before.
    """

    term: str
    employers: int
    before: int


def rising(store: Store, lexicon: Lexicon, today: date) -> list[Rising]:
    """Candidates for the lexicon.

    Args:
        store: The store; offers kept without text say nothing.
        lexicon: The terms that are known.
        today: Last day of the recent period.

    Returns:
        Ten at most, the strongest rise first.
    """
    split = today - timedelta(days=RECENT_DAYS)
    users: tuple[dict[bytes, set[bytes]], ...] = (defaultdict(set), defaultdict(set))
    employers: tuple[set[bytes], set[bytes]] = (set(), set())
    names: set[bytes] = set()
    for offer in _flagged(store, split - timedelta(days=BEFORE_DAYS), today):
        company = fold(offer["company"]).text
        who = digest_of([company])
        period = int(offer["seen"] <= split)
        names.update(company.split())
        employers[period].add(who)
        for term in set(_near(offer)):
            users[period][term].add(who)
    known = _Known(lexicon)
    found: list[tuple[float, Rising]] = []
    most = _CHANCE / max(1, len(users[0]))
    for term, using in users[0].items():
        recent, before = len(using), len(users[1].get(term, ()))
        if recent < LEAST_EMPLOYERS:
            continue
        chance = chance_of(recent, len(employers[0]), before, len(employers[1]))
        if chance > most or names.intersection(term.split()) or known.holds(term):
            continue
        found.append((chance, Rising(term.decode("cp1252"), recent, before)))
    found.sort(key=lambda pair: (pair[0], pair[1].term))
    return _widest([one for _, one in found])


def _widest(found: list[Rising]) -> list[Rising]:
    """Leaves out terms that are part of a longer one used by as many employers."""
    kept: list[Rising] = []
    for one in found:
        longer = any(
            f" {one.term} " in f" {other.term} "
            and other != one
            and other.employers >= one.employers
            for other in found
        )
        if not longer:
            kept.append(one)
    return kept[:_MOST_SHOWN]


def _flagged(store: Store, first: date, last: date) -> Iterator[dict[str, Any]]:
    left = _MOST_OFFERS
    parts = [one for one in store.journal.parts() if _may_tell(one, first, last)]
    for part in sorted(parts, key=lambda one: (one.seen, one.id), reverse=True):
        try:
            table = read_part(store.part_path(part), list(_COLUMNS))
        except StoreError:
            continue  # the report names damaged parts
        told = pc.and_(pc.is_valid(table.column("company")), table.column("ai_study"))
        told = pc.and_(told, pc.is_valid(table.column("description")))
        days = table.column("seen")
        told = pc.and_(told, pc.greater(days, pa.scalar(first)))
        told = pc.and_(told, pc.less_equal(days, pa.scalar(last)))
        for row in table.filter(pc.fill_null(told, fill_value=False)).slice(0, left).to_pylist():
            left -= 1
            yield row
        if left <= 0:
            return


def _may_tell(part: Part, first: date, last: date) -> bool:
    return bool(part.flagged and part.has_text) and str(first) < part.seen <= str(last)


def _near(offer: dict[str, Any]) -> Iterator[bytes]:
    """Runs of words near the evidence of an offer, in folded form."""
    pieces = json.loads(offer["ai_evidence"] or "[]")
    for name in ("title", "description"):
        spans = [(one["start"], one["end"]) for one in pieces if one["field"] == name]
        if spans and offer[name]:
            yield from _windows(fold(offer[name]), spans)


def _windows(folded: Folded, spans: list[tuple[int, int]]) -> Iterator[bytes]:
    words = folded.text.split()
    blanks = np.flatnonzero(np.frombuffer(folded.text, dtype=np.uint8) == ord(" "))
    starts = folded.source[blanks[:-1] + 1]  # of each word, in the given text
    near: set[int] = set()
    for start, end in spans:
        first = int(np.searchsorted(starts, start)) - AROUND
        last = int(np.searchsorted(starts, end)) + AROUND
        near.update(range(max(0, first), min(len(words), last)))
    for place in near:
        for count in range(1, _MOST_WORDS + 1):
            run = words[place : place + count]
            if len(run) < count or place + count - 1 not in near:
                break
            if not run[-1].isalnum():
                break  # no run crosses punctuation
            if _may_end(run[0]) and _may_end(run[-1]):
                yield b" ".join(run)


def _may_end(word: bytes) -> bool:
    return bool(_WORD.fullmatch(word)) and word not in _FUNCTION_WORDS


def chance_of(now: int, all_now: int, then: int, all_then: int) -> float:
    """How probable a rise is by chance alone.

    Args:
        now: Employers who use a term now.
        all_now: All employers now.
        then: Employers who used it before.
        all_then: All employers before.

    Returns:
        P(X >= now), X binomial of `now + then` draws with the probability
        `all_now / (all_now + all_then)`; 1 if the share did not double, or there is no before.

    >>> round(chance_of(5, 100, 0, 100), 5), chance_of(5, 100, 5, 100)
    (0.03125, 1.0)
    """
    if not all_then or now * all_then < 2 * then * all_now:
        return 1.0
    share, draws = all_now / (all_now + all_then), now + then
    logs = (
        math.lgamma(draws + 1)
        - math.lgamma(hits + 1)
        - math.lgamma(draws - hits + 1)
        + hits * math.log(share)
        + (draws - hits) * math.log1p(-share)
        for hits in range(now, draws + 1)
    )
    return min(1.0, math.fsum(math.exp(one) for one in logs))


class _Known:
    """What the lexicon has: terms that hold one of its forms, or only words of them."""

    def __init__(self, lexicon: Lexicon) -> None:
        forms = {pattern.strip() for pattern, _ in lexicon.patterns()}
        self._forms = {form.encode("cp1252", "replace") for form in forms}
        self._words = {word for form in self._forms for word in form.split()}

    def holds(self, term: bytes) -> bool:
        words = term.split()
        runs = (
            b" ".join(words[start:end])
            for start in range(len(words))
            for end in range(start + 1, len(words) + 1)
        )
        return self._words.issuperset(words) or any(run in self._forms for run in runs)
