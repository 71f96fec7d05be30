"""Where the figures come from: versions, hashes, and the error of the model that scored."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from aiskills.errors import ModelError
from aiskills.estimate import ErrorRates
from aiskills.model.folder import find_model
from aiskills.model.intervals import exact_interval
from aiskills.report.records import ErrorRate, Provenance
from aiskills.report.sources import Source
from aiskills.schema import SCHEMA_VERSION, Definition
from aiskills.version import __version__

_KEYS: Final = ("model", "model_sha256", "lexicon", "lexicon_sha256", "thresholds")
#: Files named at most, and characters of a name.
_FILES, _NAME = 20, 120


def provenance(found: Sequence[Source], command: str) -> Provenance:
    """Versions, command and day.

    The day is that of SOURCE_DATE_EPOCH where that is set, so that a report can be made again
    byte by byte (https://reproducible-builds.org/specs/source-date-epoch/).
    """
    stamp = os.environ.get("SOURCE_DATE_EPOCH", "")
    today = (
        dt.datetime.now(dt.UTC)
        if not stamp.isdigit()
        else dt.datetime.fromtimestamp(int(stamp), dt.UTC)
    )
    return Provenance(
        date=today.date().isoformat(),
        command=command[:2000],
        version=__version__,
        schema=SCHEMA_VERSION,
        scored=tuple(
            (
                Path(one.name).name[:_NAME],
                one.rows,
                {key: one.metadata.get(f"aiskills_{key}", "")[:200] for key in _KEYS},
            )
            for one in found[:_FILES]
        ),
    )


def error_rates(found: Sequence[Source], model: str | Path | None) -> tuple[ErrorRate, ...]:
    """Error of the model by definition, from the audit in its metadata.

    Args:
        found: The files, whose metadata say which model scored them.
        model: A model folder; None for the model that ships with aiskills.

    Returns:
        None of them where the model is not at hand, is another than the one that scored, or has no
        audit.
    """
    try:
        meta = json.loads((find_model(model) / "meta.json").read_text("utf-8"))
    except (ModelError, OSError, ValueError):
        return ()
    if any(_another(one.metadata, meta) for one in found):
        return ()
    result = []
    for definition in Definition:
        rates = ErrorRates.from_audit(meta.get("audit") or {}, definition.value)
        if rates is not None:
            true, others = rates.tp + rates.fn, rates.tn + rates.fp
            result.append(
                ErrorRate(
                    definition,
                    rates.tp,
                    true,
                    exact_interval(rates.tp, true),
                    rates.tn,
                    others,
                    exact_interval(rates.tn, others),
                )
            )
    return tuple(result)


def _another(metadata: Mapping[str, str], meta: Mapping[str, Any]) -> bool:
    given = metadata.get("aiskills_model_sha256")
    return bool(given) and given != meta.get("sha256")
