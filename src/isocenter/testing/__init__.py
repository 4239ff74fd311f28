"""For tests and demos: the simulated scanner, contract suites, strategies."""
