#!/usr/bin/env bash
# Tell the maintainers that a scheduled run failed: tell.sh TITLE ADDRESS. Adds a comment to the open issue of that
# title, or opens one. Asks `gh`, which reads GH_TOKEN and GH_REPO.
set -euo pipefail

title=$1
address=$2
text="A scheduled run failed: $address"

# The search finds titles that are alike, too: only the same one counts.
number=$(gh issue list --state open --limit 100 --search "in:title \"$title\"" --json number,title \
    --jq "map(select(.title == \"$title\")) | .[0].number // empty")
if [ -n "$number" ]; then
    gh issue comment "$number" --body "$text"
else
    gh issue create --title "$title" --body "$text"
fi
