//! The process of product-rpc.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared::service::main("etc/product-rpc.yaml", product_rpc::start)
}
