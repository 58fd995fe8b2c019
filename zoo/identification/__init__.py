"""Material constants from a measured test, through the cells themselves.

`identify(model, x, y, weight)` fits a model of `zoo.presets.material` by least squares and says
what the test can tell and what it cannot; `Response` and `fit` are its halves, for many fits to
one loading.
"""

from zoo.identification.fit import Estimate, Identification, LearntCurve, fit, identify
from zoo.identification.response import Response

__all__ = ["Estimate", "Identification", "LearntCurve", "Response", "fit", "identify"]
