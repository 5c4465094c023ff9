// SPDX-License-Identifier: Apache-2.0
// A stream that never fails silently: every writer reports what it wrote.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>

namespace scmi_vp::traces {

/// What a writer reports at its end.
struct written {
    std::uint64_t records = 0;
    std::uint64_t bytes = 0;
};

/// Throws scmi_vp::error (output) with `name` and the reason (errno) if the stream has failed, for
/// example on a full disk. Call after each block and at the end (it flushes).
void check_stream(std::ostream& out, const std::string& name);

/// The same as an errno, for a caller that goes on: 0 if all is written, EIO if nobody says why
/// not. Flushes; into a stream that has failed, a line's end is written once more, to be told why.
int write_failure(std::ostream& out);

}  // namespace scmi_vp::traces
