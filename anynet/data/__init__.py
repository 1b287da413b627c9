"""Data sets: finding, reading, splitting, normalizing, augmenting and loading samples and their targets."""

from anynet.data.arrays import from_arrays
from anynet.data.augmentation import Augmentation
from anynet.data.batch import Batch
from anynet.data.dataset import IMAGE_SHAPE, Batches, DataError, Dataset
from anynet.data.loader import Loader
from anynet.data.normalization import Normalization, normalization
from anynet.data.samples import Split
from anynet.data.sources import cifar10, load, synthetic
from anynet.data.splits import split
from anynet.data.transfer import DownloadError
from anynet.data.views import Views

__all__ = [
    "IMAGE_SHAPE",
    "Augmentation",
    "Batch",
    "Batches",
    "DataError",
    "Dataset",
    "DownloadError",
    "Loader",
    "Normalization",
    "Split",
    "Views",
    "cifar10",
    "from_arrays",
    "load",
    "normalization",
    "split",
    "synthetic",
]
