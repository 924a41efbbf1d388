"""What the comparison tests share: the program under test, its recordings, and why a file of tests is skipped.

    possible = comparison.skipped_for(lambda: comparison.missing_program() or comparison.missing_tool("strace"))
"""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

# Far above what any of the programs takes under a tracer; only one that hangs gets there.
RUN_TIMEOUT_S = 120

# The same for every run and on every machine: no locale, no aliases, no home directory of somebody's.
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    **{name: value for name, value in os.environ.items() if name in ("ASAN_OPTIONS", "UBSAN_OPTIONS")},
}


REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def program():
    """The callcensus under test."""
    return os.path.abspath(os.environ.get("CALLCENSUS") or REPOSITORY / "build/default/callcensus")


def missing_program():
    """Why there is nothing to test, or None."""
    return None if os.access(program(), os.X_OK) else f"{program()} is not an executable program"


def missing_tool(*names):
    """Which of these commands is not installed, as a reason to skip, or None."""
    absent = [name for name in names if not shutil.which(name, path=ENVIRONMENT["PATH"])]
    return f"not installed: {', '.join(absent)}" if absent else None


def built_beside(variable, directory):
    """What an environment variable names, or where it lies in the build of the program."""
    return pathlib.Path(os.environ.get(variable) or pathlib.Path(program()).parent / directory).absolute()


def tracees():
    """The directory of the programs of tests/tracees."""
    return built_beside("CALLCENSUS_TRACEES", "tests/tracees")


def run_under_profile():
    """The program that loads a profile in front of a command."""
    return built_beside("CALLCENSUS_RUN_UNDER_PROFILE", "tests/compare/run_under_profile")


def tracee(name):
    """The path of a program of tests/tracees, or None where it is not built."""
    path = tracees() / f"tracee_{name}"
    return path if os.access(path, os.X_OK) else None


class WithDirectory:
    """A directory for each test, and a workload made ready in it. What `cleanups` has been told to do is done when
    the test ends."""

    @pytest.fixture(autouse=True)
    def _prepared(self):
        with tempfile.TemporaryDirectory(prefix="callcensus-compare-") as directory, \
                contextlib.ExitStack() as self.cleanups:
            self.directory = pathlib.Path(directory)
            self.set_up()
            yield

    def set_up(self):
        """What the tests of a class have in common, before each of them."""

    def prepare(self, workload):
        reason = workload.missing()
        if reason:
            pytest.skip(reason)
        shared = self.directory / "workload"
        shared.mkdir()
        workload.prepare(shared)


def run(command, **options):
    """Runs a command to its end, with its output kept."""
    options.setdefault("env", ENVIRONMENT)
    return subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, errors="replace", timeout=RUN_TIMEOUT_S, check=False, **options)


def described(completed):
    """What a failed assertion shows of a command."""
    return (f"\n$ {' '.join(completed.args)}\nexit status {completed.returncode}"
            f"\nstdout: {completed.stdout.strip()}\nstderr: {completed.stderr.strip()}")


def trace_prefix(recording, *options, profile="/dev/null"):
    """The words which, put before a command, record it."""
    return [program(), "trace", "--quiet", *options, "--output", str(profile), "--recording", str(recording), "--"]


def read_recording(path):
    """A recording that claims to be whole. Any other is a failure: no comparison would mean anything."""
    recording = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    if not recording["complete"]:
        raise AssertionError(f"the recording is not complete: {recording['gaps']}")
    return recording


def skipped_for(missing):
    """A fixture that skips a file of tests for the reason that `missing` returns, if any."""
    @pytest.fixture(scope="module", autouse=True)
    def possible():
        reason = missing()
        if reason:
            pytest.skip(reason)
    return possible
