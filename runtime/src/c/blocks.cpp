// Blocks of outputs.

#include <algorithm>

#include "c/arrays.h"
#include "c/layer.h"
#include "c/status.h"

namespace unstride::c {
namespace {

// What a caller's block says.
struct BlockOfWhole {
    Shape input_shape, output_size;
    Block outputs;
};

Shape numbers_of(const int64_t (&numbers)[3], int spatial) {
    if (std::any_of(numbers + spatial, numbers + 3, [](int64_t number) { return number != 0; })) {
        throw InvalidArgument("block has more numbers than the layer has dimensions of space, " +
                              std::to_string(spatial));
    }
    return {numbers, numbers + spatial};
}

BlockOfWhole block_from(const unstride_block *block, int spatial) {
    const unstride_block given = options_from("block", check_given("block", block));
    return {shape_of("input_sizes", given.input_sizes, given.ndim),
            shape_of("output_size", given.output_size, given.output_size_count),
            {numbers_of(given.begin, spatial), numbers_of(given.end, spatial)}};
}

}  // namespace
}  // namespace unstride::c

using namespace unstride;
using namespace unstride::c;

unstride_status unstride_layer_halo(const unstride_layer *layer, const unstride_block *block, int64_t *input_begin,
                                    int64_t *input_end) {
    return status_of([&] {
        const ConvTranspose &on = layer_of(layer);
        const BlockOfWhole given = block_from(block, on.spatial());
        check_given("input_begin", input_begin);
        check_given("input_end", input_end);
        const Block inputs = on.halo(given.input_shape, given.outputs, given.output_size);
        std::copy(inputs.begin.begin(), inputs.begin.end(), input_begin);
        std::copy(inputs.end.begin(), inputs.end.end(), input_end);
    });
}

unstride_status unstride_layer_forward_block(const unstride_layer *layer, const unstride_block *block,
                                             const unstride_array *input, const unstride_array *output,
                                             const unstride_array *residual) {
    return status_of([&] {
        const ConvTranspose &on = layer_of(layer);
        const BlockOfWhole given = block_from(block, on.spatial());
        const View<const void> inputs = view_in_process({"input", input});
        const View<void> outputs = view_in_process({"output", output});
        if (residual == nullptr) {
            on.forward_block(inputs, outputs, given.outputs, given.input_shape, given.output_size);
        } else {
            on.forward_block(inputs, outputs, view_in_process({"residual", residual}), given.outputs, given.input_shape,
                             given.output_size);
        }
    });
}
