"""The simulated scanner as a command: `python -m isocenter.testing.simulate FOLDER`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from isocenter.base.errors import IsocenterError
from isocenter.testing.simulate.scanner import KINDS, simulate


def main(arguments: list[str] | None = None) -> int:
    """Write an archive; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m isocenter.testing.simulate", description=__doc__)
    parser.add_argument("folder", type=Path, help="where to write; must be empty or absent")
    parser.add_argument("--patients", type=int, default=30, help="good patients of all centres together")
    parser.add_argument("--sites", type=int, default=3, help="number of centres")
    parser.add_argument("--seed", type=int, default=0, help="another seed is another archive")
    parser.add_argument("--matrix", type=int, default=112, help="pixels along each side of a slice")
    parser.add_argument("--slices", type=int, default=28, help="slices of a CT")
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("--no-faults", dest="faults", action="store_false", help="plant no faults")
    parser.add_argument("--no-identifiers", dest="identifiers", action="store_false", help="plant no names")
    parser.add_argument("--special-files", action="store_true", help="add a symbolic link and a pipe")
    parser.add_argument("--truth", type=Path, help="where to write the truth (default: FOLDER.truth.json)")
    given = vars(parser.parse_args(arguments))
    given["kinds"] = tuple(given["kinds"])
    try:
        truth = simulate(given.pop("folder"), **given)
    except IsocenterError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(f"{len(truth.cases)} images of {len(truth.sites)} parts, {len(truth.faults)} faults\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
