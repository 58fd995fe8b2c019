"""Features of TensorFlow Lite Micro's front end, beside the numbers of `pymicro-features` 2.0.2."""

import numpy as np
import pytest

from zoo.spectrogram.micro import MicroFrontEnd, MicroSettings

# Frames 20 and the last of `chirp`, and the sum of all, from pymicro-features, divided by 0.0390625
FRAME_20 = (
    "582 526 428 0 0 0 297 0 0 0 0 0 248 0 0 0 292 0 203 0 314 0 287 0 361 222 417 0 412 0 378 0 "
    "368 0 359 177 406 248 419 177"
)
LAST = (
    "0 0 0 0 524 509 203 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 177 0 266 0 258 0 222 0 203 0 133 0 "
    "248 0 258 0"
)
TOTAL, FRAMES = 516_543, 48


def chirp():
    t = np.arange(8000)
    tone, hiss = np.sin(1e-5 * t**2) * (t % 3000 < 2000), (t * 7919) % 101 - 50
    return np.round(9000 * tone + 20 * hiss).astype(np.int16)


def numbers(text):
    return np.array(text.split(), int)


def test_features_are_those_of_the_library():
    features = MicroFrontEnd().process(chirp())
    assert features.shape == (FRAMES, 40) and features.dtype == np.uint16
    np.testing.assert_array_equal(features[20], numbers(FRAME_20))
    np.testing.assert_array_equal(features[-1], numbers(LAST))
    assert features.sum() == TOTAL


def test_blocks_of_any_size_give_the_same_as_the_whole():
    x, front_end = chirp(), MicroFrontEnd()
    parts = [front_end.process(part) for part in np.array_split(x, [3, 500, 503, 4000, 7999])]
    np.testing.assert_array_equal(np.concatenate(parts), MicroFrontEnd().process(x))
    front_end.reset()
    np.testing.assert_array_equal(front_end.process(x), MicroFrontEnd().process(x))


def test_without_noise_reduction_and_gain_control_a_band_is_a_level():
    settings = MicroSettings(min_remaining=1.0, strength=0.0, hop_ms=20)
    t = np.arange(16_000) / 16_000
    loud = np.round(8000 * np.sin(2 * np.pi * 1000 * t)).astype(np.int16)
    levels = [MicroFrontEnd(settings).process(x)[5].max() for x in (loud, (loud / 4).astype("i2"))]
    # a quarter of the amplitude, in natural logarithms times 64
    assert abs(int(levels[0]) - int(levels[1]) - 64 * np.log(4)) <= 1


def test_other_samples_and_windows_are_refused():
    with pytest.raises(ValueError, match="int16"):
        MicroFrontEnd().process(np.zeros(800, np.float32))
    with pytest.raises(ValueError, match=r"twice 4\^n"):
        MicroFrontEnd(MicroSettings(window_ms=60))


@pytest.mark.parametrize("level", [2, 300, 9000, 32_767])
def test_any_sound_gives_the_numbers_of_the_library(level):
    library = pytest.importorskip(
        "pymicro_features", reason="pymicro-features is not installed: pip install pymicro-features"
    )
    rng = np.random.default_rng(level)
    t = np.arange(32_000) / 16_000
    tone = np.sin(2 * np.pi * (200 * t + 900 * t**2)) * (np.sin(9 * t) > 0)
    noise = rng.standard_normal(len(t)) * rng.uniform(0, 0.5, len(t))
    x = np.clip(level * (tone + noise), -32_767, 32_767).astype(np.int16)
    stream, expected, place = library.MicroFrontend(), [], 0
    while place + 160 <= len(x):
        output = stream.process_samples(x[place : place + 160].tobytes())
        place += output.samples_read
        if output.features:
            expected.append(np.round(np.array(output.features) / 0.0390625))
    np.testing.assert_array_equal(MicroFrontEnd().process(x)[: len(expected)], expected)
