"""Silence at the ends of a clip, cut off in C: what `zoo.spectrogram.Trim` does to features."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zoo.firmware.c_syntax import float_literal
from zoo.firmware.gain import layer_of
from zoo.spectrogram import Trim


def range_of(folder: Path, manifest: Mapping[str, Any]) -> float | None:
    """Range below the loudest frame [dB] of a saved classifier; None: it does not trim.

    Args:
        folder: of the model.
        manifest: its manifest.

    Raises:
        ValueError: a Keras file that was changed or cannot be opened.
    """
    layer = layer_of(folder, manifest, Trim)
    return None if layer is None else layer.range_db


def compute(features: np.ndarray, range_db: float) -> np.ndarray:
    """Features (frames, bands) [dB] without silence at the ends, repeated to the old length."""
    loudest = features.max(axis=1)
    sound = np.flatnonzero(loudest >= loudest.max() - range_db)
    kept = features[sound[0] : sound[-1] + 1]
    return kept[np.arange(len(features)) % len(kept)]


def header(name: str) -> str:
    """C declaration of `source`.

    Args:
        name: of the model, a C identifier.
    """
    return f"""
/* Cut silence off the ends of the features of a clip, frame after frame, and repeat the rest to the
   old length: call it between {name}_features and the network. */
void {name}_trim(float *features, long frames);
"""


def source(name: str, range_db: float, bands: int) -> str:
    """C99 function `NAME_trim`, in place.

    Args:
        name: of the model, a C identifier.
        range_db: below the loudest frame [dB].
        bands: of a frame.
    """
    return f"""
static float {name}_loudest(const float *frame)
{{
  float loudest = frame[0];
  for (int b = 1; b < {bands}; b++)
    loudest = frame[b] > loudest ? frame[b] : loudest;
  return loudest;
}}

void {name}_trim(float *features, long frames)
{{
  long first = 0, last = frames - 1;
  float limit = -3.4e38f;
  for (long t = 0; t < frames; t++) {{
    const float loudest = {name}_loudest(features + t * {bands});
    limit = loudest > limit ? loudest : limit;
  }}
  limit -= {float_literal(range_db)};
  while (first < last && {name}_loudest(features + first * {bands}) < limit)
    first++;
  while (last > first && {name}_loudest(features + last * {bands}) < limit)
    last--;
  const long kept = last - first + 1;
  for (long t = 0; t < frames; t++) {{
    const float *from = features + (t < kept ? first + t : t - kept) * {bands};
    for (int b = 0; b < {bands}; b++)
      features[t * {bands} + b] = from[b];
  }}
}}
"""
