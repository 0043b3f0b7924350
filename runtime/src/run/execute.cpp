#include "run/execute.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "array/buffer.h"
#include "device/kernel_call.h"
#include "kernels/calls.h"
#include "kernels/fold.h"
#include "plan/planner.h"
#include "run/activation_pass.h"

namespace unstride {
namespace {

// Blocks of threads along the second and third dimension of a grid: phases times items, and blocks of channels times
// groups.
constexpr int64_t grid_limit = 65535;

// Items of the batch that one call takes.
struct Items {
    int64_t first, count;
};

class Execution {
public:
    Execution(const Part &part, const Geometry &geometry, const std::vector<Panels> &panels, const Volume &input,
              const Volume &output, const Epilogue &epilogue, int threads, const Stream &stream)
        : part_(part), geometry_(geometry), panels_(panels), input_(input), output_(output), epilogue_(epilogue),
          threads_(threads), stream_(stream), variant_(part.entry->variant),
          channels_(channels_seen(geometry.channels, part.entry->variant)) {
    }

    void run() const {
        const int64_t most = items_per_call();
        const std::vector<Phases> phases = phases_of_calls(geometry_.extent[2], variant_);
        for (int64_t item = 0; item < geometry_.batch; item += most) {
            const Items items{item, std::min(most, geometry_.batch - item)};
            for (const Section &z : sections_of_calls(geometry_.extent[0], variant_)) {
                for (const Section &y : sections_of_calls(geometry_.extent[1], variant_)) {
                    for (const Phases &some : phases) {
                        call(items, z, y, some, &some == &phases.back());
                    }
                }
            }
        }
    }

private:
    int64_t items_per_call() const {
        const int64_t items = unstride::items_per_call(
            geometry_, input_.batch, std::max(output_.batch, epilogue_.residual ? epilogue_.residual->batch : 0));
        if (stream_.device == Device::cpu) {
            return items;
        }
        const int64_t of_grid = std::min(items, grid_limit / geometry_.extent[2].axis.stride);
        if (stream_.device == Device::opencl && of_grid < geometry_.batch) {
            throw InvalidArgument("more than " + std::to_string(of_grid) +
                                  " items of this size are not supported with OpenCL");
        }
        if (product({divide_up(channels_.outputs, variant_.block), channels_.groups}) > grid_limit) {
            throw InvalidArgument("more than 65535 blocks of output channels are not supported on a GPU");
        }
        return of_grid;
    }

    Place place_of(const Volume &volume, int64_t offset) const {
        return {stream_.device, volume.data, volume.dtype, volume.array, volume.offset + offset};
    }

    Buffer<6> inputs_of(const Items &items, const Section &z, const Section &y) const {
        const int64_t group_inputs = geometry_.depthwise()
                                         ? channels_.outputs
                                         : geometry_.channels.inputs;  // a depthwise kernel reads one for each output
        const std::array<int64_t, 6> extents{geometry_.extent[2].input, y.inputs,   z.inputs, group_inputs,
                                             channels_.groups,          items.count};
        const int64_t offset =
            items.first * input_.batch + z.input_first * input_.depth + y.input_first * input_.height;
        return {place_of(input_, offset), extents,
                strides_that_matter(extents,
                                    {input_.width, input_.height * y.input_step, input_.depth * z.input_step,
                                     input_.channel, input_.group, input_.batch},
                                    variant_.family == "quads" ? 4 : 1)};
    }

    Buffer<7> outputs_of(const Volume &volume, const Items &items, const Section &z, const Section &y,
                         const Phases &phases) const {
        const std::array<int64_t, 7> extents{phases.columns,    phases.count,     y.outputs,  z.outputs,
                                             channels_.outputs, channels_.groups, items.count};
        return {place_of(volume, offset_of(volume, items, z, y) + phases.first * volume.width), extents,
                strides_that_matter(extents, {volume.width * phases.step, volume.width, volume.height * y.step,
                                              volume.depth * z.step, volume.channel, volume.group, volume.batch})};
    }

    static int64_t offset_of(const Volume &volume, const Items &items, const Section &z, const Section &y) {
        return items.first * volume.batch + z.first * volume.depth + y.first * volume.height;
    }

    void call(const Items &items, const Section &z, const Section &y, const Phases &phases, bool last) const {
        const Extent &x = geometry_.extent[2];
        const int64_t inputs = channels_.inputs, outputs = channels_.outputs, groups = channels_.groups;
        const Panels &panels = panels_[static_cast<size_t>(panels_of_phase(geometry_, variant_, z.phase, y.phase))];
        const int64_t panel = inputs * panels.block;                      // of one tap
        const bool all_taps = algorithm_of(variant_) == Algorithm::taps;  // along y and x in one panel
        const int64_t row = panel * (all_taps ? 1 : x.kernel), slice = row * (all_taps ? 1 : y.kernel);
        Buffer<7> weight({stream_.device, panels.weight.get(), panels.dtype, panels.device_weight.get(), 0},
                         {panels.block, inputs, x.kernel, y.kernel, z.kernel, panels.blocks, groups},
                         {1, panels.block, all_taps ? 0 : panel, all_taps ? 0 : row, slice, slice * z.kernel,
                          slice * z.kernel * panels.blocks});
        const int64_t biases = all_taps ? outputs : panels.blocks * panels.block;
        Buffer<3> bias({stream_.device, panels.bias.get(), panels.dtype, panels.device_bias.get(), 0},
                       {biases, groups, 3}, {1, biases, biases * groups});
        Buffer<6> in = inputs_of(items, z, y);
        Buffer<7> out = outputs_of(output_, items, z, y, phases);
        // Where there is no residual, none is read, but a kernel expects a buffer.
        Buffer<7> residual = epilogue_.residual ? outputs_of(*epilogue_.residual, items, z, y, phases)
                                                : outputs_of(output_, items, z, y, phases);
        if (part_.entry->autoscheduled && variant_.layout == Layout::ndhwc) {
            in.put_first(3);
            out.put_first(4);
            residual.put_first(4);
        }
        const auto narrow = [](int64_t value) { return static_cast<int32_t>(value); };
        const Split &split = part_.split;
        const bool in_registers = is_in_registers(epilogue_.formula);
        std::optional<ActivationPass> pass;
        if (!in_registers && last) {
            Volume counted = output_;
            counted.depth *= z.step;
            counted.height *= y.step;
            counted.offset += offset_of(output_, items, z, y);
            pass.emplace(variant_, epilogue_.formula, bias.get(), counted, x.output);
        }
        const Tasks tasks = tasks_of(part_, channels_, items.count, z.outputs, y.outputs);
        const bool after_tasks = pass && stream_.device == Device::cpu && !part_.entry->autoscheduled;
        KernelCall::AfterTask finish;
        if (after_tasks) {
            finish = [&](void *user_context, int outer, int inner) {
                return pass->run(user_context, tasks.box(outer, inner));
            };
        }
        KernelCall call(threads_, split.share_items ? KernelCall::Shared::items : KernelCall::Shared::tasks, stream_,
                        std::move(finish));
        call.check(part_.entry->kernel(
            call.context(), in.get(), weight.get(), bias.get(), residual.get(),                     //
            narrow(x.axis.padding + phases.first), narrow(y.axis.padding), narrow(z.axis.padding),  //
            narrow(x.axis.dilation), narrow(y.axis.dilation), narrow(z.axis.dilation),              //
            narrow(x.axis.stride), narrow(y.axis.stride), narrow(z.axis.stride),                    //
            narrow(x.axis.common), narrow(y.axis.common), narrow(z.axis.common),                    //
            narrow(x.axis.inverse), narrow(y.axis.inverse), narrow(z.axis.inverse),                 //
            epilogue_.residual.has_value(), static_cast<int32_t>(in_registers ? epilogue_.formula : Formula::none),
            narrow(split.rows), narrow(split.slices), narrow(split.items), narrow(split.blocks), out.get()));
        if (pass && !after_tasks) {
            call.check(pass->run_all(call.context(), tasks));
        }
    }

    const Part &part_;
    const Geometry &geometry_;
    const std::vector<Panels> &panels_;
    const Volume input_;
    const Volume output_;
    const Epilogue &epilogue_;
    const int threads_;
    const Stream &stream_;
    const Variant &variant_;
    const Channels channels_;
};

}  // namespace

int64_t items_per_call(const Geometry &geometry, int64_t input_item_stride, int64_t output_item_stride) {
    const int64_t items = std::max<int64_t>(geometry.batch, 1);
    const auto stride = std::max<int64_t>({input_item_stride, output_item_stride, geometry.input_elements() / items,
                                           geometry.output_elements() / items, 1});
    return std::clamp<int64_t>(std::numeric_limits<int32_t>::max() / stride, 1, items);
}

void execute(const Part &part, const Geometry &geometry, const std::vector<Panels> &panels, const Volume &input,
             const Volume &output, const Epilogue &epilogue, int threads, const Stream &stream) {
    const auto place = [](Volume volume, int64_t column, int64_t step) {
        volume.offset += column * volume.width;
        volume.height = step != 0 ? step * volume.width : volume.height;
        return volume;
    };
    for (const Piece &piece : pieces_of(geometry, part.entry->variant)) {
        Epilogue epilogue_of_piece = epilogue;
        if (epilogue.residual) {
            epilogue_of_piece.residual = place(*epilogue.residual, piece.output, piece.output_step);
        }
        Execution(part, piece.geometry, panels, place(input, piece.input, piece.input_step),
                  place(output, piece.output, piece.output_step), epilogue_of_piece, threads, stream)
            .run();
    }
}

}  // namespace unstride
