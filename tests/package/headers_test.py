"""Each public header, and an app's use of them, compiles without a warning that an app may ask for.

headers_test.py COMPILER FOLDER"""

import pathlib
import subprocess
import sys
import unittest

WARNINGS = "-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Werror".split()
LANGUAGES = {
    "c++": [*WARNINGS, "-std=c++17", "-Wold-style-cast"],
    "c": [*WARNINGS, "-std=c99", "-Wstrict-prototypes", "-Wc++-compat"],
}

# Templates and default arguments only warn where they are used.
USE = """
#include "unstride/unstride.h"

void use();
void use() {
    const unstride::ConvTranspose2d layer(64, 32, 4, 2, 1);
    const unstride::ConvTranspose3dOptions options{4, 6, 3};
    unstride::Tensor input({1, 64, 7, 9}, unstride::Layout::ndhwc, 2), output(layer.output_shape(input.sizes()));
    const unstride::View<const float> from = input.view();
    const unstride::Shape strides = unstride::dense_strides(output.sizes(), output.layout(), 2);
    const unstride::View<float> to{output.data(), output.sizes(), strides};
    const unstride::View<const void> residual(to);
    layer.forward(from, to);
    layer.forward(input.view<void>(), output.view<void>(), residual);
    layer.forward(unstride::dense_view(input.data(), input.sizes()), to);
    unstride::with_type(unstride::DType::f16, [](auto *null) { return static_cast<bool>(null); });
    for (const unstride::Types &types : unstride::supported_types()) {
        unstride::to_string(types);
    }
    unstride::fold_batch_norm(layer, {{0.F}, {1.F}, {}, {}});
    unstride::from_onnx({}, 4, 6, true, options.kernel_size);
    unstride::from_tensorflow(unstride::TensorFlowConvTranspose1d{3, 2}, 4, 6, true, 5);
    unstride::from_onednn(unstride::OneDnnDeconvolution2d{3, 2}, 4, 6, true);
}
"""


class HeadersTest(unittest.TestCase):
    compiler, folder = "", pathlib.Path()

    def compile(self, source, language="c++"):
        command = [self.compiler, *LANGUAGES[language], "-fsyntax-only", "-I", self.folder, "-x", language, "-"]
        result = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_each_alone(self):
        headers = sorted(self.folder.glob("unstride/*.h"))
        self.assertGreater(len(headers), 10)
        for header in headers:
            with self.subTest(header=header.name):
                self.compile(f"#include <unstride/{header.name}>\n")

    def test_c(self):
        self.compile("#include <unstride/c.h>\n", language="c")

    def test_use(self):
        self.compile(USE)


if __name__ == "__main__":
    HeadersTest.folder = pathlib.Path(sys.argv.pop())
    HeadersTest.compiler = sys.argv.pop()
    unittest.main()
