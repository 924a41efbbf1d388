"""`callcensus verify` over real programs: nothing to find with the profile of the program's own trace; with any
observed call taken away exactly that one, and the program unhindered; and where the profile is enforced the
program ends as it does under it without us.

    /usr/bin/python3 -m pytest tests/compare/test_verify.py

Of each program's calls a few are taken away, chosen by a seed; with CALLCENSUS_TEST_ALL_CALLS in the environment,
every one.
"""
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys

import pytest

import comparison
import workloads
from test_profile_loads import rule_lines, without_call
from test_strace import BY_CHANCE

SAMPLE = 4
ALL = bool(os.environ.get("CALLCENSUS_TEST_ALL_CALLS"))

# Of a program whose runs differ the profile is that of several, and a call to be missed is in each of them.
RUNS_OF_DIFFERING = 4

# Of run_under_profile, where it cannot execute the command.
NOT_EXECUTED = 125

# What a denial may lead to is a program that waits for ever, without us as with us: of no use here.
PATIENCE_S = 3

TEXT = "".join(f"line {number} of the text\n" for number in range(500))

SAME_IN_EVERY_RUN = [
    workloads.ListDirectory(),
    workloads.Busybox(),
    workloads.Tracee("i386"),
    workloads.Command("cat", ["cat", "text", "text"], {"text": TEXT}),
    workloads.Command("cp", ["cp", "--archive", "text", "copy"], {"text": TEXT}),
    workloads.Command("sort", ["sort", "--reverse", "text"], {"text": TEXT}),
    workloads.Command("sha256sum", ["sha256sum", "text"], {"text": TEXT}),
    workloads.Command("stat", ["stat", "--format", "%s %F", ".", "text"], {"text": TEXT}),
    workloads.Command("rm", ["rm", "--verbose", "text"], {"text": TEXT}),
    workloads.Command("timeout", ["timeout", "60", "true"]),
    workloads.Command("find", ["find", ".", "-name", "t*", "-size", "+1", "-delete"], {"text": TEXT}),
    workloads.Command("xargs", ["xargs", "--arg-file", "text", "--max-lines=250", "echo"], {"text": TEXT}),
    workloads.Command("grep", ["grep", "--recursive", "--count", "7", "."], {"text": TEXT, "other": TEXT}),
    workloads.Command("sed", ["sed", "--in-place", "s/line/row/", "text"], {"text": TEXT}),
    workloads.Command("awk", ["awk", "{ n += $2 } END { print n; system(\"true\") }", "text"], {"text": TEXT}),
    workloads.Command("diff", ["diff", "--brief", "text", "same"], {"text": TEXT, "same": TEXT}),
    workloads.Command("gzip", ["gzip", "--keep", "text"], {"text": TEXT}),
    workloads.Command("tar", ["tar", "--create", "--file", "archive.tar", "text"], {"text": TEXT}),
    workloads.Command("bash", ["bash", "--norc", "-c",
                               "while read -r a b c; do n=$((n + b)); done <text; echo $n; (exit 0)"],
                      {"text": TEXT}),
    workloads.Command("perl", ["perl", "-e", "open F, '<', 'text'; print scalar(() = <F>), qq(\\n); `true`"],
                      {"text": TEXT}),
    workloads.Command("sqlite", [sys.executable, "-I", "-S", "-c",
                                 "import sqlite3\n"
                                 "with sqlite3.connect('base') as base:\n"
                                 "    base.execute('create table t (a)')\n"
                                 "    base.executemany('insert into t values (?)', [(1,), (2,)])\n"
                                 "print(base.execute('select sum(a) from t').fetchone())"]),
    workloads.Compile(),
    workloads.GitClone(),
]
DIFFERING = [
    workloads.ShellPipeline(),
    workloads.PythonThreads(),
    workloads.ParallelMake(),
    workloads.Go(),
    workloads.NginxInForeground(),
    workloads.Redis(),
]

# Where the call is denied the program ends now so, now otherwise; enforcing is slow as strace is, under which
# the helper's runs end as ours. By workload, each with its reason.
ENDS_BY_CHANCE = {
    workloads.Go.name: {
        "futex": "the runtime aborts, and its other threads fault meanwhile: two statuses, without us as well",
    },
    workloads.ShellPipeline.name: {
        "rt_sigprocmask": "dash's `wait` sleeps for ever where the child ends before it sleeps",
    },
    workloads.PythonThreads.name: {
        "munmap": "glibc aborts when it frees the stacks of threads, if so many live at once",
    },
}


def allowed(profile):
    return {name for rule in profile["syscalls"] for name in rule["names"]}


def status_as_of_shell(returncode):
    return returncode if returncode >= 0 else 128 - returncode


class TestVerify(comparison.WithDirectory):
    def trace(self, workload, runs):
        """The profile, and the names that every run has called."""
        recordings = [self.directory / f"recording-{run}.json" for run in range(runs)]
        names = []
        for recording in recordings:
            workload.run(comparison.trace_prefix(recording))
            calls = comparison.read_recording(recording)["calls"]
            names.append({call["name"] for call in calls if "name" in call})
        path = self.directory / "profile.json"
        derived = comparison.run([comparison.program(), "derive", "--quiet", "-o", path, *recordings])
        assert derived.returncode == 0, comparison.described(derived)
        return json.loads(path.read_text(encoding="utf-8")), sorted(set.intersection(*names))

    def verify_prefix(self, profile, *options):
        path = self.directory / "to-verify.json"
        path.write_text(json.dumps(profile), encoding="utf-8")
        return [comparison.program(), "verify", *options, "--format", "json", "-o",
                self.directory / "report.json", path, "--"]

    def findings(self, workload, profile, status, *options):
        """What verify finds, and the output of the program meanwhile."""
        report = self.directory / "report.json"
        report.unlink(missing_ok=True)
        output = workload.run(self.verify_prefix(profile, *options), status)
        return json.loads(report.read_text(encoding="utf-8"))["findings"], output

    @pytest.mark.parametrize("workload", SAME_IN_EVERY_RUN, ids=lambda workload: workload.name)
    def test_same_in_every_run(self, workload):
        self.check(workload, 1)

    @pytest.mark.parametrize("workload", DIFFERING, ids=lambda workload: workload.name)
    def test_differing(self, workload):
        self.check(workload, RUNS_OF_DIFFERING)

    def check(self, workload, runs):
        self.prepare(workload)
        expected = workload.run([])
        profile, observed = self.trace(workload, runs)
        observed = [name for name in observed if name not in BY_CHANCE.get(workload.name, {})]
        assert len(observed) > SAMPLE
        findings, output = self.findings(workload, profile, status=0)
        assert (findings, output) == ([], expected)
        chosen = observed if ALL else sorted(random.Random(workload.name).sample(observed, SAMPLE))
        for name in chosen:
            smaller = without_call(profile, name)
            print(f"without {name}:")
            better = self.directory / "better.json"
            findings, output = self.findings(workload, smaller, 1, "--fix", better)
            assert {finding["call"] for finding in findings} == {name}
            assert {finding["abi"] for finding in findings} <= {"x86_64", "i386"}, findings
            assert output == expected
            assert allowed(json.loads(better.read_text(encoding="utf-8"))) == allowed(profile)
            # A server that is denied something may wait for a client that gives up waiting for it.
            by_chance = ENDS_BY_CHANCE.get(workload.name, {})
            if not isinstance(workload, workloads.Server) and name not in by_chance:
                self.check_enforced(workload, smaller)

    def check_enforced(self, workload, profile):
        """The program ends under the profile as it does where nobody but the kernel has a hand in it."""
        rules = self.directory / "rules"
        rules.write_text(rule_lines(profile), encoding="utf-8")
        alone = self.status_of(workload, [comparison.run_under_profile(), rules], PATIENCE_S)
        if alone is None:
            return
        enforced = self.status_of(workload, self.verify_prefix(profile, "--mode", "enforce"),
                                  comparison.RUN_TIMEOUT_S)
        if alone == NOT_EXECUTED and "SCMP_ACT_ALLOW execve\n" not in rule_lines(profile):
            # For which callcensus has other statuses, as env(1).
            assert enforced in (125, 126, 127)
        else:
            assert enforced == alone

    def status_of(self, workload, prefix, patience):
        """None where it does not end."""
        workload.lay_out()
        words = [str(word) for word in workload.command()]
        words[0] = shutil.which(words[0], path=comparison.ENVIRONMENT["PATH"])
        with subprocess.Popen([*(str(word) for word in prefix), *words], cwd=workload.directory,
                              env=comparison.ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, start_new_session=True) as process:
            try:
                return status_as_of_shell(process.wait(timeout=patience))
            except subprocess.TimeoutExpired:
                return None
            finally:
                # With what it may have left running.
                try:
                    os.killpg(process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass


def missing():
    """Why nothing can be tested here, or None."""
    if not os.access(comparison.run_under_profile(), os.X_OK):
        return f"{comparison.run_under_profile()}, which loads profiles, is not built"
    return comparison.missing_program()


possible = comparison.skipped_for(missing)


@pytest.fixture(scope="module", autouse=True)
def no_core():
    """A denial may end in a signal that leaves a core."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, before)
