"""A name in code breaks where its parts meet, after a dot or an underscore, and nowhere else."""

import re

WORD = re.compile(r'(?<=<span class="pre">)[^<]+(?=</span>)')
# Behind what: not within a number, an entity, or the underscores that a name begins or ends with.
JOINT = re.compile(r"(?<=[A-Za-z0-9])(?:::|[./(,]|_+)(?=[A-Za-z])")
BREAK = "<wbr>"


def breakable(body: str) -> str:
    """A page's HTML whose words in code may break at their joints."""
    return WORD.sub(lambda word: JOINT.sub(lambda joint: joint[0] + BREAK, word[0]), body)


def mend(app, pagename, templatename, context, doctree) -> None:
    """When a page is written."""
    if "body" in context:
        context["body"] = breakable(context["body"])


def setup(app) -> None:
    """After others have read the words (`checked`)."""
    app.connect("html-page-context", mend, priority=700)
