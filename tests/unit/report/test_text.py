from isocenter.report.text import plain


def test_control_and_bidirectional_signs_are_left_out():
    assert plain("a\x1b[31mb\u202ec\u200bd\ud800e\U000e0041f") == "a[31mbcdef"


def test_line_ends_become_spaces():
    assert plain("a\r\nb\tc\u2028d") == "a  b c d"


def test_long_text_is_bounded():
    assert plain("x" * 1000, 20) == "x" * 19 + "…"
    assert plain("x" * 20, 20) == "x" * 20


def test_accents_do_not_pile_up():
    assert plain("e\u0301" + "\u0301" * 50) == "e\u0301\u0301"


def test_scripts_of_all_people_stay():
    for text in ("北京协和医院", "مستشفى", "Åse Ødegård", "หัวใจ", "🫀"):
        assert plain(text) == text
