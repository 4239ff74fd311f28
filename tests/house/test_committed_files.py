"""What is committed holds no path of a machine, no registry, no data of others, and a licence."""

import importlib.metadata
import re
import tomllib

import pytest
from packaging.requirements import Requirement

TEXT = {
    ".py",
    ".pyi",
    ".md",
    ".toml",
    ".txt",
    ".yaml",
    ".yml",
    ".json",
    ".cfg",
    ".ini",
    ".sh",
    ".html",
    ".css",
    ".j2",
    "",
}
PRIVATE = re.compile(
    r"(?<![\w.}>])/(?:root|work|opt|srv|mnt|media|var/tmp|(?:home|Users)/(?!jane\b|jane/))[\w./-]+"
    r"|--(?:extra-)?index-url|--find-links|--trusted-host|registry\s*=\s*http"
)
PERMISSIVE = re.compile(
    r"\b(?:BSD|MIT|Apache|ISC|PSF|Python Software Foundation|MPL|Mozilla|0BSD|Zlib|CC0|HPND|Unlicense|OLDAP|OpenLDAP)\b",
    re.IGNORECASE,
)
# Extras that are tested in an environment of their own, see tests/contracts/test_frameworks_apart.py.
APART = {"tensorflow", "jax"}
COPYLEFT = re.compile(r"(?<!L)\bA?GPL|GNU General Public|GNU Affero", re.IGNORECASE)


def test_no_committed_file_names_a_path_of_a_machine_or_a_registry(committed, root):
    found = []
    for path in committed:
        if path.suffix in TEXT and path.name != "test_committed_files.py":
            text = path.read_text(encoding="utf-8")
            found += [f"{path.relative_to(root)}: {m.group()}" for m in PRIVATE.finditer(text)]
    assert found == []


def test_the_search_for_paths_of_a_machine_finds_one():
    assert PRIVATE.search("see /root/project")
    assert PRIVATE.search("see /home/paul/project")
    assert not PRIVATE.search("see /home/jane/project")  # nobody: tests plant her
    assert PRIVATE.search("pip install --index-url x")
    assert not PRIVATE.search("see docs/home/page and https://example.org/home/page")


def test_no_committed_file_is_large_or_medical_data(committed, root):
    data = {
        ".dcm",
        ".nii",
        ".gz",
        ".nrrd",
        ".mha",
        ".mhd",
        ".raw",
        ".h5",
        ".hdf5",
        ".mdb",
        ".npy",
        ".npz",
        ".zip",
    }
    wrong = [p for p in committed if p.suffix.lower() in data or p.stat().st_size > 200_000]
    assert [str(p.relative_to(root)) for p in wrong] == []


def test_the_licence_is_apache_2(root):
    assert "Apache License\n                           Version 2.0" in (root / "LICENSE").read_text()
    assert _project(root)["license"] == "Apache-2.0"


def test_what_is_installed_with_the_package_has_a_permissive_licence(root):
    project = _project(root)
    left_out = {"dev", "docs"} | APART
    extras = [r for name, rs in project["optional-dependencies"].items() if name not in left_out for r in rs]
    names = _closure([*project["dependencies"], *extras])
    assert {"numpy", "pydicom", "torch", "monai"} <= names
    assert _not_permissive(names) == {}


@pytest.mark.parametrize("extra", sorted(APART))
def test_what_is_installed_apart_has_a_permissive_licence(root, extra):
    pytest.importorskip(extra, reason="scripts/proof 8 has an environment for it")
    names = _closure(_project(root)["optional-dependencies"][extra])
    assert extra in names
    assert _not_permissive(names) == {}


def test_every_dependency_is_pinned(root):
    project = _project(root)
    asked = [*project["dependencies"], *(r for rs in project["optional-dependencies"].values() for r in rs)]
    pins = (root / "constraints.txt").read_text().lower().splitlines()
    pinned = {_key(line.partition("==")[0]) for line in pins if not line.startswith("#")}
    assert {_key(Requirement(r).name) for r in asked} - pinned - {"isocenter"} == set()


def _project(root):
    return tomllib.loads((root / "pyproject.toml").read_text())["project"]


def _key(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def _closure(requirements):
    seen, pending = set(), [Requirement(r) for r in requirements]
    while pending:
        requirement = pending.pop()
        key = _key(requirement.name)
        if key in seen or key == "isocenter":
            continue
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        seen.add(key)
        pending += [Requirement(r) for r in importlib.metadata.requires(key) or []]
    return seen


def _not_permissive(names):
    """What a package that is not known to be permissive says of its licence."""
    licences = {name: _licence(name) for name in sorted(names)}
    return {n: text for n, text in licences.items() if COPYLEFT.search(text) or not PERMISSIVE.search(text)}


def _licence(name):
    """The licence as a package declares it: expression, classifiers, or the first words of its text or file."""
    facts = importlib.metadata.metadata(name)
    classifiers = [c for c in facts.get_all("Classifier") or [] if c.startswith("License ::")]
    declared = " ".join(filter(None, [facts["License-Expression"], *classifiers]))
    files = [f for f in importlib.metadata.files(name) or [] if f.name.upper().startswith("LICEN")]
    return declared or (facts["License"] or "")[:400] or (files[0].read_text()[:400] if files else "")
