//! The process of order-api.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared::service::main("etc/order-api.yaml", order_api::start)
}
