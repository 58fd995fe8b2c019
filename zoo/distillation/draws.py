"""Random numbers for whole batches on the device that computes them."""

import keras
from keras import KerasTensor


class Draws:
    """Uniform and normal random numbers from one seed.

    On torch they come from its own generator, which `keras.utils.set_random_seed` seeds: Keras'
    seed generator waits for the device at each call.

    Args:
        seed: of all numbers, on other backends.
    """

    def __init__(self, seed: int) -> None:
        self.generator = keras.random.SeedGenerator(seed)

    def uniform(self, shape: tuple[int, ...], low: float = 0.0, high: float = 1.0) -> KerasTensor:
        """Uniform in low to high."""
        if keras.backend.backend() != "torch":
            return keras.random.uniform(shape, low, high, seed=self.generator)
        import torch  # pyright: ignore[reportMissingImports]  # only on that backend

        return low + (high - low) * torch.rand(shape, device=_device())

    def normal(self, shape: tuple[int, ...]) -> KerasTensor:
        """Normal, of mean 0 and variance 1."""
        if keras.backend.backend() != "torch":
            return keras.random.normal(shape, seed=self.generator)
        import torch  # pyright: ignore[reportMissingImports]  # only on that backend

        return torch.randn(shape, device=_device())


def _device() -> str:
    import torch  # pyright: ignore[reportMissingImports]  # only on that backend

    return "cuda" if torch.cuda.is_available() else "cpu"
