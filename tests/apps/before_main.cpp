// A layer at namespace scope, and a forward before main, or while a plugin is loaded.

#include "app.h"
#include "plugin.h"

namespace {

const unstride::ConvTranspose3d layer(2, 3, 2, 2);
const unstride::Tensor output = layer.forward(unstride::apps::make_input({1, 2, 2, 2, 2}).view());

}  // namespace

int plugin_status() {
    using namespace unstride;
    return apps::run([] {
        const Tensor again = layer.forward(apps::make_input({1, 2, 2, 2, 2}).view());
        return apps::status(apps::same_bits(output, again), "the forward before main has another result");
    });
}
