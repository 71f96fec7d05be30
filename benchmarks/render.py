"""From the results to a page: every figure with its spread, what is asked for beside what is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from aiskills.schema import Definition
from benchmarks.plot import Point, svg
from benchmarks.quality import AISKILLS

NOT_RUN: Final = Path(__file__).parent / "not_run.json"
PLOT: Final = "speed_f1.svg"
_TITLES: Final = {
    "mix": "all trades",
    "simulated": "simulated",
    "real": "the real offers (picked by queries)",
}
#: Repeated texts that cost less than this share of others of the same content are remembered.
_REMEMBERED: Final = 0.9
_HEAD: Final = """# Benchmarks

Made by `make bench` (`python -m benchmarks`), all in one go; `results.json` holds every figure.
Speeds are medians of the runs, with the smallest and largest in brackets. Runs alternate, so that a
machine that slows down slows everybody; ratios are taken run by run, then their median.

"""
Parts = Mapping[str, Mapping[str, Any]]


def write(parts: Parts, folder: Path) -> None:
    """Writes the page and, where there is something to plot, the picture.

    Args:
        parts: What `benchmarks.run` keeps in ``results.json``.
        folder: Where they go.
    """
    points = _points(parts)
    if points:
        title = "Speed and quality: F1 of demand on the labelled offers, speed on all trades"
        (folder / PLOT).write_text(svg(points, title), "utf-8")
    (folder / "RESULTS.md").write_text(page(parts, plotted=bool(points)), "utf-8")


def page(parts: Parts, *, plotted: bool) -> str:
    """The whole page as Markdown."""
    sections = [_HEAD + _machines(parts)]
    results = {name: part["result"] for name, part in parts.items()}
    if "onecore" in results:
        sections += [_one_core(results["onecore"], results.get("quality"), plotted=plotted)]
    if "endtoend" in results:
        sections += [_end_to_end(results["endtoend"])]
    for name, section in (
        ("memory", _memory),
        ("startup", _startup),
        ("repeats", _repeats),
        ("identity", _identity),
    ):
        if name in results:
            sections.append(section(results[name]))
    return "\n".join([*sections, _not_run()])


def _machines(parts: Parts) -> str:
    text = ""
    if any(part["quick"] for part in parts.values()):
        text += (
            "**A quick run, to see that everything works: inputs are tiny and the figures mean "
            "nothing.**\n\n"
        )
    lines: dict[str, list[str]] = {}
    for name, part in parts.items():
        here = part["machine"]
        when = f"{name} {here['when']} (load before {here['load']})"
        lines.setdefault(_machine(here), []).append(when)
    return text + "\n".join(f"- {line} Begun: {', '.join(w)}." for line, w in lines.items()) + "\n"


def _machine(found: Mapping[str, Any]) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in found["packages"].items())
    return (
        f"{found['processor']}, {found['cores']} cores, {found['memory_gb']} GB, "
        f"{found['system']}, Python {found['python']}; {packages}."
    )


def _one_core(found: Mapping[str, Any], quality: Mapping[str, Any] | None, *, plotted: bool) -> str:
    text = ["\n## One core, beside others\n"]
    if plotted:
        text.append(f"![speed against F1]({PLOT})\n")
    text += [
        "Same offers (of which flashtext reads half, spaCy a fifth, `re` a tenth), same terms (all "
        "forms of the lexicon), one thread, processor time. aiskills "
        "makes all its columns, attributes included; a keyword peer only lists the terms it finds "
        "and flags an offer that holds any (weak triggers apart); the text classifier only gives "
        "its two scores.\n"
    ]
    for name, one in found.items():
        text.append(
            f"- {_TITLES[name]}: {one['offers']:,} drawn at random from {one['rows']:,} "
            f"({one['composition']}; {one['distinct']:,} distinct texts), "
            f"{one['characters']:,} characters on average, {one['share_with_term']:.1%} hold a "
            "term."
        )
    text.append("")
    if quality:
        text.append(
            f"F1 of `demand` on the {quality['offers']} labelled offers drawn by stratum, with "
            "95 % bootstrap intervals by group: aiskills and the text classifier out of fold (same "
            "five folds, no employer and no near-copy on both sides, thresholds chosen inside).\n"
        )
    else:
        text.append("Without the labelled offers' texts there is no F1 here.\n")
    text += _table(_one_core_rows(found, quality))
    return "\n".join(text)


def _one_core_rows(found: Mapping[str, Any], quality: Mapping[str, Any] | None) -> list[list[str]]:
    head = ["", *(f"F1 {d}" for d in Definition)] if quality else [""]
    for name in found:
        head += [f"offers/s, {_TITLES[name]}", "share of the plain scan", "aiskills against it"]
    rows = [head]
    names = sorted(
        next(iter(found.values()))["peers"],
        key=lambda n: (n != AISKILLS, -_speed(next(iter(found.values())), n)),
    )
    for name in names:
        row = [name]
        if quality:
            row += [_f1(quality["figures"][name][d]) for d in Definition]
        for one in found.values():
            peer = one["peers"][name]
            row += [
                spread(peer["offers_per_second"], ",.0f"),
                spread(peer["to_floor"], ".3f"),
                "" if name == AISKILLS else "× " + spread(peer["aiskills_times"], ".2f"),
            ]
        rows.append(row)
    return rows


def _speed(found: Mapping[str, Any], name: str) -> float:
    return float(found["peers"][name]["offers_per_second"]["median"])


def _f1(found: Mapping[str, Any]) -> str:
    return f"{found['f1']:.3f} [{found['f1_low']:.3f}, {found['f1_high']:.3f}]"


def _end_to_end(found: Mapping[str, Any]) -> str:
    rows = [["offers", "rows", "--jobs", "seconds", "offers/s"]]
    rows += [
        [
            _TITLES[one["data"]],
            f"{one['rows']:,}",
            str(one["jobs"]),
            spread(one["seconds"], ".1f"),
            spread(one["offers_per_second"], ",.0f"),
        ]
        for one in found["runs"]
    ]
    linear, scaling = found["linear"], found["scaling"]
    text = [
        "\n## From file to file\n",
        "`aiskills classify offers.parquet -o out.parquet`, all columns, attributes included, "
        "start-up included, time on the wall. The largest mix holds more simulated offers.\n",
        *_table(rows),
        f"- Two processes on {scaling['rows']:,} offers: {spread(scaling['aiskills'], '.2f')} "
        f"times as fast as one; a plain scan of the same texts, without loading them: "
        f"{spread(scaling['plain_scan'], '.2f')}.",
        f"- With one process, start-up, reading and writing included, that is "
        f"{spread(scaling['to_scan']['1'], '.3f')} of the speed of the plain scan in the same "
        f"rounds; two processes beside two scans: {spread(scaling['to_scan']['2'], '.3f')}.",
        f"- Time grows with rows to the power of {spread(linear['exponent'], '.3f')} "
        f"({', '.join(f'{n:,}' for n in linear['sizes'])} simulated offers, --jobs 2), start-up of "
        f"{spread(linear['start_seconds'], '.1f')} s taken off; with it "
        f"{spread(linear['exponent_with_start'], '.3f')}.",
    ]
    return "\n".join([*text, ""])


def _memory(found: Mapping[str, Any]) -> str:
    if "skipped" in found:
        return f"\n## Memory\n\nNot measured: {found['skipped']}.\n"
    rows = [["rows", "peak, shared pages once (MiB)", "peak of resident sizes (MiB)", "seconds"]]
    rows += [
        [
            f"{peak['rows']:,}",
            f"{peak['pss_mb']:,.0f}",
            f"{peak['rss_mb']:,.0f}",
            f"{peak['seconds']:.0f}",
        ]
        for peak in found["peaks"]
    ]
    text = (
        f"`aiskills classify` with --jobs {found['jobs']} on simulated offers, summed over all its "
        "processes, looked at ten times a second.\n"
    )
    ratio = f"The larger input takes {found['ratio']:.3f} times the memory of the smaller one.\n"
    return "\n".join(["\n## Memory\n", text, *_table(rows), ratio])


def _startup(found: Mapping[str, Any]) -> str:
    names = {
        "python": "Python alone (`python -c pass`)",
        "import": "`import aiskills`, inside its process",
        "help": "`aiskills --help`",
        "one_offer": "one offer from a cold process (`aiskills.classify_text`)",
    }
    rows = [["cold", "seconds"]]
    rows += [[text, spread(found["seconds"][name], ".3f")] for name, text in names.items()]
    warm = [["warm `classify_text`, median call", "offers", "characters", "milliseconds"]]
    for name, text in (("without", "without any term"), ("with", "with terms")):
        offers = found["warm_offers"][name]
        warm.append(
            [
                text,
                str(offers["offers"]),
                f"{offers['characters']:,}",
                spread(found["warm_milliseconds"][name], ".2f"),
            ]
        )
    return "\n".join(["\n## Start-up\n", *_table(rows), *_table(warm)])


def _repeats(found: Mapping[str, Any]) -> str:
    costs = found["microseconds_per_offer"]
    ratio = found["repeated_to_numbered"]
    if ratio["median"] > _REMEMBERED:
        verdict = "Nothing is remembered from one offer to another."
    else:
        verdict = "**Repeated texts are cheaper: something is remembered.**"
    return (
        "\n## Repeated texts\n\n"
        f"{found['offers']:,} offers of {found['distinct']:,} distinct texts cost "
        f"{spread(costs['repeated'], '.1f')} µs an offer; the same with a number of its own behind "
        f"each text {spread(costs['numbered'], '.1f')}: a ratio of {spread(ratio, '.3f')}. As many "
        f"other texts, all new, cost {spread(costs['new'], '.1f')}; per character repeated ones "
        f"take {spread(found['repeated_to_new_per_character'], '.3f')} of that. {verdict}\n"
    )


def _identity(found: Mapping[str, Any]) -> str:
    rows = [["way", "hash of the added columns"]]
    rows += [[way, f"`{value}`"] for way, value in found["hashes"].items()]
    verdict = "All the same" if found["same"] else "**They differ**"
    files = "byte by byte" if found["same_bytes"] else "**not** byte by byte"
    return "\n".join(
        [
            "\n## The same answers\n",
            *_table(rows),
            f"{verdict}, on {found['offers']:,} offers; the files of 1, 2 and 4 processes agree "
            f"{files}.\n",
        ]
    )


def _not_run() -> str:
    rows = [["tool", "version", "what it does", "why it is not run", "what it publishes", "source"]]
    keys = ("tool", "version", "does", "reason", "publishes", "source")
    rows += [[one[key] for key in keys] for one in json.loads(NOT_RUN.read_text("utf-8"))]
    text = (
        "These do something near and could not be run here. What they publish is measured on other "
        "data and other tasks, so it is no comparison.\n"
    )
    return "\n".join(["\n## Not run\n", text, *_table(rows)])


def _points(parts: Parts) -> list[Point]:
    """What is plotted: speed on the mix, F1 of both definitions."""
    if not {"onecore", "quality"} <= set(parts) or not parts["quality"]["result"]:
        return []
    mix = parts["onecore"]["result"]["mix"]
    return [
        Point(name, _speed(mix, name), {d: float(figures[d]["f1"]) for d in Definition})
        for name, figures in parts["quality"]["result"]["figures"].items()
    ]


def spread(found: Mapping[str, Any], form: str) -> str:
    """A median with its smallest and largest, all in one format."""
    return f"{found['median']:{form}} ({found['low']:{form}}–{found['high']:{form}})"


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    head, *body = ["| " + " | ".join(row) + " |" for row in rows]
    return [head, "|---" * len(rows[0]) + "|", *body, ""]
