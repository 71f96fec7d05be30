"""The notebooks run from top to bottom, use aiskills and pandas alone, and hold no output."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
NAMES = ["01_premiers_pas", "02_l_etude_reproduite", "03_ce_qui_fait_le_chiffre"]
#: Longest a code cell may be: the reader is no programmer.
LINES = 20
#: Runs one notebook in a process of its own, so that the warnings of Jupyter's parts are not ours.
RUNNER = """
import sys
import nbformat
from nbclient import NotebookClient

book = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(book, timeout=120, kernel_name="python3").execute(cwd=sys.argv[2])
nbformat.write(book, sys.argv[3])
"""


def read(path: Path) -> dict[str, Any]:
    book: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return book


def code_of(path: Path) -> list[str]:
    return ["".join(cell["source"]) for cell in read(path)["cells"] if cell["cell_type"] == "code"]


def test_all_of_them_are_there() -> None:
    assert [path.stem for path in NOTEBOOKS] == NAMES


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_stripped(path: Path) -> None:
    book = read(path)
    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)
        assert cell["metadata"] == {}
    assert set(book["metadata"]) == {"kernelspec", "language_info"}
    # Written as nbformat does, so that a run and a strip leave no difference.
    assert path.read_text("utf-8") == json.dumps(book, ensure_ascii=False, indent=1,
                                                 sort_keys=True) + "\n"  # fmt: skip


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_they_import_nothing_but_aiskills_pandas_and_json(path: Path) -> None:
    tree = ast.parse("\n".join(code_of(path)))
    names = {
        name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
    } | {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= {"aiskills", "pandas", "json"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_cells_are_short_and_explained(path: Path) -> None:
    cells = read(path)["cells"]
    assert cells[0]["cell_type"] == "markdown"
    assert "".join(cells[0]["source"]).startswith("# ")
    prose = [cell for cell in cells if cell["cell_type"] == "markdown"]
    assert len(prose) >= len(cells) / 3
    for code in code_of(path):
        assert len(code.splitlines()) <= LINES, code


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_they_run(path: Path, tmp_path: Path) -> None:
    for package in ("nbclient", "nbformat", "ipykernel"):
        pytest.importorskip(package, reason=f"{package} IS MISSING: the notebooks are not run")
    done_book = tmp_path / "done.ipynb"
    done = subprocess.run(
        [sys.executable, "-c", RUNNER, str(path), str(tmp_path), str(done_book)],
        capture_output=True,
        check=False,
        text=True,
        encoding="utf-8",
        timeout=180,
        env={**os.environ, "IPYTHONDIR": str(tmp_path / "ipython"), "PYTHONWARNINGS": "ignore"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for cell in read(done_book)["cells"]:
        if cell["cell_type"] == "code":
            kinds = {output["output_type"] for output in cell["outputs"]}
            assert kinds <= {"execute_result", "display_data"}, cell
    results = [cell for cell in read(done_book)["cells"] if cell.get("outputs")]
    assert len(results) >= 5


def test_the_study_is_reproduced_where_its_figures_were_put_in() -> None:
    """What 02 shows first: with the truth for answers, hardly a published figure is missed."""
    from aiskills.simulate import simulate
    from aiskills.study import study

    code = code_of(FOLDER / "02_l_etude_reproduite.ipynb")
    names: dict[str, Any] = {"simulate": simulate, "study": study}
    exec("\n".join(code[:4]), names)  # noqa: S102 (our own notebook)
    verdicts = [line.verdict for line in names["etude"].lines]
    assert len(verdicts) == 13
    assert verdicts.count("agree") >= 11
    assert not {"missing", "differ"} & set(verdicts)
