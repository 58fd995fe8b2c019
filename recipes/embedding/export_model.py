"""Export a distilled embedding in every format, measured on sound that it never heard."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from recipes.embedding.measure import Measured, band_embedding, manifest_metrics, measure
from recipes.embedding.students import CLIP, EMBEDDING_NETWORK, build
from zoo import export
from zoo.convnets import front_end_of, last_float_layer_of, spectrogram_of
from zoo.data.split import Quantity
from zoo.data.synthesis import scene
from zoo.distillation import load_weights, read_weights
from zoo.export.sound import INPUT_CONTRACT
from zoo.progress import say
from zoo.targets import check_export_target
from zoo.teachers import load_yamnet
from zoo.teaching.model import embed

NAME = "sound-embedding"
GOLDEN_SCENES = ("music", "rain", "speech", "traffic")
SPLIT = "ESC-50 fold 4, never heard"
KEPT_COMPONENTS = 160  # of 256 that are distilled: the file in 8 bits stays below 300 kB
PRECISIONS = ("int8",)  # those that are measured; all are compared with the golden outputs
DATA_LICENCE = (
    "ESC-10 folds 1 to 3 (CC BY), UrbanSound8K folds 1 and 2 (CC BY-NC), klettres-data, "
    "tuxpaint-stamps-default and wesnoth-data (GPL-2.0-or-later), asterisk-core-sounds, "
    "asterisk-moh-opsound, hyperrogue-music, singularity-music, unknown-horizons, minetest-data "
    "and openttd-opensfx (CC BY-SA), synthetic textures; labels of none of them were used. The "
    "teacher, YAMNet (Apache-2.0), is not part of the model."
)


def file_embedder(content: bytes) -> Callable[[np.ndarray], np.ndarray]:
    """Function from clips (clips, samples) to the embeddings of a TFLite file."""
    interpreter = Interpreter(model_content=content)
    run = interpreter.get_signature_runner("serving_default")

    def compute(clips: np.ndarray) -> np.ndarray:
        return np.concatenate([run(waveform=clip[None])["embedding"] for clip in clips])

    return compute


def build_model(weights: Path, keep: int) -> keras.Model:
    """The embedding of whole clips of 5 s, with trained weights.

    Args:
        weights: of a distillation.
        keep: components to keep, those along which the teacher varies most; the others are cut off.

    Raises:
        OSError: no such file.
        ValueError: another file, or weights of another network.
    """
    width = read_weights(weights).get("embedding/1", np.empty(0)).size or keep  # none: refused
    trained = build(EMBEDDING_NETWORK, width, CLIP, whole_clips=True)
    load_weights(trained, weights)
    model = build(
        EMBEDDING_NETWORK, min(keep, width), CLIP, whole_clips=True, name="sound_embedding"
    )
    *_, last = model.layers
    for layer in model.layers:
        arrays = trained.get_layer(layer.name).get_weights()
        layer.set_weights([each[..., :keep] for each in arrays] if layer is last else arrays)
    return model


def run(
    weights: Path, target: Path, corpora: tuple[Path, Path], teacher: Path | None, command: str
) -> dict[str, Any]:
    """Measure and export.

    Args:
        weights: `embedding.npz` of a distillation; `distil.json` beside it.
        target: folder of the model.
        corpora: ESC-50 with fold 4, ESC-10.
        teacher: to measure beside it; None: not measured.
        command: that made the weights.

    Raises:
        OSError: no weights or no corpus there.
        ValueError: weights of another network, or a target that an export must not replace.
    """
    check_export_target(target)
    facts = json.loads((weights.parent / "distil.json").read_text())
    model = build_model(weights, KEPT_COMPONENTS)
    measured = Measured.read(*corpora)
    say("measuring the embedding and its baseline")
    baseline = measure(measured, band_embedding(spectrogram_of(model)))
    results = measure(measured, lambda clips: embed(model, clips))
    metrics = {SPLIT: manifest_metrics(results, baseline, "statistics of bands")}
    if teacher is not None:
        network = load_yamnet(teacher, CLIP)
        of_teacher = measure(measured, lambda clips: embed(network, clips, batch=8))
        metrics[f"{SPLIT}, the teacher"] = {k: {"value": v} for k, v in of_teacher.items()}
    for split, entries in metrics.items():
        listed = ", ".join(f"{name} {entry['value']:.3f}" for name, entry in entries.items())
        say(f"{split}: {listed}")

    def evaluate(folder: Path) -> dict[str, Any]:
        found = {}
        for precision in PRECISIONS:
            file = folder / f"model_{precision}.tflite"
            if file.exists():
                say(f"measuring {file.name}")
                of_file = measure(measured, file_embedder(file.read_bytes()))
                found[f"{SPLIT}, {precision} file"] = manifest_metrics(
                    of_file, results, "as trained"
                )
        return found

    return export.write(
        target,
        about(model, metrics, facts, command),
        export.Endpoints(model),
        {
            name: np.resize(scene(name, seed=0, duration_s=5.0).samples, CLIP)
            for name in GOLDEN_SCENES
        },
        export.ExportOptions(
            examples=measured.known[:: len(measured.known) // 64],
            front=last_float_layer_of(model),
            evaluate=evaluate,
        ),
        progress=say,
    )


def about(
    model: keras.Model, metrics: dict[str, Any], facts: dict[str, Any], command: str
) -> export.About:
    """Entries of the manifest."""
    width = model.output["embedding"].shape[-1]
    front_end = front_end_of(model)
    return export.About(
        name=NAME,
        task="embedding of sound",
        description=f"{EMBEDDING_NETWORK}: from 5 s of sound to {width} numbers whose cosine says "
        "how alike two sounds are, front end inside; gain and silence at the ends do not count. "
        "Distilled from the embedding of YAMNet without labels. `zoo teach` puts a classifier of "
        "your own sounds on it.",
        quantities={
            "waveform": (
                Quantity("waveform", "1", f"sound in [-1, 1] at {front_end.sample_rate_hz:g} Hz"),
            ),
            "embedding": tuple(
                Quantity(f"e{k}", "-", f"component {k} of the teacher's embedding, partly whitened")
                for k in range(width)
            ),
        },
        metrics=metrics,
        limits=[
            "ESC-50's fold 4, and with it ESC-10's, was in no part of the training; recordings "
            "that stand in both corpora were left out of UrbanSound8K.",
            "Whitening and penalty of the linear head were chosen on the teacher's embedding of "
            "ESC-10's folds 1 to 3; nothing was chosen on fold 4.",
            "The teacher heard the clips as they are, the embedding scales them to one level and "
            "cuts silence at their ends off; that alone may explain where it is above the teacher.",
            "A variant that learnt from synthesis and CC BY sound alone, for commercial use, was "
            "not trained: `python -m recipes.embedding distil --free` would.",
            "Sound above 8 kHz does not count. Speech, music and noises of everyday life were "
            "heard; medical sound, machines under test and animals under water were not.",
        ],
        training={
            "steps": facts["steps"],
            "mixtures_per_step": facts["batch"],
            "seconds": facts["seconds"],
            "minutes_of_sound": facts["minutes"],
            "teacher_variance_explained": facts["explained"],
            "components_trained": 256,
        },
        settings={
            "front_end": dataclasses.asdict(front_end),
            "input_contract": INPUT_CONTRACT,
        },
        licence="LicenseRef-non-commercial",
        data_licence=DATA_LICENCE,
        provenance=f"Made by `{command}`.",
    )
