// SPDX-License-Identifier: Apache-2.0
// What scmi-vp init writes.
#pragma once

namespace scmi_vp::app {

inline constexpr const char* starter_scenario =
    R"toml(# A scenario for scmi-vp. `scmi-vp list keys` prints every key with its default; what is left out
# here has its default. Times carry units: ps, ns, us, ms, s, min, h.

[scenario]
title = "starter"
description = "A task reads a temperature from a platform that is sometimes slower than the driver waits."
# What happens: most reads take 0.1 ms. One of a hundred waits 10 to 60 ms for something else, and
# the driver gives up on the longest of these after 34 ms (its 30 ms end at a tick of the timer
# wheel): `timed_out`. The reply comes later and finds nobody: "is not expected" in the kernel's
# messages. With --set guest.max_rx_timeout=100ms nothing times out.

[sim]
seed = 1             # the same seed gives the same outputs
duration = "10min"   # the run ends here at the latest

# The guest: a Linux kernel with its SCMI driver.
[guest]
profile = "linux-6.1"       # `scmi-vp list profiles`
hz = 250                    # CONFIG_HZ: timeouts are rounded up by the timer wheel
cpus = 2
irq_cpu = 0
max_rx_timeout = "30ms"     # how long the driver waits for a reply: what is to be tuned

# What the guest's operations cost, on top of the preset "free".
[guest.cost]
mmio_read = "2us"
mmio_write = "2us"          # the doorbell: an exit to the host
irq_entry = "1us"
context_switch = "2us"

# The platform: firmware and hardware behind the virtio device.
[platform]
vendor = "example"
workers = 1                 # commands served at once; "unlimited" is possible

[[platform.clock]]
name = "cpu"
rate = 1_000_000_000
rates = { list = [500_000_000, 1_000_000_000] }

[[platform.sensor]]
name = "soc"
exponent = -3               # readings are thousandths of a degree Celsius
reading = 45_000
reading_step = 1            # each reading is one higher, so that one can tell them apart

# Service times that replace hops.service for some messages; the last that matches counts.
[[platform.service]]
protocol = "clock"
message = "CLOCK_RATE_SET"
latency = "2ms"

# Latency at the hops of a request (`scmi-vp list hops`, `scmi-vp list distributions`).
[hops]
host_wake = { kind = "lognormal", median = "40us", sigma = 0.6 }
interrupt = "5us"

# Mostly fast; one request in a hundred waits for something else.
[hops.service]
kind = "mixture"
parts = [
    { weight = 0.99, latency = { kind = "gamma", shape = 4, mean = "50us" } },
    { weight = 0.01, latency = { kind = "uniform", low = "10ms", high = "60ms" } },
]

# What the guest's tasks do once the driver is there.
[[workload.context]]
name = "thermald"
cpu = 1

[[workload.loop]]
context = "thermald"
calls = [ { call = "sensor_read", id = 0 } ]
count = 150
think = { kind = "exponential", mean = "1ms" }   # pause before each call

# What must be true of the results, or `scmi-vp run` ends with status 6: a test for CI.
# `scmi-vp list numbers FILE` prints the names of all numbers.
# [[check]]
# number = "round_trip.p99"
# at_most = "1ms"
#
# [[check]]
# message = "timed out in resp"    # of the kernel's log
# absent = true

[output]
registers = false           # every register access
)toml";

}  // namespace scmi_vp::app
