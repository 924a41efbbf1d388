"""How much memory callcensus takes for a thousand threads.

    /usr/bin/python3 -m pytest tests/compare/test_memory.py

The greatest amount is asked for at the very end, when the recording is saved and the profile is about to be:
it goes to a pipe that is full, so that callcensus waits there. (What wait4 tells afterwards would not do: it
is the greatest of callcensus, of everything that it waited for, and of the Python that became callcensus.)
"""
import contextlib
import json
import os
import pathlib
import re
import subprocess
import time

import pytest

import comparison

THREADS = 1000
MOST_KB = 20 * 1024
POLL_INTERVAL_S = 0.01
TOO_MANY_THREADS = 77


def target():
    return comparison.built_beside("CALLCENSUS_MANY_THREADS", "tests/compare/many_threads")


def fill(pipe):
    """Writes to a pipe until it takes no more."""
    os.set_blocking(pipe, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(pipe, b"\n" * 4096)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(pipe, b"\n")
    os.set_blocking(pipe, True)


class TestMemory(comparison.WithDirectory):
    @pytest.mark.parametrize("engine", ["adaptive", "ptrace"])
    def test_a_thousand_threads(self, engine):
        self.measure("--engine", engine)

    def measure(self, *options):
        recording_path = self.directory / "recording.json"
        reader, writer = os.pipe()
        self.cleanups.callback(os.close, reader)
        fill(writer)
        process = subprocess.Popen(
            [*comparison.trace_prefix(recording_path, *options, profile="-"), target(), str(THREADS)],
            stdin=subprocess.DEVNULL, stdout=writer, env=comparison.ENVIRONMENT)
        os.close(writer)
        self.cleanups.callback(process.wait)
        self.cleanups.callback(process.kill)

        give_up = time.monotonic() + comparison.RUN_TIMEOUT_S
        while not (self.has_ended(recording_path) and self.is_asleep(process.pid)):
            assert process.poll() is None, "callcensus has ended before it wrote the profile"
            assert time.monotonic() < give_up
            time.sleep(POLL_INTERVAL_S)
        recording = json.loads(recording_path.read_text(encoding="utf-8"))
        if recording["exit_code"] == TOO_MANY_THREADS:
            pytest.skip(f"no {THREADS} threads are to be had")
        most_kb = self.most_memory_kb(process.pid)

        assert recording["complete"], recording["gaps"]
        assert recording["exit_code"] == 0
        assert [each["threads"] for each in recording["processes"]] == [THREADS + 1]
        assert most_kb < MOST_KB
        print(f"callcensus {' '.join(options)} took {most_kb} kB at most", flush=True)

    @staticmethod
    def has_ended(recording_path):
        """Whether the recording is there, and no snapshot from while the target ran."""
        if not recording_path.exists():
            return False
        return "exit_code" in json.loads(recording_path.read_text(encoding="utf-8"))

    @staticmethod
    def is_asleep(pid):
        """Whether it waits for something, here for room in the pipe."""
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return stat.rpartition(")")[2].split()[0] == "S"

    @staticmethod
    def most_memory_kb(pid):
        status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
        return int(re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)[1])


def missing():
    """Why nothing can be measured here, or None."""
    if not os.access(target(), os.X_OK):
        return f"{target()}, the program with the threads, is not built"
    return comparison.missing_program()


possible = comparison.skipped_for(missing)
