//! The process of payment-sim.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared::service::main("etc/payment-sim.yaml", payment_sim::start)
}
