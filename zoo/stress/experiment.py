"""Training, validation and test splits of one material, simulated or measured."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zoo.data import hysteresis, measured
from zoo.data.broad import AMPLITUDES, HOLDS_S, RATES, STEPS_S
from zoo.data.changed_loading import changed_loading
from zoo.data.loading import DT_RANGE, STEPS
from zoo.data.maxwell import Material
from zoo.data.probes import TrainedRange
from zoo.data.split import Split
from zoo.progress import say
from zoo.stress.checks import check_response, stress_controlled

TEST_SEED = 10_000  # test paths are the same whatever the seed of training
REFINEMENT = 8  # factor by which the time step is cut to measure self-consistency


@dataclass(frozen=True)
class Experiment:
    """Data of one material, and what its manifest states about them.

    Attributes:
        train: paths to train on.
        validation: paths that choose the weights.
        tests: split name -> paths to score.
        cycle: one path, for figures of the states inside a network.
        shown: names of the splits whose loops are drawn.
        refinement: the same paths at dt and at dt / `REFINEMENT`; None where there is no simulator.
        material: constants of the true law, for the manifest; empty where it is not known.
        limits: sentences on what a model trained on these data must not be used for.
        trained_range: stated in the manifest; None: read off the training paths.
        changed: what was changed in the loading -> paths to score, see `zoo.data.changed_loading`;
            empty where there is no simulator.
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
        loading: family of the training paths, "walk" or "broad"; see `zoo.data.broad`.
        dt_range: train on time steps [s] that vary within a path over this range; None: one time
            step a path, from `zoo.data.loading.DT_RANGE`.
        paths: to train on.
        test_paths: of the validation split and of each test split.
        seed: of the training paths; the validation paths take the next one.
    """
    family = "varied" if dt_range else loading
    dt_range = dt_range or (STEPS_S if loading == "broad" else DT_RANGE)
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
        if loading == "broad"
        else None,
        changed=changed_loading(material, paths=min(100, test_paths)),
    )


def _range_of(loading: str, dt_range: tuple[float, float]) -> str:
    """Sentence on the loading that a model was trained on."""
    if loading == "broad":
        return (
            f"Trained on strain amplitudes {AMPLITUDES[0]:g} to {AMPLITUDES[1]:g}, rates "
            f"{RATES[0]:g} to {RATES[1]:g} /s, time steps {dt_range[0]:g} to {dt_range[1]:g} s "
            f"that vary within a path, and holds of {HOLDS_S[0]:g} to {HOLDS_S[1]:g} s."
        )
    return (
        f"Trained on strain within ±2, rates 0.2 to 8 /s and time steps {dt_range[0]:g} to "
        f"{dt_range[1]:g} s. Beyond these the error grows: see the splits multirate, fine "
        "and coarse."
    )


def measured_experiment(data: Split, seed: int = 0) -> Experiment:
    """A fifth of the specimens held out, or the last fifth of a single specimen.

    Args:
        data: from `zoo.data.measured.read_csv`.
        seed: of the choice of specimens.

    Raises:
        ValueError: a part in which the stress of a specimen is zero or constant.
    """
    if len(data.x) > 1:
        train, validation = measured.split_by_group(data, (0.8, 0.2), seed)
        limits = [f"Trained on {len(train.x)} specimens, checked on {len(validation.x)} others."]
    else:
        train, validation = measured.split_by_time(data, 0.8)
        limits = [
            "Trained on the first part of one specimen, checked on the rest of the same one: how "
            "it does on another specimen is not known."
        ]
        say(
            "one specimen: its last fifth is held out; with more specimens, whole ones would be, "
            "which shows more"
        )
    check_response(train, "training")
    check_response(validation, "held-out")
    if creeping := stress_controlled(data):
        of = f" of {', '.join(creeping)}" if any(creeping) else ""
        limits.append(
            f"The stress{of} was held while strain went on changing (stress-controlled, creep): a "
            "model of stress from strain is hardly tested by that."
        )
        say(f"warning: {limits[-1]}")
    return Experiment(
        train=train,
        validation=validation,
        tests={"train": train, "held out": validation},
        cycle=data.select([0]),
        shown=("train", "held out"),
        refinement=None,
        material={},
        limits=limits,
    )
