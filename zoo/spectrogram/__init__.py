"""Front ends: waveform (batch, samples) -> spectrogram (batch, time, bands, 1), as Keras layers.

    spectrogram = Spectrogram(PRESETS["librosa"])
    standardize = Standardize()
    standardize.adapt(waveforms.map(spectrogram))  # training data only
    model = keras.Sequential([spectrogram, standardize, network])

`settings` holds the settings of a front end, `layers` the spectrogram, put together from
`transform` (STFT, bands) and `level` (decibel, PCEN), and its streaming twin; `reference_level`
removes the gain of a clip, `standardize` sets mean and variance, `trim` cuts silence off,
`prominence` keeps tones, `inverse` reconstructs waveforms, `mel` has the filter bank, `micro`
the features of TensorFlow Lite Micro's front end, in NumPy, for networks that run behind it.
"""

from zoo.spectrogram.inverse import (
    griffin_lim,
    istft,
    reconstruct_magnitude,
    reconstruct_waveform,
    stft,
)
from zoo.spectrogram.layers import Spectrogram, StreamingSpectrogram
from zoo.spectrogram.level import PCEN, LogScale
from zoo.spectrogram.mel import hz_of_mel, mel_of_hz, mel_weights
from zoo.spectrogram.micro import MicroFrontEnd, MicroSettings
from zoo.spectrogram.normalise import Normalise  # noqa: F401  registers the class
from zoo.spectrogram.prominence import Prominence
from zoo.spectrogram.reference_level import ReferenceLevel
from zoo.spectrogram.settings import PRESETS, FrontEnd
from zoo.spectrogram.standardize import Standardize
from zoo.spectrogram.transform import STFT, Bands
from zoo.spectrogram.trim import Trim

__all__ = [
    "PCEN",
    "PRESETS",
    "STFT",
    "Bands",
    "FrontEnd",
    "LogScale",
    "MicroFrontEnd",
    "MicroSettings",
    "Prominence",
    "ReferenceLevel",
    "Spectrogram",
    "Standardize",
    "StreamingSpectrogram",
    "Trim",
    "griffin_lim",
    "hz_of_mel",
    "istft",
    "mel_of_hz",
    "mel_weights",
    "reconstruct_magnitude",
    "reconstruct_waveform",
    "stft",
]
