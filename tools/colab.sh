#!/usr/bin/env bash
# Every notebook of the book in Colab's own image: run there, in the repository's root, with GITHUB_REPOSITORY and
# GITHUB_SHA set to where the library can be had. First the cell that installs it, which may bring gaugelib alone,
# then all cells of all notebooks, counted.
set -euo pipefail
cd "$(dirname "$0")/.."
export PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
export OMP_NUM_THREADS=1 PYTHONHASHSEED=0 MPLBACKEND=module://matplotlib_inline.backend_inline

python3 --version
python3 -m pip list 2>/dev/null | grep -iE '^(torch|numpy|scipy|matplotlib|sympy|ipywidgets|anywidget|ipython|ipykernel|traitlets) '

site=.cache/as-published
python3 tools/as_published.py "$site"
python3 tools/published.py "$site" --repository "$GITHUB_REPOSITORY" --commit "$GITHUB_SHA" --here
python3 tools/execute_notebooks.py --no-write --report .cache/reports/image.xml "$site"/_sources/book/*.ipynb
python3 tools/tally.py .cache/reports image="$(python3 tools/execute_notebooks.py --count)"
