"""The attributes of simulated offers beside the truth, by what told them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from aiskills.dedupe import COLUMN, Settings, jaccard, shingle_sets
from aiskills.estimate import wilson

#: Attribute -> column of what told it, the true column, and answers that are no guess.
ATTRIBUTES: Final = {
    "ai_branch": (
        "ai_branch_basis",
        "true_branch",
        ("inconnu", "siège", "intermédiaire", ""),
    ),
    "ai_region": (
        "ai_region_basis",
        "true_region",
        ("inconnu", "télétravail", "France entière", ""),
    ),
    "ai_function": ("ai_function_basis", "true_function", ("",)),
    "ai_cadre": ("ai_cadre_basis", "true_cadre", ("inconnu", "")),
    "ai_industry_opco2i": ("ai_branch_basis", "true_industry", ("",)),
    "ai_industry_insee": ("ai_branch_basis", "true_industry_insee", ("",)),
    "ai_period": ("", "true_month", ("",)),
    "ai_language": ("", "true_language", ("",)),
}
_WORST: Final = 5
_THRESHOLD: Final = Settings().threshold
_KINDS: Final = (
    "same id",
    "same text",
    f"{100 * _THRESHOLD:.0f} % or more in common",
    f"less than {100 * _THRESHOLD:.0f} % in common",
)


def frame_of(table: pa.Table) -> pd.DataFrame:
    """Attributes and truth of a stream as texts; empty where there is none."""
    wanted = [COLUMN, "id", "source", "intitule", "description", "true_duplicate_of"]
    wanted += [name for one, (basis, truth, _) in ATTRIBUTES.items() for name in (one, basis, truth)
               if name]  # fmt: skip
    frame: pd.DataFrame = table.select(list(dict.fromkeys(wanted))).to_pandas()
    for name, (_, truth, _) in ATTRIBUTES.items():
        if name.startswith("ai_industry"):
            for column in (name, truth):
                frame[column] = frame[column].map({True: "true", False: "false"})
    return frame.fillna("")


def attribute_lines(frame: pd.DataFrame) -> Iterator[str]:
    """How often each attribute is right where it says something, by what told it; the commonest
    errors; reposts."""
    yield "| attribute | told by | offers | says nothing | right | wrong | right where it tells |"
    yield "|---|---|--:|--:|--:|--:|--:|"
    for name, (basis, _, _) in ATTRIBUTES.items():
        told = frame[basis] if basis else pd.Series("", index=frame.index)
        for value in ("", *sorted(set(told) - {""})):
            rows = frame[told == value] if value else frame
            yield _line(name, value or "all", rows)
    yield from ("", "The commonest errors:", "", "| attribute | told by | said | true | offers |")
    yield "|---|---|---|---|--:|"
    for name, (basis, truth, silent) in ATTRIBUTES.items():
        wrong = frame[~frame[name].isin(silent) & (frame[name] != frame[truth])]
        keys = [key for key in (basis, name, truth) if key]
        pairs = Counter(zip(*(wrong[key].tolist() for key in keys), strict=True))
        for values, count in pairs.most_common(_WORST):
            cells = values if basis else ("", *values)
            yield f"| `{name}` | {' | '.join(one or '(none)' for one in cells)} | {count:,} |"


def _line(name: str, value: str, rows: pd.DataFrame) -> str:
    _, truth, silent = ATTRIBUTES[name]
    tells = ~rows[name].isin(silent)
    right = int((tells & (rows[name] == rows[truth])).sum())
    wrong = int(tells.sum()) - right
    return (
        f"| `{name}` | {value} | {len(rows):,} | {int((~tells).sum()):,} | {right:,} | {wrong:,} "
        f"| {_percent(right, right + wrong)} |"
    )


def repost_lines(frame: pd.DataFrame) -> Iterator[str]:
    """Reposts found by kind, and offers marked that are none."""
    repost = frame["true_duplicate_of"] != ""
    kind = np.full(len(frame), "", dtype=object)
    kind[repost.to_numpy()] = _kinds(frame[repost], frame[~repost].set_index("id"))
    marked = frame[COLUMN] != ""
    yield "| truth | offers | marked | |"
    yield "|---|--:|--:|--:|"
    for name in _KINDS:
        rows = repost & (kind == name)
        found = int((rows & marked).sum())
        yield f"| repost, {name} | {rows.sum():,} | {found:,} | {_percent(found, rows.sum())} |"
    found = int((repost & marked).sum())
    yield f"| repost | {repost.sum():,} | {found:,} | {_percent(found, repost.sum())} |"
    firsts, false = int((~repost).sum()), int((~repost & marked).sum())
    yield f"| first publication | {firsts:,} | {false:,} | {_percent(false, firsts)} |"
    yield from ("", _both(frame, repost, marked))


def _kinds(copies: pd.DataFrame, firsts: pd.DataFrame) -> list[str]:
    """How each repost differs from the first publication."""
    originals = firsts.loc[copies["true_duplicate_of"]]
    texts = [
        (pa.array(rows["intitule"]), pa.array(rows["description"])) for rows in (copies, originals)
    ]
    pairs = zip(*(shingle_sets(*one) for one in texts), strict=True)
    alike = np.array([jaccard(one, other) for one, other in pairs])
    same_text = np.logical_and(
        *(
            copies[name].to_numpy() == originals[name].to_numpy()
            for name in ("intitule", "description")
        )
    )
    same_id = (copies["id"] == copies["true_duplicate_of"]).to_numpy()
    kinds: list[str] = np.select(
        [same_id, same_text, alike >= _THRESHOLD], _KINDS[:3], _KINDS[3]
    ).tolist()
    return kinds


def _both(frame: pd.DataFrame, repost: pd.Series, marked: pd.Series) -> str:
    """Whether each cluster keeps one row, whichever it is."""
    cluster = frame["true_duplicate_of"].where(repost, frame["id"])
    kept = (~marked).groupby(cluster).sum()
    several = cluster.value_counts()
    of = kept[several[several > 1].index]
    once, never = int((of == 1).sum()), int((of == 0).sum())
    return (
        f"Of {len(of):,} offers with reposts, {once:,} are counted once, {never:,} never and "
        f"{len(of) - once - never:,} more than once."
    )


def _percent(hits: int, of: int) -> str:
    if not of:
        return ""
    ends = wilson(np.array([hits / of]), np.array([float(of)]))
    return f"{100 * hits / of:.1f} % [{100 * ends.low[0]:.1f}, {100 * ends.high[0]:.1f}]"
