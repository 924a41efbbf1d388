"""Where the tracer runs while one task makes nearly all stops.

    /usr/bin/python3 -m pytest tests/cli/test_placement.py

How much faster that is depends on the machine, and scripts/bench measures it. That it happens at all does not, and
can be seen: beside the task callcensus has the policy SCHED_IDLE and is pinned to one processor.
"""
import os

import pytest

import harness
from harness import python, wait_for

# Many cheap calls, until the file `enough` appears. Looking for it is itself such a call.
HOT = python("import os\nwhile not os.path.exists('enough'): os.getppid()\n")
LONG_ENOUGH_S = 30  # on a busy machine it tries again and again
STOPS = 4000  # without privilege: many windows of the placement policy


def is_beside_the_task(pid):
    return os.sched_getscheduler(pid) == os.SCHED_IDLE and len(os.sched_getaffinity(pid)) == 1


class Busyness:
    """Whether somebody else wants the processors: callcensus then rightly stays where it is."""

    def __init__(self):
        self.looks = self.busy = 0

    def look(self):
        with open("/proc/loadavg", encoding="ascii") as file:
            runnable = int(file.read().split()[3].split("/")[0])
        self.looks += 1
        # This test and one of the two, callcensus or its target, run at any time.
        self.busy += runnable > 2

    def most_of_the_time(self):
        return self.busy > self.looks / 2


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two processors")
class TestPlacement(harness.Case):
    @harness.needs_root
    def test_beside_a_hot_task(self):
        running = self.start_trace("-q", "-o", "p.json", "--", *HOT)
        busy = Busyness()

        def moved():
            busy.look()
            return is_beside_the_task(running.pid)
        try:
            wait_for(moved, "callcensus to move beside the task", LONG_ENOUGH_S)
        except AssertionError:
            if busy.most_of_the_time():
                pytest.skip("others keep the processors busy")
            raise
        target = harness.tracees_of(running.pid)[0]
        assert os.sched_getscheduler(target) == os.SCHED_OTHER, "the target's policy is its own"
        assert os.sched_getaffinity(target) == os.sched_getaffinity(0), "and so are its processors"
        self.write("enough", "")
        assert running.end().status == 0


class TestPlacementAsNobody(harness.AsNobody, harness.Case):
    def test_not_where_there_is_no_way_back(self):
        # An unprivileged process cannot leave SCHED_IDLE again. It looks at itself, by way of its parent, all the time.
        done = self.trace("-q", "-o", "p.json", "--", *python(
            "import os\n"
            f"for _ in range({STOPS}):\n"
            "    assert os.sched_getscheduler(os.getppid()) == os.SCHED_OTHER\n"))
        self.assert_succeeded(done)
