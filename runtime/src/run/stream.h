#ifndef UNSTRIDE_RUNTIME_RUN_STREAM_H
#define UNSTRIDE_RUNTIME_RUN_STREAM_H

#include <cstddef>

namespace unstride {

// Copies bytes past the caches, so that the lines of `to` are not read before they are written. This is for whole lines
// of arrays that are larger than a cache, and for processors that are known to have such stores; on others it is a
// copy. Other threads find the bytes after this thread has called end_streams().
void stream(const void *from, size_t bytes, void *to);
void end_streams();

}  // namespace unstride

#endif
