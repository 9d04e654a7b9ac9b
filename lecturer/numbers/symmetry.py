"""Numbers that are said in the lecture on the symmetry, each computed when the kit is built."""

import torch

import gaugelib as gl

W, V, TARGET = 3.0, 0.4, 2.0  # where the plane of two weights opens


def _measured(w: float, v: float) -> tuple[float, float, float]:
    """Squared norm, length of the gradient and curvature at a point of the plane."""
    point = torch.tensor([w, v], dtype=torch.float64)

    def loss(theta):
        return (theta[1] * torch.relu(theta[0]) - TARGET).square() / 2

    gradient = torch.func.grad(loss)(point)
    curvature = torch.linalg.matrix_norm(torch.func.hessian(loss)(point), 2)
    return point.square().sum().item(), gradient.norm().item(), curvature.item()


def product() -> str:
    """What all points of the orbit share."""
    return f"{W * V:.1f}"


def smallest_weight() -> str:
    """Both weights where the norm is smallest."""
    return f"{(W * V) ** 0.5:.1f}"


def norms() -> str:
    """The squared norm from the start to where it is smallest."""
    return " to ".join(f"{_measured(*point)[0]:.1f}" for point in _ends())


def gradients() -> str:
    """The length of the gradient from the one to the other."""
    return " to ".join(f"{_measured(*point)[1]:.1f}" for point in _ends())


def curvatures() -> str:
    """The curvature from the one to the other."""
    return " to ".join(f"{_measured(*point)[2]:.1f}" for point in _ends())


def _ends() -> tuple[tuple[float, float], tuple[float, float]]:
    both = (W * V) ** 0.5
    return (W, V), (both, both)


def hat_norms() -> str:
    """The squared norm, from the hat as it is printed to its lightest writing."""
    params, group = gl.params_of(gl.hat()), gl.mlp_group(gl.hat())
    lightest = gl.minimum_norm(params, group).params
    return " to ".join(f"{gl.weight_norm(p, group) ** 2:.0f}" for p in (params, lightest))


def lowest_norm() -> str:
    """The scale of the hat's middle neuron at which the norm is smallest."""
    params, group = gl.params_of(gl.hat()), gl.mlp_group(gl.hat())
    into, out = (norm(params, group)[1] for norm in (gl.incoming_norm, gl.outgoing_norm))
    return f"{(out / into) ** 0.5:.2f}"


def kinks() -> str:
    """Where the tent's kinks go if the scales 8, 0.3 and 2 forget the biases."""
    weight, bias = (gl.params_of(gl.hat())[name].flatten() for name in ("0.weight", "0.bias"))
    moved = -bias / (weight * torch.tensor([8, 0.3, 2]).double())
    return ", ".join(f"{at.item():.3g}" for at in moved + 0.0)


def _path_products() -> list[list[float]]:
    """Of each neuron of the hat the products of its two paths, from the input and from the bias."""
    params = gl.params_of(gl.hat())
    into = torch.stack([params["0.weight"][:, 0], params["0.bias"]])
    return (into * params["2.weight"][0]).tolist()


def from_input() -> str:
    """The path products of the hat that start at the input."""
    return _listed(_path_products()[0])


def from_bias() -> str:
    """The path products of the hat that start at a bias."""
    return _listed(_path_products()[1])


def _listed(values: list[float]) -> str:
    return ", ".join(f"{value + 0.0:g}".replace("-", "−") for value in values)
