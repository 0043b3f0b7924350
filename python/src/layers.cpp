#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cstring>
#include <new>
#include <optional>
#include <utility>

#include "calls.h"
#include "layer_docs.h"
#include "module.h"
#include "names.h"
#include "numbers.h"
#include "numpy.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace unstride::python {
namespace {

// A layer whose class in Python has the number of its dimensions of space in its name.
template<int dimensions>
struct LayerOf : Layer {
    explicit LayerOf(const ConvTranspose3dOptions &options) : Layer(options, dimensions) {
    }
};

template<int dimensions>
void make(LayerOf<dimensions> *self, nb::handle in_channels, nb::handle out_channels, nb::handle kernel_size,
          nb::handle stride, nb::handle padding, nb::handle output_padding, nb::handle groups, bool bias,
          nb::handle dilation, std::string padding_mode, nb::handle padding_end) {
    ConvTranspose3dOptions o;
    o.in_channels = integer("in_channels", in_channels);
    o.out_channels = integer("out_channels", out_channels);
    o.kernel_size = triple("kernel_size", kernel_size, dimensions, 1);
    o.stride = triple("stride", stride, dimensions, 1);
    o.padding = triple("padding", padding, dimensions, 0);
    o.output_padding = triple("output_padding", output_padding, dimensions, 0);
    o.groups = integer("groups", groups);
    o.bias = bias;
    o.dilation = triple("dilation", dilation, dimensions, 1);
    o.padding_mode = std::move(padding_mode);
    if (!padding_end.is_none()) {
        o.padding_end = triple("padding_end", padding_end, dimensions, 0);
    }
    const nb::gil_scoped_release no_gil;
    new (self) LayerOf<dimensions>(o);
}

// Returns a new array of NumPy's with these numbers. It is read-only, as the layer would not see what is written to it.
template<typename T>
nb::object array_of(const std::vector<T> &numbers, const Shape &shape) {
    nb::object array = empty_numpy(shape, numpy_dtype(dtype_of<T>()));
    std::memcpy(Argument("array", array).writable_view().data, numbers.data(), numbers.size() * sizeof(T));
    array.attr("setflags")("write"_a = false);
    return array;
}

// Returns the numbers of the weight or the bias: those of exact(), if it was set from f64, or else those of floats().
template<typename Exact, typename Floats>
nb::object parameter_of(const Layer &self, const std::optional<DType> &type, const Shape &shape, const Exact &exact,
                        const Floats &floats) {
    std::vector<float> singles;
    std::vector<double> doubles;
    computing(self, [&] {
        if (type == DType::f64) {
            doubles = exact();
        } else {
            singles = floats();
        }
    });
    return doubles.empty() ? array_of(singles, shape) : array_of(doubles, shape);
}

nb::object weight_of(const Layer &self) {
    const ConvTranspose &layer = self.layer;
    return parameter_of(
        self, self.weight_type, layer.weight_shape(), [&] { return layer.exact_weight(); },
        [&] { return layer.weight(); });
}

nb::object bias_of(const Layer &self) {
    const ConvTranspose &layer = self.layer;
    const Shape shape = layer.bias_shape();
    if (shape.empty()) {
        return nb::none();
    }
    return parameter_of(
        self, self.bias_type, shape, [&] { return layer.exact_bias(); }, [&] { return layer.bias(); });
}

nb::object call(const Layer &self, nb::handle input, nb::handle output_size, nb::handle residual, nb::handle out) {
    return forward(self, Argument("input", input), sizes("output_size", output_size), residual, out);
}

Update update_of(bool accumulate) {
    return accumulate ? Update::accumulate : Update::replace;
}

void set_activation(Layer &self, const std::string &kind, std::optional<std::vector<double>> slopes, double alpha,
                    double low, double high) {
    Activation activation{activation_named(kind), {}, alpha, low, high};
    if (slopes) {
        activation.slopes = *std::move(slopes);
    } else if (activation.kind == Activation::Kind::leaky_relu) {
        activation.slopes = Activation::leaky_relu().slopes;
    }
    changing(self, [&] { self.layer.set_activation(activation); });
}

Plan plan_of(const Layer &self, nb::handle input_shape, const std::string &layout, nb::handle output_size,
             const std::string &dtype, const std::string &op) {
    const Shape shape = sizes("input_shape", input_shape), output = sizes("output_size", output_size);
    const Layout order = layout_named(layout);
    const Types types = parse_types(dtype);
    const Operator what = operator_named(op);
    return computing(self, [&] { return self.layer.plan(shape, order, output, types, what); });
}

// Has the layer remember what is fastest while it lives, and plan as before from then on.
class Remembering {
public:
    explicit Remembering(Layer &layer) : layer_(layer), before_(layer.layer.planning()) {
        set(Planning::remember);
    }
    ~Remembering() {
        set(before_);
    }
    Remembering(const Remembering &) = delete;
    Remembering &operator=(const Remembering &) = delete;

private:
    void set(Planning planning) {
        changing(layer_, [&] { layer_.layer.set_planning(planning); });
    }

    Layer &layer_;
    Planning before_;
};

Plan tune(Layer &self, nb::handle input) {
    const Argument array("input", input);
    const nb::object output = forward(self, array, {}, nb::none(), nb::none());
    const Layout layout = format_of(array, self.layer.spatial());
    const auto plan = [&] {
        return computing(self, [&] { return self.layer.plan(array.sizes(), layout, {}, array.dtype()); });
    };
    {
        const Remembering remembering(self);
        for (int i = 0; i < most_trials && plan().under_trial; i++) {
            forward(self, array, {}, nb::none(), output);
        }
    }
    return plan();
}

// What a layer is made of, for copies and pickles: its options, parameters, activation, planning and device.
nb::tuple state_of(const Layer &self) {
    const ConvTranspose3dOptions &o = self.layer.options();
    const int spatial = self.layer.spatial();
    const Activation activation = computing(self, [&] { return self.layer.activation(); });
    const nb::object padding_end = o.padding_end ? nb::object(tuple_of(*o.padding_end, spatial)) : nb::none();
    const nb::tuple options =
        nb::make_tuple(o.in_channels, o.out_channels, tuple_of(o.kernel_size, spatial), tuple_of(o.stride, spatial),
                       tuple_of(o.padding, spatial), tuple_of(o.output_padding, spatial), o.groups, o.bias,
                       tuple_of(o.dilation, spatial), o.padding_mode, padding_end);
    return nb::make_tuple(options, weight_of(self), bias_of(self),
                          nb::make_tuple(to_string(activation.kind), activation.slopes, activation.alpha,
                                         activation.low, activation.high),
                          to_string(self.layer.planning()), to_string(self.layer.device()));
}

template<int dimensions>
void set_state(LayerOf<dimensions> &self, const nb::tuple &state) {
    const nb::tuple o(state[0]), activation(state[3]);
    make<dimensions>(&self, o[0], o[1], o[2], o[3], o[4], o[5], o[6], nb::cast<bool>(o[7]), o[8],
                     nb::cast<std::string>(o[9]), o[10]);
    set_weight(self, Argument("weight", state[1]));
    if (self.layer.options().bias) {
        set_bias(self, Argument("bias", state[2]));
    }
    set_activation(self, nb::cast<std::string>(activation[0]), nb::cast<std::vector<double>>(activation[1]),
                   nb::cast<double>(activation[2]), nb::cast<double>(activation[3]), nb::cast<double>(activation[4]));
    self.layer.set_planning(planning_named(nb::cast<std::string>(state[4])));
    self.layer.set_device(device_named(nb::cast<std::string>(state[5])));
}

template<int dimensions>
void add_layer(nb::module_ &m, const char *name, const char *docs) {
    using This = LayerOf<dimensions>;
    nb::class_<This, Layer>(m, name, docs)
        .def("__init__", make<dimensions>, "in_channels"_a.none(), "out_channels"_a.none(), "kernel_size"_a.none(),
             "stride"_a.none() = 1, "padding"_a.none() = 0, "output_padding"_a.none() = 0, "groups"_a.none() = 1,
             "bias"_a = true, "dilation"_a.none() = 1, "padding_mode"_a = "zeros", nb::kw_only(),
             "padding_end"_a = nb::none(), nb::sig(docs::init_signature))
        .def(
            "__getstate__", [](const This &self) { return state_of(self); }, nb::sig(docs::getstate_signature))
        .def("__setstate__", set_state<dimensions>, nb::sig(docs::setstate_signature));
}

void add_options(nb::class_<Layer> &c) {
    using Options = ConvTranspose3dOptions;
    c.def_prop_ro("in_channels", [](const Layer &self) { return self.layer.options().in_channels; })
        .def_prop_ro("out_channels", [](const Layer &self) { return self.layer.options().out_channels; })
        .def_prop_ro("groups", [](const Layer &self) { return self.layer.options().groups; });
    const auto add_tuple = [&](const char *name, const char *signature, Triple Options::*option) {
        c.def_prop_ro(
            name, [option](const Layer &self) { return tuple_of(self.layer.options().*option, self.layer.spatial()); },
            nb::sig(signature));
    };
    add_tuple("kernel_size", "def kernel_size(self) -> tuple[int, ...]", &Options::kernel_size);
    add_tuple("stride", "def stride(self) -> tuple[int, ...]", &Options::stride);
    add_tuple("padding", "def padding(self) -> tuple[int, ...]", &Options::padding);
    add_tuple("output_padding", "def output_padding(self) -> tuple[int, ...]", &Options::output_padding);
    add_tuple("dilation", "def dilation(self) -> tuple[int, ...]", &Options::dilation);
}

}  // namespace

void add_layers(nb::module_ &m) {
    nb::class_<Layer> c(m, "ConvTranspose", docs::base);
    add_options(c);
    c.def("__call__", call, "input"_a.none(), "output_size"_a = nb::none(), nb::kw_only(), "residual"_a = nb::none(),
          "out"_a = nb::none(), nb::sig(docs::call_signature), docs::call)
        .def_prop_rw(
            "weight", weight_of, [](Layer &self, nb::handle value) { set_weight(self, Argument("weight", value)); },
            nb::for_getter(nb::sig("def weight(self) -> numpy.ndarray")), nb::for_setter(nb::arg("value").none()),
            nb::for_setter(nb::sig("def weight(self, value: object, /) -> None")), docs::weight)
        .def_prop_rw(
            "bias", bias_of, [](Layer &self, nb::handle value) { set_bias(self, Argument("bias", value)); },
            nb::for_getter(nb::sig("def bias(self) -> numpy.ndarray | None")), nb::for_setter(nb::arg("value").none()),
            nb::for_setter(nb::sig("def bias(self, value: object, /) -> None")), docs::bias)
        .def(
            "reset_parameters",
            [](Layer &self, uint64_t seed) {
                changing(self, [&] {
                    self.layer.reset_parameters(seed);
                    self.weight_type = self.bias_type = DType::f32;
                });
            },
            "seed"_a = 0, docs::reset_parameters)
        .def("set_activation", set_activation, "kind"_a, nb::kw_only(), "slopes"_a = nb::none(), "alpha"_a = 1.0,
             "low"_a = Activation().low, "high"_a = Activation().high, nb::sig(docs::set_activation_signature),
             docs::set_activation)
        .def_prop_ro(
            "activation",
            [](const Layer &self) { return to_string(computing(self, [&] { return self.layer.activation().kind; })); },
            "Name of the activation, which set_activation() sets.")
        .def(
            "output_shape",
            [](const Layer &self, nb::handle input_shape, nb::handle output_size) {
                return tuple_of(
                    self.layer.output_shape(sizes("input_shape", input_shape), sizes("output_size", output_size)));
            },
            "input_shape"_a.none(), "output_size"_a = nb::none(), nb::sig(docs::output_shape_signature),
            docs::output_shape)
        .def(
            "halo",
            [](const Layer &self, nb::handle input_shape, nb::handle outputs, nb::handle output_size) {
                return slices_of(self.layer.halo(sizes("input_shape", input_shape), block("outputs", outputs),
                                                 sizes("output_size", output_size)));
            },
            "input_shape"_a.none(), "outputs"_a.none(), "output_size"_a = nb::none(), nb::sig(docs::halo_signature),
            docs::halo)
        .def(
            "forward_block",
            [](const Layer &self, nb::handle input, nb::handle outputs, nb::handle input_shape, nb::handle output_size,
               nb::handle residual, nb::handle out) {
                return forward_block(self, Argument("input", input), block("outputs", outputs),
                                     sizes("input_shape", input_shape), sizes("output_size", output_size), residual,
                                     out);
            },
            "input"_a.none(), "outputs"_a.none(), "input_shape"_a.none(), "output_size"_a = nb::none(), nb::kw_only(),
            "residual"_a = nb::none(), "out"_a = nb::none(), nb::sig(docs::forward_block_signature),
            docs::forward_block)
        .def(
            "input_gradient",
            [](const Layer &self, nb::handle grad_output, nb::handle input_shape, nb::handle out, bool accumulate) {
                return input_gradient(self, Argument("grad_output", grad_output), sizes("input_shape", input_shape),
                                      out, update_of(accumulate));
            },
            "grad_output"_a.none(), "input_shape"_a = nb::none(), nb::kw_only(), "out"_a = nb::none(),
            "accumulate"_a = false, nb::sig(docs::input_gradient_signature), docs::input_gradient)
        .def(
            "weight_gradient",
            [](const Layer &self, nb::handle input, nb::handle grad_output, nb::handle out, bool accumulate) {
                return weight_gradient(self, Argument("input", input), Argument("grad_output", grad_output), out,
                                       update_of(accumulate));
            },
            "input"_a.none(), "grad_output"_a.none(), nb::kw_only(), "out"_a = nb::none(), "accumulate"_a = false,
            nb::sig(docs::weight_gradient_signature), docs::weight_gradient)
        .def(
            "bias_gradient",
            [](const Layer &self, nb::handle grad_output, nb::handle out, bool accumulate) {
                return bias_gradient(self, Argument("grad_output", grad_output), out, update_of(accumulate));
            },
            "grad_output"_a.none(), nb::kw_only(), "out"_a = nb::none(), "accumulate"_a = false,
            nb::sig(docs::bias_gradient_signature), docs::bias_gradient)
        .def("plan", plan_of, "input_shape"_a.none(), "layout"_a = "ncdhw", "output_size"_a = nb::none(),
             "dtype"_a = "f32", "operator"_a = "forward", nb::sig(docs::plan_signature), docs::plan)
        .def("tune", tune, "input"_a.none(), nb::sig("def tune(self, input: object) -> Plan"), docs::tune)
        .def(
            "set_variant",
            [](Layer &self, const std::string &name, int64_t rows) {
                changing(self, [&] { self.layer.set_variant(name, rows); });
            },
            "name"_a, "rows_per_task"_a = 0, docs::set_variant)
        .def_prop_rw(
            "planning",
            [](const Layer &self) { return to_string(computing(self, [&] { return self.layer.planning(); })); },
            [](Layer &self, const std::string &name) {
                const Planning planning = planning_named(name);
                changing(self, [&] { self.layer.set_planning(planning); });
            },
            docs::planning)
        .def_prop_rw(
            "device", [](const Layer &self) { return to_string(computing(self, [&] { return self.layer.device(); })); },
            [](Layer &self, const std::string &name) {
                const Device device = device_named(name);
                changing(self, [&] { self.layer.set_device(device); });
            },
            docs::device);
    add_layer<1>(m, "ConvTranspose1d", docs::layer_1d);
    add_layer<2>(m, "ConvTranspose2d", docs::layer_2d);
    add_layer<3>(m, "ConvTranspose3d", docs::layer_3d);
}

}  // namespace unstride::python
