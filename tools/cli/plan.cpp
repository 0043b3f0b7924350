#include <iostream>
#include <memory>
#include <vector>

#include "arguments.h"
#include "commands.h"
#include "tools/files/text.h"
#include "wisdom_file.h"

namespace unstride::tools {

namespace {

struct Arguments {
    Shape input_size;
    LayerArguments layer;
    Operator op = Operator::forward;
    std::string wisdom;
};

// Returns a text such as "AMD EPYC, family 25 model 1, with avx2", and the ceiling if that is why it is no higher set.
std::string machine_text(Device device) {
    if (device != Device::cpu) {
        return device_info(device).name;
    }
    const Machine machine = this_machine();
    return machine.cpu + ", with " + machine.isa +
           (machine.max_isa.empty() ? "" : ", as UNSTRIDE_MAX_ISA allows no more");
}

// Returns what a task is.
std::string tasks_text(const Plan &plan) {
    if (plan.variant.device != Device::cpu) {
        return " blocks of threads";
    }
    if (plan.rows_per_task == 0) {
        return " of sums over positions";
    }
    const auto rows = static_cast<long long>(plan.rows_per_task), slices = static_cast<long long>(plan.slices_per_task);
    return slices == 1 ? format(", %lld output rows each", rows)
                       : format(", %lld output rows of %lld slices each", rows, slices);
}

void print_plan(const Arguments &arguments) {
    use_wisdom(arguments.wisdom);
    LayerArguments layer_arguments = arguments.layer;
    const Shape &input = arguments.input_size;
    layer_arguments.options.in_channels = input[input.size() - static_cast<size_t>(layer_arguments.dims) - 1];
    ConvTranspose layer = layer_arguments.make_layer({arguments.op});
    // All weights are zero, which every type has: kernels of pairs are only for weights that bf16 has.
    layer.set_weight(std::vector<float>(layer.weight().size()).data(), layer.weight_shape());
    const Shape output = layer.output_shape(input, layer_arguments.output_size);
    const Plan plan =
        layer.plan(input, layer_arguments.layout, layer_arguments.output_size, layer_arguments.types, arguments.op);
    const double flops = 2 * plan.multiply_adds;
    const Variant &v = plan.variant;
    const bool on_cpu = layer.device() == Device::cpu;
    const std::string stride = v.stride_x == 1 ? "any stride" : format("stride %d along W", v.stride_x);

    std::cout << "layer       " << shape_text(input) << " -> " << shape_text(output) << ", weight "
              << shape_text(layer.weight_shape()) << ", " << to_string(layer_arguments.layout) << '\n'
              << operator_text(arguments.op) << "variant     " << v.name << '\n'
              << format("            family %s, tile of %d channels x %d columns, %s, %s, %s\n", v.family.c_str(),
                        v.block, v.columns, stride.c_str(), v.isa.c_str(), to_string(v.types).c_str())
              << (plan.rest.empty() ? ""
                                    : format("            for %lld channels; %s for the rest\n",
                                             static_cast<long long>(plan.channels), plan.rest.c_str()))
              << "reason      " << plan.reason << '\n'
              << format("expected    %.4g ms, ", plan.expected_seconds * 1e3)
              << (plan.measured ? "as wisdom tells"
                                : "by the planner's estimate of the arithmetic; memory may take longer")
              << '\n'
              << "machine     " << machine_text(layer.device()) << '\n'
              << (on_cpu ? "threads     " : "processors  ") << plan.threads << '\n'
              << "tasks       " << plan.tasks << tasks_text(plan) << "; kernel calls " << plan.kernel_calls << '\n'
              << "memory      " << bytes_text(static_cast<double>(plan.packed_bytes)) << " of packed weights, "
              << bytes_text(static_cast<double>(plan.scratch_bytes)) << " of scratch\n"
              << format("arithmetic  %.3f GFLOP; at least %s to move, so %.1f FLOP per byte\n", flops * 1e-9,
                        bytes_text(plan.compulsory_bytes).c_str(), flops / plan.compulsory_bytes);
}

}  // namespace

void add_plan(CLI::App &app) {
    CLI::App *command = app.add_subcommand("plan", "Show what would run for a layer on this machine, and why");
    const auto arguments = std::make_shared<Arguments>();
    ConvTranspose3dOptions &options = arguments->layer.options;
    const int &dims = arguments->layer.dims;
    add_dims(*command, arguments->layer.dims);
    add_input_size(*command, dims, arguments->input_size)->required();
    add_integer(*command, "--out-channels", options.out_channels, "Channels of the output")->required();
    add_triple(*command, dims, "--kernel-size", options.kernel_size, "Size of the kernel")->required();
    add_operator(*command, arguments->op);
    add_types(*command, arguments->layer.types, "f32");
    add_layer_arguments(*command, arguments->layer);
    add_wisdom_argument(*command, arguments->wisdom);
    command->callback([arguments] { print_plan(*arguments); });
}

}  // namespace unstride::tools
