#include "plan/race.h"

#include <algorithm>
#include <utility>

namespace unstride {
namespace {

constexpr int no_turn = -1;  // the turn of calls that come after the race

// A runner wins against the favourite if it takes less than this part of its time, and leaves the race after a round
// that it ends with more than this multiple of the least time.
constexpr double clearly_faster = 0.97, far_behind = 1.1;

}  // namespace

void Race::begin(std::vector<size_t> runners) {
    running_ = std::move(runners);
    round_ = 0;
    place_ = 0;
}

void Race::enter(size_t count) {
    std::vector<size_t> runners;
    if (!least_.empty()) {
        runners.push_back(winner());
    }
    for (size_t i = 0; i < count; i++) {
        runners.push_back(least_.size());
        least_.push_back(failed);
        last_.push_back(0);
    }
    begin(std::move(runners));
}

void Race::rematch() {
    begin({favourite, winner()});
    std::fill(least_.begin(), least_.end(), failed);
}

Race::Call Race::next() const {
    if (is_over()) {
        return {winner(), no_turn, true};
    }
    const size_t runner = running_[place_];
    return {runner, turn_, !is_warm_ && !is_slow(runner)};
}

void Race::take(const Call &call, double seconds) {
    if (is_over() || call.turn != turn_) {
        return;
    }
    last_[call.runner] = seconds;
    if (seconds == failed) {
        least_[call.runner] = failed;
        end_turn();
    } else if (call.warms_up) {
        is_warm_ = true;
    } else {
        least_[call.runner] = std::min(least_[call.runner], seconds);
        timed_++;
        if (timed_ == timed_calls || is_slow(call.runner)) {
            end_turn();
        }
    }
}

void Race::end_turn() {
    turn_++;
    place_++;
    timed_ = 0;
    is_warm_ = false;
    if (place_ < running_.size()) {
        return;
    }
    place_ = 0;
    round_++;
    const double least = *std::min_element(least_.begin(), least_.end());
    const auto has_to_leave = [&](size_t runner) {
        return runner != favourite && (least_[runner] == failed || least_[runner] > far_behind * least);
    };
    running_.erase(std::remove_if(running_.begin(), running_.end(), has_to_leave), running_.end());
}

size_t Race::winner() const {
    const auto fastest = static_cast<size_t>(std::min_element(least_.begin(), least_.end()) - least_.begin());
    return least_[fastest] < clearly_faster * least_[favourite] ? fastest : favourite;
}

}  // namespace unstride
