"""Silero's detector of voice, as its package describes it, with a name for each weight."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

NAMES = {
    "conv1_{}": "encoder.0.reparam_conv.{}",
    "conv2_{}": "encoder.1.reparam_conv.{}",
    "conv3_{}": "encoder.2.reparam_conv.{}",
    "conv4_{}": "encoder.3.reparam_conv.{}",
    "lstm_cell_{}_ih": "decoder.rnn.{}_ih",
    "lstm_cell_{}_hh": "decoder.rnn.{}_hh",
    "final_conv_{}": "decoder.decoder.2.{}",
}
"""Names of weights and biases here, and in the package."""


class Silero(nn.Module):
    """Silero's detector of voice at 16 kHz: (items, windows, 576) to the chance of speech in each.

    Its recurrent cell is written out, and stays without a dial of its own: only what flows into it
    from the last ReLU is rescaled.
    """

    def __init__(self, state: dict[str, Tensor], windows: int) -> None:
        super().__init__()
        self.windows = windows
        self.register_buffer("waves", state["_model.stft.forward_basis_buffer"])
        for own, theirs in NAMES.items():
            for kind in ("weight", "bias"):
                value = state[f"_model.{theirs.format(kind)}"]
                self.register_parameter(own.format(kind), nn.Parameter(value))

    def encode(self, x: Tensor) -> Tensor:
        """What the recurrent cell is fed: (windows, 128)."""
        x = F.pad(x.unsqueeze(1), (0, 64), mode="reflect")
        x = F.conv1d(x, self.waves, stride=128)
        x = (x[:, :129] ** 2 + x[:, 129:] ** 2).sqrt()
        x = F.relu(F.conv1d(x, self.conv1_weight, self.conv1_bias, padding=1))
        x = F.relu(F.conv1d(x, self.conv2_weight, self.conv2_bias, stride=2, padding=1))
        x = F.relu(F.conv1d(x, self.conv3_weight, self.conv3_bias, stride=2, padding=1))
        x = F.relu(F.conv1d(x, self.conv4_weight, self.conv4_bias, padding=1))
        return x.squeeze(-1)

    def decode(self, h: Tensor) -> Tensor:
        """The chance of speech: from the cell's state, (..., 128, 1)."""
        return F.conv1d(F.relu(h), self.final_conv_weight, self.final_conv_bias).sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """The chance of speech in each window: (items, windows)."""
        fed = self.encode(x.flatten(0, 1))
        fed = F.linear(fed, self.lstm_cell_weight_ih, self.lstm_cell_bias_ih)
        fed = fed.unflatten(0, (-1, self.windows))
        h = torch.zeros_like(fed[:, 0, :128])
        c, found = h, []
        for step in range(self.windows):
            gates = fed[:, step] + F.linear(h, self.lstm_cell_weight_hh, self.lstm_cell_bias_hh)
            i, f, g, o = gates.split(128, dim=1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            found.append(self.decode(h.unsqueeze(-1)).flatten(1))
        return torch.cat(found, dim=1)
