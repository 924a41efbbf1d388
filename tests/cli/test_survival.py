#!/usr/bin/env python3
"""What has been seen is not lost: by no signal that can be caught, by no limit, by nothing that a target makes much
of; and whoever is killed outright while it writes leaves no litter."""

import json
import os
import random
import resource
import shutil
import signal
import time

import harness
from harness import PROGRAM, python, wait_for

# Stops a process, or does nothing to it.
OTHERS = {signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT, signal.SIGCHLD, signal.SIGURG, signal.SIGTSTP,
          signal.SIGTTIN, signal.SIGTTOU, signal.SIGWINCH}
ENDING = [number for number in range(1, 65) if number not in OTHERS]
# SIGPIPE tells of a reader; 32 and 33 are libc's own.
NOT_PASSED_ON = {signal.SIGPIPE, 32, 33}
REQUESTS = {signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM}

WAITS = ["sh", "-c", "echo ready; read line; exit 3"]
UNDER_A_CPU_LIMIT = "import os\nprint('ready', flush=True)\nwhile True: os.getppid()\n"


class KilledWhileWriting(harness.Case):
    def test_no_litter(self):
        self.assertSucceeded(self.trace("-q", "-o", "p.json", "--recording", "r.json", "--", "true"))
        before = time.monotonic()
        self.assertSucceeded(self.callcensus("derive", "-q", "r.json", "-o", "out.json"))
        takes = time.monotonic() - before
        whole = self.path("out.json").read_bytes()
        allowed = {"p.json", "r.json", "out.json", ".out.json.callcensus-tmp"}
        for attempt in range(40):
            if attempt % 2:
                self.path("out.json").unlink(missing_ok=True)
            running = self.start([PROGRAM, "derive", "-q", "r.json", "-o", "out.json"])
            time.sleep(random.uniform(0, takes))
            running.kill()
            self.assertLessEqual(set(os.listdir(self.directory)), allowed)
            if self.path("out.json").exists():
                self.assertEqual(self.path("out.json").read_bytes(), whole)
        self.assertSucceeded(self.callcensus("derive", "-q", "r.json", "-o", "out.json"))
        self.assertEqual(set(os.listdir(self.directory)), allowed - {".out.json.callcensus-tmp"})


class HostileNames(harness.Case):
    """Of executables, on their way to programs and to people."""

    NAME = "x\x1b[31m\n\x7f\u009b1m\u202e\"\\é"

    def setUp(self):
        super().setUp()
        self.hostile = self.path(self.NAME)
        shutil.copy(shutil.which("true", path=harness.SEARCH_PATH), self.hostile)

    def assertFit(self, text):
        for forbidden in ("\x1b", "\x7f", "\u009b", "\u202e"):
            self.assertNotIn(forbidden, text)

    def test_json_is_json_with_the_name_as_it_is(self):
        done = self.trace("--json", "--split", "-o", "p.json", "--recording", "r.json", "--", str(self.hostile))
        self.assertSucceeded(done)
        self.assertFit(done.err)
        summary = json.loads(done.err)
        self.assertEqual(summary["profiles"][0]["executable"], str(self.hostile))
        self.assertTrue(self.path(summary["profiles"][0]["path"]).exists())
        self.assertEqual(self.json("r.json")["executables"], [str(self.hostile)])
        self.assertFit(self.path("r.json").read_text(encoding="utf-8"))
        shown = self.callcensus("show", "--json", "r.json")
        self.assertFit(shown.out)
        self.assertEqual(json.loads(shown.out)["calls"][0]["uses"][0]["executable"], str(self.hostile))

    def test_people_see_what_it_is(self):
        done = self.trace("-o", f"{self.NAME}.json", "--", str(self.hostile))
        self.assertSucceeded(done)
        self.assertFit(done.err)
        self.assertIn(r"x\x1b[31m\x0a\x7f\xc2\x9b1m\xe2\x80\xae", done.err)
        for arguments in (["trace", "-o", "no/" + self.NAME, "--", "true"], ["show", self.NAME + "?"],
                          [self.NAME], ["show", "--" + self.NAME], ["trace", "--", "./no" + self.NAME]):
            with self.subTest(arguments=arguments):
                done = self.callcensus(*arguments)
                self.assertNotEqual(done.status, 0)
                self.assertFit(done.err)
                self.assertEqual(done.err.count("\n"), 1)

    def test_bytes_that_are_no_utf_8(self):
        name = os.fsencode(self.directory) + b"/\x9b31m\xff"
        shutil.copy(self.hostile, name)
        done = self.trace("--json", "-o", "p.json", "--recording", "r.json", "--", os.fsdecode(name))
        self.assertSucceeded(done)
        json.loads(done.err)
        self.assertIn("\ufffd31m\ufffd", self.json("r.json")["executables"][0])
        process = self.start([PROGRAM, "show", os.fsdecode(name) + "?"])
        self.assertIn(r"\x9b31m\xff?: cannot be opened", process.end().err)


if __name__ == "__main__":
    harness.main()
