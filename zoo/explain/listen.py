"""To listen to: a clip as far as it speaks for the class, and the patches that excite a unit."""

from collections.abc import Sequence

import numpy as np

from zoo.explain.explanation import Explanation
from zoo.explain.hierarchy import Patch, Unit
from zoo.spectrogram import FrontEnd
from zoo.spectrogram.inverse import istft, stft


def evidence_sound(
    explanation: Explanation, waveform: np.ndarray, front_end: FrontEnd
) -> np.ndarray:
    """The clip behind a mask of its positive evidence, with the phase of the clip.

    Each point of the short-time Fourier transform is multiplied by its evidence over the highest
    one, negative evidence by 0; between the middles of bands the mask is interpolated, outside of
    the bands it is 0.

    Args:
        explanation: of the clip.
        waveform: the clip, (samples,).
        front_end: of the model.

    Returns:
        (samples,) float32; silence where nothing speaks for the class.

    Raises:
        ValueError: a waveform of another length than the explanation's.
    """
    spectrum = stft(waveform, front_end)
    frames = len(explanation.evidence)
    if len(spectrum) != frames:
        raise ValueError(
            f"`waveform` must have the {frames} frames of the explanation. "
            f"Received: {len(spectrum)} frames."
        )
    highest = explanation.evidence.max()
    if highest <= 0:
        return np.zeros(len(waveform), np.float32)
    share = np.clip(explanation.evidence / highest, 0, 1)
    bins_hz = front_end.bin_frequencies_hz
    bands_hz = explanation.frequencies_hz
    mask = np.stack([np.interp(bins_hz, bands_hz, row, left=0, right=0) for row in share])
    return istft(mask * spectrum, front_end, len(waveform), min_overlap=0.01).astype(np.float32)


def patch_sound(patch: Patch, waveform: np.ndarray, front_end: FrontEnd) -> np.ndarray:
    """What a unit sees of a clip: its frames and bands, everything else silent, cut to the frames.

    Args:
        patch: of the clip.
        waveform: the clip, (samples,).
        front_end: of the model.

    Returns:
        (samples,) float32, from the start of the first window to the end of the last.
    """
    spectrum = stft(waveform, front_end)
    hz, bins_hz = patch.frequencies_hz, front_end.bin_frequencies_hz
    step = np.diff(hz).max() if len(hz) > 1 else bins_hz[1]  # bands reach beyond their middles
    mask = np.zeros(spectrum.shape)
    mask[patch.frames] = (bins_hz >= hz[0] - step) & (bins_hz <= hz[-1] + step)
    sound = istft(mask * spectrum, front_end, len(waveform), min_overlap=0.01)
    first = patch.frames.start * front_end.hop - front_end.zeros[0]
    last = (patch.frames.stop - 1) * front_end.hop - front_end.zeros[0] + front_end.window
    return sound[max(0, first) : last].astype(np.float32)


def unit_sound(
    unit: Unit, waveforms: np.ndarray, front_end: FrontEnd, *, max_s: float = 0.6
) -> np.ndarray:
    """The patches of a unit one after the other, the strongest first, with pauses of 0.15 s.

    Args:
        unit: from `zoo.explain.hierarchy.feature_hierarchy`.
        waveforms: that it was given, (clips, samples).
        front_end: of the model.
        max_s: of a patch; the middle of a longer one [s].

    Returns:
        (samples,) float32; each patch has the same peak.
    """
    rate_hz = front_end.sample_rate_hz
    length, pause = round(max_s * rate_hz), np.zeros(round(0.15 * rate_hz), np.float32)
    parts: Sequence[np.ndarray] = [pause]
    for patch in unit.patches:
        sound = patch_sound(patch, waveforms[patch.clip], front_end)
        first = max(0, (len(sound) - length) // 2)
        sound = sound[first : first + length]
        parts = [*parts, sound / max(float(np.abs(sound).max()), 1e-9), pause]
    return np.concatenate(parts)
