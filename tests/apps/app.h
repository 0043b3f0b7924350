#ifndef UNSTRIDE_TESTS_APPS_APP_H
#define UNSTRIDE_TESTS_APPS_APP_H

// What the programs of this folder share. Each is an app that uses the library in a way of its own, and ends with
// status 0 if all is right.

#include <unstride/unstride.h>

#include <cstring>
#include <exception>
#include <iostream>
#include <utility>

namespace unstride::apps {

// Small numbers of both signs, the same each time.
inline Tensor make_input(const Shape &sizes) {
    Tensor input(sizes);
    for (int64_t i = 0; i < input.element_count(); i++) {
        input.data()[i] = static_cast<float>(i % 13) / 4 - 1;
    }
    return input;
}

inline bool same_bits(const Tensor &a, const Tensor &b) {
    const auto bytes = static_cast<size_t>(a.element_count()) * sizeof(float);
    return a.sizes() == b.sizes() && std::memcmp(a.data(), b.data(), bytes) == 0;
}

// A layer, its input, and what it is expected to compute: what it computed when the Work was made, alone in one thread.
class Work {
public:
    Work(ConvTranspose3d layer, const Shape &sizes)
        : layer_(std::move(layer)), input_(make_input(sizes)), expected_(layer_.forward(input_.view())) {
    }

    bool is_right() const {
        return same_bits(layer_.forward(input_.view()), expected_);
    }

private:
    ConvTranspose3d layer_;
    Tensor input_, expected_;
};

// Work whose rows are shared among threads.
inline Work shared_by_rows() {
    return {ConvTranspose3d(16, 16, 2, 2), {1, 16, 4, 12, 12}};
}

// Work whose items are shared among threads, with an activation that is a pass of its own.
inline Work shared_by_items() {
    ConvTranspose3d layer(8, 8, 2, 2);
    layer.set_activation(Activation::gelu());
    return {std::move(layer), {32, 8, 2, 6, 6}};
}

// The exit status of a program that failed, which says why.
inline int failure(const char *fault) {
    std::cerr << fault << std::endl;
    return 1;
}

// The exit status of a program whose results are right, or have this fault.
inline int status(bool right, const char *fault) {
    return right ? 0 : failure(fault);
}

// The exit status of a main function, with a message if it throws.
template<typename Function>
int run(const Function &function) {
    try {
        return function();
    } catch (const std::exception &e) {
        return failure(e.what());
    }
}

}  // namespace unstride::apps

#endif
