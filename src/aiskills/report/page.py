"""The report as one HTML page: no request to anywhere, and a policy that forbids any."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib import resources
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from aiskills.report.numbers import Numbers
from aiskills.report.records import Figures
from aiskills.report.sections import Sections
from aiskills.report.words import Words

if TYPE_CHECKING:
    from jinja2 import Environment

#: Characters that turn the reading direction or cannot stand in a page.
_UNSAFE: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
#: Below this share percentages have two decimals, so that rows still differ.
_RARE: Final = 0.02
#: Characters of a title at most.
_TITLE: Final = 200


def writers(figures: Figures) -> tuple[Words, Numbers]:
    """Wording and numbers of a report."""
    shares = [cell.share or 0.0 for cell in figures.headline.demand.values()]
    digits = 2 if max(shares, default=0.0) < _RARE else 1
    return Words(figures.options.lang), Numbers(figures.options.lang, digits)


def title_of(figures: Figures, words: Words) -> str:
    """The user's title, or the usual one."""
    return figures.options.title[:_TITLE] or words.plain("page.title")


def page(figures: Figures) -> str:
    """The page of a report.

    Args:
        figures: What it shows; all its texts are escaped.

    Returns:
        A complete HTML document, without any address in it that a browser would follow by itself.
    """
    words, numbers = writers(figures)
    style, script = asset("report.css"), asset("report.js")
    sections = Sections(figures, words, numbers)
    return (
        environment()
        .get_template("report.html")
        .render(
            t=words,
            w=words.of,
            lang=words.lang,
            title=title_of(figures, words),
            style=Markup(style),  # noqa: S704 (our own file)
            script=Markup(script),  # noqa: S704 (our own file)
            style_hash=digest(style),
            script_hash=digest(script),
            **sections.all(),
        )
    )


def environment() -> Environment:
    """Templates whose every value is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("aiskills.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_visible,
    )


def asset(name: str) -> str:
    """A file of the templates folder."""
    return (resources.files("aiskills.report") / "templates" / name).read_text("utf-8").strip()


def digest(text: str) -> str:
    """Hash of an inline style or script, as a content security policy names it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _visible(value: object) -> object:
    """Shows what would turn the page's reading direction as ``␦``."""
    if isinstance(value, Markup):
        cleaned = _UNSAFE.sub("␦", str(value))
        return value if cleaned == value else Markup(cleaned)  # noqa: S704 (escaped before)
    if isinstance(value, str):
        return _UNSAFE.sub("␦", value)
    return value
