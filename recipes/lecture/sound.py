"""Lecture part 3, sound: spectrogram and the effect of window, hop, mel scale and logarithm."""

from dataclasses import replace

import keras
import numpy as np

from recipes.lecture import examples
from zoo import plots
from zoo.data import synthesis
from zoo.report import Column, Report, Table
from zoo.spectrogram import FrontEnd, Spectrogram

RATE_HZ = 16_000
FRONT_END = FrontEnd(
    sample_rate_hz=RATE_HZ, window_s=0.032, hop_s=0.008, mels=64, fmax_hz=8000, padding="valid"
)
DETAIL_S = 0.2  # length of the detail in which two windows are compared [s]
RANGE_DB = 70.0  # dynamic range of a figure [dB]


def add_spectrograms(page: Report, seed: int) -> None:
    """Append a waveform, its spectrogram, and the effect of window, hop, mel scale and logarithm.

    Args:
        page: the page.
        seed: seed of the synthetic speech.
    """
    clip = synthesis.scene("speech", seed=seed, duration_s=2.0, sample_rate_hz=RATE_HZ)
    page.section(
        "Sound as an image",
        "Spectrogram: cut the waveform into overlapping windows, take the Fourier transform of "
        "each, its power, the sums over mel bands, and the logarithm. The result is an image, time "
        "to the right and frequency upward, that a convolution can process. The number of frames "
        "follows from the output-size formula, with the window as kernel and the hop as stride.",
    ).figure(
        plots.waveform_and_spectrogram(clip.samples, RATE_HZ, make_image(FRONT_END, clip.samples)),
        name="sound",
        caption="Two seconds of synthetic speech: syllables with three formants, and fricatives "
        "between them.",
        alt="Waveform above; below its spectrogram with formants and short fricatives.",
    )
    shown = _vary_settings(clip.samples)
    page.figure(
        plots.spectrograms({name: make_image(*setting) for name, setting in shown.items()}),
        name="front_ends",
        caption=f"One setting per row. Window, in the loudest {DETAIL_S:g} s: a short one has a "
        "fine time resolution and shows the pulses of the voice as vertical lines; a long one has "
        "a fine frequency resolution and shows the harmonics of the pitch as horizontal lines. Its "
        "spectrogram is blank where no whole window fits. Hop: a longer one gives fewer frames, "
        "less computation and a coarser time axis. Mel scale: half of the bands are below "
        f"{FRONT_END.frequencies_hz[FRONT_END.mels // 2] / 1000:.1f} kHz, where voices differ. "
        "Logarithm: without it only the loudest parts are visible.",
        alt="Eight spectrograms of the same sound in four rows of two.",
    ).table(_front_end_table(shown))


def _vary_settings(samples: np.ndarray) -> dict[str, tuple[FrontEnd, np.ndarray]]:
    """Title -> settings and waveform of the spectrograms to compare, two per row."""
    plain = replace(FRONT_END, scale="linear")
    narrow = replace(plain, hop_s=0.0005, n_fft=1024, fmax_hz=4000)
    whole, detail = samples, loudest(samples, round(DETAIL_S * RATE_HZ))
    return {
        "window 4 ms": (replace(narrow, window_s=0.004), detail),
        "window 64 ms": (replace(narrow, window_s=0.064), detail),
        "hop 4 ms": (replace(FRONT_END, hop_s=0.004), whole),
        "hop 32 ms": (replace(FRONT_END, hop_s=0.032), whole),
        "linear frequency": (plain, whole),
        "64 mel bands": (FRONT_END, whole),
        "linear power": (replace(FRONT_END, level="linear"), whole),
        "logarithmic power": (FRONT_END, whole),
    }


def _front_end_table(shown: dict[str, tuple[FrontEnd, np.ndarray]]) -> Table:
    """Table of sizes: name -> (settings, waveform) of each spectrogram."""
    return Table(
        [
            "front end",
            Column("length", "samples", ",d"),
            Column("window", "samples", "d"),
            Column("hop", "samples", "d"),
            Column("frames by the formula", number="d"),
            Column("frames by the layer", number="d"),
            Column("bands", number="d"),
            Column("1 / window", "Hz", ".0f"),
        ],
        [
            (
                name,
                samples.size,
                f.window,
                f.hop,
                examples.output_size(samples.size, f.window, f.hop),
                Spectrogram(f).compute_output_shape((1, samples.size))[1],
                f.bands,
                1 / f.window_s,
            )
            for name, (f, samples) in shown.items()
        ],
        f"Sample rate {RATE_HZ:,} Hz. Two tones closer than about 1 / window cannot be "
        "separated, nor two clicks closer than the window: no window resolves both well.",
    )


def loudest(samples: np.ndarray, length: int) -> np.ndarray:
    """The section of a waveform with the largest energy.

    Args:
        samples: waveform, (samples,).
        length: length of the section [samples].

    Returns:
        (length,).
    """
    energy = np.cumsum(np.r_[0.0, np.square(samples, dtype=np.float64)])
    start = int(np.argmax(energy[length:] - energy[:-length]))
    return samples[start : start + length]


def make_image(front_end: FrontEnd, samples: np.ndarray) -> plots.SpectrogramImage:
    """A spectrogram with its axes; in decibels, `RANGE_DB` below the largest value are drawn.

    Args:
        front_end: settings of the spectrogram.
        samples: waveform, (samples,).
    """
    level = keras.ops.convert_to_numpy(Spectrogram(front_end)(samples[None]))[0, ..., 0]
    logarithmic = front_end.level == "decibel"
    return plots.SpectrogramImage(
        level,
        front_end.times_s(len(level)),
        front_end.frequencies_hz,
        "power [dB]" if logarithmic else "power [-]",
        (level.max() - RANGE_DB, level.max()) if logarithmic else None,
        is_banded=front_end.scale != "linear",
    )
