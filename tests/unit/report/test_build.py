"""The page: self-contained, the same every time, usable by keyboard and screen reader, told of early stops."""

from __future__ import annotations

import dataclasses
import re
import shutil
from importlib.resources import files
from pathlib import Path

import matplotlib as mpl
import pytest

from isocenter.base.workspace import Workspace
from isocenter.report.build import build, write_report
from isocenter.report.facts import ReportFacts, read_facts
from isocenter.report.section import in_order


@pytest.fixture(scope="module")
def html(facts: ReportFacts) -> str:
    return build(facts)


@pytest.fixture(scope="module")
def page(html: str, parse):
    return parse(html)


def tags(page) -> set[str]:
    return {tag for tag, _ in page.elements}


def test_the_page_runs_and_loads_nothing(page, html: str):
    assert not tags(page) & {"script", "link", "iframe", "object", "embed", "form", "base", "audio", "video"}
    assert not re.search(r"@import|javascript:|\son\w+=", html)
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in page.links)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    assert policy
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in policy[1]


def test_style_sheet_loads_nothing():
    css = (files("isocenter.report") / "page.css").read_text(encoding="utf-8")
    assert "url(" not in css
    assert "@import" not in css


def test_ids_are_unique_and_every_reference_has_its_target(page, html: str):
    assert len(page.ids) == len(set(page.ids))
    named = re.findall(r'aria-labelledby="([^"]*)"', html)
    wanted = {i for names in named for i in names.split()} | {x[1:] for x in page.links if x.startswith("#")}
    assert wanted <= set(page.ids)


def test_headings_are_in_order(page):
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    assert page.headings.count(2) == len(in_order())
    assert all(b <= a + 1 for a, b in zip(page.headings, page.headings[1:], strict=False))


def test_every_picture_has_words(page, html: str):
    assert page.images
    assert all(image["alt"] for image in page.images)
    drawings = re.findall(r"<svg[^>]*>(?:<title[^>]*>[^<]+</title><desc[^>]*>[^<]+</desc>)?", html)
    for drawing in drawings:
        assert 'aria-hidden="true"' in drawing or ('role="img"' in drawing and "<desc" in drawing)


def test_landmarks_and_tables_are_named(page, html: str):
    assert {"main", "nav", "header", "footer"} <= tags(page)
    assert '<html lang="en">' in html
    assert html.index('href="#main"') < html.index("<header")
    count = {
        name: sum(n for (t, _), n in page.elements.items() if t == name) for name in ("table", "caption")
    }
    assert count["table"] == count["caption"] > 5
    assert all("scope" in names for tag, names in page.elements if tag == "th")


def test_nothing_has_a_fixed_width(html: str):
    assert not re.search(r"<(?:svg|img|table|td|th|div)[^>]*\s(?:width|height)=", html)
    assert 'name="viewport" content="width=device-width' in html


def test_the_same_workspace_gives_the_same_bytes(finished: Workspace, html: str, facts: ReportFacts):
    again = dataclasses.replace(read_facts(finished), contract=facts.contract, windows=facts.windows)
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "lines.linewidth": 9}):
        assert build(again) == html


def test_rows_in_another_order_tell_the_same(facts: ReportFacts, html: str, parse):
    turned = dataclasses.replace(
        facts,
        **{
            n: tuple(reversed(getattr(facts, n)))
            for n in ("cases", "issues", "agreements", "previews", "outcomes", "planned")
        },
    )
    assert sorted(parse(build(turned)).text) == sorted(parse(html).text)


def test_a_workspace_of_any_early_stop_is_reported(finished: Workspace, tmp_path: Path, parse):
    stops = {
        "split": "They are not split yet",
        "build": "no cases have been built yet",
        "enrol": "What becomes of each is known once cases are enrolled",
        "screen": "The flow ends where the run ended",
        "index": "No source has been indexed",
    }
    root = tmp_path / "work"
    shutil.copytree(finished.root, root)
    for stage, said in stops.items():
        shutil.rmtree(root / stage)
        if stage == "split":
            shutil.rmtree(root / "store")
        path = write_report(Workspace(root))
        text = "".join(parse(path.read_text(encoding="utf-8")).text)
        assert said in text
    assert path == root / "report.html"


def test_an_empty_workspace_says_so(tmp_path: Path, parse):
    text = "".join(parse(write_report(Workspace(tmp_path)).read_text(encoding="utf-8")).text)
    assert "nothing is packed" in text
    assert "no run.json" in text


def test_a_closed_gate_is_said_first(facts: ReportFacts, parse):
    shut = dataclasses.replace(facts, gate="81 % of the wanted stacks were rejected; at most 50 % may be.")
    text = "".join(parse(build(shut)).text)
    assert text.index("81 % of the wanted stacks") < text.index("Every file found")


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_contrast(scheme: int):
    css = (files("isocenter.report") / "page.css").read_text(encoding="utf-8")
    colours = dict(
        re.findall(r"--([\w-]+): (#[0-9a-f]{6})", re.findall(r":root \{(.*?)\}", css, re.DOTALL)[scheme])
    )
    grounds = ("paper", "wash")
    pairs = [(c, g) for c in ("ink", "muted", "accent", "good", "warn", "bad", "none") for g in grounds]
    pairs += [("ink", g) for g in ("good-wash", "warn-wash", "bad-wash", "info-wash", "meter")]
    pairs += [("good", "good-wash"), ("warn", "warn-wash"), ("bad", "bad-wash"), ("accent", "info-wash")]
    assert {
        p: round(contrast(*(colours[c] for c in p)), 2)
        for p in pairs
        if contrast(*(colours[c] for c in p)) < 4.5
    } == {}
    graphics = [f"series-{n}" for n in range(6)] + ["bar-used", "bar-excluded"]
    assert [g for g in graphics if contrast(colours[g], colours["paper"]) < 3] == []
