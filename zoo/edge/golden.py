"""Golden inputs and outputs of a saved model: arrays in golden.npz."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from zoo.manifest import verified_bytes

FILE = "golden.npz"
_MAX_BYTES = 1 << 30  # of all arrays together


def read_golden(folder: str | Path, manifest: Mapping[str, Any]) -> dict[str, npt.NDArray[Any]]:
    """The arrays of golden.npz by name, once its hash is right.

    Args:
        folder: of the saved model.
        manifest: its manifest.

    Raises:
        ValueError: in one line, if the file is missing, was changed, or holds no arrays.
    """
    content = verified_bytes(folder, manifest, FILE)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(each.file_size for each in archive.infolist())
        if size > _MAX_BYTES:
            raise ValueError(f"{size >> 20} MiB, expected at most {_MAX_BYTES >> 20}")
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except Exception as error:  # NumPy and zipfile raise whatever their parts raise
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ValueError(f"{Path(folder, FILE)}: no golden arrays ({reason}).") from None
