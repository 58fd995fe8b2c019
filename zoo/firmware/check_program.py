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


def source(name: str, has_front_end: bool) -> str:
    """Source of the program; its exit code is 0 if all checks pass, and it prints their results.

    Args:
        name: of the model, a C identifier.
        has_front_end: whether to check a front end against `NAME_reference_features`.
    """
    upper = name.upper()
    return f"""/* cc -std=c99 -O2 {name}_*.c -lm -o check && ./check */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "{name}.h"
{_CRC}{_front_end(name) if has_front_end else ""}
int main(void)
{{
  int wrong = 0;
  const unsigned long crc = crc32({name}_model, {upper}_MODEL_BYTES);
  printf("model %u bytes crc32 %08lx\\n", {upper}_MODEL_BYTES, crc);
  wrong |= crc != {upper}_MODEL_CRC32;
  print_tensors("input", {name}_inputs, {upper}_INPUTS);
  print_tensors("output", {name}_outputs, {upper}_OUTPUTS);
{f"  wrong |= front_end() > {_TOLERANCE};" if has_front_end else ""}
  puts(wrong ? "WRONG" : "right");
  return wrong;
}}
"""


def _front_end(name: str) -> str:
    upper = name.upper()
    return f"""
/* Largest difference between the features of the reference input and the reference features. */
static float front_end(void)
{{
  static float samples[{upper}_WINDOW], features[{upper}_BANDS];
  float largest = 0.0f;
  for (int t = 0; t < {upper}_REFERENCE_FRAMES; t++) {{
    memmove(samples, samples + {upper}_HOP, sizeof samples - {upper}_HOP * sizeof *samples);
    memcpy(samples + {upper}_WINDOW - {upper}_HOP, {name}_reference_input + t * {upper}_HOP,
           {upper}_HOP * sizeof *samples);
    {name}_features(samples, features);
    for (int b = 0; b < {upper}_BANDS; b++) {{
      const float expected = {name}_reference_features[t * {upper}_BANDS + b];
      const float difference = fabsf(features[b] - expected);
      if (!(difference <= largest))
        largest = difference;
    }}
  }}
  printf("features of %d frames, largest difference %.3g\\n", {upper}_REFERENCE_FRAMES, largest);
  return largest;
}}
"""
