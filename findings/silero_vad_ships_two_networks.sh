#!/usr/bin/env bash
# The weights in safetensors that silero-vad ships for tinygrad are those of another network than the one it loads.
#
# Version: silero-vad 6.2.3 with torch 2.13.0 (CPU).
# Behaviour: the package's description offers "a tinygrad model" and "separate weights in safetensors format (for
#   simplicity we provided just the 16k model)". Architecture and Fourier basis are those of `silero_vad.jit`, which
#   `load_silero_vad()` returns, but none of the trained tensors is: the first convolution differs by up to 4.0, and
#   the chance of speech, computed by one function from both files, by tenths. From the tensors of `silero_vad.jit`
#   that function gives exactly what the loaded detector says.
# Why it matters here: the chapter on somebody else's networks measures this detector. What is measured must be the
#   network that a user gets; a difference between files would be taken for a difference between gauges.
# Remedy: read the state dictionary of `silero_vad.jit`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.3.5 safetensors==0.8.0
"$folder/venv/bin/pip" install --quiet --no-deps silero-vad==6.2.3
"$folder/venv/bin/python" -W ignore - <<'END'
import pathlib
import sysconfig

import torch
from safetensors.torch import load_file
from torch.nn import functional as F

data = pathlib.Path(sysconfig.get_path("purelib")) / "silero_vad" / "data"
loaded = torch.jit.load(data / "silero_vad.jit").eval()
theirs = {name: value for name, value in loaded.state_dict().items() if name.startswith("_model.")}
other = load_file(data / "silero_vad_16k.safetensors")
order = ("stft_conv.weight", *(f"conv{k}.{kind}" for k in range(1, 5) for kind in ("weight", "bias")))
order += tuple(f"lstm_cell.{name}" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
order += ("final_conv.weight", "final_conv.bias")
own = dict(zip(order, theirs.values()))
assert {n: v.shape for n, v in own.items()} == {n: v.shape for n, v in other.items()}


def chances(weights, sound):
    """The forward of the package's `tinygrad_model.py`, window after window."""
    found = []
    lstm = [weights[f"lstm_cell.{name}"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    state = [torch.zeros(1, 128), torch.zeros(1, 128)]
    for start in range(0, sound.shape[1] - 575, 512):
        x = F.pad(sound[:, start : start + 576], (0, 64), mode="reflect")[:, None]
        x = F.conv1d(x, weights["stft_conv.weight"], stride=128)
        x = (x[:, :129] ** 2 + x[:, 129:] ** 2).sqrt()
        for k, stride in zip(range(1, 5), (1, 2, 2, 1)):
            x = F.conv1d(x, weights[f"conv{k}.weight"], weights[f"conv{k}.bias"], stride=stride, padding=1).relu()
        state = torch.lstm_cell(x.squeeze(-1), state, *lstm)
        h = state[0][..., None].relu()
        found.append(F.conv1d(h, weights["final_conv.weight"], weights["final_conv.bias"]).sigmoid().item())
    return torch.tensor(found)


time = torch.arange(64 + 512 * 60) / 16000
voice = sum(torch.sin(2 * torch.pi * k * 140 * time + k) / k for k in range(1, 20))
sound = (0.2 * voice * torch.sin(2 * torch.pi * 2 * time).clamp(min=0))[None]
sound[:, :64] = 0
with torch.no_grad():
    said = torch.tensor([loaded(piece, 16000).item() for piece in sound[:, 64:].split(512, dim=1)])
    same, else_ = chances(own, sound), chances(other, sound)
differ = [name for name in order if not torch.equal(own[name], other[name])]
print(f"{len(differ)} of {len(order)} tensors differ, conv1.weight by {(own['conv1.weight'] - other['conv1.weight']).abs().max():.1f}")
print(f"chance of speech: from silero_vad.jit's tensors {(same - said).abs().max():.0e} off, from the safetensors {(else_ - said).abs().max():.2f}")
assert (same - said).abs().max() < 1e-4
assert len(differ) == len(order) - 1, "mended: the same weights"
assert (else_ - said).abs().max() > 0.01, "mended: the same answers"
END
# Output seen:
#   14 of 15 tensors differ, conv1.weight by 4.0
#   chance of speech: from silero_vad.jit's tensors 0e+00 off, from the safetensors 0.35
