"""Lecture part 4, what a network of sound has learnt: feature hierarchy, onset and tone filters."""

import numpy as np

from zoo import plots
from zoo.convnets.model import front_end_of
from zoo.data import synthesis
from zoo.explain.hierarchy import feature_hierarchy
from zoo.explain.motifs import motif_atlas
from zoo.models import load_keras_model
from zoo.progress import say
from zoo.report import Report

MODEL = "scenes-tiny"
LAYERS = ("relu1", "relu3", "relu5", "relu7")
CLIPS_OF_A_SCENE = 2  # of a synthetic kind of scene; none of them was trained on
UNITS = 2  # of each layer


def add_features(page: Report, seed: int) -> None:
    """Append the feature hierarchy of a shipped network, and what its filters answer.

    Args:
        page: the page.
        seed: of the synthetic clips and probes.
    """
    say(f"features of {MODEL}")
    model, _ = load_keras_model(MODEL)
    settings, samples = front_end_of(model), model.inputs[0].shape[1]
    rate_hz = round(settings.sample_rate_hz)
    clips = [
        synthesis.scene(
            kind,
            seed=seed + k,
            duration_s=samples / rate_hz + 0.01,
            sample_rate_hz=rate_hz,
        ).samples[:samples]
        for kind in synthesis.SCENES
        for k in range(CLIPS_OF_A_SCENE)
    ]
    units = feature_hierarchy(model, np.stack(clips), units=UNITS, layers=LAYERS)
    page.section(
        "Feature hierarchy",
        f"What excites the filters of {MODEL}, a network of seven convolutions trained on "
        "recordings. Early filters see edges: a start, an end, a spectral line. Later ones see "
        "harmonics and syllables, the last ones phrases and textures.",
    ).figure(
        plots.feature_hierarchy(units, settings.hop_s),
        name="hierarchy",
        caption=f"Two filters of each of four layers, those that differ most between {len(clips)} "
        "synthetic clips. A row has the nine clips that excite the filter most, strongest first, "
        "each cut to what the filter sees there; above its band, below the first its duration. "
        "Levels are standardized: dark 2 deviations below the training mean, bright 3 above.",
        alt="Eight rows of nine small spectrograms: edges in the upper rows, speech in the lower.",
    )
    page.section(
        "Onset, harmonic and noise filters",
        "A filter is called a detector of a kind of sound only where it prefers that kind to all "
        "others more than 95 % of the filters of untrained networks do.",
    ).table(motif_atlas(model, seed=seed).table())
