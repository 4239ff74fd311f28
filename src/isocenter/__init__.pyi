"""Written by scripts/gen: the public names and their types."""

from isocenter.base.errors import IsocenterError as IsocenterError
from isocenter.exports.export import export as export
from isocenter.imaging.labels import resample_labels as resample_labels
from isocenter.imaging.labels import resample_probabilities as resample_probabilities
from isocenter.imaging.resample import resample as resample
from isocenter.loading.dataset import dataset as dataset
from isocenter.loading.open import open as open
from isocenter.model.annotation import Annotation as Annotation
from isocenter.model.case import Case as Case
from isocenter.model.grid import Grid as Grid
from isocenter.model.issue import Issue as Issue
from isocenter.model.split import Split as Split
from isocenter.model.volume import Volume as Volume
from isocenter.pipeline.audit import audit as audit
from isocenter.pipeline.index import Index as Index
from isocenter.pipeline.index import index as index
from isocenter.pipeline.read import read as read
from isocenter.pipeline.read import read_annotations as read_annotations
from isocenter.pipeline.reading import Reading as Reading
from isocenter.pipeline.review import decide as decide
from isocenter.pipeline.review import review as review
from isocenter.pipeline.run import Run as Run
from isocenter.pipeline.run import run as run
from isocenter.pipeline.split import split as split
from isocenter.stores.store import Store as Store

__version__: str
__all__ = [
    "Annotation",
    "Case",
    "Grid",
    "Index",
    "IsocenterError",
    "Issue",
    "Reading",
    "Run",
    "Split",
    "Store",
    "Volume",
    "audit",
    "dataset",
    "decide",
    "export",
    "index",
    "open",
    "read",
    "read_annotations",
    "resample",
    "resample_labels",
    "resample_probabilities",
    "review",
    "run",
    "split",
]
