"""A link to a statement lands on it, though the widgets above it grow while the page loads.

The pages glide to their place where the reader does not ask for less motion, and the glide ends
where the place was when it began.
"""

import pytest

STATEMENTS = {
    "symmetry": "prop-unbounded",
    "minimum_norm": "prop-largest",
    "conservation": "prop-heavy-ball",
    "pairing": "thm-mirror",
    "soft_gauge": "prop-stiff",
}
GROW = """() => {
  document.documentElement.style.overflowAnchor = "none";
  const late = document.createElement("div");
  late.style.height = "3000px";
  document.querySelector("article").prepend(late);
}"""
TOP = "(id) => document.getElementById(id).getBoundingClientRect().top"
ROOM = 120  # the header's height, and a little more
LANDING = ("growth.observe(document.body);", "land(); moved.abort();")


@pytest.fixture
def arrive(chromium, site_url):
    """Open a page at a statement as a fresh reader does, and tell where the statement then is."""
    contexts = []

    def arrive(chapter, *, width=1280, motion="no-preference", script=None, then=None, late=""):
        context = chromium.new_context(
            viewport={"width": width, "height": 800}, reduced_motion=motion
        )
        contexts.append(context)
        page = context.new_page()
        if script is not None:
            page.route("**/widgets.js*", lambda route: route.fulfill(body=script))
        page.goto(f"{site_url}book/{chapter}.html#{STATEMENTS[chapter]}")
        if then is not None:
            page.keyboard.press(then)
        page.wait_for_function("document.documentElement.dataset.widgets === 'mounted'")
        if late:
            page.evaluate(late)
        page.wait_for_timeout(1000)
        return page.evaluate(TOP, STATEMENTS[chapter])

    yield arrive
    for context in contexts:
        context.close()


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
@pytest.mark.parametrize("chapter", STATEMENTS)
def test_a_link_lands_on_its_statement(arrive, chapter, motion):
    assert 0 <= arrive(chapter, motion=motion) <= ROOM


@pytest.mark.parametrize("chapter", ["minimum_norm", "soft_gauge"])
def test_so_it_does_on_a_phone(arrive, chapter):
    assert 0 <= arrive(chapter, width=375) <= ROOM


def test_a_reader_who_moves_is_left_alone(arrive):
    assert arrive("minimum_norm", then="Home") > 1000


def test_what_grows_late_is_followed(arrive):
    assert 0 <= arrive("minimum_norm", late=GROW) <= ROOM


def test_control_without_it_the_page_stops_thousands_of_pixels_early(arrive, site):
    script = (site / "_static" / "widgets.js").read_text("utf8")
    for line in LANDING:
        assert line in script
        script = script.replace(line, "")
    assert arrive("minimum_norm", script=script, late=GROW) > 2000
