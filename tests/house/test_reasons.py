"""Every reason is known where it is given, and given where it is known."""

import ast

from isocenter.model.reasons import REASONS

GIVERS = {"because", "FormatError"}
CATALOGUES = {f"isocenter.model.{kind}_reasons" for kind in ("reading", "stage")}


def test_every_reason_given_is_known(modules):
    given = [(m, node, reason) for m in modules for node, reason in _given(m.tree)]
    assert [f"{m.place(node)}: {reason}" for m, node, reason in given if reason not in REASONS] == []


def test_every_known_reason_is_given_somewhere(modules):
    """A literal of that text outside the catalogue itself: it may travel through a table before it is given."""
    texts = {
        node.value
        for m in modules
        if m.name not in CATALOGUES
        for node in ast.walk(m.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert sorted(set(REASONS) - texts) == []


def test_every_reason_says_what_it_means_and_what_to_do():
    assert [
        k for k, r in REASONS.items() if not (r.meaning.endswith(".") and r.what_to_do.endswith("."))
    ] == []


def _given(tree):
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = ast.unparse(node.func).rpartition(".")[2]
        first = node.args[0]
        if name in GIVERS and isinstance(first, ast.Constant):
            yield node, first.value
