#!/usr/bin/env python3
"""`callcensus explain`: what a profile does to a call, and the rule that does it."""

import json

import harness
import profiles
from profiles import allow, profile

CONDITIONAL = allow("clone", args=[{"index": 0, "value": 0x7e020000, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}],
                    comment="no namespaces")


class Explain(harness.Case):
    def setUp(self):
        super().setUp()
        self.write("p.json", profile(allow("read", "write"), CONDITIONAL))

    def explain(self, *arguments, **options):
        return self.callcensus("explain", *arguments, **options)

    def test_the_rule_and_its_place(self):
        done = self.explain("p.json", "read")
        self.assertEqual((done.status, done.err), (0, ""), done)
        self.assertEqual(done.out, "read on x86_64: allowed\n  p.json:8:3: syscalls[0]: allowed\n")
        denied = self.explain("p.json", "mount")
        self.assertEqual(denied.status, 1)
        self.assertEqual(denied.out, "mount on x86_64: denied with ENOSYS\n"
                                     "  p.json:2:19: defaultAction: denied with ENOSYS\n")

    def test_arguments(self):
        open_question = self.explain("p.json", "clone")
        self.assertEqual(open_question.status, 1)
        self.assertIn("clone on x86_64: allowed if arg0 & 0x7e020000 == 0, else denied with ENOSYS\n",
                      open_question.out)
        self.assertIn("(no namespaces)", open_question.out)
        self.assertEqual(self.explain("p.json", "clone", "0x1200011").status, 0)
        self.assertEqual(self.explain("p.json", "clone", "0x10000000").status, 1)
        self.assertEqual(self.explain("p.json", "clone", "_", "5").status, 1)
        self.assertEqual(self.explain("p.json", "--", "read", "-1").status, 0)
        for wrong in ("x", "", "99999999999999999999", "1 2"):
            self.assertComplains(self.explain("p.json", "clone", wrong), "number", status=2)
        self.assertComplains(self.explain("p.json", "clone", *"1234567"), "six", status=2)

    def test_every_abi_that_has_the_call(self):
        self.write("both.json", profile(allow("socketcall"), architectures=["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]))
        self.assertRegex(self.explain("both.json", "socketcall").out, r"^socketcall on i386: allowed\n")
        self.assertEqual(self.explain("both.json", "socketcall").out.count(" on "), 1)
        self.assertEqual(self.explain("both.json", "read").out.count(" on "), 2)
        self.assertEqual(self.explain("--abi", "i386", "both.json", "read").out.count(" on "), 1)
        self.assertIn("kills the thread: the profile is not for this ABI",
                      self.explain("--abi", "i386", "p.json", "read").out)

    def test_published_profiles(self):
        for name, path in profiles.PUBLISHED.items():
            if not path.exists():
                continue
            with self.subTest(name):
                self.assertEqual(self.explain("--for", "podman,docker", path, "read").status, 0)
                # Who does not know archMap covers the native ABI alone.
                done = self.explain(path, "read")
                self.assertEqual(done.status, 1)
                self.assertIn("runc, crun, containerd: kills the thread", done.out)
                self.assertEqual(self.explain("--caps", "none", path, "bpf").status, 1)
                mount = self.explain("--caps", "SYS_ADMIN", "--for=docker", "--json", path, "mount")
                self.assertEqual(mount.status, 0, mount)
                readings = json.loads(mount.out)["calls"][0]["readings"]
                self.assertTrue(all(reading["allowed"] for reading in readings))

    def test_runtimes_that_read_otherwise(self):
        self.write("docker.json", profile(allow("mount", includes={"caps": ["CAP_SYS_ADMIN"]})))
        done = self.explain("docker.json", "mount")
        self.assertEqual(done.status, 1)
        self.assertIn("mount on x86_64: denied with ENOSYS\n", done.out)
        self.assertIn("\nrunc, crun, containerd: allowed\n", done.out)
        by_runc = self.explain("--for", "runc", "docker.json", "mount")
        self.assertEqual((by_runc.status, by_runc.out.splitlines()[0]), (0, "mount on x86_64: allowed"), by_runc)
        self.assertComplains(self.explain("--for", "kata", "docker.json", "mount"), "kata", status=2)

    def test_what_cannot_be_explained(self):
        self.assertComplains(self.explain("p.json", "soket"), '"socket"', status=2)
        self.assertComplains(self.explain("missing.json", "read"), "missing.json", status=2)
        self.assertComplains(self.explain("--abi", "z80", "p.json", "read"), "z80", status=2)
        self.write("broken.json", "{")
        self.assertComplains(self.explain("broken.json", "read"), "broken.json:1:", status=2)

    def test_standard_input_and_other_formats(self):
        text = self.path("p.json").read_bytes()
        self.assertIn("standard input:", self.explain("-", "read", stdin=text).out)
        self.write("p.policy", "read: 1\n")
        done = self.explain("p.policy", "read")
        self.assertEqual((done.status, done.out.splitlines()[0]), (0, "read on x86_64: allowed"), done)


if __name__ == "__main__":
    harness.main()
