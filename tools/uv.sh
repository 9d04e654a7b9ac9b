#!/usr/bin/env bash
# Print the path of a pinned uv, fetching it into .cache on first use. Needs a Python, nothing else:
# pip where there is one, else a throw-away venv, else the wheel itself (tools/fetch_wheel.py), for
# Debian and Ubuntu ship a Python without pip and without venv.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=${PATH//"$PWD/.venv/bin:"/} # the machine's Python, not that of the environment to be made

version=0.13.8
home=$PWD/.cache/uv-$version
uv=$home/bin/uv

if ! [ -x "$uv" ]; then
    rm -rf "$home" "$home.new"
    mkdir -p .cache
    {
        fetched=
        for python in ${PYTHON:+"$PYTHON"} python3 /usr/bin/python3 python; do
            if "$python" -m pip --version >/dev/null 2>&1 &&
                "$python" -m pip install -qq --no-deps --target "$home.new" "uv==$version"; then
                fetched=pip
            elif rm -rf "$home.new" && "$python" -m venv "$home.new" >/dev/null 2>&1 &&
                "$home.new/bin/python" -m pip install -qq --no-deps "uv==$version"; then
                fetched=venv
            elif rm -rf "$home.new" && "$python" tools/fetch_wheel.py uv "$version" "$home.new"; then
                fetched=wheel
            fi
            [ -z "$fetched" ] || break
        done
        if [ -z "$fetched" ]; then
            echo "tools/uv.sh: could not install uv $version; is there a python3 and a network?"
            exit 1
        fi
        mv "$home.new" "$home"
        "$uv" --version
    } >&2
fi
echo "$uv"
