"""Whether the numbers in the voxels are what their unit says."""
