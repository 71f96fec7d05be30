"""What a run would take, without taking it."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from aiskills.batch import inbox
from aiskills.batch.run import last_entry
from aiskills.batch.store import ReadStore, is_store

if TYPE_CHECKING:
    from aiskills.batch.run import Plan


def preview(plan: Plan) -> list[tuple[str, str]]:
    """Names of the inbox's files, each with what a run would do with it.

    Nothing is written, not even a store. Contents are not compared: a file whose content is known
    under another name is told as `take`.

    Returns:
        Pairs of name and `take`, `known` or `leave: …`, in the order of a run.

    Raises:
        InputError: The inbox cannot be read.
        StoreError: The store is damaged or of a newer version.
    """
    found, left = inbox.arrivals(plan.inbox)
    result = [(name, f"leave: {reason}") for name, reason in left]
    taken = 0
    with ExitStack() as opened:
        store = opened.enter_context(ReadStore(plan.store)) if is_store(plan.store) else None
        for arrival in found:
            known = last_entry(store, arrival) if store is not None else None
            if known is not None and known["outcome"] in ("done", "same", "quarantined"):
                what = "known"
            elif plan.since and arrival.modified < plan.since.timestamp() * 10**9:
                what = "leave: older than --since"
            elif not inbox.is_settled(arrival, plan.settle, time.time_ns(), None):
                what = "leave: changed a moment ago, or dated in the future"
            elif plan.max_files is not None and taken >= plan.max_files:
                what = "leave: --max-files is reached"
            else:
                what = "take"
                taken += 1
            result.append((arrival.name, what))
    return result
