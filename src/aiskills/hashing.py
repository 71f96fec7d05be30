"""64-bit keys of pieces of byte strings, whole batches at once.

Every key is integer arithmetic modulo 2^64, so it is the same in every process, on every machine
and with every version of numpy. No key is safe against someone who wants two texts to collide.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]

#: 2^64 over the golden ratio, odd: its multiples are spread evenly.
GOLDEN: Final = 0x9E3779B97F4A7C15
_INVERSE: Final = pow(GOLDEN, -1, 2**64)


def mix(values: Keys) -> Keys:
    """Spread values so that each bit depends on all (finalizer of MurmurHash3, a bijection)."""
    values = values ^ (values >> np.uint64(33))
    values = values * np.uint64(0xFF51AFD7ED558CCD)
    values ^= values >> np.uint64(33)
    values *= np.uint64(0xC4CEB9FE1A85EC53)
    values ^= values >> np.uint64(33)
    return values


def constants(count: int, stream: int) -> Keys:
    """Fixed pseudo-random numbers (SplitMix64); numpy's own streams may change between versions."""
    steps = np.arange(1, count + 1, dtype=np.uint64) + np.uint64(stream << 32)
    return mix(steps * np.uint64(GOLDEN))


_BYTE: Final = constants(256, 1)


@lru_cache(maxsize=4)
def powers(base: int, bits: int) -> Keys:
    """Powers 0 to 2^bits - 1 of an odd number, modulo 2^64."""
    steps = np.full(1 << bits, base, dtype=np.uint64)
    steps[0] = 1
    return np.cumprod(steps, dtype=np.uint64)


def slice_hashes(
    data: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> Keys:
    """Polynomial hashes of slices of a byte string, all from one running sum.

    Args:
        data: The bytes.
        starts: Where each slice starts.
        ends: Exclusive end of each.
    """
    bits = max(10, len(data).bit_length())
    running = np.zeros(len(data) + 1, dtype=np.uint64)
    np.cumsum(_BYTE[data] * powers(GOLDEN, bits)[: len(data)], out=running[1:])
    return mix((running[ends] - running[starts]) * powers(_INVERSE, bits)[starts])
