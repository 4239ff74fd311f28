"""Ways to estimate the bias field of an MR image, one file each."""
