"""Everything that a user can name is on a reference page; what is looked for is read off the files, not the pages."""

import ast
import dataclasses
import re

from isocenter.model.reasons import REASONS
from isocenter.pipeline.config_cohort import CohortConfig


def test_every_rule_is_documented(root, reference):
    folder = root / "src/isocenter/rules/catalogue"
    names = {f"{p.parent.name}/{p.stem}".replace("_", "-") for p in folder.glob("*/[!_]*.py")}
    assert len(names) >= 15
    assert {n for n in names if f"\n### {n}\n" not in reference["rules.md"]} == set()


def test_every_option_of_a_rule_is_documented(modules, reference):
    missing = []
    for module in modules:
        if ".rules.catalogue." in module.name:
            options = [a.arg for f in module.functions for a in f.args.kwonlyargs if f.decorator_list]
            missing += [f"{module.name}: {o}" for o in options if f"| `{o}` |" not in reference["rules.md"]]
    assert missing == []


def test_every_rule_says_why_and_what_to_do(reference):
    sections = re.split(r"\n### ", reference["rules.md"])[1:]
    headings = ("**Why it matters**", "**What to do**", "**Examples**")
    assert [s.partition("\n")[0] for s in sections if not all(h in s for h in headings)] == []


def test_every_command_is_documented(root, reference):
    names = {p.stem.replace("_", "-") for p in (root / "src/isocenter/cli/commands").glob("[!_]*.py")}
    assert {n for n in names if f"\n## isocenter {n}" not in reference["commands.md"]} == set()


def test_every_flag_says_what_it_means(reference):
    lines = [line for page in ("commands.md", "config.md") for line in reference[page].splitlines()]
    rows = [
        [c.strip() for c in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines if line.startswith("| `")
    ]
    assert len(rows) > 50
    assert [row[0] for row in rows if not any(len(c.split()) > 1 for c in row[1:])] == []


def test_every_key_of_the_config_is_documented(reference):
    assert {k for k in _keys(CohortConfig) if f"| `{k}` |" not in reference["config.md"]} == set()


def test_every_error_is_documented(modules, reference):
    tree = next(m.tree for m in modules if m.name == "isocenter.base.errors")
    names = {n.name for n in tree.body if isinstance(n, ast.ClassDef) and n.name != "ConfigProblem"}
    assert {n for n in names if f"\n## {n}\n" not in reference["errors.md"]} == set()


def test_every_error_of_ours_is_in_the_one_tree(modules):
    """An exception class anywhere else would not be the caller's to mend, nor known to the command line."""
    stray = [
        f"{m.name}: {node.name}"
        for m in modules
        if m.name != "isocenter.base.errors"
        for node in ast.walk(m.tree)
        if isinstance(node, ast.ClassDef)
        and not node.name.startswith("_")
        and any(ast.unparse(b).endswith(("Error", "Exception", "Warning")) for b in node.bases)
    ]
    assert stray == []


def test_every_reason_is_documented(reference):
    assert {n for n in REASONS if f"| `{n}` |" not in reference["reasons.md"]} == set()


def test_every_plugin_is_documented_in_one_sentence(reference):
    rows = re.findall(r"^\| `([\w/-]+)` \| (.*) \|$", reference["plugins.md"], re.MULTILINE)
    assert {"hdf5", "serial", "dicom", "majority"} <= {name for name, _ in rows}
    assert [name for name, what in rows if not what.endswith((".", ":"))] == []


def test_every_public_name_is_documented(reference):
    import isocenter

    assert [n for n in isocenter.__all__ if f"\n## {n}\n" not in reference["python.md"]] == []


def _keys(owner):
    import typing

    hints = typing.get_type_hints(owner)
    for field in dataclasses.fields(owner):
        yield field.name
        pending = [hints[field.name]]
        while pending:
            hint = pending.pop()
            if isinstance(hint, type) and dataclasses.is_dataclass(hint):
                yield from _keys(hint)
            pending += typing.get_args(hint)
