"""Reads one workbook in a process of its own; run as a script, so it imports nothing of aiskills.

The reader is compiled code that no Python can stop: one damaged tag makes it wait for ever, one
cell in the last row and column makes it ask for hundreds of gigabytes. Here the system ends it.

Arguments: the file (``-`` for standard input), seconds of processor time, bytes of memory, most
cells. Output: one JSON object (``error``, or ``sheet``, ``others`` and ``too_large``), then, unless
there is an error, one JSON list of texts a row.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import sys


def cell_text(value: object) -> str:
    """Return a cell as the text a person sees: `7` for 7.0, ISO dates, `true` / `false`.

    >>> cell_text(7.0), cell_text(0.5), cell_text(dt.datetime(2024, 3, 1)), cell_text(True)
    ('7', '0.5', '2024-03-01', 'true')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    return "" if value is None else str(value)


def bound(seconds: int, size: int) -> None:
    """Let the system end this process beyond so much processor time or memory (not on Windows)."""
    try:
        import resource
    except ImportError:
        return
    wanted = [(resource.RLIMIT_CPU, seconds), (resource.RLIMIT_CORE, 0)]
    if sys.platform == "linux":  # elsewhere it counts what is only reserved, or is refused
        wanted.append((resource.RLIMIT_AS, size))
    for which, most in wanted:
        hard = resource.getrlimit(which)[1]  # a stricter bound of the user's own stays
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)  # noqa: PLW2901
        resource.setrlimit(which, (most, most))


def work(path: str, most_cells: int) -> None:
    """Write the first sheet with cells to standard output."""
    import python_calamine

    file = io.BytesIO(sys.stdin.buffer.read()) if path == "-" else path
    book = python_calamine.load_workbook(file)
    first, others = None, []
    for name in book.sheet_names:
        sheet = book.get_sheet_by_name(name)
        if sheet.height and first is None:
            first = sheet
        elif sheet.height:
            others.append(name)
    if first is None:
        raise ValueError("no sheet is filled")
    too_large = first.height * first.width > most_cells
    head = {"sheet": first.name, "others": others, "too_large": too_large}
    sys.stdout.write(json.dumps(head) + "\n")
    for row in [] if too_large else first.to_python():
        sys.stdout.write(json.dumps([cell_text(value) for value in row]) + "\n")


def main() -> None:
    """Do what the arguments say; whatever goes wrong is told on standard output."""
    path, seconds, size, most_cells = sys.argv[1:]
    bound(int(seconds), int(size))
    try:
        work(path, int(most_cells))
    except BaseException as error:  # noqa: BLE001 (a panic of the reader is no Exception)
        sys.stdout.write(json.dumps({"error": " ".join(str(error).split())[:200]}) + "\n")


if __name__ == "__main__":
    main()
