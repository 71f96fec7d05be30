"""The wheel: what an editable install does not show, built, opened, installed and run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "data" / "samples"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of what is needed, by the build backend itself."""
    copy = tmp_path_factory.mktemp("copy")
    for name in ("src", "models", "data/samples"):
        shutil.copytree(
            ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", ".*")
        )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel"],
        cwd=copy,
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    (built,) = (copy / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nothing but the wheel's content in it."""
    target = tmp_path_factory.mktemp("installed")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index",
         "--disable-pip-version-check", "--target", str(target), str(wheel)],
        capture_output=True, check=False,
        text=True,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return target


def run(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        check=False,
        text=True,
        encoding="utf-8",
        timeout=120,
    )


def test_the_wheel_holds_what_the_package_reads(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name: archive.getinfo(name).file_size for name in archive.namelist()}
        for name in ("models/fr/meta.json", "models/fr/weights.npz"):
            assert archive.read(f"aiskills/{name}") == (ROOT / name).read_bytes()
    needed = [
        "models/fr/README.md",
        "data/lexicon.csv",
        "data/headings.csv",
        "data/presets.toml",
        "py.typed",
        "report/templates/explained.html",
        "cli/__init__.py",
        "__main__.py",
    ]
    if (SAMPLES / "offers.csv").is_file():
        needed.append("samples/offers.csv")
    for name in needed:
        assert f"aiskills/{name}" in held, name
        assert held[f"aiskills/{name}"] > 0 or name == "py.typed", name


def test_the_wheel_holds_all_modules_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {n for n in archive.namelist() if not n.endswith("/")}
    modules = {
        f"aiskills/{path.relative_to(ROOT / 'src' / 'aiskills').as_posix()}"
        for path in (ROOT / "src" / "aiskills").rglob("*.py")
    }
    assert modules <= names
    roots = {name.partition("/")[0] for name in names}
    assert len(roots) == 2
    assert {root.rpartition(".")[2] for root in roots} == {"aiskills", "dist-info"}
    assert not [name for name in names if "__pycache__" in name or "/tests/" in name]
    assert not [name for name in names if name.endswith((".pkl", ".joblib", ".pickle"))]


def test_the_wheel_tells_who_it_is(wheel: Path) -> None:
    import aiskills

    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (n for n in archive.namelist() if n.endswith("dist-info/METADATA"))
        (entries,) = (n for n in archive.namelist() if n.endswith("entry_points.txt"))
        text = archive.read(metadata).decode("utf-8")
        assert "aiskills = aiskills.cli:main" in archive.read(entries).decode()
        assert [name for name in archive.namelist() if name.endswith("licenses/LICENSE")]
    assert f"\nVersion: {aiskills.__version__}\n" in text
    assert "\nName: aiskills\n" in text
    head = text.partition("\n\n")[0]
    required = [line for line in head.splitlines() if line.startswith("Requires-Dist")]
    base = [line for line in required if "extra ==" not in line]
    assert not [line for line in base if "scikit-learn" in line or "scipy" in line]


def test_the_installed_package_classifies(installed: Path, tmp_path: Path) -> None:
    code = (
        "import aiskills, json, sys\n"
        "j = aiskills.classify_text('Vous développez des modèles de machine learning.')\n"
        "from aiskills.model.folder import find_model\n"
        "print(json.dumps([aiskills.__file__, str(find_model()), j.strict, "
        "j.evidence[0].quote]))\n"
    )
    done = run(installed, tmp_path, "-c", code)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    home, model, strict, quote = json.loads(done.stdout)
    assert Path(home).is_relative_to(installed)
    assert Path(model).is_relative_to(installed)
    assert strict == "demand"
    assert "machine learning" in quote


def test_the_installed_package_has_its_pages_and_samples(installed: Path, tmp_path: Path) -> None:
    done = run(
        installed, tmp_path, "-m", "aiskills", "explain", "--text", "De l'IA.", "--html", "p.html"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "written to p.html\n")
    assert (tmp_path / "p.html").read_text("utf-8").startswith("<!doctype html>")
    if not (SAMPLES / "offers.csv").is_file():
        pytest.skip("data/samples/offers.csv IS MISSING: the installed demo is not tested")
    done = run(installed, tmp_path, "-m", "aiskills", "demo", "-n", "500")
    assert done.returncode == 0, done.stderr
    assert str(installed) in done.stderr
    made = {one.name for one in (tmp_path / "demo").iterdir()}
    assert {"report.html", "results.csv", "simulated.parquet"} <= made
