#include <set>
#include <string>
#include <vector>

#include "lowering.h"

namespace unstride {
namespace {

using namespace Halide;
using namespace Halide::Internal;

// Where a row or the channels end within a vector, a part of it is stored, and Halide loads no more than this part, an
// element at a time, as what it loads from may end there, too. The buffers of a tile do not: they are loaded from in
// whole vectors, one for each phase where phases interleave.
class WholeLoads : public IRMutator {
public:
    explicit WholeLoads(const Stages &stages) : tiles_(buffers_of_tiles(stages)) {
    }

protected:
    using IRMutator::visit;

    Expr visit(const Load *op) override {
        if (tiles_.count(op->name) == 0) {
            return IRMutator::visit(op);
        }
        const auto *interleaved = op->index.as<Shuffle>();
        if (interleaved == nullptr || !interleaved->is_interleave()) {
            return whole(op, op->index, op->alignment);
        }
        std::vector<Expr> phases;
        for (const Expr &index : interleaved->vectors) {
            phases.push_back(whole(op, index, ModulusRemainder()));
        }
        return Shuffle::make_interleave(phases);
    }

private:
    static Expr whole(const Load *op, const Expr &index, const ModulusRemainder &alignment) {
        const int lanes = index.type().lanes();
        return Load::make(op->type.with_lanes(lanes), op->name, index, op->image, op->param, const_true(lanes),
                          alignment);
    }

    const std::set<std::string> tiles_;
};

}  // namespace

LoweringStep load_whole_vectors(const Stages &stages) {
    return std::make_unique<WholeLoads>(stages);
}

}  // namespace unstride
