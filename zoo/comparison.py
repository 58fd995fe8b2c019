"""Saved models side by side on one data set: stress models, or classifiers of sound."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from zoo.certificate.facts import ModelFacts
from zoo.crossvalidation import Predictions, add_mistakes
from zoo.data import corpora, hysteresis, measured, pipeline
from zoo.data.clips import Clips
from zoo.data.columns import Columns
from zoo.data.folds import group_keys
from zoo.data.maxwell import Material
from zoo.data.split import Split
from zoo.edge.condition import Condition
from zoo.edge.labels import LabelRule, clip_condition
from zoo.edge.windows import sliding_windows
from zoo.metrics import binary, multiclass
from zoo.metrics.bootstrap import Interval, bootstrap_interval
from zoo.metrics.calibration import reliability
from zoo.metrics.regression import Predictor
from zoo.models import LoadedModel, load, open_model
from zoo.predictions import columns_for, covariates_of, from_past, in_unit_of, start_of
from zoo.progress import track
from zoo.report import Column, Report, Table
from zoo.stress.experiment import REFINEMENT, TEST_SEED
from zoo.stress.scoring import metric_name, score_model

PATHS = 300  # of each built-in split
RESAMPLES = 1000  # of the bootstrap


@dataclass(frozen=True)
class Classified:
    """Clips labelled by one model.

    Attributes:
        model: its name.
        clips: waveforms at its rate.
        predictions: mean probabilities of the windows of each clip.
        decisions: (clips,) class by the rule of the model, abstention left aside.
        duration_s: of a window [s].
    """

    model: str
    clips: Clips
    predictions: Predictions
    decisions: np.ndarray
    duration_s: float


@dataclass(frozen=True)
class Comparison:
    """Metrics of several models on the same data.

    Attributes:
        data: what the models were scored on.
        models: names.
        metrics: (split, metric) -> a value of each model, with its interval where there is one;
            None where a model has no such metric.
        classified: clips as each classifier labels them; none for stress models.
    """

    data: str
    models: Sequence[str]
    metrics: Mapping[tuple[str, str], Sequence[float | Interval | None]]
    classified: Sequence[Classified] = ()

    def table(self) -> Table:
        """A row a split and metric, a column a model."""
        rows = []
        for (split, metric), values in self.metrics.items():
            shown = [str(v) if isinstance(v, Interval) else v for v in values]
            rows.append([split, metric, *shown])
        columns = [Column(name, number=".3g") for name in self.models]
        return Table(["split", "metric", *columns], rows, self.data)

    def page(self, command: str) -> Report:
        """Page with the table, and of classifiers the mistakes of each, to be heard.

        Args:
            command: that repeats the comparison.
        """
        title = f"{' and '.join(self.models)} compared"
        report = Report(title, self.data, provenance={"command": command})
        report.section("Metrics").table(self.table())
        for each in self.classified:
            add_mistakes(
                report,
                each.clips,
                each.predictions,
                each.decisions,
                duration_s=each.duration_s,
                heading=f"Misclassified by {each.model}",
            )
        return report

    def rows(self) -> list[dict[str, object]]:
        """A mapping a split and metric, for JSON: `models` -> value, `low` and `high` if any."""
        return [
            {
                "split": split,
                "metric": metric,
                "models": dict(zip(self.models, values, strict=True)),
            }
            for (split, metric), values in self.metrics.items()
        ]


def compare_stress_models(
    models: Sequence[str | Path],
    csv: Path | Sequence[Path] | None = None,
    columns: Columns | None = None,
    *,
    paths: int = PATHS,
    seed: int = TEST_SEED,
    trust: bool = False,
) -> Comparison:
    """NRMSE of stress models on a measured test, or on the built-in test splits.

    On a measured test a model that starts from a measured past does so, as in `predict_stress`;
    rows after the longest past are scored for all models.

    Args:
        models: names or folders; also `.keras` files and SavedModel folders.
        csv: measured tests; None: the splits of `zoo.data.hysteresis.protocol`, of the material
            that the manifests state.
        columns: of the file.
        paths: of each built-in split.
        seed: of those.
        trust: open SavedModel folders, which can run any program.

    Raises:
        ValueError: a model or a file that cannot be read; without a file, models of different
            materials or of another loading; with one, stress in another unit.
    """
    predictors, facts = zip(*(open_model(model, trust=trust) for model in models), strict=True)
    names = [each.name for each in facts]
    if csv:
        first = csv if isinstance(csv, Path) else csv[0]
        columns = columns_for(facts, columns or Columns())
        data = in_unit_of(first, measured.read_csv(csv, columns, min_rows=2), facts)
        predictors, data = _from_measured(models, predictors, facts, data)
        splits, refinement = {first.stem: data}, None
        specimens = len(data.x)
        title = f"{first.name}: {specimens} specimen{'' if specimens == 1 else 's'}"
    else:
        for each in facts:
            if each.loading[0] != "strain" or each.covariates:
                takes = " and ".join([each.loading[0], *each.covariates])
                raise ValueError(
                    f"{each.name} takes {takes}, the built-in tests are of strain. Compare on a "
                    "measured test: --csv FILE."
                )
        materials = {each.material for each in facts if each.material is not None}
        if len(materials) > 1:
            raise ValueError(
                f"{', '.join(names)} stand for different materials. Compare them on a measured "
                "test: --csv FILE."
            )
        material = materials.pop() if materials else Material()
        splits = hysteresis.protocol(paths=paths, seed=seed, material=material)
        refinement = hysteresis.refinement(
            paths=paths, seed=seed, factor=REFINEMENT, material=material
        )
        title = f"built-in test splits, {paths} paths each"
    errors = [score_model(predict, splits, refinement) for predict in predictors]
    metrics: dict[tuple[str, str], list[float | Interval | None]] = {
        (split, metric_name(metric)): [each[split][metric] for each in errors]
        for split, metrics in errors[0].items()
        for metric in metrics
    }
    return Comparison(title, names, metrics)


def _from_measured(
    models: Sequence[str | Path],
    predictors: Sequence[Predictor],
    facts: Sequence[ModelFacts],
    data: Split,
) -> tuple[list[Predictor], Split]:
    """Each model with the covariates that it takes and from the past that it starts from.

    Returns:
        Functions of the loading of this test; the test, of which rows after the longest past count.
    """
    own, weight, functions = covariates_of(facts), data.weight, []
    for model, predict, each in zip(models, predictors, facts, strict=True):
        features = [0, 1, 2, *(3 + own.index(name) for name in each.covariates)]
        part, start = replace(data, x=data.x[..., features]), start_of(model)
        if start is None:
            response = predict(part.x)
        else:
            response, part = from_past(start, predict, part, 0)
            rows = np.ones(data.x.shape[:2], np.float32) if weight is None else weight
            weight = rows if part.weight is None else np.minimum(rows, part.weight)
        functions.append(lambda x, response=response: response)
    return functions, replace(data, weight=weight)


def compare_classifiers(
    models: Sequence[str | Path], data: Path, layout: str | None = None, *, seed: int = 0
) -> Comparison:
    """Metrics of classifiers on labelled recordings, each model with the labels of its own rule.

    Every recording is resampled to the rate of a model; its probabilities are the mean over windows
    of the length of the model's input, which cover it. Accuracy and macro F1 are of the labels by
    the model's operating point, or of the likeliest class where it has none, abstention left aside;
    where a model abstains, its coverage and its accuracy on what it labels are given, too. A
    detector's AUC, sensitivity and specificity are of the class that it detects. Log loss and
    expected calibration error (ECE) are of the probabilities. Intervals are 95 % bootstrap
    intervals over groups of recordings.

    Args:
        models: names or folders of classifiers of sound.
        data: folder of a corpus.
        layout: of the corpus; None: recognised.
        seed: of the bootstrap.

    Raises:
        ValueError: another kind of model, or no recording whose label all models know.
    """
    opened = [_load_classifier(model) for model in models]
    index = corpora.read(data, layout).index
    labels = set.intersection(*(set(each.manifest["classes"]) for each in opened))
    label_of_clip = index["label"].astype(str).to_numpy()
    known = pd.DataFrame(index[np.isin(label_of_clip, sorted(labels))]).reset_index(drop=True)
    if known.empty:
        others = ", ".join(sorted(set(label_of_clip))[:20])
        raise ValueError(
            f"{data}: no recording of a class that all models know "
            f"({', '.join(sorted(labels)) or 'they share none'}). Labels: {others}."
        )
    names_of_models = [each.folder.resolve().name for each in opened]
    classified = [
        _classify(model, name, known) for model, name in zip(opened, names_of_models, strict=True)
    ]
    results = [
        _classifier_metrics(each, LabelRule.from_manifest(model.manifest), seed)
        for each, model in zip(classified, opened, strict=True)
    ]
    names = dict.fromkeys(name for each in results for name in each)  # in order, each once
    nothing: Interval | None = None
    metrics: dict[tuple[str, str], list[float | Interval | None]] = {
        (Path(data).name, name): [each.get(name, nothing) for each in results] for name in names
    }
    title = f"{data}: {len(known)} clips of {len(set(known['label']))} classes"
    if len(known) < len(index):
        title += f"; {len(index) - len(known)} clips of other classes left out"
    return Comparison(title, names_of_models, metrics, classified)


def _load_classifier(model: str | Path) -> LoadedModel:
    loaded = load(model, "tflite")
    manifest = loaded.manifest
    if not manifest.get("front_end") or not manifest.get("classes"):
        raise ValueError(f"{model} is no classifier of sound. Give stress models --csv, no --data.")
    shape = manifest["signatures"]["serving_default"]["inputs"]["waveform"]["shape"]
    return loaded if shape[1] is not None else load(model)  # LiteRT takes one length only


def _classifier_metrics(classified: Classified, rule: LabelRule, seed: int) -> dict[str, Interval]:
    labels, p = classified.predictions.labels, classified.predictions.probabilities
    groups, decisions = group_keys(classified.clips.index), classified.decisions
    answered = np.array([rule.label(row) is not None for row in p])
    # one column a class, 1 for the label, so that the metrics of probabilities can be taken of it
    decided = np.eye(len(rule.classes))[decisions]
    scores: dict[str, Callable[[np.ndarray], float]] = {
        "accuracy": lambda rows: multiclass.accuracy(labels[rows], decided[rows]),
        "macro F1": lambda rows: multiclass.macro_f1(labels[rows], decided[rows]),
    }
    if rule.positive is not None:
        positive = rule.classes.index(rule.positive)
        truth, says = labels == positive, decisions == positive
        scores |= {
            f"AUC, {rule.positive}": lambda rows: binary.auc(truth[rows], p[rows, positive]),
            "sensitivity": lambda rows: binary.rates(truth[rows], says[rows]).sensitivity,
            "specificity": lambda rows: binary.rates(truth[rows], says[rows]).specificity,
        }
        if truth.all() or not truth.any():
            scores = {name: scores[name] for name in ("accuracy", "macro F1")}
    if rule.abstain_below is not None:
        right = decisions == labels
        scores["coverage"] = lambda rows: float(answered[rows].mean())
        scores["accuracy where it labels"] = lambda rows: float(
            right[rows][answered[rows]].mean() if answered[rows].any() else np.nan
        )
    scores |= {
        "log loss": lambda rows: multiclass.log_loss(labels[rows], p[rows]),
        "ECE": lambda rows: reliability(labels[rows], p[rows]).ece,
    }
    return {
        name: bootstrap_interval(score, groups, resamples=RESAMPLES, seed=seed)
        for name, score in scores.items()
    }


def _classify(model: LoadedModel, name: str, index: pd.DataFrame) -> Classified:
    """Clips of an index as a model labels them."""
    rule = LabelRule.from_manifest(model.manifest)
    rate_hz = int(model.manifest["front_end"]["sample_rate_hz"])
    clips = pipeline.load(index, sample_rate_hz=rate_hz)
    labels = np.array([rule.classes.index(str(label)) for label in clips.index["label"]])
    length = model.shapes["waveform"][1]
    probabilities = []
    for row in track(clips.rows, len(clips.rows), "clips"):
        waveform = clips.source[row]
        windows = list(sliding_windows([waveform], length or len(waveform)))
        # windows of silence hold no evidence, unless there is nothing else
        sound = [w.samples for w in windows if clip_condition(w.samples) is Condition.SOUND]
        result = model.predict(waveform=np.stack(sound or [w.samples for w in windows]))
        mean = result["probabilities"].mean(axis=0)
        # a streaming classifier predicts at every hop
        probabilities.append(mean if mean.ndim == 1 else mean.mean(axis=0))
    p = np.stack(probabilities)
    p /= p.sum(axis=1, keepdims=True)  # to float64's precision
    labelled = replace(rule, abstain_below=None)
    decisions = np.array([rule.classes.index(labelled.label(row) or "") for row in p])
    duration_s = (length or int(clips.source.lengths.max())) / rate_hz
    # the classes of a model may be more than those of the clips
    clips = replace(clips, classes=rule.classes)
    predictions = Predictions(labels, p, np.arange(len(clips)))
    return Classified(name, clips, predictions, decisions, duration_s)
