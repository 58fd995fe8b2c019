"""Cells that obey the mechanics of materials with memory.

Input: (strain [-], strain rate [1/s], time step [s]), unscaled; output: stress. The docstring of
each cell lists its guarantees: which hold for any weights, and under which conditions.
"""

from zoo.cells.material.bouc_wen import BoucWenCell, BoucWenOscillatorCell
from zoo.cells.material.chaboche import ChabocheCell
from zoo.cells.material.covariates import CovariateCell
from zoo.cells.material.curve import RateCurve
from zoo.cells.material.damper import DamperCell
from zoo.cells.material.dynamic_prandtl import DynamicPrandtlCell
from zoo.cells.material.emsc import EMSCCell
from zoo.cells.material.lmsc import LMSCCell
from zoo.cells.material.maxwell import MaxwellCell
from zoo.cells.material.mullins import MullinsCell
from zoo.cells.material.prandtl import PrandtlIshlinskiiCell
from zoo.cells.material.prony import PronyCell
from zoo.cells.material.relaxation import RelaxationCell
from zoo.cells.material.solid import SolidCell
from zoo.cells.material.standard import StandardCell
from zoo.cells.material.state_space import StateSpaceCell

__all__ = [
    "BoucWenCell",
    "BoucWenOscillatorCell",
    "ChabocheCell",
    "CovariateCell",
    "DamperCell",
    "DynamicPrandtlCell",
    "EMSCCell",
    "LMSCCell",
    "MaxwellCell",
    "MullinsCell",
    "PrandtlIshlinskiiCell",
    "PronyCell",
    "RateCurve",
    "RelaxationCell",
    "SolidCell",
    "StandardCell",
    "StateSpaceCell",
]
