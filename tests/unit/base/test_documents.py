"""YAML is read by the letter of YAML 1.2's core schema, refused with its line, and written so that it reads back."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocenter.base.documents import MAX_BYTES, parse_yaml, read_yaml, write_yaml, yaml_text
from isocenter.base.errors import ConfigError

# The table of YAML 1.2.2, section 10.3.2, and what YAML 1.1 would have made something else of.
CORE_SCHEMA = [
    ("null", None),
    ("~", None),
    ("", None),
    ("true", True),
    ("False", False),
    ("0", 0),
    ("-19", -19),
    ("+3", 3),
    ("0o7", 7),
    ("0x3A", 58),
    ("010", 10),
    ("0.", 0.0),
    ("-0.0", -0.0),
    (".5", 0.5),
    ("+12e03", 12000.0),
    ("-2E+05", -200000.0),
    ("1e-3", 0.001),
    (".inf", math.inf),
    ("-.Inf", -math.inf),
    ("yes", "yes"),
    ("no", "no"),
    ("on", "on"),
    ("12:30:00", "12:30:00"),
    ("2001-12-14", "2001-12-14"),
    ("1_000", "1_000"),
    ("'true'", "true"),
    ('"12"', "12"),
    ("|\n  12\n", "12\n"),
]

REFUSED = [
    ("a: 1\nb: 2\na: 3\n", 3, "the key 'a' stands twice, first on line 1"),
    ("a:\n  b: 1\n  b: 2\n", 3, "the key 'b' stands twice, first on line 2"),
    ("a: &x 1\n", 1, "anchors"),
    ("a: 1\nb: *x\n", 2, "anchors (&) and aliases (*)"),
    ("a: 1\nb: !!python/object:os.system x\n", 2, "tags (!) are not allowed"),
    ("a: !!int '3'\n", 1, "tags (!) are not allowed"),
    ("a: 1\n---\nb: 2\n", 2, "a second document begins"),
    ("a: 1\n[1, 2]: 3\n", 2, "a key must be a word"),
    ("? [1]\n: 2\n", 1, "a key must be a word"),
    ("a:\n " + "[" * 70 + "]" * 70, 2, "more than 64 levels deep"),
    ("a: 1\nb: {subject}/x\n", 2, "not YAML"),
    ("a: x: y\n", 1, "not YAML"),
    ("a:\n\t- 1\n", 2, "not YAML"),
    ("\n" + "[" * 200_000, 2, "more than 64 levels deep"),
    ("a: " + "9" * 5000, 1, "more than 40 digits"),
    ("a: \x01", None, "holds characters that YAML does not allow"),
]


@pytest.mark.parametrize(("text", "value"), CORE_SCHEMA)
def test_a_plain_word_is_what_the_core_schema_says(text, value):
    found = parse_yaml(f"key: {text}").data["key"]
    assert found == value
    assert type(found) is type(value)


def test_not_a_number_is_a_number():
    assert math.isnan(parse_yaml("a: .nan").data["a"])


@pytest.mark.parametrize(("text", "line", "message"), REFUSED)
def test_what_a_config_must_not_hold_is_refused_with_its_line(text, line, message):
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, "cohort.yaml")
    [problem] = caught.value.problems
    assert message in problem.message
    assert problem.line == line
    assert caught.value.source == "cohort.yaml"


def test_a_template_without_quotes_gets_a_hint():
    with pytest.raises(ConfigError, match=r"needs quotes"):
        parse_yaml("path: {subject}/ct.nii.gz")


def test_every_key_and_item_knows_its_line():
    document = parse_yaml("a: 1\nb:\n  - c: 2\n    d: [5, 6]\n  - - 7\n    - 8\n\ne:\n  f: {g: 9}\n")
    assert document.data == {"a": 1, "b": [{"c": 2, "d": [5, 6]}, [7, 8]], "e": {"f": {"g": 9}}}
    assert document.lines == {
        ("a",): 1,
        ("b",): 2,
        ("b", 0): 3,
        ("b", 0, "c"): 3,
        ("b", 0, "d"): 4,
        ("b", 0, "d", 0): 4,
        ("b", 0, "d", 1): 4,
        ("b", 1): 5,
        ("b", 1, 0): 5,
        ("b", 1, 1): 6,
        ("e",): 8,
        ("e", "f"): 9,
        ("e", "f", "g"): 9,
    }


def test_a_key_that_is_not_there_has_the_line_of_what_it_belongs_to():
    document = parse_yaml("a: 1\nb:\n  c: 2\n")
    assert document.line_of(("b", "nope", 3)) == 2
    assert document.line_of(("nope",)) is None


def test_a_file_is_read_with_or_without_byte_order_mark(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: \xc3\xa9\n")
    assert read_yaml(path).data == {"name": "é"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: 1\nb: \xff\n", "line 2.*is not UTF-8"),
        (b"a: 1\n" + b"#" * MAX_BYTES, "larger than 1 MiB"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_is_no_config_is_refused(tmp_path, content, message):
    path = tmp_path / "a.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        read_yaml(path)


PLAIN = st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.floats(allow_nan=False)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from(
    [t for t, _ in CORE_SCHEMA]
    + ["{subject}/x", "*/a", "a: b", " a", "a ", "#a", "-", "?", "<<", "%A", "a\tb"]
)
DATA = st.recursive(
    PLAIN | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(DATA)
def test_what_is_written_reads_back_the_same(data):
    assert parse_yaml(yaml_text({"data": data})).data == {"data": data}


def test_the_order_of_keys_is_kept_and_the_bytes_are_the_same(tmp_path):
    data = {"z": [1, {"b": None, "a": True}], "a": {}}
    write_yaml(tmp_path / "1", data)
    write_yaml(tmp_path / "2", data)
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()
    assert list(read_yaml(tmp_path / "1").data) == ["z", "a"]
