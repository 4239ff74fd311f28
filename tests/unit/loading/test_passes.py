import pickle
import warnings

import pytest

from isocenter.loading.passes import Passes, Resumed


def test_the_first_epoch_that_begins_is_gone_on_with_in_every_process():
    resumed = Resumed()
    copied = pickle.loads(pickle.dumps(resumed))
    assert (resumed.epoch, copied.epoch) == (None, None)
    resumed.begin(12)
    assert copied.epoch == 12
    copied.begin(13)
    assert (resumed.epoch, copied.epoch, pickle.loads(pickle.dumps(resumed)).epoch) == (12, 12, 12)


def test_a_second_pass_of_one_kind_is_told_once():
    passes = Passes()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for epoch, kind in ((0, "a"), (0, "b"), (1, "a"), (0, "a")):
            passes.begin(epoch, kind)
            passes.end(epoch, kind)
        passes.begin(1, "a")
        passes.begin(1, "a")  # none of them has ended
        passes.end(1, "a")
    with pytest.warns(UserWarning, match="epoch 1 is gone through again"):
        passes.begin(1, "a")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        passes.begin(1, "a")
