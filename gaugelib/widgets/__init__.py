"""Interactive figures: alive on the static page, in Jupyter and in Colab."""
