"""Scored offers for the tests of reports, made up without a model, hostile texts among them."""

from __future__ import annotations

import json
import random
from typing import Any

import pyarrow as pa

#: A title and text that would run, request or turn things if they were not shown as text.
SCRIPT = "<script>window.pwned = 1</script><img src=x onerror='window.pwned = 2'>"
TURNING = "\u202eenigne'l ed reinégni\u202c \u2066x"
LONG = "Ingénieur " + "très " * 40_000 + "expérimenté"
BROKEN = "</td></table></section><h1>cassé &amp; <b>gras"
FORMULA = '=HYPERLINK("http://example.invalid";"clic")'

REGIONS = (
    "11 Île-de-France", "84 Auvergne-Rhône-Alpes", "76 Occitanie", "53 Bretagne", "03 Guyane",
    "04 La Réunion", "inconnu", "télétravail", "étranger",
)  # fmt: skip
BRANCHES = ("Métallurgie", "Chimie", "Textile", "hors OPCO 2i", "inconnu", "siège")
FUNCTIONS = ("Informatique", "Études, R&D", "Services techniques", "")
THEMES = ("ia", "machine_learning", "big_data", "iot", "industrie_du_futur")
METADATA = {
    "aiskills_version": "0.1.0",
    "aiskills_model": "test-model",
    "aiskills_model_sha256": "a" * 64,
    "aiskills_lexicon": "1.0",
    "aiskills_lexicon_sha256": "b" * 64,
}


def offer(number: int, title: str, text: str, status: str, theme: str = "ia") -> dict[str, Any]:
    """One scored offer; the first `preuve` in its title or text is the evidence."""
    dice = random.Random(number)  # noqa: S311
    pieces = []
    for field, content in (("title", title), ("description", text)):
        start = content.find("preuve")
        if start >= 0 and status != "none":
            pieces.append(
                {"term": "preuve", "quote": "preuve", "start": start, "end": start + 6,
                 "field": field, "zone": "missions", "theme": theme, "status": status, "score": 0.9}
            )  # fmt: skip
    strict = status if theme not in ("iot", "big_data", "industrie_du_futur") else "none"
    branch = dice.choice(BRANCHES)
    industry = {"hors OPCO 2i": False, "inconnu": None, "siège": None}.get(branch, True)
    return {
        "id": f"T-{number}",
        "title": title,
        "description": text,
        "company": f"Employeur {number % 37}",
        "ai_study": status == "demand",
        "ai_strict": strict == "demand",
        "ai_study_status": status,
        "ai_strict_status": strict,
        "ai_study_score": {"demand": 0.97, "mention": 0.12, "none": 0.0}[status],
        "ai_strict_score": {"demand": 0.95, "mention": 0.1, "none": 0.0}[strict],
        "ai_themes": theme if status == "demand" else "",
        "ai_evidence": json.dumps(pieces),
        "ai_language": "en" if number % 11 == 0 else "fr",
        "ai_branch": branch,
        "ai_branch_basis": "naf",
        "ai_branch_confidence": "certain" if branch != "inconnu" else "",
        "ai_branch_division": "28 Fabrication de machines" if branch == "Métallurgie" else "",
        "ai_industry_opco2i": industry,
        "ai_industry_insee": industry,
        "ai_region": dice.choices(REGIONS, (30, 18, 12, 9, 5, 4, 3, 3, 2))[0],
        "ai_function": dice.choice(FUNCTIONS),
        "ai_subfunction": "",
        "ai_cadre": dice.choice(("cadre", "cadre", "non_cadre", "inconnu")),
        "ai_period": f"{dice.choice((2019, 2020, 2021, 2022, 2023))}-{dice.randint(1, 12):02d}",
        "ai_error": "",
    }


def offers(size: int = 220) -> list[dict[str, Any]]:
    """Offers of all statuses; the first ones are hostile."""
    found = [
        offer(1, f"{SCRIPT} preuve", f"{SCRIPT} avec preuve dedans {BROKEN}", "demand"),
        offer(2, f"{TURNING} preuve", f"{TURNING} et preuve {TURNING}", "demand"),
        offer(3, LONG, "Vous apportez la preuve.", "demand"),
        offer(4, f"{BROKEN} preuve", f"{BROKEN} preuve {SCRIPT}", "mention"),
        offer(5, f"{FORMULA} preuve", f"{FORMULA} preuve", "demand"),
    ]
    dice = random.Random(20)  # noqa: S311
    for number in range(6, size + 1):
        status = dice.choices(("demand", "mention", "none"), (20, 10, 70))[0]
        theme = dice.choice(THEMES)
        text = f"Offre {number} : vous montrez la preuve de votre goût pour les données."
        found.append(offer(number, f"Poste {number}", text, status, theme))
    return found


def table(rows: list[dict[str, Any]] | None = None, **metadata: str) -> pa.Table:
    """Offers as a table with the metadata of a scored file."""
    made = pa.Table.from_pylist(offers() if rows is None else rows)
    return made.replace_schema_metadata(METADATA | metadata)
