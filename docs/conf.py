"""How the documentation is built: Sphinx, MyST Markdown, furo."""

import doctest

import isocenter

project = "Isocenter"
author = "The Isocenter developers"
copyright = "The Isocenter developers"  # noqa: A001 - Sphinx's name
version = release = isocenter.__version__

extensions = ["myst_parser", "sphinx.ext.doctest"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4
exclude_patterns = ["_build"]
nitpicky = True

html_theme = "furo"
html_title = "Isocenter"
html_show_sphinx = False
html_copy_source = False
doctest_global_setup = "import isocenter as iso"
doctest_default_flags = doctest.ELLIPSIS | doctest.DONT_ACCEPT_TRUE_FOR_1
