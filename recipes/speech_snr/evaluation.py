"""Errors on mixtures of voices and noises that were not trained on, beside plain estimators."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recipes.speech_snr.mixtures import Mixture, MixtureSettings, draw_mixture
from recipes.speech_snr.settings import RANGE_DB, TIME_CONSTANT_S
from recipes.speech_snr.sources import Sources
from recipes.speech_snr.training import truth_of
from zoo.baselines.speech_snr import percentile_snr_db, wada_snr_db
from zoo.data import sound_level
from zoo.data.bank import RATE_HZ
from zoo.data.sound_level import SLOW_S, decibels, running_mean_square
from zoo.data.synthesis.scenes import FULL_SCALE_DB_SPL
from zoo.data.synthesis.seeds import stream
from zoo.metrics.bootstrap import Interval, bootstrap_interval
from zoo.report import Table
from zoo.report.metrics import manifest_metric

Predictor = Callable[[np.ndarray], np.ndarray]  # (samples,) -> (hops, 2)
PLAIN = {
    "quietest tenth of frames": lambda x: percentile_snr_db(x, RATE_HZ),
    "WADA-SNR": wada_snr_db,
}


@dataclass(frozen=True)
class Evaluation:
    """Estimates of a model for mixtures.

    Attributes:
        mixtures: that were estimated.
        estimates: (mixtures, hops, 2).
        truth: likewise.
    """

    mixtures: Sequence[Mixture]
    estimates: np.ndarray
    truth: np.ndarray

    @property
    def counted(self) -> np.ndarray:
        """Hops that count, (mixtures, hops): from 2 s on, with a true ratio of -5 to 20 dB."""
        low, high = RANGE_DB
        snr_db = self.truth[..., 0]
        settled = np.arange(snr_db.shape[1]) >= TIME_CONSTANT_S * RATE_HZ / MixtureSettings().hop
        return (snr_db >= low) & (snr_db <= high) & settled

    def errors(self, output: int) -> np.ndarray:
        """Mean absolute error of each mixture over the hops that count, (mixtures,); NaN: none."""
        error = np.abs(self.estimates[..., output] - self.truth[..., output])
        with np.errstate(invalid="ignore"):
            counts = self.counted.sum(axis=1)
            return (error * self.counted).sum(axis=1) / np.where(counts > 0, counts, np.nan)


def draw_mixtures(
    sources: Sources,
    seed: int,
    name: str,
    count: int,
    change: float,
    seconds: float = MixtureSettings.seconds,
    fall: float = 0.0,
) -> list[Mixture]:
    """Mixtures of one part: the same for the same arguments.

    Args:
        sources: of the part.
        seed: of the run.
        name: of the random stream.
        count: number of mixtures.
        change: share in which the ratio changes.
        seconds: of a mixture.
        fall: share whose level falls.
    """
    rng = stream(seed, name)
    settings = MixtureSettings(seconds=seconds, snr_db=RANGE_DB, change=change, fall=fall)
    return [draw_mixture(sources, rng, settings) for _ in range(count)]


def evaluate(predict: Predictor, mixtures: Sequence[Mixture]) -> Evaluation:
    """Estimates of a model for every hop of the mixtures."""
    estimates = np.stack([predict(each.samples) for each in mixtures])
    return Evaluation(mixtures, estimates, truth_of(list(mixtures)))


def level_baseline(mixture: Mixture) -> np.ndarray:
    """Level without the A-weighting, "slow" [dB SPL], (hops,)."""
    settings = MixtureSettings()
    power = running_mean_square(
        mixture.samples, hop=settings.hop, sample_rate_hz=RATE_HZ, time_constant_s=SLOW_S
    )
    return decibels(power) + FULL_SCALE_DB_SPL


def whole_ratio_db(samples: np.ndarray, snr_db: np.ndarray) -> float:
    """Ratio of a whole recording from those of its hops [dB], from 2 s on.

    See `zoo.data.sound_level.whole_ratio_db`; its power is the running mean of the recording's.

    Args:
        samples: waveform (samples,).
        snr_db: ratio at the end of each hop, (hops,).
    """
    settings = MixtureSettings()
    power = running_mean_square(
        samples, hop=settings.hop, sample_rate_hz=RATE_HZ, time_constant_s=TIME_CONSTANT_S
    )
    first = round(TIME_CONSTANT_S * RATE_HZ / settings.hop)
    return sound_level.whole_ratio_db(power[first : len(snr_db)], snr_db[first:])


def whole_errors(evaluation: Evaluation) -> dict[str, np.ndarray]:
    """Errors of the ratio of whole steady mixtures by estimator, (mixtures,) [dB].

    The network's estimate is `whole_ratio_db` of its hops.
    """
    truth = np.array([each.whole_snr_db for each in evaluation.mixtures])
    pairs = zip(evaluation.mixtures, evaluation.estimates[..., 0], strict=True)
    estimates = {"network": np.array([whole_ratio_db(each.samples, hops) for each, hops in pairs])}
    for name, estimate in PLAIN.items():
        estimates[name] = np.array([estimate(each.samples) for each in evaluation.mixtures])
    estimates["the middle of the range"] = np.full(len(truth), np.mean(RANGE_DB))
    return {name: np.abs(each - truth) for name, each in estimates.items()}


def mean_interval(errors: np.ndarray) -> Interval:
    """Mean error over mixtures with its bootstrap interval; NaN is left out."""
    errors = errors[np.isfinite(errors)]
    return bootstrap_interval(lambda rows: float(errors[rows].mean()), np.arange(len(errors)))


def fallen_level_errors(fallen: Evaluation) -> tuple[np.ndarray, np.ndarray]:
    """Mean absolute errors of the level [dB] from 2 s on, of the network and without A-weighting.

    Args:
        fallen: mixtures whose level falls.

    Returns:
        Twice (mixtures,).
    """
    first = round(TIME_CONSTANT_S * RATE_HZ / MixtureSettings().hop)
    truth = fallen.truth[..., 1]
    plain = np.stack([level_baseline(each) for each in fallen.mixtures])
    network, plain = (
        np.abs(each - truth)[:, first:].mean(axis=1) for each in (fallen.estimates[..., 1], plain)
    )
    return network, plain


def manifest_metrics(
    changing: Evaluation, fallen: Evaluation, *steady_ones: Evaluation
) -> dict[str, dict[str, Any]]:
    """Metrics for the manifest: mean absolute errors beside those of plain estimators.

    Args:
        changing: mixtures whose ratio changes.
        fallen: mixtures whose level falls.
        steady_ones: mixtures whose ratio does not, those of one length each.
    """
    middle = np.abs(np.mean(RANGE_DB) - changing.truth[..., 0])[changing.counted].mean()
    levels = np.stack([level_baseline(each) for each in changing.mixtures])
    plain_level = np.abs(levels - changing.truth[..., 1])[changing.counted].mean()
    middle_fallen = np.abs(np.mean(RANGE_DB) - fallen.truth[..., 0])[fallen.counted].mean()
    level_fallen, plain_fallen = fallen_level_errors(fallen)
    return {
        "hops of changing mixtures": {
            "SNR mean absolute error [dB]": manifest_metric(
                mean_interval(changing.errors(0)), float(middle), "the middle of the range"
            ),
            "level mean absolute error [dB]": manifest_metric(
                mean_interval(changing.errors(1)), float(plain_level), "level without A-weighting"
            ),
        },
        f"hops of mixtures of {length_s(fallen):g} s whose level falls": {
            "SNR mean absolute error [dB]": manifest_metric(
                mean_interval(fallen.errors(0)), float(middle_fallen), "the middle of the range"
            ),
            "level mean absolute error [dB]": manifest_metric(
                mean_interval(level_fallen), float(plain_fallen.mean()), "level without A-weighting"
            ),
        },
        **{
            f"whole steady mixtures of {length_s(steady):g} s": {
                "SNR mean absolute error [dB]": _whole_metric(steady)
            }
            for steady in steady_ones
        },
    }


def length_s(evaluation: Evaluation) -> float:
    """Length of its mixtures [s]."""
    return len(evaluation.mixtures[0].samples) / RATE_HZ


def _whole_metric(steady: Evaluation) -> dict[str, Any]:
    whole = whole_errors(steady)
    best = min(PLAIN, key=lambda name: float(whole[name].mean()))
    return manifest_metric(mean_interval(whole["network"]), float(whole[best].mean()), best)


def noise_table(changing: Evaluation, steady: Evaluation) -> Table:
    """Mean absolute errors of the ratio by kind of noise [dB]."""
    whole = whole_errors(steady)
    kinds = sorted({each.noise for each in (*changing.mixtures, *steady.mixtures)})
    rows = []
    for kind in kinds:
        is_kind = np.array([each.noise == kind for each in changing.mixtures], bool)
        is_steady = np.array([each.noise == kind for each in steady.mixtures], bool)
        errors = changing.errors(0)[is_kind]
        values = [errors[np.isfinite(errors)], *(each[is_steady] for each in whole.values())]
        rows.append([kind, *(float(each.mean()) if len(each) else None for each in values)])
    names = ["network, hops", *(f"{name}, whole" for name in whole)]
    return Table(
        ["noise", *names],
        rows,
        caption="Mean absolute error of the signal-to-noise ratio [dB], by kind of noise.",
    )
