"""What aiskills is made of: licences of its dependencies, and the bill of materials."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from email.message import Message
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", ROOT / "scripts" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_licences_of_all_dependencies_are_allowed(audit: ModuleType) -> None:
    found = audit.closure()
    assert {"numpy", "spacy", "pyarrow", "python-calamine", "scikit-learn", "thinc"} <= set(found)
    assert "pytest" not in found
    assert len(found) > 30
    assert audit.not_allowed(found) == {}


class Named:
    """A distribution of some licence."""

    def __init__(self, **fields: str) -> None:
        self.metadata = Message()
        for name, value in fields.items():
            self.metadata[name.replace("_", "-")] = value


@pytest.mark.parametrize(
    ("fields", "allowed"),
    [
        ({"License_Expression": "MIT"}, True),
        ({"License_Expression": "BSD-3-Clause AND Zlib"}, True),
        ({"License_Expression": "GPL-3.0-only"}, False),
        ({"License_Expression": "MIT AND AGPL-3.0-only"}, False),
        ({"License_Expression": "Apache-2.0 OR BSD-2-Clause"}, True),
        ({"License": "GPLv3", "Classifier": "Programming Language :: Python"}, False),
        ({"License": "GPL", "Classifier": "License :: OSI Approved :: MIT License"}, True),
        ({"License": "MIT"}, True),
        ({}, False),
    ],
)
def test_a_licence_is_told(audit: ModuleType, fields: dict[str, str], allowed: bool) -> None:  # noqa: FBT001
    assert (audit.not_allowed({"x": Named(**fields)}) == {}) is allowed


def test_without_a_service_the_audit_says_so(
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def offline(_command: Any, **_options: Any) -> Any:
        return subprocess.CompletedProcess([], 1, stdout="no connection", stderr="")

    monkeypatch.setattr(audit.subprocess, "run", offline)
    monkeypatch.setattr(sys, "argv", ["audit"])
    assert audit.main() == 0
    assert "NOT LOOKED UP" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["audit", "--require"])
    assert audit.main() == 1


def test_a_vulnerability_fails_the_audit(
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def told(_command: Any, **_options: Any) -> Any:
        one = {"name": "numpy", "version": "1", "vulns": [{"id": "PYSEC-0", "fix_versions": []}]}
        skipped = {"name": "spacy", "skip_reason": "not found"}
        packages = json.dumps({"dependencies": [one, skipped]})
        return subprocess.CompletedProcess([], 1, stdout=packages, stderr="")

    monkeypatch.setattr(audit.subprocess, "run", told)
    monkeypatch.setattr(sys, "argv", ["audit"])
    assert audit.main() == 1
    assert "vulnerable: numpy 1: PYSEC-0" in capsys.readouterr().out


def test_the_bill_of_materials_is_whole(audit: ModuleType, tmp_path: Path) -> None:
    """`make sbom` has it validated too, which takes long for an environment as large as this."""
    from packaging.utils import canonicalize_name

    target = tmp_path / "bill.json"
    done = subprocess.run(
        [sys.executable, "-m", "cyclonedx_py", "environment", sys.executable, "--pyproject",
         str(ROOT / "pyproject.toml"), "--no-validate", "--of", "JSON", "-o", str(target)],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    bill = json.loads(target.read_text("utf-8"))
    assert bill["bomFormat"] == "CycloneDX"
    named = {canonicalize_name(one["name"]) for one in bill["components"]}
    assert set(audit.closure()) <= named
    assert bill["metadata"]["component"]["name"] == "aiskills"
    assert all("purl" in one for one in bill["components"] if one["name"] != "aiskills")
