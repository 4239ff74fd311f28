from isocenter.model.reasons import REASONS
from isocenter.report.advice import advice_on
from isocenter.rules.engine import CATALOGUE


def test_every_reason_and_every_rule_has_advice():
    for name in [*REASONS, *CATALOGUE.names()]:
        advice = advice_on(name)
        assert advice.meaning.endswith("."), name
        assert advice.what_to_do, name


def test_a_rule_that_is_not_installed_has_none():
    assert advice_on("other/rule").meaning == ""
    assert advice_on("").what_to_do == ""
