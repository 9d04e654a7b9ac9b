#!/usr/bin/env bash
# Put all that a reader's machine needs to run the notebooks into a folder: wheelhouse.sh FOLDER PLATFORM PYTHON.
# PLATFORM is linux, windows, macos or here; PYTHON such as 3.13. The machines then need no network:
# pip install --no-index --find-links FOLDER gaugelib jupyterlab
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$1
platform=$2
python=$3
uv=$(tools/uv.sh)

if [ "$platform" = here ]; then
    case $(uname -s) in
    Darwin) platform=macos ;;
    Linux) platform=linux ;;
    *) platform=windows ;;
    esac
fi
# uv's name of the platform, and pip's names of the wheels that run there
case $platform in
linux)
    target=x86_64-manylinux_2_28
    tags=(manylinux_2_28_x86_64 manylinux_2_27_x86_64 manylinux_2_26_x86_64 manylinux_2_24_x86_64
        manylinux_2_17_x86_64 manylinux2014_x86_64 manylinux_2_12_x86_64 manylinux2010_x86_64
        manylinux_2_5_x86_64 manylinux1_x86_64 linux_x86_64)
    ;;
windows)
    target=x86_64-pc-windows-msvc
    tags=(win_amd64)
    ;;
macos)
    target=aarch64-apple-darwin
    tags=(macosx_14_0_arm64)
    export MACOSX_DEPLOYMENT_TARGET=14.0 # torch's wheels ask for it
    ;;
*)
    echo "wheelhouse: PLATFORM is linux, windows, macos or here, not $platform" >&2
    exit 1
    ;;
esac

# pip reads markers such as `sys_platform` as those of the machine it runs on: so uv says which packages
# the other machine needs, and pip only fetches them.
mkdir -p "$folder" .cache
list=.cache/wheelhouse.txt
env -u UV_FIND_LINKS "$uv" pip compile --quiet --no-annotate --no-header --no-config --python-platform "$target" \
    --python-version "$python" --constraint requirements/book.lock requirements/reader.in |
    grep -Ev '^(nvidia-|cuda-|triton)' >"$list"

tools=.cache/venv-pip
[ -x "$tools/bin/pip" ] || "$uv" venv --quiet --seed "$tools"
source=()
# PyPI's torch for Linux brings several gigabytes of CUDA; wheels that were put aside come first.
[ "$platform" != linux ] || [ -n "${PIP_FIND_LINKS:-}" ] ||
    source=(--extra-index-url https://download.pytorch.org/whl/cpu)
"$tools/bin/pip" download --quiet --no-deps --only-binary=:all: --dest "$folder" --requirement "$list" \
    --python-version "$python" --implementation cp "${tags[@]/#/--platform=}" \
    ${source[@]+"${source[@]}"}
"$uv" build --quiet --wheel --out-dir "$folder" --no-build-isolation --python .venv/bin/python .
rm -f "$folder/.gitignore"

echo "$(find "$folder" -name '*.whl' | wc -l) wheels for $platform and Python $python, $(du -sh "$folder" | cut -f1), in $folder"
echo "On each machine: pip install --no-index --find-links $folder gaugelib jupyterlab scikit-learn pooch"
