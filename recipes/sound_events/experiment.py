"""Run the recipe: soundscapes, training, choice of thresholds, evaluation, report, export."""

import dataclasses
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from recipes.sound_events import training
from recipes.sound_events.evaluation import (
    choose_settings,
    f1_interval,
    label_table,
    linear_baseline,
    score,
)
from recipes.sound_events.settings import Settings
from recipes.sound_events.training import Frames
from zoo import export
from zoo.convnets import (
    front_end_of,
    last_float_layer_of,
    split_model,
    streaming,
    streaming_model,
)
from zoo.data.corpora.licences import SYNTHETIC
from zoo.data.page_sound import wav_content
from zoo.data.split import Quantity
from zoo.data.synthesis.soundscapes import LABELS, RATE_HZ, soundscape
from zoo.edge.runtime import StepModel
from zoo.events import EventSettings
from zoo.export.sound import INPUT_CONTRACT
from zoo.metrics.comparison import Comparison
from zoo.metrics.events import COLLAR_S, pool_scores
from zoo.plots import learning_curves
from zoo.plots.prediction import class_probabilities
from zoo.progress import say
from zoo.recurrent import VisibleRNN
from zoo.report import QUICK_NOTICE, Report, Sound, Table
from zoo.report.metrics import manifest_metric
from zoo.training import History

FILES = (("serving_default", "float32"), ("step", "float32"), ("step", "int8"))
STEP_FILES = {"float32": "step.tflite", "int8": "step_int8.tflite"}
PARTS = {"train": 0, "validation": 10_000_000, "test": 20_000_000}  # first seed of each
HELD_OUT, DEVICE_CLIPS = 200, 30
SPLIT, F1 = "soundscapes that were not trained on", "event F1"
BASELINE = "logistic regression of single frames"


def run(settings: Settings) -> None:
    """Run the recipe and write report and model to `settings.paths`.

    Raises:
        ValueError: settings that cannot be used, in one line.
    """
    keras.utils.set_random_seed(settings.seed)
    started = time.monotonic()
    settings.paths.check()
    model = training.build()
    few = 4 if settings.quick else HELD_OUT
    counts = {"train": 8 if settings.quick else settings.soundscapes}
    frames = {
        part: training.make_frames(
            model, _seeds(settings.seed, part, counts.get(part, few)), f"soundscapes, {part}"
        )
        for part in PARTS
    }
    history = training.train(model, frames["train"], frames["validation"], settings)
    say("thresholds, by soundscapes for validation; measuring on others")
    predict = _predictor(model)
    fitted, measured = (
        [predict(each) for each in frames[part].level_db] for part in ("validation", "test")
    )
    events = choose_settings(fitted, frames["validation"].events)
    metrics = measure(frames, measured, events)
    table = label_table(measured, frames["test"].events, events)
    print(table.text())
    entry = metrics[SPLIT][F1]
    comparison = Comparison(F1, entry["value"], entry["baseline"], BASELINE, is_higher_better=True)
    comparison.require_better(force=settings.force or settings.quick)
    facts = {
        "seed": settings.seed,
        "soundscapes": len(frames["train"].events),
        "epochs": len(history.loss),
        "steps_per_epoch": training.STEPS,
        "batch": training.BATCH,
        "best_epoch": history.best_epoch + 1,
        "ended": history.ended,
        "seconds": round(history.seconds[-1], 1),
    }
    export_model(settings, model, metrics, events, facts, comparison.warnings)
    report = build_report(settings, frames["test"], measured, metrics, table, history)
    say(f"report: {report.write(settings.paths.report)[-1]}")
    say(f"model: {settings.paths.model}, in {time.monotonic() - started:.0f} s from the start")


def _seeds(seed: int, part: str, count: int) -> range:
    """Seeds of soundscapes: two parts have none in common; two runs only where their seeds end in
    the same two digits.
    """
    first = PARTS[part] + 100_000 * (seed % 100)
    return range(first, first + count)


def _predictor(model: keras.Model) -> Any:
    """Function from levels (frames, bands) to probabilities (frames, labels), in Keras."""
    _, network = split_model(model)
    run = tf.function(lambda x: network(x, training=False)["probabilities"])
    return lambda level_db: run(level_db[None, ..., None])[0].numpy()


def measure(
    frames: dict[str, Frames], probabilities: list[np.ndarray], events: EventSettings
) -> dict[str, dict[str, dict[str, Any]]]:
    """Metrics for the manifest, beside those of the baseline with thresholds chosen alike."""
    test, validation = frames["test"], frames["validation"]
    baseline = linear_baseline(frames["train"])
    plain = choose_settings([baseline(x) for x in validation.level_db], validation.events)
    plain_p = [baseline(x) for x in test.level_db]
    entries = {}
    for name, offsets in ((F1, False), ("event F1 with offsets", True)):
        value = f1_interval(score(probabilities, test.events, events, offsets=offsets))
        other = pool_scores(score(plain_p, test.events, plain, offsets=offsets)).f1
        entries[name] = manifest_metric(value, other, BASELINE)
    return {SPLIT: entries}


def export_model(
    settings: Settings,
    model: keras.Model,
    metrics: dict[str, dict[str, dict[str, Any]]],
    events: EventSettings,
    facts: dict[str, Any],
    warnings: list[str],
) -> None:
    """Write every format of the model with its streaming twin, checked in fresh processes.

    Raises:
        RuntimeError: a format that cannot be made or gives other outputs.
    """
    step = streaming_model(model)
    for layer in model.layers:
        if isinstance(layer, VisibleRNN):
            layer.fused = False  # TFLite does not have the fused operation
    count = 4 if settings.quick else DEVICE_CLIPS
    clips = [soundscape(seed) for seed in _seeds(settings.seed, "test", count)]
    samples = np.stack([each.samples for each in clips])
    whole = samples.shape[1] // training.HOP * training.HOP

    def measure_files(folder: Path) -> dict[str, dict[str, dict[str, Any]]]:
        states = {name: {} for name in step.input if name != "waveform"}
        manifest = {"signatures": {"step": {"inputs": states}}}
        entries = {}
        for weights, name in STEP_FILES.items():
            if (folder / name).exists():
                device = StepModel((folder / name).read_bytes(), manifest, name)
                p = [_step_over(device, x[:whole]) for x in samples]
                scores = score(p, [each.events for each in clips], events)
                entries[f"step file, {weights}"] = {F1: manifest_metric(f1_interval(scores))}
        return {**metrics, **entries}

    examples = [soundscape(s).samples[:whole] for s in _seeds(settings.seed, "validation", count)]
    export.write(
        settings.paths.model,
        _about(settings, model, step, events, facts, warnings),
        export.Endpoints(model, step),
        {f"soundscape_{k + 1}": x[: 125 * training.HOP] for k, x in enumerate(samples[:4])},
        export.ExportOptions(
            examples=np.stack(examples),
            files=FILES,
            front=last_float_layer_of(model),
            evaluate=measure_files,
        ),
        progress=say,
    )


def _step_over(model: StepModel, samples: np.ndarray) -> np.ndarray:
    model.reset()
    hops = samples.reshape(-1, *model.input_shape)
    return np.array([model.step(hop)["probabilities"] for hop in hops])


def _about(
    settings: Settings,
    model: keras.Model,
    step: keras.Model,
    events: EventSettings,
    facts: dict[str, Any],
    warnings: list[str],
) -> export.About:
    """Entries of the manifest."""
    front_end = front_end_of(model)
    states = [name for name in step.input if name != "waveform"]
    return export.About(
        name=settings.name,
        task="sound event detection, hop by hop",
        description=f"{training.NETWORK}: takes a hop of "
        f"{1000 * front_end.hop / front_end.sample_rate_hz:g} ms of sound and the states, returns "
        f"the probability of each of {len(LABELS)} kinds of events, each for itself. "
        "`zoo events` makes events of them by the thresholds in the manifest. The front end is "
        "inside.",
        quantities={
            "waveform": (
                Quantity("waveform", "1", f"sound in [-1, 1] at {front_end.sample_rate_hz:g} Hz"),
            ),
            "probabilities": tuple(
                Quantity(label, "-", f"probability that {label} sounds") for label in LABELS
            ),
            **{state: (Quantity(state, "-", streaming.meaning_of(state)),) for state in states},
        },
        metrics={},
        limits=[
            "Trained and measured on synthetic soundscapes only: events 6 to 24 dB above the "
            "background in their band. How it does on recordings is not known.",
            "Probabilities do not sum to one: several kinds may sound at once.",
        ],
        training=facts,
        settings={
            "classes": list(LABELS),
            "front_end": dataclasses.asdict(front_end),
            "input_contract": INPUT_CONTRACT,
            "events": dataclasses.asdict(events),
        },
        data_licence=SYNTHETIC,
        provenance=f"Made by `{settings.command}`.",
        warnings=warnings,
    )


def build_report(
    settings: Settings,
    test: Frames,
    probabilities: list[np.ndarray],
    metrics: dict[str, dict[str, dict[str, Any]]],
    table: Table,
    history: History,
) -> Report:
    """Build the page: scores, an example over time with its sound, training."""
    report = Report(
        f"Sound events: {settings.name}",
        "A network that says what sounds when, on soundscapes that it was not trained on.",
        provenance={"command": settings.command},
        notices=[QUICK_NOTICE] if settings.quick else [],
    )
    keys = ("value", "low", "high", "baseline", "baseline_name")
    rows = [
        [split, name, *(entry[key] for key in keys)]
        for split, each in metrics.items()
        for name, entry in each.items()
    ]
    report.section("Scores").table(
        Table(
            ["data", "metric", "network", "low", "high", "baseline", "what it is"],
            rows,
            caption=f"Event-based scores, onsets within {1000 * COLLAR_S:g} ms, with 95 % "
            "bootstrap intervals.",
        )
    )
    report.table(table)
    times_s = np.arange(len(probabilities[0]) + 1) * training.HOP / RATE_HZ
    bars = [(LABELS.index(e.label), e.onset_s, e.offset_s) for e in test.events[0]]
    report.section("Example").figure(
        class_probabilities(
            times_s[:-1], times_s[1:], probabilities[0], LABELS, title="", events=bars
        ),
        name="example",
        caption="Probabilities over time in a soundscape; the bars are the true events.",
        alt="Dark stretches of each row lie above the bars of true events.",
    )
    first = soundscape(_seeds(settings.seed, "test", 1)[0])
    report.sounds([Sound("The soundscape of the figure", wav_content(first.samples, RATE_HZ))])
    report.section("Training").figure(
        learning_curves(
            {"loss": history.loss, "val_loss": history.val_loss},
            loss_label="binary cross-entropy [nat]",
        ),
        name="learning",
        caption=f"Training ended {history.ended}.",
        alt="Training and validation loss over epochs.",
    )
    return report
