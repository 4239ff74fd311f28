"""Nothing in the package turns data into code, runs a shell, or talks to the network."""

import ast

import pytest

MODULES = {"pickle", "cPickle", "dill", "joblib", "cloudpickle", "marshal", "shelve", "yaml", "socket", "urllib",
           "requests", "httpx", "http", "ftplib", "smtplib", "xmlrpc", "telnetlib"}  # fmt: skip
CALLS = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "yaml.load", "torch.load",
         "np.fromstring", "tempfile.mktemp"}  # fmt: skip
KEYWORDS = {("allow_pickle", True), ("shell", True), ("weights_only", False)}


def test_nothing_unsafe_is_imported(modules):
    assert [place for m in modules for place in unsafe_imports(m.tree, m.place)] == []


def test_nothing_unsafe_is_called(modules):
    assert [place for m in modules for place in unsafe_calls(m.tree, m.place)] == []


@pytest.mark.parametrize(
    "code",
    ["import pickle", "from marshal import loads", "import os.path, shelve", "import urllib.request"],
)
def test_the_gate_closes_on_imports(code):
    assert list(unsafe_imports(ast.parse(code), str))


@pytest.mark.parametrize(
    "code",
    ["eval(x)", "exec('1')", "os.system('ls')", "torch.load(f)", "np.load(f, allow_pickle=True)",
     "subprocess.run('ls', shell=True)", "np.load(f, allow_pickle=flag)", "YAML(typ='unsafe')"],
)  # fmt: skip
def test_the_gate_closes_on_calls(code):
    assert list(unsafe_calls(ast.parse(code), str))


@pytest.mark.parametrize("code", ["re.compile('a')", "YAML(typ='safe')", "np.load(f, allow_pickle=False)"])
def test_the_gate_lets_safe_calls_through(code):
    assert not list(unsafe_calls(ast.parse(code), str))


def unsafe_imports(tree, place):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            continue
        if MODULES & {n.partition(".")[0] for n in names}:
            yield place(node)


def unsafe_calls(tree, place):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (
            ast.unparse(node.func) in CALLS or any(map(_is_unsafe, node.keywords))
        ):
            yield place(node)


def _is_unsafe(keyword):
    if keyword.arg == "typ":  # ruamel: only the safe loader makes no Python objects
        return ast.unparse(keyword.value) not in {"'safe'", "['safe']"}
    names = {name for name, _ in KEYWORDS}
    if keyword.arg not in names:
        return False
    return not isinstance(keyword.value, ast.Constant) or (keyword.arg, keyword.value.value) in KEYWORDS
