# shellcheck shell=bash
# Sourced by the other scripts: where the repository is, --help, building, steps with their times.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export root

# Prints the header comment of the running script.
print_help() {
    awk 'NR == 1 { next } !/^#/ { exit } { sub(/^# ?/, ""); print }' "$0"
}

# Ends the script over an option that it does not have.
bad_usage() {
    echo "${0##*/}: $1 (see --help)" >&2
    exit 2
}

# build_preset NAME: everything, the tests included.
build_preset() {
    local options=(-DCALLCENSUS_TESTS=ON)
    # The packages are for the system's Python; another one may come first in PATH.
    [ ! -x /usr/bin/python3 ] || options+=(-DPython3_EXECUTABLE=/usr/bin/python3)
    cmake --preset "$1" "${options[@]}" && cmake --build --preset "$1"
}

# step NAME COMMAND...: runs the command and prints a line with its time; the status is the command's.
step() {
    local name=$1 began=$SECONDS status=0
    shift
    echo "== $name"
    "$@" || status=$?
    if [ "$status" -eq 0 ]; then
        echo "== $name: $((SECONDS - began)) s"
    else
        echo "== $name: FAILED after $((SECONDS - began)) s"
    fi
    return "$status"
}
