"""Motif atlas: filters made for one kind of sound answer it most."""

import numpy as np
import pytest

from zoo.convnets import ConvNet, sound_model, standardize_of
from zoo.explain.motifs import KINDS, motif_atlas, probes
from zoo.spectrogram import FrontEnd, Spectrogram, Standardize

RATE, SAMPLES = 8000, 16_000
FRONT = FrontEnd(
    sample_rate_hz=RATE, window_s=0.032, hop_s=0.016, scale="linear", fmin_hz=150, fmax_hz=3800
)


@pytest.fixture(scope="module")
def atlas():
    """One convolution of 9 x 5 (time, frequency): onset, offset, spectral line, mean."""
    config = ConvNet(
        filters=(4,),
        kernels=((9, 5),),
        strides=((1, 1),),
        paddings=((4, 2),),
        groups=(1,),
        pools=(None,),
        separable=(False,),
        normalisation="none",
        dense=(),
        dropout=0.0,
    )
    front = [
        Spectrogram(FRONT, name="spectrogram"),
        Standardize(name="standardize", per_band=False),
    ]
    model = sound_model(config, front, 2, samples=SAMPLES)
    standardize_of(model).mean.assign([[-60.0]])
    standardize_of(model).deviation.assign([20.0])
    time = np.sign(np.arange(9) - 4.0)[:, None] * np.ones(5)
    line = np.ones(9)[:, None] * np.array([-1.5, 0.0, 3.0, 0.0, -1.5])
    kernel = np.stack([time, -time, line, np.full((9, 5), 0.2)], axis=-1)[:, :, None]
    model.get_layer("conv1").set_weights([kernel, np.array([-1.0, -1.0, -20.0, -1.0])])
    return motif_atlas(model)


def test_every_kind_has_probes_of_one_length():
    labels, waves = zip(*probes(RATE, SAMPLES), strict=True)
    assert set(labels) == set(KINDS)
    assert {wave.shape for wave in waves} == {(SAMPLES,)}


def test_a_filter_made_for_a_kind_prefers_it(atlas):
    selectivity = atlas.selectivity["relu1"]
    onset, offset, tone = (KINDS.index(kind) for kind in ("onset", "offset", "tone"))
    assert selectivity[0, onset] > 0.2 > selectivity[0, offset]
    assert selectivity[1, offset] > 0.2 > selectivity[1, onset]
    narrow = {"tone", "harmonics", "glide up", "glide down"}
    assert {KINDS[k] for k in np.argsort(-selectivity[2])[:2]} <= narrow
    assert selectivity[2, tone] > 0 > selectivity[2, KINDS.index("broadband noise")]
    assert selectivity[3].max() < selectivity[0, onset]  # the mean of all prefers little


def test_few_untrained_filters_are_called_detectors(atlas):
    values = atlas.untrained["relu1"]
    assert (values.max(axis=1) > atlas.thresholds["relu1"]).mean() <= 0.1
    text = atlas.table().text()
    assert "relu1" in text
    assert "untrained" in text
