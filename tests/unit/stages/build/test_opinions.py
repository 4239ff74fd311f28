import itertools

import numpy as np
import pytest

from isocenter.model.annotation import AnnotationState
from isocenter.stages.build.opinions import Opinion, Opinions

MARKED, ABSENT, NOT, PARTIAL, FAILED = (
    AnnotationState(s) for s in ("marked", "absent", "not_annotated", "partial", "failed")
)
SOME, OTHER, NONE = (
    np.array([[[1, 0, 0, 0]]], bool),
    np.array([[[0, 0, 1, 0]]], bool),
    np.zeros((1, 1, 4), bool),
)
LEFT, RIGHT = np.array([[[1, 1, 0, 0]]], bool), np.array([[[0, 0, 1, 1]]], bool)


def joined(*said):
    out = Opinion()
    for each in said:
        out.add(*each)
    return out


CASES = {
    "marked in any is marked": ([(MARKED, SOME), (ABSENT, NONE)], MARKED, None),
    "two absences": ([(ABSENT, NONE), (ABSENT, NONE)], ABSENT, None),
    "silence says nothing": ([(NOT,), (ABSENT, NONE)], ABSENT, None),
    "two parts": ([(PARTIAL, SOME, LEFT), (PARTIAL, OTHER, RIGHT)], PARTIAL, LEFT | RIGHT),
    "a part and the whole": ([(PARTIAL, SOME, LEFT), (ABSENT, NONE)], MARKED, None),
    "a part without marks and the whole": ([(PARTIAL, NONE, LEFT), (ABSENT, NONE)], ABSENT, None),
    "one file of two failed": ([(MARKED, SOME), (FAILED,)], PARTIAL, SOME),
    "one failed, the other found nothing": ([(ABSENT, NONE), (FAILED,)], FAILED, None),
    "both failed": ([(FAILED,), (FAILED,)], FAILED, None),
    "one of three failed": ([(MARKED, SOME), (FAILED,), (MARKED, OTHER)], PARTIAL, SOME | OTHER),
    "one failed, one marked, one found nothing": ([(MARKED, SOME), (FAILED,), (ABSENT, NONE)], PARTIAL, SOME),
    "one failed, two found nothing": ([(ABSENT, NONE), (FAILED,), (ABSENT, NONE)], FAILED, None),
    "one failed, a part and the whole": ([(PARTIAL, SOME, LEFT), (FAILED,), (MARKED, OTHER)], PARTIAL, SOME | OTHER),
    "one failed, one is silent": ([(MARKED, SOME), (FAILED,), (NOT,)], PARTIAL, SOME),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_several_files_say_together(name):
    said, state, known = CASES[name]
    for order in itertools.permutations(said):
        found = joined(*order)
        assert found.state is state
        if known is None:
            assert found.known is None
        else:
            np.testing.assert_array_equal(found.known, known)


def test_how_much_was_looked_at():
    assert joined((MARKED, SOME)).looked == 1
    assert joined((PARTIAL, SOME, LEFT)).looked == 0.5
    assert joined((FAILED,)).looked == joined((NOT,)).looked == 0
    assert not joined((FAILED,)).is_vote
    assert joined((PARTIAL, SOME, LEFT)).is_vote


def test_opinions_by_label_and_rater():
    opinions = Opinions()
    opinions.of("lesion", "b").add(ABSENT, NONE)
    assert opinions.of("lesion", "b").state is ABSENT
    opinions.of("heart", "a")
    assert opinions.raters == ["a", "b"]


def test_the_opinions_of_one_rater_alone():
    opinions = Opinions()
    own = opinions.of("lesion", "a")
    opinions.of("lesion", "b")
    opinions.of("heart", "b")
    assert opinions.alone("a") == {"lesion": {"a": own}}
    assert opinions.alone("c") == {}
