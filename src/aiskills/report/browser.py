"""Chromium, if there is one, turns a page into a PDF and charts into pictures."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from aiskills.errors import OutputError

#: Names under which Chromium and its kin are found.
_NAMES: Final = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome",
    "microsoft-edge", "msedge",
)  # fmt: skip
_PLACES: Final = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
#: Names a browser, where several or none are found by themselves.
VARIABLE: Final = "AISKILLS_CHROMIUM"
_SECONDS: Final = 120


def find_browser() -> str | None:
    """The browser named by AISKILLS_CHROMIUM, else the first Chromium or kin; None without."""
    named = os.environ.get(VARIABLE)
    if named:
        return shutil.which(named)
    found = (shutil.which(name) for name in (*_NAMES, *_PLACES))
    return next((one for one in found if one), None)


def need_browser(what: str) -> str:
    """The browser.

    Args:
        what: What it is needed for.

    Raises:
        OutputError: There is none.
    """
    found = find_browser()
    if found is None:
        raise OutputError(
            f"{what} needs Chromium, Chrome or Edge, and none was found",
            hint=f"Install one, or name it in the environment variable {VARIABLE}. "
            "The HTML report can be printed to PDF from any browser.",
        )
    return found


def to_pdf(page: str, target: Path) -> None:
    """Prints a page.

    Raises:
        OutputError: There is no browser, or it failed.
    """
    _run(page, [f"--print-to-pdf={target.resolve()}", "--no-pdf-header-footer"], target)


def to_png(page: str, target: Path, width: int, height: int) -> None:
    """Takes a picture of a page at twice its size.

    Raises:
        OutputError: There is no browser, or it failed.
    """
    more = [f"--screenshot={target.resolve()}", f"--window-size={width},{height}",
            "--force-device-scale-factor=2", "--hide-scrollbars"]  # fmt: skip
    _run(page, more, target)


def _run(page: str, more: Iterable[str], target: Path) -> None:
    browser = need_browser(f"{target.name}")
    with tempfile.TemporaryDirectory(
        prefix="aiskills-browser-", ignore_cleanup_errors=True
    ) as name:
        source = Path(name) / "page.html"
        source.write_text(page, "utf-8")
        command = [browser, "--headless", "--disable-gpu", "--no-first-run", "--disable-extensions",
                   f"--user-data-dir={Path(name) / 'profile'}", *more]  # fmt: skip
        if sys.platform == "linux" and os.geteuid() == 0:
            command.append("--no-sandbox")  # Chromium refuses to start as root with its sandbox
        try:
            done = subprocess.run(  # noqa: S603 (a browser that we found or the user named)
                [*command, source.as_uri()],
                capture_output=True, text=True, errors="replace", timeout=_SECONDS, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise OutputError(f"{target} could not be made: {browser} failed ({error})") from None
    if done.returncode or not target.is_file():
        last = (done.stderr.strip().splitlines() or ["no message"])[-1][:200]
        raise OutputError(f"{target} could not be made: {browser} failed ({last})")
