"""What callcensus records is what strace sees: the same calls by number and ABI, for real programs.

    /usr/bin/python3 -m pytest tests/compare/test_strace.py

strace prints the number of each call (-n) and a line of its own whenever a task goes over to another ABI. A
run has one tracer, so a program whose runs differ by nature is run several times under both: what every run
under strace showed must be in every recording, and no recording may hold what no run under strace showed.
"""
import re

import pytest

import comparison
import workloads

STRACE = ["strace", "-f", "-n", "--quiet=attach,exit", "-e", "signal=none", "-e", "raw=all", "-o"]

# A call that nine in ten runs make is in all of five runs more often than not: while the two disagree there
# are more runs, up to this many.
RUNS = 3
RUNS_OF_STRACE = 5
MOST_RUNS_OF_STRACE = 20

# Calls which depend on the moment, too rare for any number of runs to settle: left out on both sides. By
# workload, each with its reason.
BY_CHANCE = {
    "tracee_i386": {
        "futex": "pthread_join sleeps in it only while the thread is still running",
    },
    workloads.ShellPipeline.name: {
        "rt_sigsuspend": "dash's `wait` sleeps in it only while a child is still running",
    },
    workloads.Go.name: {
        "sched_yield": "the scheduler, when it finds a lock taken for a long time",
        "tgkill": "the scheduler preempts a goroutine which has run for 10 ms by a signal",
        "getpid": "for the tgkill",
        "rt_sigreturn": "the end of that signal's handler",
        "nanosleep": "the runtime's watching thread, where the program lives long enough for it",
    },
}

LINE = re.compile(r"(?P<task>\d+) +\[ *(?P<number>\d+|\?+)\] (?P<rest>.*)")
MODE = re.compile(r"\[ Process PID=\d+ runs in (?P<mode>\S+)( bit)? mode\. \]")
UNNAMED = re.compile(r"syscall_0x(?P<number>[0-9a-f]+)\(")
ABI_OF_MODE = {"64": "x86_64", "32": "i386", "x32": "x32"}


def calls_in(log):
    """The (ABI, number) pairs in the log of strace, each with the name that strace gives it."""
    calls = {}
    abi_of_task = {}
    # strace tells a task's ABI when it changes; a new task's is at first the one that strace last decoded
    # for, of whichever task, and the very first is strace's own.
    last_abi = "x86_64"
    for line in log.splitlines():
        match = LINE.fullmatch(line)
        if not match:
            if re.match(r"\d+ +(\+\+\+|---) ", line):
                continue
            raise AssertionError(f"a line of strace's which this test does not understand: {line}")
        task, rest = match["task"], match["rest"]
        mode = MODE.fullmatch(rest)
        if mode:
            abi_of_task[task] = last_abi = ABI_OF_MODE[mode["mode"]]
            continue
        abi = last_abi = abi_of_task.setdefault(task, last_abi)
        if rest.startswith("<... "):
            continue
        unnamed = UNNAMED.match(rest)
        if unnamed:
            number = int(unnamed["number"], 16) % 2**32
        elif "?" in match["number"]:
            # Killed before strace could ask which call it was about to make.
            continue
        else:
            number = int(match["number"])
        calls[abi, number] = rest.partition("(")[0]
    return calls


class TestStraceLog:
    """How the log of strace is read."""

    def test_numbers_come_with_their_abi(self):
        log = ('7 [  59] execve(0x1, 0x2, 0x3)      = 0\n'
               '7 [  39] getpid()                   = 7\n'
               '7 [  39] [ Process PID=7 runs in 32 bit mode. ]\n'
               '7 [  20] getpid()                   = 7\n'
               '7 [ 120] clone(0, 0 <unfinished ...>\n'
               '8 [ 132] getpgid(0)                 = 7\n'
               '7 [ 120] <... clone resumed>)       = 8\n'
               '7 [  20] [ Process PID=7 runs in x32 mode. ]\n'
               '7 [1073741948] getsid(0xffffffff)   = -1 ENOSYS (Function not implemented)\n'
               '7 [1073741948] [ Process PID=7 runs in 64 bit mode. ]\n'
               '7 [???] syscall_0xffffffffffffffff(0, 0, 0, 0, 0, 0) = -1 ENOSYS (Function not implemented)\n'
               '8 [???] ????( <unfinished ...>\n'
               '8 +++ killed by SIGKILL +++\n'
               '7 [ 231] exit_group(0)              = ?\n')
        assert calls_in(log) == {
            ("x86_64", 59): "execve", ("x86_64", 39): "getpid", ("i386", 20): "getpid",
            ("i386", 120): "clone", ("i386", 132): "getpgid", ("x32", 1073741948): "getsid",
            ("x86_64", 4294967295): "syscall_0xffffffffffffffff", ("x86_64", 231): "exit_group"}

    def test_what_is_not_understood_is_not_passed_over(self):
        with pytest.raises(AssertionError):
            calls_in("strace: something went wrong\n")


class TestSameCalls(comparison.WithDirectory):
    def set_up(self):
        super().set_up()
        self.names = {}

    def recorded(self, workload):
        recording = self.directory / "recording.json"
        workload.run(comparison.trace_prefix(recording))
        calls = comparison.read_recording(recording)["calls"]
        self.names.update({(call["abi"], call["number"]): call.get("name", "") for call in calls})
        return {(call["abi"], call["number"]) for call in calls}

    def seen_by_strace(self, workload):
        log = self.directory / "strace.log"
        workload.run([*STRACE, log, "--"])
        calls = calls_in(log.read_text(encoding="utf-8", errors="replace"))
        self.names.update(calls)
        return set(calls)

    def described(self, calls):
        words = [f"{abi} {number} {self.names[abi, number]}" for abi, number in sorted(calls)]
        return ", ".join(words) or "none"

    def check_always_the_same(self, workload):
        """For a program that makes the same calls in every run."""
        self.prepare(workload)
        ours, theirs = self.recorded(workload), self.seen_by_strace(workload)
        assert ours == theirs, (f"only recorded: {self.described(ours - theirs)}; "
            f"only seen by strace: {self.described(theirs - ours)}")

    def check_differing(self, workload):
        """For a program whose runs differ."""
        self.prepare(workload)
        by_chance = BY_CHANCE.get(workload.name, {})

        def without_chance(calls):
            return {call for call in calls if self.names[call] not in by_chance}

        ours = [without_chance(self.recorded(workload)) for _ in range(RUNS)]
        runs = [without_chance(self.seen_by_strace(workload)) for _ in range(RUNS_OF_STRACE)]
        while True:
            missed = set.intersection(*runs) - set.intersection(*ours)
            invented = set.union(*ours) - set.union(*runs)
            if not missed and not invented:
                return
            if len(runs) == MOST_RUNS_OF_STRACE:
                break
            runs.append(without_chance(self.seen_by_strace(workload)))
        pytest.fail(f"not always recorded, but seen by strace in each of {len(runs)} runs: "
                    f"{self.described(missed)}; recorded, but never seen by strace: {self.described(invented)}")

    def test_list_directory(self):
        self.check_always_the_same(workloads.ListDirectory())

    def test_static_busybox(self):
        self.check_always_the_same(workloads.Busybox())

    def test_32_bit_program(self):
        self.check_differing(workloads.Tracee("i386"))

    def test_all_abis_in_one_program(self):
        self.check_always_the_same(workloads.Tracee("abi_mix"))

    def test_unnamed_numbers(self):
        self.check_always_the_same(workloads.Tracee("counts"))

    def test_shell_pipeline(self):
        self.check_differing(workloads.ShellPipeline())

    def test_python_threads(self):
        self.check_differing(workloads.PythonThreads())

    def test_git_clone(self):
        self.check_differing(workloads.GitClone())

    def test_compile(self):
        self.check_differing(workloads.Compile())

    def test_parallel_make(self):
        self.check_differing(workloads.ParallelMake())

    def test_nginx_in_foreground(self):
        self.check_differing(workloads.NginxInForeground())

    def test_nginx_as_daemon(self):
        self.check_differing(workloads.NginxAsDaemon())

    def test_redis(self):
        self.check_differing(workloads.Redis())

    def test_go(self):
        self.check_differing(workloads.Go())


def missing():
    """Why nothing can be compared here, or None."""
    reason = comparison.missing_program() or comparison.missing_tool("strace")
    if reason:
        return reason
    tried = comparison.run([*STRACE, "/dev/null", "--", "true"])
    return f"strace does not work here{comparison.described(tried)}" if tried.returncode != 0 else None


possible = comparison.skipped_for(missing)
