"""Writes the reference pages and the typed public face; with --check, says whether committed files are up to date."""

from __future__ import annotations

import sys
from pathlib import Path

from scripts.reference.face import PATH, stub
from scripts.reference.pages import pages

ROOT = Path(__file__).parents[2]


def main(arguments: list[str]) -> int:
    """Write what is derived from the code, or compare what is committed of it."""
    face, text = ROOT / PATH, stub()
    made = pages()
    if arguments == ["--check"]:
        if face.exists() and face.read_text(encoding="utf-8") == text:
            return 0
        print(f"{PATH} is not what the code says: run scripts/gen", file=sys.stderr)
        return 1
    folder = ROOT / "docs" / "reference"
    folder.mkdir(exist_ok=True)
    for stale in set(folder.glob("*.md")) - {folder / name for name in made}:
        stale.unlink()
    for name, page in made.items():
        (folder / name).write_text(page, encoding="utf-8")
    face.write_text(text, encoding="utf-8")
    return 0


sys.exit(main(sys.argv[1:]))
