#include "tuning.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "harness.h"

namespace unstride::bench {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Runner {
    Candidate candidate;
    std::vector<double> times;
    bool dropped = false;
};

bool same(const Candidate &a, const Candidate &b) {
    return a.variant == b.variant && a.rows_per_task == b.rows_per_task;
}

// Times some calls of a candidate. Where calls are short, the first one of a turn is not timed, as it finds the caches
// as another candidate has left them; nor is the first one of all, which may pack the weights.
void take_turn(LayerRun &run, Runner &runner) {
    run.force(runner.candidate.variant, runner.candidate.rows_per_task);
    if (runner.times.empty() || runner.candidate.seconds < 20e-3) {
        run.call();
    }
    const Clock::time_point start = Clock::now();
    do {
        const Clock::time_point call_start = Clock::now();
        run.call();
        runner.times.push_back(seconds_since(call_start));
    } while (seconds_since(start) < 4e-3);
    runner.candidate.seconds = median(runner.times);
}

// Runs the candidates in turns for `budget` seconds, at least three rounds and at most twelve, without those that fall
// far behind. Sorts them by their times.
void race(LayerRun &run, std::vector<Runner> &runners, double budget, const std::function<void(double)> &progress) {
    constexpr int least_rounds = 3, most_rounds = 12;
    const Clock::time_point start = Clock::now();
    for (int round = 0; round < least_rounds || (round < most_rounds && seconds_since(start) < budget); round++) {
        double best = 1e30;
        for (size_t i = 0; i < runners.size(); i++) {
            if (!runners[i].dropped) {
                take_turn(run, runners[i]);
                best = std::min(best, runners[i].candidate.seconds);
            }
            const double rounds = round + static_cast<double>(i + 1) / static_cast<double>(runners.size());
            progress(std::min(
                1.0, std::max(rounds / most_rounds, std::min(seconds_since(start) / budget, rounds / least_rounds))));
        }
        for (Runner &runner : runners) {
            runner.dropped = runner.candidate.seconds > 1.5 * best;
        }
    }
    std::stable_sort(runners.begin(), runners.end(),
                     [](const Runner &a, const Runner &b) { return a.candidate.seconds < b.candidate.seconds; });
}

// Returns candidates with fewer and with more rows in a task than planned.
std::vector<Candidate> other_splits(const Candidate &candidate, int64_t height) {
    std::vector<Candidate> result;
    const int64_t rows = candidate.rows_per_task;
    for (int64_t other : {rows / 4, rows / 2, rows * 2, rows * 4}) {
        if (other >= 1 && other < 2 * height && other != rows) {
            result.push_back({candidate.variant, std::min(other, height), 0});
        }
    }
    return result;
}

}  // namespace

Tuning tune(const Layer &layer, Layout layout, const std::function<void(double)> &progress, const Types &types,
            Operator op) {
    LayerRun run(layer, layout, Device::cpu, types, op);
    const Plan plan = run.force("", 0);
    const bool one_variant = plan.rest.empty();
    Tuning tuning{one_variant ? Candidate{plan.variant.name, plan.rows_per_task, 0} : Candidate{"", 0, 0}, {}, 0, 0};

    std::vector<Plan> plans;
    double least = plan.expected_seconds;
    for (const Variant &v : variants()) {
        const bool other_call = v.op != plan.variant.op || v.device != Device::cpu || v.layout != layout ||
                                !(v.types == plan.variant.types);
        if (other_call || !v.runs_here() || !v.rounds_like(plan.variant)) {  // wisdom may change no bit
            continue;
        }
        try {
            plans.push_back(run.force(v.name, 0));
            least = std::min(least, plans.back().expected_seconds);
        } catch (const InvalidArgument &) {  // not for this layer
        }
    }
    std::vector<Runner> runners;
    for (const Plan &p : plans) {
        if (p.expected_seconds <= 3 * least || p.variant.name == plan.variant.name) {
            runners.push_back({{p.variant.name, p.rows_per_task, 0}, {}});
        } else {
            tuning.left_out++;
        }
    }
    if (!one_variant) {
        runners.push_back({tuning.planned, {}});
    }
    tuning.measured = static_cast<int>(runners.size());
    race(run, runners, 1, [&](double fraction) { progress(fraction / 2); });

    std::vector<Candidate> finalists{tuning.planned};
    for (size_t i = 0; i < std::min<size_t>(runners.size(), 2); i++) {
        finalists.push_back(runners[i].candidate);
        for (const Candidate &split : other_splits(runners[i].candidate, run.rows())) {
            finalists.push_back(split);
            tuning.measured++;
        }
    }
    runners.clear();
    for (const Candidate &finalist : finalists) {
        const bool known =
            std::any_of(runners.begin(), runners.end(), [&](const Runner &r) { return same(r.candidate, finalist); });
        if (!known) {
            runners.push_back({finalist, {}});
        }
    }
    race(run, runners, 1, [&](double fraction) { progress((1 + fraction) / 2); });

    tuning.winner = runners.front().candidate;
    for (const Runner &runner : runners) {
        if (same(runner.candidate, tuning.planned)) {
            tuning.planned = runner.candidate;
        }
    }
    if (tuning.planned.seconds < 1.01 * tuning.winner.seconds) {
        tuning.winner = tuning.planned;
    }
    return tuning;
}

}  // namespace unstride::bench
