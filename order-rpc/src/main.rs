//! The process of order-rpc.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared::service::main("etc/order-rpc.yaml", order_rpc::start)
}
