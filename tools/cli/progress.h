#ifndef UNSTRIDE_TOOLS_PROGRESS_H
#define UNSTRIDE_TOOLS_PROGRESS_H

#include <string>

namespace unstride::tools {

// A bar that shows how much is done, on standard error if that is a terminal, else nowhere.
class Progress {
public:
    Progress();
    ~Progress();
    Progress(const Progress &) = delete;
    Progress &operator=(const Progress &) = delete;

    void show(double fraction, const std::string &what);
    void clear();  // before something else is printed

private:
    bool terminal_;
    bool shown_ = false;
};

}  // namespace unstride::tools

#endif
