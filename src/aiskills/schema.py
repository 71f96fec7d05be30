"""The columns that aiskills adds, the values they take, and the version of that contract."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

#: Raised when a column is renamed or removed or the meaning of one changes. Written into every
#: result's metadata, so that a reader of old results knows what it holds.
SCHEMA_VERSION: Final = 1


class Status(StrEnum):
    """What an offer, or one mention in it, says of AI under one definition."""

    DEMAND = "demand"
    """The person hired must have, learn, use, build, sell, teach or manage it."""
    MENTION = "mention"
    """It is named, but about the firm, its clients, the hiring process or another post."""
    NONE = "none"
    """Not named, or only a homonym."""


class Definition(StrEnum):
    """Which technologies count."""

    STRICT = "strict"
    """AI proper: machine learning, language, vision, generative AI, data science, …"""
    STUDY = "study"
    """`strict` and what the Apec / OPCO 2i study adds: IoT, big data, industrie du futur, …"""


class Zone(StrEnum):
    """The part of an offer in which a match stands."""

    TITLE = "title"
    FIRM = "firm"
    MISSIONS = "missions"
    PROFILE = "profile"
    BENEFITS = "benefits"
    PROCESS = "process"
    UNKNOWN = "unknown"


class Language(StrEnum):
    """Language of an offer's text."""

    FR = "fr"
    EN = "en"
    OTHER = "other"


#: Theme codes, in the order in which tables show them.
THEMES: Final = (
    "ia",
    "machine_learning",
    "deep_learning",
    "nlp",
    "vision",
    "ia_generative",
    "data_science",
    "big_data",
    "iot",
    "industrie_du_futur",
    "robotique",
    "rpa",
    "ethique",
)

#: Statuses from weakest to strongest; the position is the class number inside the models.
STATUS_ORDER: Final = (Status.NONE, Status.MENTION, Status.DEMAND)

#: Columns that `classify` adds, in order, with what each holds.
CLASSIFY_COLUMNS: Final = {
    "ai_study": "true where the study definition's status is demand; empty if not judged",
    "ai_strict": "true where the strict definition's status is demand; empty if not judged",
    "ai_study_status": "demand, mention or none under the study definition; empty if not judged",
    "ai_strict_status": "demand, mention or none under the strict definition; empty if not judged",
    "ai_study_score": "calibrated probability of demand under the study definition, 0 to 1",
    "ai_strict_score": "calibrated probability of demand under the strict definition, 0 to 1",
    "ai_themes": "themes asked for, joined by |; empty if none",
    "ai_evidence": "JSON list of {term, quote, start, end, field, zone, theme, status, score}",
    "ai_language": "fr, en or other; empty if not judged",
    "ai_branch": "OPCO 2i branch, hors OPCO 2i, siège, intermédiaire or inconnu",
    "ai_branch_basis": "idcc, siret, naf, sector_label, text, company or unknown",
    "ai_branch_confidence": "certain, majority or ambiguous; empty if the branch is unknown",
    "ai_branch_division": "NAF division within Métallurgie (24 to 30, 33); else empty",
    "ai_industry_opco2i": "true if the employer is in OPCO 2i's perimeter; empty if unknown",
    "ai_industry_insee": "true if it is in INSEE's sections B to E; empty if unknown",
    "ai_region": "INSEE code and name of one of 18 regions, télétravail, France entière, étranger, "
    "outre-mer hors région or inconnu",
    "ai_region_basis": "commune, postcode, departement, label or unknown",
    "ai_function": "one of Apec's ten families of functions; empty if unknown or none of them",
    "ai_subfunction": "its second level where it can be told, else empty",
    "ai_function_basis": "code, label, rome, title or unknown",
    "ai_cadre": "cadre, assimile, non_cadre or inconnu",
    "ai_cadre_basis": "contract, text, qualification, forfait, title, rome or unknown",
    "ai_period": "month of publication, e.g. 2023-03; empty if unknown",
    "ai_error": "why the row could not be judged, else empty",
}

#: Longest text judged, in characters of title and description together. Real offers stay below
#: 25,000; what is longer is not an offer and would only cost time.
MAX_TEXT_CHARS: Final = 200_000
