# Shared by the scripts: one environment for the project, made once and kept up to date.
# Sets $root and $venv, and puts the environment first in PATH.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=${FTBRIDGE_VENV:-$root/.venv}

find_python() {
    for name in "${PYTHON:-}" python3.11 python3.12 python3.13 python3; do
        if [ -n "$name" ] && command -v "$name" >/dev/null 2>&1 &&
            "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
            echo "$name"
            return
        fi
    done
    echo "Python 3.11 or newer is needed; set PYTHON to one" >&2
    exit 1
}

# install EXTRAS [GROUP]: the project, editable, at the versions that were tested.
install() {
    local wanted
    wanted=$(cat "$root/pyproject.toml" "$root/constraints.txt" | cksum)-$1-${2:-}
    if [ ! -x "$venv/bin/python" ]; then
        "$(find_python)" -m venv "$venv"
    fi
    export PATH="$venv/bin:$PATH"
    # a marker a request, so that the quickstart's smaller set and the tests' one do not alternate
    local marker
    marker="$venv/.installed-$(echo "$1-${2:-}" | tr -c 'a-z\n' '_')"
    if [ "$(cat "$marker" 2>/dev/null)" = "$wanted" ]; then
        return
    fi
    python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
    (
        cd "$root"
        python -m pip install --quiet --disable-pip-version-check -c constraints.txt \
            -e ".[$1]" ${2:+--group "$2"}
    )
    echo "$wanted" >"$marker"
}
