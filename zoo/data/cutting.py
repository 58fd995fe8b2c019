"""Clips of one length: cut longer ones, pad shorter ones."""

from typing import Literal

import numpy as np

Pad = Literal["repeat", "zeros"]


def require_padding(pad: str) -> None:
    """Refuse another way of padding than those of `Pad`.

    Raises:
        ValueError: it is none of them.
    """
    if pad not in ("repeat", "zeros"):
        raise ValueError(f"`pad` must be 'repeat' or 'zeros'. Received: {pad!r}.")


def cut(clip: np.ndarray, length: int, *, at: float = 0.5, pad: Pad = "repeat") -> np.ndarray:
    """Cut or pad a clip (samples, ...) to (length, ...).

    Args:
        clip: of any length.
        length: of the result.
        at: part to keep of a longer clip: 0 its start, 0.5 its centre, 1 its end.
        pad: fill a shorter clip by repeating it, or with zeros behind it.

    Returns:
        (length, ...).
    """
    surplus = len(clip) - length
    if surplus >= 0:
        start = int(at * surplus + 0.5)
        return clip[start : start + length]
    if pad == "repeat":
        return np.resize(clip, (length, *clip.shape[1:]))
    return np.pad(clip, [(0, -surplus)] + [(0, 0)] * (clip.ndim - 1))
