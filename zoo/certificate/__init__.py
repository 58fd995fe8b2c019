"""Is a learnt law a material? Checks that any model of stress history can be put through.

A model is handed over as a function from x = (stretch λ [-], rate λ̇ [1/s], Δt [s]), of shape
(paths, time, 3), to stress σ, (paths, time, 1). Sample j stands at the end of step j; every path
begins at rest at zero.
What needs the true law is skipped, and says so, where no true law is known.
"""

from zoo.certificate.audit import Certificate, Curve, Probes, certify
from zoo.certificate.limits import FACTORS, LIMITS, Check, Limit
from zoo.certificate.measures import Cycles, Hold, refine

__all__ = [
    "FACTORS",
    "LIMITS",
    "Certificate",
    "Check",
    "Curve",
    "Cycles",
    "Hold",
    "Limit",
    "Probes",
    "certify",
    "refine",
]
