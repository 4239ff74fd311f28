import threading

import pytest

from isocenter.base.errors import ConfigError
from isocenter.imaging.slabs import spread


@pytest.mark.parametrize("count", [0, 1, 2, 7, 100])
@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_pieces_meet_and_make_up_the_whole(count: int, threads: int) -> None:
    done: list[tuple[int, int]] = []
    spread(lambda begin, end: done.append((begin, end)), count, threads)
    assert len(done) == max(1, min(threads, count))
    assert [n for begin, end in sorted(done) for n in range(begin, end)] == list(range(count))


def test_one_thread_is_the_callers_own() -> None:
    seen = []
    spread(lambda begin, end: seen.append(threading.get_ident()), 5, 1)
    assert seen == [threading.get_ident()]


def test_what_goes_wrong_in_a_thread_is_raised() -> None:
    def work(begin: int, end: int) -> None:
        raise ZeroDivisionError(f"{begin} {end}")

    with pytest.raises(ZeroDivisionError, match="0 5"):
        spread(work, 10, 2)


def test_no_thread_is_a_wrong_question() -> None:
    with pytest.raises(ConfigError, match="from 1"):
        spread(lambda begin, end: None, 10, 0)
