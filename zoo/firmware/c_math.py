"""Elementary functions in C99 without a library, for float: log, exp, tanh, logistic, sqrt.

Within 4e-7 of the value, relative for exp and sqrt. A file takes those that it uses.
"""

_BITS = """
typedef union { float value; uint32_t bits; } zoo_float;
"""
_SOURCES = {
    "log": """
/* Natural logarithm of a normal positive number: ln m = 2 artanh((m - 1) / (m + 1)). */
static float zoo_log(float x)
{
  zoo_float m;
  m.value = x;
  int exponent = (int)(m.bits >> 23) - 127;
  m.bits = (m.bits & 0x007fffffu) | 0x3f800000u;
  if (m.value > 1.41421356f) {
    m.value *= 0.5f;
    exponent++;
  }
  const float s = (m.value - 1.0f) / (m.value + 1.0f), q = s * s;
  const float series = q * (0.333333333f + q * (0.2f + q * (0.142857143f + q * 0.111111111f)));
  return (float)exponent * 0.693147181f + 2.0f * s * (1.0f + series);
}
""",
    "exp": """
/* exp x = 2^n exp r, n = round(x / ln 2); 0 below -87, where float has no normal number. */
static float zoo_exp(float x)
{
  if (x < -87.0f)
    return 0.0f;
  if (x > 88.0f)
    x = 88.0f;
  const int n = (int)(x * 1.44269504f + (x < 0.0f ? -0.5f : 0.5f));
  const float r = (x - (float)n * 0.693145752f) - (float)n * 1.42860677e-6f;
  zoo_float power;
  power.bits = (uint32_t)(n + 127) << 23;
  return power.value
         * (1.0f + r * (1.0f + r * (0.5f + r * (0.166666667f + r * (0.0416666667f
         + r * (0.00833333333f + r * 0.00138888889f))))));
}
""",
    "logistic": """
static float zoo_logistic(float x)
{
  return 1.0f / (1.0f + zoo_exp(-x));
}
""",
    "tanh": """
static float zoo_tanh(float x)
{
  const float size = x < 0.0f ? -x : x;
  if (size < 0.1f) {
    const float q = x * x;
    return x * (1.0f - q * (0.333333333f - q * (0.133333333f - q * 0.0539682540f)));
  }
  const float e = zoo_exp(-2.0f * size), t = (1.0f - e) / (1.0f + e);
  return x < 0.0f ? -t : t;
}
""",
    "sqrt": """
/* Heron's iteration from half the exponent. */
static float zoo_sqrt(float x)
{
  if (!(x > 1.17549435e-38f))
    return 0.0f;
  zoo_float root;
  root.value = x;
  root.bits = (root.bits >> 1) + 0x1fc00000u;
  for (int i = 0; i < 4; i++)
    root.value = 0.5f * (root.value + x / root.value);
  return root.value;
}
""",
}
NAMES = tuple(_SOURCES)
_NEEDS = {"logistic": ("exp",), "tanh": ("exp",)}


def functions(*names: str) -> str:
    """C source of these functions and of those that they call; `stdint.h` must be included.

    Args:
        names: of "log", "exp", "logistic", "tanh", "sqrt".
    """
    if not names:
        return ""
    needed = {*names, *(each for name in names for each in _NEEDS.get(name, ()))}
    return _BITS + "".join(source for name, source in _SOURCES.items() if name in needed)
