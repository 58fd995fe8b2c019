"""Front ends: waveform (batch, samples) -> spectrogram (batch, time, bands, 1), as Keras layers.

    spectrogram = Spectrogram(PRESETS["librosa"])
    normalise = Normalise()
    normalise.adapt(waveforms.map(spectrogram))  # training data only
    model = keras.Sequential([spectrogram, normalise, network])

`settings` says what a front end is, `layers` puts it together from `transform`, `level` and
`normalise` and has its streaming twin, `trim` cuts silence off, `prominence` leaves only tones,
`inverse` goes back to sound, `mel` has the filter bank.
"""

from zoo.spectrogram.inverse import griffin_lim, istft, listen, magnitude_of, stft
from zoo.spectrogram.layers import Spectrogram, StreamingSpectrogram
from zoo.spectrogram.level import PCEN, LogScale
from zoo.spectrogram.mel import hz_of_mel, mel_of_hz, mel_weights
from zoo.spectrogram.normalise import Normalise
from zoo.spectrogram.prominence import Prominence
from zoo.spectrogram.settings import PRESETS, FrontEnd
from zoo.spectrogram.transform import STFT, Bands
from zoo.spectrogram.trim import Trim

__all__ = [
    "PCEN",
    "PRESETS",
    "STFT",
    "Bands",
    "FrontEnd",
    "LogScale",
    "Normalise",
    "Prominence",
    "Spectrogram",
    "StreamingSpectrogram",
    "Trim",
    "griffin_lim",
    "hz_of_mel",
    "istft",
    "listen",
    "magnitude_of",
    "mel_of_hz",
    "mel_weights",
    "stft",
]
