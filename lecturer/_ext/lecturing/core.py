"""What all directives share: the site of the build, and a page's way to the site's root."""

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from .site import KitError, Site


def site_of(app) -> Site:
    """The student's site that this build reads; opened once."""
    if not hasattr(app, "lecturing_site"):
        app.lecturing_site = Site(app.config.lecturing_site)
    return app.lecturing_site


def root_of(docname: str) -> str:
    """From a page of the kit to the root of the site beside which it lies.

    >>> root_of("lectures/symmetry"), root_of("index")
    ('../../', '../')
    """
    return "../" * (docname.count("/") + 1)


def chapter_of(docname: str) -> str:
    """The chapter that a page of the kit belongs to.

    >>> chapter_of("lectures/symmetry")
    'symmetry'
    """
    return docname.rpartition("/")[2]


def raw(html: str) -> nodes.raw:
    """Markup that docutils has no node for."""
    return nodes.raw("", html, format="html")


class KitDirective(SphinxDirective):
    """A directive about something of the book; what is not there is reported with its line."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True

    @property
    def site(self) -> Site:
        """The built book."""
        return site_of(self.env.app)

    @property
    def root(self) -> str:
        """From this page to the book."""
        return root_of(self.env.docname)

    @property
    def on_slides(self) -> bool:
        """Whether slides are built, and not pages."""
        return self.config.lecturing_slides

    def run(self) -> list[nodes.Node]:
        """What `made` gives, or an error at this place."""
        try:
            return self.made()
        except KitError as problem:
            raise self.error(str(problem)) from problem

    def made(self) -> list[nodes.Node]:
        """The nodes in the directive's place."""
        raise NotImplementedError

    def body(self) -> list[nodes.Node]:
        """The directive's content, parsed."""
        return self.parse_content_to_nodes()

    def element(self, label: str) -> str:
        """HTML of something of the book, for this page."""
        element = self.site.element(label)
        return self.site.fragment(element, self.root, self.site.place(label)[0])


def box(kind: str, *children: nodes.Node) -> nodes.container:
    """An element of a class of its own."""
    return nodes.container("", *children, classes=[kind])
