"""What several test files share: one classifier for the whole run, and hypothesis' settings."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, settings

from aiskills import Classifier
from aiskills.model import Judge, TrainedModel, load_model
from aiskills.phrases import Headings, Lexicon, Scanner

# The same examples on every run, so that a red build is red for everybody. To look for new ones:
# AISKILLS_HYPOTHESIS=search python -m pytest
settings.register_profile(
    "repeatable",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile(
    "search",
    settings.get_profile("repeatable"),
    derandomize=False,
    max_examples=3000,
)
settings.load_profile(os.environ.get("AISKILLS_HYPOTHESIS", "repeatable"))


@pytest.fixture(scope="session")
def classifier() -> Classifier:
    """The classifier with the model that ships."""
    return Classifier.load()


@pytest.fixture(scope="session")
def model() -> TrainedModel:
    """The model that ships."""
    return load_model()


@pytest.fixture(scope="session")
def lexicon() -> Lexicon:
    """The lexicon that ships."""
    return Lexicon.default()


@pytest.fixture(scope="session")
def judge(model: TrainedModel, lexicon: Lexicon) -> Judge:
    """A judge with the shipped model and lexicon."""
    return Judge(model, lexicon)


@pytest.fixture(scope="session")
def scanner(lexicon: Lexicon) -> Scanner:
    """A scanner with the shipped tables."""
    return Scanner(lexicon, Headings.default())


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path,
    offers: pa.Table,
) -> Iterator[Callable[..., tuple[int, str, str]]]:  # fmt: skip
    """Runs a command in this process, inside a folder where the module's `offers` are a file."""
    from aiskills.cli import main

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    pq.write_table(offers, tmp_path / "scored.parquet")

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["aiskills", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as caught:
            main()
        sys.stdout.flush()
        out, err = capfd.readouterr()
        assert isinstance(caught.value.code, int)
        return caught.value.code, out, err

    yield call
    signal.signal(signal.SIGTERM, before)
