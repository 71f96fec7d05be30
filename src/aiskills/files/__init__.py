"""The only door for tables of offers and results.

with open_offers(["offres.csv"]) as offers, open_output("resultats.csv") as output:
    for chunk in offers:
        titles = chunk.fields.extract(chunk.table, "title")
        output.write(chunk.table)
"""

from aiskills.files.cells import JSON_TEXT
from aiskills.files.detect import FORMATS
from aiskills.files.encode import CsvStyle
from aiskills.files.fields import CANONICAL, FieldMap, find_fields
from aiskills.files.reader import Chunk, OfferReader, open_offers, read_table
from aiskills.files.write import OutputWriter, open_output

__all__ = [
    "CANONICAL",
    "FORMATS",
    "JSON_TEXT",
    "Chunk",
    "CsvStyle",
    "FieldMap",
    "OfferReader",
    "OutputWriter",
    "find_fields",
    "open_offers",
    "open_output",
    "read_table",
]
