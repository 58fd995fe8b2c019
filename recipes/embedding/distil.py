"""Distil a teacher into students over a bank of sound."""

import json
import time

import keras
import numpy as np

from recipes.embedding.settings import FREE_LICENCES, KINDS, Settings
from recipes.embedding.students import adapt, build
from zoo.convnets import NETWORKS
from zoo.data.bank import Bank, read_bank, trim_silence
from zoo.distillation import (
    Distiller,
    Mixer,
    MixSettings,
    Projection,
    TimeBudget,
    no_input,
    save_weights,
    teacher_embeddings,
)
from zoo.files import write_text, writing
from zoo.names import graph_name
from zoo.progress import say
from zoo.teachers import load_yamnet

PROJECTION_STEPS, ADAPT_STEPS = 60, 20


def load_bank(settings: Settings) -> Bank:
    """Sound to learn from: ESC-50's fold 4, on which the embedding is measured, is never in it.

    Raises:
        OSError: no bank there.
    """
    bank = Bank.join([read_bank(folder) for folder in settings.bank])
    table = bank.table
    held_out = table["kind"].isin(["esc10", "esc50"]) & (table["fold"] == 4)
    chosen = ~held_out & ~table["kind"].isin(settings.without)
    if settings.free:
        chosen &= table["licence"].isin(FREE_LICENCES)
    return trim_silence(bank.choose(chosen.to_numpy()))


def run(settings: Settings) -> dict[str, keras.Model]:
    """Train and write `NAME.npz` of each student, `projection.npz` and `distil.json`.

    Raises:
        OSError: no bank or teacher there.
        ValueError: a network that is not known.
    """
    unknown = sorted(set(settings.networks.values()) - set(NETWORKS))
    if unknown:
        raise ValueError(
            f"--students: there is no network {', '.join(unknown)}. Expected some of "
            f"{', '.join(NETWORKS)}."
        )
    keras.utils.set_random_seed(settings.seed)
    started = time.monotonic()
    settings.out.mkdir(parents=True, exist_ok=True)
    bank = load_bank(settings)
    samples = bank.table["length"].to_numpy()
    kinds_of = bank.table["kind"].to_numpy()
    minutes = {
        str(kind): float(samples[kinds_of == kind].sum()) / 16_000 / 60
        for kind in np.unique(kinds_of)
    }
    say(f"bank: {', '.join(f'{k} {v:.0f} min' for k, v in minutes.items())}")
    kinds = {kind: KINDS[kind] for kind in KINDS if kind in set(bank.table["kind"])}
    mixer = Mixer(bank, MixSettings(settings.samples, kinds), seed=settings.seed)
    teacher = load_yamnet(settings.teacher, settings.samples)
    small = settings.steps < 10  # a trial run
    projection = Projection.fit(
        teacher_embeddings(mixer, teacher, settings.batch, 6 if small else PROJECTION_STEPS),
        settings.width,
        settings.whitening,
    )
    with writing(settings.out / "projection.npz") as path:
        np.savez(path, mean=projection.mean, matrix=projection.matrix)
    say(f"projection: {projection.explained:.1%} of the teacher's variance")
    students = {}
    for number, (name, network) in enumerate(settings.networks.items()):
        keras.utils.set_random_seed(settings.seed + number)
        student = build(network, settings.width, settings.samples, name=graph_name(name))
        adapt(student, mixer, settings.batch, 2 if small else ADAPT_STEPS)
        students[name] = student
        say(f"{name}: {network}, {student.count_params():,} parameters")
    distiller = Distiller(mixer, teacher, students, projection, batch=settings.batch)
    optimizer = keras.optimizers.AdamW(
        settings.learning_rate, weight_decay=0.01, global_clipnorm=1.0
    )
    distiller.compile(optimizer, jit_compile=False)

    def save() -> None:
        for name, student in students.items():
            save_weights(student, settings.out / f"{name}.npz")

    budget = TimeBudget(settings.seconds, settings.learning_rate, save, name="distil")
    distiller.fit(
        no_input(),
        epochs=1_000_000,
        steps_per_epoch=settings.steps,
        callbacks=[budget],
        verbose=0,
        shuffle=False,
    )
    facts = {
        "seconds": settings.seconds,
        "steps": budget.steps,
        "batch": settings.batch,
        "minutes": minutes,
        "losses": budget.losses,
        "explained": projection.explained,
        "total_s": time.monotonic() - started,
    }
    write_text(settings.out / "distil.json", json.dumps(facts))
    say(f"distilled: {budget.steps} steps in {facts['total_s']:.0f} s")
    return students
