#ifndef UNSTRIDE_TOOLS_PROGRESS_H
#define UNSTRIDE_TOOLS_PROGRESS_H

#include <string>

namespace unstride::tools {

// A bar on standard error while it is a terminal; nothing elsewhere.
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
