//! The process of user-rpc.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared::service::main("etc/user-rpc.yaml", user_rpc::start)
}
