"""The linker: what it writes computes the same, and what it cannot read it refuses by name."""

import pytest

from gaugelib import GaugeError
from gaugelib.widgets.link import linked_module, linked_style
from tests.widgets.node import WIDGETS, evaluate

SIDE = 'const hidden = "{0}";\nexport const name = () => hidden;\n'


@pytest.fixture
def write(tmp_path):
    def file(name: str, text: str):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf8")
        return path

    return file


INNER = """
const hidden = 3;
export const three = () => hidden;
export const shown = "inner";
"""
OUTER = """
import { three } from "./inner.js";
const hidden = 4;
export function seven() {
  return three() + hidden;
}
export class Box {}
"""
MAIN = """
import {
  seven as sum,
  Box,
} from "./shared/outer.js";
import { three, shown } from "./shared/inner.js";
const hidden = 5;
export const total = () => [sum(), three(), hidden, shown, new Box() instanceof Box];
export default { total };
"""
TOTALS = """
import {{ total }} from "{0}";
import all from "{0}";
console.log(JSON.stringify([total(), all.total()]));
"""
LEAF = "export const seen = [];"
BRANCH = 'import { seen } from "./shared/state.js";\nexport const a = () => seen.push("a");'
TRUNK = """
import { a } from "./a.js";
import { seen } from "./shared/state.js";
a();
export const count = seen.length;
"""


def test_linked_module_computes_what_its_source_computes(write):
    write("shared/inner.js", INNER)
    write("shared/outer.js", OUTER)
    linked = write("linked.mjs", linked_module(write("main.js", MAIN)))
    line = '[7,3,5,"inner",true]'
    assert evaluate(TOTALS.format(linked.as_uri())) == f"[{line},{line}]"


def test_a_module_imported_twice_is_written_once(write):
    write("shared/state.js", LEAF)
    write("a.js", BRANCH)
    text = linked_module(write("main.js", TRUNK))
    assert text.count("const module_shared_state = ") == 1
    linked = write("linked.mjs", text)
    assert evaluate(f'import {{ count }} from "{linked.as_uri()}"; console.log(count)') == "1"


def test_equal_names_in_two_modules_do_not_collide(write):
    for side in ("left", "right"):
        write(f"{side}.js", SIDE.format(side))
    main = write(
        "main.js",
        'import { name as left } from "./left.js";\nimport { name as right } from "./right.js";\n'
        "export const both = left() + right();",
    )
    linked = write("linked.mjs", linked_module(main))
    assert evaluate(f'import {{ both }} from "{linked.as_uri()}"; console.log(both)') == "leftright"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('import { a } from "https://cdn.example/a.js";', "only a relative address"),
        ('import { a } from "three";', "only a relative address"),
        ('import { a } from "../../a.js";', "only a relative address inside the folder"),
        ('import { a } from "./missing.js";', "no file 'missing.js'"),
        (
            'import { a, b } from "./side.js";',
            "imports a, b from './side.js', which does not export it",
        ),
        ('import side from "./side.js";', "does not read 'import side from"),
        ('import * as side from "./side.js";', "does not read 'import \\* as side"),
        ('import "./side.js";', 'does not read \'import "./side.js"'),
        ('const late = import("./side.js");', "does not read 'import\\("),
        ("const here = import.meta.url;", "does not read 'import.meta"),
        ('export * from "./side.js";', "does not read 'export \\* from"),
        ("const a = 1;\nexport { a };", "does not read 'export { a };'"),
        ("export let a = 1;", "does not read 'export let"),
        ("export const { a } = {};", "does not read 'export const {"),
    ],
)
def test_what_it_does_not_read_it_refuses(write, text, reason):
    write("side.js", SIDE.format("side"))
    with pytest.raises(GaugeError, match=reason):
        linked_module(write("main.js", text))


def test_a_cycle_is_refused(write):
    write("a.js", 'import { b } from "./b.js";\nexport const a = 1;')
    write("b.js", 'import { a } from "./a.js";\nexport const b = 1;')
    with pytest.raises(GaugeError, match=r"b\.js imports './a\.js', which imports it back"):
        linked_module(write("main.js", 'import { a } from "./a.js";'))


def test_an_imported_module_has_no_default_export(write):
    write("a.js", "export const a = 1;\nexport default a;")
    with pytest.raises(GaugeError, match="does not read 'export default"):
        linked_module(write("main.js", 'import { a } from "./a.js";'))


@pytest.mark.parametrize(
    "text",
    [
        '@import "more.css";',
        ".a { background: url(https://cdn.example/a.png); }",
        "a{b:url('c.woff')}",
        'a{b:url( "c.woff" )}',
    ],
)
def test_a_style_that_loads_another_file_is_refused(write, text):
    with pytest.raises(GaugeError, match="may not load another file"):
        linked_style(write("main.css", text))


def test_styles_are_joined_in_order(write):
    assert linked_style(write("a.css", ".a {}"), write("b.css", ".b {}")) == ".a {}\n.b {}"


@pytest.mark.parametrize("path", sorted(WIDGETS.rglob("*.js")), ids=lambda path: path.name)
def test_modules_are_short_and_name_nothing_in_the_document(path):
    text = path.read_text(encoding="utf8")
    assert len(text.splitlines()) <= 300
    # Two copies on one page: no ids, and nothing looked up outside the widget's own element.
    for word in ("getElementById", "querySelector", '"id"', " id:", "window.", "globalThis"):
        assert word not in text, word
