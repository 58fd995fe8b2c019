"""Run saved models on a device: numpy and ai-edge-litert only, one runtime for stress and sound.

    model = zoo.edge.open("saved_models/hysteresis-lstm")
    stress = model.step([strain, rate, dt])["prediction"]

    model = zoo.edge.open("saved_models/hearing-aid", weights="int8")
    classifier = zoo.edge.StreamClassifier(model, 48_000)
    for result in classifier.process(block):  # any block size, any channels, int16 or float
        result.condition, result.program.name, result.level_dbfs

    model = zoo.edge.open_clips("saved_models/scenes-tiny", weights="int8")
    label = model.classify(clip)  # condition; name, None where the model abstains; probability

    estimator = zoo.edge.StreamEstimator(zoo.edge.open("saved_models/speech-snr"), 48_000)
    for estimate in estimator.process(block):
        estimate.values  # in the order of estimator.names

`zoo.manifest` verifies, `runtime` steps; `condition`, `resampling` and `stream` process sound,
`classifier` and `estimator` make results of it, `decision` picks the program; `clips` classifies
whole clips, `labels` names them; `capture` and `history` read sound and strain. `graph`,
`counting`, `latency` and `microcontroller` measure what `cost` and `budget` report. `zoo-edge` is
the command line of both.
"""

from zoo.edge.classifier import HopResult, StreamClassifier
from zoo.edge.clips import ClipClassifier, open_clips
from zoo.edge.condition import Condition
from zoo.edge.decision import Decision, DecisionSettings, Program
from zoo.edge.estimator import HopEstimate, StreamEstimator
from zoo.edge.labels import ClipLabel, LabelRule
from zoo.edge.resampling import Resampler
from zoo.edge.runtime import StepModel, open

# their names in version 0.1
Listener, Answer, Settings = StreamClassifier, HopResult, DecisionSettings

__all__ = [
    "Answer",
    "ClipClassifier",
    "ClipLabel",
    "Condition",
    "Decision",
    "DecisionSettings",
    "HopEstimate",
    "HopResult",
    "LabelRule",
    "Listener",
    "Program",
    "Resampler",
    "Settings",
    "StepModel",
    "StreamClassifier",
    "StreamEstimator",
    "open",
    "open_clips",
]
