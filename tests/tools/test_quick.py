"""`make quick` runs the nearest tests first, and none that needs the built site."""

import pytest

from tools import quick

PENALTY = "gaugelib/soft/penalty.py"


def test_a_file_s_own_examples_come_first_and_then_its_tests():
    first, second, *_ = quick.nearest([PENALTY])
    assert first == [PENALTY]
    assert "tests/soft/test_penalty.py" in second
    assert "tests/test_action.py" not in second


def test_the_tests_of_all_floors_are_near_to_the_ground():
    near = {file for ring in quick.nearest(["gaugelib/group.py"]) for file in ring}
    assert near > {
        "tests/test_group.py",
        "tests/balance/test_minimum_norm.py",
        "tests/soft/test_penalty.py",
        "tests/widgets/majoriser/test_widget.py",
    }
    assert "tests/test_readme.py" not in near  # the control


def test_what_is_no_module_has_the_tests_of_its_folder_and_the_rules():
    rings = quick.nearest(["gaugelib/widgets/majoriser/style.css"])
    assert "tests/widgets/majoriser/test_widget.py" in rings[0]
    assert "tests/meta/test_floor_plan.py" in rings[-1]


@pytest.mark.parametrize("name", ["gaugelib/widgets/majoriser/widget.js", "tests/browser.py"])
def test_no_test_needs_the_built_site(name):
    near = [file for ring in quick.nearest([name]) for file in ring]
    assert not [file for file in near if "tests/site" in file or "on_page" in file]


def test_control_a_file_that_nothing_uses_has_only_the_rules():
    *others, rules = quick.nearest(["LICENSE"])
    assert not any(others)
    assert rules
