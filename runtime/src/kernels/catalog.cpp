#include "kernels/catalog.h"

#include <algorithm>
#include <map>
#include <utility>

#include "checks/checks.h"
#include "device/machine.h"
#include "kernels/built_in.h"
#include "kernels/devices.h"
#include "process/lasting.h"
#include "unstride/error.h"

namespace unstride {
namespace {

Lanes lanes_of(const FamilyFacts &facts, Layout layout) {
    return layout == Layout::ndhwc ? facts.ndhwc : facts.ncdhw;
}

}  // namespace

const char *to_string(Operator op) {
    return operators[static_cast<size_t>(op)].name.data();
}

namespace {

Operator known_operator(const std::string &name) {
    const auto *found = std::find_if(std::begin(operators), std::end(operators),
                                     [&](const OperatorFacts &facts) { return facts.name == name; });
    if (found == std::end(operators)) {
        throw InvalidArgument("there is no operator '" + name + "'");
    }
    return found->op;
}

// Returns a kernel with what the tables say of its family and its instruction set. Throws InvalidArgument if the tables
// have no such family or instruction set.
Entry make_entry(Operator op, const char *name, Layout layout, const char *family, int block, int columns, int stride_x,
                 const Types &types, const char *isa_name, AnyKernel kernel) {
    const Isa &isa = find_isa(isa_name);
    const FamilyFacts &facts = known_family(family);
    const SumsRules &sums = rules_of(op, facts.sums);
    const Lanes across = lanes_of(facts, layout);
    const auto lanes = static_cast<int>(isa.vector_bytes / size_of(types.sums()));
    const FamilyRules &rules = rules_of(facts.family);
    const CostModel *on_cpu = rules.cost != nullptr ? rules.cost : sums.cost;
    const CostModel *cost = isa.device == Device::cpu ? on_cpu : sums.cost_on_gpu;
    Variant variant{name, op, family, layout, isa.device, isa.name, types, stride_x, block, columns};
    variant.sums = sums.name;
    variant.lanes = name_of(across);
    return {std::move(variant), &facts, &rules, &sums, cost, across, lanes, &isa, kernel};
}

struct Registry {
    std::deque<Entry> entries;
    std::vector<Variant> variants;
    std::map<std::pair<DType, std::string>, ActivationKernel> activations;
    std::map<std::pair<DType, std::string>, SumOfChunksKernel> sums_of_chunks;

    Registry() {
        for (const BuiltInKernel &k : built_in.kernels) {
            const Types types{k.input, k.output};
            Entry entry =
                make_entry(k.op, k.name, k.layout, k.family, k.block, k.columns, k.stride_x, types, k.isa, k.kernel);
            entry.variant.known_kernel = k.known_kernel;
            entry.variant.known_stride = k.known_stride;
            variants.push_back(entry.variant);
            entries.push_back(std::move(entry));
        }
        for (const BuiltInActivation &a : built_in.activations) {
            activations[{a.output, a.isa}] = a.kernel;
        }
    }

    int add(const std::vector<AddedKernel> &kernels, const std::shared_ptr<const ConvTranspose3dOptions> &layer) {
        for (const AddedKernel &k : kernels) {
            if (std::any_of(entries.begin(), entries.end(), [&](const Entry &e) { return e.variant.name == k.name; })) {
                throw InvalidArgument("two variants are called " + k.name);
            }
            Entry added = make_entry(known_operator(k.op), k.name.c_str(), k.layout, k.family.c_str(), k.block,
                                     k.columns, k.stride_x, k.types, k.isa.c_str(), k.kernel);
            added.variant.layer = layer;
            added.autoscheduled = k.autoscheduled;
            entries.push_back(added);
            variants.push_back(added.variant);
        }
        return static_cast<int>(kernels.size());
    }
};

// The registry is made when it is first needed: kernels register before main, in an order that nobody knows.
Lasting<constructed<Registry>> lasting_registry;

Registry &registry() {
    return lasting_registry.get();
}

}  // namespace

const std::deque<Entry> &catalog() {
    return registry().entries;
}

const Entry *find_entry(const std::string &name) {
    const std::deque<Entry> &all = catalog();
    const auto found = std::find_if(all.begin(), all.end(), [&](const Entry &e) { return e.variant.name == name; });
    return found != all.end() ? &*found : nullptr;
}

const std::vector<Variant> &variants() {
    return registry().variants;
}

std::string Variant::why_not_here() const {
    if (device == Device::cpu) {
        return lack_of(isa, untimed_machine(1));
    }
    try {
        device_info(device);
        return "";
    } catch (const DeviceError &e) {
        return e.what();
    }
}

bool Variant::rounds_like(const Variant &other) const {
    return op == other.op && sums == other.sums && find_isa(isa).fma == find_isa(other.isa).fma;
}

bool Variant::runs_here() const {
    return device == Device::cpu ? find_isa(isa).rank <= usable_isa().rank : exists(device);
}

std::string why_no_kernels(Layout layout, const Types &types) {
    return std::string("this program has no kernel for layout ") + to_string(layout) + " and type " + to_string(types) +
           built_in.advice;
}

ActivationKernel activation_kernel(DType dtype, const std::string &isa) {
    const auto found = registry().activations.find({dtype, isa});
    if (found == registry().activations.end()) {
        throw InvalidArgument(std::string("this program has no kernel for activations of type ") + to_string(dtype) +
                              built_in.advice);
    }
    return found->second;
}

int register_activation(DType dtype, const std::string &isa, ActivationKernel kernel) {
    registry().activations[{dtype, isa}] = kernel;
    return 1;
}

SumOfChunksKernel sum_of_chunks_kernel(DType dtype, const std::string &isa) {
    const auto found = registry().sums_of_chunks.find({dtype, isa});
    if (found == registry().sums_of_chunks.end()) {
        throw InvalidArgument(std::string("this program has no kernel for gradients of type ") + to_string(dtype) +
                              built_in.advice);
    }
    return found->second;
}

int register_sum_of_chunks(DType dtype, const std::string &isa, SumOfChunksKernel kernel) {
    registry().sums_of_chunks[{dtype, isa}] = kernel;
    return 1;
}

int register_kernels(const std::vector<AddedKernel> &kernels) {
    return registry().add(kernels, nullptr);
}

int register_layer(const ConvTranspose3dOptions &layer, const std::vector<AddedKernel> &kernels) {
    check_options(layer);
    return registry().add(kernels, std::make_shared<const ConvTranspose3dOptions>(layer));
}

}  // namespace unstride
