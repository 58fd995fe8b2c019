"""C program that checks the compiled model and, of sound models, the front end."""

_CRC = """
/* CRC-32 as in zlib, bit by bit. */
static unsigned long crc32(const unsigned char *data, unsigned long size)
{
  unsigned long crc = 0xffffffffUL;
  for (unsigned long i = 0; i < size; i++) {
    crc ^= data[i];
    for (int bit = 0; bit < 8; bit++)
      crc = crc & 1 ? (crc >> 1) ^ 0xedb88320UL : crc >> 1;
  }
  return crc ^ 0xffffffffUL;
}

static void print_tensors(const char *side, const zoo_tensor *tensors, int count)
{
  for (int k = 0; k < count; k++) {
    printf("%s %s %s", side, tensors[k].name, tensors[k].type);
    for (int d = 0; d < tensors[k].rank; d++)
      printf(" %d", tensors[k].shape[d]);
    printf(" bytes %u scale %.9g zero_point %d\\n", tensors[k].bytes, tensors[k].scale,
           tensors[k].zero_point);
  }
}
"""
_TOLERANCE = "1e-3f"  # of features, in their unit, usually [dB]


_NETWORK_TOLERANCE = "1e-3f"  # of probabilities
_MAX_FRAMES = 32  # that are compared, since a transform that is not fast takes long


def source(
    name: str,
    has_front_end: bool,
    has_gain: bool = False,
    network_outputs: int = 0,
    has_trim: bool = False,
) -> str:
    """Source of the program; its exit code is 0 if all checks pass, and it prints their results.

    Args:
        name: of the model, a C identifier.
        has_front_end: whether to check a front end against `NAME_reference_features`.
        has_gain: whether to check `NAME_gain`, too.
        network_outputs: of a network in plain C, which is checked on the features of the reference;
            0: there is none.
        has_trim: whether `NAME_trim` comes before the network.
    """
    upper = name.upper()
    checks = _front_end(name, has_gain) if has_front_end else ""
    checks += _network(name, network_outputs, has_trim)
    return f"""/* cc -std=c99 -O2 {name}_*.c -lm -o check && ./check */
#include <math.h>
#include <stdio.h>

#include "{name}.h"
{_CRC}{checks}
int main(void)
{{
  int wrong = 0;
  const unsigned long crc = crc32({name}_model, {upper}_MODEL_BYTES);
  printf("model %u bytes crc32 %08lx\\n", {upper}_MODEL_BYTES, crc);
  wrong |= crc != {upper}_MODEL_CRC32;
  print_tensors("input", {name}_inputs, {upper}_INPUTS);
  print_tensors("output", {name}_outputs, {upper}_OUTPUTS);
{f"  wrong |= front_end() > {_TOLERANCE};" if has_front_end else ""}
{f"  wrong |= network() > {_NETWORK_TOLERANCE};" if network_outputs else ""}
  puts(wrong ? "WRONG" : "right");
  return wrong;
}}
"""


def _front_end(name: str, has_gain: bool) -> str:
    upper = name.upper()
    gain = "\n  const float gain = 1.0f;"
    if has_gain:
        gain = f"""
  const float gain = {name}_gain({name}_reference_input, count);
  printf("gain %.9g, expected %.9g\\n", (double)gain, (double){upper}_REFERENCE_GAIN);
  largest = fabsf(gain / {upper}_REFERENCE_GAIN - 1.0f);"""
    return f"""
/* Largest difference between the features of the reference input and the reference features. */
static float front_end(void)
{{
  static float samples[{upper}_WINDOW], features[{upper}_BANDS];
  const long count = (long)(sizeof {name}_reference_input / sizeof *{name}_reference_input);
  const int all = {upper}_REFERENCE_FRAMES, frames = all < {_MAX_FRAMES} ? all : {_MAX_FRAMES};
  float largest = 0.0f;{gain}
  for (int t = 0; t < frames; t++) {{
    for (int n = 0; n < {upper}_WINDOW; n++) {{
      const long at = (long)t * {upper}_HOP - {upper}_ZEROS_BEFORE + n;
      samples[n] = at >= 0 && at < count ? gain * {name}_reference_input[at] : 0.0f;
    }}
    {name}_features(samples, features);
    for (int b = 0; b < {upper}_BANDS; b++) {{
      const float expected = {name}_reference_features[t * {upper}_BANDS + b];
      const float difference = fabsf(features[b] - expected);
      if (!(difference <= largest))
        largest = difference;
    }}
  }}
  printf("features of %d frames, largest difference %.3g\\n", frames, (double)largest);
  return largest;
}}
"""


def _network(name: str, outputs: int, has_trim: bool) -> str:
    if not outputs:
        return ""
    upper = name.upper()
    trim = f"\n  {name}_trim(features, {upper}_REFERENCE_FRAMES);" if has_trim else ""
    return f"""
/* Largest difference between the probabilities of the network in plain C and the reference. */
static float network(void)
{{
  static float features[{upper}_REFERENCE_FRAMES * {upper}_BANDS];
  static {name}_states state;
  float probabilities[{outputs}], largest = 0.0f;
  for (long n = 0; n < (long)(sizeof features / sizeof *features); n++)
    features[n] = {name}_reference_features[n];{trim}
  {name}_network(&state, features, probabilities);
  for (int k = 0; k < {outputs}; k++) {{
    const float difference = fabsf(probabilities[k] - {name}_reference_probabilities[k]);
    if (!(difference <= largest))
      largest = difference;
  }}
  printf("probabilities, largest difference %.3g\\n", (double)largest);
  return largest;
}}
"""
