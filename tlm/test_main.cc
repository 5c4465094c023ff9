// SPDX-License-Identifier: Apache-2.0
// The main of every SystemC test program: GoogleTest inside sc_main, SystemC errors as exceptions.
#include <gtest/gtest.h>

#include <systemc>

int sc_main(int argc, char* argv[]) {
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
