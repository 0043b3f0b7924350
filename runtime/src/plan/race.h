#ifndef UNSTRIDE_RUNTIME_PLAN_RACE_H
#define UNSTRIDE_RUNTIME_PLAN_RACE_H

#include <cstddef>
#include <limits>
#include <vector>

namespace unstride {

// Finds out which of several runners is the fastest, from the times that it is told. Runners take turns, a few calls
// each, for several rounds, so that noise hits all of them alike; the least time of each counts. Who falls behind
// leaves after a round. Runner 0 is the favourite: it does not leave, and wins unless another one is clearly faster.
//
// A race knows neither a clock nor threads. Several calls of one turn may be under way, or a call may never end: a race
// does not wait for any particular call, but for the next that tells its time.
class Race {
public:
    static constexpr size_t favourite = 0;

    // The time of a call that failed. A runner with a failed call leaves, unless it is the favourite.
    static constexpr double failed = std::numeric_limits<double>::infinity();

    // A call that a runner is to make.
    struct Call {
        size_t runner;
        int turn;       // number of the turn
        bool warms_up;  // whether its time does not count, as it may find caches and memory cold
    };

    // The most calls that a runner makes from the first round to the last.
    static constexpr int most_calls = 9;

    explicit Race(size_t runners) {
        enter(runners);
    }

    // Lets `count` more runners in, who are numbered on, and begins with the first round again, for them and the one
    // that leads. The race must be over, or not have begun.
    void enter(size_t count);

    // Begins with the first round again for the favourite and the one that leads. All times until now are forgotten:
    // the least of many times is too good where noise has chosen it. The race must be over.
    void rematch();

    // Returns the next call to be made. If the race is over, it is one of the winner's.
    Call next() const;

    // Takes the seconds of a call, or `failed`. Those of a turn that has ended meanwhile are ignored.
    void take(const Call &call, double seconds);

    bool is_over() const {
        return running_.size() <= 1 || round_ == rounds;
    }

    // Returns the runner that wins, or would if the race were over.
    size_t winner() const;

    // Returns the least time of a runner, in seconds; `failed` if it has none, or if its last call failed.
    double seconds(size_t runner) const {
        return least_[runner];
    }

private:
    static constexpr int rounds = 3, timed_calls = 2;  // timed_calls of each turn, after one to warm up
    static_assert(most_calls == rounds * (timed_calls + 1));

    // Returns whether calls of a runner take so long that one is enough for a turn, and that they need no other one
    // before it to warm up, once there was one.
    bool is_slow(size_t runner) const {
        return last_[runner] >= 20e-3;
    }

    void begin(std::vector<size_t> runners);
    void end_turn();

    std::vector<double> least_, last_;  // of each runner, the least time that counts, and the last one of all
    std::vector<size_t> running_;       // who is in this round
    size_t place_ = 0;                  // whose turn it is: an index of running_
    int round_ = 0;
    int turn_ = 0;
    int timed_ = 0;  // calls of this turn that counted
    bool is_warm_ = false;
};

}  // namespace unstride

#endif
