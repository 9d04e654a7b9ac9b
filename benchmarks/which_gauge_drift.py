r"""Where learning drifts: label noise moves an orbit to one gauge; what optimisers do to digits.

    python benchmarks/which_gauge_drift.py

About a quarter of an hour on one core. Writes gaugelib/gauges/stored/drift.json after each run;
what is there is kept, so a run that was stopped is resumed. Delete the file to begin anew.

- `equilibria`, `orbits`: label noise, one hidden layer; see `label_noise.py`. Each quantity is the
  [mean, standard error] over 32 students of a mean over the units: `log ratio` is log r²/s² of the
  time averages of r² and s², `mean log` the time average of log r²/s². `charge` is that of Δ, `law`
  η/(λ(2 - ηλ)) times that of the measured B(∂_eL)², `miss` their difference. Of an orbit, `mean` is
  u = log r/s after each `every` steps, `error` its largest standard error, `flow` the averaged
  motion's.
- `digits`: 64-128-128-10 without biases, cross-entropy, batches of 32, float64, ten seeds, from
  He's start and from its minimum-norm gauge. Rows have a `rule` of `update_rules.py`, `rate` η,
  `decay` λ (always ηλ = 1e-4 or 0), and `noise`, the share of labels drawn anew at each use. At
  the epochs in `at` the curves hold means and standard errors over the seeds of: the median γ of
  all units (`gamma`) and of each hidden layer (`gamma 1`, `gamma 2`), the largest (`gamma max`),
  the medians of the γ of c = E(∂_eL)² over the batches (`gradient 1`, `gradient 2`), log r/s
  (`log-ratio 1`, `log-ratio 2`, mean over units), `norm` √Σθ², training `loss`, test `accuracy`.
- `rates`: the same at half and twice the rate, from He's start, five seeds, the end alone.
- `ledger` of such a row, for each hidden layer: the charge at the end is
  `kept` (1 - ηλ)^{2T}Δ + `first` + `second`, sums over the steps of -2η(1 - ηλ)B(θ⊙v) and
  η²B(v⊙v), decayed likewise; means over units and seeds, and in `rms` roots of mean squares.
  `held` is the median γ if the charge were `kept`, at the norms of the end. With D = θ_T - θ_0, of
  the runs of 30 epochs, `moved` is the mean of B(D⊙D), `distance` that of D² over the edges of each
  layer; without decay the charge has changed by 2B(θ_0⊙D) + B(D⊙D).
"""

from __future__ import annotations

import json
import pathlib
from typing import Any

import torch
from gauge_store import rounded, write
from label_noise import equilibrium, orbit
from optimiser_drift import Digits, Run, end_of, other_rates, runs, trained
from tqdm import tqdm

FILE = pathlib.Path(__file__).parent.parent / "gaugelib" / "gauges" / "stored" / "drift.json"
STUDENTS = 32
EQUILIBRIA = [
    (inputs, outputs, rate, decay)
    for inputs, outputs in ((12, 2), (6, 6), (2, 8))
    for rate in (0.02, 0.01)
    for decay in (0.0, 0.0025)
]
ORBITS = [(0.005, decay, start) for decay in (0.0, 0.00125) for start in (-1.0, 0.0, 1.0, 2.0)] + [
    (0.01, 0.0, -1.0)
]


def main() -> None:
    """Run what is not in the file."""
    torch.set_num_threads(1)
    stored: dict[str, Any] = {"equilibria": [], "orbits": [], "digits": [], "rates": []}
    if FILE.exists():
        stored = json.loads(FILE.read_text(encoding="utf-8"))
    there = {
        tuple(e[n] for n in ("inputs", "outputs", "rate", "decay")) for e in stored["equilibria"]
    }
    for which in tqdm([e for e in EQUILIBRIA if e not in there], desc="equilibria"):
        stored["equilibria"].append(rounded(equilibrium(*which, STUDENTS, 0)))
        write(FILE, stored)
    there = {(o["rate"], o["decay"], o["start"]) for o in stored["orbits"]}
    for which in tqdm([o for o in ORBITS if o not in there], desc="orbits"):
        stored["orbits"].append(rounded(orbit(12, 2, *which, STUDENTS, 1)))
        write(FILE, stored)
    there = {Run(*(d[n] for n in Run._fields)) for d in stored["digits"]}
    data = Digits()
    for run in tqdm([r for r in runs() if r not in there], desc="digits"):
        stored["digits"].append(rounded(trained(run, data)))
        write(FILE, stored)
    there = {Run(*(d[n] for n in Run._fields)) for d in stored["rates"]}
    for run in tqdm([r for r in other_rates() if r not in there], desc="rates"):
        stored["rates"].append(rounded(end_of(trained(run, data, range(5)))))
        write(FILE, stored)


if __name__ == "__main__":
    main()
