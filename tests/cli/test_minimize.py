#!/usr/bin/env python3
"""`callcensus minimize`: the calls that a command needs, found by running it under smaller profiles."""

import json
import os
import pwd
import signal

import harness
import profiles
from harness import python
from profiles import allow, profile

# All that a small Python program makes, and a few hundred calls that it does not.
NAMES = sorted(set(harness.all_names(json.loads(profiles.PUBLISHED["docker"].read_text(encoding="utf-8")))))

CALL = "import ctypes; call = ctypes.CDLL(None).syscall\n"


class Minimize(harness.Case):
    def minimize(self, *arguments, **options):
        return self.callcensus("minimize", *arguments, **options)

    def search(self, target, *options, names=NAMES, status=0):
        """The report and the names that are left of a profile that allows `names` to whoever starts it."""
        self.write("p.json", profile(allow(*names)))
        done = self.minimize("--as", "none", "--json", "-o", "small.json", *options, "p.json", "--", *target)
        self.assertEqual(done.status, status, done)
        report = json.loads(done.err.splitlines()[-1])
        left = set(harness.all_names(self.json("small.json")))
        self.assertEqual(left, {call["name"] for call in report["calls"] if call["kept"]})
        return report, left

    def fates(self, report):
        return {call["name"]: call["fate"] for call in report["calls"]}

    # The runs are used up by the first one.
    def assertSucceedsUnder(self, name, target):  # pylint: disable=invalid-name
        done = self.callcensus("minimize", "-q", "--as", "none", "--max-runs", "1", "-o", "again.json", name,
                               "--", *target)
        self.assertEqual(done.status, 1, done)

    def test_few_runs_find_what_ls_needs(self):
        target = ["ls", "-l", "/"]
        report, left = self.search(target)
        self.assertGreater(len(NAMES), 300)
        self.assertLess(report["runs"], 60, report)
        self.assertEqual(report["end"], "complete")
        self.assertLessEqual({"execve", "openat", "getdents64", "write"}, left)
        self.assertFalse({"mount", "ptrace", "fork", "kill", "ioctl"} & left)
        self.assertSucceedsUnder("small.json", target)
        fates = self.fates(report)
        self.assertEqual(fates["getdents64"], "needed")
        self.assertEqual(fates["ioctl"], "dispensable")
        self.assertEqual(fates["ptrace"], "unused")
        self.assertEqual(fates["exit_group"], "unseen")
        # Without any one of them it fails.
        for name in sorted(name for name, fate in fates.items() if fate == "needed"):
            self.write("less.json", profile(allow(*(left - {name}))))
            done = self.minimize("-q", "--as", "none", "less.json", "--", *target)
            self.assertEqual(done.status, harness.FAILED, (name, done))
            self.assertIn("does not succeed under the whole profile", done.err, name)

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
        self.assertIn("getppid", left)
        self.assertIn("sched_yield", left)
        self.assertNotIn("prctl", left)
        self.assertNotIn("sync", left)
        self.assertEqual(self.fates(report)["prctl"], "dispensable")
        self.assertSucceedsUnder("small.json", target)

    def test_a_kept_call_is_not_tried(self):
        report, left = self.search(["true"], "--keep", "mount,ptrace")
        self.assertLessEqual({"mount", "ptrace"}, left)
        self.assertEqual(self.fates(report)["mount"], "by-request")

    def test_what_runtimes_need_stays_unless_told_otherwise(self):
        self.write("p.json", profile(allow(*NAMES)))
        done = self.minimize("p.json", "--", "true")
        self.assertSucceeded(done)
        left = set(harness.all_names(json.loads(done.out)))
        self.assertLessEqual({"capset", "setresuid", "epoll_pwait", "statx"}, left)
        self.assertIn("container runtimes need it: ", done.err)
        crun = set(harness.all_names(json.loads(self.minimize("--as", "crun", "p.json", "--", "true").out)))
        self.assertIn("capset", crun)
        self.assertNotIn("epoll_pwait", crun)

    def test_a_check_decides_and_sees_what_was_printed(self):
        self.write("check", """#!/bin/sh
grep -q '^out$' "$CALLCENSUS_STDOUT" && grep -q '^err$' "$CALLCENSUS_STDERR" && [ "$CALLCENSUS_STATUS" = 3 ]
""", mode=0o755)
        program = CALL + "import os; os.write(1, b'out\\n'); os.write(2, b'err\\n'); call(24); os._exit(3)"
        self.write("p.json", profile(allow(*NAMES)))
        done = self.minimize("--as", "none", "--check", "./check", "-o", "small.json", "p.json", "--",
                             *python(program))
        self.assertSucceeded(done)
        self.assertEqual(done.out, "out\n", "shown once")
        self.assertEqual(done.err.count("err\n"), 1, done)
        left = harness.all_names(self.json("small.json"))
        self.assertIn("write", left)
        self.assertNotIn("sched_yield", left)

    def test_without_a_check_output_does_not_count(self):
        _, left = self.search(python("import os\ntry: os.write(1, b'x')\nexcept OSError: pass"))
        self.assertNotIn("write", left)

    def test_the_first_run_is_shown_and_the_profile_is_alone_on_standard_output(self):
        self.write("p.json", profile(allow(*NAMES)))
        done = self.minimize("p.json", "--", "echo", "hello")
        self.assertSucceeded(done)
        self.assertEqual(json.loads(done.out)["defaultAction"], "SCMP_ACT_ERRNO")
        self.assertEqual(done.err.count("hello\n"), 1, done)
        self.assertRegex(done.err, r"\ncallcensus: run 2: without \d+ calls: succeeded\n")
        to_file = self.minimize("-q", "p.json", "-o", "small.json", "--", "echo", "hello")
        self.assertEqual((to_file.status, to_file.out, to_file.err), (0, "hello\n", ""), to_file)

    def test_standard_input_is_empty(self):
        self.write("p.json", profile(allow(*NAMES)))
        done = self.minimize("-q", "p.json", "-o", "small.json", "--", "cat", stdin=b"something")
        self.assertEqual((done.status, done.out), (0, ""), done)

    def test_a_run_that_takes_too_long_has_failed(self):
        # It tries for ever.
        program = CALL + "while call(24) != 0: pass"
        report, left = self.search(python(program), "--timeout", "3s", "--keep",
                                   ",".join(sorted(set(NAMES) - {"sched_yield", "mount", "prctl"})))
        self.assertIn("sched_yield", left)
        self.assertEqual(self.fates(report)["sched_yield"], "needed")
        self.assertEqual(self.fates(report)["mount"], "unused")

    def test_what_a_run_leaves_behind_is_killed(self):
        self.write("p.json", profile(allow(*NAMES)))
        done = self.minimize("--max-runs", "2", "-o", "small.json", "p.json", "--", "sh", "-c",
                             "sleep 1000 & setsid sleep 1000 & exit 0")
        self.assertIn(done.status, (0, 1), done)
        self.assertIn("run 2: ", done.err)
        self.assertEqual(self.processes(), [])

    def test_the_search_ends_with_the_runs(self):
        report, left = self.search(["true"], "--max-runs", "2", status=1)
        self.assertEqual((report["end"], report["runs"]), ("out-of-runs", 2))
        self.assertLess(len(left), 110)
        self.assertIn("undecided", self.fates(report).values())

    def test_a_command_that_fails_now_and_then_is_told(self):
        # The second run fails, whatever is denied.
        self.write("count", "")
        script = 'echo >>count; [ "$(wc -l <count)" != 2 ]'
        self.write("p.json", profile(allow(*NAMES)))
        done = self.minimize("--as", "none", "-o", "small.json", "p.json", "--", "sh", "-c", script)
        self.assertEqual(done.status, 1, done)
        self.assertIn("the command does not always succeed", done.err)
        self.assertEqual(self.json("small.json")["syscalls"][0]["names"], NAMES)

    def test_conditions_and_other_rules_stay(self):
        condition = [{"index": 0, "value": 0x7e020000, "op": "SCMP_CMP_MASKED_EQ"}]
        names = sorted(set(NAMES) - {"clone", "clone3", "sched_yield"})
        self.write("p.json", profile(allow(*names), allow("clone", args=condition, comment="no namespaces"),
                                     {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38},
                                     allow("mount", "sched_yield", comment="goes")))
        done = self.minimize("-q", "--as", "none", "-o", "small.json", "p.json", "--",
                             *python("import os; os.fork()"))
        self.assertSucceeded(done)
        rules = self.json("small.json")["syscalls"]
        self.assertEqual([rule["names"] for rule in rules[1:]], [["clone"], ["clone3"]])
        self.assertEqual(rules[1]["args"], condition)

    def test_errors(self):
        self.write("p.json", profile(allow(*NAMES)))
        self.write("few.json", profile(allow("execve", "read")))
        self.write("open.json", '{"defaultAction": "SCMP_ACT_ALLOW"}')
        self.write("notes.txt", "x")
        quiet = ("-q", "-o", "small.json")
        self.assertComplains(self.minimize("p.json"), "there is no command to run")
        self.assertComplains(self.minimize(*quiet, "p.json", "--", "no-such-command"), "command not found",
                             status=harness.NOT_FOUND)
        self.assertComplains(self.minimize(*quiet, "p.json", "--", "./notes.txt"), "cannot be executed",
                             status=harness.CANNOT_EXECUTE)
        self.assertComplains(self.minimize(*quiet, "p.json", "--", "false"), "p.json: ",
                             "does not succeed under the whole profile: nothing was denied")
        denied = self.minimize(*quiet, "few.json", "--", "true")
        self.assertEqual(denied.status, harness.FAILED)
        self.assertIn("does not succeed under the whole profile: it was denied ", denied.err)
        self.assertComplains(self.minimize(*quiet, "open.json", "--", "true"), "there is nothing to take away")
        self.assertComplains(self.minimize(*quiet, "--keep", "raed", "p.json", "--", "true"),
                             "does not let raed through")
        self.assertComplains(self.minimize(*quiet, "--check", "./notes.txt", "p.json", "--", "true"),
                             "--check ./notes.txt", "cannot be executed")
        self.assertComplains(self.minimize(*quiet, "--arch", "arm64", "p.json", "--", "true"),
                             "--arch arm64", "not this machine's")
        self.assertComplains(self.minimize("-q", "-o", "no/such/dir", "p.json", "--", "true"), "no/such/dir")
        self.assertNotIn("small.json", self.files())

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
        self.assertEqual(done.status, -signal.SIGINT, done)
        self.assertIn("interrupted before everything was decided", done.err)
        self.assertEqual(self.json("small.json")["syscalls"][0]["names"], NAMES)


class MinimizeAsNobody(harness.AsNobody, Minimize):
    pass


if __name__ == "__main__":
    harness.main()
