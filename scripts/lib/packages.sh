# shellcheck shell=bash
# Sourced by the other scripts: the one list of Debian packages that callcensus needs (Debian 12 names),
# and install_packages, which installs those that are missing.
#
#   build  what compiles the program
#   test   what the tests use beside it (32-bit libc, Go, containers, servers to trace)
#   check  what only CI's checks use: a second compiler, formatting, shell scripts
#   bench  what scripts/bench uses

declare -A PACKAGES=(
    [build]="cmake ninja-build g++ pkg-config libseccomp-dev nlohmann-json3-dev libfmt-dev libcli11-dev
             libexpected-dev libyaml-dev libdw-dev libbz2-dev liblzma-dev zlib1g-dev"
    [test]="catch2 strace python3 python3-jsonschema python3-yaml python3-pytest python3-pytest-xdist python3-pexpect
            python3-pyte golang-go git make busybox-static
            redis-server redis-tools nginx-light podman runc crun golang-github-containers-common uidmap docker.io
            util-linux procps libcap2-bin systemd"
    [check]="git python3 clang clang-format shellcheck"
    [bench]="g++ make python3 strace redis-server redis-tools nginx-light wrk"
)

# What to look for where there is no dpkg to ask.
declare -A TOOLS=(
    [build]="cmake ninja c++ pkg-config"
    [test]="ctest python3 strace"
    [check]="git python3 clang clang-format"
    [bench]="cc python3 strace"
)

# The kernel of a 64-bit PC runs 32-bit programs, too, and the tests build some.
if [ "$(uname -m)" = x86_64 ]; then
    PACKAGES[test]+=" g++-12-multilib"
fi

# install_packages GROUP...: installs what is missing of the groups; says nothing when nothing is.
# Asks no questions and starts no services. Fails with one line when it cannot.
install_packages() {
    local wanted=() missing=() group package
    for group in "$@"; do
        # shellcheck disable=SC2206 # the words of the list are the packages
        wanted+=(${PACKAGES[$group]})
    done
    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        echo "Not a Debian system; please install what Debian calls: ${wanted[*]}" >&2
        require_tools "$@"
        return
    fi
    for package in "${wanted[@]}"; do
        is_installed "$package" || [[ " ${missing[*]} " == *" $package "* ]] || missing+=("$package")
    done
    if [ "${#missing[@]}" -eq 0 ]; then
        return
    fi
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        as_root=(sudo -n)
        if ! sudo -n true 2>/dev/null; then
            echo "Neither root nor sudo without a password; please run: apt-get install ${missing[*]}" >&2
            return 1
        fi
    fi
    echo "Installing packages: ${missing[*]}"
    apt_install "${missing[@]}"
}

require_tools() {
    local group tool absent=()
    for group in "$@"; do
        for tool in ${TOOLS[$group]}; do
            command -v "$tool" >/dev/null || absent+=("$tool")
        done
    done
    if [ "${#absent[@]}" -gt 0 ]; then
        echo "Cannot go on without: ${absent[*]}" >&2
        return 1
    fi
}

# A package can be known for several architectures, hence a line for each.
is_installed() {
    # shellcheck disable=SC2016 # dpkg-query's own variable
    dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}

# A subshell, so that its traps leave those of the script alone.
apt_install() (
    log=$(mktemp)
    policy=/usr/sbin/policy-rc.d
    mark="placed by callcensus while it installs packages"
    trap 'rm -f "$log"' EXIT
    trap 'exit 1' HUP INT TERM
    # Debian's maintainer scripts ask policy-rc.d before they start a service: 101 is no. An administrator's
    # own policy stays; one of ours that a killed run has left behind is ours to remove.
    if [ ! -e "$policy" ] || grep -q "$mark" "$policy"; then
        trap 'rm -f "$log"; "${as_root[@]}" rm -f "$policy"' EXIT
        printf '#!/bin/sh\n# %s\nexit 101\n' "$mark" | "${as_root[@]}" tee "$policy" >/dev/null || exit 1
        "${as_root[@]}" chmod 755 "$policy" || exit 1
    fi
    apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a apt-get -qq -y
        --no-install-recommends -o DPkg::Lock::Timeout=300
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold)
    # One broken third-party source need not matter: what counts is whether the installation works.
    "${apt[@]}" update </dev/null >"$log" 2>&1
    if "${apt[@]}" install "$@" </dev/null >>"$log" 2>&1; then
        exit 0
    fi
    if grep -qE 'Failed to fetch|Could not (resolve|connect)|Temporary failure resolving' "$log"; then
        echo "apt-get cannot reach its servers (no network?); it was to install: $*" >&2
    else
        tail -n 20 "$log" >&2
        echo "apt-get could not install: $*" >&2
    fi
    exit 1
)
