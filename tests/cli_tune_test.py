"""`unstride tune`, and what the other commands do with the wisdom that it writes."""

import json
import re

from cli_support import LAYERS_HEADER, CommandLineTest, main


class TuneTest(CommandLineTest):
    GEOMETRY = ["--input-size", "1,4,2,3,5", "--out-channels", 6, "--kernel-size", 3, "--stride", 2, "--padding", 1]
    TUNE = ["tune", *GEOMETRY, "--threads", 1]
    PLAN = ["plan", *GEOMETRY, "--threads", 1]

    def assert_warns(self, fragment, *arguments, **environment):
        done = self.call(*arguments, **environment)
        self.assertEqual(done.returncode, 0, done)
        self.assertRegex(done.stderr, r"\Aunstride: warning: [^\n]+\n\Z")
        self.assertIn(fragment, done.stderr)
        return done.stdout

    def plan(self, *extra, **environment):
        """Whether the plan comes from wisdom, its variant, and its rows of a task."""
        text = self.succeed(*self.PLAN, *extra, **environment)
        return self.parse_plan(text)

    def parse_plan(self, text):
        measured = "by unstride tune" in text
        self.assertEqual("as measured by unstride tune" in text, measured)
        self.assertEqual("by the planner's estimate" in text, not measured)
        variant = re.search(r"^variant +(\S+)$", text, re.M)[1]
        return measured, variant, int(re.search(r"(\d+) output rows each", text)[1])

    def test_tune_remembers(self):
        self.assertFalse(self.plan()[0])
        text = self.succeed(*self.TUNE)
        wisdom = self.folder / "config/unstride/wisdom"
        self.assertEqual([path.name for path in wisdom.parent.iterdir()], ["wisdom"])
        self.assertIn(str(wisdom), text)
        rows = [line.split() for line in text.splitlines() if line.startswith("1x4x2x3x5 ")]
        self.assertEqual([row[1] for row in rows], ["ncdhw", "ndhwc"])
        for _, layout, planned, planned_rows, _, winner, winner_rows, _, gain in rows:
            self.assertEqual(self.plan("--layout", layout), (True, winner, int(winner_rows)))
            self.assertEqual(self.plan("--layout", layout, "--wisdom", "none"), (False, planned, int(planned_rows)))
            self.assertRegex(gain, r"\A\d+\.\d\dx\Z")
        self.assertFalse(self.parse_plan(self.succeed("plan", *self.GEOMETRY, "--threads", 2))[0])
        self.assertFalse(self.plan("--dilation", 2)[0])
        self.assertFalse(self.plan(UNSTRIDE_WISDOM="")[0])

        # The same with a name: other winners stay, the same layer's is replaced.
        before = wisdom.read_text().splitlines()
        self.succeed(*self.TUNE, "--layout", "ncdhw", "--dilation", 2, "--wisdom", wisdom)
        self.succeed(*self.TUNE, "--layout", "ndhwc", UNSTRIDE_WISDOM=str(wisdom))
        after = wisdom.read_text().splitlines()
        self.assertEqual(len(after), len(before) + 1)
        self.assertEqual(set(before) - set(after) - {before[2]}, set())
        self.assertTrue(self.plan("--dilation", 2)[0])

    def test_output_size(self):
        self.succeed(*self.TUNE, "--layout", "ncdhw", "--output-size", "4,5,10", "--wisdom", "w")
        self.assertTrue(self.plan("--output-size", "4,5,10", "--wisdom", "w")[0])
        self.assertTrue(self.plan("--output-padding", "1,0,1", "--wisdom", "w")[0])
        self.assertFalse(self.plan("--wisdom", "w")[0])

    def test_layers(self):
        (self.folder / "layers.csv").write_text(
            LAYERS_HEADER + "one,1,2,3,2x3x4,2x2x2,2x2x2,0x0x0,0x0x0,1x1x1,1,a\n"
            + "two,2,4,4,2x2x9,1x1x3,1x1x1,0x0x0,0x0x0,1x1x2,4,b\n")
        text = self.succeed("tune", "--layers", "two", "--layers-file", "layers.csv", "--wisdom", "w")
        self.assertEqual(text.count("two "), 2)
        self.assertNotIn("one ", text)
        self.assertEqual(len((self.folder / "w").read_text().splitlines()), 3)
        text = self.succeed("tune", "--layers", "all", "--layers-file", "layers.csv", "--wisdom", "w", "--layout", "ndhwc")
        self.assertEqual(len((self.folder / "w").read_text().splitlines()), 4)
        for command in "bench", "plan", "run":
            self.assertIn("--wisdom", self.succeed(command, "--help"))
        self.succeed("bench", "--layers", "one", "--layers-file", "layers.csv", "--wisdom", "w", "--json", "out.json")
        for result in json.loads((self.folder / "out.json").read_text())["results"]:
            self.assertTrue(result["planned"])

    def test_wisdom_does_not_change_the_result(self):
        self.save_random("x.npy", (1, 4, 2, 3, 5))
        self.save_random("w.npy", (4, 6, 3, 3, 3))
        run = ["run", "--input", "x.npy", "--weight", "w.npy", "--stride", 2, "--padding", 1, "--threads", 1, "--output"]
        self.succeed(*self.TUNE, "--layout", "ncdhw", "--wisdom", "wisdom")
        self.succeed(*run, "without.npy")
        text = self.succeed(*run, "with.npy", "--wisdom", "wisdom")
        self.assertIn(self.plan("--wisdom", "wisdom")[1], text)
        self.assertEqual((self.folder / "with.npy").read_bytes(), (self.folder / "without.npy").read_bytes())

    def test_bad_wisdom(self):
        self.succeed(*self.TUNE, "--wisdom", "w")
        good = (self.folder / "w").read_text()
        first, second, third = good.splitlines(keepends=True)
        other = first + second.replace("=", "~", 1) + third[:-20]
        for content, fragment in (("", "w: line 1: it is not 'unstride wisdom 1'; ignored"),
                                  ("nonsense\n\0\xff\r", "w: line 1: it is not"),
                                  (good.replace("wisdom 1", "wisdom 2"), "w: line 1: it is not"),
                                  (other, "w: line 2: it is damaged: its checksum is wrong; ignored, with 1 more")):
            (self.folder / "w").write_text(content)
            for arguments, environment in ((["--wisdom", "w"], {}), ([], {"UNSTRIDE_WISDOM": "w"})):
                with self.subTest(fragment, arguments=arguments):
                    text = self.assert_warns(fragment, *self.PLAN, *arguments, **environment)
                    self.assertFalse(self.parse_plan(text)[0])
        (self.folder / "w").write_text(first + second + third[:-20])
        self.assertTrue(self.parse_plan(self.assert_warns("line 3", *self.PLAN, "--wisdom", "w"))[0])
        # What is good stays, what is not goes, and says so.
        self.assert_warns("line 3", *self.TUNE, "--layout", "ncdhw", "--dilation", 2, "--wisdom", "w")
        lines = (self.folder / "w").read_text().splitlines(keepends=True)
        self.assertEqual(len(lines), 3)
        self.assertIn(second, lines)

        (self.folder / "config/unstride").mkdir(parents=True)
        (self.folder / "config/unstride/wisdom").write_text("nonsense")
        self.assertFalse(self.parse_plan(self.assert_warns("unstride/wisdom: line 1", *self.PLAN))[0])
        self.assert_warns("missing: cannot be read", *self.PLAN, UNSTRIDE_WISDOM="missing")
        self.fail_with("missing: cannot be read", *self.PLAN, "--wisdom", "missing")
        self.fail_with(".: cannot be read", *self.PLAN, "--wisdom", ".")

    def test_tune_of_two_dimensions(self):
        layer = ["--dims", 2, "--input-size", "1,4,6,5", "--out-channels", 6, "--kernel-size", 3, "--stride", 2, "--output-size", "14,12", "--threads", 1]
        text = self.succeed("tune", *layer, "--wisdom", "w")
        self.assertIn("1x4x6x5", text)
        self.assertTrue(self.parse_plan(self.succeed("plan", *layer, "--wisdom", "w"))[0])

    def test_tune_of_a_type(self):
        layer = ["--input-size", "1,4,2,3,5", "--out-channels", 3, "--kernel-size", 3, "--threads", 1]
        self.succeed("tune", *layer, "--dtype", "bf16-f32", "--wisdom", "w")
        self.assertTrue(self.parse_plan(self.succeed("plan", *layer, "--dtype", "bf16-f32", "--wisdom", "w"))[0])
        self.assertFalse(self.parse_plan(self.succeed("plan", *layer, "--dtype", "bf16", "--wisdom", "w"))[0])
        self.assertFalse(self.parse_plan(self.succeed("plan", *layer, "--wisdom", "w"))[0])

    def test_tune_errors(self):
        (self.folder / "notes").write_text("not to be lost\n")
        self.fail_with("notes: cannot be added to: line 1", *self.TUNE, "--wisdom", "notes")
        self.fail_with("notes: cannot be added to: line 1", *self.TUNE, UNSTRIDE_WISDOM="notes")
        self.fail_with("missing/w: cannot be written", *self.TUNE, "--wisdom", "missing/w")
        self.fail_with(".: cannot be written", *self.TUNE, "--wisdom", ".")
        self.fail_with("--wisdom", *self.TUNE, "--wisdom", "none")
        self.fail_with("--wisdom", *self.TUNE, XDG_CONFIG_HOME="", HOME="")
        w = ["--wisdom", "w"]
        self.fail_with("--layers", "tune", *w)
        self.fail_with("--layers", *self.TUNE, "--layers", "seed1", *w)
        self.fail_with("there is no 'nonesuch'", "tune", "--layers", "nonesuch", *w)
        self.fail_with("--out-channels", "tune", "--input-size", "1,4,2,3,5", "--kernel-size", 3, *w)
        self.fail_with("--kernel-size", "tune", "--input-size", "1,4,2,3,5", "--out-channels", 3, *w)
        self.fail_with("--input-size", "tune", "--layers", "seed1", "--stride", 2, *w)
        self.fail_with("--input-size", "tune", "--input-size", "1,4,2", "--out-channels", 6, "--kernel-size", 3, *w)
        self.fail_with("output size", *self.TUNE, "--output-size", "9,9,9", *w)
        self.fail_with("groups", *self.TUNE, "--groups", 4, *w)
        self.fail_with("empty batch", "tune", "--input-size", "0,4,2,3,5", "--out-channels", 6, "--kernel-size", 3, *w)
        self.fail_with("--variant", *self.TUNE, "--variant", "planned", *w)
        (self.folder / "layers.csv").write_text(
            LAYERS_HEADER + "good,1,2,3,2x3x4,2x2x2,2x2x2,0x0x0,0x0x0,1x1x1,1,a\n"
            + "bad,1,2,3,2x3x4,2x2x2,2x2x2,9x9x9,0x0x0,1x1x1,1,a\n")
        self.fail_with("too small", "tune", "--layers", "all", "--layers-file", "layers.csv", *w)


if __name__ == "__main__":
    main()
