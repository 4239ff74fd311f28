"""Modules and functions stay small, are named after nouns of the house, and say what they are for."""

import ast
import statistics

FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "core", "misc", "lib", "tools", "stuff"}


def test_no_module_is_longer_than_400_lines(modules):
    assert [f"{m.name}: {m.lines} lines" for m in modules if m.lines > 400] == []


def test_half_of_the_modules_have_at_most_120_lines(modules):
    assert statistics.median(m.lines for m in modules if m.path.name != "__init__.py") <= 120


def test_no_function_is_longer_than_50_lines_besides_its_docstring(modules):
    long = [(m, f) for m in modules for f in m.functions if _length(f) > 50]
    assert [f"{m.place(f)}: {f.name} has {_length(f)} lines" for m, f in long] == []


def test_no_room_or_module_is_an_attic(modules):
    assert [m.name for m in modules if FORBIDDEN_NAMES & set(m.name.split("."))] == []


def test_every_module_begins_with_one_sentence_that_says_what_it_is_for(modules):
    assert [m.name for m in modules if not _is_rule(m) and not _is_sentence(ast.get_docstring(m.tree))] == []


def test_a_rules_module_is_headed_by_its_name_and_its_function_by_the_sentence(modules):
    for module in filter(_is_rule, modules):
        family, name = module.name.split(".")[-2:]
        assert ast.get_docstring(module.tree) == f"{family}/{name}.".replace("_", "-")
        check = next(f for f in module.functions if f.name == name)
        assert _is_sentence(ast.get_docstring(check)), module.name


def test_every_name_of_a_module_is_unique_within_its_room(modules):
    """A folder and a module of the same name in one place would hide each other."""
    names = [m.name for m in modules]
    assert sorted(set(names)) == sorted(names)


def _length(function):
    lines = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    ):
        lines -= first.end_lineno - first.lineno + 1
    return lines


def _is_rule(module):
    return (
        ".rules.catalogue." in module.name
        and module.path.name != "__init__.py"
        and module.name.count(".") == 4
    )


def _is_sentence(docstring):
    first = (docstring or "").partition("\n\n")[0]
    return len(first) > 15 and first.endswith((".", ":"))
