#include <map>
#include <string>

#include "lowering.h"

namespace unstride {
namespace {

using namespace Halide;
using namespace Halide::Internal;

// Where a row or the channels end within a vector, its first lanes are stored. Under a mask that takes a processor
// without AVX-512 a dozen cycles, and LLVM a branch for each lane where there is no such instruction. Here these lanes
// are stored in parts, each half as large as the one before, with a test for each; what is copied is loaded in the same
// parts.
class StoreParts : public IRMutator {
protected:
    using IRMutator::visit;

    Stmt visit(const LetStmt *op) override {
        values_[op->name] = op->value;
        return IRMutator::visit(op);
    }

    Stmt visit(const Store *op) override {
        const Expr existing = is_dense(op->index) ? existing_lanes(op->predicate) : Expr();
        if (!existing.defined()) {
            return op;
        }
        const std::string name = unique_name("lanes"), vector = unique_name("vector");
        const Expr lanes = Variable::make(Int(32), name), value = Variable::make(op->value.type(), vector);
        const auto *copied = op->value.as<Load>();
        const bool is_copy = copied != nullptr && is_dense(copied->index) && equal(copied->predicate, op->predicate);
        const Vector whole{op, is_copy ? op->value : value};
        const Stmt parts = IfThenElse::make(lanes >= whole.size(), whole.part(0, whole.size()),
                                            parts_of(whole, lanes, 0, whole.size()));
        const Stmt stored = is_copy ? parts : LetStmt::make(vector, op->value, parts);
        return LetStmt::make(name, max(existing, 0), stored);
    }

private:
    // What a statement stores, of which parts are stored.
    struct Vector {
        const Store *store;
        Expr value;

        int size() const {
            return value.type().lanes();
        }

        Stmt part(int first, int lanes) const {
            return Store::make(store->name, part_of(value, first, lanes), part_of(store->index, first, lanes),
                               store->param, const_true(lanes), ModulusRemainder());
        }
    };

    static Expr part_of(const Expr &e, int first, int lanes) {
        if (const auto *ramp = e.as<Ramp>()) {
            const Expr base = ramp->base + first;
            return lanes == 1 ? base : Ramp::make(base, ramp->stride, lanes);
        }
        if (const auto *load = e.as<Load>()) {
            return Load::make(load->type.with_lanes(lanes), load->name, part_of(load->index, first, lanes), load->image,
                              load->param, const_true(lanes), ModulusRemainder());
        }
        return Shuffle::make_slice(e, first, 1, lanes);
    }

    // Stores the lanes from `done` on, of which there are fewer than `below`.
    static Stmt parts_of(const Vector &whole, const Expr &lanes, int done, int below) {
        if (below <= 1) {
            return Evaluate::make(0);
        }
        int size = 1;
        while (2 * size < below) {
            size *= 2;
        }
        return IfThenElse::make((lanes & size) != 0,
                                Block::make(whole.part(done, size), parts_of(whole, lanes, done + size, below - size)),
                                parts_of(whole, lanes, done, size));
    }

    static bool is_dense(const Expr &index) {
        const auto *ramp = index.as<Ramp>();
        return ramp != nullptr && is_const_one(ramp->stride);
    }

    // How many lanes there are, from the first one on, that a mask lets through; undefined if it is not such a mask.
    Expr existing_lanes(Expr mask) const {
        while (const auto *variable = mask.as<Variable>()) {
            const auto value = values_.find(variable->name);
            if (value == values_.end()) {
                return {};
            }
            mask = value->second;
        }
        const auto *up_to = mask.as<LE>();
        const auto *below = mask.as<LT>();
        if (up_to == nullptr && below == nullptr) {
            return {};
        }
        const auto *places = (up_to != nullptr ? up_to->a : below->a).as<Ramp>();
        const auto *end = (up_to != nullptr ? up_to->b : below->b).as<Broadcast>();
        if (places == nullptr || end == nullptr || !is_const_one(places->stride)) {
            return {};
        }
        return end->value - places->base + (up_to != nullptr ? 1 : 0);
    }

    std::map<std::string, Expr> values_;
};

}  // namespace

LoweringStep store_parts() {
    return std::make_unique<StoreParts>();
}

}  // namespace unstride
