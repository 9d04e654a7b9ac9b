#!/usr/bin/env bash
# Resolve requirements/*.in into exact pins, for Python 3.11 and later on every platform.
# Asks the package index alone (no find-links), so that a lock is the same wherever it is made, and
# leaves out CUDA and its compiler: setup.sh installs the CPU build of torch, which needs neither.
set -euo pipefail
cd "$(dirname "$0")/.."
unset UV_FIND_LINKS

uv=$(tools/uv.sh)

lock() {
    {
        echo "# Made by \`make lock\` from $1: do not edit."
        "$uv" pip compile --quiet --universal --python-version 3.11 --no-config --upgrade \
            --no-annotate --no-header "$1" | grep -Ev '^(nvidia-|cuda-|triton)'
    } >"$2.new"
    mv "$2.new" "$2"
    echo "$2: $(grep -c '==' "$2") packages"
}

lock requirements/book.in requirements/book.lock
lock requirements/colab.in requirements/colab.txt
lock requirements/oldest.in requirements/oldest.txt
