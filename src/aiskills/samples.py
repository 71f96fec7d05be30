"""The sample offers that come with aiskills, all of them invented."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from aiskills.errors import InputError


def samples_folder() -> Path:
    """The folder of the sample files.

    Raises:
        InputError: The package was installed without them.
    """
    installed = Path(str(resources.files("aiskills"))) / "samples"
    checkout = Path(__file__).resolve().parents[2] / "data" / "samples"
    for folder in (installed, checkout):
        if (folder / "offers.csv").is_file():
            return folder
    raise InputError("the sample offers are not installed", hint="Reinstall aiskills.")
