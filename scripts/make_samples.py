"""Writes the small sample files in other forms from data/samples/offers.csv.

Run it after a change of offers.csv: python scripts/make_samples.py
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import xlsxwriter

SAMPLES = Path(__file__).resolve().parents[1] / "data" / "samples"


def main() -> None:
    with (SAMPLES / "offers.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    told = [row for row in rows if row["title"] and row["description"]]
    as_windows_csv(told[5::9][:30])
    as_api_answer(told[2::7][:40])
    as_workbook(told[::5])


def as_windows_csv(rows: list[dict[str, str]]) -> None:
    """What French Excel saves: Windows-1252, semicolons, French headers."""
    names = {
        "id": "Référence",
        "title": "Intitulé du poste",
        "description": "Descriptif",
        "date": "Date de publication",
        "company": "Entreprise",
        "location": "Lieu",
        "postcode": "Code postal",
    }
    with (SAMPLES / "offres_excel.csv").open(
        "w", encoding="cp1252", errors="replace", newline=""
    ) as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(names.values())
        writer.writerows([row[key] for key in names] for row in rows)


def as_api_answer(rows: list[dict[str, str]]) -> None:
    """The form in which the France Travail API answers."""
    offers = [
        {
            "id": row["id"],
            "intitule": row["title"],
            "description": row["description"],
            "dateCreation": f"{row['date']}T08:00:00.000Z" if row["date"] else None,
            "lieuTravail": {"libelle": row["location"], "codePostal": row["postcode"] or None},
            "romeCode": row["rome"] or None,
            "entreprise": {"nom": row["company"] or None},
            "typeContrat": row["contract"],
            "codeNAF": row["naf"] or None,
            "qualificationCode": row["qualification_code"] or None,
            "qualificationLibelle": row["qualification_label"] or None,
        }
        for row in rows
    ]
    text = json.dumps({"resultats": offers}, ensure_ascii=False, indent=1)
    (SAMPLES / "offres_api.json").write_text(text + "\n", encoding="utf-8")


def as_workbook(rows: list[dict[str, str]]) -> None:
    """An Excel workbook with one sheet."""
    book = xlsxwriter.Workbook(str(SAMPLES / "offres.xlsx"), {"strings_to_formulas": False})
    sheet = book.add_worksheet("offres")
    for column, name in enumerate(rows[0]):
        sheet.write_string(0, column, name)
        for number, row in enumerate(rows, 1):
            sheet.write_string(number, column, row[name])
    sheet.freeze_panes(1, 0)
    book.close()


if __name__ == "__main__":
    main()
