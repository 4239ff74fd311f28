from isocenter.base.seeds import fraction, stream

GOLDEN_STREAM = [0.64058636281, 0.989743812105]
GOLDEN_FRACTION = 0.033054674129


def test_streams_are_those_of_every_release():
    assert [round(v, 12) for v in stream(0, "split", "sub-1").random(2)] == GOLDEN_STREAM
    assert round(fraction(0, "split", "sub-1"), 12) == GOLDEN_FRACTION


def test_seed_and_purpose_each_make_another_stream():
    drawn = {
        stream(*key).random() for key in [(0, "a"), (1, "a"), (0, "b"), (0, "a", 1), (0, "a", "b"), (0, "ab")]
    }
    assert len(drawn) == 6
    assert all(0 <= fraction(n, "x") < 1 for n in range(50))
