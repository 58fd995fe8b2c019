"""Synthetic solids and liquids with noise: which law does the comparison choose?"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from recipes.benchmarks.identification_coverage.experiment import publish_table
from recipes.benchmarks.identification_coverage.settings import Settings
from zoo.data.hysteresis import INPUTS, TARGETS
from zoo.data.loading import integrate
from zoo.data.split import Split
from zoo.identification.candidates import (
    CANDIDATES,
    Candidate,
    best_contained,
    candidate_preset,
)
from zoo.identification.fit import Search
from zoo.identification.proposal import (
    RankedLaw,
    choose_law,
    held_out_folds,
    validate_response,
)
from zoo.identification.response import Response
from zoo.report import Column, Table

# Viscous laws of `zoo identify` but for learnt curves, which take a minute each; the friction and
# large springs that it tries besides describe none of these materials.
LAWS = tuple(each for each in CANDIDATES if each.law != "relaxation")
STARTS = 2  # first guesses of a law
DT_S, STEPS = 0.1, 240
TIMES_S = (0.3, 4.0)  # of a relaxation
MIN_RATIO = 8.0  # of two relaxation times
SHARES = (0.25, 0.75)  # of the first of two branches
SPRING = (0.1, 0.5)  # of a solid's equilibrium modulus, share of all


@dataclass(frozen=True)
class LinearMaterial:
    """A generalised Maxwell material.

    Attributes:
        moduli: of the branches [MPa].
        times_s: of the branches [s].
        spring: equilibrium modulus [MPa]; 0 for a liquid.
    """

    moduli: tuple[float, ...]
    times_s: tuple[float, ...]
    spring: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "LinearMaterial":
        """One or two branches, a liquid or a solid, with equal chances."""
        spring = rng.uniform(*SPRING) if rng.random() < 0.5 else 0.0
        low, high = np.log(TIMES_S)
        if rng.random() < 0.5:
            return cls((1.0 - spring,), (float(np.exp(rng.uniform(low, high))),), spring)
        first = rng.uniform(low, high - np.log(MIN_RATIO))
        second = rng.uniform(first + np.log(MIN_RATIO), high)
        share = rng.uniform(*SHARES)
        moduli = tuple((1.0 - spring) * each for each in (share, 1 - share))
        return cls(moduli, (float(np.exp(first)), float(np.exp(second))), spring)

    def stress(self, strain: np.ndarray, rate: np.ndarray, dt: np.ndarray) -> np.ndarray:
        """Exact for piecewise-linear strain: h' = e^(−Δt/τ) h + E τ (1 − e^(−Δt/τ)) ε̇.

        Args:
            strain: at the end of each step, (steps,).
            rate: of each step, (steps,).
            dt: of each step [s], (steps,).
        """
        total = self.spring * strain
        for modulus, tau in zip(self.moduli, self.times_s, strict=True):
            h, history = 0.0, []
            for speed, step in zip(rate, dt, strict=True):
                kept = np.exp(-step / tau)
                h = kept * h + modulus * tau * (1 - kept) * speed
                history.append(h)
            total = total + np.array(history)
        return total


def loading(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ramps of random rate to random strains with holds between; strain, rate, dt, (steps,)."""
    rng = np.random.default_rng(seed)
    rate = np.zeros(STEPS)
    position, at = 0.0, 0
    while at < STEPS:
        target = rng.uniform(-1, 1)
        speed = np.exp(rng.uniform(np.log(0.1), np.log(3.0)))
        steps = max(1, round(abs(target - position) / speed / DT_S))
        steps = min(steps, STEPS - at)
        rate[at : at + steps] = (target - position) / (steps * DT_S)
        position, at = target, at + steps + (int(rng.integers(5, 30)) if rng.random() < 0.5 else 0)
    dt = np.full(STEPS, DT_S)
    return integrate(rate[None], dt[None]).strain[0], rate, dt


def run(settings: Settings) -> None:
    """Compare the laws on every material; print the shares that were told right, and publish."""
    strain, rate, dt = loading(settings.seed)
    x = np.stack([strain, rate, dt], axis=-1)[None].astype(np.float32)
    empty = Split("made", x, np.zeros((1, STEPS, 1), np.float32), INPUTS, TARGETS, np.array([""]))
    rng = np.random.default_rng(settings.seed)
    folds = list(held_out_folds(empty))
    responses: dict[Candidate, tuple[Response, np.ndarray]] = {}
    pairs: list[tuple[Candidate, Candidate]] = []
    begin = time.perf_counter()
    for number in range(settings.materials):
        material = LinearMaterial.draw(rng)
        y = material.stress(*(x[0, :, k].astype(np.float64) for k in range(3)))
        y += settings.noise * np.sqrt(np.mean(y**2)) * rng.normal(size=STEPS)
        data = replace(empty, y=y[None, :, None].astype(np.float32))
        truth = Candidate("solid" if material.spring else "prony", len(material.moduli))
        pairs.append((truth, choose(data, responses, folds)))
        if (number + 1) % 20 and number + 1 < settings.materials:
            continue
        seconds = (time.perf_counter() - begin) / (number + 1)
        table = choice_table(pairs, settings)
        print(f"{table.text()}\n{number + 1} materials, {seconds:.1f} s each", flush=True)
        if settings.publish:
            publish_table(table, "law_choice.md", settings)


def choice_table(pairs: Sequence[tuple[Candidate, Candidate]], settings: Settings) -> Table:
    """A row for each true law and one for all: shares that were told right, and mistakes.

    Args:
        pairs: the true law and the chosen one.
        settings: of the run.
    """
    rows: list[list[str | int | float]] = []
    for name in (*sorted({truth.name for truth, _ in pairs}), "all"):
        own = [pair for pair in pairs if name in (pair[0].name, "all")]
        wrong = Counter(chosen.name for truth, chosen in own if chosen != truth)
        mistakes = "; ".join(f"{count} {law}" for law, count in wrong.most_common())
        kinds = float(np.mean([_kind(chosen) == _kind(truth) for truth, chosen in own]))
        counts = [(chosen.branches or 1) == truth.branches for truth, chosen in own]
        branches = float(np.mean(counts))
        rows.append([name, len(own), kinds, branches, "" if name == "all" else mistakes])
    candidates = ", ".join(each.name for each in LAWS)
    return Table(
        [
            Column("true law"),
            Column("materials", number=",d"),
            Column("solid or liquid right", number=".1%"),
            Column("branches right", number=".1%"),
            Column("taken for"),
        ],
        rows,
        f"Tests of {STEPS} rows of {DT_S:g} s, ramps and holds, noise of {settings.noise:g} of the "
        f"RMS stress; relaxation times of {TIMES_S[0]:g} to {TIMES_S[1]:g} s, two of them at least "
        f"{MIN_RATIO:g} times apart, the weaker of two branches with a quarter of the modulus or "
        f"more; equilibrium modulus of a solid {SPRING[0]:g} to {SPRING[1]:g} of all. Chosen among "
        f"{candidates} by the rule of `zoo identify`.",
    )


def _kind(law: Candidate) -> str:
    return "solid" if law.law in ("solid", "power-solid") else "liquid"


def choose(
    data: Split,
    responses: dict[Candidate, tuple[Response, np.ndarray]],
    folds: Sequence[np.ndarray],
) -> Candidate:
    """The law that `zoo.identification.proposal.propose` would choose.

    Args:
        data: the test.
        responses: candidate -> compiled response and first guesses; filled on first use.
        folds: what is held out.
    """
    ranked: list[RankedLaw] = []
    for candidate in LAWS:
        if candidate not in responses:
            model = candidate_preset(candidate, data).build(data.x, data.y, None)
            response = Response(model, data.x)
            responses[candidate] = response, response.start()
        response, first = responses[candidate]
        response.set_model_weights(first)
        contained = best_contained(response, data.y, [each.law for each in ranked])
        search = Search(STARTS, contained=contained)
        ranked.append(validate_response(candidate, response, data, folds, search))
    ranked.sort(key=lambda each: each.held_out)
    return choose_law(ranked).law.candidate
