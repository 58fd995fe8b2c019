"""Pre-training on other labelled sound: initial weights of every layer but the last.

No recording of the corpus that is cross-validated takes part, not even unlabelled: recordings
whose group (the number at freesound.org in ESC-50 and UrbanSound8K) occurs in both are left out.
"""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from recipes.scenes.data import SceneData
from zoo import crossvalidation
from zoo.convnets import output_layer_of, split_model, standardize_of
from zoo.crossvalidation import BATCH_SIZE, TrainingSettings
from zoo.data.clips import Clips
from zoo.data.corpora.licences import Licence, licence_of
from zoo.data.other_sound import index_other_recordings, load_windows
from zoo.data.speed import add_speeds, rows_of_all_copies
from zoo.metrics import multiclass
from zoo.progress import say
from zoo.teaching.heads import fit_softmax
from zoo.training import History

SPEEDS = (0.8, 1.25)  # of the copies of every clip
PENALTY = (
    0.3  # of the last layer on frozen ones; 0.03 to 1 differ by a clip on ESC-10's folds 1 to 3
)
STANDARDIZE = "standardize"  # instead of a layer's name, which Keras may number
EPOCHS_SHARE = 2  # pre-training is so many times as long as the training of a fold
Weights = dict[str, list[np.ndarray]]  # name of a layer -> its weights


@dataclass(frozen=True)
class OtherSound:
    """Clips of other corpora.

    Attributes:
        clips: waveforms at the rate of the corpus that is cross-validated.
        titles: of the corpora.
        left_out: clips of recordings that occur in both.
    """

    clips: Clips
    titles: tuple[str, ...]
    left_out: int


def read_other_sound(
    folders: Sequence[Path], data: SceneData, cache: Path | None, *, is_labelled: bool = True
) -> OtherSound:
    """Read other corpora, without the recordings of `data`; classes of one name are one class.

    Args:
        folders: of the corpora.
        data: that is cross-validated.
        cache: folder that keeps decoded clips; None: memory.
        is_labelled: whether it is for --pretrain, by its labels, or for --teacher-sound.

    Raises:
        ValueError: a folder without a corpus, no other clip, or fewer than two classes in all
            where the labels are used.
    """
    index, titles, left_out = index_other_recordings(folders, data.clips)
    count = index["label"].nunique()
    if count < (2 if is_labelled else 1):
        needs = "--pretrain needs two classes" if is_labelled else "--teacher-sound needs one clip"
        raise ValueError(
            f"{needs} or more. Received: {count or 'none'} in {', '.join(map(str, folders))}, "
            f"without {left_out} clips of recordings that --data holds as well. Give other sound."
        )
    clips = load_windows(index, data.clips, data.duration_s, cache or "memory")
    return OtherSound(clips, titles, left_out)


def pretrain(
    model: keras.Model, other: OtherSound, duration_s: float, training: TrainingSettings
) -> Weights:
    """Train a network on other sound.

    Args:
        model: of as many classes as `other` has.
        other: labelled clips.
        duration_s: of a clip for the network [s].
        training: of a fold; pre-training takes `EPOCHS_SHARE` times as long.

    Returns:
        The weights of every layer behind the front end but the last.
    """
    say(
        f"pre-training on {len(other.clips)} clips of {len(other.clips.classes)} classes, without "
        f"{other.left_out} of recordings that the corpus holds as well"
    )
    front, network = split_model(model)
    features = add_speeds(other.clips, SPEEDS).with_features(front, duration_s=duration_s)
    longer = replace(training, epochs=EPOCHS_SHARE * training.epochs)
    rows = np.arange(len(other.clips))
    network, _ = crossvalidation.train_network(model, features, rows, None, longer, "pretraining")
    last, standardize = output_layer_of(model), standardize_of(model)
    weights = {
        layer.name: layer.get_weights()
        for layer in network.layers
        if layer.weights and layer not in (last, standardize)
    }
    return weights | {STANDARDIZE: standardize.get_weights()}


def set_weights(model: keras.Model, weights: Weights) -> None:
    """Put pre-trained weights into the layers of their names; the others keep theirs."""
    for name, values in weights.items():
        layer = standardize_of(model) if name == STANDARDIZE else model.get_layer(name)
        layer.set_weights(values)


def fit_last_layer(
    model: keras.Model,
    features: Clips,
    train: np.ndarray,
    monitored: np.ndarray | None,
    settings: TrainingSettings,
    name: str,
) -> tuple[keras.Model, History]:
    """Multinomial logistic regression on what the last layer sees; the other layers stay.

    Args:
        model: waveform to `probabilities`; its standardization stays, too.
        features: front end output of every clip, (time, bands, 1) each.
        train: (clips,) training rows, whose copies count like them.
        monitored: (clips,) rows whose loss is plotted beside the training loss; None: none.
        settings: not used.
        name: of the fold, not used.

    Returns:
        The part behind the front end, which shares its weights with `model`; a history of one
        epoch.
    """
    started = time.monotonic()
    last = output_layer_of(model)
    before = keras.Model(standardize_of(model).input, last.input)
    run = tf.function(lambda x: before(x, training=False), reduce_retracing=True)
    clips = features[rows_of_all_copies(features.index, train)]
    x = np.concatenate([run(batch).numpy() for batch, _ in clips.all_batches(BATCH_SIZE)])
    last.set_weights([*fit_softmax(x, clips.labels, PENALTY)])
    _, network = split_model(model)
    losses = [_log_loss(network, features, rows) for rows in (train, monitored) if rows is not None]
    return network, History(
        loss=losses[:1],
        val_loss=losses[1:],
        learning_rate=[0.0],
        seconds=[time.monotonic() - started],
    )


def _log_loss(network: keras.Model, features: Clips, rows: np.ndarray) -> float:
    predictions = crossvalidation.predict(network, features, rows)
    return multiclass.log_loss(predictions.labels, predictions.probabilities)


def hash_weights(weights: Weights) -> str:
    """Eight hexadecimal digits, for the names of checkpoints."""
    digest = hashlib.sha256()
    for name, values in weights.items():
        digest.update(name.encode())
        for each in values:
            digest.update(np.ascontiguousarray(each).tobytes())
    return digest.hexdigest()[:8]


def add_terms(data: SceneData, titles: Sequence[str]) -> SceneData:
    """`data` with the limits and the licences of what its model was pre-trained on.

    Args:
        data: that is cross-validated.
        titles: of the corpora of pre-training.
    """
    licence = join_licences(data.licence, titles)
    limit = f"Pre-trained on {', '.join(titles)}, without recordings that are in both."
    return replace(data, licence=licence, limits=(*data.limits, limit))


def join_licences(licence: Licence, titles: Sequence[str]) -> Licence:
    """A licence with the terms of further corpora; restricted ones restrict the weights.

    Args:
        licence: of the corpus that is cross-validated.
        titles: of the further corpora.
    """
    terms = [licence_of(title) for title in titles]
    for each in terms:
        is_restricted = each.weights != licence.weights and each.weights.startswith("LicenseRef")
        weights = each.weights if is_restricted else licence.weights
        licence = licence._replace(weights=weights, data=f"{licence.data} {each.data}")
    return licence
