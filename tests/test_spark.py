"""The Spark recipe of docs/scale.md, as it stands there, on a Spark of this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

import aiskills
from aiskills.files import read_table

pytest.importorskip("pyspark")
if shutil.which("java") is None:
    pytest.skip("Spark needs Java", allow_module_level=True)

ROOT = Path(__file__).resolve().parents[1]


def recipe() -> str:
    page = (ROOT / "docs" / "scale.md").read_text("utf-8")
    blocks: list[str] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (found,) = [one for one in blocks if "pyspark" in one]
    return found


def test_the_recipe_gives_what_classify_gives(tmp_path: Path) -> None:
    offers = read_table(ROOT / "data" / "samples" / "offers.csv").slice(0, 120)
    (tmp_path / "offers").mkdir()
    pq.write_table(offers.slice(0, 70), tmp_path / "offers" / "a.parquet")
    pq.write_table(offers.slice(70), tmp_path / "offers" / "b.parquet")
    (tmp_path / "recipe.py").write_text(recipe(), "utf-8")
    done = subprocess.run(
        [sys.executable, "recipe.py"],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYSPARK_PYTHON": sys.executable,
            "SPARK_LOCAL_IP": "127.0.0.1",
            "PYSPARK_SUBMIT_ARGS": "--master local[1] --conf spark.ui.enabled=false pyspark-shell",
        },
        capture_output=True,
        check=False,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    scored = pq.read_table(tmp_path / "scored").to_pandas().set_index("id").sort_index()
    expected = aiskills.classify(offers.to_pandas()).set_index("id").sort_index()
    assert list(scored.columns) == list(expected.columns)
    for name in expected:
        # Spark writes its own types: a missing truth comes back as None.
        found = scored[name].astype(expected[name].dtype)
        pd.testing.assert_series_equal(found, expected[name])
