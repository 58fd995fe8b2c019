"""Explanations of the shipped wheeze detector against the wheeze's own lines.

Synthetic breaths: the wheeze alone is known, and so is where it is loud. Recorded breaths are
annotated in time; their lines are estimated from a spectrogram of another window, without the
network: prominent peaks that last for 0.16 s (a wheeze lasts for 0.1 s, Sovijarvi et al. 2000).
"""

from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
from scipy import ndimage, signal

from recipes.explain.choice import interval
from recipes.explain.settings import Settings
from recipes.explain.tables import format_interval
from zoo.convnets.model import front_end_of
from zoo.data import audio, corpora
from zoo.data.synthesis import breath, draw_patient
from zoo.explain.clip import open_clip
from zoo.explain.measures import Localisation, localise
from zoo.explain.methods import explain_clip
from zoo.models import load_keras_model
from zoo.names import EXPLANATIONS
from zoo.progress import say
from zoo.report import Column, Table
from zoo.spectrogram import FrontEnd
from zoo.spectrogram.inverse import stft

MODEL, CLASSES, LABEL = "wheeze-tiny", ("normal", "wheeze"), "wheeze"
# The detector has neither a ReLU nor a map.
WITHOUT = ("guided-backpropagation", "deconvolution", "grad-cam")
METHODS = tuple(method for method in EXPLANATIONS if method not in WITHOUT)
PATCH_S, PATCH_SHARE = 0.32, 1 / 16  # 62 Hz
LOUD_DB = 20.0  # below the loudest point of the wheeze alone
FIRST_SEED = 5_000_000  # of patients of no training
# Lines of recorded breaths: window and hop [s], median over bins, height [dB], frames, bins, Hz.
LINE_WINDOW_S, LINE_HOP_S, LINE_MEDIAN, LINE_DB = 0.128, 0.040, 31, 12.0
LINE_FRAMES, LINE_JUMP, LINE_HALF_HZ = 4, 2, 20.0
LINE_SPAN_HZ = (80.0, 1000.0)
Truths = dict[str, np.ndarray]  # (time, bands) of bool
Places = dict[str, Localisation]  # of each method
MAX_SHARE = 0.8  # of the window that may be annotated, so that there is time to be wrong in


def wheeze_tables(settings: Settings) -> list[Table]:
    """Pointing and evidence inside for synthetic wheezes, and for recorded ones if there are any.

    Raises:
        ValueError: a corpus that cannot be read.
    """
    model, _ = load_keras_model(MODEL)
    front, samples = front_end_of(model), model.inputs[0].shape[1]
    synthetic = localise_all(model, synthetic_wheezes(settings, front, samples), "synthetic")
    tables = [
        _table(
            [places["loud"] for places in synthetic],
            f"Synthetic breaths with wheeze, explained by {MODEL}: the truth is where the wheeze "
            f"alone is at most {LOUD_DB:g} dB below its loudest point.",
        )
    ]
    if settings.icbhi is not None:
        recorded = localise_all(model, recorded_wheezes(settings, front, samples), "recorded")
        lines = [places["lines"] for places in recorded if "lines" in places]
        tables += [
            _table(
                lines,
                f"Breaths of the ICBHI corpus that are annotated as wheeze; {MODEL} was trained on "
                f"them. Lines of {1000 * LINE_HOP_S * LINE_FRAMES:g} ms and more within the "
                f"annotated breath were found in {len(lines)} of {len(recorded)}, without the "
                "network.",
            ),
            _table(
                [places["breaths"] for places in recorded],
                "The same breaths in time: 4 s of the recording around each, in which it and other "
                "annotated wheezes are the truth, whatever the frequency.",
            ),
        ]
    return tables


def synthetic_wheezes(
    settings: Settings, front: FrontEnd, samples: int
) -> Iterator[tuple[np.ndarray, Truths]]:
    """Waveforms (samples,) with a wheeze, and where it is "loud"."""
    rate_hz = front.sample_rate_hz
    for k in range(settings.wheezes):
        seed = FIRST_SEED + settings.seed + k
        clip = breath(
            draw_patient(seed, "wheeze"),
            seed=seed,
            duration_s=samples / rate_hz,
            sample_rate_hz=rate_hz,
        )
        power = np.abs(stft(clip.parts["wheeze"], front)[:, front.linear_bins]) ** 2
        yield clip.samples, {"loud": power >= power.max() * 10 ** (-LOUD_DB / 10)}


def recorded_wheezes(
    settings: Settings, front: FrontEnd, samples: int
) -> Iterator[tuple[np.ndarray, Truths]]:
    """Windows around annotated wheezes, "breaths" and, where there are any, their "lines".

    Raises:
        ValueError: a corpus that cannot be read.
    """
    assert settings.icbhi is not None
    index = corpora.read(settings.icbhi).index
    is_wheeze = index["label"].isin(("wheeze", "both")).to_numpy()
    rate_hz, length_s = front.sample_rate_hz, samples / front.sample_rate_hz
    times_s, hz = front.times_s(front.frames(samples)), front.frequencies_hz
    chosen = index[(index["label"] == "wheeze").to_numpy()]
    for row in chosen.iloc[: settings.wheezes].itertuples():
        waveform = audio.read(Path(row.path), sample_rate_hz=round(rate_hz))[0]
        if len(waveform) < samples:
            continue
        middle = (row.start_s + row.end_s - length_s) / 2
        start_s = float(np.clip(middle, 0, len(waveform) / rate_hz - length_s))
        first = round(start_s * rate_hz)
        clip = waveform[first : first + samples]
        spans = index[is_wheeze & np.asarray(index["path"] == row.path)]
        during = np.zeros(len(times_s), bool)
        for from_s, to_s in np.asarray(spans[["start_s", "end_s"]], float) - start_s:
            during |= (times_s >= from_s) & (times_s <= to_s)
        if during.mean() > MAX_SHARE:
            continue
        lines = lines_of(clip, rate_hz, times_s, hz) & during[:, None]
        truths = {"breaths": np.repeat(during[:, None], len(hz), axis=1)}
        yield clip, {**truths, "lines": lines} if lines.any() else truths


def lines_of(
    waveform: np.ndarray, rate_hz: float, times_s: np.ndarray, hz: np.ndarray
) -> np.ndarray:
    """Where a waveform has lasting spectral lines, (time, bands) of bool.

    A peak over frequency that is `LINE_DB` above the running median over 240 Hz, and goes on for
    `LINE_FRAMES` frames by at most `LINE_JUMP` bins from one to the next.

    Args:
        waveform: (samples,).
        rate_hz: [Hz].
        times_s: of the frames of the result [s].
        hz: of its bands [Hz].
    """
    size, hop = round(LINE_WINDOW_S * rate_hz), round(LINE_HOP_S * rate_hz)
    bins_hz, frames_s, spectrum = signal.stft(waveform, rate_hz, nperseg=size, noverlap=size - hop)
    level = 20 * np.log10(np.abs(spectrum.T) + 1e-9)  # (frames, bins)
    height = level - ndimage.median_filter(level, (1, LINE_MEDIAN))
    is_peak = (level == ndimage.maximum_filter1d(level, 5, axis=1)) & (height > LINE_DB)
    is_peak &= (bins_hz >= LINE_SPAN_HZ[0]) & (bins_hz <= LINE_SPAN_HZ[1])
    result = np.zeros((len(times_s), len(hz)), bool)
    for track in _tracks(is_peak):
        if len(track) < LINE_FRAMES:
            continue
        for frame, place in track:
            rows = np.abs(times_s - frames_s[frame]) <= 0.75 * LINE_HOP_S
            result |= rows[:, None] & (np.abs(hz - bins_hz[place]) <= LINE_HALF_HZ)
    return result


def _tracks(is_peak: np.ndarray) -> list[list[tuple[int, int]]]:
    """Peaks (frame, bin) that follow each other."""
    done: list[list[tuple[int, int]]] = []
    alive: list[list[tuple[int, int]]] = []
    for frame, row in enumerate(is_peak):
        going_on = []
        for place in np.flatnonzero(row):
            near = [t for t in alive if abs(t[-1][1] - place) <= LINE_JUMP]
            track = min(near, key=lambda t: abs(t[-1][1] - place)) if near else []
            if near:
                alive.remove(track)
            track.append((frame, int(place)))
            going_on.append(track)
        done += alive
        alive = going_on
    return done + alive


def localise_all(
    model: keras.Model, clips: Iterator[tuple[np.ndarray, Truths]], name: str
) -> list[dict[str, Places]]:
    """Every method on every clip against each of its truths: clip -> truth -> method -> place."""
    results = []
    for number, (waveform, truths) in enumerate(clips, 1):
        opened = open_clip(model, waveform.astype(np.float32))
        places: dict[str, Places] = {truth: {} for truth in truths}
        for method in METHODS:
            result = explain_clip(
                opened,
                CLASSES,
                label=LABEL,
                patch_s=PATCH_S,
                patch_share=PATCH_SHARE,
                method=method,
            )
            for truth, points in truths.items():
                places[truth][method] = localise(result, points)
        results.append(places)
        if number % 50 == 0:
            say(f"{MODEL}, {name}: {number} clips")
    return results


def _table(places: list[Places], caption: str) -> Table:
    rows = []
    for method in METHODS if places else ():
        each = [clip[method] for clip in places]
        rows.append(
            [
                method,
                format_interval(interval(np.array([float(place.hit) for place in each]))),
                format_interval(interval(np.array([place.inside for place in each]))),
                f"{np.mean([place.area for place in each]):.3f}",
            ]
        )
    columns = ["method", "pointing", "evidence inside", "share of area"]
    return Table(
        [*map(Column, columns)],
        rows,
        f"{caption} {len(places)} clips, 95 % intervals over clips. Guided backpropagation and "
        "deconvolution are left out, as without a ReLU they are the gradient, and Grad-CAM, which "
        "needs a map.",
    )
