// SPDX-License-Identifier: Apache-2.0
#include "base/row_writer.h"

#include <cstdint>
#include <limits>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace scmi_vp {
namespace {

template <class Out>
void write(Out& o) {
    o << std::numeric_limits<std::int64_t>::min() << ',' << std::numeric_limits<std::int64_t>::max()
      << ',' << std::numeric_limits<std::uint64_t>::max() << ',' << 0 << ',' << std::int16_t(-7)
      << ',' << std::string_view("name") << ",text" << '\n';
}

TEST(row_writer, writes_what_a_stream_writes) {
    std::ostringstream stream, rows;
    write(stream);
    {
        row_writer o(rows);
        write(o);
        EXPECT_EQ(rows.str(), "") << "handed over at the end";
    }
    EXPECT_EQ(rows.str(), stream.str());
}

TEST(row_writer, takes_rows_and_words_that_are_longer_than_its_buffer) {
    std::ostringstream stream, rows;
    const std::string word(3000, 'w');
    {
        row_writer o(rows);
        for (int i = 0; i < 500; ++i) {
            write(o);
            write(stream);
        }
        o << "before" << std::string_view(word) << "behind";
        stream << "before" << word << "behind";
    }
    EXPECT_EQ(rows.str(), stream.str());
}

TEST(row_writer, leaves_a_stream_that_fails_failed) {
    std::ostringstream stream;
    stream.setstate(std::ios::badbit);
    { row_writer(stream) << "row"; }
    EXPECT_FALSE(stream);
    EXPECT_EQ(stream.str(), "");
}

}  // namespace
}  // namespace scmi_vp
