"""Signals sent to callcensus, time limits, and what becomes of the target's processes."""

import json
import os
import pathlib
import signal
import subprocess
import time

import pytest

import harness
from harness import (MARK, MARK_NAME, REACTING, is_gone, python, stat_of, status_field, wait_for,
                     wait_until_gone)

# Says what arrives and goes on; INT ends it with status 7.
ECHO = REACTING + f"""
seen = []
def handle(signum, frame):
    seen.append(signum)
    say("got", signal.Signals(signum).name)
    if signum == signal.SIGINT:
        {MARK}
        os._exit(7)
for name in ("INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "WINCH"):
    signal.signal(getattr(signal, "SIG" + name), handle)
say("ready", os.getpid())
for_ever()
"""

# Leaves a daemon behind, in a session of its own, that waits for a line from a named pipe and then makes
# its mark. Says the daemon's pid.
LEAVE_DAEMON = f"""
import os, sys
read_end, write_end = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        nothing = os.open("/dev/null", os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(nothing, fd)
        pids = [os.getpid()]
        os.write(write_end, " ".join(map(str, pids)).encode())
        os.close(write_end)
        with open("go") as go:
            go.readline()
        {MARK}
        open("daemon-done", "w").close()
    os._exit(0)
os.wait()
os.close(write_end)
print(os.read(read_end, 100).decode(), flush=True)
os._exit(5)
"""


class TestSignals(harness.Case):
    """What is sent to callcensus by kill(2) is meant for the target."""

    def start_echo(self, *options, code=ECHO, **started_with):
        """Started and able to handle signals; returns its pid beside."""
        running = self.start_trace("-o", "p.json", *options, "--", *python(code), **started_with)
        word, pid = running.line().split()
        assert word == "ready"
        return running, int(pid)

    @pytest.mark.parametrize("name", ["TERM", "HUP", "INT", "QUIT", "USR1", "USR2", "WINCH"])
    def test_forwarded_and_what_the_handler_does_is_recorded(self, name):
        code = REACTING + f"""
def handle(signum, frame):
    {MARK}
    say("handled", signal.Signals(signum).name)
    os._exit(7)
signal.signal(signal.SIG{name}, handle)
say("ready", os.getpid())
for_ever()
"""
        running, _ = self.start_echo(code=code)
        running.send(getattr(signal, f"SIG{name}"))
        done = running.end()
        assert (done.status, done.out) == (7, f"handled SIG{name}\n")
        assert MARK_NAME in harness.observed(self.json("p.json"))

    def test_each_arrives_once(self):
        running, _ = self.start_echo("-q")
        names = ["USR1", "WINCH", "USR2", "QUIT", "USR1", "HUP"] + ["USR1", "USR2"] * 20
        for name in names:
            running.send(getattr(signal, f"SIG{name}"))
            running.expect(f"got SIG{name}")
        running.send(signal.SIGINT)
        done = running.end()
        assert (done.status, done.out, done.err) == (7, "got SIGINT\n", "")

    @pytest.mark.parametrize("name", ["TERM", "HUP", "INT", "QUIT", "USR1", "USR2"])
    def test_death_of_the_target(self, name):
        code = REACTING + f"signal.signal(signal.SIG{name}, signal.SIG_DFL)\n" \
            "say('ready', os.getpid())\nfor_ever()\n"
        running, _ = self.start_echo(code=code)
        running.send(getattr(signal, f"SIG{name}"))
        assert running.end().status == -getattr(signal, f"SIG{name}")
        assert "execve" in harness.observed(self.json("p.json"))
        self.path("p.json").unlink()

    @pytest.mark.parametrize("first, second", [("TERM", "TERM"), ("HUP", "HUP"), ("TERM", "HUP")])
    def test_second_request_ends_everything(self, first, second):
        code = "import os\nif os.fork() == 0:\n    import signal\n" \
            "    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\n" \
            "    while True: signal.pause()\n" + ECHO
        running, target = self.start_echo(code=code)
        assert len(harness.tracees_of(running.pid)) == 2
        running.send(getattr(signal, f"SIG{first}"))
        running.expect(f"got SIG{first}")
        assert stat_of(target)[0] in "SRDt"
        # What comes within a tenth of a second counts as the same request: timeout(1) sends it twice.
        a_while = time.monotonic() + 0.3
        wait_for(lambda until=a_while: time.monotonic() > until,
                 "the next request to count as another one")
        running.send(getattr(signal, f"SIG{second}"))
        done = running.end()
        assert done.status == -signal.SIGKILL
        assert self.processes() == []
        assert "execve" in harness.observed(self.json("p.json"))

    def test_target_that_ignores_the_request(self):
        code = REACTING + "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" \
            "say('ready', os.getpid())\nfor_ever()\n"
        running, _ = self.start_echo("-q", code=code)

        def ended_after_another():
            running.send(signal.SIGTERM)
            return running.process.poll() is not None
        wait_for(ended_after_another, "repeated SIGTERM to end it")
        assert running.end().status == -signal.SIGKILL
        assert self.path("p.json").exists()

    @harness.needs("timeout")
    def test_one_request_that_is_sent_twice(self):
        # timeout(1) signals its child and then its process group; that is one request, and the target may
        # take its time for it.
        code = REACTING + f"""
def handle(signum, frame):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.system("exec true")
    {MARK}
    say("handled")
    os._exit(7)
signal.signal(signal.SIGTERM, handle)
say("ready", os.getpid())
for_ever()
"""
        for _ in range(10):
            running = self.start(["timeout", "--preserve-status", "0.5", harness.PROGRAM, "trace", "-o",
                                  "p.json", "--", *python(code)])
            done = running.end()
            assert "ready" in done.out
            assert "handled" in done.out
            assert done.status == 7

    def test_ignored_hang_up_stays_ignored(self):
        def ignore():
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        code = ECHO.replace('"HUP", ', "")
        running, target = self.start_echo("-q", code=code, preexec_fn=ignore)
        for pid in (running.pid, target):
            assert int(status_field(pid, "SigIgn"), 16) & 1 << signal.SIGHUP - 1
        running.send(signal.SIGHUP)
        running.send(signal.SIGHUP)
        running.send(signal.SIGUSR1)
        running.expect("got SIGUSR1")
        os.kill(target, signal.SIGHUP)
        running.send(signal.SIGINT)
        done = running.end()
        assert (done.status, done.out) == (7, "got SIGINT\n")
        assert MARK_NAME in harness.observed(self.json("p.json"))

    @harness.needs("nohup")
    def test_under_nohup(self):
        running = self.start(["nohup", harness.PROGRAM, "trace", "-q", "-o", "p.json", "--",
                              *python(ECHO.replace('"HUP", ', ""))])
        assert running.line().split()[0] == "ready"
        running.send(signal.SIGHUP)
        running.send(signal.SIGINT)
        done = running.end()
        assert (done.status, done.out) == (7, "got SIGINT\n")

    def test_interrupt_ignored_as_in_a_background_job_of_a_script(self):
        def ignore():
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGQUIT, signal.SIG_IGN)
        code = REACTING + "signal.signal(signal.SIGUSR1, lambda *_: (say('done'), os._exit(3)))\n" \
            "say('ready', os.getpid())\nfor_ever()\n"
        running, target = self.start_echo("-q", code=code, preexec_fn=ignore)
        assert int(status_field(target, "SigIgn"), 16) & 0b110 == 0b110
        running.send(signal.SIGINT)
        running.send(signal.SIGQUIT)
        running.send(signal.SIGUSR1)
        assert running.end().status == 3

    def test_stopped_and_continued_without_a_terminal(self):
        # Whoever stops the target will continue the target and not us: we must not be stopped then.
        running, target = self.start_echo("-q")
        for _ in range(3):
            os.kill(target, signal.SIGSTOP)
            wait_for(lambda: stat_of(target)[0] in "Tt", "the target to stop")
            os.kill(target, signal.SIGCONT)
            running.send(signal.SIGUSR1)
            running.expect("got SIGUSR1")
        running.send(signal.SIGINT)
        assert running.end().status == 7

    def test_killed_by_somebody_else(self):
        running, target = self.start_echo("-q")
        os.kill(target, signal.SIGKILL)
        assert running.end().status == -signal.SIGKILL
        assert self.path("p.json").exists()


class TestSignalsAsNobody(harness.AsNobody, TestSignals):
    pass


class TestInherited(harness.Case):
    """The target gets the dispositions and the mask that callcensus got, and these do not disturb us."""

    SHOW = ["grep", "^Sig[BIC]", "/proc/self/status"]

    def assert_same(self, prepare):
        # A sanitizer in callcensus would handle these signals before main() could see how they were.
        handles = "handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:handle_abort=0"
        env = self.environment(ASAN_OPTIONS=f"{os.environ.get('ASAN_OPTIONS', '')}:{handles}",
                               UBSAN_OPTIONS=f"{os.environ.get('UBSAN_OPTIONS', '')}:{handles}")
        native = self.run_natively(*self.SHOW, preexec_fn=prepare, env=env)
        traced = self.trace("-q", "-o", "p.json", "--", *self.SHOW, preexec_fn=prepare, env=env)
        assert (traced.status, traced.out) == (native.status, native.out)
        assert native.out.count("\n") == 3
        assert self.path("p.json").exists()
        return traced.out

    def test_ignored_children_signal(self):
        out = self.assert_same(lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
        assert "SigIgn:\t0000000000010000" in out
        # Such a target cannot wait for its children's statuses, and still ends.
        done = self.trace("-q", "-o", "p.json", "--", "sh", "-c", "true & true; exit 4",
                          preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
        assert done.status == 4

    def test_every_signal_ignored(self):
        def ignore_all():
            for signum in sorted(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}):
                signal.signal(signum, signal.SIG_IGN)
        self.assert_same(ignore_all)

    def test_every_signal_blocked(self):
        self.assert_same(lambda: signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals()))

    @pytest.mark.parametrize("signum", [
        signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGTSTP, signal.SIGTTIN,
        signal.SIGTTOU, signal.SIGWINCH, signal.SIGALRM, signal.SIGRTMIN, signal.SIGRTMAX])
    def test_single_ones(self, signum):
        self.assert_same(lambda signum=signum: signal.signal(signum, signal.SIG_IGN))
        self.assert_same(lambda signum=signum: signal.pthread_sigmask(signal.SIG_BLOCK, [signum]))

    def test_forwarded_even_when_they_were_blocked(self):
        running = self.start_trace(
            "-q", "-o", "p.json", "--", *python(
                "import os, signal\n"
                "signal.signal(signal.SIGTERM, lambda *_: os._exit(7))\n"
                "os.write(1, b'ready\\n')\n"
                "signal.sigwait([signal.SIGUSR1])\n"
                "signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])\n"),
            preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGUSR1]))
        running.expect("ready")
        running.send(signal.SIGTERM)
        target = harness.tracees_of(running.pid)[0]
        wait_for(lambda: int(status_field(target, "ShdPnd"), 16) & 1 << signal.SIGTERM - 1,
                 "it to be forwarded")
        running.send(signal.SIGUSR1)
        assert running.end().status == 7

    def test_time_limit_with_everything_blocked(self):
        done = self.trace("-q", "--timeout", "200ms", "--kill-after", "200ms", "-o", "p.json", "--", "sleep",
                          "1000",
                          preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals()))
        assert done.status == -signal.SIGKILL

    @pytest.mark.parametrize("job", ["sleep 1000", "true", "sh -c 'exit 9'", "sh -c 'kill -STOP $$'"])
    def test_children_from_before(self, job):
        # A shell that has background jobs and then becomes callcensus: they are our children, not targets.
        done = self.run_natively("sh", "-c",
                                 f'{job} >/dev/null 2>&1 & exec "$0" trace --json -o p.json -- '
                                 "sh -c 'true; exit 6'", harness.PROGRAM)
        assert done.status == 6
        summary = json.loads(done.err)
        assert (summary["processes"], summary["complete"]) == (1, True)
        for pid in self.processes():
            assert status_field(pid, "TracerPid") == "0"
            os.kill(pid, signal.SIGKILL)

    def test_children_from_before_that_end_meanwhile(self):
        os.mkfifo(self.path("go"))
        os.chmod(self.path("go"), 0o666)
        running = self.start(["sh", "-c", '(read x <go) & exec "$0" trace -q -o p.json -- '
                              "sh -c 'echo ready; read x; exit 6'", harness.PROGRAM], stdin=subprocess.PIPE)
        running.expect("ready")
        child = next(pid for pid in harness.children_of(running.pid) if status_field(pid, "TracerPid") == "0")
        self.path("go").write_text("\n", encoding="ascii")
        wait_for(lambda: is_gone(child), "the child from before to be reaped")
        assert running.end(b"\n").status == 6


class TestInheritedAsNobody(harness.AsNobody, TestInherited):
    pass


class TestTimeLimits(harness.Case):
    def test_target_that_ends_when_asked(self):
        code = REACTING + f"""
def handle(signum, frame):
    {MARK}
    say("handled", signum)
    os._exit(7)
signal.signal(signal.SIGTERM, handle)
for_ever()
"""
        began = time.monotonic()
        done = self.trace("--timeout", "500ms", "-o", "p.json", "--", *python(code))
        assert time.monotonic() - began >= 0.5
        assert (done.status, done.out) == (7, "handled 15\n")
        assert MARK_NAME in harness.observed(self.json("p.json"))

    def test_target_without_a_handler(self):
        done = self.trace("--timeout", "0.2s", "-o", "p.json", "--", "sleep", "1000")
        assert done.status == -signal.SIGTERM
        assert self.path("p.json").exists()

    def test_target_that_does_not_end(self):
        code = "import os, signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nos.fork()\nos.fork()\n" \
            "while True: signal.pause()\n"
        began = time.monotonic()
        done = self.trace("--json", "--timeout", "500ms", "--kill-after", "300ms", "-o", "p.json", "--",
                          *python(code))
        assert time.monotonic() - began >= 0.8
        assert done.status == -signal.SIGKILL
        assert self.processes() == []
        assert json.loads(done.err)["processes"] == 4
        assert json.loads(done.err)["signal"] == signal.SIGKILL
        assert self.path("p.json").exists()

    def test_target_that_forks_all_the_time(self):
        # A process that is always a new one: at the moment of the killing its newest may not be known yet.
        code = "import os, signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" \
            "for _ in range(3):\n" \
            "    if os.fork() == 0:\n" \
            "        while True:\n            if os.fork() != 0: os._exit(0)\n" \
            "while True: signal.pause()\n"
        for _ in range(5):
            done = self.trace("-q", "--timeout", "200ms", "--kill-after", "100ms", "-o", "p.json", "--",
                              *python(code))
            assert done.status == -signal.SIGKILL
            assert self.processes() == []

    def test_what_the_first_process_left_behind_is_asked_too(self):
        os.mkfifo(self.path("go"))
        os.chmod(self.path("go"), 0o666)
        done = self.trace("--json", "--timeout", "1s", "-o", "p.json", "--", *python(LEAVE_DAEMON))
        assert done.status == 5
        wait_until_gone([int(done.out)])
        assert not self.path("daemon-done").exists()
        assert json.loads(done.err)["duration_ms"] >= 1000

    def test_limit_that_is_not_reached(self):
        for duration in ("1h", "100", "5m", "0.5h", "60s", "99999ms"):
            done = self.trace("-q", "--timeout", duration, "--kill-after", "1ms", "-o", "p.json", "--",
                              "true")
            assert (done.status, done.err) == (0, "")

    def test_stopped_target_is_killed(self):
        running = self.start_trace("-q", "--timeout", "500ms", "--kill-after", "300ms", "-o", "p.json", "--",
                                   "sh", "-c", "kill -STOP $$")
        assert running.end().status == -signal.SIGKILL


class TestTimeLimitsAsNobody(harness.AsNobody, TestTimeLimits):
    pass


class TestKilledOutright(harness.Case):
    """SIGKILL to callcensus: nothing of the target may be left, least of all stopped for ever."""

    # One of each kind that could survive; each says its pid.
    KINDS = r"""
import os, signal, sys, threading
def say():
    os.write(1, f"{os.getpid()}\n".encode())
def stay():
    say()
    while True:
        signal.pause()
def child(body):
    if os.fork() == 0:
        body()
        stay()
def grandchild():
    child(lambda: None)
def daemon():
    os.setsid()
    if os.fork() != 0:
        os._exit(0)
def deaf():
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
def stopped():
    say()
    os.kill(os.getpid(), signal.SIGSTOP)
def busy():
    say()
    while True:
        os.getppid()
def threads():
    for _ in range(3):
        threading.Thread(target=lambda: threading.Event().wait(), daemon=True).start()
def other_program():
    say()
    os.execvp("sleep", ["sleep", "1000"])
for kind in (grandchild, daemon, deaf, stopped, busy, threads, other_program):
    child(kind)
stay()
"""

    def test_nothing_is_left(self):
        running = self.start_trace("-o", "p.json", "--recording", "r.json", "--", *python(self.KINDS))
        pids = [int(running.line()) for _ in range(9)]
        assert len(set(pids)) == 9
        for pid in pids:
            assert status_field(pid, "TracerPid") == str(running.pid)
        wait_for(lambda: stat_of(pids[0]) and any(stat_of(pid)[0] in "Tt" for pid in pids),
                 "one to be stopped")
        running.send(signal.SIGKILL)
        assert running.process.wait(harness.DEADLINE_S) == -signal.SIGKILL
        wait_until_gone(pids)
        assert self.processes() == []
        assert not self.path("p.json").exists()
        assert not self.path("r.json").exists()

    def test_in_the_middle_of_forks_and_execs(self):
        storm = "import os, signal\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\n" \
            "while True:\n" \
            "    os.write(1, b'.\\n')\n" \
            "    if os.fork() == 0:\n" \
            "        if os.fork() == 0: os.execvp('true', ['true'])\n" \
            "        os._exit(0)\n"
        for lines in range(1, 16):
            running = self.start_trace("-o", "p.json", "--", *python(storm))
            for _ in range(lines):
                running.line()
            running.send(signal.SIGKILL)
            running.process.wait(harness.DEADLINE_S)
            wait_for(lambda: not self.processes(), f"nothing to be left, but {self.processes()} are")
            running.kill()

    def test_before_the_target_has_started(self):
        # At any moment of our own start-up.
        for _ in range(30):
            running = self.start_trace("-o", "p.json", "--", "sleep", "1000")
            wait_for(lambda pid=running.pid: harness.children_of(pid) or is_gone(pid),
                     "the child that becomes it")
            running.send(signal.SIGKILL)
            running.process.wait(harness.DEADLINE_S)
            wait_for(lambda: not self.processes(), "nothing to be left", 10)
            running.kill()

    def test_the_recording_so_far_is_there(self):
        # Every ten seconds; one test of that is enough.
        code = REACTING + f"{MARK}\nsay('ready')\nfor_ever()\n"
        running = self.start_trace("-o", "p.json", "--recording", "r.json", "--", *python(code))
        running.expect("ready")
        wait_for(self.path("r.json").exists, "a snapshot of the recording")
        running.send(signal.SIGKILL)
        running.process.wait(harness.DEADLINE_S)
        recording = self.json("r.json")
        assert not recording["complete"]
        assert "snapshot" in recording["gaps"][0]
        assert MARK_NAME in harness.recorded(recording)
        assert "exit_code" not in recording
        assert "signal" not in recording
        done = self.callcensus("derive", "r.json", "-o", "p.json")
        self.assert_succeeded(done)
        assert "not complete" in done.err
        assert MARK_NAME in harness.observed(self.json("p.json"))


class TestKilledOutrightAsNobody(harness.AsNobody, TestKilledOutright):
    test_the_recording_so_far_is_there = None  # takes ten seconds and does not depend on who it is


class TestDaemons(harness.Case):
    """What outlives the first process."""

    def set_up(self):
        super().set_up()
        os.mkfifo(self.path("go"))
        os.chmod(self.path("go"), 0o666)

    def release(self):
        # Opened for both directions, so that it does not wait for a reader that is gone.
        go = os.open(self.path("go"), os.O_RDWR)
        os.write(go, b"\n")
        return go

    def test_followed_to_their_end(self):
        running = self.start_trace("--json", "-o", "p.json", "--", *python(LEAVE_DAEMON))
        daemon = int(running.line())
        first = [pid for pid in harness.tracees_of(running.pid) if pid != daemon]
        wait_until_gone(first)
        assert running.process.poll() is None
        assert status_field(daemon, "TracerPid") == str(running.pid)
        go = self.release()
        done = running.end()
        os.close(go)
        assert done.status == 5
        summary = json.loads(done.err)
        assert (summary["survivors"], summary["let_go"], summary["processes"]) == (1, 0, 3)
        assert self.path("daemon-done").exists()
        assert MARK_NAME in harness.observed(self.json("p.json"))

    def test_asked_to_end_when_they_are_all_that_is_left(self):
        code = LEAVE_DAEMON.replace("with open", f"""
        import signal
        def handle(*_):
            {MARK}
            open("asked", "w").close()
            os._exit(0)
        signal.signal(signal.SIGTERM, handle)
        with open""")
        running = self.start_trace("-q", "-o", "p.json", "--", *python(code))
        daemon = int(running.line())
        wait_until_gone([pid for pid in harness.tracees_of(running.pid) if pid != daemon])
        # Its handler is there once it waits for the pipe.
        wait_for(lambda: int(status_field(daemon, "SigCgt"), 16) & 1 << signal.SIGTERM - 1, "its handler")
        running.send(signal.SIGTERM)
        go = self.release()  # Python's handlers run when it has returned from its call
        assert running.end().status == 5
        os.close(go)
        assert self.path("asked").exists()
        assert MARK_NAME in harness.observed(self.json("p.json"))

    def test_interrupt_lets_go_when_they_are_all_that_is_left(self):
        running = self.start_trace("--json", "-o", "p.json", "--", *python(LEAVE_DAEMON))
        daemon = int(running.line())
        wait_until_gone([pid for pid in harness.tracees_of(running.pid) if pid != daemon])
        running.send(signal.SIGINT)
        done = running.end()
        assert done.status == 5
        assert json.loads(done.err)["let_go"] == 1
        assert not json.loads(done.err)["complete"]
        self.assert_runs_on_untraced(daemon)

    def assert_runs_on_untraced(self, daemon):
        for task in pathlib.Path(f"/proc/{daemon}/task").iterdir():
            assert status_field(f"{daemon}/task/{task.name}", "TracerPid") == "0"
        wait_for(lambda: stat_of(daemon)[0] in "SR", "the daemon to run")
        go = self.release()
        wait_until_gone([daemon])
        os.close(go)
        assert self.path("daemon-done").exists()
        self.path("daemon-done").unlink()

    def test_until_exit(self):
        for _ in range(5):
            running = self.start_trace("--json", "--until-exit", "-o", "p.json", "--", *python(LEAVE_DAEMON))
            daemon = int(running.line())
            done = running.end()
            assert done.status == 5
            summary = json.loads(done.err)
            assert (summary["let_go"], summary["complete"]) == (1, False)
            assert "execve" in harness.observed(self.json("p.json"))
            assert MARK_NAME not in harness.observed(self.json("p.json"))
            self.assert_runs_on_untraced(daemon)

    def test_until_exit_with_threads_and_calls_all_the_time(self):
        code = LEAVE_DAEMON.replace("with open", """
        import threading
        def work():
            while not os.path.exists("daemon-done"):
                os.getppid()
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads: thread.start()
        with open""")
        running = self.start_trace("--json", "--until-exit", "-o", "p.json", "--", *python(code))
        daemon = int(running.line())
        done = running.end()
        assert done.status == 5
        self.assert_runs_on_untraced(daemon)

    def test_until_exit_with_a_stopped_one(self):
        code = LEAVE_DAEMON.replace("        os.write(write_end", """
        stopped = os.fork()
        if stopped == 0:
            import signal
            os.close(write_end)
            os.kill(os.getpid(), signal.SIGSTOP)
            os._exit(0)
        while open(f"/proc/{stopped}/stat").read().rpartition(")")[2].split()[0] not in "Tt":
            pass
        pids.append(stopped)
        os.write(write_end""")
        running = self.start_trace("-q", "--until-exit", "-o", "p.json", "--", *python(code))
        daemon, stopped = map(int, running.line().split())
        assert running.end().status == 5
        wait_for(lambda: stat_of(stopped)[0] == "T", "it to be stopped as before")
        assert status_field(stopped, "TracerPid") == "0"
        os.kill(stopped, signal.SIGCONT)
        self.assert_runs_on_untraced(daemon)
        wait_until_gone([stopped])

    def test_until_exit_without_any(self):
        done = self.trace("--json", "--until-exit", "-o", "p.json", "--", "sh", "-c", "true; exit 3")
        assert done.status == 3
        summary = json.loads(done.err)
        assert (summary["let_go"], summary["complete"]) == (0, True)

    def test_target_that_adopts_its_orphans(self):
        code = f"""
import ctypes, os
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
def orphan(level):
    if os.fork() == 0:
        if level:
            orphan(level - 1)
        else:
            {MARK}
        os._exit(level)
for _ in range(5):
    orphan(3)
ended = []
while True:
    try:
        ended.append(os.waitstatus_to_exitcode(os.wait()[1]))
    except ChildProcessError:
        break
print(sorted(ended))
"""
        native = self.run_natively(*python(code))
        traced = self.trace("-q", "--recording", "r.json", "-o", "p.json", "--", *python(code))
        assert (traced.status, traced.out, traced.err) == (0, native.out, native.err)
        assert traced.out == f"{sorted([0, 1, 2, 3] * 5)}\n"
        assert len(self.json("r.json")["processes"]) == 21
        assert harness.recorded(self.json("r.json"))[MARK_NAME] == 5


class TestDaemonsAsNobody(harness.AsNobody, TestDaemons):
    pass


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@harness.needs("unshare", "nsenter")
class TestFirstProcess(harness.Case):
    """As process 1 of a container: nobody else reaps orphans, and no signal has a default action for it."""

    def start_as_first(self, *arguments, **options):
        """Returns what runs unshare(1) and callcensus's pid."""
        running = self.start(["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", harness.PROGRAM,
                              "trace", *arguments], **options)
        return running

    @staticmethod
    def inside(running):
        return wait_for(lambda: harness.children_of(running.pid), "callcensus to start")[0]

    @pytest.mark.parametrize("script, status", [
        ("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 128 + 15),
        ("kill -KILL $$", 128 + 9),
        ("kill -SEGV $$", 128 + 11), ("kill -INT $$", 128 + 2)])
    def test_exit_statuses(self, script, status):
        done = self.start_as_first("-q", "-o", "p.json", "--", "sh", "-c",
                                   f"ulimit -c 0; {script}").end()
        assert (done.status, done.out, done.err) == (status, "", "")
        self.path("p.json").unlink()

    def test_failed_starts(self):
        assert self.start_as_first("-o", "p.json", "--", "./nothing").end().status == harness.NOT_FOUND
        assert self.start_as_first("-o", "p.json", "--", "/").end().status == harness.CANNOT_EXECUTE
        assert self.files() == []

    def test_request_to_end_is_forwarded(self):
        for name in ("TERM", "INT", "HUP", "USR1"):
            code = REACTING + f"signal.signal(signal.SIG{name}, lambda *_: (say('handled'), os._exit(7)))\n" \
                "say('ready')\nfor_ever()\n"
            running = self.start_as_first("-q", "-o", "p.json", "--", *python(code))
            running.expect("ready")
            os.kill(self.inside(running), getattr(signal, f"SIG{name}"))
            done = running.end()
            assert (done.status, done.out) == (7, "handled\n")

    def test_request_without_a_handler(self):
        running = self.start_as_first("-q", "-o", "p.json", "--", "sh", "-c", "echo ready; exec sleep 1000")
        running.expect("ready")
        os.kill(self.inside(running), signal.SIGTERM)
        assert running.end().status == 128 + signal.SIGTERM
        assert self.path("p.json").exists()

    def test_signal_from_inside(self):
        code = REACTING + "signal.signal(signal.SIGTERM, lambda *_: (say('handled'), os._exit(7)))\n" \
            "say('ready')\nos.system('kill -TERM 1')\nfor_ever()\n"
        done = self.start_as_first("-q", "-o", "p.json", "--", *python(code)).end()
        assert (done.status, done.out) == (7, "ready\nhandled\n")

    def test_orphans_of_the_target_are_reaped(self):
        code = """
import os
for _ in range(20):
    if os.fork() == 0:
        if os.fork() == 0:
            os.setsid()
        os._exit(0)
    os.wait()
def others():
    return [entry for entry in os.listdir("/proc") if entry.isdigit() and int(entry) not in (1, os.getpid())]
while others():
    pass
print("all reaped", os.getppid())
"""
        done = self.start_as_first("--json", "-o", "p.json", "--", *python(code)).end()
        assert (done.status, done.out) == (0, "all reaped 1\n")
        assert json.loads(done.err)["processes"] == 41

    def test_strangers_are_reaped(self):
        # Somebody enters the container (docker exec) and leaves an orphan.
        os.mkfifo(self.path("go"))
        running = self.start_as_first("--json", "-o", "p.json", "--", "sh", "-c",
                                      "echo ready; read x; exit 3",
                                      stdin=subprocess.PIPE)
        running.expect("ready")
        first = self.inside(running)
        target = harness.tracees_of(first)
        entered = self.run_natively("nsenter", "--pid", "--target", str(first), "sh", "-c",
                                    "(read x <go) >/dev/null 2>&1 </dev/null &")
        assert entered.status == 0, entered
        strangers = wait_for(lambda: [pid for pid in harness.children_of(first) if pid not in target],
                             "the orphan")
        assert status_field(strangers[0], "TracerPid") == "0"
        go = os.open(self.path("go"), os.O_RDWR)
        os.write(go, b"\n")
        wait_until_gone(strangers)
        os.close(go)
        done = running.end(b"\n")
        assert done.status == 3
        assert json.loads(done.err)["processes"] == 1

    def test_stranger_that_stays_does_not_keep_us(self):
        running = self.start_as_first("-q", "-o", "p.json", "--", "sh", "-c", "echo ready; read x; exit 3",
                                      stdin=subprocess.PIPE)
        running.expect("ready")
        first = self.inside(running)
        target = harness.tracees_of(first)
        self.run_natively("nsenter", "--pid", "--target", str(first), "sh", "-c",
                          "sleep 1000 >/dev/null 2>&1 </dev/null &")
        wait_for(lambda: [pid for pid in harness.children_of(first) if pid not in target], "the orphan")
        assert running.end(b"\n").status == 3

    def test_daemon_is_followed(self):
        os.mkfifo(self.path("go"))
        running = self.start_as_first("--json", "-o", "p.json", "--", *python(LEAVE_DAEMON))
        running.line()
        first = self.inside(running)
        wait_for(lambda: len(harness.tracees_of(first)) == 1, "only the daemon to be left")
        go = os.open(self.path("go"), os.O_RDWR)
        os.write(go, b"\n")
        done = running.end()
        os.close(go)
        assert done.status == 5
        assert self.path("daemon-done").exists()
        assert MARK_NAME in harness.observed(self.json("p.json"))
