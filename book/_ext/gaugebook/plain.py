r"""A formula as a line of plain text, for a list of search results: `\theta_e^2` as `θₑ²`.

What has no place on a line of text (an unknown command, an array) makes the whole formula an
ellipsis: a reader never sees TeX.
"""

import re

ELLIPSIS = "…"
TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|\s+|.", re.DOTALL)
WRITTEN = (
    "alpha=α beta=β gamma=γ delta=δ varepsilon=ε epsilon=ε zeta=ζ eta=η theta=θ vartheta=ϑ kappa=κ"
    " lambda=λ mu=μ nu=ν xi=ξ pi=π rho=ρ varrho=ϱ sigma=σ varsigma=ς tau=τ phi=φ varphi=φ chi=χ"
    " psi=ψ omega=ω"
    " Gamma=Γ Delta=Δ Theta=Θ Lambda=Λ Pi=Π Sigma=Σ Phi=Φ Psi=Ψ Omega=Ω ell=ℓ nabla=∇"
    " partial=∂ infty=∞ top=⊤ sum=∑ prod=∏ int=∫ odot=⊙ cdot=· times=× pm=± circ=∘"
    " le=≤ ge=≥ ne=≠ leq=≤ geq=≥ neq=≠ ll=≪ gg=≫ approx=≈ sim=∼ equiv=≡ propto=∝ in=∈ to=→"
    " mapsto=↦ leftarrow=← rightarrow=→ implies=⟹ lvert=| rvert=| vert=| mid=| lVert=‖"
    " rVert=‖ langle=⟨ rangle=⟩ lfloor=⌊ rfloor=⌋ dots=… ldots=… cdots=…"
    " log=log exp=exp max=max min=min sin=sin cos=cos tan=tan sinh=sinh cosh=cosh tanh=tanh"
    " det=det gcd=gcd sup=sup inf=inf quad=\u2003 qquad=\u2003"
)
SIGNS = dict(pair.split("=", 1) for pair in WRITTEN.split(" ")) | {
    "|": "‖", ",": "", ";": " ", ":": " ", "!": "", " ": " ", "{": "{", "}": "}", "%": "%",
}  # fmt: skip
NOTHING = {"left", "right", *(b + s for b in ("big", "Big", "bigg") for s in ("", "l", "r", "m"))}
LETTERS = {"mathrm", "mathbf", "mathcal", "mathbb", "mathit", "text", "operatorname"}
ACCENTS = {
    "dot": "\u0307", "ddot": "\u0308", "tilde": "\u0303", "hat": "\u0302",
    "bar": "\u0304", "overline": "\u0304",
}  # fmt: skip
RAISED = str.maketrans(
    "0123456789+-−=()abcdefghijklmnoprstuvwxyz",
    "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ",
)
LOWERED = str.maketrans("0123456789+-−=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")
SPACED = set("=<>≤≥≠≈≡∼∝∈→↦←⟹≪≫")


class NoLine(ValueError):
    """The formula cannot be written on a line."""


def plain(tex: str) -> str:
    """The formula as text, or an ellipsis."""
    try:
        text = sequence(iter(TOKEN.findall(tex)), end="")
    except NoLine:
        return ELLIPSIS
    text = re.sub(r"(?<=[a-z]) (?=\()", "", text)  # log 2, but log(1 + x)
    return re.sub(r"\s+", " ", text).strip() or ELLIPSIS


def sequence(tokens, end: str) -> str:
    """What stands before the closing token."""
    written = ""
    for token in tokens:
        if token == end:
            return written
        written += spaced(one(token, tokens))
    if end:
        raise NoLine
    return written


def spaced(sign: str) -> str:
    """Relations stand apart from what they relate."""
    return f" {sign} " if sign in SPACED else sign


def one(token: str, tokens) -> str:
    """What a token says, with its arguments."""
    if token.isspace() or token == "~":
        return " " if token == "~" else ""
    if token == "{":
        return sequence(tokens, "}")
    if token in "^_":
        return script(argument(tokens), token)
    if not token.startswith("\\"):
        if token in "}&$#%":
            raise NoLine
        return token.replace("-", "−").replace("'", "′")
    return command(token[1:], tokens)


def command(name: str, tokens) -> str:
    """What a command says, with its arguments."""
    if name in LETTERS:
        return argument(tokens)
    if name in ACCENTS:
        letters = argument(tokens)
        return letters + ACCENTS[name] if len(letters) == 1 else letters
    if name in ("frac", "tfrac", "dfrac"):
        return f"{grouped(argument(tokens))}/{grouped(argument(tokens))}"
    if name == "sqrt":
        return f"√{grouped(argument(tokens))}"
    if name in NOTHING:
        return ""
    if name not in SIGNS:
        raise NoLine
    sign = SIGNS[name]
    return f"{sign} " if sign.isalpha() and sign.isascii() else sign


def argument(tokens) -> str:
    """The next token or group."""
    for token in tokens:
        if not token.isspace():
            return one(token, tokens)
    raise NoLine


def grouped(text: str) -> str:
    """In parentheses where it is more than one thing."""
    return text if re.fullmatch(r"[\w.]*[^\w\s]?", text.strip()) else f"({text.strip()})"


def script(text: str, mark: str) -> str:
    """Raised or lowered as far as there are letters for it, else behind its mark."""
    text = text.strip()
    if not text:
        return ""
    if text in "⊤′":
        return "ᵀ" if text == "⊤" else text
    table = RAISED if mark == "^" else LOWERED
    small = text.replace(" ", "")
    if all(ord(letter) in table for letter in small):
        return small.translate(table)
    return mark + grouped(text)
