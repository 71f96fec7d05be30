"""Makes docs/report.png, the picture of a report that the READMEs show, from simulated offers.

    aiskills demo
    python scripts/report_picture.py demo/report.html

It needs Chromium and playwright.
"""

from __future__ import annotations

import argparse
import base64
import os
from pathlib import Path

from playwright.sync_api import sync_playwright

from aiskills.report.browser import need_browser

TARGET = Path(__file__).resolve().parents[1] / "docs" / "report.png"
#: Width and height of the two crops, and width of the picture.
CROP, HEIGHT, WIDTH = 990, 960, 1300
LARGEST = 300_000
MAP_TOP = "document.querySelector('#map').getBoundingClientRect().top + scrollY"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("report", type=Path)
    report = parser.parse_args().report.resolve().as_uri()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=need_browser("the picture"),
            args=["--no-sandbox"] if os.geteuid() == 0 else [],
        )
        page = browser.new_page(viewport={"width": CROP, "height": 900})
        page.goto(report)
        page.hover('path[data-region="84"]')
        crops = []
        for top in (0.0, float(page.evaluate(MAP_TOP))):
            shot = page.screenshot(
                full_page=True, clip={"x": 0, "y": top, "width": CROP, "height": HEIGHT}
            )
            crops.append(shot)
        pictures = "".join(
            f'<img src="data:image/png;base64,{base64.b64encode(crop).decode()}">' for crop in crops
        )
        # A page of its own: the report's policy forbids pictures.
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT * WIDTH // (2 * CROP)})
        style = "body { margin: 0 } img { width: 50%; float: left }"
        page.set_content(f"<style>{style}</style>{pictures}")
        page.screenshot(path=TARGET)
        browser.close()
    written = TARGET.stat().st_size
    assert written < LARGEST, f"{written} bytes"
    print(f"{TARGET}: {written // 1000} kB")


if __name__ == "__main__":
    main()
