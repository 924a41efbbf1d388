"""What the comparison tests share: the program under test, its recordings, and how a file of tests says what
was skipped.

    if __name__ == "__main__":
        comparison.main(comparison.missing_program() or comparison.missing_tool("strace"))
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

# Far above what any of the programs takes under a tracer; only one that hangs gets there.
RUN_TIMEOUT_S = 120

# The same for every run and on every machine: no locale, no aliases, no home directory of somebody's.
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    **{name: value for name, value in os.environ.items() if name in ("ASAN_OPTIONS", "UBSAN_OPTIONS")},
}


def program():
    """The callcensus under test."""
    return os.path.abspath(os.environ["CALLCENSUS"])


def missing_program():
    """Why there is nothing to test, or None."""
    if not os.environ.get("CALLCENSUS"):
        return "the environment variable CALLCENSUS does not name the program to test"
    if not os.access(program(), os.X_OK):
        return f"{program()} is not an executable program"
    return None


def missing_tool(*names):
    """Which of these commands is not installed, as a reason to skip, or None."""
    absent = [name for name in names if not shutil.which(name, path=ENVIRONMENT["PATH"])]
    return f"not installed: {', '.join(absent)}" if absent else None


def built_beside(variable, name):
    """The path of a program in the directory that an environment variable names, or None."""
    directory = os.environ.get(variable)
    path = pathlib.Path(directory or "/nonexistent", name).absolute()
    return path if os.access(path, os.X_OK) else None


def tracee(name):
    """The path of a program of tests/tracees, or None where it is not built."""
    return built_beside("CALLCENSUS_TRACEES", f"tracee_{name}")


class WithDirectory(unittest.TestCase):
    """A directory for each test, and a workload made ready in it."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="callcensus-compare-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def prepare(self, workload):
        reason = workload.missing()
        if reason:
            self.skipTest(reason)
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


class _Result(unittest.TextTestResult):
    """As the usual one, with a line of its own for what did not run."""

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.skip_reasons = [*getattr(self, "skip_reasons", []), f"{test}: {reason}"]


def main(skip_all=None):
    """Runs the tests of the calling file. Where ctest reads the word it takes the whole file for skipped,
    even if a test has failed: so it is written only when none has."""
    if skip_all:
        print(f"SKIPPED: {skip_all}")
        sys.exit(0)
    runner = unittest.TextTestRunner(verbosity=2, resultclass=_Result)
    result = unittest.main(testRunner=runner, exit=False).result
    for reason in getattr(result, "skip_reasons", []):
        print(f"{'SKIPPED' if result.wasSuccessful() else 'skipped'}: {reason}", flush=True)
    sys.exit(0 if result.wasSuccessful() else 1)
