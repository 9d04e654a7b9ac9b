"""Interactive figures: alive on the static page, in Jupyter and in Colab.

Each widget is a folder: `__init__.py` (the class and its traits), `widget.js` (the view),
`style.css`, `still.py` (the picture where no module runs) and its parts. Read `base.py`, then one
folder (`gauge_race` is the shortest); `link.py` says how its modules become one string.

A widget imports `base`, `shared/` (what two or more use, in Python and in JavaScript), its own
folder and the library, never another widget. Nothing imports a widget but this file.
"""

from gaugelib.widgets.attention_head import AttentionHead as AttentionHead
from gaugelib.widgets.balance_sweeps import BalanceSweeps as BalanceSweeps
from gaugelib.widgets.charge_monitor import ChargeMonitor as ChargeMonitor
from gaugelib.widgets.gauge_race import GaugeRace as GaugeRace
from gaugelib.widgets.majoriser import Majoriser as Majoriser
from gaugelib.widgets.phase_plane import PhasePlane as PhasePlane
from gaugelib.widgets.proof_replay import ProofReplay as ProofReplay
from gaugelib.widgets.rescale_neuron import RescaleNeuron as RescaleNeuron
from gaugelib.widgets.sharpness_along_orbit import SharpnessAlongOrbit as SharpnessAlongOrbit
from gaugelib.widgets.six_pages import SixPages as SixPages
from gaugelib.widgets.soft_gauge import SoftGauge as SoftGauge
from gaugelib.widgets.which_gauge import WhichGauge as WhichGauge
