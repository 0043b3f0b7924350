// What layers compute.

#include "c/arguments.h"
#include "c/arrays.h"
#include "c/constants.h"
#include "c/layer.h"
#include "c/status.h"
#include "process/app_threads.h"

namespace unstride::c {
namespace {

// Calls call(stream), or call() where the arrays need none, in the threads that the options ask for.
template<typename Call>
void run(const unstride_call_options *options, std::initializer_list<NamedArray> arrays, const Call &call) {
    const unstride_call_options given = options_from("options", options);
    const std::optional<CudaStream> stream = stream_of(given, arrays);
    if (given.reserved != 0) {
        throw InvalidArgument("reserved must be 0, but is " + std::to_string(given.reserved));
    }
    const AppThreads threads(given.run_in_threads, given.threads);
    if (stream) {
        call(*stream);
    } else {
        call();
    }
}

}  // namespace
}  // namespace unstride::c

using namespace unstride;
using namespace unstride::c;

unstride_status unstride_layer_forward(const unstride_layer *layer, const unstride_array *input,
                                       const unstride_array *output, const unstride_array *residual,
                                       const unstride_call_options *options) {
    return status_of([&] {
        const ConvTranspose &on = layer_of(layer);
        const NamedArray from{"input", input}, to{"output", output}, added{"residual", residual};
        const View<const void> inputs = view_of(from);
        const View<void> outputs = view_of(to);
        run(options, {from, to, added}, [&](auto... on_stream) {
            if (residual == nullptr) {
                on.forward(inputs, outputs, on_stream...);
            } else {
                on.forward(inputs, outputs, view_of(added), on_stream...);
            }
        });
    });
}

unstride_status unstride_layer_input_gradient(const unstride_layer *layer, const unstride_array *grad_output,
                                              const unstride_array *grad_input, unstride_update update,
                                              const unstride_call_options *options) {
    return status_of([&] {
        const ConvTranspose &on = layer_of(layer);
        const NamedArray from{"grad_output", grad_output}, to{"grad_input", grad_input};
        const View<const void> outputs = view_of(from);
        const View<void> inputs = view_of(to);
        const Update how = enumerator("update", update, Update::accumulate);
        run(options, {from, to}, [&](auto... on_stream) { on.input_gradient(outputs, inputs, how, on_stream...); });
    });
}

unstride_status unstride_layer_weight_gradient(const unstride_layer *layer, const unstride_array *input,
                                               const unstride_array *grad_output, const unstride_array *grad_weight,
                                               unstride_update update, const unstride_call_options *options) {
    return status_of([&] {
        const ConvTranspose &on = layer_of(layer);
        const NamedArray from{"input", input}, and_from{"grad_output", grad_output}, to{"grad_weight", grad_weight};
        const View<const void> inputs = view_of(from), outputs = view_of(and_from);
        const View<void> weights = view_of(to);
        const Update how = enumerator("update", update, Update::accumulate);
        run(options, {from, and_from, to},
            [&](auto... on_stream) { on.weight_gradient(inputs, outputs, weights, how, on_stream...); });
    });
}

unstride_status unstride_layer_bias_gradient(const unstride_layer *layer, const unstride_array *grad_output,
                                             const unstride_array *grad_bias, unstride_update update,
                                             const unstride_call_options *options) {
    return status_of([&] {
        const ConvTranspose &on = layer_of(layer);
        const NamedArray from{"grad_output", grad_output}, to{"grad_bias", grad_bias};
        const View<const void> outputs = view_of(from);
        const View<void> bias = view_of(to);
        const Update how = enumerator("update", update, Update::accumulate);
        run(options, {from, to}, [&](auto... on_stream) { on.bias_gradient(outputs, bias, how, on_stream...); });
    });
}
