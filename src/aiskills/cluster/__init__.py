"""Offers beyond one file and one machine: parts of a folder, workers of a Dask cluster.

    import dask.dataframe as dd
    from aiskills import cluster

    offers = dd.read_parquet("offers/*.parquet")
    scored = cluster.classify(offers)

Needs the extra `cluster` (``pip install "aiskills[cluster]"``). The same parts are done by the
processes of one machine where there is no cluster, with the same bytes as the result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aiskills.cluster.frames import classify, dedupe, measure

__all__ = ["classify", "dedupe", "measure"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'aiskills.cluster' has no attribute {name!r}")
    from aiskills.cluster import frames

    return getattr(frames, name)
