"""The address of the repository: taken from what builds the book, written down nowhere.

So a fork's book links to the fork: its source, its issues, its notebooks in Colab, its library.
Without an address (no GitHub remote) the book simply has none of these links.
"""

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

COLAB = "https://colab.research.google.com"
ADDRESS = re.compile(r"github\.com[:/](?P<slug>[\w.-]+/[\w.-]+?)(?:\.git)?/?$")

# The first cell of every notebook ends in these two lines. In the source they say what to do, for a
# package index may have another gaugelib; in a published copy they install the one of the book.
PUBLISHED = {
    "except ModuleNotFoundError:  # in Colab, come by the rocket on the book's page": (
        "except ModuleNotFoundError:  # in Colab; elsewhere this does nothing"
    ),
    """    raise ImportError("run pip install -e . in the book's repository") from None""": (
        "    {install}"
    ),
}


@dataclass(frozen=True)
class Repository:
    """Where the source that is being built lives."""

    slug: str  # owner/name
    commit: str  # "" when unknown

    @property
    def url(self) -> str:
        """The page of the repository."""
        return f"https://github.com/{self.slug}"

    @property
    def site(self) -> str:
        """Where GitHub publishes the book: a user's own page lies in no folder."""
        owner, name = self.slug.split("/")
        host = f"{owner.lower()}.github.io"
        return f"https://{host}/" if name.lower() == host else f"https://{host}/{name}/"

    @property
    def install(self) -> str:
        """The line that installs the library of this very build."""
        at = f"@{self.commit}" if self.commit else ""
        return f'%pip install -q "gaugelib @ git+{self.url}{at}"'


def find(folder: Path, environment=os.environ) -> Repository | None:
    """The repository of the book in `folder`: GITHUB_REPOSITORY, else the remote named origin."""
    slug = environment.get("GITHUB_REPOSITORY", "") or remote(folder)
    if not slug:
        return None
    return Repository(slug, git(folder, "rev-parse", "HEAD") or environment.get("GITHUB_SHA", ""))


def remote(folder: Path) -> str:
    """owner/name of `origin` when that is a GitHub address, else nothing."""
    found = ADDRESS.search(git(folder, "remote", "get-url", "origin"))
    return found["slug"] if found else ""


def git(folder: Path, *words: str) -> str:
    """What git says about this book; nothing if the folder is not the top of a repository.

    A copy of the book inside another repository must not borrow that one's address.
    """
    if not (folder / ".git").exists():
        return ""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words],
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:  # no git on this machine
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def add_links(app, config) -> None:
    """Give the theme its repository, issue and Colab buttons, or none of them."""
    app.gaugebook_repository = repository = find(Path(app.confdir))
    options = config.html_theme_options
    options.update(repository_url="", launch_buttons={})
    if repository is not None:
        # A book with an address of its own says so in `html: baseurl` of _config.yml.
        config.html_baseurl = config.html_baseurl or repository.site
        options.update(
            repository_url=repository.url,
            # Colab opens the published notebooks: they carry outputs and the install line.
            repository_branch="gh-pages",
            path_to_docs="_sources",
            launch_buttons={"colab_url": COLAB},
            use_repository_button=True,
            use_issues_button=True,
        )


def with_install_line(source: str, repository: Repository) -> str:
    """The notebook's JSON with the end of its first cell replaced, all else byte for byte."""
    for line, published in PUBLISHED.items():
        new = published.format(install=repository.install)
        source = source.replace(json.dumps(line)[1:-1], json.dumps(new)[1:-1])
    return source


def setup(app) -> None:
    """Before the theme reads its options."""
    app.connect("config-inited", add_links)
