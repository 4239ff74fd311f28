import re
import xml.etree.ElementTree as ET

import pytest

from isocenter.report.charts import Estimate, histogram, proportions, spread

GROUPS = {"site $a$ <b>": [1.0, 2.0, 2.0, 5.0], "北京" * 30: [3.0] * 3}


def draw_all() -> list[str]:
    many = {"x": [float(n % 37) for n in range(1, 400)]}
    return [
        spread("one", GROUPS, title="t", unit="mm").svg,
        spread("two", {"x": [0.001, 1.0, 5000.0]}, title="t", is_log=True).svg,
        spread("three", many, title="t", limits=(0, 40), mark=7).svg,
        spread("four", {"x": [0.0]}, title="t").svg,
        histogram("five", {"f": [3.0, 33.0], "m": [99.0]}, title="t", unit="y", step=10, noun="subject").svg,
        proportions(
            "six", [Estimate("g", "train", 0.5, 0.2, 0.8), Estimate("g", "val", 0, 0, 1)], title="t", note="n"
        ).svg,
    ]


@pytest.fixture(scope="module")
def drawn() -> list[str]:
    return [str(s) for s in draw_all()]


def test_charts_are_the_same_every_time(drawn: list[str]):
    assert [str(s) for s in draw_all()] == drawn


def test_charts_are_well_formed_and_follow_the_page(drawn: list[str]):
    for svg in drawn:
        root = ET.fromstring(svg)
        assert {"width", "height"}.isdisjoint(root.attrib)
        assert root.attrib["role"] == "img"
        assert not re.search(r"#0[0-9a-f]{5}|font-family|<style|<metadata|xmlns", svg)
        assert "var(--" in svg


def test_ids_of_charts_never_clash_and_are_all_used(drawn: list[str]):
    ids = [i for svg in drawn for i in re.findall(r'\bid="([^"]*)"', svg)]
    assert len(ids) == len(set(ids))
    for name, svg in zip(("one", "two", "three", "four", "five", "six"), drawn, strict=True):
        own = set(re.findall(r'\bid="([^"]*)"', svg))
        used = set(re.findall(r'href="#([^"]*)"|url\(#([^)]*)\)', svg))
        assert {a or b for a, b in used} <= own
        assert all(i.startswith(f"{name}-") for i in own)


def test_names_of_groups_are_text_and_nothing_else(drawn: list[str]):
    assert "site $a$ &lt;b&gt;" in drawn[0]
    assert "<b>" not in drawn[0]


def test_one_dot_per_value(drawn: list[str]):
    root = ET.fromstring(drawn[0])
    dots = [e for e in root.iter("use") if "--series-0" in e.attrib.get("style", "")]
    assert len(dots) == 7


def test_the_numbers_are_told_in_words(drawn: list[str]):
    assert "4 values from 1 to 5, median 2" in drawn[0]
    assert "g, train: 50% (20% to 80%)" in drawn[5]
