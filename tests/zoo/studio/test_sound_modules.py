"""Sound in the page against zoo.edge: channels, resampling, faults, decision, files; in Node."""

import io
from types import SimpleNamespace

import numpy as np
import pytest

from tests.zoo.studio.node import run_module
from zoo.edge.classifier import StreamClassifier
from zoo.edge.decision import Decision, DecisionSettings
from zoo.edge.labels import LabelRule
from zoo.edge.windows import window_starts

CLASSES = ["quiet", "speech", "music"]
HOP, MODEL_RATE_HZ = 256, 16_000

STREAM = """
import { StreamClassifier } from "./sound/classifier.js";

// Softmax of the power of three parts of a hop, and of a state: enough to show any difference.
class Fake {
  constructor(manifest) { Object.assign(this, { manifest, hop: 256 }); this.reset(); }
  reset() { this.state = 0; }
  step(sound) {
    const parts = [0, 1, 2].map((k) => sound.slice(80 * k, 80 * k + 80)
      .reduce((sum, value) => sum + value * value, 0));
    this.state = 0.9 * this.state + parts[0] - parts[1];
    const powers = parts.map((part, k) => Math.exp(part + k * this.state));
    const total = powers.reduce((a, b) => a + b);
    return powers.map((power) => power / total);
  }
}

const answer = ({ manifest, rate, channels, blocks, gap }) => {
  const special = { nan: NaN, inf: Infinity };
  const sound = channels.map((each) => Float32Array.from(each, (v) => special[v] ?? v));
  const classifier = new StreamClassifier(new Fake(manifest), rate);
  const hops = [];
  let start = 0;
  blocks.forEach((size, k) => {
    if (k === gap) classifier.markGap();
    hops.push(...classifier.process(sound.map((each) => each.subarray(start, start + size))));
    start += size;
  });
  hops.push(...classifier.finish());
  return { note: classifier.mixer.note, hops: hops.map((hop) => ({
    ...hop, levelDbfs: String(hop.levelDbfs), probabilities: hop.probabilities })) };
};
"""


class FakeModel:
    """The network of `STREAM`, in NumPy."""

    input_name, output_names, input_shape = "waveform", ("probabilities",), (HOP,)

    def __init__(self, manifest):
        self.manifest = manifest
        self.reset()

    def reset(self):
        self.state = 0.0

    def step(self, sound):
        parts = np.array([np.sum(sound[80 * k : 80 * k + 80].astype(float) ** 2) for k in range(3)])
        self.state = 0.9 * self.state + parts[0] - parts[1]
        powers = np.exp(parts + np.arange(3) * self.state)
        return {"probabilities": powers / powers.sum()}


def _sound(seconds, rate, channels):
    rng = np.random.default_rng(5)
    x = rng.standard_normal((round(seconds * rate), channels)) * 0.1 + 0.02
    envelope = 0.05 + np.abs(np.sin(np.arange(len(x)) / rate * 4))
    return (x * envelope[:, None]).astype(np.float32)


def _spoilt(rate):
    """Two channels, one of which dies, with clipping, NaN and digital silence."""
    x = _sound(1.2, rate, 2)
    x[: rate // 2, 1] = -x[: rate // 2, 0]  # poles reversed
    x[rate // 2 :, 1] *= 1e-4
    x[1045, 0] = 1.5  # in the hop behind the gap
    x[5000:5003, 0] = 1.0
    x[9000, 0] = np.nan
    x[9100, 1] = np.inf
    x[12_000:14_000] = 0.01
    x[15_000:15_200, 0] = -1.0
    return x


@pytest.mark.parametrize("rate", [16_000, 44_100, 47_999])
@pytest.mark.parametrize("kind", ["clean", "spoilt"])
def test_stream_equals_python(tmp_path, rate, kind):
    x = _sound(1.0, rate, 1) if kind == "clean" else _spoilt(rate)
    decision = {"time_constant_s": 0.1, "enter": 0.4, "leave": 0.38, "dwell_s": 0.1}
    manifest = {
        "classes": CLASSES,
        "decision": {**decision, "levels": [{"name": "quiet", "certain_below": -32.0}]},
        "front_end": {"sample_rate_hz": MODEL_RATE_HZ},
        "abstain_below": 0.335,
    }
    blocks = [1000, 37, 1, 3000, len(x) - 4038]
    gap = 3 if kind == "spoilt" else -1
    shown = np.where(np.isfinite(x), x, 0).astype(object)
    shown[np.isnan(x)], shown[np.isinf(x)] = "nan", "inf"
    found = run_module(
        STREAM,
        tmp_path,
        {
            **{"manifest": manifest, "rate": rate, "channels": shown.T.tolist()},
            **{"blocks": blocks, "gap": gap},
        },
    )
    classifier = StreamClassifier(FakeModel(manifest), rate)  # type: ignore[arg-type]
    expected, start = [], 0
    for k, size in enumerate(blocks):
        if k == gap:
            classifier.mark_gap()
        expected += classifier.process(x[start : start + size])
        start += size
    expected += classifier.finish()
    assert found["note"] == classifier.mix.note
    assert len(found["hops"]) == len(expected) > 50
    for here, there in zip(found["hops"], expected, strict=True):
        assert here["condition"] == str(there.condition)
        assert here["label"] == there.label
        assert here["program"]["name"] == there.program.name
        level = float(here["levelDbfs"].replace("Infinity", "inf"))
        silence = -140.0  # below lies rounding
        assert np.maximum(level, silence) == pytest.approx(
            np.maximum(there.level_dbfs, silence), abs=1e-3, nan_ok=True
        )
        if there.probabilities is None:
            assert here["probabilities"] is None
        else:
            np.testing.assert_allclose(here["probabilities"], there.probabilities, atol=1e-6)
    if kind == "spoilt":
        conditions = {str(hop.condition) for hop in expected}
        assert conditions == {"sound", "silent", "clipped", "gap", "not finite"}


DECISION = """
import { Decision, decisionSettings } from "./sound/decision.js";
import { LabelRule } from "./sound/labels.js";
import { windowStarts } from "./sound/clips.js";

const answer = ({ settings, classes, probabilities, levels, point, windows }) => {
  const decision = new Decision(decisionSettings(settings), classes);
  const rule = new LabelRule({ classes: ["normal", "wheeze"], operating_point: point });
  return {
    programs: probabilities.map((each, k) => decision.update(each, levels[k], 0.016)),
    labels: probabilities.map(([p]) => [rule.label([1 - p, p]), rule.evidence([1 - p, p])]),
    starts: windows.map((each) => windowStarts(...each)),
  };
};
"""


@pytest.mark.parametrize("method", ["average", "hmm"])
def test_decision_and_labels_equal_python(tmp_path, method):
    rng = np.random.default_rng(2)
    walk = np.cumsum(rng.standard_normal((700, 3)) * 0.25, axis=0)
    probabilities = np.exp(walk) / np.exp(walk).sum(axis=1, keepdims=True)
    levels = (-50 + 10 * rng.standard_normal(700)).tolist()
    settings = {
        **{"method": method, "time_constant_s": 0.2, "dwell_s": 0.3, "abstain_below": 0.3},
        "enter_by_class": {"speech": 0.5},
        "leave_by_class": {"music": 0.35},
        "dwell_by_pair": [{"leave": "speech", "enter": "music", "seconds": 0.8}],
        "levels": [{"name": "quiet", "certain_below": -65.0, "impossible_above": -42.0}],
        "offsets": {"music": 0.2},
    }
    point = {"class": "wheeze", "threshold": 0.2}
    windows = [(100, 40, 10), (30, 40, 40), (80, 40, 40), (81, 40, 40)]
    found = run_module(
        DECISION,
        tmp_path,
        {
            **{"settings": settings, "classes": CLASSES, "probabilities": probabilities.tolist()},
            **{"levels": levels, "point": point, "windows": windows},
        },
    )
    decision = Decision(DecisionSettings.from_dict(settings), CLASSES)
    expected = [
        decision.update(p, level, 0.016) for p, level in zip(probabilities, levels, strict=True)
    ]
    assert [each["name"] for each in found["programs"]] == [each.name for each in expected]
    assert len({each.name for each in expected}) == 4  # abstention among them
    np.testing.assert_allclose(
        [each["posterior"] for each in found["programs"]],
        [each.posterior for each in expected],
        atol=1e-9,
    )
    rule = LabelRule(("normal", "wheeze"), positive="wheeze", threshold=0.2)
    for (label, evidence), p in zip(found["labels"], probabilities[:, 0], strict=True):
        pair = np.array([1 - p, p])
        assert label == rule.label(pair)
        np.testing.assert_allclose(evidence, rule.evidence(pair), atol=1e-12)
    assert found["starts"] == [window_starts(*each).tolist() for each in windows]


FILES = """
import { audacityLabels, readWav, writeWav } from "./sound/wav.js";
import { Spectrum } from "./sound/spectrum.js";

const answer = ({ files, sound, frame }) => ({
  read: files.map((text) => {
    const { rateHz, channels } = readWav(Uint8Array.from(Buffer.from(text, "base64")));
    return { rateHz, channels: channels.map((each) => Array.from(each)) };
  }),
  written: Buffer.from(writeWav(sound.map((each) => Float32Array.from(each)), 22050))
    .toString("base64"),
  labels: audacityLabels([null, "speech", "speech", null, "noise"], 0.016),
  levels: Array.from(new Spectrum(512).levels(Float32Array.from(frame))),
});
"""


def test_files_equal_python(tmp_path):
    """WAV of 16, 24, 32 bits and floats against libsndfile, the spectrum against NumPy."""
    import base64

    soundfile = pytest.importorskip("soundfile")
    rng = np.random.default_rng(1)
    x = np.clip(rng.standard_normal((501, 2)) * 0.3, -1, 0.999).astype(np.float32)
    kinds = {"PCM_16": 1e-9, "PCM_24": 1e-9, "PCM_32": 1e-7, "FLOAT": 1e-9, "PCM_U8": 1e-9}
    texts, expected = [], []
    for kind in kinds:
        file = io.BytesIO()
        soundfile.write(file, x, 44_100, subtype=kind, format="WAV")
        texts.append(base64.b64encode(file.getvalue()).decode())
        expected.append(soundfile.read(io.BytesIO(file.getvalue()), dtype="float32")[0])
    frame = np.sin(2 * np.pi * 1000 / 16_000 * np.arange(512)).astype(np.float32)
    value = {"files": texts, "sound": x.T.tolist(), "frame": frame.tolist()}
    found = SimpleNamespace(**run_module(FILES, tmp_path, value))
    for here, there, tolerance in zip(found.read, expected, kinds.values(), strict=True):
        assert here["rateHz"] == 44_100
        np.testing.assert_allclose(np.transpose(here["channels"]), there, atol=tolerance)
    back, rate = soundfile.read(io.BytesIO(base64.b64decode(found.written)), dtype="float64")
    assert rate == 22_050
    np.testing.assert_allclose(back, x, atol=6.1e-8)
    assert found.labels == "0.016000\t0.048000\tspeech\n0.064000\t0.080000\tnoise\n"
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(512) / 512)
    power = np.abs(np.fft.rfft(frame * window)[:256] * 4 / 512) ** 2
    np.testing.assert_allclose(found.levels, 10 * np.log10(power + 1e-12), atol=1e-3)
    assert max(found.levels) == pytest.approx(0, abs=0.01)  # a full-scale sine at 1 kHz
    assert int(np.argmax(found.levels)) == 32


EXPLAIN = """
import { bandsHz, patchesOf } from "./sound/explain.js";

const answer = ({ frontEnds, sizes }) => ({
  hz: frontEnds.map((each) => bandsHz(each)),
  patches: sizes.map(([size, patch]) => patchesOf(size, patch)),
});
"""


def test_explanation_has_the_bands_and_patches_of_python(tmp_path):
    from zoo.explain.occlusion import patches_of
    from zoo.spectrogram import FrontEnd

    own = [
        FrontEnd(sample_rate_hz=32_000, window_s=0.032, hop_s=0.02, mels=64),
        FrontEnd(16_000, 0.032, 0.016, mels=40, fmin_hz=50, fmax_hz=8000, scale="htk"),
    ]
    names = ("sample_rate_hz", "mels", "fmin_hz", "fmax_hz", "scale")
    fronts = [{name: getattr(each, name) for name in names} for each in own]
    sizes = [((251, 64), (20, 8)), ((7, 5), (7, 2)), ((10, 9), (1, 4))]
    found = run_module(EXPLAIN, tmp_path, {"frontEnds": fronts, "sizes": sizes})
    for here, there in zip(found["hz"], own, strict=True):
        np.testing.assert_allclose(here, there.frequencies_hz, rtol=1e-9)
    for here, (size, patch) in zip(found["patches"], sizes, strict=True):
        expected = [(r.start, r.stop, c.start, c.stop) for r, c in patches_of(size, patch)]
        assert [tuple(each) for each in here] == expected
