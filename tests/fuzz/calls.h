#ifndef UNSTRIDE_TESTS_FUZZ_CALLS_H
#define UNSTRIDE_TESTS_FUZZ_CALLS_H

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "drawn.h"
#include "outcome.h"
#include "support/harness.h"
#include "walled.h"

namespace unstride::tests {

// Whether an operator is the gradient of a layer's weights or of its bias.
bool is_gradient_of_parameters(Operator op);

// One call of a layer: what is computed, of which types and layout, and the arrays.
struct Call {
    Operator op = Operator::forward;
    Types types;
    Layout layout = Layout::ncdhw;
    Data data = Data::integers;
    Update update = Update::replace;
    std::vector<std::unique_ptr<Walled>> read;  // in the order of the operator's arguments
    std::unique_ptr<Walled> written;

    // The arrays as they are passed. A residual of forward is the last of those that are read, and may be the output.
    std::vector<View<const void>> from;
    View<void> to;

    void perform(const ConvTranspose &layer) const;
};

// A layer whose operators a fuzzer calls, with the weights and the bias that it has.
class Session {
public:
    explicit Session(Choices &choices, Device device = Device::cpu);

    // A layer that a variant of the CPU can run, and which runs nothing else.
    Session(Choices &choices, const Variant &variant);

    // Computes an operator, and throws a Finding if the result or the memory beside it is wrong.
    void call();

    // Calls an operator with an argument that is wrong, and throws a Finding unless it is refused, and all memory as it
    // was.
    void mistake();

    // Describes the layer, and the call under way.
    std::string text() const;

private:
    void set_parameters();
    std::unique_ptr<Walled> array(const Shape &sizes, DType dtype, bool may_repeat);
    std::unique_ptr<Walled> filled(const Shape &sizes, DType dtype, bool may_repeat);
    void choose_call();
    void prepare();
    void prepare_forward();
    void choose_activation();
    void force_any_variant();
    bool force(const Variant &v, int64_t rows);
    std::string refusal();
    Outcome expected(const std::vector<double> &before) const;
    Outcome expected_forward(const std::vector<double> &before) const;
    double bound_of(const Reference &reference, double added) const;
    void check_plan() const;
    void check_threads();
    void check_memory() const;
    void compute_block();

    // The output's size, as the argument output_size has it, where the call asks for another output padding.
    Shape asked_size() const;

    Choices &choices_;
    const Variant *only_ = nullptr;
    Drawn drawn_;
    ConvTranspose layer_;
    std::vector<double> weight_, bias_;
    bool with_activation_ = false, in_place_ = false, with_residual_ = false;
    std::string forced_;
    Call call_;
};

// Throws a Finding unless the constructor refuses options that cannot be, and takes large ones or refuses them.
void check_options_of(Choices &choices);

}  // namespace unstride::tests

#endif
