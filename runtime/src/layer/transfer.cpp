#include "layer/transfer.h"

#include "array/copy.h"
#include "problem/views.h"

namespace unstride {

void upload(const View<const void> &view, Layout layout, DeviceArray &array) {
    if (is_dense(view, layout)) {
        array.upload(view.data);
        return;
    }
    Tensor dense(view.sizes, layout, 3, view.dtype);
    copy_elements(view, dense.view<void>());
    array.upload(dense.data<void>());
}

void download(DeviceArray &array, Layout layout, const View<void> &view) {
    if (is_dense(view, layout)) {
        array.download(view.data);
        return;
    }
    Tensor dense(view.sizes, layout, 3, view.dtype);
    array.download(dense.data<void>());
    copy_elements(dense.view<void>(), view);
}

}  // namespace unstride
