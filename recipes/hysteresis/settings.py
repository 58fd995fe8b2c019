"""Settings of one run."""

from dataclasses import dataclass
from pathlib import Path

from zoo.data.columns import Columns
from zoo.runs import RunPaths


@dataclass(frozen=True)
class Settings:
    """What is trained, on what, for how long, and where the results go.

    Attributes:
        cell: "rnn", "gru" or "lstm".
        layers: recurrent layers on top of each other.
        units: width of each state.
        epochs: of 250 batches each.
        learning_rate: at its peak.
        modulus_mpa: E of the simulated material [MPa].
        nu0_s: its ν0 [s].
        sigma0_mpa: its σ0 [MPa].
        exponent: its m [-].
        loading: "walk", one amplitude and one time step a path, "broad" or "broad+staircase", see
            `zoo.data.broad`.
        dt_range: train on time steps [s] that vary within a path over this range; None: one time
            step a path.
        csv: measured tests to train on instead of simulated paths, other specimens in each file.
        columns: of those files.
        cycles: start-up cycles put before each measured specimen, see `zoo.data.measured`.
        weights: network of `recipes.hysteresis.train_on_gpu` to score and export; None: train.
        start: network of the same, or folder of a saved model, to go on training from; None:
            initial weights.
        baseline_weights: SimpleRNN of the same, with the same budget; None: train one.
        seed: of data, weights and batches.
        quick: a smoke run: little data, two short epochs.
        force: export a model that is worse than its simplest baseline.
        checkpoint: file to continue from if it is there, and to save to after every epoch.
        out: folder of report and model; None: runs/NAME.
        publish: whether the model goes to saved_models/NAME.
        command: that repeats the run, for report and card.
    """

    cell: str = "lstm"
    layers: int = 2
    units: int = 32
    epochs: int = 28
    learning_rate: float = 5e-3
    modulus_mpa: float = 1.0
    nu0_s: float = 1.0
    sigma0_mpa: float = 1.0
    exponent: float = 3.0
    loading: str = "walk"
    dt_range: tuple[float, float] | None = None
    csv: tuple[Path, ...] = ()
    columns: Columns = Columns()
    cycles: int = 0
    weights: Path | None = None
    start: Path | None = None
    baseline_weights: Path | None = None
    seed: int = 0
    quick: bool = False
    force: bool = False
    checkpoint: Path | None = None
    out: Path | None = None
    publish: bool = False
    command: str = "python -m recipes.hysteresis"

    @property
    def name(self) -> str:
        """Name of the model; runs on other data and smoke runs have other names."""
        source = self.csv[0].stem if self.csv else "hysteresis"
        name = f"{source}-{self.cell}" + ("-wide" if self.dt_range else "")
        return f"{name}-quick" if self.quick else name

    @property
    def paths(self) -> RunPaths:
        """Where report and model go."""
        return RunPaths(self.name, self.out, self.publish)
