"""Writes the quality figures of the shipped model into the READMEs, from its meta.json.

Run it after training: python scripts/update_readme.py
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
META: Final = ROOT / "models" / "fr" / "meta.json"
#: Slice of the quality table and its name in each README.
SLICES: Final = {
    "README.md": {
        "stratified": "drawn by stratum",
        "stratified, sure": "of these, label sure",
        "hard": "hard",
        "uncertain": "uncertain",
        "English": "in English",
    },
    "README.fr.md": {
        "stratified": "tirées par strate",
        "stratified, sure": "dont étiquette sûre",
        "hard": "difficiles",
        "uncertain": "incertaines",
        "English": "en anglais",
    },
}
HEADS: Final = {
    "README.md": "| offers | definition | n | asking | precision | recall | F1 [95 %] "
    "| any keyword, F1 |",
    "README.fr.md": "| offres | définition | n | demandes | précision | rappel | F1 [95 %] "
    "| tout mot-clé, F1 |",
}


def table(quality: dict[str, Any], name: str) -> str:
    """The quality table of one README."""
    rows = [HEADS[name], "|---|---|--:|--:|--:|--:|---|--:|"]
    for part, title in SLICES[name].items():
        for definition, q in quality[part].items():
            cells = [
                title,
                f"`{definition}`",
                str(q["offers"]),
                str(q["demand"]),
                f"{q['precision']:.3f}",
                f"{q['recall']:.3f}",
                f"**{q['f1']:.3f}** [{q['f1_low']:.3f}, {q['f1_high']:.3f}]",
                f"{q['keyword_f1']:.3f}",
            ]
            rows.append(f"| {' | '.join(cells)} |")
    text = "\n".join(rows)
    return text.replace(".", ",") if name == "README.fr.md" else text


def filled(text: str, name: str, quality: dict[str, Any]) -> str:
    """A README with its table brought up to date."""
    block = f"<!-- quality -->\n{table(quality, name)}\n<!-- /quality -->"
    return re.sub(r"<!-- quality -->.*?<!-- /quality -->", lambda _: block, text, flags=re.DOTALL)


def main() -> None:
    quality = json.loads(META.read_text("utf-8"))["quality"]
    for name in SLICES:
        path = ROOT / name
        path.write_text(filled(path.read_text("utf-8"), name, quality), encoding="utf-8")


if __name__ == "__main__":
    main()
