#include <vector>

#include "element.h"
#include "kernel.h"
#include "partial_sums.h"
#include "positions.h"

namespace unstride {
namespace {

using namespace Halide;

// sums(c, chunk, group of items) = sum of grad_output over the positions of a chunk, in an order that the sizes alone
// determine. Positions are numbered through the rows and slices of an item. A step is as many of them as there are
// partial sums, each of which takes one; a chunk is `steps` steps of `items` items, fewer at the ends. Step after step
// of an item after the other is added to the partial sums, then what fills no step, and these are added in pairs, and
// pairs of pairs, to one sum.
class BiasGradient : public Generator<BiasGradient> {
public:
    KernelParameters parameters;

    Input<Buffer<void, 5>> grad_output{"grad_output"};  // (x, y, z, channel, item)
    Input<int> steps{"steps"}, items{"items"};
    Output<Buffer<void, 3>> sums{"sums"};  // (channel, chunk of an item, group of items), of the type of sums

    void configure() {
        grad_output.set_type(element().stored());
        sums.set_type(element().computed());
    }

    void generate() {
        const Expr whole_steps = positions() / partial_sums, batch = grad_output.dim(4).extent();

        Func partial("partial");
        partial(l, c, chunk, items_group) = Internal::make_zero(element().computed());
        const auto add = [&](const Expr &lane, const Expr &position, const RVar &item) {
            partial(lane, c, chunk, items_group) =
                strict_float(partial(lane, c, chunk, items_group) + at(position, items_group * items + item));
        };
        stages.full = RDom({{0, steps}, {0, items}}, "full");
        const RVar step = stages.full[0], item = stages.full[1];
        stages.full.where(chunk * steps + step < whole_steps && items_group * items + item < batch);
        add(l, (chunk * steps + step) * partial_sums + l, item);

        stages.rest = RDom({{0, partial_sums}, {0, items}}, "rest");
        const RVar lane = stages.rest[0], item_of_rest = stages.rest[1];
        stages.rest.where(chunk == whole_steps / steps && whole_steps * partial_sums + lane < positions() &&
                          items_group * items + item_of_rest < batch);
        add(lane, whole_steps * partial_sums + lane, item_of_rest);

        std::vector<Expr> tree;
        for (int i = 0; i < partial_sums; i++) {
            tree.push_back(partial(i, c, chunk, items_group));
        }
        for (size_t half = tree.size() / 2; half > 0; half /= 2) {
            for (size_t i = 0; i < half; i++) {
                tree[i] = strict_float(tree[i] + tree[i + half]);
            }
        }
        sums(c, chunk, items_group) = tree[0];
        stages.partial = partial;
        stages.sums = sums;
    }

    void schedule() {
        for (int d = 0; d < 5; d++) {
            grad_output.dim(d).set_min(0);
        }
        for (int d = 0; d < 3; d++) {
            sums.dim(d).set_min(0);
        }
        if (parameters.layout == Layout::ndhwc) {
            grad_output.dim(0).set_stride(Expr());
            grad_output.dim(3).set_stride(1);
        }
        stages.has_one_row = has_one_row();
        stages.gpu = get_target().has_gpu_feature();
        const FamilyFacts &facts = facts_of(parameters.family);
        stages.lanes = parameters.layout == Layout::ndhwc ? facts.ndhwc : facts.ncdhw;
        stages.vector = get_target().natural_vector_size(element().computed());
        schedule_positions(stages);
    }

private:
    Element element() const {
        return {parameters.input_type, get_target()};
    }
    Expr width() const {
        return grad_output.dim(0).extent();
    }
    Expr height() const {
        return grad_output.dim(1).extent();
    }
    Expr depth() const {
        return grad_output.dim(2).extent();
    }
    Expr positions() const {
        return width() * height() * depth();
    }
    Expr has_one_row() const {
        return height() == 1 && depth() == 1;
    }

    // The number at a position of an item that exists. In vectors of channels, the last channel may repeat.
    Expr at(const Expr &position, const Expr &item) const {
        const Expr channels = grad_output.dim(3).extent(), row = position / width();
        const Expr x = select(has_one_row(), position, position % width()),
                   y = select(has_one_row(), 0, row % height()), z = select(has_one_row(), 0, row / height());
        return element().load(grad_output(unsafe_promise_clamped(x, 0, width() - 1),
                                          unsafe_promise_clamped(y, 0, height() - 1),
                                          unsafe_promise_clamped(z, 0, depth() - 1), clamp(c, 0, channels - 1),
                                          unsafe_promise_clamped(item, 0, grad_output.dim(4).extent() - 1)));
    }

    PositionStages stages;
};

}  // namespace
}  // namespace unstride

HALIDE_REGISTER_GENERATOR(unstride::BiasGradient, bias_gradient)
