// What there is and what would run: variants, plans and devices.

#include <algorithm>

#include "c/constants.h"
#include "c/layer.h"
#include "c/status.h"
#include "c/text.h"

namespace unstride::c {
namespace {

// Returns the name of a variant as a string that stays; empty for none.
const char *lasting_name(const std::string &name) {
    const std::vector<Variant> &all = variants();
    const auto found = std::find_if(all.begin(), all.end(), [&](const Variant &v) { return v.name == name; });
    return found != all.end() ? found->name.c_str() : "";
}

Types types_of(const unstride_plan_options &options) {
    const DType input = options.input_dtype == 0 ? DType::f32 : dtype_from("input", options.input_dtype);
    return {input, options.output_dtype == 0 ? input : dtype_from("output", options.output_dtype)};
}

}  // namespace
}  // namespace unstride::c

using namespace unstride;
using namespace unstride::c;

unstride_status unstride_layer_plan(const unstride_layer *layer, const int64_t *input_sizes, int32_t ndim,
                                    const unstride_plan_options *options, unstride_plan *plan) {
    return status_of([&] {
        const unstride_plan_options given = options_from("options", options);
        const Plan found = layer_of(layer).plan(shape_of("input_sizes", input_sizes, ndim),
                                                enumerator("layout", given.layout, Layout::ndhwc),
                                                shape_of("output_size", given.output_size, given.output_size_count),
                                                types_of(given), enumerator("op", given.op, Operator::bias_gradient));
        unstride_plan result{};
        result.variant = lasting_name(found.variant.name);
        result.rest = lasting_name(found.rest);
        result.channels = found.channels;
        result.tasks = found.tasks;
        result.rows_per_task = found.rows_per_task;
        result.slices_per_task = found.slices_per_task;
        result.kernel_calls = found.kernel_calls;
        result.packed_bytes = found.packed_bytes;
        result.scratch_bytes = found.scratch_bytes;
        result.multiply_adds = found.multiply_adds;
        result.compulsory_bytes = found.compulsory_bytes;
        result.expected_seconds = found.expected_seconds;
        result.threads = found.threads;
        result.measured = found.measured ? 1 : 0;
        result.under_trial = found.under_trial ? 1 : 0;
        write_text(found.reason, result.reason, sizeof result.reason);
        fill("plan", plan, result);
    });
}

unstride_status unstride_variant_count(int64_t *count) {
    return status_of([&] { *check_given("count", count) = static_cast<int64_t>(variants().size()); });
}

unstride_status unstride_variant_at(int64_t index, unstride_variant *variant) {
    return status_of([&] {
        const std::vector<Variant> &all = variants();
        if (index < 0 || index >= static_cast<int64_t>(all.size())) {
            throw InvalidArgument("there are " + std::to_string(all.size()) + " variants, and none at " +
                                  std::to_string(index));
        }
        const Variant &found = all[static_cast<size_t>(index)];
        unstride_variant result{};
        result.name = found.name.c_str();
        result.family = found.family.c_str();
        result.isa = found.isa.c_str();
        result.sums = found.sums.c_str();
        result.lanes = found.lanes.c_str();
        result.op = static_cast<unstride_operator>(found.op);
        result.layout = static_cast<unstride_layout>(found.layout);
        result.device = to_c(found.device);
        result.input_dtype = to_c(found.types.input);
        result.output_dtype = to_c(found.types.output);
        result.stride_x = found.stride_x;
        result.block = found.block;
        result.columns = found.columns;
        result.known_kernel = found.known_kernel;
        result.known_stride = found.known_stride;
        write_text(found.why_not_here(), result.why_not_here, sizeof result.why_not_here);
        fill("variant", variant, result);
    });
}

unstride_status unstride_device_describe(unstride_device device, unstride_device_info *info) {
    return status_of([&] {
        const DeviceInfo found = device_info(device_from(device));
        unstride_device_info result{};
        result.memory_bytes = found.memory_bytes;
        result.clock_hertz = found.clock_hertz;
        result.peak_flops = found.peak_flops;
        result.peak_bytes = found.peak_bytes;
        result.processors = found.processors;
        write_text(found.name, result.name, sizeof result.name);
        fill("info", info, result);
    });
}
