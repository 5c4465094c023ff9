// SPDX-License-Identifier: Apache-2.0
// See serve_run.h.
#include "runs/sockets/serve_run.h"

#include <cstring>
#include <deque>
#include <iomanip>
#include <sstream>

#include "base/error.h"
#include "models/peers/shared_platform.h"
#include "models/peers/stream_service.h"
#include "models/peers/vhost_user_service.h"
#include "models/peers/wall_clock.h"
#include "runs/account.h"
#include "runs/stop_signals.h"
#include "scenario/latency_value.h"
#include "tlm/sc_time.h"
#include "traces/span_histogram.h"

namespace scmi_vp::runs {
namespace {

namespace vhost_user = virtio::vhost_user;
constexpr sim_time status_every = milliseconds(250);

vhost_user::session_config session_of(const models::device_hw_config& d, bool in_band) {
    vhost_user::session_config c;
    c.features = virtio::feature::version_1;
    if (d.p2a_channels) c.features |= virtio::feature::scmi_p2a_channels;
    if (d.event_idx) c.features |= virtio::feature::event_idx;
    if (d.indirect_desc) c.features |= virtio::feature::indirect_desc;
    // User-Mode Linux 6.1 has an interrupt for its queues only with a back-end channel
    // (virtio_uml.c, vhost_user_init_slave_req); QEMU sets one up and does not need it.
    c.protocol_features =
        in_band ? vhost_user::offer_for_uml_time_travel : vhost_user::offer_for_uml;
    return c;
}

std::string spans(const traces::span_histogram& h) {
    return short_time(h.quantile(0.5)) + " median, " + short_time(h.quantile(0.99)) + " p99, " +
           short_time(h.max()) + " max";
}

/// One socket and what happened there.
struct place {
    std::string name, path;
    models::scmi_device* device = nullptr;
    traces::span_histogram responses;
    std::unique_ptr<models::vhost_user_service> guest;
    std::unique_ptr<models::stream_service> stream;

    std::uint64_t connections() const {
        return guest ? guest->peer().connections() : stream->connections();
    }
    bool connected() const { return guest ? guest->peer().connected() : stream->connected(); }
};

/// The line on a terminal: rate since the last line, and where it stands.
class status_line : public models::wall_client {
public:
    status_line(std::ostream* out, const models::shared_platform& platform,
                const std::deque<place>& places, const models::wall_clock& clock)
        : out_(out), platform_(platform), places_(places), clock_(clock) {}
    void watch(std::vector<pollfd>&) override {}
    void serve(const pollfd*, std::size_t) override {}
    sim_time deadline() const override { return out_ ? next_ : sim_time::max(); }

    void overdue() override {
        const std::uint64_t served = platform_.served();
        const double span = double((now() - last_).ps) * 1e-12;
        unsigned connected = 0;
        for (const place& p : places_) connected += p.connected();
        std::ostringstream line;
        line << std::fixed << std::setprecision(0)
             << (span > 0 ? double(served - counted_) / span : 0) << " commands/s, " << served
             << " in all, " << connected << " of " << places_.size() << " connected";
        if (clock_.lateness().count()) {
            line << ", events late by " << short_time(clock_.lateness().quantile(0.5))
                 << " (median)";
        }
        *out_ << "\r" << std::left << std::setw(int(width_)) << line.str() << std::flush;
        width_ = line.str().size();
        counted_ = served;
        last_ = now();
        next_ = now() + status_every;
    }
    /// Before other output to the terminal.
    void clear() {
        if (out_ && width_) *out_ << "\r" << std::string(width_, ' ') << "\r" << std::flush;
        width_ = 0;
    }

private:
    std::ostream* out_;
    const models::shared_platform& platform_;
    const std::deque<place>& places_;
    const models::wall_clock& clock_;
    sim_time next_ = status_every, last_;
    std::uint64_t counted_ = 0;
    std::size_t width_ = 0;
};

class serve_session {
public:
    serve_session(const scenario::scenario& s, const serve_options& o, std::ostream& report)
        : scenario_(s),
          options_(o),
          report_(report),
          platform_("top", s.system, agents_of(o)),
          status_(o.status, platform_, places_, clock_),
          signals_(clock_) {
        for (const auto& path : o.sockets) add_guest(path.string());
        for (const auto& path : o.streams) add_stream(path.string());
        clock_.add(status_);
    }

    serve_outcome run() {
        announce();
        clock_.run(options_.until);
        status_.clear();
        for (place& p : places_) {
            if (p.guest) p.guest->close();
            if (p.stream) p.stream->close();
        }
        return account();
    }

private:
    static unsigned agents_of(const serve_options& o) {
        const std::size_t n = o.sockets.size() + o.streams.size();
        if (n == 0) {
            throw error(error_kind::usage,
                        "serve: no socket given: --socket PATH (vhost-user) or --stream PATH");
        }
        return static_cast<unsigned>(n);
    }

    place& add(const std::string& path) {
        const auto agent = static_cast<unsigned>(places_.size());
        place& p = places_.emplace_back();
        p.name = "agent " + std::to_string(agent + 1);
        p.path = path;
        p.device = &platform_.device(agent);
        p.device->record_responses(&p.responses);
        return p;
    }

    void add_guest(const std::string& path) {
        place& p = add(path);
        p.guest = std::make_unique<models::vhost_user_service>(
            virtio::unix_listener(path), session_of(scenario_.system.device, options_.in_band),
            *p.device, platform_.view(unsigned(places_.size() - 1)), reporter(p));
        clock_.add(*p.guest);
    }

    void add_stream(const std::string& path) {
        place& p = add(path);
        p.stream = std::make_unique<models::stream_service>(
            virtio::unix_listener(path), *p.device, platform_.view(unsigned(places_.size() - 1)),
            scenario_.system.guest.profile.max_msg_size, reporter(p));
        clock_.add(*p.stream);
    }

    std::function<void(const std::string&)> reporter(const place& p) {
        return [this, &p](const std::string& what) {
            status_.clear();
            report_ << "[" << std::fixed << std::setprecision(3) << double(now().ps) * 1e-12
                    << " s] " << p.name << ": " << what << std::endl;
        };
    }

    void announce() {
        report_ << scenario_.title << ": seed " << scenario_.system.seed << ", in real time\n";
        scenario::print_latency_sources(report_, scenario_);
        for (const place& p : places_) {
            report_ << p.name << ": " << (p.guest ? "vhost-user" : "SCMI over a stream") << " on "
                    << p.path << "\n";
        }
        for (const std::string& n : scenario_.notes) report_ << "note: " << n << "\n";
        if (!scenario_.checks.empty()) {
            report_ << "note: check: none is evaluated here; scmi-vp run does\n";
        }
        report_ << "Ctrl-C ends it" << std::endl;
    }

    serve_outcome account() {
        serve_outcome o;
        o.served = platform_.served();
        o.malformed = platform_.malformed();
        o.signal = signals_.number();
        report_ << "\nServed for " << short_time(now())
                << (o.signal ? std::string(", ended by ") + strsignal(o.signal) : "") << ":\n";
        for (const place& p : places_) {
            o.connections += p.connections();
            report_ << "  " << p.name << " (" << p.path << "): " << p.device->served()
                    << " commands, " << p.connections() << " connections";
            if (p.device->malformed()) report_ << ", " << p.device->malformed() << " malformed";
            if (const std::uint64_t dropped = p.device->events().dropped) {
                report_ << ", " << dropped << (dropped == 1 ? " message" : " messages")
                        << " of the platform found no event buffer and went nowhere";
            }
            if (p.responses.count()) report_ << "; answered after " << spans(p.responses);
            report_ << "\n";
        }
        if (clock_.lateness().count()) {
            report_ << "  the host ran events late by " << spans(clock_.lateness()) << "\n";
        }
        report_ << std::flush;
        return o;
    }

    const scenario::scenario& scenario_;
    const serve_options& options_;
    std::ostream& report_;
    models::shared_platform platform_;
    models::wall_clock clock_;
    std::deque<place> places_;
    status_line status_;
    stop_signals signals_;
};

}  // namespace

serve_outcome run_serve(const scenario::scenario& s, const serve_options& options,
                        std::ostream& report) {
    serve_session session(s, options, report);
    return session.run();
}

}  // namespace scmi_vp::runs
