#ifndef UNSTRIDE_TOOLS_PROCESS_H
#define UNSTRIDE_TOOLS_PROCESS_H

namespace unstride::tools {

// What every program that writes files does first. Fills the standard descriptors that whoever started the process has
// closed, so that no file gets one of them and is mixed with reports; reading and writing them still fails. And a file
// that grows beyond the process's limit is an error of writing, not the end of the process. Throws std::system_error.
void prepare_process();

}  // namespace unstride::tools

#endif
