#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <nanobind/typing.h>
#include <unstride/unstride.h>

#include "module.h"

namespace nb = nanobind;

namespace unstride::python {

void add_plans(nb::module_ &m) {
    m.attr("Array") = nb::type_var("Array");
    nb::class_<Variant>(m, "Variant", "A kernel of the convolution, compiled ahead of time. variants() has all.")
        .def_ro("name", &Variant::name, "For example ndhwc_channels_32x12_s2_avx512.")
        .def_prop_ro(
            "operator", [](const Variant &v) { return to_string(v.op); },
            "What it computes: forward, input_gradient, weight_gradient or bias_gradient.")
        .def_ro("family", &Variant::family, "How it gets at its sums.")
        .def_prop_ro(
            "layout", [](const Variant &v) { return to_string(v.layout); },
            "ncdhw, where columns are dense, or ndhwc, where channels are.")
        .def_prop_ro(
            "device", [](const Variant &v) { return to_string(v.device); }, "cpu, cuda or opencl.")
        .def_ro("isa", &Variant::isa, "The instruction set that it needs.")
        .def_prop_ro(
            "types", [](const Variant &v) { return to_string(v.types); },
            "The type of the arrays, such as f32, or those of input and output, such as bf16-f32.")
        .def_ro("stride_x", &Variant::stride_x, "The stride along the width that it is for; 1 for any.")
        .def_ro("known_kernel", &Variant::known_kernel,
                "The kernel size along height and width that it is compiled for; 0 for any.")
        .def_ro("known_stride", &Variant::known_stride,
                "The stride along height and width that it is compiled for; 0 for any.")
        .def_ro("block", &Variant::block, "Output channels of the register tile.")
        .def_ro("columns", &Variant::columns, "Output columns of the register tile.")
        .def_ro("sums", &Variant::sums, "How sums are computed.")
        .def_ro("lanes", &Variant::lanes, "What the vectors of the register tile lie across.")
        .def("runs_here", &Variant::runs_here, "Whether this process can run it.")
        .def("why_not_here", &Variant::why_not_here, "Why this process cannot run it; empty if it can.")
        .def("__repr__", [](const Variant &v) { return "<unstride.Variant " + v.name + ">"; });

    nb::class_<Plan>(m, "Plan", "What runs for one layer, input and machine, and why.")
        .def_ro("variant", &Plan::variant)
        .def_ro("rest", &Plan::rest, "Name of the variant for the last output channels; empty if there is none.")
        .def_ro("channels", &Plan::channels, "Output channels that `variant` computes.")
        .def_ro("reason", &Plan::reason, "The reason for this choice, in one or more sentences.")
        .def_ro("threads", &Plan::threads, "Threads that share the work.")
        .def_ro("tasks", &Plan::tasks, "Tasks that the work is split into.")
        .def_ro("rows_per_task", &Plan::rows_per_task, "Output rows of a task.")
        .def_ro("slices_per_task", &Plan::slices_per_task, "The slices that a task has these rows of.")
        .def_ro("kernel_calls", &Plan::kernel_calls)
        .def_ro("packed_bytes", &Plan::packed_bytes, "Size of the packed weights, which the layer keeps.")
        .def_ro("scratch_bytes", &Plan::scratch_bytes, "Most memory that all threads together take during a call.")
        .def_ro("multiply_adds", &Plan::multiply_adds, "Multiply-adds whose tap, input and output all exist.")
        .def_ro("compulsory_bytes", &Plan::compulsory_bytes, "Size of input, weights and output.")
        .def_ro("expected_seconds", &Plan::expected_seconds, "Time of a call whose weights are packed.")
        .def_ro("measured", &Plan::measured, "Whether this time was measured; otherwise it is an estimate.")
        .def_ro("under_trial", &Plan::under_trial, "Whether the next calls still try other candidates.")
        .def("__repr__", [](const Plan &p) {
            return "<unstride.Plan " + p.variant.name + (p.rest.empty() ? "" : " and " + p.rest) + ", " +
                   std::to_string(p.tasks) + " tasks, " + std::to_string(p.threads) + " threads>";
        });

    m.def(
        "variants", [] { return variants(); },
        "Return all kernels of this build, also those that this machine cannot run.");
}

}  // namespace unstride::python
