"""Settings of the experiments."""

from dataclasses import dataclass
from pathlib import Path

from zoo.runs import RunPaths
from zoo.tasks import Workers

BOARD_SETS = ("vhb4910", "steel", "mr_damper", "epoxy", "ferrite_3c90", "bouc_wen")
MATERIAL_MODELS = ("prony", "maxwell", "relaxation", "lmsc", "emsc")
CONTINUOUS_MODELS = ("cfc", "lru", "mingru", "lmu", "cornn")
MODELS = (*MATERIAL_MODELS, *CONTINUOUS_MODELS, "rnn", "gru", "lstm", "convolution", "transformer")


@dataclass(frozen=True)
class TrainSettings:
    """One material model, trained, scored, certified and exported.

    Attributes:
        model: one of `MATERIAL_MODELS` and `CONTINUOUS_MODELS`.
        epochs: of 250 batches each.
        seed: of data, weights and batches.
        quick: a smoke run: little data, two short epochs.
        force: export a model that is worse than its simplest baseline.
        checkpoint: file to continue from if it is there, and to save to after every epoch.
        out: folder of reports and model; None: runs/NAME.
        publish: whether the model goes to saved_models/NAME.
        command: that repeats the run, for report and card.
    """

    model: str
    epochs: int = 24
    seed: int = 0
    quick: bool = False
    force: bool = False
    checkpoint: Path | None = None
    out: Path | None = None
    publish: bool = False
    command: str = "python -m recipes.materials train"

    @property
    def name(self) -> str:
        """Name of the exported model."""
        return f"material-{self.model}" + ("-quick" if self.quick else "")

    @property
    def paths(self) -> RunPaths:
        """Where reports and model go."""
        return RunPaths(self.name, self.out, self.publish)


@dataclass(frozen=True)
class LeaderboardSettings:
    """Every model under one budget, with several seeds.

    Attributes:
        models: some of `MODELS`.
        seeds: trials of each model, from seed 0.
        epochs: of each trial.
        steps_per_epoch: batches in an epoch.
        quick: a smoke run: little data.
        workers: where trials run, each in a process of its own; None: one at a time.
        out: folder of trials, tables and report; None: runs/leaderboard.
        publish: whether the tables and the figure replace those in recipes/benchmarks.
    """

    models: tuple[str, ...] = MODELS
    seeds: int = 5
    epochs: int = 16
    steps_per_epoch: int = 250
    quick: bool = False
    workers: Workers | None = None
    out: Path | None = None
    publish: bool = False

    @property
    def folder(self) -> Path:
        """Folder of trials, tables and report."""
        return RunPaths("leaderboard-quick" if self.quick else "leaderboard", self.out).root

    @property
    def trials(self) -> Path:
        """Folder of the trials under this budget; those under another are not on the same board."""
        quick = "-quick" if self.quick else ""
        return self.folder / f"trials-{self.epochs}x{self.steps_per_epoch}{quick}"


@dataclass(frozen=True)
class BoardSettings:
    """Every law on every measured data set.

    Attributes:
        data: folder of the data sets.
        sets: names, some of `BOARD_SETS`.
        laws: names of presets; none: those that each set names.
        starts: first guesses of each fit.
        out: folder of results and table; None: runs/materials-board.
        publish: whether the table replaces recipes/materials/board.md.
        warm_up: rows of each test that are its given past, neither fitted nor scored.
        steps: batches that a network is trained for on each fold.
    """

    data: Path
    sets: tuple[str, ...] = BOARD_SETS
    laws: tuple[str, ...] = ()
    starts: int = 3
    out: Path | None = None
    publish: bool = False
    warm_up: int = 0
    steps: int = 600

    @property
    def folder(self) -> Path:
        """Where results and table go."""
        return RunPaths("materials-board", self.out).report.parent


@dataclass(frozen=True)
class MeasuredSettings:
    """One law, fitted to the learnt part of a measured data set and exported.

    Attributes:
        data_set: one of `BOARD_SETS`.
        law: name of a preset.
        data: folder of the data sets.
        starts: first guesses.
        out: folder of reports and model; None: runs/NAME.
        publish: whether the model goes to saved_models/NAME.
        command: that repeats the run, for report and card.
        warm_up: rows of each test that are its given past, neither fitted nor scored.
    """

    data_set: str
    law: str
    data: Path
    starts: int = 3
    out: Path | None = None
    publish: bool = False
    command: str = "python -m recipes.materials measured"
    warm_up: int = 0

    @property
    def name(self) -> str:
        """Name of the exported model."""
        return f"material-{self.data_set.replace('_', '-')}"

    @property
    def paths(self) -> RunPaths:
        """Where reports and model go."""
        return RunPaths(self.name, self.out, self.publish)
