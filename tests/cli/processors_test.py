"""How many threads the command line takes by itself: as many as processors that it may run on."""

import os

from cli_support import CommandLineTest, main

PLAN = ["plan", "--input-size", "1,8,8,8,8", "--out-channels", "8", "--kernel-size", "2", "--wisdom", "none"]


class ProcessorsTest(CommandLineTest):
    def threads(self, *arguments, **environment):
        lines = self.succeed(*PLAN, *arguments, **environment).splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("threads"))

    def test_affinity_mask(self):
        allowed = os.sched_getaffinity(0)
        self.addCleanup(os.sched_setaffinity, 0, allowed)
        os.sched_setaffinity(0, {min(allowed)})
        self.assertEqual(self.threads(), 1)
        self.assertEqual(self.threads(HL_NUM_THREADS="3"), 3)
        self.assertEqual(self.threads("--threads", "2"), 2)


if __name__ == "__main__":
    main()
