#include "layer/device_tensor.h"

#include "kernels/devices.h"
#include "problem/checked.h"
#include "unstride/error.h"

namespace unstride {
namespace {

int64_t count_of(const Shape &sizes, Layout layout, int spatial) {
    dense_strides(sizes, layout, spatial);  // throws for sizes that no tensor can have
    return product(sizes);
}

void check(const Tensor &tensor, const DeviceTensor &array) {
    if (tensor.sizes() != array.sizes() || tensor.layout() != array.layout() || tensor.spatial() != array.spatial() ||
        tensor.dtype() != array.dtype()) {
        throw InvalidArgument("a DeviceTensor can be copied from or to a Tensor of its own sizes, layout, dimensions "
                              "of space and type only");
    }
}

}  // namespace

DeviceTensor::DeviceTensor(Device device, const Shape &sizes, Layout layout, int spatial, DType dtype) {
    if (device == Device::cpu) {
        throw InvalidArgument("a DeviceTensor is in the memory of a GPU: for the CPU there is Tensor");
    }
    // NOLINTNEXTLINE(modernize-make-unique): it is an aggregate
    state_.reset(
        new State{device, sizes, layout, spatial, dtype, {stream_on(device), count_of(sizes, layout, spatial), dtype}});
}

DeviceTensor::~DeviceTensor() = default;
DeviceTensor::DeviceTensor(DeviceTensor &&) noexcept = default;
DeviceTensor &DeviceTensor::operator=(DeviceTensor &&) noexcept = default;

void DeviceTensor::upload(const Tensor &from) {
    check(from, *this);
    state_->array.upload(from.data<void>());
}

void DeviceTensor::download(Tensor &to) const {
    check(to, *this);
    state_->array.download(to.data<void>());
}

void DeviceTensor::synchronize() const {
    state_->array.synchronize();
}

Device DeviceTensor::device() const {
    return state_->device;
}

const Shape &DeviceTensor::sizes() const {
    return state_->sizes;
}

Layout DeviceTensor::layout() const {
    return state_->layout;
}

DType DeviceTensor::dtype() const {
    return state_->dtype;
}

int DeviceTensor::spatial() const {
    return state_->spatial;
}

}  // namespace unstride
