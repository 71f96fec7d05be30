"""Labelled data: its records and the files they are kept in."""

from aiskills.labels.records import MentionLabel, OfferLabel, read_labels

__all__ = ["MentionLabel", "OfferLabel", "read_labels"]
