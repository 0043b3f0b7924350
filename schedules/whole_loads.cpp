#include <set>
#include <string>

#include "stages.h"

namespace unstride {
namespace {

using namespace Halide;
using namespace Halide::Internal;

// Where a row or the channels end within a vector, a part of it is stored, and Halide loads no more than this part, an
// element at a time, as what it loads from may end there, too. The buffers of a tile do not: they are loaded from in
// whole vectors.
class WholeLoads : public IRMutator {
public:
    explicit WholeLoads(const Stages &stages) : tiles_{stages.sum.name(), stages.phases.name()} {
        if (stages.turned.defined()) {
            tiles_.insert(stages.turned.name());
        }
    }

protected:
    using IRMutator::visit;

    Expr visit(const Load *op) override {
        const Expr index = mutate(op->index), predicate = mutate(op->predicate);
        return Load::make(op->type, op->name, index, op->image, op->param,
                          tiles_.count(op->name) == 0 ? predicate : const_true(op->type.lanes()), op->alignment);
    }

private:
    std::set<std::string> tiles_;
};

}  // namespace

void load_whole_vectors(Pipeline pipeline, const Stages &stages) {
    pipeline.add_custom_lowering_pass(new WholeLoads(stages));  // the pipeline deletes it
}

}  // namespace unstride
