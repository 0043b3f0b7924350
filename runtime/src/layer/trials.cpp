// How a layer measures: each of its first calls runs one of several programs.

#include <chrono>

#include "layer/layer.h"
#include "unstride/error.h"

namespace unstride {

bool ConvTranspose::State::pack(const Program &program, const Problem &problem, const Stream &stream) const {
    try {
        for (const Part &part : program.parts) {
            packed.find_or_pack(part, problem, parameters, stream);
        }
        return true;
    } catch (const OutOfMemory &) {
        return false;
    }
}

void ConvTranspose::State::compute_trial(const Planned &planned, const Problem &problem, const Stream &stream,
                                         const RunProgram &run) const {
    using Clock = std::chrono::steady_clock;
    Trials &trials = *planned.trials;
    const Trials::Trial trial = trials.next();
    // Weights are packed before the clock starts, as no later call packs them again.
    if (!pack(*trial.program, problem, stream)) {
        trials.take(trial, Race::failed);
        run(*planned.program);
        return;
    }
    const Clock::time_point start = Clock::now();
    try {
        run(*trial.program);
    } catch (...) {
        trials.take(trial, Race::failed);
        throw;
    }
    if (trials.take(trial, std::chrono::duration<double>(Clock::now() - start).count())) {
        const std::shared_ptr<const Program> winner = trials.winner();
        if (planning == Planning::remember) {
            trials.remember(*winner);
        }
        programs.settle(trials, winner);
        packed.forget_others(problem, trials.programs(), *winner, stream);
    }
}

}  // namespace unstride
