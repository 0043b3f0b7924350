#include <set>
#include <string>

#include "lowering.h"

namespace unstride {
namespace {

using namespace Halide;
using namespace Halide::Internal;

// Turns the statements that store a tile into prefetches of the lines that it goes to. Nothing else remains of them but
// loops, conditions and the computation of addresses.
class Prefetches : public IRMutator {
public:
    explicit Prefetches(const std::string &output) : output_(output) {
    }

    bool found = false;

protected:
    using IRMutator::visit;

    Stmt visit(const Store *op) override {
        constexpr int line = 64;
        const Ramp *ramp = op->index.as<Ramp>();
        if (op->name != output_ || ramp == nullptr || !is_const_one(ramp->stride)) {
            return Evaluate::make(0);
        }
        found = true;
        const Type type = op->value.type().element_of();
        const Expr output = Variable::make(Handle(), op->name);
        std::vector<Stmt> prefetches;
        for (int lane = 0; lane < ramp->lanes; lane += line / type.bytes()) {
            const std::vector<Expr> place{output, ramp->base + lane, 1, 1};
            prefetches.push_back(Evaluate::make(Call::make(type, Call::prefetch, place, Call::Intrinsic)));
        }
        return Block::make(prefetches);
    }

    Stmt visit(const ProducerConsumer *op) override {
        return op->is_producer ? Evaluate::make(0) : IRMutator::visit(op);
    }

    // The stages between the sums and the output are not computed here, so neither are their buffers there, nor what is
    // read from these.
    Stmt visit(const Allocate *op) override {
        return mutate(op->body);
    }
    Stmt visit(const Free *) override {
        return Evaluate::make(0);
    }
    Stmt visit(const AssertStmt *) override {
        return Evaluate::make(0);
    }
    Stmt visit(const LetStmt *op) override {
        const Stmt body = mutate(op->body);
        return stmt_uses_var(body, op->name) ? LetStmt::make(op->name, op->value, body) : body;
    }

private:
    const std::string &output_;
};

// Puts prefetches before the first of the stages from `sum` on that a tile needs. A store to a line that is not in the
// cache waits until the line has been read, and the hardware does not foresee the lines of ndhwc, where rows of a phase
// are not dense. The multiply-adds of a tile take long enough to read them.
class PrefetchOutputs : public IRMutator {
public:
    explicit PrefetchOutputs(const Stages &stages)
        : output_(stages.output.name()), sums_{stages.sum.name(), stages.phases.name()} {
    }

protected:
    using IRMutator::visit;

    Stmt visit(const Block *op) override {
        const auto *producer = op->first.as<ProducerConsumer>();
        if (producer == nullptr || !producer->is_producer || sums_.count(producer->name) == 0) {
            return IRMutator::visit(op);
        }
        Prefetches prefetches(output_);
        const Stmt ahead = prefetches.mutate(op->rest);
        return prefetches.found ? Block::make(ahead, op) : Stmt(op);
    }

private:
    const std::string output_;
    const std::set<std::string> sums_;
};

}  // namespace

LoweringStep prefetch_outputs(const Stages &stages) {
    return std::make_unique<PrefetchOutputs>(stages);
}

}  // namespace unstride
