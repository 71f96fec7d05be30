"""The wording of a report, from wording/fr.toml and wording/en.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

from markupsafe import Markup

from aiskills.errors import UsageError

LANGUAGES: Final = ("fr", "en")
_TAG: Final = re.compile("<[^>]*>")


class Words:
    """All texts of one language.

    Args:
        lang: `fr` or `en`.

    Raises:
        UsageError: There is no such language.
    """

    def __init__(self, lang: str) -> None:
        if lang not in LANGUAGES:
            raise UsageError(f"--lang {lang}", expected=" or ".join(LANGUAGES))
        self.lang = lang
        self._texts = _texts(lang)

    def __call__(self, key: str, **values: object) -> Markup:
        """A text as HTML: its own markup stays, what is filled in is escaped.

        Args:
            key: Section and name, `headline.sentence`.
            **values: What stands between its braces.

        Raises:
            KeyError: There is no such text, or a value is missing: a mistake of ours.
        """
        return Markup(self._texts[key]).format(**values)  # noqa: S704 (our own texts)

    def plain(self, key: str, **values: object) -> str:
        """A text without markup, for workbooks and attributes; nothing is escaped."""
        return _TAG.sub("", self._texts[key]).format(**values)

    def of(self, section: str, name: str) -> str:
        """The word for a value of the data (a theme, a zone); the value itself if there is none."""
        found = self._texts.get(f"{section}.{name}")
        return name if found is None else found


@cache
def _texts(lang: str) -> Mapping[str, str]:
    raw = (resources.files("aiskills.report") / "wording" / f"{lang}.toml").read_text("utf-8")
    sections: dict[str, dict[str, Any]] = tomllib.loads(raw)
    return {
        f"{section}.{name}": text
        for section, texts in sections.items()
        for name, text in texts.items()
    }


def keys(lang: str) -> tuple[str, ...]:
    """All keys of a language, in order."""
    return tuple(_texts(lang))
