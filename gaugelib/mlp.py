"""The gauge group of a multilayer perceptron, in a few lines."""

from __future__ import annotations

import torch
from torch import nn

from gaugelib.group import GROUND, Entry, GaugeError, GaugeGroup
from gaugelib.tracing.preconditions import (
    kind_of,
    refuse_altered,
    refuse_odd_parameters,
    refuse_replaced,
)

HOMOGENEOUS = (nn.ReLU, nn.LeakyReLU, nn.Identity, nn.Dropout)
"""Layers without parameters that commute with every positive scale: f(a z) = a f(z)."""

NOT_HOMOGENEOUS = (nn.Tanh, nn.Sigmoid, nn.GELU, nn.SiLU, nn.ELU, nn.SELU, nn.Softplus, nn.Softmax)


def mlp_group(model: nn.Module) -> GaugeGroup:
    r"""The gauge group of an `nn.Sequential` of linear layers and ReLU-like activations.

    Each hidden neuron is one unit. Row $i$ of a weight matrix flows into unit $i$ of its layer,
    column $j$ out of unit $j$ of the layer before, so that $W_{ij}$ becomes $W_{ij}\,a_i/a_j$ and
    $b_i$ becomes $b_i\,a_i$. Inputs and outputs are ground. Sequentials may be nested.

    Args:
        model: `nn.Linear`, `nn.ReLU`, `nn.LeakyReLU`, `nn.Identity` and `nn.Dropout` layers in an
            `nn.Sequential`; `nn.Flatten` may come before the first linear layer.

    Returns:
        A group with one layer of units for each linear layer but the last.

    Raises:
        GaugeError: naming the layer, if the model is anything else; `trace_group` knows more.

    Source: Saul (2023), eqs. (2)-(6).

    Book: def-homogeneous, prop-two-slopes, thm-rescaling.

    Example:
        >>> relu, *layers = nn.ReLU(), nn.Linear(2, 4), nn.Linear(4, 3), nn.Linear(3, 1)
        >>> group = mlp_group(nn.Sequential(layers[0], relu, layers[1], relu, layers[2]))
        >>> group.units, group.layers["0"], group.layers["2"]
        (7, slice(0, 4, None), slice(4, 7, None))
        >>> group.entries["2.weight"].target.T, group.entries["2.weight"].source
        (tensor([[5, 6, 7]]), tensor([[1, 2, 3, 4]]))
    """
    linear = _linear_layers(model)
    ground = torch.tensor([GROUND])
    units, layers, entries = 0, {}, {}
    source = ground.expand(linear[0][1].in_features)
    for position, (name, layer) in enumerate(linear, start=1):
        target = ground.expand(layer.out_features)
        if position < len(linear):
            layers[name] = slice(units, units + layer.out_features)
            target = torch.arange(units, units + layer.out_features) + 1
            units += layer.out_features
        entries[f"{name}.weight"] = Entry(target[:, None], source[None, :], "weight")
        if layer.bias is not None:
            entries[f"{name}.bias"] = Entry(target, ground, "bias")
        source = target
    return GaugeGroup(units, layers, entries, {n: p.shape for n, p in model.named_parameters()})


def _linear_layers(model: nn.Module) -> list[tuple[str, nn.Linear]]:
    """Names and linear layers of an MLP in order, or a refusal that names the layer at fault."""
    if type(model) is not nn.Sequential:
        raise GaugeError(f"mlp_group reads an nn.Sequential, found {kind_of(model)}; {_ELSE}")
    linear: list[tuple[str, nn.Linear]] = []
    owners: dict[nn.Parameter, str] = {}
    for name, layer in model.named_modules(remove_duplicate=False):
        refuse_altered(layer, name)
        refuse_replaced(layer, name)
        if type(layer) is nn.Linear:
            _refuse_misfit(name, layer, linear, owners)
            linear.append((name, layer))
        elif type(layer) is nn.Flatten and linear:
            raise GaugeError(f"nn.Flatten '{name}' comes after a linear layer; {_ELSE}")
        elif type(layer) in NOT_HOMOGENEOUS:
            raise GaugeError(
                f"{kind_of(layer)} '{name}' is not positively homogeneous, so its units cannot be "
                "rescaled; trace_group(model, example) finds what symmetry is left"
            )
        elif type(layer) not in (nn.Sequential, nn.Flatten, *HOMOGENEOUS):
            raise GaugeError(f"mlp_group does not know {kind_of(layer)} '{name}'; {_ELSE}")
    if not linear:
        raise GaugeError("the model has no nn.Linear layer, so it has no units to rescale")
    refuse_odd_parameters(model)
    return linear


def _refuse_misfit(
    name: str,
    layer: nn.Linear,
    before: list[tuple[str, nn.Linear]],
    owners: dict[nn.Parameter, str],
) -> None:
    for parameter in layer.parameters():
        owner = owners.setdefault(parameter, name)
        if owner != name:
            raise GaugeError(f"layers '{owner}' and '{name}' share a parameter; {_ELSE}")
    if before and before[-1][1].out_features != layer.in_features:
        other, earlier = before[-1]
        raise GaugeError(
            f"layer '{name}' takes {layer.in_features} inputs, "
            f"but layer '{other}' before it gives {earlier.out_features}"
        )


_ELSE = "use trace_group(model, example)"
