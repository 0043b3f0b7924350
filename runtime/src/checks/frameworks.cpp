#include "checks/checks.h"

#include <algorithm>

#include "checks/texts.h"

namespace unstride {
namespace {

void check_size(const char *name, const Triple &size, int spatial) {
    if (smallest(size) <= 0) {
        fail(std::string(name) + " must be positive, but got " + volume(size, spatial));
    }
}

}  // namespace

void check_onnx(const OnnxConvTranspose &a, const Triple &input_size, int spatial) {
    if (a.auto_pad != "NOTSET" && a.auto_pad != "SAME_UPPER" && a.auto_pad != "SAME_LOWER" && a.auto_pad != "VALID") {
        fail("auto_pad must be either NOTSET, SAME_UPPER, SAME_LOWER or VALID, but got " + a.auto_pad);
    }
    if (a.pads && a.auto_pad != "NOTSET") {
        fail("The pads attribute cannot be used simultaneously with auto_pad attribute");
    }
    if (a.pads && *std::min_element(a.pads->begin(), a.pads->end()) < 0) {
        fail("Attribute pads must not contain negative values");
    }
    check_size("input_size", input_size, spatial);
    if (a.output_shape) {
        check_size("output_shape", *a.output_shape, spatial);
    }
}

void check_tensorflow(const TensorFlowConvTranspose &a, const Triple &input_size, int spatial) {
    if (a.padding != "SAME" && a.padding != "same" && a.padding != "VALID" && a.padding != "valid") {
        fail("padding must be either SAME or VALID, but got " + a.padding);
    }
    check_size("input_size", input_size, spatial);
    if (a.output_size) {
        check_size("output_size", *a.output_size, spatial);
    }
}

void check_convolved(const Triple &output_size, const Triple &convolved, const Triple &input_size, int spatial) {
    if (volume(convolved) != volume(input_size)) {
        fail("an output of " + volume(output_size, spatial) + " does not fit: its convolution has size " +
             volume(convolved, spatial) + ", and the input " + volume(input_size, spatial));
    }
}

void check_onednn(const OneDnnDeconvolution &p) {
    if (smallest(p.dilates) < 0) {
        fail("dilation (" + std::to_string(smallest(p.dilates)) + ") must be non-negative");
    }
}

}  // namespace unstride
