#include <vector>

#include "element.h"

namespace unstride {
namespace {

using namespace Halide;

// For GPUs: output(i) = chunks(i, 0) + chunks(i, 1) and so on in this order, rounded once; with `accumulate`, what was
// there before is added to the sum. `before` may be the output's own memory. Strides may be any. As a grid of threads
// is limited, i2 and i3 may take 65535 pairs of values, and i4 and i5 as many.
class SumOfChunks : public Generator<SumOfChunks> {
public:
    GeneratorParam<Element::Type> type{"type", Element::Type::F32, Element::names()};  // of elements in memory
    Input<Buffer<void, 8>> chunks{"chunks"};  // of the type of sums; the last dimension is that of the chunks
    Input<Buffer<void, 7>> before{"before"};
    Input<bool> accumulate{"accumulate"};
    Output<Buffer<void, 7>> output{"output"};

    void configure() {
        chunks.set_type(element().computed());
        before.set_type(element().stored());
        output.set_type(element().stored());
    }

    void generate() {
        const RDom chunk(0, chunks.dim(dimensions).extent(), "chunk");
        std::vector<Expr> of_chunk(i.begin(), i.end());
        of_chunk.emplace_back(chunk);
        total(i) = Internal::make_zero(element().computed());
        total(i) = strict_float(total(i) + chunks(of_chunk));
        output(i) = element().store(strict_float(select(accumulate, element().load(before(i)) + total(i), total(i))));
    }

    void schedule() {
        for (int d = 0; d < dimensions; d++) {
            for (Internal::Dimension dim : {chunks.dim(d), before.dim(d), output.dim(d)}) {
                dim.set_min(0);
            }
            total.bound_extent(i[d], 1);
        }
        chunks.dim(dimensions).set_min(0);
        chunks.dim(0).set_stride(Expr());
        before.dim(0).set_stride(Expr());
        output.dim(0).set_stride(Expr());
        const Var block{"block"}, thread{"thread"};
        // Where more than two loops are fused, bounds inference no longer knows that a thread has one sum at a time.
        output.fuse(i[0], i[1], i[0])
            .fuse(i[2], i[3], i[2])
            .fuse(i[4], i[5], i[4])
            .split(i[0], block, thread, 128, TailStrategy::GuardWithIf)
            .reorder(i[6], thread, block, i[2], i[4])
            .gpu_blocks(block, i[2], i[4])
            .gpu_threads(thread)
            .never_partition_all();
        total.compute_at(output, i[6]).store_in(MemoryType::Register);
        output.specialize(accumulate);
    }

private:
    static constexpr int dimensions = 7;

    Element element() const {
        return {type, get_target()};
    }

    const std::vector<Var> i = {Var("i0"), Var("i1"), Var("i2"), Var("i3"), Var("i4"), Var("i5"), Var("i6")};
    Func total{"total"};
};

}  // namespace
}  // namespace unstride

HALIDE_REGISTER_GENERATOR(unstride::SumOfChunks, sum_of_chunks)
