#ifndef UNSTRIDE_RUNTIME_PLAN_TRIALS_H
#define UNSTRIDE_RUNTIME_PLAN_TRIALS_H

#include <memory>
#include <vector>

#include "plan/planner.h"
#include "plan/program.h"
#include "plan/race.h"
#include "problem/problem.h"
#include "process/mutex.h"

namespace unstride {

// Finds out which of several programs computes a problem in the least time, while an app computes it: each call runs
// one of them, and tells its time. First there are different kernels, the planner's choice among them, then other
// splits of the fastest one into tasks, and last a rematch of what leads and the planner's choice. All round alike.
// Several threads may use it at the same time; no lock is held while a program runs.
class Trials {
public:
    // `planned` is the program that decide() chose by estimate, for these arguments. Beside it, candidates are tried
    // whose expected time is near the least. A program of two kernels is tried only where it is the planned one.
    Trials(const ConvTranspose3dOptions &options, const Problem &problem, const Machine &machine,
           std::shared_ptr<const Program> planned);

    // Returns whether there is nothing to try, or nothing any more.
    bool are_over() const;

    // What a call is to run.
    struct Trial {
        std::shared_ptr<const Program> program;
        Race::Call call;
    };
    Trial next() const;

    // Takes the seconds that a trial took, or Race::failed. Returns whether the trials are over.
    bool take(const Trial &trial, double seconds);

    // Returns all programs that have been let in so far.
    Programs programs() const;

    // Returns the program that stays when the trials are over, which says that it was measured.
    std::shared_ptr<const Program> winner() const;

    // Adds a program that winner() returned to the process's wisdom, unless wisdom does not know such programs: those
    // of two kernels, and those for numbers that are not moderate.
    void remember(const Program &winner) const;

private:
    // Begins what comes next where a part of the race is over.
    void go_on();

    const ConvTranspose3dOptions options_;
    const Problem problem_;
    const Machine machine_;

    mutable Mutex mutex_;  // of all that follows
    Programs programs_;    // the runners of the race
    Race race_;
    bool has_splits_ = false, has_rematch_ = false;
};

}  // namespace unstride

#endif
