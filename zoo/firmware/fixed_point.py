"""Front end in integers: 16-bit samples to features in 1/256 dB, for chips without floats."""

import numpy as np

from zoo.firmware import fourier
from zoo.firmware.c_syntax import integer_array, short_array
from zoo.spectrogram.settings import FrontEnd

_LOG_STEPS = 32  # places of the table of logarithms; linear between them: 0.0006 dB


def is_possible(front_end: FrontEnd) -> bool:
    """Whether one in integers exists: dB of powers that 16 bits hold, fast transform, bands."""
    return (
        front_end.power == 2
        and front_end.level == "decibel"
        and _floor(front_end) >= -(2**15)
        and front_end.scale != "linear"
        and fourier.is_fast(front_end.fft_length)
    )


def _floor(front_end: FrontEnd) -> int:
    """Lowest feature, in 1/256 dB."""
    return round(256 * 10 * np.log10(front_end.floor))


def header(front_end: FrontEnd, name: str) -> str:
    """C declarations of what `source` defines.

    Args:
        front_end: of the model, see `is_possible`.
        name: of the model, a C identifier.
    """
    return f"""
/* The same features in integers: 16-bit samples to 1/256 dB, within 0.15 dB of {name}_features of
   samples / 32768 in bands up to 110 dB below the loudest. Products have 64 bits; there is no float
   and no call of a library. */
void {name}_features_q15(const short *samples, short *features);
"""


def source(front_end: FrontEnd, name: str) -> str:
    """C99 source of NAME_features_q15.

    A frame is shifted so that it fills 29 bits behind the window; each stage of the transform
    halves it.
    Shifts of negative numbers must be arithmetic, as they are on every chip with two's complement.

    Args:
        front_end: of the model, see `is_possible`.
        name: of the model, a C identifier.
    """
    half, weights = front_end.fft_length // 2, front_end.mel_weights()
    bins = [np.flatnonzero(column) for column in weights.T]
    spans = [(each[0], each[-1] - each[0] + 1) for each in bins]
    largest = weights.max(axis=0)
    scaled = [
        np.rint(weights[first : first + count, band] / largest[band] * 32767)
        for band, (first, count) in enumerate(spans)
    ]
    # log2 of what a weight of 1 stands for, in 1/65536
    offsets = np.rint(65536 * np.log2(largest / 32767))
    angle = 2 * np.pi * np.arange(half) / front_end.fft_length
    table = np.rint(65536 * np.log2(1 + np.arange(_LOG_STEPS + 1) / _LOG_STEPS))
    return "\n".join(
        [
            f'#include <stdint.h>\n\n#include "{name}.h"\n',
            "static " + integer_array("window", np.rint(2**30 * front_end.window_weights())),
            "static " + integer_array("cosine", np.rint(2**30 * np.cos(angle))),
            "static " + integer_array("sine", np.rint(2**30 * np.sin(angle))),
            "static " + short_array("band_first", [first for first, _ in spans]),
            "static " + short_array("band_count", [count for _, count in spans]),
            "static " + short_array("band_weights", np.concatenate(scaled)),
            "static " + integer_array("band_offset", offsets),
            "static " + integer_array("log_table", table),
            _transform(front_end, half),
            _LOGARITHM,
            _features(front_end, name, _floor(front_end)),
        ]
    )


def _transform(front_end: FrontEnd, half: int) -> str:
    """C functions: butterfly stages, and |X|^2 of the real signal as 64-bit integers."""
    return f"""
enum {{ HALF = {half}, STAGES = {half.bit_length() - 1}, WINDOW = {front_end.window} }};

static int32_t times(int32_t a, int32_t c, int32_t b, int32_t s) /* (a c + b s) / 2^30 */
{{
  return (int32_t)(((int64_t)a * c + (int64_t)b * s + (1 << 29)) >> 30);
}}

/* Windowed samples, the largest of the samples shifted to 15 bits; returns that shift. */
static int apply_window(const short *samples, int32_t *z)
{{
  int32_t largest = 0;
  int shift = 0;
  for (int n = 0; n < WINDOW; n++) {{
    const int32_t size = samples[n] < 0 ? -(int32_t)samples[n] : samples[n];
    largest = largest < size ? size : largest;
  }}
  for (; largest > 0 && largest < (1 << 14); largest <<= 1)
    shift++;
  for (int n = 0; n < 2 * HALF; n++) {{
    const int64_t sample = n < WINDOW ? (int64_t)samples[n] * (1 << shift) : 0;
    z[n] = n < WINDOW ? (int32_t)((sample * window[n] + 32768) >> 16) : 0;
  }}
  return shift;
}}

/* Complex transform of HALF points in place, divided by HALF. */
static void transform(int32_t *z)
{{
  for (int i = 1, j = 0; i < HALF; i++) {{ /* bits of the index in reverse order */
    int bit = HALF >> 1;
    for (; j & bit; bit >>= 1)
      j ^= bit;
    j |= bit;
    if (i < j) {{
      const int32_t re = z[2 * i], im = z[2 * i + 1];
      z[2 * i] = z[2 * j];
      z[2 * i + 1] = z[2 * j + 1];
      z[2 * j] = re;
      z[2 * j + 1] = im;
    }}
  }}
  for (int size = 2; size <= HALF; size *= 2) {{
    const int stride = 2 * HALF / size;
    for (int k = 0; k < size / 2; k++) {{
      const int32_t c = cosine[k * stride], s = sine[k * stride];
      for (int i = k; i < HALF; i += size) {{
        int32_t *a = z + 2 * i, *b = z + 2 * i + size;
        const int64_t re = times(b[0], c, b[1], s), im = times(b[1], c, b[0], -s);
        const int64_t ar = a[0], ai = a[1];
        a[0] = (int32_t)((ar + re) >> 1);
        a[1] = (int32_t)((ai + im) >> 1);
        b[0] = (int32_t)((ar - re) >> 1);
        b[1] = (int32_t)((ai - im) >> 1);
      }}
    }}
  }}
}}

static uint64_t power(int64_t re, int64_t im)
{{
  return (uint64_t)(re * re) + (uint64_t)(im * im);
}}

/* Powers of bins 0 to HALF of the real signal whose even and odd samples z was made of. */
static void powers(const int32_t *z, uint64_t *out)
{{
  out[0] = power((int64_t)z[0] + z[1], 0);
  out[HALF] = power((int64_t)z[0] - z[1], 0);
  for (int k = 1; k <= HALF / 2; k++) {{
    const int32_t *a = z + 2 * k, *b = z + 2 * (HALF - k);
    const int32_t er = (int32_t)(((int64_t)a[0] + b[0]) >> 1);
    const int32_t ei = (int32_t)(((int64_t)a[1] - b[1]) >> 1);
    const int32_t dr = (int32_t)(((int64_t)a[1] + b[1]) >> 1);
    const int32_t di = (int32_t)(((int64_t)b[0] - a[0]) >> 1);
    const int64_t tr = times(dr, cosine[k], di, sine[k]), ti = times(di, cosine[k], dr, -sine[k]);
    out[k] = power(er + tr, ei + ti);
    out[HALF - k] = power(er - tr, ei - ti);
  }}
}}
"""


_LOGARITHM = f"""
static int32_t log2_q16(uint64_t x) /* of x > 0, in 1/65536 */
{{
  int exponent = 63;
  for (; !(x >> 63); x <<= 1)
    exponent--;
  const uint32_t fraction = (uint32_t)((x >> 31) & 0xffffffffu); /* of 2^32, behind the first bit */
  const uint32_t place = fraction / (0x80000000u / {_LOG_STEPS // 2}u);
  const int64_t rest = fraction - place * (0x80000000u / {_LOG_STEPS // 2}u);
  const int32_t low = log_table[place], step = log_table[place + 1] - low;
  return exponent * 65536 + low + (int32_t)(rest * step / (0x80000000u / {_LOG_STEPS // 2}u));
}}
"""


def _features(front_end: FrontEnd, name: str, floor: int) -> str:
    return f"""
void {name}_features_q15(const short *samples, short *features)
{{
  static int32_t z[2 * HALF];
  static uint64_t spectrum[HALF + 1];
  const int shift = apply_window(samples, z);
  transform(z);
  powers(z, spectrum);
  const short *weight = band_weights;
  for (int b = 0; b < {front_end.bands}; b++) {{
    const uint64_t *bins = spectrum + band_first[b];
    uint64_t sum = 0, total = 0;
    int less = 0; /* bits by which powers are shifted, so that sums with weights of 15 have 63 */
    for (int i = 0; i < band_count[b]; i++)
      total += bins[i];
    for (; total >> less >= ((uint64_t)1 << 48);)
      less++;
    for (int i = 0; i < band_count[b]; i++)
      sum += (bins[i] >> less) * (uint64_t)*weight++;
    /* Full scale has 15 + 30 - 16 bits behind the window; each stage has halved it. */
    const int32_t scale = 65536 * (less - 2 * (29 + shift - STAGES));
    int32_t level = {floor};
    if (sum > 0) {{
      const int64_t octaves = (int64_t)log2_q16(sum) + scale + band_offset[b];
      const int32_t sound = (int32_t)(octaves * 197283 / ((int64_t)1 << 24)); /* 3.0103 dB */
      level = sound > level ? sound : level;
    }}
    features[b] = (short)(level > INT16_MAX ? INT16_MAX : level);
  }}
}}
"""
