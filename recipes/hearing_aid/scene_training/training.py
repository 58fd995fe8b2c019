"""Training of the causal network on scenes of recordings, for a fixed time, on any backend."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import KerasTensor, ops

from recipes.hearing_aid.classes import CLASSES
from recipes.hearing_aid.scene_bank import pools_bank, scene_sources
from recipes.hearing_aid.scene_mixing import SceneMix, SceneMixer
from zoo.convnets import NETWORKS, sound_model, spectrogram_of, standardize_of
from zoo.data.bank import Bank, read_bank
from zoo.distillation import TimeBudget, load_weights, no_input, save_weights
from zoo.files import write_text
from zoo.progress import say
from zoo.spectrogram import PRESETS, Spectrogram, Standardize

NETWORK = "crnn_hop_wide"
LABEL_SMOOTHING = 0.05
ADAPT_STEPS, TEST_STEPS = 10, 8


def build() -> keras.Model:
    """The network behind its front end, for waveforms of any length."""
    front = [
        Spectrogram(PRESETS["hearing_aid"], name="spectrogram"),
        Standardize(name="standardize"),
    ]
    return sound_model(NETWORKS[NETWORK], front, len(CLASSES), name=NETWORK)


class SceneTrainer(keras.Model):
    """Trains a model of scenes on batches that it draws itself.

    Args:
        mixer: of the scenes.
        model: `waveform` to `probabilities` of every hop.
        batch: scenes of a step.
    """

    def __init__(self, mixer: SceneMixer, model: keras.Model, batch: int) -> None:
        super().__init__(name="scene_trainer")
        self.mixer, self.model, self.batch = mixer, model, batch
        memory = model.get_layer("memory")
        self.rows = keras.Model(model.input, memory.input)  # what the LSTM reads
        self.cell = memory.cell
        self.built = True

    def probabilities(self, x: KerasTensor, training: bool) -> KerasTensor:
        """Probabilities (batch, hops, classes) of waveforms."""
        if keras.backend.backend() != "torch":
            return self.model(x, training=training)["probabilities"]
        hidden = torch_lstm(self.rows(x, training=training), self.cell)
        hidden = self.model.get_layer("dropout")(hidden, training=training)
        return self.model.get_layer("probabilities")(hidden)

    def call(self, x: KerasTensor, training: bool = False) -> KerasTensor:
        """Loss (1, 1) of a new batch; `x` does not matter."""
        waveform, truth = self.mixer.draw(self.batch)
        probabilities = self.probabilities(waveform, training)
        target = ops.one_hot(truth, len(CLASSES))
        target = (1 - LABEL_SMOOTHING) * target + LABEL_SMOOTHING / len(CLASSES)
        loss = -ops.mean(ops.sum(target * ops.log(probabilities + 1e-7), axis=-1))
        return ops.reshape(loss, (1, 1))

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, *args: Any, **kwargs: Any
    ) -> KerasTensor:
        """The loss itself."""
        return ops.sum(y_pred)


def torch_lstm(x: Any, cell: Any) -> Any:
    """Hidden states of an LSTM cell over (batch, time, features) in one operation of torch.

    Keras' order of gates, input, forget, candidate, output, is torch's.
    """
    import torch  # pyright: ignore[reportMissingImports]  # only on that backend

    kernel, recurrent, bias = (
        each.value.T.contiguous() if each.value.ndim == 2 else each.value
        for each in (cell.kernel, cell.recurrent_kernel, cell.bias)
    )
    state = torch.zeros(1, x.shape[0], cell.units, device=x.device, dtype=x.dtype)
    weights = [kernel, recurrent, bias, torch.zeros_like(bias)]
    training = torch.is_grad_enabled()
    hidden, _, _ = torch._VF.lstm(
        x.contiguous(), (state, state), weights, True, 1, 0.0, training, False, True
    )
    return hidden


def load(weights: Path) -> keras.Model:
    """The network with the weights of `hearing.npz`.

    Raises:
        OSError: no such file.
        ValueError: another file, or weights of another network.
    """
    model = build()
    load_weights(model, weights)
    return model


def confusion(trainer: SceneTrainer, steps: int) -> np.ndarray:
    """Hops of each class taken for each class, (classes, classes), over drawn scenes."""
    counts = np.zeros((len(CLASSES), len(CLASSES)), int)
    for _ in range(steps):
        waveform, truth = trainer.mixer.draw(trainer.batch)
        predicted = ops.argmax(trainer.probabilities(waveform, False), axis=-1)
        truth, predicted = (ops.convert_to_numpy(each).ravel() for each in (truth, predicted))
        np.add.at(counts, (truth, predicted), 1)
    return counts


def train(
    banks: Sequence[Path], out: Path, *, seconds: float, batch: int, steps: int, seed: int
) -> keras.Model:
    """Train on recordings that are not held out; write `hearing.npz` and `hearing.json`.

    Args:
        banks: folders of sound banks.
        out: folder.
        seconds: of training.
        batch: scenes of a step.
        steps: of an epoch.
        seed: of weights and scenes.

    Raises:
        OSError: no bank there.
        ValueError: a source without clips.
    """
    keras.utils.set_random_seed(seed)
    out.mkdir(parents=True, exist_ok=True)
    bank = Bank.join([read_bank(folder) for folder in banks])
    small = steps < 10  # a trial run
    sources = {
        name: pools_bank(scene_sources(bank, parts, seed))
        for name, parts in (("train", ("train",)), ("test", ("validation", "test")))
    }
    for part, each in sources.items():
        say(f"{part}: {each.table.groupby('kind')['length'].agg(['size', 'sum']).to_dict()}")
    mixer = SceneMixer(sources["train"], SceneMix(), seed=seed)
    model = build()
    say(f"{NETWORK}: {model.count_params():,} parameters")
    spectrogram = spectrogram_of(model)
    standardize_of(model).adapt(
        [
            ops.convert_to_numpy(spectrogram(mixer.draw(batch)[0]))
            for _ in range(1 if small else ADAPT_STEPS)
        ]
    )
    trainer = SceneTrainer(mixer, model, batch)
    peak = 3e-3
    trainer.compile(
        keras.optimizers.AdamW(peak, weight_decay=0.01, global_clipnorm=1.0), jit_compile=False
    )

    def save() -> None:
        save_weights(model, out / "hearing.npz")

    budget = TimeBudget(seconds, peak, save, name="hearing aid")
    trainer.fit(
        no_input(),
        epochs=1_000_000,
        steps_per_epoch=steps,
        callbacks=[budget],
        verbose=0,
        shuffle=False,
    )
    test = SceneTrainer(SceneMixer(sources["test"], SceneMix(), seed=seed + 1), model, batch)
    counts = confusion(test, 1 if small else TEST_STEPS)
    recalls = counts.diagonal() / np.maximum(1, counts.sum(axis=1))
    facts = {
        "steps": budget.steps,
        "losses": budget.losses,
        "classes": list(CLASSES),
        "held_out_confusion": counts.tolist(),
        "held_out_recall": recalls.tolist(),
    }
    write_text(out / "hearing.json", json.dumps(facts))
    say(f"hearing aid: recall of hops {dict(zip(CLASSES, recalls.round(3), strict=True))}")
    return model
