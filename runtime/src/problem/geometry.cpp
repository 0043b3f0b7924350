#include "problem/geometry.h"

#include <algorithm>
#include <utility>

#include "problem/checked.h"

namespace unstride {

int64_t reached_outputs(int64_t input, int64_t kernel, int64_t stride, int64_t dilation) {
    return add(add(multiply(input - 1, stride), multiply(dilation, kernel - 1)), 1);
}

int64_t Geometry::input_elements() const {
    return batch * channels.groups * channels.inputs * extent[0].input * extent[1].input * extent[2].input;
}

int64_t Geometry::output_elements() const {
    return batch * channels.groups * channels.outputs * extent[0].output * extent[1].output * extent[2].output;
}

int64_t Geometry::weight_elements() const {
    return channels.groups * channels.inputs * channels.outputs * taps();
}

int64_t Geometry::taps() const {
    return extent[0].kernel * extent[1].kernel * extent[2].kernel;
}

Geometry reversed(Geometry geometry) {
    std::swap(geometry.channels.inputs, geometry.channels.outputs);
    for (Extent &e : geometry.extent) {
        std::swap(e.input, e.output);
    }
    return geometry;
}

Geometry reversed_as_forward(Geometry geometry) {
    // Input i reads output o = i - padding + k * dilation. The other layer's output i reads the inputs o with
    // i = o - other padding + (kernel - 1 - k) * dilation.
    for (Extent &e : geometry.extent) {
        e.axis.padding = e.axis.dilation * (e.kernel - 1) - e.axis.padding;
    }
    return reversed(geometry);
}

double Geometry::multiply_adds() const {
    double result =
        static_cast<double>(batch * channels.groups) * static_cast<double>(channels.inputs * channels.outputs);
    for (const Extent &e : extent) {
        // Input i and tap k meet in output i * stride - padding + k * dilation. Count the pairs for which it exists.
        int64_t pairs = 0;
        for (int64_t k = 0; k < e.kernel; k++) {
            const int64_t offset = k * e.axis.dilation - e.axis.padding;
            const int64_t first = offset >= 0 ? 0 : (-offset + e.axis.stride - 1) / e.axis.stride;
            const int64_t last = e.output - 1 - offset < 0 ? -1 : (e.output - 1 - offset) / e.axis.stride;
            pairs += std::max<int64_t>(0, std::min(last, e.input - 1) - first + 1);
        }
        result *= static_cast<double>(pairs);
    }
    return result;
}

Geometry with_outputs_alone(const Geometry &geometry) {
    Geometry alone{geometry.batch, {1, 0, multiply(geometry.channels.groups, geometry.channels.outputs)}, {}};
    for (size_t d = 0; d < alone.extent.size(); d++) {
        const int64_t outputs = geometry.extent[d].output;
        alone.extent[d] = {outputs, outputs, 1, make_axis(1, 1, 0)};
    }
    return alone;
}

}  // namespace unstride
