"""The lecture on sound: a waveform, its spectrogram, and what every setting does to the image."""

from dataclasses import replace

import keras
import numpy as np

from recipes.lecture import examples as written
from zoo import plots
from zoo.data import synthesis
from zoo.report import Column, Report, Table
from zoo.spectrogram import FrontEnd, Spectrogram

RATE_HZ = 16_000
FRONT_END = FrontEnd(
    sample_rate_hz=RATE_HZ, window_s=0.032, hop_s=0.008, mels=64, fmax_hz=8000, padding="valid"
)
CLOSE_S = 0.2  # of the close look that the two windows are compared in
RANGE_DB = 70.0


def sound(page: Report, seed: int) -> None:
    """A waveform, its spectrogram, and what window, hop, mel and logarithm do to it."""
    clip = synthesis.scene("speech", seed=seed, duration_s=2.0, sample_rate_hz=RATE_HZ)
    page.section(
        "Sound as an image",
        "Cut the waveform into windows that overlap, take the Fourier transform of each, keep the "
        "power, sum it into mel bands, take the logarithm: time runs across, frequency up, and a "
        "convolution can look at it. The number of frames is the output-size formula again, with "
        "the window as kernel and the hop as stride.",
    ).figure(
        plots.waveform_and_spectrogram(clip.samples, RATE_HZ, picture(FRONT_END, clip.samples)),
        name="sound",
        caption="Two seconds of synthetic speech: syllables through three formants, hisses "
        "between.",
        alt="Waveform above; below its spectrogram with bands of formants and short hisses.",
    )
    plain = replace(FRONT_END, scale="linear")
    narrow = replace(plain, hop_s=0.0005, n_fft=1024, fmax_hz=4000)
    whole, close = clip.samples, loudest(clip.samples, round(CLOSE_S * RATE_HZ))
    shown = {
        "window 4 ms": (replace(narrow, window_s=0.004), close),
        "window 64 ms": (replace(narrow, window_s=0.064), close),
        "hop 4 ms": (replace(FRONT_END, hop_s=0.004), whole),
        "hop 32 ms": (replace(FRONT_END, hop_s=0.032), whole),
        "frequencies of the transform": (plain, whole),
        "64 mel bands": (FRONT_END, whole),
        "power as it is": (replace(FRONT_END, level="linear"), whole),
        "its logarithm": (FRONT_END, whole),
    }
    page.figure(
        plots.spectrograms({name: picture(*setting) for name, setting in shown.items()}),
        name="front_ends",
        caption=f"A row each. Window, in a close look at the loudest {CLOSE_S:g} s: a short one "
        "tells when, and shows single pulses of the voice as upright lines; a long one tells "
        "which frequency, and shows the harmonics of its pitch as level ones; it "
        "is blank where no whole window fits. Hop: fewer frames, less to "
        "compute, coarser time. Mel: half of the bands lie below "
        f"{FRONT_END.frequencies_hz[FRONT_END.mels // 2] / 1000:.1f} kHz, where voices differ. "
        "Logarithm: without it only the loudest moments are seen.",
        alt="Eight spectrograms of the same sound in four rows of two.",
    ).table(
        Table(
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
                    written.output_size(samples.size, f.window, f.hop),
                    Spectrogram(f).compute_output_shape((1, samples.size))[1],
                    f.bands,
                    1 / f.window_s,
                )
                for name, (f, samples) in shown.items()
            ],
            f"At {RATE_HZ:,} samples a second. Two tones closer than about 1 / window melt into "
            "one, and so do two clicks closer than the window: no window is good at both.",
        )
    )


def loudest(samples: np.ndarray, length: int) -> np.ndarray:
    """So many samples with the most energy in them."""
    energy = np.cumsum(np.r_[0.0, np.square(samples, dtype=np.float64)])
    start = int(np.argmax(energy[length:] - energy[:-length]))
    return samples[start : start + length]


def picture(front_end: FrontEnd, samples: np.ndarray) -> plots.SoundImage:
    """A spectrogram with its axes: the decibels below the loudest point, or all powers."""
    level = keras.ops.convert_to_numpy(Spectrogram(front_end)(samples[None]))[0, ..., 0]
    logarithmic = front_end.level == "decibel"
    return plots.SoundImage(
        level,
        front_end.times_s(len(level)),
        front_end.frequencies_hz,
        "power [dB]" if logarithmic else "power [-]",
        (level.max() - RANGE_DB, level.max()) if logarithmic else None,
        counted=front_end.scale != "linear",
    )
