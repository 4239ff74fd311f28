"""What the documents show is true: configs are valid, commands exist, Python compiles, links lead somewhere."""

import ast
import csv
import dataclasses
import re
import shlex

import pytest
import typer

import isocenter

FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^\1```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)[^)]*\)")
BASE = """
task: segmentation
sources: [{path: archive}]
channels: {ct: {modality: CT}}
labels: {tumour: {value: 1}}
annotations: [{kind: objects}]
"""


@pytest.fixture(scope="module")
def documents(root):
    """Markdown files by name, generated pages left out."""
    paths = [
        *root.glob("*.md"),
        *(
            p
            for f in ("tutorial", "how-to", "explanation", "design")
            for p in (root / "docs" / f).glob("*.md")
        ),
    ]
    return {p: p.read_text(encoding="utf-8") for p in sorted(paths)}


def test_every_config_shown_is_valid(documents, tmp_path):
    from isocenter.augment.policy import Policy, policy_of
    from isocenter.base.documents import Document, parse_yaml
    from isocenter.base.errors import ConfigError
    from isocenter.pipeline import config

    of_policies = {f.name for f in dataclasses.fields(Policy)}
    wrong, shown = [], 0
    for path, text in documents.items():
        base = parse_yaml(BASE, "base").data
        for block in _blocks(text, "yaml"):
            data = parse_yaml(block, path.name).data
            if data.keys() <= of_policies:
                policy_of(data)
                continue
            base = data if "task" in data else {**base, **data}
            folder = tmp_path / str(shown)
            _furnish(folder, base)
            shown += 1
            try:
                config.check(Document(base, source=path.name), folder, environment={})
            except ConfigError as error:
                wrong.append(f"{error}\n{block}")
    assert wrong == []
    assert shown > 10


def test_every_command_shown_exists(documents, root):

    from scripts.reference.commands import commands

    known = dict(commands())
    targets = set(re.search(r"^\.PHONY: (.*)", (root / "Makefile").read_text(), re.MULTILINE)[1].split())
    wrong, shown = [], 0
    for path, text in documents.items():
        for line in re.findall(r"^ *\$ (.*?)(?:\s+#.*)?$", "\n".join(_blocks(text, "console")), re.MULTILINE):
            words = shlex.split(line)
            shown += 1
            if words[0] == "isocenter":
                wrong += [f"{path.name}: {line}: {p}" for p in _problems(known, words)]
            elif words[0] == "make":
                wrong += [f"{path.name}: {line}" for w in words[1:] if "=" not in w and w not in targets]
            elif words[0].startswith("scripts/") and not (root / words[0]).exists():
                wrong.append(f"{path.name}: {line}")
    assert wrong == []
    assert shown > 10


def test_a_command_that_does_not_exist_is_noticed():
    from scripts.reference.commands import commands

    known = dict(commands())
    assert _problems(known, ["isocenter", "runn", "x.yaml"])
    assert _problems(known, ["isocenter", "run", "x.yaml", "--no-such-flag"])
    assert not _problems(known, ["isocenter", "run", "x.yaml"])


def test_every_python_shown_compiles_and_uses_public_names(documents):
    wrong = []
    for path, text in documents.items():
        for block in _blocks(text, "python"):
            for node in ast.walk(ast.parse(block)):
                is_ours = isinstance(node, ast.Attribute) and ast.unparse(node.value) == "iso"
                if is_ours and node.attr not in isocenter.__all__:
                    wrong.append(f"{path.name}: iso.{node.attr}")
    assert wrong == []


def test_every_reason_and_rule_named_in_a_document_exists(documents):
    from isocenter.model.reasons import REASONS
    from isocenter.rules.engine import CATALOGUE

    known = {*REASONS, *CATALOGUE.names()}
    families = {n.partition("/")[0] for n in known}
    wrong = []
    for path, text in documents.items():
        for family, name in re.findall(r"`([a-z]+)/([a-z]+(?:-[a-z]+)+)`", text):
            if family in families and f"{family}/{name}" not in known:
                wrong.append(f"{path.name}: {family}/{name}")
    assert wrong == []


def test_every_link_between_documents_leads_somewhere(documents, root):
    wrong = []
    for path, text in documents.items():
        for target in LINK.findall(text):
            place = (path.parent / target).resolve()
            is_made = place.is_relative_to(root / "docs" / "reference")
            if "://" not in target and not is_made and not place.exists():
                wrong.append(f"{path.name}: {target}")
    assert wrong == []


def test_both_readmes_have_the_same_parts(documents, root):
    """The same number of sections, and the same examples, comments aside."""
    english, chinese = documents[root / "README.md"], documents[root / "README.zh-CN.md"]
    assert len(re.findall("^## ", english, re.MULTILINE)) == len(re.findall("^## ", chinese, re.MULTILINE))
    for language in ("console", "yaml", "python"):
        assert _bare(_blocks(english, language)) == _bare(_blocks(chinese, language))


def _blocks(text, language):
    found = []
    for indent, name, body in FENCE.findall(text):
        if name == language:
            found.append("\n".join(line.removeprefix(indent) for line in body.splitlines()) + "\n")
    return found


def _bare(blocks):
    return [re.sub(r" *#.*", "", block) for block in blocks]


def _furnish(folder, data):
    """Make the folders, tables and keys that a config names, as empty as they may be."""
    folder.mkdir()
    for source in data["sources"]:
        (folder / source["path"]).mkdir(parents=True, exist_ok=True)
        subject = source.get("subject", {})
        if "table" in subject:
            _write_table(
                folder / subject["table"], [subject.get("key", "id"), subject.get("column", "subject")]
            )
    for annotation in data.get("annotations", []):
        if annotation["kind"] == "table":
            _write_table(folder / annotation["path"], list(annotation["columns"].values()))
    if "key" in data:
        (folder / data["key"]).resolve().parent.mkdir(parents=True, exist_ok=True)
        (folder / data["key"]).write_text("00" * 32)


def _write_table(path, columns):
    with path.open("w", newline="") as file:
        csv.writer(file).writerow(dict.fromkeys(columns))


def _problems(known, words):
    """What the command says about its flags and arguments, without being run."""
    name = max((n for n in known if f"{' '.join(words)} ".startswith(f"{n} ")), key=len, default=None)
    if name is None:
        return ["no such command"]
    try:
        known[name].make_context(name, words[len(name.split()) :])
    except typer.BadParameter.__base__ as error:  # any wrong usage
        return [error.format_message()]
    return []
