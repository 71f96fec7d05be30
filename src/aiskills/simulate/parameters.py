"""Parameters of the simulation: the default ones, and a user's laid over them."""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import resources
from typing import Any, Final

from aiskills.errors import InputError, UsageError
from aiskills.schema import THEMES

#: Tables of parts that add up to 1; a user's replaces the default one whole.
_PARTS: Final = ("functions", "branches", "regions")
#: Numbers that are no parts of a whole: what they may be at least and at most.
_RANGES: Final = {
    "shares.rise": (0.1, 10.0),
    "growth.industry": (-0.99, 100.0),
    "growth.elsewhere": (-0.99, 100.0),
    "employers.count": (100, 1_000_000),
    "employers.skew": (0.0, 3.0),
    "employers.ai_spread": (0.0, 100.0),
    "reposts.days": (1, 365),
    "reposts.part": (0.0, 0.5),
    "cadre.ai_ratio": (0.0, 1.0),
}
_PROGRESS: Final = (-10.0, 10.0)
_VOLUME: Final = (1e-6, 1e6)
_TOLERANCE: Final = 1e-6
#: Names of the months of the window, first to last.
FIRST_MONTH: Final = "2019-01"
LAST_MONTH: Final = "2024-06"


@dataclass(frozen=True, slots=True)
class Parameters:
    """Checked parameters, as data/simulate.toml holds and explains them.

    Attributes:
        tables: Values by section and name; not to be changed.
    """

    tables: Mapping[str, Mapping[str, Any]]

    def number(self, name: str) -> float:
        """The number of a dotted name, e.g. ``shares.industry``."""
        section, _, key = name.partition(".")
        return float(self.tables[section][key])

    def table(self, name: str) -> dict[str, float]:
        """The table of a dotted name, e.g. ``themes.industry``, in its order."""
        section, _, key = name.partition(".")
        return {str(one): float(value) for one, value in self.tables[section][key].items()}

    def with_numbers(self, numbers: Mapping[str, float]) -> Parameters:
        """The same with some numbers changed.

        Args:
            numbers: New values by dotted name.

        Raises:
            UsageError: A name is unknown, or a value out of its range.
        """
        changes: dict[str, dict[str, Any]] = {}
        for name, value in numbers.items():
            section, _, key = name.partition(".")
            changes.setdefault(section, {})[key] = value
        return _merged(self.tables, changes, "")


def read_parameters(path: str | os.PathLike[str] | None = None) -> Parameters:
    """The default parameters, with a user's file laid over them.

    Args:
        path: A TOML file that holds what differs from the default; None for the default.

    Raises:
        InputError: The file cannot be read, or is not TOML.
        UsageError: It names what does not exist, or a value out of its range.
    """
    default = _default()
    if path is None:
        return Parameters(default)
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (a user's path of any kind)
            given = tomllib.load(file)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not TOML: {error}") from None
    return _merged(default, given, f"{path}: ")


@cache
def _default() -> dict[str, dict[str, Any]]:
    text = (resources.files("aiskills") / "data" / "simulate.toml").read_text("utf-8")
    return tomllib.loads(text)


def _merged(
    default: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any], where: str
) -> Parameters:
    tables = {name: dict(section) for name, section in default.items()}
    for name, section in given.items():
        _must_be_known(name, tables, where)
        if not isinstance(section, dict):
            raise UsageError(f"{where}{name} = {section!r}", expected=f"a section [{name}]")
        for key, value in section.items():
            _must_be_known(key, tables[name], f"{where}[{name}] ")
            tables[name][key] = _checked(f"{name}.{key}", value, tables[name][key], where)
    return Parameters(tables)


def _must_be_known(name: str, known: Mapping[str, Any], where: str) -> None:
    if name not in known:
        near = get_close_matches(name, known, 1)
        raise UsageError(
            f"{where}{name} is no parameter",
            expected="one of " + ", ".join(known),
            hint=f"Did you mean {near[0]}?" if near else "",
        )


def _checked(name: str, value: Any, default: Any, where: str) -> Any:
    """The value, if it may stand for the default one."""
    section = name.partition(".")[0]
    if isinstance(default, dict):
        if not isinstance(value, dict):
            raise UsageError(f"{where}{name} = {value!r}", expected="a table")
        return _checked_table(name, section, value, default, where)
    if isinstance(default, list):
        if not isinstance(value, list) or len(value) != len(default):
            raise UsageError(f"{where}{name} = {value!r}", expected=f"{len(default)} numbers")
        return [_in_range(name, one, _VOLUME, where) for one in value]
    return _in_range(name, value, _RANGES.get(name, (0.0, 1.0)), where)


def _checked_table(
    name: str, section: str, value: dict[str, Any], default: dict[str, Any], where: str
) -> dict[str, Any]:
    if section in _PARTS:
        parts = {key: _in_range(name, one, (0.0, 1.0), where) for key, one in value.items()}
        if abs(math.fsum(parts.values()) - 1) > _TOLERANCE:
            total = f"{math.fsum(parts.values()):.6g}"
            raise UsageError(f"{where}the parts of {name} add up to {total}", expected="1")
        return parts
    known = dict.fromkeys(THEMES) if section == "themes" else default
    for key in value:
        _must_be_known(key, known, f"{where}{name}: ")
    if name == "themes.since":
        return {key: _month(one, f"{where}{name}.{key}") for key, one in value.items()}
    if section == "themes":
        themes = {key: _in_range(name, one, (0.0, 1.0), where) for key, one in value.items()}
        if not 1 <= math.fsum(themes.values()) <= 3:
            raise UsageError(
                f"{where}{name} adds up to {sum(themes.values()):.6g}", expected="1 to 3"
            )
        return themes
    ends = _PROGRESS if name == "growth.progress" else _VOLUME
    return {**default, **{key: _in_range(name, one, ends, where) for key, one in value.items()}}


def _in_range(name: str, value: Any, ends: tuple[float, float], where: str) -> float:
    good = isinstance(value, int | float) and not isinstance(value, bool)
    if not good or not ends[0] <= value <= ends[1]:
        raise UsageError(
            f"{where}{name} = {value!r}", expected=f"a number from {ends[0]:g} to {ends[1]:g}"
        )
    return float(value)


def _month(value: Any, where: str) -> str:
    good = isinstance(value, str) and len(value) == 7 and FIRST_MONTH <= value <= LAST_MONTH
    if not good:
        raise UsageError(
            f"{where} = {value!r}", expected=f"a month from {FIRST_MONTH} to {LAST_MONTH}"
        )
    return str(value)
