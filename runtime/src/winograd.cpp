#include "winograd.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <limits>
#include <numeric>
#include <utility>

#include "checked.h"
#include "thread_pool.h"

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

// Of numbers with these bits, of which the first one is the sign, none is above `limit`, in magnitude. Infinities and
// NaN are.
template<typename Bits>
bool are_up_to(Bits limit, const void *numbers, int64_t count) {
    const auto *from = static_cast<const char *>(numbers);
    constexpr Bits magnitude = std::numeric_limits<Bits>::max() >> 1;
    Bits above = 0;
    for (int64_t i = 0; i < count; i++) {
        Bits bits = 0;
        std::memcpy(&bits, from + i * static_cast<int64_t>(sizeof(bits)), sizeof(bits));
        above |= (bits & magnitude) > limit ? 1 : 0;
    }
    return above == 0;
}

bool are_moderate(const void *numbers, DType dtype, int64_t count) {
    switch (dtype) {  // up to 2^50, but all that an f16 can be is below it
    case DType::f64:
        return are_up_to<uint64_t>(uint64_t{1023 + 50} << 52, numbers, count);
    case DType::f16:
        return are_up_to<uint16_t>(0x7bff, numbers, count);
    case DType::bf16:
        return are_up_to<uint16_t>((127 + 50) << 7, numbers, count);
    default:
        return are_up_to<uint32_t>((127 + 50) << 23, numbers, count);
    }
}

// Memory in runs of neighbouring elements, some strides apart.
struct Runs {
    const char *data;
    DType dtype;
    int64_t length;
    std::vector<std::pair<int64_t, int64_t>> loops;  // size and stride, innermost first
};

Runs runs_of(const Volume &a, const Geometry &geometry) {
    const auto &[z, y, x] = geometry.extent;
    std::vector<std::pair<int64_t, int64_t>> loops = {{geometry.batch, a.batch},
                                                      {geometry.channels.groups, a.group},
                                                      {geometry.channels.inputs, a.channel},
                                                      {z.input, a.depth},
                                                      {y.input, a.height},
                                                      {x.input, a.width}};
    loops.erase(std::remove_if(loops.begin(), loops.end(), [](const auto &loop) { return loop.first == 1; }),
                loops.end());
    std::sort(loops.begin(), loops.end(), [](const auto &a, const auto &b) { return a.second < b.second; });
    Runs runs{static_cast<const char *>(a.data) + a.offset * size_of(a.dtype), a.dtype, 1, {}};
    for (const auto &[size, stride] : loops) {
        if (runs.loops.empty() && stride == runs.length) {
            runs.length *= size;
        } else {
            runs.loops.emplace_back(size, stride);
        }
    }
    return runs;
}

// A run, or a piece of a long one, is a turn of a loop that threads share.
struct Scan {
    static constexpr int64_t piece = 1 << 16;
    Runs runs;
    std::atomic<int64_t> next{0};
    std::atomic<bool> moderate{true};

    void operator()() {
        for (int64_t all = turns(), i = next++; i < all && moderate; i = next++) {
            turn(i);
        }
    }

    int64_t pieces() const {
        return divide_up(runs.length, piece);
    }
    int64_t turns() const {
        int64_t turns = pieces();
        for (const auto &loop : runs.loops) {
            turns *= loop.first;
        }
        return turns;
    }
    void turn(int64_t i) {
        const int64_t first = i % pieces() * piece;
        int64_t offset = first;
        i /= pieces();
        for (const auto &[size, stride] : runs.loops) {
            offset += i % size * stride;
            i /= size;
        }
        if (!are_moderate(runs.data + offset * size_of(runs.dtype), runs.dtype, std::min(piece, runs.length - first))) {
            moderate = false;
        }
    }
};

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

bool are_moderate(const std::vector<float> &numbers) {
    return are_moderate(numbers.data(), DType::f32, static_cast<int64_t>(numbers.size()));
}

bool are_moderate(const Volume &input, const Geometry &geometry, int threads) {
    Scan scan{runs_of(input, geometry)};
    in_threads(static_cast<int>(std::min<int64_t>(threads, scan.turns())), scan);
    return scan.moderate;
}

}  // namespace unstride
