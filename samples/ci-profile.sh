#!/bin/sh
# A step for a pipeline: run the tests of a program under callcensus, fail when the recording is not complete, and
# leave the profile as an artifact.
#
#     samples/ci-profile.sh OUTPUT-DIRECTORY COMMAND [ARG...]
set -eu
[ $# -ge 2 ] || { echo "usage: $0 OUTPUT-DIRECTORY COMMAND [ARG...]" >&2; exit 2; }
output=$1
shift
mkdir -p "$output"
callcensus trace -q -o "$output/seccomp.json" --recording "$output/recording.json" -- "$@"
if ! grep -q '"complete": true' "$output/recording.json"; then
    echo "the recording is not complete; see \"gaps\" in $output/recording.json" >&2
    exit 1
fi
echo "profile: $output/seccomp.json"
