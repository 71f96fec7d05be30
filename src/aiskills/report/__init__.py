"""Pages for people: an offer explained, and the report of a whole set.

from aiskills.report.figures import collect
from aiskills.report.page import page
from aiskills.report.records import Options
html = page(collect("results.parquet", Options()))
"""

from aiskills.report.explained import explained_page, segments

__all__ = ["explained_page", "segments"]
