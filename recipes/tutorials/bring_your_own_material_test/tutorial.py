"""Tutorial: from a CSV file of a testing machine to an identified law and an exported network.

Run it with `python -m recipes.tutorials.bring_your_own_material_test`; it takes one to two minutes,
prints its results and writes its files to runs/tutorials/bring_your_own_material_test/. Read it
from top to bottom: every section is one function, and `run` at the end calls them in this order.

To use a test of your own, skip section 1 and give your file to section 2. The same steps from the
command line are `zoo identify --csv FILE` and `python -m recipes.hysteresis --csv FILE`.
"""

import csv
import io
from pathlib import Path

import keras
import numpy as np
from matplotlib.figure import Figure

import zoo
from recipes.tutorials.common import save_figure
from zoo import plots, presets
from zoo.data import hysteresis, measured
from zoo.data.columns import Columns
from zoo.data.maxwell import Material, stress_response
from zoo.files import write_text
from zoo.identification.fit import Identification, Search, identify
from zoo.identification.measured import identification_text
from zoo.progress import say
from zoo.recurrent import plain_model, predictor
from zoo.stress.experiment import Experiment, measured_experiment
from zoo.stress.exporting import export_stress_model
from zoo.stress.fitting import fit_model
from zoo.stress.scoring import fit_laws, score_all, score_table
from zoo.stress.trained import TrainedModel
from zoo.training import Budget

NAME = "bring_your_own_material_test"
TRUE = Material(modulus_mpa=12.0, nu0_s=2.0, sigma0_mpa=1.0, exponent=2.0)
SPECIMENS, ROWS, DT_S = 12, 300, 0.05
STRAIN_SCALE = 0.1  # of the simulated paths: strains up to 0.2
NOISE = 0.01  # standard deviation of the force sensor, share of the RMS stress

# 1. The file
# -----------
# A testing machine writes one row per sample: time, strain, stress, and here the number of the
# specimen. We simulate twelve specimens of a rubber-like material, each strained at random and
# sampled at 20 Hz, and add 1 % of noise to the stress, as a force sensor would. Network and
# identification get nothing but this file; we know the constants of the material, and can check.


def write_test_file(path: Path) -> None:
    """A CSV file as a testing machine would write it."""
    loading = hysteresis.load("walk", paths=SPECIMENS, seed=7, steps=ROWS, dt_range=(DT_S, DT_S))
    rate = STRAIN_SCALE * loading.rate
    stress = stress_response(rate, loading.dt, TRUE)
    noise = np.random.default_rng(0).normal(size=stress.shape)
    stress = stress + NOISE * np.sqrt(np.mean(stress**2)) * noise
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["specimen", "time_s", "strain", "stress_mpa"])
    for specimen in range(SPECIMENS):
        time_s, strain = np.cumsum(loading.dt[specimen]), np.cumsum((rate * loading.dt)[specimen])
        writer.writerow([specimen, "0", "0", "0"])  # at rest
        for row in zip(time_s, strain, stress[specimen], strict=True):
            writer.writerow([specimen, *(f"{value:.6g}" for value in row)])
    write_text(path, text.getvalue())
    print(f"{path}: {SPECIMENS} specimens, {ROWS} rows each")


# 2. Reading it
# -------------
# `read_csv` finds columns by their usual names, takes the unit from the name (`stress_mpa`), and
# checks what usually goes wrong: times that run backwards, decimal commas, missing values, units
# that are not seconds. Every specimen becomes one path of (strain, rate, Δt) and stress.
#
# Specimens, not rows, are held out: neighbouring rows are nearly equal, so a random split of rows
# would test the model on what it was trained on. Of twelve specimens two are held out, two others
# choose the epoch whose weights are kept, and eight are trained on.


def read_test(path: Path) -> Experiment:
    """The test as training, validation and held-out specimens."""
    data = measured.read_csv(path, Columns(group="specimen"))
    experiment = measured_experiment(data, seed=1)
    train, validation, held_out = experiment.train, experiment.validation, experiment.held_out
    print(f"x {data.x.shape}, y {data.y.shape}, stress in {data.targets[0].unit}")
    print(f"training specimens: {', '.join(map(str, train.groups))}")
    print(f"choosing the weights: {', '.join(map(str, validation.groups))}")
    print(f"held out: {', '.join(map(str, held_out.groups))}")
    return experiment


# 3. A law with three constants
# -----------------------------
# If the form of the law is known, a least-squares fit is the best model there is. It gives every
# constant with a 95 % interval, and warns of constants that the test does not determine. The power
# law has E [MPa], m [-] and κ = ν0 σ0^(m−1); of ν0 and σ0 a test determines this product only.


def identify_law(experiment: Experiment, folder: Path, quick: bool) -> keras.Model:
    """The power-law Maxwell solid, fitted to the training specimens."""
    train = experiment.train
    model = presets.material("maxwell").build(train.x, train.y, train.weight)
    search = Search(starts=1 if quick else 3)
    result = identify(model, train.x, train.y, train.weight, unit="MPa", search=search, say=say)
    print(identification_text(result))
    print(f"true: E = {TRUE.modulus_mpa} MPa, m = {TRUE.exponent}, κ = {TRUE.kappa} s MPa^(m−1)")
    save_figure(draw_fit(experiment, result), folder / "1_identified_law.png")
    return model


def draw_fit(experiment: Experiment, result: Identification) -> Figure:
    """Measured and fitted stress of the first training specimen."""
    train = experiment.train
    rows = slice(None) if train.weight is None else train.weight[0] > 0
    return plots.identified_fit(
        np.cumsum(train.x[0, rows, 2]),
        train.x[0, rows, 0],
        train.y[0, rows, 0],
        result.fitted[0, rows],
        strain_label="strain ε [-]",
    )


# 4. A network, for when the law is not known
# -------------------------------------------
# An LSTM needs no law, but data: it must learn from eight short tests what the fit above assumes.
# The preset standardizes inputs and stress with the statistics of the training specimens. The
# weights of the epoch with the lowest validation loss are kept.
#
# All specimens were sampled at 20 Hz, so this network has learnt that time step and no other. If
# yours will be used at others, record the tests at several rates.


def train_network(experiment: Experiment, folder: Path, quick: bool) -> TrainedModel:
    """A small LSTM, scored on training and held-out specimens beside simple laws."""
    train = experiment.train
    keras.utils.set_random_seed(0)
    preset = presets.recurrent("lstm", layers=1, units=16)
    model = preset.build(train.x, train.y, train.weight)
    budget = Budget(epochs=2 if quick else 20, steps_per_epoch=2 if quick else 40)
    history = fit_model(model, train, experiment.validation, budget)
    curves = {"loss": history.loss, "val_loss": history.val_loss}
    save_figure(plots.learning_curves(curves, loss_label="nRMSE² [-]"), folder / "2_training.png")
    print(f"best epoch: {history.best_epoch + 1} of {len(history.loss)}")
    scores = score_all("LSTM", predictor(model), fit_laws(train), experiment)
    return TrainedModel(
        model, preset.description, experiment, scores, f"python -m recipes.tutorials.{NAME}"
    )


# 5. Comparison
# -------------
# Only the held-out specimens count. The identified law is at the level of the noise, 1 %. The
# network comes next, well before laws of another form, elastic and linear Maxwell; with more
# specimens it gets closer. So use a law where you know one, and a network where you do not.


def compare_models(law: keras.Model, network: TrainedModel, folder: Path) -> None:
    """Table of errors on every split, and the loop of one held-out specimen."""
    experiment = network.experiment
    held_out = experiment.held_out
    predict_law = predictor(law)
    scores = score_all("identified law", predict_law, {}, experiment) | dict(network.scores)
    print(score_table(scores).text())
    predictions = {
        "identified law": predict_law(held_out.x),
        "LSTM": predictor(network.model)(held_out.x),
    }
    loops = {
        name: plots.Loop(held_out.x[0, :, 0], held_out.y[0, :, 0], predicted[0, :, 0])
        for name, predicted in predictions.items()
    }
    figure = plots.loops(loops, truth="measured", strain_label="strain ε [-]")
    save_figure(figure, folder / "3_held_out_specimen.png")


# 6. Export
# ---------
# One call writes the model in every format, with a manifest (what goes in, what comes out, units,
# limits, metrics), a card for people, and hashes of all files. Each format is checked in a fresh
# process before the folder appears. `zoo.load` opens any of them; an app can do without this
# package, see recipes/app.


def export_and_load(network: TrainedModel, folder: Path) -> None:
    """Write the model folder, and predict the held-out specimen with two of its formats."""
    path = folder / "model"
    export_stress_model(
        path,
        "my-material",
        network,
        training={"seed": 0},
        limits=["Trained in a tutorial, on simulated tests of one material."],
        portable=plain_model(network.model),
    )
    held_out = network.experiment.held_out.x
    expected = predictor(network.model)(held_out)
    for kind in ("keras", "saved_model"):
        predicted = zoo.load(path, kind).predict(x=held_out)["prediction"]
        difference = np.abs(predicted - expected).max()
        print(f"{kind}: largest difference {difference:.1e} MPa")
        assert difference < 1e-4 * np.abs(expected).max()
    print(f"model: {path}; its card: {path / 'CARD.md'}")


def run(folder: Path, quick: bool = False) -> None:
    """The tutorial.

    Args:
        folder: folder of the files.
        quick: whether to train hardly at all, as a smoke test.
    """
    write_test_file(folder / "test.csv")
    experiment = read_test(folder / "test.csv")
    law = identify_law(experiment, folder, quick)
    network = train_network(experiment, folder, quick)
    compare_models(law, network, folder)
    if not quick:  # the conversion to all formats takes longer than a smoke test may
        export_and_load(network, folder)
