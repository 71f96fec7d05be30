"""Hooks of mkdocs: pages that are made from what there is, so that nothing is copied by hand.

`commands.md` comes from the commands themselves, the first pages from the READMEs, the model's page
from its card. Links to files that are no pages of the site become plain text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT: Final = Path(__file__).resolve().parents[1]
#: Page of the site -> file of the project that it is.
TAKEN: Final = {
    "index.md": "README.md",
    "accueil.md": "README.fr.md",
    "model_card.md": "models/fr/README.md",
    "changes.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
}
_LINK: Final = re.compile(r"(!?)\[([^\]]*)\]\(([^()\s]+)\)")
_FENCE: Final = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
#: Columns of the terminal for which help is printed.
_WIDTH: Final = 84


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages that are made."""
    for name, source in TAKEN.items():
        files.append(File.generated(config, name, content=(ROOT / source).read_text("utf-8")))
    files.append(File.generated(config, "commands.md", content=command_reference()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Points links where the files are in the site."""
    del config
    name = page.file.src_uri
    home = (ROOT / TAKEN[name]).parent if name in TAKEN else (ROOT / "docs" / name).parent
    pages = {(ROOT / source).resolve(): made for made, source in TAKEN.items()}
    here = Path(name).parent

    def moved(match: re.Match[str]) -> str:
        mark, text, link = match.groups()
        path, hash_, anchor = link.partition("#")
        if not path or re.match(r"[a-z]+:", link):
            return match[0]
        target = (home / path).resolve()
        in_site = pages.get(target)
        if in_site is None and target.is_relative_to(ROOT / "docs"):
            in_site = target.relative_to(ROOT / "docs").as_posix()
        if in_site is None or files.get_file_from_path(in_site) is None:
            return text
        up = "../" * len(here.parts)
        return f"{mark}[{text}]({up}{in_site}{hash_}{anchor})"

    kept = _FENCE.findall(markdown)
    parts = [_LINK.sub(moved, part) for part in _FENCE.split(markdown)]
    return "".join(part + fence for part, fence in zip(parts, [*kept, ""], strict=True))


# --- commands ----------------------------------------------------------------------------------


def command_reference() -> str:
    """What `--help` prints, of every command, as Markdown."""
    from typer.main import get_command

    from aiskills.cli import app

    lines = [
        "# Commands",
        "",
        "What `--help` prints, taken from it when this page was built.",
        "",
        *_help(),
    ]
    for name in _names(get_command(app)):
        level = "##" if len(name) == 1 else "###"
        lines += ["", f"{level} aiskills {' '.join(name)}", "", *_help(*name)]
    return "\n".join(lines) + "\n"


def _names(command: Any, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command and subcommand, in the order of the help."""
    for name, one in getattr(command, "commands", {}).items():
        yield (*before, name)
        yield from _names(one, (*before, name))


def _help(*command: str) -> tuple[str, ...]:
    from typer.testing import CliRunner

    from aiskills.cli import app

    plain = {"COLUMNS": str(_WIDTH), "NO_COLOR": "1", "TERM": "dumb"}
    shown = CliRunner().invoke(app, [*command, "--help"], prog_name="aiskills", env=plain)
    if shown.exit_code != 0 or not shown.output.strip():
        raise RuntimeError(f"aiskills {' '.join(command)} --help failed: {shown.output}")
    lines = (line.rstrip() for line in shown.output.strip("\n").splitlines())
    return ("```text", *lines, "```")
