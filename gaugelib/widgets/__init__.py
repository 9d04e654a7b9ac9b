"""Interactive figures: alive on the static page, in Jupyter and in Colab."""

from gaugelib.widgets.rescale_neuron import RescaleNeuron as RescaleNeuron

__all__ = ["RescaleNeuron"]
