"""Power spectrum of a real signal in C: a Fourier transform with tables, in place."""

import numpy as np

from zoo.firmware.c_syntax import float_array


def is_fast(length: int) -> bool:
    """Whether there is a fast transform of this length: a power of two, 8 or more."""
    return length >= 8 and length & (length - 1) == 0


def tables(name: str, length: int) -> str:
    """C arrays of cos and sin (2 pi k / length), k < length / 2.

    Args:
        name: of the model, a C identifier.
        length: of the transform.
    """
    angle = 2 * np.pi * np.arange(length // 2) / length
    return "\n".join(
        [
            "static " + float_array(f"{name}_cos", np.cos(angle)),
            "static " + float_array(f"{name}_sin", np.sin(angle)),
        ]
    )


def function(name: str, length: int) -> str:
    """C function NAME_spectrum: in place from `length` samples to bins 0 to length / 2.

    The samples are taken as length / 2 complex numbers, even ones real, odd ones imaginary; their
    transform Z, by decimation in time, gives bin k as
    (Z[k] + conj Z[-k]) / 2 - i exp(-2 pi i k / length) (Z[k] - conj Z[-k]) / 2.

    Args:
        name: of the model, a C identifier.
        length: of the transform, see `is_fast`.
    """
    half = length // 2
    return f"""
/* |Fourier transform|^2 of {length} samples, in place: then spectrum[k] is that of bin k, up to
   k = {half}. The array has {length} + 2 numbers. */
static void {name}_spectrum(float *spectrum)
{{
  enum {{ HALF = {half} }};
  for (int i = 1, j = 0; i < HALF; i++) {{ /* bits of the index in reverse order */
    int bit = HALF >> 1;
    for (; j & bit; bit >>= 1)
      j ^= bit;
    j |= bit;
    if (i < j) {{
      const float re = spectrum[2 * i], im = spectrum[2 * i + 1];
      spectrum[2 * i] = spectrum[2 * j];
      spectrum[2 * i + 1] = spectrum[2 * j + 1];
      spectrum[2 * j] = re;
      spectrum[2 * j + 1] = im;
    }}
  }}
  for (int i = 0; i < 2 * HALF; i += 4) {{ /* sums of pairs: no products */
    const float re = spectrum[i + 2], im = spectrum[i + 3];
    spectrum[i + 2] = spectrum[i] - re;
    spectrum[i + 3] = spectrum[i + 1] - im;
    spectrum[i] += re;
    spectrum[i + 1] += im;
  }}
  for (int size = 4; size <= HALF; size *= 2) {{
    const int stride = 2 * HALF / size;
    for (int k = 0; k < size / 2; k++) {{
      const float c = {name}_cos[k * stride], s = {name}_sin[k * stride];
      for (int i = k; i < HALF; i += size) {{
        float *a = spectrum + 2 * i, *b = spectrum + 2 * i + size;
        const float re = b[0] * c + b[1] * s, im = b[1] * c - b[0] * s;
        b[0] = a[0] - re;
        b[1] = a[1] - im;
        a[0] += re;
        a[1] += im;
      }}
    }}
  }}
  const float first = spectrum[0] + spectrum[1], last = spectrum[0] - spectrum[1];
  for (int k = 1; k <= HALF / 2; k++) {{
    float *z = spectrum + 2 * k, *y = spectrum + 2 * (HALF - k);
    const float c = {name}_cos[k], s = {name}_sin[k];
    const float er = 0.5f * (z[0] + y[0]), ei = 0.5f * (z[1] - y[1]);
    const float dr = 0.5f * (z[1] + y[1]), di = 0.5f * (y[0] - z[0]);
    const float tr = dr * c + di * s, ti = di * c - dr * s;
    const float low = (er + tr) * (er + tr) + (ei + ti) * (ei + ti);
    const float high = (er - tr) * (er - tr) + (ei - ti) * (ei - ti);
    z[0] = low;
    y[0] = high;
  }}
  /* The powers stand at the even places. */
  for (int k = 1; k < HALF; k++)
    spectrum[k] = spectrum[2 * k];
  spectrum[0] = first * first;
  spectrum[HALF] = last * last;
}}
"""
