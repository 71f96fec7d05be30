"""How much is measured: sizes of inputs and numbers of runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes and numbers of runs.

    Attributes:
        quick: Whether the figures are good for nothing but showing that everything runs.
        rounds: Runs of everything that is timed.
        mix_rows: Offers in the mix of all trades.
        peer_offers: Offers that every peer reads in each run, the slowest a part of them.
        repeat_offers: Texts in the test of repeated texts; a hundredth of them are distinct.
        linear_rows: Numbers of simulated offers at which the time is held against the number.
        scaling_rows: Offers on which one and two processes are compared.
        memory_rows: The two sizes whose peak memory is compared.
        identity_rows: Offers on which results are compared byte by byte.
        warm_offers: Offers of each kind for the time of a warm call.
        real_rows: Most offers taken from the real ones; None for all.
    """

    quick: bool
    rounds: int
    mix_rows: int
    peer_offers: int
    repeat_offers: int
    linear_rows: tuple[int, ...]
    scaling_rows: int
    memory_rows: tuple[int, int]
    identity_rows: int
    warm_offers: int
    real_rows: int | None


FULL = Plan(
    quick=False,
    rounds=5,
    mix_rows=200_000,
    peer_offers=5_000,
    repeat_offers=20_000,
    linear_rows=(100_000, 200_000, 400_000, 800_000),
    scaling_rows=500_000,
    memory_rows=(300_000, 3_000_000),
    identity_rows=20_000,
    warm_offers=100,
    real_rows=None,
)
QUICK = Plan(
    quick=True,
    rounds=2,
    mix_rows=2_000,
    peer_offers=150,
    repeat_offers=400,
    linear_rows=(500, 2_000),
    scaling_rows=2_000,
    memory_rows=(1_000, 2_000),
    identity_rows=400,
    warm_offers=10,
    real_rows=2_000,
)
