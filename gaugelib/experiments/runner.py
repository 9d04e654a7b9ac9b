"""Many runs, one file each; killed at any moment and started again it gives the same files."""

from __future__ import annotations

import io
import pathlib
import pickle
import time
from collections.abc import Callable, Iterable

import torch
from tqdm import tqdm

from gaugelib import data as data_sets
from gaugelib.data import Dataset
from gaugelib.experiments.provenance import best_device, provenance
from gaugelib.experiments.settings import Settings
from gaugelib.experiments.store import Provenance, Run, read_run, write_run, write_whole
from gaugelib.experiments.training import Training
from gaugelib.group import GaugeError

Loader = Callable[[str], Dataset]


def run_all(
    settings: Iterable[Settings],
    folder: pathlib.Path | str | None = None,
    *,
    load: Loader = data_sets.load,
    device: torch.device | str | None = None,
    minutes: float | None = None,
    checkpoint_seconds: float = 30.0,
    progress: bool = True,
) -> tuple[Run, ...]:
    """Train with each of the settings in turn.

    With a folder each finished run is stored there in a file of its own, and a run that is there
    already is read instead of trained. A run that was interrupted is taken up at its last stored
    epoch, if it was stored with the same versions on the same kind of device, and otherwise begun
    again; either way its file comes out the same. A file that is not a whole result is replaced.

    Args:
        settings: what to run, in this order.
        folder: where results are; without it nothing is stored.
        load: from the name of a data set to the set.
        device: by default CUDA if there is one.
        minutes: after so many no new epoch is begun; what is unfinished can be taken up later.
        checkpoint_seconds: how long a run may go on without its state being stored.
        progress: whether to show a bar.

    Returns:
        The finished runs, in the order of their settings.

    Raises:
        GaugeError: if a data set is unknown or cannot be had.

    Example:
        >>> from gaugelib.experiments import grid
        >>> few = grid(["digits"], depths=[3], optimisers=["sgd"], seeds=[0], small=True, epochs=1)
        >>> [run.settings.arm for run in run_all(few, progress=False)]
        ['never', 'once', 'every']
    """
    where = torch.device(device) if device is not None else best_device()
    end = None if minutes is None else time.monotonic() + 60 * minutes
    made_with = provenance(where)
    asked, finished, loaded = list(settings), [], {}
    with tqdm(total=sum(one.epochs for one in asked), unit="epoch", disable=not progress) as bar:
        for one in asked:
            bar.set_postfix_str(f"{one.data} {one.depth} {one.optimiser} {one.arm} {one.seed}")
            path = None if folder is None else pathlib.Path(folder) / one.file_name
            found = _finished(path, one)
            if found is not None:
                bar.update(one.epochs)
            elif end is None or time.monotonic() < end:
                if one.data not in loaded:
                    loaded = {one.data: load(one.data)}
                training = Training(one, loaded[one.data], where)
                found = _train(training, path, made_with, end, checkpoint_seconds, bar)
            if found is not None:
                finished.append(found)
    return tuple(finished)


def _finished(path: pathlib.Path | None, settings: Settings) -> Run | None:
    """The run that is stored already, if it is whole and has these settings."""
    if path is None or not path.exists():
        return None
    try:
        run = read_run(path)
    except GaugeError as error:
        tqdm.write(f"{error}; it is run again")
        return None
    if run.settings != settings:
        tqdm.write(f"'{path}' holds a run with other settings; it is run again")
        return None
    return run


def _train(
    training: Training,
    path: pathlib.Path | None,
    made_with: Provenance,
    end: float | None,
    checkpoint_seconds: float,
    bar: tqdm,
) -> Run | None:
    """One run to its end, or None if the time was up before."""
    part = None if path is None else path.with_suffix(".part")
    if part is not None:
        _take_up(training, part, made_with)
    bar.update(training.epoch)
    stored = time.monotonic()
    while not training.done:
        due = time.monotonic() - stored >= checkpoint_seconds
        late = end is not None and time.monotonic() >= end
        if part is not None and (due or late):
            _put_down(training, part, made_with)
            stored = time.monotonic()
        if late:
            return None
        training.run_epoch_()
        bar.update(1)
    run = Run(training.settings, training.curves, training.diverged, made_with)
    if path is not None and part is not None:
        write_run(path, run)
        part.unlink(missing_ok=True)
    return run


def _put_down(training: Training, part: pathlib.Path, made_with: Provenance) -> None:
    buffer = io.BytesIO()
    torch.save({"training": training.state(), "made_with": dict(made_with)}, buffer)
    write_whole(part, buffer.getvalue())


def _take_up(training: Training, part: pathlib.Path, made_with: Provenance) -> None:
    """Load the state that a file holds; a file that holds none of this run is left aside."""
    if not part.exists():
        return
    try:
        found = torch.load(part, map_location="cpu", weights_only=True)
        if found["made_with"] == dict(made_with):
            training.load_state_(found["training"])
    except (RuntimeError, pickle.UnpicklingError, EOFError, KeyError, TypeError, GaugeError) as e:
        tqdm.write(f"'{part}' cannot be taken up ({type(e).__name__}); the run begins again")
