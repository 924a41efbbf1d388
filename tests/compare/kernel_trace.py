"""The kernel's own record of which task made which system call: raw_syscalls:sys_enter, in a tracefs instance
of its own, so that nobody else's tracing is seen or disturbed.

    with KernelTrace() as trace:
        subprocess.run([*trace.prefix(), "callcensus", "trace", ..., "--", "ls"])
        counts = trace.calls_of(pid_of_ls)      # {number: how often}, of ls and all its descendants

Needs root and CONFIG_FTRACE_SYSCALLS.
"""
import collections
import contextlib
import os
import pathlib
import re
import subprocess
import tempfile

# A call takes some 80 bytes, and the most that any of the programs makes is 60,000, perhaps all on one
# processor.
BUFFER_KB_PER_CPU = 32 * 1024

EVENTS = ("raw_syscalls/sys_enter", "sched/sched_process_fork", "sched/sched_process_exec")

# PROC_PID_INIT_INO of the kernel's include/linux/proc_ns.h.
INITIAL_PID_NAMESPACE = "pid:[4026531836]"

# The name of a task can be anything, but it always takes the first 16 columns.
LINE = re.compile(r".{16}-(?P<task>\d+) +\[\d+\] .*?: "
                  r"(?P<event>sys_enter|sched_process_fork|sched_process_exec): (?P<rest>.*)")
NUMBER = re.compile(r"NR (-?\d+) ")
CHILD = re.compile(r".* child_pid=(\d+)$")


class Lossy(AssertionError):
    """The buffer was too small: nothing can be said."""


def unavailable():
    """Why the tracepoints cannot be had here, or None."""
    if os.geteuid() != 0:
        return "the kernel's tracepoints are for root"
    if os.readlink("/proc/self/ns/pid") != INITIAL_PID_NAMESPACE:
        return "the kernel's tracepoints tell the process ids of the initial namespace, which this is not"
    try:
        with KernelTrace():
            return None
    except (OSError, subprocess.CalledProcessError) as error:
        return f"the kernel's tracepoints cannot be had: {error}"


@contextlib.contextmanager
def mounted_tracefs():
    """The directory of tracefs; mounted for the while where it is not."""
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        for line in mounts:
            _, directory, kind, *_ = line.split()
            if kind == "tracefs" and os.path.isdir(f"{directory}/instances"):
                yield pathlib.Path(directory)
                return
    with tempfile.TemporaryDirectory(prefix="callcensus-tracefs-") as directory:
        subprocess.run(["mount", "-t", "tracefs", "nodev", directory], check=True, capture_output=True)
        try:
            yield pathlib.Path(directory)
        finally:
            subprocess.run(["umount", directory], check=True)


class KernelTrace:
    """One instance; it can record several runs, one after another."""

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            tracefs = stack.enter_context(mounted_tracefs())
            self.instance = tracefs / "instances" / f"callcensus-{os.getpid()}"
            self.instance.mkdir()
            # By rmdir alone: what looks like files in it cannot be removed.
            stack.callback(self.instance.rmdir)
            self._write("tracing_on", "0")
            self._write("buffer_size_kb", BUFFER_KB_PER_CPU)
            # Strictly in order over all processors, which clocks are not.
            self._write("trace_clock", "counter")
            # What a task of the list creates joins the list.
            self._write("options/event-fork", "1")
            for event in EVENTS:
                self._write(f"events/{event}/enable", "1")
            self._to_undo = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._write("tracing_on", "0")
        self._to_undo.close()

    def _write(self, name, value):
        (self.instance / name).write_text(str(value), encoding="ascii")

    def prefix(self):
        """The words which, put before a command, have it recorded, in place of what was recorded before."""
        self._write("tracing_on", "0")
        self._write("trace", "")
        self._write("tracing_on", "1")
        return ["sh", "-c", 'echo $$ >"$0" && exec "$@"', str(self.instance / "set_event_pid")]

    def calls_of(self, first):
        """How often each call was made by the task `first`, from the execve that succeeds on, and by all its
        descendants."""
        self._write("tracing_on", "0")
        self._check_nothing_is_lost()
        counts = collections.Counter()
        family = {first}
        execve = None
        started = False
        with (self.instance / "trace").open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                match = LINE.match(line)
                if not match:
                    if line.startswith("#"):
                        continue
                    raise AssertionError(f"a line of the kernel's that is not understood: {line}")
                task = int(match["task"])
                if task not in family:
                    continue
                if match["event"] == "sched_process_fork":
                    family.add(int(CHILD.match(match["rest"])[1]))
                elif match["event"] == "sched_process_exec":
                    if not started:
                        started = True
                        counts[execve] += 1
                else:
                    # The register has 64 bits, of which the kernel looks at 32.
                    number = int(NUMBER.match(match["rest"])[1]) % 2**32
                    if started:
                        counts[number] += 1
                    else:
                        execve = number
        if not started:
            raise AssertionError(f"the kernel has recorded no execve of {first}")
        return counts

    def _check_nothing_is_lost(self):
        for stats in sorted(self.instance.glob("per_cpu/cpu*/stats")):
            for line in stats.read_text(encoding="ascii").splitlines():
                name, _, value = line.partition(":")
                if name in ("overrun", "commit overrun", "dropped events") and int(value) != 0:
                    raise Lossy(f"{stats.parent.name}: {line}")
