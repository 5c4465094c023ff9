// SPDX-License-Identifier: Apache-2.0
// A stream that never fails silently: every writer reports what it wrote.
#include "traces/output_file.h"

#include <cerrno>
#include <system_error>

#include "base/error.h"

namespace scmi_vp::traces {

void check_stream(std::ostream& out, const std::string& name) {
    // A stream that has failed before does not try again, so errno still is that failure's (or
    // somebody else's, when the caller went on for long: hence the check after each block).
    if (out) errno = 0;
    const int before = errno;
    out.flush();
    if (out) return;
    const int reason = errno != 0 ? errno : before;
    const std::string why = reason != 0 ? std::generic_category().message(reason)
                                        : std::string("the stream has failed or is closed");
    throw error(error_kind::output, name,
                "cannot write: " + why + "; free some space or write to another path");
}

int write_failure(std::ostream& out) {
    if (out.flush()) return 0;
    out.clear();
    errno = 0;
    out.put('\n').flush();
    const int reason = errno ? errno : EIO;
    out.setstate(std::ios::badbit);
    return reason;
}

}  // namespace scmi_vp::traces
