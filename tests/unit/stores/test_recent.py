from isocenter.stores.recent import Recent


def test_what_was_not_used_for_longest_goes_first():
    held = Recent(10)
    held.put("a", 1, 4)
    held.put("b", 2, 4)
    assert held.get("a") == 1
    held.put("c", 3, 4)
    assert (held.get("a"), held.get("b"), held.get("c")) == (1, None, 3)


def test_a_new_value_takes_the_place_of_the_old_and_the_newest_is_always_held():
    held = Recent(10)
    held.put("a", 1, 9)
    held.put("a", 2, 3)
    held.put("b", 3, 7)
    assert (held.get("a"), held.get("b")) == (2, 3)
    held.put("c", 4, 99)
    assert (held.get("a"), held.get("b"), held.get("c")) == (None, None, 4)
