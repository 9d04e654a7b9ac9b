"""Draw the picture of the README: the hat written twice, and its one function.

python tools/intro_picture.py
"""

import pathlib

from matplotlib import pyplot as plt

from gaugelib.plot import style
from gaugelib.widgets import RescaleNeuron

TARGET = pathlib.Path(__file__).parents[1] / "book" / "images" / "one-function-two-networks.png"


def main() -> None:
    """One column for each writing: the network above, its function below."""
    with style():
        figure, axes = plt.subplots(
            2, 2, figsize=(9.0, 5.2), sharey="row", gridspec_kw={"height_ratios": [3, 2]}
        )
        for column, (log2_scales, title) in zip(
            axes.T, [([0.0, 0.0, 0.0], "one network"), ([2.0, -1.5, -1.0], "another network")]
        ):
            picture = RescaleNeuron(log2_scales=log2_scales)._picture()
            picture.draw_network(column[0])
            picture.draw_functions(column[1])
            column[0].set_title(title)
            column[1].set_title("the same function")
            column[1].get_legend().remove()
        TARGET.parent.mkdir(exist_ok=True)
        figure.savefig(TARGET, metadata={"Software": None})


if __name__ == "__main__":
    main()
