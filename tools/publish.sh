#!/usr/bin/env bash
# Put the built site on the branch gh-pages, as one commit without history: the branch is a product.
# Needs a remote called origin that may be pushed to; touches neither the working tree nor its branch.
# The notebooks of the site install gaugelib from a commit: readers must be able to fetch that commit, and
# it must hold the library that made the site.
set -euo pipefail
cd "$(dirname "$0")/.."

site=_build/html
[ -f "$site/index.html" ] || {
    echo "publish: no site in $site: run make book first" >&2
    exit 1
}

named=$(grep -rhoE 'git\+https://github\.com/[^@"]+@[0-9a-f]{40}' "$site/_sources" | sort -u || true)
if [ -n "$named" ]; then
    named=${named##*@}
    git fetch --quiet origin
    [ -n "$(git branch --remotes --contains "$named" 2>/dev/null)" ] || {
        echo "publish: the notebooks install commit $named, which origin does not have: push it first" >&2
        exit 1
    }
    git diff --quiet "$named" -- gaugelib pyproject.toml || {
        echo "publish: gaugelib is not that of commit $named, which the notebooks install: commit, push and make book" >&2
        exit 1
    }
fi

touch "$site/.nojekyll" # GitHub would leave out folders whose names begin with an underscore
GIT_INDEX_FILE=$(mktemp -u)
export GIT_INDEX_FILE
trap 'rm -f "$GIT_INDEX_FILE"' EXIT
git --work-tree="$site" add --force --all
tree=$(git write-tree)
commit=$(
    git -c user.name="The book's builder" -c user.email="builder@localhost" \
        commit-tree "$tree" -m "The book as of $(git rev-parse --short HEAD)"
)
git push --quiet --force origin "$commit:refs/heads/gh-pages"
echo "published $(git rev-parse --short HEAD) on gh-pages"
