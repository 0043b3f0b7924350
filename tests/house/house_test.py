"""How the sources are kept: which folder knows which, and how long lines and files are.

A source includes headers of its own floor and of those that FLOORS names for it, all of them further down. A header
that no folder has belongs to somebody else, or is made by the build. Where several folders have a header of one name,
the one that may be included is meant.
"""

import pathlib
import posixpath
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ["bench", "cmake", "examples", "generators", "python", "runtime", "schedules", "tests", "tools", ".ci"]
SOURCES = re.compile(r".*\.(cpp|c|h|py|cmake|sh)(\.in)?|(.*/)?CMakeLists\.txt|\.ci/run")
INCLUDE = re.compile(r'\s*#\s*include\s*(?:"([^"]+)"|<(unstride/[^>]+)>)')
LONGEST_LINE, LONGEST_FILE = 120, 400

# The rooms of runtime/src, from the ground up.
ROOMS = ["process", "problem", "checks", "device", "array", "kernels", "plan", "run", "layer", "c"]

# From the ground up: the name of a floor, a pattern for its files, and which floors they may include besides their own.
# The first pattern that fits counts; so what is in no room of the runtime stands above all of them.
FLOORS = [
    ("shared facts", r"generators/(axis|family|formula|partial_sums)\.h", []),
    ("operators", r"generators/operator\.h", ["public headers"]),
    ("generators", r"generators/", ["shared facts"]),
    ("schedules", r"schedules/", ["shared facts", "generators"]),
    ("public headers", r"runtime/include/", []),
    *(
        (room, rf"runtime/src/{room}/", ["shared facts", "operators", "public headers", *ROOMS[:i]])
        for i, room in enumerate(ROOMS)
    ),
    ("runtime", r"runtime/", ["shared facts", "operators", "public headers", *ROOMS]),
    ("bench", r"bench/", ["public headers"]),
    ("tools", r"tools/", ["public headers", "bench"]),
    ("python", r"python/", ["public headers"]),
    ("tests of the inside", r"tests/inside/", ["shared facts", "operators", "public headers", *ROOMS, "tests"]),
    ("tests of files", r"tests/fuzz/formats/", ["public headers", "bench", "tools", "tests"]),
    ("tests", r"tests/", ["public headers"]),
    ("examples", r"examples/", ["public headers"]),
]


def floor_of(path):
    """The name of a file's floor, and of those that it may include; ("", []) if it is on none."""
    return next(((name, [name, *below]) for name, place, below in FLOORS if re.match(place, path)), ("", []))


def forbidden_includes(files):
    """Describes each include of these files, {path: text}, that is forbidden to the floor of its file."""
    found = []
    for path, text in files.items():
        floor, known = floor_of(path)
        for number, line in enumerate(text.splitlines(), 1):
            include = INCLUDE.match(line)
            if not (include and floor):
                continue
            header = include[1] or include[2]
            beside = posixpath.normpath(posixpath.join(posixpath.dirname(path), header))
            named_so = [beside] if beside in files else [other for other in files if f"/{other}".endswith(f"/{header}")]
            floors = [floor_of(other)[0] for other in named_so]
            if floors and not set(floors) & set(known):
                found.append(f"{path}:{number}: {floor} must not include {named_so[0]}, of {floors[0]}")
    return found


def long_lines(files):
    return [
        f"{path}:{number}: {len(line)} columns, more than {LONGEST_LINE}"
        for path, text in files.items()
        for number, line in enumerate(text.splitlines(), 1)
        if len(line) > LONGEST_LINE and "://" not in line
    ]


def long_files(files):
    return [
        f"{path}: {len(text.splitlines())} lines, more than {LONGEST_FILE}"
        for path, text in files.items()
        if re.fullmatch(r"(generators|runtime|schedules)/.*\.(cpp|h)", path) and len(text.splitlines()) > LONGEST_FILE
    ]


class Rules(unittest.TestCase):
    """What the functions above find in sources that are made up."""

    HEADERS = (
        "generators/axis.h",
        "generators/stages.h",
        "schedules/schedules.h",
        "runtime/include/unstride/tensor.h",
        "runtime/src/device/machine.h",
        "runtime/src/plan/planner.h",
        "bench/machine.h",
        "tools/text.h",
        "tests/support/harness.h",
    )

    def includes_of(self, path, *headers):
        return forbidden_includes(
            {**dict.fromkeys(self.HEADERS, ""), path: "".join(f"#include {h}\n" for h in headers)}
        )

    def test_allowed_includes(self):
        for path, *headers in (
            ("generators/a.cpp", '"axis.h"', '"stages.h"', '"Halide.h"'),
            ("schedules/a.cpp", '"stages.h"', '"axis.h"', '"schedules.h"'),
            ("runtime/src/plan/a.cpp", '"plan/planner.h"', '"planner.h"', '"device/machine.h"', '"axis.h"', "<vector>"),
            ("bench/a.cpp", '"machine.h"', "<unstride/tensor.h>"),
            ("tools/a.cpp", '"machine.h"', '"text.h"', '"unstride/tensor.h"'),
            ("tests/inside/a.cpp", '"plan/planner.h"', '"support/harness.h"', '"unstride/tensor.h"'),
            ("tests/library/a.cpp", '"support/harness.h"', '"made_by_the_build.h"', '"unstride/tensor.h"'),
        ):
            self.assertEqual(self.includes_of(path, *headers), [], path)

    def test_forbidden_includes(self):
        for path, header, meant in (
            ("generators/axis.h", '"stages.h"', "generators/stages.h"),
            ("generators/a.cpp", '"schedules.h"', "schedules/schedules.h"),
            ("runtime/src/device/a.h", '"plan/planner.h"', "runtime/src/plan/planner.h"),
            ("runtime/src/device/a.h", '"../plan/planner.h"', "runtime/src/plan/planner.h"),
            ("runtime/src/layer/a.h", '"stages.h"', "generators/stages.h"),
            ("runtime/src/plan/a.h", '"harness.h"', "tests/support/harness.h"),
            ("runtime/include/unstride/a.h", '"axis.h"', "generators/axis.h"),
            ("bench/a.cpp", '"text.h"', "tools/text.h"),
            ("tests/a.cpp", '"plan/planner.h"', "runtime/src/plan/planner.h"),
            ("examples/a/main.cpp", '"axis.h"', "generators/axis.h"),
            ("python/src/a.cpp", '"plan/planner.h"', "runtime/src/plan/planner.h"),
        ):
            text = f"{path}:2: {floor_of(path)[0]} must not include {meant}, of {floor_of(meant)[0]}"
            self.assertEqual(self.includes_of(path, "<vector>", header), [text])
        found = self.includes_of("runtime/src/device/a.h", '"plan/planner.h"')
        self.assertEqual(
            found, ["runtime/src/device/a.h:1: device must not include runtime/src/plan/planner.h, of plan"]
        )

    def test_long_lines_and_files(self):
        longest = "x" * LONGEST_LINE
        found = long_lines({"a.cpp": f"{longest}\n{longest}x\n", "b.py": f"# https://{longest}\n"})
        self.assertEqual(found, ["a.cpp:2: 121 columns, more than 120"])
        longest = "\n" * LONGEST_FILE
        found = long_files({"runtime/a.h": longest, "schedules/a.cpp": longest + "\n", "tests/a.cpp": longest + "\n"})
        self.assertEqual(found, ["schedules/a.cpp: 401 lines, more than 400"])


class House(unittest.TestCase):
    """What they find in the sources of the project."""

    @classmethod
    def setUpClass(cls):
        paths = [*ROOT.iterdir(), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*"))]
        names = {path.relative_to(ROOT).as_posix(): path for path in sorted(paths) if path.is_file()}
        cls.files = {name: path.read_text("utf-8") for name, path in names.items() if SOURCES.fullmatch(name)}

    def check(self, found):
        if found:
            self.fail("\n" + "\n".join(found))

    def test_rooms(self):
        rooms = {name.split("/")[2] for name in self.files if re.match("runtime/src/.*/", name)}
        self.check([f"runtime/src/{room} is not one of ROOMS" for room in sorted(rooms - {*ROOMS})])

    def test_includes(self):
        self.check(forbidden_includes(self.files))

    def test_lines(self):
        self.check(long_lines(self.files))

    def test_files(self):
        self.check(long_files(self.files))


if __name__ == "__main__":
    unittest.main()
