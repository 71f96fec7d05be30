"""docs/python.md: every block runs by itself, offline, and prints something."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "python.md").read_text("utf-8")
#: What a block needs beyond the package's own dependencies.
OPTIONAL = ("sklearn", "estimators")


def blocks() -> list[Any]:
    found = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return [pytest.param(body, id=str(number)) for number, body in enumerate(found, 1)]


@pytest.mark.parametrize("code", blocks())
def test_a_block_runs(code: str) -> None:
    if any(word in code for word in OPTIONAL):
        pytest.importorskip("sklearn", reason="scikit-learn IS MISSING: the block is not run")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
        encoding="utf-8",
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, ""), code
    assert done.stdout.strip()


def test_the_page_shows_every_way_in() -> None:
    code = "\n".join(parameter.values[0] for parameter in blocks())
    for name in ("classify_text", "Classifier", "add_pipe", "displacy", "OfferClassifier"):
        assert name in code
    assert "mention_estimator" in code
