"""The training experiments of the chapter "The pairing theorem": Figures 3 and 4 of the paper."""

from gaugelib.experiments.runner import run_all as run_all
from gaugelib.experiments.settings import Settings as Settings
from gaugelib.experiments.settings import grid as grid
from gaugelib.experiments.settings import settings as settings
from gaugelib.experiments.store import Curves as Curves
from gaugelib.experiments.store import Run as Run
