//! Compiles the contracts without a `protoc`: protox reads them, tonic generates from the descriptors.

use std::path::PathBuf;

use prost::Message as _;

const FILES: [&str; 5] = [
    "ferromart/v1/money.proto",
    "ferromart/user/v1/user.proto",
    "ferromart/product/v1/product.proto",
    "ferromart/order/v1/order.proto",
    "ferromart/order/v1/events.proto",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto");
    let descriptors = protox::compile(FILES.map(|file| format!("proto/{file}")), ["proto"])?;
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    std::fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        // They hold passwords, tokens and cards: what cannot be printed is in no log.
        .skip_debug([
            "ferromart.user.v1.RegisterRequest",
            "ferromart.user.v1.LoginRequest",
            "ferromart.user.v1.RefreshRequest",
            "ferromart.user.v1.LogoutRequest",
            "ferromart.user.v1.Tokens",
            "ferromart.order.v1.Card",
            "ferromart.order.v1.PayOrderRequest",
        ])
        // Events are read and written as JSON; a field that an older writer did not know has its default.
        .type_attribute("ferromart.order.v1.OrderMoved", "#[derive(serde::Serialize, serde::Deserialize)]")
        .type_attribute("ferromart.order.v1.OrderMoved", "#[serde(default)]")
        .type_attribute("ferromart.order.v1.Line", "#[derive(serde::Serialize, serde::Deserialize)]")
        .type_attribute("ferromart.v1.Money", "#[derive(serde::Serialize, serde::Deserialize)]")
        .compile_fds(descriptors)?;
    Ok(())
}
