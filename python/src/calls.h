#ifndef UNSTRIDE_PYTHON_CALLS_H
#define UNSTRIDE_PYTHON_CALLS_H

#include <nanobind/nanobind.h>
#include <unstride/unstride.h>

#include <mutex>
#include <optional>
#include <shared_mutex>

#include "array.h"

namespace unstride::python {

// A layer that several threads of Python may call: those that compute share it, those that change it have it to
// themselves. The mutex is taken without the GIL, as its owner may wait for the GIL.
struct Layer {
    ConvTranspose layer;
    mutable std::shared_mutex mutex;

    // Types of the arrays from which weight and bias were set, or nothing where that failed.
    std::optional<DType> weight_type = DType::f32, bias_type = DType::f32;

    Layer(const ConvTranspose3dOptions &options, int spatial) : layer(options, spatial) {
    }
};

// Calls function() without the GIL, while other threads may compute with the layer, too.
template<typename Function>
auto computing(const Layer &layer, const Function &function) {
    const nanobind::gil_scoped_release no_gil;
    const std::shared_lock<std::shared_mutex> lock(layer.mutex);
    return function();
}

// Calls function() without the GIL, while no other thread uses the layer.
template<typename Function>
void changing(Layer &layer, const Function &function) {
    const nanobind::gil_scoped_release no_gil;
    const std::unique_lock<std::shared_mutex> lock(layer.mutex);
    function();
}

// Returns the memory format of a result that follows an array of `spatial` dimensions of space, by PyTorch's rule.
Layout format_of(const Argument &array, int spatial);

// The calls of a layer on arrays of Python's. An input that has neither dense columns nor dense channels, is not
// aligned, has a negative stride, or has another layout than the array that decides it, is copied. What is written is
// not: it is `out`, or a new array of the kind, type and memory format of the first argument.
//
// All throw TypeError for types that do not go together, and what the layer throws.

// Computes the output. Neither `residual` nor `out` is looked at if it is None. `output_size` is that of
// ConvTranspose::output_shape.
nanobind::object forward(const Layer &layer, const Argument &input, const Shape &output_size, nanobind::handle residual,
                         nanobind::handle out);

// Computes a block of the outputs of an input of shape `whole` from the part of it that ConvTranspose::halo tells.
// `residual`, if it is not None, is the block's part of one.
nanobind::object forward_block(const Layer &layer, const Argument &input, const Block &outputs, const Shape &whole,
                               const Shape &output_size, nanobind::handle residual, nanobind::handle out);

// Computes the gradient with respect to an input of shape `input_shape`. If that is empty and there is no `out`, the
// input is the one that the layer's own output padding, or else any below the stride, leads from.
nanobind::object input_gradient(const Layer &layer, const Argument &grad_output, const Shape &input_shape,
                                nanobind::handle out, Update update);

nanobind::object weight_gradient(const Layer &layer, const Argument &input, const Argument &grad_output,
                                 nanobind::handle out, Update update);

nanobind::object bias_gradient(const Layer &layer, const Argument &grad_output, nanobind::handle out, Update update);

// The same with the memory format of `input` for both, whose values do not matter.
nanobind::object input_gradient_like(const Layer &layer, const Argument &grad_output, const Argument &input);

// Set weight and bias of a layer, from arrays of any strides.
void set_weight(Layer &layer, const Argument &weight);
void set_bias(Layer &layer, const Argument &bias);

}  // namespace unstride::python

#endif
