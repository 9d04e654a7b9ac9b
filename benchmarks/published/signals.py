"""What the networks are shown: tones of known pitch, spoken sentences, photographs, rendered text.

Everything is made here or lies inside the wheels of the environment; every draw has its own seed.
"""

from __future__ import annotations

import ctypes
import math
from functools import cache
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn import functional as F

RATE = 16000
"""Samples a second, of every sound."""
WORDS = (
    "gauge",
    "symmetry",
    "network",
    "weight",
    "balance",
    "orbit",
    "charge",
    "norm",
    "layer",
    "neuron",
    "theorem",
    "proof",
    "learning",
    "scale",
    "function",
    "kernel",
    "window",
    "street",
    "market",
    "garden",
    "hotel",
    "open",
    "station",
    "coffee",
    "river",
)
SENTENCES = (
    "The weights of a network are not unique.",
    "Please close the window before you leave.",
    "A ship in harbour is safe, but that is not what ships are for.",
    "Seven small lions ran along the river.",
    "We measured the pitch of every note twice.",
    "Where is the nearest railway station?",
    "The coffee was cold and the train was late.",
    "Nobody had seen the garden in winter.",
    "Two and two make four on every machine.",
    "Turn left at the market and then go straight on.",
    "An orbit is the set of all equivalent points.",
    "It rained for the whole of the afternoon.",
)


def tones(count: int, frames: int, seed: int) -> tuple[Tensor, Tensor]:
    """Harmonic tones with vibrato and noise, and the pitch at the middle of each frame.

    Returns:
        Frames of 1024 samples, each of mean 0 and variance 1, shape (count, frames, 1024); their
        pitches in Hz, shape (count, frames).
    """
    draw = np.random.default_rng(seed)
    hop, clips, pitches = 800, [], []
    time = np.arange(1024 + hop * (frames - 1)) / RATE
    for _ in range(count):
        base = 2 ** draw.uniform(math.log2(80), math.log2(800))
        rate, depth = draw.uniform(4, 7), draw.uniform(0.1, 0.6) / 12
        pitch = base * 2 ** (depth * np.sin(2 * np.pi * rate * time + draw.uniform(0, 6)))
        phase = 2 * np.pi * np.cumsum(pitch) / RATE
        falls = draw.uniform(0.5, 1.5)
        partials = [k for k in range(1, 13) if k * pitch.max() < RATE / 2]
        sound = sum(np.sin(k * phase + draw.uniform(0, 6)) / k**falls for k in partials)
        sound = sound + draw.uniform(0.02, 0.3) * np.std(sound) * draw.standard_normal(len(time))
        clips.append([sound[hop * f : hop * f + 1024] for f in range(frames)])
        pitches.append([pitch[hop * f + 512] for f in range(frames)])
    found = torch.tensor(np.array(clips))
    found = found - found.mean(-1, keepdim=True)
    return found / found.std(-1, keepdim=True), torch.tensor(np.array(pitches))


@cache
def _espeak() -> tuple[ctypes.CDLL, int, list[int], Any]:
    """The library, its rate, where it puts its samples, and the function that must be kept."""
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    heard: list[int] = []
    samples = ctypes.POINTER(ctypes.c_short)
    kind = ctypes.CFUNCTYPE(ctypes.c_int, samples, ctypes.c_int, ctypes.c_void_p)

    def hear(wave: Any, count: int, _: object) -> int:
        heard.extend(wave[:count] if wave and count else [])
        return 0

    keep, whole = kind(hear), ctypes.c_uint
    library.espeak_Initialize.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
    library.espeak_Synth.argtypes = [
        *(ctypes.c_char_p, ctypes.c_size_t, whole, ctypes.c_int, whole, whole),
        *(ctypes.c_void_p, ctypes.c_void_p),
    ]
    rate = library.espeak_Initialize(2, 500, espeakng_loader.get_data_path().encode(), 0)
    library.espeak_SetSynthCallback(keep)
    library.espeak_SetVoiceByName(b"en")
    return library, rate, heard, keep


def speech(sentence: str, *, pitch: int, speed: int) -> np.ndarray:
    """A sentence as espeak-ng speaks it, at 16 kHz, values in -1..1."""
    library, rate, heard, _ = _espeak()
    heard.clear()
    library.espeak_SetParameter(1, speed, 0)
    library.espeak_SetParameter(3, pitch, 0)
    text = sentence.encode() + b"\0"
    library.espeak_Synth(text, len(text), 0, 1, 0, 1, None, None)
    library.espeak_Synchronize()
    sound = np.array(heard, dtype=float) / 2**15
    wanted = np.arange(int(len(sound) * RATE / rate)) * rate / RATE
    return np.interp(wanted, np.arange(len(sound)), sound)


def recordings(count: int, windows: int, seed: int) -> Tensor:
    """Speech between pauses, with noise, in the windows of Silero: shape (count, windows, 576)."""
    draw, found = np.random.default_rng(seed), []
    for number in range(count):
        said = speech(
            SENTENCES[(number + 7 * seed) % len(SENTENCES)],
            pitch=int(draw.integers(20, 80)),
            speed=int(draw.integers(140, 200)),
        )
        sound = np.zeros(64 + 512 * windows)
        start = int(draw.integers(3000, 8000))
        said = said[: len(sound) - start - 3000] * draw.uniform(0.3, 1)
        sound[start : start + len(said)] = said
        sound += 10 ** draw.uniform(-4, -2) * draw.standard_normal(len(sound))
        sound[:64] = 0  # what the detector takes to be before the first window
        found.append([sound[512 * w : 512 * w + 576] for w in range(windows)])
    return torch.tensor(np.array(found))


def photographs() -> list[Tensor]:
    """Photographs inside scikit-image's and scikit-learn's wheels, shape (3, height, width)."""
    from skimage import data
    from sklearn.datasets import load_sample_image

    shots = [data.astronaut(), data.coffee(), data.chelsea(), data.rocket()]
    shots += [load_sample_image("china.jpg"), load_sample_image("flower.jpg")]
    return [torch.tensor(np.array(shot)).permute(2, 0, 1).double() for shot in shots]


def crops(count: int, side: int, seed: int) -> Tensor:
    """Faces, every other one, and pieces of photographs: (count, 3, side, side), 0 to 255."""
    from skimage import data

    draw, found = np.random.default_rng(seed), []
    shots, grey = photographs(), torch.tensor(data.lfw_subset()[:100]).double()
    grey = grey * (255 / grey.max())
    for number in range(count):
        if number % 4 == 0:  # the astronaut's face, about 90 pixels wide around row 115, column 225
            shot, wide = shots[0], int(draw.integers(100, 180))
            top, left = 115 - wide // 2 + draw.integers(-15, 15), 225 - wide // 2
            top, left = max(int(top), 0), int(left + draw.integers(-15, 15))
        elif number % 4 == 2:  # a face of the wild, in grey
            shot, wide, top, left = grey[int(draw.integers(100))].expand(3, -1, -1), 25, 0, 0
        else:
            shot = shots[int(draw.integers(len(shots)))]
            wide = int(draw.integers(40, 250))
            top = int(draw.integers(shot.shape[1] - wide))
            left = int(draw.integers(shot.shape[2] - wide))
        piece = shot[None, :, top : top + wide, left : left + wide]
        found.append(F.interpolate(piece, (side, side), mode="bilinear", antialias=True)[0])
    return torch.stack(found)


def scenes(count: int, height: int, width: int, seed: int) -> Tensor:
    """Words on pieces of photographs, shape (count, 3, height, width), 0 to 255."""
    draw, found, shots = np.random.default_rng(seed), [], photographs()
    for _ in range(count):
        shot = shots[int(draw.integers(len(shots)))]
        top = int(draw.integers(shot.shape[1] - height))
        left = int(draw.integers(shot.shape[2] - width))
        piece = shot[:, top : top + height, left : left + width]
        picture = Image.fromarray(piece.permute(1, 2, 0).byte().numpy())
        for line in range(2):
            size = int(draw.integers(height // 7, height // 4))
            place = (int(draw.integers(2, width // 3)), int(height * (0.1 + 0.45 * line)))
            colour = tuple(int(c) for c in draw.integers(0, 2, 3) * 255)
            ImageDraw.Draw(picture).text(
                place, str(draw.choice(WORDS)), fill=colour, font=ImageFont.load_default(size)
            )
        found.append(torch.tensor(np.array(picture)).permute(2, 0, 1).double())
    return torch.stack(found)


def lines(count: int, seed: int) -> tuple[Tensor, list[str]]:
    """Single words, 64 pixels high and 256 wide, grey, 0 to 255, a little noisy; and the words."""
    draw, found, words = np.random.default_rng(seed), [], []
    for _ in range(count):
        word = str(draw.choice(WORDS))
        paper, ink = sorted(draw.uniform(0, 255, 2))[:: int(draw.choice([1, -1]))]
        if abs(paper - ink) < 60:
            paper, ink = 230.0, 30.0
        picture = Image.new("L", (256, 64), int(paper))
        font = ImageFont.load_default(int(draw.integers(34, 46)))
        ImageDraw.Draw(picture).text((8, 4), word, fill=int(ink), font=font)
        noisy = np.array(picture) + draw.uniform(0, 10) * draw.standard_normal((64, 256))
        found.append(torch.tensor(noisy.clip(0, 255))[None])
        words.append(word)
    return torch.stack(found), words
