#!/usr/bin/env bash
# Resolve requirements/book.in into book.lock, for Python 3.11 and later on every platform.
# Asks the package index alone (no find-links), so that the lock is the same wherever it is made, and
# leaves out CUDA and its compiler: setup.sh installs the CPU build of torch, which needs neither.
set -euo pipefail
cd "$(dirname "$0")/.."
unset UV_FIND_LINKS

uv=$(tools/uv.sh)
{
    echo "# Made by \`make lock\` from requirements/book.in: do not edit."
    "$uv" pip compile --quiet --universal --python-version 3.11 --no-config --upgrade \
        --no-annotate --no-header requirements/book.in |
        grep -Ev '^(nvidia-|cuda-|triton)'
} >requirements/book.lock.new
mv requirements/book.lock.new requirements/book.lock
echo "requirements/book.lock: $(grep -c '==' requirements/book.lock) packages"
