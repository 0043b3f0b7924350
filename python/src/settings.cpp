#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <unstride/unstride.h>

#include "module.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace unstride::python {
namespace {

void add_threads(nb::module_ &m) {
    m.def("num_threads", num_threads, "Return the number of threads that a call may use, the caller's included.");
    m.def("set_num_threads", set_num_threads, "count"_a,
          R"(Set the number of threads that a call may use, of the whole process: 1 to 256, else ValueError.

The default is the environment variable HL_NUM_THREADS, or else the number of processors that the process may use.
Results do not depend on it, bit for bit.)");
    m.def("max_isa", max_isa, "Return the ceiling of instruction sets; empty if there is none.");
    m.def("set_max_isa", set_max_isa, "name"_a,
          R"(Set the highest instruction set whose kernels this process may run: baseline, avx2, avx512 or avx512bf16.

An empty name means that there is no ceiling. The default is the environment variable UNSTRIDE_MAX_ISA. Results may
change: baseline has no fused multiply-adds. Raises ValueError for another name.)");
    m.def(
        "devices",
        [] {
            std::vector<std::string> names;
            for (const DeviceInfo &info : devices()) {
                names.emplace_back(to_string(info.device));
            }
            return names;
        },
        "Return where layers can compute in this process: cpu, and cuda or opencl where there is such a GPU.");
}

void add_wisdom_functions(nb::module_ &m) {
    nb::class_<WisdomReport>(m, "WisdomReport",
                             "What was read from a file or text of wisdom, and what was wrong in it.")
        .def_ro("found", &WisdomReport::found, "Whether the file could be read.")
        .def_ro("is_wisdom", &WisdomReport::is_wisdom, "Whether it is wisdom in the version of this build.")
        .def_ro("entries", &WisdomReport::entries, "Number of entries that were taken.")
        .def_ro("other_machines", &WisdomReport::other_machines, "Number of entries of other machines, not used.")
        .def_ro("problems", &WisdomReport::problems, "What was ignored, and why.")
        .def("__str__", &WisdomReport::summary);
    m.def("load_wisdom", load_wisdom, "path"_a, nb::call_guard<nb::gil_scoped_release>(),
          R"(Add the wisdom of a file to that of the process.

Wisdom is what was measured to be fastest, which the planner then takes. Mistakes in a file do not raise: each line is
judged by itself, and the report lists those that were ignored.)");
    m.def("read_wisdom", read_wisdom, "text"_a, "As load_wisdom, of the text that such a file has.");
    m.def("wisdom_text", wisdom_text, "Return all wisdom of the process, as a text for files and read_wisdom().");
    m.def("forget_wisdom", forget_wisdom, "Drop all wisdom of the process.");
    m.def("default_wisdom_path", default_wisdom_path,
          "Return the path of the file where the command line keeps wisdom; empty if there is no such folder.");
}

}  // namespace

void add_settings(nb::module_ &m) {
    add_threads(m);
    add_wisdom_functions(m);
}

}  // namespace unstride::python
