"""Training, validation and test splits of one material, simulated or measured."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zoo.data import hysteresis, measured
from zoo.data.broad import AMPLITUDES, HOLDS_S, RATES, STEPS_S
from zoo.data.changed_loading import changed_loading
from zoo.data.loading import DT_RANGE, STEPS
from zoo.data.long_tests import WARMUP, WINDOW, WINDOW_ABOVE, cut_windows, thin_out
from zoo.data.maxwell import Material
from zoo.data.probes import TrainedRange
from zoo.data.split import Split
from zoo.progress import say
from zoo.stress.checks import at_limit, check_response, stress_controlled

TEST_SEED = 10_000  # test paths are the same whatever the seed of training
HELD_OUT, CHOSEN_BY = "held out", "validation"  # names of splits of a measured test
MIN_SPECIMENS_TO_CHOOSE = 5  # of fewer, every one is needed to train on
REFINEMENT = 8  # factor by which the time step is cut to measure self-consistency


@dataclass(frozen=True)
class Experiment:
    """Data of one material, and what its manifest states about them.

    Attributes:
        train: paths to train on.
        validation: paths that choose the weights of the best epoch; not trained on.
        tests: split name -> paths to score. Of a measured test, `HELD_OUT` neither trained the
            weights nor chose them.
        cycle: one path, for figures of the states inside a network.
        shown: names of the splits whose loops are drawn.
        refinement: the same paths at dt and at dt / `REFINEMENT`; None where there is no simulator.
        material: constants of the true law, for the manifest; empty where it is not known.
        limits: sentences on what a model trained on these data must not be used for.
        trained_range: stated in the manifest; None: read off the training paths.
        changed: what was changed in the loading -> paths to score, see `zoo.data.changed_loading`;
            empty where there is no simulator.
        windows: training and validation paths that networks are fitted to, where those of the test
            are long; None: the paths themselves.
        data_licence: of measured data, with its source; None: not known, or simulated.
    """

    train: Split
    validation: Split
    tests: dict[str, Split]
    cycle: Split
    shown: tuple[str, ...]
    refinement: tuple[Split, Split] | None
    material: dict[str, Any]
    limits: list[str]
    trained_range: TrainedRange | None = None
    changed: Mapping[str, Split] = field(default_factory=dict)
    data_licence: str | None = None
    windows: tuple[Split, Split] | None = None

    @property
    def fitted(self) -> tuple[Split, Split]:
        """Training and validation paths that networks are fitted to."""
        return self.windows or (self.train, self.validation)

    @property
    def held_out(self) -> Split:
        """Paths like those of training that did not train the weights.

        Of measured tests they did not choose them either; simulated validation paths are many.
        """
        return self.tests.get(HELD_OUT, self.validation)

    @property
    def stress_unit(self) -> str:
        """Unit of the stress."""
        return self.train.targets[0].unit


def simulated_experiment(
    material: Material = Material(),
    *,
    loading: str = "walk",
    dt_range: tuple[float, float] | None = None,
    paths: int = 8000,
    test_paths: int = 300,
    seed: int = 0,
) -> Experiment:
    """Paths of the power-law Maxwell solid, and the protocol's splits to test on.

    Args:
        material: constants of the solid.
        loading: family of the training paths, "walk", "broad" or "broad+staircase"; see
            `zoo.data.broad`.
        dt_range: train on time steps [s] that vary within a path over this range; None: one time
            step a path, from `zoo.data.loading.DT_RANGE`.
        paths: to train on.
        test_paths: of the validation split and of each test split.
        seed: of the training paths; the validation paths take the next one.
    """
    family = "varied" if dt_range else loading
    dt_range = dt_range or (STEPS_S if loading in hysteresis.WEIGHTED else DT_RANGE)
    train, validation = (
        hysteresis.split(family, paths=count, seed=seed + k, dt_range=dt_range, material=material)
        for k, count in enumerate((paths, test_paths))
    )
    return Experiment(
        train=train,
        validation=validation,
        tests=hysteresis.protocol(paths=test_paths, seed=TEST_SEED, material=material),
        cycle=hysteresis.cycle(material=material),
        shown=("walk", "triangle", "sine", "relaxation", "multirate", "coarse"),
        refinement=hysteresis.refinement(
            paths=test_paths, seed=TEST_SEED, factor=REFINEMENT, material=material
        ),
        material=dataclasses.asdict(material),
        limits=[
            "Trained on one simulated material, in one dimension; not on measured data.",
            _range_of(loading, dt_range),
        ],
        trained_range=TrainedRange(STEPS, AMPLITUDES[1], RATES, dt_range)
        if loading in hysteresis.WEIGHTED
        else None,
        changed=changed_loading(material, paths=min(100, test_paths)),
    )


def _range_of(loading: str, dt_range: tuple[float, float]) -> str:
    """Sentence on the loading that a model was trained on."""
    if loading in hysteresis.WEIGHTED:
        steps = " Every third path is a staircase." if loading == hysteresis.WITH_STAIRCASE else ""
        return (
            f"Trained on strain amplitudes {AMPLITUDES[0]:g} to {AMPLITUDES[1]:g}, rates "
            f"{RATES[0]:g} to {RATES[1]:g} /s, time steps {dt_range[0]:g} to {dt_range[1]:g} s "
            f"that vary within a path, and holds of {HOLDS_S[0]:g} to {HOLDS_S[1]:g} s.{steps}"
        )
    return (
        f"Trained on strain within ±2, rates 0.2 to 8 /s and time steps {dt_range[0]:g} to "
        f"{dt_range[1]:g} s. Beyond these the error grows: see the splits multirate, fine "
        "and coarse."
    )


def measured_experiment(data: Split, seed: int = 0) -> Experiment:
    """A measured test in three parts: to train on, to choose the weights by, to report errors of.

    A fifth of the specimens is held out, of a single specimen its last fifth. Of the rest a fifth
    chooses the weights: whole specimens, or of fewer than `MIN_SPECIMENS_TO_CHOOSE` their last
    fifths.

    Args:
        data: from `zoo.data.measured.read_csv`.
        seed: of the choice of specimens.

    Raises:
        ValueError: a part in which the stress of a specimen is zero or constant.
    """
    thinned = thin_out(data)
    data = thinned.data
    if len(set(data.groups)) > 1:
        rest, held_out = measured.split_by_group(data, (0.8, 0.2), seed)
        checked = f"errors are of {_specimens(held_out)} that did neither"
    else:
        rest, held_out = measured.split_by_time(data, 0.8)
        checked = (
            "errors are of its last fifth: how the model does on another specimen is not known"
        )
    if len(set(rest.groups)) >= MIN_SPECIMENS_TO_CHOOSE:
        train, validation = measured.split_by_group(rest, (0.8, 0.2), seed)
        chosen = f"{_specimens(validation)} chose the weights"
    else:
        train, validation = measured.split_by_time(rest, 0.8)
        chosen = "the last fifth of their rows chose the weights"
    limits = [f"Trained on {_specimens(train)}; {chosen}; {checked}."]
    if thinned.sentence:
        limits.append(f"{thinned.sentence}.")
    windows = None
    if data.x.shape[1] > WINDOW_ABOVE:
        windows = cut_windows(train), cut_windows(validation)
        limits.append(
            f"Networks were trained on {len(windows[0].x)} windows of {WINDOW} rows; the first "
            f"{WARMUP} rows of a window build up the states and do not count, so memory of more "
            f"than {WARMUP} rows is not learnt."
        )
    for line in limits:
        say(line)
    for part, name in ((train, "training"), (validation, "validation"), (held_out, "held-out")):
        check_response(part, name)
    if creeping := stress_controlled(data):
        of = f" of {', '.join(creeping)}" if any(creeping) else ""
        limits.append(
            f"The stress{of} was held while strain went on changing (stress-controlled, creep): a "
            "model of stress from strain is hardly tested by that."
        )
        say(f"warning: {limits[-1]}")
    for clause in at_limit(data):
        limits.append(f"{clause[0].upper()}{clause[1:]}.")
        say(f"warning: {clause}")
    return Experiment(
        train=train,
        validation=validation,
        tests={"train": train, CHOSEN_BY: validation, HELD_OUT: held_out},
        cycle=data.select([0]),
        shown=("train", HELD_OUT),
        refinement=None,
        material={},
        limits=limits,
        windows=windows,
    )


def _specimens(data: Split) -> str:
    count = len(set(data.groups))
    return f"{count} specimen{'s' if count > 1 else ''}"
