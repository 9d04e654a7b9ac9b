"""What all widgets share in JavaScript."""

import json

import torch

from tests.widgets.node import NodeTests, formatted


def test_numbers_are_written_as_the_tests_write_them(tmp_path):
    generator = torch.Generator().manual_seed(6)
    sizes = torch.empty(400, dtype=torch.float64).uniform_(-18, 8, generator=generator)
    signs = torch.randint(0, 2, (400,), generator=generator) * 2 - 1
    values = (signs * 10.0**sizes).tolist()
    values += [0.0, 0.5, 0.125, 2.5, 1e-3, 9.9996, 99999.5, 1e5, 12.345, 0.00099999, 2.0**-52]
    file = tmp_path / "numbers.json"
    file.write_text(json.dumps([[x, formatted(x), formatted(x, 3)] for x in values]))
    NodeTests("shared.test.mjs", NUMBERS=str(file)).require(at_least=4)
