"""What an address may set of a widget: its validators take all of it, and nothing is revealed."""

import json
from urllib.parse import unquote

import pytest
import traitlets

from gaugebook.states import StateError, address, written
from gaugelib.widgets import GaugeRace, RescaleNeuron
from tests.widgets.linking import FORMS, others, possible, put
from tests.widgets.node import WIDGETS, evaluate

ALL = {name: make() for name, make in FORMS.items()}
STATES = WIDGETS.parents[1] / "book" / "site" / "states.js"
NEVER = {"revealed", "smallest", "guess"}  # the reader's to say, or to ask for
SEPARATORS = set("?#&;=,%\"'<>")
every_widget = pytest.mark.parametrize("name", ALL)


def refused(widget) -> list[str]:
    """Values that an address may give to a trait and that the trait's validator does not take."""
    found = []
    for name, values in widget._linkable.items():
        for value in possible(values) if "by" not in values else ():
            try:
                setattr(widget, name, value)
            except traitlets.TraitError:
                found.append(f"{name} = {value}")
        setattr(widget, name, widget._start[name])
    return found


@every_widget
def test_its_validators_take_whatever_an_address_may_set(name):
    assert refused(ALL[name]) == []
    put(FORMS[name](), others(ALL[name]))  # and all of it together


def test_what_a_validator_would_refuse_is_found():
    widget = RescaleNeuron()
    wide = {"from": -65.0, "to": 64.0}
    widget._linkable = {
        "p": {"of": [1, 3]},
        "log2_scales": {"each": wide, "least": 3, "most": 3},
    }
    assert refused(widget) == ["p = 3"] + [
        f"log2_scales = {v}" for v in possible(widget._linkable["log2_scales"]) if -65.0 in v
    ]


@every_widget
def test_an_address_sets_what_reset_restores_and_reveals_nothing(name):
    linkable, start = ALL[name]._linkable, ALL[name]._start
    assert linkable
    assert set(linkable) <= set(start)
    assert not set(linkable) & NEVER
    assert not [trait for trait in linkable if trait.startswith("_")]
    words = [word for values in linkable.values() for word in values.get("of", [])]
    assert not [word for word in words if set(str(word)) & SEPARATORS]


# ---------------------------------------------------------------- the page reads what Python writes

ASK = """import {{ createRequire }} from "node:module";
const {{ asked, stateOf, textOf }} = createRequire("{path}")("{path}");
const tried = (act) => {{
  try {{ return act(); }} catch (problem) {{ return `refused: ${{problem.message}}`; }}
}};
console.log(JSON.stringify({cases}.map(({{ hash, state, linkable, start }}) => ({{
  text: state ? textOf(state, linkable, start) : null,
  state: tried(() => stateOf(asked(hash).get("fig-x"), linkable, start)),
}}))));"""


def asked(cases: list[dict]) -> list[dict]:
    return json.loads(evaluate(ASK.format(path=STATES.as_posix(), cases=json.dumps(cases))))


def test_a_state_written_here_or_there_is_read_as_the_same():
    cases = []
    for widget in ALL.values():
        state = others(widget)
        hash_ = address("", "fig-x", state, widget._linkable)
        cases.append(
            {"hash": hash_, "state": widget._start | state}
            | {"linkable": widget._linkable, "start": widget._start}
        )
    for case, found in zip(cases, asked(cases), strict=True):
        assert case["hash"] == f"#fig-x?{found['text']}"
        assert found["state"] == case["state"]
        assert len(case["hash"]) < 1000


def test_numbers_are_written_as_javascript_writes_them():
    numbers = [0.1, -2.5e-7, 1e-6, 123456789.125, 1e21, 5e-324, 3]
    theirs = evaluate(f"console.log({numbers}.map((x) => String(x).replace('e+', 'e')).join())")
    assert written(numbers) == theirs


START = ALL["RescaleNeuron"]._start
BROKEN = {
    "q=1": "“q”",
    "p": "“p”",
    "p=": "“p”",
    "p=3": "“p”",
    "p=1&p=2": "“p”",
    "p=1=2": "“p”",
    "p=Infinity": "“p”",
    "p=0x1": "“p”",
    "tanh=1": "“tanh”",
    "random_state=0.5": "“random_state”",
    "random_state=-1": "“random_state”",
    "log2_scales=1,2": "“log2_scales”",
    "log2_scales=1,2,3,4": "“log2_scales”",
    "log2_scales=1,,3": "“log2_scales”",
    "log2_scales=1,2,64.5": "“log2_scales”",
    "log2_scales=NaN,0,0": "“log2_scales”",
    "_start=1": "“_start”",
    "__proto__=1": "“__proto__”",
    "constructor=1": "“constructor”",
    "w_in=1,1,1": "“w_in”",
    "a%20b=1": "a part of it",
    "&": "a part of it",
    f"log2_scales={'0' * 1000},0,0": "a part of it",
}


def test_whatever_is_not_allowed_is_refused_by_name_and_leaves_no_trace():
    linkable = ALL["RescaleNeuron"]._linkable
    cases = [{"hash": f"#fig-x?{text}", "linkable": linkable, "start": START} for text in BROKEN]
    found = [each["state"] for each in asked(cases)]
    assert found == [f"refused: {name}" for name in BROKEN.values()]
    good = {"hash": "#fig-x?p=1", "linkable": linkable, "start": START}
    encoded = {**good, "hash": "#fig-x%3Fp%3D1%3Bfig-y%3Fp%3D2"}  # as some mail programs do
    assert [each["state"] for each in asked([good, encoded])] == [START | {"p": 1}] * 2
    with_plane = {**good, "hash": "#fig-y?a=1;fig-x?p=1&tanh=true"}
    assert asked([with_plane])[0]["state"] == START | {"p": 1, "tanh": True}


def test_what_hangs_together_is_read_together():
    six, which = ALL["SixPages"], ALL["WhichGauge"]
    given = [("#fig-x?delta=0", six), ("#fig-x?teacher=0.01,0", six)]
    given += [("#fig-x?network=digits", which), ("#fig-x?unit=9", which)]
    given += [("#fig-x?delta=0&mean=1", six), ("#fig-x?network=digits&unit=9", which)]
    cases = [{"hash": h, "linkable": w._linkable, "start": w._start} for h, w in given]
    found = [each["state"] for each in asked(cases)]
    assert found[:2] == ["refused: “delta”", "refused: “teacher”"]
    assert found[2] == which._start | {"network": "digits", "log2_scales": [0] * 16}
    assert found[3] == "refused: “unit”"
    assert found[4] == six._start | {"delta": 0, "mean": 1}
    assert found[5]["unit"] == 9


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ({"q": 1}, "cannot set 'q' there, only .*log2_scales"),
        ({"p": 3}, "p must be one of 1, 2; found '3'"),
        ({"log2_scales": [1, 2]}, "log2_scales must be 3 numbers from -64 to 64; found '1,2'"),
        ({"log2_scales": [1, 2, float("nan")]}, "finite"),
        ({"tanh": 1}, "tanh must be one of false, true; found '1'"),
        ({"random_state": 0.5}, "a whole number from 0 to 4294967295"),
    ],
)
def test_an_address_is_refused_before_it_is_written(state, told):
    with pytest.raises(StateError, match=told):
        address("p.html", "fig-hat", state, RescaleNeuron()._linkable)


def test_texts_and_values_make_the_same_address():
    linkable = GaugeRace()._linkable
    texts, values = {"epoch": "12", "size": "small"}, {"epoch": 12, "size": "small"}
    assert address("p", "f", texts, linkable) == address("p", "f", values, linkable)
    assert unquote(address("p", "f", {"start": "uneven 1"})) == "p#f?start=uneven 1"
    with pytest.raises(StateError, match="1000"):
        address("p", "f", {"name": "x" * 1000})
