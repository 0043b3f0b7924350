#include "run/execute.h"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "device/kernel_call.h"
#include "run/activation_pass.h"

namespace unstride {
namespace {

// Returns the arrays of one piece of a part, with their channels in the groups that the part's kernel sees.
Arrays arrays_of(const Part &part, const Piece &piece, const Arrays &arrays) {
    const auto rows_of = [&](const Array &array, const Range &rows, int64_t columns) {
        return piece.is_whole ? array : array.rows_of_columns(rows, columns);
    };
    const auto read_of = [&](const Array &array) {
        Array::Window window = array.whole();
        window[Array::slice] = piece.read[0];
        window[Array::row] = piece.read[1];
        window[Array::column] = piece.read[2];
        return array.window(window);
    };
    const auto outputs_of = [&](const Array &array) {
        const Array grouped = array.grouped(part.seen.groups);
        Array::Window window = grouped.whole();
        window[Array::channel] = {part.channels.first, 1, part.seen.outputs};
        return rows_of(grouped.window(window), piece.output, piece.geometry.extent[2].output);
    };
    const Array input = arrays.input.grouped(part.seen.groups);
    return {piece.is_whole ? read_of(input) : rows_of(input, piece.input, piece.geometry.extent[2].input),
            outputs_of(arrays.output), arrays.residual ? std::optional(outputs_of(*arrays.residual)) : std::nullopt};
}

// Makes the calls of a kernel that compute one piece of a part.
class Execution {
public:
    Execution(const Part &part, const Piece &piece, const std::vector<Panels> &panels, const Arrays &arrays,
              Formula activation, int threads, const Stream &stream)
        : part_(part), piece_(piece), panels_(panels), arrays_(arrays_of(part, piece, arrays)), activation_(activation),
          threads_(threads), stream_(stream), variant_(part.entry->variant) {
    }

    void run() const {
        int64_t apart = std::max(arrays_.input.stride(Array::item), arrays_.output.stride(Array::item));
        if (arrays_.residual) {
            apart = std::max(apart, arrays_.residual->stride(Array::item));
        }
        const int64_t most = items_of_call(part_, piece_, apart), batch = piece_.geometry.batch;
        const auto &[depth, height, width] = piece_.cuts;
        for (int64_t item = 0; item < batch; item += most) {
            const Range items{item, 1, std::min(most, batch - item)};
            for (const Cut &z : depth) {
                for (const Cut &y : height) {
                    for (const Cut &x : width) {
                        call(items, z, y, x, &x == &width.back() ? Row::is_complete : Row::lacks_phases);
                    }
                }
            }
        }
    }

private:
    // Tells whether a call along the width is the last one, after which the output's rows are complete.
    enum class Row { lacks_phases, is_complete };

    static Array part_of(const Array &array, const Range &items, const Range &slices, const Range &rows) {
        Array::Window window = array.whole();
        window[Array::item] = items;
        window[Array::slice] = slices;
        window[Array::row] = rows;
        return array.window(window);
    }

    KernelBuffer<6> input_of(const Range &items, const Cut &z, const Cut &y) const {
        return part_of(arrays_.input, items, z.input, y.input).as_input(part_.entry->facts->inputs_per_load);
    }

    // Returns the rows of the output or the residual for a call, with the columns of all phases.
    static Array rows_of_call(const Array &array, const Range &items, const Cut &z, const Cut &y) {
        return part_of(array, items, z.output, y.output);
    }

    // Returns the phases along the width that a call computes of these rows.
    static KernelBuffer<7> phases_of_rows(const Array &rows, const Cut &x) {
        Array::Window window = rows.whole();
        window[Array::column] = x.output;
        window[Array::phase] = {0, 1, x.phases};
        return rows.window(window).as_output();
    }

    void call(const Range &items, const Cut &z, const Cut &y, const Cut &x, Row row) const {
        const Panels &panels = panels_[static_cast<size_t>(z.weights + y.weights)];
        KernelBuffer<7> weight = weight_buffer(panels, *part_.entry, part_.seen, {z.kernel, y.kernel, x.kernel});
        KernelBuffer<3> bias = bias_buffer(panels, *part_.entry, part_.seen);
        KernelBuffer<6> input = input_of(items, z, y);
        const Array rows = rows_of_call(arrays_.output, items, z, y);
        KernelBuffer<7> output = phases_of_rows(rows, x);
        // A kernel expects a buffer for the residual even if there is none. Then it does not read it.
        KernelBuffer<7> residual =
            phases_of_rows(arrays_.residual ? rows_of_call(*arrays_.residual, items, z, y) : rows, x);
        if (part_.entry->autoscheduled && variant_.layout == Layout::ndhwc) {
            input.put_first(3);
            output.put_first(4);
            residual.put_first(4);
        }

        const bool in_registers = is_in_registers(activation_);
        std::optional<ActivationPass> pass;
        if (!in_registers && row == Row::is_complete) {
            pass.emplace(variant_, activation_, bias.get(), rows);
        }
        // Only tasks of the CPU report when they are done, and only those of our own schedules are split as Tasks says.
        const bool after_tasks = pass && stream_.device == Device::cpu && !part_.entry->autoscheduled;
        KernelCall::AfterTask finish;
        if (after_tasks) {
            finish = [&, tasks = tasks_of(part_, rows)](void *user_context, int outer, int inner) {
                return pass->run(user_context, tasks.task(rows, outer, inner));
            };
        }
        const Split &split = part_.split;
        KernelCall call(threads_, split.share_items ? KernelCall::Shared::items : KernelCall::Shared::tasks, stream_,
                        std::move(finish));
        const auto narrow = [](int64_t value) { return static_cast<int32_t>(value); };
        call.check(std::get<Kernel>(part_.entry->kernel)(
            call.context(), input.get(), weight.get(), bias.get(), residual.get(),      //
            narrow(x.axis.padding), narrow(y.axis.padding), narrow(z.axis.padding),     //
            narrow(x.axis.dilation), narrow(y.axis.dilation), narrow(z.axis.dilation),  //
            narrow(x.axis.stride), narrow(y.axis.stride), narrow(z.axis.stride),        //
            narrow(x.axis.common), narrow(y.axis.common), narrow(z.axis.common),        //
            narrow(x.axis.inverse), narrow(y.axis.inverse), narrow(z.axis.inverse),     //
            arrays_.residual.has_value(), static_cast<int32_t>(in_registers ? activation_ : Formula::none),
            narrow(split.rows), narrow(split.slices), narrow(split.items), narrow(split.blocks), output.get()));
        if (pass && !after_tasks) {
            call.check(pass->run_all(call.context()));
        }
    }

    const Part &part_;
    const Piece &piece_;
    const std::vector<Panels> &panels_;
    const Arrays arrays_;
    const Formula activation_;
    const int threads_;
    const Stream &stream_;
    const Variant &variant_;
};

}  // namespace

void execute(const Part &part, const std::vector<Panels> &panels, const Arrays &arrays, Formula activation, int threads,
             const Stream &stream) {
    for (const Piece &piece : part.pieces) {
        Execution(part, piece, panels, arrays, activation, threads, stream).run();
    }
}

}  // namespace unstride
