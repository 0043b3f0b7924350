#ifndef UNSTRIDE_TOOLS_PROCESS_H
#define UNSTRIDE_TOOLS_PROCESS_H

namespace unstride::tools {

// Every program that writes files calls this first. It fills the standard descriptors that were closed when the process
// was started, so that no file gets one of them and is mixed with reports; reading and writing them still fails. And it
// makes a file that grows beyond the process's limit an error of writing, not the end of the process. Throws
// std::system_error.
void prepare_process();

}  // namespace unstride::tools

#endif
