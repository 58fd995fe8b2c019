"""Do 95 % intervals hold the truth in 95 % of cases, and do exact data give exact constants?

python -m recipes.benchmarks.identification_coverage [--repeats 200] [--noise 0.02] [--steps 200]

One walk of the protocol, solved exactly for several exponents; Gaussian noise is added to the
stress, anew in each repeat, and E, m and κ are fitted each time. The share of repeats whose
interval holds the truth should lie between 90 and 98 % (of 200, chance alone moves it by ±3 %).
"""

import argparse
import sys
import time

EXPONENTS = (1.5, 3.0, 5.0)
NAMES = ("modulus", "exponent", "kappa")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=200, help="noisy tests (default 200)")
    parser.add_argument("--noise", type=float, default=0.02, help="of RMS stress (default 0.02)")
    parser.add_argument("--drag", type=float, default=0.0, help="correlation of neighbours' noise")
    parser.add_argument("--steps", type=int, default=200, help="of a test (default 200)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if min(options.repeats, options.steps) < 1 or options.noise <= 0 or not 0 <= options.drag < 1:
        print("error: numbers must be positive, and --drag below 1", file=sys.stderr)
        return 2
    print(
        f"{options.repeats} tests of {options.steps} steps, noise {options.noise:g} of RMS stress"
    )
    print(f"{'m':>4} {'constant':<9} {'exact data':>11} {'covered':>8} {'half width':>11} {'s':>5}")
    for exponent in EXPONENTS:
        _measure(exponent, options)
    return 0


def _measure(exponent: float, options: argparse.Namespace) -> None:
    """Print a row a constant: error without noise, share covered, typical half width."""
    import numpy as np
    from scipy.signal import lfilter

    from zoo.data import hysteresis
    from zoo.data.maxwell import Material
    from zoo.identification import Response, fit
    from zoo.presets import material

    truth = Material(modulus_mpa=1.5, nu0_s=0.8, sigma0_mpa=1.2, exponent=exponent)
    data = hysteresis.split("walk", paths=1, seed=options.seed, steps=options.steps, material=truth)
    values = np.array([truth.modulus_mpa, truth.exponent, truth.kappa])
    response = Response(material("maxwell").build(data.x, data.y), data.x)
    first = response.start()
    exact = _constants(fit(response, data.y, starts=1))[0]

    rng = np.random.default_rng(options.seed)
    size = options.noise * np.sqrt(np.mean(data.y**2))
    covered, widths, begun = [], [], time.perf_counter()
    for _ in range(options.repeats):
        even = rng.normal(size=(options.steps + 100,))
        noise = lfilter([np.sqrt(1 - options.drag**2)], [1, -options.drag], even)[100:]
        response.give_back(first)
        _, low, high = _constants(fit(response, data.y + size * noise[None, :, None], starts=1))
        covered.append((low <= values) & (values <= high))
        widths.append((high - low) / 2 / values)
    seconds = (time.perf_counter() - begun) / options.repeats
    for k, name in enumerate(NAMES):
        print(
            f"{exponent:>4g} {name:<9} {exact[k] / values[k] - 1:>11.1e} "
            f"{np.mean(covered, axis=0)[k]:>8.1%} {np.median(widths, axis=0)[k]:>11.2%} "
            f"{seconds:>5.2f}"
        )


def _constants(found):
    """Values, lower and upper ends, in the order of `NAMES`."""
    import numpy as np

    rows = [(e.value, e.low, e.high) for e in (found.estimates[name] for name in NAMES)]
    return np.array(rows).T


if __name__ == "__main__":
    sys.exit(main())
