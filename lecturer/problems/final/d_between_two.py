"""Between two gauges."""

import math

from tools.teach import Answer, Problem, problem


def times(number):
    """A number as a factor before a letter."""
    return "" if number == 1 else f"{number}"


@problem(title="Between two gauges", stars=3, minutes=25)
def between_two(draw):
    """Chapters 2, 4 and 8."""
    eta, decay, mu = draw.choice(
        [(0.5, 1.0, 3), (0.25, 2.0, 12), (0.5, 1.5, 3.75), (0.5, 0.5, 1.75)]
    )
    into, out = draw.choice([(2, 8), (4, 16), (1, 9), (3, 12)])
    noise_in, noise_out = draw.choice([(16, 1), (48, 3), (81, 1), (32, 2)])
    mixed = (noise_in + mu * out) / (noise_out + mu * into)
    noise = noise_in / noise_out
    strength = f"{decay:g}"

    def stayed(weight):
        """The fourth power of the scale at the least of ½F + μR, found by descending."""

        def potential(dial):
            noisy = noise_in * math.exp(-2 * dial) + noise_out * math.exp(2 * dial)
            heavy = into * math.exp(2 * dial) + out * math.exp(-2 * dial)
            return noisy / 2 + weight * heavy / 2

        low, high = -3.0, 3.0
        golden = (math.sqrt(5) - 1) / 2
        for _ in range(80):
            left, right = high - golden * (high - low), low + golden * (high - low)
            low, high = (low, right) if potential(left) < potential(right) else (left, high)
        return math.exp(4 * (low + high) / 2)

    return Problem(
        question=rf"""
        At a hidden ReLU unit with $r^2={into}$ and $s^2={out}$ (squared norms in and out) the mean squared gradients $\mathbb E(\partial_e\ell)^2$ of single batches add up to ${noise_in}$ over the parameters in and to ${noise_out}$ over those out.
        The network is trained by gradient descent on batches drawn anew, with the step $\eta={eta:g}$ and coupled weight decay $\lambda={strength}$, and only this unit's gauge moves: the network stays on its orbit, at the scale $a$.

        1. How do the four numbers depend on $a$?
        2. At which $a^4$ does the noise alone, without decay, leave the charge where it is on average?
           At which $a^4$ is the network lightest, $p=2$?
        3. Show that on average the charge $\Delta=r^2-s^2$ stands still under both together if the imbalance of the squared gradients is $\mu\Delta$ with $\mu=\lambda(2-\eta\lambda)/\eta$.
           At which $a^4$ is that?
        4. Show that the answer to part 3 lies between the two of part 2, whatever $\mu>0$ is.
           What does it tend to as $\eta\to0$ with $\lambda$ fixed?""",
        answers=(
            Answer(
                "$a^4$ for the noise alone",
                value=noise,
                computed=lambda: stayed(0.0),
                tolerance=1e-5,
                mistakes=(
                    (1 / noise, "gradients are divided where weights are multiplied"),
                    (math.sqrt(noise), "the square of the scale"),
                ),
            ),
            Answer(
                "$a^4$ of the lightest network",
                value=out / into,
                computed=lambda: stayed(1e9),
                tolerance=1e-5,
                mistakes=(
                    (into / out, "the other way round: too much flows out, so a is above 1"),
                    (math.sqrt(out / into), "the square of the scale"),
                ),
            ),
            Answer(
                "$a^4$ for both together",
                value=mixed,
                computed=lambda: stayed(mu),
                tolerance=1e-5,
                mistakes=(
                    (
                        (noise_in + out) / (noise_out + into),
                        "the two balances added, without the strength μ",
                    ),
                    (
                        (noise_in + 2 * decay / eta * out) / (noise_out + 2 * decay / eta * into),
                        "μ is 2λ/η only for short steps",
                    ),
                ),
            ),
        ),
        solution=rf"""
        1. Weights in are multiplied by $a$ and weights out divided by it, and gradients the other way round: $r^2={times(into)}a^2$, $s^2={out}\,a^{{-2}}$, and the noise is ${noise_in}\,a^{{-2}}$ in and ${times(noise_out)}a^2$ out.
        2. One step of descent changes $\Delta$ by $\eta^2$ times the imbalance of the squared gradients, on average ${noise_in}a^{{-2}}-{times(noise_out)}a^2$.
           This is zero at $a^4={noise_in}/{noise_out}={noise:g}$, the minimum-gradient gauge.
           The network is lightest where $r^2=s^2$, at $a^4={out}/{into}={out / into:g}$.
        3. With decay $\Delta'=(1-\eta\lambda)^2\Delta+\eta^2\,B(g\odot g)$, and $1-(1-\eta\lambda)^2=\eta\lambda(2-\eta\lambda)$.
           On average the charge stands still if $\eta^2\,\mathbb E\,B(g\odot g)=\eta\lambda(2-\eta\lambda)\Delta$; divide by $\eta^2$.
           Here $\mu={decay:g}\,(2-{eta * decay:g})/{eta:g}={mu:g}$, and

           $${noise_in}a^{{-2}}-{times(noise_out)}a^2=\mu\,({times(into)}a^2-{out}a^{{-2}}),\qquad a^4=\frac{{{noise_in}+{out}\mu}}{{{noise_out}+{times(into)}\mu}}=\frac{{{noise_in + mu * out:g}}}{{{noise_out + mu * into:g}}}\approx{mixed:.4g}.$$

        4. The fraction $\dfrac{{{noise_in}+{out}\mu}}{{{noise_out}+{times(into)}\mu}}$ is a weighted mean of ${noise_in}/{noise_out}$ and ${out}/{into}$, with the positive weights ${noise_out}$ and ${times(into)}\mu$ divided by their sum, so it lies between them.
           As $\eta\to0$ with $\lambda$ fixed, $\mu\to\infty$, and it tends to ${out / into:g}$: decay wins over noise, and the gauge tends to the minimum-norm gauge.""",
        marks=(
            (4, "how norms and squared gradients depend on the scale"),
            (5, "the two balances, and their scales"),
            (6, "the law of one step with decay, and the condition with μ"),
            (4, "the scale for both together"),
            (3, "a weighted mean lies between"),
            (3, "short steps: the decay wins"),
        ),
    )
