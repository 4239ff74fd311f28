"""Foreign data-set layouts, one file each."""
