"""Front end of a sound model in C: tables, and a function that computes a frame of features."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from zoo.firmware import c_math, fourier
from zoo.firmware.c_syntax import float_array, float_literal, short_array
from zoo.spectrogram.settings import FrontEnd


def front_end_of(manifest: Mapping[str, Any], *, streams: bool) -> FrontEnd:
    """Front end described by a manifest.

    Args:
        manifest: of the model.
        streams: whether the model takes steps, for which the front end must be causal.

    Raises:
        ValueError: no front end, one that has a state (PCEN), or one that cannot stream.
    """
    try:
        front_end = FrontEnd(**manifest["front_end"])
    except (KeyError, TypeError) as error:
        raise ValueError(
            f"The manifest does not describe a front end: {error}. Export it again."
        ) from None
    if (streams and front_end.padding != "causal") or front_end.level == "pcen":
        raise ValueError(
            "Expected a front end without PCEN, and of a model of steps one with padding='causal'. "
            f"Received: padding={front_end.padding!r}, level={front_end.level!r}."
        )
    return front_end


def compute_features(front_end: FrontEnd, waveform: np.ndarray) -> np.ndarray:
    """Spectrogram (frames, bands) of a waveform (samples,) between zeros, in float64.

    The reference for the C function; `zoo.spectrogram.Spectrogram` computes the same in Keras.
    """
    before, after = front_end.zeros
    padded = np.pad(np.asarray(waveform, np.float64), (before, after))
    frames = np.lib.stride_tricks.sliding_window_view(padded, front_end.window)[:: front_end.hop]
    spectrum = np.abs(np.fft.rfft(frames * front_end.window_weights(), front_end.fft_length))
    bands = spectrum**front_end.power @ _weights(front_end)
    if front_end.level == "decibel":
        return 20 / front_end.power * np.log10(np.maximum(bands, front_end.floor))
    return np.log(bands + front_end.floor) if front_end.level == "log" else bands


def header(front_end: FrontEnd, name: str, inputs: np.ndarray) -> str:
    """C declarations of what `source` defines.

    Args:
        front_end: of the model.
        name: of the model, a C identifier.
        inputs: (steps, hop), samples of the reference; of a clip (1, samples), times its gain.
    """
    upper, frames = name.upper(), front_end.frames(inputs.size)
    return f"""
/* Front end: {front_end.window} samples, a Hann window, |Fourier transform|^{front_end.power} of
   {front_end.fft_length} points, {front_end.bands} bands ({front_end.scale}), {_level(front_end)}.
   The window may start anywhere in the transform: its absolute value does not depend on that. */
#define {upper}_SAMPLE_RATE_HZ {front_end.sample_rate_hz:g}
#define {upper}_WINDOW {front_end.window}
#define {upper}_HOP {front_end.hop}
#define {upper}_FFT {front_end.fft_length}
#define {upper}_BANDS {front_end.bands}
/* Frame t begins at sample t HOP - ZEROS_BEFORE; samples that are not there are zero. */
#define {upper}_ZEROS_BEFORE {front_end.zeros[0]}
extern const float {name}_window[{front_end.window}];
/* Band b is the sum of {name}_band_count[b] bins from {name}_band_first[b] on, times its weights;
   the weights of all bands follow one another. */
extern const short {name}_band_first[{front_end.bands}];
extern const short {name}_band_count[{front_end.bands}];
extern const float {name}_band_weights[];
/* One frame of features from {front_end.window} samples. {_speed(front_end)} */
void {name}_features(const float *samples, float *features);
/* Features of {name}_reference_input, times its gain where there is one. */
#define {upper}_REFERENCE_FRAMES {frames}
extern const float {name}_reference_features[{frames * front_end.bands}];
"""


def source(front_end: FrontEnd, name: str, inputs: np.ndarray) -> str:
    """C99 source: tables, function, and the features (frames, bands) of the reference.

    Args:
        front_end: of the model.
        name: of the model, a C identifier.
        inputs: as for `header`.
    """
    weights = _weights(front_end)
    bins_of_band = [np.flatnonzero(column) for column in weights.T]
    spans = [(bins[0], bins[-1] - bins[0] + 1) for bins in bins_of_band]
    band_weights = [
        weights[first : first + count, b].astype(np.float32)
        for b, (first, count) in enumerate(spans)
    ]
    features = compute_features(front_end, inputs.reshape(-1))
    upper = name.upper()
    return "\n".join(
        [
            f'#include <stdint.h>\n\n#include "{name}.h"\n',
            float_array(f"{name}_window", front_end.window_weights()),
            short_array(f"{name}_band_first", [first for first, _ in spans]),
            short_array(f"{name}_band_count", [count for _, count in spans]),
            float_array(f"{name}_band_weights", np.concatenate(band_weights)),
            float_array(f"{name}_reference_features", features),
            c_math.functions(*_math_of(front_end)),
            _transform(front_end, name),
            f"""void {name}_features(const float *samples, float *features)
{{
  static float spectrum[{upper}_FFT + 2];
  {name}_transform(samples, spectrum);
  const float *weight = {name}_band_weights;
  for (int b = 0; b < {upper}_BANDS; b++) {{
    float sum = 0.0f;
    for (int i = 0; i < {name}_band_count[b]; i++)
      sum += spectrum[{name}_band_first[b] + i] * *weight++;
    features[b] = {_level_in_c(front_end)};
  }}
}}
""",
        ]
    )


def _speed(front_end: FrontEnd) -> str:
    """Sentence on the transform: fast, or one that a chip had better replace."""
    if fourier.is_fast(front_end.fft_length):
        return "Its Fourier transform is a fast one;\n   that of your chip's library may be faster."
    return "It is slow: replace its inner\n   loops by the Fourier transform of your chip."


def _math_of(front_end: FrontEnd) -> list[str]:
    """Names of the elementary functions that the C file calls."""
    return ["log"] * (front_end.level != "linear") + ["sqrt"] * (front_end.power == 1)


def _transform(front_end: FrontEnd, name: str) -> str:
    """C function NAME_transform: windowed samples to |Fourier transform|^power."""
    upper, length = name.upper(), front_end.fft_length
    root = ""
    if front_end.power == 1:
        root = f"""
  for (int k = 0; k <= {upper}_FFT / 2; k++)
    spectrum[k] = zoo_sqrt(spectrum[k]);"""
    if fourier.is_fast(length):
        return f"""{fourier.tables(name, length)}{fourier.function(name, length)}
static void {name}_transform(const float *samples, float *spectrum)
{{
  for (int n = 0; n < {upper}_WINDOW; n++)
    spectrum[n] = samples[n] * {name}_window[n];
  for (int n = {upper}_WINDOW; n < {upper}_FFT; n++)
    spectrum[n] = 0.0f;
  {name}_spectrum(spectrum);{root}
}}
"""
    angle = 2 * np.pi * np.arange(length) / length
    return f"""static {float_array(f"{name}_cos", np.cos(angle))}
static {float_array(f"{name}_sin", np.sin(angle))}
static void {name}_transform(const float *samples, float *spectrum)
{{
  for (int k = 0; k <= {upper}_FFT / 2; k++) {{
    float re = 0.0f, im = 0.0f;
    for (int n = 0; n < {upper}_WINDOW; n++) {{
      const float x = samples[n] * {name}_window[n];
      const long place = (long)k * n % {upper}_FFT;
      re += x * {name}_cos[place];
      im -= x * {name}_sin[place];
    }}
    spectrum[k] = re * re + im * im;
  }}{root}
}}
"""


def _weights(front_end: FrontEnd) -> np.ndarray:
    """(bins, bands); on the linear scale each band is one bin."""
    if front_end.scale == "linear":
        return np.eye(front_end.fft_length // 2 + 1)[:, front_end.linear_bins]
    return front_end.mel_weights()


def _level(front_end: FrontEnd) -> str:
    if front_end.level == "decibel":
        return f"{20 / front_end.power:g} log10(max(x, {front_end.floor:g}))"
    return f"ln(x + {front_end.floor:g})" if front_end.level == "log" else "without compression"


def _level_in_c(front_end: FrontEnd) -> str:
    floor = float_literal(front_end.floor)
    if front_end.level == "decibel":
        factor = float_literal(20 / front_end.power / np.log(10))
        return f"{factor} * zoo_log(sum > {floor} ? sum : {floor})"
    return f"zoo_log(sum + {floor})" if front_end.level == "log" else "sum"
