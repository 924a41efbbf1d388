"""`callcensus verify`: what a profile would deny a program, who calls it, and what would allow it.

    /usr/bin/python3 -m pytest tests/cli/test_verify.py
"""

import json
import os
import re
import shutil
import signal
import subprocess
import xml.etree.ElementTree

import pytest

import harness
import profiles
from harness import CANNOT_EXECUTE, MARK, MARK_NAME, NOT_FOUND, PYTHON, python, wait_for
from profiles import allow, profile

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
        assert self.path("report.json").exists()
        report = self.json("report.json")
        self.path("report.json").unlink()
        assert report["denials"] == len([one for one in report["findings"] if is_denial(one)])
        return done, report

    def finding(self, *arguments, **options):
        """The only one, of an audit."""
        done, report = self.report(*arguments, **options)
        assert (done.status, len(report["findings"])) == (1, 1), f"{done}\n{report}"
        return report["findings"][0]


def is_denial(finding):
    return finding["certain"] and finding["action"] != "SCMP_ACT_NOTIFY"


def calls_of(report):
    return [finding["call"] for finding in report["findings"]]


class TestNothingDenied(VerifyCase):
    def set_up(self):
        super().set_up()
        self.write("p.json", usual_but())

    def test_the_status_is_the_commands(self):
        for status, script in ((0, "true"), (7, "exit 7"), (-signal.SIGTERM, "kill -TERM $$")):
            done = self.verify("p.json", "--", "sh", "-c", script)
            assert (done.status, done.out) == (status, "")
            assert done.err == f"callcensus: p.json would deny no call of: sh -c {script}\n"

    def test_the_streams_are_the_commands(self):
        done = self.verify("p.json", "--", "sh", "-c", "cat; echo error >&2", stdin=b"one\ntwo\n")
        assert (done.status, done.out) == (0, "one\ntwo\n")
        assert done.err.startswith("error\ncallcensus: ")

    def test_quiet(self):
        done = self.verify("-q", "p.json", "--", "sh", "-c", "echo out; echo error >&2; exit 3")
        assert (done.status, done.out, done.err) == (3, "out\n", "error\n")

    def test_a_report_in_a_file_is_written_all_the_same(self):
        done = self.verify("-q", "-o", "report", "p.json", "--", "true")
        assert (done.status, done.err) == (0, "")
        assert self.path("report").read_text() == "callcensus: p.json would deny no call of: true\n"

    def test_every_format_says_so(self):
        _, report = self.report("p.json", "--", "sh", "-c", "exit 4")
        assert (report["findings"], report["denials"], report["exit_code"]) == ([], 0, 4)
        assert report["complete"]
        done = self.verify("--format", "junit", "-o", "report", "p.json", "--", "true")
        self.assert_succeeded(done)
        suite = xml.etree.ElementTree.parse(self.path("report")).getroot().find("testsuite")
        assert (suite.get("tests"), suite.get("failures")) == ("1", "0")
        assert suite.find("testcase").find("failure") is None
        self.assert_succeeded(self.verify("--format", "sarif", "-o", "report", "p.json", "--", "true"))
        assert self.json("report")["runs"][0]["results"] == []

    def test_fix_writes_it_as_it_was(self):
        self.assert_succeeded(self.verify("--fix", "fixed.json", "p.json", "--", "true"))
        assert self.json("fixed.json") == self.json("p.json")

    def test_profile_that_trace_has_made(self):
        for engine in ENGINES:
            command = ["sh", "-c", "ls / | sort | head -1; exit 5"]
            native = self.run_natively(*command)
            assert self.trace("-q", "-o", "traced.json", "--", *command).status == 5
            done = self.verify("--engine", engine, "traced.json", "--", *command)
            assert (done.status, done.out) == (native.status, native.out)


class TestNothingDeniedAsNobody(harness.AsNobody, TestNothingDenied):
    pass


class TestFindings(VerifyCase):
    def set_up(self):
        super().set_up()
        self.write("p.json", usual_but(MARK_NAME))

    def test_who_and_what_and_why(self):
        finding = self.finding("p.json", "--", *python(f"import os; {MARK}"))
        assert (finding["call"], finding["abi"], finding["number"]) == (MARK_NAME, "x86_64", 146)
        assert (finding["code"], finding["action"], finding["certain"]) == ("CV101", "SCMP_ACT_ERRNO", True)
        assert finding["decision"] == "denied with ENOSYS"
        assert finding["text"] == f"{MARK_NAME}(1)"
        assert finding["executable"] == os.path.realpath(PYTHON)
        assert (finding["count"], finding["exact"]) == (1, True)
        assert finding["decided_by"] == {"path": "defaultAction", "line": 2, "column": 19}
        assert finding["changes"] == [f'add "{MARK_NAME}" to a rule that allows it']
        site = finding["site"]
        assert re.search(r"/libc\.so\.6$", site["module"])
        assert site["symbol"] == MARK_NAME
        notes = subprocess.run(["readelf", "-n", site["module"]], stdout=subprocess.PIPE, check=True).stdout.decode()
        assert f"Build ID: {site['build_id']}" in notes
        assert site["build_id"] > ""

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
        assert done.out.split() == [str(finding["process"]), str(finding["thread"])]
        assert finding["process"] != finding["thread"]

    def test_arguments(self):
        self.write("text.json", usual_but("openat", "mkdirat", "kill", "dup3"))
        _, report = self.report("text.json", "--", *python(
            "import os, signal\n"
            "os.kill(os.getpid(), signal.SIGCHLD)\n"
            "os.dup2(1, 7, inheritable=False)\n"
            "os.mkdir('a\\n\"directory', 0o700, dir_fd=os.open('.', os.O_RDONLY))\n"))
        texts = {one["call"]: one["text"] for one in report["findings"]}
        assert re.search(r'^openat\(AT_FDCWD, "/.*", O_RDONLY\|O_CLOEXEC', texts["openat"])
        assert re.search(r"^kill\(\d+, SIGCHLD\)$", texts["kill"])
        assert re.search(r"^dup3\(1.*, 7.*, O_CLOEXEC\)$", texts["dup3"])
        assert '"a\\x0a\\"directory", 0700)' in texts["mkdirat"]
        assert str(self.directory) in texts["mkdirat"]

    def test_the_text(self):
        done = self.verify("p.json", "--", *python(f"import os; print(os.getpid()); {MARK}"))
        assert done.status == 1
        lines = done.err.splitlines()
        assert re.search(r"^callcensus: p\.json would deny 1 call of: ", lines[0])
        assert lines[1] == f"  {MARK_NAME} on x86_64: denied with ENOSYS"
        assert lines[2] == f"      {MARK_NAME}(1)"
        assert re.search(rf"^      by {os.path.realpath(PYTHON)}, process {done.out.strip()}, 1 time, "
                         r"first after \d+\.\d{3} s$",
                         lines[3])
        assert re.search(rf"^      in /.*/libc\.so\.6 \({MARK_NAME}\+0x[0-9a-f]+\), offset 0x[0-9a-f]+, "
                         r"build-id [0-9a-f]{40}$",
                         lines[4])
        assert lines[5:] == ["      decided by p.json:2:19: defaultAction",
                             f'      to allow it: add "{MARK_NAME}" to a rule that allows it']

    def test_counts_are_exact(self):
        for engine in ENGINES:
            finding = self.finding("--engine", engine, "p.json", "--",
                                   *python(f"import os\nfor _ in range(1234):\n    {MARK}"))
            assert (finding["count"], finding["exact"]) == (1234, True), engine

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
            assert self.finding("--engine", engine, "p.json", "--", *command)["count"] == 350, engine

    def test_one_for_each_executable(self):
        self.write("getpgid.json", usual_but(MARK_NAME, "getpgid"))
        perl = shutil.which("perl", path=harness.SEARCH_PATH)
        if not perl:
            pytest.skip("not installed: perl")
        mark = f"import os; {MARK}; os.getpgid(0)"
        for command in (["sh", "-c", f"{PYTHON} -I -S -c '{mark}'; perl -e 'syscall(146, 1); exit 3'"],
                        ["sh", "-c", f"{PYTHON} -I -S -c '{mark}; os.execv(\"{perl}\", "
                                     "[\"perl\", \"-e\", \"syscall(146, 1); exit 3\"])'"]):
            done, report = self.report("getpgid.json", "--", *command)
            found = {(one["call"], os.path.basename(one["executable"]), one["count"]) for one in report["findings"]}
            python_name = os.path.basename(os.path.realpath(PYTHON))
            assert found == {(MARK_NAME, python_name, 1), ("getpgid", python_name, 1),
                             (MARK_NAME, "perl", 1)}
            assert (done.status, len(report["findings"]), report["exit_code"]) == (1, 3, 3)
            for one in report["findings"]:
                assert one["changes"] == [f'add "{one["call"]}" to a rule that allows it']

    def test_a_call_that_comes_late(self):
        late = python("import os, time\n"
                      "begin = time.monotonic()\n"
                      "while time.monotonic() < begin + 1: os.getppid()\n"
                      f"{MARK}\n")
        for options in ((), ("--engine", "ptrace"), ("--unused",)):
            finding = self.finding(*options, "p.json", "--", *late)
            assert (finding["call"], finding["count"]) == (MARK_NAME, 1), options
            assert finding["first_ms"] >= 1000, options

    def test_audit_denies_nothing(self):
        self.write("nothing.json", profile(allow("exit_group")))
        command = ["sh", "-c", "ls / | sort; echo done >&2; exit 6"]
        native = self.run_natively(*command)
        done, report = self.report("nothing.json", "--", *command)
        assert (done.status, done.out, done.err) == (1, native.out, native.err)
        assert report["exit_code"] == 6
        assert "exit_group" not in calls_of(report)
        assert {"execve", "openat", "write", "read"} <= set(calls_of(report))

    def test_the_execve_of_the_command_counts(self):
        self.write("execve.json", usual_but("execve"))
        finding = self.finding("execve.json", "--", "true")
        assert (finding["call"], finding["count"], os.path.basename(finding["executable"])) == ("execve", 1, "true")

    def test_every_format_agrees(self):
        self.write("two.json", usual_but(MARK_NAME, "getpgid"))
        command = python(f"import os; {MARK}; os.getpgid(0)")
        _, report = self.report("two.json", "--", *command)
        calls = calls_of(report)
        assert calls == [MARK_NAME, "getpgid"]

        assert self.verify("--format", "junit", "-o", "report", "two.json", "--", *command).status == 1
        root = xml.etree.ElementTree.parse(self.path("report")).getroot()
        assert (root.get("tests"), root.get("failures")) == ("2", "2")
        cases = root.findall("testsuite/testcase")
        assert [case.get("name").split()[0] for case in cases] == calls
        for case in cases:
            assert case.find("failure").get("message") == "denied with ENOSYS"
            assert "decided by two.json:2:19: defaultAction" in case.find("failure").text

        assert self.verify("--format", "sarif", "-o", "report", "two.json", "--", *command).status == 1
        run = self.json("report")["runs"][0]
        assert [result["message"]["text"].split()[0] for result in run["results"]] == calls
        for result in run["results"]:
            assert (result["ruleId"], result["level"]) == ("CV101", "error")
            assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "CV101"
            place = result["locations"][0]["physicalLocation"]
            assert place["region"] == {"startLine": 2, "startColumn": 19}
            assert place["artifactLocation"]["uri"] == "two.json"

    def test_stacks(self):
        self.write("tracee.json", usual_but("sched_get_priority_min"))
        _, report = self.report("--stacks", "tracee.json", "--", harness.tracee("counts"))
        finding = next(one for one in report["findings"] if one["call"] == "sched_get_priority_min")
        assert finding["count"] == 1000
        frames = [(os.path.basename(frame["module"]), frame["symbol"]) for frame in finding["stack"]]
        assert frames[0] == ("libc.so.6", "syscall"), frames
        assert ("tracee_counts", "main") in frames
        assert finding["stack"][0] == finding["site"]

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
        assert calls_of(report) == ["getpgid", MARK_NAME]
        lines = text.splitlines()
        by_rule, by_default = (one["decided_by"] for one in report["findings"])
        assert by_rule["path"] == "syscalls[2]"
        assert lines[by_rule["line"]].strip() == '"names": [', by_rule
        assert lines[by_rule["line"] + 1].strip() == '"getpgid"', by_rule
        assert by_default["path"] == "defaultAction"
        assert '"defaultAction"' in lines[by_default["line"] - 1]
        assert report["findings"][0]["decision"] == "denied with ENOENT"

    def test_exit_code(self):
        for wanted in (0, 5, 255):
            done = self.verify("--exit-code", str(wanted), "p.json", "--", *python(f"import os; {MARK}; os._exit(9)"))
            assert done.status == wanted
        assert self.verify("--exit-code", "5", "p.json", "--", "sh", "-c", "exit 9").status == 9

    def test_findings_and_a_signal(self):
        done, report = self.report("p.json", "--", *python(f"import os; {MARK}; os.kill(os.getpid(), 15)"))
        assert (done.status, report["signal"]) == (1, 15)

    def test_hostile_names(self):
        name = b"a\xff<&\"'>\x1b[31m\n\xc2\x85"
        path = os.fsencode(self.directory) + b"/" + name
        shutil.copy(PYTHON, path)
        command = [path, *python(f"import os; {MARK}")[1:]]
        done = self.verify("p.json", "--", *command)
        assert done.status == 1
        assert not re.search(r"[\x00-\x1f]", done.err.replace("\n", ""))
        _, report = self.report("p.json", "--", *command)
        assert calls_of(report) == [MARK_NAME]
        assert self.verify("--format", "junit", "-o", "report", "p.json", "--", *command).status == 1
        root = xml.etree.ElementTree.parse(self.path("report")).getroot()
        assert root.get("failures") == "1"
        assert self.verify("--format", "sarif", "-o", "report", "p.json", "--", *command).status == 1
        assert MARK_NAME in self.json("report")["runs"][0]["results"][0]["message"]["text"]


class TestFindingsAsNobody(harness.AsNobody, TestFindings):
    pass


class TestConditions(VerifyCase):
    SOME_SOCKETS = python(CALLING + f"for family in (1, 2, 16, 2, 17, 16, 16): call({SOCKET}, family, 1, 0)")

    def set_up(self):
        super().set_up()
        self.rules = [allow(*(name for name in USUAL if name != "socket"), comment="what is usual"),
                      allow("socket", args=[{"index": 0, "value": AF_UNIX, "op": "SCMP_CMP_EQ"}]),
                      allow("socket", args=[{"index": 0, "value": AF_INET, "op": "SCMP_CMP_EQ"}])]
        self.write("p.json", profile(*self.rules))

    def test_allowed_with_some_and_denied_with_others(self):
        for engine in ENGINES:
            finding = self.finding("--engine", engine, "p.json", "--", *self.SOME_SOCKETS)
            assert (finding["call"], finding["count"]) == ("socket", 4)
            assert finding["text"].startswith("socket(AF_NETLINK, "), finding
            assert finding["decided_by"]["path"] == "defaultAction"
            assert finding["changes"] == ["allow socket where arg0 == 16", "allow socket where arg0 == 17"]

    def test_fix(self):
        assert self.verify("--fix", "fixed.json", "p.json", "--", *self.SOME_SOCKETS).status == 1
        fixed = self.json("fixed.json")
        rules = fixed["syscalls"]
        assert [rule for rule in rules if rule in self.rules] == self.rules
        added = [rule for rule in rules if rule not in self.rules]
        assert [(rule["names"], rule["args"][0]["value"]) for rule in added] == [(["socket"], 16), (["socket"], 17)]
        for rule in added:
            assert f"verify: made by {os.path.realpath(PYTHON)}" in rule["comment"]
        before = self.json("p.json")
        assert {**fixed, "syscalls": None} == {**before, "syscalls": None}
        self.assert_succeeded(self.verify("fixed.json", "--", *self.SOME_SOCKETS))
        finding = self.finding("fixed.json", "--", *python(CALLING + f"call({SOCKET}, 3, 1, 0)"))
        assert finding["call"] == "socket"

    def test_high_halves_of_arguments(self):
        for engine in ENGINES:
            done, report = self.report("--engine", engine, "p.json", "--", *python(
                CALLING + f"call({SOCKET}, 2, 1, 0); call({SOCKET}, (1 << 32) | 2, 1, 0)"))
            assert [(one["call"], one["count"]) for one in report["findings"]] == [("socket", 1)]

    def test_decisions_that_differ(self):
        # By one executable, the same call, and each of them is told.
        netlink, inet = ({"index": 0, "value": value, "op": "SCMP_CMP_EQ"} for value in (AF_NETLINK, AF_INET))
        self.write("two.json", denying(deny("socket", args=[inet], errnoRet=ENOENT),
                                       deny("socket", args=[netlink], action="SCMP_ACT_KILL_PROCESS")))
        done, report = self.report("two.json", "--", *python(
            CALLING + "".join(f"call({SOCKET}, {family}, 1, 0);" for family in (16, 2, 2))))
        assert [(one["action"], one["count"], one["decided_by"]["path"], one["text"].split(",")[0])
                for one in report["findings"]] == [("SCMP_ACT_KILL_PROCESS", 1, "syscalls[1]", "socket(AF_NETLINK"),
                                                   ("SCMP_ACT_ERRNO", 2, "syscalls[0]", "socket(AF_INET")]

    def test_a_listener_hides_no_denial(self):
        netlink, inet = ({"index": 0, "value": value, "op": "SCMP_CMP_EQ"} for value in (AF_NETLINK, AF_INET))
        self.write("two.json", denying(deny("socket", args=[inet], errnoRet=ENOENT),
                                       deny("socket", args=[netlink], action="SCMP_ACT_NOTIFY")))
        for order in ((16, 2), (2, 16)):
            done, report = self.report("--fix", "fixed.json", "two.json", "--", *python(
                CALLING + "".join(f"call({SOCKET}, {family}, 1, 0);" for family in order)))
            assert (done.status, report["denials"]) == (1, 1), report
            assert {one["action"] for one in report["findings"]} == {"SCMP_ACT_NOTIFY", "SCMP_ACT_ERRNO"}
            self.assert_succeeded(self.verify("fixed.json", "--", *python(CALLING + f"call({SOCKET}, 2, 1, 0)")))

    def test_many_different_arguments(self):
        many = python(CALLING + f"for family in range(100, 300): call({SOCKET}, family, 1, 0)")
        finding = self.finding("--fix", "fixed.json", "p.json", "--", *many)
        assert (finding["count"], finding["changes"]) == (200, ['add "socket" to a rule that allows it'])
        self.assert_succeeded(self.verify("fixed.json", "--", *many))

    def test_rule_that_denies(self):
        rule = deny("socket", args=[{"index": 0, "value": AF_NETLINK, "op": "SCMP_CMP_GE"}], errnoRet=EPERM)
        self.write("deny.json", denying(rule))
        finding = self.finding("--fix", "fixed.json", "deny.json", "--", *self.SOME_SOCKETS)
        assert ((finding["decision"], finding["count"], finding["decided_by"]["path"]) ==
                ("denied with EPERM", 4, "syscalls[0]"))
        self.assert_succeeded(self.verify("fixed.json", "--", *self.SOME_SOCKETS))
        assert self.finding("fixed.json", "--", *python(CALLING + f"call({SOCKET}, 18, 1, 0)"))["call"] == "socket"

    def test_call_of_an_execve(self):
        # Of an execve that has happened the arguments are gone.
        self.write("execve.json", profile(allow(*(name for name in USUAL if name != "execve")),
                                          allow("execve", args=[{"index": 2, "value": 0, "op": "SCMP_CMP_NE"}])))
        done, report = self.report("execve.json", "--", "true")
        assert (done.status, report["denials"]) == (0, 0)
        assert ([(one["call"], one["certain"], one["code"]) for one in report["findings"]] ==
                [("execve", False, "CV102")])


class TestFormats(VerifyCase):
    """A profile with changes is of the form that it had."""

    COMMAND = python(f"import os; {MARK}")

    def fixed(self, name, text):
        self.write(name, text)
        done = self.verify("--fix", f"fixed-{name}", name, "--", *self.COMMAND)
        assert done.status == 1
        again = self.verify(f"fixed-{name}", "--", *self.COMMAND)
        self.assert_succeeded(again)
        return self.path(f"fixed-{name}").read_text()

    def test_docker(self):
        docker = json.loads(profiles.PUBLISHED["docker"].read_text(encoding="utf-8"))
        for rule in docker["syscalls"]:
            rule["names"] = [name for name in rule["names"] if name != MARK_NAME]
        fixed = json.loads(self.fixed("docker.json", json.dumps(docker)))
        assert fixed["syscalls"][:-1] == docker["syscalls"]
        assert fixed["syscalls"][-1]["names"] == [MARK_NAME]
        for row in docker["archMap"]:
            row["subArchitectures"] = row["subArchitectures"] or []
        assert {**fixed, "syscalls": 0} == {**docker, "syscalls": 0}

    def test_yaml(self):
        text = self.callcensus("convert", "--to", "spo", "-",
                               stdin=usual_but(MARK_NAME, defaultErrnoRet=EPERM).encode())
        self.assert_succeeded(text)
        fixed = self.fixed("p.yaml", text.out)
        assert "kind: SeccompProfile" in fixed
        assert f"- {MARK_NAME}" in fixed

    def test_minijail(self):
        known = self.callcensus("convert", "--to", "minijail", "--lossy", "-q", "-",
                                stdin=usual_but(MARK_NAME).encode())
        self.assert_succeeded(known)
        fixed = self.fixed("p.policy", known.out)
        assert re.search(rf"(?m)^{MARK_NAME}: (1|allow)$", fixed)
        assert re.search(r"(?m)^openat: (1|allow)$", fixed)

    def test_standard_input(self):
        text = usual_but(MARK_NAME)
        done = self.verify("-", "--", *self.COMMAND, stdin=text.encode())
        assert done.status == 1
        assert "decided by standard input:2:19: defaultAction" in done.err


class TestOtherAbis(VerifyCase):
    def test_abi_that_the_profile_does_not_cover(self):
        self.write("p.json", usual_but())
        command = [harness.tracee("i386")]
        native = self.run_natively(*command)
        done, report = self.report("--fix", "fixed.json", "p.json", "--", *command)
        assert (done.status, done.out) == (1, native.out)
        assert {(one["abi"], one["action"]) for one in report["findings"]} == {("i386", "SCMP_ACT_KILL_THREAD")}
        assert "the profile is not for this ABI" in report["findings"][0]["decision"]
        assert report["findings"][0]["decided_by"]["path"] == "architectures"
        assert "add the architecture SCMP_ARCH_X86" in report["findings"][0]["changes"]
        assert self.json("fixed.json")["architectures"] == ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]
        again = self.verify("fixed.json", "--", *command)
        assert (again.status, again.out) == (0, native.out), again

    def test_32_bit_program(self):
        for engine in ENGINES:
            self.write("p.json", usual_but("getsid", architectures=["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]))
            finding = self.finding("--engine", engine, "p.json", "--", harness.tracee("i386"))
            assert (finding["call"], finding["abi"], finding["count"]) == ("getsid", "i386", 6)


class TestActions(VerifyCase):
    TARGET = python(CALLING + "call(146, 1); call(146, 1)")

    @pytest.mark.parametrize("action, decision", [
        ("SCMP_ACT_KILL", "kills the thread"), ("SCMP_ACT_KILL_THREAD", "kills the thread"),
        ("SCMP_ACT_KILL_PROCESS", "kills the process"), ("SCMP_ACT_TRAP", "SIGSYS"),
        ("SCMP_ACT_TRACE", "trac")])
    def test_what_denies(self, action, decision):
        self.write("p.json", denying(deny(MARK_NAME, action=action)))
        finding = self.finding("--fix", "fixed.json", "p.json", "--", *self.TARGET)
        assert decision in finding["decision"]
        assert (finding["count"], finding["decided_by"]["path"]) == (2, "syscalls[0]")
        assert finding["changes"] == [f'remove "{MARK_NAME}" from syscalls[0], which denies it']
        self.assert_succeeded(self.verify("fixed.json", "--", *self.TARGET))

    def test_what_is_let_through(self):
        self.write("p.json", denying(deny(MARK_NAME, action="SCMP_ACT_LOG")))
        done, report = self.report("p.json", "--", *self.TARGET)
        assert (done.status, report["findings"]) == (0, [])

    def test_what_a_listener_decides(self):
        self.write("p.json", denying(deny(MARK_NAME, action="SCMP_ACT_NOTIFY")))
        done, report = self.report("--fix", "fixed.json", "p.json", "--", *self.TARGET)
        assert (done.status, report["denials"], calls_of(report)) == (0, 0, [MARK_NAME])
        assert report["findings"][0]["code"] == "CV102"
        assert report["findings"][0]["changes"] == []
        assert self.json("fixed.json") == self.json("p.json")

    def test_a_denial_before_and_after_a_permission(self):
        rules = [deny(MARK_NAME, errnoRet=EPERM), allow(*USUAL)]
        self.write("first.json", profile(*rules))
        finding = self.finding("--fix", "fixed.json", "first.json", "--", *self.TARGET)
        assert (finding["decision"], finding["decided_by"]["path"]) == ("denied with EPERM", "syscalls[0]")
        self.assert_succeeded(self.verify("fixed.json", "--", *self.TARGET))
        self.write("last.json", profile(*reversed(rules)))
        self.assert_succeeded(self.verify("last.json", "--", *self.TARGET))


class TestRecordings(VerifyCase):
    TARGET = python(CALLING + f"call({SOCKET}, 16, 1, 0); [call(146, 1) for _ in range(3)]")

    def set_up(self):
        super().set_up()
        self.assert_succeeded(self.trace("-q", "--engine", "ptrace", "--recording", "r.json", "-o", "traced.json",
                                        "--", *self.TARGET))

    def test_nothing_denied(self):
        done = self.verify("traced.json", "r.json")
        assert (done.status, done.out, done.err) == (0, "callcensus: traced.json would deny no call of: r.json\n", "")
        assert self.verify("-q", "traced.json", "r.json").out == ""

    def test_certain(self):
        self.write("p.json", usual_but(MARK_NAME))
        finding = self.finding("p.json", "r.json")
        assert (finding["call"], finding["count"], finding["exact"]) == (MARK_NAME, 3, True)
        assert finding["executable"] == os.path.realpath(PYTHON)
        done = self.verify("p.json", "r.json")
        assert (done.status, done.err) == (1, "")
        assert "would deny 1 call of: r.json\n" in done.out

    def test_uncertain(self):
        condition = [{"index": 0, "value": AF_UNIX, "op": "SCMP_CMP_EQ"}]
        self.write("p.json", profile(allow(*(name for name in USUAL if name != "socket")),
                                     allow("socket", args=condition)))
        done, report = self.report("p.json", "r.json")
        assert (done.status, report["denials"]) == (0, 0)
        finding = report["findings"][0]
        assert (finding["call"], finding["certain"], finding["code"]) == ("socket", False, "CV102")
        assert "allowed if arg0 == 1, else denied with ENOSYS" in finding["decision"]
        assert finding["changes"] == ['add "socket" to a rule that allows it']
        done = self.verify("--format", "junit", "p.json", "r.json")
        case = xml.etree.ElementTree.fromstring(done.out).find("testsuite/testcase")
        assert case.find("failure") is None
        assert "socket" in case.find("system-out").text

    def test_several(self):
        self.write("p.json", usual_but(MARK_NAME, "getpgid"))
        self.assert_succeeded(self.trace("-q", "--engine", "ptrace", "--recording", "r2.json", "--",
                                        *python(f"import os; {MARK}; os.getpgid(0)")))
        done, report = self.report("p.json", "r.json", "r2.json")
        assert (done.status, report["subject"]) == (1, "r.json, r2.json")
        assert {(one["call"], one["count"]) for one in report["findings"]} == {(MARK_NAME, 4), ("getpgid", 1)}, report
        assert self.verify("--fix", "fixed.json", "p.json", "r.json", "r2.json").status == 1
        self.assert_succeeded(self.verify("fixed.json", "r.json", "r2.json"))

    def test_incomplete(self):
        recording = self.json("r.json")
        self.write("gap.json", json.dumps({**recording, "complete": False, "gaps": ["two tasks\x1b were lost"]}))
        done = self.verify("traced.json", "gap.json")
        self.assert_succeeded(done)
        assert "NOT everything was seen: two tasks\\x1b were lost\n" in done.out
        assert "NOT everything was seen" in self.verify("-q", "traced.json", "gap.json").out
        _, report = self.report("traced.json", "gap.json")
        assert not report["complete"]

    def test_what_is_no_recording(self):
        self.write("p.json", usual_but())
        for name in ("p.json", "missing.json"):
            self.assert_complains(self.verify("p.json", name), name)
        self.write("empty.json", "")
        self.assert_complains(self.verify("p.json", "empty.json"), "empty.json")
        self.assert_complains(self.verify("p.json", "r.json", "--", "true"), "r.json")
        self.assert_complains(self.verify("p.json", "r.json", "-p", "1"), "r.json")
        self.assert_complains(self.verify("--mode", "enforce", "p.json", "r.json"), "--mode enforce")

    def test_as_a_container_runtime(self):
        self.write("p.json", profile(allow(*harness.observed(self.json("traced.json")))))
        alone = self.verify("p.json", "r.json")
        self.assert_succeeded(alone)
        done, report = self.report("--as", "runc", "p.json", "r.json")
        assert done.status == 1
        assert {(one["code"], one.get("runtime")) for one in report["findings"]} == {("CV103", "runc")}
        assert self.verify("--as", "runc", "traced.json", "r.json").status == 0


class TestAttached(VerifyCase):
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
        assert "Ctrl-C lets go" in verifier.line(verifier.process.stderr)
        for _ in range(3):
            self.ask(target)
        verifier.send(signal.SIGINT)
        assert verifier.end().status == 1
        report = self.json("report.json")
        assert [(one["call"], one["count"]) for one in report["findings"]] == [(MARK_NAME, 3)]
        assert not report["complete"]
        self.ask(target)
        assert harness.status_field(target.pid, "TracerPid") == "0"
        assert target.end(b"").status == 0

    def test_nothing_denied(self):
        self.write("p.json", usual_but())
        target = self.start_target()
        verifier = self.start_verify("-q", "--timeout", "300ms", "p.json", "-p", str(target.pid))
        done = verifier.end()
        assert (done.status, done.out) == (0, "")
        self.ask(target)

    def test_a_call_of_our_own_making(self):
        """A task that sleeps goes on by restart_syscall, for we came."""
        self.write("p.json", usual_but("restart_syscall"))
        target = self.start(["sleep", "1000"])
        harness.wait_for(lambda: harness.stat_of(target.pid)[0] == "S", "the sleep")
        options = ("-q", "--timeout", "300ms", "-p", str(target.pid))
        assert self.verify(*options, "p.json").status == 0
        self.assert_succeeded(self.trace(*options, "--recording", "r.json", "-o", "traced.json"))
        assert "restart_syscall" in {one["name"] for one in self.json("r.json")["calls"]}

    def test_refused(self):
        self.write("p.json", usual_but())
        target = self.start_target()
        pid = str(target.pid)
        self.assert_complains(self.verify("--mode", "enforce", "p.json", "-p", pid), "--mode enforce")
        self.assert_complains(self.verify("--engine", "adaptive", "p.json", "-p", pid), "--engine adaptive")
        self.assert_complains(self.verify("p.json", "-p", pid, "--", "true"), "-p")
        self.assert_complains(self.verify("p.json", "-p", "x"), "-p")
        # Before anything is looked at that a command must have.
        self.write("nothing.json", profile(allow("exit_group")))
        self.assert_complains(self.verify("--mode", "enforce", "--as", "runc", "nothing.json", "-p", pid),
                              "--mode enforce")


class TestAttachedAsNobody(harness.AsNobody, TestAttached):
    pass


class TestEnding(VerifyCase):
    WAITING = python("import os, sys, time\n" f"{MARK}\n" "print('ready', flush=True)\n" "time.sleep(100)\n")

    def set_up(self):
        super().set_up()
        self.write("p.json", usual_but(MARK_NAME))

    def test_a_request_to_end(self):
        for signum in (signal.SIGTERM, signal.SIGINT):
            verifier = self.start_verify("--format", "json", "-o", "report.json", "p.json", "--", *self.WAITING)
            verifier.expect("ready")
            verifier.send(signum)
            done = verifier.end()
            assert done.status == 1
            assert calls_of(self.json("report.json")) == [MARK_NAME]
        self.write("usual.json", usual_but())
        verifier = self.start_verify("-q", "usual.json", "--", *self.WAITING)
        verifier.expect("ready")
        verifier.send(signal.SIGTERM)
        assert verifier.end().status == -signal.SIGTERM

    def test_interrupt_by_the_keyboard(self):
        terminal = harness.Terminal(self, [harness.PROGRAM, "verify", "p.json", "--", *self.WAITING])
        terminal.expect("ready")
        terminal.type("\x03")
        terminal.expect(f"{MARK_NAME} on x86_64: denied with ENOSYS")
        assert terminal.end() == 1

    def test_timeout(self):
        done, report = self.report("--timeout", "500ms", "p.json", "--", *self.WAITING)
        assert (done.status, calls_of(report), report["signal"]) == (1, [MARK_NAME], signal.SIGTERM)
        self.write("usual.json", usual_but())
        assert self.verify("-q", "--timeout", "500ms", "usual.json", "--", *self.WAITING).status == -signal.SIGTERM

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
        assert wait_for(verifier.process.poll, "callcensus to end") == 4
        os.write(write_end, b"x")
        os.close(write_end)
        done = verifier.end()
        assert (done.out, done.err) == ("went on", "")
        assert "NOT everything was seen" in self.path("report").read_text()


class TestEndingAsNobody(harness.AsNobody, TestEnding):
    pass


class TestRefused(VerifyCase):
    """What is told before the command runs."""

    MADE = ["sh", "-c", "touch made"]

    def set_up(self):
        super().set_up()
        self.write("p.json", usual_but(MARK_NAME))

    def refused(self, *arguments, fragments=(), **options):
        self.assert_complains(self.verify(*arguments, "--", *self.MADE, **options), *fragments)
        assert "made" not in self.files()

    @pytest.mark.parametrize("name",
        ["broken.json", "empty.json", "unknown.json", "missing.json", "argument.json", "."])
    def test_profiles(self, name):
        self.write("broken.json", '{"defaultAction": }')
        self.write("empty.json", "")
        self.write("unknown.json", profile(deny("read", action="SCMP_ACT_NO")))
        self.write("argument.json", profile(allow("read", args=[{"index": 9, "value": 1, "op": "SCMP_CMP_EQ"}])))
        self.refused(name, fragments=[name])

    def test_recording_in_place_of_a_profile(self):
        self.assert_succeeded(self.trace("-q", "--recording", "r.json", "--", "true"))
        self.refused("r.json", fragments=["r.json"])

    @pytest.mark.parametrize("options", [
        ["--mode", "x"], ["--as", "kata"], ["--format", "x"], ["--exit-code", "256"], ["--exit-code", "-1"],
        ["--engine", "x"], ["--timeout", "x"]])
    def test_options(self, options):
        self.refused(*options, "p.json", fragments=[options[0]])

    def test_options_that_do_not_go_together(self):
        self.refused("--mode", "enforce", "--unused", "p.json", fragments=["--unused"])
        self.refused("--mode", "enforce", "--engine", "adaptive", "p.json", fragments=["--engine adaptive"])
        self.refused("--mode", "enforce", "--container", "p.json", fragments=["--container"])
        self.refused("--arch", "arm64", "p.json", fragments=["arm64"])

    def test_no_command(self):
        for options in ([], ["--mode", "enforce"], ["--as", "runc"], ["--mode", "enforce", "--as", "runc"]):
            for command in ([], ["--"]):
                self.write("nothing.json", profile(allow("exit_group")))
                self.assert_complains(self.verify(*options, "nothing.json", *command), "command")
        self.assert_complains(self.verify("--", "true"), "PROFILE")

    @pytest.mark.parametrize("mode", ["audit", "enforce"])
    @pytest.mark.parametrize("command, status", [
        ("no-such-program", NOT_FOUND), ("./file", CANNOT_EXECUTE), ("/", CANNOT_EXECUTE)])
    def test_command_that_cannot_be_executed(self, mode, command, status):
        self.write("file", "text", mode=0o644)
        done = self.verify("-q", "--mode", mode, "p.json", "--", command)
        self.assert_complains(done, command, status=status)

    def test_command_that_cannot_be_executed_whatever_else_is_denied(self):
        self.write("nothing.json", profile(allow("exit_group")))
        done = self.verify("--as", "runc", "nothing.json", "--", "no-such-program")
        assert done.status == NOT_FOUND
        assert "no-such-program: command not found\n" in done.err

    def test_files_that_cannot_be_written(self):
        for option in ("-o", "--fix"):
            for path in ("no/such/directory", "."):
                self.refused(option, path, "p.json", fragments=[path])

    def test_a_report_that_finds_no_room(self):
        command = python(f"import os; {MARK}")
        done = self.verify("-o", "/dev/full", "p.json", "--", *command)
        assert done.status == harness.FAILED
        assert f"would deny 1 call of: {' '.join(command)}\n  {MARK_NAME} on x86_64" in done.err
        assert "callcensus: /dev/full: " in done.err

    def test_a_fixed_profile_that_would_not_be_loaded(self):
        """Of socket() libseccomp makes rules of i386's socketcall, and takes one decision only for them."""
        self.write("p.json", profile(
            allow(*(name for name in USUAL if name not in ("socket", "socketcall"))),
            {"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 3,
             "args": [{"index": 0, "value": 2, "op": "SCMP_CMP_GE"}]},
            architectures=["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]))
        done = self.verify("--fix", "fixed.json", "p.json", "--", *python(CALLING + f"call({SOCKET}, 1, 1, 0)"))
        assert done.status == harness.FAILED
        assert "p.json: would not be loaded once it allows the findings: " in done.err
        assert "fixed.json" not in self.files()

    def test_one_file_for_two(self):
        self.refused("-o", "one", "--fix", f"{self.directory}/one", "p.json", fragments=["--fix", "-o"])
        done = self.verify("-o", "/dev/null", "--fix", "/dev/null", "p.json", "--", "true")
        self.assert_succeeded(done)
        before = self.path("p.json").read_text()
        self.refused("-o", "./p.json", "p.json", fragments=["-o ./p.json"])
        assert self.path("p.json").read_text() == before

    def test_files_are_replaced_as_a_whole(self):
        for name in ("report", "fixed"):
            self.write(name, "old")
            os.link(self.path(name), self.path(f"{name}.old"))
        done = self.verify("-o", "report", "--fix", "fixed", "p.json", "--", "true")
        self.assert_succeeded(done)
        for name in ("report", "fixed"):
            assert self.path(f"{name}.old").read_text() == "old"
            assert self.path(name).read_text() != "old"
        assert self.files() == ["fixed", "fixed.old", "p.json", "report", "report.old"]

    def test_fix_in_place(self):
        command = python(f"import os; {MARK}")
        assert self.verify("--fix", "p.json", "p.json", "--", *command).status == 1
        self.assert_succeeded(self.verify("p.json", "--", *command))


class TestRefusedAsNobody(harness.AsNobody, TestRefused):
    def test_files_of_others(self):
        self.path("p.json").chmod(0o600)
        os.chown(self.path("p.json"), 0, 0)
        self.refused("p.json", fragments=["p.json"])
        self.write("usual.json", usual_but())
        for option in ("-o", "--fix"):
            self.refused(option, "/etc/report", "usual.json", fragments=["/etc/report"])


class TestEnforce(VerifyCase):
    def enforce(self, name, *command, **options):
        return self.verify("--mode", "enforce", name, "--", *command, **options)

    def test_the_denial_happens_and_is_told_at_once(self):
        self.write("p.json", usual_but(MARK_NAME))
        verifier = self.start_verify("--mode", "enforce", "p.json", "--", *python(
            CALLING + "print(call(146, 1), call(146, 1), os.getpid(), flush=True); sys.stdin.read(); os._exit(9)"),
            stdin=subprocess.PIPE)
        first, second, pid = verifier.line().split()
        assert (first, second) == ("-38", "-38")
        assert (verifier.line(verifier.process.stderr) ==
                (f"callcensus: denied with ENOSYS: {MARK_NAME}(1) (by {os.path.realpath(PYTHON)}, "
                f"process {pid})"))
        done = verifier.end(b"")
        assert done.status == 9
        assert re.search(r"^callcensus: p\.json has denied 1 call of: ", done.err)
        assert ", 2 times, first after" in done.err

    def test_nothing_denied(self):
        self.write("p.json", usual_but())
        for status, script in ((0, "true"), (7, "exit 7"), (-signal.SIGTERM, "kill -TERM $$")):
            done = self.enforce("p.json", "sh", "-c", script)
            assert (done.status, done.err) == (status, f"callcensus: p.json has denied no call of: sh -c {script}\n")
        done = self.verify("-q", "--mode", "enforce", "p.json", "--", "sh", "-c", "cat; exit 3", stdin=b"text")
        assert (done.status, done.out, done.err) == (3, "text", "")

    def test_the_report(self):
        self.write("p.json", usual_but(MARK_NAME))
        done, report = self.report("--mode", "enforce", "--fix", "fixed.json", "p.json", "--",
                                   *python(CALLING + "os._exit(call(146, 1) == -38)"))
        assert (done.status, report["mode"], report["exit_code"], report["denials"]) == (1, "enforce", 1, 1)
        assert calls_of(report) == [MARK_NAME]
        assert report["findings"][0]["site"]["symbol"] == "syscall"
        self.assert_succeeded(self.enforce("fixed.json", *python(CALLING + "os._exit(call(146, 1) == -38)")))

    @pytest.mark.parametrize("action", ["SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_KILL_PROCESS"])
    def test_killed(self, action):
        self.write("p.json", denying(deny(MARK_NAME, action=action)))
        done, report = self.report("--mode", "enforce", "p.json", "--", *python(f"import os; {MARK}; print(1)"))
        assert (done.status, done.out) == (-signal.SIGSYS, "")
        assert (calls_of(report), report["signal"]) == ([MARK_NAME], signal.SIGSYS)

    def test_a_handler_of_sigsys_runs(self):
        self.write("p.json", denying(deny(MARK_NAME, action="SCMP_ACT_TRAP")))
        done = self.enforce("p.json", *python(
            CALLING + "signal.signal(signal.SIGSYS, lambda *_: print('trapped', flush=True))\n"
            "call(146, 1)\nprint('went on', flush=True)\nos._exit(3)"))
        assert (done.status, done.out) == (3, "trapped\nwent on\n")
        assert MARK_NAME in done.err

    def test_execve_denied(self):
        for command in ("true", shutil.which("true", path=harness.SEARCH_PATH)):
            self.write("errno.json", usual_but("execve", defaultErrnoRet=EPERM))
            done = self.enforce("errno.json", command)
            assert done.status == CANNOT_EXECUTE
            assert f"callcensus: {command}: cannot be executed: Operation not permitted\n" in done.err
            assert "execve on x86_64: denied with EPERM" in done.err
        self.write("kill.json", denying(deny("execve", action="SCMP_ACT_KILL_PROCESS")))
        done, report = self.report("--mode", "enforce", "kill.json", "--", "true")
        assert (done.status, calls_of(report)) == (-signal.SIGSYS, ["execve"])

    def test_privileges(self):
        self.write("p.json", usual_but())
        done = self.verify("-q", "--mode", "enforce", "p.json", "--", *status_of("NoNewPrivs"))
        assert (done.status, done.out) == (0, "0\n" if self.user is None and os.geteuid() == 0 else "1\n")
        done = self.verify("-q", "--mode", "enforce", "p.json", "--", *status_of("Seccomp"))
        assert (done.status, done.out) == (0, "2\n")

    def test_flags(self):
        self.write("p.json", usual_but(MARK_NAME, flags=["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
                                                         "SECCOMP_FILTER_FLAG_TSYNC"]))
        done, report = self.report("--mode", "enforce", "p.json", "--", *python(CALLING + "print(call(146, 1))"))
        assert (done.status, done.out, calls_of(report)) == (0, "-38\n", [MARK_NAME])
        done = self.verify("-q", "--mode", "enforce", "p.json", "--", *status_of("Speculation_Store_Bypass"))
        natively = self.run_natively(*status_of("Speculation_Store_Bypass"))
        assert done.out == natively.out

    def test_children_inherit(self):
        self.write("p.json", usual_but(MARK_NAME))
        mark = f"import os; {MARK}"
        done, report = self.report("--mode", "enforce", "p.json", "--", "sh", "-c",
                                   f"{PYTHON} -I -S -c '{mark}' 2>/dev/null || echo denied; echo went on")
        assert (done.status, done.out) == (0, "denied\nwent on\n")
        assert ([(one["call"], one["executable"]) for one in report["findings"]] ==
                [(MARK_NAME, os.path.realpath(PYTHON))])

    def test_abi_that_the_profile_does_not_cover(self):
        self.write("p.json", usual_but())
        done, report = self.report("--mode", "enforce", "p.json", "--", harness.tracee("i386"))
        assert (done.status, report["findings"][0]["abi"]) == (-signal.SIGSYS, "i386")

    def test_as_a_runtime(self):
        self.write("p.json", usual_but("fstatfs", "fchdir", "chdir"))
        done, report = self.report("--mode", "enforce", "--as", "runc", "p.json", "--", "touch", "made")
        assert (done.status, done.out) == (CANNOT_EXECUTE, "")
        assert done.err == "callcensus: runc may not be able to start touch under p.json\n"
        assert "made" not in self.files()
        assert {(one["runtime"], one["code"]) for one in report["findings"]} == {("runc", "CV103")}
        self.write("usual.json", usual_but())
        self.assert_succeeded(self.verify("--mode", "enforce", "--as", "runc", "usual.json", "--", "touch", "made"))
        assert "made" in self.files()

    @pytest.mark.parametrize("action, errnum",
        [("SCMP_ACT_ERRNO", EPERM), ("SCMP_ACT_ERRNO", ENOSYS), ("SCMP_ACT_KILL_PROCESS", None)])
    @pytest.mark.parametrize("missing", [MARK_NAME, "openat", "write", "exit_group", "mmap"])
    def test_like_the_same_profile_loaded_natively(self, action, errnum, missing):
        if not os.access(harness.RUN_UNDER_PROFILE, os.X_OK):
            pytest.skip(f"not built: {harness.RUN_UNDER_PROFILE}")
        mark = CALLING + "print(call(146, 1), flush=True); os._exit(5)"
        names = [name for name in USUAL if name != missing]
        members = {"defaultAction": action}
        if errnum:
            members["defaultErrnoRet"] = errnum
        text = json.dumps({"architectures": ["SCMP_ARCH_X86_64"], "syscalls": [allow(*names)], **members})
        self.write("p.json", text)
        self.write("rules", f"default {action} {errnum or ''}\narchitecture SCMP_ARCH_X86_64\n" +
                   "".join(f"SCMP_ACT_ALLOW {name}\n" for name in names))
        native = self.run_natively(harness.RUN_UNDER_PROFILE, "rules", *python(mark))
        done = self.verify("-q", "--mode", "enforce", "-o", "report", "p.json", "--", *python(mark))
        assert (done.status, done.out) == (native.status, native.out), f"{done}\n{native}"


class TestEnforceAsNobody(harness.AsNobody, TestEnforce):
    pass


class TestUnused(VerifyCase):
    def test_names_and_rules(self):
        rules = [allow(*USUAL), allow("io_uring_setup", "bpf"),
                 allow("personality", "kexec_load", args=[{"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}]),
                 deny("swapon", errnoRet=1)]
        rules[0]["names"] = [name for name in USUAL if name != "personality"]
        self.write("p.json", profile(*rules))
        for engine in ENGINES:
            done, report = self.report("--engine", engine, "--unused", "p.json", "--", *python(
                CALLING + "call(135, 8); call(146, 1)"))
            assert done.status == 0
            unused = {one["rule"]["path"]: one for one in report["unused"]}
            assert set(unused) == {"syscalls[0]", "syscalls[1]", "syscalls[2]"}
            assert [call["name"] for call in unused["syscalls[2]"]["calls"]] == ["kexec_load"]
            assert unused["syscalls[1]"]["whole_rule"]
            assert "risk" in unused["syscalls[1]"]["calls"][0]
            names = {call["name"] for call in unused["syscalls[0]"]["calls"]}
            assert {"ptrace", "mount", "getpgid"} <= names
            assert names & {"execve", "openat", "read", "mmap", "brk", MARK_NAME} == set()

    def test_conditions_that_never_held(self):
        self.write("p.json", profile(allow(*(name for name in USUAL if name != "personality")),
                                     allow("personality", args=[{"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}])))
        done, report = self.report("--unused", "p.json", "--", *python(CALLING + "call(135, 0xffffffff)"))
        assert (done.status, calls_of(report)) == (1, ["personality"])
        assert "syscalls[1]" in [one["rule"]["path"] for one in report["unused"]]

    def test_everything_used(self):
        self.assert_succeeded(self.trace("-q", "-o", "traced.json", "--", "true"))
        self.write("p.json", profile(allow(*harness.observed(self.json("traced.json")))))
        done = self.verify("--unused", "p.json", "--", "true")
        self.assert_succeeded(done)
        assert done.err.endswith("callcensus: everything that it allows was used\n")

    def test_of_recordings(self):
        self.assert_succeeded(self.trace("-q", "--recording", "r.json", "--", "true"))
        self.write("p.json", profile(allow(*USUAL), allow("bpf")))
        done = self.verify("--unused", "p.json", "r.json")
        self.assert_succeeded(done)
        assert re.search(r"(?m)^  p\.json:\d+:\d+: syscalls\[1\]: not used at all: bpf; risky: bpf \(.*\)$", done.out)
