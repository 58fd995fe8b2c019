"""How familiar a fold's test clips and strangers, sounds of no class, are to its network."""

from dataclasses import dataclass
from hashlib import sha256

import keras
import numpy as np

from zoo.convnets import output_layer_of, split_model, standardize_of
from zoo.crossvalidation.predictions import BATCH_SIZE
from zoo.data.clips import Clips
from zoo.metrics.familiarity import familiarity_to, prototypes_of
from zoo.progress import say


@dataclass(frozen=True)
class Familiarity:
    """Familiarity of clips to the training clips of one fold, by its network.

    Attributes:
        members: of the test part, (clips,).
        strangers: of sounds of no class, (clips,); None: there are none.
        confidence: highest probability of each of these, (clips,); None likewise.
    """

    members: np.ndarray
    strangers: np.ndarray | None = None
    confidence: np.ndarray | None = None


def embed_features(model: keras.Model, features: Clips, rows: np.ndarray) -> np.ndarray:
    """What the last layer of a model sees of clips, (clips, width).

    Args:
        model: waveform to probabilities.
        features: front end output of every clip.
        rows: which of them.
    """
    inner = keras.Model(standardize_of(model).input, output_layer_of(model).input)
    batches = features[rows].all_batches(BATCH_SIZE)
    return np.concatenate([inner(x, training=False).numpy() for x, _ in batches])


@dataclass(frozen=True)
class FamiliarityEvaluator:
    """Measures how familiar test clips and strangers are to the network of a fold.

    Attributes:
        features: front end output of every clip.
        strangers: the same of sounds of no class; None: there are none.
    """

    features: Clips
    strangers: Clips | None = None

    @property
    def key(self) -> str:
        """Hash of the strangers, for the names of results."""
        if self.strangers is None:
            return ""
        digest = sha256()
        for row in self.strangers.rows:
            digest.update(np.ascontiguousarray(self.strangers.source[row]).tobytes())
        return digest.hexdigest()[:16]

    def __call__(self, model: keras.Model, train: np.ndarray, test: np.ndarray) -> Familiarity:
        """Familiarity of test clips and of the strangers.

        Args:
            model: of the fold, waveform to probabilities.
            train: rows of its training clips.
            test: rows of its test clips.
        """
        features, strangers = self.features, self.strangers
        learnt = embed_features(model, features, train)
        prototypes = prototypes_of(learnt, features.labels[train], len(features.classes))
        members = familiarity_to(embed_features(model, features, test), prototypes)
        if strangers is None:
            return Familiarity(members)
        say(f"predicting {len(strangers)} strangers")
        rows, network = np.arange(len(strangers)), split_model(model)[1]
        batches = strangers[rows].all_batches(BATCH_SIZE)
        confidence = np.concatenate(
            [network(x, training=False)["probabilities"].numpy().max(axis=1) for x, _ in batches]
        )
        embeddings = embed_features(model, strangers, rows)
        return Familiarity(members, familiarity_to(embeddings, prototypes), confidence)
