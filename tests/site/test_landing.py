"""A link to a statement lands on it, whatever changes its height above it while the page loads.

The pages glide to their place where the reader does not ask for less motion, and the glide ends
where the place was when it began.
"""

import pytest

from tests.site import markup

STATEMENTS = {
    "symmetry": "prop-unbounded",
    "minimum_norm": "prop-largest",
    "conservation": "prop-heavy-ball",
    "pairing": "thm-mirror",
    "soft_gauge": "prop-stiff",
    "second_order": "prop-identical",
    "two_symmetries": "thm-frozen",
    "which_gauge": "prop-coin",
    "beyond_neurons": "thm-torus",
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
SLOW = 4  # times: a weak processor
LISTENING = (
    "document.documentElement?.dataset.mode !== undefined"  # the script after landing.js ran
)
AT_HOME = "scrollY === 0 && document.readyState === 'complete'"


@pytest.fixture
def arrive(chromium, site_url):
    """Open a page at a statement as a fresh reader does, and tell where the statement then is."""
    contexts = []

    def arrive(chapter, *, width=1280, motion="no-preference", html=None, then=None, late=""):
        context = chromium.new_context(
            viewport={"width": width, "height": 800}, reduced_motion=motion
        )
        contexts.append(context)
        page = context.new_page()
        if html is not None:
            page.route("**/*.html*", lambda route: route.fulfill(body=html))
        page.goto(f"{site_url}book/{chapter}.html#{STATEMENTS[chapter]}")
        if then is not None:
            page.keyboard.press(then)
        page.wait_for_function("document.readyState === 'complete'")
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
    assert arrive("minimum_norm", then="End") < -1000


@pytest.mark.parametrize("wait", [0, 200, 1000])
def test_home_on_the_way_leads_to_the_top_and_stays_there(chromium, site_url, wait):
    page = chromium.new_page()
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOW})
    page.goto(f"{site_url}book/minimum_norm.html#prop-largest", wait_until="commit")
    page.wait_for_function(LISTENING)
    page.wait_for_timeout(wait)
    page.keyboard.press("Home")
    page.wait_for_function(AT_HOME)
    page.wait_for_timeout(1500)
    assert page.evaluate(AT_HOME)
    page.close()


def test_links_land_after_each_widget_of_a_page(chromium, site_url, site):
    page = chromium.new_page(viewport={"width": 1280, "height": 800})
    for place in places_after_widgets(site / "book" / "minimum_norm.html"):
        page.goto("about:blank")
        page.goto(f"{site_url}book/minimum_norm.html#{place}")
        page.wait_for_timeout(700)
        assert 0 <= page.evaluate(TOP, place) <= ROOM, place
    page.close()


def places_after_widgets(path):
    """For each widget the next box or section after it that has a name."""
    views = markup.read(path).find_all("script", markup.VIEW)
    assert len(views) >= 6
    after = [view.find_next(["section", "div"], id=True) for view in views]
    return list(dict.fromkeys(place["id"] for place in after if place is not None))


def test_what_grows_late_is_followed(arrive):
    assert 0 <= arrive("minimum_norm", late=GROW) <= ROOM


def test_control_without_it_the_page_stops_thousands_of_pixels_early(arrive, site):
    html = (site / "book" / "minimum_norm.html").read_text("utf8")
    for line in LANDING:
        assert line in html
        html = html.replace(line, "")
    assert arrive("minimum_norm", html=html, late=GROW) > 2000
