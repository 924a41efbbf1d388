"""What has been seen is not lost: by no signal that can be caught, by no limit, by nothing that a target makes much
of; and whoever is killed outright while it writes leaves no litter."""

import json
import os
import random
import resource
import shutil
import signal
import time

import pytest

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


class TestEverySignal(harness.Case):
    def assert_kept(self, *names):
        """Whole, and nothing beside them."""
        assert sorted(os.listdir(self.directory)) == sorted(names)
        for name in names:
            assert self.json(name)

    @pytest.mark.parametrize("number", ENDING)
    def test_sent_to_trace(self, number):
        running = self.start_trace("-q", "-o", "p.json", "--recording", "r.json", "--", *WAITS, stdin=-1)
        running.expect("ready")
        running.send(number)
        if number not in NOT_PASSED_ON:
            wait_for(lambda: running.process.poll() is not None, "the target to end by the signal")
        done = running.end(b"")
        assert done.status == (3 if number in NOT_PASSED_ON else -number)
        self.assert_kept("p.json", "r.json")
        assert self.json("r.json")["complete"]
        assert "execve" in harness.observed(self.json("p.json"))
        for name in ("p.json", "r.json"):
            self.path(name).unlink()

    def test_sent_by_the_target(self):
        """It was not meant for the target itself."""
        numbers = " ".join(str(int(number)) for number in ENDING if number not in REQUESTS)
        done = self.trace("-q", "-o", "p.json", "--", "sh", "-c",
                          f"for n in {numbers}; do kill -$n $PPID || exit 9; done; sleep 0.2; exit 3")
        assert done.status == 3
        self.assert_kept("p.json")
        assert "kill" in harness.observed(self.json("p.json"))

    @pytest.mark.parametrize("number", [
        signal.SIGALRM, signal.SIGXCPU, signal.SIGXFSZ, signal.SIGUSR1, 33, 34, 64])
    def test_sent_to_verify(self, number):
        self.assert_succeeded(self.trace("-q", "-o", "p.json", "--", "sh", "-c", "echo; sleep 0.01"))
        running = self.start([PROGRAM, "verify", "--format", "json", "-o", "v.json", "p.json", "--", *WAITS], stdin=-1)
        running.expect("ready")
        running.send(number)
        running.end(b"")
        assert "findings" in self.json("v.json")

    @pytest.mark.parametrize("number", [signal.SIGALRM, signal.SIGXCPU, signal.SIGUSR1, 34])
    def test_sent_to_minimize(self, number):
        self.assert_succeeded(self.trace("-q", "-o", "p.json", "--", "sh", "-c", "echo; sleep 0.01"))
        running = self.start([PROGRAM, "minimize", "-o", "m.json", "p.json", "--", "sh", "-c",
                              "echo ready; sleep 0.01"])
        running.line(running.process.stderr)  # of the first run
        running.send(number)
        done = running.end()
        assert done.status == -number
        assert "syscalls" in self.json("m.json")

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
        assert "Max cpu time              100                  100" in natively.out
        assert traced.out == natively.out

    def test_a_timer_of_its_caller(self):
        """`alarm` sets one and then becomes us; without us it would have become the target."""
        done = self.start_trace("-q", "-o", "p.json", "--", "sleep", "60", preexec_fn=lambda: signal.alarm(3)).end()
        assert done.status == -signal.SIGALRM
        self.assert_kept("p.json")


class TestEverySignalAsNobody(harness.AsNobody, TestEverySignal):
    pass


class TestLimits(harness.Case):
    @pytest.mark.parametrize("soft", [1, 3])
    def test_processor_time(self, soft):
        running = self.start_trace(
            "-q", "-o", "p.json", "--engine", "ptrace", "--", *python(UNDER_A_CPU_LIMIT),
            preexec_fn=lambda soft=soft: resource.setrlimit(resource.RLIMIT_CPU, (soft, 3)))
        running.expect("ready")
        done = running.end()
        assert done.status in (-signal.SIGXCPU, -signal.SIGKILL)
        assert os.listdir(self.directory) == ["p.json"]
        assert "getppid" in harness.observed(self.json("p.json"))
        self.path("p.json").unlink()

    @pytest.mark.parametrize("hard", [1000, resource.RLIM_INFINITY])
    def test_size_of_files(self, hard):
        done = self.start_trace(
            "-o", "p.json", "--recording", "r.json", "--", "true",
            preexec_fn=lambda hard=hard: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))).end()
        assert done.status == 125
        assert "p.json: cannot be written: File too large" in done.err
        assert "what was observed:" in done.err
        assert " execve" in done.err
        assert os.listdir(self.directory) == []

    @pytest.mark.parametrize("arguments", [
        ["convert", "p.json", "--to", "oci", "-o", "out"], ["merge", "p.json", "p.json", "-o", "out"],
        ["derive", "r.json", "-o", "out"]])
    def test_size_of_files_that_others_write(self, arguments):
        self.assert_succeeded(self.trace("-q", "-o", "p.json", "--recording", "r.json", "--", "true"))
        done = self.start([PROGRAM, *arguments], preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_FSIZE, (500, 500))).end()
        assert done.status == 125
        assert "File too large" in done.err
        assert sorted(os.listdir(self.directory)) == ["p.json", "r.json"]


class TestKilledWhileWriting(harness.Case):
    def test_no_litter(self):
        self.assert_succeeded(self.trace("-q", "-o", "p.json", "--recording", "r.json", "--", "true"))
        before = time.monotonic()
        self.assert_succeeded(self.callcensus("derive", "-q", "r.json", "-o", "out.json"))
        takes = time.monotonic() - before
        whole = self.path("out.json").read_bytes()
        allowed = {"p.json", "r.json", "out.json", ".out.json.callcensus-tmp"}
        for attempt in range(40):
            if attempt % 2:
                self.path("out.json").unlink(missing_ok=True)
            running = self.start([PROGRAM, "derive", "-q", "r.json", "-o", "out.json"])
            time.sleep(random.uniform(0, takes))
            running.kill()
            assert set(os.listdir(self.directory)) <= allowed
            if self.path("out.json").exists():
                assert self.path("out.json").read_bytes() == whole
        self.assert_succeeded(self.callcensus("derive", "-q", "r.json", "-o", "out.json"))
        assert set(os.listdir(self.directory)) == allowed - {".out.json.callcensus-tmp"}


class TestMuch(harness.Case):
    @pytest.mark.parametrize("engine", ["ptrace", "adaptive"])
    def test_numbers_that_nobody_has(self, engine):
        count = 3000
        code = "import ctypes\nsyscall = ctypes.CDLL(None).syscall\n" \
            f"for number in range(100000, 100000 + {count}): syscall(number)\n"
        done = self.trace("-o", "p.json", "--recording", "r.json", "--engine", engine, "--", *python(code))
        self.assert_succeeded(done)
        assert done.err.count("\n") < 40
        assert "more calls have no name" in done.err
        recording = self.json("r.json")
        assert recording["complete"]
        assert f"{count - 256} calls by further numbers without a name are left out" in " ".join(recording["notes"])
        assert len([call for call in recording["calls"] if "name" not in call]) == 256
        self.assert_succeeded(self.callcensus("derive", "-q", "r.json", "-o", "p.json"))


class TestHostileNames(harness.Case):
    """Of executables, on their way to programs and to people."""

    NAME = "x\x1b[31m\n\x7f\u009b1m\u202e\"\\é"

    def set_up(self):
        super().set_up()
        self.hostile = self.path(self.NAME)
        shutil.copy(shutil.which("true", path=harness.SEARCH_PATH), self.hostile)

    def assert_fit(self, text):
        for forbidden in ("\x1b", "\x7f", "\u009b", "\u202e"):
            assert forbidden not in text

    def test_json_is_json_with_the_name_as_it_is(self):
        done = self.trace("--json", "--split", "-o", "p.json", "--recording", "r.json", "--", str(self.hostile))
        self.assert_succeeded(done)
        self.assert_fit(done.err)
        summary = json.loads(done.err)
        assert summary["profiles"][0]["executable"] == str(self.hostile)
        assert self.path(summary["profiles"][0]["path"]).exists()
        assert self.json("r.json")["executables"] == [str(self.hostile)]
        self.assert_fit(self.path("r.json").read_text(encoding="utf-8"))
        shown = self.callcensus("show", "--json", "r.json")
        self.assert_fit(shown.out)
        assert json.loads(shown.out)["calls"][0]["uses"][0]["executable"] == str(self.hostile)

    @pytest.mark.parametrize("arguments", [
        ["trace", "-o", "no/" + NAME, "--", "true"], ["show", NAME + "?"],
        [NAME], ["show", "--" + NAME], ["trace", "--", "./no" + NAME]])
    def test_people_see_what_it_is(self, arguments):
        done = self.trace("-o", f"{self.NAME}.json", "--", str(self.hostile))
        self.assert_succeeded(done)
        self.assert_fit(done.err)
        assert r"x\x1b[31m\x0a\x7f\xc2\x9b1m\xe2\x80\xae" in done.err
        done = self.callcensus(*arguments)
        assert done.status != 0
        self.assert_fit(done.err)
        assert done.err.count("\n") == 1

    def test_bytes_that_are_no_utf_8(self):
        name = os.fsencode(self.directory) + b"/\x9b31m\xff"
        shutil.copy(self.hostile, name)
        done = self.trace("--json", "-o", "p.json", "--recording", "r.json", "--", os.fsdecode(name))
        self.assert_succeeded(done)
        json.loads(done.err)
        assert "\ufffd31m\ufffd" in self.json("r.json")["executables"][0]
        process = self.start([PROGRAM, "show", os.fsdecode(name) + "?"])
        assert r"\x9b31m\xff?: cannot be opened" in process.end().err


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


class TestEscapes(harness.Case):
    @pytest.mark.parametrize("engine", ["ptrace", "adaptive"])
    @harness.needs("gcc")
    def test_a_child_made_by_changed_flags_is_said_to_be_missing(self, engine):
        self.write("changing.c", CHANGING_FLAGS)
        built = self.run_natively("gcc", "-pthread", "-w", "-o", "changing", "changing.c")
        assert (built.status, built.err) == (0, "")
        patience = ["--patience", "0"] if engine == "adaptive" else []
        done = self.trace("-q", "-o", "p.json", "--recording", "r.json", "--engine", engine, *patience, "--",
                          str(self.path("changing")))
        self.assert_succeeded(done)
        recording = self.json("r.json")
        missing = int(done.out) - (len(recording["processes"]) - 1)
        assert (missing > 0) == (not recording["complete"]), ((missing, recording["gaps"]))
        for gap in recording["gaps"]:
            assert "clone3 was called with flags in memory to which CLONE_UNTRACED was added" in gap
