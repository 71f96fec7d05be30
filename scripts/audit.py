"""Known vulnerabilities and licences of what aiskills runs with: `make audit`.

Versions are looked up by pip-audit, at PyPI's vulnerability service (or OSV with `--service osv`).
Where neither can be reached, that is said and is no failure: nothing was found out. `--require`
makes it one.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

#: What the package is installed with for use; `dev` is not.
EXTRAS: Final = ("excel", "train")
#: SPDX identifiers, and the words by which packages name the same in older metadata, of licences
#: that allow use and redistribution without conditions on aiskills' own code. MPL 2.0 binds changes
#: to its own files alone (certifi, tqdm).
ALLOWED: Final = (
    *("MIT", "MIT License", "0BSD", "CC0-1.0", "Zlib", "ISC", "ISC License (ISCL)", "PSF-2.0"),
    *("BSD", "BSD License", "BSD-2-Clause", "BSD-3-Clause", "Python Software Foundation License"),
    *("Apache-2.0", "Apache 2.0", "Apache Software License", "MPL-2.0", "Unlicense"),
    "The Unlicense (Unlicense)",
    "Mozilla Public License 2.0 (MPL 2.0)",
)
#: Licences of distributions of which some release names none, from the file that comes with it.
TOLD_BY_FILE: Final[Mapping[str, tuple[str, ...]]] = {"ahocorasick-rs": ("Apache-2.0",)}  # 1.0.1
_PROBE: Final = "numpy"  # one look-up tells whether there is a service at all
_SECONDS: Final = 120


def closure(root: str = "aiskills", extras: tuple[str, ...] = EXTRAS) -> dict[str, Distribution]:
    """Every installed distribution that `root` needs, by canonical name; itself left out."""
    found: dict[str, Distribution] = {}
    asked: set[tuple[str, str]] = set()
    waiting = [(root, extra) for extra in ("", *extras)]
    while waiting:
        name, extra = waiting.pop()
        if (canonicalize_name(name), extra) in asked:
            continue
        asked.add((canonicalize_name(name), extra))
        try:
            one = distribution(name)
        except PackageNotFoundError:
            continue  # an extra that is not installed
        found[canonicalize_name(name)] = one
        for line in one.requires or []:
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                waiting += [(needed.name, inner) for inner in ("", *needed.extras)]
    del found[canonicalize_name(root)]
    return found


def licences_of(one: Distribution) -> tuple[str, ...]:
    """The licences that a distribution names: its SPDX expression, else its classifiers or field.

    Of alternatives (`A OR B`) the first; all of those that hold together (`A AND B`).
    """
    metadata: Any = one.metadata
    expression = metadata.get("License-Expression")
    classifiers = tuple(
        line.rpartition(" :: ")[2]
        for line in metadata.get_all("Classifier") or []
        if line.startswith("License ::") and line != "License :: OSI Approved"
    )
    if not expression and classifiers:
        return classifiers
    text = expression or (metadata.get("License") or "").partition("\n")[0]
    told = tuple(part.partition(" OR ")[0].strip("() ") for part in text.split(" AND ") if part)
    return told or TOLD_BY_FILE.get(canonicalize_name(metadata.get("Name") or ""), ())


def not_allowed(found: Mapping[str, Distribution]) -> dict[str, tuple[str, ...]]:
    """Distributions whose licence is not in `ALLOWED`, or that name none."""
    told = {name: licences_of(one) for name, one in found.items()}
    return {name: have for name, have in told.items() if not have or set(have) - set(ALLOWED)}


def main() -> int:
    """Prints what was found; 1 for a vulnerability or a licence that is not allowed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--service", choices=("pypi", "osv"), default="pypi")
    parser.add_argument("--require", action="store_true", help="fail if nothing can be looked up")
    given = parser.parse_args()
    found = closure()
    wrong = not_allowed(found)
    for name, have in sorted(wrong.items()):
        print(f"licence not allowed: {name}: {', '.join(have) or 'none named'}")
    print(f"licences: {len(found)} packages, {len(wrong)} not allowed")
    known = {name: one for name, one in found.items() if name == _PROBE}
    if not _look_up(known, given.service):
        print(f"vulnerabilities: NOT LOOKED UP, the service '{given.service}' cannot be reached")
        return 1 if wrong or given.require else 0
    told = _look_up(found, given.service)
    for name, version, vulnerability in told["vulnerable"]:
        print(f"vulnerable: {name} {version}: {vulnerability}")
    print(f"vulnerabilities: {told['audited']} of {len(found)} packages looked up, "
          f"{len(told['vulnerable'])} found")  # fmt: skip
    return 1 if wrong or told["vulnerable"] else 0


def _look_up(found: Mapping[str, Distribution], service: str) -> dict[str, Any]:
    """What pip-audit says of these versions; empty if it can look up none of them."""
    with tempfile.TemporaryDirectory() as folder:
        pinned = Path(folder) / "pinned.txt"
        pinned.write_text("".join(f"{name}=={one.version}\n" for name, one in found.items()))
        command = [sys.executable, "-m", "pip_audit", "--requirement", str(pinned), "--no-deps",
                   "--disable-pip", "--format", "json", "--progress-spinner", "off",
                   "--vulnerability-service", service]  # fmt: skip
        try:
            done = subprocess.run(  # noqa: S603 (our own command; no shell)
                command, capture_output=True, text=True, check=False, timeout=_SECONDS
            )
            packages = json.loads(done.stdout)["dependencies"]
        except (subprocess.TimeoutExpired, ValueError, KeyError):
            return {}
    audited = [one for one in packages if "vulns" in one]
    vulnerable = [
        (one["name"], one["version"], each["id"]) for one in audited for each in one["vulns"]
    ]
    return {"audited": len(audited), "vulnerable": vulnerable} if audited else {}


if __name__ == "__main__":
    sys.exit(main())
