"""Image types of other libraries, one file each."""
