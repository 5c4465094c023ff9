// SPDX-License-Identifier: Apache-2.0
// A convenience target socket without the convenience's price: what is bound to it reaches the
// module's b_transport by one virtual call, and the link by which an initiator makes that call.
#pragma once

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_target_socket.h>

namespace scmi_vp {

/// A target that says where its b_transport is: tlm_fw_transport_if inherits it virtually, so that
/// each call through that one looks for the object first.
class direct_transport {
public:
    virtual void transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) = 0;

protected:
    ~direct_transport() = default;
};

/// b_transport through an initiator socket, which finds its way at the first call.
template <class Socket>
class transport_link {
public:
    explicit transport_link(Socket& socket) : socket_(&socket) {}

    void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
        if (__builtin_expect(direct_ != nullptr, 1)) return direct_->transport(payload, delay);
        direct_ = dynamic_cast<direct_transport*>(socket_->operator->());
        (*socket_)->b_transport(payload, delay);
    }

private:
    Socket* socket_;
    direct_transport* direct_ = nullptr;
};

/// `Base` (of tlm_utils) as it is, but for b_transport, which is delivered to
/// Module::b_transport(payload, delay) at once: Base looks at each call whether it has to be turned
/// into a non-blocking one and calls by pointer to member. The module registers the same function
/// with Base all the same, for what comes by nb_transport_fw or through another target socket.
template <class Module, class Base = tlm_utils::simple_target_socket<Module>>
class direct_target_socket : public Base {
    using forward_if = tlm::tlm_fw_transport_if<>;
    using payload_type = tlm::tlm_generic_payload;

public:
    direct_target_socket(const char* name, Module& module) : Base(name), path_(module, *this) {}

    /// What an initiator socket that is bound to this one gets as its interface.
    forward_if& get_base_interface() override { return path_; }
    const forward_if& get_base_interface() const override { return path_; }

private:
    class path final : public forward_if, public direct_transport {
    public:
        path(Module& module, Base& base) : module_(module), base_(base) {}

        void transport(payload_type& payload, sc_core::sc_time& delay) override {
            module_.b_transport(payload, delay);
        }
        void b_transport(payload_type& payload, sc_core::sc_time& delay) override {
            module_.b_transport(payload, delay);
        }
        tlm::tlm_sync_enum nb_transport_fw(payload_type& payload, tlm::tlm_phase& phase,
                                           sc_core::sc_time& delay) override {
            return rest().nb_transport_fw(payload, phase, delay);
        }
        bool get_direct_mem_ptr(payload_type& payload, tlm::tlm_dmi& dmi) override {
            return rest().get_direct_mem_ptr(payload, dmi);
        }
        unsigned transport_dbg(payload_type& payload) override {
            return rest().transport_dbg(payload);
        }

    private:
        forward_if& rest() { return base_.Base::get_base_interface(); }

        Module& module_;
        Base& base_;
    };

    path path_;
};

}  // namespace scmi_vp
