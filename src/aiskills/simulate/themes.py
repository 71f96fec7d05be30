"""Facts that tie the stock's keys to the project's vocabulary."""

from __future__ import annotations

from typing import Final

import numpy as np

from aiskills.schema import THEMES

#: Themes that only the study definition counts (docs/method.md).
STUDY_ONLY: Final = frozenset({"big_data", "iot", "industrie_du_futur", "robotique", "rpa"})
#: Whether a theme counts under the strict definition, in the order of THEMES.
STRICT: Final = np.array([theme not in STUDY_ONLY for theme in THEMES])

#: Apec's families by the first two characters of a topic (data/functions.csv); "-": none of them.
FAMILY_OF_TOPIC: Final = {
    "01": "Commercial, marketing",
    "02": "Communication, création",
    "03": "Direction d'entreprise",
    "04": "Études, R&D",
    "05": "Gestion, finance, administration",
    "06": "Informatique",
    "07": "Production industrielle, travaux, chantiers",
    "08": "Ressources humaines",
    "09": "Sanitaire, social, culture",
    "10": "Services techniques",
    "00": "-",
}
