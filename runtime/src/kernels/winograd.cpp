#include "kernels/winograd.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <limits>
#include <numeric>
#include <utility>

#include "problem/checked.h"

namespace unstride {
namespace {

// The taps that a phase's minimal filter multiplies with: `taps` of them, `step` apart, to one more, `to_step` apart.
template<typename T>
void transform(const T *w, int64_t taps, int64_t step, T *to, int64_t to_step) {
    const T w0 = w[0], w1 = taps > 1 ? w[step] : 0, w2 = taps > 2 ? w[2 * step] : 0;
    const std::array<std::array<T, 4>, 3> products = {
        {{w0, w0}, {w1, w0 + w1, w0}, {w2, (w0 + w1 + w2) / 2, (w0 - w1 + w2) / 2, w0}}};
    for (int64_t m = 0; m <= taps; m++) {
        to[m * to_step] = products[taps - 1][m];
    }
}

}  // namespace

std::string no_minimal_filters(const ConvTranspose3dOptions &o) {
    for (int d = 0; d < 2; d++) {
        const int64_t stride = o.stride[d], kernel = o.kernel_size[d];
        if (kernel < stride || kernel > 3 * stride || std::gcd(stride, o.dilation[d]) != 1) {
            return "needs one to three taps in each phase along depth and height";
        }
    }
    return "";
}

template<typename T>
std::vector<T> transform_weights(const Geometry &geometry, int64_t first_tap_z, int64_t first_tap_y,
                                 const std::vector<T> &weight, int64_t filters) {
    const auto &[z, y, x] = geometry.extent;
    const int64_t stride_z = z.axis.stride, stride_y = y.axis.stride, width = x.kernel, row = width,
                  slice = y.kernel * row;
    const int64_t taps_z = divide_up(z.kernel - first_tap_z, stride_z),
                  taps_y = divide_up(y.kernel - first_tap_y, stride_y);
    const int64_t products_z = taps_z + 1, products_y = taps_y + 1;
    std::vector<T> result(static_cast<size_t>(product({filters, products_z, products_y, width})));
    std::vector<T> along_y(static_cast<size_t>(taps_z * products_y));
    for (int64_t f = 0; f < filters; f++) {
        for (int64_t kx = 0; kx < width; kx++) {
            const T *from = weight.data() + f * z.kernel * slice + first_tap_z * slice + first_tap_y * row + kx;
            for (int64_t j = 0; j < taps_z; j++) {
                transform(from + j * stride_z * slice, taps_y, stride_y * row, along_y.data() + j * products_y, 1);
            }
            for (int64_t m = 0; m < products_y; m++) {
                transform(along_y.data() + m, taps_z, products_y,
                          result.data() + ((f * products_z * products_y) + m) * width + kx, products_y * width);
            }
        }
    }
    return result;
}

template std::vector<float> transform_weights(const Geometry &, int64_t, int64_t, const std::vector<float> &, int64_t);
template std::vector<double> transform_weights(const Geometry &, int64_t, int64_t, const std::vector<double> &,
                                               int64_t);

}  // namespace unstride
