"""Run the recipe: sources, training, evaluation, report, export."""

import dataclasses
import time
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from recipes.speech_snr import training
from recipes.speech_snr.evaluation import (
    Evaluation,
    Predictor,
    draw_mixtures,
    evaluate,
    manifest_metrics,
    noise_table,
)
from recipes.speech_snr.mixtures import MixtureSettings
from recipes.speech_snr.report import build_report
from recipes.speech_snr.settings import RANGE_DB, TIME_CONSTANT_S, Settings
from recipes.speech_snr.sources import Sources, make_sources
from zoo import export
from zoo.convnets import (
    front_end_of,
    last_float_layer_of,
    spectrogram_of,
    streaming,
    streaming_model,
)
from zoo.data.bank import Bank, Part, read_bank
from zoo.data.corpora.licences import SYNTHETIC, WEIGHTS_LICENCE
from zoo.data.split import Quantity
from zoo.data.synthesis.scenes import FULL_SCALE_DB_SPL
from zoo.edge.runtime import StepModel
from zoo.export.sound import INPUT_CONTRACT
from zoo.metrics.comparison import Comparison
from zoo.progress import say
from zoo.recurrent import VisibleRNN
from zoo.training import History

FILES = (("serving_default", "float32"), ("step", "float32"), ("step", "int8"))
STEP_FILES = {"float32": "step.tflite", "int8": "step_int8.tflite"}
CLIPS: dict[Part, int] = {"train": 60, "validation": 10, "test": 10}  # synthetic, of each kind
TEST_MIXTURES, DEVICE_MIXTURES = 400, 40
LONG_S = 12.0  # of the longer ones
HOPS = "hops of changing mixtures"
ERROR = "SNR mean absolute error [dB]"
NON_COMMERCIAL = "LicenseRef-non-commercial"


def run(settings: Settings) -> None:
    """Run the recipe and write report and model to `settings.paths`.

    Raises:
        ValueError: a bank or settings that cannot be used, in one line.
    """
    keras.utils.set_random_seed(settings.seed)
    started = time.monotonic()
    settings.paths.check()
    say("reading sources")
    bank, train_bank = join_banks(settings)
    sources: dict[Part, Sources] = {
        part: make_sources(
            train_bank if part == "train" else bank,
            *(part, 3 if settings.quick else count, settings.seed),
        )
        for part, count in CLIPS.items()
    }
    model = training.build()
    history = training.train(model, sources["train"], sources["validation"], settings)

    say("measuring on voices and noises that were not trained on")
    count = 8 if settings.quick else TEST_MIXTURES
    test = sources["test"]
    changing = draw_mixtures(test, settings.seed, "test, changing", count, 1.0)
    steady = draw_mixtures(test, settings.seed, "test, steady", count, 0.0)
    long = draw_mixtures(test, settings.seed, "test, long", max(8, count // 2), 0.0, LONG_S)
    fallen = draw_mixtures(
        test, settings.seed, "test, fallen", max(8, count // 2), 0.0, LONG_S, fall=1.0
    )
    predict = _predictor(model)
    evaluations = evaluate(predict, changing), evaluate(predict, steady)
    metrics = manifest_metrics(
        evaluations[0], evaluate(predict, fallen), evaluations[1], evaluate(predict, long)
    )
    table = noise_table(*evaluations)
    print(table.text())
    entry = metrics[HOPS][ERROR]
    comparison = Comparison(ERROR, entry["value"], entry["baseline"], entry["baseline_name"])
    comparison.require_better(force=settings.force or settings.quick)
    facts = _facts(sources, history, settings)
    export_model(settings, model, metrics, facts, evaluations, comparison.warnings, train_bank)
    report = build_report(settings, evaluations, metrics, table, history)
    say(f"report: {report.write(settings.paths.report)[-1]}")
    say(f"model: {settings.paths.model}, in {time.monotonic() - started:.0f} s from the start")


def join_banks(settings: Settings) -> tuple[Bank | None, Bank | None]:
    """The banks of `settings.bank`, and these with those that are only trained on; None: none.

    Raises:
        ValueError: a folder that is no bank.
    """
    banks = [read_bank(folder) for folder in settings.bank]
    more = [read_bank(folder) for folder in settings.train_bank]
    return Bank.join(banks) if banks else None, Bank.join(banks + more) if banks or more else None


def _predictor(model: keras.Model) -> Predictor:
    """Function from a waveform (samples,) to the estimates of every hop (hops, 2), in Keras."""
    whole = tf.function(
        lambda x: model(x, training=False)["prediction"],
        input_signature=[tf.TensorSpec((1, None))],
    )
    return lambda samples: whole(samples[None])[0].numpy()


def _facts(sources: dict[Part, Sources], history: History, settings: Settings) -> dict[str, Any]:
    train = sources["train"]
    return {
        "seed": settings.seed,
        "speech": {name: len(each) for name, each in train.speech.items()},
        "noise": {name: len(each) for name, each in train.noise.items()},
        "epochs": len(history.loss),
        "steps_per_epoch": training.STEPS,
        "batch": training.BATCH,
        "best_epoch": history.best_epoch + 1,
        "ended": history.ended,
        "seconds": round(history.seconds[-1], 1),
    }


def export_model(
    settings: Settings,
    model: keras.Model,
    metrics: dict[str, dict[str, dict[str, Any]]],
    facts: dict[str, Any],
    evaluations: tuple[Evaluation, Evaluation],
    warnings: list[str],
    bank: Bank | None,
) -> None:
    """Write every format of the model with its streaming twin, checked in fresh processes.

    Raises:
        RuntimeError: a format that cannot be made or gives other outputs.
    """
    step = streaming_model(model)
    for layer in model.layers:
        if isinstance(layer, VisibleRNN):
            layer.fused = False  # TFLite does not have the fused operation
    mixtures = [each.samples for each in evaluations[0].mixtures]
    hop = step.input["waveform"].shape[1]

    def measure_files(folder: Path) -> dict[str, dict[str, dict[str, Any]]]:
        return {**metrics, **_file_metrics(folder, step, evaluations[0])}

    export.write(
        settings.paths.model,
        _about(settings, model, step, facts, warnings, bank),
        export.Endpoints(model, step),
        {f"mixture_{k + 1}": x[: 125 * hop] for k, x in enumerate(mixtures[:4])},
        export.ExportOptions(
            examples=np.stack(mixtures[:32]),
            files=FILES,
            front=last_float_layer_of(model),
            evaluate=measure_files,
        ),
        progress=say,
    )


def _file_metrics(
    folder: Path, step: keras.Model, changing: Evaluation
) -> dict[str, dict[str, dict[str, Any]]]:
    """Errors of the step files, hop by hop as on a device, on some of the mixtures."""
    states = {name: {} for name in step.input if name != "waveform"}
    manifest = {"signatures": {"step": {"inputs": states}}}
    mixtures = changing.mixtures[:DEVICE_MIXTURES]
    entries = {}
    for weights, name in STEP_FILES.items():
        if not (folder / name).exists():
            continue
        device = StepModel((folder / name).read_bytes(), manifest, name)
        estimated = evaluate(partial(_step_over, device), mixtures)
        keras_error = Evaluation(
            mixtures, changing.estimates[: len(mixtures)], changing.truth[: len(mixtures)]
        ).errors(0)
        entries[f"step file, {weights}"] = {
            ERROR: {
                "value": float(np.nanmean(estimated.errors(0))),
                "baseline": float(np.nanmean(keras_error)),
                "baseline_name": "Keras model on the same mixtures",
            }
        }
    return entries


def _step_over(model: StepModel, samples: np.ndarray) -> np.ndarray:
    model.reset()
    hops = samples.reshape(-1, *model.input_shape)
    return np.array([model.step(hop)["prediction"] for hop in hops])


def _about(
    settings: Settings,
    model: keras.Model,
    step: keras.Model,
    facts: dict[str, Any],
    warnings: list[str],
    bank: Bank | None,
) -> export.About:
    """Entries of the manifest."""
    front_end = front_end_of(model)
    states = [name for name in step.input if name != "waveform"]
    low, high = RANGE_DB
    data_licence, licence = SYNTHETIC, WEIGHTS_LICENCE
    if bank is not None:
        named = sorted(set(bank.table["source"].astype(str)) - {""})
        terms = sorted(set(bank.table["licence"].astype(str)) - {""})
        data_licence = f"recordings of {', '.join(named)}, under {', '.join(terms)}."
        licence = NON_COMMERCIAL if any("-NC" in each for each in terms) else licence
    return export.About(
        name=settings.name,
        task="signal-to-noise ratio of speech, and sound level, hop by hop",
        description=f"{training.NETWORK}: takes a hop of "
        f"{1000 * front_end.hop / front_end.sample_rate_hz:g} ms of sound and the states, returns "
        "the signal-to-noise ratio of speech over everything else and the A-weighted level. The "
        "front end is inside.",
        quantities={
            "waveform": (
                Quantity("waveform", "1", f"sound in [-1, 1] at {front_end.sample_rate_hz:g} Hz"),
            ),
            "prediction": (
                Quantity(
                    "snr_db",
                    "dB",
                    "power of speech over that of everything else, exponential means over "
                    f"{TIME_CONSTANT_S:g} s",
                ),
                Quantity(
                    "level_dba",
                    "dB(A)",
                    f"level, slow, if full scale is {FULL_SCALE_DB_SPL:g} dB SPL",
                ),
            ),
            **{state: (Quantity(state, "-", streaming.meaning_of(state)),) for state in states},
        },
        metrics={},
        limits=[
            f"Errors of the ratio are of mixtures at {low:g} to {high:g} dB, from "
            f"{TIME_CONSTANT_S:g} s on. Without speech the ratio means nothing.",
            f"Level is absolute: a root mean square of 1 is taken as {FULL_SCALE_DB_SPL:g} dB SPL. "
            "It is estimated by the network: of a single tone, such as a calibrator's, it can be "
            "off by 20 dB.",
            "Voices in the noise, such as singing, were not trained on, but for babble.",
            f"Mixtures of {training.TRAIN_S:g} s were trained on, {training.FALL:.0%} of which get "
            f"quieter by up to {MixtureSettings().fall_db:g} dB at once.",
        ],
        training=facts,
        settings={
            "front_end": dataclasses.asdict(spectrogram_of(model).front_end),
            "input_contract": INPUT_CONTRACT,
        },
        licence=licence,
        data_licence=data_licence,
        provenance=f"Made by `{settings.command}`.",
        warnings=warnings,
    )
