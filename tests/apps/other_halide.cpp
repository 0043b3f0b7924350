// An app with a pipeline of Halide beside the library, whose kernels are pipelines, too: both are used in turns and at
// the same time, both compute the same as alone, and the app's handlers get what is the pipeline's. In the program the
// pipeline shares Halide's runtime with the library; in LIBRARY it has one of its own.
//
//     other_halide [LIBRARY]

#include <dlfcn.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "HalideRuntime.h"
#include "app.h"
#include "other_pipeline.h"

namespace {

using namespace unstride;

constexpr int width = 60, height = 40, times = 100;

std::atomic<int> errors{0};

void count_error(void *, const char *) {
    errors++;
}

// The pipeline, and a function of the runtime that it uses.
struct Pipeline {
    decltype(&other_pipeline) compute = other_pipeline;
    decltype(&halide_set_error_handler) set_error_handler = halide_set_error_handler;
};

Pipeline pipeline_of(const char *path) {
    void *const library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const auto find = [&](const char *name) { return library == nullptr ? nullptr : dlsym(library, name); };
    const Pipeline found{reinterpret_cast<decltype(Pipeline::compute)>(find("other_pipeline")),
                         reinterpret_cast<decltype(Pipeline::set_error_handler)>(find("halide_set_error_handler"))};
    if (found.compute == nullptr || found.set_error_handler == nullptr) {
        throw std::runtime_error("the other library cannot be loaded");
    }
    if (found.set_error_handler == halide_set_error_handler) {
        throw std::runtime_error("the other library has no runtime of its own");
    }
    return found;
}

// A view of floats of these sizes, as pipelines take it.
struct Buffer {
    halide_buffer_t buffer{};
    halide_dimension_t dimensions[2];

    Buffer(std::vector<float> &values, int columns, int rows) : dimensions{{0, columns, 1}, {0, rows, columns}} {
        buffer.host = reinterpret_cast<uint8_t *>(values.data());
        buffer.type = halide_type_of<float>();
        buffer.dimensions = 2;
        buffer.dim = dimensions;
    }
};

// The pipeline's input and what it computes of it, which is exact in floats.
struct Sums {
    const Pipeline pipeline;
    std::vector<float> input = std::vector<float>((width + 3) * (height + 1)),
                       output = std::vector<float>(width * height);

    explicit Sums(const Pipeline &given) : pipeline(given) {
        for (size_t i = 0; i < input.size(); i++) {
            input[i] = static_cast<float>(i % 17) - 8;
        }
    }

    bool are_right() {
        std::fill(output.begin(), output.end(), -1.0F);
        Buffer from(input, width + 3, height + 1), to(output, width, height);
        bool right = pipeline.compute(&from.buffer, &to.buffer) == 0;
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                float expected = 0;
                for (int i = 0; i < 8; i++) {
                    expected += input[static_cast<size_t>((y + i / 4) * (width + 3) + x + i % 4)];
                }
                right = right && output[static_cast<size_t>(y * width + x)] == expected;
            }
        }
        return right;
    }

    // Whether the pipeline refuses an input that is too small.
    bool are_refused() {
        Buffer from(input, width, height), to(output, width, height);
        return pipeline.compute(&from.buffer, &to.buffer) != 0;
    }
};

int check(const Pipeline &pipeline) {
    set_num_threads(3);
    const apps::Work rows = apps::shared_by_rows(), items = apps::shared_by_items();
    Sums sums(pipeline);
    bool right = true;
    for (int i = 0; i < times; i++) {
        right = right && sums.are_right() && rows.is_right() && items.is_right();
    }
    std::atomic<bool> right_beside{true};
    std::thread other([&] {
        for (int i = 0; i < times; i++) {
            right_beside = right_beside && rows.is_right();
        }
    });
    for (int i = 0; i < times; i++) {
        right = right && sums.are_right();
    }
    other.join();

    pipeline.set_error_handler(count_error);
    const bool refused = sums.are_refused() && errors == 1;
    pipeline.set_error_handler(nullptr);
    right = right && rows.is_right() && sums.are_right();
    return apps::status(right, "the results are wrong in turns") +
           apps::status(right_beside, "the results are wrong in threads") +
           apps::status(refused, "the app's handler does not get the error of its pipeline");
}

}  // namespace

int main(int argc, char **argv) {
    return apps::run([&] { return check(argc == 2 ? pipeline_of(argv[1]) : Pipeline()); });
}
