"""`callcensus lint`: exit statuses, places, formats, several files, and input that is no profile."""

import json
import re

import harness

CLEAN, FOUND, TROUBLE = 0, 1, 2

MISSPELT = """{
  "defaultAction": "SCMP_ACT_ALLOW",
  "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
  "syscalls": [
    {"names": ["mount",
               "ptrcae"], "action": "SCMP_ACT_ERRNO"}
  ]
}
"""


class TestLint(harness.Case):
    """With a profile that denies a misspelt call, and one that the program derived itself."""

    def set_up(self):
        super().set_up()
        self.write("bad.json", MISSPELT)

    def lint(self, *arguments, **options):
        return self.callcensus("lint", *arguments, **options)

    def derive_good(self):
        self.assert_succeeded(self.trace("-q", "-o", "good.json", "--", "ls", "-l"))

    def test_derived_profile_is_clean(self):
        self.derive_good()
        done = self.lint("good.json")
        assert done.status == CLEAN
        assert re.search(r"\n1 file: 0 errors, 0 warnings, \d+ notes?\n\Z", done.out)
        assert self.lint("--severity", "note", "good.json").status == FOUND

    def test_text_says_place_severity_code_and_fix(self):
        done = self.lint("bad.json")
        assert (done.status, done.err) == (FOUND, "")
        assert re.search(r'(?m)^bad\.json:6:16: error: .*"ptrcae".* \[CC201\]\n    write "ptrace"', done.out)
        assert re.search(r"(?m)^bad\.json:2:20: warning: .* \[CC501\]\n    \S", done.out)
        assert re.search(r"\n1 file: 1 error, 1 warning, \d+ notes?\n\Z", done.out)
        assert "\x1b" not in done.out

    def test_severity_decides_the_status(self):
        assert self.lint("--severity", "error", "bad.json").status == FOUND
        only_warning = ("--severity", "error", "--ignore", "CC201", "bad.json")
        assert self.lint(*only_warning).status == CLEAN
        assert "[CC501]" in self.lint(*only_warning).out

    def test_ignored_codes(self):
        for arguments in (("--ignore", "CC201,CC501"), ("--ignore", "CC201", "--ignore", "CC501")):
            done = self.lint(*arguments, "bad.json")
            assert done.status == CLEAN
            assert "CC201" not in done.out
        self.assert_trouble(self.lint("--ignore", "CC999", "bad.json"), "CC999", "docs/lint.md")

    def test_consumers(self):
        self.write("minimum.json", MISSPELT.replace('"action"', '"includes": {"minKernel": "4.8"}, "action"'))
        assert "[CC117]" in self.lint("minimum.json").out
        assert "[CC117]" in self.lint("--for", "docker,podman", "minimum.json").out
        assert "[CC117]" in self.lint("--for", "docker", "--for", "podman", "minimum.json").out
        assert "[CC117]" not in self.lint("--for", "docker", "minimum.json").out
        self.assert_trouble(self.lint("--for", "lxc", "bad.json"), "lxc", "containerd")

    def test_no_new_privileges(self):
        self.write("p.json", MISSPELT.replace('"ptrcae"', '"setgroups"'))
        found = self.lint("--for", "runc", "p.json")
        assert re.search(r"(?m)^p\.json:6:16: error: no container starts with runc unless it has "
              r"no_new_privileges: .*setgroups.* \[CC506\]$",
                         found.out)
        assert "[CC506]" not in self.lint("--for", "runc", "--no-new-privileges", "p.json").out

    def test_no_profile(self):
        self.write("config.json", '{"ociVersion": "1.0.2", "linux": {"seccomp": %s}}' % MISSPELT)
        done = self.lint("config.json")
        assert done.status == FOUND
        assert re.search(r"(?m)^config\.json:1:46: error: .*unconfined.*linux\.seccomp \[CC111\]$", done.out)
        assert "\n1 file: 1 error, 0 warnings, 0 notes\n" in done.out

    def test_standard_input(self):
        done = self.lint("-", stdin=MISSPELT.encode())
        assert done.status == FOUND
        assert "standard input:6:16: error: " in done.out

    def test_several_files(self):
        self.derive_good()
        done = self.lint("--format", "json", "good.json", "bad.json")
        assert done.status == FOUND
        report = json.loads(done.out)
        assert report["files"] == 2
        assert {finding["file"] for finding in report["findings"]} == {"good.json", "bad.json"}
        places = {(finding["file"], finding["line"], finding["column"], finding["severity"], finding["code"])
                  for finding in report["findings"]}
        assert ("bad.json", 6, 16, "error", "CC201") in places

    def test_sarif(self):
        done = self.lint("--format", "sarif", "bad.json")
        assert done.status == FOUND
        log = json.loads(done.out)
        assert log["version"] == "2.1.0"
        results = {result["ruleId"]: result for result in log["runs"][0]["results"]}
        where = results["CC201"]["locations"][0]["physicalLocation"]
        assert where == {"artifactLocation": {"uri": "bad.json"},
                         "region": {"startLine": 6, "startColumn": 16}}
        assert results["CC201"]["level"] == "error"

    def test_trouble(self):
        self.write("broken.json", '{\n  "defaultAction":\n')
        self.assert_trouble(self.lint("broken.json"), "broken.json:")
        self.assert_trouble(self.lint("bad.json", "missing.json"), "missing.json: ", "No such file")
        self.assert_trouble(self.lint("."), "directory")
        self.assert_trouble(self.lint("-", stdin=b""), "standard input: is empty")
        self.assert_trouble(self.lint("--format", "xml", "bad.json"), "--format")
        self.assert_trouble(self.lint(), "PROFILE")

    def test_a_recording_is_no_profile(self):
        self.assert_succeeded(self.trace("-q", "-o", "p.json", "--recording", "r.json", "--", "true"))
        self.assert_trouble(self.lint("r.json"), "r.json", "recording", "callcensus derive")

    def test_formats(self):
        self.write("spo.yaml", "apiVersion: security-profiles-operator.x-k8s.io/v1beta1\n"
                   "kind: SeccompProfile\nmetadata:\n  name: ours\nspec:\n  defaultAction: SCMP_ACT_ERRNO\n"
                   "  syscalls:\n  - action: SCMP_ACT_ALLOW\n    names: [read, raed]\n")
        done = self.lint("--for", "spo", "spo.yaml")
        assert done.status == FOUND
        assert re.search(r'(?m)^spo\.yaml:9:19: warning: .*"raed".* \[CC201\]$', done.out)
        self.write("policy.minijail", "read: 1\nwrite: return EPERM\n")
        self.assert_trouble(self.lint("policy.minijail"), "policy.minijail", "minijail", "callcensus convert")

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "wb") as full:
            done = self.run_natively(harness.PROGRAM, "lint", "bad.json", stdout=full)
        assert done.status == TROUBLE
        assert "standard output" in done.err

    def test_names_cannot_command_the_terminal(self):
        self.write("evil.json", MISSPELT.replace("ptrcae", "\\u001b[31mred\\nline"))
        done = self.lint("evil.json")
        assert "\x1b" not in done.out
        assert "\\x1b[31mred\\x0aline" in done.out

    def test_a_megabyte_is_no_problem(self):
        rules = [{"names": [f"call{i}" for i in range(n, n + 100)] + ["read"], "action": "SCMP_ACT_ALLOW"}
                 for n in range(0, 60_000, 100)]
        self.write("large.json", json.dumps({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": rules}, indent=1))
        assert self.path("large.json").stat().st_size > 1 << 20
        assert self.lint("large.json").status == FOUND  # within the deadline of the harness

    def assert_trouble(self, done, *fragments):
        self.assert_complains(done, *fragments, status=TROUBLE)
