#include "removal.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <mutex>
#include <utility>

namespace unstride::tools {

namespace {

// The list of all objects. The signal handler, which may not allocate, reads the names in it.
Removal *first = nullptr;
std::atomic_flag busy = ATOMIC_FLAG_INIT;

void wait_until_free() {
    while (busy.test_and_set(std::memory_order_acquire)) {
    }
}

// While one exists, no handler looks at the list: not in this thread, whose signals wait, and not in others.
class Exclusive {
public:
    Exclusive() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, &before_);
        wait_until_free();
    }
    ~Exclusive() {
        busy.clear(std::memory_order_release);
        pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
    Exclusive(const Exclusive &) = delete;
    Exclusive &operator=(const Exclusive &) = delete;

private:
    sigset_t before_{};
};

}  // namespace

void Removal::remove_all(int signal) {
    wait_until_free();  // and never free again, so that no other thread renames a file that is gone
    for (const Removal *each = first; each != nullptr; each = each->next_) {
        unlink(each->path_.c_str());
    }
    std::signal(signal, SIG_DFL);
    raise(signal);  // comes when this handler returns
}

// Handles the signals that end a process unless it handles them, but for those that tell of a fault in it.
void Removal::handle_signals() {
    for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGALRM, SIGTERM, SIGUSR1, SIGUSR2, SIGXCPU}) {
        struct sigaction before {};
        sigaction(signal, nullptr, &before);
        if (before.sa_handler == SIG_DFL) {
            struct sigaction action {};
            action.sa_handler = remove_all;
            sigfillset(&action.sa_mask);
            sigaction(signal, &action, nullptr);
        }
    }
}

Removal::Removal(std::filesystem::path path) : path_(std::move(path)) {
    static std::once_flag once;
    std::call_once(once, handle_signals);
    const Exclusive exclusive;
    next_ = std::exchange(first, this);
    listed_ = true;
}

Removal::~Removal() {
    if (listed_) {
        const Exclusive exclusive;
        unlink(path_.c_str());
        forget();
    }
}

std::pair<size_t, int> Removal::rename_all(const std::vector<Renaming> &renamings) {
    const Exclusive exclusive;
    size_t renamed = 0;
    for (const auto &[file, target] : renamings) {
        if (std::rename(file->path_.c_str(), target.c_str()) != 0) {
            return {renamed, errno};
        }
        file->forget();
        renamed++;
    }
    return {renamed, 0};
}

void Removal::forget() {
    Removal **link = &first;
    while (*link != this) {
        link = &(*link)->next_;
    }
    *link = next_;
    listed_ = false;
}

}  // namespace unstride::tools
