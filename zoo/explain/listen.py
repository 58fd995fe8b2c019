"""Evidence to listen to: the sound of a clip, as far as it speaks for the class."""

import numpy as np

from zoo.explain.explanation import Explanation
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
