"""Affines as files without slices of their own carry them: NIfTI, NRRD."""
