"""Turns raw clinical imaging archives into training sets that can be trusted."""

from isocenter.base.plugins import lazy_names

__version__ = "0.1.0"

_HOMES = {
    "Annotation": "isocenter.model.annotation",
    "Case": "isocenter.model.case",
    "Grid": "isocenter.model.grid",
    "Index": "isocenter.pipeline.index",
    "Issue": "isocenter.model.issue",
    "IsocenterError": "isocenter.base.errors",
    "Reading": "isocenter.pipeline.reading",
    "Run": "isocenter.pipeline.run",
    "Split": "isocenter.model.split",
    "Store": "isocenter.stores.store",
    "Volume": "isocenter.model.volume",
    "audit": "isocenter.pipeline.audit",
    "dataset": "isocenter.loading.dataset",
    "decide": "isocenter.pipeline.review",
    "export": "isocenter.exports.export",
    "index": "isocenter.pipeline.index",
    "open": "isocenter.loading.open",
    "read": "isocenter.pipeline.read",
    "read_annotations": "isocenter.pipeline.read",
    "resample": "isocenter.imaging.resample",
    "resample_labels": "isocenter.imaging.labels",
    "resample_probabilities": "isocenter.imaging.labels",
    "review": "isocenter.pipeline.review",
    "run": "isocenter.pipeline.run",
    "split": "isocenter.pipeline.split",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605 - a list of strings, derived from one place

__getattr__ = lazy_names(__name__, _HOMES)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
