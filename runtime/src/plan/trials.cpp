#include "plan/trials.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "plan/wisdom.h"
#include "unstride/planning.h"

namespace unstride {
namespace {

// How many programs are tried at first, at most, and how much longer than the least their expected time may be.
constexpr size_t most_programs = 5;
constexpr double near_the_least = 1.5;

// How many programs run when splits are tried, the fastest one so far and two other splits of it, and in the rematch.
constexpr size_t most_splits = 3, rematch = 2;
static_assert(most_trials == Race::most_calls * (most_programs + most_splits + rematch));

// Returns the programs of a kernel whose tasks have half as many rows and twice as many; fewer where there are none.
Programs other_splits(const ConvTranspose3dOptions &options, const Problem &problem, const Machine &machine,
                      const Program &program) {
    Programs others;
    const Part &part = program.parts.front();
    if (program.parts.size() == 1) {
        for (const int64_t rows : {part.split.rows / 2, part.split.rows * 2}) {
            Program other = decide(options, problem, machine, {part.entry, std::max<int64_t>(rows, 1)});
            if (other.parts.front().split.rows != part.split.rows) {
                others.push_back(std::make_shared<const Program>(std::move(other)));
            }
        }
    }
    return others;
}

// Returns the programs to try at first: `planned`, and those of the candidates whose expected time is near the least.
Programs programs_to_try(const ConvTranspose3dOptions &options, const Problem &problem, const Machine &machine,
                         const std::shared_ptr<const Program> &planned) {
    struct Candidate {
        double cycles;
        std::shared_ptr<const Program> program;
    };
    const auto candidate = [&](std::shared_ptr<const Program> program) {
        return Candidate{expected_cycles(*program, problem.geometry, machine).total(), std::move(program)};
    };
    std::vector<Candidate> found;
    const Entry *known = planned->parts.size() == 1 ? planned->parts.front().entry : nullptr;
    for (const Entry *entry : candidates(options, problem, machine)) {
        if (entry != known) {
            found.push_back(candidate(std::make_shared<const Program>(decide(options, problem, machine, {entry, 0}))));
        }
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const Candidate &a, const Candidate &b) { return a.cycles < b.cycles; });
    const double of_planned = candidate(planned).cycles,
                 least = found.empty() ? of_planned : std::min(found.front().cycles, of_planned);
    Programs programs{planned};
    for (const Candidate &c : found) {
        if (programs.size() < most_programs && c.cycles <= near_the_least * least) {
            programs.push_back(c.program);
        }
    }
    return programs;
}

}  // namespace

Trials::Trials(const ConvTranspose3dOptions &options, const Problem &problem, const Machine &machine,
               std::shared_ptr<const Program> planned)
    : options_(options), problem_(problem), machine_(machine),
      programs_(programs_to_try(options, problem, machine, std::move(planned))), race_(programs_.size()) {
    go_on();
}

void Trials::go_on() {
    if (race_.is_over() && !std::exchange(has_splits_, true)) {
        const Programs splits = other_splits(options_, problem_, machine_, *programs_[race_.winner()]);
        if (!splits.empty()) {
            programs_.insert(programs_.end(), splits.begin(), splits.end());
            race_.enter(splits.size());
        }
    }
    if (race_.is_over() && race_.winner() != Race::favourite && !std::exchange(has_rematch_, true)) {
        race_.rematch();
    }
}

bool Trials::are_over() const {
    const Lock lock(mutex_);
    return race_.is_over();
}

Trials::Trial Trials::next() const {
    const Lock lock(mutex_);
    const Race::Call call = race_.next();
    return {programs_[call.runner], call};
}

bool Trials::take(const Trial &trial, double seconds) {
    const Lock lock(mutex_);
    race_.take(trial.call, seconds);
    go_on();
    return race_.is_over();
}

Programs Trials::programs() const {
    const Lock lock(mutex_);
    return programs_;
}

std::shared_ptr<const Program> Trials::winner() const {
    const Lock lock(mutex_);
    const size_t winner = race_.winner();
    const double seconds = race_.seconds(winner);
    if (seconds == Race::failed) {
        return programs_[winner];
    }
    Program program = *programs_[winner];
    program.reason = "measured fastest of " + std::to_string(programs_.size()) +
                     " candidates by the layer's first calls: " + std::to_string(std::llround(seconds * 1e6)) + " us";
    program.measured_seconds = seconds;
    return std::make_shared<const Program>(std::move(program));
}

void Trials::remember(const Program &winner) const {
    const bool is_known_to_wisdom = winner.parts.size() == 1 && problem_.conditions.moderate;
    if (is_known_to_wisdom && winner.measured_seconds > 0) {
        const Part &part = winner.parts.front();
        const int64_t nanoseconds = std::max<int64_t>(std::llround(winner.measured_seconds * 1e9), 1);
        unstride::remember(problem_, machine_,
                           {part.entry, part.split.rows, nanoseconds, static_cast<int64_t>(programs().size())});
    }
}

}  // namespace unstride
