"""What is typical of one group against the rest, and which terms come together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Offers multiplied at a time: bounds the memory of the pairs.
_BLOCK = 4096


def weighted_log_odds(here: Floats, rest: Floats, background: Floats) -> tuple[Floats, Floats]:
    """Log-odds ratio of each term between two sets, shrunk towards what is usual.

    B. L. Monroe, M. P. Colaresi and K. M. Quinn, "Fightin' Words: Lexical Feature Selection and
    Evaluation for Identifying the Content of Political Conflict", Political Analysis 16 (2008),
    372-403, equations 16, 20 and 22, with the informative Dirichlet prior: a term's part of the
    background, times the number of terms. So the prior weighs as much as one demand a term.

    Args:
        here: By term, offers of the one set that ask for it.
        rest: The same of the other set.
        background: The same of all offers; more than 0 for each term.

    Returns:
        By term, the log-odds ratio (positive: more typical of the first set) and its z-score. Both
        are 0 where there is one term alone, since nothing can be told apart then.
    """
    if len(background) < 2:
        return np.zeros(len(background)), np.zeros(len(background))
    prior = len(background) * background / background.sum()
    one, other = here + prior, rest + prior
    ratio = np.log(one / (one.sum() - one)) - np.log(other / (other.sum() - other))
    return ratio, ratio / np.sqrt(1 / one + 1 / other)


def together(offer: NDArray[np.int64], term: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """How many offers ask for both terms of each pair.

    Args:
        offer: By piece, the row of its offer; a term at most once an offer.
        term: By piece, the number of its term.
        size: Number of terms.

    Returns:
        Counts, terms x terms; on the diagonal, offers that ask for the term.
    """
    counts = np.zeros((size, size))
    rows, place = np.unique(offer, return_inverse=True)
    order = np.argsort(place, kind="stable")
    place, term = place[order], term[order]
    for begin in range(0, len(rows), _BLOCK):
        low, high = np.searchsorted(place, [begin, begin + _BLOCK])
        block = np.zeros((min(_BLOCK, len(rows) - begin), size), dtype=np.float32)
        block[place[low:high] - begin, term[low:high]] = 1
        counts += block.T @ block
    return np.rint(counts).astype(np.int64)


def lift(both: Floats, one: Floats, other: Floats, offers: float) -> tuple[Floats, Floats]:
    """How much oftener than by chance two terms are asked together.

    Args:
        both: By pair, offers that ask for both, 1 or more.
        one: Offers that ask for the first.
        other: Offers that ask for the second.
        offers: All offers among which they were counted.

    Returns:
        By pair, the lift, P(both) / (P(one) P(other)), 1 for chance; and the normalized pointwise
        mutual information, -1 to 1, 0 for chance, 1 where the one never comes without the other
        (G. Bouma, "Normalized (Pointwise) Mutual Information in Collocation Extraction", GSCL
        2009). It is 1 where every offer asks for both.
    """
    ratio = both * offers / (one * other)
    surprise = -np.log(both / offers)
    with np.errstate(divide="ignore", invalid="ignore"):
        return ratio, np.where(surprise > 0, np.log(ratio) / surprise, 1.0)
