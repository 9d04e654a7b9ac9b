"""Figures in the book's style. Every function returns a figure; nothing is shown or saved here."""

from gaugelib.plot.conservation import charges as charges
from gaugelib.plot.conservation import drift_orders as drift_orders
from gaugelib.plot.conservation import drifts as drifts
from gaugelib.plot.curvature import level_and_curved as level_and_curved
from gaugelib.plot.curvature import marks as marks
from gaugelib.plot.curvature import sharpening as sharpening
from gaugelib.plot.curvature import spectra as spectra
from gaugelib.plot.equivariance import circle as circle
from gaugelib.plot.equivariance import landscape as landscape
from gaugelib.plot.equivariance import shares as shares
from gaugelib.plot.learning import against_rates as against_rates
from gaugelib.plot.learning import learning_curves as learning_curves
from gaugelib.plot.minimum_norm import convergence as convergence
from gaugelib.plot.minimum_norm import flow as flow
from gaugelib.plot.pairing import curvatures as curvatures
from gaugelib.plot.pairing import decays as decays
from gaugelib.plot.soft_gauge import diffusion as diffusion
from gaugelib.plot.soft_gauge import stable_rates as stable_rates
from gaugelib.plot.staying import bowls as bowls
from gaugelib.plot.staying import distances_from_page as distances_from_page
from gaugelib.plot.style import style as style
from gaugelib.plot.symmetry import along_orbit as along_orbit
from gaugelib.plot.symmetry import incidence as incidence
from gaugelib.plot.symmetry import twins as twins
