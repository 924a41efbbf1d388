#!/bin/sh
# A gate for a pipeline: what does the new release of a program ask of the kernel that the old one did not?
# Runs both under callcensus and prints the difference as Markdown, for a comment on the pull request.
#
#     samples/release/check-release.sh OLD-PROGRAM NEW-PROGRAM [ARG...]
#
# Exit status: 0 nothing risky is newly called, 1 something is, 2 trouble. What the programs print goes to
# standard error. The callcensus to use is $CALLCENSUS, or the one on the search path.
set -eu
[ $# -ge 2 ] || { echo "usage: $0 OLD-PROGRAM NEW-PROGRAM [ARG...]" >&2; exit 2; }
old=$1
new=$2
shift 2
if ! callcensus=$(command -v "${CALLCENSUS:-callcensus}"); then
    echo "$0: there is no ${CALLCENSUS:-callcensus}; set CALLCENSUS to the program" >&2
    exit 2
fi
callcensus=$(realpath "$callcensus")
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

# record NAME PROGRAM [ARG...]
record() {
    recording=$1.json
    shift
    "$callcensus" trace -q -o "$work/profile.json" --recording "$work/$recording" -- "$@" >&2 || {
        echo "$0: $1 failed with status $?" >&2
        exit 2
    }
    # A call that was not seen would look like one that is not made.
    grep -q '"complete": true' "$work/$recording" || {
        echo "$0: the recording of $1 is not complete" >&2
        exit 2
    }
}

record old "$old" "$@"
record new "$new" "$@"
cd "$work"
"$callcensus" diff --format markdown --fail-on risky old.json new.json
