#!/usr/bin/env python3
"""`callcensus verify`: what a profile would deny a program, who calls it, and what would allow it.

    CALLCENSUS=build/default/callcensus CALLCENSUS_TRACEES=build/default/tests/tracees \\
        CALLCENSUS_RUN_UNDER_PROFILE=build/default/tests/compare/run_under_profile \\
        python3 tests/cli/test_verify.py
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import unittest
import xml.etree.ElementTree

import harness
import profiles
from harness import CANNOT_EXECUTE, MARK, MARK_NAME, NOT_FOUND, PYTHON, python, wait_for
from profiles import allow, profile

TRACEES = pathlib.Path(os.environ.get("CALLCENSUS_TRACEES", "."))
ENGINES = ("adaptive", "ptrace")

# What programs usually need, and more: Docker's, whatever the conditions.
USUAL = sorted({name for rule in json.loads(profiles.PUBLISHED["docker"].read_text(encoding="utf-8"))["syscalls"]
                if rule["action"] == "SCMP_ACT_ALLOW" for name in rule["names"]})

# A target that makes calls past libc; call(number, ...) gives the result, or minus the errno.
CALLING = r"""
import ctypes, os, signal, sys
_libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    result = _libc.syscall(ctypes.c_long(number), *(ctypes.c_long(argument) for argument in arguments))
    return -ctypes.get_errno() if result == -1 else result
"""
SOCKET = 41
AF_UNIX, AF_INET, AF_NETLINK = 1, 2, 16
EPERM, ENOENT, ENOSYS = 1, 2, 38


def usual_but(*names, **members):
    """A profile that allows what is usual, except for that."""
    return profile(allow(*(name for name in USUAL if name not in names)), **members)


def denying(*rules, **members):
    """One that allows everything else."""
    return profile(*rules, defaultAction="SCMP_ACT_ALLOW", defaultErrnoRet=None, **members) \
        .replace(' "defaultErrnoRet": null,\n', "")


def deny(*names, action="SCMP_ACT_ERRNO", **members):
    return {"names": list(names), "action": action, **members}


def status_of(name):
    return python(f"print(open('/proc/self/status').read().split('{name}:')[1].split()[0])")


class VerifyCase(harness.Case):
    def verify(self, *arguments, **options):
        return self.callcensus("verify", *arguments, **options)

    def start_verify(self, *arguments, **options):
        return self.start([harness.PROGRAM, "verify", *arguments], **options)

    def report(self, *arguments, **options):
        """Status and report."""
        done = self.verify("--format", "json", "-o", "report.json", *arguments, **options)
        self.assertTrue(self.path("report.json").exists(), done)
        report = self.json("report.json")
        self.path("report.json").unlink()
        self.assertEqual(report["denials"], len([one for one in report["findings"] if is_denial(one)]))
        return done, report

    def finding(self, *arguments, **options):
        """The only one, of an audit."""
        done, report = self.report(*arguments, **options)
        self.assertEqual((done.status, len(report["findings"])), (1, 1), f"{done}\n{report}")
        return report["findings"][0]

    def tracee(self, name):
        path = TRACEES / f"tracee_{name}"
        if not path.exists():
            self.skipTest(f"not built: {path.name}")
        return str(path)


def is_denial(finding):
    return finding["certain"] and finding["action"] != "SCMP_ACT_NOTIFY"


def calls_of(report):
    return [finding["call"] for finding in report["findings"]]


class NothingDenied(VerifyCase):
    def setUp(self):
        super().setUp()
        self.write("p.json", usual_but())

    def test_the_status_is_the_commands(self):
        for status, script in ((0, "true"), (7, "exit 7"), (-signal.SIGTERM, "kill -TERM $$")):
            done = self.verify("p.json", "--", "sh", "-c", script)
            self.assertEqual((done.status, done.out), (status, ""), done)
            self.assertEqual(done.err, f"callcensus: p.json would deny no call of: sh -c {script}\n")

    def test_the_streams_are_the_commands(self):
        done = self.verify("p.json", "--", "sh", "-c", "cat; echo error >&2", stdin=b"one\ntwo\n")
        self.assertEqual((done.status, done.out), (0, "one\ntwo\n"), done)
        self.assertTrue(done.err.startswith("error\ncallcensus: "), done)

    def test_quiet(self):
        done = self.verify("-q", "p.json", "--", "sh", "-c", "echo out; echo error >&2; exit 3")
        self.assertEqual((done.status, done.out, done.err), (3, "out\n", "error\n"))

    def test_a_report_in_a_file_is_written_all_the_same(self):
        done = self.verify("-q", "-o", "report", "p.json", "--", "true")
        self.assertEqual((done.status, done.err), (0, ""), done)
        self.assertEqual(self.path("report").read_text(), "callcensus: p.json would deny no call of: true\n")

    def test_every_format_says_so(self):
        _, report = self.report("p.json", "--", "sh", "-c", "exit 4")
        self.assertEqual((report["findings"], report["denials"], report["exit_code"]), ([], 0, 4))
        self.assertTrue(report["complete"])
        done = self.verify("--format", "junit", "-o", "report", "p.json", "--", "true")
        self.assertSucceeded(done)
        suite = xml.etree.ElementTree.parse(self.path("report")).getroot().find("testsuite")
        self.assertEqual((suite.get("tests"), suite.get("failures")), ("1", "0"))
        self.assertIsNone(suite.find("testcase").find("failure"))
        self.assertSucceeded(self.verify("--format", "sarif", "-o", "report", "p.json", "--", "true"))
        self.assertEqual(self.json("report")["runs"][0]["results"], [])

    def test_fix_writes_it_as_it_was(self):
        self.assertSucceeded(self.verify("--fix", "fixed.json", "p.json", "--", "true"))
        self.assertEqual(self.json("fixed.json"), self.json("p.json"))

    def test_profile_that_trace_has_made(self):
        for engine in ENGINES:
            command = ["sh", "-c", "ls / | sort | head -1; exit 5"]
            native = self.run_natively(*command)
            self.assertEqual(self.trace("-q", "-o", "traced.json", "--", *command).status, 5)
            done = self.verify("--engine", engine, "traced.json", "--", *command)
            self.assertEqual((done.status, done.out), (native.status, native.out), done)


class NothingDeniedAsNobody(harness.AsNobody, NothingDenied):
    pass


class Findings(VerifyCase):
    def setUp(self):
        super().setUp()
        self.write("p.json", usual_but(MARK_NAME))

    def test_who_and_what_and_why(self):
        finding = self.finding("p.json", "--", *python(f"import os; {MARK}"))
        self.assertEqual((finding["call"], finding["abi"], finding["number"]), (MARK_NAME, "x86_64", 146))
        self.assertEqual((finding["code"], finding["action"], finding["certain"]), ("CV101", "SCMP_ACT_ERRNO", True))
        self.assertEqual(finding["decision"], "denied with ENOSYS")
        self.assertEqual(finding["text"], f"{MARK_NAME}(1)")
        self.assertEqual(finding["executable"], os.path.realpath(PYTHON))
        self.assertEqual((finding["count"], finding["exact"]), (1, True))
        self.assertEqual(finding["decided_by"], {"path": "defaultAction", "line": 2, "column": 19})
        self.assertEqual(finding["changes"], [f'add "{MARK_NAME}" to a rule that allows it'])
        site = finding["site"]
        self.assertRegex(site["module"], r"/libc\.so\.6$")
        self.assertEqual(site["symbol"], MARK_NAME)
        notes = subprocess.run(["readelf", "-n", site["module"]], stdout=subprocess.PIPE, check=True).stdout.decode()
        self.assertIn(f"Build ID: {site['build_id']}", notes)
        self.assertGreater(site["build_id"], "")

    def test_process_and_thread(self):
        done, report = self.report("p.json", "--", *python(
            "import os, threading\n"
            "def in_thread():\n"
            f"    {MARK}\n"
            "    print(os.getpid(), threading.get_native_id(), flush=True)\n"
            "thread = threading.Thread(target=in_thread)\n"
            "thread.start()\n"
            "thread.join()\n"))
        finding = report["findings"][0]
        self.assertEqual(done.out.split(), [str(finding["process"]), str(finding["thread"])])
        self.assertNotEqual(finding["process"], finding["thread"])

    def test_arguments(self):
        self.write("text.json", usual_but("openat", "mkdirat", "kill", "dup3"))
        _, report = self.report("text.json", "--", *python(
            "import os, signal\n"
            "os.kill(os.getpid(), signal.SIGCHLD)\n"
            "os.dup2(1, 7, inheritable=False)\n"
            "os.mkdir('a\\n\"directory', 0o700, dir_fd=os.open('.', os.O_RDONLY))\n"))
        texts = {one["call"]: one["text"] for one in report["findings"]}
        self.assertRegex(texts["openat"], r'^openat\(AT_FDCWD, "/.*", O_RDONLY\|O_CLOEXEC')
        self.assertRegex(texts["kill"], r"^kill\(\d+, SIGCHLD\)$")
        self.assertRegex(texts["dup3"], r"^dup3\(1.*, 7.*, O_CLOEXEC\)$")
        self.assertIn('"a\\x0a\\"directory", 0700)', texts["mkdirat"])
        self.assertIn(str(self.directory), texts["mkdirat"])

    def test_the_text(self):
        done = self.verify("p.json", "--", *python(f"import os; print(os.getpid()); {MARK}"))
        self.assertEqual(done.status, 1)
        lines = done.err.splitlines()
        self.assertRegex(lines[0], r"^callcensus: p\.json would deny 1 call of: ")
        self.assertEqual(lines[1], f"  {MARK_NAME} on x86_64: denied with ENOSYS")
        self.assertEqual(lines[2], f"      {MARK_NAME}(1)")
        self.assertRegex(lines[3], rf"^      by {os.path.realpath(PYTHON)}, process {done.out.strip()}, 1 time, "
                                   r"first after \d+\.\d{3} s$")
        self.assertRegex(lines[4], rf"^      in /.*/libc\.so\.6 \({MARK_NAME}\+0x[0-9a-f]+\), offset 0x[0-9a-f]+, "
                                   r"build-id [0-9a-f]{40}$")
        self.assertEqual(lines[5:], ["      decided by p.json:2:19: defaultAction",
                                     f'      to allow it: add "{MARK_NAME}" to a rule that allows it'])

    def test_counts_are_exact(self):
        for engine in ENGINES:
            finding = self.finding("--engine", engine, "p.json", "--",
                                   *python(f"import os\nfor _ in range(1234):\n    {MARK}"))
            self.assertEqual((finding["count"], finding["exact"]), (1234, True), engine)

    def test_of_all_threads_and_children(self):
        command = python(
            "import os, threading\n"
            "def often():\n"
            f"    for _ in range(50): {MARK}\n"
            "for _ in range(3):\n"
            "    if os.fork() == 0:\n"
            "        often()\n"
            "        os._exit(0)\n"
            "    os.wait()\n"
            "threads = [threading.Thread(target=often) for _ in range(4)]\n"
            "for thread in threads: thread.start()\n"
            "for thread in threads: thread.join()\n")
        for engine in ENGINES:
            self.assertEqual(self.finding("--engine", engine, "p.json", "--", *command)["count"], 350, engine)

    def test_one_for_each_executable(self):
        self.write("getpgid.json", usual_but(MARK_NAME, "getpgid"))
        perl = shutil.which("perl", path=harness.SEARCH_PATH)
        if not perl:
            self.skipTest("not installed: perl")
        mark = f"import os; {MARK}; os.getpgid(0)"
        for command in (["sh", "-c", f"{PYTHON} -I -S -c '{mark}'; perl -e 'syscall(146, 1); exit 3'"],
                        ["sh", "-c", f"{PYTHON} -I -S -c '{mark}; os.execv(\"{perl}\", "
                                     "[\"perl\", \"-e\", \"syscall(146, 1); exit 3\"])'"]):
            done, report = self.report("getpgid.json", "--", *command)
            found = {(one["call"], os.path.basename(one["executable"]), one["count"]) for one in report["findings"]}
            python_name = os.path.basename(os.path.realpath(PYTHON))
            self.assertEqual(found, {(MARK_NAME, python_name, 1), ("getpgid", python_name, 1),
                                     (MARK_NAME, "perl", 1)}, done)
            self.assertEqual((done.status, len(report["findings"]), report["exit_code"]), (1, 3, 3))
            for one in report["findings"]:
                self.assertEqual(one["changes"], [f'add "{one["call"]}" to a rule that allows it'])

    def test_a_call_that_comes_late(self):
        late = python("import os, time\n"
                      "begin = time.monotonic()\n"
                      "while time.monotonic() < begin + 1: os.getppid()\n"
                      f"{MARK}\n")
        for options in ((), ("--engine", "ptrace"), ("--unused",)):
            finding = self.finding(*options, "p.json", "--", *late)
            self.assertEqual((finding["call"], finding["count"]), (MARK_NAME, 1), options)
            self.assertGreaterEqual(finding["first_ms"], 1000, options)

    def test_audit_denies_nothing(self):
        self.write("nothing.json", profile(allow("exit_group")))
        command = ["sh", "-c", "ls / | sort; echo done >&2; exit 6"]
        native = self.run_natively(*command)
        done, report = self.report("nothing.json", "--", *command)
        self.assertEqual((done.status, done.out, done.err), (1, native.out, native.err), done)
        self.assertEqual(report["exit_code"], 6)
        self.assertNotIn("exit_group", calls_of(report))
        self.assertLessEqual({"execve", "openat", "write", "read"}, set(calls_of(report)))

    def test_the_execve_of_the_command_counts(self):
        self.write("execve.json", usual_but("execve"))
        finding = self.finding("execve.json", "--", "true")
        self.assertEqual((finding["call"], finding["count"], os.path.basename(finding["executable"])),
                         ("execve", 1, "true"))

    def test_every_format_agrees(self):
        self.write("two.json", usual_but(MARK_NAME, "getpgid"))
        command = python(f"import os; {MARK}; os.getpgid(0)")
        _, report = self.report("two.json", "--", *command)
        calls = calls_of(report)
        self.assertEqual(calls, [MARK_NAME, "getpgid"])

        self.assertEqual(self.verify("--format", "junit", "-o", "report", "two.json", "--", *command).status, 1)
        root = xml.etree.ElementTree.parse(self.path("report")).getroot()
        self.assertEqual((root.get("tests"), root.get("failures")), ("2", "2"))
        cases = root.findall("testsuite/testcase")
        self.assertEqual([case.get("name").split()[0] for case in cases], calls)
        for case in cases:
            self.assertEqual(case.find("failure").get("message"), "denied with ENOSYS")
            self.assertIn("decided by two.json:2:19: defaultAction", case.find("failure").text)

        self.assertEqual(self.verify("--format", "sarif", "-o", "report", "two.json", "--", *command).status, 1)
        run = self.json("report")["runs"][0]
        self.assertEqual([result["message"]["text"].split()[0] for result in run["results"]], calls)
        for result in run["results"]:
            self.assertEqual((result["ruleId"], result["level"]), ("CV101", "error"))
            self.assertEqual(run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"], "CV101")
            place = result["locations"][0]["physicalLocation"]
            self.assertEqual(place["region"], {"startLine": 2, "startColumn": 19})
            self.assertEqual(place["artifactLocation"]["uri"], "two.json")

    def test_stacks(self):
        self.write("tracee.json", usual_but("sched_get_priority_min"))
        _, report = self.report("--stacks", "tracee.json", "--", self.tracee("counts"))
        finding = next(one for one in report["findings"] if one["call"] == "sched_get_priority_min")
        self.assertEqual(finding["count"], 1000)
        frames = [(os.path.basename(frame["module"]), frame["symbol"]) for frame in finding["stack"]]
        self.assertEqual(frames[0], ("libc.so.6", "syscall"), frames)
        self.assertIn(("tracee_counts", "main"), frames)
        self.assertEqual(finding["stack"][0], finding["site"])

    def test_the_place_in_a_profile_of_dockers_form(self):
        docker = json.loads(profiles.PUBLISHED["docker"].read_text(encoding="utf-8"))
        for rule in docker["syscalls"]:
            rule["names"] = [name for name in rule["names"] if name != MARK_NAME]
        docker["syscalls"].insert(2, {"names": ["getpgid"], "action": "SCMP_ACT_ERRNO", "errnoRet": 2})
        for rule in docker["syscalls"][:2] + docker["syscalls"][3:]:
            rule["names"] = [name for name in rule["names"] if name != "getpgid"]
        text = json.dumps(docker, indent=4)
        self.write("docker.json", text)
        _, report = self.report("docker.json", "--", *python(f"import os; os.getpgid(0); {MARK}"))
        self.assertEqual(calls_of(report), ["getpgid", MARK_NAME])
        lines = text.splitlines()
        by_rule, by_default = (one["decided_by"] for one in report["findings"])
        self.assertEqual(by_rule["path"], "syscalls[2]")
        self.assertEqual(lines[by_rule["line"]].strip(), '"names": [', by_rule)
        self.assertEqual(lines[by_rule["line"] + 1].strip(), '"getpgid"', by_rule)
        self.assertEqual(by_default["path"], "defaultAction")
        self.assertIn('"defaultAction"', lines[by_default["line"] - 1])
        self.assertEqual(report["findings"][0]["decision"], "denied with ENOENT")

    def test_exit_code(self):
        for wanted in (0, 5, 255):
            done = self.verify("--exit-code", str(wanted), "p.json", "--", *python(f"import os; {MARK}; os._exit(9)"))
            self.assertEqual(done.status, wanted, done)
        self.assertEqual(self.verify("--exit-code", "5", "p.json", "--", "sh", "-c", "exit 9").status, 9)

    def test_findings_and_a_signal(self):
        done, report = self.report("p.json", "--", *python(f"import os; {MARK}; os.kill(os.getpid(), 15)"))
        self.assertEqual((done.status, report["signal"]), (1, 15))

    def test_hostile_names(self):
        name = b"a\xff<&\"'>\x1b[31m\n\xc2\x85"
        path = os.fsencode(self.directory) + b"/" + name
        shutil.copy(PYTHON, path)
        command = [path, *python(f"import os; {MARK}")[1:]]
        done = self.verify("p.json", "--", *command)
        self.assertEqual(done.status, 1, done)
        self.assertNotRegex(done.err.replace("\n", ""), r"[\x00-\x1f]")
        _, report = self.report("p.json", "--", *command)
        self.assertEqual(calls_of(report), [MARK_NAME])
        self.assertEqual(self.verify("--format", "junit", "-o", "report", "p.json", "--", *command).status, 1)
        root = xml.etree.ElementTree.parse(self.path("report")).getroot()
        self.assertEqual(root.get("failures"), "1")
        self.assertEqual(self.verify("--format", "sarif", "-o", "report", "p.json", "--", *command).status, 1)
        self.assertIn(MARK_NAME, self.json("report")["runs"][0]["results"][0]["message"]["text"])


class FindingsAsNobody(harness.AsNobody, Findings):
    pass


class Conditions(VerifyCase):
    SOME_SOCKETS = python(CALLING + f"for family in (1, 2, 16, 2, 17, 16, 16): call({SOCKET}, family, 1, 0)")

    def setUp(self):
        super().setUp()
        self.rules = [allow(*(name for name in USUAL if name != "socket"), comment="what is usual"),
                      allow("socket", args=[{"index": 0, "value": AF_UNIX, "op": "SCMP_CMP_EQ"}]),
                      allow("socket", args=[{"index": 0, "value": AF_INET, "op": "SCMP_CMP_EQ"}])]
        self.write("p.json", profile(*self.rules))

    def test_allowed_with_some_and_denied_with_others(self):
        for engine in ENGINES:
            finding = self.finding("--engine", engine, "p.json", "--", *self.SOME_SOCKETS)
            self.assertEqual((finding["call"], finding["count"]), ("socket", 4))
            self.assertTrue(finding["text"].startswith("socket(AF_NETLINK, "), finding)
            self.assertEqual(finding["decided_by"]["path"], "defaultAction")
            self.assertEqual(finding["changes"], ["allow socket where arg0 == 16", "allow socket where arg0 == 17"])

    def test_fix(self):
        self.assertEqual(self.verify("--fix", "fixed.json", "p.json", "--", *self.SOME_SOCKETS).status, 1)
        fixed = self.json("fixed.json")
        rules = fixed["syscalls"]
        self.assertEqual([rule for rule in rules if rule in self.rules], self.rules)
        added = [rule for rule in rules if rule not in self.rules]
        self.assertEqual([(rule["names"], rule["args"][0]["value"]) for rule in added],
                         [(["socket"], 16), (["socket"], 17)])
        for rule in added:
            self.assertIn(f"verify: made by {os.path.realpath(PYTHON)}", rule["comment"])
        before = self.json("p.json")
        self.assertEqual({**fixed, "syscalls": None}, {**before, "syscalls": None})
        self.assertSucceeded(self.verify("fixed.json", "--", *self.SOME_SOCKETS))
        finding = self.finding("fixed.json", "--", *python(CALLING + f"call({SOCKET}, 3, 1, 0)"))
        self.assertEqual(finding["call"], "socket")

    def test_high_halves_of_arguments(self):
        for engine in ENGINES:
            done, report = self.report("--engine", engine, "p.json", "--", *python(
                CALLING + f"call({SOCKET}, 2, 1, 0); call({SOCKET}, (1 << 32) | 2, 1, 0)"))
            self.assertEqual([(one["call"], one["count"]) for one in report["findings"]], [("socket", 1)], done)

    def test_decisions_that_differ(self):
        # By one executable, the same call, and each of them is told.
        netlink, inet = ({"index": 0, "value": value, "op": "SCMP_CMP_EQ"} for value in (AF_NETLINK, AF_INET))
        self.write("two.json", denying(deny("socket", args=[inet], errnoRet=ENOENT),
                                       deny("socket", args=[netlink], action="SCMP_ACT_KILL_PROCESS")))
        done, report = self.report("two.json", "--", *python(
            CALLING + "".join(f"call({SOCKET}, {family}, 1, 0);" for family in (16, 2, 2))))
        self.assertEqual([(one["action"], one["count"], one["decided_by"]["path"], one["text"].split(",")[0])
                          for one in report["findings"]],
                         [("SCMP_ACT_KILL_PROCESS", 1, "syscalls[1]", "socket(AF_NETLINK"),
                          ("SCMP_ACT_ERRNO", 2, "syscalls[0]", "socket(AF_INET")], done)

    def test_a_listener_hides_no_denial(self):
        netlink, inet = ({"index": 0, "value": value, "op": "SCMP_CMP_EQ"} for value in (AF_NETLINK, AF_INET))
        self.write("two.json", denying(deny("socket", args=[inet], errnoRet=ENOENT),
                                       deny("socket", args=[netlink], action="SCMP_ACT_NOTIFY")))
        for order in ((16, 2), (2, 16)):
            done, report = self.report("--fix", "fixed.json", "two.json", "--", *python(
                CALLING + "".join(f"call({SOCKET}, {family}, 1, 0);" for family in order)))
            self.assertEqual((done.status, report["denials"]), (1, 1), report)
            self.assertEqual({one["action"] for one in report["findings"]}, {"SCMP_ACT_NOTIFY", "SCMP_ACT_ERRNO"})
            self.assertSucceeded(self.verify("fixed.json", "--", *python(CALLING + f"call({SOCKET}, 2, 1, 0)")))

    def test_many_different_arguments(self):
        many = python(CALLING + f"for family in range(100, 300): call({SOCKET}, family, 1, 0)")
        finding = self.finding("--fix", "fixed.json", "p.json", "--", *many)
        self.assertEqual((finding["count"], finding["changes"]), (200, ['add "socket" to a rule that allows it']))
        self.assertSucceeded(self.verify("fixed.json", "--", *many))

    def test_rule_that_denies(self):
        rule = deny("socket", args=[{"index": 0, "value": AF_NETLINK, "op": "SCMP_CMP_GE"}], errnoRet=EPERM)
        self.write("deny.json", denying(rule))
        finding = self.finding("--fix", "fixed.json", "deny.json", "--", *self.SOME_SOCKETS)
        self.assertEqual((finding["decision"], finding["count"], finding["decided_by"]["path"]),
                         ("denied with EPERM", 4, "syscalls[0]"))
        self.assertSucceeded(self.verify("fixed.json", "--", *self.SOME_SOCKETS))
        self.assertEqual(self.finding("fixed.json", "--", *python(CALLING + f"call({SOCKET}, 18, 1, 0)"))["call"],
                         "socket")

    def test_call_of_an_execve(self):
        # Of an execve that has happened the arguments are gone.
        self.write("execve.json", profile(allow(*(name for name in USUAL if name != "execve")),
                                          allow("execve", args=[{"index": 2, "value": 0, "op": "SCMP_CMP_NE"}])))
        done, report = self.report("execve.json", "--", "true")
        self.assertEqual((done.status, report["denials"]), (0, 0), done)
        self.assertEqual([(one["call"], one["certain"], one["code"]) for one in report["findings"]],
                         [("execve", False, "CV102")])


class Formats(VerifyCase):
    """A profile with changes is of the form that it had."""

    COMMAND = python(f"import os; {MARK}")

    def fixed(self, name, text):
        self.write(name, text)
        done = self.verify("--fix", f"fixed-{name}", name, "--", *self.COMMAND)
        self.assertEqual(done.status, 1, done)
        again = self.verify(f"fixed-{name}", "--", *self.COMMAND)
        self.assertSucceeded(again)
        return self.path(f"fixed-{name}").read_text()

    def test_docker(self):
        docker = json.loads(profiles.PUBLISHED["docker"].read_text(encoding="utf-8"))
        for rule in docker["syscalls"]:
            rule["names"] = [name for name in rule["names"] if name != MARK_NAME]
        fixed = json.loads(self.fixed("docker.json", json.dumps(docker)))
        self.assertEqual(fixed["syscalls"][:-1], docker["syscalls"])
        self.assertEqual(fixed["syscalls"][-1]["names"], [MARK_NAME])
        for row in docker["archMap"]:
            row["subArchitectures"] = row["subArchitectures"] or []
        self.assertEqual({**fixed, "syscalls": 0}, {**docker, "syscalls": 0})

    def test_yaml(self):
        text = self.callcensus("convert", "--to", "spo", "-",
                               stdin=usual_but(MARK_NAME, defaultErrnoRet=EPERM).encode())
        self.assertSucceeded(text)
        fixed = self.fixed("p.yaml", text.out)
        self.assertIn("kind: SeccompProfile", fixed)
        self.assertIn(f"- {MARK_NAME}", fixed)

    def test_minijail(self):
        known = self.callcensus("convert", "--to", "minijail", "--lossy", "-q", "-",
                                stdin=usual_but(MARK_NAME).encode())
        self.assertSucceeded(known)
        fixed = self.fixed("p.policy", known.out)
        self.assertRegex(fixed, rf"(?m)^{MARK_NAME}: (1|allow)$")
        self.assertRegex(fixed, r"(?m)^openat: (1|allow)$")

    def test_standard_input(self):
        text = usual_but(MARK_NAME)
        done = self.verify("-", "--", *self.COMMAND, stdin=text.encode())
        self.assertEqual(done.status, 1, done)
        self.assertIn("decided by standard input:2:19: defaultAction", done.err)


class OtherAbis(VerifyCase):
    def test_abi_that_the_profile_does_not_cover(self):
        self.write("p.json", usual_but())
        command = [self.tracee("i386")]
        native = self.run_natively(*command)
        done, report = self.report("--fix", "fixed.json", "p.json", "--", *command)
        self.assertEqual((done.status, done.out), (1, native.out), done)
        self.assertEqual({(one["abi"], one["action"]) for one in report["findings"]},
                         {("i386", "SCMP_ACT_KILL_THREAD")})
        self.assertIn("the profile is not for this ABI", report["findings"][0]["decision"])
        self.assertEqual(report["findings"][0]["decided_by"]["path"], "architectures")
        self.assertIn("add the architecture SCMP_ARCH_X86", report["findings"][0]["changes"])
        self.assertEqual(self.json("fixed.json")["architectures"], ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"])
        again = self.verify("fixed.json", "--", *command)
        self.assertEqual((again.status, again.out), (0, native.out), again)

    def test_32_bit_program(self):
        for engine in ENGINES:
            self.write("p.json", usual_but("getsid", architectures=["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]))
            finding = self.finding("--engine", engine, "p.json", "--", self.tracee("i386"))
            self.assertEqual((finding["call"], finding["abi"], finding["count"]), ("getsid", "i386", 6))


class Actions(VerifyCase):
    TARGET = python(CALLING + "call(146, 1); call(146, 1)")

    def test_what_denies(self):
        for action, decision in (("SCMP_ACT_KILL", "kills the thread"), ("SCMP_ACT_KILL_THREAD", "kills the thread"),
                                 ("SCMP_ACT_KILL_PROCESS", "kills the process"), ("SCMP_ACT_TRAP", "SIGSYS"),
                                 ("SCMP_ACT_TRACE", "trac")):
            with self.subTest(action):
                self.write("p.json", denying(deny(MARK_NAME, action=action)))
                finding = self.finding("--fix", "fixed.json", "p.json", "--", *self.TARGET)
                self.assertIn(decision, finding["decision"])
                self.assertEqual((finding["count"], finding["decided_by"]["path"]), (2, "syscalls[0]"))
                self.assertEqual(finding["changes"],
                                 [f'remove "{MARK_NAME}" from syscalls[0], which denies it'])
                self.assertSucceeded(self.verify("fixed.json", "--", *self.TARGET))

    def test_what_is_let_through(self):
        self.write("p.json", denying(deny(MARK_NAME, action="SCMP_ACT_LOG")))
        done, report = self.report("p.json", "--", *self.TARGET)
        self.assertEqual((done.status, report["findings"]), (0, []))

    def test_what_a_listener_decides(self):
        self.write("p.json", denying(deny(MARK_NAME, action="SCMP_ACT_NOTIFY")))
        done, report = self.report("--fix", "fixed.json", "p.json", "--", *self.TARGET)
        self.assertEqual((done.status, report["denials"], calls_of(report)), (0, 0, [MARK_NAME]))
        self.assertEqual(report["findings"][0]["code"], "CV102")
        self.assertEqual(report["findings"][0]["changes"], [])
        self.assertEqual(self.json("fixed.json"), self.json("p.json"))

    def test_a_denial_before_and_after_a_permission(self):
        rules = [deny(MARK_NAME, errnoRet=EPERM), allow(*USUAL)]
        self.write("first.json", profile(*rules))
        finding = self.finding("--fix", "fixed.json", "first.json", "--", *self.TARGET)
        self.assertEqual((finding["decision"], finding["decided_by"]["path"]), ("denied with EPERM", "syscalls[0]"))
        self.assertSucceeded(self.verify("fixed.json", "--", *self.TARGET))
        self.write("last.json", profile(*reversed(rules)))
        self.assertSucceeded(self.verify("last.json", "--", *self.TARGET))


class Recordings(VerifyCase):
    TARGET = python(CALLING + f"call({SOCKET}, 16, 1, 0); [call(146, 1) for _ in range(3)]")

    def setUp(self):
        super().setUp()
        self.assertSucceeded(self.trace("-q", "--engine", "ptrace", "--recording", "r.json", "-o", "traced.json",
                                        "--", *self.TARGET))

    def test_nothing_denied(self):
        done = self.verify("traced.json", "r.json")
        self.assertEqual((done.status, done.out, done.err),
                         (0, "callcensus: traced.json would deny no call of: r.json\n", ""))
        self.assertEqual(self.verify("-q", "traced.json", "r.json").out, "")

    def test_certain(self):
        self.write("p.json", usual_but(MARK_NAME))
        finding = self.finding("p.json", "r.json")
        self.assertEqual((finding["call"], finding["count"], finding["exact"]), (MARK_NAME, 3, True))
        self.assertEqual(finding["executable"], os.path.realpath(PYTHON))
        done = self.verify("p.json", "r.json")
        self.assertEqual((done.status, done.err), (1, ""), done)
        self.assertIn("would deny 1 call of: r.json\n", done.out)

    def test_uncertain(self):
        condition = [{"index": 0, "value": AF_UNIX, "op": "SCMP_CMP_EQ"}]
        self.write("p.json", profile(allow(*(name for name in USUAL if name != "socket")),
                                     allow("socket", args=condition)))
        done, report = self.report("p.json", "r.json")
        self.assertEqual((done.status, report["denials"]), (0, 0), done)
        finding = report["findings"][0]
        self.assertEqual((finding["call"], finding["certain"], finding["code"]), ("socket", False, "CV102"))
        self.assertIn("allowed if arg0 == 1, else denied with ENOSYS", finding["decision"])
        self.assertEqual(finding["changes"], ['add "socket" to a rule that allows it'])
        done = self.verify("--format", "junit", "p.json", "r.json")
        case = xml.etree.ElementTree.fromstring(done.out).find("testsuite/testcase")
        self.assertIsNone(case.find("failure"))
        self.assertIn("socket", case.find("system-out").text)

    def test_several(self):
        self.write("p.json", usual_but(MARK_NAME, "getpgid"))
        self.assertSucceeded(self.trace("-q", "--engine", "ptrace", "--recording", "r2.json", "--",
                                        *python(f"import os; {MARK}; os.getpgid(0)")))
        done, report = self.report("p.json", "r.json", "r2.json")
        self.assertEqual((done.status, report["subject"]), (1, "r.json, r2.json"))
        self.assertEqual({(one["call"], one["count"]) for one in report["findings"]},
                         {(MARK_NAME, 4), ("getpgid", 1)}, report)
        self.assertEqual(self.verify("--fix", "fixed.json", "p.json", "r.json", "r2.json").status, 1)
        self.assertSucceeded(self.verify("fixed.json", "r.json", "r2.json"))

    def test_incomplete(self):
        recording = self.json("r.json")
        self.write("gap.json", json.dumps({**recording, "complete": False, "gaps": ["two tasks\x1b were lost"]}))
        done = self.verify("traced.json", "gap.json")
        self.assertSucceeded(done)
        self.assertIn("NOT everything was seen: two tasks\\x1b were lost\n", done.out)
        self.assertIn("NOT everything was seen", self.verify("-q", "traced.json", "gap.json").out)
        _, report = self.report("traced.json", "gap.json")
        self.assertFalse(report["complete"])

    def test_what_is_no_recording(self):
        self.write("p.json", usual_but())
        for name in ("p.json", "missing.json"):
            self.assertComplains(self.verify("p.json", name), name)
        self.write("empty.json", "")
        self.assertComplains(self.verify("p.json", "empty.json"), "empty.json")
        self.assertComplains(self.verify("p.json", "r.json", "--", "true"), "r.json")
        self.assertComplains(self.verify("p.json", "r.json", "-p", "1"), "r.json")
        self.assertComplains(self.verify("--mode", "enforce", "p.json", "r.json"), "--mode enforce")

    def test_as_a_container_runtime(self):
        self.write("p.json", profile(allow(*harness.observed(self.json("traced.json")))))
        alone = self.verify("p.json", "r.json")
        self.assertSucceeded(alone)
        done, report = self.report("--as", "runc", "p.json", "r.json")
        self.assertEqual(done.status, 1)
        self.assertEqual({(one["code"], one.get("runtime")) for one in report["findings"]}, {("CV103", "runc")})
        self.assertEqual(self.verify("--as", "runc", "traced.json", "r.json").status, 0)


class Attached(VerifyCase):
    ANSWERING = python("import os, sys\n"
                       "print('ready', flush=True)\n"
                       "for line in sys.stdin:\n"
                       f"    {MARK}\n"
                       "    print('done', flush=True)\n")

    def start_target(self):
        target = self.start(self.ANSWERING, stdin=subprocess.PIPE)
        target.expect("ready")
        return target

    def ask(self, target):
        os.write(target.process.stdin.fileno(), b"\n")
        target.expect("done")

    def test_audits_and_lets_go(self):
        self.write("p.json", usual_but(MARK_NAME))
        target = self.start_target()
        self.ask(target)
        verifier = self.start_verify("--format", "json", "-o", "report.json", "p.json", "-p", str(target.pid))
        self.assertIn("Ctrl-C lets go", verifier.line(verifier.process.stderr))
        for _ in range(3):
            self.ask(target)
        verifier.send(signal.SIGINT)
        self.assertEqual(verifier.end().status, 1)
        report = self.json("report.json")
        self.assertEqual([(one["call"], one["count"]) for one in report["findings"]], [(MARK_NAME, 3)])
        self.assertFalse(report["complete"])
        self.ask(target)
        self.assertEqual(harness.status_field(target.pid, "TracerPid"), "0")
        self.assertEqual(target.end(b"").status, 0)

    def test_nothing_denied(self):
        self.write("p.json", usual_but())
        target = self.start_target()
        verifier = self.start_verify("-q", "--timeout", "300ms", "p.json", "-p", str(target.pid))
        done = verifier.end()
        self.assertEqual((done.status, done.out), (0, ""), done)
        self.ask(target)

    def test_a_call_of_our_own_making(self):
        """A task that sleeps goes on by restart_syscall, for we came."""
        self.write("p.json", usual_but("restart_syscall"))
        target = self.start(["sleep", "1000"])
        harness.wait_for(lambda: harness.stat_of(target.pid)[0] == "S", "the sleep")
        options = ("-q", "--timeout", "300ms", "-p", str(target.pid))
        self.assertEqual(self.verify(*options, "p.json").status, 0)
        self.assertSucceeded(self.trace(*options, "--recording", "r.json", "-o", "traced.json"))
        self.assertIn("restart_syscall", {one["name"] for one in self.json("r.json")["calls"]})

    def test_refused(self):
        self.write("p.json", usual_but())
        target = self.start_target()
        pid = str(target.pid)
        self.assertComplains(self.verify("--mode", "enforce", "p.json", "-p", pid), "--mode enforce")
        self.assertComplains(self.verify("--engine", "adaptive", "p.json", "-p", pid), "--engine adaptive")
        self.assertComplains(self.verify("p.json", "-p", pid, "--", "true"), "-p")
        self.assertComplains(self.verify("p.json", "-p", "x"), "-p")
        # Before anything is looked at that a command must have.
        self.write("nothing.json", profile(allow("exit_group")))
        self.assertComplains(self.verify("--mode", "enforce", "--as", "runc", "nothing.json", "-p", pid),
                             "--mode enforce")


class AttachedAsNobody(harness.AsNobody, Attached):
    pass


class Ending(VerifyCase):
    WAITING = python("import os, sys, time\n" f"{MARK}\n" "print('ready', flush=True)\n" "time.sleep(100)\n")

    def setUp(self):
        super().setUp()
        self.write("p.json", usual_but(MARK_NAME))

    def test_a_request_to_end(self):
        for signum in (signal.SIGTERM, signal.SIGINT):
            verifier = self.start_verify("--format", "json", "-o", "report.json", "p.json", "--", *self.WAITING)
            verifier.expect("ready")
            verifier.send(signum)
            done = verifier.end()
            self.assertEqual(done.status, 1, done)
            self.assertEqual(calls_of(self.json("report.json")), [MARK_NAME])
        self.write("usual.json", usual_but())
        verifier = self.start_verify("-q", "usual.json", "--", *self.WAITING)
        verifier.expect("ready")
        verifier.send(signal.SIGTERM)
        self.assertEqual(verifier.end().status, -signal.SIGTERM)

    def test_interrupt_by_the_keyboard(self):
        terminal = harness.Terminal(self, [harness.PROGRAM, "verify", "p.json", "--", *self.WAITING])
        terminal.expect("ready")
        terminal.type("\x03")
        terminal.expect(f"{MARK_NAME} on x86_64: denied with ENOSYS")
        self.assertEqual(terminal.end(), 1)

    def test_timeout(self):
        done, report = self.report("--timeout", "500ms", "p.json", "--", *self.WAITING)
        self.assertEqual((done.status, calls_of(report), report["signal"]), (1, [MARK_NAME], signal.SIGTERM))
        self.write("usual.json", usual_but())
        self.assertEqual(self.verify("-q", "--timeout", "500ms", "usual.json", "--", *self.WAITING).status,
                         -signal.SIGTERM)

    def test_until_exit(self):
        # The child that is left running makes its call when we have gone.
        command = python("import os, sys, time\n"
                         "read_end, write_end = os.pipe()\n"
                         "if os.fork() == 0:\n"
                         "    os.close(write_end)\n"
                         "    os.read(0, 1)\n"
                         f"    {MARK}\n"
                         "    os.write(1, b'went on')\n"
                         "    os._exit(0)\n"
                         "os._exit(4)\n")
        read_end, write_end = os.pipe()
        verifier = self.start_verify("-q", "-o", "report", "--until-exit", "p.json", "--", *command, stdin=read_end)
        os.close(read_end)
        self.assertEqual(wait_for(verifier.process.poll, "callcensus to end"), 4)
        os.write(write_end, b"x")
        os.close(write_end)
        done = verifier.end()
        self.assertEqual((done.out, done.err), ("went on", ""))
        self.assertIn("NOT everything was seen", self.path("report").read_text())


class EndingAsNobody(harness.AsNobody, Ending):
    pass


class Refused(VerifyCase):
    """What is told before the command runs."""

    MADE = ["sh", "-c", "touch made"]

    def setUp(self):
        super().setUp()
        self.write("p.json", usual_but(MARK_NAME))

    def refused(self, *arguments, fragments=(), **options):
        self.assertComplains(self.verify(*arguments, "--", *self.MADE, **options), *fragments)
        self.assertNotIn("made", self.files())

    def test_profiles(self):
        self.write("broken.json", '{"defaultAction": }')
        self.write("empty.json", "")
        self.write("unknown.json", profile(deny("read", action="SCMP_ACT_NO")))
        self.write("argument.json", profile(allow("read", args=[{"index": 9, "value": 1, "op": "SCMP_CMP_EQ"}])))
        for name in ("broken.json", "empty.json", "unknown.json", "missing.json", "argument.json", "."):
            with self.subTest(name):
                self.refused(name, fragments=[name])

    def test_recording_in_place_of_a_profile(self):
        self.assertSucceeded(self.trace("-q", "--recording", "r.json", "--", "true"))
        self.refused("r.json", fragments=["r.json"])

    def test_options(self):
        for options in (["--mode", "x"], ["--as", "kata"], ["--format", "x"], ["--exit-code", "256"],
                        ["--exit-code", "-1"], ["--engine", "x"], ["--timeout", "x"]):
            with self.subTest(options):
                self.refused(*options, "p.json", fragments=[options[0]])
        self.refused("--mode", "enforce", "--unused", "p.json", fragments=["--unused"])
        self.refused("--mode", "enforce", "--engine", "adaptive", "p.json", fragments=["--engine adaptive"])
        self.refused("--mode", "enforce", "--container", "p.json", fragments=["--container"])
        self.refused("--arch", "arm64", "p.json", fragments=["arm64"])

    def test_no_command(self):
        for options in ([], ["--mode", "enforce"], ["--as", "runc"], ["--mode", "enforce", "--as", "runc"]):
            for command in ([], ["--"]):
                self.write("nothing.json", profile(allow("exit_group")))
                self.assertComplains(self.verify(*options, "nothing.json", *command), "command")
        self.assertComplains(self.verify("--", "true"), "PROFILE")

    def test_command_that_cannot_be_executed(self):
        self.write("file", "text", mode=0o644)
        for mode in ("audit", "enforce"):
            for command, status in (("no-such-program", NOT_FOUND), ("./file", CANNOT_EXECUTE), ("/", CANNOT_EXECUTE)):
                with self.subTest(mode=mode, command=command):
                    done = self.verify("-q", "--mode", mode, "p.json", "--", command)
                    self.assertComplains(done, command, status=status)
        # Whatever else is denied.
        self.write("nothing.json", profile(allow("exit_group")))
        done = self.verify("--as", "runc", "nothing.json", "--", "no-such-program")
        self.assertEqual(done.status, NOT_FOUND, done)
        self.assertIn("no-such-program: command not found\n", done.err)

    def test_files_that_cannot_be_written(self):
        for option in ("-o", "--fix"):
            for path in ("no/such/directory", "."):
                self.refused(option, path, "p.json", fragments=[path])

    def test_a_report_that_finds_no_room(self):
        command = python(f"import os; {MARK}")
        done = self.verify("-o", "/dev/full", "p.json", "--", *command)
        self.assertEqual(done.status, harness.FAILED)
        self.assertIn(f"would deny 1 call of: {' '.join(command)}\n  {MARK_NAME} on x86_64", done.err)
        self.assertIn("callcensus: /dev/full: ", done.err)

    def test_a_fixed_profile_that_would_not_be_loaded(self):
        """Of socket() libseccomp makes rules of i386's socketcall, and takes one decision only for them."""
        self.write("p.json", profile(
            allow(*(name for name in USUAL if name not in ("socket", "socketcall"))),
            {"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 3,
             "args": [{"index": 0, "value": 2, "op": "SCMP_CMP_GE"}]},
            architectures=["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]))
        done = self.verify("--fix", "fixed.json", "p.json", "--", *python(CALLING + f"call({SOCKET}, 1, 1, 0)"))
        self.assertEqual(done.status, harness.FAILED)
        self.assertIn("p.json: would not be loaded once it allows the findings: ", done.err)
        self.assertNotIn("fixed.json", self.files())

    def test_one_file_for_two(self):
        self.refused("-o", "one", "--fix", f"{self.directory}/one", "p.json", fragments=["--fix", "-o"])
        done = self.verify("-o", "/dev/null", "--fix", "/dev/null", "p.json", "--", "true")
        self.assertSucceeded(done)
        before = self.path("p.json").read_text()
        self.refused("-o", "./p.json", "p.json", fragments=["-o ./p.json"])
        self.assertEqual(self.path("p.json").read_text(), before)

    def test_files_are_replaced_as_a_whole(self):
        for name in ("report", "fixed"):
            self.write(name, "old")
            os.link(self.path(name), self.path(f"{name}.old"))
        done = self.verify("-o", "report", "--fix", "fixed", "p.json", "--", "true")
        self.assertSucceeded(done)
        for name in ("report", "fixed"):
            self.assertEqual(self.path(f"{name}.old").read_text(), "old")
            self.assertNotEqual(self.path(name).read_text(), "old")
        self.assertEqual(self.files(), ["fixed", "fixed.old", "p.json", "report", "report.old"])

    def test_fix_in_place(self):
        command = python(f"import os; {MARK}")
        self.assertEqual(self.verify("--fix", "p.json", "p.json", "--", *command).status, 1)
        self.assertSucceeded(self.verify("p.json", "--", *command))


class RefusedToNobody(harness.AsNobody, Refused):
    def test_files_of_others(self):
        self.path("p.json").chmod(0o600)
        os.chown(self.path("p.json"), 0, 0)
        self.refused("p.json", fragments=["p.json"])
        self.write("usual.json", usual_but())
        for option in ("-o", "--fix"):
            self.refused(option, "/etc/report", "usual.json", fragments=["/etc/report"])


class Enforce(VerifyCase):
    def enforce(self, name, *command, **options):
        return self.verify("--mode", "enforce", name, "--", *command, **options)

    def test_the_denial_happens_and_is_told_at_once(self):
        self.write("p.json", usual_but(MARK_NAME))
        verifier = self.start_verify("--mode", "enforce", "p.json", "--", *python(
            CALLING + "print(call(146, 1), call(146, 1), os.getpid(), flush=True); sys.stdin.read(); os._exit(9)"),
            stdin=subprocess.PIPE)
        first, second, pid = verifier.line().split()
        self.assertEqual((first, second), ("-38", "-38"))
        self.assertEqual(verifier.line(verifier.process.stderr),
                         f"callcensus: denied with ENOSYS: {MARK_NAME}(1) (by {os.path.realpath(PYTHON)}, "
                         f"process {pid})")
        done = verifier.end(b"")
        self.assertEqual(done.status, 9, done)
        self.assertRegex(done.err, r"^callcensus: p\.json has denied 1 call of: ")
        self.assertIn(", 2 times, first after", done.err)

    def test_nothing_denied(self):
        self.write("p.json", usual_but())
        for status, script in ((0, "true"), (7, "exit 7"), (-signal.SIGTERM, "kill -TERM $$")):
            done = self.enforce("p.json", "sh", "-c", script)
            self.assertEqual((done.status, done.err),
                             (status, f"callcensus: p.json has denied no call of: sh -c {script}\n"))
        done = self.verify("-q", "--mode", "enforce", "p.json", "--", "sh", "-c", "cat; exit 3", stdin=b"text")
        self.assertEqual((done.status, done.out, done.err), (3, "text", ""))

    def test_the_report(self):
        self.write("p.json", usual_but(MARK_NAME))
        done, report = self.report("--mode", "enforce", "--fix", "fixed.json", "p.json", "--",
                                   *python(CALLING + "os._exit(call(146, 1) == -38)"))
        self.assertEqual((done.status, report["mode"], report["exit_code"], report["denials"]), (1, "enforce", 1, 1))
        self.assertEqual(calls_of(report), [MARK_NAME])
        self.assertEqual(report["findings"][0]["site"]["symbol"], "syscall")
        self.assertSucceeded(self.enforce("fixed.json", *python(CALLING + "os._exit(call(146, 1) == -38)")))

    def test_killed(self):
        for action in ("SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_KILL_PROCESS"):
            with self.subTest(action):
                self.write("p.json", denying(deny(MARK_NAME, action=action)))
                done, report = self.report("--mode", "enforce", "p.json", "--", *python(f"import os; {MARK}; print(1)"))
                self.assertEqual((done.status, done.out), (-signal.SIGSYS, ""), done)
                self.assertEqual((calls_of(report), report["signal"]), ([MARK_NAME], signal.SIGSYS))

    def test_a_handler_of_sigsys_runs(self):
        self.write("p.json", denying(deny(MARK_NAME, action="SCMP_ACT_TRAP")))
        done = self.enforce("p.json", *python(
            CALLING + "signal.signal(signal.SIGSYS, lambda *_: print('trapped', flush=True))\n"
            "call(146, 1)\nprint('went on', flush=True)\nos._exit(3)"))
        self.assertEqual((done.status, done.out), (3, "trapped\nwent on\n"), done)
        self.assertIn(MARK_NAME, done.err)

    def test_execve_denied(self):
        for command in ("true", shutil.which("true", path=harness.SEARCH_PATH)):
            self.write("errno.json", usual_but("execve", defaultErrnoRet=EPERM))
            done = self.enforce("errno.json", command)
            self.assertEqual(done.status, CANNOT_EXECUTE, done)
            self.assertIn(f"callcensus: {command}: cannot be executed: Operation not permitted\n", done.err)
            self.assertIn("execve on x86_64: denied with EPERM", done.err)
        self.write("kill.json", denying(deny("execve", action="SCMP_ACT_KILL_PROCESS")))
        done, report = self.report("--mode", "enforce", "kill.json", "--", "true")
        self.assertEqual((done.status, calls_of(report)), (-signal.SIGSYS, ["execve"]), done)

    def test_privileges(self):
        self.write("p.json", usual_but())
        done = self.verify("-q", "--mode", "enforce", "p.json", "--", *status_of("NoNewPrivs"))
        self.assertEqual((done.status, done.out), (0, "0\n" if self.user is None and os.geteuid() == 0 else "1\n"))
        done = self.verify("-q", "--mode", "enforce", "p.json", "--", *status_of("Seccomp"))
        self.assertEqual((done.status, done.out), (0, "2\n"))

    def test_flags(self):
        self.write("p.json", usual_but(MARK_NAME, flags=["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
                                                         "SECCOMP_FILTER_FLAG_TSYNC"]))
        done, report = self.report("--mode", "enforce", "p.json", "--", *python(CALLING + "print(call(146, 1))"))
        self.assertEqual((done.status, done.out, calls_of(report)), (0, "-38\n", [MARK_NAME]), done)
        done = self.verify("-q", "--mode", "enforce", "p.json", "--", *status_of("Speculation_Store_Bypass"))
        natively = self.run_natively(*status_of("Speculation_Store_Bypass"))
        self.assertEqual(done.out, natively.out)

    def test_children_inherit(self):
        self.write("p.json", usual_but(MARK_NAME))
        mark = f"import os; {MARK}"
        done, report = self.report("--mode", "enforce", "p.json", "--", "sh", "-c",
                                   f"{PYTHON} -I -S -c '{mark}' 2>/dev/null || echo denied; echo went on")
        self.assertEqual((done.status, done.out), (0, "denied\nwent on\n"), done)
        self.assertEqual([(one["call"], one["executable"]) for one in report["findings"]],
                         [(MARK_NAME, os.path.realpath(PYTHON))])

    def test_abi_that_the_profile_does_not_cover(self):
        self.write("p.json", usual_but())
        done, report = self.report("--mode", "enforce", "p.json", "--", self.tracee("i386"))
        self.assertEqual((done.status, report["findings"][0]["abi"]), (-signal.SIGSYS, "i386"), done)

    def test_as_a_runtime(self):
        self.write("p.json", usual_but("fstatfs", "fchdir", "chdir"))
        done, report = self.report("--mode", "enforce", "--as", "runc", "p.json", "--", "touch", "made")
        self.assertEqual((done.status, done.out), (CANNOT_EXECUTE, ""), done)
        self.assertEqual(done.err, "callcensus: runc may not be able to start touch under p.json\n")
        self.assertNotIn("made", self.files())
        self.assertEqual({(one["runtime"], one["code"]) for one in report["findings"]}, {("runc", "CV103")})
        self.write("usual.json", usual_but())
        self.assertSucceeded(self.verify("--mode", "enforce", "--as", "runc", "usual.json", "--", "touch", "made"))
        self.assertIn("made", self.files())

    def test_like_the_same_profile_loaded_natively(self):
        helper = os.environ.get("CALLCENSUS_RUN_UNDER_PROFILE")
        if not helper:
            self.skipTest("set CALLCENSUS_RUN_UNDER_PROFILE")
        mark = CALLING + "print(call(146, 1), flush=True); os._exit(5)"
        for action, errnum in (("SCMP_ACT_ERRNO", EPERM), ("SCMP_ACT_ERRNO", ENOSYS), ("SCMP_ACT_KILL_PROCESS", None)):
            for missing in (MARK_NAME, "openat", "write", "exit_group", "mmap"):
                names = [name for name in USUAL if name != missing]
                members = {"defaultAction": action}
                if errnum:
                    members["defaultErrnoRet"] = errnum
                text = json.dumps({"architectures": ["SCMP_ARCH_X86_64"], "syscalls": [allow(*names)], **members})
                self.write("p.json", text)
                self.write("rules", f"default {action} {errnum or ''}\narchitecture SCMP_ARCH_X86_64\n" +
                           "".join(f"SCMP_ACT_ALLOW {name}\n" for name in names))
                with self.subTest(action=action, errnum=errnum, missing=missing):
                    native = self.run_natively(helper, "rules", *python(mark))
                    done = self.verify("-q", "--mode", "enforce", "-o", "report", "p.json", "--", *python(mark))
                    self.assertEqual((done.status, done.out), (native.status, native.out), f"{done}\n{native}")


class EnforceAsNobody(harness.AsNobody, Enforce):
    pass


class Unused(VerifyCase):
    def test_names_and_rules(self):
        rules = [allow(*USUAL), allow("io_uring_setup", "bpf"),
                 allow("personality", "kexec_load", args=[{"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}]),
                 deny("swapon", errnoRet=1)]
        rules[0]["names"] = [name for name in USUAL if name != "personality"]
        self.write("p.json", profile(*rules))
        for engine in ENGINES:
            done, report = self.report("--engine", engine, "--unused", "p.json", "--", *python(
                CALLING + "call(135, 8); call(146, 1)"))
            self.assertEqual(done.status, 0, done)
            unused = {one["rule"]["path"]: one for one in report["unused"]}
            self.assertEqual(set(unused), {"syscalls[0]", "syscalls[1]", "syscalls[2]"})
            self.assertEqual([call["name"] for call in unused["syscalls[2]"]["calls"]], ["kexec_load"])
            self.assertTrue(unused["syscalls[1]"]["whole_rule"])
            self.assertIn("risk", unused["syscalls[1]"]["calls"][0])
            names = {call["name"] for call in unused["syscalls[0]"]["calls"]}
            self.assertLessEqual({"ptrace", "mount", "getpgid"}, names)
            self.assertEqual(names & {"execve", "openat", "read", "mmap", "brk", MARK_NAME}, set())

    def test_conditions_that_never_held(self):
        self.write("p.json", profile(allow(*(name for name in USUAL if name != "personality")),
                                     allow("personality", args=[{"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}])))
        done, report = self.report("--unused", "p.json", "--", *python(CALLING + "call(135, 0xffffffff)"))
        self.assertEqual((done.status, calls_of(report)), (1, ["personality"]))
        self.assertIn("syscalls[1]", [one["rule"]["path"] for one in report["unused"]])

    def test_everything_used(self):
        self.assertSucceeded(self.trace("-q", "-o", "traced.json", "--", "true"))
        self.write("p.json", profile(allow(*harness.observed(self.json("traced.json")))))
        done = self.verify("--unused", "p.json", "--", "true")
        self.assertSucceeded(done)
        self.assertTrue(done.err.endswith("callcensus: everything that it allows was used\n"), done)

    def test_of_recordings(self):
        self.assertSucceeded(self.trace("-q", "--recording", "r.json", "--", "true"))
        self.write("p.json", profile(allow(*USUAL), allow("bpf")))
        done = self.verify("--unused", "p.json", "r.json")
        self.assertSucceeded(done)
        self.assertRegex(done.out, r"(?m)^  p\.json:\d+:\d+: syscalls\[1\]: not used at all: bpf; risky: bpf \(.*\)$")


if __name__ == "__main__":
    harness.main()
