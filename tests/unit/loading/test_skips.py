import pickle

from isocenter.loading.skips import Skip, Skips


def skip(index, case="a", epoch=0):
    return Skip(epoch=epoch, index=index, case=case, reason="a line\nanother")


def test_what_every_copy_notes_is_noted_once_and_in_order():
    skips = Skips(2)
    copy = pickle.loads(pickle.dumps(skips))
    assert copy.most == 2
    assert copy.add(skip(5))
    assert skips.add(skip(3))
    assert copy.add(skip(5))
    assert skips.all() == copy.all() == (skip(3), skip(5))


def test_cases_are_counted_not_samples():
    skips = Skips(2)
    assert all(skips.add(skip(n, epoch=e)) for n in range(5) for e in range(3))
    assert skips.add(skip(9, "b"))
    assert not skips.add(skip(10, "c"))
