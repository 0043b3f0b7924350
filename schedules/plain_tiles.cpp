#include <set>
#include <string>
#include <vector>

#include "lowering.h"

namespace unstride {
namespace {

using namespace Halide;
using namespace Halide::Internal;

// Finds out whether a statement stores the output, and computes no other stage.
class StoresAlone : public IRVisitor {
public:
    StoresAlone(const std::string &output, const Stmt &s) : output_(output) {
        s.accept(this);
    }

    explicit operator bool() const {
        return stores_ && alone_;
    }

protected:
    using IRVisitor::visit;

    void visit(const ProducerConsumer *op) override {
        alone_ = alone_ && !op->is_producer;
        IRVisitor::visit(op);
    }
    void visit(const Store *op) override {
        stores_ = stores_ || op->name == output_;
    }

private:
    const std::string &output_;
    bool stores_ = false, alone_ = true;
};

// Marks loops to be unrolled: those whose number of turns is known, as that of a tile's vectors is, and that test
// nothing.
class MarkUnrolled : public IRMutator {
protected:
    using IRMutator::visit;

    Stmt visit(const IfThenElse *op) override {
        tests_ = true;
        return op;
    }

    Stmt visit(const For *op) override {
        const Stmt body = mutate(op->body);
        if (!is_const(op->extent) || tests_) {
            return op;
        }
        return For::make(op->name, op->min, op->extent, ForType::Unrolled, op->partition_policy, op->device_api, body);
    }

private:
    bool tests_ = false;
};

// Takes out where a buffer is freed, which is known to be behind its last use.
class TakeFrees : public IRMutator {
public:
    std::vector<Stmt> frees;

protected:
    using IRMutator::visit;

    Stmt visit(const Free *op) override {
        frees.emplace_back(op);
        return Evaluate::make(0);
    }
};

// One test for a tile takes the place of those of its vectors: whether nothing follows the sums. Loops over the vectors
// of a tile remain where something does, and where elements of 16 bits are stored: what LLVM keeps in registers for
// many conversions at once is missing in the loops of the sums.
class StorePlainTiles : public IRMutator {
public:
    explicit StorePlainTiles(const Stages &stages)
        : plain_(stages.plain), output_(stages.output.name()),
          converts_(stages.output.type().bits() < 32), facts_{plain_}, tiles_(buffers_of_tiles(stages)) {
    }

protected:
    using IRMutator::visit;

    // What follows from `plain_` may have been computed outside of the loops.
    Stmt visit(const LetStmt *op) override {
        if (op->value.type().is_bool()) {
            const Expr value = simplify_plain(op->value);
            const Expr known = Variable::make(Bool(), op->name);
            if (is_const_one(value)) {
                facts_.push_back(known);
            } else if (is_const_zero(value)) {
                facts_.push_back(!known);
            }
        }
        return IRMutator::visit(op);
    }

    Stmt visit(const ProducerConsumer *op) override {
        if (op->is_producer || tiles_.count(op->name) == 0 || !StoresAlone(output_, op->body)) {
            return IRMutator::visit(op);
        }
        TakeFrees take;
        const Stmt stores = take.mutate(op->body);
        const Stmt plain = simplify_plain(stores);
        const Stmt unrolled = converts_ ? plain : unroll_loops(MarkUnrolled().mutate(plain));
        std::vector<Stmt> all{IfThenElse::make(plain_, unrolled, stores)};
        all.insert(all.end(), take.frees.begin(), take.frees.end());
        return ProducerConsumer::make_consume(op->name, Block::make(all));
    }

private:
    template<typename T>
    T simplify_plain(const T &what) const {
        return simplify(what, true, Scope<Interval>::empty_scope(), Scope<ModulusRemainder>::empty_scope(), facts_);
    }

    const Expr plain_;
    const std::string output_;
    const bool converts_;
    std::vector<Expr> facts_;
    const std::set<std::string> tiles_;
};

}  // namespace

LoweringStep store_plain_tiles(const Stages &stages) {
    return std::make_unique<StorePlainTiles>(stages);
}

}  // namespace unstride
