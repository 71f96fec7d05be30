"""Which AI skills are asked, where, with what growth, and which come together.

from aiskills.skills import skills
skills("results.parquet", by=["function", "region"]).tables["typical"].to_pandas()
"""

from aiskills.skills.pieces import Pieces, read_pieces
from aiskills.skills.run import COLUMNS, TABLES, SkillOptions, Skills, skills

__all__ = [
    "COLUMNS",
    "TABLES",
    "Pieces",
    "SkillOptions",
    "Skills",
    "read_pieces",
    "skills",
]
