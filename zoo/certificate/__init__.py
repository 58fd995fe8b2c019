"""Certificate of a stress-history model: is the learnt law a material, and how far does it hold?

A model is given as a function from x = (strain ε [-], rate ε̇ [1/s], Δt [s]), of shape
(paths, time, 3), to stress σ, (paths, time, 1). Sample j stands at the end of step j; every path
begins at rest at zero.
Checks that need the true law are skipped where it is not known, and listed as skipped.
"""

from zoo.certificate.checks import Certificate, ErrorSweep, Probes, run_checks
from zoo.certificate.facts import ModelFacts
from zoo.certificate.limits import FACTORS, LIMITS, Check, Limit
from zoo.certificate.measures import Cycles, Hold, refine

__all__ = [
    "FACTORS",
    "LIMITS",
    "Certificate",
    "Check",
    "Cycles",
    "ErrorSweep",
    "Hold",
    "Limit",
    "ModelFacts",
    "Probes",
    "refine",
    "run_checks",
]
