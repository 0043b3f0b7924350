#include "winograd.h"

#include <HalideRuntime.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <numeric>
#include <utility>

#include "checked.h"
#include "kernel_call.h"

namespace unstride {
namespace {

// The taps that a phase's minimal filter multiplies with: `taps` of them, `step` apart, to one more, `to_step` apart.
void transform(const float *w, int64_t taps, int64_t step, float *to, int64_t to_step) {
    const float w0 = w[0], w1 = taps > 1 ? w[step] : 0, w2 = taps > 2 ? w[2 * step] : 0;
    const std::array<std::array<float, 4>, 3> products = {{{w0, w0}, {w1, w0 + w1, w0}, {w2, (w0 + w1 + w2) / 2, (w0 - w1 + w2) / 2, w0}}};
    for (int64_t m = 0; m <= taps; m++) {
        to[m * to_step] = products[taps - 1][m];
    }
}

bool are_moderate(const float *numbers, int64_t count) {
    constexpr uint32_t limit = 0x58800000;  // 2^50; all that is larger, infinite or NaN compares above it
    uint32_t above = 0;
    for (int64_t i = 0; i < count; i++) {
        uint32_t bits = 0;
        std::memcpy(&bits, numbers + i, sizeof(bits));
        above |= (bits & 0x7fffffff) > limit ? 1 : 0;
    }
    return above == 0;
}

// Memory in runs of neighbouring floats, some strides apart.
struct Runs {
    const float *data;
    int64_t length;
    std::vector<std::pair<int64_t, int64_t>> loops;  // size and stride, innermost first
};

Runs runs_of(const Volume<const float> &a, const Geometry &geometry) {
    const auto &[z, y, x] = geometry.extent;
    std::vector<std::pair<int64_t, int64_t>> loops = {{geometry.batch, a.batch}, {geometry.channels.groups, a.group}, {geometry.channels.inputs, a.channel}, {z.input, a.depth}, {y.input, a.height}, {x.input, a.width}};
    loops.erase(std::remove_if(loops.begin(), loops.end(), [](const auto &loop) { return loop.first == 1; }), loops.end());
    std::sort(loops.begin(), loops.end(), [](const auto &a, const auto &b) { return a.second < b.second; });
    Runs runs{a.data, 1, {}};
    for (const auto &[size, stride] : loops) {
        if (runs.loops.empty() && stride == runs.length) {
            runs.length *= size;
        } else {
            runs.loops.emplace_back(size, stride);
        }
    }
    return runs;
}

// A run, or a piece of a long one, is a turn of a parallel loop.
struct Scan {
    static constexpr int64_t piece = 1 << 16;
    Runs runs;
    std::atomic<bool> moderate{true};

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
        const float *data = runs.data + first;
        i /= pieces();
        for (const auto &[size, stride] : runs.loops) {
            data += i % size * stride;
            i /= size;
        }
        if (!are_moderate(data, std::min(piece, runs.length - first))) {
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

std::vector<float> transform_weights(const Geometry &geometry, int64_t first_tap_z, int64_t first_tap_y, const std::vector<float> &weight, int64_t filters) {
    const auto &[z, y, x] = geometry.extent;
    const int64_t stride_z = z.axis.stride, stride_y = y.axis.stride, width = x.kernel, row = width, slice = y.kernel * row;
    const int64_t taps_z = divide_up(z.kernel - first_tap_z, stride_z), taps_y = divide_up(y.kernel - first_tap_y, stride_y);
    const int64_t products_z = taps_z + 1, products_y = taps_y + 1;
    std::vector<float> result(static_cast<size_t>(product({filters, products_z, products_y, width})));
    std::vector<float> along_y(static_cast<size_t>(taps_z * products_y));
    for (int64_t f = 0; f < filters; f++) {
        for (int64_t kx = 0; kx < width; kx++) {
            const float *from = weight.data() + f * z.kernel * slice + first_tap_z * slice + first_tap_y * row + kx;
            for (int64_t j = 0; j < taps_z; j++) {
                transform(from + j * stride_z * slice, taps_y, stride_y * row, along_y.data() + j * products_y, 1);
            }
            for (int64_t m = 0; m < products_y; m++) {
                transform(along_y.data() + m, taps_z, products_y, result.data() + ((f * products_z * products_y) + m) * width + kx, products_y * width);
            }
        }
    }
    return result;
}

bool are_moderate(const std::vector<float> &numbers) {
    return are_moderate(numbers.data(), static_cast<int64_t>(numbers.size()));
}

bool are_moderate(const Volume<const float> &input, const Geometry &geometry, int threads) {
    Scan scan{runs_of(input, geometry)};
    // Turns are dealt out in a thousand shares: a loop of Halide's counts with 32 bits.
    KernelCall call(threads, true, {});
    const auto shares = static_cast<int>(std::min<int64_t>(scan.turns(), 1024));
    const auto share = [](void *, int i, uint8_t *closure) {  // NOLINT(readability-non-const-parameter): a halide_task_t
        auto &scan = *reinterpret_cast<Scan *>(closure);
        for (int64_t turns = scan.turns(), shares = std::min<int64_t>(turns, 1024), turn = i; turn < turns && scan.moderate; turn += shares) {
            scan.turn(turn);
        }
        return 0;
    };
    call.check(halide_do_par_for(&call, share, 0, shares, reinterpret_cast<uint8_t *>(&scan)));
    return scan.moderate;
}

}  // namespace unstride
