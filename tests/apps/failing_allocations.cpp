// Lets the first allocation of a call fail, then the second, and so on until none is left: each time the call has to
// succeed or to say that memory is short, nothing may leak, and the layer has to be as good as before.
//
//     failing_allocations again|first
//
// With `first`, each call is the first one in its process.

#include <algorithm>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "app.h"
#include "children.h"
#include "failing_malloc.h"
#include "unstride/c.h"

namespace {

using namespace unstride;
using apps::Fails;

// More allocations than any call makes.
constexpr int64_t most = 20'000;

const ConvTranspose3dOptions options{6, 10, 3, 2, 1, 1, 2};
const Shape input_shape{2, 6, 3, 4, 9};

// A layer with its arrays, and what a call of it gives.
struct Work {
    ConvTranspose3d layer{options};
    Tensor input = apps::make_input(input_shape);
    Tensor output{layer.output_shape(input_shape)};
    Tensor grad_input{input_shape}, grad_weight{layer.weight_shape()}, grad_bias{{1, 10, 1, 1, 1}};
    std::string text;

    Work() {
        std::fill(output.data(), output.data() + output.element_count(), 1.F);
        for (Tensor *tensor : {&grad_input, &grad_weight, &grad_bias}) {
            std::fill(tensor->data(), tensor->data() + tensor->element_count(), 0.F);
        }
    }

    std::string result() const {
        std::string all = text;
        for (const Tensor *tensor : {&output, &grad_input, &grad_weight, &grad_bias}) {
            all.append(reinterpret_cast<const char *>(tensor->data()),
                       static_cast<size_t>(tensor->element_count()) * sizeof(float));
        }
        return all;
    }
};

void set_all(Work &work) {
    const std::vector<double> weight(work.layer.weight().size(), 0.125), bias(10, 0.1);
    work.layer.set_weight(weight.data(), work.layer.weight_shape());
    work.layer.set_bias(bias.data(), {10});
    work.layer.set_activation(Activation::prelu(bias));
    work.layer.forward(work.input.view(), work.output.view());
}

void forward_in_f64(Work &work) {
    const std::vector<double> values(static_cast<size_t>(work.input.element_count()), 0.1);
    const Tensor result = work.layer.forward(dense_view(values.data(), input_shape, Layout::ndhwc));
    work.text = std::to_string(result.data<double>()[17]);
}

void measure(Work &work) {
    forget_wisdom();
    work.layer.set_planning(Planning::remember);
    work.layer.forward(work.input.view(), work.output.view());
    for (int i = 0; i < 200 && work.layer.plan(input_shape, Layout::ncdhw).under_trial; i++) {
        work.layer.forward(work.input.view(), work.output.view());
    }
    forget_wisdom();
}

void keep_wisdom(Work &work) {
    const Plan plan = work.layer.plan(input_shape, Layout::ncdhw);
    forget_wisdom();
    add_wisdom({options, input_shape, {}, Layout::ncdhw, num_threads(), plan.variant.name, 1, 1e-3});
    const std::string text = wisdom_text();
    const WisdomReport report = read_wisdom(text);
    work.text = text + std::to_string(report.entries) + report.summary();
    forget_wisdom();
}

void compute_block(Work &work) {
    const Block block{{0, 0, 0}, {6, 8, 18}};
    work.layer.forward_block(work.input.view(), work.output.view(), block, input_shape);
}

// Throws std::bad_alloc where the C API says that memory is short.
void check_status(unstride_status status) {
    if (status == UNSTRIDE_OUT_OF_MEMORY) {
        throw std::bad_alloc();
    }
    if (status != UNSTRIDE_OK) {
        throw std::runtime_error(unstride_last_error());
    }
}

void call_from_c(Work &work) {
    unstride_layer_options of_layer{};
    of_layer.size = sizeof of_layer;
    of_layer.in_channels = of_layer.out_channels = 6;
    std::fill(of_layer.kernel_size, of_layer.kernel_size + 3, 2);
    std::fill(of_layer.stride, of_layer.stride + 3, 1);
    std::fill(of_layer.dilation, of_layer.dilation + 3, 1);
    of_layer.groups = 2;
    unstride_layer *made = nullptr;
    check_status(unstride_layer_create(&of_layer, &made));
    const std::unique_ptr<unstride_layer, void (*)(unstride_layer *)> layer(made, unstride_layer_destroy);
    const int64_t sizes[] = {2, 6, 3, 4, 9}, larger[] = {2, 6, 4, 5, 10};
    std::vector<float> values(2L * 6 * 4 * 5 * 10);
    unstride_array input{}, output{};
    input.device_type = output.device_type = UNSTRIDE_CPU;
    input.ndim = output.ndim = 5;
    input.dtype = output.dtype = UNSTRIDE_F32;
    input.data = work.input.data();
    input.sizes = sizes;
    output.data = values.data();
    output.sizes = larger;
    check_status(unstride_layer_forward(layer.get(), &input, &output, nullptr, nullptr));
    unstride_plan_options wanted{};
    wanted.size = sizeof wanted;
    unstride_plan plan{};
    plan.size = sizeof plan;
    check_status(unstride_layer_plan(layer.get(), sizes, 5, &wanted, &plan));
    check_status(unstride_wisdom_read("unstride wisdom 1\nno line of wisdom\n", nullptr));
    work.text = std::to_string(values[100]) + plan.variant;
}

struct Call {
    const char *name;
    std::function<void(Work &)> perform;
};

const std::vector<Call> calls = {
    {"a layer is made", [](Work &) { const ConvTranspose3d layer(options); }},
    {"parameters are set", set_all},
    {"forward", [](Work &w) { w.layer.forward(w.input.view(), w.output.view()); }},
    {"forward into a new tensor", [](Work &w) { w.output = w.layer.forward(w.input.view()); }},
    {"forward in f64", forward_in_f64},
    {"input gradient", [](Work &w) { w.layer.input_gradient(w.output.view(), w.grad_input.view()); }},
    {"weight gradient",
     [](Work &w) { w.layer.weight_gradient(w.input.view(), w.output.view(), w.grad_weight.view()); }},
    {"bias gradient",
     [](Work &w) {
         w.layer.bias_gradient(w.output.view(), View<float>{w.grad_bias.data(), {10}, {1}});
     }},
    {"plan", [](Work &w) { w.text = w.layer.plan(input_shape, Layout::ndhwc).reason; }},
    {"measuring", measure},
    {"wisdom", keep_wisdom},
    {"a block", compute_block},
    {"the C API", call_from_c},
};

// Performs a call, and returns whether it succeeded. It may only fail for want of memory.
bool succeeds(const Call &call, Work &work) {
    try {
        call.perform(work);
        return true;
    } catch (const OutOfMemory &) {
    } catch (const std::bad_alloc &) {
    }
    return false;
}

// Lets the n-th allocation of a call fail. Returns whether there was one.
bool check(const Call &call, int64_t n, Fails which, const std::string &expected) {
    Work work;
    apps::let_fail(n, which);
    const bool succeeded = succeeds(call, work);
    const int64_t failed = apps::let_succeed();
    if (!succeeded) {
        if (failed == 0) {
            throw std::runtime_error("memory is said to be short, but is not");
        }
        call.perform(work);
    }
    // Which kernel wins a measurement is a matter of chance; all give the same numbers.
    if (work.result() != expected) {
        throw std::runtime_error("another result after a failure");
    }
    return failed > 0;
}

std::string result_of(const Call &call) {
    Work work;
    call.perform(work);
    return work.result();
}

// Returns how many allocations of a call were let fail.
int64_t check_all(const Call &call, Fails which) {
    const std::string expected = result_of(call);
    check(call, most, which, expected);  // whatever only a first call allocates
    int64_t n = 1;
    for (bool more = true; more && n < most; n++) {
        const int64_t before = apps::live_blocks();
        more = check(call, n, which, expected);
        if (apps::live_blocks() != before) {
            throw std::runtime_error("allocation " + std::to_string(n) + " leaves " +
                                     std::to_string(apps::live_blocks() - before) + " blocks behind");
        }
    }
    return n - 1;
}

// The same in processes of their own. A child ends with status 0 if an allocation was let fail.
int64_t check_first(const Call &call, Fails which, int threads) {
    constexpr int none_left = 3;
    for (int64_t n = 1;; n += 1 + n / 8) {
        const int status = apps::status_of_child([&] {
            return apps::run([&] {
                set_num_threads(threads);
                Work work;
                apps::let_fail(n, which);
                const bool succeeded = succeeds(call, work);
                const int64_t failed = apps::let_succeed();
                const bool right = succeeded || succeeds(call, work);
                const std::string again = work.result();
                const int after = failed > 0 ? 0 : none_left;
                return right && again == result_of(call) ? after : apps::failure("another result after a failure");
            });
        });
        if (status == none_left || n > most) {
            return n;
        }
        if (status != 0) {
            throw std::runtime_error("allocation " + std::to_string(n));
        }
    }
}

}  // namespace

int main(int argc, char **argv) {
    const bool first = argc == 2 && std::string(argv[1]) == "first";
    for (const Call &call : calls) {
        for (const Fails which : {Fails::one, Fails::all}) {
            const int threads = which == Fails::one ? 1 : 3;
            const std::string name = std::string(call.name) + (which == Fails::one ? ", one" : ", all") + " failing";
            const int status = apps::run([&] {
                if (!first) {
                    set_num_threads(threads);
                }
                const int64_t count = first ? check_first(call, which, threads) : check_all(call, which);
                std::cout << name << ": " << count << " allocations" << std::endl;
                return 0;
            });
            if (status != 0) {
                return apps::failure(name.c_str());
            }
        }
    }
    return 0;
}
