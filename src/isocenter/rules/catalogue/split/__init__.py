"""Whether a split keeps its promises: nobody twice, nothing missing, centres apart."""
