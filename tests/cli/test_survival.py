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


class EverySignal(harness.Case):
    def assertKept(self, *names):
        """Whole, and nothing beside them."""
        self.assertEqual(sorted(os.listdir(self.directory)), sorted(names))
        for name in names:
            self.assertTrue(self.json(name))

    def test_sent_to_trace(self):
        for number in ENDING:
            with self.subTest(signal=number):
                running = self.start_trace("-q", "-o", "p.json", "--recording", "r.json", "--", *WAITS, stdin=-1)
                running.expect("ready")
                running.send(number)
                if number not in NOT_PASSED_ON:
                    wait_for(lambda: running.process.poll() is not None, "the target to end by the signal")
                done = running.end(b"")
                self.assertEqual(done.status, 3 if number in NOT_PASSED_ON else -number, done)
                self.assertKept("p.json", "r.json")
                self.assertTrue(self.json("r.json")["complete"])
                self.assertIn("execve", harness.observed(self.json("p.json")))
                for name in ("p.json", "r.json"):
                    self.path(name).unlink()

    def test_sent_by_the_target(self):
        """It was not meant for the target itself."""
        numbers = " ".join(str(int(number)) for number in ENDING if number not in REQUESTS)
        done = self.trace("-q", "-o", "p.json", "--", "sh", "-c",
                          f"for n in {numbers}; do kill -$n $PPID || exit 9; done; sleep 0.2; exit 3")
        self.assertEqual(done.status, 3, done)
        self.assertKept("p.json")
        self.assertIn("kill", harness.observed(self.json("p.json")))

    def test_sent_to_verify_and_minimize(self):
        self.assertSucceeded(self.trace("-q", "-o", "p.json", "--", "sh", "-c", "echo; sleep 0.01"))
        for number in (signal.SIGALRM, signal.SIGXCPU, signal.SIGXFSZ, signal.SIGUSR1, 33, 34, 64):
            with self.subTest(command="verify", signal=number):
                running = self.start([PROGRAM, "verify", "--format", "json", "-o", "v.json", "p.json", "--", *WAITS],
                                     stdin=-1)
                running.expect("ready")
                running.send(number)
                running.end(b"")
                self.assertIn("findings", self.json("v.json"))
        for number in (signal.SIGALRM, signal.SIGXCPU, signal.SIGUSR1, 34):
            with self.subTest(command="minimize", signal=number):
                running = self.start([PROGRAM, "minimize", "-o", "m.json", "p.json", "--", "sh", "-c",
                                      "echo ready; sleep 0.01"])
                running.line(running.process.stderr)  # of the first run
                running.send(number)
                done = running.end()
                self.assertEqual(done.status, -number, done)
                self.assertIn("syscalls", self.json("m.json"))
                self.path("m.json").unlink()

    def test_the_target_has_what_it_would_have_had(self):
        def prepare():
            signal.signal(signal.SIGUSR1, signal.SIG_IGN)
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM, signal.SIGRTMIN + 3])
            resource.setrlimit(resource.RLIMIT_CPU, (100, 100))
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 21))
        command = ["grep", "-hE", "^Sig(Blk|Ign|Cgt)|^Max (cpu|file)", "/proc/self/status", "/proc/self/limits"]
        natively = self.start(command, preexec_fn=prepare).end()
        traced = self.start_trace("-q", "-o", "p.json", "--", *command, preexec_fn=prepare).end()
        self.assertIn("Max cpu time              100                  100", natively.out)
        self.assertEqual(traced.out, natively.out)

    def test_a_timer_of_its_caller(self):
        """`alarm` sets one and then becomes us; without us it would have become the target."""
        done = self.start_trace("-q", "-o", "p.json", "--", "sleep", "60", preexec_fn=lambda: signal.alarm(1)).end()
        self.assertEqual(done.status, -signal.SIGALRM, done)
        self.assertKept("p.json")


class EverySignalAsNobody(harness.AsNobody, EverySignal):
    pass


class Limits(harness.Case):
    def test_processor_time(self):
        for soft in (1, 3):
            with self.subTest(soft=soft):
                running = self.start_trace(
                    "-q", "-o", "p.json", "--engine", "ptrace", "--", *python(UNDER_A_CPU_LIMIT),
                    preexec_fn=lambda soft=soft: resource.setrlimit(resource.RLIMIT_CPU, (soft, 3)))
                running.expect("ready")
                done = running.end()
                self.assertIn(done.status, (-signal.SIGXCPU, -signal.SIGKILL), done)
                self.assertEqual(os.listdir(self.directory), ["p.json"])
                self.assertIn("getppid", harness.observed(self.json("p.json")))
                self.path("p.json").unlink()

    def test_size_of_files(self):
        for hard in (1000, resource.RLIM_INFINITY):
            with self.subTest(hard=hard):
                done = self.start_trace(
                    "-o", "p.json", "--recording", "r.json", "--", "true",
                    preexec_fn=lambda hard=hard: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))).end()
                self.assertEqual(done.status, 125, done)
                self.assertIn("p.json: cannot be written: File too large", done.err)
                self.assertIn("what was observed:", done.err)
                self.assertIn(" execve", done.err)
                self.assertEqual(os.listdir(self.directory), [])

    def test_size_of_files_that_others_write(self):
        self.assertSucceeded(self.trace("-q", "-o", "p.json", "--recording", "r.json", "--", "true"))
        for arguments in (["convert", "p.json", "--to", "oci", "-o", "out"], ["merge", "p.json", "p.json", "-o", "out"],
                          ["derive", "r.json", "-o", "out"]):
            with self.subTest(command=arguments[0]):
                done = self.start([PROGRAM, *arguments], preexec_fn=lambda: resource.setrlimit(
                    resource.RLIMIT_FSIZE, (500, 500))).end()
                self.assertEqual(done.status, 125, done)
                self.assertIn("File too large", done.err)
                self.assertEqual(sorted(os.listdir(self.directory)), ["p.json", "r.json"])


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


class Much(harness.Case):
    def test_numbers_that_nobody_has(self):
        count = 3000
        code = "import ctypes\nsyscall = ctypes.CDLL(None).syscall\n" \
            f"for number in range(100000, 100000 + {count}): syscall(number)\n"
        for engine in ("ptrace", "adaptive"):
            with self.subTest(engine=engine):
                done = self.trace("-o", "p.json", "--recording", "r.json", "--engine", engine, "--", *python(code))
                self.assertSucceeded(done)
                self.assertLess(done.err.count("\n"), 40, done)
                self.assertIn("more calls have no name", done.err)
                recording = self.json("r.json")
                self.assertTrue(recording["complete"])
                self.assertIn(f"{count - 256} calls by further numbers without a name are left out",
                              " ".join(recording["notes"]))
                self.assertEqual(len([call for call in recording["calls"] if "name" not in call]), 256)
                self.assertSucceeded(self.callcensus("derive", "-q", "r.json", "-o", "p.json"))


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


# A thread that adds CLONE_UNTRACED to clone3's flags and takes it out, while another one makes children by them.
CHANGING_FLAGS = r"""
    #define _GNU_SOURCE
    #include <linux/sched.h>
    #include <pthread.h>
    #include <signal.h>
    #include <stdio.h>
    #include <sys/syscall.h>
    #include <sys/wait.h>
    #include <unistd.h>
    static volatile struct clone_args arguments = {.exit_signal = SIGCHLD};
    static void* change(void* nothing) {
        for (;;) arguments.flags ^= CLONE_UNTRACED;
        return nothing;
    }
    int main(void) {
        pthread_t changer;
        if (pthread_create(&changer, 0, change, 0) != 0) return 1;
        int made = 0;
        for (int i = 0; i < 300; ++i) {
            const long pid = syscall(SYS_clone3, &arguments, sizeof arguments);
            if (pid == 0) _exit(0);
            if (pid < 0) return 2;
            ++made;
            while (waitpid((pid_t)pid, 0, __WALL) < 0) {}
        }
        printf("%d\n", made);
        fflush(stdout);
        _exit(0);
    }
"""


class Escapes(harness.Case):
    @harness.needs("gcc")
    def test_a_child_made_by_changed_flags_is_said_to_be_missing(self):
        self.write("changing.c", CHANGING_FLAGS)
        built = self.run_natively("gcc", "-pthread", "-w", "-o", "changing", "changing.c")
        self.assertEqual((built.status, built.err), (0, ""))
        for engine in ("ptrace", "adaptive"):
            with self.subTest(engine=engine):
                patience = ["--patience", "0"] if engine == "adaptive" else []
                done = self.trace("-q", "-o", "p.json", "--recording", "r.json", "--engine", engine, *patience, "--",
                                  str(self.path("changing")))
                self.assertSucceeded(done)
                recording = self.json("r.json")
                missing = int(done.out) - (len(recording["processes"]) - 1)
                self.assertEqual(missing > 0, not recording["complete"], (missing, recording["gaps"]))
                for gap in recording["gaps"]:
                    self.assertIn("clone3 was called with flags in memory to which CLONE_UNTRACED was added", gap)


if __name__ == "__main__":
    harness.main()
