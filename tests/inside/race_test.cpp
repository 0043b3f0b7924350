// Which candidate wins, from times that the test makes up.

#include "plan/race.h"

#include <functional>
#include <vector>

#include "support/catch_compat.h"

namespace unstride::tests {
namespace {

// Runs a race to its end, where `time` says how long a call takes; returns the number of calls.
int run(Race &race, const std::function<double(const Race::Call &)> &time) {
    int calls = 0;
    for (; !race.is_over(); calls++) {
        REQUIRE(calls < 1000);
        const Race::Call call = race.next();
        race.take(call, time(call));
    }
    return calls;
}

size_t winner_of(const std::vector<double> &seconds) {
    Race race(seconds.size());
    const int calls = run(race, [&](const Race::Call &call) { return seconds[call.runner]; });
    CHECK(calls <= Race::most_calls * static_cast<int>(seconds.size()));
    return race.winner();
}

TEST_CASE("the fastest runner wins, and the favourite unless it is clearly slower") {
    for (const double unit : {1e-7, 1e-3, 1.0}) {
        CHECK(winner_of({unit, 2 * unit, 0.5 * unit, 0.6 * unit}) == 2);
        CHECK(winner_of({unit, 0.96 * unit}) == 1);
        CHECK(winner_of({unit, 0.98 * unit}) == 0);
        CHECK(winner_of({unit, 0.98 * unit, 0.96 * unit, 0.965 * unit}) == 2);
        CHECK(winner_of({unit, unit, unit}) == 0);
        CHECK(winner_of({unit}) == 0);
    }
}

TEST_CASE("the least time of a runner counts, and none that warms up") {
    // Each runner has one call without noise, not in the same round, and is fastest of all while it warms up.
    Race race(3);
    std::vector<int> timed(3, 0);
    run(race, [&](const Race::Call &call) {
        if (call.warms_up) {
            return 1e-9;
        }
        const int number = timed[call.runner]++;
        const std::vector<double> quiet{1e-3, 0.95e-3, 0.9e-3};
        // Runner 1 has its best call first, and may not fall behind meanwhile.
        return number == static_cast<int>(call.runner) ? quiet[call.runner] : 1.02e-3;
    });
    CHECK(race.winner() == 2);
    CHECK(race.seconds(0) == 1e-3);
    CHECK(race.seconds(2) == 0.9e-3);
}

TEST_CASE("all runners take turns, so that noise hits all alike") {
    Race race(3);
    std::vector<size_t> turns;
    int turn = -1;
    run(race, [&](const Race::Call &call) {
        if (call.turn != turn) {
            turn = call.turn;
            turns.push_back(call.runner);
            CHECK(call.warms_up);
        } else {
            CHECK_FALSE(call.warms_up);
        }
        return 1e-3;
    });
    CHECK(turns == std::vector<size_t>{0, 1, 2, 0, 1, 2, 0, 1, 2});
}

TEST_CASE("a slow runner warms up once, and makes one call for a turn") {
    Race race(2);
    int warm_ups = 0;
    const int calls = run(race, [&](const Race::Call &call) {
        warm_ups += call.warms_up ? 1 : 0;
        return 0.1;
    });
    CHECK(warm_ups == 2);
    CHECK(calls == 2 * (1 + 3));
}

TEST_CASE("who falls behind leaves, but not the favourite") {
    Race race(4);
    std::vector<int> calls(4, 0);
    run(race, [&](const Race::Call &call) {
        calls[call.runner]++;
        return std::vector<double>{3e-3, 1e-3, 1.05e-3, 2e-3}[call.runner];
    });
    CHECK(race.winner() == 1);
    CHECK(calls == std::vector<int>{9, 9, 9, 3});
    // A race in which only the favourite is left is over.
    Race alone(3);
    CHECK(run(alone, [](const Race::Call &call) { return call.runner == 0 ? 1e-3 : 2e-3; }) == 9);
    CHECK(alone.winner() == 0);
}

TEST_CASE("a runner that fails cannot win, and holds nothing up") {
    for (const size_t failing : {0, 1, 2}) {
        for (const bool later : {false, true}) {
            Race race(3);
            int calls = 0;
            run(race, [&](const Race::Call &call) {
                const bool fails = call.runner == failing && (!later || calls++ > 3);
                return fails ? Race::failed : std::vector<double>{1e-3, 0.9e-3, 0.8e-3}[call.runner];
            });
            INFO(failing << (later ? " later" : ""));
            CHECK(race.winner() == (failing == 2 ? 1 : 2));
        }
    }
    Race race(3);
    run(race, [](const Race::Call &) { return Race::failed; });
    CHECK(race.winner() == 0);
    CHECK(race.seconds(0) == Race::failed);
}

TEST_CASE("times that come late, twice or never change nothing else") {
    const std::vector<double> seconds{1e-3, 0.9e-3, 1.05e-3};
    Race race(3);
    std::vector<Race::Call> earlier;
    run(race, [&](const Race::Call &call) {
        for (const Race::Call &late : earlier) {
            if (late.turn != call.turn) {
                race.take(late, 1e-9);
            }
        }
        for (int lost = 0; lost < 3; lost++) {
            const Race::Call again = race.next();
            CHECK(again.turn == call.turn);
        }
        earlier.push_back(call);
        return seconds[call.runner];
    });
    CHECK(race.winner() == 1);
    CHECK(race.seconds(1) == 0.9e-3);
    const Race::Call after = race.next();
    CHECK(after.runner == 1);
    race.take(after, 1e-9);
    CHECK(race.seconds(1) == 0.9e-3);
}

TEST_CASE("in a rematch of the favourite and the one that leads, only new times count") {
    for (const bool still_faster : {true, false}) {
        Race race(4);
        run(race, [](const Race::Call &call) {
            return std::vector<double>{1e-3, 0.9e-3, 0.7e-3, 0.8e-3}[call.runner];
        });
        CHECK(race.winner() == 2);
        race.rematch();
        CHECK_FALSE(race.is_over());
        std::vector<bool> ran(4, false);
        const int calls = run(race, [&](const Race::Call &call) {
            ran[call.runner] = true;
            return call.runner == 2 && still_faster ? 0.95e-3 : 1e-3;
        });
        CHECK(calls == 2 * Race::most_calls);
        CHECK(ran == std::vector<bool>{true, false, true, false});
        CHECK(race.winner() == (still_faster ? 2 : 0));
        CHECK(race.seconds(race.winner()) == (still_faster ? 0.95e-3 : 1e-3));
    }
}

TEST_CASE("runners that come later meet the one that leads") {
    Race race(4);
    const std::vector<double> seconds{1e-3, 0.8e-3, 0.85e-3, 2e-3, 0.7e-3, 0.9e-3};
    const auto time = [&](const Race::Call &call) { return seconds[call.runner]; };
    run(race, time);
    CHECK(race.winner() == 1);
    race.enter(2);
    CHECK_FALSE(race.is_over());
    std::vector<bool> ran(6, false);
    run(race, [&](const Race::Call &call) {
        ran[call.runner] = true;
        return time(call);
    });
    CHECK(ran == std::vector<bool>{false, true, false, false, true, true});
    CHECK(race.winner() == 4);

    Race alone(1);
    CHECK(alone.is_over());
    alone.enter(1);
    run(alone, [](const Race::Call &call) { return call.runner == 0 ? 1e-3 : 0.5e-3; });
    CHECK(alone.winner() == 1);
}

}  // namespace
}  // namespace unstride::tests
