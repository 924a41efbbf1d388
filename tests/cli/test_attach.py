"""Processes that run already: `trace -p`. They are followed with all their threads, and let go as they were.

CALLCENSUS_ATTACH_TIMES in the environment says how often those of TestServers come and go (20 times
without it): scripts/soak asks for 1000."""

import contextlib
import ctypes
import os
import random
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

import harness
from harness import (MARK, MARK_NAME, PYTHON, Shell, Terminal, needs, needs_root, python, recorded, stat_of,
                     status_field, wait_for)

TIMES = int(os.environ.get("CALLCENSUS_ATTACH_TIMES", "20"))

# What a tracer could leave behind.
FIELDS = ("State", "TracerPid", "Threads", "SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt", "NoNewPrivs",
          "Seccomp", "Seccomp_filters")

# What tracee_under_load says at its end.
QUIET_END = "failures 0\ninterruptions 0\nlost signals 0\n"

# Makes the mark at each line of input.
MARKING = f"""
import os, sys
print("ready", flush=True)
for line in sys.stdin:
    {MARK}
    print("marked", flush=True)
"""

# The number of exit(2), which ends a thread.
EXIT = 60 if os.uname().machine == "x86_64" else 93

_libc = ctypes.CDLL(None, use_errno=True)


def tasks_of(pid):
    try:
        return sorted(int(tid) for tid in os.listdir(f"/proc/{pid}/task"))
    except FileNotFoundError:
        return []


def state_of(pid):
    """What of the status of every task shows whether somebody was there."""
    return {tid: {field: status_field(tid, field) for field in FIELDS} for tid in tasks_of(pid)}


def in_tracers_hands(pid):
    """Tasks that are traced or stopped; those that have ended meanwhile are not."""
    return {tid: state for tid in tasks_of(pid) for state in [status_field(tid, "State")]
            if status_field(tid, "TracerPid") not in (None, "0") or (state or "S")[0] in "tT"}


def call_names(recording):
    return set(recorded(recording))


class AttachCase(harness.Case):
    """With targets that are started before callcensus."""

    def start_target(self, arguments, first_line="ready", **options):
        """A target that ends at the end of its standard input, once it has said its first line."""
        options.setdefault("env", self.environment(TRACEE_DEADLINE=str(int(time.monotonic()) + 100000)))
        target = self.start(arguments, stdin=subprocess.PIPE, **options)
        target.expect(first_line)
        return target

    def asleep(self, target):
        """The same, once it waits for its input."""
        wait_for(lambda: stat_of(target.pid)[0] == "S", "the target to wait for its input")
        return target

    def start_tracee(self, name, *arguments):
        return self.start_target([harness.tracee(name), *arguments])

    def ask(self, target, answer, line="\n"):
        os.write(target.process.stdin.fileno(), line.encode())
        target.expect(answer)

    def attach(self, *pids, options=(), **how):
        """A trace that has all of the processes: it says so."""
        tracer = self.start_trace("-o", "p.json", "--recording", "r.json", *options,
                                  "-p", ",".join(map(str, pids)), **how)
        line = tracer.line(tracer.process.stderr)
        assert re.search(r"^callcensus: following .*; Ctrl-C lets go of (it|them)$", line)
        return tracer

    def let_go(self, tracer, signum=signal.SIGINT):
        """Returns what it has recorded."""
        tracer.send(signum)
        return self.end_of(tracer)

    def end_of(self, tracer):
        done = tracer.end()
        self.assert_succeeded(done)
        return self.json("r.json")

    def assert_untouched(self, pid):
        wait_for(lambda: not in_tracers_hands(pid), f"no task to be traced or stopped: {in_tracers_hands(pid)}")

    def assert_same_state(self, pid, before):
        """At once, or once a task that has gone on is back in its call."""
        try:
            wait_for(lambda: state_of(pid) == before, "the state to be as before", 10)
        except AssertionError:
            now = state_of(pid)
            assert before == now


class TestBlockedCalls(AttachCase):
    """One thread in each call that waits."""

    def check(self, name, times=3):
        target = self.asleep(self.start_tracee(name))
        before = state_of(target.pid)
        seen = set()
        for _ in range(times):
            tracer = self.attach(target.pid)
            recording = self.let_go(tracer)
            seen |= {(call["abi"], call["number"]) for call in recording["calls"]}
            self.assert_same_state(target.pid, before)
            assert recording["gaps"][0] == "attached to running processes: what they called before is not recorded"
        done = target.end()
        self.assert_succeeded(done)
        interruptions = dict(re.findall(r"^(.*) interrupted (\d+) times before its time$", done.out,
                                        re.MULTILINE))
        assert len(interruptions) > 25
        assert {call for call, times in interruptions.items() if times != "0"} == set(), done.out
        waiting = {(abi, int(number)) for abi, number in
                   re.findall(r"^atleast (\w+) (\d+) 1$", done.out, re.MULTILINE)}
        assert waiting - seen == set(), "the call that each thread was in is recorded"
        # Besides, some go on as restart_syscall. A thread's end of what it waits for is not among them.
        restarts = {"x86_64": 219, "i386": 0}
        assert {(abi, number) for abi, number in seen - waiting if restarts.get(abi) != number} == set(), \
            "nothing else has run"
        assert (("i386", 0) if name.startswith("i386") else ("x86_64", 219)) in seen

    def test_blocked_calls_are_recorded_and_do_not_fail(self):
        self.check("blocked_calls")

    def test_of_a_32_bit_program(self):
        self.check("i386_blocked_calls")

    def test_interrupted_by_a_handler_while_attached(self):
        target = self.start_tracee("blocked_calls")
        tracer = self.attach(target.pid)
        done = target.end()  # each call is interrupted by a handler now
        self.assert_succeeded(done)
        assert not re.search(r"interrupted [1-9]", done.out)
        recording = self.end_of(tracer)
        assert "rt_sigreturn" in call_names(recording)

    def test_ignored_signals_interrupt_nothing(self):
        target = self.asleep(self.start_tracee("blocked_calls"))
        tracer = self.attach(target.pid)
        for signum in (signal.SIGWINCH, signal.SIGURG, signal.SIGCHLD):
            target.send(signum)
            for tid in tasks_of(target.pid):
                assert _libc.tgkill(target.pid, tid, signum) == 0
        wait_for(lambda: all(set(status_field(tid, field)) == {"0"} for tid in tasks_of(target.pid)
                             for field in ("SigPnd", "ShdPnd")), "all signals to be taken")
        self.let_go(tracer)
        done = target.end()
        self.assert_succeeded(done)
        assert not re.search(r"interrupted [1-9]", done.out)


class TestBlockedCallsAsNobody(harness.AsNobody, TestBlockedCalls):
    pass


class TestLettingGo(AttachCase):
    """Whatever ends the trace, the target goes on."""

    def target(self):
        return self.start_target(python(MARKING))

    def check_goes_on(self, target):
        self.assert_untouched(target.pid)
        self.ask(target, "marked")
        self.assert_succeeded(target.end())

    def check_signal(self, signum):
        target = self.target()
        tracer = self.attach(target.pid)
        self.ask(target, "marked")
        recording = self.let_go(tracer, signum)
        assert MARK_NAME in call_names(recording)
        assert "stopped following a task that went on running" in recording["gaps"]
        self.check_goes_on(target)

    def test_interrupt(self):
        self.check_signal(signal.SIGINT)

    def test_termination(self):
        self.check_signal(signal.SIGTERM)

    def test_hang_up(self):
        self.check_signal(signal.SIGHUP)

    def test_quit(self):
        self.check_signal(signal.SIGQUIT)

    def test_requests_again_and_again(self):
        target = self.target()
        tracer = self.attach(target.pid)
        for signum in (signal.SIGTERM, signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
            tracer.send(signum)
        self.end_of(tracer)
        self.check_goes_on(target)

    def test_timeout(self):
        target = self.target()
        done = self.trace("--timeout", "100ms", "-p", str(target.pid), "-o", "p.json")
        self.assert_succeeded(done)
        self.check_goes_on(target)

    def test_task_that_nothing_can_stop(self):
        target = self.start_tracee("vfork_waits")
        wait_for(lambda: stat_of(target.pid)[0] == "D", "the parent to wait for its child")
        tracer = self.start_trace("-o", "p.json", "--recording", "r.json", "-p", str(target.pid))
        wait_for(lambda: status_field(target.pid, "TracerPid") == str(tracer.pid), "the target to be seized")
        recording = self.let_go(tracer)
        assert "stopped following a task that went on running" in recording["gaps"]
        self.assert_untouched(target.pid)
        done = target.end()
        self.assert_succeeded(done)
        assert "the vfork child: exit 5" in done.out

    def test_end_of_the_process(self):
        target = self.target()
        tracer = self.attach(target.pid)
        self.assert_succeeded(target.end())
        recording = self.end_of(tracer)
        assert "exit_group" in call_names(recording)
        assert recording["gaps"] == ["attached to running processes: what they called before is not recorded"]

    def test_end_by_a_signal_is_not_ours(self):
        target = self.target()
        tracer = self.attach(target.pid)
        target.send(signal.SIGKILL)
        assert target.end().status == -signal.SIGKILL
        self.end_of(tracer)

    def test_interrupt_by_the_keyboard(self):
        target = self.target()
        terminal = Terminal(self, [harness.PROGRAM, "trace", "-o", "p.json", "-p", str(target.pid)])
        terminal.expect("following .*Ctrl-C lets go of it")
        terminal.type("\x03")
        assert terminal.end() == 0
        self.check_goes_on(target)

    def test_hang_up_of_the_terminal(self):
        target = self.target()
        terminal = Terminal(self, [harness.PROGRAM, "trace", "-o", "p.json", "-p", str(target.pid)])
        terminal.expect("following .*Ctrl-C lets go of it")
        terminal.hang_up()
        terminal.process.wait(harness.DEADLINE_S)
        assert "syscalls" in self.json("p.json")
        self.check_goes_on(target)

    def test_suspending_by_the_keyboard_does_not_freeze_the_target(self):
        target = self.target()
        shell = Shell(self)
        shell.type(f"$CC trace -o p.json -p {target.pid}\n")
        shell.expect("following .*Ctrl-C lets go of it")
        shell.type("\x1a")
        self.ask(target, "marked")
        self.ask(target, "marked")
        shell.type("\x03")
        shell.prompt()
        assert shell.last_status() == 0
        assert MARK_NAME in harness.all_names(self.json("p.json"))
        shell.close()
        self.check_goes_on(target)


class TestStopped(AttachCase):
    def test_remains_stopped(self):
        target = self.asleep(self.start_target(python(MARKING)))
        target.send(signal.SIGSTOP)
        wait_for(lambda: stat_of(target.pid)[0] == "T", "the target to stop")
        before = state_of(target.pid)
        tracer = self.attach(target.pid)
        assert stat_of(target.pid)[0] in "tT"
        recording = self.let_go(tracer)
        assert "read" in call_names(recording)
        self.assert_same_state(target.pid, before)
        os.write(target.process.stdin.fileno(), b"\n")
        assert stat_of(target.pid)[0] == "T"
        target.send(signal.SIGCONT)
        target.expect("marked")
        self.assert_succeeded(target.end())

    def test_continued_while_attached(self):
        target = self.asleep(self.start_target(python(MARKING)))
        target.send(signal.SIGSTOP)
        wait_for(lambda: stat_of(target.pid)[0] == "T", "the target to stop")
        tracer = self.attach(target.pid)
        target.send(signal.SIGCONT)
        self.ask(target, "marked")
        assert MARK_NAME in call_names(self.let_go(tracer))
        self.assert_untouched(target.pid)
        self.assert_succeeded(target.end())

    def test_stopped_while_attached(self):
        target = self.start_tracee("under_load")
        tracer = self.attach(target.pid)
        target.send(signal.SIGSTOP)
        wait_for(lambda: all(stat_of(tid) and stat_of(tid)[0] in "tT" for tid in tasks_of(target.pid)),
                 "all threads to stop")
        self.let_go(tracer)
        wait_for(lambda: {(stat_of(tid) or "?")[0] for tid in tasks_of(target.pid)} == {"T"},
                 "all threads to be stopped by themselves")
        target.send(signal.SIGCONT)
        self.ask(target, "goes on")
        assert re.search(r"\Afailures 0\n", target.end().out)


class TestUnderLoad(AttachCase):
    """Threads and processes that come and go all the time."""

    TIMES = 10

    def check(self, *arguments):
        target = self.start_tracee("under_load", *arguments)
        for _ in range(self.TIMES):
            tracer = self.attach(target.pid)
            self.ask(target, "goes on")
            self.ask(target, "goes on")  # the first can complete what was begun before we came
            recording = self.let_go(tracer)
            assert {"getppid", "epoll_wait", "nanosleep", "getpgid", "gettid", "exit_group"} <= call_names(recording)
            self.assert_untouched(target.pid)
            self.ask(target, "goes on")
        done = target.end()
        assert (done.status, done.out) == (0, QUIET_END)

    def test_comes_and_goes(self):
        self.check()

    def test_leader_has_ended(self):
        self.check("without its leader")

    def test_killed_at_any_moment(self):
        target = self.start_tracee("under_load")
        chance = random.Random(1)
        for turn in range(self.TIMES):
            tracer = self.start_trace("-o", "p.json", "-p", str(target.pid))
            if turn % 2 == 0:  # else while it attaches
                assert "following" in tracer.line(tracer.process.stderr)
            # Not waiting for anything: any moment will do.
            with contextlib.suppress(subprocess.TimeoutExpired):
                tracer.process.wait(chance.random() / 10)
            tracer.send(signal.SIGKILL)
            assert tracer.end().status == -signal.SIGKILL
            self.assert_untouched(target.pid)
            self.ask(target, "goes on")
        done = target.end()
        assert re.search(r"\Afailures 0\n", done.out)
        assert done.status == 0

    def test_end_while_letting_go(self):
        for _ in range(self.TIMES):
            target = self.start_tracee("under_load")
            tracer = self.attach(target.pid)
            target.process.stdin.close()
            tracer.send(signal.SIGTERM)
            target.process.stdin = None
            done = target.end()
            assert (done.status, done.out) == (0, QUIET_END)
            self.end_of(tracer)

    def test_killed_target(self):
        target = self.start_tracee("under_load")
        tracer = self.attach(target.pid)
        target.send(signal.SIGKILL)
        assert target.end().status == -signal.SIGKILL
        self.end_of(tracer)


class TestUnderLoadAsNobody(harness.AsNobody, TestUnderLoad):
    TIMES = 3


class TestFollowing(AttachCase):
    def test_children_and_what_they_execute(self):
        target = self.start_target(["sh", "-c", "echo ready; read line; sh -c 'echo child; :'; read line; echo end"])
        tracer = self.attach(target.pid)
        self.ask(target, "child")
        os.write(target.process.stdin.fileno(), b"\n")
        self.assert_succeeded(target.end())
        recording = self.end_of(tracer)
        assert "execve" in call_names(recording)
        assert len(recording["processes"]) == 2, recording["processes"]

    def test_exec_by_a_thread(self):
        target = self.start_target(python(f"""
import os, sys, threading
hold = threading.Event()
for _ in range(5):
    threading.Thread(target=hold.wait, daemon=True).start()
print("ready", flush=True)
def execute():
    sys.stdin.readline()
    os.execv({PYTHON!r}, [{PYTHON!r}, "-I", "-S", "-c", {MARKING!r}])
threading.Thread(target=execute).start()
hold.wait()
"""))
        tracer = self.attach(target.pid)
        self.ask(target, "ready")
        self.ask(target, "marked")
        recording = self.let_go(tracer)
        assert {"execve", MARK_NAME} <= call_names(recording)
        assert len(recording["processes"]) == 1
        self.assert_untouched(target.pid)
        self.ask(target, "marked")
        self.assert_succeeded(target.end())

    def test_exec_by_a_thread_whose_leader_has_ended(self):
        target = self.start_target(python(f"""
import ctypes, os, sys, threading
def execute():
    print("ready", flush=True)
    sys.stdin.readline()
    os.execv({PYTHON!r}, [{PYTHON!r}, "-I", "-S", "-c", {MARKING!r}])
threading.Thread(target=execute).start()
ctypes.CDLL(None).syscall({EXIT}, 0)
"""))
        wait_for(lambda: stat_of(target.pid)[0] == "Z", "the leader to end")
        tracer = self.attach(target.pid)
        self.ask(target, "ready")
        self.ask(target, "marked")
        recording = self.let_go(tracer)
        assert {"execve", MARK_NAME} <= call_names(recording)
        assert len(recording["processes"]) == 1, recording["processes"]
        self.assert_untouched(target.pid)
        self.ask(target, "marked")
        self.assert_succeeded(target.end())

    def test_children_are_let_go_too(self):
        target = self.start_target(["sh", "-c", "echo ready; read line; cat <&0 & echo started; wait; echo end"])
        tracer = self.attach(target.pid)
        self.ask(target, "started")
        recording = self.let_go(tracer)
        assert "stopped following 2 tasks that went on running" in recording["gaps"]
        for pid in self.processes():
            self.assert_untouched(pid)
        self.assert_succeeded(target.end())

    def test_several_processes(self):
        first, second = self.start_target(python(MARKING)), self.start_target(["sh", "-c",
                                                                               "echo ready; read x; umask"])
        tracer = self.attach(first.pid, second.pid)
        self.ask(second, "0022")
        self.assert_succeeded(second.end())
        self.ask(first, "marked")
        recording = self.let_go(tracer)
        assert {MARK_NAME, "umask"} <= call_names(recording)
        assert len(recording["processes"]) == 2
        self.assert_succeeded(first.end())

    def test_given_twice(self):
        target = self.start_target(python(MARKING))
        tracer = self.start_trace("-o", "p.json", "--recording", "r.json", "-p",
                                  f"{target.pid}\n{target.pid} {target.pid}", "-p", str(target.pid))
        assert "following" in tracer.line(tracer.process.stderr)
        assert len(self.let_go(tracer)["processes"]) == 1
        self.assert_succeeded(target.end())

    def test_thread_stands_for_its_process(self):
        target = self.start_tracee("blocked_calls")
        thread = next(tid for tid in tasks_of(target.pid) if tid != target.pid)
        recording = self.let_go(self.attach(thread))
        assert "epoll_wait" in call_names(recording)
        assert len(recording["processes"]) == 1
        self.assert_succeeded(target.end())

    @needs_root
    def test_process_in_another_pid_namespace(self):
        target = self.start_target(["unshare", "--pid", "--fork", "--kill-child", *python(MARKING)])
        inside = wait_for(lambda: harness.children_of(target.pid), "the child of unshare")[0]
        tracer = self.attach(inside)
        self.ask(target, "marked")
        assert MARK_NAME in call_names(self.let_go(tracer))
        self.assert_untouched(inside)
        self.ask(target, "marked")
        self.assert_succeeded(target.end())

    @needs_root
    def test_threads_and_children_in_another_pid_namespace(self):
        tracee = harness.tracee("under_load")
        target = self.start_target(["unshare", "--pid", "--fork", "--kill-child", tracee])
        inside = wait_for(lambda: harness.children_of(target.pid), "the child of unshare")[0]
        for _ in range(3):
            tracer = self.attach(inside)
            self.ask(target, "goes on")
            self.ask(target, "goes on")
            assert {"getppid", "getpgid", "gettid", "exit_group"} <= call_names(self.let_go(tracer))
            self.assert_untouched(inside)
        done = target.end()
        assert (done.status, done.out) == (0, QUIET_END)


class TestRefused(AttachCase):
    def refused(self, *arguments, status=harness.FAILED, says=()):
        done = self.trace("-o", "p.json", *arguments)
        self.assert_complains(done, *says, status=status)
        assert [name for name in self.files() if name.endswith(".json")] == []

    def test_no_such_process(self):
        with subprocess.Popen(["true"]) as gone:
            pass
        self.refused("-p", str(gone.pid), says=[f"there is no process {gone.pid}"])

    def test_ended_already(self):
        zombie = subprocess.Popen(["true"])  # pylint: disable=consider-using-with
        self.cleanups.callback(zombie.wait)
        wait_for(lambda: stat_of(zombie.pid)[0] == "Z", "the process to end")
        self.refused("-p", str(zombie.pid), says=[f"process {zombie.pid} has ended already"])

    def test_not_a_number(self):
        for wrong in ("x", "-1", "0", "1.5", "12x", "1,x", "99999999999"):
            self.refused("-p", wrong, says=[f'"{wrong[-1] if "," in wrong else wrong}" is no process id',
                                            "as in -p 1234,1235"])

    def test_no_command(self):
        self.refused("-p", "1", "--", "true", says=["-p: takes no command"])

    def test_options_that_do_not_go_with_it(self):
        self.refused("-p", "1", "--container", says=["--container"])
        self.refused("-p", "1", "--until-exit", says=["--until-exit"])
        self.refused("-p", "1", "--engine", "adaptive", says=["--engine adaptive: a filter cannot be taken out"])

    def test_itself(self):
        done = self.run_natively("sh", "-c", f"exec {harness.PROGRAM} trace -o p.json -p $$")
        self.assert_complains(done, "callcensus cannot trace itself")

    def test_one_of_two(self):
        target = self.asleep(self.start_tracee("blocked_calls"))
        before = state_of(target.pid)
        with subprocess.Popen(["true"]) as gone:
            pass
        for pids in (f"{target.pid},{gone.pid}", f"{gone.pid},{target.pid}"):
            self.refused("-p", pids, says=[f"there is no process {gone.pid}"])
            self.assert_same_state(target.pid, before)
        assert not re.search("interrupted [1-9]", target.end().out)

    def test_traced_already(self):
        target = self.start_target(python(MARKING))
        first = self.attach(target.pid)
        done = self.trace("-o", "other.json", "-p", str(target.pid))
        self.assert_complains(done, f"process {target.pid} is being traced already, by process {first.pid}",
                              "callcensus")
        self.ask(target, "marked")
        assert MARK_NAME in call_names(self.let_go(first))
        self.assert_succeeded(target.end())

    @pytest.mark.skipif(status_field(2, "PPid") != "0" or os.path.exists("/proc/2/exe"),
                        reason="no threads of the kernel are visible")
    def test_thread_of_the_kernel(self):
        self.refused("-p", "2", says=["process 2 is a thread of the kernel"])


class TestRefusedAsNobody(harness.AsNobody, TestRefused):
    def test_of_another_user(self):
        others = subprocess.Popen(["sleep", "1000"])  # pylint: disable=consider-using-with
        self.cleanups.callback(lambda: (others.kill(), others.wait()))
        self.refused("-p", str(others.pid),
                     says=[f"process {others.pid} belongs to user 0: run callcensus as root"])
        assert status_field(others.pid, "TracerPid") == "0"

    def test_protected_from_its_own_user(self):
        target = self.start_target(python(
            "import ctypes, sys; ctypes.CDLL(None).prctl(4, 0); print('ready', flush=True); sys.stdin.read()"))
        self.refused("-p", str(target.pid), says=["is protected from its own user", "run callcensus as root"])
        self.assert_succeeded(target.end())

    def test_suspending_filters(self):
        self.refused("--suspend-seccomp", "-p", "1", says=["as root"])
        self.refused("--suspend-seccomp", "--", "true", says=["as root"])


# Loads a filter that answers getpgid with EDOM, or kills for it, and then calls it at each line of input.
FILTERING = """
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
def instruction(code, jump_true, jump_false, k):
    return struct.pack("HBBI", code, jump_true, jump_false, k)
answer = 0x80000000 if sys.argv[1] == "kill" else 0x00050000 | 33
code = (instruction(0x20, 0, 0, 0) + instruction(0x15, 0, 1, 121) + instruction(0x06, 0, 0, answer)
        + instruction(0x06, 0, 0, 0x7fff0000))
buffer = ctypes.create_string_buffer(code)
program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", 4, ctypes.addressof(buffer)))
def load():
    assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program) == 0
def call():
    result = libc.getpgid(0)
    print("works" if result > 0 else "denied", flush=True)
if sys.argv[2] == "now":
    load()
print("ready", flush=True)
for line in sys.stdin:
    if line == "load\\n":
        load()
    call()
"""


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the filter is written for x86_64")
class TestSuspendedFilters(AttachCase):
    NOTE = "the seccomp filters of the target were switched off while it was recorded"

    @needs_root
    def test_attached(self):
        target = self.start_target(python(FILTERING, "errno", "now"))
        self.ask(target, "denied")
        before = state_of(self.asleep(target).pid)
        tracer = self.attach(target.pid, options=["--suspend-seccomp"])
        self.ask(target, "works")
        tracer.send(signal.SIGINT)
        done = tracer.end()
        self.assert_succeeded(done)
        assert self.NOTE in done.err
        assert "getpgid" in call_names(self.json("r.json"))
        self.ask(target, "denied")
        self.assert_same_state(target.pid, before)
        self.assert_succeeded(target.end())

    @needs_root
    def test_attached_and_killed(self):
        target = self.start_target(python(FILTERING, "errno", "now"))
        tracer = self.attach(target.pid, options=["--suspend-seccomp"])
        self.ask(target, "works")
        tracer.kill()
        self.ask(target, "denied")
        self.assert_succeeded(target.end())

    @needs_root
    def test_attached_before_the_filter(self):
        target = self.start_target(python(FILTERING, "kill", "later"))
        tracer = self.attach(target.pid, options=["--suspend-seccomp"])
        self.ask(target, "works", "load\n")
        self.ask(target, "works")
        tracer.send(signal.SIGINT)
        done = tracer.end()
        self.assert_succeeded(done)
        assert self.NOTE in done.err
        self.assert_untouched(target.pid)
        os.write(target.process.stdin.fileno(), b"\n")
        assert target.end().status == -signal.SIGSYS

    @needs_root
    def test_launched(self):
        for how in ("errno", "kill"):
            done = self.trace("--suspend-seccomp", "-o", "p.json", "--recording", "r.json", "--",
                              *python(FILTERING, how, "now"), stdin=b"\n\n")
            self.assert_succeeded(done)
            assert done.out == "ready\nworks\nworks\n"
            assert self.NOTE in done.err

    @needs_root
    def test_nothing_to_switch_off(self):
        done = self.trace("--suspend-seccomp", "-o", "p.json", "--", "true")
        self.assert_succeeded(done)
        assert self.NOTE not in done.err


# ---- the servers that everybody has ------------------------------------------------------------------------


def free_port():
    """None of those that the kernel gives to clients: with tests beside this one it would soon be taken."""
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", random.randrange(16384, 32768)))
            return probe.getsockname()[1]


def answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


class TestServers(AttachCase):
    """Come and go while clients ask without a pause."""

    def come_and_go(self, pids, expected):
        """TIMES times; every task is left alone each time. Returns the names of all calls recorded."""
        names = set()
        for _ in range(TIMES):
            tracer = self.attach(*pids)
            names |= call_names(self.let_go(tracer))
            for pid in pids:
                self.assert_untouched(pid)
        assert expected <= names

    def quiet_state(self, pids):
        """What every task of the processes shows but the servers' own doing."""
        return {pid: {tid: {field: value for field, value in fields.items()
                            if field not in ("State", "Threads", "SigPnd", "ShdPnd")}
                      for tid, fields in state_of(pid).items()} for pid in pids}

    @needs("redis-server", "redis-benchmark")
    def test_redis(self):
        port = free_port()
        server = self.start(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--io-threads", "4",
                             "--io-threads-do-reads", "yes", "--save", "", "--daemonize", "no"])
        while "Ready to accept connections" not in server.line():
            pass
        self.assert_succeeded(self.run_natively("redis-benchmark", "-p", str(port), "-t", "set", "-n", "1000"))
        before = self.quiet_state([server.pid])[server.pid]
        assert len(before) > 4
        client = self.start(["redis-benchmark", "-p", str(port), "-c", "20", "-t", "set,get", "-n", "2000",
                             "-l", "-q", "--threads", "2"], stdout=subprocess.DEVNULL)
        self.come_and_go([server.pid], {"epoll_wait", "read", "write"})
        assert client.process.poll() is None, "redis-benchmark ends at the first request that fails"
        client.send(signal.SIGTERM)
        assert client.process.wait(harness.DEADLINE_S) == -signal.SIGTERM
        assert client.process.stderr.read() == b""
        after = self.quiet_state([server.pid])[server.pid]
        assert {tid: after.get(tid) for tid in before} == before, "redis starts threads when it likes"
        server.send(signal.SIGTERM)
        done = server.end()
        assert done.status == 0
        assert not re.search("(?i)error|warning: .*accept", done.out)

    @needs("nginx")
    def test_nginx(self):
        port = free_port()
        self.path("html").mkdir()
        content = "x" * 300000
        self.write("html/index.html", content)
        self.path("html").chmod(0o755)
        self.directory.chmod(0o755)
        self.write("nginx.conf", f"""
daemon off; worker_processes 3; pid nginx.pid; error_log error.log notice;
events {{ worker_connections 200; }}
http {{
    access_log access.log; client_body_temp_path temporary; proxy_temp_path temporary;
    fastcgi_temp_path temporary; uwsgi_temp_path temporary; scgi_temp_path temporary;
    server {{ listen 127.0.0.1:{port}; root html; }}
}}
""")
        master = self.start(["nginx", "-p", f"{self.directory}/", "-c", "nginx.conf"])
        wait_for(lambda: answers(port), "nginx to answer")
        wait_for(lambda: len(harness.children_of(master.pid)) == 3, "nginx's workers to start")
        pids = [master.pid, *harness.children_of(master.pid)]
        before = self.quiet_state(pids)
        stop = threading.Event()
        failures, served = [], [0]

        def ask():
            request = b"GET / HTTP/1.0\r\n\r\n"
            while not stop.is_set():
                try:
                    with socket.create_connection(("127.0.0.1", port), harness.DEADLINE_S) as connection:
                        connection.sendall(request)
                        answer = connection.makefile("rb").read()
                    if not answer.startswith(b"HTTP/1.1 200 ") or not answer.endswith(b"\r\n" + content.encode()):
                        failures.append(answer[:100])
                    served[0] += 1
                except OSError as error:
                    failures.append(error)
        clients = [threading.Thread(target=ask) for _ in range(4)]
        for client in clients:
            client.start()
        try:
            self.come_and_go(pids, {"accept4", "epoll_wait"})
        finally:
            stop.set()
            for client in clients:
                client.join()
        assert failures == []
        assert served[0] > 2 * TIMES
        assert self.quiet_state(pids) == before
        master.send(signal.SIGQUIT)
        self.assert_succeeded(master.end())
        log = self.path("error.log").read_text(encoding="utf-8")
        assert not re.search(r"\[(alert|emerg|crit|error|warn)\]", log)
