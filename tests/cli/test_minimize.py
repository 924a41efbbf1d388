"""`callcensus minimize`: the calls that a command needs, found by running it under smaller profiles."""

import json
import os
import pwd
import re
import signal

import harness
import profiles
from harness import python
from profiles import allow, profile

# All that a small Python program makes, and a few hundred calls that it does not.
NAMES = sorted(set(harness.all_names(json.loads(profiles.PUBLISHED["docker"].read_text(encoding="utf-8")))))

CALL = "import ctypes; call = ctypes.CDLL(None).syscall\n"


class TestMinimize(harness.Case):
    def minimize(self, *arguments, **options):
        return self.callcensus("minimize", *arguments, **options)

    def search(self, target, *options, names=NAMES, status=0):
        """The report and the names that are left of a profile that allows `names` to whoever starts it."""
        self.write("p.json", profile(allow(*names)))
        done = self.minimize("--as", "none", "--json", "-o", "small.json", *options, "p.json", "--", *target)
        assert done.status == status
        report = json.loads(done.err.splitlines()[-1])
        left = set(harness.all_names(self.json("small.json")))
        assert left == {call["name"] for call in report["calls"] if call["kept"]}
        return report, left

    def fates(self, report):
        return {call["name"]: call["fate"] for call in report["calls"]}

    # The runs are used up by the first one.
    def assert_succeeds_under(self, name, target):
        done = self.callcensus("minimize", "-q", "--as", "none", "--max-runs", "1", "-o", "again.json", name,
                               "--", *target)
        assert done.status == 1

    def test_few_runs_find_what_ls_needs(self):
        target = ["ls", "-l", "/"]
        report, left = self.search(target)
        assert len(NAMES) > 300
        assert report["runs"] < 60, report
        assert report["end"] == "complete"
        assert {"execve", "openat", "getdents64", "write"} <= left
        assert not {"mount", "ptrace", "fork", "kill", "ioctl"} & left
        self.assert_succeeds_under("small.json", target)
        fates = self.fates(report)
        assert fates["getdents64"] == "needed"
        assert fates["ioctl"] == "dispensable"
        assert fates["ptrace"] == "unused"
        assert fates["exit_group"] == "unseen"
        # Without any one of them it fails.
        for name in sorted(name for name, fate in fates.items() if fate == "needed"):
            self.write("less.json", profile(allow(*(left - {name}))))
            done = self.minimize("-q", "--as", "none", "less.json", "--", *target)
            assert done.status == harness.FAILED, ((name, done))
            assert "does not succeed under the whole profile" in done.err, name

    def test_what_a_program_needs_tries_and_falls_back_to(self):
        target = python(CALL + """
import os, sys
call(40000)                                     # nobody has it
os.getppid() if call(110) > 0 else sys.exit(1)  # getppid is needed
call(157, 3)                                    # prctl is not
if call(24) != 0 and call(162) != 0:            # sched_yield, or else sync
    sys.exit(1)
""")
        report, left = self.search(target)
        assert "getppid" in left
        assert "sched_yield" in left
        assert "prctl" not in left
        assert "sync" not in left
        assert self.fates(report)["prctl"] == "dispensable"
        self.assert_succeeds_under("small.json", target)

    def test_a_kept_call_is_not_tried(self):
        report, left = self.search(["true"], "--keep", "mount,ptrace")
        assert {"mount", "ptrace"} <= left
        assert self.fates(report)["mount"] == "by-request"

    def test_what_runtimes_need_stays_unless_told_otherwise(self):
        self.write("p.json", profile(allow(*NAMES)))
        done = self.minimize("p.json", "--", "true")
        self.assert_succeeded(done)
        left = set(harness.all_names(json.loads(done.out)))
        assert {"capset", "setresuid", "epoll_pwait", "statx"} <= left
        assert "container runtimes need it: " in done.err
        crun = set(harness.all_names(json.loads(self.minimize("--as", "crun", "p.json", "--", "true").out)))
        assert "capset" in crun
        assert "epoll_pwait" not in crun

    def test_a_check_decides_and_sees_what_was_printed(self):
        self.write("check", """#!/bin/sh
grep -q '^out$' "$CALLCENSUS_STDOUT" && grep -q '^err$' "$CALLCENSUS_STDERR" && [ "$CALLCENSUS_STATUS" = 3 ]
""", mode=0o755)
        program = CALL + "import os; os.write(1, b'out\\n'); os.write(2, b'err\\n'); call(24); os._exit(3)"
        self.write("p.json", profile(allow(*NAMES)))
        done = self.minimize("--as", "none", "--check", "./check", "-o", "small.json", "p.json", "--",
                             *python(program))
        self.assert_succeeded(done)
        assert done.out == "out\n", "shown once"
        assert done.err.count("err\n") == 1
        left = harness.all_names(self.json("small.json"))
        assert "write" in left
        assert "sched_yield" not in left

    def test_without_a_check_output_does_not_count(self):
        _, left = self.search(python("import os\ntry: os.write(1, b'x')\nexcept OSError: pass"))
        assert "write" not in left

    def test_the_first_run_is_shown_and_the_profile_is_alone_on_standard_output(self):
        self.write("p.json", profile(allow(*NAMES)))
        done = self.minimize("p.json", "--", "echo", "hello")
        self.assert_succeeded(done)
        assert json.loads(done.out)["defaultAction"] == "SCMP_ACT_ERRNO"
        assert done.err.count("hello\n") == 1
        assert re.search(r"\ncallcensus: run 2: without \d+ calls: succeeded\n", done.err)
        to_file = self.minimize("-q", "p.json", "-o", "small.json", "--", "echo", "hello")
        assert (to_file.status, to_file.out, to_file.err) == (0, "hello\n", ""), to_file

    def test_standard_input_is_empty(self):
        self.write("p.json", profile(allow(*NAMES)))
        done = self.minimize("-q", "p.json", "-o", "small.json", "--", "cat", stdin=b"something")
        assert (done.status, done.out) == (0, "")

    def test_a_run_that_takes_too_long_has_failed(self):
        # It tries for ever.
        program = CALL + "while call(24) != 0: pass"
        report, left = self.search(python(program), "--timeout", "3s", "--keep",
                                   ",".join(sorted(set(NAMES) - {"sched_yield", "mount", "prctl"})))
        assert "sched_yield" in left
        assert self.fates(report)["sched_yield"] == "needed"
        assert self.fates(report)["mount"] == "unused"

    def test_what_a_run_leaves_behind_is_killed(self):
        self.write("p.json", profile(allow(*NAMES)))
        done = self.minimize("--max-runs", "2", "-o", "small.json", "p.json", "--", "sh", "-c",
                             "sleep 1000 & setsid sleep 1000 & exit 0")
        assert done.status in (0, 1)
        assert "run 2: " in done.err
        assert self.processes() == []

    def test_the_search_ends_with_the_runs(self):
        report, left = self.search(["true"], "--max-runs", "2", status=1)
        assert (report["end"], report["runs"]) == ("out-of-runs", 2)
        assert len(left) < 110
        assert "undecided" in self.fates(report).values()

    def test_a_command_that_fails_now_and_then_is_told(self):
        # The second run fails, whatever is denied.
        self.write("count", "")
        script = 'echo >>count; [ "$(wc -l <count)" != 2 ]'
        self.write("p.json", profile(allow(*NAMES)))
        done = self.minimize("--as", "none", "-o", "small.json", "p.json", "--", "sh", "-c", script)
        assert done.status == 1
        assert "the command does not always succeed" in done.err
        assert self.json("small.json")["syscalls"][0]["names"] == NAMES

    def test_conditions_and_other_rules_stay(self):
        condition = [{"index": 0, "value": 0x7e020000, "op": "SCMP_CMP_MASKED_EQ"}]
        names = sorted(set(NAMES) - {"clone", "clone3", "sched_yield"})
        self.write("p.json", profile(allow(*names), allow("clone", args=condition, comment="no namespaces"),
                                     {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38},
                                     allow("mount", "sched_yield", comment="goes")))
        done = self.minimize("-q", "--as", "none", "-o", "small.json", "p.json", "--",
                             *python("import os; os.fork()"))
        self.assert_succeeded(done)
        rules = self.json("small.json")["syscalls"]
        assert [rule["names"] for rule in rules[1:]] == [["clone"], ["clone3"]]
        assert rules[1]["args"] == condition

    def test_errors(self):
        self.write("p.json", profile(allow(*NAMES)))
        self.write("few.json", profile(allow("execve", "read")))
        self.write("open.json", '{"defaultAction": "SCMP_ACT_ALLOW"}')
        self.write("notes.txt", "x")
        quiet = ("-q", "-o", "small.json")
        self.assert_complains(self.minimize("p.json"), "there is no command to run")
        self.assert_complains(self.minimize(*quiet, "p.json", "--", "no-such-command"), "command not found",
                              status=harness.NOT_FOUND)
        self.assert_complains(self.minimize(*quiet, "p.json", "--", "./notes.txt"), "cannot be executed",
                              status=harness.CANNOT_EXECUTE)
        self.assert_complains(self.minimize(*quiet, "p.json", "--", "false"), "p.json: ",
                              "does not succeed under the whole profile: nothing was denied")
        denied = self.minimize(*quiet, "few.json", "--", "true")
        assert denied.status == harness.FAILED
        assert "does not succeed under the whole profile: it was denied " in denied.err
        self.assert_complains(self.minimize(*quiet, "open.json", "--", "true"), "there is nothing to take away")
        self.assert_complains(self.minimize(*quiet, "--keep", "raed", "p.json", "--", "true"),
                              "does not let raed through")
        self.assert_complains(self.minimize(*quiet, "--check", "./notes.txt", "p.json", "--", "true"),
                              "--check ./notes.txt", "cannot be executed")
        self.assert_complains(self.minimize(*quiet, "--arch", "arm64", "p.json", "--", "true"),
                              "--arch arm64", "not this machine's")
        self.assert_complains(self.minimize("-q", "-o", "no/such/dir", "p.json", "--", "true"), "no/such/dir")
        assert "small.json" not in self.files()

    def test_an_interrupted_search_leaves_what_it_has(self):
        # Its second run tells us, and waits.
        self.write("count", "")
        os.mkfifo(self.path("second"))
        if self.user:
            who = pwd.getpwnam(self.user)
            os.chown(self.path("second"), who.pw_uid, who.pw_gid)
        script = 'echo >>count; [ "$(wc -l <count)" -lt 2 ] || { echo >second; exec sleep 1000; }'
        self.write("p.json", profile(allow(*NAMES)))
        running = self.start([harness.PROGRAM, "minimize", "--as", "none", "-o", "small.json", "p.json", "--",
                              "sh", "-c", script])
        with open(self.path("second"), encoding="utf-8") as told:
            told.read(1)
        running.send(signal.SIGINT)
        done = running.end()
        assert done.status == -signal.SIGINT
        assert "interrupted before everything was decided" in done.err
        assert self.json("small.json")["syscalls"][0]["names"] == NAMES


class TestMinimizeAsNobody(harness.AsNobody, TestMinimize):
    pass
