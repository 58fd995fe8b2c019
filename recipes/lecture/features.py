"""Lecture part 4, what networks of sound have learnt: feature hierarchy, onset and tone filters."""

import keras
import numpy as np

from zoo import plots
from zoo.convnets.model import front_end_of
from zoo.data import synthesis
from zoo.data.page_sound import ogg_content
from zoo.explain.hierarchy import Unit, feature_hierarchy
from zoo.explain.listen import unit_sound
from zoo.explain.report import add_filters
from zoo.models import load_keras_model
from zoo.progress import say
from zoo.report import Report, Sound
from zoo.spectrogram import FrontEnd

# Model -> what it is, and the layers that are shown, from the input to the output.
MODELS = {
    "scenes-tiny": ("seven convolutions with shortcuts", ("relu1", "relu3", "relu5", "relu7")),
    "scenes-alexnet": ("AlexNet's five convolutions", ("relu1", "relu2", "relu5")),
}
CLIPS_OF_A_SCENE = 2  # of a synthetic kind of scene; none of them was trained on
UNITS = 2  # of each layer


def add_features(page: Report, seed: int) -> None:
    """Append the feature hierarchies of shipped networks, and what their filters answer.

    Args:
        page: the page.
        seed: of the synthetic clips and probes.
    """
    models = {name: load_keras_model(name)[0] for name in MODELS}
    page.section(
        "Feature hierarchy",
        "What excites the filters of two networks that were trained on recordings. Early filters "
        "see edges: a start, an end, a spectral line. Later ones see harmonics and syllables, the "
        "last ones phrases and textures. The same patches can be heard, the nine of a filter one "
        "after the other, the strongest first, each at the same peak and 0.6 s long at most; all "
        "outside of their bands is silent.",
    )
    for name, model in models.items():
        add_hierarchy(page, name, model, seed)
    page.section(
        "Onset, harmonic and noise filters",
        "A filter is called a detector of a kind of sound only where it prefers that kind to all "
        "others more than 95 % of the filters of untrained networks do.",
    )
    for name, model in models.items():
        add_filters(page, name, model, seed=seed)


def add_hierarchy(page: Report, name: str, model: keras.Model, seed: int) -> None:
    """Append the nine clips that excite each of some filters most, to see and to listen to.

    Args:
        page: the page.
        name: of the model, one of `MODELS`.
        model: the model.
        seed: of the synthetic clips.
    """
    say(f"features of {name}")
    front, (what, layers) = front_end_of(model), MODELS[name]
    waves = synthetic_clips(front, model.inputs[0].shape[1], seed)
    units = feature_hierarchy(model, waves, units=UNITS, layers=layers)
    page.figure(
        plots.feature_hierarchy(units, front.hop_s),
        name=f"hierarchy_{name}".replace("-", "_"),
        caption=f"{name}, {what}: two filters of each of {len(layers)} layers, those that differ "
        f"most between {len(waves)} synthetic clips. A row has the clips that excite the filter "
        "most, strongest first, each cut to what the filter sees there; above a patch its band, "
        "below the first its duration. Colours: level in standard deviations from the training "
        "mean of its band.",
        alt="Rows of nine small spectrograms: edges in the upper rows, speech in the lower.",
    ).sounds([unit_player(name, unit, waves, front) for unit in units])


def synthetic_clips(front: FrontEnd, samples: int, seed: int) -> np.ndarray:
    """`CLIPS_OF_A_SCENE` clips of each kind of synthetic scene, (clips, samples)."""
    rate_hz = round(front.sample_rate_hz)
    return np.stack(
        [
            synthesis.scene(
                kind,
                seed=seed + k,
                duration_s=samples / rate_hz + 0.01,
                sample_rate_hz=rate_hz,
            ).samples[:samples]
            for kind in synthesis.SCENES
            for k in range(CLIPS_OF_A_SCENE)
        ]
    )


def unit_player(name: str, unit: Unit, waves: np.ndarray, front: FrontEnd) -> Sound:
    """The patches of a filter, to listen to.

    Args:
        name: of the model.
        unit: the filter.
        waves: the clips, (clips, samples).
        front: front end of the model.
    """
    sound = unit_sound(unit, waves, front)
    text = f"{name}, {unit.layer}, filter {unit.number}"
    return Sound(text, ogg_content(sound, round(front.sample_rate_hz)))
