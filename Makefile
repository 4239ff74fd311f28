# Every target is a thin call of the script of the same name.
.PHONY: setup demo test check docs bench

setup demo test check docs bench:
	@scripts/$@
