#!/usr/bin/env python3
"""`callcensus lint`: exit statuses, places, formats, several files, and input that is no profile."""

import json

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


class Lint(harness.Case):
    """With a profile that denies a misspelt call, and one that the program derived itself."""

    def setUp(self):
        super().setUp()
        self.write("bad.json", MISSPELT)

    def lint(self, *arguments, **options):
        return self.callcensus("lint", *arguments, **options)

    def derive_good(self):
        self.assertSucceeded(self.trace("-q", "-o", "good.json", "--", "ls", "-l"))

    def test_derived_profile_is_clean(self):
        self.derive_good()
        done = self.lint("good.json")
        self.assertEqual(done.status, CLEAN, done)
        self.assertRegex(done.out, r"\n1 file: 0 errors, 0 warnings, \d+ notes?\n\Z")
        self.assertEqual(self.lint("--severity", "note", "good.json").status, FOUND)

    def test_text_says_place_severity_code_and_fix(self):
        done = self.lint("bad.json")
        self.assertEqual((done.status, done.err), (FOUND, ""), done)
        self.assertRegex(done.out, r'(?m)^bad\.json:6:16: error: .*"ptrcae".* \[CC201\]\n    write "ptrace"')
        self.assertRegex(done.out, r"(?m)^bad\.json:2:20: warning: .* \[CC501\]\n    \S")
        self.assertRegex(done.out, r"\n1 file: 1 error, 1 warning, \d+ notes?\n\Z")
        self.assertNotIn("\x1b", done.out)

    def test_severity_decides_the_status(self):
        self.assertEqual(self.lint("--severity", "error", "bad.json").status, FOUND)
        only_warning = ("--severity", "error", "--ignore", "CC201", "bad.json")
        self.assertEqual(self.lint(*only_warning).status, CLEAN)
        self.assertIn("[CC501]", self.lint(*only_warning).out)

    def test_ignored_codes(self):
        for arguments in (("--ignore", "CC201,CC501"), ("--ignore", "CC201", "--ignore", "CC501")):
            done = self.lint(*arguments, "bad.json")
            self.assertEqual(done.status, CLEAN, done)
            self.assertNotIn("CC201", done.out)
        self.assert_trouble(self.lint("--ignore", "CC999", "bad.json"), "CC999", "docs/lint.md")

    def test_consumers(self):
        self.write("minimum.json", MISSPELT.replace('"action"', '"includes": {"minKernel": "4.8"}, "action"'))
        self.assertIn("[CC117]", self.lint("minimum.json").out)
        self.assertIn("[CC117]", self.lint("--for", "docker,podman", "minimum.json").out)
        self.assertIn("[CC117]", self.lint("--for", "docker", "--for", "podman", "minimum.json").out)
        self.assertNotIn("[CC117]", self.lint("--for", "docker", "minimum.json").out)
        self.assert_trouble(self.lint("--for", "lxc", "bad.json"), "lxc", "containerd")

    def test_no_new_privileges(self):
        self.write("p.json", MISSPELT.replace('"ptrcae"', '"setgroups"'))
        found = self.lint("--for", "runc", "p.json")
        self.assertRegex(found.out, r"(?m)^p\.json:6:16: error: no container starts with runc unless it has "
                         r"no_new_privileges: .*setgroups.* \[CC506\]$")
        self.assertNotIn("[CC506]", self.lint("--for", "runc", "--no-new-privileges", "p.json").out)

    def test_no_profile(self):
        self.write("config.json", '{"ociVersion": "1.0.2", "linux": {"seccomp": %s}}' % MISSPELT)
        done = self.lint("config.json")
        self.assertEqual(done.status, FOUND, done)
        self.assertRegex(done.out, r"(?m)^config\.json:1:46: error: .*unconfined.*linux\.seccomp \[CC111\]$")
        self.assertIn("\n1 file: 1 error, 0 warnings, 0 notes\n", done.out)

    def test_standard_input(self):
        done = self.lint("-", stdin=MISSPELT.encode())
        self.assertEqual(done.status, FOUND, done)
        self.assertIn("standard input:6:16: error: ", done.out)

    def test_several_files(self):
        self.derive_good()
        done = self.lint("--format", "json", "good.json", "bad.json")
        self.assertEqual(done.status, FOUND, done)
        report = json.loads(done.out)
        self.assertEqual(report["files"], 2)
        self.assertEqual({finding["file"] for finding in report["findings"]}, {"good.json", "bad.json"})
        places = {(finding["file"], finding["line"], finding["column"], finding["severity"], finding["code"])
                  for finding in report["findings"]}
        self.assertIn(("bad.json", 6, 16, "error", "CC201"), places)

    def test_sarif(self):
        done = self.lint("--format", "sarif", "bad.json")
        self.assertEqual(done.status, FOUND, done)
        log = json.loads(done.out)
        self.assertEqual(log["version"], "2.1.0")
        results = {result["ruleId"]: result for result in log["runs"][0]["results"]}
        where = results["CC201"]["locations"][0]["physicalLocation"]
        self.assertEqual(where, {"artifactLocation": {"uri": "bad.json"},
                                 "region": {"startLine": 6, "startColumn": 16}})
        self.assertEqual(results["CC201"]["level"], "error")

    def test_trouble(self):
        self.write("broken.json", '{\n  "defaultAction":\n')
        self.assert_trouble(self.lint("broken.json"), "broken.json:")
        self.assert_trouble(self.lint("bad.json", "missing.json"), "missing.json: ", "No such file")
        self.assert_trouble(self.lint("."), "directory")
        self.assert_trouble(self.lint("-", stdin=b""), "standard input: is empty")
        self.assert_trouble(self.lint("--format", "xml", "bad.json"), "--format")
        self.assert_trouble(self.lint(), "PROFILE")

    def test_a_recording_is_no_profile(self):
        self.assertSucceeded(self.trace("-q", "-o", "p.json", "--recording", "r.json", "--", "true"))
        self.assert_trouble(self.lint("r.json"), "r.json", "recording", "callcensus derive")

    def test_formats(self):
        self.write("spo.yaml", "apiVersion: security-profiles-operator.x-k8s.io/v1beta1\n"
                   "kind: SeccompProfile\nmetadata:\n  name: ours\nspec:\n  defaultAction: SCMP_ACT_ERRNO\n"
                   "  syscalls:\n  - action: SCMP_ACT_ALLOW\n    names: [read, raed]\n")
        done = self.lint("--for", "spo", "spo.yaml")
        self.assertEqual(done.status, FOUND, done)
        self.assertRegex(done.out, r'(?m)^spo\.yaml:9:19: warning: .*"raed".* \[CC201\]$')
        self.write("policy.minijail", "read: 1\nwrite: return EPERM\n")
        self.assert_trouble(self.lint("policy.minijail"), "policy.minijail", "minijail", "callcensus convert")

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "wb") as full:
            done = self.run_natively(harness.PROGRAM, "lint", "bad.json", stdout=full)
        self.assertEqual(done.status, TROUBLE, done)
        self.assertIn("standard output", done.err)

    def test_names_cannot_command_the_terminal(self):
        self.write("evil.json", MISSPELT.replace("ptrcae", "\\u001b[31mred\\nline"))
        done = self.lint("evil.json")
        self.assertNotIn("\x1b", done.out)
        self.assertIn("\\x1b[31mred\\x0aline", done.out)

    def test_a_megabyte_is_no_problem(self):
        rules = [{"names": [f"call{i}" for i in range(n, n + 100)] + ["read"], "action": "SCMP_ACT_ALLOW"}
                 for n in range(0, 60_000, 100)]
        self.write("large.json", json.dumps({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": rules}, indent=1))
        self.assertGreater(self.path("large.json").stat().st_size, 1 << 20)
        self.assertEqual(self.lint("large.json").status, FOUND)  # within the deadline of the harness

    def assert_trouble(self, done, *fragments):
        self.assertComplains(done, *fragments, status=TROUBLE)


if __name__ == "__main__":
    harness.main()
