"""The networks that are equalised: trained here, in seconds, and one trained elsewhere.

Weights are in float64, normalisations still there, each with inputs that were not trained on.
"""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import torch
from peers.networks import NETWORKS, SIZE, load
from torch import Tensor, nn

from gaugelib import params_of, rescale, trace_group
from gaugelib.data import digits

STEPS, BATCH, RATE = 300, 128, 3e-3
TESTED = 256
OTHER = "mlp, another gauge"
PROPOSALS = "MTCNN P-Net"
FACENET = "facenet-pytorch==2.6.0"  # brings the weights of the latter


def batches(name: str, draw: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Inputs and targets: digits and their classes, or numbers and a sine of them."""
    data = digits()
    for _ in range(STEPS):
        if name == "one input":
            x = torch.rand(BATCH, 1, generator=draw, dtype=torch.float64) * 2 - 1
            yield x, torch.sin(3 * x)
        else:
            rows = torch.randint(len(data.train_labels), (BATCH,), generator=draw)
            yield data.train_inputs[rows], data.train_labels[rows]


def trained(name: str, seed: int) -> nn.Module:
    """A network after some steps of Adam."""
    torch.manual_seed(seed)
    model = NETWORKS[name]().double()
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    for x, y in batches(name, torch.Generator().manual_seed(seed)):
        found = outputs(model, shaped(model, x))[0]
        loss = nn.functional.mse_loss if y.is_floating_point() else nn.functional.cross_entropy
        optimizer.zero_grad()
        loss(found, y).backward()
        optimizer.step()
    return model.eval()


def shaped(model: nn.Module, x: Tensor) -> Tensor:
    """Vectors as they are, or as images if the network wants them."""
    convolves = any(isinstance(part, nn.Conv2d) for part in model.modules())
    return x.view(-1, 1, SIZE, SIZE) if convolves else x


def outputs(model: nn.Module, x: Tensor) -> tuple[Tensor, ...]:
    """What a network gives, always as a tuple."""
    found = model(x)
    return found if isinstance(found, tuple) else (found,)


def proposals(facenet: pathlib.Path) -> tuple[dict[str, Tensor], Tensor]:
    """Weights of MTCNN's first network, and windows of a photograph of flowers."""
    from sklearn.datasets import load_sample_image

    (file,) = facenet.rglob("pnet.pt")
    weights = {key: value.double() for key, value in torch.load(file).items()}
    photograph = torch.tensor(load_sample_image("flower.jpg")).double().permute(2, 0, 1)
    windows = (photograph[:, ::4, ::4] - 127.5) / 128
    windows = windows.unfold(1, 12, 6).unfold(2, 12, 6).flatten(1, 2).transpose(0, 1)
    return weights, windows[:TESTED].contiguous()


def prepare(name: str, seed: int, facenet: pathlib.Path) -> tuple[dict[str, Tensor], Tensor]:
    """Weights of a network and inputs for it; that of MTCNN knows no seed."""
    if name == PROPOSALS:
        return proposals(facenet)
    model = trained("mlp" if name == OTHER else name, seed)
    if name == "one input":
        x = torch.linspace(-1, 1, TESTED, dtype=torch.float64)[:, None]
    else:
        x = shaped(model, digits().test_inputs[:TESTED])
    weights = {key: value.detach().clone() for key, value in model.state_dict().items()}
    if name == OTHER:
        group = trace_group(load(name, weights, folded=True), x[:2])
        noise = torch.randn(len(group.identity()), generator=torch.Generator().manual_seed(seed))
        weights = rescale(params_of(model), noise.double().exp(), group)
    return weights, x
