"""Occlusion: patches of the spectrogram set to the training mean, one after the other.

Occlusion sensitivity (Zeiler and Fergus 2014, section 4.2): the fall of the log-odds without a
patch is the evidence of that patch. It assumes nothing of the network behind the front end.
"""

from collections.abc import Iterator

import numpy as np

from zoo.explain.clip import BATCH_SIZE, ExplainedClip, Rectangle


def occlusion(clip: ExplainedClip, number: int, patch: tuple[int, int]) -> np.ndarray:
    """Mean fall of the log-odds over the patches on each point [nat], (time, bands).

    Args:
        clip: to explain.
        number: of the class.
        patch: rows and columns of a patch; patches overlap by half.
    """
    shape = clip.features.shape[0], clip.features.shape[1]
    patches = list(patches_of(shape, patch))
    whole = clip.score(clip.features[None], number)[0]
    total, count = np.zeros(shape), np.zeros(shape)
    for first in range(0, len(patches), BATCH_SIZE):
        batch = patches[first : first + BATCH_SIZE]
        falls = whole - clip.score(np.stack([clip.occluded(where) for where in batch]), number)
        for where, fall in zip(batch, falls, strict=True):
            total[where] += fall
            count[where] += 1
    return total / count


def sum_over_patches(points: np.ndarray, patch: tuple[int, int]) -> np.ndarray:
    """Mean, over the patches on each point, of the sum of `points` in the patch, (time, bands).

    What a method assigns to single points, in the unit of `occlusion`: both are the same where the
    log-odds are a sum over points.

    Args:
        points: evidence of each point [nat], (time, bands).
        patch: rows and columns of a patch.
    """
    total, count = np.zeros(points.shape), np.zeros(points.shape)
    for where in patches_of((points.shape[0], points.shape[1]), patch):
        total[where] += points[where].sum()
        count[where] += 1
    return total / count


def patches_of(shape: tuple[int, int], patch: tuple[int, int]) -> Iterator[Rectangle]:
    """Rectangles that overlap by half and cover everything.

    Args:
        shape: rows and columns to cover.
        patch: rows and columns of a rectangle.
    """
    starts = [
        sorted({*range(0, size - length + 1, max(1, length // 2)), size - length})
        for size, length in zip(shape, patch, strict=True)
    ]
    for row in starts[0]:
        for column in starts[1]:
            yield slice(row, row + patch[0]), slice(column, column + patch[1])
