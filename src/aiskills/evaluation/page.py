"""A report as one page: no script, no request to anywhere, and every mistake with its evidence."""

from __future__ import annotations

import re
from typing import Final

from aiskills.evaluation.cells import figure, rate
from aiskills.evaluation.markdown import KINDS, subject
from aiskills.evaluation.plot import LEFT, SIDE, TOP, calibration_plot
from aiskills.evaluation.report import Report
from aiskills.evaluation.slices import SMALL
from aiskills.schema import STATUS_ORDER, Definition

#: Characters that turn the reading direction or cannot stand in a page.
_UNSAFE: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def page(report: Report) -> str:
    """The page of a report.

    Args:
        report: What to show; all its texts are escaped.

    Returns:
        A complete HTML document.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("aiskills.evaluation"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_visible,
    )
    environment.filters.update(figure=figure, rate=rate)
    by: dict[str, list[object]] = {}
    for part in report.slices:
        by.setdefault(part.by, []).append(part)
    return environment.get_template("evaluation.html").render(
        report=report,
        subject=subject(report),
        definitions=list(Definition),
        statuses=STATUS_ORDER,
        plots={d: calibration_plot(f.probabilities.bins) for d, f in report.definitions.items()},
        frame={"left": LEFT, "top": TOP, "side": SIDE},
        slices=by,
        small=SMALL,
        mistakes=[
            (kind, name, [one for one in report.mistakes if one.kind is kind])
            for kind, name in KINDS.items()
        ],
        theme_names=list(
            dict.fromkeys(
                one.theme
                for themes in (report.themes.agreed, report.themes.every)
                for one in (themes.micro, *themes.by_theme)
            )
        ),
        themes=[
            {one.theme: one for one in (themes.micro, *themes.by_theme)}
            for themes in (report.themes.agreed, report.themes.every)
        ],
    )


def _visible(value: object) -> object:
    """Shows what would turn the page's reading direction as ``␦``."""
    if type(value) is str:
        return _UNSAFE.sub("␦", value)
    return value
