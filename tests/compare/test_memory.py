#!/usr/bin/env python3
"""How much memory callcensus takes for a thousand threads.

    CALLCENSUS=build/default/callcensus CALLCENSUS_MANY_THREADS=build/default/tests/compare/many_threads \\
        python3 tests/compare/test_memory.py

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

import comparison

THREADS = 1000
MOST_KB = 20 * 1024
POLL_INTERVAL_S = 0.01
TOO_MANY_THREADS = 77


def target():
    return os.environ.get("CALLCENSUS_MANY_THREADS", "")


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


class Memory(comparison.WithDirectory):
    def test_a_thousand_threads(self):
        for engine in ("adaptive", "ptrace"):
            with self.subTest(engine):
                self.measure("--engine", engine)

    def measure(self, *options):
        recording_path = self.directory / "recording.json"
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        fill(writer)
        process = subprocess.Popen(
            [*comparison.trace_prefix(recording_path, *options, profile="-"), target(), str(THREADS)],
            stdin=subprocess.DEVNULL, stdout=writer, env=comparison.ENVIRONMENT)
        os.close(writer)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)

        give_up = time.monotonic() + comparison.RUN_TIMEOUT_S
        while not (self.has_ended(recording_path) and self.is_asleep(process.pid)):
            self.assertIsNone(process.poll(), "callcensus has ended before it wrote the profile")
            self.assertLess(time.monotonic(), give_up)
            time.sleep(POLL_INTERVAL_S)
        recording = json.loads(recording_path.read_text(encoding="utf-8"))
        if recording["exit_code"] == TOO_MANY_THREADS:
            self.skipTest(f"no {THREADS} threads are to be had")
        most_kb = self.most_memory_kb(process.pid)

        self.assertTrue(recording["complete"], recording["gaps"])
        self.assertEqual(recording["exit_code"], 0)
        self.assertEqual([each["threads"] for each in recording["processes"]], [THREADS + 1])
        self.assertLess(most_kb, MOST_KB)
        print(f"callcensus {' '.join(options)} took {most_kb} kB at most", flush=True)
        recording_path.unlink()

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
        return "the environment variable CALLCENSUS_MANY_THREADS does not name the program with the threads"
    return comparison.missing_program()


if __name__ == "__main__":
    comparison.main(missing())
