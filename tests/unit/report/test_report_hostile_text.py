"""Text out of headers never becomes markup: 40 payloads in every text field of every table."""

from __future__ import annotations

import dataclasses
import json
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from isocenter.report.build import build
from isocenter.report.facts import ReportFacts

PAYLOADS = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "</svg><foreignObject><iframe src=javascript:alert(1)>",
    "</title><h1>broken</h1>",
    "</style><style>*{display:none}</style>",
    "</textarea></pre></code></table></details>",
    "<!-- comment",
    "--><b>out</b>",
    "<![CDATA[<b>x</b>]]>",
    "]]><b>x</b>",
    "<?xml version='1.0'?>",
    "<!DOCTYPE html><html>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    '" onmouseover="alert(1)',
    "' onfocus='alert(1)' autofocus='",
    '"><input onfocus=alert(1) autofocus>',
    "` onload=alert(1) `",
    "x onclick=alert(1)",
    "javascript:alert(1)",
    "data:text/html;base64,PHNjcmlwdD4=",
    "url(//evil.example/x.png)",
    "expression(alert(1))",
    "{{ 7*7 }}{% for x in y %}",
    "{{ ''.__class__.__mro__ }}",
    "${7*7}#{7*7}<%= 7*7 %>",
    "&lt;script&gt;&#60;b&#62;&#x3c;",
    "$\\frac{1}{0}$ \\usepackage{x}",
    "=cmd|' /C calc'!A0",
    "+1+1\t@SUM(1)\r\n-2",
    "\x00\x01\x07\x08\x1b[2J\x1b]0;title\x07\x7f\x9b31m",
    "\u202egpj.exe\u202c\u2066x\u2069\u200f\u061c",
    "zero\u200b\u200c\u200d\ufeff\u00adwidth\U000e0041",
    "\ud800\udfff lone \ud834",
    "Z" + "\u0301" * 200,
    "\u4e2d\u6587 \u0627\u0644\u0639 \U0001f480 \u2028\u2029",
    "A" * 5000,
)
# Names that the code itself compares with: a payload there would only change the layout.
FIXED = {
    "severity",
    "verdict",
    "state",
    "plane",
    "statistics",
    "kind",
    "image",
    "mask",
    "modality",
    "normalise",
}
# Ids are ours and always encodable.
IDS = {"id", "case", "cases", "target", "stack", "subject", "file_id", "files"}


def spoiled(value, payload: str, name: str = ""):
    """The same facts with a payload behind every text."""
    if name in FIXED:
        return value
    if isinstance(value, str):
        return value + (payload.encode(errors="ignore").decode() if name in IDS else payload)
    if dataclasses.is_dataclass(value):
        fields = {f.name: spoiled(getattr(value, f.name), payload, f.name) for f in dataclasses.fields(value)}
        return dataclasses.replace(value, **fields)
    if isinstance(value, tuple):
        return tuple(spoiled(v, payload, name) for v in value)
    if isinstance(value, dict):
        return {spoiled(k, payload): spoiled(v, payload) for k, v in value.items()}
    return value


@pytest.fixture(scope="module")
def facts(facts: ReportFacts) -> ReportFacts:
    """The finished run with one chart of each kind: charts are most of the time of a page."""
    cases = tuple(
        dataclasses.replace(
            c,
            shape=(),
            spacing_mm=(),
            statistics=tuple(json.dumps({"mean": json.loads(t)["mean"]}) for t in c.statistics),
            labels=tuple(
                dataclasses.replace(s, volume_ml=s.volume_ml if s.label == "tumour" else 0.0)
                for s in c.labels
            ),
        )
        for c in facts.cases
    )
    return dataclasses.replace(facts, cases=cases)


@pytest.fixture(scope="module")
def benign(facts: ReportFacts, parse):
    return parse(build(spoil(facts, "x")))


def spoil(facts: ReportFacts, payload: str) -> ReportFacts:
    """Spoil all texts but the keys that name an attribute, a partition, a stage or a fact of run.json."""
    bad = spoiled(facts, payload)
    names = {
        f"{n}{payload}": n for n in ("age_years", "sex", "manufacturer", "model", "convolution_kernel", "kvp")
    }

    def mended(row):
        kept = tuple(dataclasses.replace(a, name=names.get(a.name, a.name)) for a in row.attributes)
        return dataclasses.replace(row, attributes=kept)

    run = {k: spoiled(v, payload) for k, v in (facts.run or {}).items()}
    done = {k: spoiled(v, payload) for k, v in facts.done.items()}
    values = tuple(dataclasses.replace(v, value=v.value + payload) for v in facts.values or ())
    splits = tuple(
        dataclasses.replace(
            s,
            about={k: spoiled(v, payload) for k, v in s.about.items() if k != "fractions"},
            rows=tuple(dataclasses.replace(r, partition=r.partition.removesuffix(payload)) for r in s.rows),
        )
        for s in bad.splits
    )
    return dataclasses.replace(
        bad,
        run=run,
        done=done,
        values=values,
        splits=splits,
        cases=tuple(map(mended, bad.cases)),
        stacks=tuple(map(mended, bad.stacks)),
    )


def drawn_text(elements: Counter) -> Counter:
    """Without the lines of text in drawings, whose number depends on where they are broken."""
    return Counter({k: n for k, n in elements.items() if k[0] != "text"})


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_a_payload_adds_no_element_and_no_attribute(facts: ReportFacts, benign, parse, payload: str):
    html = build(spoil(facts, payload))
    page = parse(html)
    assert drawn_text(page.elements) == drawn_text(benign.elements)
    assert set(page.elements) == set(benign.elements)
    assert page.ids == benign.ids
    assert not [link for link in page.links if not link.startswith(("#", "data:image/png;base64,"))]
    assert "<script" not in html.lower()
    bad = {c for c in html if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}}
    assert not bad
    assert html.encode()
    assert max(len(t) for t in page.text[page.text.index("Summary") :]) <= 4000


def test_the_payloads_arrive_on_the_page(facts: ReportFacts):
    """The test above would be empty if the texts were not shown at all."""
    html = build(spoil(facts, "<b>seen</b>"))
    assert html.count("&lt;b&gt;seen") > 100
    assert "<b>" not in html


def test_forty_payloads():
    assert len(set(PAYLOADS)) == 40


def test_template_syntax_in_data_is_not_run(facts: ReportFacts, parse):
    page = parse(build(dataclasses.replace(facts, title="{{ 7*7 }}")))
    assert "{{ 7*7 }}" in page.text


def test_paths_and_other_identifiers_stay_in_the_index(finished, facts: ReportFacts):
    html = build(facts)
    for secret in ("DOE", "/home/jane", str(finished.root), str(Path.home())):
        assert secret not in html
    assert "DOE" not in repr(facts)
