"""The whole hearing aid as one C99 library: front end, network, decision; `init`, `hop`, `program`.

`hop_of_features`, a fourth function, takes features from a front end of the chip instead of
samples.

`zoo.edge.StreamClassifier` does the same at the rate of the model; differences are listed in the
header that is written.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zoo.edge.condition import FULL_SCALE, MIN_CLIPPED_RUN, SILENT_DBFS
from zoo.edge.decision import MIN_PROBABILITY, Decision, DecisionSettings
from zoo.edge.labels import LabelRule
from zoo.edge.offset import OffsetFilter
from zoo.edge.stream import MAX_SPOILT
from zoo.firmware import c_math
from zoo.firmware.c_syntax import float_array, float_literal, string_literal
from zoo.firmware.plain_network import PlainNetwork
from zoo.spectrogram.settings import FrontEnd

NO_LIMIT_HOPS = 1 << 30


def header(name: str, front_end: FrontEnd, classes: Sequence[str], network: PlainNetwork) -> str:
    """Header of the library.

    Args:
        name: of the model, a C identifier.
        front_end: of the model.
        classes: their names.
        network: in C.
    """
    upper = name.upper()
    numbers = "\n".join(f"   {k}: {text}" for k, text in enumerate(map(_plain, classes)))
    return f"""/* The whole of {name}: front end, network and decision. Call {name}_init once,
   {name}_hop for every {front_end.hop} samples at {front_end.sample_rate_hz:g} Hz, and ask
   {name}_program when you need to know. C99; needs no library and allocates no memory. One
   instance at a time: the working memory of front end and network is shared. Classes:
{numbers} */
#ifndef ZOO_{upper}_HEARING_AID_H
#define ZOO_{upper}_HEARING_AID_H

#include "{name}.h"

#ifdef __cplusplus
extern "C" {{
#endif

{network.declarations}
#define {upper}_CLASSES {len(classes)}
extern const char *const {name}_classes[{upper}_CLASSES];

typedef enum {{
  {upper}_SOUND,
  {upper}_SILENT,    /* digital silence, or one value that never changes */
  {upper}_CLIPPED,   /* three samples in a row at full scale, or one beyond it */
  {upper}_GAP,       /* samples were lost before this hop: the caller said so */
  {upper}_NOT_FINITE /* NaN or infinity */
}} {name}_condition;

typedef struct {{
  {name}_states network;
  float samples[{upper}_WINDOW]; /* the last ones, without offset */
  float last_in, last_out;       /* of the high-pass that removes the offset */
  float last_good;
  int full_scale_run;
  int has_offset, has_sound, is_interrupted;
  float posterior[{upper}_CLASSES];
  float probabilities[{upper}_CLASSES]; /* of the last hop that was classified */
  float power;                          /* mean square of that hop, without offset */
  int present;
  int held_hops;
}} {name}_state;

/* As before the first sound. */
void {name}_init({name}_state *state);

/* Take one hop of {front_end.hop} samples in [-1, 1]; `is_gap`: samples were lost before it. Only a
   hop of {upper}_SOUND is classified; the program stays as it was otherwise.
   Unlike the runtime in Python, it takes one channel, and a run at full scale that begins with the
   last one or two samples of a hop spoils the next hop only. */
{name}_condition {name}_hop({name}_state *state, const float *samples, int is_gap);

/* For a chip whose own front end computes the features: a hop as {upper}_BANDS levels, as
   {name}_features gives them, and the mean square of its samples without offset. Leave out hops
   that are spoilt. Use either this or {name}_hop on a state. */
void {name}_hop_of_features({name}_state *state, const float *features, float power);

/* Class of the present program, or -1: none. */
int {name}_program(const {name}_state *state);

#ifdef __cplusplus
}}
#endif

#endif
"""


def source(name: str, front_end: FrontEnd, settings: DecisionSettings, rule: LabelRule) -> str:
    """C source of the library: `init`, `hop`, `hop_of_features` and `program`.

    Args:
        name: of the model, a C identifier.
        front_end: of the model.
        settings: of its decision.
        rule: of single hops.

    Raises:
        ValueError: settings of a class that the rule does not have, or an operating point.
    """
    classes = rule.classes
    if rule.positive is not None:
        raise ValueError("Expected a model without an operating point for plain C.")
    decision = Decision(settings, classes)
    hop_s = front_end.hop / front_end.sample_rate_hz
    names = ", ".join(string_literal(each) for each in classes)
    fade = np.cos(np.pi / 2 * (np.arange(front_end.hop) + 0.5) / front_end.hop)
    return "\n".join(
        [
            f'#include <stdint.h>\n\n#include "{name}_hearing_aid.h"\n',
            f"const char *const {name}_classes[] = {{{names}}};\n",
            "static " + float_array("fade", fade),
            _thresholds(decision, hop_s),
            c_math.functions("log", "exp") if settings.method == "hmm" else "",
            _inspect(name),
            _offset(name, OffsetFilter(front_end.sample_rate_hz).pole),
            _step(name),
            _abstain(name, rule),
            _levels(name, settings, classes),
            _track(name, settings, hop_s),
            _choose(name, settings, hop_s),
            _interface(name),
        ]
    )


def decision_of(manifest: Mapping[str, Any]) -> DecisionSettings:
    """Settings of the decision of a manifest.

    Raises:
        ValueError: entries that cannot be read.
    """
    return DecisionSettings.from_dict(manifest.get("decision") or {})


def _plain(name: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in name)


def _hops(seconds: float, hop_s: float) -> int:
    """Hops until their durations, added up one by one, reach a time."""
    held, hops = 0.0, 0
    while held < seconds:
        held, hops = held + hop_s, hops + 1
    return hops


def _thresholds(decision: Decision, hop_s: float) -> str:
    dwell = [_hops(float(seconds), hop_s) for seconds in decision.dwell_s.ravel()]
    numbers = ", ".join(map(str, dwell))
    return "\n".join(
        [
            "static " + float_array("enter", decision.enter),
            "static " + float_array("leave", decision.leave),
            "/* Shortest time of a program before each other one [hops], by both. */",
            f"static const int dwell[] = {{{numbers}}};\n",
            "static " + float_array("offsets", decision.offsets)
            if decision.settings.method == "hmm"
            else "",
        ]
    )


def _inspect(name: str) -> str:
    upper = name.upper()
    return f"""
/* Condition of a hop; `sound` gets the last good value in place of spoilt samples, whose number is
   returned in `spoilt`. */
static {name}_condition inspect({name}_state *state, const float *samples, float *sound,
                                int *spoilt)
{{
  {name}_condition condition = {upper}_SOUND;
  float mean = 0.0f, power = 0.0f;
  unsigned char bad[{upper}_HOP];
  int run = state->full_scale_run;
  *spoilt = 0;
  for (int i = 0; i < {upper}_HOP; i++) {{
    const float size = samples[i] < 0.0f ? -samples[i] : samples[i];
    const int is_finite = size <= 3.40282347e+38f;
    run = size >= {float_literal(FULL_SCALE)} ? run + 1 : 0;
    bad[i] = !is_finite || size > 1.0f;
    if (run >= {MIN_CLIPPED_RUN})
      for (int k = 0; k < {MIN_CLIPPED_RUN} && k <= i; k++)
        bad[i - k] = 1;
    if (!is_finite)
      condition = {upper}_NOT_FINITE;
    else if (condition == {upper}_SOUND && bad[i])
      condition = {upper}_CLIPPED;
  }}
  state->full_scale_run = run;
  for (int i = 0; i < {upper}_HOP; i++) {{
    *spoilt += bad[i];
    if (!bad[i])
      state->last_good = samples[i];
    sound[i] = state->last_good;
    mean += sound[i];
  }}
  mean /= (float){upper}_HOP;
  for (int i = 0; i < {upper}_HOP; i++)
    power += (sound[i] - mean) * (sound[i] - mean);
  if (condition == {upper}_SOUND
      && power < {float_literal(10 ** (SILENT_DBFS / 10))} * (float){upper}_HOP)
    condition = {upper}_SILENT;
  return condition;
}}
"""


def _offset(name: str, pole: float) -> str:
    upper = name.upper()
    return f"""
/* High-pass y[n] = x[n] - x[n-1] + r y[n-1], in place; before the first hop lies its mean. */
static void remove_offset({name}_state *state, float *sound)
{{
  if (!state->has_offset) {{
    float mean = 0.0f;
    for (int i = 0; i < {upper}_HOP; i++)
      mean += sound[i];
    state->last_in = mean / (float){upper}_HOP;
    state->has_offset = 1;
  }}
  for (int i = 0; i < {upper}_HOP; i++) {{
    state->last_out = sound[i] - state->last_in + {float_literal(pole)} * state->last_out;
    state->last_in = sound[i];
    sound[i] = state->last_out;
  }}
}}
"""


def _step(name: str) -> str:
    upper = name.upper()
    return f"""
static void step_once({name}_state *state, const float *sound)
{{
  float features[{upper}_BANDS];
  for (int i = {upper}_HOP; i < {upper}_WINDOW; i++)
    state->samples[i - {upper}_HOP] = state->samples[i];
  for (int i = 0; i < {upper}_HOP; i++)
    state->samples[{upper}_WINDOW - {upper}_HOP + i] = sound[i];
  {name}_features(state->samples, features);
  {name}_network(&state->network, features, state->probabilities);
}}

/* One step of the network; after hops that were left out, one over a bridge comes first: the hop
   before them backwards, faded into this one backwards. */
static void step({name}_state *state, const float *sound)
{{
  if (state->is_interrupted && state->has_sound) {{
    float bridge[{upper}_HOP];
    const float *before = state->samples + {upper}_WINDOW - {upper}_HOP;
    for (int i = 0; i < {upper}_HOP; i++) {{
      const int back = {upper}_HOP - 1 - i;
      bridge[i] = before[back] * fade[i] + sound[back] * fade[back];
    }}
    step_once(state, bridge);
  }}
  state->is_interrupted = 0;
  state->has_sound = 1;
  step_once(state, sound);
}}
"""


def _abstain(name: str, rule: LabelRule) -> str:
    """C function that gives all classes equal shares where the rule abstains."""
    upper = name.upper()
    if rule.abstain_below is None:
        return "\nstatic void abstain(float *p)\n{\n  (void)p;\n}\n"
    return f"""
/* Equal shares where no class is likely enough. */
static void abstain(float *p)
{{
  for (int k = 0; k < {upper}_CLASSES; k++)
    if (p[k] >= {float_literal(rule.abstain_below)})
      return;
  for (int k = 0; k < {upper}_CLASSES; k++)
    p[k] = 1.0f / (float){upper}_CLASSES;
}}
"""


def _levels(name: str, settings: DecisionSettings, classes: Sequence[str]) -> str:
    """C function that applies the level rules to probabilities."""
    upper, rules = name.upper(), []
    for rule in settings.levels:
        place = list(classes).index(rule.name)
        steps = []
        if rule.certain_below is not None:
            steps.append(
                f"""if (power < {_power(rule.certain_below)}) {{
    for (int k = 0; k < {upper}_CLASSES; k++)
      p[k] = k == {place};
  }}"""
            )
        if rule.impossible_above is not None:
            steps.append(
                f"""if (power > {_power(rule.impossible_above)}) {{
    float others = 0.0f;
    p[{place}] = 0.0f;
    for (int k = 0; k < {upper}_CLASSES; k++)
      others += p[k];
    for (int k = 0; k < {upper}_CLASSES; k++)
      p[k] = others > 0.0f ? p[k] / others
                           : k == {place} ? 0.0f : {float_literal(1 / max(1, len(classes) - 1))};
  }}"""
            )
        rules.append("  " + " else ".join(steps) if steps else "")
    body = "\n".join(rules) or "  (void)p;\n  (void)power;"
    return f"""
/* The level as evidence; `power`: mean square of the hop. */
static void apply_levels(float *p, float power)
{{
{body}
}}
"""


def _power(level_dbfs: float) -> str:
    return float_literal(10 ** (level_dbfs / 10))


def _track(name: str, settings: DecisionSettings, hop_s: float) -> str:
    upper = name.upper()
    if settings.method == "average":
        share = float_literal(-math.expm1(-hop_s / settings.time_constant_s))
        return f"""
/* First-order filter of the probabilities. */
static void track({name}_state *state, const float *p)
{{
  for (int k = 0; k < {upper}_CLASSES; k++)
    state->posterior[k] += {share} * (p[k] - state->posterior[k]);
}}
"""
    change = -math.expm1(-hop_s * settings.changes_per_min / 60)
    return f"""
/* Forward filter of a hidden Markov model. */
static void track({name}_state *state, const float *p)
{{
  float sum = 0.0f, highest = -3.4e38f, log_posterior[{upper}_CLASSES];
  for (int k = 0; k < {upper}_CLASSES; k++) {{
    const float before = state->posterior[k];
    const float others = (1.0f - before) / (float)({upper}_CLASSES > 1 ? {upper}_CLASSES - 1 : 1);
    const float prior = before + {float_literal(change)} * (others - before);
    const float likelihood = p[k] > {float_literal(MIN_PROBABILITY)} ? p[k] : {
        float_literal(MIN_PROBABILITY)
    };
    log_posterior[k] = zoo_log(prior) + {float_literal(settings.weight_per_s * hop_s)}
                       * (zoo_log(likelihood) + offsets[k]);
    highest = log_posterior[k] > highest ? log_posterior[k] : highest;
  }}
  for (int k = 0; k < {upper}_CLASSES; k++)
    sum += state->posterior[k] = zoo_exp(log_posterior[k] - highest);
  for (int k = 0; k < {upper}_CLASSES; k++)
    state->posterior[k] /= sum;
}}
"""


def _choose(name: str, settings: DecisionSettings, hop_s: float) -> str:
    upper, any_dwell = name.upper(), _hops(settings.dwell_s, hop_s)
    return f"""
static int choose(const {name}_state *state)
{{
  const float *posterior = state->posterior;
  const int present = state->present, held = state->held_hops;
  int best = 0;
  for (int k = 1; k < {upper}_CLASSES; k++)
    if (posterior[k] > posterior[best])
      best = k;
  if (present < 0)
    return held >= {any_dwell} && posterior[best] >= enter[best] ? best : -1;
  if (best != present && posterior[present] < leave[present] && posterior[best] >= enter[best]
      && held >= dwell[present * {upper}_CLASSES + best])
    return best;
  return posterior[present] < {float_literal(settings.abstain_below)} && held >= {any_dwell} ? -1
                                                                                : present;
}}
"""


def _interface(name: str) -> str:
    upper = name.upper()
    return f"""
void {name}_init({name}_state *state)
{{
  static const {name}_state zero;
  *state = zero;
  for (int k = 0; k < {upper}_CLASSES; k++)
    state->posterior[k] = 1.0f / (float){upper}_CLASSES;
  state->present = -1;
  state->held_hops = {NO_LIMIT_HOPS};
}}

/* The program after a hop, from its probabilities and power. */
static void decide({name}_state *state)
{{
  float p[{upper}_CLASSES];
  int chosen;
  for (int k = 0; k < {upper}_CLASSES; k++)
    p[k] = state->probabilities[k];
  abstain(p);
  apply_levels(p, state->power);
  track(state, p);
  if (state->held_hops < {NO_LIMIT_HOPS})
    state->held_hops++;
  chosen = choose(state);
  if (chosen != state->present) {{
    state->present = chosen;
    state->held_hops = 0;
  }}
}}

void {name}_hop_of_features({name}_state *state, const float *features, float power)
{{
  {name}_network(&state->network, features, state->probabilities);
  state->power = power;
  decide(state);
}}

{name}_condition {name}_hop({name}_state *state, const float *samples, int is_gap)
{{
  float sound[{upper}_HOP];
  int spoilt;
  {name}_condition condition = inspect(state, samples, sound, &spoilt);
  if (is_gap && condition != {upper}_NOT_FINITE)
    condition = {upper}_GAP;
  if (is_gap || condition == {upper}_SILENT
      || (float)spoilt > {float_literal(MAX_SPOILT)} * (float){upper}_HOP) {{
    state->is_interrupted = 1;
    return condition;
  }}
  remove_offset(state, sound);
  step(state, sound);
  if (condition != {upper}_SOUND)
    return condition;
  state->power = 0.0f;
  for (int i = 0; i < {upper}_HOP; i++)
    state->power += sound[i] * sound[i];
  state->power /= (float){upper}_HOP;
  decide(state);
  return condition;
}}

int {name}_program(const {name}_state *state)
{{
  return state->present;
}}
"""
