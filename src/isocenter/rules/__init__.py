"""Rules: each looks at one noun and yields issues. One rule, one file."""

from isocenter.rules.rule import Issues, Rule, rule

__all__ = ["Issues", "Rule", "rule"]
