"""Gain of a classifier of clips in C: what `zoo.spectrogram.ReferenceLevel` multiplies by."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.firmware.c_syntax import float_literal
from zoo.manifest import verified_bytes
from zoo.registration import open_keras_content
from zoo.spectrogram import ReferenceLevel
from zoo.spectrogram.reference_level import FRAME_S, LOUD_S

KERAS_FILE = "model.keras"


@dataclass(frozen=True)
class Gain:
    """One gain for a clip, by the level that it reaches for 100 ms in all.

    Attributes:
        frame: samples of a frame.
        rank: the level is that of the frame of this rank, the loudest being 1.
        reference: RMS of that frame after the gain.
        highest: gain.
    """

    frame: int
    rank: int
    reference: float
    highest: float

    def compute(self, clip: np.ndarray) -> float:
        """Gain of a clip (samples,), in float64."""
        x = np.pad(clip.astype(np.float64), (0, -len(clip) % self.frame))
        power = np.sort(np.mean(np.square(x.reshape(-1, self.frame)), axis=1))[::-1]
        level = math.sqrt(power[min(self.rank, len(power)) - 1])
        return self.reference / max(level, self.reference / self.highest)


def layer_of(folder: Path, manifest: Mapping[str, Any], kind: type) -> Any:
    """First layer of a kind in the Keras file of a saved model; None where there is none.

    Args:
        folder: of the model.
        manifest: its manifest, with the hash of the file.
        kind: class of the layer.

    Raises:
        ValueError: a Keras file that was changed or cannot be opened.
    """
    content = verified_bytes(folder, manifest, KERAS_FILE)
    model = open_keras_content(content, folder / KERAS_FILE)
    return next((each for each in model.layers if isinstance(each, kind)), None)


def gain_of(folder: Path, manifest: Mapping[str, Any]) -> Gain | None:
    """Gain of a saved classifier; None: it takes the clip as it is.

    Args:
        folder: of the model.
        manifest: its manifest.

    Raises:
        ValueError: a Keras file that was changed or cannot be opened.
    """
    layer = layer_of(folder, manifest, ReferenceLevel)
    if layer is None:
        return None
    return Gain(
        frame=max(1, round(FRAME_S * layer.sample_rate_hz)),
        rank=math.ceil(LOUD_S / FRAME_S),
        reference=10 ** (layer.reference_db / 20),
        highest=10 ** (layer.max_gain_db / 20),
    )


def header(name: str, gain: Gain, reference: float) -> str:
    """C declaration of `source`, and the gain of the reference input.

    Args:
        name: of the model, a C identifier.
        gain: of the model.
        reference: gain of `NAME_reference_input`.
    """
    return f"""
/* Gain of a clip: multiply its samples by it before {name}_features. The RMS of its frames of
   {gain.frame} samples is taken, and the {gain.rank} loudest reach {gain.reference:g}. */
#define {name.upper()}_REFERENCE_GAIN {float_literal(reference)}
float {name}_gain(const float *samples, long count);
"""


def source(name: str, gain: Gain) -> str:
    """C99 function `NAME_gain`.

    Args:
        name: of the model, a C identifier.
        gain: of the model.
    """
    return f"""
#include <math.h>

float {name}_gain(const float *samples, long count)
{{
  double loudest[{gain.rank}] = {{0.0}}; /* mean squares, falling */
  long frames = 0;
  for (long start = 0; start < count; start += {gain.frame}, frames++) {{
    double power = 0.0;
    for (long n = start; n < start + {gain.frame} && n < count; n++)
      power += (double)samples[n] * samples[n];
    power /= {gain.frame}.0;
    for (int k = 0; k < {gain.rank}; k++) {{
      if (power > loudest[k]) {{
        const double before = loudest[k];
        loudest[k] = power;
        power = before;
      }}
    }}
  }}
  const long rank = frames < {gain.rank} ? frames : {gain.rank};
  const double level = rank > 0 ? sqrt(loudest[rank - 1]) : 0.0;
  const double lowest = {gain.reference / gain.highest!r};
  return (float)({gain.reference!r} / (level > lowest ? level : lowest));
}}
"""
