r"""The training experiments of the chapter on the pairing: Figures 3 and 4 of the paper.

A run trains one network of the paper with the optimiser that goes with its norm, SGD with $p = 2$
or EGD with $p = 1$, in one of three arms: the minimum-norm gauge is fixed never, once before the
first step, or before every step. All arms of a seed begin at the same function and see the
examples in the same order.

    python -m gaugelib.experiments --help            # any part of it, interrupted at will
    python -m gaugelib.experiments paper --folder results --figures figures

What a chapter calls:

- `digits_live()`: a small part of the figures, computed in seconds;
- `stored("digits")`, `stored("digits-small")`: what was computed once, with its provenance;
- `curves_of(runs, "regularised", optimiser="sgd", depth=3, arm="once")`: (seeds, epochs + 1);
- `verdict(runs)`: where each arm stands, and for how many seeds it wins; `text(rows, epochs)`;
- `best_rate(run_all(suite("digits-rates")), "loss", arm="never", init="he")`: each arm at its own
  best η;
- `trained_digits()`: one network, trained in two seconds, for what is done to it afterwards;
- `gradient_gain(settings("digits", "sgd"))`: how much steeper the loss is in the new gauge;
- `gaugelib.plot.learning_curves(panels)` draws them; `panels(runs)` arranges runs for it.
"""

from gaugelib.experiments.live import digits_live as digits_live
from gaugelib.experiments.live import gradient_gain as gradient_gain
from gaugelib.experiments.results import QUANTITIES as QUANTITIES
from gaugelib.experiments.results import STORED as STORED
from gaugelib.experiments.results import Row as Row
from gaugelib.experiments.results import best_rate as best_rate
from gaugelib.experiments.results import curves_of as curves_of
from gaugelib.experiments.results import panels as panels
from gaugelib.experiments.results import select as select
from gaugelib.experiments.results import stored as stored
from gaugelib.experiments.results import text as text
from gaugelib.experiments.results import verdict as verdict
from gaugelib.experiments.runner import run_all as run_all
from gaugelib.experiments.settings import Settings as Settings
from gaugelib.experiments.settings import grid as grid
from gaugelib.experiments.settings import settings as settings
from gaugelib.experiments.store import Curves as Curves
from gaugelib.experiments.store import Run as Run
from gaugelib.experiments.suites import SUITES as SUITES
from gaugelib.experiments.suites import suite as suite
from gaugelib.experiments.trained import trained_digits as trained_digits
