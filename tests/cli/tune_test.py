"""`unstride tune`, and what the other commands do with the wisdom that it writes."""

import json
import os
import re
import signal
import subprocess
import zlib

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
        measured = "candidates, as wisdom tells" in text
        self.assertEqual("ms, as wisdom tells" in text, measured)
        self.assertEqual("by the planner's estimate" in text, not measured)
        variant = re.search(r"^variant +(\S+)$", text, re.M)[1]
        return measured, variant, int(re.search(r"(\d+) output rows", text)[1])

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
        self.assertTrue(self.plan(UNSTRIDE_WISDOM="")[0])  # as if it were not set
        self.assertFalse(self.plan(UNSTRIDE_WISDOM="/dev/null")[0])
        self.assertFalse(self.plan("--wisdom", "/dev/null")[0])

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
            LAYERS_HEADER
            + "one,1,2,3,2x3x4,2x2x2,2x2x2,0x0x0,0x0x0,1x1x1,1,a\n"
            + "two,2,4,4,2x2x9,1x1x3,1x1x1,0x0x0,0x0x0,1x1x2,4,b\n"
        )
        text = self.succeed("tune", "--layers", "two", "--layers-file", "layers.csv", "--wisdom", "w")
        self.assertEqual(text.count("two "), 2)
        self.assertNotIn("one ", text)
        self.assertEqual(len((self.folder / "w").read_text().splitlines()), 3)
        text = self.succeed(
            "tune", "--layers", "all", "--layers-file", "layers.csv", "--wisdom", "w", "--layout", "ndhwc"
        )
        self.assertEqual(len((self.folder / "w").read_text().splitlines()), 4)
        for command in "bench", "plan", "run":
            self.assertIn("--wisdom", self.succeed(command, "--help"))
        self.succeed("bench", "--layers", "one", "--layers-file", "layers.csv", "--wisdom", "w", "--json", "out.json")
        for result in json.loads((self.folder / "out.json").read_text())["results"]:
            self.assertTrue(result["planned"])

    def test_wisdom_does_not_change_the_result(self):
        self.save_random("x.npy", (1, 4, 2, 3, 5))
        self.save_random("w.npy", (4, 6, 3, 3, 3))
        run = [
            "run",
            "--input",
            "x.npy",
            "--weight",
            "w.npy",
            "--stride",
            2,
            "--padding",
            1,
            "--threads",
            1,
            "--output",
        ]
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
        for content, fragment in (
            ("", "w: line 1: it is not 'unstride wisdom 1'; ignored"),
            ("nonsense\n\0\xff\r", "w: line 1: it is not"),
            (good.replace("wisdom 1", "wisdom 2"), "w: line 1: it is not"),
            (other, "w: line 2: it is damaged: its checksum is wrong; ignored, with 1 more"),
        ):
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
        self.fail_with(".: cannot be read: not a regular file", *self.PLAN, "--wisdom", ".")
        os.mkfifo(self.folder / "pipe")  # nobody will ever write to it
        for special in "pipe", "/dev/zero":
            self.fail_with(f"{special}: cannot be read: not a regular file", *self.PLAN, "--wisdom", special)
            text = self.assert_warns(f"{special}: cannot be read: not", *self.PLAN, UNSTRIDE_WISDOM=special)
            self.assertFalse(self.parse_plan(text)[0])
            self.fail_with(f"{special}: cannot be written: not a regular file", *self.TUNE, "--wisdom", special)

    def test_tune_of_two_dimensions(self):
        layer = [
            "--dims",
            2,
            "--input-size",
            "1,4,6,5",
            "--out-channels",
            6,
            "--kernel-size",
            3,
            "--stride",
            2,
            "--output-size",
            "14,12",
            "--threads",
            1,
        ]
        text = self.succeed("tune", *layer, "--wisdom", "w")
        self.assertIn("1x4x6x5", text)
        self.assertTrue(self.parse_plan(self.succeed("plan", *layer, "--wisdom", "w"))[0])
        layer[layer.index("14,12")] = "1,6,14,12"  # PyTorch's other form of the same
        self.assertTrue(self.parse_plan(self.succeed("plan", *layer, "--wisdom", "w"))[0])
        self.succeed("tune", *layer, "--wisdom", "w2")
        self.assertEqual(len((self.folder / "w2").read_text().splitlines()), 3)

    def test_tune_of_a_type(self):
        layer = ["--input-size", "1,4,2,3,5", "--out-channels", 3, "--kernel-size", 3, "--threads", 1]
        self.succeed("tune", *layer, "--dtype", "bf16-f32", "--wisdom", "w")
        self.assertTrue(self.parse_plan(self.succeed("plan", *layer, "--dtype", "bf16-f32", "--wisdom", "w"))[0])
        self.assertFalse(self.parse_plan(self.succeed("plan", *layer, "--dtype", "bf16", "--wisdom", "w"))[0])
        self.assertFalse(self.parse_plan(self.succeed("plan", *layer, "--wisdom", "w"))[0])

    # ------------------------------------------------------------------------------------------------ several at once

    def wisdom_of_another_machine(self):
        """So much that reading and writing it takes a while."""
        lines = ["unstride wisdom 1"]
        for size in range(1, 10001):
            line = (
                'unstride=0.1.0 cpu="another machine" isa=avx2 threads=1 dtype=f32 layout=ncdhw batch=1 channels=4,4 '
                f"groups=1 input=1,1,{size} kernel=1,1,1 stride=1,1,1 padding=0,0,0 output_padding=0,0,0 "
                "dilation=1,1,1 variant=x rows=1 nanoseconds=1000 candidates=1"
            )
            lines.append(f"{line} crc32={zlib.crc32(line.encode()):08x}")
        return "".join(line + "\n" for line in lines)

    def test_several_tunes_of_one_file(self):
        (self.folder / "w").write_text(self.wisdom_of_another_machine())
        (self.folder / "w").chmod(0o600)
        (self.folder / "link").symlink_to("w")
        processes = [
            self.start(
                "tune",
                "--dims",
                1,
                "--input-size",
                f"1,{channels},3",
                "--out-channels",
                2,
                "--kernel-size",
                1,
                "--threads",
                1,
                "--wisdom",
                name,
                stdout=subprocess.DEVNULL,
            )
            for channels, name in enumerate(["w", "link"] * 4, 1)
        ]
        for process in processes:
            self.assertEqual((process.communicate(timeout=240)[1], process.returncode), ("", 0))
        lines = (self.folder / "w").read_text().splitlines()
        self.assertEqual(sum("another machine" in line for line in lines), 10000)
        self.assertEqual(len(lines), 1 + 10000 + 16)  # eight layers in two layouts
        self.assertEqual((self.folder / "w").stat().st_mode & 0o777, 0o600)
        self.assertEqual({path.name for path in self.folder.iterdir()}, {"w", "link"})

    def test_a_lock_that_was_left_behind(self):
        (self.folder / ".unstride.lock").touch()
        self.succeed(*self.TUNE, "--wisdom", "w")
        self.assertEqual([path.name for path in self.folder.iterdir()], ["w"])
        (self.folder / ".unstride.lock").mkdir()
        self.fail_with("w: cannot be locked: ", *self.TUNE, "--wisdom", "w")

    def test_what_becomes_another_file_meanwhile(self):
        """A tune of many layers is halted, and its file replaced: it ends with an error, and the new file stays."""
        (self.folder / "layers.csv").write_text(
            LAYERS_HEADER
            + "".join(f"layer{size},1,2,3,2x3x{size},2x2x2,2x2x2,0x0x0,0x0x0,1x1x1,1,a\n" for size in range(1, 1001))
        )
        process = self.start(
            "tune", "--layers", "all", "--layers-file", "layers.csv", "--wisdom", "w", stdout=subprocess.PIPE
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        process.stdout.readline()
        while True:
            process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, process.pid, os.WSTOPPED)
            if not list(self.folder.glob(".unstride*")):  # it is not about to write
                break
            process.send_signal(signal.SIGCONT)
        (self.folder / "w").write_text("not to be lost\n")
        process.send_signal(signal.SIGCONT)
        error = process.communicate(timeout=240)[1]
        self.assertEqual(process.returncode, 2)
        self.assertRegex(error, r"\Aunstride: error: w: cannot be added to: line 1[^\n]+\n\Z")
        self.assertEqual((self.folder / "w").read_text(), "not to be lost\n")

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
            LAYERS_HEADER
            + "good,1,2,3,2x3x4,2x2x2,2x2x2,0x0x0,0x0x0,1x1x1,1,a\n"
            + "bad,1,2,3,2x3x4,2x2x2,2x2x2,9x9x9,0x0x0,1x1x1,1,a\n"
        )
        self.fail_with("too small", "tune", "--layers", "all", "--layers-file", "layers.csv", *w)


if __name__ == "__main__":
    main()
