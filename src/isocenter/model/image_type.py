"""Image types: the words of Image Type that say that an image is no slice of the examination itself.

The index separates a series by them, and rules judge by them: one list, so that what is set apart is what is told.
They are those of PS3.3 C.7.6.1.1.2, C.8.2.1.1.1 and C.8.3.1.1.1, and what scanners write there.
"""

from __future__ import annotations

# Within a value.
LOCALIZERS = ("LOCALIZER", "SCOUT", "SURVIEW", "TOPOGRAM", "SCANOGRAM", "SURVEY")
# Whole values.
PROJECTIONS = (
    "MIP", "MINIP", "MAX_IP", "MIN_IP", "PROJECTION IMAGE", "VRT", "SSD", "VOLUME RENDERING",
)  # fmt: skip
REFORMATS = ("MPR", "CSA MPR", "REFORMATTED", "RESAMPLED", "CPR", "CURVED")
SCREENS = ("SCREEN SAVE", "DOSE_INFO", "DOSE INFO", "DOSE REPORT")
