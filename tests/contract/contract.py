#!/usr/bin/env python3
"""The contract that every engine honours, checked on one tracee.

    contract.py --program BUILD/callcensus --options "--engine ptrace" [--released none] [--user nobody] TRACEE [ARG...]
    contract.py --program BUILD/callcensus --audit [--user nobody] TRACEE [ARG...]

Runs the tracee natively and under the engine. Its output and exit status must be the same both times, the recording
must be complete, and the lines of the tracee's output that say what it called must hold for the recording:

    call ABI NUMBER COUNT       made exactly so often by the whole tree (where the recording says that its counts are
                                "at least": made, and not recorded more often)
    atleast ABI NUMBER COUNT
    absent ABI NUMBER
    processes N                 exactly so many in the tree

Nothing of the tracee may be left when the engine has returned.

--released says how many processes must have been released, by what the recording tells (their `scope` is not
"process"): none, some or all of them (but for those that end before their first call).

With --audit the same holds for `callcensus verify` with a profile that denies everything: it hinders nothing, and
finds every call that is made, as often as it is made.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

DEADLINE = 120  # seconds; a hang is a failure, not a long wait


MARK = f"CALLCENSUS_CONTRACT={os.getpid()}"  # in the environment of everything that this test starts


def run(command, user):
    if user:
        command = ["setpriv", "--reuid", user, "--regid", "nogroup", "--clear-groups", *command]
    done = subprocess.run(["env", MARK, *command], stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE,
                          check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def still_running():
    """What this test has started and is still there: pid and name."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as environment:
                marked = MARK.encode() in environment.read().split(b"\0")
            if marked:
                with open(f"/proc/{pid}/comm", encoding="utf-8") as name:
                    found.append(f"{pid} {name.read().strip()}")
        except OSError:
            pass  # it has just ended, or is somebody else's
    return found


def broken_expectations(output, recording):
    """The lines of `output` that do not hold, with what was recorded instead."""
    counts = {(call["abi"], call["number"]): call["count"] for call in recording["calls"]}
    exact = recording["counts"] == "exact"
    holds = {
        "call": lambda recorded, count: recorded == count if exact else min(count, 1) <= recorded <= count,
        "atleast": lambda recorded, count: recorded >= (count if exact else min(count, 1)),
        "absent": lambda recorded, _: recorded == 0,
    }
    checked, broken = 0, []
    for line in output.splitlines():
        words = line.split()
        if words and words[0] in holds:
            recorded = counts.get((words[1], int(words[2])), 0)
            checked += 1
            if not holds[words[0]](recorded, int(words[3]) if len(words) > 3 else 0):
                broken.append(f"{line}: recorded {recorded}")
        elif words and words[0] == "processes":
            checked += 1
            if len(recording["processes"]) != int(words[1]):
                broken.append(f"{line}: recorded {len(recording['processes'])}")
    return checked, broken


def is_as_expected(released, processes, expected):
    """Whether that many processes were released."""
    # A process that is killed or ends at birth is not; of the tracees that have such processes these are few.
    return {"none": released == 0, "some": released > 0, "all": released > 0 and 2 * released >= processes}[expected]


def traced_run(program, options, directory, command, user):
    """How the command ends, and the recording of it."""
    path = os.path.join(directory, "recording.json")
    traced = run([program, "trace", "-q", *options.split(), "--recording", path, "-o",
                  os.path.join(directory, "profile.json"), "--", *command], user)
    with open(path, encoding="utf-8") as file:
        return traced, json.load(file)


def audited_run(program, directory, command, user):
    """The same by an audit under a profile of calls that no tracee makes. What it finds is taken for a recording."""
    profile = os.path.join(directory, "profile.json")
    with open(profile, "w", encoding="utf-8") as file:
        json.dump({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["swapon"], "action": "SCMP_ACT_ALLOW"}]},
                  file)
    path = os.path.join(directory, "report.json")
    status, *output = run([program, "verify", "-q", "--format", "json", "-o", path, profile, "--", *command], user)
    with open(path, encoding="utf-8") as file:
        report = json.load(file)
    counts = {}
    for finding in report["findings"]:
        call = (finding["abi"], finding["number"])
        counts[call] = counts.get(call, 0) + finding["count"]
    # 1 where something would be denied; the command's own status is in the report.
    ended = report["exit_code"] if "exit_code" in report else -report["signal"]
    return (ended if status == 1 else f"{status} of callcensus", *output), {
        "calls": [{"abi": abi, "number": number, "count": count} for (abi, number), count in counts.items()],
        "counts": "exact", "complete": report["complete"], "gaps": report["gaps"],
        "processes": [None] * report["processes"]}


def without_filter_lines(output):
    """Without what /proc/PID/status tells of seccomp and no_new_privs."""
    return "".join(line for line in output.splitlines(keepends=True)
                   if not any(field in line for field in ("Seccomp:", "Seccomp_filters:", "NoNewPrivs:")))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--options", help="for callcensus trace: the engine")
    how.add_argument("--audit", action="store_true")
    parser.add_argument("--released", choices=("none", "some", "all"))
    parser.add_argument("--user", default="")
    parser.add_argument("tracee")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    tracee = [os.path.abspath(options.tracee), *options.arguments]

    if options.user and os.geteuid() != 0:
        print(f"SKIPPED: only root can become {options.user}")
        return 0
    native = run(tracee, options.user)
    if native[1].startswith("SKIPPED: "):
        print(native[1], end="")
        return 0
    if native[0] == 99:  # what a tracee ends with when its own awkward thing did not work
        print(f"the tracee does not work natively: {native[1]}{native[2]}")
        return 1
    with tempfile.TemporaryDirectory(prefix="callcensus-contract-") as directory:
        os.chmod(directory, 0o777)
        program = os.path.abspath(options.program)
        if options.audit:
            traced, recording = audited_run(program, directory, tracee, options.user)
        else:
            traced, recording = traced_run(program, options.options, directory, tracee, options.user)

    if options.audit or recording["counts"] != "exact":  # a filter is loaded, and it shows (docs/tracing.md)
        native, traced = ((status, without_filter_lines(output), errors) for status, output, errors in (native, traced))
    problems = []
    for what, natively, under_engine in zip(("exit status", "output", "error output"), native, traced):
        if natively != under_engine:
            problems.append(f"{what} differs: natively\n{natively}\nunder the engine\n{under_engine}")
    if not recording["complete"]:
        problems.append(f"not complete: {recording['gaps']}")
    checked, broken = broken_expectations(native[1], recording)
    problems += broken
    if options.released:
        released = sum(process["scope"] != "process" for process in recording["processes"])
        if not is_as_expected(released, len(recording["processes"]), options.released):
            problems.append(f"{released} of {len(recording['processes'])} processes were released, expected: "
                            f"{options.released}")
    left = still_running()
    if left:
        problems.append(f"still running: {left}")
    for problem in problems:
        print(problem)
    print(f"{checked} expectations, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
