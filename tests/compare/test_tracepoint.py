"""What callcensus counts is what the kernel counts: for one and the same run, each call as often as the
tracepoint raw_syscalls:sys_enter has seen it in the target and its descendants. And where it lets processes
run and does not count, it finds the same set.

    /usr/bin/python3 -m pytest tests/compare/test_tracepoint.py

Two things differ by the nature of the tracepoint:

* It knows numbers, not ABIs. A 32-bit call is counted under its 32-bit number, so the recording's counts are
  added up over the ABIs before they are compared; which ABI it was is for test_strace.py.
* It comes last on the way into the kernel. A tracer's stop comes first (and Syscall User Dispatch before it,
  seen by neither), then seccomp, then the tracepoint. So it has not seen what a filter denied, nor the call
  of a task that was killed while it stopped for the tracer; and it sees a number that the tracer has changed.
  Where this happens is in the tables below. Never may the kernel have seen more of a call than the recording.
"""
import collections

import pytest

import comparison
import kernel_trace
import workloads

# Denied by a filter of the tracee's own (or by strict mode): the kernel sees fewer of these, or none.
DENIED = {
    "filter_eintr": {"epoll_pwait", "recvfrom"},
    "filter_errno": {"getpgid"},
    "filter_kill": {"getsid", "timer_getoverrun"},
    "filter_trace": {"getpgid", "getsid", "timer_getoverrun", "timer_delete"},
    "filter_trap": {"getpgid"},
    "filter_tsync": {"getsid"},
    "filter_user_notif": {"getsid", "timer_getoverrun"},
    "hot_own_filter_asks": {"timerfd_gettime"},
    "strict_mode": {"getsid"},
}

# The same for numbers that stand for no call.
DENIED_WITHOUT_NAME = {"hot_own_filter", "hot_own_filter_asks", "hot_sandbox"}

# Tasks which are busy making calls are killed, by a signal or by the end of their process: of what the
# recording has as unfinished, at most one call a task, the kernel may have seen nothing.
KILLED_WHILE_CALLING = {
    "exec_from_thread",
    "exec_while_threads_busy",
    "filter_kill",
    "group_stop",
    "hot_exec_race",
    "hot_kill_race",
    "hot_orphans",
    "hot_own_filter_asks",
    "hot_sandbox",
    "hot_threads",
    "kill_race",
    "leader_exits_then_group",
    "pid_namespace",
    # Their first thread ends the process whatever the others are at.
    workloads.Go.name,
    workloads.Redis.name,
}

# Emulated by the kernel on a page of its own (vsyscall): seccomp sees them, the tracepoint does not.
SEEN_BY_FILTER = {"vsyscall": {"gettimeofday", "time", "getcpu"}}

# Not the same with a filter of callcensus's own: docs/adaptive.md.
NOT_LET_RUN = {"strict_mode"}

# Refused by callcensus itself, by making it a call that does not exist.
CANCELLED = {"seize_tracer": "ptrace"}
NO_CALL = 2**32 - 1

# The kernel takes an ended task off the list of those to be recorded by its id, and a while after its end:
# where the next one has that id already, it is that one which goes unrecorded.
IDS_USED_AGAIN = {"pid_reuse"}


# mmap, munmap, prctl and seccomp of x86_64: what callcensus has the target do to load its filter.
INJECTED = {9, 11, 157, 317}


class Compared(comparison.WithDirectory):
    options = ()

    @pytest.fixture(scope="class", autouse=True)
    def _traced(self, request):
        with kernel_trace.KernelTrace() as request.cls.trace:
            yield

    def set_up(self):
        super().set_up()
        self.recording_path = self.directory / "recording.json"

    def prefix(self):
        return [*self.trace.prefix(), *comparison.trace_prefix(self.recording_path, *self.options)]

    def compare_tracee(self, name):
        # How it ends is no concern here: a tracee may die by a signal.
        comparison.run([*self.prefix(), comparison.tracee(name)], cwd=self.directory)
        self.compare(name)

    def compare_workload(self, workload):
        self.prepare(workload)
        workload.run(self.prefix())
        self.compare(workload.name)

    def compare(self, name):
        raise NotImplementedError


# Those that are built.
TRACEES = sorted(path.name.removeprefix("tracee_") for path in comparison.tracees().glob("tracee_*"))


class Workloads:
    """Those that are compared, whatever the engine."""

    def test_list_directory(self):
        self.compare_workload(workloads.ListDirectory())

    def test_static_busybox(self):
        self.compare_workload(workloads.Busybox())

    def test_shell_pipeline(self):
        self.compare_workload(workloads.ShellPipeline())

    def test_python_threads(self):
        self.compare_workload(workloads.PythonThreads())

    def test_git_clone(self):
        self.compare_workload(workloads.GitClone())

    def test_parallel_make(self):
        self.compare_workload(workloads.ParallelMake())

    def test_nginx_as_daemon(self):
        self.compare_workload(workloads.NginxAsDaemon())

    def test_redis(self):
        self.compare_workload(workloads.Redis())

    def test_go(self):
        self.compare_workload(workloads.Go())


class SameSets(Workloads):
    """Once processes run freely their known calls are not counted, but still none is missing, and none is
    recorded that was not made."""

    def compare(self, name):
        recording = comparison.read_recording(self.recording_path)
        kernel = set(self.trace.calls_of(recording["processes"][0]["pid"]))
        names = collections.defaultdict(set)
        for call in recording["calls"]:
            names[call["number"]].add(call.get("name"))
        injected = INJECTED if recording["counts"] != "exact" else set()
        # What never came so far as to be seen by the kernel.
        hidden = {number for number, known in names.items()
                  if known & (DENIED.get(name, set()) | SEEN_BY_FILTER.get(name, set()) |
                              {CANCELLED.get(name)} - {None}) or
                  (None in known and name in DENIED_WITHOUT_NAME)}
        # A number that is no call at all is passed over where a filter has stopped it.
        kernel.discard(NO_CALL)
        names.pop(NO_CALL, None)
        assert kernel - set(names) - injected == set(), "made and not recorded"
        if name not in KILLED_WHILE_CALLING:
            assert set(names) - kernel - hidden == set(), "recorded and not made"


class TestSameSetsAtOnce(SameSets, Compared):
    options = ("--patience", "0")

    @pytest.mark.parametrize("name", [name for name in TRACEES if name not in NOT_LET_RUN])
    def test_tracee(self, name):
        self.compare_tracee(name)


# No tracees: some loop until something has happened, and freely make more calls than the buffer holds.
class TestSameSetsSoon(SameSets, Compared):
    options = ("--patience", "0.1")


class TestSameCounts(Workloads, Compared):
    options = ("--count",)

    @pytest.mark.parametrize("name", TRACEES)
    def test_tracee(self, name):
        self.compare_tracee(name)

    def compare(self, name):
        """After a run behind prefix()."""
        recording = comparison.read_recording(self.recording_path)
        assert recording["counts"] == "exact"
        kernel = self.trace.calls_of(recording["processes"][0]["pid"])
        recorded, unfinished, names = collections.Counter(), collections.Counter(), {}
        for call in recording["calls"]:
            recorded[call["number"]] += call["count"]
            unfinished[call["number"]] += call["unfinished"]
            names.setdefault(call["number"], set()).add(call.get("name"))

        if name in CANCELLED:
            (number,) = [number for number, known in names.items() if CANCELLED[name] in known]
            kernel[number] += kernel.pop(NO_CALL)
        problems = []
        for number in sorted(recorded.keys() | kernel.keys()):
            most = least = recorded[number]
            if name in KILLED_WHILE_CALLING:
                least -= unfinished[number]
            if None in names.get(number, set()) and name in DENIED_WITHOUT_NAME:
                least = 0
            if names.get(number, set()) & DENIED.get(name, set()):
                most, least = recorded[number] - 1, 0
            if name in IDS_USED_AGAIN:
                least = 0
            if not least <= kernel[number] <= most:
                problems.append(f"{number} {names.get(number, '')}: recorded {recorded[number]} times, "
                                f"{unfinished[number]} of them unfinished; the kernel saw {kernel[number]}")
        assert not problems, "\n".join(problems)


possible = comparison.skipped_for(lambda: comparison.missing_program() or kernel_trace.unavailable())
