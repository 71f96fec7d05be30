"""Pages for people: an offer explained, and later the report of a whole set."""

from aiskills.report.explained import explained_page, segments

__all__ = ["explained_page", "segments"]
