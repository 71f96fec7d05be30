"""The entry point: spaCy finds the component although nothing of aiskills was imported."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

CODE = """
import spacy
nlp = spacy.blank("xx")
nlp.add_pipe("ai_skills")
doc = nlp("Vous maîtrisez le machine learning.")
print(doc._.ai_skills.strict, [span.label_ for span in doc.spans["ai_skills"]])
"""


def test_spacy_finds_the_component() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CODE],
        capture_output=True,
        check=False,
        text=True,
        encoding="utf-8",
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == "demand ['demand']"


def test_the_entry_point_is_declared_once() -> None:
    (found,) = entry_points(group="spacy_factories", name="ai_skills")
    assert found.value == "aiskills.spacy_component:make_ai_skills"
