"""The commands of a course: `python -m tools.teach COMMAND --help`."""

import argparse
import sys
from importlib import import_module

from tools.teach.problem import ProblemError

# Each is a module with `arguments(parser)` and `run(options)`, which returns the exit status.
COMMANDS = {
    "check": "tools.teach.checking",
    "sheets": "tools.teach.sheets",
    "assignments": "tools.teach.assignments",
    "quiz": "tools.teach.quiz",
}


def main(arguments: list[str]) -> int:
    """Run one command; an error of the user's is a line, not a traceback."""
    whole = argparse.ArgumentParser(prog="python -m tools.teach", description=__doc__)
    whole.add_argument("command", choices=COMMANDS)
    named = whole.parse_args(arguments[:1])
    module = import_module(COMMANDS[named.command])
    parser = argparse.ArgumentParser(
        prog=f"python -m tools.teach {named.command}", description=module.__doc__
    )
    module.arguments(parser)
    try:
        return module.run(parser.parse_args(arguments[1:]))
    except ProblemError as error:
        print(f"tools.teach: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
