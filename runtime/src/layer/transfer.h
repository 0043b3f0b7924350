#ifndef UNSTRIDE_RUNTIME_LAYER_TRANSFER_H
#define UNSTRIDE_RUNTIME_LAYER_TRANSFER_H

#include "array/device_array.h"
#include "unstride/tensor.h"

namespace unstride {

// Copy the elements of a view as (N, C, D, H, W) to an array of a GPU, which is dense in this layout, and back.
void upload(const View<const void> &view, Layout layout, DeviceArray &array);
void download(DeviceArray &array, Layout layout, const View<void> &view);

}  // namespace unstride

#endif
