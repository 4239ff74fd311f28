"""One HTML file out of a workspace."""

from isocenter.base.plugins import lazy_names

__all__ = ["write_page", "write_report"]

# jinja2 and matplotlib are the extra `report`: without it the name raises `MissingExtra`, not the import.
__getattr__ = lazy_names(__name__, dict.fromkeys(__all__, "isocenter.report.build"))
