// The first forward of a layer in a thread with a small stack, by every variant that this processor can run.
//
//     small_stack BYTES

#include <pthread.h>

#include <cstdlib>
#include <functional>
#include <stdexcept>

#include "app.h"
#include "support/harness.h"

namespace {

using namespace unstride;

extern "C" void *call(void *function) {
    (*static_cast<std::function<void()> *>(function))();
    return nullptr;
}

void run_in_thread(size_t stack_bytes, std::function<void()> function) {
    pthread_attr_t attributes;
    pthread_t thread;
    const bool started = pthread_attr_init(&attributes) == 0 &&
                         pthread_attr_setstacksize(&attributes, stack_bytes) == 0 &&
                         pthread_create(&thread, &attributes, call, &function) == 0;
    if (!started || pthread_join(thread, nullptr) != 0) {
        throw std::runtime_error("there is no thread with such a stack");
    }
    pthread_attr_destroy(&attributes);
}

enum class Choice {
    variant,
    planner,
};

// The outputs of a new layer that the variant can run, by this variant or by the planner's choice.
std::vector<double> outputs_of(const Variant &variant, Choice choice) {
    const ConvTranspose3dOptions options = tests::fitted({6, 38, 3, {2, 1, 2}, 1}, variant);
    ConvTranspose3d layer(options);
    tests::fill_weight(layer, 0.5F);
    if (choice == Choice::variant) {
        layer.set_variant(variant.name);
    }
    layer.set_activation(Activation::gelu());
    const Shape sizes = {2, options.in_channels, 3, 4, 17};
    Tensor input(sizes, variant.layout, 3, variant.types.input);
    const Tensor numbers = apps::make_input(sizes);
    tests::copy_into(input.view<void>(), {numbers.data(), numbers.data() + numbers.element_count()});
    Tensor output(layer.output_shape(sizes), variant.layout, 3, variant.types.output);
    layer.forward(input.view<void>(), output.view<void>());
    return tests::numbers_of(output.view<void>());
}

int check(const Variant &variant, Choice choice, size_t stack_bytes) {
    std::vector<double> outputs;
    int wrong = 0;
    run_in_thread(stack_bytes, [&] {
        wrong = apps::run([&] {
            outputs = outputs_of(variant, choice);
            return 0;
        });
    });
    return wrong + apps::status(outputs == outputs_of(variant, choice), "a large stack gives another result");
}

int check_all(size_t stack_bytes) {
    set_num_threads(2);
    int wrong = 0;
    for (const Variant &variant : variants()) {
        if (variant.op == Operator::forward && variant.device == Device::cpu && variant.runs_here()) {
            std::cout << variant.name << std::endl;  // the last one before a crash
            wrong += check(variant, Choice::planner, stack_bytes) + check(variant, Choice::variant, stack_bytes);
        }
    }
    return wrong == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char **argv) {
    return apps::run([&] { return check_all(argc == 2 ? std::strtoul(argv[1], nullptr, 10) : 0); });
}
