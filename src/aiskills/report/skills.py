"""The skills asked, as a training planner reads them: overall, by function and by branch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from aiskills.report.records import Options, Skill, SkillTable
from aiskills.report.sources import Source

#: Skills shown of all offers, of each group, and typical ones of each group.
_OVERALL, _EACH, _TYPICAL = 25, 8, 6
#: Groups with fewer flagged offers are not shown: a few offers are no demand to plan for.
_LEAST: Final = 10
#: Groups shown of each dimension.
_GROUPS: Final = 12
_NEEDED: Final = {
    "ai_evidence": (), "ai_function": ("function",), "ai_branch": ("branch",),
}  # fmt: skip
_NO_GROUP: Final = frozenset({"", "inconnu", "siège", "intermédiaire", "hors OPCO 2i"})


def skill_tables(found: Sequence[Source], options: Options) -> tuple[SkillTable, ...]:
    """What flagged offers ask for under the report's definition.

    Returns:
        The table of all offers, then those of the functions and branches with the most flagged
        offers; none where the evidence is not in the files.
    """
    from aiskills.skills import skills

    there = {
        column: groups
        for column, groups in _NEEDED.items()
        if all(column in one.columns for one in found)
    }
    if "ai_evidence" not in there:
        return ()
    asked = skills(
        [str(one.path) for one in found],
        [group for groups in there.values() for group in groups],
        definition=options.definition.value,
        population=options.population,
        perimeter=options.perimeter,
    ).tables
    typical: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in asked["typical"].sort_by([("z", "descending")]).to_pylist():
        if row["z"] is not None and row["z"] > 0:
            typical[row["group"], row["value"]].append(row["term"])
    terms: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in asked["terms"].to_pylist():
        terms[row["group"], row["value"]].append(row)
    tables = [_table(key, rows, typical[key]) for key, rows in terms.items()]
    every = [one for one in tables if one.dimension == "all"]
    for dimension in ("function", "branch"):
        own = [
            one
            for one in tables
            if one.dimension == dimension and one.flagged >= _LEAST and one.label not in _NO_GROUP
        ]
        every += sorted(own, key=lambda one: -one.flagged)[:_GROUPS]
    return tuple(every)


def _table(key: tuple[str, str], rows: list[dict[str, Any]], typical: list[str]) -> SkillTable:
    dimension = "all" if key[0] == "total" else key[0]
    rows.sort(key=lambda row: (-row["offers"], row["term"]))
    return SkillTable(
        dimension,
        "" if dimension == "all" else key[1],
        rows[0]["flagged_offers"],
        tuple(
            Skill(row["term"], row["theme"], row["offers"], row["share_of_flagged"])
            for row in rows[: _OVERALL if dimension == "all" else _EACH]
        ),
        tuple(typical[:_TYPICAL]),
    )
