"""How a store is: for people and as a record. Nothing is written and no lock is taken."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, Final

from aiskills.batch.columns import columns_id
from aiskills.batch.disk import explained
from aiskills.batch.lock import holder, is_locked
from aiskills.batch.quarantine import QUARANTINE
from aiskills.batch.store import OFFERS, ReadStore

_LAST_RUNS: Final = 5


def status_of(folder: Path) -> dict[str, Any]:
    """The state of a store.

    Args:
        folder: The store.

    Returns:
        Plain values: `offers` (versions counted), `parts`, `bytes`, `months` (offers by month of
        publication), `models`, `without_text`, `files` (by outcome), `quarantine` (what waits
        there), `runs` (the last five), `running` (who holds the lock, or empty), `damaged_parts`,
        `next` (what should be done, in words).

    Raises:
        StoreError: It is none, or its journal is damaged.
    """
    with ReadStore(folder) as store, explained(folder):
        journal = store.journal
        parts = journal.parts()
        months: Counter[str] = Counter()
        models: Counter[str] = Counter()
        for part in parts:
            months[part.month or "unknown"] += part.rows
            models[part.model] += part.rows
        held = journal.execute(
            "SELECT path, name, kind, reason, rows, since FROM quarantine WHERE resolved IS NULL"
            " ORDER BY id"
        )
        record: dict[str, Any] = {
            "store": str(folder),
            "offers": sum(part.rows for part in parts),
            "parts": len(parts),
            "bytes": sum(part.bytes for part in parts),
            "months": dict(sorted(months.items())),
            "models": dict(models),
            "without_text": sum(part.rows for part in parts if not part.has_text),
            "files": dict(
                journal.execute("SELECT outcome, count(*) FROM files GROUP BY 1 ORDER BY 1")
            ),
            "quarantine": [
                {
                    "path": path.decode("utf-8", "backslashreplace"),
                    "file": name,
                    "kind": kind,
                    "reason": reason,
                    "rows": rows,
                    "since": since,
                }
                for path, name, kind, reason, rows, since in held
                if _is_there(folder, path)
            ],
            "runs": [
                _run(row)
                for row in journal.execute(
                    "SELECT id, command, started, ended, outcome, report FROM runs"
                    " ORDER BY id DESC LIMIT ?",
                    (_LAST_RUNS,),
                )
            ],
            "running": holder(folder) if is_locked(folder) else "",
            "damaged_parts": [
                part.path for part in parts if _size(folder / OFFERS / part.path) != part.bytes
            ],
        }
        record["next"] = _advice(record, columns=journal.meta("columns"))
    return record


def _is_there(folder: Path, path: bytes) -> bool:
    """Whether an entry's file is there; who mended it may have deleted it."""
    return (folder / QUARANTINE / path.decode("utf-8", "surrogateescape")).is_file()


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _run(row: tuple[Any, ...]) -> dict[str, Any]:
    number, command, started, ended, outcome, report = row
    told = json.loads(report) if report else {}
    return {
        "run": number,
        "command": command,
        "started": started,
        "ended": ended,
        "outcome": outcome,
        "new": told.get("new", 0),
        "changed": told.get("changed", 0),
        "quarantined_rows": told.get("quarantined_rows", 0),
        "signals": told.get("signals", []),
    }


def _advice(record: dict[str, Any], columns: str | None) -> list[str]:
    store, advice = record["store"], []
    if record["damaged_parts"]:
        advice.append(f"parts are damaged: `aiskills store repair {store}`")
    runs = record["runs"]
    if runs and runs[0]["outcome"] == "running" and not record["running"]:
        advice.append("the last run died: the next `aiskills batch` takes up where it was")
    if runs and runs[0]["outcome"] == "stopped":
        advice.append("the last run was stopped: the next `aiskills batch` goes on")
    if record["quarantine"]:
        advice.append(
            f"look into {store}/quarantine; mended files go back to the inbox, "
            "`aiskills batch … --retry-quarantine` tries all again"
        )
    if len(record["models"]) > 1:
        advice.append(f"several models scored these offers: `aiskills rescore {store}`")
    if columns is not None and columns != columns_id():
        advice.append("written by another version of aiskills: the next run brings it up to date")
    return advice


def lines_of(record: dict[str, Any]) -> list[str]:
    """A record of `status_of` for people."""
    months = [month for month in record["months"] if month != "unknown"]
    span = f", published {months[0]} to {months[-1]}" if months else ""
    unknown = record["months"].get("unknown", 0)
    lines = [
        f"{record['store']}: {record['offers']:,} offers in {record['parts']:,} parts, "
        f"{record['bytes'] / 1e6:,.1f} MB{span}"
        + (f", {unknown:,} without a month" if unknown else ""),
        "  models      " + (", ".join(f"{m} {n:,}" for m, n in record["models"].items()) or "none"),
        "  files       " + (", ".join(f"{n:,} {o}" for o, n in record["files"].items()) or "none"),
    ]
    if record["without_text"]:
        lines.append(f"  no text     {record['without_text']:,} offers")
    lines += [f"  quarantine  {one['path']}: {one['reason']}" for one in record["quarantine"][:20]]
    if (more := len(record["quarantine"]) - 20) > 0:
        lines.append(f"  quarantine  and {more:,} more")
    for run in record["runs"]:
        signals = f"; signals: {', '.join(run['signals'])}" if run["signals"] else ""
        lines.append(
            f"  run {run['run']:<6}  {run['started']} {run['command']}: {run['outcome']}, "
            f"{run['new']:,} new, {run['changed']:,} changed, "
            f"{run['quarantined_rows']:,} quarantined{signals}"
        )
    if record["running"]:
        lines.append(f"  running     {record['running']}")
    lines += [f"  DAMAGED     {path}" for path in record["damaged_parts"]]
    return lines + [f"  next        {line}" for line in record["next"]]
